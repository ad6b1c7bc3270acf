"""workflowVersion: a workflow as it was."""

from typing import Annotated

import strawberry

from gateway.plan.model import Shape, Strategy
from gateway.schema.conditions import WorkflowExecutionConditions
from gateway.schema.entity import Node, edge, is_row, narrowing, prop, text_of
from gateway.schema.enums import LifecycleWorkflowCategory
from gateway.schema.filters import TaskFilter, TaskOrder
from gateway.schema.quarantine import WorkflowSetting
from gateway.schema.scalars import DateTime
from gateway.schema.task import Task
from gateway.schema.user import User, author


@strawberry.type(
    description=(
        "A version of a workflow. In a list, `executionConditions`, `settings` and `tasks` cost "
        "one more upstream request per version."
    )
)
class WorkflowVersion(Node):
    """workflowVersion: graph-lifecycle-api.md, section 3."""

    is_type_of = staticmethod(is_row)

    version_number: int = prop(
        "The number of the version, from 1, unique only within its workflow. Key caches by "
        "`nodeId`.",
        key=True,
    )
    category: LifecycleWorkflowCategory | None = prop("The stage of the employee lifecycle.")
    category_text: str | None = text_of("category")
    created_date_time: DateTime | None = prop("When the version was created.")
    description: str | None = prop("What the workflow was for.")
    display_name: str | None = prop("Name of the workflow.")
    execution_conditions: WorkflowExecutionConditions | None = prop(
        "When and for whom the workflow was run.", in_list=False
    )
    is_enabled: bool | None = prop("Whether the workflow could be run.")
    is_scheduling_enabled: bool | None = prop("Whether the workflow was run on schedule.")
    last_modified_date_time: DateTime | None = prop("When the version was last changed.")
    settings: WorkflowSetting | None = prop("Settings of the workflow.", in_list=False)
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
        description="The tasks of the version; at most 25.",
    )
    workflow: Annotated["Workflow", strawberry.lazy("gateway.schema.workflow")] | None = edge(  # type: ignore[name-defined]  # noqa: F821
        "Workflow", Strategy.REQUEST, container="workflows", description="The workflow."
    )
