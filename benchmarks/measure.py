"""Measuring contenders against each other on a machine that does other things too.

All contenders take turns within one run, so that what disturbs one disturbs all, and the best of
several turns counts. CPU time is used where nothing waits.
"""

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from statistics import median, quantiles
from typing import Any, TypeVar

import uvloop

Call = Callable[[], Awaitable[object]]

T = TypeVar("T")

_TURN = 0.05
_STACK_WORDS = 2**15 + 1


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run ``main`` on an event loop like the gateway's, with a stack in one piece.

    CPython before 3.13 keeps Python's frames in chunks of 16 KiB, and allocates and frees one at
    every call where a loop happens to run at the end of a chunk
    (https://github.com/python/cpython/issues/142183). Whether it does depends on the depth of the
    callers, so without this one and the same code costs up to three times as much by chance. A
    frame that asks for a big chunk leaves the rest of it to what it calls.
    """

    def inside() -> T:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(main)

    inside.__code__ = inside.__code__.replace(co_stacksize=_STACK_WORDS)
    return inside()


async def cpu_seconds(contenders: Mapping[str, Call], *, turns: int) -> dict[str, float]:
    """CPU seconds of one call of each contender: the best of ``turns``.

    Garbage is collected between turns and left to the interpreter within them; what was there
    before does not count, so that no contender pays for the others' memory. A turn repeats short
    calls until it takes long enough to be told from the clock.
    """
    clock = time.process_time
    times: dict[str, int] = {}
    best: dict[str, float] = {}
    for name, call in contenders.items():
        begin = clock()
        await call()
        times[name] = max(1, int(_TURN / max(clock() - begin, 1e-6)))
    gc.collect()
    gc.freeze()
    for _ in range(turns):
        for name, call in contenders.items():
            gc.collect()
            begin = clock()
            for _ in range(times[name]):
                await call()
            spent = (clock() - begin) / times[name]
            best[name] = min(best.get(name, spent), spent)
    gc.unfreeze()
    return best


def percentile(values: list[float], part: int) -> float:
    """The ``part``-th percentile."""
    if part == 50 or len(values) < 2:
        return median(values)
    return quantiles(values, n=100, method="inclusive")[part - 1]
