"""Where the CPU time of an operation goes: samples of the innermost frame, by what it is for.

Nothing crosses a socket: the upstream's answers are played back.
"""

import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from types import FrameType

from benchmarks.execution import recorded
from benchmarks.report import Part
from benchmarks.shapes import NAMES, QUERY, Shape, body_of

_EVERY = 0.0005
GROUPS = (
    ("/benchmarks/", "the upstream that is played back"),
    ("/gateway/http/", "transport rules, identity, limits, log"),
    ("/starlette/", "transport rules, identity, limits, log"),
    ("/gateway/schema/", "finding the program"),
    ("/gateway/plan/layout", "decoding rows"),
    ("/gateway/plan/rows", "decoding rows"),
    ("/gateway/plan/", "steps: requests, rows stitched and dealt out"),
    ("/gateway/odata/", "steps: requests, rows stitched and dealt out"),
    ("/gateway/graph/client", "sending: turns, batches, retries, deadline"),
    ("/gateway/graph/batch", "sending: turns, batches, retries, deadline"),
    ("/gateway/graph/replies", "sending: turns, batches, retries, deadline"),
    ("/gateway/graph/fairness", "sending: turns, batches, retries, deadline"),
    ("/gateway/graph/transport", "sending: turns, batches, retries, deadline"),
    ("/httpx/", "sending: turns, batches, retries, deadline"),
    ("/aiodataloader/", "sending: turns, batches, retries, deadline"),
    ("/gateway/graph/", "running the steps"),
    ("/gateway/answer/", "the response: bounds, values checked, objects made"),
    ("<projection", "the response: bounds, values checked, objects made"),
    ("/graphql/", "graphql-core: the root fields"),
    ("/strawberry/", "graphql-core: the root fields"),
    ("/asyncio/", "tasks, and waiting for a response that a thread makes"),
)


async def measure(part: Part, *, quick: bool) -> None:
    """A column for each of two queries."""
    shape = Shape(2, 2, 2, 3) if quick else Shape(20, 10, 10, 5)
    found = {
        "names": await _sampled(Shape(), NAMES, 20 if quick else 4000),
        str(shape): await _sampled(shape, QUERY, 5 if quick else 40),
    }
    table = part.table(
        "Where the CPU time of an operation goes in process, by samples",
        "what for",
        "names, µs per operation",
        f"{shape}, µs per row",
    )
    rows = {name: shape.rows if name != "names" else 1 for name in found}
    every = sorted({group for times in found.values() for group in times})
    for group in every:
        cells = [times.get(group, 0.0) * 1e6 / rows[name] for name, times in found.items()]
        table.add(group, *cells)


async def _sampled(shape: Shape, query: str, count: int) -> dict[str, float]:
    """Seconds of an operation, by group."""
    body = body_of(query)
    async with recorded(shape, query) as ready:
        await ready.gateway.answer(body)
        samples, seconds = await _while(lambda: ready.gateway.answer(body), count)
    total = max(1, samples.total())
    return {group: seconds * hits / total / count for group, hits in samples.items()}


async def _while(call: Callable[[], Awaitable[object]], count: int) -> tuple[Counter[str], float]:
    samples: Counter[str] = Counter()

    def sample(_number: int, frame: FrameType | None) -> None:
        while frame is not None:
            name = frame.f_code.co_filename
            group = next((group for mark, group in GROUPS if mark in name), None)
            if group is not None:
                samples[group] += 1
                return
            frame = frame.f_back
        samples["everything else"] += 1

    before = signal.signal(signal.SIGPROF, sample)
    signal.setitimer(signal.ITIMER_PROF, _EVERY, _EVERY)
    began = time.process_time()
    try:
        for _ in range(count):
            await call()
    finally:
        seconds = time.process_time() - began
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
    return samples, seconds
