"""The resource model that the declarations of a schema make, and whether it holds together.

The schema reaches from the root fields what it has: each type that an edge leads to is an entity
type of the model. A declaration that contradicts another one is an error when the schema is built,
with its name.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import strawberry
from graphql import (
    GraphQLEnumType,
    GraphQLEnumValue,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
)

from gateway.errors import DeclarationError
from gateway.internals import Field, backing, camel_case, core_of, definition_of
from gateway.odata.routes import Routes
from gateway.plan.model import EntityType, Model, Navigation, Property, Shape, Strategy
from gateway.schema.declare import KEY, MODEL, Resource
from gateway.schema.enums import UNKNOWN
from gateway.schema.service import SERVICE

_LOGIC = ("and", "or", "not")


def navigation_of(type_name: str, made: Field) -> Navigation | None:
    """The edge that a field of a type declares, if it declares one.

    Raises:
        DeclarationError: as for `_declaration_of`.
    """
    found = _declaration_of(type_name, made)
    return found if isinstance(found, Navigation) else None


def _declaration_of(type_name: str, made: Field) -> Property | Navigation | None:
    """The property or the edge that a field of a type declares, if it declares one.

    Raises:
        DeclarationError: it is declared with something that no edge has.
    """
    make = made.metadata.get(MODEL)
    if make is None:
        return None
    name = camel_case(made.python_name)
    try:
        found: Property | Navigation = make(name)
    except TypeError as error:
        raise DeclarationError(f"{type_name}.{name}", f"is declared wrongly: {error}") from None
    return found


def routes_of(resources: Iterable[Resource]) -> Routes:
    """The routes of the resources.

    Raises:
        DeclarationError: a route leads below a type that has none, or two have one name.
    """
    resources = list(resources)
    seen: dict[str, str] = {}
    for resource in resources:
        name, module = resource.type.__name__, resource.type.__module__
        if name in seen:
            raise DeclarationError(name, f"is declared twice: in {seen[name]} and in {module}")
        seen[name] = module
    routes = {resource.type.__name__: resource.routes for resource in resources}
    # The name of an edge that is requested stands in its path.
    names = {
        navigation.name
        for resource in resources
        for made in definition_of(resource.type).fields
        if (navigation := navigation_of(resource.type.__name__, made)) is not None
        and navigation.allows(Strategy.REQUEST)
        and not (navigation.container or navigation.reference or navigation.call)
    }
    return Routes(SERVICE, {n: r for n, r in routes.items() if r}, names)


def model_of(schema: strawberry.Schema, resources: Iterable[Resource], routes: Routes) -> Model:
    """The model of all that ``schema`` reaches; it is checked.

    Args:
        schema: with the fields of all resources.
        resources: their declarations.
        routes: `routes_of` them.

    Raises:
        DeclarationError: a declaration contradicts another one, or lacks something.
    """
    declared = {resource.type.__name__: resource for resource in resources}
    core = core_of(schema)
    beta = {name for name, resource in declared.items() if resource.beta}
    types: dict[str, EntityType] = {}
    waiting = [type_.name for type_ in (core.query_type, core.mutation_type) if type_ is not None]
    while waiting:
        name = waiting.pop(0)
        if name in types:
            continue
        found = types[name] = _entity_type(schema, name, declared.get(name), beta)
        waiting += [n.target for n in found.navigations.values() if n.target]
        if core.mutation_type is not None and name == core.mutation_type.name:
            waiting += [get_named_type(f.type).name for f in core.mutation_type.fields.values()]
    for node in core.get_possible_types(_interface(core, "Node")):
        if node.name not in types:
            types[node.name] = _entity_type(schema, node.name, declared.get(node.name), beta)
    model = Model(types, routes)
    _Check(core, model, routes).all()
    return model


def _interface(core: GraphQLSchema, name: str) -> GraphQLInterfaceType:
    found = core.type_map[name]
    assert isinstance(found, GraphQLInterfaceType)  # noqa: S101 - of gateway.schema.relay
    return found


def _entity_type(
    schema: strawberry.Schema, name: str, resource: Resource | None, beta: Iterable[str]
) -> EntityType:
    core = core_of(schema).type_map.get(name)
    definition = backing(core) if core is not None else None
    entity = EntityType(name)
    if resource is not None:
        entity.lookup, entity.permissions = resource.lookup, resource.permissions
    for made in schema.get_fields(definition) if definition is not None else ():
        found = _declaration_of(name, made)
        if isinstance(found, Property):
            # By the field's name, which need not be the property's.
            entity.properties[camel_case(made.python_name)] = found
            entity.key = found.name if made.metadata.get(KEY) else entity.key
        elif found is not None:
            entity.navigations[found.name] = (
                replace(found, beta=True) if found.target in beta else found
            )
    return entity


@dataclass(frozen=True, slots=True)
class _Check:
    """Checks each declaration against the others."""

    core: GraphQLSchema
    model: Model
    routes: Routes

    def all(self) -> None:
        """Check the whole model, types before the edges that lead to them.

        Raises:
            DeclarationError: of the first declaration that is wrong.
        """
        entities = [self.model[name] for name in self.model if name in self.core.type_map]
        for entity in entities:
            self._entity(entity)
            self._properties(entity)
        for entity in entities:
            for navigation in entity.navigations.values():
                self._edge(entity, navigation)

    def _entity(self, entity: EntityType) -> None:
        core = self.core.type_map[entity.name]
        is_node = isinstance(core, GraphQLObjectType) and any(
            interface.name == "Node" for interface in core.interfaces
        )
        if is_node and not self.routes.of(entity.name):
            raise DeclarationError(entity.name, "has a nodeId, but no route")
        if is_node and entity.key is None:
            raise DeclarationError(entity.name, "has a nodeId, but no property that is its key")

    def _properties(self, entity: EntityType) -> None:
        for name, property_ in entity.properties.items():
            if property_.name not in entity.properties:
                raise DeclarationError(
                    f"{entity.name}.{name}",
                    f"reads {property_.name}, which {entity.name} does not have",
                )
            type_ = get_named_type(self._object(entity.name).fields[name].type)
            if isinstance(type_, GraphQLEnumType) and UNKNOWN not in type_.values:
                raise DeclarationError(
                    f"{entity.name}.{name}",
                    f"is a {type_.name}, which has no {UNKNOWN} for what the service adds",
                )

    def _edge(self, entity: EntityType, navigation: Navigation) -> None:
        name = f"{entity.name}.{navigation.name}"
        if not navigation.target:
            return
        if navigation.target not in self.core.type_map:
            raise DeclarationError(name, f"leads to {navigation.target}, which is no type")
        core = self._object(entity.name).fields[navigation.name]
        leads_to = _row_type(core, navigation.shape)
        if leads_to != navigation.target:
            raise DeclarationError(
                name, f"leads to {navigation.target}, but its type is that of {leads_to}"
            )
        for problem in (
            *self._strategies(entity, navigation),
            *self._arguments(core, navigation),
            *self._place(entity, navigation),
        ):
            raise DeclarationError(name, problem)

    def _object(self, name: str) -> GraphQLObjectType:
        found = self.core.type_map[name]
        assert isinstance(found, GraphQLObjectType)  # noqa: S101 - such types alone have edges
        return found

    # --- what a strategy needs ---------------------------------------------------------------

    def _strategies(self, entity: EntityType, navigation: Navigation) -> Iterator[str]:
        target = self.model[navigation.target]
        if not navigation.strategies:
            yield "names no strategy by which it can be had"
        if navigation.shape is Shape.CONNECTION and target.key is None:
            yield f"pages through {target.name}, which has no key"
        if navigation.allows(Strategy.HYDRATE) and target.lookup is None:
            yield f"is looked up, but {target.name} has no lookup"
        if navigation.allows(Strategy.JOIN) and navigation.join is None:
            yield "is joined, but does not say with what"
        if navigation.join is not None and navigation.join.by not in entity.properties:
            yield f"is joined by {navigation.join.by}, which {entity.name} does not have"
        if navigation.reference is not None and navigation.reference[1] not in entity.properties:
            yield f"refers by {navigation.reference[1]}, which {entity.name} does not have"
        if navigation.count is not None and navigation.count not in entity.properties:
            yield f"is counted by {navigation.count}, which {entity.name} does not have"
        if navigation.allows(Strategy.REGROUP):
            yield from self._regroup(entity, target, navigation)
        if navigation.across is not None:
            yield from self._across(navigation, target)

    def _regroup(
        self, entity: EntityType, target: EntityType, navigation: Navigation
    ) -> Iterator[str]:
        regroup = navigation.regroup
        if regroup is None:
            yield "is regrouped, but does not say from what"
            return
        if regroup.on not in self.model:
            yield f"is regrouped on {regroup.on}, which is no type"
            return
        on = self.model[regroup.on]
        flat = on.navigations.get(regroup.collection)
        if flat is None or flat.target != target.name:
            yield (
                f"is regrouped from {on.name}.{regroup.collection}, "
                f"which does not lead to {target.name}"
            )
        for side in (entity, target):
            if regroup.key not in side.navigations:
                yield f"is regrouped by {regroup.key}, which {side.name} does not have"
        for count in (regroup.parents, regroup.targets):
            if count not in on.properties:
                yield f"is regrouped with {count}, which {on.name} does not have"

    def _across(self, navigation: Navigation, target: EntityType) -> Iterator[str]:
        across = navigation.across
        assert across is not None  # noqa: S101 - asked for by the caller
        if across.by not in target.properties:
            yield f"is sorted by {across.by}, which {target.name} does not have"
        for _, property_, _ in across.period:
            if property_ not in target.properties:
                yield f"is bounded by {property_}, which {target.name} does not have"
        for property_ in across.since[1] if across.since is not None else ():
            if property_ not in target.properties:
                yield f"asks since a time of {property_}, which {target.name} does not have"
        if across.of is not None and across.of[1] not in target.navigations:
            yield f"is narrowed by {across.of[1]}, which {target.name} does not have"
        for source in across.sources:
            if source.entity not in self.model:
                yield f"goes across {source.entity}, which is no type"
                return
            container = self.model[source.entity]
            for fact in source.evidence.facts if source.evidence is not None else ():
                if fact not in container.properties:
                    yield f"needs {fact}, which {container.name} does not have"
        last = self.model[across.sources[-1].entity]
        if navigation.name not in last.navigations:
            yield f"goes across {last.name}, which has no edge of this name"

    # --- arguments ---------------------------------------------------------------------------

    def _arguments(self, core: GraphQLField, navigation: Navigation) -> Iterator[str]:
        target = self.model[navigation.target]
        narrowed = {"filter": target}
        for source in navigation.across.sources if navigation.across is not None else ():
            if source.argument is not None:
                narrowed[source.argument] = self.model[source.entity]
        for argument, rows in narrowed.items():
            for member in self._members(core, argument):
                if member not in _LOGIC and not _has(rows, member):
                    yield f"takes a filter on {member}, which {rows.name} does not have"
        if "orderBy" in core.args:
            for value in order_of_rows(core)[0].values.values():
                member = property_of(value)
                if not _has(target, member):
                    yield f"is sorted by {member}, which {target.name} does not have"

    @staticmethod
    def _members(core: GraphQLField, argument: str) -> Iterable[str]:
        given = core.args.get(argument)
        type_ = get_named_type(given.type) if given is not None else None
        return type_.fields if isinstance(type_, GraphQLInputObjectType) else ()

    # --- where its rows are ------------------------------------------------------------------

    def _place(self, entity: EntityType, navigation: Navigation) -> Iterator[str]:
        """Entities that have addresses are found where the edge leads to, so that their ``nodeId``
        leads there too."""
        target = self.model[navigation.target]
        live_at = set(self.routes.of(target.name))
        if not live_at or navigation.stub:
            return
        container, above = navigation.container, self.routes.of(entity.name)
        if container is not None and not any(f"/{container}/*" in path for path in above):
            yield (
                f"leads back to the container {container}, through which no route of "
                f"{entity.name} goes: it lives at {', '.join(above) or 'no place'}"
            )
        for path in self._paths(entity, navigation):
            if path not in live_at:
                yield f"leads to {path}, where no {target.name} lives: a route is missing"

    def _paths(self, entity: EntityType, navigation: Navigation) -> Iterator[str]:
        root = self.routes.service.root
        key = "/*" if navigation.shape is Shape.CONNECTION else ""
        if navigation.across is not None:
            return
        if navigation.is_root:
            for template in navigation.at:
                filled = "/".join("*" if s.startswith("{") else s for s in template.split("/"))
                yield f"{root}/{filled}{key}"
            return
        above = self.routes.of(entity.name)
        if navigation.container is not None:
            return
        if (home := navigation.home) is not None:
            container, collection = home
            if container is None:
                yield f"{collection}/*"
            else:
                through = f"/{container}/*"
                starts = {path.partition(through)[0] for path in above if through in path}
                yield from (f"{start}{through}/{collection}/*" for start in sorted(starts))
            return
        if navigation.join is not None:
            yield f"{navigation.join.collection}/*"
        elif navigation.allows(Strategy.REQUEST) and navigation.call is None:
            many = navigation.shape is not Shape.SINGLE
            yield from (f"{path}/{navigation.name}{'/*' if many else ''}" for path in above)


def _row_type(core: GraphQLField, shape: Shape) -> str:
    """The name of the type that the rows of a field are of."""
    type_ = get_named_type(core.type)
    if shape is Shape.CONNECTION and isinstance(type_, GraphQLObjectType):
        nodes = type_.fields.get("nodes")
        type_ = get_named_type(nodes.type) if nodes is not None else type_
    return type_.name


def order_of_rows(core: GraphQLField) -> tuple[GraphQLEnumType, GraphQLObjectType]:
    """The properties that an edge is sorted by, and the type of its rows.

    Args:
        core: a field with an argument ``orderBy`` (`gateway.schema.filters.order_of`).
    """
    order: Any = get_named_type(core.args["orderBy"].type)
    rows: Any = get_named_type(core.type)
    if "nodes" in rows.fields:
        rows = get_named_type(rows.fields["nodes"].type)
    return get_named_type(order.fields["field"].type), rows


def property_of(value: GraphQLEnumValue) -> str:
    """The property that a member of an order stands for."""
    return str(getattr(value.value, "value", value.value))


def _has(entity: EntityType, member: str) -> bool:
    return member in entity.properties or member in entity.navigations
