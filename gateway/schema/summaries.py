"""Summaries and insights: counts over a period. They need not add up (questions.md, point 24)."""

from typing import Annotated, Any

import strawberry

from gateway.odata.query import call
from gateway.plan.model import Navigation, Shape, Strategy
from gateway.schema.entity import (
    computed,
    edge_metadata,
    prop,
    read,
    read_edge,
    reads_edge,
    text_of,
)
from gateway.schema.enums import LifecycleWorkflowCategory
from gateway.schema.scalars import DateTime


@strawberry.type(description="Counts of runs.")
class RunSummary:
    """runSummary."""

    failed_runs: int | None = prop("Runs that failed.")
    failed_tasks: int | None = prop("Task results that failed.")
    successful_runs: int | None = prop("Runs that succeeded.")
    total_runs: int | None = prop("Runs in all.")
    total_tasks: int | None = prop("Task results in all.")
    total_users: int | None = prop("Users in all.")


@strawberry.type(description="Counts of user results.")
class UserSummary:
    """userSummary."""

    failed_tasks: int | None = prop("Task results that failed.")
    failed_users: int | None = prop("Users that failed.")
    successful_users: int | None = prop("Users that succeeded.")
    total_tasks: int | None = prop("Task results in all.")
    total_users: int | None = prop("Users in all.")


@strawberry.type(description="Counts of task results.")
class TaskReportSummary:
    """taskReportSummary."""

    failed_tasks: int | None = prop("Task results that failed.")
    successful_tasks: int | None = prop("Task results that succeeded.")
    total_tasks: int | None = prop("Task results in all.")
    unprocessed_tasks: int | None = prop("Task results that have not been processed.")


@computed
def _total_tasks(root: Any) -> Any:
    """The documented response misspells the property (questions.md, point 11)."""
    found = read(root, "totalTasks")
    return read(root, "totalProcessedTasks") if found is None else found


@strawberry.type(description="Counts of one task definition.")
class TopTasksInsightsSummary:
    """topTasksInsightsSummary."""

    failed_tasks: int | None = prop("Task results that failed.")
    failed_users: int | None = prop("Users that the task failed for.")
    successful_tasks: int | None = prop("Task results that succeeded.")
    successful_users: int | None = prop("Users that the task succeeded for.")
    task_definition_display_name: str | None = prop("Name of the task definition.")
    task_definition_id: strawberry.ID | None = prop("Identifier of the task definition.")
    total_tasks: int | None = prop(
        "Task results in all.", also=("totalProcessedTasks",), resolver=_total_tasks
    )
    total_users: int | None = prop("Users in all.")


@strawberry.type(description="Counts of one workflow.")
class TopWorkflowsInsightsSummary:
    """topWorkflowsInsightsSummary."""

    failed_runs: int | None = prop("Runs that failed.")
    failed_users: int | None = prop("Users that failed.")
    successful_runs: int | None = prop("Runs that succeeded.")
    successful_users: int | None = prop("Users that succeeded.")
    total_runs: int | None = prop("Runs in all.")
    total_users: int | None = prop("Users in all.")
    workflow_category: LifecycleWorkflowCategory | None = prop("The workflow's category.")
    workflow_category_text: str | None = text_of("workflow_category")
    workflow_display_name: str | None = prop("The workflow's name.")
    workflow_id: strawberry.ID | None = prop("The workflow's identifier.")
    workflow_version: int | None = prop("The workflow's version.")


@strawberry.type(description="Counts of runs by the workflows' category.")
class WorkflowsInsightsByCategory:
    """workflowsInsightsByCategory."""

    failed_joiner_runs: int | None = prop("Runs of joiner workflows that failed.")
    failed_leaver_runs: int | None = prop("Runs of leaver workflows that failed.")
    failed_mover_runs: int | None = prop("Runs of mover workflows that failed.")
    successful_joiner_runs: int | None = prop("Runs of joiner workflows that succeeded.")
    successful_leaver_runs: int | None = prop("Runs of leaver workflows that succeeded.")
    successful_mover_runs: int | None = prop("Runs of mover workflows that succeeded.")
    total_joiner_runs: int | None = prop("Runs of joiner workflows in all.")
    total_leaver_runs: int | None = prop("Runs of leaver workflows in all.")
    total_mover_runs: int | None = prop("Runs of mover workflows in all.")


@strawberry.type(description="Counts over all workflows.")
class WorkflowsInsightsSummary:
    """workflowsInsightsSummary."""

    failed_runs: int | None = prop("Runs that failed.")
    failed_tasks: int | None = prop("Task results that failed.")
    failed_users: int | None = prop("Users that failed.")
    successful_runs: int | None = prop("Runs that succeeded.")
    successful_tasks: int | None = prop("Task results that succeeded.")
    successful_users: int | None = prop("Users that succeeded.")
    total_runs: int | None = prop("Runs in all.")
    total_tasks: int | None = prop("Task results in all.")
    total_users: int | None = prop("Users in all.")


Start = Annotated[DateTime, strawberry.argument(description="Beginning of the period.")]
End = Annotated[
    DateTime, strawberry.argument(description="End of the period, later than its beginning.")
]


@reads_edge
def _read_period(
    root: Any, info: strawberry.Info, start_date_time: Start, end_date_time: End
) -> Any:
    return read_edge(root, info)


def summary(target: str, function: str, *, description: str, shape: Shape = Shape.SINGLE) -> Any:
    """An edge that calls an OData function over a period.

    Args:
        target: name of the type that the function returns.
        function: path of the function below the parent, such as ``runs/summary``.
        description: for the schema.
        shape: whether one value or a list is returned.
    """
    return strawberry.field(
        description=description,
        resolver=_read_period,
        metadata=edge_metadata(
            lambda name: Navigation(
                name=name,
                target=target,
                shape=shape,
                strategies=(Strategy.REQUEST,),
                selectable=False,
                call=lambda given: call(function, given),
            )
        ),
    )


@strawberry.type(description="Counts over all workflows of the tenant.")
class Insights:
    """insights: functions only."""

    top_tasks_processed_summary: list[TopTasksInsightsSummary] | None = summary(
        "TopTasksInsightsSummary",
        "topTasksProcessedSummary",
        shape=Shape.LIST,
        description="The tasks that were run most.",
    )
    top_workflows_processed_summary: list[TopWorkflowsInsightsSummary] | None = summary(
        "TopWorkflowsInsightsSummary",
        "topWorkflowsProcessedSummary",
        shape=Shape.LIST,
        description="The workflows that were run most.",
    )
    workflows_processed_by_category: WorkflowsInsightsByCategory | None = summary(
        "WorkflowsInsightsByCategory",
        "workflowsProcessedByCategory",
        description="The runs by category.",
    )
    workflows_processed_summary: WorkflowsInsightsSummary | None = summary(
        "WorkflowsInsightsSummary",
        "workflowsProcessedSummary",
        description="All runs, users and tasks.",
    )
