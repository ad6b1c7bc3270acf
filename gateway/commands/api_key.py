"""Makes API keys."""

from typing import Annotated

import typer

from gateway.access.api_keys import new_key
from gateway.access.caller import Permission
from gateway.commands.telling import failure


def api_key(
    name: Annotated[str, typer.Argument(help="Whose key it is; logs show it.")],
    permission: Annotated[
        list[Permission], typer.Option(help="What it may do; repeat it for both.")
    ],
) -> None:
    """Print a new API key, and the entry of it for GATEWAY_API_KEYS."""
    try:
        key, entry = new_key(name, permission)
    except ValueError as error:
        raise failure(str(error)) from None
    typer.echo(
        f"The key, for the caller; it is shown only now:\n  {key}\n"
        f"Its entry for GATEWAY_API_KEYS, where commas separate several:\n  {entry}"
    )
