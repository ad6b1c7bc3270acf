"""subjectProcessingResult: as userProcessingResult, of any kind of subject."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from gateway.odata.routes import Route
from gateway.plan.model import Shape, Strategy
from gateway.schema import permissions
from gateway.schema.declare import connection, edge, one, prop, resource, text_of
from gateway.schema.enums import (
    LifecycleWorkflowProcessingStatus,
    SubjectType,
    WorkflowExecutionType,
)
from gateway.schema.filters import (
    ExecutionTypeCondition,
    StatusCondition,
    SubjectTypeCondition,
    filter_of,
)
from gateway.schema.relay import Node, ResultConnection
from gateway.schema.resources.task_processing_result import (
    TaskProcessingResult,
    TaskProcessingResultFilter,
    TaskProcessingResultOrder,
)
from gateway.schema.rows import read_flags
from gateway.schema.scalars import DateTime
from gateway.schema.workflow_subject import WorkflowSubject

if TYPE_CHECKING:
    from gateway.schema.resources.run import Run
    from gateway.schema.resources.workflow import Workflow

# The annotation allows to sort, but no page says by what (questions.md, point 30).
SubjectProcessingResultFilter = filter_of(
    "SubjectProcessingResultFilter",
    "subject results",
    processing_status=StatusCondition,
    subject_type=SubjectTypeCondition,
    workflow_execution_type=ExecutionTypeCondition,
)


@resource(
    "What became of one subject, of whichever kind, in one run of a workflow. What is a "
    "`UserProcessingResult` for users is this for all.",
    routes=[
        Route("subjectProcessingResults/*", below="Run", select=False),
        Route("subjectProcessingResults/*", below="Workflow", select=False),
    ],
    permissions=[permissions.REPORTS],
    roots={
        "subject_processing_result": one(
            "workflows/{workflowId}/runs/{runId}/subjectProcessingResults/{id}",
            "workflows/{workflowId}/subjectProcessingResults/{id}",
            description=(
                "The result of a subject in a run. Without `runId` it is looked up among the "
                "results of all runs of the workflow."
            ),
        ),
    },
)
class SubjectProcessingResult(Node):
    """subjectProcessingResult: graph-lifecycle-api.md, section 3."""

    id: strawberry.ID = prop(
        "Identifier of the result, unique only within its workflow. Key caches by `nodeId`.",
        key=True,
    )
    completed_date_time: DateTime | None = prop("When the last task ended; null until then.")
    failed_tasks_count: int | None = prop("How many tasks failed for the subject.")
    processing_status: LifecycleWorkflowProcessingStatus | None = prop(
        "How far the processing of the subject has come."
    )
    processing_status_text: str | None = text_of("processing_status")
    scheduled_date_time: DateTime | None = prop("When the processing was to start.")
    started_date_time: DateTime | None = prop("When the processing started; null until then.")
    subject: WorkflowSubject | None = prop("The subject.")
    subject_type: list[SubjectType] | None = prop(
        "The kinds of subjects that it is of; null where the service does not tell it.",
        resolver=read_flags("subject_type"),
    )
    subject_type_text: str | None = text_of("subject_type")
    total_tasks_count: int | None = prop("How many tasks there are for the subject.")
    total_unprocessed_tasks_count: int | None = prop(
        "How many tasks have not been processed for the subject."
    )
    workflow_execution_type: WorkflowExecutionType | None = prop("What started the run.")
    workflow_execution_type_text: str | None = text_of("workflow_execution_type")
    workflow_version: int | None = prop("The version of the workflow that was run.")
    task_processing_results: ResultConnection[TaskProcessingResult] | None = connection(
        "TaskProcessingResult",
        filter=TaskProcessingResultFilter,
        order=TaskProcessingResultOrder,
        description="The results of the subject's tasks.",
    )
    reprocessed_runs: list[Annotated["Run", strawberry.lazy(".run")]] | None = edge(
        "Run",
        Strategy.REQUEST,
        shape=Shape.LIST,
        selectable=False,
        lives_in="workflows/*/runs",
        description="The runs that processed the subject again.",
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
