"""Filters: from the structure of a GraphQL filter argument to ``$filter``, and to a predicate.

A filter is a mapping: names of properties to their conditions (``{"eq": …, "in": […]}``), all of
which must hold, beside ``and`` and ``or`` (lists of filters) and ``not``. A condition on a
navigation holds the conditions on its properties (``{"subject": {"id": {"eq": …}}}``).

Literals (graph-lifecycle-api.md, section 7): strings and enumeration members are quoted with inner
quotes doubled; times, numbers and booleans are not. Percent-encoding comes later, with the URL.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any

from gateway.odata.errors import BadUserInput
from gateway.odata.query import string_literal

Filter = Mapping[str, Any]
Row = Mapping[str, Any]

OPERATORS = ("eq", "ne", "lt", "le", "gt", "ge", "in", "has")
_LOGIC = ("and", "or", "not")
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,7}))?Z")
MAX_DEPTH = 10


class Time(str):
    """A point in time that was given as an argument: UTC, up to seven fractional digits."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> "Time":
        """The time, as it was written.

        Raises:
            ValueError: it is not UTC, or no time.
        """
        found = _TIME.fullmatch(text)
        try:
            if found is None:
                raise ValueError
            datetime.fromisoformat(found[1])
        except ValueError:
            raise ValueError("a DateTime is a UTC time like 2026-01-31T00:00:00Z") from None
        return cls(text)


def compile_filter(given: Filter) -> str | None:
    """The ``$filter`` for ``given``; ``None`` if it holds no condition.

    Raises:
        BadUserInput: an empty list, or nesting beyond `MAX_DEPTH`.
    """
    return " and ".join(_terms(given, "", 0)) or None


def _terms(given: Filter, path: str, depth: int) -> Iterator[str]:
    if depth > MAX_DEPTH:
        raise BadUserInput(f"nested deeper than {MAX_DEPTH} levels", argument="filter")
    for name, condition in given.items():
        if name in ("and", "or") and condition is not None:
            if not condition:
                raise BadUserInput(f"'{name}' must hold at least one filter", argument="filter")
            parts = [_joined(part, path, depth) for part in condition]
            yield "(" + f" {name} ".join(parts) + ")"
        elif name == "not" and condition is not None:
            yield f"not ({_joined(condition, path, depth)})"
        elif name in OPERATORS:
            yield _comparison(path, name, condition)
        elif condition is not None:
            yield from _terms(condition, f"{path}/{name}" if path else name, depth + 1)


def _joined(part: Filter, path: str, depth: int) -> str:
    terms = list(_terms(part, path, depth + 1))
    if not terms:
        raise BadUserInput("'and', 'or' and 'not' hold no empty filter", argument="filter")
    return terms[0] if len(terms) == 1 else "(" + " and ".join(terms) + ")"


def _comparison(path: str, operator: str, value: Any) -> str:
    if operator == "in":
        if not value:
            raise BadUserInput("'in' must hold at least one value", argument="filter")
        # `eq` is documented wherever `in` is offered, `in` itself is not.
        choices = " or ".join(f"{path} eq {_literal(member)}" for member in value)
        return f"({choices})" if len(value) > 1 else choices
    return f"{path} {operator} {_literal(value)}"


def _literal(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Enum):
        return string_literal(str(value.value))
    if isinstance(value, Time):
        return str(value)
    if isinstance(value, int):
        return str(value)
    return string_literal(str(value))


def properties_of(given: Filter) -> set[str]:
    """The names of the properties and navigations that a filter looks at."""
    found: set[str] = set()
    for name, condition in given.items():
        if condition is None:
            continue
        if name in ("and", "or"):
            found.update(*(properties_of(part) for part in condition))
        elif name == "not":
            found |= properties_of(condition)
        else:
            found.add(name)
    return found


def matches(given: Filter, row: Row) -> bool:
    """Whether ``row`` passes the filter, by the same rules as the service.

    A comparison with a missing value is neither true nor false, and drops the row
    (graph-lifecycle-api.md, section 7); ``eq null`` and ``ne null`` ask for just that.
    """
    return _holds(given, row) is True


def _holds(given: Filter, value: Any) -> bool | None:
    return _all(_condition(name, condition, value) for name, condition in given.items())


def _condition(name: str, condition: Any, value: Any) -> bool | None:
    if name in OPERATORS:
        return _compare(name, value, condition)
    if condition is None:
        return True
    if name == "and":
        return _all(_holds(part, value) for part in condition)
    if name == "or":
        return _any(_holds(part, value) for part in condition)
    if name == "not":
        held = _holds(condition, value)
        return None if held is None else not held
    return _holds(condition, value.get(name) if isinstance(value, Mapping) else None)


def _all(results: Iterator[bool | None]) -> bool | None:
    found = list(results)
    return False if False in found else None if None in found else True


def _any(results: Iterator[bool | None]) -> bool | None:
    found = list(results)
    return True if True in found else None if None in found else False


def _compare(operator: str, value: Any, wanted: Any) -> bool | None:
    if wanted is None:
        return (value is None) is (operator == "eq")
    if value is None:
        return None
    if operator == "in":
        return any(_compare("eq", value, member) for member in wanted)
    if operator == "has":
        return _text(wanted) in [member.strip().lower() for member in str(value).split(",")]
    if isinstance(wanted, Enum):
        return _ORDER[operator](_text(value), _text(wanted))
    return _ORDER[operator](comparable(value), comparable(wanted))


_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
}


def comparable(value: Any) -> Any:
    """A value in a form that sorts: times with all seven digits."""
    if isinstance(value, str) and (time := _TIME.fullmatch(value)):
        return f"{time[1]}.{(time[2] or '').ljust(7, '0')}Z"
    return value


def _text(value: Any) -> str:
    return str(value.value if isinstance(value, Enum) else value).lower()


def requires_failed(given: Filter) -> bool:
    """Whether only rows with the status ``failed`` can pass."""
    status = given.get("processingStatus") or {}
    wanted = [status.get("eq"), *(status.get("in") or ())]
    named = {_text(value) for value in wanted if value is not None}
    return named == {"failed"} or any(map(requires_failed, given.get("and") or ()))


def compile_order(given: Sequence[Mapping[str, Any]]) -> str | None:
    """``$orderby`` for a list of ``{"field": …, "direction": …}``."""
    return ",".join(f"{o['field'].value} {o['direction'].value}" for o in given) or None


def sort_rows(given: Sequence[Mapping[str, Any]], rows: list[Any]) -> list[Any]:
    """``rows`` in the order asked for; a missing value sorts before all others."""
    for order in reversed(given):
        name, descending = order["field"].value, order["direction"].value == "desc"

        def key(row: Row, name: str = name) -> tuple[bool, Any]:
            value = comparable(row.get(name))
            return (value is not None, value if value is not None else "")

        rows = sorted(rows, key=key, reverse=descending)
    return rows


def search_phrase(term: str) -> str:
    """``$search`` for a term.

    Raises:
        BadUserInput: it is empty, or can't stand in a quoted phrase.
    """
    if not term.strip():
        raise BadUserInput("must not be empty", argument="search")
    if '"' in term or "\\" in term or not term.isprintable():
        raise BadUserInput(
            "holds no quotation marks, backslashes or control characters", argument="search"
        )
    return f'"{term}"'
