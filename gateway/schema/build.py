"""The schema, and the resource model that its types declare."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any

import strawberry
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    execute,
    print_schema,
    specified_rules,
    validate,
)
from strawberry.schema.config import StrawberryConfig

from gateway.answer.bounds import Bounds, bounded
from gateway.answer.projection import Projection
from gateway.errors import DeclarationError
from gateway.internals import (
    INPUT_RULES,
    Field,
    Schema,
    backing,
    camel_case,
    complete,
    core_of,
    definition_of,
    field,
    is_awaitable,
    reached,
)
from gateway.odata.routes import Routes
from gateway.plan.model import Model, Navigation, Shape, Strategy
from gateway.schema.context import answer_edge, answer_root
from gateway.schema.declare import Resource, Root, declared, edge_metadata, root_arguments, title
from gateway.schema.drafts import DraftMutation
from gateway.schema.enums import read_tolerantly
from gateway.schema.modelling import (
    model_of,
    navigation_of,
    order_of_rows,
    property_of,
    routes_of,
)
from gateway.schema.mutation import Mutation
from gateway.schema.query import Query
from gateway.schema.readings import SchemaReadings
from gateway.schema.resources import resources as all_resources
from gateway.schema.rows import is_row, read_field, type_name_of
from gateway.schema.scalars import SCALARS

_ABOUT = (
    "The results of the lifecycle workflows of Microsoft Entra ID Governance, and what belongs to "
    "them. Names are those of Microsoft Graph; what is `null` without an error, the service does "
    "not have."
)
# An error about an input prints all of it, so that many errors about a large one take long.
_MAX_ERRORS = 10
_MAX_ERRORS_OF_VARIABLES = 3

_RULES = (*specified_rules, *INPUT_RULES)


@dataclass(frozen=True, slots=True)
class GatewaySchema:
    """The executable schema, the resource model behind it, and what was compiled of it."""

    graphql: strawberry.Schema
    model: Model
    projection: Projection | None

    @property
    def core(self) -> GraphQLSchema:
        """graphql-core's schema."""
        return core_of(self.graphql)

    @property
    def sdl(self) -> str:
        """The schema in the definition language, as ``schema.graphql`` holds it."""
        return print_schema(self.core) + "\n"

    def validate(
        self, document: DocumentNode, *, introspection: bool = True, suggestions: bool = True
    ) -> list[GraphQLError]:
        """The errors of a document that is not valid; at most 11.

        Args:
            document: as parsed.
            introspection: whether it may select ``__schema`` and ``__type``.
            suggestions: whether errors say what may have been meant.
        """
        rules = _RULES if introspection else (*_RULES, NoSchemaIntrospectionCustomRule)
        return validate(
            self.core,
            document,
            rules,
            max_errors=_MAX_ERRORS,
            hide_suggestions=not suggestions,
        )

    async def execute(
        self,
        document: DocumentNode,
        *,
        variables: dict[str, Any] | None = None,
        operation_name: str | None = None,
        context: Any = None,
        suggestions: bool = True,
    ) -> ExecutionResult:
        """The result of an operation of a valid document.

        Args:
            document: as parsed; it is neither parsed nor validated again.
            variables, operation_name: of the request.
            context: what the resolvers share.
            suggestions: whether errors about variables say what may have been meant.
        """
        result = execute(
            self.core,
            document,
            context_value=context,
            variable_values=variables,
            operation_name=operation_name,
            executor_class=self.graphql.execution_context_class,
            is_awaitable=is_awaitable,  # type: ignore[arg-type]
            max_coercion_errors=_MAX_ERRORS_OF_VARIABLES,
            hide_suggestions=not suggestions,
        )
        return await result if isawaitable(result) else result


def build_schema(
    *,
    draft_methods: bool = True,
    projection: bool = True,
    bounds: Bounds | None = None,
    resources: Sequence[type] = (),
) -> GatewaySchema:
    """Build the schema; takes a fraction of a second and is done once per process.

    Args:
        draft_methods: whether it has the methods that only the beta draft has.
        projection: whether selections that only read rows are executed by generated functions;
            answers are the same either way.
        bounds: what one answer may have.
        resources: further resources, beside those of `gateway.schema.resources`.

    Raises:
        DeclarationError: a declaration contradicts another one, or lacks something.
    """
    found = [*all_resources(), *(of_class(type_) for type_ in resources)]
    routes = routes_of(found)
    compiled = Projection(SchemaReadings()) if projection else None
    mutation = DraftMutation if draft_methods else Mutation
    types = reached([Query, mutation, *(resource.type for resource in found)], _members)
    further = _further(found, routes, draft_methods=draft_methods)
    _check_places(types, further)
    schema = Schema(
        query=Query,
        mutation=mutation,
        types=[member for type_ in types for member in _members(type_)],
        execution_context_class=compiled.executor(bounds) if compiled else bounded(bounds),
        config=StrawberryConfig(default_resolver=read_field, scalar_map=SCALARS),
        further=further,
    )
    core = core_of(schema)
    read_tolerantly(core)
    _print_one_of(core)
    _take_rows(core)
    model = model_of(schema, found, routes)
    _in_reading_order(core, model)
    _describe(core, model)
    _leave_arguments_to_the_plan(core, model)
    return GatewaySchema(schema, model, compiled)


def _members(type_: type) -> list[type]:
    """The members of an interface that rows tell apart themselves, which no field leads to."""
    told_apart = type_name_of(getattr(type_, "resolve_type", None)) is not None
    return type_.__subclasses__() if told_apart else []


