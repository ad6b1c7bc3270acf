"""End to end over sockets: the gateway, and scripts that do without it, against the sandbox.

Sandbox, gateway and scripts are processes of their own. All contenders take turns.
"""

from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from benchmarks import processes
from benchmarks.measure import percentile
from benchmarks.processes import Running, Sandbox, Worker
from benchmarks.report import Part
from benchmarks.shapes import Shape, task_results

SHAPE = Shape()
QUICK = Shape(2, 2, 2, 3)
LATENCY_LIMIT = 1.15
CPU_LIMIT = 2.0
CONCURRENCY = 16

GATEWAY = "this gateway"
PLANNED = "the same plan by hand, httpx over aiohttp"
NAMES = {
    GATEWAY: "gateway",
    "plain httpx, nested": "nested",
    "plain httpx, asyncio.gather": "gathered",
    PLANNED: "planned",
    "the same plan by hand, aiohttp": "bare",
}


@dataclass(slots=True)
class Contender:
    """A worker, the process that is measured, and what was measured of it."""

    worker: Worker
    process: Running
    requests: list[dict[str, Any]] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)


async def measure(*, quick: bool = False) -> Part:
    """The whole part."""
    part = Part("End to end")
    if quick:
        await _against(part, QUICK, 5, turns=1)
    else:
        for latency in (0, 50):
            await _against(part, SHAPE, latency, turns=5)
    return part


async def _against(part: Part, shape: Shape, latency: int, *, turns: int) -> None:
    async with AsyncExitStack() as stack:
        sandbox = await stack.enter_async_context(processes.sandbox(shape, latency_ms=latency))
        gateway = await stack.enter_async_context(processes.gateway(sandbox.url))
        contenders: dict[str, Contender] = {}
        for title, name in NAMES.items():
            url = gateway.url if title == GATEWAY else sandbox.url
            worker = await stack.enter_async_context(processes.worker(name, url))
            process = gateway if title == GATEWAY else worker.running
            contenders[title] = Contender(worker, process)
        await _same_data(contenders, sandbox, shape)
        for turn in range(turns):
            for contender in contenders.values():
                await _turn(contender, latency, first=turn == 0, quick=turns == 1)
        _report(part, contenders, shape, latency)


async def _same_data(contenders: dict[str, Contender], sandbox: Sandbox, shape: Shape) -> None:
    """Warm up, and assert that all give the same and that the plans are the same."""
    answers = []
    for contender in contenders.values():
        await contender.worker.answer()
        await sandbox.forget()
        answers.append(await contender.worker.answer())
        contender.requests = await sandbox.requests()
    assert task_results(answers[0]) == shape.rows
    for title, answer in zip(contenders, answers, strict=True):
        assert answer == answers[0], f"{title} answers something else"
    gateway, planned = contenders[GATEWAY].requests, contenders[PLANNED].requests
    assert urls_of(gateway) == urls_of(planned), "the scripts send another plan"


async def _turn(contender: Contender, latency: int, *, first: bool, quick: bool) -> None:
    """One after the other, then at once; what takes very long is done in the first turn only."""
    slow = len(contender.requests) > 20
    if slow and not first:
        return
    count = 2 if quick else 5 if slow else 20 if latency else 40
    before = contender.process.cpu_seconds
    *latencies, _ = await contender.worker.run(count)
    contender.latencies += latencies
    contender.cpu.append((contender.process.cpu_seconds - before) / count)
    count = 2 if quick else CONCURRENCY if slow else 5 * CONCURRENCY
    *_, total = await contender.worker.run(count, min(count, CONCURRENCY))
    contender.rates.append(count / total)


def _report(part: Part, contenders: dict[str, Contender], shape: Shape, latency: int) -> None:
    table = part.table(
        f"{shape} = {shape.rows} task results, {latency} ms upstream latency",
        "contender",
        "HTTP requests",
        "p50, ms",
        "p95, ms",
        f"requests/s, {CONCURRENCY} at once",
        "CPU per request, ms",
        "CPU over by hand",
        "peak memory, MiB",
    )
    by_hand = max(min(contenders[PLANNED].cpu), 1e-9)
    for title, contender in contenders.items():
        table.add(
            title,
            len(contender.requests),
            percentile(contender.latencies, 50) * 1000,
            percentile(contender.latencies, 95) * 1000,
            max(contender.rates),
            min(contender.cpu) * 1000,
            min(contender.cpu) / by_hand,
            contender.process.memory("VmHWM"),
        )
    gateway = contenders[GATEWAY]
    if latency:
        part.target(
            f"p50 over {shape.layers} layers x {latency} ms",
            percentile(gateway.latencies, 50) * 1000 / (shape.layers * latency),
            LATENCY_LIMIT,
        )
    else:
        part.target(
            "CPU per request over the same plan by hand", min(gateway.cpu) / by_hand, CPU_LIMIT
        )


def urls_of(requests: list[dict[str, Any]]) -> list[str]:
    """The logical requests of a log, and the number of HTTP requests they took."""
    urls = [
        item.get("url") or item["path"].removeprefix("/v1.0")
        for request in requests
        for item in request["items"] or [request]
    ]
    return [f"{len(requests)} HTTP requests", *sorted(urls)]
