"""On whose behalf requests are sent, and what an operation has cost."""

import sys
import time
from dataclasses import dataclass, field

from gateway.access.credentials import Renewal
from gateway.errors import BudgetExceeded
from gateway.graph.pacing import Pace
from gateway.graph.record import Record
from gateway.graph.stages import Stages

# What one operation may send again: this many requests, and half of what it sent besides.
_FREE_REPEATS = 20


@dataclass(slots=True)
class Usage:
    """The cost of one operation so far: HTTP requests, and logical requests within them.

    What is sent again counts again; ``repeated`` is how many of ``requests`` that were.
    ``received`` are the bytes of the answers. ``sending`` of the HTTP requests are under way now,
    and ``waiting`` wait for their turn. ``cursor_bytes`` are those of the cursors that were made.
    ``view_rows`` are those of lists that are in the answer once more, filtered or sorted.
    ``deadline`` is when it ends, in seconds of ``time.monotonic()``; it begins with what is sent
    first. ``pace`` is that of the operation's credential, and ``renewal`` its other token.
    ``stages`` tell where the time went, and ``record``, if it is kept, what each step did.
    """

    http_requests: int = 0
    requests: int = 0
    received: int = 0
    repeated: int = 0
    cursor_bytes: int = 0
    view_rows: int = 0
    sending: int = 0
    waiting: int = 0
    deadline: float | None = None
    pace: Pace | None = field(default=None, repr=False)
    renewal: Renewal | None = field(default=None, repr=False)
    stages: Stages = field(default_factory=Stages)
    record: Record | None = None

    @property
    def throttled(self) -> bool:
        """Whether the operation does nothing but wait until its credential may ask again."""
        limited = self.pace is not None and self.pace.limited
        return limited and self.waiting > 0 and self.sending == 0


@dataclass(frozen=True, slots=True)
class Session:
    """On whose behalf, and until when, requests are sent.

    ``deadline`` is in seconds of ``time.monotonic()``; ``budget`` is the number of logical
    requests that the operation may send, repeated ones included, and ``most_bytes`` what it may
    read of their answers. ``caller`` is the account whose share of the slots is used, and
    ``credential`` what the service throttles: a name or a hash, never a token.
    ``renewal`` gets another token where this one is refused; the caller's own can't be had anew.
    ``own`` says that the token is the caller's, or was got on their behalf, so that they may know
    what it carries.
    """

    token: str = field(repr=False)
    deadline: float
    usage: Usage = field(default_factory=Usage)
    budget: int | None = None
    most_bytes: int | None = None
    caller: str = ""
    credential: str = ""
    renewal: Renewal | None = None
    own: bool = False

    @property
    def remaining(self) -> float:
        """Seconds until the deadline; never negative."""
        return max(0.0, self.deadline - time.monotonic())

    def repeat(self, wanted: int) -> int:
        """The number of ``wanted`` requests that may be sent again after a failure; it counts them.

        An operation repeats at most 20 requests and half of those that it needed, so that a
        service that is out of order is not sent a multiple of what it fails to answer.
        """
        usage = self.usage
        needed = usage.requests - usage.repeated
        granted = min(wanted, self.left, _FREE_REPEATS + needed // 2 - usage.repeated)
        granted = max(0, granted)
        usage.repeated += granted
        usage.requests += granted
        return granted

    def received(self, size: int) -> None:
        """Count bytes of an answer.

        Raises:
            BudgetExceeded: the operation may not read so many, or has read too many already.
        """
        self.usage.received += size
        if self.most_bytes is not None and self.usage.received > self.most_bytes:
            setting = "GATEWAY_MAX_UPSTREAM_BYTES"
            raise BudgetExceeded(
                f"this operation reads more than {self.most_bytes} bytes from the service "
                f"(setting {setting}); ask for fewer rows or less of each",
                budget=self.most_bytes,
                setting=setting,
            )

    @property
    def left(self) -> int:
        """Logical requests that may still be sent."""
        return sys.maxsize if self.budget is None else max(0, self.budget - self.usage.requests)
