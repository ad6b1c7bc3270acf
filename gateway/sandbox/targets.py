"""What the path of a request names."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from gateway.sandbox.errors import not_found
from gateway.sandbox.model import Row
from gateway.sandbox.rows import Rows
from gateway.sandbox.tenant import Run, Tenant, Workflow

T = TypeVar("T")


def found(value: T | None, kind: str, key: str) -> T:
    """Return `value`, or raise the 404 that says no such `kind` has the id `key`."""
    if value is None:
        raise not_found(kind, key)
    return value


@dataclass(frozen=True)
class Target:
    """What a path names: the tenant, the keys in the path, and the request body.

    `deleted` says that the path goes through the deleted workflows.
    """

    tenant: Tenant
    keys: Mapping[str, str]
    deleted: bool = False
    body: Any = None

    def workflow(self) -> Workflow:
        """Return the workflow in the path, or raise 404."""
        key = self.keys["workflow"]
        return found(self.tenant.workflow(key, self.deleted), "workflow", key)

    def run(self) -> Run:
        """Return the run in the path, or raise 404."""
        return found(self.workflow().run(self.keys["run"]), "run", self.keys["run"])

    def user_results(self) -> Rows:
        """Return the user processing results of the run, or else the workflow, in the path."""
        return (self.run() if "run" in self.keys else self.workflow()).user_results()

    def user_result(self) -> Row:
        """Return the user processing result in the path, or raise 404."""
        key = self.keys["userResult"]
        return found(self.user_results().find(key), "userProcessingResult", key)

    def task(self) -> Row:
        """Return the task of the workflow in the path, or raise 404."""
        return found(self.workflow().tasks().find(self.keys["task"]), "task", self.keys["task"])

    def task_results(self) -> Rows:
        """Return the task processing results below the last entity in the path."""
        if "userResult" in self.keys:
            key = self.user_result()["id"]
            return found(self.workflow().task_results_of_user(key), "userProcessingResult", key)
        if "task" in self.keys:
            return self.workflow().task_results_of_task(self.task()["id"])
        return self.run().task_results()

    def task_result(self) -> Row:
        """Return the task processing result in the path, or raise 404."""
        key = self.keys["taskResult"]
        return found(self.task_results().find(key), "taskProcessingResult", key)

    def user(self, key: str) -> Row:
        """Return a user of the directory, or raise 404."""
        return found(self.tenant.directory.find(key), "user", key)
