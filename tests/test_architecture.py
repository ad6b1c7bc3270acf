"""Imports follow the arrows of ARCHITECTURE.md."""

import ast
import re
from pathlib import Path

import pytest

import gateway.errors
from gateway.errors import GatewayError
from gateway.schema.build import build_schema

MAY_IMPORT = {
    "odata": {"odata", "errors"},
    "plan": {"plan", "odata", "errors"},
    "access": {"access", "network", "errors"},
    "graph": {"graph", "access", "plan", "odata", "network", "errors"},
    "answer": {"answer", "plan", "odata", "internals", "errors"},
    "schema": {"schema", "answer", "graph", "access", "plan", "odata", "internals", "errors"},
    "http": {"http", "schema", "graph", "access", "errors"},
    "explorer": {"explorer"},
    "sandbox": {"sandbox"},
    "settings": {"settings", "http", "graph", "answer", "access"},
    "internals": {"errors"},
    "network": set(),
    "errors": set(),
}


def imported(file: Path) -> set[str]:
    """The packages of the gateway that a module imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, file
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    names.discard("gateway.__version__")
    return {name.split(".")[1] for name in names if name.startswith("gateway.")}


def modules(package: str) -> list[Path]:
    """The files of a package, or the one of a module."""
    return list(Path("gateway", package).rglob("*.py")) or [Path("gateway", f"{package}.py")]


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_follow_the_arrows(package: str) -> None:
    for file in modules(package):
        assert imported(file) <= MAY_IMPORT[package], file


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    from gateway.http import limits",
        "if TYPE_CHECKING:\n    from gateway import http",
        "import gateway.http.limits as limits",
    ],
)
def test_an_import_is_found_wherever_it_is(tmp_path: Path, text: str) -> None:
    file = tmp_path / "module.py"
    file.write_text(text, encoding="utf-8")
    assert imported(file) == {"http"}


def test_all_errors_that_callers_see_are_one_tree_in_one_module() -> None:
    pending, names = [GatewayError], []
    while pending:
        error = pending.pop()
        assert error.__module__ == "gateway.errors"
        names.append(error.__name__)
        pending += error.__subclasses__()
    assert len(names) == len(set(names))
    listed = re.findall(r"^[ │├└─]+(\w+)  ", gateway.errors.__doc__ or "", re.MULTILINE)
    assert sorted(listed) == sorted(names)


PUBLIC = {
    *("graphql", "graphql.execution"),
    *("strawberry", "strawberry.schema.config", "strawberry.types"),
}
PRIVATE = re.compile(
    r"(?<!self)\._schema\b|\._raw_info|__strawberry_definition__|strawberry-definition"
)


def test_what_is_private_to_others_is_taken_in_one_module() -> None:
    for file in set(Path("gateway").rglob("*.py")) - {Path("gateway/internals.py")}:
        text = file.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)):
            module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            if module.split(".")[0] in ("graphql", "strawberry"):
                assert module in PUBLIC, file
        assert not PRIVATE.search(text), file


def _names_of_the_service() -> set[str]:
    """The names of all resources, of their properties and edges, and in their paths."""
    found: set[str] = set()
    for name in MODEL:
        entity = MODEL[name]
        found |= {name, *entity.properties, *entity.navigations}
        found |= {segment for path in MODEL.routes.of(name) for segment in path.split("/")}
    return found - COMMON


MODEL = build_schema().model
# What OData or GraphQL have too: the key that every entity of Microsoft Graph has, and words.
COMMON = {"*", "id", "node", "Query", "Mutation", "arguments", "version", "description", "outcome"}


@pytest.mark.parametrize("package", ["odata", "plan", "graph", "answer"])
def test_the_engine_knows_no_resource(package: str) -> None:
    """No name that begins with a capital or has one inside stands anywhere, prose included; the
    others, which are words too, stand in no text of the code; and nothing says workflow."""
    names = _names_of_the_service()
    telling = {name for name in names if name.lower() != name}
    assert {"Run", "userProcessingResults", "processingStatus"} <= telling
    assert {"workflows", "runs", "subject"} <= names - telling
    for file in Path("gateway", package).rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        text = re.sub(r"asyncio\.Task|User-Agent|graph-lifecycle-api\.md|lifecycle\.csdl", "", text)
        assert telling & set(re.findall(r"[A-Za-z]\w*", text)) == set(), file
        assert re.findall(r"workflow", text, re.IGNORECASE) == [], file
        words = re.findall(r"[A-Za-z]\w*", " ".join(_literals(text)))
        assert (names - telling) & set(words) == set(), file


def _literals(text: str) -> list[str]:
    """The texts in a module, docstrings left out."""
    tree = ast.parse(text)
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose
    ]


def test_modules_stay_small() -> None:
    for folder in ("gateway", "tests", "benchmarks"):
        for file in Path(folder).rglob("*.py"):
            assert len(file.read_text(encoding="utf-8").splitlines()) <= 500, file
