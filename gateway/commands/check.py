"""Tells whether `serve` would start, without starting it."""

from typing import Any

import typer

from gateway.checks import findings
from gateway.commands.options import HostOption, with_settings
from gateway.commands.telling import settings_or_end


@with_settings
def check(host: HostOption = "127.0.0.1", **given: Any) -> None:
    """Check settings and files as `serve` does; nothing is sent.

    Ends with 0 if `serve` would start with the same options, and with 2 if it would not.
    """
    wrong = False
    for finding in findings(settings_or_end(given), host):
        wrong = wrong or finding.is_wrong
        sign = "wrong" if finding.is_wrong else "fine "
        typer.echo(f"{sign}  {finding.subject}: {finding.told}", err=finding.is_wrong)
    if wrong:
        raise typer.Exit(2)
