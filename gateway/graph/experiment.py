"""Controlled experiments: the only way in which this process learns to do without an option.

A refusal may be for what a caller gave (an id, a filter's value, a choice of properties). So an
option is given up only if a request that holds nothing of a caller is refused with it and not
without it. Ids in such a request are those of nobody, or ones that the service gave.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from gateway.graph.replies import Reply
from gateway.odata.address import NIL
from gateway.odata.query import GraphRequest, Options, id_equals
from gateway.odata.routes import Routes

_OWN: dict[str, dict[str, Any]] = {
    "$select": {"select": ("id",)},
    "$filter": {"filter": id_equals(NIL)},
    "$search": {"search": '"a"'},
    "$orderby": {"order": "id asc"},
    "$count": {"count": True},
}


@dataclass(frozen=True, slots=True)
class Trial:
    """Whether the service refuses ``capability``: a request with it, and one without it."""

    capability: str
    request: GraphRequest
    control: GraphRequest


def proves(reply: Reply, control: Reply) -> bool:
    """Whether a trial's replies prove a refusal: 400 with the option, not without.

    404 without it is as good as rows, because nothing is at the address of nobody. Anything else,
    as a 403 for one caller's token, proves nothing.
    """
    return reply.status == 400 and (control.error is None or control.status == 404)


def trials(
    path: str, options: Options, option: str, entity: str, routes: Routes
) -> Iterator[Trial]:
    """The trials of ``option`` after it was refused: alone, and beside the options it came with.

    Some options are refused only together; that is learned of the combination.

    Args:
        path: of the refused request; its ids are replaced.
        options: of the refused request.
        option: ``$select``, ``$expand`` or ``$count``.
        entity: name of the type read.
        routes: of the service.
    """
    path, kinds = routes.of_nobody(path), _beside(options, option)
    own = _own([option])
    if option == "$expand" and options.expand is not None:
        own = Options(expand=replace(options.expand, select=("id",)))
    names = needed(options, option, entity)
    yield Trial(names[0], own.get(path), own.without(option).get(path))
    if kinds:
        both = replace(_own(kinds), expand=own.expand) if own.expand else _own([option, *kinds])
        yield Trial(names[1], both.get(path), both.without(option).get(path))


def needed(options: Options, option: str, entity: str) -> tuple[str, ...]:
    """The capabilities that a request needs to use ``option``: alone, and beside the others."""
    capability, kinds = options.capability(option, entity), _beside(options, option)
    return (capability, f"{capability} with {','.join(kinds)}") if kinds else (capability,)


def _beside(options: Options, option: str) -> list[str]:
    """The kinds of options in a request beside ``option``."""
    used = {
        "$select": options.select is not None,
        "$filter": options.filter is not None,
        "$search": options.search is not None,
        "$orderby": options.order is not None,
        "$count": options.count,
    }
    return [kind for kind, there in used.items() if there and kind != option]


def _own(kinds: Iterable[str]) -> Options:
    """Options of the kinds, with values of the gateway's own."""
    return Options(**{name: value for kind in kinds for name, value in _OWN.get(kind, {}).items()})
