"""subjectProcessingResult: as userProcessingResult, of any kind of subject. Beta only.

Source: graph-lifecycle-api.md, section 3, Differences of beta; the type names are the SDK's.
"""

import strawberry

from gateway.odata.routes import Route
from gateway.schema.declare import connection, prop, resource, text_of
from gateway.schema.enums import (
    LifecycleWorkflowProcessingStatus,
    SubjectType,
    WorkflowExecutionType,
)
from gateway.schema.relay import Node, ResultConnection
from gateway.schema.resources.task_processing_result import (
    TaskProcessingResult,
    TaskProcessingResultFilter,
    TaskProcessingResultOrder,
)
from gateway.schema.scalars import DateTime
from gateway.schema.workflow_subject import WorkflowSubject


@resource(
    "What became of one subject in one run of a workflow. Beta only.",
    routes=[
        Route("subjectProcessingResults/*", below="Workflow", select=False),
        Route("subjectProcessingResults/*", below="Run", select=False),
    ],
    permissions=["LifecycleWorkflows-Reports.Read.All"],
    beta=True,
)
class SubjectProcessingResult(Node):
    """subjectProcessingResult."""

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
    subject_type: SubjectType | None = prop("What kind of subject it is.")
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
