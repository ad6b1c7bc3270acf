"""The requests still to come for the lists of a layer and for what hangs below them.

It is a lower bound, reckoned from what rows tell (a grandparent counts its parents and targets) and
from the page size seen. Where nothing is told, a list is one request, and what hangs below it is
reckoned when its rows are there.
"""

from dataclasses import dataclass
from functools import cached_property

from gateway.plan.cost import pages
from gateway.plan.model import Shape
from gateway.plan.nodes import PlanNode
from gateway.plan.rows import Row, values_of


@dataclass(frozen=True)
class Reckoning:
    """The needs of the lists of one place.

    Attributes:
        node: the place.
        size: rows on a page of it, and on one of the flat collection that its pivot is dealt from.
        expanded: whether the rows of its pivot come with its own.
    """

    node: PlanNode
    size: int
    expanded: bool

    @cached_property
    def each(self) -> int:
        """Requests that every row needs besides the pivot's."""
        node = self.node
        wanted = sum(_asks(child) for child in node.children.values() if child is not node.pivot)
        properties, edges = node.details
        return wanted + bool(properties or edges)

    def rows(self, above: Row) -> int | None:
        """The number of rows that the list below ``above`` gives; ``None`` if that is not known."""
        node, pivot = self.node, self.node.pivot
        regroup = pivot.navigation.regroup if pivot is not None else None
        if regroup is None or node.parent is None or node.parent.entity.name != regroup.on:
            return None
        told = above.get(regroup.parents)
        if type(told) is not int or told < 0 or node.narrowing.narrows:
            return None
        return told if node.window is None else min(told, node.window.first)

    def requests(self, above: Row) -> int:
        """The number of requests that the list below ``above`` needs, at least."""
        rows = self.rows(above)
        if rows is None or (self.node.window is not None and not self.node.window.rows):
            return 1
        return self._pages(rows) + rows * self.each + self._pivots(above, rows)

    def most(self, above: list[Row]) -> int:
        """More than the lists below all of ``above`` can need by `requests`, told at once."""
        pivot = self.node.pivot
        regroup = pivot.navigation.regroup if pivot is not None else None
        told = values_of(above, regroup.parents) if regroup is not None else []
        rows = sum(number for number in told if type(number) is int and number > 0)
        return rows * (2 + self.each) + 2 * len(above)

    def affordable(self, above: Row, left: int) -> int:
        """The number of rows of the list below ``above`` that can be had, with all below them,
        for ``left`` requests."""
        rows = self.rows(above)
        if rows is None or left < 1:
            return 0
        each = self.each + (self.node.pivot is not None and not self.expanded)
        if each == 0:
            return min(rows, (left - self._begun) * self.size)
        found = min(rows, left // each)
        while found > 0 and self._pages(found) + found * each > left:
            found -= 1
        return found

    def _pages(self, rows: int) -> int:
        return pages(rows, self.size) + self._begun

    @property
    def _begun(self) -> int:
        """Behind a cursor, the rows may begin late on their first page, and end on one more."""
        return int(self.node.arguments.get("after") is not None)

    def _pivots(self, above: Row, rows: int) -> int:
        """Requests for the rows of the pivot: a flat collection, or one each, whichever is less."""
        pivot = self.node.pivot
        regroup = pivot.navigation.regroup if pivot is not None else None
        if pivot is None or self.expanded or pivot.error is not None or rows == 0:
            return 0
        targets = above.get(regroup.targets) if regroup is not None else None
        return min(rows, pages(targets, self.size)) if type(targets) is int else 0


def _asks(child: PlanNode) -> int:
    """Whether an edge needs a request for each row above it, at least."""
    if child.error is not None or not child.needs_only_address:
        return 0
    if child.navigation.shape is Shape.SINGLE:
        return 0
    return int(child.window is None or child.window.read)
