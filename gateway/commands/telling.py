"""Ends commands that can't do what they should."""

from collections.abc import Mapping
from typing import Any

import typer

from gateway.settings import Settings, SettingsError, read_settings


def failure(message: str) -> typer.Exit:
    """The end of a command with exit code 2, after telling why."""
    typer.echo(message, err=True)
    return typer.Exit(2)


def settings_or_end(options: Mapping[str, Any] | None = None) -> Settings:
    """The settings of the environment with the given options on top.

    Raises:
        typer.Exit: they can't be used; a line for each that is wrong was told.
    """
    try:
        return read_settings(options)
    except SettingsError as error:
        lines = "\n  ".join(error.lines)
        raise failure(f"These settings are not valid:\n  {lines}") from None
