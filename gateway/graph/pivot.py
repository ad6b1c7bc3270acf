"""The pivot: an edge whose rows come with, beside or after its parents'."""

import logging
from abc import abstractmethod
from collections.abc import Callable
from functools import partial

from gateway.graph.probe import expansion_of
from gateway.graph.reader import Reader
from gateway.graph.regroup import Flat, repeats
from gateway.graph.rows import adopt_all, fail, lack, need_nothing, stitch_list
from gateway.graph.steps import Steps
from gateway.odata.errors import GatewayError
from gateway.odata.query import Expand, Options
from gateway.plan import cost
from gateway.plan.layout import ADDRESS
from gateway.plan.nodes import PlanNode
from gateway.plan.rows import Row

_log = logging.getLogger(__name__)


class Pivots(Steps):
    """Settles pivots: by an expansion that is proven whole, by regrouping, or by requests.

    Args:
        reader: reads on behalf of the operation.
        counted: is told the rows that are in the answer once more, and raises at too many.
    """

    def __init__(self, reader: Reader, counted: Callable[[int], None]) -> None:
        super().__init__()
        self._reader = reader
        self._counted = counted
        self._undecided: list[Callable[[], None]] = []

    @abstractmethod
    def _schedule(self, node: PlanNode, parent: Row) -> None:
        """Put an edge of ``parent`` into the next layer."""

    @abstractmethod
    def _follow(
        self, node: PlanNode, rows: list[Row], *, listed: bool, expanded: Expand | None = None
    ) -> None:
        """Stitch what ``rows`` carry, and schedule what they do not."""

    def _beside(
        self, pivot: PlanNode, node: PlanNode, parent: Row, expand: Expand | None
    ) -> Flat | None:
        """The flat collection to read beside the rows of ``node``, if that pays."""
        regroup = pivot.navigation.regroup
        expanded = expand is not None and expand.name == pivot.navigation.name
        if regroup is None or expanded or node.parent is None:
            return None
        if node.parent.entity.name != regroup.on or node.narrowing.narrows:
            return None
        parents, targets = parent.get(regroup.parents), parent.get(regroup.targets)
        if not isinstance(parents, int) or not isinstance(targets, int):
            return Flat(first_page_only=True)
        if parents == 0:
            return None
        if node.window is not None:
            parents = min(parents, node.window.first)
        size = self._page_size(pivot, parent)
        besides = cost.beside(parents, targets, size)
        if self._reader.costs.prefers(besides, cost.afterwards(parents, size)):
            return Flat()
        return None

    def _settle(
        self,
        pivot: PlanNode,
        node: PlanNode,
        parent: Row,
        rows: list[Row],
        flat: Flat | None,
        expanded: bool,
        whole: bool,
    ) -> None:
        """Settle what came with or beside ``rows``; what is left is decided in the next layer."""
        unsettled = self._settle_expanded(pivot, node, rows) if expanded else rows
        if flat:
            unsettled = self._settle_grouped(pivot, parent, unsettled, rows, flat, whole)
        if unsettled:
            decide = partial(self._decide, pivot, parent, unsettled, rows, flat, whole)
            self._undecided.append(partial(self._now, [(pivot, row) for row in unsettled], decide))

    def _decide(
        self,
        pivot: PlanNode,
        parent: Row,
        unsettled: list[Row],
        rows: list[Row],
        flat: Flat | None,
        whole: bool,
    ) -> None:
        """Regroup or request, for the parents whose rows are still missing."""
        regroup = pivot.navigation.regroup
        targets = parent.get(regroup.targets) if regroup else None
        if isinstance(targets, int) and (flat is None or flat.next is not None):
            left = targets - len(flat.rows) if flat else targets
            size = self._page_size(pivot, parent)
            if self._reader.costs.prefers(cost.regroup(left, size), cost.request(len(unsettled))):
                flat = flat or Flat()
                flat.first_page_only = False
                self._work(
                    [(pivot, row) for row in unsettled],
                    partial(self._regroup, pivot, parent, unsettled, rows, flat, whole),
                )
                return
        for row in unsettled:
            self._schedule(pivot, row)

    async def _regroup(
        self,
        pivot: PlanNode,
        parent: Row,
        unsettled: list[Row],
        rows: list[Row],
        flat: Flat,
        whole: bool,
    ) -> None:
        await self._read_flat(pivot, parent, flat)
        for row in self._settle_grouped(pivot, parent, unsettled, rows, flat, whole):
            self._schedule(pivot, row)

    def _flat_options(self, pivot: PlanNode) -> Options:
        """How the flat collection with the rows of ``pivot`` is asked for."""
        regroup = pivot.navigation.regroup
        extra = () if regroup is None else (regroup.key,)
        return Options(pivot.select(listed=True, extra=extra), self._expand(pivot, listed=True))

    def _flat_path(self, pivot: PlanNode, parent: Row) -> str:
        """Where the flat collection below ``parent`` is."""
        regroup = pivot.navigation.regroup
        return f"{parent[ADDRESS]}/{regroup.collection if regroup else pivot.navigation.name}"

    async def _read_flat(self, pivot: PlanNode, parent: Row, flat: Flat) -> None:
        """Read the flat collection; if that fails, what it lacks is requested one by one."""
        if flat.pages is None:
            options, path = self._flat_options(pivot), self._flat_path(pivot, parent)
            flat.pages = self._reader.pages(path, options, pivot, flat.next)
        try:
            async for page in flat.pages:
                flat.take(page)
                if flat.first_page_only:
                    break
        except GatewayError:
            flat.failed = True
        except Exception:
            _log.exception("a collection can't be regrouped")
            flat.failed = True

    def _settle_grouped(
        self,
        pivot: PlanNode,
        parent: Row,
        unsettled: list[Row],
        rows: list[Row],
        flat: Flat,
        whole: bool,
    ) -> list[Row]:
        """Stitch what the flat collection holds; the parents that remain are returned."""
        regroup = pivot.navigation.regroup
        targets = parent.get(regroup.targets) if regroup else None
        groups, remaining = flat.groups(
            pivot.navigation,
            unsettled,
            rows,
            whole=whole,
            expected=targets if type(targets) is int else None,
        )
        settled = self._dealt(pivot, groups, flat)
        self._follow(pivot, settled, listed=True)
        return remaining

    def _dealt(self, pivot: PlanNode, groups: list[tuple[Row, list[Row]]], flat: Flat) -> list[Row]:
        """Stitch each group below its parent; all rows that were."""
        if not pivot.views and need_nothing(pivot, flat.rows):
            for parent, group in groups:
                parent[pivot.key] = group
            return [row for _, group in groups for row in group]
        return [row for parent, group in groups for row in self._stitch(pivot, parent, group)]

    def _settle_expanded(self, pivot: PlanNode, node: PlanNode, rows: list[Row]) -> list[Row]:
        """Stitch what came expanded and is proven complete; the other parents are returned."""
        name, count = pivot.navigation.name, pivot.navigation.count
        feature = expansion_of(node, pivot)
        expected = [row for row in rows if count is not None and row.get(count)]
        if expected and not any(name in row for row in expected):
            self._reader.doubt(feature)
            if node.navigation.across is None and not node.narrowing.narrows:
                place = expected[0].get(ADDRESS, "").rpartition("/")[0]
                self._reader.capabilities.ignored(feature, place)
        elif expected:
            self._reader.capabilities.accept(feature)
        remaining: list[Row] = []
        settled: list[Row] = []
        for row in rows:
            value = row.pop(name, None)
            if not isinstance(value, list):
                remaining.append(row)
            elif f"{name}@odata.nextLink" in row:
                self._work([(pivot, row)], partial(self._continue, pivot, row, value))
            elif count is not None and row.get(count) == len(value) and not repeats(value):
                settled += self._stitch(pivot, row, value)
            else:
                remaining.append(row)
        self._follow(pivot, settled, listed=True)
        return remaining

    async def _continue(self, node: PlanNode, row: Row, first: list[Row]) -> None:
        """Read the rest of an inlined collection."""
        name, error = node.navigation.name, None
        try:
            url = f"{row[ADDRESS]}/{name}" if ADDRESS in row else ""
            link = self._reader.next_link(row, name, url)
            rows, error = await self._reader.rest(first, link, node)
        except GatewayError as problem:
            rows, error = first, problem
        if error is not None and not rows:
            fail(node, row, error)
            return
        count = node.navigation.count
        said = row.get(count) if count is not None else None
        if error is None and type(said) is int and (said != len(rows) or repeats(rows)):
            self._schedule(node, row)
            return
        self._follow(node, self._stitch(node, row, rows), listed=True)
        if error is not None:
            lack(node, row, error)

    def _stitch(self, node: PlanNode, row: Row, targets: list[Row]) -> list[Row]:
        try:
            path = f"{row[ADDRESS]}/{node.path}" if ADDRESS in row else ""
            adopted, problem = adopt_all(node, targets, path, row)
            stitch_list(node, row, adopted, self._counted)
            if problem is not None:
                lack(node, row, problem)
        except Exception as error:
            fail(node, row, error)
            return []
        return adopted

    def _page_size(self, pivot: PlanNode, parent: Row) -> int:
        regroup = pivot.navigation.regroup
        collection = regroup.collection if regroup else pivot.navigation.name
        return self._reader.page_size(f"{parent[ADDRESS]}/{collection}", pivot.entity.name)

    def _expand(self, node: PlanNode, *, listed: bool) -> Expand | None:
        return node.expansion(listed=listed, allows=self._reader.allows)
