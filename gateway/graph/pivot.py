"""The pivot: an edge whose rows come with, beside or after its parents'."""

import logging
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from gateway.errors import GatewayError
from gateway.graph.pages import Page, Pages
from gateway.graph.reader import Asking, Reader
from gateway.graph.record import on
from gateway.graph.replies import Reply
from gateway.graph.work import Works
from gateway.odata.query import Expand
from gateway.plan.choice import Choice, Extent
from gateway.plan.layout import ADDRESS
from gateway.plan.nodes import PlanNode
from gateway.plan.regroup import Flat, repeats
from gateway.plan.rows import Row
from gateway.plan.steps import (
    Expanded,
    Kind,
    ReadList,
    Regrouped,
    Step,
    expansion_of,
    step_of,
)
from gateway.plan.stitch import adopt_all, fail, lack, need_nothing, stitch_list

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Beside(Flat):
    """A flat collection on its way.

    Attributes:
        pages: those that were begun to be read.
        why: it is read.
    """

    pages: Pages | None = None
    why: str = ""

    def takes(self, page: Page) -> None:
        """Take a page."""
        self.take(page.rows, page.next, whole=page.unreadable is None)

    def takes_first(self, asking: Asking, reply: Reply) -> bool:
        """Take the first page, if it is one; whether that is all that is wanted for now.

        Args:
            asking: how it was asked for.
            reply: what was answered.
        """
        try:
            page = self.pages.first(asking, reply) if self.pages is not None else None
        except GatewayError:
            page = None
        if page is None:
            self.pages = None
            return False
        self.takes(page)
        return self.first_page_only or page.last


class Pivots(Works):
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
    ) -> Beside | None:
        """The flat collection to read beside the rows of ``node``, if that pays."""
        expanded = expand is not None and expand.name == pivot.navigation.name
        choice: Choice | None = pivot.steps.get(Choice)
        if choice is None or Regrouped not in pivot.steps or expanded or node.narrowing.narrows:
            return None
        limit = node.window.first if node.window is not None else None
        extent, why = choice.beside(parent, limit, self._page_size(pivot), self._reader.costs)
        if extent is Extent.NOTHING:
            return None
        return Beside(first_page_only=extent is Extent.ONE_PAGE, why=why)

    def _settle(
        self,
        pivot: PlanNode,
        node: PlanNode,
        parent: Row,
        rows: list[Row],
        flat: Beside | None,
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
        flat: Beside | None,
        whole: bool,
    ) -> None:
        """Regroup or request, for the parents whose rows are still missing."""
        way, why = Kind.READ, "there is no other way"
        choice: Choice | None = pivot.steps.get(Choice)
        if choice is not None and Regrouped in pivot.steps:
            why = "what was read beside did not settle them"
            if flat is None or flat.next is not None:
                known, size = len(flat.rows) if flat else 0, self._page_size(pivot)
                costs, rows_ = self._reader.costs, len(unsettled)
                way, why = choice.afterwards(parent, known, rows_, size, costs)
        if way is Kind.REGROUP:
            flat = flat or Beside()
            flat.first_page_only, flat.why = False, why
            self._work(
                [(pivot, row) for row in unsettled],
                partial(self._regroup, pivot, parent, unsettled, rows, flat, whole),
                step_of(pivot, Regrouped),
            )
            return
        self._chose(pivot, ReadList, unsettled, why)
        for row in unsettled:
            self._schedule(pivot, row)

    def _came(self, node: PlanNode, rows: list[Row], *kinds: type[Step]) -> None:
        """Note rows of the step of ``node`` that is one of ``kinds``."""
        if self._reader.record is None:
            return
        step = next((node.steps[kind] for kind in kinds if kind in node.steps), None)
        if step is not None:
            self._reader.record.came(len(rows), step)

    def _chose(self, node: PlanNode, kind: type[Step], rows: list[Any], why: str) -> None:
        """Note how some rows are had."""
        if self._reader.record is not None:
            self._reader.record.chose(node.steps.get(kind), len(rows), why)

    async def _regroup(
        self,
        pivot: PlanNode,
        parent: Row,
        unsettled: list[Row],
        rows: list[Row],
        flat: Beside,
        whole: bool,
    ) -> None:
        await self._read_flat(pivot, parent, flat)
        for row in self._settle_grouped(pivot, parent, unsettled, rows, flat, whole):
            self._schedule(pivot, row)

    async def _read_flat(self, pivot: PlanNode, parent: Row, flat: Beside) -> None:
        """Read the flat collection; if that fails, what it lacks is requested one by one."""
        step = step_of(pivot, Regrouped)
        if flat.pages is None:
            options, path = step.options(self._reader.allows), step.path(parent)
            flat.pages = self._reader.pages(path, options, pivot, flat.next)
        try:
            with on(step):
                async for page in flat.pages:
                    flat.takes(page)
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
        flat: Beside,
        whole: bool,
    ) -> list[Row]:
        """Stitch what the flat collection holds; the parents that remain are returned."""
        step = step_of(pivot, Regrouped)
        groups, remaining = step.absorb(parent, unsettled, rows, flat, whole=whole)
        self._chose(pivot, Regrouped, groups, flat.why)
        settled = self._dealt(pivot, groups, flat)
        self._follow(pivot, settled, listed=True)
        return remaining

    def _dealt(
        self, pivot: PlanNode, groups: list[tuple[Row, list[Row]]], flat: Beside
    ) -> list[Row]:
        """Stitch each group below its parent; all rows that were."""
        if not pivot.views and need_nothing(pivot, flat.rows):
            for parent, group in groups:
                parent[pivot.key] = group
            return [row for _, group in groups for row in group]
        return [row for parent, group in groups for row in self._stitch(pivot, parent, group)]

    def _settle_expanded(self, pivot: PlanNode, node: PlanNode, rows: list[Row]) -> list[Row]:
        """Stitch what came expanded and is proven complete; the other parents are returned."""
        feature, step = expansion_of(node, pivot), step_of(pivot, Expanded)
        came = step.came(rows)
        if came is False:
            self._reader.doubt(feature)
            if node.navigation.across is None and not node.narrowing.narrows:
                place = rows[0].get(ADDRESS, "").rpartition("/")[0]
                self._reader.capabilities.ignored(feature, place)
        elif came:
            self._reader.capabilities.accept(feature)
        proven, unfinished, remaining = step.absorb(rows)
        self._chose(pivot, Expanded, proven, "their number proves them whole")
        self._chose(pivot, Expanded, unfinished, "the rest is read behind their link")
        for row, first in unfinished:
            self._work([(pivot, row)], partial(self._continue, pivot, row, first), step)
        settled = [found for row, rows_ in proven for found in self._stitch(pivot, row, rows_)]
        self._came(pivot, settled, Expanded)
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

    def _page_size(self, pivot: PlanNode) -> int:
        regroup = pivot.navigation.regroup
        collection = regroup.collection if regroup else pivot.navigation.name
        return self._reader.page_sizes[f"{pivot.entity.name} {collection}"]

    def _expand(self, node: PlanNode, *, listed: bool) -> Expand | None:
        return node.expansion(listed=listed, allows=self._reader.allows)
