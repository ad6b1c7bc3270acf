"""userProcessingResult: what became of one user in one run."""

from typing import Annotated

import strawberry

from gateway.plan.model import Regroup, Shape, Strategy
from gateway.schema.entity import Node, edge, is_row, narrowing, prop, text_of
from gateway.schema.enums import LifecycleWorkflowProcessingStatus, WorkflowExecutionType
from gateway.schema.filters import TaskProcessingResultFilter, TaskProcessingResultOrder
from gateway.schema.scalars import DateTime
from gateway.schema.task_processing_result import TaskProcessingResult
from gateway.schema.user import USER_STRATEGIES, User


@strawberry.type(description="What became of one user in one run of a workflow.")
class UserProcessingResult(Node):
    """userProcessingResult: graph-lifecycle-api.md, section 3."""

    is_type_of = staticmethod(is_row)

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
        resolver=narrowing(
            TaskProcessingResultFilter, TaskProcessingResultOrder, paged=False, here=True
        ),
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
    reprocessed_runs: (
        list[Annotated["Run", strawberry.lazy("gateway.schema.run")]] | None  # type: ignore[name-defined]  # noqa: F821
    ) = edge(
        "Run",
        Strategy.REQUEST,
        shape=Shape.LIST,
        selectable=False,
        lives_in="runs",
        description="The runs that processed the user again.",
    )
    run: Annotated["Run", strawberry.lazy("gateway.schema.run")] | None = edge(  # type: ignore[name-defined]  # noqa: F821
        "Run",
        Strategy.REQUEST,
        container="runs",
        description="The run; null where the result was reached without one.",
    )
    workflow: Annotated["Workflow", strawberry.lazy("gateway.schema.workflow")] | None = edge(  # type: ignore[name-defined]  # noqa: F821
        "Workflow", Strategy.REQUEST, container="workflows", description="The workflow."
    )
