"""Lists and connections: all that one edge leads to from the rows of a layer is read together.

Nearly always the first page of each is all that is wanted. So the first pages of a step are asked
for at once, and each list that has enough with its own is settled there and then, without a task.
What needs more (a further page, a cursor, another try) goes on by itself.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from gateway.errors import GatewayError
from gateway.graph.pivot import Beside, Pivots
from gateway.graph.reader import Asking, Reader
from gateway.graph.record import on
from gateway.graph.replies import Reply
from gateway.graph.window import Slice, WindowReader
from gateway.graph.work import Breath
from gateway.odata.cursor import CursorCodec
from gateway.plan.nodes import PlanNode
from gateway.plan.reckon import Reckoning
from gateway.plan.rows import Row
from gateway.plan.steps import ReadList, Regrouped, step_of
from gateway.plan.stitch import adopt_page, collection_path, fail, lack, stitch_list


@dataclass(slots=True)
class _List:
    """A list on its way.

    Attributes:
        parent: the row that it hangs below.
        path: where it is.
        window: reads the asked part of it.
        first: its first page; ``None`` where it begins elsewhere.
        found: the asked part, once it is there.
        flat: the collection that is read beside it, if one is.
        beside: the first page of that; ``None`` once all that is wanted of it is there.
    """

    parent: Row
    path: str
    window: WindowReader
    first: asyncio.Future[Reply] | None = None
    found: Slice | None = None
    flat: Beside | None = None
    beside: asyncio.Future[Reply] | None = None


class Lists(Pivots):
    """Reads lists.

    Args:
        reader: reads on behalf of the operation.
        cursors: writes and reads the cursors of connections.
        counted: is told the rows that are in the answer once more, and raises at too many.
    """

    def __init__(
        self, reader: Reader, cursors: CursorCodec, counted: Callable[[int], None]
    ) -> None:
        super().__init__(reader, counted)
        self._cursors = cursors
        self._limits: dict[tuple[PlanNode, int], tuple[int, GatewayError]] = {}

    def _affordable(self, node: PlanNode, parents: list[Row], left: int) -> tuple[list[Row], int]:
        """Those of ``parents`` whose lists can be had for ``left`` requests with all that hangs
        below them, and what they need; the others get the error that says so.

        The first that does not fit is cut short to what is left, so that it can be gone on with.
        """
        if node.pivot is None or not parents:
            return parents, len(parents)
        expand = self._expand(node, listed=True)
        expanded = expand is not None and expand.name == node.pivot.navigation.name
        reckoning = Reckoning(node, self._page_size(node.pivot), expanded)
        if reckoning.most(parents) <= left:
            return parents, len(parents)
        needs = [reckoning.requests(parent) for parent in parents]
        total = sum(needs)
        if total <= left or total == len(parents):
            return parents, total
        error = self._reader.beyond(total)
        kept: list[Row] = []
        beyond: list[Row] = []
        spent = 0
        for parent, needed in zip(parents, needs, strict=True):
            fits = spent + needed <= left
            spent += needed if fits else 0
            (kept if fits else beyond).append(parent)
        if beyond and node.window is not None:
            rows = reckoning.affordable(beyond[0], left - spent)
            if rows:
                self._limits[node, id(beyond[0])] = rows, error
                kept.append(beyond.pop(0))
                spent = left
        for parent in beyond:
            fail(node, parent, error.copy())
        return kept, spent

    async def _read_lists(self, node: PlanNode, parents: list[Row]) -> None:
        """Read the list, or the asked part of the connection, that hangs below each parent."""
        if node.window is not None and not node.window.read:
            for parent in parents:
                parent[node.key] = {}
            return
        step = step_of(node, ReadList)
        asking = self._reader.asking(step.options(self._reader.allows), node)
        pivot, grouped = node.pivot, None
        if pivot is not None and (regrouped := pivot.steps.get(Regrouped)) is not None:
            grouped = self._reader.asking(regrouped.options(self._reader.allows), pivot)
        lists = []
        for parent in parents:
            with _Guard(node, parent):
                lists.append(self._opened(node, parent, asking, grouped))
        loading = {future for item in lists for future in (item.first, item.beside) if future}
        for future in loading:
            if not future.done():
                with suppress(Exception):
                    await future
        late = []
        breath = Breath()
        for item in lists:
            await breath.taken()
            with _Guard(node, item.parent):
                if not self._is_whole(node, item, asking, grouped):
                    late.append(item)
                elif item.found is not None:
                    self._arrived(node, item, item.found)
        if late:
            async with asyncio.TaskGroup() as group:
                for item in late:
                    group.create_task(self._go_on(node, item))

    def _opened(self, node: PlanNode, parent: Row, asking: Asking, grouped: Asking | None) -> _List:
        """A list whose first page, and that of what is read beside it, are on their way."""
        path = collection_path(node, parent)
        window = WindowReader(self._reader, self._cursors, node, path, asking.options)
        item = _List(parent, path, window)
        window.limit = limit = self._limits.pop((node, id(parent)), None)
        if window.begins_at_the_first:
            item.first = asking.load(path)
        if node.pivot is not None and grouped is not None and limit is None:
            item.flat = self._beside(node.pivot, node, parent, asking.options.expand)
            if item.flat is not None:
                step = step_of(node.pivot, Regrouped)
                with on(step):
                    item.beside = grouped.load(step.path(parent))
        return item

    def _is_whole(
        self, node: PlanNode, item: _List, asking: Asking, grouped: Asking | None
    ) -> bool:
        """Whether all that is wanted is there with the first pages."""
        if item.first is not None and item.first.exception() is None:
            item.found = item.window.at_once(asking, item.first.result())
        pivot, flat, beside = node.pivot, item.flat, item.beside
        if pivot and flat and grouped and beside is not None and beside.exception() is None:
            step = step_of(pivot, Regrouped)
            flat.pages = self._reader.pages(step.path(item.parent), grouped.options, pivot)
            with on(step):
                if flat.takes_first(grouped, beside.result()):
                    item.beside = None
        return item.found is not None and item.beside is None

    async def _go_on(self, node: PlanNode, item: _List) -> None:
        """Read what is still wanted of a list, and of what is read beside it."""
        with _Guard(node, item.parent):
            async with asyncio.TaskGroup() as group:
                if node.pivot is not None and item.flat is not None and item.beside is not None:
                    group.create_task(self._read_flat(node.pivot, item.parent, item.flat))
                reading = group.create_task(_outcome(item))
            outcome = reading.result()
            if isinstance(outcome, GatewayError):
                raise outcome
            self._arrived(node, item, outcome)

    def _arrived(self, node: PlanNode, item: _List, found: Slice) -> None:
        """Stitch a list, and what came with it or beside it."""
        parent, pivot = item.parent, node.pivot
        rows = adopt_page(node, found.rows, item.path, parent)
        if node.window is not None:
            parent[node.key] = item.window.connection(found, rows)
        else:
            stitch_list(node, parent, rows, self._counted)
        if (failure := item.window.failure(found)) is not None:
            lack(node, parent, failure)
        expanded = found.options.expand if found.options else None
        if pivot and rows:
            whole, settle = found.whole, self._settle
            self._now(
                [(pivot, row) for row in rows],
                partial(settle, pivot, node, parent, rows, item.flat, bool(expanded), whole),
            )
        self._follow(node, rows, listed=True, expanded=expanded)


class _Guard:
    """A guard: whatever breaks within fails one edge and no other."""

    __slots__ = ("_edge",)

    def __init__(self, node: PlanNode, parent: Row) -> None:
        self._edge = node, parent

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        if not isinstance(error, Exception):
            return False
        fail(*self._edge, error)
        return True


async def _outcome(item: _List) -> Slice | GatewayError:
    try:
        return item.found or await item.window.read()
    except GatewayError as error:
        return error
