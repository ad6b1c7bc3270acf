"""The work of a layer, each piece guarded: what breaks in one fails its own edges and no others."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from gateway.graph.record import on
from gateway.plan.nodes import PlanNode
from gateway.plan.rows import Row
from gateway.plan.steps import Step
from gateway.plan.stitch import fail

Work = Callable[[], Coroutine[Any, Any, None]]
Edge = tuple[PlanNode, Row]


class Breath:
    """Gives the event loop back where work on rows takes long: at most `SECONDS` at a time."""

    SECONDS = 0.02

    def __init__(self) -> None:
        self._since = time.perf_counter()

    async def taken(self) -> None:
        """Let others go on, if it is time."""
        if time.perf_counter() - self._since > self.SECONDS:
            await asyncio.sleep(0)
            self._since = time.perf_counter()


class Works:
    """The work of the next layer."""

    def __init__(self) -> None:
        self._next: list[Work] = []

    def _work(
        self,
        edges: Iterable[Edge],
        work: Work,
        step: Step | None,
        *,
        lacking: Iterable[Edge] = (),
    ) -> None:
        """Put ``work`` into the next layer.

        What it did not foresee fails the edges that it is for and no others, and is logged where
        it is answered.

        Args:
            edges: for which it works.
            work: what to do.
            step: of the program, whose work it is.
            lacking: edges that are there, but lack what is selected of them.
        """

        async def guarded() -> None:
            try:
                with on(step):
                    await work()
            except Exception as error:
                fail_all(edges, error)
                for node, row in lacking:
                    for name in node.wanted:
                        row.setdefault(name, error)

        self._next.append(guarded)

    def _now(self, edges: Iterable[Edge], work: Callable[[], None]) -> None:
        """Do ``work`` at once, guarded as `_work` does it."""
        try:
            work()
        except Exception as error:
            fail_all(edges, error)


def fail_all(edges: Iterable[Edge], error: Exception) -> None:
    """Stitch one error in the place of several edges."""
    for node, row in edges:
        fail(node, row, error)
