"""What the README shows is what happens."""

import json
import re
from pathlib import Path

import pytest
from graphql import GraphQLObjectType

from gateway.schema.build import build_schema
from gateway.settings.listing import LISTED, SECTIONS
from tests.conftest import Start

README = Path("README.md").read_text(encoding="utf-8")
MUTATIONS = Path("docs/mutations.md").read_text(encoding="utf-8")


def block(name: str) -> str:
    found = re.search(rf"<!-- {name} -->\n```\w+\n(.*?)\n```", README, re.DOTALL)
    assert found, name
    return found.group(1)


def settings_table() -> str:
    """The sections of docs/settings.md, as they follow from the list of the settings."""
    parts = []
    for section in SECTIONS:
        parts.append(
            f"## {section}\n\n| setting | option | default | meaning |\n|---|---|---|---|\n"
        )
        for entry in LISTED:
            if entry.section == section:
                option = f"or `{entry.variable}_FILE`" if entry.is_secret else f"`{entry.flag}`"
                default = "–" if entry.default is None else f"`{entry.default}`"
                cells = (f"`{entry.variable}`", option, default, entry.description)
                parts.append(f"| {' | '.join(cells)} |\n")
        parts.append("\n")
    return "".join(parts).rstrip("\n") + "\n"


async def test_the_example_gives_the_answer_that_is_shown(start: Start) -> None:
    gateway = await start(moving=True)
    assert await gateway.query(block("example query")) == json.loads(block("example answer"))


async def test_the_example_mutation_starts_a_run(start: Start) -> None:
    gateway = await start(moving=True)
    data = await gateway.data(block("example mutation"))
    [run] = data["activateWorkflow"]["workflow"]["runs"]["nodes"]
    assert run["processingStatus"] == "IN_PROGRESS"


def test_every_method_of_the_pages_is_there() -> None:
    tables = re.findall(r"<!-- methods -->\n((?:\|.*\n)+)", MUTATIONS)
    rows = [row.split("|")[1:3] for table in tables for row in table.splitlines()[2:]]
    assert len(rows) == 12 + 15 + 5
    whole, without = (build_schema(draft_methods=drafts).core for drafts in (True, False))
    for method, fields in rows:
        names = re.findall(r"`(\w+)\.(\w+)`", fields)
        assert names, method
        for type_, field in names:
            assert field in whole.type_map[type_].fields, method
            draft = field not in without.type_map[type_].fields
            assert draft == (
                method.strip().startswith("*")
                or f"*of a deleted workflow `{type_}.{field}`*" in fields
            )


def test_every_setting_is_in_the_table() -> None:
    text = Path("docs/settings.md").read_text(encoding="utf-8")
    assert text.endswith(settings_table())


@pytest.mark.parametrize("path", ["README.md", *map(str, sorted(Path("docs").glob("*.md")))])
def test_every_variable_that_is_named_is_one(path: str) -> None:
    known = {entry.variable for entry in LISTED} | {"GATEWAY_BUILD_EXPLORER"}
    known |= {f"{entry.variable}_FILE" for entry in LISTED if entry.is_secret}
    text = Path(path).read_text(encoding="utf-8")
    assert set(re.findall(r"\bGATEWAY_[A-Z_]+\b(?!…)", text)) <= known


def test_what_the_coverage_names_is_there() -> None:
    """Every field exists; every root field and mutation but the draft's is named."""
    text = Path("docs/coverage.md").read_text(encoding="utf-8")
    core = build_schema().core
    named = set(re.findall(r"`(\w+)\.(\w+)`", text))
    for type_name, field in named:
        type_ = core.type_map[type_name]
        assert isinstance(type_, GraphQLObjectType)
        assert field in type_.fields, f"{type_name}.{field}"
    assert core.query_type is not None
    assert core.mutation_type is not None
    own = {"node", "nodes", "insights"}
    for root in (core.query_type, core.mutation_type):
        for name, field in root.fields.items():
            draft = (field.description or "").startswith("Beta draft")
            assert draft or name in own or (root.name, name) in named, name
    for line in text.splitlines():
        cells = line.split("|")
        if len(cells) == 4 and cells[2].strip() not in ("here", "---"):
            assert re.match(r" (`\w+\.\w+`|– )", cells[2]) or set(line) <= set("|-"), line
