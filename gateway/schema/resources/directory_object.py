"""directoryObject: anything of the directory."""

import strawberry

from gateway.schema.declare import prop, resource
from gateway.schema.scalars import DateTime


@resource(
    "An object of the directory: a user, a group, an administrative unit.",
)
class DirectoryObject:
    """g:directoryObject."""

    id: strawberry.ID = prop("Object id in Microsoft Entra ID.", key=True)
    odata_type: str | None = strawberry.field(description="The type as the service names it.")
    deleted_date_time: DateTime | None = prop("When the object was deleted; null unless deleted.")
    display_name: str | None = prop("Name of the object, where the service gives it.")
