"""Selection sets of a GraphQL operation, as the planner reads them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLIncludeDirective,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLSkipDirective,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
    get_argument_values,
    get_directive_values,
)

from gateway.internals import VariableValues


@dataclass(frozen=True, slots=True)
class Operation:
    """The schema, fragments and variables that the selection sets of one operation share."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: VariableValues


@dataclass(frozen=True, slots=True)
class AstField:
    """A field node; see `gateway.plan.planner.SelectedField`."""

    name: str
    arguments: Mapping[str, Any]
    selection: "AstSelection"


@dataclass(frozen=True, slots=True)
class AstSelection:
    """A selection set; see `gateway.plan.planner.Selection`."""

    operation: Operation
    node: SelectionSetNode | None

    def fields(self, type_name: str) -> Iterable[AstField]:
        """The fields that apply to an object of ``type_name``; meta-fields are left out."""
        type_ = self.operation.schema.get_type(type_name)
        if self.node is None or not isinstance(type_, GraphQLObjectType):
            return
        for node in self._nodes(self.node.selections, type_):
            definition = type_.fields.get(node.name.value)
            if definition is not None:
                arguments = get_argument_values(definition, node, self.operation.variables)
                yield AstField(
                    node.name.value, arguments, AstSelection(self.operation, node.selection_set)
                )

    def _nodes(
        self, selections: Iterable[SelectionNode], type_: GraphQLObjectType
    ) -> Iterator[FieldNode]:
        for selection in selections:
            if not self._included(selection):
                continue
            if isinstance(selection, FieldNode):
                yield selection
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                if condition is None or self._applies(condition.name.value, type_):
                    yield from self._nodes(selection.selection_set.selections, type_)
            elif isinstance(selection, FragmentSpreadNode):
                fragment = self.operation.fragments[selection.name.value]
                if self._applies(fragment.type_condition.name.value, type_):
                    yield from self._nodes(fragment.selection_set.selections, type_)

    def _applies(self, condition: str, type_: GraphQLObjectType) -> bool:
        if condition == type_.name:
            return True
        abstract = self.operation.schema.get_type(condition)
        return abstract is not None and self.operation.schema.is_sub_type(abstract, type_)  # type: ignore[arg-type]

    def _included(self, node: SelectionNode) -> bool:
        variables = self.operation.variables
        skip = get_directive_values(GraphQLSkipDirective, node, variables)
        if skip is not None and skip["if"] is True:
            return False
        include = get_directive_values(GraphQLIncludeDirective, node, variables)
        return include is None or include["if"] is not False


def operation_selection(info: GraphQLResolveInfo[Any]) -> AstSelection:
    """The root selection set of the operation that ``info`` belongs to."""
    operation = Operation(info.schema, info.fragments, VariableValues({}, coerced_variables(info)))
    return AstSelection(operation, info.operation.selection_set)


def field_selection(info: GraphQLResolveInfo[Any]) -> AstSelection:
    """The selection set of the field that is being resolved, merged where it is there twice."""
    operation = Operation(info.schema, info.fragments, VariableValues({}, coerced_variables(info)))
    selections = tuple(
        selection
        for node in info.field_nodes
        if node.selection_set is not None
        for selection in node.selection_set.selections
    )
    return AstSelection(operation, SelectionSetNode(selections=selections))


def arguments_of(info: GraphQLResolveInfo[Any]) -> dict[str, Any]:
    """The coerced arguments of the field that is being resolved, by GraphQL name."""
    definition = info.parent_type.fields[info.field_name]
    return get_argument_values(
        definition, info.field_nodes[0], VariableValues({}, coerced_variables(info))
    )


def coerced_variables(info: GraphQLResolveInfo[Any]) -> dict[str, Any]:
    """The coerced variables of an operation, by name.

    Strawberry hands its resolvers the plain dict.
    """
    values: Any = info.variable_values
    return values if isinstance(values, dict) else values.coerced
