"""workflowSubject: what a workflow is run for. Beta only."""

import strawberry

from gateway.schema.declare import prop
from gateway.schema.reference import EntityReference
from gateway.schema.rows import dispatch


@strawberry.interface(description="What a workflow is run for. Beta only.")
class WorkflowSubject:
    """workflowSubject (abstract)."""

    odata_type: str | None = strawberry.field(description="The type as the service names it.")
    resolve_type = staticmethod(dispatch("UnknownWorkflowSubject"))


@strawberry.type(description="An object of the directory, such as a user. Beta only.")
class DirectoryObjectWorkflowSubject(WorkflowSubject):
    """directoryObjectWorkflowSubject."""

    directory_object: EntityReference | None = prop("The object.")


@strawberry.type(description="An object that is provisioned. Beta only.")
class ProvisioningObjectWorkflowSubject(WorkflowSubject):
    """provisioningObjectWorkflowSubject; its attribute sets have no documented members."""

    id: strawberry.ID | None = prop("Identifier of the object.")


@strawberry.type(description="A subject of a type that this gateway does not know. Beta only.")
class UnknownWorkflowSubject(WorkflowSubject):
    """Any other workflowSubject."""
