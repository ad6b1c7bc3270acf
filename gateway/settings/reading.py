"""Reads the settings, and tells what is wrong with them by the names that they were given by."""

import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from gateway.settings.listing import LISTED
from gateway.settings.model import Settings
from gateway.settings.sources import PREFIX, SettingsError, variable


def read_settings(options: Mapping[str, Any] | None = None) -> Settings:
    """The settings of the environment and the `.env` file, with options on top.

    Args:
        options: values by the names of settings; ``None`` for what was not given.

    Raises:
        SettingsError: a name is no setting, or a value breaks a rule.
    """
    given = {name: value for name, value in (options or {}).items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        flags = {entry.variable: entry.flag for entry in LISTED if entry.name in given}
        raise SettingsError(_line(problem, flags) for problem in error.errors()) from None


def _line(problem: ErrorDetails, flags: Mapping[str, str]) -> str:
    """One broken rule; settings that were given as flags have these beside their names."""
    rule = problem["msg"].removeprefix("Value error, ").removeprefix("Input ")
    line = ": ".join([*(variable(str(name)) for name in problem["loc"][:1]), rule])
    return re.sub(
        rf"{PREFIX}[A-Z_]+",
        lambda name: f"{name[0]} ({flags[name[0]]})" if name[0] in flags else name[0],
        line,
    )
