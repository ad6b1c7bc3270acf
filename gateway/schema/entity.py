"""How a Strawberry type says what it is upstream: properties, edges and their strategies.

A type of the schema is a plain annotated class whose fields are made by `prop`, `edge` and
`connection`. Their metadata is the resource model (`model_of`), and their values are read from the
stitched rows, so no resolver is written by hand for a plain edge.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Annotated, Any, Generic, TypeVar

import strawberry
from graphql import GraphQLError
from strawberry.types.base import get_object_definition
from strawberry.utils.str_converters import to_camel_case

from gateway.answer.readings import Reading, TypeName
from gateway.errors import GatewayError
from gateway.odata.address import Address, node_id
from gateway.plan.model import (
    DEFAULT_FIRST,
    EntityType,
    Model,
    Navigation,
    Property,
    Shape,
    Strategy,
)
from gateway.plan.rows import ROWS, Row

T = TypeVar("T")
Function = TypeVar("Function", bound=Callable[..., Any])

_MODEL = "odata"
_KEY = "key"
_ODATA_TYPE = "@odata.type"
_keys = {"odata_type": _ODATA_TYPE}
_readings: dict[Callable[..., Any], Reading] = {}
_type_names: dict[Callable[..., Any], TypeName] = {}


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


def key_of(python_name: str) -> str:
    """The key that the default resolver reads."""
    key = _keys.get(python_name)
    if key is None:
        key = _keys[python_name] = to_camel_case(python_name)
    return key


def computed(resolver: Function) -> Function:
    """Marks a resolver that computes its value from the row alone, without effects."""
    _readings[resolver] = Reading(function=resolver)
    return resolver


def reads_edge(resolver: Function) -> Function:
    """Marks a resolver that does what `read_edge` does."""
    _readings[resolver] = Reading(edge=True)
    return resolver


def reading_of(resolver: Callable[..., Any]) -> Reading | None:
    """What a marked resolver does; ``None`` for the others."""
    return _readings.get(resolver)


def type_name_of(resolve_type: Callable[..., Any] | None) -> TypeName | None:
    """How a ``resolve_type`` of this module tells the type of a row."""
    return _type_names.get(resolve_type) if resolve_type is not None else None


def prop(
    description: str,
    *,
    key: bool = False,
    in_list: bool = True,
    beta: bool = False,
    also: tuple[str, ...] = (),
    resolver: Any = None,
) -> Any:
    """A structural property.

    Args:
        description: for the schema; units and nullability included.
        key: whether it is the key of the entity.
        in_list: false where list responses leave the property out.
        beta: whether only the beta version has it.
        also: other names under which the service may write it, for ``resolver``.
        resolver: reads the value where the raw one is not the answer.
    """
    return strawberry.field(
        description=description,
        resolver=resolver,
        metadata={_MODEL: lambda name: Property(name, in_list, beta, also), _KEY: key},
    )


def text_of(python_name: str) -> Any:
    """The text that the service wrote for the enum property ``python_name`` of the same type.

    Where the enum says UNKNOWN_FUTURE_VALUE, this alone tells what the service has said
    (questions.md, point 12). It is read from the same property, and so costs nothing upstream.
    """
    key = key_of(python_name)

    def read_text(root: Any) -> Any:
        return read(root, key)

    _readings[read_text] = Reading(key)
    return strawberry.field(
        description=f"`{key}` as the service wrote it, known to the gateway or not.",
        resolver=read_text,
        metadata={_MODEL: lambda _: Property(key)},
    )


def edge_metadata(make: Callable[[str], Navigation]) -> dict[str, Any]:
    """Field metadata of an edge; ``make`` gets the field's GraphQL name."""
    return {_MODEL: make}


def edge(
    target: str,
    *strategies: Strategy,
    description: str,
    shape: Shape = Shape.SINGLE,
    resolver: Any = None,
    **how: Any,
) -> Any:
    """An edge to one entity or a bounded list; for ``how`` see `Navigation`."""
    return strawberry.field(
        description=description,
        resolver=resolver,
        metadata={
            _MODEL: lambda name: Navigation(
                name=name, target=target, shape=shape, strategies=strategies, **how
            )
        },
    )


