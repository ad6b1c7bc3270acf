"""Read-only collections of entities that build their rows when they are looked at."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from gateway.sandbox.data.model import Row


class Rows(ABC):
    """A collection: its length, the row at a position, the row with an id."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def at(self, position: int) -> Row:
        """Return the row at `position`, which must be less than the length."""

    @abstractmethod
    def find(self, key: str) -> Row | None:
        """Return the row with the id `key`, if there is one."""

    @property
    def end(self) -> int:
        """The position after the last one; more than the length if some positions are empty."""
        return len(self)

    def since(self, position: int) -> Iterator[tuple[int, Row]]:
        """Yield positions and rows, beginning at `position`."""
        for index in range(position, len(self)):
            yield index, self.at(index)

    def __iter__(self) -> Iterator[Row]:
        return (row for _, row in self.since(0))

    def first(self, count: int) -> list[Row]:
        """Return at most `count` rows from the beginning."""
        return list(islice(self, count))


class ListRows(Rows):
    """Rows that are at hand; `key` names their key member."""

    def __init__(self, rows: Sequence[Row] = (), key: str = "id") -> None:
        self.rows = rows
        self.key = key

    def __len__(self) -> int:
        return len(self.rows)

    def at(self, position: int) -> Row:
        """Return the row at `position`."""
        return self.rows[position]

    def find(self, key: str) -> Row | None:
        """Return the row with the id `key`, if there is one."""
        return next((row for row in self.rows if str(row[self.key]) == key), None)


class LazyRows(Rows):
    """Rows made by a function of their position; an id leads back to its position."""

    def __init__(
        self, length: int, build: Callable[[int], Row], position_of: Callable[[str], int | None]
    ) -> None:
        self.length = length
        self.build = build
        self.position_of = position_of

    def __len__(self) -> int:
        return self.length

    def at(self, position: int) -> Row:
        """Build the row at `position`."""
        return self.build(position)

    def find(self, key: str) -> Row | None:
        """Build the row with the id `key`, if there is one."""
        position = self.position_of(key)
        return None if position is None else self.build(position)
