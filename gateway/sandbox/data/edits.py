"""Edits: written changes, laid over rows that are built on access."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.sandbox.data.model import Row
from gateway.sandbox.data.rows import Rows

Place = Mapping[str, str | None]
"""The place of an added row: the ids of the entities that it belongs to, by kind."""


@dataclass
class Edits:
    """The rows of one kind that were added, changed and deleted, by id."""

    added: list[tuple[Row, Place]] = field(default_factory=list)
    changed: dict[str, Row] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)

    def add(self, row: Row, **place: str | None) -> None:
        """Add a row below the things that `place` names."""
        self.added.append((row, place))

    def change(self, key: str, members: Row) -> None:
        """Replace members of the row with the id `key`."""
        self.changed[key] = {**self.changed.get(key, {}), **members}

    def delete(self, key: str) -> None:
        """Delete the row with the id `key`."""
        self.deleted.add(key)

    def apply(self, row: Row, key: str = "id") -> Row:
        """Return a row as it was changed; `key` names its key member."""
        changes = self.changed.get(str(row[key]))
        return {**row, **changes} if changes else row

    def over(
        self,
        base: Rows,
        belongs: Callable[[Place], bool] = lambda _: False,
        finish: Callable[[Row], Row] | None = None,
    ) -> Rows:
        """Return `base` as it was edited, with the added rows whose place `belongs` here.

        `finish` makes of each row, whether added or not, what is shown.
        """
        added = [row for row, place in self.added if belongs(place)]
        if not (added or self.changed or self.deleted or finish):
            return base
        return EditedRows(base, self, added, finish)


class EditedRows(Rows):
    """Rows with edits. The positions of deleted rows stay empty, so that none is looked up."""

    def __init__(
        self,
        base: Rows,
        edits: Edits,
        added: Sequence[Row],
        finish: Callable[[Row], Row] | None = None,
    ) -> None:
        self.base = base
        self.edits = edits
        self.added = [row for row in added if row["id"] not in edits.deleted]
        self.finish = finish

    def __len__(self) -> int:
        missing = sum(self.base.find(key) is not None for key in self.edits.deleted)
        return len(self.base) - missing + len(self.added)

    @property
    def end(self) -> int:
        """The position after the last one."""
        return self.base.end + len(self.added)

    def _shown(self, row: Row) -> Row:
        row = self.edits.apply(row)
        return self.finish(row) if self.finish else row

    def at(self, position: int) -> Row:
        """Return the row at `position`, even if it is deleted."""
        rest = position - self.base.end
        return self._shown(self.added[rest] if rest >= 0 else self.base.at(position))

    def since(self, position: int) -> Iterator[tuple[int, Row]]:
        """Yield positions and rows, beginning at `position`, without the deleted ones."""
        for index, row in self.base.since(position):
            if row["id"] not in self.edits.deleted:
                yield index, self._shown(row)
        for index in range(max(position, self.base.end), self.end):
            yield index, self.at(index)

    def find(self, key: str) -> Row | None:
        """Return the row with the id `key`, unless there is none or it is deleted."""
        if key in self.edits.deleted:
            return None
        row = next((row for row in self.added if row["id"] == key), None) or self.base.find(key)
        return row and self._shown(row)


class ChainedRows(Rows):
    """Several collections, one after the other."""

    def __init__(self, *parts: Rows) -> None:
        self.parts = parts

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    @property
    def end(self) -> int:
        """The position after the last one."""
        return sum(part.end for part in self.parts)

    def at(self, position: int) -> Row:
        """Return the row at `position`."""
        for part in self.parts:
            if position < part.end:
                return part.at(position)
            position -= part.end
        raise IndexError(position)

    def since(self, position: int) -> Iterator[tuple[int, Row]]:
        """Yield positions and rows, beginning at `position`."""
        before = 0
        for part in self.parts:
            if position < before + part.end:
                for index, row in part.since(max(position - before, 0)):
                    yield before + index, row
            before += part.end

    def find(self, key: str) -> Row | None:
        """Return the row with the id `key`, if one of the collections has it."""
        found = (part.find(key) for part in self.parts)
        return next((row for row in found if row is not None), None)
