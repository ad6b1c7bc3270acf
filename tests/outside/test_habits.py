"""The files that a team works by are sound, and agree with each other."""

import ast
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

import gateway

PROJECT = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))


def parsed(path: str) -> Any:
    """The content of a YAML file."""
    return yaml.safe_load(Path(path).read_text(encoding="utf-8"))


def commands(workflow: Any) -> list[str]:
    """The commands of all steps of a workflow."""
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    return [step["run"] for step in steps if "run" in step]


def test_every_push_runs_what_has_to_pass_on_the_oldest_and_a_newer_python() -> None:
    workflow = parsed(".github/workflows/ci.yml")
    assert commands(workflow) == [".ci/run"]
    versions = workflow["jobs"]["test"]["strategy"]["matrix"]["python"]
    assert PROJECT["project"]["requires-python"] == f">={versions[0]}"
    assert len(versions) > 1


def test_a_tag_builds_wheel_sdist_container_and_sbom() -> None:
    workflow = parsed(".github/workflows/release.yml")
    # YAML reads the key `on` as true.
    assert workflow[True]["push"]["tags"] == ["v*"]
    text = "\n".join(commands(workflow))
    for part in (".ci/run", "-m build", "docker build", "cyclonedx-py"):
        assert part in text


def test_hooks_run_what_ci_runs() -> None:
    [repository] = parsed(".pre-commit-config.yaml")["repos"]
    entries = [hook["entry"].split()[:2] for hook in repository["hooks"]]
    run = Path(".ci/run").read_text(encoding="utf-8")
    assert entries == [["ruff", "format"], ["ruff", "check"], ["mypy"]]
    assert all(f".venv/bin/{' '.join(entry)}" in run for entry in entries)


def test_the_changelog_has_the_version() -> None:
    text = Path("CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## \[(.+?)\]", text, re.MULTILINE)
    assert versions[:2] == ["Unreleased", gateway.__version__]


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "SECURITY.md"])
def test_paths_that_a_document_names_are_there(name: str) -> None:
    text = Path(name).read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#:]+)\)", text)
    targets += re.findall(r"`((?:gateway|tests|docs|benchmarks)/[\w/.]+\.\w+)`", text)
    assert targets
    made_up = {"gateway/schema/resources/audit_event.py"}
    assert [target for target in targets if not Path(target).exists()] == [
        target for target in targets if target in made_up
    ]


def test_docstrings_begin_with_what_a_thing_is() -> None:
    for folder in ("gateway", "benchmarks"):
        for file in Path(folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(
                    node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
                ):
                    assert not (ast.get_docstring(node) or "").startswith("What "), (file, node)
