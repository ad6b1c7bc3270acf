"""taskReport: what became of one task in one run, over all users."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from gateway.odata.routes import Route
from gateway.plan.model import Strategy
from gateway.schema import permissions
from gateway.schema.declare import connection, edge, one, prop, resource, text_of
from gateway.schema.enums import LifecycleWorkflowProcessingStatus
from gateway.schema.filters import (
    DateTimeCondition,
    IdCondition,
    IntCondition,
    StatusCondition,
    filter_of,
    order_of,
)
from gateway.schema.relay import Node, ResultConnection
from gateway.schema.resources.task import Task
from gateway.schema.resources.task_definition import TaskDefinition
from gateway.schema.resources.task_processing_result import (
    TaskProcessingResult,
    TaskProcessingResultFilter,
    TaskProcessingResultOrder,
)
from gateway.schema.scalars import DateTime
from gateway.schema.service import ROOT

if TYPE_CHECKING:
    from gateway.schema.resources.run import Run
    from gateway.schema.resources.workflow import Workflow

TaskReportFilter = filter_of(
    "TaskReportFilter",
    "task reports",
    id=IdCondition,
    completed_date_time=DateTimeCondition,
    failed_users_count=IntCondition,
    processing_status=StatusCondition,
    successful_users_count=IntCondition,
    total_users_count=IntCondition,
    unprocessed_users_count=IntCondition,
)
TaskReportOrder = order_of(
    "TaskReportOrder",
    "task reports",
    "id completedDateTime failedUsersCount processingStatus successfulUsersCount totalUsersCount "
    "unprocessedUsersCount",
)


@resource(
    "What became of one task in one run, over all users.",
    routes=[Route("taskReports/*", below="Workflow", get=False)],
    permissions=[permissions.REPORTS],
    roots={
        "task_report": one(
            "workflows/{workflowId}/taskReports/{id}", description="A task report of a workflow."
        ),
    },
)
class TaskReport(Node):
    """taskReport: graph-lifecycle-api.md, section 3."""

    id: strawberry.ID = prop(
        "Identifier of the report, unique only within its workflow. Key caches by `nodeId`.",
        key=True,
    )
    completed_date_time: DateTime | None = prop("When the last user was done; null until then.")
    failed_users_count: int | None = prop("How many users the task failed for.")
    last_updated_date_time: DateTime | None = prop("When the report last changed.")
    processing_status: LifecycleWorkflowProcessingStatus | None = prop("How far the task has come.")
    processing_status_text: str | None = text_of("processing_status")
    run_id: strawberry.ID | None = prop("Identifier of the run.")
    started_date_time: DateTime | None = prop("When the task started for the first user.")
    successful_users_count: int | None = prop("How many users the task succeeded for.")
    total_users_count: int | None = prop("How many users the task is for.")
    unprocessed_users_count: int | None = prop(
        "How many users the task is queued, in progress or canceled for."
    )
    task: Task | None = edge(
        "Task",
        Strategy.EXPAND,
        Strategy.REQUEST,
        selectable=False,
        lives_in="workflows/*/tasks",
        description="The task.",
    )
    task_definition: TaskDefinition | None = edge(
        "TaskDefinition",
        Strategy.EXPAND,
        Strategy.REQUEST,
        lives_in=f"{ROOT}/taskDefinitions",
        description="The task definition.",
    )
    run: Annotated["Run", strawberry.lazy(".run")] | None = edge(
        "Run", Strategy.REQUEST, reference=("workflows/*/runs", "runId"), description="The run."
    )
    workflow: Annotated["Workflow", strawberry.lazy(".workflow")] | None = edge(
        "Workflow", Strategy.REQUEST, container="workflows", description="The workflow."
    )
    task_processing_results: ResultConnection[TaskProcessingResult] | None = connection(
        "TaskProcessingResult",
        filter=TaskProcessingResultFilter,
        order=TaskProcessingResultOrder,
        description="The results of the task in the run, one per user.",
    )
