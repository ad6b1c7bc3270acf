"""All that is taken from beneath the public surface of Strawberry and graphql-core.

Each name says why there is no public way. When one of the two is upgraded, this is what to look at.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import strawberry
from graphql import GraphQLResolveInfo, GraphQLSchema
from graphql.execution.collect_fields import CollectedFields, FieldDetailsList
from graphql.execution.values import VariableValues
from graphql.pyutils import Path
from graphql.type.definition import GraphQLResolveInfoHelpers
from graphql.validation.rules import overlapping_fields_can_be_merged
from strawberry.annotation import StrawberryAnnotation
from strawberry.execution import optimized_is_awaitable as is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext as ExecutionContext
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule
from strawberry.types.arguments import StrawberryArgument as Argument
from strawberry.types.base import (
    StrawberryList,
    StrawberryObjectDefinition,
    StrawberryOptional,
    get_object_definition,
    has_object_definition,
)
from strawberry.types.field import UNRESOLVED
from strawberry.types.field import StrawberryField as Field
from strawberry.types.lazy_type import LazyType
from strawberry.types.scalar import ScalarDefinition
from strawberry.utils.str_converters import to_camel_case as camel_case

from gateway.errors import DeclarationError

__all__ = [
    "INPUT_RULES",
    "Argument",
    "CollectedFields",
    "ExecutionContext",
    "Field",
    "FieldDetailsList",
    "GraphQLResolveInfoHelpers",
    "Path",
    "ScalarDefinition",
    "Schema",
    "StrawberryList",
    "StrawberryOptional",
    "VariableValues",
    "argument",
    "backing",
    "camel_case",
    "complete",
    "core_of",
    "definition_of",
    "field",
    "is_awaitable",
    "raw_info",
    "reached",
    "retype",
]

# The executor is a part of graphql-core's execution: it completes values where nothing generated
# does, in the classes and with the types that are handed from one of its methods to the next. The
# class of Strawberry adds to them how its own types are completed.
_OF_THE_EXECUTOR = (
    CollectedFields,
    ExecutionContext,
    FieldDetailsList,
    GraphQLResolveInfoHelpers,
    Path,
    VariableValues,
)
# Scalars are declared by it; the decorator that is public wants a class for each.
_OF_SCALARS = (ScalarDefinition,)

INPUT_RULES = (MaybeNullValidationRule, OneOfInputValidationRule)
"""Strawberry adds these to the rules of graphql-core where it validates; the gateway validates
itself, with bounds on errors that Strawberry does not pass on."""

# The units of two comparisons of fields with the same name, in one document; see the rule. It is
# a constant of the module, without a parameter.
overlapping_fields_can_be_merged.MAX_COMPLEXITY_BUDGET = 40_000


def core_of(schema: strawberry.Schema) -> GraphQLSchema:
    """graphql-core's schema, which is what is executed; Strawberry's own methods hide it."""
    return schema._schema


def raw_info(info: strawberry.Info[Any, Any]) -> GraphQLResolveInfo[Any]:
    """graphql-core's description of the field; Strawberry's lacks the merged field nodes."""
    return info._raw_info


def definition_of(type_: type) -> StrawberryObjectDefinition:
    """The fields of a type as they are declared.

    Raises:
        TypeError: it is not a type of the schema.
    """
    return get_object_definition(type_, strict=True)


def backing(core: Any) -> Any:
    """The declaration behind a type or a field of graphql-core; ``None`` if it has none."""
    return (core.extensions or {}).get(GraphQLCoreConverter.DEFINITION_BACKREF)


def argument(name: str, type_: Any, description: str, **default: Any) -> Argument:
    """An argument that is made, and not written in a resolver's signature.

    Args:
        name: in snake_case.
        type_: its annotation.
        description: for the schema.
        default: ``default``, if it has one.
    """
    return Argument(name, None, StrawberryAnnotation(type_), description=description, **default)


def field(
    *,
    description: str,
    metadata: dict[str, Any],
    resolver: Any,
    arguments: Iterable[Argument] = (),
) -> Any:
    """A field whose arguments are made; Strawberry reads them from a signature only."""
    made: Any = strawberry.field(description=description, resolver=resolver, metadata=metadata)
    if arguments := list(arguments):
        made.arguments = arguments
    return made


def complete(made: Any, python_name: str, type_: Any) -> Field:
    """A field with a name and a type, for a class that it does not stand in."""
    copy: Field = made.__copy__()
    copy.python_name = python_name
    copy.type_annotation = StrawberryAnnotation(type_)
    return copy


class Schema(strawberry.Schema):
    """A schema whose types have further fields, from the declarations of other resources.

    Args:
        further: these fields, by the name of the type.
    """

    def __init__(self, *args: Any, further: Mapping[str, Sequence[Field]], **how: Any) -> None:
        self._further = further
        super().__init__(*args, **how)

    def get_fields(self, type_definition: StrawberryObjectDefinition) -> list[Field]:
        """The declared fields of a type, and the further ones."""
        return [*type_definition.fields, *self._further.get(type_definition.name, ())]


def retype(type_: type, **fields: Any) -> None:
    """Give fields their types after the class was made, because they refer to it."""
    for declared in definition_of(type_).fields:
        if declared.python_name in fields:
            declared.type_annotation = StrawberryAnnotation(fields[declared.python_name])


def reached(types: Iterable[type], members: Callable[[type], Iterable[type]]) -> list[type]:
    """The classes that the fields of ``types`` lead to, themselves among them.

    Strawberry finds no member of an interface that no field leads to, so that these have to be
    given to the schema when it is made.

    Args:
        types: where to begin.
        members: the members of an interface that are reached with it.

    Raises:
        DeclarationError: the annotation of a field leads to nothing.
    """
    found: list[type] = []
    waiting: list[Any] = list(types)
    while waiting:
        type_ = waiting.pop()
        if not has_object_definition(type_) or type_ in found:
            continue
        found.append(type_)
        for declared in definition_of(type_).fields:
            try:
                if declared.type is UNRESOLVED:
                    raise NameError("its module has no such class")
                waiting.append(_named(declared.type))
            except (LookupError, ImportError, NameError) as error:
                name = f"{type_.__name__}.{camel_case(declared.python_name)}"
                told = f"has an annotation that leads to nothing: {type(error).__name__}: {error}"
                raise DeclarationError(name, told) from None
        waiting += members(type_)
    return found


def _named(type_: Any) -> Any:
    while isinstance(type_, StrawberryOptional | StrawberryList):
        type_ = type_.of_type
    return type_.resolve_type() if isinstance(type_, LazyType) else type_
