"""Resolvers that read stitched rows, and what the projection may know of them."""

from collections.abc import Callable, Collection
from functools import cache
from typing import Any, TypeVar

import strawberry
from graphql import GraphQLError

from gateway.answer.readings import Reading, TypeName
from gateway.errors import GatewayError
from gateway.internals import camel_case, raw_info
from gateway.plan.rows import ROWS, Row

Function = TypeVar("Function", bound=Callable[..., Any])

_ODATA_TYPE = "@odata.type"
_READING = "__reading__"
_TYPE_NAME = "__type_name__"


def read(row: Row, key: str) -> Any:
    """The value stitched under ``key``; ``None`` if there is none.

    Raises:
        GatewayError: the edge failed; its error was stitched in the value's place.
        GraphQLError: the row is no object, although the schema says so.
    """
    value = _object(row).get(key)
    if isinstance(value, GatewayError):
        raise value.copy()
    if isinstance(value, Exception):
        raise value.with_traceback(None)
    return value


def _object(value: Any) -> Row:
    if not isinstance(value, ROWS):
        raise GraphQLError("the service answered something else where an object should be")
    return value


def read_field(row: Row, python_name: str) -> Any:
    """The default resolver: a field reads the property of its camelCase name."""
    return read(row, key_of(python_name))


@cache
def key_of(python_name: str) -> str:
    """The key that the default resolver reads."""
    return _ODATA_TYPE if python_name == "odata_type" else camel_case(python_name)


def read_edge(root: Any, info: strawberry.Info[Any, Any]) -> Any:
    """The value of an edge, from the key that its arguments make."""
    return read(root, info.context.key(raw_info(info)))


def marked(resolver: Function, reading: Reading) -> Function:
    """The same resolver, of which the projection knows what it reads."""
    setattr(resolver, _READING, reading)
    return resolver


def computed(resolver: Function) -> Function:
    """Marks a resolver that computes its value from the row alone, without effects."""
    return marked(resolver, Reading(function=resolver))


def read_flags(python_name: str) -> Callable[..., Any]:
    """A resolver of the members of a property of flags, which the service joins with commas."""
    key = key_of(python_name)

    @computed
    def read_members(root: Any) -> Any:
        value = read(root, key)
        if not isinstance(value, str):
            return value
        return [member.strip() for member in value.split(",")]

    return read_members


def reads_edge(resolver: Function) -> Function:
    """Marks a resolver that does what `read_edge` does."""
    return marked(resolver, Reading(edge=True))


def reading_of(resolver: Callable[..., Any]) -> Reading | None:
    """The reading that a resolver is marked with; ``None`` for the others."""
    return getattr(resolver, _READING, None)


def type_name_of(resolve_type: Callable[..., Any] | None) -> TypeName | None:
    """The way in which a ``resolve_type`` made by `dispatch` tells the type of a row."""
    return getattr(resolve_type, _TYPE_NAME, None)


def dispatch(fallback: str) -> Callable[..., str]:
    """``resolve_type`` of an interface whose members are told apart by ``@odata.type``.

    The annotation is read with or without the leading ``#`` (graph-lifecycle-api.md, section 4); a
    type that the schema does not know becomes ``fallback``.
    """

    def type_name(row: Row, known: Collection[str]) -> str:
        name = str(_object(row).get(_ODATA_TYPE, "")).rpartition(".")[2]
        name = name[:1].upper() + name[1:]
        return name if name in known else fallback

    def resolve_type(row: Row, info: Any, abstract: Any) -> str:
        return type_name(row, {t.name for t in info.schema.get_possible_types(abstract)})

    setattr(resolve_type, _TYPE_NAME, type_name)
    return resolve_type


def is_row(row: Any, _info: Any) -> bool:
    """``is_type_of`` of types that are read from rows: any object of the service's JSON."""
    return isinstance(row, ROWS)
