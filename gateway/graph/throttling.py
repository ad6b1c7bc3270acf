"""Retries: Retry-After, back-off, and which failures are worth another attempt.

Rules: graph-lifecycle-api.md, section 7, Throttling; questions.md, points 20 to 22.
"""

import time
from email.utils import parsedate_to_datetime

from tenacity import AsyncRetrying, RetryCallState
from tenacity.retry import retry_if_exception_type
from tenacity.stop import stop_after_attempt, stop_any, stop_before_delay
from tenacity.wait import wait_random_exponential

RETRIABLE_STATUS = frozenset({429, 500, 502, 503, 504})
MAX_RETRY_AFTER = 120.0


class AskAgain(Exception):
    """Some requests of an attempt are worth another one, ``after`` that many seconds if given."""

    def __init__(self, after: float | None = None) -> None:
        super().__init__()
        self.after = after


def retriable(status: int, after: float | None, changes: bool) -> bool:
    """Whether an answer is worth another attempt.

    Args:
        status: its HTTP status.
        after: the seconds of its Retry-After, if it has one.
        changes: whether the request changes something; then only where the service says that it
            did nothing (questions.md, point 22).
    """
    if changes:
        return status == 429 or (status == 503 and after is not None)
    return status in RETRIABLE_STATUS


def retry_after(value: str | None) -> float | None:
    """The seconds that a Retry-After header asks for.

    Decimal seconds or an HTTP date; capped at two minutes; ``None`` if absent or unreadable.
    """
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time.time()
        except (ValueError, OverflowError):
            return None
    if seconds != seconds:  # NaN
        return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER)


back_off = wait_random_exponential(multiplier=0.2, max=10)


def _wait(state: RetryCallState) -> float:
    failure = state.outcome.exception() if state.outcome else None
    if isinstance(failure, AskAgain) and failure.after is not None:
        return failure.after
    return back_off(state)


def attempts(*, most: int, seconds: float) -> AsyncRetrying:
    """The retry loop of one upstream exchange.

    Args:
        most: attempts in all.
        seconds: time left; no attempt is waited for that would start later.

    Raises:
        tenacity.RetryError: the last attempt raised `AskAgain` too.
    """
    return AsyncRetrying(
        retry=retry_if_exception_type(AskAgain),
        wait=_wait,
        stop=stop_any(stop_after_attempt(most), stop_before_delay(max(seconds, 0.0))),
    )
