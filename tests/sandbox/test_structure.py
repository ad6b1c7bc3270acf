"""The packages of the sandbox build on each other in one direction, and stand alone."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path("gateway/sandbox")
BELOW = {
    "": {"protocol", "settings", "errors"},
    "protocol": {"protocol", "writes", "data", "settings", "errors"},
    "writes": {"writes", "data", "settings", "errors"},
    "data": {"data", "settings", "errors"},
}


def imports(file: Path) -> set[str]:
    """The modules of the gateway that a module imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, file
            below = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if module(name) else node.module for name in below}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name for name in found if name.startswith("gateway")}


def module(name: str) -> Path | None:
    """The file of a module; ``None`` if there is none."""
    path = Path(name.replace(".", "/"))
    return next((f for f in (path.with_suffix(".py"), path / "__init__.py") if f.exists()), None)


FILES = sorted(ROOT.rglob("*.py"))


def test_no_module_leads_back_to_itself() -> None:
    graph = {
        file: {found for name in imports(file) if (found := module(name)) is not None}
        for file in FILES
    }
    list(TopologicalSorter(graph).static_order())


@pytest.mark.parametrize("package", BELOW)
def test_the_packages_build_on_each_other_in_one_direction(package: str) -> None:
    files = list((ROOT / package).glob("*.py"))
    assert files
    for file in files:
        for name in imports(file):
            assert name.startswith("gateway.sandbox."), file
            assert name.split(".")[2] in BELOW[package], file


@pytest.mark.parametrize("file", FILES, ids=str)
def test_docstrings_begin_with_what_the_thing_is_or_does(file: Path) -> None:
    """Those of constants too, which Python keeps nowhere."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        value = node.value if isinstance(node, ast.Expr) else None
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            assert value.value.split()[0] not in {"What", "How", "Whether", "Why", "Where"}, (
                f"{file}:{node.lineno}"
            )


def run(script: str) -> str:
    """The output of a script in a process of its own."""
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout


LOADED = "import sys; print(sorted({'gateway.sandbox.protocol', 'odata_query'} & {*sys.modules}))"


def test_it_is_loaded_only_where_it_is_used() -> None:
    script = (
        "from gateway.app import create_app; from gateway.settings import Settings;"
        "create_app(Settings(upstream_url='http://127.0.0.1:9/v1.0', credentials='passthrough'));"
        "import sys; print([name for name in sys.modules if name.startswith('gateway.sandbox')])"
    )
    assert run(script).splitlines()[-1] == "[]"


def test_the_command_line_loads_no_more_of_it_than_its_options() -> None:
    assert run(f"import gateway.cli; {LOADED}").splitlines()[-1] == "[]"


def test_the_embedded_one_is_loaded() -> None:
    script = "from gateway.app import create_app; create_app()"
    assert (
        run(f"{script}; {LOADED}").splitlines()[-1] == "['gateway.sandbox.protocol', 'odata_query']"
    )
