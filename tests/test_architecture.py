"""Imports follow the arrows of ARCHITECTURE.md."""

import ast
import re
import tokenize
from io import StringIO
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
    "answer": {"answer", "plan", "odata", "errors"},
    "schema": {"schema", "answer", "graph", "access", "plan", "odata", "errors"},
    "http": {"http", "schema", "graph", "access", "errors"},
    "explorer": {"explorer"},
    "sandbox": {"sandbox"},
    "settings": {"settings", "http", "graph", "answer", "access"},
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


def test_the_planner_knows_no_resource() -> None:
    names = set(build_schema().model) - {"Query"}
    names |= {"workflow", "workflows", "run", "runs", "tasks", "user", "users"}
    for file in Path("gateway/plan").glob("*.py"):
        tokens = tokenize.generate_tokens(StringIO(file.read_text(encoding="utf-8")).readline)
        code = [t.string for t in tokens if t.type == tokenize.NAME]
        texts = [
            node.value
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
            if "\n" not in node.value and not node.value.endswith(".")
        ]
        words = {word for text in texts for word in re.findall(r"\w+", text)}
        assert not names & {*code, *words}, file


def test_modules_stay_small() -> None:
    for file in Path("gateway").rglob("*.py"):
        assert len(file.read_text(encoding="utf-8").splitlines()) <= 500, file
