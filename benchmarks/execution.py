"""Execution cost per leaf field: from the bytes of the upstream to the bytes of the answer.

Nothing waits and nothing crosses a socket: the upstream's answers come from a tape.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from unittest.mock import patch

import httpx
import orjson

from benchmarks.adapter import InProcess, in_process
from benchmarks.by_hand import Floor, Row
from benchmarks.generic import Generic
from benchmarks.measure import Call, cpu_seconds
from benchmarks.report import Part, Table
from benchmarks.shapes import ABSTRACT_QUERY, QUERY, Shape, body_of, leaf_fields
from benchmarks.tape import Tape
from gateway.graph.engine import Engine
from gateway.sandbox import SandboxSettings, create_sandbox

SHAPES = {100: Shape(2, 2, 5, 5), 1_000: Shape(5, 4, 10, 5), 10_000: Shape(20, 10, 10, 5)}
LIMITS = {100: 3.0, 1_000: 1.6, 10_000: 1.3}
GENERIC_LIMIT = 1.1

FLOOR = "floor"
FLOOR_PARSE = "floor: parse alone"
FLOOR_PROJECT = "floor: project and write alone"
GATEWAY = "this gateway"
GATEWAY_PROJECT = "this gateway: project and write alone"
UNPROJECTED = "this gateway, projection off"
UNPROJECTED_PROJECT = "this gateway, projection off: execute and write alone"
STRAWBERRY = "generic Strawberry"


@dataclass(frozen=True, slots=True)
class Recorded:
    """Gateways that have answered, and what their upstream had to say."""

    gateway: InProcess
    unprojected: InProcess
    tape: Tape


@asynccontextmanager
async def recorded(shape: Shape, query: str) -> AsyncIterator[Recorded]:
    """Two gateways, with and without projection, warm and in front of the same tape."""
    sandbox = create_sandbox(
        SandboxSettings(
            workflows=shape.workflows,
            runs=shape.runs,
            users=shape.users,
            tasks=shape.tasks,
            moving=False,
        )
    )
    tape = Tape(httpx.ASGITransport(sandbox))
    async with AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(in_process(tape))
        unprojected = await stack.enter_async_context(in_process(tape, projection=False))
        await unprojected.answer(body_of(query))
        # What the service accepts is learned by the third answer.
        for _ in range(3):
            await gateway.answer(body_of(query))
        tape.forget()
        await gateway.answer(body_of(query))
        tape.play()
        yield Recorded(gateway, unprojected, tape)


class Stitched:
    """A gateway whose upstream is left out: its engine has the stitched rows in hand."""

    def __init__(self, gateway: InProcess, body: bytes, root: Row) -> None:
        self._gateway = gateway
        self._body = body
        self._root = root

    @classmethod
    async def of(cls, gateway: InProcess, body: bytes) -> "Stitched":
        """Run the operation once, and keep what the engine made of it."""
        kept: list[Row] = []
        run = Engine.run

        async def keeping(engine: Engine, *arguments: object) -> Row:
            kept.append(await run(engine, *arguments))  # type: ignore[arg-type]
            return kept[-1]

        with patch.object(Engine, "run", keeping):
            await gateway.answer(body)
        return cls(gateway, body, kept[0])

    async def answer(self) -> bytes:
        """Execute and write."""

        async def in_hand(*_: object) -> Row:
            return self._root

        with patch.object(Engine, "run", in_hand):
            return await self._gateway.answer(self._body)


async def measure(*, quick: bool = False) -> Part:
    """The whole part."""
    part = Part("Execution")
    sizes = [100] if quick else list(SHAPES)
    for rows in sizes:
        await _per_leaf(part, rows, turns=1 if quick else 7)
    await _not_compiled(part, sizes[-1], turns=1 if quick else 7)
    return part


async def _per_leaf(part: Part, rows: int, *, turns: int) -> None:
    shape = SHAPES[rows]
    body = body_of(QUERY)
    async with recorded(shape, QUERY) as ready:
        floor = Floor(ready.tape.exchanges)
        stitched = await Stitched.of(ready.gateway, body)
        contenders: dict[str, Call] = {
            FLOOR: floor.whole,
            STRAWBERRY: Generic(floor).whole,
            GATEWAY: lambda: ready.gateway.answer(body),
            FLOOR_PROJECT: floor.projection,
            GATEWAY_PROJECT: stitched.answer,
        }
        contenders[UNPROJECTED] = lambda: ready.unprojected.answer(body)
        off = await Stitched.of(ready.unprojected, body)
        contenders[UNPROJECTED_PROJECT] = off.answer
        leaves = await same_answer(contenders)
        contenders[FLOOR_PARSE] = floor.loads
        seconds = await cpu_seconds(contenders, turns=turns)

    executed = seconds[FLOOR_PARSE] + seconds[GATEWAY_PROJECT]
    table = part.table(
        f"{rows:,} task results ({shape}), {leaves:,} leaf fields",
        "contender",
        "ms",
        "µs per leaf field",
        "over the floor",
    )
    whole, alone = seconds[FLOOR], seconds[FLOOR_PROJECT]
    for name in (FLOOR, GATEWAY, UNPROJECTED, STRAWBERRY):
        _row(table, name, seconds[name], leaves, whole)
    _row(table, "this gateway: parse, project and write", executed, leaves, whole)
    for name in (FLOOR_PROJECT, GATEWAY_PROJECT, UNPROJECTED_PROJECT):
        _row(table, name, seconds[name], leaves, alone)
    limit = LIMITS[rows]
    part.target(f"{rows:,} rows: whole operation over the floor", seconds[GATEWAY] / whole, limit)
    part.target(f"{rows:,} rows: parse, project and write over the floor", executed / whole, limit)


async def _not_compiled(part: Part, rows: int, *, turns: int) -> None:
    """Selections that the projection can't take, which must cost little more than without it."""
    table = part.table(
        f"What can't be compiled, {rows:,} task results",
        "case",
        "projection on, ms",
        "off, ms",
        "ratio",
    )
    for name, query in (
        ("a field of an abstract type in each run", ABSTRACT_QUERY),
        ("an unknown enum member in every batch", QUERY),
    ):
        async with recorded(SHAPES[rows], query) as ready:
            if query is QUERY:
                ready.tape.rewrite(_with_unknown_member)
            body = body_of(query)
            on = await Stitched.of(ready.gateway, body)
            off = await Stitched.of(ready.unprojected, body)
            contenders: dict[str, Call] = {"on": on.answer, "off": off.answer}
            await same_answer(contenders)
            seconds = await cpu_seconds(contenders, turns=turns)
        ratio = seconds["on"] / seconds["off"]
        table.add(name, seconds["on"] * 1000, seconds["off"] * 1000, ratio)
        part.target(f"{name}: over generic execution", ratio, GENERIC_LIMIT)


def _with_unknown_member(reply: bytes) -> bytes:
    """The reply with a status that nobody knows in its last row."""
    before, name, after = reply.rpartition(b'"processingStatus":"')
    return before + name + (b"new" if name else b"") + after


async def same_answer(contenders: dict[str, Call]) -> int:
    """Assert that all answer the same data; returns its number of leaf fields."""
    answers = {name: orjson.loads(await call()) for name, call in contenders.items()}  # type: ignore[arg-type]
    first = next(iter(answers.values()))
    for name, answer in answers.items():
        assert answer == first, f"{name} answers something else"
    return leaf_fields(first["data"])


def _row(table: Table, name: str, seconds: float, leaves: int, floor: float) -> None:
    table.add(name, seconds * 1000, seconds * 1e6 / leaves, seconds / floor)
