"""References to entities that are named inside another one."""

import strawberry

from gateway.schema.declare import prop


@strawberry.type(description="An entity that is only referred to.")
class EntityReference:
    """The id of an entity, as complex types carry it."""

    id: strawberry.ID = prop("Identifier of the entity.")