def _check_places(types: Sequence[type], further: Mapping[str, Sequence[Field]]) -> None:
    """Check the fields that resources declare on other types.

    Raises:
        DeclarationError: the other type is none, or has a field of the name itself.
    """
    names = {type_.__name__ for type_ in types}
    for type_name, made in further.items():
        if type_name not in names:
            name = f"{type_name}.{camel_case(made[0].python_name)}"
            raise DeclarationError(name, "begins at no type of the schema")
    for type_ in types:
        own = {field.python_name for field in definition_of(type_).fields}
        for field_ in further.get(type_.__name__, ()):
            if field_.python_name in own:
                name = f"{type_.__name__}.{camel_case(field_.python_name)}"
                raise DeclarationError(name, "is declared twice")


def of_class(type_: type) -> Resource:
    """The declaration of a class that is a resource.

    Raises:
        DeclarationError: it is none.
    """
    found = declared(type_)
    if found is None:
        raise DeclarationError(type_.__name__, "is not declared with @resource")
    return found


def _further(
    resources: Sequence[Resource], routes: Routes, *, draft_methods: bool
) -> dict[str, list[Field]]:
    """The fields that resources declare on other types, by the type's name: root fields, and
    edges that lead to them."""
    fields: dict[str, list[Field]] = {"Query": []}
    for resource in resources:
        for name, root in resource.roots.items():
            if draft_methods or not root.draft:
                fields["Query"].append(_root_field(resource, name, root, routes))
        for type_name, edges in resource.edges.items():
            for name, made in edges.items():
                navigation = navigation_of(type_name, complete(made, name, None))
                if navigation is None:
                    raise DeclarationError(f"{type_name}.{camel_case(name)}", "is no edge")
                type_ = _type_of(resource, navigation.shape)
                fields.setdefault(type_name, []).append(complete(made, name, type_))
    for type_name, made_fields in fields.items():
        names = [made.python_name for made in made_fields]
        for name in names:
            if names.count(name) > 1:
                raise DeclarationError(f"{type_name}.{camel_case(name)}", "is declared twice")
    fields["Query"].sort(key=lambda made: made.python_name)
    return fields


def _root_field(resource: Resource, name: str, root: Root, routes: Routes) -> Field:
    def title_of(path: str) -> str:
        pattern = "/".join("*" if part.startswith("{") else part for part in path.split("/"))
        found = routes.locate(f"{routes.service.root}/{pattern}")
        return title(found.entity) if found is not None else "object"

    made = field(
        description=root.description,
        resolver=None,
        arguments=root_arguments(root, title_of, routes.is_numbered),
        metadata=edge_metadata(
            lambda graphql_name: Navigation(
                name=graphql_name,
                target=resource.type.__name__,
                shape=root.shape,
                strategies=(Strategy.REQUEST,),
                at=root.at,
                **root.how,
            )
        ),
    )
    return complete(made, name, _type_of(resource, root.shape))


def _type_of(resource: Resource, shape: Shape) -> Any:
    if shape is Shape.CONNECTION:
        return resource.connection[resource.type] | None
    if shape is Shape.LIST:
        return list.__class_getitem__(resource.type) | None
    return resource.type | None


def _describe(core: GraphQLSchema, model: Model) -> None:
    """Describe the schema itself, and what rows are sorted by as the property is described."""
    core.description = _ABOUT
    for name in model:
        type_ = core.type_map[name]
        for made in type_.fields.values() if isinstance(type_, GraphQLObjectType) else ():
            if "orderBy" not in made.args:
                continue
            by, rows = order_of_rows(made)
            for value in by.values.values():
                property_ = rows.fields.get(property_of(value))
                value.description = property_.description if property_ is not None else None


def _take_rows(core: GraphQLSchema) -> None:
    """Members of an interface are read from rows, not from instances of their classes."""
    for type_ in core.type_map.values():
        if isinstance(type_, GraphQLObjectType) and type_.interfaces:
            type_.is_type_of = is_row


def _print_one_of(schema: GraphQLSchema) -> None:
    """Strawberry checks one-of inputs itself and leaves the type unmarked."""
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLInputObjectType):
            definition = backing(type_)
            type_.is_one_of = bool(definition is not None and definition.is_one_of)


def _leave_arguments_to_the_plan(schema: GraphQLSchema, model: Model) -> None:
    """Resolve edges without making Strawberry's inputs of their arguments.

    The plan has read them as graphql-core gives them. Strawberry would convert them again for every
    alias and every row, which takes a tenth of a second for a filter of the largest size.
    """
    readings = SchemaReadings()
    for type_ in schema.type_map.values():
        for name, made in type_.fields.items() if isinstance(type_, GraphQLObjectType) else ():
            reading = readings.of_field(made)
            if type_ is schema.query_type and name in model[type_.name].navigations:
                made.resolve = answer_root
            elif reading is not None and reading.edge:
                made.resolve = answer_edge


def _in_reading_order(schema: GraphQLSchema, model: Model) -> None:
    """Print the entities first, each with its connection, then the others by their names: a new
    file moves nothing."""
    first = [name for type_ in model for name in (type_, f"{type_}Connection", f"{type_}Edge")]
    order = {name: place for place, name in enumerate(["Query", "Mutation", *first])}
    schema.type_map = dict(
        sorted(schema.type_map.items(), key=lambda item: (order.get(item[0], len(order)), item[0]))
    )
