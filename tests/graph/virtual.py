"""Time that passes when a test says so."""

import asyncio
import heapq
import itertools
from collections.abc import Callable


class Timer:
    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self.callback = None


class VirtualTime:
    """A clock and its timers, as `Turns` takes them."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._timers: list[tuple[float, int, Timer]] = []
        self._numbers = itertools.count()

    def clock(self) -> float:
        return self.now

    def later(self, delay: float, callback: Callable[[], None]) -> Timer:
        timer = Timer(callback)
        heapq.heappush(self._timers, (self.now + delay, next(self._numbers), timer))
        return timer

    async def sleep(self, delay: float) -> None:
        done = asyncio.Event()
        self.later(delay, done.set)
        await done.wait()

    async def settle(self) -> None:
        """Let everything happen that can happen now."""
        for _ in range(30):
            await asyncio.sleep(0)

    async def step(self) -> bool:
        """Go on to the next timer; false if there is none."""
        await self.settle()
        while self._timers and self._timers[0][2].callback is None:
            heapq.heappop(self._timers)
        if not self._timers:
            return False
        when, _, timer = heapq.heappop(self._timers)
        self.now = max(self.now, when)
        assert timer.callback is not None
        timer.callback()
        await self.settle()
        return True

    async def advance(self, seconds: float) -> None:
        """Let so much time pass."""
        end = self.now + seconds
        await self.settle()
        while any(when <= end and t.callback is not None for when, _, t in self._timers):
            await self.step()
        self.now = end
        await self.settle()
