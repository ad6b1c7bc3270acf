"""The choice between several ways to have the rows of a place, as a function of what is known."""

from enum import Enum

from gateway.plan import cost
from gateway.plan.cost import CostModel
from gateway.plan.rows import Row
from gateway.plan.steps import Kind, Step


class Extent(Enum):
    """The part of a flat collection that is read beside the rows that it is dealt out to."""

    NOTHING = "nothing"
    ONE_PAGE = "one page"
    ALL = "all"


class Choice(Step):
    """One of several ways, for each row the cheapest that can be proven right.

    An expansion is used where the service takes it. What it does not prove whole is decided for the
    rows of one list together: by what the row above them tells of their number and of that of the
    rows wanted, and by the size of pages.
    """

    kind = Kind.CHOICE

    def beside(
        self, grandparent: Row, limit: int | None, size: int, costs: CostModel
    ) -> tuple[Extent, str]:
        """The extent of the flat collection to read while the rows are read, and why.

        Args:
            grandparent: the row above the list.
            limit: how many rows are wanted of it at most.
            size: rows on a page of the flat collection.
            costs: compares.
        """
        regroup = self.node.navigation.regroup
        if regroup is None:
            return Extent.NOTHING, ""
        parents, targets = grandparent.get(regroup.parents), grandparent.get(regroup.targets)
        if not isinstance(parents, int) or not isinstance(targets, int):
            return Extent.ONE_PAGE, "how many there are is not known yet"
        if parents == 0:
            return Extent.NOTHING, ""
        parents = parents if limit is None else min(parents, limit)
        beside, later = cost.beside(parents, targets, size), cost.afterwards(parents, size)
        if costs.prefers(beside, later):
            return Extent.ALL, f"beside: {beside} instead of {later}"
        return Extent.NOTHING, ""

    def afterwards(
        self, grandparent: Row, known: int, rows: int, size: int, costs: CostModel
    ) -> tuple[Kind, str]:
        """The way to have what the ``rows`` that were read still lack, and the reason.

        Args:
            grandparent: the row above the list.
            known: how many rows of the flat collection were read already.
            rows: how many lack theirs.
            size, costs: as for `beside`.
        """
        regroup = self.node.navigation.regroup
        each = cost.request(rows)
        targets = grandparent.get(regroup.targets) if regroup is not None else None
        if not isinstance(targets, int):
            return Kind.READ, f"one by one: {each}; how many there are is not known"
        flat = cost.regroup(targets - known, size)
        if costs.prefers(flat, each):
            return Kind.REGROUP, f"afterwards: {flat} instead of {each}"
        return Kind.READ, f"one by one: {each} instead of {flat}"