First = Annotated[
    int | None,
    strawberry.argument(description="How many at most; from 1 to the gateway's maximum (1000)."),
]
After = Annotated[
    str | None,
    strawberry.argument(description="A cursor of this edge: what follows it is returned."),
]


Search = Annotated[
    str | None, strawberry.argument(description="Words of the name or the description.")
]


def read_edge(root: Any, info: strawberry.Info[Any, Any]) -> Any:
    """The value of an edge, from the key that its arguments make."""
    return read(root, info.context.key(info._raw_info))


def narrowing(
    filter_: Any, order: Any, *, search: bool = False, paged: bool = True, here: bool = False
) -> Callable[..., Any]:
    """A resolver whose arguments are a filter, an order and, if asked for, a search.

    Args:
        filter_, order: input types of `gateway.schema.filters`.
        search: whether `search` is offered.
        paged: whether the edge is a connection, with `first` and `after`.
        here: whether the gateway filters and sorts itself, which the description says.
    """
    by = " by the gateway itself" if here else ""
    filter_argument = Annotated[
        filter_ | None, strawberry.argument(description=f"Which rows; filtered{by or ' upstream'}.")
    ]
    order_argument = Annotated[
        list[order] | None,
        strawberry.argument(description=f"How the rows are sorted{by}, first key first."),
    ]

    @reads_edge
    def plain(
        root: Any,
        info: strawberry.Info,
        first: First = DEFAULT_FIRST,
        after: After = None,
        filter: filter_argument = None,  # noqa: A002
        order_by: order_argument = None,
    ) -> Any:
        return read_edge(root, info)

    @reads_edge
    def searched(
        root: Any,
        info: strawberry.Info,
        first: First = DEFAULT_FIRST,
        after: After = None,
        filter: filter_argument = None,  # noqa: A002
        order_by: order_argument = None,
        search: Search = None,
    ) -> Any:
        return read_edge(root, info)

    @reads_edge
    def unpaged(
        root: Any,
        info: strawberry.Info,
        filter: filter_argument = None,  # noqa: A002
        order_by: order_argument = None,
    ) -> Any:
        return read_edge(root, info)

    return unpaged if not paged else searched if search else plain


@reads_edge
def _unnarrowed(
    root: Any, info: strawberry.Info, first: First = DEFAULT_FIRST, after: After = None
) -> Any:
    return read_edge(root, info)


def connection(
    target: str, *, description: str, resolver: Callable[..., Any] = _unnarrowed, **how: Any
) -> Any:
    """An edge to an unbounded collection, one request per parent; for ``how`` see `Navigation`."""
    return strawberry.field(
        description=description,
        resolver=resolver,
        metadata={
            _MODEL: lambda name: Navigation(
                name=name,
                target=target,
                shape=Shape.CONNECTION,
                strategies=(Strategy.REQUEST,),
                **how,
            )
        },
    )


def root(
    target: str,
    address: Callable[[Mapping[str, Any]], Address | str],
    *,
    description: str,
    shape: Shape = Shape.SINGLE,
    **how: Any,
) -> Callable[[Callable[..., Any]], Any]:
    """Decorates the resolver of a root field.

    ``address`` turns the field's arguments, by GraphQL name, into a place upstream; an empty
    ``target`` stands for the type that the address tells.
    """
    decorator: Callable[[Callable[..., Any]], Any] = strawberry.field(
        description=description,
        metadata={
            _MODEL: lambda name: Navigation(
                name=name,
                target=target,
                shape=shape,
                strategies=(Strategy.REQUEST,),
                address=address,
                **how,
            )
        },
    )
    return decorator


