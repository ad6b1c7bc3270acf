"""The inputs by which workflows are run: what for, and which runs are canceled.

Constraints: graph-lifecycle-api.md, section 5.1 (rows 6 to 12) and section 7 (service limits).
"""

from typing import ClassVar

import strawberry

from gateway.schema.enums import (
    ActivationTaskScopeType,
    ActivationUserScopeType,
)
from gateway.schema.given import (
    LIFECYCLE,
    an_id,
    items,
    key,
    member,
    not_blank,
    required,
)
from gateway.schema.inputs import WORKFLOW_ID, EntityReferenceInput

MAX_SUBJECTS = 10


@strawberry.input(description="Users to run a workflow for, now.")
class ActivateWorkflowInput:
    """graph-lifecycle-api.md, row 6."""

    workflow_id: strawberry.ID = key(WORKFLOW_ID)
    subjects: list[EntityReferenceInput] = required(
        f"The users; from 1 to {MAX_SUBJECTS}.", items(1, MAX_SUBJECTS)
    )


@strawberry.input(description="Users to preview a workflow for.")
class PreviewWorkflowInput:
    """graph-lifecycle-api.md, row 12."""

    workflow_id: strawberry.ID = key(WORKFLOW_ID)
    subjects: list[EntityReferenceInput] = required(
        f"The users; from 1 to {MAX_SUBJECTS}.", items(1, MAX_SUBJECTS)
    )


@strawberry.input(description="Users.")
class ActivateUserScopeInput:
    """activateUserScope."""

    odata_type: ClassVar = f"{LIFECYCLE}activateUserScope"
    users: list[EntityReferenceInput] = required(
        f"The users; from 1 to {MAX_SUBJECTS}.", items(1, MAX_SUBJECTS)
    )


@strawberry.input(description="The members of a group.")
class ActivateGroupScopeInput:
    """activateGroupScope."""

    odata_type: ClassVar = f"{LIFECYCLE}activateGroupScope"
    group: EntityReferenceInput = required("The group.")


@strawberry.input(description="The users of a run, again.")
class ActivateRunScopeInput:
    """activateRunScope."""

    odata_type: ClassVar = f"{LIFECYCLE}activateRunScope"
    run: EntityReferenceInput = required("The run.")
    task_scope: ActivationTaskScopeType = required("Which of its tasks.")
    user_scope: ActivationUserScopeType = required("Which of its users.")


@strawberry.input(description="The users of user processing results, again.")
class ActivateProcessingResultScopeInput:
    """activateProcessingResultScope."""

    odata_type: ClassVar = f"{LIFECYCLE}activateProcessingResultScope"
    processing_results: list[EntityReferenceInput] = required(
        "The user processing results; at least one.", items(1)
    )
    task_scope: ActivationTaskScopeType = required("Which of their tasks.")


@strawberry.input(one_of=True, description="What a workflow is activated for.")
class ActivationScopeInput:
    """activationScope."""

    activate_user_scope: ActivateUserScopeInput | None = member("Users.")
    activate_group_scope: ActivateGroupScopeInput | None = member("The members of a group.")
    activate_run_scope: ActivateRunScopeInput | None = member("The users of a run, again.")
    activate_processing_result_scope: ActivateProcessingResultScopeInput | None = member(
        "The users of user processing results, again."
    )


@strawberry.input(description="What to run a workflow for, now.")
class ActivateWorkflowWithScopeInput:
    """graph-lifecycle-api.md, row 7."""

    workflow_id: strawberry.ID = key(WORKFLOW_ID)
    scope: ActivationScopeInput = required("What the workflow is activated for.")


@strawberry.input(description="Runs to cancel.")
class CancelProcessingInput:
    """graph-lifecycle-api.md, row 8."""

    workflow_id: strawberry.ID = key(WORKFLOW_ID)
    runs: list[EntityReferenceInput] = required(
        "The runs, queued or in progress; at least one. The service takes them one by one.",
        items(1),
    )


@strawberry.input(description="An object of the directory, such as a user.")
class DirectoryObjectWorkflowSubjectInput:
    """directoryObjectWorkflowSubject."""

    odata_type: ClassVar = f"{LIFECYCLE}directoryObjectWorkflowSubject"
    directory_object: EntityReferenceInput = required("The object.")


@strawberry.input(description="A named value of an object that is provisioned.")
class AttributeSetEntryInput:
    """attributeSetEntry."""

    name: str = required("Name of the attribute.", not_blank)
    value: str | None = member("Value of the attribute, as text.", nullable=True)


@strawberry.input(description="An object of a provisioning job, such as one from an HR system.")
class ProvisioningObjectWorkflowSubjectInput:
    """provisioningObjectWorkflowSubject."""

    odata_type: ClassVar = f"{LIFECYCLE}provisioningObjectWorkflowSubject"
    id: strawberry.ID = required("Identifier of the object.", an_id)
    attribute_set_entries: list[AttributeSetEntryInput] = required(
        "The attributes of the object; may be empty."
    )


@strawberry.input(one_of=True, description="Who or what a workflow is run for.")
class WorkflowSubjectInput:
    """workflowSubject."""

    directory_object_workflow_subject: DirectoryObjectWorkflowSubjectInput | None = member(
        "An object of the directory. The documents show this action for objects of a provisioning "
        "job alone."
    )
    provisioning_object_workflow_subject: ProvisioningObjectWorkflowSubjectInput | None = member(
        "An object of a provisioning job."
    )


@strawberry.input(description="A subject to run a workflow for, and to wait for.")
class ActivateWorkflowAndWaitInput:
    """graph-lifecycle-api.md, row 10."""

    workflow_id: strawberry.ID = key(WORKFLOW_ID)
    subject: WorkflowSubjectInput = required("Who or what the workflow is run for.")
