"""Points in time: written as they came, compared as instants with all seven digits.

The service writes UTC with ``Z`` and up to seven fractional digits (graph-lifecycle-api.md,
section 7); callers may write whatever RFC 3339 allows.
"""

import re
from datetime import UTC, datetime, timedelta

_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d):(\d\d)(?:\.(\d+))?([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)
_DIGITS = 7


class Time(str):
    """A point in time that was given as an argument: UTC, up to seven fractional digits."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> "Time":
        """The time in UTC with ``Z``, its fractional digits as they were written.

        Raises:
            ValueError: it is no time of RFC 3339, or has more than seven fractional digits.
        """
        found = _TIME.fullmatch(text)
        if found is None:
            raise ValueError(
                "a DateTime is a time with an offset like 2026-01-31T00:00:00Z or "
                "2026-01-31T02:00:00+02:00 (RFC 3339)"
            )
        fraction = found[4] or ""
        if fraction[_DIGITS:].strip("0"):
            raise ValueError(f"a DateTime has at most {_DIGITS} fractional digits")
        fraction = fraction[:_DIGITS]
        try:
            seconds = _utc(found)
        except (ValueError, OverflowError):
            raise ValueError(f"there is no such time as {text[:40]}") from None
        return cls(f"{seconds}.{fraction}Z" if fraction else f"{seconds}Z")


def instant(text: str) -> str | None:
    """A time in a form that sorts: UTC with all seven digits; ``None`` if it is no time.

    >>> instant("2026-01-31T02:00:00.5+02:00")
    '2026-01-31T00:00:00.5000000Z'
    """
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    date, minutes, seconds, fraction, zone = found.groups()
    whole = f"{date}T{minutes}:{seconds}"
    if zone not in "Zz" or seconds == "60":
        try:
            whole = _utc(found)
        except (ValueError, OverflowError):
            return None
    return f"{whole}.{(fraction or '')[:_DIGITS].ljust(_DIGITS, '0')}Z"


def _utc(found: re.Match[str]) -> str:
    """The time in UTC, to the second; a leap second is the second after it."""
    date, minutes, seconds, _, zone = found.groups()
    leap = seconds == "60"
    time = datetime.fromisoformat(f"{date}T{minutes}:{'59' if leap else seconds}+00:00")
    if zone not in "Zz":
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:]))
        time += offset if zone[0] == "-" else -offset
    if leap:
        if (time.hour, time.minute) != (23, 59):
            raise ValueError
        time += timedelta(seconds=1)
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
