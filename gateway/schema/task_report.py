"""taskReport: what became of one task in one run, over all users."""

from typing import Annotated

import strawberry

from gateway.odata.address import LIFECYCLE_WORKFLOWS
from gateway.plan.model import Strategy
from gateway.schema.entity import (
    Node,
    ResultConnection,
    connection,
    edge,
    is_row,
    narrowing,
    prop,
    text_of,
)
from gateway.schema.enums import LifecycleWorkflowProcessingStatus
from gateway.schema.filters import TaskProcessingResultFilter, TaskProcessingResultOrder
from gateway.schema.scalars import DateTime
from gateway.schema.task import Task
from gateway.schema.task_definition import TaskDefinition
from gateway.schema.task_processing_result import TaskProcessingResult


@strawberry.type(description="What became of one task in one run, over all users.")
class TaskReport(Node):
    """taskReport: graph-lifecycle-api.md, section 3."""

    is_type_of = staticmethod(is_row)

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
        lives_in="tasks",
        description="The task.",
    )
    task_definition: TaskDefinition | None = edge(
        "TaskDefinition",
        Strategy.EXPAND,
        Strategy.REQUEST,
        lives_in=f"{LIFECYCLE_WORKFLOWS}/taskDefinitions",
        description="The task definition.",
    )
    run: Annotated["Run", strawberry.lazy("gateway.schema.run")] | None = edge(  # type: ignore[name-defined]  # noqa: F821
        "Run", Strategy.REQUEST, reference=("runs", "runId"), description="The run."
    )
    workflow: Annotated["Workflow", strawberry.lazy("gateway.schema.workflow")] | None = edge(  # type: ignore[name-defined]  # noqa: F821
        "Workflow", Strategy.REQUEST, container="workflows", description="The workflow."
    )
    task_processing_results: ResultConnection[TaskProcessingResult] | None = connection(
        "TaskProcessingResult",
        resolver=narrowing(TaskProcessingResultFilter, TaskProcessingResultOrder),
        description="The results of the task in the run, one per user.",
    )
