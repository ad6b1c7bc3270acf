"""Finds the place of a cursor again in a collection that may have changed since.

A cursor knows the last rows that were told. Most of them are where they were, one after the other;
some may have gone, and some may have moved, because what the collection is sorted by has changed.
So what comes after the middle one of those that are still there, and was not told, is what comes
next: one that moved, to whichever side, neither hides rows nor lets them be told again. Where too
few are left, the sort values of the cursor's row decide.
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from itertools import pairwise
from typing import Any

from gateway.odata.cursor import DIGEST_BYTES, MAX_TOLD, Position, Scalar
from gateway.odata.filter import comparable

Row = Any
Order = Sequence[tuple[str, bool]]

_NONE = bytes(DIGEST_BYTES)


def digest(row: Row, key: str) -> bytes:
    """The digest of the key of ``row`` that a cursor keeps; zeros where there is no key."""
    value = row.get(key)
    if type(value) is not str:
        if type(value) is not int:
            return _NONE
        value = str(value)
    text = value.lower() if len(value) == 36 else value
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES).digest()


def order_of(arguments: Mapping[str, Any]) -> Order:
    """The properties that ``orderBy`` names, and whether each is descending."""
    return [
        (order["field"].value, order["direction"].value == "desc")
        for order in arguments.get("orderBy") or ()
    ]


def sort_values(row: Row, order: Order) -> tuple[Scalar, ...] | None:
    """The row's values of what its collection is sorted by, if these are times and numbers.

    How the service sorts other text is not known, and enumerations sort by their numbers.
    """
    values = tuple(row.get(name) for name, _ in order)
    return values if order and all(map(_sorts, values)) else None


def _sorts(value: Any) -> bool:
    if isinstance(value, str):
        return value[4:5] == "-" and value[10:11] == "T"
    return isinstance(value, int | float | None)


class Resumption:
    """The place of one cursor, looked for page by page.

    Args:
        position: what the cursor holds.
        key: the property that is the key of the rows.
        order: what the collection is sorted by.
        since: keys (as `digest` has them) of further rows that were told.
    """

    def __init__(
        self, position: Position, key: str, order: Order, since: Iterable[bytes] = ()
    ) -> None:
        told, size = position.told, DIGEST_BYTES
        self._last = {told[n : n + size] for n in range(0, len(told), size)} - {_NONE}
        self._told = self._last.union(since) - {_NONE}
        self._key, self._order, self._position = key, order, position
        self._seen = 0
        self.found: list[int] = []

    @property
    def all_known(self) -> bool:
        """Whether the cursor knows every row that was told before it."""
        return self._position.index <= min(len(self._last), MAX_TOLD)

    @property
    def remembered(self) -> int:
        """The number of rows told before it that the cursor knows."""
        return len(self._last)

    def untold(self, rows: list[Any]) -> list[Any]:
        """Those of ``rows`` that were not told."""
        return [row for row in rows if digest(row, self._key) not in self._told]

    def behind(self, rows: list[Any]) -> int:
        """The place to begin at on a page that came after the cursor's row.

        Rows that came since may have moved those that were told onto it.
        """
        found = self._places(rows)
        if len(self._last) == MAX_TOLD and 2 * len(found) >= MAX_TOLD:
            return _after_the_middle(found)
        return 0

    def within(self, rows: list[Any], *, last: bool) -> int | None:
        """The place to begin at on the page with the cursor's row; ``None`` if it can't be told.

        ``last``: whether no page follows.
        """
        found = self._places(rows)
        if found and 2 * len(found) >= min(self._position.offset, len(self._last)):
            return _after_the_middle(found)
        place = self._by_sort(rows)
        return place if place and (last or place < len(rows)) else None

    def along(self, rows: list[Any]) -> int | None:
        """The place to begin at on the next page of a walk from the start of the collection.

        ``None``: further on, or it can't be told. `found` are the places, since the beginning, of
        the rows that were told.
        """
        before, self._seen = self._seen, self._seen + len(rows)
        self.found += [before + place for place in self._places(rows)]
        if self.found and 2 * len(self.found) >= len(self._last):
            return max(0, self.middle - before)
        place = self._by_sort(rows)
        if place is not None and place < len(rows):
            return place
        return 0 if before == 0 and self.all_known and not self.found else None

    @property
    def middle(self) -> int:
        """The place after the middle one of the rows `found`."""
        return _after_the_middle(self.found)

    def _places(self, rows: list[Any]) -> list[int]:
        return [n for n, row in enumerate(rows) if digest(row, self._key) in self._last]

    def _by_sort(self, rows: list[Any]) -> int | None:
        """The first row that does not sort before the cursor's, if the rows are seen to be sorted.

        Of those that sort equally, it is the one after the last that was told. If none of these is
        known and some that were told are forgotten, it can't be told.
        """
        wanted = self._position.sort
        if wanted is None or len(wanted) != len(self._order):
            return None
        try:
            keys = [self._sort_key([row.get(name) for name, _ in self._order]) for row in rows]
            own = self._sort_key(wanted)
            if any(first > second for first, second in pairwise(keys)):
                return None
            place = next((n for n, key in enumerate(keys) if key >= own), len(rows))
            ties = [n for n in self._places(rows) if keys[n] == own]
        except TypeError:
            return None
        if ties:
            return _after_the_middle(ties)
        if place < len(rows) and keys[place] == own and not self.all_known:
            return None
        return place

    def _sort_key(self, values: Sequence[Any]) -> "list[_Value]":
        return [_Value(v, down) for v, (_, down) in zip(values, self._order, strict=True)]


class _Value:
    """A value that sorts as the service sorts it; one that is missing comes before all others.

    (OData 4.01, part 1, $orderby: nulls come first ascending, and last descending.)
    """

    def __init__(self, value: Any, descending: bool) -> None:
        self._value, self._descending = comparable(value), descending

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Value) and self._value == other._value

    def __lt__(self, other: "_Value") -> bool:
        first, second = (other, self) if self._descending else (self, other)
        if first._value is None or second._value is None:
            return first._value is None and second._value is not None
        return bool(first._value < second._value)

    def __gt__(self, other: "_Value") -> bool:
        return other < self

    def __ge__(self, other: "_Value") -> bool:
        return not self < other

    __hash__ = None  # type: ignore[assignment]


def _after_the_middle(places: list[int]) -> int:
    return places[(len(places) - 1) // 2] + 1
