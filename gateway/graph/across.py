"""Questions that no single REST call answers: results across workflows and runs, newest first.

What it costs, for W workflows that pass the workflow filter and R of their runs that can hold a
row: one page request per page of workflows, W requests for their runs (none for user results), and
one for each run, 20 to a `$batch`. Runs are asked from the last updated one on, a batch at a time,
and no further than the rows that were asked for can reach.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.graph import batch
from gateway.graph.errors import GraphError
from gateway.graph.reader import Reader, Row
from gateway.graph.rows import ADDRESS, PARENT, adopt
from gateway.odata.address import LIFECYCLE_WORKFLOWS, key_of
from gateway.odata.cursor import CursorCodec, Position
from gateway.odata.errors import BadUserInput, GatewayError
from gateway.odata.filter import (
    Time,
    comparable,
    compile_filter,
    matches,
    properties_of,
    requires_failed,
)
from gateway.odata.plan import RUN_FACTS, PlanNode, runs_filter, significant
from gateway.odata.query import Options

Key = tuple[str, str]


@dataclass(slots=True)
class Found:
    """The rows of the asked window, newest first, and the connection around them.

    ``containers`` are the rows that contain them, with the plan nodes that select from these.
    """

    rows: list[Row]
    connection: Row
    containers: list[tuple[PlanNode, list[Row]]] = field(default_factory=list)


class Across:
    """Reads one connection across workflows; ``expand`` is what its rows are expanded with.

    Args:
        reader: the operation's reader.
        cursors: writes and reads cursors: the time and the id of a row.
        node: the plan node, whose ``sources`` are the workflows and, for task results, the runs.
    """

    def __init__(self, reader: Reader, cursors: CursorCodec, node: PlanNode) -> None:
        self._reader = reader
        self._cursors = cursors
        self._node = node
        self._by = node.navigation.across or ""
        self._given = node.arguments
        arguments = significant(node.arguments)
        arguments.pop("first", None)
        self._after: str | None = arguments.pop("after", None)
        self._edge = f"{node.navigation.name} {arguments}"
        self._filter = self._wanted()
        self.expand = node.expansion(listed=True, allows=reader.capabilities.allows)

    async def read(self) -> Found:
        """The asked window.

        Raises:
            GatewayError: ``after`` is no cursor of this edge, or a collection can't be had.
        """
        window = self._node.window
        if window is None or not window.read:
            return Found([], {})
        start = None if self._after is None else self._start(self._after)
        workflows = await self._workflows()
        if len(self._node.sources) == 1:
            rows, whole = await self._of(workflows, start, window.first), True
        else:
            runs = await self._runs(workflows)
            rows, whole = await self._newest(runs, start, window.first)
        rows.sort(key=self._key, reverse=True)
        more = len(rows) > window.first or not whole
        total = len(rows) if whole and start is None and len(rows) <= window.first else None
        rows = rows[: window.first]
        return Found(rows, self._connection(rows, more, start, total), self._containers(rows))

    # --- what is asked ----------------------------------------------------------------------

    def _wanted(self) -> dict[str, Any]:
        """The filter on the rows themselves, the times included."""
        parts: list[Any] = [self._given["filter"]] if self._given.get("filter") else []
        for argument, operator in (("startedAfter", "ge"), ("startedBefore", "lt")):
            if self._given.get(argument) is not None:
                parts.append({"startedDateTime": {operator: self._given[argument]}})
        return {"and": parts} if parts else {}

    async def _workflows(self) -> list[Row]:
        source = self._node.sources[0]
        path = f"{LIFECYCLE_WORKFLOWS}/workflows"
        given = self._given.get("workflowFilter")
        options = Options(
            source.select(listed=True),
            source.expansion(listed=True, allows=self._reader.capabilities.allows),
            compile_filter(given) if given else None,
        )
        return await self._all(source, path, options, {})

    async def _runs(self, workflows: list[Row]) -> list[Row]:
        """The runs that can hold a row that passes, the last updated first."""
        source = self._node.sources[1]
        options = Options(
            source.select(listed=True, extra=RUN_FACTS), filter=runs_filter(self._given)
        )
        found = await asyncio.gather(
            *(self._all(source, f"{w[ADDRESS]}/runs", options, w) for w in workflows)
        )
        runs = [run for rows in found for run in rows]
        if requires_failed(self._filter):
            # Only of a run that has ended is the count final.
            runs = [r for r in runs if r.get("completedDateTime") is None or _has_failed(r)]
        return sorted(runs, key=_last_updated, reverse=True)

    async def _newest(
        self, runs: list[Row], start: Key | None, first: int
    ) -> tuple[list[Row], bool]:
        """Enough rows for the window, and whether these are all."""
        rows: list[Row] = []
        place = 0
        while place < len(runs):
            if len(rows) > first:
                oldest = sorted(map(self._key, rows), reverse=True)[first]
                if _last_updated(runs[place]) < oldest[0]:
                    return rows, False
            size = self._round(runs[place:], first + 1 - len(rows))
            rows += await self._of(runs[place : place + size], start, first)
            place += size
        return rows, True

    def _round(self, runs: list[Row], wanted: int) -> int:
        """How many of ``runs`` to ask at once: so many as can be expected to hold the rows that
        are wanted, by their own counts, in full batches."""
        count = "failedTasksCount" if requires_failed(self._filter) else "totalTasksCount"
        expected = 0
        for asked, run in enumerate(runs):
            if expected >= wanted and asked and asked % batch.MAX_ITEMS == 0:
                return asked
            expected += run[count] if isinstance(run.get(count), int) else 0
        return len(runs)

    async def _of(self, parents: Sequence[Row], start: Key | None, first: int) -> list[Row]:
        """The first rows below each parent that pass and come after ``start``, one more at most."""
        found = await asyncio.gather(*(self._below(parent, start, first) for parent in parents))
        return [row for rows in found for row in rows]

    async def _below(self, parent: Row, start: Key | None, first: int) -> list[Row]:
        node, subject = self._node, self._given.get("subjectId")
        path = f"{parent[ADDRESS]}/{node.navigation.name}"
        given = dict(self._filter)
        if start is not None:
            given = {"and": [*([given] if given else []), {self._by: {"le": Time(start[0])}}]}
        names = [name for name in properties_of(given) if name in node.entity.properties]
        wanted = Options(
            node.select(listed=True, extra=(self._by, *names, "subject")),
            expand=self.expand,
            filter=compile_filter(given),
            order=f"{self._by} desc",
        )

        def passes(row: Row) -> bool:
            if subject is not None and key_of(row.get("subject") or {}) != subject:
                return False
            return matches(given, row) and (start is None or self._key(row) < start)

        rows: list[Row] = []
        async for raw in self._pages(path, wanted, subject):
            rows += [adopt(node, row, path, parent) for row in raw if passes(row)]
            times = [self._key(row)[0] for row in rows]
            if len(rows) > first and times == sorted(times, reverse=True):
                break
        return rows

    async def _pages(
        self, path: str, wanted: Options, subject: str | None
    ) -> AsyncIterator[list[Row]]:
        """Pages, with the subject in the filter as long as the service takes it.

        The documents name the filter without its syntax (questions.md, point 9), so the rows are
        checked here in any case.
        """
        entity = self._node.entity.name
        capability = f"$filter {entity}.subject/id"
        if subject is not None and self._reader.capabilities.allows(capability):
            clause = compile_filter({"subject": {"id": {"eq": subject}}})
            both = " and ".join(text for text in (clause, wanted.filter) if text)
            narrowed = Options(wanted.select, wanted.expand, both, wanted.order)
            try:
                async for page in self._reader.pages(path, narrowed, entity):
                    yield page.rows
            except GatewayError as error:
                if error.extensions.get("status") != 400 or "filter" not in error.message.lower():
                    raise
                self._reader.capabilities.refuse(capability, error.message)
            else:
                return
        async for page in self._reader.pages(path, wanted, entity):
            yield page.rows

    async def _all(self, source: PlanNode, path: str, options: Options, parent: Row) -> list[Row]:
        rows: list[Row] = []
        async for page in self._reader.pages(path, options, source.entity.name):
            rows += [adopt(source, row, path, parent) for row in page.rows]
        return rows

    def _containers(self, rows: list[Row]) -> list[tuple[PlanNode, list[Row]]]:
        found: list[tuple[PlanNode, list[Row]]] = []
        for source in reversed(self._node.sources):
            rows = list({row[PARENT][ADDRESS]: row[PARENT] for row in rows}.values())
            found.append((source, rows))
        return found

    # --- order and cursors ------------------------------------------------------------------

    def _key(self, row: Row) -> Key:
        time = row.get(self._by)
        if not isinstance(time, str):
            raise GraphError(f"the service answered a result without {self._by}")
        return comparable(time), str(row.get("id"))

    def _start(self, cursor: str) -> Key:
        time, _, id_ = (self._cursors.decode(self._edge, cursor).link or "").partition(" ")
        try:
            return comparable(Time.parse(time)), id_
        except ValueError:
            raise BadUserInput("this cursor is not one of this edge", argument="after") from None

    def _cursor(self, row: Row) -> str:
        return self._cursors.encode(self._edge, Position(" ".join(self._key(row)), 0, 0))

    def _connection(self, rows: list[Row], more: bool, start: Key | None, total: Any) -> Row:
        window = self._node.window
        cursor: Callable[[Row], str] = self._cursor
        connection: Row = {"nodes": rows, "totalCount": total}
        if window is not None and window.edges:
            connection["edges"] = [{"node": row, "cursor": cursor(row)} for row in rows]
        if window is not None and window.page_info:
            connection["pageInfo"] = {
                "hasNextPage": more,
                "hasPreviousPage": start is not None,
                "startCursor": cursor(rows[0]) if rows else None,
                "endCursor": cursor(rows[-1]) if rows else None,
            }
        return connection


def _last_updated(run: Row) -> str:
    """When the run last changed; one that does not say may have changed just now."""
    time = run.get("lastUpdatedDateTime")
    return comparable(time) if isinstance(time, str) else "~"


def _has_failed(run: Row) -> bool:
    return run.get("failedTasksCount") != 0
