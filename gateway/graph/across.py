"""Questions that no single REST call answers: results across workflows and runs, newest first.

What it costs, for W workflows that pass the workflow filter and R of their runs that can hold a
row: one page request per page of workflows, W requests for their runs (none for user results), and
one for each run, 20 to a `$batch`. Runs are asked from the last updated one on, a batch at a time,
and no further than the rows that were asked for can reach; behind a cursor, none that was scheduled
after the cursor's row was made. So every page costs about the same. Only a run that has ended is
believed what it says of its times and counts; one that has not may have got a result just now.

A part that can't be read (a workflow's runs, a run's results, or what comes after a page of them)
is left out, and told.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from gateway.errors import BadUserInput, GatewayError, GraphError
from gateway.graph import batch
from gateway.graph.experiment import Trial
from gateway.graph.reader import Reader
from gateway.graph.unread import Unread
from gateway.odata.address import LIFECYCLE_WORKFLOWS, NIL, key_of
from gateway.odata.cursor import CursorCodec, Position, signed_edge
from gateway.odata.filter import (
    comparable,
    compile_filter,
    predicate,
    properties_of,
    requires_failed,
)
from gateway.odata.partial import Partial
from gateway.odata.query import Options
from gateway.odata.timestamps import Time, instant
from gateway.plan import across as step
from gateway.plan.layout import ADDRESS, PARENT
from gateway.plan.nodes import PlanNode, significant
from gateway.plan.rows import Row
from gateway.plan.steps import step_of
from gateway.plan.stitch import adopt

Key = tuple[str, str, str]
"""The place of a row in the order: its time, its id, and where it is."""

_NOW = "~"
_UNDER_WAY = ("queued", "inprogress", "canceling")
_WITH_FAILURES = ("failed", "completedwitherrors")


@dataclass(slots=True)
class Found:
    """The rows of the asked window, newest first, and the connection around them.

    ``containers`` are the rows that contain them, with the plan nodes that select from these.
    """

    rows: list[Row]
    connection: Row | Partial
    containers: list[tuple[PlanNode, list[Row]]] = field(default_factory=list)


class Across:
    """Reads one connection across workflows; ``expand`` is what its rows are expanded with.

    Args:
        reader: the operation's reader.
        cursors: writes and reads cursors: the place of a row in the order.
        node: the plan node, whose ``sources`` are the workflows and, for task results, the runs.
    """

    def __init__(self, reader: Reader, cursors: CursorCodec, node: PlanNode) -> None:
        self._reader = reader
        self._cursors = cursors
        self._node = node
        self._step = step_of(node, step.Across)
        self._by = self._step.by
        self._given = node.arguments
        arguments = significant(node.arguments)
        arguments.pop("first", None)
        self._after: str | None = arguments.pop("after", None)
        self._edge = signed_edge(node.navigation.name, arguments)
        self._passes = self._step.passes()
        self._unread = Unread()
        self._verdicts: dict[str, asyncio.Task[bool]] = {}
        self.expand = node.expansion(listed=True, allows=reader.allows)

    async def read(self) -> Found:
        """The asked window; its connection is `Partial` if a part could not be read.

        Raises:
            GatewayError: ``after`` is no cursor of this edge, the service refuses the user's id,
                or nothing could be read.
        """
        window = self._node.window
        if window is None or not window.read:
            return Found([], {})
        start = None if self._after is None else self._start(self._after)
        workflows = await self._workflows()
        if len(self._node.sources) == 1:
            rows, whole = await self._of(workflows, start, window.first), True
        else:
            runs = await self._runs(workflows, start)
            rows, whole = await self._newest(runs, start, window.first)
        self._unread.raise_if_nothing_was_read()
        rows = list({self._key(row, row[PARENT]): row for row in rows}.values())
        rows.sort(key=lambda row: self._key(row, row[PARENT]), reverse=True)
        more = len(rows) > window.first or not whole
        known = whole and start is None and len(rows) <= window.first and not self._unread.parts
        total = len(rows) if known else None
        rows = rows[: window.first]
        connection: Row | Partial = self._connection(rows, more, start, total)
        if self._unread.parts:
            connection = Partial(connection, self._unread.error(), told_by="unread")
        return Found(rows, connection, self._containers(rows))

    # --- what is asked ----------------------------------------------------------------------

    async def _workflows(self) -> list[Row]:
        source = self._node.sources[0]
        path = f"{LIFECYCLE_WORKFLOWS}/workflows"
        options = self._step.containers(0, self._reader.allows)
        rows: list[Row] = []
        try:
            await self._collect(rows, self._rows(source, path, options, {}))
        except GatewayError as error:
            if not rows:
                raise
            self._unread.add(error)
        else:
            self._unread.read = self._unread.read or not rows
        return _once(rows)

    async def _runs(self, workflows: list[Row], start: Key | None) -> list[Row]:
        """The runs that can hold a row that passes and comes after ``start``, the last updated
        first."""
        found = await asyncio.gather(*(self._runs_of(workflow) for workflow in workflows))
        runs = _once([run for rows in found for run in rows])
        if start is not None:
            kept = [run for run in runs if not _is_later(run, start[0])]
            self._unread.read = self._unread.read or len(kept) < len(runs)
            runs = kept
        return sorted(runs, key=_last_updated, reverse=True)

    async def _runs_of(self, workflow: Row) -> list[Row]:
        rows: list[Row] = []
        try:
            await self._collect(rows, self._narrowed_runs(workflow))
        except GatewayError as error:
            self._unread.add(error, workflow)
            whole = False
        else:
            whole = True
        if requires_failed(self._step.filter):
            rows = [run for run in rows if _can_have_failed(run)]
        self._unread.read = self._unread.read or (whole and not rows)
        return rows

    def _narrowed_runs(self, workflow: Row) -> AsyncIterator[list[Row]]:
        """Pages of a workflow's runs, narrowed by the service, or here where it can't."""
        source, path = self._node.sources[1], f"{workflow[ADDRESS]}/runs"
        plain, condition = self._step.containers(1, self._reader.allows), self._step.condition(1)
        if plain.filter is None:
            return self._rows(source, path, plain, workflow)
        facts = self._step.facts(1)
        names = (name for name in properties_of(condition) if name not in facts)
        every = Options(source.select(listed=True, extra=(*facts, *names)))
        holds = predicate(condition)

        async def here() -> AsyncIterator[list[Row]]:
            async for rows in self._rows(source, path, every, workflow):
                yield [row for row in rows if holds(row) is True]

        return self._either(
            f"$filter {source.entity.name} by null",
            path,
            compile_filter({"completedDateTime": {"eq": None}}) or "",
            self._rows(source, path, plain, workflow),
            here,
        )

    async def _newest(
        self, runs: list[Row], start: Key | None, first: int
    ) -> tuple[list[Row], bool]:
        """Enough rows for the window, and whether these are all."""
        rows: list[Row] = []
        place = 0
        while place < len(runs):
            if len(rows) > first:
                times = sorted((comparable(row[self._by]) for row in rows), reverse=True)
                if _last_updated(runs[place]) < times[first]:
                    return rows, False
            size = self._round(runs[place:], first + 1 - len(rows))
            rows += await self._of(runs[place : place + size], start, first)
            place += size
        return rows, True

    def _round(self, runs: list[Row], wanted: int) -> int:
        """How many of ``runs`` to ask at once: so many as can be expected to hold the rows that
        are wanted, by their own counts, in full batches; all that can't wait are among them."""
        count = "failedTasksCount" if requires_failed(self._step.filter) else "totalTasksCount"
        expected = 0
        for asked, run in enumerate(runs):
            enough = expected >= wanted and _last_updated(run) != _NOW
            if enough and asked and asked % batch.MAX_ITEMS == 0:
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
        further = None if start is None else compile_filter({self._by: {"le": Time(start[0])}})
        wanted = self._step.rows(self._reader.allows, further)
        user = comparable(subject)

        def passes(row: Row) -> bool:
            if subject is not None and comparable(key_of(row.get("subject") or {})) != user:
                return False
            if self._passes(row) is not True:
                return False
            return start is None or self._key(row, parent) < start

        rows: list[Row] = []
        times: list[str] = []
        try:
            async for raw in self._of_subject(path, wanted, subject, parent):
                self._unread.read = True
                placed = [row for row in raw if self._has_place(row)]
                times += [comparable(row[self._by]) for row in placed]
                rows += [adopt(node, row, path, parent) for row in placed if passes(row)]
                if len(placed) < len(raw):
                    message = f"the service answered a result without {self._by}"
                    self._unread.add(GraphError(message), parent)
                if len(rows) > first and self._are_first(rows, first, times):
                    break
        except BadUserInput:
            raise
        except GatewayError as error:
            self._unread.add(error, parent)
        return rows

    def _are_first(self, rows: list[Row], first: int, times: list[str]) -> bool:
        """Whether no row of a later page can come before the ``first`` ones of ``rows``.

        The service sorts by the time alone, so rows of one time may come in any order.

        Args:
            times: those of all rows so far, the rows that do not pass included.
        """
        if times != sorted(times, reverse=True):
            return False
        return bool(comparable(rows[first - 1][self._by]) > times[-1])

    def _of_subject(
        self, path: str, wanted: Options, subject: str | None, parent: Row
    ) -> AsyncIterator[list[Row]]:
        """Pages of rows, with the subject in the filter as long as the service takes it.

        The documents name the filter without its syntax (questions.md, point 9), so the rows are
        checked here in any case.
        """
        entity = self._node.entity.name
        every = self._pages(path, wanted, self._node, parent)
        if subject is None:
            return every
        narrowed = step.narrowed(wanted, subject)
        return self._either(
            f"$filter {entity}.subject/id",
            path,
            step.of_subject(NIL),
            self._pages(path, narrowed, self._node, parent),
            lambda: every,
            subject=wanted.filter is None,
        )

    async def _either(
        self,
        capability: str,
        path: str,
        own: str,
        narrowed: AsyncIterator[list[Row]],
        every: Callable[[], AsyncIterator[list[Row]]],
        *,
        subject: bool = False,
    ) -> AsyncIterator[list[Row]]:
        """Pages with a filter, or without it if it is proven that the service takes none such.

        Args:
            capability: to use the filter.
            path: of the collection; no id in it is a caller's.
            own: a filter of the same kind with no value of a caller.
            narrowed: the pages with the filter.
            every: makes the pages without it.
            subject: whether a refusal can be for nothing but the argument ``subjectId``.
        """
        if self._reader.allows(capability):
            try:
                async for rows in narrowed:
                    yield rows
            except GatewayError as error:
                refused = error
            else:
                return
            if not _is_about_filter(refused):
                raise refused
            if not await self._refuses(capability, path, own):
                if subject:
                    message = f"the service takes no such id: {refused.message}"
                    raise BadUserInput(message, argument="subjectId")
                raise refused
        async for rows in every():
            yield rows

    async def _refuses(self, capability: str, path: str, own: str) -> bool:
        """Whether the service proves to take no such filter; tried once in an operation."""
        if capability not in self._verdicts:
            request, control = Options(("id",), filter=own), Options(("id",))
            trial = Trial(capability, request.get(path), control.get(path))
            self._verdicts[capability] = asyncio.ensure_future(self._reader.proven(trial))
        return await self._verdicts[capability]

    async def _pages(
        self, path: str, options: Options, node: PlanNode, parent: Row
    ) -> AsyncIterator[list[Row]]:
        async for page in self._reader.pages(path, options, node):
            if page.unreadable is not None:
                self._unread.add(page.unreadable, parent)
            yield page.rows

    async def _rows(
        self, source: PlanNode, path: str, options: Options, parent: Row
    ) -> AsyncIterator[list[Row]]:
        async for rows in self._pages(path, options, source, parent):
            yield [adopt(source, row, path, parent) for row in rows]

    @staticmethod
    async def _collect(into: list[Row], pages: AsyncIterator[list[Row]]) -> None:
        """All rows of ``pages``; those that were there before an error are kept."""
        async for rows in pages:
            into += rows

    def _containers(self, rows: list[Row]) -> list[tuple[PlanNode, list[Row]]]:
        found: list[tuple[PlanNode, list[Row]]] = []
        for source in reversed(self._node.sources):
            rows = list({row[PARENT][ADDRESS]: row[PARENT] for row in rows}.values())
            found.append((source, rows))
        return found

    # --- order and cursors ------------------------------------------------------------------

    def _has_place(self, row: Row) -> bool:
        time = row.get(self._by)
        return isinstance(time, str) and instant(time) is not None

    def _key(self, row: Row, parent: Row) -> Key:
        """The place of a row; two workflows may have rows of one time and one id."""
        where = parent[ADDRESS].removeprefix(f"{LIFECYCLE_WORKFLOWS}/workflows/")
        return comparable(row[self._by]), str(row.get("id")), where

    def _start(self, cursor: str) -> Key:
        position = self._cursors.decode(self._edge, cursor)
        try:
            time, id_, where = orjson.loads(position.link or "")
            if isinstance(id_, str) and isinstance(where, str):
                return instant(Time.parse(time)) or "", id_, where
        except (ValueError, TypeError):
            pass
        raise BadUserInput("this cursor is not one of this edge", argument="after")

    def _cursor(self, row: Row) -> str:
        key = orjson.dumps(self._key(row, row[PARENT])).decode()
        return self._cursors.encode(self._edge, Position(key, 0, 0))

    def _connection(self, rows: list[Row], more: bool, start: Key | None, total: Any) -> Row:
        window = self._node.window
        cursor: Callable[[Row], str] = self._cursor
        connection: Row = {"nodes": rows, "totalCount": total, "unread": self._unread.rows()}
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


