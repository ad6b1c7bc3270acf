"""Lists across containers, which no single REST call answers: their rows, newest first.

What it costs, for C outer containers that pass the filter on these and I of their inner ones that
can hold a row: one page request per page of outer containers, C requests for the inner ones (none
if there is but one kind), and one for each inner one, 20 to a `$batch`. These are asked from the
last changed one on, a batch at a time, and no further than the rows that were asked for can reach;
behind a cursor, none that began after the cursor's row was made. So every page costs about the
same. What a container is believed of its times and counts, its `Evidence` says.

A part that can't be read (the containers in one, the rows of one, or what comes after a page of
them) is left out, and told.
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
from gateway.odata.address import NIL, key_of
from gateway.odata.cursor import CursorCodec, Position, signed_edge
from gateway.odata.filter import comparable, compile_filter, predicate, properties_of
from gateway.odata.partial import Partial
from gateway.odata.query import Options
from gateway.odata.timestamps import Time, instant
from gateway.plan import across as step
from gateway.plan.layout import ADDRESS, PARENT
from gateway.plan.model import Evidence
from gateway.plan.nodes import PlanNode, significant
from gateway.plan.rows import Row
from gateway.plan.steps import step_of
from gateway.plan.stitch import adopt

Key = tuple[str, str, str]
"""The place of a row in the order: its time, its id, and where it is."""

_NOW = "~"


@dataclass(slots=True)
class Found:
    """The rows of the asked window, newest first, and the connection around them.

    ``containers`` are the rows that contain them, with the plan nodes that select from these.
    """

    rows: list[Row]
    connection: Row | Partial
    containers: list[tuple[PlanNode, list[Row]]] = field(default_factory=list)


class Across:
    """Reads one connection across containers; ``expand`` is what its rows are expanded with.

    Args:
        reader: the operation's reader.
        cursors: writes and reads cursors: the place of a row in the order.
        node: the plan node, whose ``sources`` are the kinds of containers.
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
        spec = self._step.spec
        self._unread = Unread([source.told_as for source in spec.sources], spec.parts)
        self._verdicts: dict[str, asyncio.Task[bool]] = {}
        self.expand = node.expansion(listed=True, allows=reader.allows)

    async def read(self) -> Found:
        """The asked window; its connection is `Partial` if a part could not be read.

        Raises:
            GatewayError: ``after`` is no cursor of this edge, the service refuses an id,
                or nothing could be read.
        """
        window = self._node.window
        if window is None or not window.read:
            return Found([], {})
        start = None if self._after is None else self._start(self._after)
        containers = await self._outermost()
        evidence = self._step.spec.sources[-1].evidence
        if len(self._node.sources) > 1:
            containers = await self._inner(containers, evidence, start)
        if evidence is None:
            rows, whole = await self._of(containers, start, window.first), True
        else:
            rows, whole = await self._newest(containers, evidence, start, window.first)
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

    async def _outermost(self) -> list[Row]:
        source = self._node.sources[0]
        path = str(self._node.address)
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

    async def _inner(
        self, containers: list[Row], evidence: Evidence | None, start: Key | None
    ) -> list[Row]:
        """The inner containers that can hold a row that passes and comes after ``start``, the last
        changed first."""
        found = await asyncio.gather(*(self._inside(outer, evidence) for outer in containers))
        inner = _once([row for rows in found for row in rows])
        if evidence is None:
            return inner
        if start is not None:
            kept = [row for row in inner if (evidence.begun(row) or "") <= start[0]]
            self._unread.read = self._unread.read or len(kept) < len(inner)
            inner = kept
        return sorted(inner, key=lambda row: evidence.changed(row) or _NOW, reverse=True)

    async def _inside(self, container: Row, evidence: Evidence | None) -> list[Row]:
        rows: list[Row] = []
        try:
            await self._collect(rows, self._narrowed(container, evidence))
        except GatewayError as error:
            self._unread.add(error, container)
            whole = False
        else:
            whole = True
        if evidence is not None:
            rows = [row for row in rows if evidence.can_hold(row, self._step.filter)]
        self._unread.read = self._unread.read or (whole and not rows)
        return rows

    def _narrowed(self, container: Row, evidence: Evidence | None) -> AsyncIterator[list[Row]]:
        """Pages of the containers in one, narrowed by the service, or here where it can't."""
        source = self._node.sources[1]
        path = f"{container[ADDRESS]}/{source.path}"
        plain, condition = self._step.containers(1, self._reader.allows), self._step.condition(1)
        if evidence is None or not condition:
            return self._rows(source, path, plain, container)
        names = (name for name in properties_of(condition) if name not in evidence.facts)
        every = Options(source.select(listed=True, extra=(*evidence.facts, *names)))
        holds = predicate(condition)

        async def here() -> AsyncIterator[list[Row]]:
            async for rows in self._rows(source, path, every, container):
                yield [row for row in rows if holds(row) is True]

        return self._either(
            f"$filter {source.entity.name} by null",
            path,
            compile_filter(evidence.probe) or "",
            self._rows(source, path, plain, container),
            here,
        )

    async def _newest(
        self, containers: list[Row], evidence: Evidence, start: Key | None, first: int
    ) -> tuple[list[Row], bool]:
        """Enough rows for the window, and whether these are all."""
        rows: list[Row] = []
        place = 0
        while place < len(containers):
            if len(rows) > first:
                times = sorted((comparable(row[self._by]) for row in rows), reverse=True)
                if (evidence.changed(containers[place]) or _NOW) < times[first]:
                    return rows, False
            size = self._round(containers[place:], evidence, first + 1 - len(rows))
            rows += await self._of(containers[place : place + size], start, first)
            place += size
        return rows, True

    def _round(self, containers: list[Row], evidence: Evidence, wanted: int) -> int:
        """The number of ``containers`` to ask at once: so many as can be expected to hold the rows
        that are wanted, in full batches; all that can't wait are among them."""
        expected = 0
        for asked, container in enumerate(containers):
            enough = expected >= wanted and evidence.changed(container) is not None
            if enough and asked and asked % batch.MAX_ITEMS == 0:
                return asked
            expected += evidence.expected(container, self._step.filter)
        return len(containers)

    async def _of(self, parents: Sequence[Row], start: Key | None, first: int) -> list[Row]:
        """The first rows below each parent that pass and come after ``start``, one more at most."""
        found = await asyncio.gather(*(self._below(parent, start, first) for parent in parents))
        return [row for rows in found for row in rows]

    async def _below(self, parent: Row, start: Key | None, first: int) -> list[Row]:
        node, owner = self._node, self._step.owner
        of = (self._step.spec.of or ("", ""))[1]
        path = f"{parent[ADDRESS]}/{node.navigation.name}"
        further = None if start is None else compile_filter({self._by: {"le": Time(start[0])}})
        wanted = self._step.rows(self._reader.allows, further)
        wanted_id = comparable(owner)

        def passes(row: Row) -> bool:
            if owner is not None and comparable(key_of(row.get(of) or {})) != wanted_id:
                return False
            if self._passes(row) is not True:
                return False
            return start is None or self._key(row, parent) < start

        rows: list[Row] = []
        times: list[str] = []
        try:
            async for raw in self._of_owner(path, wanted, owner, parent):
                self._unread.read = True
                placed = [row for row in raw if self._has_place(row)]
                times += [comparable(row[self._by]) for row in placed]
                rows += [adopt(node, row, path, parent) for row in placed if passes(row)]
                if len(placed) < len(raw):
                    message = f"the service answered a row without {self._by}"
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

    def _of_owner(
        self, path: str, wanted: Options, owner: str | None, parent: Row
    ) -> AsyncIterator[list[Row]]:
        """Pages of rows, with what they are of in the filter as long as the service takes it.

        The documents name the filter without its syntax (questions.md, point 9), so the rows are
        checked here in any case.
        """
        entity = self._node.entity.name
        every = self._pages(path, wanted, self._node, parent)
        if owner is None:
            return every
        narrowed = self._step.narrowed(wanted, owner)
        argument, name = self._step.spec.of or ("", "")
        return self._either(
            f"$filter {entity}.{name}/id",
            path,
            self._step.of_owner(NIL),
            self._pages(path, narrowed, self._node, parent),
            lambda: every,
            argument=argument if wanted.filter is None else None,
        )

    async def _either(
        self,
        capability: str,
        path: str,
        own: str,
        narrowed: AsyncIterator[list[Row]],
        every: Callable[[], AsyncIterator[list[Row]]],
        *,
        argument: str | None = None,
    ) -> AsyncIterator[list[Row]]:
        """Pages with a filter, or without it if it is proven that the service takes none such.

        Args:
            capability: to use the filter.
            path: of the collection; no id in it is a caller's.
            own: a filter of the same kind with no value of a caller.
            narrowed: the pages with the filter.
            every: makes the pages without it.
            argument: the one that alone a refusal can be for, if there is such a one.
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
                if argument is not None:
                    message = f"the service takes no such id: {refused.message}"
                    raise BadUserInput(message, argument=argument)
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
        """The place of a row; two containers may have rows of one time and one id."""
        where = parent[ADDRESS].removeprefix(f"{self._node.address}/")
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

    def _watermark(self, rows: list[Row]) -> str | None:
        """The time to ask with next: the last that a row changed at, but where something could not
        be read the one that was asked with."""
        since = self._step.spec.since
        if since is None:
            return None
        given = self._given.get(since[0])
        asked = str(given) if given is not None else None
        if self._unread.parts:
            return asked
        times = [row.get(name) for row in rows for name in since[1]]
        known = [time for time in (*times, asked) if isinstance(time, str) and instant(time)]
        return max(known, key=comparable, default=None)

    def _connection(self, rows: list[Row], more: bool, start: Key | None, total: Any) -> Row:
        window = self._node.window
        cursor: Callable[[Row], str] = self._cursor
        connection: Row = {"nodes": rows, "totalCount": total, "unread": self._unread.rows()}
        if window is not None and window.watermark:
            connection["watermark"] = self._watermark(rows)
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
