"""What the README shows is what happens."""

import json
import re
from pathlib import Path

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


def test_every_setting_is_in_the_table() -> None:
    assert settings_table() in README
