"""run: one execution of a workflow."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from gateway.odata.routes import Route
from gateway.plan.model import Shape, Strategy
from gateway.schema import permissions
from gateway.schema.across import CHANGED_SINCE, OF_WHICH_WORKFLOWS, RUNS
from gateway.schema.activation_scope import ActivationScope
from gateway.schema.declare import connection, edge, many, one, prop, resource, text_of
from gateway.schema.enums import LifecycleWorkflowProcessingStatus, WorkflowExecutionType
from gateway.schema.filters import (
    DateTimeCondition,
    ExecutionTypeCondition,
    StatusCondition,
    filter_of,
    order_of,
)
from gateway.schema.relay import Connection, Node, ResultConnection
from gateway.schema.resources.subject_processing_result import (
    SubjectProcessingResult,
    SubjectProcessingResultFilter,
)
from gateway.schema.resources.summaries import SubjectSummary, UserSummary, summary
from gateway.schema.resources.task_processing_result import (
    TaskProcessingResult,
    TaskProcessingResultFilter,
    TaskProcessingResultOrder,
)
from gateway.schema.resources.user_processing_result import (
    UserProcessingResult,
    UserProcessingResultFilter,
    UserProcessingResultOrder,
)
from gateway.schema.scalars import DateTime

if TYPE_CHECKING:
    from gateway.schema.resources.workflow import Workflow

RunFilter = filter_of(
    "RunFilter",
    "runs",
    completed_date_time=DateTimeCondition,
    last_updated_date_time=DateTimeCondition,
    processing_status=StatusCondition,
    scheduled_date_time=DateTimeCondition,
    started_date_time=DateTimeCondition,
    workflow_execution_type=ExecutionTypeCondition,
)
RunOrder = order_of(
    "RunOrder",
    "runs",
    "completedDateTime lastUpdatedDateTime processingStatus scheduledDateTime startedDateTime "
    "workflowExecutionType",
)


@resource(
    "One execution of a workflow, for one or more users.",
    routes=[Route("runs/*", below="Workflow")],
    permissions=[permissions.REPORTS],
    connection=ResultConnection,
    roots={
        "run": one("workflows/{workflowId}/runs/{id}", description="A run of a workflow."),
        "runs": many(
            "workflows",
            across=RUNS,
            filter=RunFilter,
            arguments=[OF_WHICH_WORKFLOWS, CHANGED_SINCE],
            description=(
                "Runs across all workflows, newest first (by scheduledDateTime): what runs now, "
                "what failed last night? Costs 1 + ⌈W/20⌉ upstream requests for W workflows that "
                "pass `workflowFilter`."
            ),
        ),
    },
)
class Run(Node):
    """run: graph-lifecycle-api.md, section 3."""

    id: strawberry.ID = prop(
        "Identifier of the run, unique only within its workflow. Key caches by `nodeId`.", key=True
    )
    activated_on_scope: ActivationScope | None = prop(
        "What the run was activated for, if it was activated with a scope."
    )
    completed_date_time: DateTime | None = prop("When the run ended; null until then.")
    failed_tasks_count: int | None = prop("How many task results failed.")
    failed_users_count: int | None = prop("How many users the workflow failed for.")
    last_updated_date_time: DateTime | None = prop("When the run last changed.")
    processing_status: LifecycleWorkflowProcessingStatus | None = prop("How far the run has come.")
    processing_status_text: str | None = text_of("processing_status")
    scheduled_date_time: DateTime | None = prop("When the run was to start.")
    started_date_time: DateTime | None = prop("When the run started; null while queued.")
    successful_users_count: int | None = prop("How many users were processed successfully.")
    total_tasks_count: int | None = prop("How many task results the run has, over all users.")
    total_unprocessed_tasks_count: int | None = prop("How many tasks have not been processed.")
    total_users_count: int | None = prop("How many users the run has.")
    workflow_execution_type: WorkflowExecutionType | None = prop("What started the run.")
    workflow_execution_type_text: str | None = text_of("workflow_execution_type")
    workflow: Annotated["Workflow", strawberry.lazy(".workflow")] | None = edge(
        "Workflow",
        Strategy.REQUEST,
        container="workflows",
        description="The workflow that was run.",
    )
    reprocessed_runs: list[Annotated["Run", strawberry.lazy(".run")]] | None = edge(
        "Run",
        Strategy.REQUEST,
        shape=Shape.LIST,
        selectable=False,
        lives_in="workflows/*/runs",
        description="The runs that processed users of this run again.",
    )
    user_processing_results_summary: UserSummary | None = summary(
        "UserSummary",
        "userProcessingResults/summary",
        description="Counts of the run's user results that began in a period.",
    )
    user_processing_results: ResultConnection[UserProcessingResult] | None = connection(
        "UserProcessingResult",
        filter=UserProcessingResultFilter,
        order=UserProcessingResultOrder,
        description="The results of the run, one per user.",
    )
    task_processing_results: ResultConnection[TaskProcessingResult] | None = connection(
        "TaskProcessingResult",
        filter=TaskProcessingResultFilter,
        order=TaskProcessingResultOrder,
        description="The task results of the run, over all users.",
    )
    subject_processing_results: Connection[SubjectProcessingResult] | None = connection(
        "SubjectProcessingResult",
        filter=SubjectProcessingResultFilter,
        selectable=False,
        description="The results of the run, one per subject of any kind.",
    )
    subject_processing_results_summary: SubjectSummary | None = summary(
        "SubjectSummary",
        "subjectProcessingResults/summary",
        description="Counts of the run's subject results that began in a period.",
    )
