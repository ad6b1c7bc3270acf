"""Summaries and insights: counts over a period. They need not add up (questions.md, point 24)."""

from collections.abc import Mapping
from typing import Any

import strawberry

from gateway.errors import BadUserInput
from gateway.internals import argument, field
from gateway.odata.timestamps import Time, instant
from gateway.plan.model import Navigation, Shape, Strategy
from gateway.schema import permissions
from gateway.schema.declare import DRAFT, edge_metadata, one, prop, resource, text_of
from gateway.schema.enums import LifecycleWorkflowCategory
from gateway.schema.rows import computed, read, read_edge, reads_edge
from gateway.schema.scalars import DateTime


def call(function: str, arguments: Mapping[str, Any]) -> str:
    """The path of an OData function over a period.

    Parameters stand in the path, unquoted; both are UTC and end in ``Z``, because an offset would
    have to be encoded (graph-lifecycle-api.md, section 7, Functions).

    Raises:
        BadUserInput: an end of the period is no time, or the period is empty.
    """
    times: dict[str, Time] = {}
    for name in ("startDateTime", "endDateTime"):
        try:
            times[name] = Time.parse(arguments[name])
        except ValueError as error:
            raise BadUserInput(str(error), argument=name) from None
    start, end = (instant(time) or "" for time in times.values())
    if start >= end:
        raise BadUserInput("must be later than startDateTime", argument="endDateTime")
    given = ",".join(f"{name}={time}" for name, time in times.items())
    return f"{function}({given})"


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


@strawberry.type(description="Counts of subject results.")
class SubjectSummary:
    """subjectSummary."""

    failed_subjects: int | None = prop("Subjects that failed.")
    failed_tasks: int | None = prop("Task results that failed.")
    successful_subjects: int | None = prop("Subjects that succeeded.")
    total_subjects: int | None = prop("Subjects in all.")
    total_tasks: int | None = prop("Task results in all.")


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


_PERIOD = (
    argument("start_date_time", DateTime, "Beginning of the period."),
    argument("end_date_time", DateTime, "End of the period, later than its beginning."),
)


@reads_edge
def _read_period(root: Any, info: strawberry.Info) -> Any:
    return read_edge(root, info)


def summary(target: str, function: str, *, description: str, shape: Shape = Shape.SINGLE) -> Any:
    """An edge that calls an OData function over a period.

    Args:
        target: name of the type that the function returns.
        function: path of the function below the parent, such as ``runs/summary``.
        description: for the schema.
        shape: whether one value or a list is returned.
    """
    return field(
        description=description,
        resolver=_read_period,
        arguments=_PERIOD,
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


@resource(
    "Counts of user results, as the draft has them.",
    permissions=[permissions.REPORTS],
    roots={
        "users_summary": one(
            "workflows/{workflowId}",
            arguments=_PERIOD,
            call=lambda given: call("userProcessingResults/usersSummary", given),
            draft=True,
            description=(
                f"{DRAFT}Counts of a workflow's user results that began in a period; documented "
                "is `userProcessingResultsSummary`."
            ),
        ),
    },
)
class UsersProcessingSummary:
    """usersProcessingSummary."""

    failed_tasks: int | None = prop("Task results that failed.")
    failed_users: int | None = prop("Users that failed.")
    successful_users: int | None = prop("Users that succeeded.")
    total_tasks: int | None = prop("Task results in all.")
    total_users: int | None = prop("Users in all.")


@resource(
    "Counts over all workflows of the tenant.",
    permissions=[permissions.REPORTS],
    roots={
        "insights": one(
            "insights",
            stub=True,
            description="Counts over all workflows; each costs one upstream request.",
        ),
    },
)
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
