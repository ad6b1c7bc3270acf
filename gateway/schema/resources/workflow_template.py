"""workflowTemplate: a workflow to begin with."""

import strawberry

from gateway.odata.routes import Route
from gateway.plan.model import Shape, Strategy
from gateway.schema import permissions
from gateway.schema.conditions import WorkflowExecutionConditions
from gateway.schema.declare import edge, many, one, prop, resource, text_of
from gateway.schema.enums import LifecycleWorkflowCategory
from gateway.schema.filters import StringCondition, condition, filter_of, order_of
from gateway.schema.relay import Node
from gateway.schema.resources.task import Task

# The documented filter on the category is eq; questions of other operators are nowhere answered.
TemplateCategoryCondition = condition(
    "TemplateCategoryCondition", LifecycleWorkflowCategory, "eq in"
)
WorkflowTemplateFilter = filter_of(
    "WorkflowTemplateFilter",
    "templates",
    category=TemplateCategoryCondition,
    display_name=StringCondition,
)
WorkflowTemplateOrder = order_of("WorkflowTemplateOrder", "templates", "displayName")


@resource(
    "A template that workflows can be made from.",
    routes=[Route("workflowTemplates/*", select=False)],
    permissions=[permissions.READ],
    roots={
        "workflow_template": one("workflowTemplates/{id}", description="A workflow template."),
        "workflow_templates": many(
            "workflowTemplates",
            filter=WorkflowTemplateFilter,
            order=WorkflowTemplateOrder,
            description="The templates that workflows can be made from.",
        ),
    },
)
class WorkflowTemplate(Node):
    """workflowTemplate: graph-lifecycle-api.md, section 3, other entities."""

    id: strawberry.ID = prop("Identifier of the template.", key=True)
    category: LifecycleWorkflowCategory | None = prop("The stage of the employee lifecycle.")
    category_text: str | None = text_of("category")
    description: str | None = prop("What a workflow made from the template is for.")
    display_name: str | None = prop("Name of the template.")
    execution_conditions: WorkflowExecutionConditions | None = prop(
        "When and for whom a workflow made from the template is run."
    )
    tasks: list[Task] | None = edge(
        "Task",
        Strategy.INLINE,
        Strategy.REQUEST,
        shape=Shape.LIST,
        selectable=False,
        description="The tasks of the template.",
    )
