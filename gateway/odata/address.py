"""Addresses: the path of an entity relative to the version root (``@odata.id``).

No result can be looked up by its id alone (graph-lifecycle-api.md, section 8), so every row
carries its path: children are requested below it and ``nodeId`` is derived from it. A path is
kept percent-encoded, one segment per key, and is never built from unchecked input.
"""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

NIL = "00000000-0000-0000-0000-000000000000"
"""The id of nobody, for requests that hold nothing of a caller."""
MAX_ID_LENGTH = 256

# What `quote` leaves as it is: asking first is ten times as fast for the keys that services give.
_UNRESERVED = re.compile(r"[A-Za-z0-9_.~-]+")

_KEY_IN_PARENTHESES = re.compile(r"\('([^'/]*)'\)")


@dataclass(frozen=True, slots=True)
class Address:
    """The address of one entity: its path, the name of its type, its (decoded) id.

    ``readable`` tells whether the entity is read by ``GET path``; otherwise it is read from its
    collection. ``selectable`` tells whether that takes ``$select`` (and a collection ``$filter``).
    """

    path: str
    entity: str
    id: str
    readable: bool = True
    selectable: bool = True

    @property
    def collection(self) -> str:
        """The path of the collection that holds the entity."""
        return self.path.rpartition("/")[0]


def key_segment(key: object) -> str:
    """A key that the service gave, as one percent-encoded path segment."""
    text = str(key)
    return text if _UNRESERVED.fullmatch(text) else quote(text, safe="")


def container_of(path: str, collection: str) -> str | None:
    """The address of the entity of ``collection`` that contains what is at ``path``.

    >>> container_of("as/1/bs/2/cs/3", "bs")
    'as/1/bs/2'
    """
    segments = path.split("/")
    try:
        place = segments.index(collection)
    except ValueError:
        return None
    return "/".join(segments[: place + 2]) if len(segments) > place + 2 else None


def same_path(url: str, path: str) -> bool:
    """Whether a URL relative to the root leads to ``path``, in whichever spelling of the keys.

    Services may write ``name('…')`` for ``name/…``, and letter case varies
    (graph-lifecycle-api.md, section 7).
    """
    return _spelled_out(url.partition("?")[0]) == _spelled_out(path)


def _spelled_out(path: str) -> list[str]:
    segments = _KEY_IN_PARENTHESES.sub(r"/\1", unquote(path)).split("/")
    return [segment.casefold() for segment in segments if segment]


def key_of(row: Any, key: str = "id") -> str | None:
    """The key of a row (a dict, or typed) as text, if the service gave one."""
    value = row.get(key)
    if type(value) is int:
        return str(value)
    return value if isinstance(value, str) and value else None
