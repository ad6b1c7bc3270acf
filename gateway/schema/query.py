"""Query: what can be read, and where it is upstream."""

from collections.abc import Mapping
from typing import Any

import strawberry
from strawberry.types import Info

from gateway.odata.address import LIFECYCLE_WORKFLOWS, Address, entity_address, parse_node_id
from gateway.odata.model import DEFAULT_FIRST, Shape
from gateway.schema.context import Context
from gateway.schema.entity import After, Connection, First, Node, root
from gateway.schema.run import Run
from gateway.schema.task_processing_result import TaskProcessingResult
from gateway.schema.user_processing_result import UserProcessingResult
from gateway.schema.workflow import Workflow

Arguments = Mapping[str, Any]


def _workflow(given: Arguments) -> Address:
    return entity_address(("workflows", "id", given["id"]))


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
        lambda _: f"{LIFECYCLE_WORKFLOWS}/workflows",
        shape=Shape.CONNECTION,
        description="All workflows that are not deleted.",
    )
    async def workflows(
        self, info: Info[Context, None], first: First = DEFAULT_FIRST, after: After = None
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
        "",
        lambda given: parse_node_id(given["nodeId"]),
        description="Any object by its global id.",
    )
    async def node(self, info: Info[Context, None], node_id: strawberry.ID) -> Node | None:
        """GET the address behind the node id."""
        return await _answer(info)  # type: ignore[no-any-return]