def model_of(types: Iterable[type]) -> Model:
    """The resource model that the fields of ``types`` declare."""
    model: dict[str, EntityType] = {}
    for type_ in types:
        definition = get_object_definition(type_, strict=True)
        lookup = getattr(type_, "__lookup__", None)
        entity = model[definition.name] = EntityType(definition.name, lookup=lookup)
        for field in definition.fields:
            if (make := field.metadata.get(_MODEL)) is None:
                continue
            key = field.metadata.get(_KEY, False)
            name = to_camel_case(field.python_name)
            made = make(name)
            if isinstance(made, Property):
                # By the field's name, which need not be the property's.
                entity.properties[name] = made
                entity.key = made.name if key else entity.key
            else:
                entity.navigations[made.name] = made
    return Model(model)


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

    _type_names[resolve_type] = type_name
    return resolve_type


def is_row(row: Any, _info: Any) -> bool:
    """``is_type_of`` of types that are read from rows: any object of the service's JSON."""
    return isinstance(row, ROWS)


@computed
def _read_node_id(root: Any) -> Any:
    address = read(root, "@odata.id")
    if address is None:
        raise GraphQLError("the service answered an entity without an id")
    return node_id(address)


@strawberry.interface(description="An object with an id that is unique in the whole gateway.")
class Node:
    """An entity that has a path of its own."""

    node_id: strawberry.ID = strawberry.field(
        description=(
            "Opaque, URL-safe id for `node(nodeId:)`. Not Microsoft Graph's `id`, which for most "
            "types is unique only within a container: client caches must key objects by this."
        ),
        resolver=_read_node_id,
    )

    @staticmethod
    def resolve_type(row: Row, _info: Any, _abstract: Any) -> str:
        """The GraphQL type of an entity that was found by its node id."""
        return str(row["__typename"])


@strawberry.type(description="Where a page of a connection lies in the whole.")
class PageInfo:
    """PageInfo as in the GraphQL Cursor Connections Specification."""

    has_next_page: bool = strawberry.field(
        description="Whether the service has at least one more page, or rows on this one."
    )
    has_previous_page: bool = strawberry.field(description="Whether rows came before this page.")
    start_cursor: str | None = strawberry.field(description="Cursor of the first row.")
    end_cursor: str | None = strawberry.field(
        description="Cursor of the last row; pass it as `after` for what follows."
    )


@strawberry.type(description="A row of a connection and its cursor.")
class Edge(Generic[T]):
    """An edge as in the GraphQL Cursor Connections Specification."""

    cursor: str = strawberry.field(description="Opaque; valid for this edge and its arguments.")
    node: T = strawberry.field(description="The row.")

    is_type_of = staticmethod(is_row)


@strawberry.type(description="The asked part of a collection.")
class Connection(Generic[T]):
    """A connection as in the GraphQL Cursor Connections Specification, with `nodes` beside."""

    edges: list[Edge[T]] = strawberry.field(description="The rows with their cursors.")
    nodes: list[T] = strawberry.field(description="The rows.")
    page_info: PageInfo = strawberry.field(description="Where the rows lie in the whole.")
    total_count: int | None = strawberry.field(
        description=(
            "How many rows the whole collection has; null if the service does not tell. "
            "Selecting it may cost one more upstream request."
        )
    )


@strawberry.type(description="A part of a list across workflows that could not be read.")
class Unread:
    """What the rows of a connection lack, and why."""

    workflow_id: strawberry.ID | None = strawberry.field(
        description="Id of the workflow; null if further workflows could not be listed."
    )
    run_id: strawberry.ID | None = strawberry.field(
        description="Id of the run; null if it is the workflow's runs or user results."
    )
    code: str = strawberry.field(description="As `extensions.code` of an error.")
    message: str = strawberry.field(description="What the service, or the gateway, says.")

    is_type_of = staticmethod(is_row)


@strawberry.type(name="Connection", description="The asked part of a collection.")
class ResultConnection(Connection[T], Generic[T]):
    """The connection of results, which can be of many workflows and runs."""

    unread: list[Unread] = strawberry.field(
        description=(
            "What could not be read of a list across workflows, whose `totalCount` is null then; "
            "empty on all other edges. If it is not selected, an error at the connection tells it."
        )
    )
