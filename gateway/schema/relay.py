"""The types of the GraphQL Cursor Connections and Global Object Identification specifications."""

from typing import Any, Generic, TypeVar

import strawberry
from graphql import GraphQLError

from gateway.plan.rows import Row
from gateway.schema.rows import computed, is_row, read
from gateway.schema.scalars import DateTime
from gateway.schema.service import SERVICE

T = TypeVar("T")


@computed
def _read_node_id(root: Any) -> Any:
    address = read(root, "@odata.id")
    if address is None:
        raise GraphQLError("the service answered an entity without an id")
    return SERVICE.node_id(address)


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
    """The part that a connection lacks, and why."""

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
    watermark: DateTime | None = strawberry.field(
        description=(
            "The `changedSince` to ask with next: the latest time at which a row of this page "
            "changed, or the one that was asked with; of several pages the latest counts. Where "
            "something could not be read it does not go on. Null on edges without that argument."
        )
    )
