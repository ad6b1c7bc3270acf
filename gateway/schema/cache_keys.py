"""The keys of normalising client caches, as a JavaScript module.

Apollo Client, urql's graphcache and Relay keep an object under its ``id`` unless told otherwise,
and most ids of Microsoft Graph are unique only within a container (graph-lifecycle-api.md,
section 8): a task has the same id in every version of its workflow.
"""

import json

from graphql import GraphQLObjectType, GraphQLSchema, is_abstract_type

_MODULE = """\
// How client caches tell the objects of the gateway apart: by `nodeId`, never by `id`.
// Printed by `lifecycle-gateway schema --cache-keys`; how to use it: docs/clients.md.

/** The types with a `nodeId`. */
export const nodes = {nodes};

/** The other types: objects of theirs belong to the object that they were read with. */
export const parts = {parts};

/** The members of interfaces and unions, for fragments on them. */
export const possibleTypes = {possible};

const each = (types, make) => Object.fromEntries(types.map((type) => [type, make(type)]));

/** Relay: the option `getDataID` of an environment. */
export const getDataID = (object) => object.nodeId;

/** Apollo Client: the options of `InMemoryCache`. An object without `nodeId` has no key. */
export const typePolicies = {{
  ...each(nodes, () => ({{ keyFields: (object) => (object.nodeId ? ["nodeId"] : false) }})),
  ...each(parts, () => ({{ keyFields: false }})),
}};

/** urql: the option `keys` of graphcache. An object without `nodeId` has no key. */
export const keys = {{
  ...each(nodes, () => (object) => object.nodeId ?? null),
  ...each(parts, () => () => null),
}};
"""


def cache_keys(schema: GraphQLSchema) -> str:
    """The module for a schema: every object type but the roots is in it."""
    node = schema.type_map["Node"]
    assert is_abstract_type(node)  # noqa: S101 - so the schema is made
    nodes = {type_.name for type_ in schema.get_possible_types(node)}
    roots = {type_.name for type_ in (schema.query_type, schema.mutation_type) if type_}
    parts = {
        type_.name
        for type_ in schema.type_map.values()
        if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__")
    } - (nodes | roots)
    possible = {
        type_.name: sorted(member.name for member in schema.get_possible_types(type_))
        for type_ in schema.type_map.values()
        if is_abstract_type(type_)
    }
    return _MODULE.format(
        nodes=json.dumps(sorted(nodes), indent=2),
        parts=json.dumps(sorted(parts), indent=2),
        possible=json.dumps(dict(sorted(possible.items())), indent=2),
    )
