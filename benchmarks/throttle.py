"""A service that throttles, and callers beside each other: waste, goodput, and who waits for whom.

Service and gateway are processes of their own; callers have tokens of their own.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from benchmarks import processes
from benchmarks.measure import percentile
from benchmarks.report import Part
from benchmarks.shapes import body_of
from benchmarks.throttled import LATENCY, MANY, RATE, WORKFLOWS

OPERATIONS = 32
QUERY = body_of("{ workflows { nodes { id runs { nodes { id } } } } }")
SMALL = body_of("{ workflows(first: 1) { nodes { id } } }")
WASTE_LIMIT = 1.25
GOODPUT_LIMIT = 0.85
_HANGING = 32


async def measure(*, quick: bool = False) -> Part:
    """The whole part."""
    part = Part("Throttling and fairness")
    async with _gateway() as (gateway, service):
        await _throttled(part, gateway, service, operations=6 if quick else OPERATIONS)
        await _beside(part, gateway, turns=3 if quick else 15)
    return part


@asynccontextmanager
async def _gateway() -> AsyncIterator[tuple["Callers", str]]:
    """A gateway that passes tokens on, and the root of the service."""
    environment = {"GATEWAY_LOG_LEVEL": "error"}
    limits = httpx.Limits(max_connections=None)
    async with (
        processes.serving("-m", "benchmarks.throttled") as service,
        processes.serving(
            *("-m", "gateway", "serve", "--port", "0", "--upstream-url", service.url),
            environment=environment,
            path="/graphql",
        ) as running,
        httpx.AsyncClient(timeout=120, limits=limits) as client,
    ):
        yield Callers(client, running.url), service.url.removesuffix("/v1.0")


class Callers:
    """Ask the gateway."""

    def __init__(self, client: httpx.AsyncClient, url: str) -> None:
        self._client, self._url = client, url

    async def ask(self, token: str, body: bytes) -> bool:
        """Whether the answer is whole."""
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        response = await self._client.post(self._url, content=body, headers=headers)
        return "errors" not in response.json()

    async def seconds(self, token: str, body: bytes, turns: int) -> float:
        """The median time of an answer."""
        found: list[float] = []
        for _ in range(turns):
            begin = time.perf_counter()
            assert await self.ask(token, body)
            found.append(time.perf_counter() - begin)
        return percentile(found, 50)


async def _throttled(part: Part, gateway: Callers, service: str, *, operations: int) -> None:
    began = time.monotonic()
    token = "limited-caller"  # noqa: S105
    whole = await asyncio.gather(*(gateway.ask(token, QUERY) for _ in range(operations)))
    async with httpx.AsyncClient() as client:
        sent, allowed, last = (await client.get(f"{service}/counts")).json()[token]
    ideal = max((allowed - RATE) / RATE, 2 * LATENCY)
    table = part.table(
        f"{operations} operations of {1 + WORKFLOWS} requests at once, {RATE} a second are taken",
        "number",
        "measured",
    )
    table.add("requests sent, batch items counted", sent)
    table.add("sent for each that was allowed", sent / allowed)
    table.add("operations that failed", whole.count(False))
    table.add("seconds", last - began)
    table.add("ideal seconds", ideal)
    table.add("goodput over the ideal", ideal / (last - began))
    part.target("sent for each that was allowed", sent / allowed, WASTE_LIMIT)
    part.target("operations that failed", whole.count(False), 0)
    part.target("time over that of the ideal", (last - began) / ideal, 1 / GOODPUT_LIMIT)


async def _beside(part: Part, gateway: Callers, *, turns: int) -> None:
    alone = await gateway.seconds("small-caller", SMALL, turns)
    large = asyncio.create_task(gateway.ask("large-caller", QUERY))
    await asyncio.sleep(4 * LATENCY)
    large_beside = await gateway.seconds("small-caller", SMALL, 3)
    assert await large
    hanging = [asyncio.create_task(gateway.ask("hanging-caller", SMALL)) for _ in range(_HANGING)]
    await asyncio.sleep(4 * LATENCY)
    hanging_beside = await gateway.seconds("small-caller", SMALL, turns)
    for task in hanging:
        task.cancel()
    await asyncio.gather(*hanging, return_exceptions=True)
    table = part.table(
        f"A small query of one caller, {LATENCY * 1000:.0f} ms at the service",
        "beside",
        "ms",
        "ratio",
    )
    for name, seconds in (
        ("nothing", alone),
        (f"an operation of {2 + MANY // 20} HTTP requests of another caller", large_beside),
        (f"{_HANGING} reads of another caller that hang", hanging_beside),
    ):
        table.add(name, seconds * 1000, seconds / alone)
