"""taskProcessingResult: what became of one task for one user."""

from typing import Annotated

import strawberry

from gateway.plan.model import Strategy
from gateway.schema.entity import Node, edge, is_row, prop, text_of
from gateway.schema.enums import LifecycleWorkflowProcessingStatus
from gateway.schema.scalars import DateTime
from gateway.schema.task import Task
from gateway.schema.user import USER_STRATEGIES, User
from gateway.schema.workflow_subject import WorkflowSubject


@strawberry.type(description="What became of one task for one user in one run.")
class TaskProcessingResult(Node):
    """taskProcessingResult: graph-lifecycle-api.md, section 3."""

    is_type_of = staticmethod(is_row)

    id: strawberry.ID = prop(
        "Identifier of the result, unique only within its run. Key caches by `nodeId`.", key=True
    )
    completed_date_time: DateTime | None = prop("When the task ended; null while in progress.")
    created_date_time: DateTime | None = prop("When the result was created.")
    failure_reason: str | None = prop("Why the task failed; null unless it failed.")
    processing_info: str | None = prop("What else there is to say; mostly null.")
    processing_status: LifecycleWorkflowProcessingStatus | None = prop("How far the task has come.")
    processing_status_text: str | None = text_of("processing_status")
    started_date_time: DateTime | None = prop("When the task started; null until then.")
    subject: User | None = edge(
        "User", *USER_STRATEGIES, description="The user that the task was run for."
    )
    workflow_subject: WorkflowSubject | None = prop(
        "The subject that the task was run for. Beta only.", beta=True
    )
    task: Task | None = edge(
        "Task", Strategy.INLINE, lives_in="tasks", description="The task that was run."
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
