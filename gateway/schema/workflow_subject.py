"""workflowSubject: who or what a workflow is run for (graph-lifecycle-api.md, section 4)."""

import strawberry

from gateway.schema.declare import prop
from gateway.schema.reference import EntityReference
from gateway.schema.rows import dispatch


@strawberry.interface(description="Who or what a workflow is run for.")
class WorkflowSubject:
    """workflowSubject (abstract)."""

    odata_type: str | None = strawberry.field(description="The type as the service names it.")
    resolve_type = staticmethod(dispatch("UnknownWorkflowSubject"))


@strawberry.type(description="An object of the directory, such as a user.")
class DirectoryObjectWorkflowSubject(WorkflowSubject):
    """directoryObjectWorkflowSubject."""

    directory_object: EntityReference | None = prop("The object.")


@strawberry.type(description="A named value of an object that is provisioned.")
class AttributeSetEntry:
    """attributeSetEntry."""

    name: str | None = prop("Name of the attribute.")
    value: str | None = prop("Value of the attribute, as text; null if it has none.")


@strawberry.type(description="An object of a provisioning job, such as one from an HR system.")
class ProvisioningObjectWorkflowSubject(WorkflowSubject):
    """provisioningObjectWorkflowSubject."""

    id: strawberry.ID | None = prop("Identifier of the object.")
    attribute_set_entries: list[AttributeSetEntry] | None = prop("The attributes of the object.")


@strawberry.type(description="A subject of a type that this gateway does not know.")
class UnknownWorkflowSubject(WorkflowSubject):
    """Any other workflowSubject."""
