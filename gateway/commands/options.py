"""Options that commands share, those of the settings among them, and how they are listed."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import typer
from typer.core import TyperCommand

from gateway.settings.listing import LISTED, SECTIONS, Listed

F = TypeVar("F", bound=Callable[..., None])

HostOption = Annotated[str, typer.Option(help="Address to listen on.")]
PortOption = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 picks one.")]

_OPTIONS = tuple(entry for entry in LISTED if not entry.is_secret)


def with_settings(command: F) -> F:
    """Give a command every setting but the secrets as an option.

    Args:
        command: takes them as keyword arguments, ``None`` where an option is not given.
    """
    signature = inspect.signature(command)
    own = [it for it in signature.parameters.values() if it.kind is not it.VAR_KEYWORD]
    options = [
        inspect.Parameter(
            entry.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[bool | None if entry.is_switch else str | None, _option(entry)],
        )
        for entry in _OPTIONS
    ]
    command.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[*own, *options]
    )
    return command


def _option(entry: Listed) -> Any:
    told = entry.default is None or "By default" in entry.description
    default = "" if told else f"  [default: {entry.default}]"
    flag = f"{entry.flag}/--no-{entry.flag[2:]}" if entry.is_switch else entry.flag
    return typer.Option(
        flag,
        help=entry.description + default,
        metavar=None if entry.is_switch else entry.takes,
        show_default=False,
    )


class Sectioned(TyperCommand):
    """A command whose help lists the settings by their sections, below its own options."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the lists of options."""
        sections: dict[str, list[tuple[str, str]]] = {"Options": []}
        sections |= {section: [] for section in SECTIONS}
        of = {entry.name: entry.section for entry in _OPTIONS}
        for param in self.get_params(ctx):
            if (record := param.get_help_record(ctx)) is not None:
                sections[of.get(param.name or "", "Options")].append(record)
        for section, records in sections.items():
            with formatter.section(section):
                formatter.write_dl(records)
