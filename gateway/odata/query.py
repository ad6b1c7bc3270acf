"""Requests and query options: what is sent, percent-encoded, relative to the version root.

Encoding rules: graph-lifecycle-api.md, section 7, "Query options and URLs": an inner quote of a
string literal is doubled first, then the value is percent-encoded.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import orjson

_SAFE_IN_VALUE = "$(),;=:@*!~/"


@dataclass(frozen=True, slots=True)
class GraphRequest:
    """One logical request; equal requests are sent once per operation.

    ``url`` is relative to the version root and percent-encoded; ``body`` is JSON bytes. ``reads``
    tells of an action that changes nothing. ``waits`` are the seconds that the answer to a change
    may take because the service works on it meanwhile; such a one is sent once, whatever happens.
    """

    url: str
    method: str = "GET"
    body: bytes | None = None
    reads: bool = False
    waits: float = 0.0

    @property
    def changes(self) -> bool:
        """Whether it may change something, so that it must not be sent twice."""
        return self.method != "GET" and not self.reads


@dataclass(frozen=True, slots=True)
class Expand:
    """``$expand`` of one navigation property with its nested ``$select``."""

    name: str
    select: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name}($select={','.join(self.select)})"


@dataclass(frozen=True, slots=True)
class Options:
    """System query options of one GET (at most one expansion: section 7).

    ``select`` ``None`` means all properties.
    """

    select: tuple[str, ...] | None = None
    expand: Expand | None = None
    filter: str | None = None
    order: str | None = None
    search: str | None = None
    count: bool = False

    def query(self) -> str:
        """The query string, encoded, without the question mark."""
        parts = []
        if self.select is not None:
            parts.append("$select=" + ",".join(self.select))
        if self.expand is not None:
            parts.append("$expand=" + quote(str(self.expand), safe=_SAFE_IN_VALUE))
        if self.filter is not None:
            parts.append("$filter=" + quote(self.filter, safe=_SAFE_IN_VALUE))
        if self.order is not None:
            parts.append("$orderby=" + quote(self.order, safe=_SAFE_IN_VALUE))
        if self.search is not None:
            parts.append("$search=" + quote(self.search, safe=_SAFE_IN_VALUE))
        if self.count:
            parts.append("$count=true")
        return "&".join(parts)

    def get(self, path: str) -> GraphRequest:
        """``GET path`` with these options."""
        query = self.query()
        return GraphRequest(f"{path}?{query}" if query else path)

    def without(self, option: str) -> "Options":
        """The same options less one of ``$select``, ``$expand``, ``$count``."""
        return {
            "$select": replace(self, select=None),
            "$expand": replace(self, expand=None),
            "$count": replace(self, count=False),
        }[option]

    def capability(self, option: str, entity: str) -> str:
        """The name of what the service must be capable of for ``option`` on ``entity``."""
        if option == "$expand" and self.expand is not None:
            return f"$expand {entity}.{self.expand.name}"
        return f"{option} {entity}"

    @property
    def optional(self) -> tuple[str, ...]:
        """The options in use that an answer can do without, the most doubtful first."""
        return tuple(
            name
            for name, used in (
                ("$expand", self.expand is not None),
                ("$count", self.count),
                ("$select", self.select is not None),
            )
            if used
        )


def string_literal(value: str) -> str:
    """An Edm.String literal: quoted, inner quotes doubled."""
    return "'" + value.replace("'", "''") + "'"


def id_equals(value: str) -> str:
    """``$filter`` for one entity by its id."""
    return f"id eq {string_literal(value)}"


def id_in(values: list[str]) -> str:
    """``$filter`` for several entities by their ids."""
    return f"id in ({','.join(map(string_literal, values))})"


def by_ids(action: str, ids: list[str], kind: str) -> GraphRequest:
    """The bulk look-up by an action (graph-lifecycle-api.md, row 63); at most 1,000 ids.

    Args:
        action: its path.
        ids: of what is looked up.
        kind: its type, as the action names it.
    """
    return GraphRequest(action, "POST", orjson.dumps({"ids": ids, "types": [kind]}), reads=True)


def change(method: str, path: str, body: Mapping[str, Any] | None = None) -> GraphRequest:
    """A request that changes something; ``path`` is encoded, ``body`` is the JSON to send."""
    return GraphRequest(path, method, None if body is None else orjson.dumps(body))
