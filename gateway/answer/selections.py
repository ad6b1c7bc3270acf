"""Selections of one operation: fields with fragments, directives and arguments resolved."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from graphql import (
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    TypeNameMetaFieldDef,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_object_type,
)

from gateway.answer.readings import Reading, Readings
from gateway.internals import CollectedFields, FieldDetailsList

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


_TYPENAME = unwrapped(TypeNameMetaFieldDef.type)


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
        targets: what is selected of the objects that it leads to, by type; ``None`` for a leaf.
        at: the attribute of the response object that holds its value.
    """

    name: str
    definition: GraphQLField
    details: FieldDetailsList
    type: Wrapped
    reading: Reading | None
    key: str = ""
    targets: "dict[str, Selection] | None" = None
    at: str = ""

    @property
    def target(self) -> "Selection | None":
        """The selection below, if all objects there are of one type."""
        return (self.targets or {}).get(self.type.named.name)


class Selection:
    """The selection on the objects of one type.

    Attributes:
        type: the type.
        fields: in the order of the response.
        composites: those that lead to objects.
        structure: equal for selections that one function can project.
        size: how many fields there are, those below included.
        sizes: what one object of it has (`gateway.answer.sizes`), once it was asked for.
    """

    __slots__ = ("composites", "fields", "size", "sizes", "structure", "type")

    def __init__(self, type_: GraphQLObjectType, fields: list[Field]) -> None:
        self.type = type_
        self.fields = fields
        self.composites = [field for field in fields if field.targets is not None]
        self.size = len(fields)
        for place, field in enumerate(fields):
            field.at = f"f{place}"
        self.sizes: Any = None
        for field in self.composites:
            self.size += sum(target.size for target in (field.targets or {}).values())
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


class Known(NamedTuple):
    """A field as a schema tells of it; see `Field`."""

    definition: GraphQLField
    type: Wrapped
    reading: Reading


class Fields:
    """The fields of a schema, each asked about once.

    Args:
        readings: what the schema tells of itself.
    """

    def __init__(self, readings: Readings) -> None:
        self.readings = readings
        self._known: dict[tuple[str, str], Known] = {}

    def of(self, schema: GraphQLSchema, parent: GraphQLObjectType, name: str) -> Known | None:
        """A field of a type; ``None`` if there is none, or if it can't be read without resolver."""
        key = (parent.name, name)
        found = self._known.get(key)
        if found is None:
            definition = schema.get_field(parent, name)
            reading = None if definition is None else self.readings.of_field(definition)
            if definition is None or reading is None or not _readable(definition, reading):
                return None
            found = self._known[key] = Known(definition, unwrapped(definition.type), reading)
        return found


def _readable(definition: GraphQLField, reading: Reading) -> bool:
    """Whether a reading can be compiled: arguments make the keys of edges, and of nothing else."""
    if is_leaf_type(get_named_type(definition.type)):
        return not reading.edge and not definition.args
    return reading.function is None and (reading.edge or not definition.args)


class Executing(Protocol):
    """The part of an operation's executor that is used here."""

    def collect_subfields(
        self, return_type: GraphQLObjectType, field_details_list: FieldDetailsList
    ) -> CollectedFields:
        """graphql-core's own collection of the fields of a type."""

    def edge_key(self, definition: GraphQLField, details: FieldDetailsList) -> str:
        """The key of an edge, by its definition and nodes."""


class Selector:
    """Reads the selections of one operation; it does not know the executor, which knows it.

    Args:
        schema: of the operation.
        known: its fields.
        fields: how many fields may be read.
    """

    def __init__(self, schema: GraphQLSchema, known: Fields, *, fields: int) -> None:
        self._schema = schema
        self._known = known
        self._left = fields
        self._selected: dict[tuple[str, int], Selection | None] = {}

    def select(
        self, executing: Executing, type_: GraphQLObjectType, details: FieldDetailsList
    ) -> Selection | None:
        """The selection of ``details`` on ``type_``; ``None`` if any of it needs graphql-core.

        Raises:
            TooLarge: too many fields were selected.
            GraphQLError: an argument does not fit.
        """
        key = (type_.name, id(details))
        if key not in self._selected:
            self._selected[key] = self._select(executing, type_, details)
        return self._selected[key]

    def _select(
        self, executing: Executing, type_: GraphQLObjectType, details: FieldDetailsList
    ) -> Selection | None:
        if type_.is_type_of is not None and not self._known.readings.takes_rows(type_):
            return None
        collected = executing.collect_subfields(type_, details)
        if collected.new_defer_usages:
            return None
        fields = []
        for name, nodes in collected.grouped_field_set.items():
            self._left -= 1
            if self._left < 0:
                raise TooLarge
            field = self._field(executing, type_, name, nodes)
            if field is None:
                return None
            fields.append(field)
        return Selection(type_, fields)

    def _field(
        self,
        executing: Executing,
        parent: GraphQLObjectType,
        name: str,
        details: FieldDetailsList,
    ) -> Field | None:
        field_name = details[0].node.name.value
        if field_name == "__typename":
            return Field(name, TypeNameMetaFieldDef, details, _TYPENAME, None)
        known = self._known.of(self._schema, parent, field_name)
        if known is None:
            return None
        definition, type_, reading = known
        if is_leaf_type(get_named_type(type_.named)):
            return Field(name, definition, details, type_, reading)
        targets = self._targets(executing, type_.named, details)
        if targets is None:
            return None
        key = executing.edge_key(definition, details) if reading.edge else ""
        return Field(name, definition, details, type_, reading, key, targets)

    def _targets(
        self, executing: Executing, named: Any, details: FieldDetailsList
    ) -> dict[str, Selection] | None:
        if is_object_type(named):
            possible = [named]
        elif is_abstract_type(named) and self._known.readings.type_name(named) is not None:
            possible = list(self._schema.get_possible_types(named))
        else:
            return None
        targets = {}
        for type_ in possible:
            selection = self.select(executing, type_, details)
            if selection is None:
                return None
            targets[type_.name] = selection
        return targets
