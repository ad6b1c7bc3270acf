"""workflowVersion: a workflow as it was."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from gateway.odata.routes import Route
from gateway.plan.model import Shape, Strategy
from gateway.schema import permissions
from gateway.schema.conditions import WorkflowExecutionConditions
from gateway.schema.declare import connection, edge, one, prop, resource, text_of
from gateway.schema.enums import LifecycleWorkflowCategory, SubjectType
from gateway.schema.filters import (
    WORKFLOW_CONDITIONS,
    WORKFLOW_ORDER,
    IntCondition,
    filter_of,
    order_of,
)
from gateway.schema.quarantine import WorkflowSetting
from gateway.schema.relay import Connection, Node
from gateway.schema.resources.directory_object import DirectoryObject
from gateway.schema.resources.task import Task, TaskFilter, TaskOrder
from gateway.schema.resources.user import User, author
from gateway.schema.rows import read_flags
from gateway.schema.scalars import DateTime

if TYPE_CHECKING:
    from gateway.schema.resources.workflow import Workflow

WorkflowVersionFilter = filter_of(
    "WorkflowVersionFilter", "versions", **WORKFLOW_CONDITIONS, version_number=IntCondition
)
WorkflowVersionOrder = order_of(
    "WorkflowVersionOrder", "versions", f"{WORKFLOW_ORDER} versionNumber"
)


@resource(
    "A version of a workflow. In a list, `executionConditions`, `settings` and `tasks` cost "
    "one more upstream request per version.",
    routes=[Route("versions/*", below="Workflow", number=True)],
    permissions=[permissions.WORKFLOWS],
    roots={
        "workflow_version": one(
            "workflows/{workflowId}/versions/{versionNumber}",
            description="A version of a workflow.",
        ),
    },
)
class WorkflowVersion(Node):
    """workflowVersion: graph-lifecycle-api.md, section 3."""

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
        description="The tasks of the version; at most 25.",
    )
    workflow: Annotated["Workflow", strawberry.lazy(".workflow")] | None = edge(
        "Workflow", Strategy.REQUEST, container="workflows", description="The workflow."
    )
    administration_scope_targets: Connection[DirectoryObject] | None = connection(
        "DirectoryObject",
        selectable=False,
        description="The administrative units that the version was restricted to. The metadata "
        "has them, no page does.",
    )
