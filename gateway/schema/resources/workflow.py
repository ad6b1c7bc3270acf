"""workflow: tasks for joiners, movers or leavers, and when they are run for whom."""

import strawberry

from gateway.odata.routes import Route
from gateway.plan.model import Shape, Strategy
from gateway.schema import permissions
from gateway.schema.conditions import WorkflowExecutionConditions
from gateway.schema.declare import connection, edge, many, one, prop, resource, text_of
from gateway.schema.enums import LifecycleWorkflowCategory, SubjectType
from gateway.schema.filters import (
    WORKFLOW_CONDITIONS,
    WORKFLOW_ORDER,
    DateTimeCondition,
    IdCondition,
    IntCondition,
    ScheduleCondition,
    filter_of,
    order_of,
)
from gateway.schema.quarantine import QuarantineDetails, WorkflowSetting
from gateway.schema.relay import Connection, Node, ResultConnection
from gateway.schema.resources.directory_object import DirectoryObject
from gateway.schema.resources.run import Run, RunFilter, RunOrder
from gateway.schema.resources.subject_processing_result import (
    SubjectProcessingResult,
    SubjectProcessingResultFilter,
)
from gateway.schema.resources.summaries import (
    RunSummary,
    SubjectSummary,
    TaskReportSummary,
    UserSummary,
    summary,
)
from gateway.schema.resources.task import Task, TaskFilter, TaskOrder
from gateway.schema.resources.task_report import TaskReport, TaskReportFilter, TaskReportOrder
from gateway.schema.resources.user import User, author
from gateway.schema.resources.user_processing_result import (
    UserProcessingResult,
    UserProcessingResultFilter,
    UserProcessingResultOrder,
)
from gateway.schema.resources.workflow_version import (
    WorkflowVersion,
    WorkflowVersionFilter,
    WorkflowVersionOrder,
)
from gateway.schema.rows import read_flags
from gateway.schema.scalars import DateTime

WorkflowFilter = filter_of(
    "WorkflowFilter",
    "workflows",
    id=IdCondition,
    **WORKFLOW_CONDITIONS,
    deleted_date_time=DateTimeCondition,
    next_schedule_run_date_time=ScheduleCondition,
    version=IntCondition,
)
WorkflowOrder = order_of(
    "WorkflowOrder",
    "workflows",
    f"id {WORKFLOW_ORDER} deletedDateTime nextScheduleRunDateTime version",
)


@resource(
    "A lifecycle workflow: tasks, and when they are run for whom. In a list, "
    "`executionConditions` and `tasks` cost one more upstream request per workflow.",
    routes=[Route("workflows/*"), Route("deletedItems/workflows/*")],
    permissions=[permissions.BASIC],
    roots={
        "workflow": one("workflows/{id}", description="A workflow."),
        "workflows": many(
            "workflows",
            filter=WorkflowFilter,
            order=WorkflowOrder,
            search=True,
            description="All workflows that are not deleted.",
        ),
        "deleted_workflow": one(
            "deletedItems/workflows/{id}",
            description="A workflow that was deleted less than 30 days ago.",
        ),
        "deleted_workflows": many(
            "deletedItems/workflows",
            filter=WorkflowFilter,
            order=WorkflowOrder,
            search=True,
            description="The workflows that were deleted less than 30 days ago.",
        ),
    },
)
class Workflow(Node):
    """workflow: graph-lifecycle-api.md, section 3."""

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
    target_subject_type: list[SubjectType] | None = prop(
        "The kinds of subjects that the workflow is run for.",
        in_list=False,
        resolver=read_flags("target_subject_type"),
    )
    target_subject_type_text: str | None = text_of("target_subject_type")
    created_by: User | None = author("Who created the workflow.")
    last_modified_by: User | None = author("Who last changed the workflow.")
    tasks: list[Task] | None = edge(
        "Task",
        Strategy.INLINE,
        Strategy.REQUEST,
        shape=Shape.LIST,
        in_list=False,
        selectable=False,
        filter=TaskFilter,
        order=TaskOrder,
        description="The tasks of the current version; at most 25.",
    )
    runs: ResultConnection[Run] | None = connection(
        "Run",
        filter=RunFilter,
        order=RunOrder,
        description="The runs of the workflow; unless sorted, as the service gives them.",
    )
    user_processing_results: ResultConnection[UserProcessingResult] | None = connection(
        "UserProcessingResult",
        filter=UserProcessingResultFilter,
        order=UserProcessingResultOrder,
        description="The user results of all runs of the workflow.",
    )
    versions: Connection[WorkflowVersion] | None = connection(
        "WorkflowVersion",
        filter=WorkflowVersionFilter,
        order=WorkflowVersionOrder,
        search=True,
        description="The versions of the workflow.",
    )
    task_reports: Connection[TaskReport] | None = connection(
        "TaskReport",
        filter=TaskReportFilter,
        order=TaskReportOrder,
        description="What became of each task in each run of the workflow.",
    )
    execution_scope: ResultConnection[UserProcessingResult] | None = connection(
        "UserProcessingResult",
        filter=UserProcessingResultFilter,
        order=UserProcessingResultOrder,
        lives_in="workflows/*/userProcessingResults",
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
        filter=SubjectProcessingResultFilter,
        selectable=False,
        description="The results of all runs of the workflow, one per subject of any kind.",
    )
    subject_processing_results_summary: SubjectSummary | None = summary(
        "SubjectSummary",
        "subjectProcessingResults/summary",
        description="Counts of the subject results of the runs that began in a period.",
    )
