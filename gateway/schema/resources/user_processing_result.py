"""userProcessingResult: what became of one user in one run."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from gateway.odata.routes import Route
from gateway.plan.model import Regroup, Shape, Strategy
from gateway.schema import permissions
from gateway.schema.across import CHANGED_SINCE, OF_WHICH_WORKFLOWS, OF_WORKFLOWS, SUBJECT_ID
from gateway.schema.declare import edge, many, one, prop, resource, text_of
from gateway.schema.enums import LifecycleWorkflowProcessingStatus, WorkflowExecutionType
from gateway.schema.filters import (
    DateTimeCondition,
    ExecutionTypeCondition,
    IdCondition,
    StatusCondition,
    filter_of,
    order_of,
)
from gateway.schema.relay import Node, ResultConnection
from gateway.schema.resources.task_processing_result import (
    TaskProcessingResult,
    TaskProcessingResultFilter,
    TaskProcessingResultOrder,
)
from gateway.schema.resources.user import USER_STRATEGIES, User
from gateway.schema.scalars import DateTime

if TYPE_CHECKING:
    from gateway.schema.resources.run import Run
    from gateway.schema.resources.workflow import Workflow

UserProcessingResultFilter = filter_of(
    "UserProcessingResultFilter",
    "user results",
    id=IdCondition,
    completed_date_time=DateTimeCondition,
    processing_status=StatusCondition,
    scheduled_date_time=DateTimeCondition,
    started_date_time=DateTimeCondition,
    workflow_execution_type=ExecutionTypeCondition,
)
UserProcessingResultOrder = order_of(
    "UserProcessingResultOrder",
    "user results",
    "id completedDateTime processingStatus scheduledDateTime startedDateTime workflowExecutionType",
)


@resource(
    "What became of one user in one run of a workflow.",
    # Of the lists below a workflow only the SDK knows a GET of the single result, so that the list
    # is read with a filter on the id (questions.md, point 18).
    routes=[
        Route("userProcessingResults/*", below="Run"),
        Route("userProcessingResults/*", below="Workflow", get=False),
    ],
    permissions=[permissions.REPORTS],
    connection=ResultConnection,
    roots={
        "user_processing_result": one(
            "workflows/{workflowId}/runs/{runId}/userProcessingResults/{id}",
            "workflows/{workflowId}/userProcessingResults/{id}",
            description=(
                "The result of a user in a run. Without `runId` it is looked up among the results "
                "of all runs of the workflow."
            ),
        ),
        "user_processing_results": many(
            "workflows",
            across=OF_WORKFLOWS,
            filter=UserProcessingResultFilter,
            arguments=[SUBJECT_ID, OF_WHICH_WORKFLOWS, CHANGED_SINCE],
            description=(
                "Everything that happened to one user across all workflows, newest first (by "
                "scheduledDateTime). Costs 1 + ⌈W/20⌉ upstream requests for W workflows that pass "
                "`workflowFilter`; more where the service can't filter by the user."
            ),
        ),
    },
)
class UserProcessingResult(Node):
    """userProcessingResult: graph-lifecycle-api.md, section 3."""

    id: strawberry.ID = prop(
        "Identifier of the result, unique only within its workflow. Key caches by `nodeId`.",
        key=True,
    )
    completed_date_time: DateTime | None = prop("When the last task ended; null until then.")
    failed_tasks_count: int | None = prop("How many tasks failed for the user.")
    processing_status: LifecycleWorkflowProcessingStatus | None = prop(
        "How far the processing of the user has come."
    )
    processing_status_text: str | None = text_of("processing_status")
    scheduled_date_time: DateTime | None = prop("When the processing was to start.")
    started_date_time: DateTime | None = prop("When the processing started; null until then.")
    total_tasks_count: int | None = prop("How many tasks there are for the user.")
    total_unprocessed_tasks_count: int | None = prop(
        "How many tasks have not been processed for the user."
    )
    workflow_execution_type: WorkflowExecutionType | None = prop("What started the run.")
    workflow_execution_type_text: str | None = text_of("workflow_execution_type")
    workflow_version: int | None = prop("The version of the workflow that was run.")
    subject: User | None = edge(
        "User", *USER_STRATEGIES, description="The user that was processed."
    )
    task_processing_results: list[TaskProcessingResult] | None = edge(
        "TaskProcessingResult",
        Strategy.EXPAND,
        Strategy.REGROUP,
        Strategy.REQUEST,
        shape=Shape.LIST,
        filter=TaskProcessingResultFilter,
        order=TaskProcessingResultOrder,
        count="totalTasksCount",
        regroup=Regroup(
            on="Run",
            collection="taskProcessingResults",
            key="subject",
            parents="totalUsersCount",
            targets="totalTasksCount",
        ),
        description="The results of the user's tasks; at most 25, because a workflow has no more.",
    )
    reprocessed_runs: list[Annotated["Run", strawberry.lazy(".run")]] | None = edge(
        "Run",
        Strategy.REQUEST,
        shape=Shape.LIST,
        selectable=False,
        lives_in="workflows/*/runs",
        description="The runs that processed the user again.",
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
