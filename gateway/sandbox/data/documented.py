"""The example records of the documents, at their documented ids.

documented.json holds the records of the example exchanges in the public documentation.
A workflow or a run that the examples name only in a path has no other member than its id.
Under `runs`, `userProcessingResults` are ids into those of the workflow.
"""

import json
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any

from gateway.sandbox.data.model import Row
from gateway.sandbox.data.periods import Period, parse_period
from gateway.sandbox.data.rows import ListRows, Rows


class DocumentedRun:
    """A run of the examples with the results that they show below it."""

    def __init__(self, workflow: "DocumentedWorkflow", data: Mapping[str, Any]) -> None:
        self.workflow = workflow
        self.data = data
        self.listed: bool = data.get("listed", True)

    def record(self) -> Row:
        """Return the run as documented."""
        row: Row = self.data["record"]
        return row

    def user_results(self) -> Rows:
        """Return the documented user processing results of the run."""
        keys = self.data.get("userProcessingResults", ())
        return ListRows([self.workflow.own_user_results[key] for key in keys])

    def task_results(self) -> Rows:
        """Return the documented task processing results of the run."""
        below = (self.workflow.results_by_user.get(row["id"], ()) for row in self.user_results())
        own = self.data.get("taskProcessingResults", ())
        return ListRows([*own, *(row for rows in below for row in rows)])

    def reprocessed_runs(self, subject: str | None = None) -> Rows:
        """Return the documented runs that processed this one again; they name no subject."""
        runs = map(self.workflow.run, self.data.get("reprocessedRuns", ()))
        return ListRows([run.record() for run in runs if run is not None and subject is None])


class DocumentedWorkflow:
    """A workflow of the examples with what they show below it."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = data
        self.listed: bool = data.get("listed", True)
        self.own_user_results = _by_id(data.get("userProcessingResults", ()))
        self.results_by_user: Mapping[str, list[Row]] = data.get("taskProcessingResults", {})
        self.own_runs = [DocumentedRun(self, item) for item in data.get("runs", ())]

    def record(self) -> Row:
        """Return the workflow as documented."""
        row: Row = self.data["record"]
        return row

    def tasks(self) -> Rows:
        """Return the documented list of tasks; others are found by their id."""
        listed: list[Row] = self.data.get("tasks") or self.record().get("tasks", [])
        known = [*listed, *self.record().get("tasks", ()), *self.data.get("otherTasks", ())]
        known += [row["task"] for run in self.own_runs for row in run.task_results()]
        return _DocumentedRows(listed, known)

    def runs(self) -> Rows:
        """Return the documented runs."""
        return ListRows([run.record() for run in self.own_runs if run.listed])

    def run(self, key: str) -> DocumentedRun | None:
        """Return the documented run with this id."""
        return next((run for run in self.own_runs if run.record()["id"] == key), None)

    def user_results(self) -> Rows:
        """Return the documented user processing results."""
        listed = list(self.own_user_results.values())
        return _DocumentedRows(listed, [*listed, *self.data.get("executionScope", ())])

    def task_results_of_user(self, key: str) -> Rows | None:
        """Return the documented task processing results of a user processing result."""
        if key not in self.own_user_results:
            return None
        return ListRows(self.results_by_user.get(key, ()))

    def task_results_of_task(self, key: str) -> Rows:
        """Return the documented task processing results of a task."""
        rows = (row for run in self.own_runs if run.listed for row in run.task_results())
        return ListRows([row for row in rows if row["task"]["id"] == key])

    def versions(self) -> Rows:
        """Return the documented versions."""
        return ListRows(self.data.get("versions", ()), "versionNumber")

    def task_reports(self) -> Rows:
        """Return the documented task reports."""
        listed = [row for row in self.data.get("taskReports", ()) if row.keys() != {"id"}]
        return _DocumentedRows(listed, self.data.get("taskReports", ()))

    def task_results_of_report(self, key: str) -> Rows:
        """Return the documented task processing results of a task report."""
        return ListRows(self.data.get("taskReportResults", {}).get(key, ()))

    def execution_scope(self) -> Rows:
        """Return the user processing results that the examples name as in scope."""
        return ListRows(self.data.get("executionScope", ()))

    def reprocessed_runs_of_user(self, key: str) -> Rows:
        """Return the documented runs that processed a user again."""
        keys = self.data.get("reprocessedRunsOfUsers", {}).get(key, ())
        return ListRows([run.record() for run in map(self.run, keys) if run is not None])

    def preview_scope(self) -> Rows:
        """Return nothing: the examples show no such users."""
        return ListRows()

    def administration_scope_targets(self) -> Rows:
        """Return nothing: the examples show no such objects."""
        return ListRows()

    def stated(self, function: str, period: Period) -> Any:
        """Return what the examples say that a function answers for exactly this period."""
        return _stated(self.data, function, period)


class _DocumentedRows(ListRows):
    def __init__(self, listed: list[Row], known: list[Row]) -> None:
        super().__init__(listed)
        self.known = known

    def find(self, key: str) -> Row | None:
        return next((row for row in self.known if row["id"] == key), None)


class Documented:
    """The content of documented.json."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.workflows = _workflows(data["workflows"])
        self.deleted = _workflows(data["deletedWorkflows"])
        self.task_definitions: list[Row] = data["taskDefinitions"]
        self.users: list[Row] = data["users"]
        self.data = data

    def stated(self, function: str, period: Period) -> Any:
        """Return what the examples say that an insight is for exactly this period."""
        return _stated(self.data, function, period)


def _stated(data: Mapping[str, Any], function: str, period: Period) -> Any:
    stated = data.get("functions", {}).get(function, {})
    return next((item for text, item in stated.items() if parse_period(text) == period), None)


def _by_id(rows: Iterable[Row]) -> dict[str, Row]:
    return {row["id"]: row for row in rows}


def _workflows(items: Iterable[Mapping[str, Any]]) -> dict[str, DocumentedWorkflow]:
    return {item["record"]["id"]: DocumentedWorkflow(item) for item in items}


DOCUMENTED = Documented(
    json.loads(files("gateway.sandbox.data").joinpath("documented.json").read_text("utf-8"))
)
