"""How many operations come out whole where a tenth of all upstream requests fails by chance.

Faulty upstream and gateway are processes of their own, over sockets. What an operation is to answer
is taken from the same upstream without faults.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from benchmarks import processes
from benchmarks.faulty import IN_BATCH, KINDS
from benchmarks.report import Part, Table

RATE = 0.1
ATTEMPTS = 4
WHOLE = 0.98
COST = 1.35
CONCURRENCY = 8
QUERIES = (
    "{ workflows(first: 1) { nodes { id displayName } } }",
    "{ workflows { totalCount nodes { displayName runs(first: 3) { totalCount nodes { id } } } } }",
    """{ workflows { nodes { id runs { nodes { id userProcessingResults { nodes { id
      subject { id displayName } taskProcessingResults { id processingStatus } } } } } } } }""",
    """{ taskProcessingResults(first: 20) { nodes { id createdDateTime
      subject { displayName } task { displayName } workflow { displayName } } } }""",
    """{ workflows { nodes { tasks { displayName }
      versions(first: 2) { nodes { versionNumber } } } } }""",
)
"""A single request, connections with further pages, all layers, across workflows, and edges of
several kinds."""


@dataclass(slots=True)
class Outcome:
    """The outcome of the operations against one kind of fault."""

    operations: int = 0
    whole: int = 0
    silent: int = 0
    sent: int = 0
    needed: int = 0
    http_sent: int = 0
    http_needed: int = 0
    alone: float = 0.0
    ideal: float = 0.0


async def measure(*, quick: bool = False) -> Part:
    """The whole part."""
    part = Part("Faults")
    times = 2 if quick else 60
    table = part.table(
        f"Operations against an upstream of which {RATE:.0%} of the requests fail",
        "fault",
        "operations",
        "whole, %",
        "computed without retries, %",
        f"computed for {ATTEMPTS} attempts, %",
        "requests sent per needed",
        "HTTP requests sent per needed",
        "not whole without an error",
    )
    async with (
        processes.serving("-m", "benchmarks.faulty") as upstream,
        processes.gateway(upstream.url) as gateway,
        httpx.AsyncClient(timeout=120) as client,
    ):
        rig = _Rig(client, upstream.url.removesuffix("/v1.0"), gateway.url)
        await rig.prepare()
        everything = Outcome()
        for seed, (title, kinds, items) in enumerate(_cases(quick)):
            outcome = await rig.try_out(kinds, times, items=items, seed=seed)
            _add(table, title, outcome)
            if kinds == KINDS and items:
                everything = outcome
    part.target(
        "operations that are not whole, of all kinds, %",
        100 * (1 - everything.whole / everything.operations),
        100 * (1 - WHOLE),
    )
    part.target("requests sent per needed", everything.sent / everything.needed, COST)
    part.target("not whole without an error", everything.silent, 0)
    return part


def _cases(quick: bool) -> Iterator[tuple[str, tuple[str, ...], bool]]:
    yield "all kinds, HTTP requests and items", KINDS, True
    if quick:
        return
    yield "all kinds, HTTP requests alone", KINDS, False
    for kind in KINDS:
        yield kind, (kind,), kind in IN_BATCH


def _add(table: Table, title: str, outcome: Outcome) -> None:
    table.add(
        title,
        outcome.operations,
        100 * outcome.whole / outcome.operations,
        100 * outcome.alone / outcome.operations,
        100 * outcome.ideal / outcome.operations,
        outcome.sent / outcome.needed,
        outcome.http_sent / outcome.http_needed,
        outcome.silent,
    )


class _Rig:
    def __init__(self, client: httpx.AsyncClient, upstream: str, gateway: str) -> None:
        self._client = client
        self._upstream = upstream
        self._gateway = gateway
        self._expected: dict[str, Any] = {}
        self._needs: dict[tuple[str, bool], dict[str, int]] = {}

    async def prepare(self) -> None:
        """The answer and the requests of each query when nothing fails and all has been learned."""
        for query in QUERIES:
            answer = await self._ask(query)
            assert "errors" not in answer, answer["errors"]
            self._expected[query] = answer["data"]
        for items in (True, False):
            for query in QUERIES:
                await self._faults(KINDS, 0.0, items=items)
                await self._ask(query)
                self._needs[query, items] = await self._asked()

    async def try_out(
        self, kinds: tuple[str, ...], times: int, *, items: bool, seed: int
    ) -> Outcome:
        """Ask each query ``times`` times, several at once."""
        outcome = Outcome()
        await self._faults(kinds, RATE, items=items, seed=seed)
        queue = [query for _ in range(times) for query in QUERIES]

        async def worker() -> None:
            while queue:
                query = queue.pop()
                answer = await self._ask(query)
                whole = "errors" not in answer and answer["data"] == self._expected[query]
                outcome.operations += 1
                outcome.whole += whole
                outcome.silent += not whole and not explained(self._expected[query], answer)
                needs = self._needs[query, items]
                outcome.needed += needs["requests"]
                outcome.http_needed += needs["http_requests"]
                outcome.alone += (1 - RATE) ** needs["chances"]
                outcome.ideal += (1 - RATE**ATTEMPTS) ** needs["chances"]

        await asyncio.gather(*(worker() for _ in range(CONCURRENCY)))
        asked = await self._asked()
        outcome.sent, outcome.http_sent = asked["requests"], asked["http_requests"]
        return outcome

    async def _ask(self, query: str) -> Any:
        response = await self._client.post(self._gateway, json={"query": query})
        return response.json()

    async def _faults(
        self, kinds: tuple[str, ...], rate: float, *, items: bool, seed: int = 0
    ) -> None:
        order = {"kinds": kinds, "rate": rate, "items": items, "seed": seed}
        await self._client.post(f"{self._upstream}/faults", json=order)

    async def _asked(self) -> dict[str, int]:
        asked: dict[str, int] = (await self._client.get(f"{self._upstream}/asked")).json()
        return asked


def explained(expected: Any, answer: Any) -> bool:
    """Whether each difference between the data and what was expected lies at or below the path of
    an error, or the answer says that there are more errors than it lists."""
    codes = {error.get("extensions", {}).get("code") for error in answer.get("errors", ())}
    if "ERRORS_LEFT_OUT" in codes:
        return True
    paths = {tuple(error["path"]) for error in answer.get("errors", ()) if "path" in error}
    return _explained(expected, answer.get("data"), (), paths)


def _explained(
    expected: Any, found: Any, at: tuple[str | int, ...], paths: set[tuple[str | int, ...]]
) -> bool:
    if expected == found or at in paths:
        return True
    if isinstance(expected, dict) and isinstance(found, dict):
        return all(
            _explained(value, found.get(name), (*at, name), paths)
            for name, value in expected.items()
        )
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        return all(
            _explained(value, found[place], (*at, place), paths)
            for place, value in enumerate(expected)
        )
    # A null that has come up from a field below.
    return found is None and any(path[: len(at)] == at for path in paths)
