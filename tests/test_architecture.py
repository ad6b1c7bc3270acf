"""Imports follow the arrows of ARCHITECTURE.md."""

import ast
from pathlib import Path

import pytest

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


def test_modules_stay_small() -> None:
    for file in Path("gateway").rglob("*.py"):
        assert len(file.read_text(encoding="utf-8").splitlines()) <= 500, file
