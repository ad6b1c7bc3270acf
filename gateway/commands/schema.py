"""Prints the schema, or compares it."""

import difflib
from pathlib import Path
from typing import Annotated

import typer

from gateway.commands.telling import failure
from gateway.schema.build import build_schema
from gateway.schema.cache_keys import cache_keys


def schema(
    check: Annotated[
        Path | None, typer.Option(help="Compare with this file; fail with a diff.")
    ] = None,
    keys: Annotated[
        bool,
        typer.Option("--cache-keys", help="Print the keys of client caches instead, as a module."),
    ] = False,
) -> None:
    """Print the schema in the GraphQL definition language."""
    built = build_schema()
    sdl = cache_keys(built.core) if keys else built.sdl
    if check is None:
        typer.echo(sdl, nl=False)
        return
    try:
        saved = check.read_text(encoding="utf-8")
    except OSError as error:
        raise failure(f"{check}: {error.strerror}") from None
    diff = difflib.unified_diff(
        saved.splitlines(keepends=True), sdl.splitlines(keepends=True), str(check), "schema"
    )
    if text := "".join(diff):
        typer.echo(text, nl=False)
        raise typer.Exit(1)
