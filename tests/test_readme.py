"""What the README shows is what happens."""

import json
import re
from pathlib import Path

from gateway.schema.build import build_schema
from gateway.settings import Settings
from tests.conftest import Start

README = Path("README.md").read_text(encoding="utf-8")


def block(name: str) -> str:
    found = re.search(rf"<!-- {name} -->\n```\w+\n(.*?)\n```", README, re.DOTALL)
    assert found, name
    return found.group(1)


def settings_table() -> str:
    rows = []
    for name, field in Settings.model_fields.items():
        default = "–" if field.default is None else f"`{field.default}`"
        rows.append(f"| `GATEWAY_{name.upper()}` | {default} | {field.description} |")
    return "\n".join(rows)


async def test_the_example_gives_the_answer_that_is_shown(start: Start) -> None:
    gateway = await start(moving=True)
    assert await gateway.query(block("example query")) == json.loads(block("example answer"))


async def test_the_example_mutation_starts_a_run(start: Start) -> None:
    gateway = await start(moving=True)
    data = await gateway.data(block("example mutation"))
    [run] = data["activateWorkflow"]["workflow"]["runs"]["nodes"]
    assert run["processingStatus"] == "IN_PROGRESS"


def test_every_method_of_the_pages_is_there() -> None:
    tables = re.findall(r"<!-- methods -->\n((?:\|.*\n)+)", README)
    rows = [row.split("|")[1:3] for table in tables for row in table.splitlines()[2:]]
    assert len(rows) == 12 + 13
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
    assert settings_table() in README
