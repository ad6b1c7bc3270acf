"""The knowledge of this schema that the projection needs."""

from inspect import isfunction

from graphql import (
    GraphQLAbstractType,
    GraphQLField,
    GraphQLLeafType,
    GraphQLObjectType,
)

from gateway.answer.readings import Reading, TypeName
from gateway.internals import Field, backing
from gateway.schema.rows import is_row, key_of, reading_of, type_name_of

_UNCHANGED: dict[str, type] = {"DateTime": str, "Int64": int}


class SchemaReadings:
    """`gateway.answer.readings.Readings` of the types that `gateway.schema` declares."""

    def of_field(self, definition: GraphQLField) -> Reading | None:
        """Properties are read by their key; other fields if their resolver is marked."""
        field = backing(definition)
        if not isinstance(field, Field) or field.extensions:
            return None
        if field.base_resolver is None:
            return Reading(key_of(field.python_name))
        resolver = field.base_resolver.wrapped_func
        return reading_of(resolver) if isfunction(resolver) else None

    def takes_rows(self, type_: GraphQLObjectType) -> bool:
        """Whether the type's ``is_type_of`` is `is_row`."""
        return type_.is_type_of is is_row

    def type_name(self, type_: GraphQLAbstractType) -> TypeName | None:
        """Types that are told apart by ``@odata.type``."""
        return type_name_of(type_.resolve_type)

    def unchanged(self, type_: GraphQLLeafType) -> type | None:
        """The scalars of `gateway.schema.scalars`."""
        return _UNCHANGED.get(type_.name)
