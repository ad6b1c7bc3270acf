"""The period that a summary function is asked about.

Source: graph-lifecycle-api.md section 7, Query options and URLs (functions).
"""

import re
from dataclasses import dataclass

from gateway.sandbox.data.timestamps import instant
from gateway.sandbox.errors import bad_request

_NAMES = frozenset({"startDateTime", "endDateTime"})
# A tolerance: the Python SDK leaves the comma between the two out (questions.md, 49).
_MISSING_COMMA = re.compile(r"(?<=[^,])(?<!^)(?=(?:start|end)DateTime=)")


@dataclass(frozen=True)
class Period:
    """A span of time with both its ends, as compared by `timestamps.instant`."""

    start: int
    end: int

    def holds(self, text: str | None) -> bool:
        """Say whether a timestamp lies in the period; none does not."""
        return text is not None and self.start <= instant(text) <= self.end


def parse_period(text: str) -> Period:
    """Return the period that the parameters of a function in a path name.

    Raises a 400 GraphError unless both parameters are there once, and in order.
    """
    values: dict[str, int] = {}
    for part in _MISSING_COMMA.sub(",", text).split(","):
        name, _, value = part.partition("=")
        if name not in _NAMES or name in values:
            raise bad_request(f"'{part}' is not a parameter that the function takes once.")
        try:
            values[name] = instant(value)
        except ValueError as error:
            raise bad_request(f"The parameter '{name}' is not valid: {error}.") from error
    missing = sorted(_NAMES - values.keys())
    if missing:
        raise bad_request(f"The function needs the parameter '{missing[0]}'.")
    period = Period(values["startDateTime"], values["endDateTime"])
    if period.start >= period.end:
        raise bad_request("The parameter 'startDateTime' must be before 'endDateTime'.")
    return period
