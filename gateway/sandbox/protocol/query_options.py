"""The query options of a request, checked against what its endpoint documents.

Sources: graph-lifecycle-api.md sections 2 (options per type) and 7 (Paging, Query options).
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote_plus

import orjson

from gateway.sandbox.data.model import EntityType, Property, Row, words
from gateway.sandbox.errors import bad_request
from gateway.sandbox.protocol.filters import Filter, comparable, compile_filter
from gateway.sandbox.settings import SandboxSettings
from gateway.sandbox.writes.declarations import Endpoint, Navigation

_KNOWN = frozenset(words("count expand filter format orderby search select skip skiptoken top"))
_EXPAND_ITEM = re.compile(r"(\w+)\s*(?:\((.*)\))?", re.S)
_SAFE = "$,()'/:@!;*=-._~"
MAX_IDS = 15
"""Values of one `in` on users."""


@dataclass(frozen=True)
class Expansion:
    """One expanded relationship and what is selected of it."""

    navigation: Navigation
    select: tuple[str, ...] | None = None
    silent: bool = False


@dataclass(frozen=True)
class Query:
    """The checked query options of one request."""

    options: Mapping[str, str]
    select: tuple[str, ...] | None = None
    expand: Expansion | None = None
    filter: Filter | None = None
    order: tuple[tuple[Property, bool], ...] = ()
    search: str | None = None
    count: bool = False
    start: int = 0

    def next_link(self, url: str, path: str, start: int) -> str:
        """Return the absolute link to the page that begins at `start`.

        `url` is the absolute URL without query, `path` the part after the version root.
        """
        options = {**self.options, "$skiptoken": _make_token(path, self.options, start)}
        pairs = (f"{quote(k, safe='$')}={quote(v, safe=_SAFE)}" for k, v in options.items())
        return f"{url}?{'&'.join(pairs)}"

    def sort(self, rows: list[Row]) -> list[Row]:
        """Return the rows in the order that was asked for."""
        for member, descending in reversed(self.order):

            def key(row: Row, member: Property = member) -> tuple[bool, Any]:
                value = comparable(member, row.get(member.name))
                return value is not None, value

            rows = sorted(rows, key=key, reverse=descending)
        return rows


def split_query(text: str) -> dict[str, str]:
    """Return the decoded options of a query string; a repeated one is a 400."""
    options: dict[str, str] = {}
    for part in filter(None, text.split("&")):
        name, _, value = part.partition("=")
        name = unquote_plus(name)
        if name in options:
            raise bad_request(f"Query option '{name}' was specified more than once.")
        options[name] = unquote_plus(value)
    return options


def parse_query(
    text: str, endpoint: Endpoint, path: str, settings: SandboxSettings, beta: bool = False
) -> Query:
    """Return the query options in `text`, the query string of a request to `endpoint`.

    `path` is what a $skiptoken is bound to. On `beta` the `$` of an option may be left out.
    Raises a 400 GraphError that names what is not supported.
    """
    options = split_query(text)
    known: dict[str, str] = {}
    for name, value in options.items():
        plain = name.removeprefix("$").lower()
        if name.startswith("$") or (beta and plain in _KNOWN):
            if plain not in endpoint.options and not (plain == "skiptoken" and endpoint.paged):
                raise bad_request(f"The query option '${plain}' is not supported here.")
            if plain in known:
                raise bad_request(f"Query option '${plain}' was specified more than once.")
            known[plain] = value
    selectable = settings.select if endpoint.lifecycle else "accept"
    token = known.get("skiptoken")
    bound = {name: value for name, value in options.items() if name != "$skiptoken"}
    entity = endpoint.entity
    filterable = entity if settings.subject_filter == "accept" else entity.without_subject_filter
    select = _select(known.get("select"), entity, selectable)
    expand = known.get("expand")
    filter_ = known.get("filter")
    return Query(
        options=bound,
        select=select,
        expand=None if expand is None else _expand(expand, endpoint, settings, selectable),
        filter=None
        if filter_ is None
        else compile_filter(filter_, filterable, None if endpoint.lifecycle else MAX_IDS),
        order=_orderby(known["orderby"], entity) if "orderby" in known else (),
        search=_search(known["search"]) if "search" in known else None,
        count=_count(known.get("count", "false")),
        start=0 if token is None else _read_token(token, path, bound),
    )


def _select(text: str | None, entity: EntityType, support: str) -> tuple[str, ...] | None:
    if text is None:
        return None
    if support == "refuse":
        raise bad_request("The query option '$select' is not supported.")
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in entity.properties:
            raise bad_request(
                f"Could not find a property named '{name}' on type '{entity.name}' in $select."
            )
    return None if support == "ignore" else names


def _expand(text: str, endpoint: Endpoint, settings: SandboxSettings, selectable: str) -> Expansion:
    depth = 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            raise bad_request("Only one relationship can be expanded per request in $expand.")
    match = _EXPAND_ITEM.fullmatch(text.strip())
    navigation = endpoint.expand.get(match[1]) if match else None
    if match is None or navigation is None:
        raise bad_request(f"'{text}' can't be expanded here: $expand does not support it.")
    support = settings.task_results_expand
    if navigation.undocumented and support == "refuse":
        raise bad_request(f"The query option '$expand' does not support '{navigation.name}'.")
    select = None
    if match[2] is not None:
        name, _, value = match[2].partition("=")
        if name.strip() != "$select":
            raise bad_request(f"The query option '{name}' is not supported inside $expand.")
        select = _select(value, navigation.entity, selectable)
    return Expansion(navigation, select, silent=navigation.undocumented and support == "ignore")


def _orderby(text: str, entity: EntityType) -> tuple[tuple[Property, bool], ...]:
    order = []
    for item in text.split(","):
        name, _, direction = item.strip().partition(" ")
        direction = direction.strip() or "asc"
        member = entity.properties.get(name)
        if member is None:
            raise bad_request(
                f"Could not find a property named '{name}' on type '{entity.name}' in $orderby."
            )
        if not member.orderby or direction not in {"asc", "desc"}:
            raise bad_request(f"'{item.strip()}' is not supported in $orderby.")
        order.append((member, direction == "desc"))
    return tuple(order)


def _search(text: str) -> str:
    match = re.fullmatch(r'\s*"([^"]+)"\s*', text)
    if not match:
        raise bad_request("The value of $search must be one term in double quotes.")
    return match[1].casefold()


def _count(text: str) -> bool:
    if text not in {"true", "false"}:
        raise bad_request("The value of $count must be true or false.")
    return text == "true"


def _make_token(path: str, options: Mapping[str, str], start: int) -> str:
    content = orjson.dumps([start, _digest(path, options)])
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _read_token(token: str, path: str, options: Mapping[str, str]) -> int:
    try:
        start, digest = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (ValueError, TypeError, binascii.Error) as error:
        raise bad_request("The value of $skiptoken is not valid.") from error
    if digest != _digest(path, options) or not isinstance(start, int) or start < 0:
        raise bad_request("The value of $skiptoken does not belong to this request.")
    return start


def _digest(path: str, options: Mapping[str, str]) -> str:
    text = orjson.dumps([path, sorted(options.items())])
    return hashlib.sha256(text).hexdigest()[:16]
