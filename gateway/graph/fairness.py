"""Who sends next: upstream slots go round among callers, then among a caller's operations.

A request waits here for two things at once: for a slot, and for the pace of its credential. One
that waits for its pace holds no slot, and nobody who has another credential waits behind it.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol, TypeVar

from gateway.errors import GraphError, Throttled, UpstreamTimeout
from gateway.graph.pacing import Pace

T = TypeVar("T")
_AT_LEAST = 0.001
_OF_THE_REST = 3


def may_hold_another(held: int, free: int) -> bool:
    """Whether one of many who share places may take another one of ``free``.

    They may hold three times what they leave free, so that whoever comes finds a place, and the
    last place goes only to one who holds none. (Dynamic thresholds: Choudhury and Hahne, 1998.)
    """
    return free > 0 and (held == 0 or (free > 1 and held < _OF_THE_REST * free))


class Cancellable(Protocol):
    """A timer, such as `asyncio.TimerHandle`."""

    def cancel(self) -> None:
        """Let nothing happen when its time has come."""


Later = Callable[[float, Callable[[], None]], Cancellable]


class TooLate(Exception):
    """There is no turn before the last moment to begin.

    ``after`` is the seconds until the credential is throttled no longer; ``None`` if it is not.
    """

    def __init__(self, after: float | None) -> None:
        super().__init__()
        self.after = after

    def error(self, *, changes: bool) -> GraphError:
        """The error of a request that was not sent."""
        if self.after is not None:
            message = "not sent: the service throttles, and the deadline is before it stops to"
            return Throttled(message, retryAfter=str(math.ceil(self.after)))
        if changes:
            return UpstreamTimeout("not sent: too little time is left to answer a change in")
        return UpstreamTimeout("not sent: there is no time left")


@dataclass(slots=True, eq=False)
class Turn:
    """Leave to send now: ``requests`` of those that were asked for, in ``round`` of the pace."""

    caller: str
    pace: Pace
    requests: int
    round: int


@dataclass(slots=True, eq=False)
class _Waiter:
    caller: str
    operation: int
    pace: Pace
    requests: int
    latest: float
    turn: "asyncio.Future[Turn]"


Operations = dict[int, deque[_Waiter]]


class Turns:
    """Deals out the slots of one process.

    An operation's requests go in their order. Callers, and the operations of each, take turns.
    Where several callers share a pace, its requests go round among them in the same way.

    Args:
        slots: HTTP requests under way at once.
        clock: seconds; `time.monotonic`.
        later: calls a function after some seconds; by default the event loop's ``call_later``.
    """

    def __init__(
        self,
        slots: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        later: Later | None = None,
    ) -> None:
        self._free = slots
        self._clock = clock
        self._later = later
        self._held: dict[str, int] = {}
        self._waiting: dict[str, Operations] = {}
        self._alarm: Cancellable | None = None
        self._alarm_at = math.inf

    async def enter(
        self, caller: str, operation: int, pace: Pace, requests: int, latest: float
    ) -> Turn:
        """Wait for a turn, which `leave` ends.

        Args:
            caller: whose share it is; of the one without a name there is no other, so that it
                may use all slots.
            operation: of this caller.
            pace: of the credential.
            requests: how many are to be sent; fewer may go at once.
            latest: the last moment to begin, by the clock.

        Raises:
            TooLate: it can't be before ``latest``; told as soon as that is known.
        """
        alone = not self._waiting and not pace.limited
        if alone and self._may(caller) and self._clock() < latest:
            return self._give(caller, pace, requests)
        turn: asyncio.Future[Turn] = asyncio.get_running_loop().create_future()
        waiter = _Waiter(caller, operation, pace, requests, latest, turn)
        self._waiting.setdefault(caller, {}).setdefault(operation, deque()).append(waiter)
        self._deal()
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.leave(turn.result())
            else:
                self._forget(waiter)
                self._deal()
            raise

    async def spread(
        self, works: Sequence[Callable[[], Awaitable[T]]], enter: Callable[[], Awaitable[Turn]]
    ) -> list[T]:
        """The results of ``works``, done one after another in the slot that is held already.

        Others do some of them meanwhile, in slots of their own that ``enter`` waits for.
        """
        left, results = deque(enumerate(works)), dict[int, T]()
        waiting: set[asyncio.Task[None]] = set()

        async def work() -> None:
            while left:
                number, do = left.popleft()
                results[number] = await do()

        async def helping() -> None:
            with suppress(TooLate):
                turn = await enter()
                waiting.discard(asyncio.current_task())
                try:
                    await work()
                finally:
                    self.leave(turn)

        async with asyncio.TaskGroup() as group:
            waiting.update(group.create_task(helping()) for _ in works[1:])
            await work()
            for helper in waiting:
                helper.cancel()
        return [results[number] for number in range(len(works))]

    def leave(self, turn: Turn) -> None:
        """Give the slot of a turn back."""
        self._free += 1
        held = self._held[turn.caller] - 1
        if held:
            self._held[turn.caller] = held
        else:
            del self._held[turn.caller]
        if self._waiting:
            self._deal()

    def close(self) -> None:
        """Stop waiting for anything."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _deal(self) -> None:
        now = self._clock()
        while True:
            waiter, wake = self._next(now)
            if waiter is None:
                break
            requests = waiter.pace.portion(waiter.requests)
            waiter.pace.sent(requests, now)
            self._forget(waiter, to_the_end=True)
            waiter.turn.set_result(self._give(waiter.caller, waiter.pace, requests))
        self._wake_at(wake, now)

    def _may(self, caller: str) -> bool:
        if not caller:
            return self._free > 0
        return may_hold_another(self._held.get(caller, 0), self._free)

    def _give(self, caller: str, pace: Pace, requests: int) -> Turn:
        self._free -= 1
        self._held[caller] = self._held.get(caller, 0) + 1
        return Turn(caller, pace, requests, pace.round)

    def _next(self, now: float) -> tuple[_Waiter | None, float]:
        """Whose turn it is, if anybody's; and when to look again if nothing happens before."""
        wake = math.inf
        # Who waits for the pace keeps their place before others of the same pace.
        blocked: set[int] = set()
        for caller, operations in list(self._waiting.items()):
            may = self._may(caller)
            for operation in list(operations.values()):
                waiter = self._first(operation, now)
                if waiter is None:
                    continue
                wake = min(wake, waiter.latest)
                if not may or id(waiter.pace) in blocked:
                    continue
                opens = waiter.pace.opens(waiter.requests, now)
                if opens <= now:
                    return waiter, wake
                blocked.add(id(waiter.pace))
                wake = min(wake, opens)
        return None, wake

    def _first(self, operation: deque[_Waiter], now: float) -> _Waiter | None:
        """The first of an operation that can still have its turn; the others are told."""
        while operation:
            waiter = operation[0]
            if not waiter.turn.done():
                if now < waiter.latest and waiter.pace.until <= waiter.latest:
                    return waiter
                opens = waiter.pace.opens(waiter.requests, now)
                after = max(0.0, opens - now) if waiter.pace.limited else None
                waiter.turn.set_exception(TooLate(after))
            self._forget(waiter)
        return None

    def _forget(self, waiter: _Waiter, *, to_the_end: bool = False) -> None:
        """Take one out of the queues; ``to_the_end`` sends those who stay behind the others."""
        operations = self._waiting.get(waiter.caller, {})
        queue = operations.get(waiter.operation)
        if queue is None or waiter not in queue:
            return
        queue.remove(waiter)
        if not queue or to_the_end:
            del operations[waiter.operation]
        if queue and to_the_end:
            operations[waiter.operation] = queue
        if not operations or to_the_end:
            del self._waiting[waiter.caller]
        if operations and to_the_end:
            self._waiting[waiter.caller] = operations

    def _wake_at(self, when: float, now: float) -> None:
        if self._alarm is not None:
            if self._alarm_at == when:
                return
            self._alarm.cancel()
        self._alarm, self._alarm_at = None, when
        if when < math.inf:
            later = self._later or asyncio.get_running_loop().call_later
            self._alarm = later(max(_AT_LEAST, when - now), self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self._deal()
