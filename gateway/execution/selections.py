"""Selections of one operation: fields with fragments, directives and arguments resolved."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from graphql import (
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    is_abstract_type,
    is_leaf_type,
    is_object_type,
)
from graphql.execution.collect_fields import CollectedFields, FieldDetailsList

from gateway.execution.readings import Reading, Readings

Structure = tuple[Any, ...]


class TooLarge(Exception):
    """The selection has more fields than are compiled for one operation."""


class Wrapped(NamedTuple):
    """A type without its wrappers.

    Attributes:
        named: the type inside; another list, if there are lists of lists.
        non_null: whether null may not stand in the place of the value.
        listed: whether the value is a list.
        item: the type of the list's items, as it is declared.
    """

    named: Any
    non_null: bool
    listed: bool
    item: Any


def unwrapped(type_: Any) -> Wrapped:
    """Take the wrappers off a type: non-null, list, non-null."""
    non_null = isinstance(type_, GraphQLNonNull)
    inner = type_.of_type if non_null else type_
    if not isinstance(inner, GraphQLList):
        return Wrapped(inner, non_null, False, None)
    item = inner.of_type
    return Wrapped(item.of_type if isinstance(item, GraphQLNonNull) else item, non_null, True, item)


@dataclass(slots=True, eq=False)
class Field:
    """A field of a selection.

    Attributes:
        name: its key in the response.
        definition: of the schema.
        details: its nodes in the document, as graphql-core collected them.
        type: its type without wrappers.
        reading: how it is read; ``None`` for ``__typename``.
        key: an edge's key, made by its arguments.
        targets: what is selected of the objects that it leads to, by type.
    """

    name: str
    definition: GraphQLField
    details: FieldDetailsList
    type: Wrapped
    reading: Reading | None
    key: str = ""
    targets: "dict[str, Selection] | None" = None

    @property
    def target(self) -> "Selection | None":
        """What is selected below, if all objects there are of one type."""
        if self.targets is None or is_abstract_type(self.type.named):
            return None
        return self.targets[self.type.named.name]


class Selection:
    """What is selected of the objects of one type.

    Attributes:
        type: the type.
        fields: in the order of the response.
        composites: those that lead to objects.
        structure: equal for selections that one function can project.
    """

    __slots__ = ("composites", "fields", "structure", "type")

    def __init__(self, type_: GraphQLObjectType, fields: list[Field]) -> None:
        self.type = type_
        self.fields = fields
        self.composites = [field for field in fields if field.targets is not None]
        self.structure: Structure = (
            type_.name,
            *(
                (field.name, field.details[0].node.name.value)
                if field.targets is None
                else (
                    field.name,
                    field.details[0].node.name.value,
                    *(target.structure for target in field.targets.values()),
                )
                for field in fields
            ),
        )

    def places(self) -> Iterator[Field]:
        """The fields that lead to objects, at all levels; each before what is below it."""
        for field in self.composites:
            yield field
            for target in (field.targets or {}).values():
                yield from target.places()


class Selector:
    """Reads the selections of one operation.

    Args:
        schema: of the operation.
        readings: what the schema tells of itself.
        collect: graphql-core's own collection of the fields of a type.
        key: the key of an edge, by its definition and nodes.
        fields: how many fields may be read.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        readings: Readings,
        *,
        collect: Callable[[GraphQLObjectType, FieldDetailsList], CollectedFields],
        key: Callable[[GraphQLField, FieldDetailsList], str],
        fields: int,
    ) -> None:
        self._schema = schema
        self._readings = readings
        self._collect = collect
        self._key = key
        self._left = fields
        self._selected: dict[tuple[str, int], Selection | None] = {}

    def select(self, type_: GraphQLObjectType, details: FieldDetailsList) -> Selection | None:
        """What ``details`` select of ``type_``; ``None`` if any of it needs graphql-core.

        Raises:
            TooLarge: too many fields were selected.
            GraphQLError: an argument does not fit.
        """
        key = (type_.name, id(details))
        if key not in self._selected:
            self._selected[key] = self._select(type_, details)
        return self._selected[key]

    def _select(self, type_: GraphQLObjectType, details: FieldDetailsList) -> Selection | None:
        if type_.is_type_of is not None and not self._readings.takes_rows(type_):
            return None
        collected = self._collect(type_, details)
        if collected.new_defer_usages:
            return None
        fields = []
        for name, nodes in collected.grouped_field_set.items():
            self._left -= 1
            if self._left < 0:
                raise TooLarge
            field = self._field(type_, name, nodes)
            if field is None:
                return None
            fields.append(field)
        return Selection(type_, fields)

    def _field(
        self, parent: GraphQLObjectType, name: str, details: FieldDetailsList
    ) -> Field | None:
        definition = self._schema.get_field(parent, details[0].node.name.value)
        if definition is None:
            return None
        type_ = unwrapped(definition.type)
        if details[0].node.name.value == "__typename":
            return Field(name, definition, details, type_, None)
        reading = self._readings.of_field(definition)
        if reading is None or (definition.args and not reading.edge):
            return None
        if is_leaf_type(_innermost(type_.named)):
            return None if reading.edge else Field(name, definition, details, type_, reading)
        if reading.function is not None:
            return None
        key = self._key(definition, details) if reading.edge else ""
        targets = self._targets(type_.named, details)
        if targets is None:
            return None
        return Field(name, definition, details, type_, reading, key, targets)

    def _targets(self, named: Any, details: FieldDetailsList) -> dict[str, Selection] | None:
        if is_object_type(named):
            possible = [named]
        elif is_abstract_type(named) and self._readings.type_name(named) is not None:
            possible = list(self._schema.get_possible_types(named))
        else:
            return None
        targets = {}
        for type_ in possible:
            selection = self.select(type_, details)
            if selection is None:
                return None
            targets[type_.name] = selection
        return targets


def _innermost(type_: Any) -> Any:
    while isinstance(type_, GraphQLList | GraphQLNonNull):
        type_ = type_.of_type
    return type_
