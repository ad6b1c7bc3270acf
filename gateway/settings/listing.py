"""The settings as a list: what options, tables and messages are made of."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gateway.settings.model import SECRETS, Settings
from gateway.settings.sources import variable
from gateway.settings.values import members

_WORDS = {int: "<int>", float: "<float>"}


@dataclass(frozen=True, slots=True)
class Listed:
    """One setting.

    Attributes:
        name: of the field of `Settings`.
        section: what it belongs to.
        description: in a sentence or several.
        default: the value, ``None`` where there is none.
        annotation: the type of its field.
    """

    name: str
    section: str
    description: str
    default: Any
    annotation: Any

    @property
    def variable(self) -> str:
        """The environment variable."""
        return variable(self.name)

    @property
    def is_secret(self) -> bool:
        """Whether it is no option, because a command line is no place for it."""
        return self.name in SECRETS

    @property
    def flag(self) -> str:
        """The option, without what it takes."""
        return f"--{self.name.replace('_', '-')}"

    @property
    def is_switch(self) -> bool:
        """Whether the option takes no value."""
        return bool in members(self.annotation)

    @property
    def takes(self) -> str:
        """A word for the value, or the values that there are."""
        types = [kind for kind in members(self.annotation) if kind is not type(None)]
        choices = [value for value in types if isinstance(value, str)]
        return f"[{'|'.join(choices)}]" if choices else _WORDS.get(types[0], "<str>")


def _listed() -> Iterator[Listed]:
    for name, field in Settings.model_fields.items():
        extra = field.json_schema_extra
        assert isinstance(extra, dict)  # noqa: S101 - as `setting` makes it
        yield Listed(
            name, str(extra["section"]), field.description or "", field.default, field.annotation
        )


LISTED = tuple(_listed())
SECTIONS = tuple(dict.fromkeys(entry.section for entry in LISTED))
