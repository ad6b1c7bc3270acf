"""Mutation: what can be done, and what is sent for it.

Rows are those of graph-lifecycle-api.md, section 5.
"""

import strawberry

from gateway.schema.actions import (
    RESULT_OF_TASK,
    ResumeTaskProcessingResultInput,
    W,
    activate_and_wait,
    activate_with_scope,
    cancel,
    preview,
    preview_failures,
    resume,
    update_settings,
)
from gateway.schema.activation_inputs import (
    ActivateWorkflowAndWaitInput,
    ActivateWorkflowInput,
    ActivateWorkflowWithScopeInput,
    CancelProcessingInput,
    PreviewWorkflowInput,
)
from gateway.schema.change import change, changed, mutation, outcome
from gateway.schema.declare import prop, text_of
from gateway.schema.enums import ChangeOutcome, LifecycleWorkflowProcessingStatus
from gateway.schema.inputs import (
    CreateNewVersionInput,
    UpdateTaskInput,
    UpdateWorkflowInput,
    WorkflowInput,
    WorkflowKeyInput,
)
from gateway.schema.resources.custom_task_extension import CustomTaskExtension
from gateway.schema.resources.lifecycle_management_settings import LifecycleManagementSettings
from gateway.schema.resources.run import Run
from gateway.schema.resources.task import Task
from gateway.schema.resources.task_processing_result import TaskProcessingResult
from gateway.schema.resources.workflow import Workflow
from gateway.schema.tenant_inputs import (
    CustomTaskExtensionInput,
    CustomTaskExtensionKeyInput,
    UpdateCustomTaskExtensionInput,
    UpdateSettingsInput,
)
from gateway.schema.workflow_subject import WorkflowSubject

DELETED = "deletedItems/workflows/{workflowId}"
EXTENSION = "customTaskExtensions/{customTaskExtensionId}"


# --- payloads ----------------------------------------------------------------------------------


@strawberry.type(description="A workflow that was changed, or was made to do something.")
class WorkflowPayload:
    """The payload of mutations of workflows."""

    outcome: ChangeOutcome = outcome()
    workflow: Workflow | None = changed("Workflow", "The workflow as it is now.")


@strawberry.type(description="A task that was changed.")
class TaskPayload:
    """The payload of mutations of tasks."""

    outcome: ChangeOutcome = outcome()
    task: Task | None = changed("Task", "The task as it is now.")


@strawberry.type(description="A task processing result that was changed.")
class TaskProcessingResultPayload:
    """The payload of mutations of task processing results."""

    outcome: ChangeOutcome = outcome()
    task_processing_result: TaskProcessingResult | None = changed(
        "TaskProcessingResult", "The result as it is now."
    )


@strawberry.type(description="A custom task extension that was changed.")
class CustomTaskExtensionPayload:
    """The payload of mutations of custom task extensions."""

    outcome: ChangeOutcome = outcome()
    custom_task_extension: CustomTaskExtension | None = changed(
        "CustomTaskExtension", "The extension as it is now."
    )


@strawberry.type(description="The tenant's settings, changed.")
class SettingsPayload:
    """The payload of the mutation of the settings."""

    outcome: ChangeOutcome = outcome()
    settings: LifecycleManagementSettings | None = changed(
        "LifecycleManagementSettings", "The settings as they are now."
    )


@strawberry.type(description="An object that is gone.")
class DeletedPayload:
    """The payload of mutations that delete."""

    outcome: ChangeOutcome = outcome()
    id: strawberry.ID = strawberry.field(description="Its id.")
    node_id: strawberry.ID = strawberry.field(description="Its `nodeId`, for client caches.")


@strawberry.type(description="A task that is expected to fail.")
class PreviewFailedTask:
    """previewFailedTask."""

    definition_id: strawberry.ID | None = prop("Identifier of the task definition.")
    failure_reason: str | None = prop("Why the task is expected to fail.")
    name: str | None = prop("Name of the task.")
    task_id: strawberry.ID | None = prop("Identifier of the task.")


@strawberry.type(description="What a preview of failures found.")
class PreviewTaskFailuresPayload:
    """The payload of `previewTaskFailures`."""

    outcome: ChangeOutcome = outcome()
    preview_failed_tasks: list[PreviewFailedTask] | None = strawberry.field(
        description="The tasks that are expected to fail."
    )
    workflow: Workflow | None = changed("Workflow", "The workflow.")


@strawberry.type(description="What came of a workflow for one subject.")
class AwaitedWorkflowProcessingResult:
    """awaitedWorkflowProcessingResult."""

    processing_status: LifecycleWorkflowProcessingStatus | None = prop(
        "How far the processing of the subject had come when the service answered."
    )
    processing_status_text: str | None = text_of("processing_status")
    status_reasons: list[str] | None = prop("Why it ended so; may be empty.")
    subject: WorkflowSubject | None = prop("The subject, as it was sent.")


@strawberry.type(description="What came of a workflow that was waited for.")
class ActivateWorkflowAndWaitPayload:
    """The payload of `activateWorkflowAndWait`."""

    outcome: ChangeOutcome = outcome()
    awaited_workflow_processing_result: AwaitedWorkflowProcessingResult | None = strawberry.field(
        description="What came of it."
    )
    workflow: Workflow | None = changed("Workflow", "The workflow.")


@strawberry.type(description="What became of each run that was to be canceled.")
class CancelProcessingPayload:
    """The payload of `cancelProcessing`."""

    outcome: ChangeOutcome = outcome()
    runs: list[Run | None] = changed(
        "Run",
        "The runs in the order of the input, as they are now. One that could not be canceled is "
        "null, with an error at its place.",
    )
    workflow: Workflow | None = changed("Workflow", "The workflow.")


