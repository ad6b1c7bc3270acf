"""workflow: tasks for joiners, movers or leavers, and when they are run for whom."""

import strawberry

from gateway.plan.model import Shape, Strategy
from gateway.schema.conditions import WorkflowExecutionConditions
from gateway.schema.directory_object import DirectoryObject
from gateway.schema.entity import (
    Connection,
    Node,
    ResultConnection,
    connection,
    edge,
    is_row,
    narrowing,
    prop,
    text_of,
)
from gateway.schema.enums import LifecycleWorkflowCategory
from gateway.schema.filters import (
    RunFilter,
    RunOrder,
    TaskFilter,
    TaskOrder,
    TaskReportFilter,
    TaskReportOrder,
    UserProcessingResultFilter,
    UserProcessingResultOrder,
    WorkflowVersionFilter,
    WorkflowVersionOrder,
)
from gateway.schema.quarantine import QuarantineDetails, WorkflowSetting
from gateway.schema.run import Run
from gateway.schema.scalars import DateTime
from gateway.schema.subject_processing_result import SubjectProcessingResult
from gateway.schema.summaries import RunSummary, TaskReportSummary, UserSummary, summary
from gateway.schema.task import Task
from gateway.schema.task_report import TaskReport
from gateway.schema.user import User, author
from gateway.schema.user_processing_result import UserProcessingResult
from gateway.schema.workflow_version import WorkflowVersion


@strawberry.type(
    description=(
        "A lifecycle workflow: tasks, and when they are run for whom. In a list, "
        "`executionConditions` and `tasks` cost one more upstream request per workflow."
    )
)
class Workflow(Node):
    """workflow: graph-lifecycle-api.md, section 3."""

    is_type_of = staticmethod(is_row)

    id: strawberry.ID = prop("Identifier of the workflow.", key=True)
    category: LifecycleWorkflowCategory | None = prop("The stage of the employee lifecycle.")
    category_text: str | None = text_of("category")
    created_date_time: DateTime | None = prop("When the workflow was created.")
    deleted_date_time: DateTime | None = prop("When it was deleted; null unless deleted.")
    description: str | None = prop("What the workflow is for.")
    display_name: str | None = prop("Name of the workflow, unique in the tenant.")
    execution_conditions: WorkflowExecutionConditions | None = prop(
        "When and for whom the workflow is run.", in_list=False
    )
    is_enabled: bool | None = prop("Whether the workflow can be run.")
    is_scheduling_enabled: bool | None = prop("Whether the workflow is run on schedule.")
    last_modified_date_time: DateTime | None = prop("When the workflow was last changed.")
    next_schedule_run_date_time: DateTime | None = prop(
        "When the workflow is to run next; null if it is not scheduled."
    )
    quarantine_details: QuarantineDetails | None = prop(
        "Why the workflow is held back, if it is.", in_list=False
    )
    settings: WorkflowSetting | None = prop("Settings of the workflow.", in_list=False)
    version: int | None = prop("The current version of the workflow, from 1.")
    created_by: User | None = author("Who created the workflow.")
    last_modified_by: User | None = author("Who last changed the workflow.")
    tasks: list[Task] | None = edge(
        "Task",
        Strategy.INLINE,
        Strategy.REQUEST,
        shape=Shape.LIST,
        in_list=False,
        selectable=False,
        resolver=narrowing(TaskFilter, TaskOrder, paged=False, here=True),
        description="The tasks of the current version; at most 25.",
    )
    runs: Connection[Run] | None = connection(
        "Run",
        resolver=narrowing(RunFilter, RunOrder),
        description="The runs of the workflow; unless sorted, as the service gives them.",
    )
    user_processing_results: ResultConnection[UserProcessingResult] | None = connection(
        "UserProcessingResult",
        resolver=narrowing(UserProcessingResultFilter, UserProcessingResultOrder),
        description="The user results of all runs of the workflow.",
    )
    versions: Connection[WorkflowVersion] | None = connection(
        "WorkflowVersion",
        resolver=narrowing(WorkflowVersionFilter, WorkflowVersionOrder, search=True),
        description="The versions of the workflow.",
    )
    task_reports: Connection[TaskReport] | None = connection(
        "TaskReport",
        resolver=narrowing(TaskReportFilter, TaskReportOrder),
        description="What became of each task in each run of the workflow.",
    )
    execution_scope: ResultConnection[UserProcessingResult] | None = connection(
        "UserProcessingResult",
        resolver=narrowing(UserProcessingResultFilter, UserProcessingResultOrder),
        lives_in="userProcessingResults",
        description=(
            "The users that the workflow is scheduled for; refreshed by the service from time to "
            "time, and there only for workflows with a trigger, a scope and scheduling."
        ),
    )
    preview_scope: Connection[DirectoryObject] | None = connection(
        "DirectoryObject",
        selectable=False,
        description="The directory objects that are in the workflow's scope now.",
    )
    administration_scope_targets: Connection[DirectoryObject] | None = connection(
        "DirectoryObject",
        selectable=False,
        description="The administrative units that the workflow is restricted to.",
    )
    runs_summary: RunSummary | None = summary(
        "RunSummary", "runs/summary", description="Counts of the runs that began in a period."
    )
    user_processing_results_summary: UserSummary | None = summary(
        "UserSummary",
        "userProcessingResults/summary",
        description="Counts of the user results of the runs that began in a period.",
    )
    task_reports_summary: TaskReportSummary | None = summary(
        "TaskReportSummary",
        "taskReports/summary",
        description="Counts of the task results of the runs that began in a period.",
    )
    subject_processing_results: Connection[SubjectProcessingResult] | None = connection(
        "SubjectProcessingResult",
        beta=True,
        resolver=narrowing(UserProcessingResultFilter, UserProcessingResultOrder),
        description="The results, one per subject of any kind. Beta only.",
    )
