"""Timestamps in 100 ns ticks since year 1, written as the service writes them.

ISO 8601 UTC with up to seven fractional digits, trailing zeros dropped:
graph-lifecycle-api.md section 7, Query options and URLs.
"""

import re
from datetime import date
from functools import lru_cache

_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.\d+)?S)?)?")

TICKS_PER_SECOND = 10_000_000
TICKS_PER_DAY = 86_400 * TICKS_PER_SECOND
_PICOSECONDS = 10**12
PICOSECONDS_PER_TICK = _PICOSECONDS // TICKS_PER_SECOND

_TIMESTAMP = re.compile(
    r"(\d{4}-\d\d-\d\d)T([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.(\d{1,12}))?)?(Z|[+-]\d\d:\d\d)",
    re.I,
)


def ticks_of(day: date, seconds: int = 0) -> int:
    """Return the ticks at midnight of `day` plus `seconds`."""
    return (day.toordinal() - 1) * TICKS_PER_DAY + seconds * TICKS_PER_SECOND


def format_ticks(ticks: int) -> str:
    """Return ticks as text: seven digits at most, trailing zeros dropped."""
    days, rest = divmod(ticks, TICKS_PER_DAY)
    seconds, fraction = divmod(rest, TICKS_PER_SECOND)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    text = f"{date.fromordinal(days + 1).isoformat()}T{hour:02}:{minute:02}:{second:02}"
    return f"{text}.{fraction:07}".rstrip("0") + "Z" if fraction else text + "Z"


@lru_cache(maxsize=4096)
def instant(text: str) -> int:
    """Return a DateTimeOffset as integer picoseconds, without losing any of its digits.

    Raises ValueError for anything else than a full date and time with an offset.
    """
    match = _TIMESTAMP.fullmatch(text)
    if not match:
        raise ValueError(f"'{text}' is not a DateTimeOffset")
    day, hour, minute, second, fraction, offset = match.groups()
    seconds = date.fromisoformat(day).toordinal() * 86_400
    seconds += int(hour) * 3600 + int(minute) * 60 + int(second or 0)
    if offset not in "Zz":
        distance = int(offset[1:3]) * 3600 + int(offset[4:]) * 60
        seconds += distance if offset[0] == "-" else -distance
    return seconds * _PICOSECONDS + int((fraction or "").ljust(12, "0"))


def seconds_of(duration: str) -> int | None:
    """Return the whole seconds of an ISO 8601 duration, or None if it is none."""
    match = _DURATION.fullmatch(duration)
    if match is None or not any(match.groups()):
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
