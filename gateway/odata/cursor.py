"""Cursors: a place in a server-paged collection that outlives the process.

A cursor holds the link of a page and the offset within it, signed together with the edge it
belongs to, so that one of another edge, of other arguments, or one that was tampered with is
refused instead of read.
"""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass

import orjson

from gateway.odata.errors import BadUserInput

_MAC_BYTES = 12
_MAX_LENGTH = 16_384


@dataclass(frozen=True, slots=True)
class Position:
    """The row after a cursor.

    Attributes:
        link: the page's link relative to the version root; ``None`` is the first page.
        offset: rows to pass over on that page.
        index: rows before this one since the start of the collection.
        select: the properties that the link asks for; ``None`` is all of them.
    """

    link: str | None
    offset: int
    index: int
    select: tuple[str, ...] | None = None


START = Position(None, 0, 0)


class CursorCodec:
    """Writes and reads cursors, signed with ``secret``."""

    def __init__(self, secret: bytes) -> None:
        self._key = hashlib.sha256(b"lifecycle-gateway cursor\0" + secret).digest()

    def encode(self, edge: str, position: Position) -> str:
        """The cursor for ``position`` on ``edge`` (the edge's path and arguments)."""
        payload = orjson.dumps([position.link, position.offset, position.index, position.select])
        return base64.urlsafe_b64encode(self._mac(edge, payload) + payload).rstrip(b"=").decode()

    def decode(self, edge: str, cursor: str) -> Position:
        """The position behind a cursor of ``edge``.

        Raises:
            BadUserInput: not a cursor, tampered with, or made for another edge or arguments.
        """
        refused = BadUserInput(
            "this cursor was not made by this edge with these arguments", argument="after"
        )
        if not cursor or len(cursor) > _MAX_LENGTH:
            raise refused
        try:
            raw = cursor.encode("ascii")
            blob = base64.b64decode(raw + b"=" * (-len(raw) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, UnicodeError):
            raise refused from None
        mac, payload = blob[:_MAC_BYTES], blob[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(edge, payload)):
            raise refused
        try:
            link, offset, index, select = orjson.loads(payload)
            position = Position(link, offset, index, None if select is None else tuple(select))
        except (ValueError, TypeError):
            raise refused from None
        if not _well_formed(position):
            raise refused
        return position

    def _mac(self, edge: str, payload: bytes) -> bytes:
        message = edge.encode("utf-8", "surrogatepass") + b"\0" + payload
        return hmac.digest(self._key, message, "sha256")[:_MAC_BYTES]


def _well_formed(position: Position) -> bool:
    """Whether the parts have their types: without a secret, anyone can sign."""
    numbers = (position.offset, position.index)
    return (
        (position.link is None or isinstance(position.link, str))
        and all(type(number) is int and number >= 0 for number in numbers)
        and all(isinstance(name, str) for name in position.select or ())
    )
