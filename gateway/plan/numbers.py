"""The cost of a program for a tenant of a given size: the numbers that `explain` prints."""

from collections import Counter
from collections.abc import Mapping
from math import ceil

from gateway.odata.address import Address
from gateway.plan.across import Across
from gateway.plan.choice import Choice, Extent
from gateway.plan.cost import CostModel, pages
from gateway.plan.lookup import MAX_IDS_BY_IDS, MAX_IDS_IN_FILTER
from gateway.plan.model import Shape
from gateway.plan.nodes import PlanNode
from gateway.plan.program import Program
from gateway.plan.steps import (
    Allows,
    Carried,
    Expanded,
    Hydrate,
    Inline,
    Join,
    Kind,
    ReadDetails,
    ReadEntity,
    ReadList,
    Regrouped,
    Step,
    expansion_of,
)

_BATCH = 20


class Numbers:
    """The requests that each step sends, at most.

    Attributes:
        items, rows: of each step.
        open: whether more is read below the rows of a list of unknown length, which counts as one
            row: then it is not at most, but at least.

    Args:
        program: what is asked.
        sizes: for each entity of the chain of containers, outermost first, how many there are in
            one of the entity before it. Of any other there are as many as a connection asks for.
        page_size: rows of a page.
        costs: compares strategies.
        allows: the capabilities of the service.
    """

    def __init__(
        self,
        program: Program,
        sizes: Mapping[str, int],
        page_size: int,
        costs: CostModel,
        allows: Allows,
    ) -> None:
        self.items: Counter[Step] = Counter()
        self.rows: Counter[Step] = Counter()
        self.open = False
        self._program = program
        self._sizes = sizes
        self._page_size = page_size
        self._costs = costs
        self._allows = allows
        for node in program.root.children.values():
            if node.error is not None:
                continue
            across = node.steps.get(Across)
            if across is not None:
                self._across(node, across)
            else:
                self._edge(node, 1, "")

    @property
    def total(self) -> int:
        """Requests in all, each item of a `$batch` counted."""
        return self.items.total()

    @property
    def http_requests(self) -> int:
        """HTTP requests: those of a layer travel together."""
        layers: Counter[int] = Counter()
        for step, items in self.items.items():
            layers[step.layer] += items
        return sum(ceil(items / _BATCH) for items in layers.values())

    def _count(self, node: PlanNode, kind: type[Step], items: int, rows: int = 0) -> None:
        step = node.steps.get(kind)
        if step is not None:
            self.items[step] += items
            self.rows[step] += rows

    def _known(self, entity: str, above: str) -> bool:
        """Whether `_in` is told by the sizes."""
        chain = list(self._sizes)
        return entity in chain and (above not in chain or chain.index(above) < chain.index(entity))

    def _in(self, entity: str, above: str) -> int:
        """The number of ``entity`` in one of ``above``; of all there are, without it."""
        chain = list(self._sizes)
        if not self._known(entity, above):
            return 1
        first = chain.index(above) + 1 if above in chain else 0
        found = 1
        for name in chain[first : chain.index(entity) + 1]:
            found *= self._sizes[name]
        return found

    def _edge(self, node: PlanNode, parents: int, above: str) -> None:
        """An edge below ``parents`` rows of type ``above``."""
        if node.error is not None:
            return
        if node.navigation.shape is Shape.SINGLE:
            named = isinstance(node.address, Address) or node.navigation.container is None
            items = parents if named else min(parents, self._in(node.entity.name, ""))
            self._count(node, ReadEntity, items, items)
            self._below(node, items, 1)
            return
        found = self._in(node.entity.name, above)
        if not self._known(node.entity.name, above):
            if node.window is not None:
                found = node.window.first
            self.open |= _is_open(node)
        each = found if node.window is None else min(found, node.window.first)
        if node.window is not None and not node.window.rows:
            each = 0
        self._count(node, ReadList, parents * pages(each, self._page_size), parents * each)
        self._count(node, ReadDetails, parents * each)
        self._below(node, parents, each)

    def _below(self, node: PlanNode, parents: int, each: int) -> None:
        """Count what hangs below the rows of a node, ``each`` for every one of ``parents``."""
        rows = parents * each
        for child in node.children.values():
            if child is node.pivot and Choice in child.steps:
                self._choice(node, child, parents, each)
            elif _is_read(child):
                self._edge(child, rows, node.entity.name)
            else:
                self._carried(child, rows)

    def _carried(self, node: PlanNode, rows: int) -> None:
        self.open |= _is_open(node)
        self._count(node, Join, 1)
        lookups, carried = self._program.lookups, node.steps.get(Carried)
        rides = carried is not None and carried.told(self._allows)[0] is Kind.EXPAND
        if lookups is not None and lookups.expand is not None:
            rides = rides or lookups.expand.name == node.navigation.name
        if Hydrate in node.steps and lookups is not None and not rides:
            many = lookups.by_ids and rows > MAX_IDS_IN_FILTER
            self._count(node, Hydrate, ceil(rows / (MAX_IDS_BY_IDS if many else MAX_IDS_IN_FILTER)))
        for child in node.children.values():
            if _is_read(child):
                self._edge(child, rows, node.entity.name)
            else:
                self._carried(child, rows)

    def _choice(self, node: PlanNode, pivot: PlanNode, lists: int, each: int) -> None:
        choice: Choice = pivot.steps[Choice]
        targets = self._in(pivot.entity.name, node.entity.name)
        rows = lists * each * targets
        regroup = pivot.navigation.regroup
        if Expanded in pivot.steps and self._allows(expansion_of(node, pivot)):
            self._count(pivot, Expanded, 0, rows)
        elif regroup is not None and Regrouped in pivot.steps:
            all_ = self._in(node.entity.name, regroup.on)
            told = {regroup.parents: all_, regroup.targets: all_ * targets}
            limit = node.window.first if node.window is not None else None
            extent, _ = choice.beside(told, limit, self._page_size, self._costs)
            way, _ = choice.afterwards(told, 0, each, self._page_size, self._costs)
            if extent is Extent.ALL or way is Kind.REGROUP:
                flat = pages(all_ * targets, self._page_size)
                self._count(pivot, Regrouped, lists * flat, rows)
            else:
                self._count(pivot, ReadList, lists * each, rows)
        else:
            self._count(pivot, ReadList, lists * each, rows)
        self._below(pivot, lists * each, targets)

    def _across(self, node: PlanNode, step: Step) -> None:
        """Containers, those in them, and the rows of each: at most, if all can hold a row."""
        items = above = 1
        for place, source in enumerate(node.sources):
            number = self._in(source.entity.name, "")
            items = items + above if place else pages(number, self._page_size)
            above = number
        self.items[step] += items + above
        each = min(
            node.window.first if node.window else self._page_size,
            self._in(node.entity.name, ""),
        )
        self.rows[step] += each
        self._below(node, 1, each)
        for source in node.sources:
            self._count(source, ReadDetails, each)
            self._below(source, 1, min(each, self._in(source.entity.name, "")))


def _is_read(node: PlanNode) -> bool:
    """Whether an edge is asked for by itself, and not only where it is not inside the row above."""
    if Inline in node.steps or Expanded in node.steps:
        return False
    return ReadList in node.steps or ReadEntity in node.steps


def _is_open(node: PlanNode) -> bool:
    """Whether something is asked for below each row of a list."""

    def is_asked(child: PlanNode) -> bool:
        return _is_read(child) or Hydrate in child.steps or below(child)

    def below(above: PlanNode) -> bool:
        return any(map(is_asked, above.children.values()))

    return node.navigation.shape is Shape.LIST and below(node)