# --- the root ----------------------------------------------------------------------------------


@strawberry.type(
    description=(
        "What can be done. The mutations of an operation are done one after another; one that "
        "fails is null with its error, and neither undoes nor stops the others."
    )
)
class Mutation:
    """The root of mutations."""

    activate_workflow: WorkflowPayload | None = change(
        ActivateWorkflowInput,
        "POST",
        f"{W}/activate",
        edge="workflow",
        at=W,
        description="Run a workflow for users, now.",
    )
    activate_workflow_with_scope: WorkflowPayload | None = mutation(
        ActivateWorkflowWithScopeInput,
        activate_with_scope,
        takes=("POST", f"{W}/activateWithScope"),
        description=(
            "Run a workflow for a scope, now: users, a group, a run or user processing results. "
            "`activateRunScope` with FAILED_USERS and FAILED_TASKS reprocesses what failed in a "
            "run."
        ),
    )
    activate_workflow_and_wait: ActivateWorkflowAndWaitPayload | None = mutation(
        ActivateWorkflowAndWaitInput,
        activate_and_wait,
        takes=("POST", f"{W}/activateAndWait"),
        description=(
            "Run a workflow for one subject, and answer when it has ended; it may take minutes "
            "(GATEWAY_WAIT_TIMEOUT). It is sent once, whatever happens: where no answer came in "
            "time, the error says `outcomeUnknown`, and the workflow may be running."
        ),
    )
    cancel_processing: CancelProcessingPayload | None = mutation(
        CancelProcessingInput,
        cancel,
        takes=("POST", f"{W}/cancelProcessing"),
        description="Cancel runs that are queued or in progress; each run is reported.",
    )
    resume_task_processing_result: TaskProcessingResultPayload | None = mutation(
        ResumeTaskProcessingResultInput,
        resume,
        takes=("POST", f"{RESULT_OF_TASK}/resume"),
        description=(
            "Tell a task that waits for its custom task extension how the operation ended. The "
            "caller's own token must be allowed to. Only where GATEWAY_ALLOW_RESUME says so."
        ),
    )
    clear_quarantine: WorkflowPayload | None = change(
        WorkflowKeyInput,
        "POST",
        f"{W}/clearQuarantine",
        edge="workflow",
        at=W,
        answers=True,
        untold=("executionConditions", "tasks"),
        description="End the quarantine of a workflow.",
    )
    preview_workflow: WorkflowPayload | None = mutation(
        PreviewWorkflowInput,
        preview,
        takes=("POST", f"{W}/previewWorkflow"),
        description=(
            "Try a workflow on users. What comes of it is in `userProcessingResults` of the "
            "workflow, later, with the execution type PREVIEW, among earlier previews."
        ),
    )
    preview_task_failures: PreviewTaskFailuresPayload | None = mutation(
        WorkflowKeyInput,
        preview_failures,
        takes=("POST", f"{W}/previewTaskFailures"),
        description="Find out which tasks of a workflow are expected to fail.",
    )
    create_workflow: WorkflowPayload | None = change(
        WorkflowInput,
        "POST",
        "workflows",
        edge="workflow",
        made_in="workflows",
        description="Create a workflow.",
    )
    update_workflow: WorkflowPayload | None = change(
        UpdateWorkflowInput,
        "PATCH",
        W,
        edge="workflow",
        description="Change names and switches of a workflow; the rest takes a new version.",
    )
    create_new_version: WorkflowPayload | None = change(
        CreateNewVersionInput,
        "POST",
        f"{W}/createNewVersion",
        edge="workflow",
        at=W,
        appears=True,
        answers=True,
        description="Replace a workflow, with all its tasks, by a new version.",
    )
    delete_workflow: WorkflowPayload | None = change(
        WorkflowKeyInput,
        "DELETE",
        W,
        edge="workflow",
        at=DELETED,
        appears=True,
        description="Delete a workflow; it can be restored for 30 days.",
    )
    restore_workflow: WorkflowPayload | None = change(
        WorkflowKeyInput,
        "POST",
        f"{DELETED}/restore",
        edge="workflow",
        at=W,
        appears=True,
        answers=True,
        untold=("executionConditions", "tasks"),
        description="Restore a deleted workflow, with its tasks, results and versions.",
    )
    delete_workflow_permanently: DeletedPayload | None = change(
        WorkflowKeyInput,
        "DELETE",
        DELETED,
        description="Delete a deleted workflow for good.",
    )
    update_task: TaskPayload | None = change(
        UpdateTaskInput,
        "PATCH",
        f"{W}/tasks/{{taskId}}",
        edge="task",
        description="Change the name or the description of a task.",
    )
    update_settings: SettingsPayload | None = mutation(
        UpdateSettingsInput,
        update_settings,
        takes=("PATCH", "settings"),
        description=(
            "Change the tenant's settings for lifecycle workflows. The service takes the interval "
            "and the settings of the e-mails only together: what of them is not given is read "
            "first, and sent as it is."
        ),
    )
    create_custom_task_extension: CustomTaskExtensionPayload | None = change(
        CustomTaskExtensionInput,
        "POST",
        "customTaskExtensions",
        edge="customTaskExtension",
        made_in="customTaskExtensions",
        description="Create a custom task extension.",
    )
    update_custom_task_extension: CustomTaskExtensionPayload | None = change(
        UpdateCustomTaskExtensionInput,
        "PATCH",
        EXTENSION,
        edge="customTaskExtension",
        description="Change a custom task extension; what is given changes.",
    )
    delete_custom_task_extension: DeletedPayload | None = change(
        CustomTaskExtensionKeyInput,
        "DELETE",
        EXTENSION,
        description="Delete a custom task extension.",
    )
