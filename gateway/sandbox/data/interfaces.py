"""Interfaces of workflows and runs, the same for generated, documented and written ones."""

from collections.abc import Iterator
from typing import Any, Protocol

from gateway.sandbox.data.model import Row
from gateway.sandbox.data.periods import Period
from gateway.sandbox.data.rows import Rows


class Run(Protocol):
    """A run and the results below it."""

    def record(self) -> Row:
        """Return the run itself."""

    def user_results(self) -> Rows:
        """Return its user processing results."""

    def task_results(self) -> Rows:
        """Return the task processing results of all its users."""

    def reprocessed_runs(self, subject: str | None = None) -> Rows:
        """Return the runs that processed it, or one of its subjects, again."""


class Workflow(Protocol):
    """A workflow and everything below it."""

    def record(self) -> Row:
        """Return the workflow with everything that a single workflow shows."""

    def tasks(self) -> Rows:
        """Return its tasks."""

    def runs(self) -> Rows:
        """Return its runs."""

    def run(self, key: str) -> Run | None:
        """Return the run with this id."""

    def user_results(self) -> Rows:
        """Return the user processing results of all runs."""

    def task_results_of_user(self, key: str) -> Rows | None:
        """Return the task processing results of the user processing result with this id."""

    def task_results_of_task(self, key: str) -> Rows:
        """Return the task processing results of one task in all runs."""

    def versions(self) -> Rows:
        """Return its versions, newest first; their key is the version number."""

    def task_reports(self) -> Rows:
        """Return the reports on each task in each run."""

    def task_results_of_report(self, key: str) -> Rows:
        """Return the task processing results that the report with this id is about."""

    def execution_scope(self) -> Rows:
        """Return the user processing results of the users in scope."""

    def preview_scope(self) -> Rows:
        """Return the users in scope now."""

    def administration_scope_targets(self) -> Rows:
        """Return the administrative units whose administrators may manage it."""

    def reprocessed_runs_of_user(self, key: str) -> Rows:
        """Return the runs that processed the user of a user processing result again."""

    def stated(self, function: str, period: Period) -> Any:
        """Return what the documents say that a function answers for exactly this period."""


class Workflows(Protocol):
    """The workflows of a tenant."""

    @property
    def task_definitions(self) -> Rows:
        """The task definitions."""

    def listed(self) -> Iterator[Any]:
        """Yield the workflows that the list of workflows shows."""

    def stated(self, function: str, period: Period) -> Any:
        """Return what the documents say that an insight is for exactly this period."""
