"""The load of a tenant, beside a script that was optimised by hand for it.

CPU seconds of the gateway's process over those of the script's, for the same answer from the same
sandbox, in turns; the least of several turns counts.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from benchmarks import breakdown, peer, processes
from benchmarks.by_hand import Floor
from benchmarks.execution import recorded
from benchmarks.measure import cpu_seconds
from benchmarks.processes import Running, Sandbox, Worker
from benchmarks.report import Part, Table, Target
from benchmarks.shapes import QUERY, Shape, body_of, task_results

LARGE, SMALL, BIG_RUN = Shape(20, 10, 10, 5), Shape(), Shape(1, 1, 2000, 5)
QUICK = Shape(2, 2, 2, 3)
AT_ONCE = 16
GROWTH = Shape(20, 20, 50, 5)


class Report:
    """The table, a verdict per line."""

    def __init__(self, part: Part) -> None:
        self._table: Table = part.table(
            "A line each: what is measured, and what it is compared with",
            "measure",
            "this gateway",
            "beside it",
            "ratio",
            "aim",
            "verdict",
        )
        self.lines: dict[str, Target] = {}

    def most(self, name: str, ours: float, theirs: float, limit: float, unit: str = "ms") -> None:
        """A line whose ratio is at most ``limit``."""
        self._line(Target(name, ours / theirs, limit), ours, theirs, f"≤ {limit}", unit)

    def least(self, name: str, ours: float, theirs: float, limit: float, unit: str) -> None:
        """A line whose ratio is at least ``limit``."""
        turned = Target(name, -ours / theirs, -limit)
        self._line(turned, ours, theirs, f"≥ {limit}", unit)

    def bound(self, name: str, ours: float, limit: float, unit: str) -> None:
        """A line that is compared with nothing but ``limit``."""
        target = Target(name, ours, limit)
        self.lines[name] = target
        self._table.add(name, f"{ours:.3g} {unit}", "", "", f"≤ {limit} {unit}", target.verdict)

    def _line(self, target: Target, ours: float, theirs: float, aim: str, unit: str) -> None:
        self.lines[target.name] = target
        self._table.add(
            target.name,
            f"{ours:.3g} {unit}",
            f"{theirs:.3g} {unit}",
            ours / theirs,
            aim,
            target.verdict,
        )


async def measure(*, quick: bool = False) -> Part:
    """The whole part."""
    part = Part("Load")
    report = Report(part)
    turns = 1 if quick else 3
    for shape, alone, together in ((LARGE, 2.0, 0.8), (SMALL, 4.0, 3.0)):
        await _trees(report, QUICK if quick else shape, alone, together, turns, quick=quick)
        if quick:
            break
    await _big_run(report, Shape(1, 1, 1000, 1) if quick else BIG_RUN, turns)
    if not quick:
        await _memory(report)
        await _execution(report)
    await _names(report, 20 if quick else 2000, turns)
    await _odd(report, QUICK if quick else LARGE, turns)
    await breakdown.measure(part, quick=quick)
    await peer.measure(part, quick=quick)
    return part


@dataclass(frozen=True, slots=True)
class _Side:
    """One side of a comparison: a worker, the process that is measured, and the work before.

    Attributes:
        count: answers of a turn.
        at_once: how many of them at the same time.
    """

    worker: Worker
    process: Running
    count: int
    at_once: int = 1
    before: Callable[[], Awaitable[object]] | None = None


async def _cpu(turns: int, **sides: _Side) -> dict[str, float]:
    """CPU milliseconds of each side for an answer: the sides take turns, the least counts."""
    found: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(turns):
        for name, side in sides.items():
            if side.before is not None:
                await side.before()
            began = side.process.cpu_seconds
            await side.worker.run(side.count, side.at_once)
            spent = (side.process.cpu_seconds - began) / side.count * 1000
            found[name].append(max(spent, 1e-6))
    return {name: min(times) for name, times in found.items()}


@asynccontextmanager
async def _pair(
    shape: Shape, script: str, ours: str, expand: str
) -> AsyncIterator[tuple[Worker, Worker, Running, Sandbox]]:
    async with (
        processes.sandbox(shape, expand=expand) as sandbox,
        processes.gateway(sandbox.url) as gateway,
        processes.worker(script, sandbox.url) as by_hand,
        processes.worker(ours, gateway.url) as caller,
    ):
        yield by_hand, caller, gateway, sandbox


async def _trees(
    report: Report, shape: Shape, alone: float, together: float, turns: int, *, quick: bool
) -> None:
    count = 2 if quick else max(8, 12_000 // max(shape.rows, 100))
    async with (
        _pair(shape, "expanded", "gateway", "accept") as (by_hand, caller, gateway, _),
        _pair(shape, "bare", "gateway", "refuse") as (_, other, refused, _),
    ):
        expected = await by_hand.answer()
        assert task_results(expected) == shape.rows
        for _ in range(3):
            assert await caller.answer() == expected
            assert task_results(await other.answer()) == shape.rows
        for at_once, limit in ((1, alone), (2 if quick else AT_ONCE, together)):
            many = count * at_once
            spent = await _cpu(
                turns,
                theirs=_Side(by_hand, by_hand.running, many, at_once),
                ours=_Side(caller, gateway, many, at_once),
                refused=_Side(other, refused, many, at_once),
            )
            name = f"{shape}, {_said(at_once)}"
            report.most(f"{name}: CPU over by hand", spent["ours"], spent["theirs"], limit)
            name += ": expansion refused over accepted"
            report.most(name, spent["refused"], spent["ours"], 1.3)


def _said(at_once: int) -> str:
    return "one after the other" if at_once == 1 else f"{at_once} at once"


async def _big_run(report: Report, shape: Shape, turns: int) -> None:
    async with _pair(shape, "big run", "gateway, big run", "accept") as pair:
        by_hand, caller, gateway, _ = pair
        expected = await by_hand.answer()
        for _ in range(2):
            assert await caller.answer() == expected
        spent = await _cpu(
            turns,
            theirs=_Side(by_hand, by_hand.running, 5),
            ours=_Side(caller, gateway, 5),
        )
        name = f"one run of {shape.users:,} users x {shape.tasks}, first: 1000: CPU over by hand"
        report.most(name, spent["ours"], spent["theirs"], 1.5)


async def _memory(report: Report) -> None:
    """Peak memory of fresh gateways: many large answers at once, and one very large one."""
    async with _pair(LARGE, "expanded", "gateway", "accept") as (_, caller, gateway, _):
        await caller.run(2 * AT_ONCE, AT_ONCE)
        peak = gateway.memory("VmHWM")
        report.bound(f"peak memory, {AT_ONCE} x ({LARGE}) at once", peak, 250, "MiB")
    async with _pair(GROWTH, "expanded", "gateway", "accept") as (_, caller, gateway, _):
        await caller.run(1)
        before = gateway.memory("VmRSS")
        await caller.run(1)
        grown = max(0.0, gateway.memory("VmHWM") - before) * 1024 / GROWTH.rows
        report.bound(f"growth per row, {GROWTH.rows:,} rows", grown, 1.0, "KiB")


async def _execution(report: Report) -> None:
    """From the bytes of the upstream to those of the answer, without what asks for them."""
    body = body_of(QUERY)
    async with recorded(LARGE, QUERY) as ready:
        floor = Floor(ready.tape.exchanges)
        spent: list[float] = []

        async def ours() -> None:
            await ready.gateway.answer(body)
            told = ready.gateway.milliseconds
            spent.append(told["rows"] + told["write"])

        seconds = await cpu_seconds({"floor": floor.whole, "gateway": ours}, turns=7)
        name = f"{LARGE}: rows and response over loads, comprehension and dumps"
        report.most(name, min(spent), seconds["floor"] * 1000, 0.6)


async def _names(report: Report, count: int, turns: int) -> None:
    async with (
        processes.sandbox(SMALL) as sandbox,
        processes.gateway(sandbox.url) as gateway,
        processes.serving("-m", "benchmarks.proxy", sandbox.url, path="/graphql") as proxy,
        processes.worker("gateway, names", gateway.url) as ours,
        processes.worker("gateway, names", proxy.url) as theirs,
    ):
        assert await ours.answer() == await theirs.answer()
        rates = []
        for worker in (ours, theirs):
            seconds = [(await worker.run(count, AT_ONCE))[-1] for _ in range(turns)]
            rates.append(count / min(seconds))
        name = "names: operations/s over a plain proxy of the request"
        report.least(name, rates[0], rates[1], 0.5, "/s")


async def _odd(report: Report, shape: Shape, turns: int) -> None:
    """One page that does not fit its rows, and one run whose users can't be read."""
    async with _pair(shape, "expanded", "gateway, faults", "accept") as pair:
        _, caller, gateway, sandbox = pair
        whole = await caller.answer()
        workflow = whole["workflows"]["nodes"][0]
        run = workflow["runs"]["nodes"][0]["id"]
        users = f"/runs/{run}/userProcessingResults"
        odd = [{"id": "odd", "subject": 1, "totalTasksCount": 0, "taskProcessingResults": []}]
        faults: dict[str, dict[str, Any]] = {
            "with one odd page": {"match": users, "patch": {"value": odd}},
            "with one failing edge": {"match": users, "status": 404},
        }
        sides = {"without": _Side(caller, gateway, 8, before=sandbox.fault)}
        for name, fault in faults.items():
            sides[name] = _Side(caller, gateway, 8, before=partial(sandbox.fault, **fault))
            await sandbox.fault(**fault)
            assert await caller.answer() != whole
        spent = await _cpu(turns + 2, **sides)
        for name in faults:
            report.most(f"{shape} {name}, over without", spent[name], spent["without"], 1.3)
