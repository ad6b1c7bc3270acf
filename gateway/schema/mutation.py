"""Mutation: what can be done, and what is sent for it.

Rows are those of graph-lifecycle-api.md, section 5.
"""

from collections.abc import Sequence

import strawberry

from gateway.errors import GatewayError, GraphError, NotFound, NotSupported
from gateway.odata.query import change as request_of
from gateway.plan.nodes import Place
from gateway.schema.change import MutationField, Row, change, changed, mutation, outcome, sending
from gateway.schema.declare import prop
from gateway.schema.enums import ChangeOutcome, CustomTaskExtensionOperationStatus
from gateway.schema.given import LIFECYCLE, body_of, key, member, required
from gateway.schema.inputs import (
    WORKFLOW_ID,
    ActivateWorkflowInput,
    ActivateWorkflowWithScopeInput,
    CancelProcessingInput,
    CreateNewVersionInput,
    CustomTaskExtensionInput,
    CustomTaskExtensionKeyInput,
    PreviewWorkflowInput,
    UpdateCustomTaskExtensionInput,
    UpdateSettingsInput,
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

W = "workflows/{workflowId}"
DELETED = "deletedItems/workflows/{workflowId}"
EXTENSION = "customTaskExtensions/{customTaskExtensionId}"
RESULT_OF_TASK = f"{W}/tasks/{{taskId}}/taskProcessingResults/{{taskProcessingResultId}}"


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


# --- actions that are more than one request ----------------------------------------------------


@strawberry.input(description="What a task waits for.")
class CustomTaskExtensionCallbackDataInput:
    """customTaskExtensionCallbackData."""

    operation_status: CustomTaskExtensionOperationStatus = required("How the operation ended.")


@strawberry.input(description="A task result that waits for its custom task extension.")
class ResumeTaskProcessingResultInput:
    """graph-lifecycle-api.md, section 6."""

    workflow_id: strawberry.ID = key(WORKFLOW_ID)
    task_id: strawberry.ID = key("Identifier of the task.")
    task_processing_result_id: strawberry.ID = key("Identifier of the task result.")
    data: CustomTaskExtensionCallbackDataInput = required("How the operation ended.")
    source: str | None = member("Who answers.", nullable=True)
    type: str | None = member("What kind of event this is.", nullable=True)


async def _cancel(field: MutationField) -> Row:
    """One request per run, because the service takes one run at a time (row 8)."""
    given = field.given
    runs = body_of(CancelProcessingInput, given)["runs"]
    path = field.path(f"{W}/cancelProcessing")
    replies = await field.send_all(
        [
            request_of(
                "POST",
                path,
                {"scope": {"@odata.type": f"{LIFECYCLE}cancelRunsScope", "runs": [run]}},
            )
            for run in runs
        ]
    )
    found: list[Place | GatewayError] = []
    for number, (run, reply) in enumerate(zip(runs, replies, strict=True)):
        if reply.error is not None:
            reply.error.extensions["argument"] = f"input.runs[{number}]"
            found.append(reply.error)
        else:
            at = field.path(f"{W}/runs/{{runId}}", {**given, "runId": run["id"]})
            found.append(Place(field.routes.addressed(at), {"id": run["id"]}))
    errors = [it for it in found if isinstance(it, GatewayError)]
    came_of_it = _outcome(errors, len(found))
    if errors and not (field.selects("runs") or field.selects("outcome")):
        errors[0].extensions["outcome"] = came_of_it.name
        raise errors[0]
    payload = await field.payload(
        {"runs": found, "workflow": Place(field.routes.addressed(field.path(W)))}
    )
    return {**payload, "outcome": came_of_it}


def _outcome(errors: Sequence[GatewayError], changes: int) -> ChangeOutcome:
    """The outcome of so many changes, of which some ended with errors."""
    if any(error.extensions.get("outcomeUnknown") for error in errors):
        return ChangeOutcome.UNKNOWN
    if not errors:
        return ChangeOutcome.DONE
    return ChangeOutcome.PARTLY_DONE if len(errors) < changes else ChangeOutcome.NOT_DONE


async def _preview_failures(field: MutationField) -> Row:
    path = field.path(W)
    answer = await field.send(request_of("POST", f"{path}/previewTaskFailures"))
    failures = answer.get("value") if isinstance(answer, dict) else None
    if not isinstance(failures, list):
        failures = GraphError("the preview was made, but the service answered no list of tasks")
    payload = await field.payload({"workflow": Place(field.routes.addressed(path))})
    return {**payload, "previewFailedTasks": failures}


_with_scope = sending(
    ActivateWorkflowWithScopeInput, "POST", f"{W}/activateWithScope", edge="workflow", at=W
)


async def _activate_with_scope(field: MutationField) -> Row:
    """406 is the service's answer to unknown users, without a documented body (row 7)."""
    try:
        return await _with_scope(field)
    except GatewayError as error:
        if error.extensions.get("status") != 406:
            raise
        details = {name: value for name, value in error.extensions.items() if name != "code"}
        raise NotFound(
            f"a subject of the scope was not found or is not eligible: {error.message}", **details
        ) from None


_resuming = sending(
    ResumeTaskProcessingResultInput,
    "POST",
    f"{RESULT_OF_TASK}/resume",
    edge="taskProcessingResult",
    at=RESULT_OF_TASK,
)


async def _resume(field: MutationField) -> Row:
    """Off unless a setting allows it: who may resume is disputed (questions.md, point 16)."""
    if not field.context.allow_resume:
        raise NotSupported(
            "resuming is switched off here; the setting GATEWAY_ALLOW_RESUME=true allows it"
        )
    return await _resuming(field)


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
        _activate_with_scope,
        description=(
            "Run a workflow for a scope, now: users, a group, a run or user processing results. "
            "`activateRunScope` with FAILED_USERS and FAILED_TASKS reprocesses what failed in a "
            "run."
        ),
    )
    cancel_processing: CancelProcessingPayload | None = mutation(
        CancelProcessingInput,
        _cancel,
        description="Cancel runs that are queued or in progress; each run is reported.",
    )
    resume_task_processing_result: TaskProcessingResultPayload | None = mutation(
        ResumeTaskProcessingResultInput,
        _resume,
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
        description="End the quarantine of a workflow.",
    )
    preview_workflow: WorkflowPayload | None = change(
        PreviewWorkflowInput,
        "POST",
        f"{W}/previewWorkflow",
        edge="workflow",
        at=W,
        description="Preview a workflow for directory objects.",
    )
    preview_task_failures: PreviewTaskFailuresPayload | None = mutation(
        WorkflowKeyInput,
        _preview_failures,
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
    update_settings: SettingsPayload | None = change(
        UpdateSettingsInput,
        "PATCH",
        "settings",
        edge="settings",
        description="Change the tenant's settings for lifecycle workflows.",
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
