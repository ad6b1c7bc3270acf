"""Regrouping: one flat collection on the grandparent, dealt out to the parents."""

from collections import Counter
from dataclasses import dataclass, field
from operator import attrgetter

from gateway.odata.address import key_of
from gateway.plan.model import Navigation
from gateway.plan.rows import ROWS, Row, values_of

_id = attrgetter("id")


@dataclass(slots=True)
class Flat:
    """A flat collection on its way.

    Attributes:
        first_page_only: whether to stop after a page, because it is not known yet if more pays.
        rows: the rows so far.
        next: where they go on; ``None`` before the first and after the last page.
        failed: a page could not be had.
    """

    first_page_only: bool = False
    rows: list[Row] = field(default_factory=list)
    next: str | None = None
    failed: bool = False

    def take(self, rows: list[Row], following: str | None, *, whole: bool = True) -> None:
        """Take the rows of a page.

        Args:
            rows: the rows.
            following: where they go on.
            whole: whether all of the page could be read.
        """
        self.rows += rows
        self.failed = self.failed or not whole
        self.next = following

    def groups(
        self,
        navigation: Navigation,
        unsettled: list[Row],
        rows: list[Row],
        *,
        whole: bool,
        expected: int | None = None,
    ) -> tuple[list[tuple[Row, list[Row]]], list[Row]]:
        """Each parent with its rows, and the parents that can't be settled from here.

        A group is right if no other parent can claim its rows (graph-lifecycle-api.md, section 8).
        So the key must occur once among the parents that were read, no row of the group twice, and
        the group must be as large as the parent says; that there are none is believed where all
        targets were read, because a count
        may lag behind. Where the parent does not say, all parents and all targets must have been
        read, and nothing may be odd about them: a row that no parent claims, a row that is there
        twice, a number that is not the expected one.

        Args:
            navigation: the edge, with its `regroup` and `count`.
            unsettled: the parents in question.
            rows: all parents that were read.
            whole: whether these are all parents of the grandparent.
            expected: how many targets the grandparent says that there are, if it does.
        """
        regroup, count = navigation.regroup, navigation.count
        if regroup is None:
            return [], unsettled
        by = regroup.key
        members: dict[str | None, list[Row]] = {}
        for key, target in zip(_ids_of(self.rows, by), self.rows, strict=True):
            members.setdefault(key, []).append(target)
        claims = Counter(_ids_of(rows, by))
        distinct = not repeats(self.rows)
        complete = self.next is None and not self.failed
        sound = (
            whole
            and complete
            and expected in (None, len(self.rows))
            and members.keys() <= claims.keys() - {None}
            and distinct
        )
        groups: list[tuple[Row, list[Row]]] = []
        remaining: list[Row] = []
        for key, row in zip(_ids_of(unsettled, by), unsettled, strict=True):
            group = members.get(key, [])
            said = row.get(count) if count is not None else None
            if type(said) is int:
                enough = complete or (whole and said > 0)
                certain = said == len(group) and enough and (distinct or not repeats(group))
            else:
                certain = sound
            if key is not None and claims[key] == 1 and certain:
                groups.append((row, group))
            else:
                remaining.append(row)
        return groups, remaining


def repeats(rows: list[Row]) -> bool:
    """Whether a row is there twice, by its id."""
    try:
        ids = list(map(_id, rows))
        if set(map(type, ids)) <= {str}:
            return len(set(ids)) < len(ids)
    except AttributeError:
        pass
    ids = [id_ for row in rows if isinstance(row, ROWS) and (id_ := key_of(row))]
    return len(set(ids)) < len(ids)


def _ids_of(rows: list[Row], key: str) -> list[str | None]:
    """The id of the entity that each row has in common with another; GUIDs compare without case."""
    values = values_of(rows, key)
    try:
        return [value.id.lower() or None for value in values]
    except AttributeError:
        ids = [key_of(value) if isinstance(value, ROWS) else None for value in values]
        return [id_ and id_.lower() for id_ in ids]
