"""The knowledge of a schema that the projection needs to read values without its resolvers."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Protocol

from graphql import GraphQLAbstractType, GraphQLField, GraphQLLeafType, GraphQLObjectType

TypeName = Callable[[Any, Collection[str]], str]


@dataclass(frozen=True, slots=True)
class Reading:
    """The way to have the value of a field from its row.

    Attributes:
        key: the row's key that holds it.
        edge: whether the field's arguments make the key (`gateway.plan.nodes.edge_key`).
        function: computes it from the row alone, without effects; instead of a key.
    """

    key: str = ""
    edge: bool = False
    function: Callable[[Any], Any] | None = None


class Readings(Protocol):
    """The answers of a schema about itself; what it does not tell is left to graphql-core."""

    def of_field(self, definition: GraphQLField) -> Reading | None:
        """The reading of the field; ``None`` if only its resolver knows."""

    def takes_rows(self, type_: GraphQLObjectType) -> bool:
        """Whether every dict is a value of the type."""

    def type_name(self, type_: GraphQLAbstractType) -> TypeName | None:
        """Tells a row's type from the row and the names of the possible types."""

    def unchanged(self, type_: GraphQLLeafType) -> type | None:
        """The Python type whose own instances are written as they are, if there is one."""
