"""The methods that only the beta draft of the documents has: rows 65 to 80.

The v1.0 service refuses them (graph-lifecycle-api.md, section 5.8). They use the documented paths,
and where such a path can't be routed (`/workflowBase/…`), the contained one below the workflow or
the run.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import strawberry

from gateway.internals import definition_of
from gateway.schema.change import change, changed, outcome
from gateway.schema.declare import DRAFT
from gateway.schema.enums import (
    ChangeOutcome,
    LifecycleTaskCategory,
    LifecycleWorkflowProcessingStatus,
    WorkflowExecutionType,
)
from gateway.schema.given import GRAPH, LIFECYCLE, an_id, key, member, not_blank, required
from gateway.schema.inputs import WORKFLOW_ID, TaskInput
from gateway.schema.mutation import (
    DeletedPayload,
    Mutation,
    TaskPayload,
    TaskProcessingResultPayload,
)
from gateway.schema.resources.user_processing_result import UserProcessingResult
from gateway.schema.scalars import DateTime

TASKS = "workflows/{workflowId}/tasks"
USER_RESULTS = "workflows/{workflowId}/runs/{runId}/userProcessingResults"
USER_RESULT = f"{USER_RESULTS}/{{userProcessingResultId}}"
RESULTS = f"{USER_RESULT}/taskProcessingResults"
RESULT = f"{RESULTS}/{{taskProcessingResultId}}"

_DELETED = (
    "Whether the workflow is a deleted one, as the documents of this method have it; false "
    "addresses one that is not deleted."
)


def _user_results(given: Mapping[str, Any]) -> str:
    """Below the run, if there is one, else below the workflow."""
    if given.get("runId") is None:
        return "workflows/{workflowId}/userProcessingResults"
    return USER_RESULTS


def _reprocessed_run(given: Mapping[str, Any]) -> str:
    above = "" if given.get("runId") is None else "/{runId}/reprocessedRuns"
    result = "workflows/{workflowId}/executionScope/{userProcessingResultId}"
    return f"{result}/reprocessedRuns{above}/{{reprocessedRunId}}/$ref"


def _user_result(given: Mapping[str, Any]) -> str:
    return f"{_user_results(given)}/{{userProcessingResultId}}"


# --- inputs ------------------------------------------------------------------------------------


@strawberry.input
class _RunKey:
    workflow_id: strawberry.ID = key(WORKFLOW_ID)
    run_id: strawberry.ID = key("Identifier of the run.")
    deleted: bool = key(_DELETED, default=True)


@strawberry.input
class _UserResultKey(_RunKey):
    user_processing_result_id: strawberry.ID = key("Identifier of the user processing result.")


@strawberry.input(description=f"{DRAFT}A task processing result.")
class TaskProcessingResultKeyInput(_UserResultKey):
    """A task processing result, by the ids of its path."""

    task_processing_result_id: strawberry.ID = key("Identifier of the task processing result.")


@strawberry.input
class _ResultMembers(TaskProcessingResultKeyInput):
    odata_type: ClassVar = f"{LIFECYCLE}taskProcessingResult"
    completed_date_time: DateTime | None = member("When the task ended.", nullable=True)
    created_date_time: DateTime | None = member("When the result was created.")
    failure_reason: str | None = member("Why the task failed.", nullable=True)
    started_date_time: DateTime | None = member("When the task started.", nullable=True)


@strawberry.input(description=f"{DRAFT}A task processing result to create.")
class CreateTaskProcessingResultInput(_ResultMembers):
    """Row 65."""

    task_processing_result_id: strawberry.ID = key(
        "Identifier of a result of the same user and task, below which the new one is posted."
    )
    processing_status: LifecycleWorkflowProcessingStatus = required("How far the task has come.")


@strawberry.input(description=f"{DRAFT}What is to change of a task processing result.")
class UpdateTaskProcessingResultInput(_ResultMembers):
    """Row 67."""

    processing_status: LifecycleWorkflowProcessingStatus | None = member(
        "How far the task has come."
    )


@strawberry.input(description="A user, as a subject is given.")
class SubjectInput:
    """g:user: rows 69 and 71."""

    odata_type: ClassVar = f"{GRAPH}user"
    id: strawberry.ID | None = member("Object id in Microsoft Entra ID.", an_id)
    department: str | None = member("The department where the user works.")
    display_name: str | None = member("The name shown in the address book.", not_blank)
    employee_hire_date: DateTime | None = member("When the user was, or will be, hired.")
    employee_id: str | None = member("The employee identifier assigned by the organization.")
    job_title: str | None = member("The title of the position, such as Accountant.")
    mail: str | None = member("SMTP address.")
    user_principal_name: str | None = member("The user principal name.", not_blank)


@strawberry.input(description=f"{DRAFT}The subject to give to a task processing result.")
class AddTaskProcessingResultSubjectInput(TaskProcessingResultKeyInput):
    """Row 69."""

    subject: SubjectInput = required("The user.")


@strawberry.input(description=f"{DRAFT}The subject to take from a task processing result.")
class RemoveTaskProcessingResultSubjectInput(TaskProcessingResultKeyInput):
    """Row 70."""

    subject_id: strawberry.ID = key("Object id of the user.")


@strawberry.input(description=f"{DRAFT}A task to add to a workflow.")
class AddTaskInput(TaskInput):
    """Row 75."""

    odata_type: ClassVar = f"{LIFECYCLE}task"
    workflow_id: strawberry.ID = key(WORKFLOW_ID)
    category: list[LifecycleTaskCategory] | None = member(
        "The lifecycle stages that the task may be used in.", flags=True
    )
    execution_sequence: int | None = member("Place of the task in its workflow, from 1.")


@strawberry.input(description=f"{DRAFT}A task to remove from a workflow.")
class RemoveTaskInput:
    """Row 76."""

    workflow_id: strawberry.ID = key(WORKFLOW_ID)
    task_id: strawberry.ID = key("Identifier of the task.")


@strawberry.input
class _UserResultMembers:
    odata_type: ClassVar = f"{LIFECYCLE}userProcessingResult"
    workflow_id: strawberry.ID = key(WORKFLOW_ID)
    run_id: strawberry.ID | None = key(
        "Identifier of the run; without it, the path leads below the workflow.", default=None
    )
    completed_date_time: DateTime | None = member("When processing ended.", nullable=True)
    failed_tasks_count: int | None = member("How many tasks failed.")
    processing_status: LifecycleWorkflowProcessingStatus | None = member(
        "How far the processing of the user has come."
    )
    scheduled_date_time: DateTime | None = member("When the user was to be processed.")
    started_date_time: DateTime | None = member("When processing started.", nullable=True)
    total_tasks_count: int | None = member("How many tasks there are.")
    total_unprocessed_tasks_count: int | None = member("How many have not been processed.")
    workflow_execution_type: WorkflowExecutionType | None = member("What started the run.")
    workflow_version: int | None = member("The version of the workflow.")


@strawberry.input(description=f"{DRAFT}A user processing result to create.")
class CreateUserProcessingResultInput(_UserResultMembers):
    """Row 77."""


@strawberry.input(description=f"{DRAFT}What is to change of a user processing result.")
class UpdateUserProcessingResultInput(_UserResultMembers):
    """Row 78."""

    user_processing_result_id: strawberry.ID = key("Identifier of the user processing result.")


@strawberry.input(description=f"{DRAFT}A user processing result.")
class UserProcessingResultKeyInput:
    """Row 79."""

    workflow_id: strawberry.ID = key(WORKFLOW_ID)
    run_id: strawberry.ID | None = key(
        "Identifier of the run; without it, the path leads below the workflow.", default=None
    )
    user_processing_result_id: strawberry.ID = key("Identifier of the user processing result.")


@strawberry.input(description=f"{DRAFT}The subject to give to a user processing result.")
class AddUserProcessingResultSubjectInput(_UserResultKey):
    """Row 71."""

    subject: SubjectInput = required("The user.")


@strawberry.input(description=f"{DRAFT}The subject to take from a user processing result.")
class RemoveUserProcessingResultSubjectInput(_UserResultKey):
    """Row 72."""

    subject_id: strawberry.ID = key("Object id of the user.")


# --- the roots with them -----------------------------------------------------------------------


@strawberry.input(description=f"{DRAFT}A run to take from those that processed a user again.")
class RemoveReprocessedRunInput:
    """Rows 38a and 38b."""

    workflow_id: strawberry.ID = key(WORKFLOW_ID)
    user_processing_result_id: strawberry.ID = key("Identifier of the user processing result.")
    run_id: strawberry.ID | None = key(
        "Identifier of a run that processed the user again; then it is one of the runs that "
        "processed that one again which is taken.",
        default=None,
    )
    reprocessed_run_id: strawberry.ID = key("Identifier of the run to take.")
    deleted: bool = key(_DELETED, default=True)


@strawberry.type(description="A user processing result that was changed.")
class UserProcessingResultPayload:
    """The payload of mutations of user processing results."""

    outcome: ChangeOutcome = outcome()
    user_processing_result: UserProcessingResult | None = changed(
        "UserProcessingResult", "The result as it is now."
    )


@strawberry.type(name="Mutation", description=definition_of(Mutation).description)
class DraftMutation(Mutation):
    """The root of mutations, with the draft methods."""

    create_task_processing_result: TaskProcessingResultPayload | None = change(
        CreateTaskProcessingResultInput,
        "POST",
        f"{RESULT}/task/taskProcessingResults",
        edge="taskProcessingResult",
        made_in=RESULTS,
        description=f"{DRAFT}Create a task processing result.",
    )
    update_task_processing_result: TaskProcessingResultPayload | None = change(
        UpdateTaskProcessingResultInput,
        "PATCH",
        RESULT,
        edge="taskProcessingResult",
        answers=True,
        description=f"{DRAFT}Change a task processing result.",
    )
    delete_task_processing_result: DeletedPayload | None = change(
        TaskProcessingResultKeyInput,
        "DELETE",
        RESULT,
        description=f"{DRAFT}Delete a task processing result.",
    )
    add_task_processing_result_subject: TaskProcessingResultPayload | None = change(
        AddTaskProcessingResultSubjectInput,
        "POST",
        f"{RESULT}/subject/$ref",
        edge="taskProcessingResult",
        at=RESULT,
        body="subject",
        description=f"{DRAFT}Give a task processing result its subject.",
    )
    remove_task_processing_result_subject: TaskProcessingResultPayload | None = change(
        RemoveTaskProcessingResultSubjectInput,
        "DELETE",
        f"{RESULT}/subject/{{subjectId}}/$ref",
        edge="taskProcessingResult",
        at=RESULT,
        description=f"{DRAFT}Take the subject from a task processing result.",
    )
    add_task: TaskPayload | None = change(
        AddTaskInput,
        "POST",
        TASKS,
        edge="task",
        made_in=TASKS,
        description=f"{DRAFT}Add a task to a workflow; documented is `createNewVersion`.",
    )
    remove_task: DeletedPayload | None = change(
        RemoveTaskInput,
        "DELETE",
        f"{TASKS}/{{taskId}}/$ref",
        description=f"{DRAFT}Remove a task from a workflow; documented is `createNewVersion`.",
    )
    create_user_processing_result: UserProcessingResultPayload | None = change(
        CreateUserProcessingResultInput,
        "POST",
        _user_results,
        edge="userProcessingResult",
        made_in=_user_results,
        description=f"{DRAFT}Create a user processing result.",
    )
    update_user_processing_result: UserProcessingResultPayload | None = change(
        UpdateUserProcessingResultInput,
        "PATCH",
        _user_result,
        edge="userProcessingResult",
        answers=True,
        description=f"{DRAFT}Change a user processing result.",
    )
    delete_user_processing_result: DeletedPayload | None = change(
        UserProcessingResultKeyInput,
        "DELETE",
        _user_result,
        description=f"{DRAFT}Delete a user processing result.",
    )
    add_user_processing_result_subject: UserProcessingResultPayload | None = change(
        AddUserProcessingResultSubjectInput,
        "POST",
        f"{USER_RESULT}/subject/$ref",
        edge="userProcessingResult",
        at=USER_RESULT,
        body="subject",
        description=f"{DRAFT}Give a user processing result its subject.",
    )
    remove_user_processing_result_subject: UserProcessingResultPayload | None = change(
        RemoveUserProcessingResultSubjectInput,
        "DELETE",
        f"{USER_RESULT}/subject/{{subjectId}}/$ref",
        edge="userProcessingResult",
        at=USER_RESULT,
        description=f"{DRAFT}Take the subject from a user processing result.",
    )
    remove_reprocessed_run: UserProcessingResultPayload | None = change(
        RemoveReprocessedRunInput,
        "DELETE",
        _reprocessed_run,
        edge="userProcessingResult",
        at="workflows/{workflowId}/userProcessingResults/{userProcessingResultId}",
        description=(
            f"{DRAFT}Take a run from those that processed a user again. Pages of v1.0 have it, no "
            "SDK does."
        ),
    )
