"""Dates as callers see them: the data's own, moved so that its clock shows another time.

The rows have the dates of 2026-06-30 and before. Every time that leaves the sandbox is moved by the
same number of seconds, and every one that comes in is moved back, in URLs and bodies alike, so that
ids, filters, links and sums stay as they are.
"""

import re
from datetime import UTC, datetime, timedelta

from gateway.sandbox.data.timestamps import TICKS_PER_SECOND, format_ticks, instant
from gateway.sandbox.data.world import NOW

_PICOSECONDS = 10**12
# In a URL the colons may be encoded. What has no offset is no DateTimeOffset.
_TIME = re.compile(
    rb"(\d{4})-(\d\d)-(\d\d)T(\d\d)(:|%3[Aa])(\d\d)(:|%3[Aa])(\d\d)"
    rb"(?=(?:\.\d{1,12})?(?:[Zz]|[+-]\d\d|%2[Bb]\d\d))"
)


class Dating:
    """The seconds by which dates are moved.

    Args:
        now: what the clock shows when the sandbox starts, as a DateTimeOffset; `real` for the
            time that it is, empty for the data's own.

    Raises:
        ValueError: it is none of these.
    """

    def __init__(self, now: str) -> None:
        self.seconds = 0
        if now == "real":
            now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        if now:
            here = instant(format_ticks(NOW - NOW % TICKS_PER_SECOND))
            self.seconds = (instant(now) - here) // _PICOSECONDS

    def outward(self, content: bytes) -> bytes:
        """Return what is answered, with the dates that callers see."""
        return _moved(content, self.seconds)

    def inward(self, content: bytes) -> bytes:
        """Return what was asked, with the dates of the data."""
        return _moved(content, -self.seconds)


def _moved(content: bytes, seconds: int) -> bytes:
    if not seconds:
        return content
    distance = timedelta(seconds=seconds)

    def move(found: re.Match[bytes]) -> bytes:
        year, month, day, hour, one, minute, other, second = found.groups()
        try:
            time = datetime(*map(int, (year, month, day, hour, minute, second))) + distance  # type: ignore[arg-type]
        except (ValueError, OverflowError):
            return found[0]
        date = f"{time.year:04}-{time.month:02}-{time.day:02}T{time.hour:02}".encode()
        return b"".join((date, one, b"%02d" % time.minute, other, b"%02d" % time.second))

    return _TIME.sub(move, content)
