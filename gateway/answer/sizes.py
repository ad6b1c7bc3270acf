"""Sizes of answers: the objects and bytes that a selection makes of rows, counted beforehand.

A row that is reached by several ways stands in the answer several times, and so does all that is
selected below it. It is counted level by level: each row once at every level of the selection, with
the number of times that it stands there. So a count takes a time that is linear in the rows, and
little beside writing them, however large the answer would be.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLBoolean, GraphQLInt, GraphQLString

from gateway.answer.bounds import Ledger
from gateway.answer.readings import Readings, TypeName
from gateway.answer.selections import Field, Selection
from gateway.odata.partial import Partial
from gateway.plan.rows import ROWS, Row, values_of

# Bytes that values have, about. Text is measured.
_TEXT = {GraphQLString: 2, GraphQLInt: 6, GraphQLBoolean: 5}
_OTHER_LEAF = 32
_COMPUTED = 150
_PUNCTUATION = 4
_MEASURED = 100


@dataclass(frozen=True, slots=True)
class _Below:
    """A field that leads to objects: where it is read, and what is selected of them."""

    key: str
    listed: bool
    targets: dict[str, Selection]
    tell: TypeName | None


class Sizes:
    """The members of one object of a selection, made once for each selection of an operation.

    Args:
        selection: what is selected.
        readings: what the schema tells of itself.
    """

    __slots__ = ("below", "fixed", "shares", "texts")

    def __init__(self, selection: Selection, readings: Readings) -> None:
        self.fixed = 2
        self.texts: Counter[tuple[str, bool]] = Counter()
        self.below: list[_Below] = []
        for field in selection.fields:
            self.fixed += len(field.name) + _PUNCTUATION
            if field.targets is None:
                self._leaf(field)
            elif field.reading is not None:
                key = field.key if field.reading.edge else field.reading.key
                tell = None if field.target is not None else readings.type_name(field.type.named)
                self.below.append(_Below(key, field.type.listed, field.targets, tell))
        # Whether the rows below have others below them, so that one that is here twice doubles.
        self.shares = any(
            below.listed or any(target.composites for target in below.targets.values())
            for below in self.below
        )

    def _leaf(self, field: Field) -> None:
        reading = field.reading
        if reading is None or reading.function is not None:
            self.fixed += _COMPUTED
        elif field.type.listed or field.type.named is GraphQLString:
            self.texts[reading.key, field.type.listed] += 1
            self.fixed += _TEXT[GraphQLString]
        else:
            self.fixed += _TEXT.get(field.type.named, _OTHER_LEAF)


def count(
    ledger: Ledger,
    readings: Readings,
    selection: Selection,
    rows: list[Row],
    times: list[int] | None = None,
) -> None:
    """Count what a selection makes of rows.

    Args:
        ledger: counts.
        readings: what the schema tells of itself.
        selection: what is selected of each row.
        rows: objects, as they are stitched; what else is among them is not counted.
        times: how often each row stands in the answer; by default once.

    Raises:
        AnswerTooLarge: the answer is beyond a bound.
    """
    if times is None and not all(issubclass(type_, ROWS) for type_ in set(map(type, rows))):
        rows = [row for row in rows if isinstance(row, ROWS)]
    sizes = selection.sizes
    if sizes is None:
        sizes = selection.sizes = Sizes(selection, readings)
    objects = len(rows) if times is None else sum(times)
    size = objects * sizes.fixed
    # Of many rows some are measured, and stand for the others.
    step = max(1, len(rows) // _MEASURED)
    some = rows[::step]
    for (key, listed), fields in sizes.texts.items():
        if times is None and not listed:
            lengths = [len(text) for row in some if type(text := row.get(key)) is str]
            size += fields * step * sum(lengths)
        else:
            pairs = zip(some, times[::step] if times else [1] * len(some), strict=True)
            size += fields * step * sum(_length(row.get(key)) * n for row, n in pairs)
    ledger.add(objects, size)
    if not sizes.below or not rows:
        return
    if sizes.shares:
        rows, times = _distinct(rows, times)
    for below in sizes.below:
        _count_below(ledger, readings, below, rows, times)


def _count_below(
    ledger: Ledger, readings: Readings, below: _Below, rows: list[Row], times: list[int] | None
) -> None:
    found: list[Any]
    often: list[int] | None = None
    values = values_of(rows, below.key)
    if Partial in set(map(type, values)):
        values = [value.value if type(value) is Partial else value for value in values]
    if times is None and below.listed:
        found = [item for items in values if type(items) is list for item in items]
    elif times is None:
        found = [value for value in values if value is not None]
    else:
        pairs = [
            (item, n)
            for value, n in zip(values, times, strict=True)
            for item in (_items(value) if below.listed else (value,))
            if isinstance(item, ROWS)
        ]
        found, often = [value for value, _ in pairs], [n for _, n in pairs]
    if not found:
        return
    if below.tell is None:
        (target,) = below.targets.values()
        count(ledger, readings, target, found, often)
        return
    for place, row in enumerate(found):
        try:
            target = below.targets[below.tell(row, below.targets)]
        except Exception:  # noqa: S112 - it will not be written either
            continue
        count(ledger, readings, target, [row], [often[place]] if often else None)


def _distinct(rows: list[Row], times: list[int] | None) -> tuple[list[Row], list[int] | None]:
    """Each row once, with the number of times that it stands in the answer."""
    if len(set(map(id, rows))) == len(rows):
        return rows, times
    often: Counter[int] = Counter()
    by_id: dict[int, Row] = {}
    for row, n in zip(rows, times or [1] * len(rows), strict=True):
        often[id(row)] += n
        by_id[id(row)] = row
    return list(by_id.values()), [often[id_] for id_ in by_id]


def _items(value: Any) -> list[Any]:
    return value if type(value) is list else []


def _length(value: Any) -> int:
    """Characters of a text, or of all texts of a list."""
    if type(value) is str:
        return len(value)
    return sum(_length(item) + _PUNCTUATION for item in value) if type(value) is list else 0
