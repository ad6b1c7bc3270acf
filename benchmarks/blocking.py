"""How long one big answer keeps the event loop from anything else."""

import asyncio
import gc
import time
from collections.abc import Callable, Coroutine
from typing import Any

from benchmarks.execution import SHAPES, recorded
from benchmarks.measure import percentile
from benchmarks.report import Part
from benchmarks.shapes import QUERY, body_of

_SMALL = body_of("{ __typename }")
_SLACK = 1.1


async def measure(*, quick: bool = False) -> Part:
    """The whole part."""
    part = Part("Event loop")
    rows = 100 if quick else 10_000
    turns = 1 if quick else 7
    steps: list[float] = []
    waits: list[float] = []
    alone: list[float] = []
    async with recorded(SHAPES[rows], QUERY) as ready:
        for _ in range(50):
            begin = time.perf_counter()
            await ready.gateway.answer(_SMALL)
            alone.append(time.perf_counter() - begin)
        for _ in range(turns):
            gc.collect()
            big = asyncio.create_task(ready.gateway.answer(body_of(QUERY)))
            longest = asyncio.create_task(_longest_step(big))
            waited = asyncio.create_task(_longest_answer(ready.gateway.answer, big))
            steps.append(await longest)
            waits.append(await waited)
    table = part.table(
        f"One answer of {rows:,} task results in a process that also answers small requests",
        "number",
        "ms",
    )
    table.add("event loop blocked, longest step", min(steps) * 1000)
    table.add("another request, longest wait", min(waits) * 1000)
    table.add("another request, with nothing beside it, p50", percentile(alone, 50) * 1000)
    # The other request has work of its own before and after the step.
    part.target(
        "another request's longest wait over the longest step and its own time",
        min(waits) / (min(steps) + max(alone)),
        _SLACK,
    )
    return part


async def _longest_step(big: "asyncio.Task[bytes]") -> float:
    """The longest time between two turns of the event loop until ``big`` is done."""
    longest, before = 0.0, time.perf_counter()
    while not big.done():
        await asyncio.sleep(0)
        now = time.perf_counter()
        longest, before = max(longest, now - before), now
    return longest


async def _longest_answer(
    answer: Callable[[bytes], Coroutine[Any, Any, bytes]], big: "asyncio.Task[bytes]"
) -> float:
    """The longest that a small request took, from its arrival, while ``big`` was under way."""
    longest = 0.0
    while not big.done():
        begin = time.perf_counter()
        await asyncio.create_task(answer(_SMALL))
        longest = max(longest, time.perf_counter() - begin)
    return longest
