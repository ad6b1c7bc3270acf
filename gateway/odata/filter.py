"""Filters: from the structure of a GraphQL filter argument to ``$filter``, and to a predicate.

A filter is a mapping: names of properties to their conditions (``{"eq": …, "in": […]}``), all of
which must hold, beside ``and`` and ``or`` (lists of filters) and ``not``. A condition on a
navigation holds the conditions on its properties (``{"author": {"id": {"eq": …}}}``).

A filter is compiled twice from the same rules: for the service, and for rows that are in hand. A
member of an enumeration that the schema does not know counts as its UNKNOWN_FUTURE_VALUE, times
are instants, and GUIDs have no case.

Literals (graph-lifecycle-api.md, section 7): strings and enumeration members are quoted with inner
quotes doubled; times, numbers and booleans are not. Percent-encoding comes later, with the URL.
"""

import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any

from gateway.errors import BadUserInput
from gateway.odata.query import string_literal
from gateway.odata.timestamps import Time, instant

Filter = Mapping[str, Any]
Row = Mapping[str, Any]
Test = Callable[[Any], bool | None]
"""What a filter says of a value; ``None`` is OData's null."""

OPERATORS = ("eq", "ne", "lt", "le", "gt", "ge", "in", "has", "contains")
MAX_DEPTH = 10
"""Levels that a filter may be nested."""
MAX_MEMBERS = 2000
"""Comparisons of one filter, each member of an `in` counted."""
MAX_ORDERS = 16
"""Keys of one order."""
_UNKNOWN = "unknownFutureValue"
_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def compile_filter(given: Filter) -> str | None:
    """The ``$filter`` for ``given``; ``None`` if it holds no condition.

    Raises:
        BadUserInput: an empty list, null where no null can be, nesting beyond `MAX_DEPTH`, or
            more than `MAX_MEMBERS`.
    """
    _measure(given, 0, 0)
    return " and ".join(_terms(given, "")) or None


def _measure(given: Filter, depth: int, members: int) -> int:
    """The comparisons of a filter, beside ``members`` of others; stops where there are too many."""
    if depth > MAX_DEPTH:
        raise BadUserInput(f"nested deeper than {MAX_DEPTH} levels", argument="filter")
    for name, condition in given.items():
        if name in OPERATORS:
            members += len(condition) if name == "in" and condition else 1
        elif condition is None:
            continue
        else:
            parts = condition if name in ("and", "or") else (condition,)
            members += len(parts) - 1
            for part in parts if members <= MAX_MEMBERS else ():
                members = _measure(part, depth + 1, members)
        if members > MAX_MEMBERS:
            raise BadUserInput(
                f"holds at most {MAX_MEMBERS} comparisons, each member of 'in' counted",
                argument="filter",
            )
    return members


def _terms(given: Filter, path: str) -> Iterator[str]:
    for name, condition in given.items():
        if name in OPERATORS:
            yield _comparison(path, name, condition)
        elif condition is None:
            continue
        elif name in ("and", "or"):
            if not condition:
                raise BadUserInput(f"'{name}' must hold at least one filter", argument="filter")
            parts = [_joined(part, path) for part in condition]
            yield "(" + f" {name} ".join(parts) + ")"
        elif name == "not":
            yield f"not ({_joined(condition, path)})"
        else:
            yield from _terms(condition, f"{path}/{name}" if path else name)


def _joined(part: Filter, path: str) -> str:
    terms = list(_terms(part, path))
    if not terms:
        raise BadUserInput("'and', 'or' and 'not' hold no empty filter", argument="filter")
    return terms[0] if len(terms) == 1 else "(" + " and ".join(terms) + ")"


def _comparison(path: str, operator: str, value: Any) -> str:
    if operator == "in":
        if not value:
            raise BadUserInput("'in' must hold at least one value", argument="filter")
        # `eq` is documented wherever `in` is offered, `in` itself is not.
        choices = list(dict.fromkeys(_comparison(path, "eq", member) for member in value))
        return f"({' or '.join(choices)})" if len(choices) > 1 else choices[0]
    if value is None and operator not in ("eq", "ne"):
        raise BadUserInput(f"'{operator}' takes no null", argument="filter")
    if operator in ("eq", "ne") and _is_unknown(value) and not _is_flag(value):
        # The service has members of its own there: it is any but those that the schema knows.
        known = [member for member in type(value) if not _is_unknown(member)]
        other, join = ("ne", " and ") if operator == "eq" else ("eq", " or ")
        return "(" + join.join(f"{path} {other} {_literal(member)}" for member in known) + ")"
    return f"{path} {operator} {_literal(value)}"


def _is_unknown(value: Any) -> bool:
    return isinstance(value, Enum) and value.value == _UNKNOWN


def _is_flag(member: Enum) -> bool:
    """Whether a value may have several members at once."""
    return bool(getattr(member, "is_flag", False))


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


def properties_of(given: Filter) -> list[str]:
    """The names of the properties and navigations that a filter looks at, each once, in order."""
    found: dict[str, None] = {}
    for name, condition in given.items():
        if condition is None:
            continue
        if name in ("and", "or"):
            found |= dict.fromkeys(name for part in condition for name in properties_of(part))
        elif name == "not":
            found |= dict.fromkeys(properties_of(condition))
        else:
            found[name] = None
    return list(found)


def matches(given: Filter, row: Row) -> bool:
    """Whether ``row`` passes the filter; for many rows, see `predicate`."""
    return predicate(given)(row) is True


