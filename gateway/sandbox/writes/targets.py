"""The target of a request: the entities and collections that its path names."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from gateway.sandbox.data.model import Row
from gateway.sandbox.data.periods import Period
from gateway.sandbox.data.rows import ListRows, Rows
from gateway.sandbox.errors import not_found
from gateway.sandbox.writes.editable import EditableWorkflow, EditedRun
from gateway.sandbox.writes.tenant import Tenant

T = TypeVar("T")


def found(value: T | None, kind: str, key: str) -> T:
    """Return `value`, or raise the 404 that says no such `kind` has the id `key`."""
    if value is None:
        raise not_found(kind, key)
    return value


@dataclass(frozen=True)
class Target:
    """The tenant, the keys and the period in the path of a request, and its body.

    `deleted` says that the path goes through the deleted workflows.
    """

    tenant: Tenant
    keys: Mapping[str, str]
    deleted: bool = False
    body: Any = None
    asked: Period | None = None

    @property
    def period(self) -> Period:
        """The period that the function in the path is asked about."""
        assert self.asked is not None  # noqa: S101 - the router has parsed it
        return self.asked

    def workflow(self) -> EditableWorkflow:
        """Return the workflow in the path, or raise 404."""
        key = self.keys["workflow"]
        return found(self.tenant.workflow(key, self.deleted), "workflow", key)

    def run(self) -> EditedRun:
        """Return the run in the path, or raise 404."""
        return found(self.workflow().run(self.keys["run"]), "run", self.keys["run"])

    def user_results(self) -> Rows:
        """Return the user processing results of the run, or else the workflow, in the path."""
        return (self.run() if "run" in self.keys else self.workflow()).user_results()

    def user_result(self) -> Row:
        """Return the user processing result in the path, or raise 404."""
        key = self.keys["userResult"]
        return found(self.user_results().find(key), "userProcessingResult", key)

    def subject_results(self) -> Rows:
        """Return the subject processing results of the run, or else the workflow, in the path."""
        return (self.run() if "run" in self.keys else self.workflow()).subject_results()

    def subject_result(self) -> Row:
        """Return the subject processing result in the path, or raise 404."""
        key = self.keys["subjectResult"]
        return found(self.subject_results().find(key), "subjectProcessingResult", key)

    def version(self) -> Row:
        """Return the version in the path, or raise 404."""
        key = self.keys["version"]
        return found(self.workflow().versions().find(key), "workflowVersion", key)

    def tasks(self) -> Rows:
        """Return the tasks of the version, or else the workflow, in the path."""
        if "version" in self.keys:
            return ListRows(self.version().get("tasks", ()))
        return self.workflow().tasks()

    def task(self) -> Row:
        """Return the task of the version, or else the workflow, in the path, or raise 404."""
        return found(self.tasks().find(self.keys["task"]), "task", self.keys["task"])

    def task_report(self) -> Row:
        """Return the task report in the path, or raise 404."""
        key = self.keys["taskReport"]
        return found(self.workflow().task_reports().find(key), "taskReport", key)

    def scope_result(self) -> Row:
        """Return the user processing result in the execution scope in the path, or raise 404."""
        key = self.keys["scopeResult"]
        return found(self.workflow().execution_scope().find(key), "userProcessingResult", key)

    def reprocessed_run(self) -> EditedRun:
        """Return the reprocessed run of the execution scope in the path, or raise 404."""
        key = self.keys["reprocessedRun"]
        rows = self.workflow().reprocessed_runs_of_user(self.scope_result()["id"])
        found(rows.find(key), "run", key)
        return found(self.workflow().run(key), "run", key)

    def task_results(self) -> Rows:
        """Return the task processing results below the last entity in the path."""
        if "userResult" in self.keys:
            key = self.user_result()["id"]
            return found(self.workflow().task_results_of_user(key), "userProcessingResult", key)
        if "subjectResult" in self.keys:
            key = self.subject_result()["id"]
            return found(self.workflow().task_results_of_user(key), "subjectProcessingResult", key)
        if "taskReport" in self.keys:
            return self.workflow().task_results_of_report(self.task_report()["id"])
        if "task" in self.keys:
            return self.workflow().task_results_of_task(self.task()["id"])
        return self.run().task_results()

    def task_result(self) -> Row:
        """Return the task processing result in the path, or raise 404."""
        key = self.keys["taskResult"]
        return found(self.task_results().find(key), "taskProcessingResult", key)

    def user(self, key: str) -> Row:
        """Return a user of the directory, or raise 404."""
        return found(self.tenant.world.directory.find(key), "user", key)
