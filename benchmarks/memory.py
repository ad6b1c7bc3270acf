"""Memory for many rows: how far the gateway's peak grows with the answer."""

import asyncio

import aiohttp

from benchmarks import processes
from benchmarks.report import Part, Table
from benchmarks.shapes import QUERY, Shape, body_of

SHAPES = {
    10_000: Shape(20, 10, 10, 5),
    50_000: Shape(20, 20, 25, 5),
    100_000: Shape(20, 20, 50, 5),
}
QUICK = {1_000: Shape(5, 4, 10, 5)}
LIMIT = 1.25


async def measure(*, quick: bool = False) -> Part:
    """The whole part."""
    part = Part("Memory")
    table = part.table(
        "One answer, in a process that has answered nothing big before",
        "task results",
        "answer, MiB",
        "before, MiB",
        "peak, MiB",
        "growth, MiB",
        "growth over answer",
        "growth per row, KiB",
    )
    shapes = QUICK if quick else SHAPES
    growths = {rows: await _growth(table, rows, shape) for rows, shape in shapes.items()}
    if not quick:
        small, *_, big = shapes
        part.target(
            f"growth per row at {big:,} rows over that at {small:,}",
            (growths[big] / big) / (growths[small] / small),
            LIMIT,
        )
    return part


async def _growth(table: Table, rows: int, shape: Shape) -> float:
    async with (
        processes.sandbox(shape) as sandbox,
        processes.gateway(sandbox.url) as gateway,
        aiohttp.ClientSession(headers={"Content-Type": "application/json"}) as session,
    ):

        async def ask(query: str) -> bytes:
            async with session.post(gateway.url, data=body_of(query)) as answer:
                return await answer.read()

        # The service's refusals are learned, and what is imported late is imported.
        await ask(QUERY.replace("workflows {", "workflows(first: 1) {"))
        await asyncio.sleep(0.1)
        before = gateway.memory("VmRSS")
        answer = await ask(QUERY)
        peak = gateway.memory("VmHWM")
    found = answer.count(b'"processingStatus"')
    assert found == rows, f"{found} of {rows} task results came: {answer[:500]!r}"
    size, growth = len(answer) / 2**20, max(peak - before, 0.0)
    table.add(f"{rows:,}", size, before, peak, growth, growth / size, growth * 1024 / rows)
    return growth
