"""Query: what can be read, and where it is upstream."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar

import strawberry
from strawberry.types import Info

from gateway.errors import BadUserInput
from gateway.odata.address import (
    LIFECYCLE_WORKFLOWS,
    Address,
    entity_address,
    parse_node_id,
    singleton,
)
from gateway.plan.model import DEFAULT_FIRST, Shape
from gateway.schema.across import OF_RUNS, OF_WORKFLOWS
from gateway.schema.context import Context
from gateway.schema.custom_task_extension import CustomTaskExtension
from gateway.schema.entity import After, Connection, First, Node, ResultConnection, Search, root
from gateway.schema.filters import (
    TaskDefinitionFilter,
    TaskDefinitionOrder,
    TaskProcessingResultFilter,
    UserProcessingResultFilter,
    WorkflowFilter,
    WorkflowOrder,
)
from gateway.schema.lifecycle_management_settings import LifecycleManagementSettings
from gateway.schema.run import Run
from gateway.schema.scalars import DateTime
from gateway.schema.summaries import Insights
from gateway.schema.task import Task
from gateway.schema.task_definition import TaskDefinition
from gateway.schema.task_processing_result import TaskProcessingResult
from gateway.schema.task_report import TaskReport
from gateway.schema.user_processing_result import UserProcessingResult
from gateway.schema.workflow import Workflow
from gateway.schema.workflow_template import WorkflowTemplate
from gateway.schema.workflow_version import WorkflowVersion

Arguments = Mapping[str, Any]
VersionNumber = Annotated[
    int, strawberry.argument(description="The number of the version, from 1.")
]


T = TypeVar("T")
Which = Annotated[T | None, strawberry.argument(description="Which rows; filtered upstream.")]
Sorted = Annotated[
    list[T] | None, strawberry.argument(description="How the rows are sorted, first key first.")
]


OfWorkflows = Annotated[T | None, strawberry.argument(description="Of which workflows.")]
StartedAfter = Annotated[
    DateTime | None, strawberry.argument(description="Only results that started then or later.")
]
StartedBefore = Annotated[
    DateTime | None, strawberry.argument(description="Only results that started before then.")
]
SubjectId = Annotated[
    strawberry.ID, strawberry.argument(description="Object id of the user in Microsoft Entra ID.")
]


def _workflow(given: Arguments) -> Address:
    return entity_address(("workflows", "id", given["id"]))


def _by_id(collection: str) -> Callable[[Arguments], Address]:
    return lambda given: entity_address((collection, "id", given["id"]))


def _below_workflow(collection: str) -> Callable[[Arguments], Address]:
    return lambda given: entity_address(
        ("workflows", "workflowId", given["workflowId"]), (collection, "id", given["id"])
    )


def _version(given: Arguments) -> Address:
    number = given["versionNumber"]
    if number < 1:
        raise BadUserInput("versions are numbered from 1", argument="versionNumber")
    return entity_address(
        ("workflows", "workflowId", given["workflowId"]), ("versions", "versionNumber", str(number))
    )


def _run(given: Arguments) -> Address:
    return entity_address(
        ("workflows", "workflowId", given["workflowId"]), ("runs", "id", given["id"])
    )


def _user_processing_result(given: Arguments) -> Address:
    steps = [("workflows", "workflowId", given["workflowId"])]
    if given.get("runId") is not None:
        steps.append(("runs", "runId", given["runId"]))
    return entity_address(*steps, ("userProcessingResults", "id", given["id"]))


def _task_processing_result(given: Arguments) -> Address:
    return entity_address(
        ("workflows", "workflowId", given["workflowId"]),
        ("runs", "runId", given["runId"]),
        ("userProcessingResults", "userProcessingResultId", given["userProcessingResultId"]),
        ("taskProcessingResults", "id", given["id"]),
    )


def _all(collection: str) -> Callable[[Arguments], str]:
    return lambda _: f"{LIFECYCLE_WORKFLOWS}/{collection}"


async def _answer(info: Info[Context, None]) -> Any:
    return await info.context.answer(info._raw_info)


@strawberry.type(description="What can be read.")
class Query:
    """The root of queries. Each field fetches what is selected below it in as few requests as
    possible; all fields of an operation are fetched together."""

    @root("Workflow", _workflow, description="A workflow.")
    async def workflow(self, info: Info[Context, None], id: strawberry.ID) -> Workflow | None:  # noqa: A002
        """GET workflows/{id}."""
        return await _answer(info)  # type: ignore[no-any-return]

    @root(
        "Workflow",
        _all("workflows"),
        shape=Shape.CONNECTION,
        description="All workflows that are not deleted.",
    )
    async def workflows(
        self,
        info: Info[Context, None],
        first: First = DEFAULT_FIRST,
        after: After = None,
        filter: Which[WorkflowFilter] = None,  # noqa: A002
        order_by: Sorted[WorkflowOrder] = None,
        search: Search = None,
    ) -> Connection[Workflow] | None:
        """GET workflows."""
        return await _answer(info)  # type: ignore[no-any-return]

    @root("Run", _run, description="A run of a workflow.")
    async def run(
        self,
        info: Info[Context, None],
        workflow_id: strawberry.ID,
        id: strawberry.ID,  # noqa: A002
    ) -> Run | None:
        """GET workflows/{workflowId}/runs/{id}."""
        return await _answer(info)  # type: ignore[no-any-return]

    @root(
        "UserProcessingResult",
        _user_processing_result,
        description=(
            "The result of a user in a run. Without `runId` it is looked up among the results of "
            "all runs of the workflow."
        ),
    )
    async def user_processing_result(
        self,
        info: Info[Context, None],
        workflow_id: strawberry.ID,
        id: strawberry.ID,  # noqa: A002
        run_id: strawberry.ID | None = None,
    ) -> UserProcessingResult | None:
        """GET …/runs/{runId}/userProcessingResults/{id}, or the list filtered by id."""
        return await _answer(info)  # type: ignore[no-any-return]

    @root(
        "TaskProcessingResult",
        _task_processing_result,
        description="The result of a task for a user in a run.",
    )
    async def task_processing_result(
        self,
        info: Info[Context, None],
        workflow_id: strawberry.ID,
        run_id: strawberry.ID,
        user_processing_result_id: strawberry.ID,
        id: strawberry.ID,  # noqa: A002
    ) -> TaskProcessingResult | None:
        """GET …/taskProcessingResults, filtered by id."""
        return await _answer(info)  # type: ignore[no-any-return]

    @root(
        "TaskProcessingResult",
        _all("workflows"),
        shape=Shape.CONNECTION,
        across=OF_RUNS,
        description=(
            "Task results across all workflows and runs, newest first (by createdDateTime). Costs "
            "1 + ⌈W/20⌉ + ⌈R/20⌉ upstream requests for W workflows that pass `workflowFilter` and "
            "R runs of theirs that can hold a result in the period, fewer where `first` is "
            "reached sooner; ended runs without a failure are not asked for failed results."
        ),
    )
    async def task_processing_results(
        self,
        info: Info[Context, None],
        first: First = DEFAULT_FIRST,
        after: After = None,
        filter: Which[TaskProcessingResultFilter] = None,  # noqa: A002
        workflow_filter: OfWorkflows[WorkflowFilter] = None,
        started_after: StartedAfter = None,
        started_before: StartedBefore = None,
    ) -> ResultConnection[TaskProcessingResult] | None:
        """GET workflows, their runs, and the runs' taskProcessingResults."""
        return await _answer(info)  # type: ignore[no-any-return]

    @root(
        "UserProcessingResult",
        _all("workflows"),
        shape=Shape.CONNECTION,
        across=OF_WORKFLOWS,
        description=(
            "Everything that happened to one user across all workflows, newest first (by "
            "scheduledDateTime). Costs 1 + ⌈W/20⌉ upstream requests for W workflows that pass "
            "`workflowFilter`; more where the service can't filter by the user."
        ),
    )
    async def user_processing_results(
        self,
        info: Info[Context, None],
        subject_id: SubjectId,
        first: First = DEFAULT_FIRST,
        after: After = None,
        filter: Which[UserProcessingResultFilter] = None,  # noqa: A002
        workflow_filter: OfWorkflows[WorkflowFilter] = None,
    ) -> ResultConnection[UserProcessingResult] | None:
        """GET workflows and their userProcessingResults."""
        return await _answer(info)  # type: ignore[no-any-return]

    @root("Task", _below_workflow("tasks"), description="A task of a workflow.")
    async def task(
        self,
        info: Info[Context, None],
        workflow_id: strawberry.ID,
        id: strawberry.ID,  # noqa: A002
    ) -> Task | None:
        """GET workflows/{workflowId}/tasks/{id}."""
        return await _answer(info)  # type: ignore[no-any-return]

    @root("TaskReport", _below_workflow("taskReports"), description="A task report of a workflow.")
    async def task_report(
        self,
        info: Info[Context, None],
        workflow_id: strawberry.ID,
        id: strawberry.ID,  # noqa: A002
    ) -> TaskReport | None:
        """GET workflows/{workflowId}/taskReports, filtered by id."""
        return await _answer(info)  # type: ignore[no-any-return]

    @root("WorkflowVersion", _version, description="A version of a workflow.")
    async def workflow_version(
        self, info: Info[Context, None], workflow_id: strawberry.ID, version_number: VersionNumber
    ) -> WorkflowVersion | None:
        """GET workflows/{workflowId}/versions/{versionNumber}."""
        return await _answer(info)  # type: ignore[no-any-return]

    @root(
        "Workflow",
        _by_id("deletedItems/workflows"),
        description="A workflow that was deleted less than 30 days ago.",
    )
    async def deleted_workflow(
        self,
        info: Info[Context, None],
        id: strawberry.ID,  # noqa: A002
    ) -> Workflow | None:
        """GET deletedItems/workflows/{id}."""
        return await _answer(info)  # type: ignore[no-any-return]

    @root(
        "Workflow",
        _all("deletedItems/workflows"),
        shape=Shape.CONNECTION,
        description="The workflows that were deleted less than 30 days ago.",
    )
    async def deleted_workflows(
        self,
        info: Info[Context, None],
        first: First = DEFAULT_FIRST,
        after: After = None,
        filter: Which[WorkflowFilter] = None,  # noqa: A002
        order_by: Sorted[WorkflowOrder] = None,
        search: Search = None,
    ) -> Connection[Workflow] | None:
        """GET deletedItems/workflows."""
        return await _answer(info)  # type: ignore[no-any-return]

    @root("TaskDefinition", _by_id("taskDefinitions"), description="A task definition.")
    async def task_definition(
        self,
        info: Info[Context, None],
        id: strawberry.ID,  # noqa: A002
    ) -> TaskDefinition | None:
        """GET taskDefinitions/{id}."""
        return await _answer(info)  # type: ignore[no-any-return]

    @root(
        "TaskDefinition",
        _all("taskDefinitions"),
        shape=Shape.CONNECTION,
        description="The tasks that workflows can be made of.",
    )
    async def task_definitions(
        self,
        info: Info[Context, None],
        first: First = DEFAULT_FIRST,
        after: After = None,
        filter: Which[TaskDefinitionFilter] = None,  # noqa: A002
        order_by: Sorted[TaskDefinitionOrder] = None,
    ) -> Connection[TaskDefinition] | None:
        """GET taskDefinitions."""
        return await _answer(info)  # type: ignore[no-any-return]

    @root("WorkflowTemplate", _by_id("workflowTemplates"), description="A workflow template.")
    async def workflow_template(
        self,
        info: Info[Context, None],
        id: strawberry.ID,  # noqa: A002
    ) -> WorkflowTemplate | None:
        """GET workflowTemplates/{id}."""
        return await _answer(info)  # type: ignore[no-any-return]

    @root(
        "WorkflowTemplate",
        _all("workflowTemplates"),
        shape=Shape.CONNECTION,
        selectable=False,
        description="The templates that workflows can be made from.",
    )
    async def workflow_templates(
        self, info: Info[Context, None], first: First = DEFAULT_FIRST, after: After = None
    ) -> Connection[WorkflowTemplate] | None:
        """GET workflowTemplates."""
        return await _answer(info)  # type: ignore[no-any-return]

    @root(
        "CustomTaskExtension",
        _by_id("customTaskExtensions"),
        description="A custom task extension.",
    )
    async def custom_task_extension(
        self,
        info: Info[Context, None],
        id: strawberry.ID,  # noqa: A002
    ) -> CustomTaskExtension | None:
        """GET customTaskExtensions/{id}."""
        return await _answer(info)  # type: ignore[no-any-return]

    @root(
        "CustomTaskExtension",
        _all("customTaskExtensions"),
        shape=Shape.CONNECTION,
        selectable=False,
        description="The custom task extensions of the tenant.",
    )
    async def custom_task_extensions(
        self, info: Info[Context, None], first: First = DEFAULT_FIRST, after: After = None
    ) -> Connection[CustomTaskExtension] | None:
        """GET customTaskExtensions."""
        return await _answer(info)  # type: ignore[no-any-return]

    @root(
        "LifecycleManagementSettings",
        lambda _: singleton("settings", "LifecycleManagementSettings"),
        description="The tenant's settings for lifecycle workflows.",
    )
    async def settings(self, info: Info[Context, None]) -> LifecycleManagementSettings | None:
        """GET settings."""
        return await _answer(info)  # type: ignore[no-any-return]

    @root(
        "Insights",
        lambda _: singleton("insights", "Insights"),
        stub=True,
        description="Counts over all workflows; each costs one upstream request.",
    )
    async def insights(self, info: Info[Context, None]) -> Insights | None:
        """The functions below insights."""
        return await _answer(info)  # type: ignore[no-any-return]

    @root(
        "",
        lambda given: parse_node_id(given["nodeId"]),
        description="Any object by its global id.",
    )
    async def node(self, info: Info[Context, None], node_id: strawberry.ID) -> Node | None:
        """GET the address behind the node id."""
        return await _answer(info)  # type: ignore[no-any-return]
