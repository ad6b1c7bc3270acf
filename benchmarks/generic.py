"""The usual way: a Strawberry schema of its own, with objects and the generic executor.

The types have the fields of `shapes.QUERY` only, and everything is in hand: nothing is planned,
fetched or checked.
"""

from enum import Enum
from typing import Any

import orjson
import strawberry

from benchmarks.by_hand import Floor, Row
from benchmarks.shapes import QUERY


@strawberry.enum
class Status(Enum):
    """lifecycleWorkflowProcessingStatus."""

    QUEUED = "queued"
    IN_PROGRESS = "inProgress"
    COMPLETED = "completed"
    COMPLETED_WITH_ERRORS = "completedWithErrors"
    CANCELED = "canceled"
    FAILED = "failed"


@strawberry.type
class Task:
    """task."""

    display_name: str


@strawberry.type
class Subject:
    """user."""

    id: strawberry.ID


@strawberry.type
class TaskProcessingResult:
    """taskProcessingResult."""

    id: strawberry.ID
    processing_status: Status
    failure_reason: str | None
    task: Task


@strawberry.type
class UserProcessingResult:
    """userProcessingResult."""

    id: strawberry.ID
    subject: Subject
    task_processing_results: list[TaskProcessingResult]


@strawberry.type
class UserProcessingResultConnection:
    """The user results of a run."""

    nodes: list[UserProcessingResult]


@strawberry.type
class Run:
    """run."""

    id: strawberry.ID
    user_processing_results: UserProcessingResultConnection


@strawberry.type
class RunConnection:
    """The runs of a workflow."""

    nodes: list[Run]


@strawberry.type
class Workflow:
    """workflow."""

    id: strawberry.ID
    display_name: str
    runs: RunConnection


@strawberry.type
class WorkflowConnection:
    """All workflows."""

    nodes: list[Workflow]


@strawberry.type
class Query:
    """The root."""

    @strawberry.field
    def workflows(self, info: strawberry.Info[Any, Any]) -> WorkflowConnection:
        """All workflows."""
        return WorkflowConnection(nodes=[_workflow(row) for row in info.context])


def _task_result(row: Row) -> TaskProcessingResult:
    return TaskProcessingResult(
        id=row["id"],
        processing_status=Status[row["processingStatus"]],
        failure_reason=row["failureReason"],
        task=Task(display_name=row["task"]["displayName"]),
    )


def _user_result(row: Row) -> UserProcessingResult:
    return UserProcessingResult(
        id=row["id"],
        subject=Subject(id=row["subject"]["id"]),
        task_processing_results=[_task_result(result) for result in row["taskProcessingResults"]],
    )


def _run(row: Row) -> Run:
    users = [_user_result(user) for user in row["userProcessingResults"]["nodes"]]
    return Run(id=row["id"], user_processing_results=UserProcessingResultConnection(nodes=users))


def _workflow(row: Row) -> Workflow:
    runs = RunConnection(nodes=[_run(run) for run in row["runs"]["nodes"]])
    return Workflow(id=row["id"], display_name=row["displayName"], runs=runs)


class Generic:
    """Plain Strawberry from the recorded bytes of the upstream to those of the answer."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._schema = strawberry.Schema(Query)

    async def whole(self) -> bytes:
        """Parse, make objects, execute, write."""
        rows = self._floor.assemble(self._floor.load())["workflows"]["nodes"]
        result = await self._schema.execute(QUERY, context_value=rows)
        assert result.errors is None, result.errors
        return orjson.dumps({"data": result.data})
