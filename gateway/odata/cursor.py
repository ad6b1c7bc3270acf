"""Cursors: a place in a server-paged collection that outlives the process.

A cursor holds the row that it stands for (the key and the sort values) and the rows told just
before it, so that the place is found again when rows have come or gone. The link of a page and the
offset within it are a shortcut to it. All is signed together with the edge it belongs to, so that
a cursor of another edge, of other arguments, or one that was tampered with is refused instead of
read.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from gateway.errors import BadUserInput

_MAC_BYTES = 12
_MAX_LENGTH = 16_384
# Of what goes into a cursor; so it stays shorter than what is read.
_MAX_LINK = 8_192
_MAX_SORT = 1_024
DIGEST_BYTES = 5
MAX_TOLD = 64

# Longer arguments, as filters may be, are signed by their digest, so that it is made once.
_LONG_ARGUMENTS = 256

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Position:
    """The place after a row.

    Attributes:
        link: the page's link relative to the version root; ``None`` is the first page.
        offset: rows up to this one on that page; 0 where the page begins after the row.
        index: rows told up to this one since the start of the collection.
        select: the properties that the link asks for; ``None`` is all of them.
        told: digests of the keys of the last rows told, this one at the end: at most `MAX_TOLD`,
            each of `DIGEST_BYTES`.
        sort: the row's values of what the collection is sorted by; ``None`` if it is not.
    """

    link: str | None
    offset: int
    index: int
    select: tuple[str, ...] | None = None
    told: bytes = b""
    sort: tuple[Scalar, ...] | None = None


START = Position(None, 0, 0)


class CursorCodec:
    """Writes and reads cursors, signed with ``secret``."""

    def __init__(self, secret: bytes) -> None:
        self._key = hashlib.sha256(b"lifecycle-gateway cursor\0" + secret).digest()

    def encode(self, edge: str, position: Position) -> str:
        """The cursor for ``position`` on ``edge`` (the edge's path and arguments)."""
        link, offset, sort = position.link, position.offset, orjson.dumps(position.sort)
        if link is not None and len(link) > _MAX_LINK:
            link, offset = None, position.index
        place = orjson.dumps(
            [
                link,
                offset,
                position.index,
                position.select,
                orjson.Fragment(sort if len(sort) <= _MAX_SORT else b"null"),
            ]
        )
        told = position.told[-MAX_TOLD * DIGEST_BYTES :]
        payload = bytes([len(told) // DIGEST_BYTES]) + told + place
        return base64.urlsafe_b64encode(self._mac(edge, payload) + payload).rstrip(b"=").decode()

    def decode(self, edge: str, cursor: str) -> Position:
        """The position behind a cursor of ``edge``.

        Raises:
            BadUserInput: not a cursor, tampered with, or made for another edge or arguments.
        """
        refused = foreign()
        payload = self._payload(edge, cursor)
        if payload is None:
            raise refused
        try:
            begin = 1 + payload[0] * DIGEST_BYTES
            link, offset, index, select, sort = orjson.loads(payload[begin:])
            position = Position(
                link,
                offset,
                index,
                None if select is None else tuple(select),
                payload[1:begin],
                None if sort is None else tuple(sort),
            )
        except (ValueError, TypeError, IndexError):
            raise refused from None
        if not _well_formed(position):
            raise refused
        return position

    def made_for(self, edge: str, cursor: str) -> bool:
        """Whether ``cursor`` was made for ``edge``; `decode` may refuse it all the same."""
        return self._payload(edge, cursor) is not None

    def _payload(self, edge: str, cursor: str) -> bytes | None:
        """The signed content of a cursor of ``edge``; ``None`` if it is none."""
        if not cursor or len(cursor) > _MAX_LENGTH:
            return None
        try:
            raw = cursor.encode("ascii")
            blob = base64.b64decode(raw + b"=" * (-len(raw) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, UnicodeError):
            return None
        mac, payload = blob[:_MAC_BYTES], blob[_MAC_BYTES:]
        return payload if hmac.compare_digest(mac, self._mac(edge, payload)) else None

    def _mac(self, edge: str, payload: bytes) -> bytes:
        message = edge.encode("utf-8", "surrogatepass") + b"\0" + payload
        return hmac.digest(self._key, message, "sha256")[:_MAC_BYTES]


class CountedCursors(CursorCodec):
    """Cursors as ``codec`` writes them; ``count`` is told the bytes of each, and may raise."""

    def __init__(self, codec: CursorCodec, count: Callable[[int], None]) -> None:
        self._key = codec._key
        self._count = count

    def encode(self, edge: str, position: Position) -> str:
        """See `CursorCodec.encode`."""
        cursor = super().encode(edge, position)
        self._count(len(cursor))
        return cursor


def signed_edge(name: str, arguments: Mapping[str, Any]) -> str:
    """The text that the cursors of an edge are signed with: its name or path, and its arguments."""
    text = str(arguments)
    if len(text) > _LONG_ARGUMENTS:
        text = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{name} {text}"


def foreign() -> BadUserInput:
    """The refusal of a cursor that is none of the edge that it is given to."""
    return BadUserInput(
        "this cursor was not made by this edge with these arguments", argument="after"
    )


def _well_formed(position: Position) -> bool:
    """Whether the parts have their types: without a secret, anyone can sign."""
    numbers = (position.offset, position.index)
    return (
        (position.link is None or isinstance(position.link, str))
        and all(type(number) is int and number >= 0 for number in numbers)
        and all(isinstance(name, str) for name in position.select or ())
        and len(position.told) <= MAX_TOLD * DIGEST_BYTES
        and not any(isinstance(value, (dict, list)) for value in position.sort or ())
    )