def predicate(given: Filter) -> Test:
    """The filter as a test of rows, by the same rules as the service.

    A comparison with a missing value is neither true nor false, and drops the row
    (graph-lifecycle-api.md, section 7), and so is one with a value of another type; ``eq null``
    and ``ne null`` ask for just that.
    """
    return _every([test for item in given.items() if (test := _test(*item)) is not None])


def _test(name: str, condition: Any) -> Test | None:
    if name in OPERATORS:
        return _comparing(name, condition)
    if condition is None:
        return None
    if name == "and":
        return _every([predicate(part) for part in condition])
    if name == "or":
        return _some([predicate(part) for part in condition])
    inner = predicate(condition)
    if name == "not":
        return lambda value: None if (held := inner(value)) is None else not held
    return lambda value: inner(value.get(name) if isinstance(value, Mapping) else None)


def _every(tests: list[Test]) -> Test:
    if len(tests) == 1:
        return tests[0]

    def every(value: Any) -> bool | None:
        found = [test(value) for test in tests]
        return False if False in found else None if None in found else True

    return every


def _some(tests: list[Test]) -> Test:
    def some(value: Any) -> bool | None:
        found = [test(value) for test in tests]
        return True if True in found else None if None in found else False

    return some


def _comparing(name: str, wanted: Any) -> Test:
    """A test of one value."""
    if wanted is None:
        return lambda value: (value is None) is (name == "eq")
    if name == "contains":
        part = str(wanted).casefold()
        return lambda value: part in value.casefold() if isinstance(value, str) else None
    choices = list(wanted) if name == "in" else [wanted]
    if isinstance(choices[0], Enum):
        return _comparing_members(name, choices)
    keys = {key for key in map(_key, choices) if key is not None}
    if name in ("eq", "in"):
        return lambda value: None if (key := _key(value)) is None else key in keys
    if name == "ne":
        return lambda value: None if (key := _key(value)) is None else key not in keys
    kind, bound = _key(wanted) or ("", None)
    compare = _ORDER.get(name)

    def test(value: Any) -> bool | None:
        key = _key(value)
        return None if key is None or key[0] != kind or compare is None else compare(key[1], bound)

    return test


def _comparing_members(name: str, choices: list[Enum]) -> Test:
    """A test of a member of an enumeration, or of several, joined by commas."""
    known = {str(member.value).lower() for member in type(choices[0])}
    wanted = {str(member.value).lower() for member in choices}
    unknown = _UNKNOWN.lower()

    def test(value: Any) -> bool | None:
        if not isinstance(value, str):
            return None
        given = {member.strip().lower() for member in value.split(",")}
        members = {member if member in known else unknown for member in given}
        if name == "has":
            return not members.isdisjoint(wanted)
        return (len(members) == 1 and members <= wanted) is not (name == "ne")

    return test


_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}


def _key(value: Any) -> tuple[str, Any] | None:
    """A value by its kind, so that a number is never compared with a text."""
    if isinstance(value, str):
        return "text", comparable(value)
    if isinstance(value, bool):
        return "boolean", value
    return ("number", value) if isinstance(value, int | float) else None


def comparable(value: Any) -> Any:
    """A value in a form that sorts: times as instants, GUIDs in lower case."""
    if not isinstance(value, str):
        return value
    if value[4:5] == "-" and (time := instant(value)) is not None:
        return time
    return value.lower() if len(value) == 36 and _GUID.fullmatch(value) else value


def requires(given: Filter, name: str, value: str) -> bool:
    """Whether only rows can pass of which a property has one value, in whichever case."""
    condition = given.get(name) or {}
    wanted = [condition.get("eq"), *(condition.get("in") or ())]
    named = {
        str(value.value if isinstance(value, Enum) else value).lower()
        for value in wanted
        if value is not None
    }
    return named == {value} or any(requires(part, name, value) for part in given.get("and") or ())


class Ranked(str):
    """The name of a property whose values sort by their place among ``members``."""

    __slots__ = ("_places",)

    def __new__(cls, name: str, members: Sequence[str] = ()) -> "Ranked":
        """Members are matched without case; a value that is none of them sorts after all."""
        made = super().__new__(cls, name)
        made._places = {member.lower(): place for place, member in enumerate(members)}
        return made

    _places: dict[str, int]

    def rank(self, value: Any) -> int:
        """The place of a value."""
        return self._places.get(str(value).lower(), len(self._places))


def compile_order(given: Sequence[Mapping[str, Any]]) -> str | None:
    """``$orderby`` for a list of ``{"field": …, "direction": …}``.

    Raises:
        BadUserInput: more than `MAX_ORDERS` keys.
    """
    if len(given) > MAX_ORDERS:
        raise BadUserInput(f"holds at most {MAX_ORDERS} keys", argument="orderBy")
    return ",".join(f"{o['field'].value} {o['direction'].value}" for o in given) or None


def sort_rows(given: Sequence[Mapping[str, Any]], rows: list[Any]) -> list[Any]:
    """``rows`` in the order asked for; a missing value sorts before all others.

    A value that is of no type that sorts counts as missing.
    """
    for order in reversed(given):
        name, descending = order["field"].value, order["direction"].value == "desc"

        def key(row: Row, name: str = name) -> tuple[str, Any]:
            value = row.get(name)
            if value is not None and isinstance(name, Ranked):
                value = name.rank(value)
            return _key(value) or ("", 0)

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
