"""Imports follow the arrows of ARCHITECTURE.md."""

import ast
import re
import tokenize
from io import StringIO
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
