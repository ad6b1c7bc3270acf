"""taskDefinition: what a task is an instance of."""

import strawberry

from gateway.odata.routes import Route
from gateway.schema import permissions
from gateway.schema.declare import many, one, prop, resource, text_of
from gateway.schema.enums import LifecycleTaskCategory, ValueType
from gateway.schema.filters import (
    IntCondition,
    StringCondition,
    TaskCategoryCondition,
    filter_of,
    order_of,
)
from gateway.schema.relay import Node
from gateway.schema.rows import read_flags


@strawberry.type(description="A parameter that a task takes.")
class Parameter:
    """parameter."""

    name: str | None = prop("Name of the parameter.")
    values: list[str] | None = prop("The values to choose from; empty if any is allowed.")
    value_type: ValueType | None = prop("The type of the values.")
    value_type_text: str | None = text_of("value_type")


TaskDefinitionFilter = filter_of(
    "TaskDefinitionFilter",
    "task definitions",
    category=TaskCategoryCondition,
    display_name=StringCondition,
    version=IntCondition,
)
TaskDefinitionOrder = order_of(
    "TaskDefinitionOrder", "task definitions", "category displayName version"
)


@resource(
    "A built-in task that workflows can use.",
    routes=[Route("taskDefinitions/*")],
    permissions=[permissions.READ],
    roots={
        "task_definition": one("taskDefinitions/{id}", description="A task definition."),
        "task_definitions": many(
            "taskDefinitions",
            filter=TaskDefinitionFilter,
            order=TaskDefinitionOrder,
            counted=True,
            description="The tasks that workflows can be made of.",
        ),
    },
)
class TaskDefinition(Node):
    """taskDefinition: graph-lifecycle-api.md, section 3."""

    id: strawberry.ID = prop("Identifier of the task definition.", key=True)
    category: list[LifecycleTaskCategory] | None = prop(
        "The lifecycle stages that the task may be used in.", resolver=read_flags("category")
    )
    category_text: str | None = text_of("category")
    continue_on_error: bool | None = prop("Whether a workflow goes on if the task fails.")
    description: str | None = prop("What the task does.")
    display_name: str | None = prop("Name of the task.")
    parameters: list[Parameter] | None = prop("The parameters that the task takes.")
    version: int | None = prop("Version of the task definition.")
