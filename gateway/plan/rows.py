"""Typed rows: entities whose members are known before they are read.

A row of a list is an instance of a Struct that is made once for each structure of a selection, and
decoded in C from the bytes that the service answered: what is not a member of the Struct is skipped
there. It takes a fraction of a dict's memory, and the garbage collector does not look at it.

For those who read it, it is a mapping of the members that it has: one that the service left out, or
under which nothing was stitched yet, is not there. What can't be read into such a row, and entities
that are read one by one, are plain dicts; `ROWS` are the types of both.
"""

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from operator import attrgetter
from secrets import token_hex
from typing import Any, ClassVar, cast

from cachetools import LRUCache
from msgspec import UNSET, Struct, UnsetType, defstruct

_LONGEST_NAME = 60
_NOT_GIVEN = f"@{token_hex(8)}."
"""What no service calls its members."""


class TypedRow(Struct, gc=False, eq=False):
    """The base of all row types; see `row_type`."""

    members: ClassVar[Mapping[str, str]] = {}
    """The attribute of each member, by its key."""
    layout: ClassVar[Any] = None
    """The decoder of pages of such rows (`gateway.plan.layout`), once somebody has asked."""

    def __getitem__(self, key: str) -> Any:
        value = getattr(self, self.members[key])
        if value is UNSET:
            raise KeyError(key)
        return value

    def __setitem__(self, key: str, value: Any) -> None:
        setattr(self, self.members[key], value)

    def __contains__(self, key: object) -> bool:
        attribute = self.members.get(key)  # type: ignore[call-overload]
        return attribute is not None and getattr(self, attribute) is not UNSET

    def __iter__(self) -> Iterator[str]:
        return (key for key, name in self.members.items() if getattr(self, name) is not UNSET)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __bool__(self) -> bool:
        return any(True for _ in self)

    def keys(self) -> set[str]:
        """The keys of the members that are there."""
        return set(self)

    def items(self) -> list[tuple[str, Any]]:
        """The members that are there."""
        return [(key, self[key]) for key in self]

    def get(self, key: str, default: Any = None) -> Any:
        """The value under ``key``, or ``default``."""
        attribute = self.members.get(key)
        value = UNSET if attribute is None else getattr(self, attribute)
        return default if value is UNSET else value

    def pop(self, key: str, default: Any = None) -> Any:
        """Take the value under ``key`` out."""
        value = self.get(key, UNSET)
        if value is UNSET:
            return default
        self[key] = UNSET
        return value

    def setdefault(self, key: str, value: Any) -> Any:
        """Put ``value`` under ``key`` where there is none; what is no member is left out."""
        if key not in self.members:
            return value
        found = self.get(key, UNSET)
        if found is UNSET:
            self[key] = found = value
        return found

    def update(self, members: Mapping[str, Any]) -> None:
        """Put values under their keys; what is no member is left out."""
        for key, value in members.items():
            if key in self.members:
                self[key] = value


Mapping.register(TypedRow)

ROWS = (dict, TypedRow)
"""The types of rows."""
Row = dict[str, Any] | TypedRow


def attribute_of(key: str) -> str:
    """The attribute of a typed row that holds what is under ``key``.

    It is an attribute that nothing else has: a dict, or an error in the place of a row, must not be
    read as if it were a typed row.
    """
    if key.isidentifier() and key.isascii():
        return f"row_{key}"
    if len(key) > _LONGEST_NAME:
        return f"_{blake2b(key.encode('utf-8', 'surrogatepass'), digest_size=16).hexdigest()}"
    return f"_{key.encode('utf-8', 'surrogatepass').hex()}"


Members = tuple[tuple[str, Any, bool], ...]
"""Members of a row type: each with its key, its type, and whether the service gives it."""

CAPACITY = 50_000
"""Members that all kept row types have together; each takes about 300 bytes."""
_MEMBERS_OF_A_TYPE = 20
_kept: LRUCache[tuple[Members, bool], type[TypedRow]] = LRUCache(
    CAPACITY, getsizeof=lambda type_: len(type_.members) + _MEMBERS_OF_A_TYPE
)


def row_type(members: Members, *, collected: bool = False) -> type[TypedRow]:
    """The type of rows with ``members``, which is kept.

    Args:
        members: what a row can hold. What the service gives is decoded, under its key; the rest is
            stitched.
        collected: whether rows may lead back to themselves, so that the collector has to know them.
    """
    found = _kept.get((members, collected))
    if found is None:
        found = _made(members, collected)
        if len(members) + _MEMBERS_OF_A_TYPE <= CAPACITY:
            _kept[members, collected] = found
    return found


def _made(members: Members, collected: bool) -> type[TypedRow]:
    names = {key: attribute_of(key) for key, _, _ in members}
    fields = [
        (names[key], type_ if type_ is Any else type_ | None | UnsetType, UNSET)
        for key, type_, _ in members
    ]
    keys = {names[key]: key if given else _NOT_GIVEN + names[key] for key, _, given in members}
    made = defstruct(
        "Row", fields, bases=(TypedRow,), rename=keys.get, gc=collected, eq=False, weakref=False
    )
    row = cast(type[TypedRow], made)
    row.members = names
    return row


STUB = row_type((("id", Any, True),))
"""A row of which nothing is known but the id."""


def _stitched(*keys: str) -> type[TypedRow]:
    return row_type(tuple((key, Any, False) for key in keys))


CONNECTION = _stitched("nodes", "totalCount", "edges", "pageInfo", "unread", "watermark")
EDGE = _stitched("node", "cursor")
PAGE_INFO = _stitched("hasNextPage", "hasPreviousPage", "startCursor", "endCursor")
"""What stands around the rows of a list; made of its values in this order."""


def values_of(rows: list[Any], key: str) -> list[Any]:
    """The value under ``key`` of each row; ``None`` where there is none."""
    try:
        values = list(map(attrgetter(attribute_of(key)), rows))
    except AttributeError:
        return [row.get(key) for row in rows]
    if UnsetType in map(type, values):
        return [None if value is UNSET else value for value in values]
    return values