def _is_about_filter(error: GatewayError) -> bool:
    return error.extensions.get("status") == 400 and "filter" in error.message.lower()


def _once(rows: list[Row]) -> list[Row]:
    """Each row once, though the service told it on two pages."""
    return list({row[ADDRESS]: row for row in rows}.values())


def _status(run: Row) -> str:
    return str(run.get("processingStatus")).lower()


def _has_ended(run: Row) -> bool:
    return isinstance(run.get("completedDateTime"), str) and _status(run) not in _UNDER_WAY


def _last_updated(run: Row) -> str:
    """When the run last changed; one that has not ended may have changed just now."""
    if not _has_ended(run):
        return _NOW
    times = (run.get(name) for name in ("completedDateTime", "lastUpdatedDateTime"))
    known = [time for text in times if isinstance(text, str) and (time := instant(text))]
    return max(known, default=_NOW)


def _is_later(run: Row, time: str) -> bool:
    """Whether all results of a run are later than ``time``: they are made once it is scheduled."""
    scheduled = run.get("scheduledDateTime")
    began = instant(scheduled) if isinstance(scheduled, str) else None
    return _has_ended(run) and began is not None and began > time


def _can_have_failed(run: Row) -> bool:
    """Whether a run can hold a failed result: only of one that has ended is the count final."""
    said = run.get("failedTasksCount") == 0 and _status(run) not in _WITH_FAILURES
    return not (_has_ended(run) and said)
