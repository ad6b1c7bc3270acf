"""taskProcessingResult: what became of one task for one user."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from gateway.odata.routes import Route
from gateway.plan.model import Strategy
from gateway.schema import permissions
from gateway.schema.across import (
    CHANGED_SINCE,
    FOR_REASON,
    OF_DEFINITION,
    OF_RUNS,
    OF_SUBJECT,
    OF_TASK,
    OF_WHICH_WORKFLOWS,
    STARTED_AFTER,
    STARTED_BEFORE,
)
from gateway.schema.declare import DRAFT, edge, many, one, prop, resource, text_of
from gateway.schema.enums import LifecycleWorkflowProcessingStatus
from gateway.schema.filters import (
    DateTimeCondition,
    IdCondition,
    StatusCondition,
    filter_of,
    order_of,
)
from gateway.schema.relay import Node, ResultConnection
from gateway.schema.resources.task import Task
from gateway.schema.resources.user import USER_STRATEGIES, User
from gateway.schema.scalars import DateTime
from gateway.schema.workflow_subject import WorkflowSubject

if TYPE_CHECKING:
    from gateway.schema.resources.run import Run
    from gateway.schema.resources.user_processing_result import UserProcessingResult
    from gateway.schema.resources.workflow import Workflow

_PATH = (
    "{workflowId}/runs/{runId}/userProcessingResults/{userProcessingResultId}"
    "/taskProcessingResults/{id}"
)
TaskProcessingResultFilter = filter_of(
    "TaskProcessingResultFilter",
    "task results",
    id=IdCondition,
    completed_date_time=DateTimeCondition,
    created_date_time=DateTimeCondition,
    processing_status=StatusCondition,
    started_date_time=DateTimeCondition,
)
TaskProcessingResultOrder = order_of(
    "TaskProcessingResultOrder",
    "task results",
    "id completedDateTime createdDateTime processingStatus startedDateTime",
)


@resource(
    "What became of one task for one user in one run.",
    # No page has a GET of the single result (questions.md, point 18): its list is read with a
    # filter on the id. The list below a task takes no options and spans all runs, so that the
    # result is read by the GET that the SDK knows.
    routes=[
        Route("taskProcessingResults/*", below="Run", get=False),
        Route("taskProcessingResults/*", below="UserProcessingResult", get=False),
        Route("taskProcessingResults/*", below="TaskReport", get=False),
        Route("taskProcessingResults/*", below="SubjectProcessingResult", get=False),
        Route("taskProcessingResults/*", below="Task", select=False),
    ],
    permissions=[permissions.REPORTS],
    connection=ResultConnection,
    roots={
        "task_processing_result": one(
            f"workflows/{_PATH}", description="The result of a task for a user in a run."
        ),
        "task_processing_results": many(
            "workflows",
            across=OF_RUNS,
            filter=TaskProcessingResultFilter,
            arguments=[
                OF_WHICH_WORKFLOWS,
                STARTED_AFTER,
                STARTED_BEFORE,
                CHANGED_SINCE,
                OF_SUBJECT,
                OF_TASK,
                OF_DEFINITION,
                FOR_REASON,
            ],
            description=(
                "Task results across all workflows and runs, newest first (by createdDateTime). "
                "Costs 1 + ⌈W/20⌉ + ⌈R/20⌉ upstream requests for W workflows that pass "
                "`workflowFilter` and R runs of theirs that can hold a result in the period, fewer "
                "where `first` is reached sooner; ended runs without a failure are not asked for "
                "failed results."
            ),
        ),
        # Row 66: the draft has a GET of the single result, which takes no options.
        "deleted_task_processing_result": one(
            f"deletedItems/workflows/{_PATH}",
            draft=True,
            selectable=False,
            description=f"{DRAFT}A task processing result of a deleted workflow.",
        ),
    },
)
class TaskProcessingResult(Node):
    """taskProcessingResult: graph-lifecycle-api.md, section 3."""

    id: strawberry.ID = prop(
        "Identifier of the result, unique only within its run. Key caches by `nodeId`.", key=True
    )
    completed_date_time: DateTime | None = prop("When the task ended; null while in progress.")
    created_date_time: DateTime | None = prop("When the result was created.")
    failure_reason: str | None = prop("Why the task failed; null unless it failed.")
    processing_info: str | None = prop("What else there is to say; mostly null.")
    processing_status: LifecycleWorkflowProcessingStatus | None = prop("How far the task has come.")
    processing_status_text: str | None = text_of("processing_status")
    started_date_time: DateTime | None = prop("When the task started; null until then.")
    subject: User | None = edge(
        "User",
        *USER_STRATEGIES,
        description="The user that the task was run for; null where the subject is no user.",
    )
    workflow_subject: WorkflowSubject | None = prop(
        "The subject that the task was run for, of whichever kind; null where the service tells "
        "the user alone."
    )
    task: Task | None = edge(
        "Task", Strategy.INLINE, lives_in="workflows/*/tasks", description="The task that was run."
    )
    user_processing_result: (
        Annotated["UserProcessingResult", strawberry.lazy(".user_processing_result")] | None
    ) = edge(
        "UserProcessingResult",
        Strategy.REQUEST,
        container="userProcessingResults",
        description=(
            "The result of the user that this is a part of; null where it was not reached by it."
        ),
    )
    run: Annotated["Run", strawberry.lazy(".run")] | None = edge(
        "Run",
        Strategy.REQUEST,
        container="runs",
        description="The run; null where the result was reached without one.",
    )
    workflow: Annotated["Workflow", strawberry.lazy(".workflow")] | None = edge(
        "Workflow", Strategy.REQUEST, container="workflows", description="The workflow."
    )
