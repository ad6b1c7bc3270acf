"""The command line: serve · check · sandbox · schema · api-key · explain."""

import gc
import logging
from typing import Annotated, Any

import typer

from gateway import __version__
from gateway.app import create_app
from gateway.commands.api_key import api_key
from gateway.commands.check import check
from gateway.commands.explain import explain
from gateway.commands.options import Sectioned
from gateway.commands.sandbox import sandbox
from gateway.commands.schema import schema
from gateway.commands.serve import serve
from gateway.errors import DeclarationError
from gateway.settings import read_settings

cli = typer.Typer(
    name="lifecycle-gateway",
    help="One GraphQL endpoint over the Microsoft Graph lifecycle workflows results.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"lifecycle-gateway {__version__}")
        raise typer.Exit


@cli.callback()
def _options(
    _: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """One GraphQL endpoint over the Microsoft Graph lifecycle workflows results."""


cli.command(cls=Sectioned)(serve)
cli.command(cls=Sectioned)(check)
cli.command()(sandbox)
cli.command()(schema)
cli.command()(api_key)
cli.command()(explain)


def main() -> None:
    """Entry point of the console script."""
    try:
        cli()
    except DeclarationError as error:
        typer.echo(f"The declarations of the schema contradict each other: {error}", err=True)
        raise SystemExit(2) from None


def application() -> Any:
    """The gateway for a server that imports it; settings come from the environment.

    Raises:
        ValueError: as for `create_app`.
    """
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s")
    app = create_app(read_settings())
    # Answers are large, short-lived and have no cycles: looking for cycles in them, and in all that
    # was made before, would take up to half of the time of a large one.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 20)
    return app
