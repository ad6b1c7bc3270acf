"""task: a step of a workflow."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from gateway.odata.routes import Route
from gateway.plan.model import Join, Strategy
from gateway.schema import permissions
from gateway.schema.declare import connection, edge, one, prop, resource, text_of
from gateway.schema.enums import LifecycleTaskCategory
from gateway.schema.filters import (
    BooleanCondition,
    IdCondition,
    StringCondition,
    filter_of,
    order_of,
)
from gateway.schema.relay import Node, ResultConnection
from gateway.schema.rows import read_flags
from gateway.schema.service import ROOT

if TYPE_CHECKING:
    from gateway.schema.resources.task_definition import TaskDefinition
    from gateway.schema.resources.task_processing_result import TaskProcessingResult


@strawberry.type(description="A named argument of a task.")
class KeyValuePair:
    """g:keyValuePair."""

    name: str | None = prop("Name of the argument, as the task definition has it.")
    value: str | None = prop("Value of the argument.")


TaskFilter = filter_of(
    "TaskFilter",
    "tasks",
    id=IdCondition,
    display_name=StringCondition,
    is_enabled=BooleanCondition,
    task_definition_id=IdCondition,
)
TaskOrder = order_of("TaskOrder", "tasks", "id displayName executionSequence isEnabled")


@resource(
    "A built-in task that a workflow runs for each user.",
    routes=[
        Route("tasks/*", below="Workflow", select=False),
        Route("tasks/*", below="WorkflowVersion", select=False),
        Route("tasks/*", below="WorkflowTemplate", get=False, select=False),
    ],
    permissions=[permissions.WORKFLOWS],
    roots={
        "task": one(
            "workflows/{workflowId}/versions/{versionNumber}/tasks/{id}",
            "workflows/{workflowId}/tasks/{id}",
            description="A task of a workflow, or with `versionNumber` of a version of it.",
        ),
    },
)
class Task(Node):
    """task: graph-lifecycle-api.md, section 3."""

    id: strawberry.ID = prop(
        "Identifier of the task, unique only within one version of a workflow, or a template: in "
        "another version a task with the same id may differ. Key caches by `nodeId`.",
        key=True,
    )
    arguments: list[KeyValuePair] | None = prop("Arguments of the task; may be empty.")
    category: list[LifecycleTaskCategory] | None = prop(
        "The lifecycle stages that the task may be used in; set by the service.",
        resolver=read_flags("category"),
    )
    category_text: str | None = text_of("category")
    continue_on_error: bool | None = prop(
        "Whether the workflow goes on with the next task if this one fails."
    )
    description: str | None = prop("What the task is for.")
    display_name: str | None = prop("Name of the task.")
    execution_sequence: int | None = prop("Place of the task in its workflow, from 1.")
    is_enabled: bool | None = prop("Whether the task is run.")
    task_definition_id: strawberry.ID | None = prop(
        "Identifier of the task definition that this task is an instance of."
    )
    task_definition: Annotated["TaskDefinition", strawberry.lazy(".task_definition")] | None = edge(
        "TaskDefinition",
        Strategy.JOIN,
        join=Join(f"{ROOT}/taskDefinitions", by="taskDefinitionId"),
        description="The task definition; the list of all is read once per operation.",
    )
    task_processing_results: (
        ResultConnection[
            Annotated[
                "TaskProcessingResult",
                strawberry.lazy(".task_processing_result"),
            ]
        ]
        | None
    ) = connection(
        "TaskProcessingResult",
        selectable=False,
        description="The results of the task, over all runs and users.",
    )
