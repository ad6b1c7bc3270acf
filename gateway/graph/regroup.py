"""Regrouping: one flat collection on the grandparent, dealt out to the parents."""

from collections import Counter
from dataclasses import dataclass, field

from gateway.odata.address import key_of
from gateway.odata.model import Navigation
from gateway.odata.rows import ROWS, Row


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

        A group is right if no other parent can claim its rows (graph-lifecycle-api.md, section 8:
        "only safe if a subject occurs once in the run"). So the key must occur once among the
        parents that were read, no row of the group twice, and the group must be as large as the
        parent says; that there are none is believed where all targets were read, because a count
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
        for target in self.rows:
            members.setdefault(_id_of(target, by), []).append(target)
        claims = Counter([_id_of(row, by) for row in rows])
        complete = self.next is None and not self.failed
        sound = (
            whole
            and complete
            and expected in (None, len(self.rows))
            and members.keys() <= claims.keys() - {None}
            and not repeats(self.rows)
        )
        groups: list[tuple[Row, list[Row]]] = []
        remaining: list[Row] = []
        for row in unsettled:
            key = _id_of(row, by)
            group = members.get(key, [])
            said = row.get(count) if count is not None else None
            if type(said) is int:
                enough = complete or (whole and said > 0)
                certain = said == len(group) and enough and not repeats(group)
            else:
                certain = sound
            if key is not None and claims[key] == 1 and certain:
                groups.append((row, group))
            else:
                remaining.append(row)
        return groups, remaining


def repeats(rows: list[Row]) -> bool:
    """Whether a row is there twice, by its id."""
    ids = [id_ for row in rows if isinstance(row, ROWS) and (id_ := key_of(row))]
    return len(set(ids)) < len(ids)


def _id_of(row: Row, key: str) -> str | None:
    """The id of the entity that a row has in common with another; GUIDs compare without case."""
    value = row.get(key)
    if not isinstance(value, ROWS):
        return None
    id_ = key_of(value)
    return id_ and id_.lower()
