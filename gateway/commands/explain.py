"""Prints the program of an operation."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from graphql import GraphQLError

from gateway.commands.telling import failure, settings_or_end
from gateway.explaining import program_of, told

SizeOption = Annotated[int | None, typer.Option(min=1, help="How many there are.")]


def explain(
    file: Annotated[str, typer.Argument(help="File with an operation; - for standard input.")],
    operation: Annotated[str | None, typer.Option(help="Name of the operation.")] = None,
    variables: Annotated[str, typer.Option(help="Variables, as a JSON object.")] = "{}",
    beta: Annotated[
        bool | None, typer.Option(help="Plan for a beta root. By default as the upstream is.")
    ] = None,
    workflows: SizeOption = None,
    runs: SizeOption = None,
    users: SizeOption = None,
    tasks: SizeOption = None,
) -> None:
    """Print the plan of an operation without running it.

    The settings are those of `serve`. With --workflows, --runs (of each), --users (of each run) or
    --tasks (of each user) it tells what it would cost there, each item of a $batch counted; of all
    else there are as many as the query asks for.
    """
    settings = settings_or_end()
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise failure(f"{file}: {error.strerror}") from None
    if beta is None:
        beta = (settings.upstream_url or settings.sandbox_url or "").endswith("/beta")
    sizes = (workflows, runs, users, tasks)
    try:
        program = program_of(text, operation, variables, settings, beta=beta)
    except GraphQLError as error:
        raise failure(str(error)) from None
    typer.echo(told(program, settings, sizes if any(sizes) else None))
