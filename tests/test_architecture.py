"""Imports follow the arrows of ARCHITECTURE.md."""

import ast
import re
from pathlib import Path

import pytest

from gateway.schema.build import build_schema

MAY_IMPORT = {
    "odata": {"odata"},
    "plan": {"plan", "odata"},
    "graph": {"graph", "plan", "odata"},
    "answer": {"answer", "plan", "odata"},
    "schema": {"schema", "answer", "graph", "plan", "odata"},
    "http": {"http", "schema", "graph", "odata"},
    "explorer": {"explorer"},
    "sandbox": {"sandbox"},
}


def imported(file: Path) -> set[str]:
    """The packages of the gateway that a module imports."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {name.split(".")[1] for name in names if name.startswith("gateway.")}


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_follow_the_arrows(package: str) -> None:
    files = list(Path("gateway", package).rglob("*.py"))
    assert files
    for file in files:
        assert imported(file) <= MAY_IMPORT[package], file


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
        assert not telling & set(re.findall(r"[A-Za-z]\w*", text)), file
        assert not re.search(r"workflow", text, re.IGNORECASE), file
        words = re.findall(r"[A-Za-z]\w*", " ".join(_literals(text)))
        assert not (names - telling) & set(words), file


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
    for file in Path("gateway").rglob("*.py"):
        assert len(file.read_text(encoding="utf-8").splitlines()) <= 500, file
