"""A workflow as it was written: changes, new versions and new runs over what was there before."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gateway.sandbox.data.activations import ActivatedRun
from gateway.sandbox.data.documented import DocumentedWorkflow
from gateway.sandbox.data.edits import ChainedRows, Edits, Place
from gateway.sandbox.data.generated import GeneratedWorkflow
from gateway.sandbox.data.interfaces import Run, Workflow
from gateway.sandbox.data.model import Outcome, Row
from gateway.sandbox.data.periods import Period
from gateway.sandbox.data.results import GeneratedRun
from gateway.sandbox.data.rows import ListRows, Rows
from gateway.sandbox.data.subjects import SubjectResults
from gateway.sandbox.data.world import World

_VERSION_MEMBERS = (
    "category",
    "description",
    "displayName",
    "isEnabled",
    "isSchedulingEnabled",
    "lastModifiedDateTime",
    "createdDateTime",
    "executionConditions",
    "lastModifiedBy",
    "createdBy",
    "settings",
    "targetSubjectType",
)
_NO_QUARANTINE: Row = {
    "quarantinedDateTime": None,
    "quarantineReason": None,
    "quarantineType": "notQuarantined",
}


class _KnownRows(ListRows):
    """Rows of which more can be found by their id than are listed."""

    def __init__(self, listed: list[Row], others: Callable[[str], Row | None]) -> None:
        super().__init__(listed)
        self.others = others

    def find(self, key: str) -> Row | None:
        return super().find(key) or self.others(key)


class EditedRun:
    """A run of a workflow with what was written below it."""

    def __init__(self, workflow: "EditableWorkflow", key: str, run: Run) -> None:
        self.workflow = workflow
        self.key = key
        self.run = run

    def _mine(self, place: Place) -> bool:
        return place["run"] == self.key

    def record(self) -> Row:
        """Return the run itself."""
        return self.workflow.run_edits.apply(self.run.record())

    def user_results(self) -> Rows:
        """Return its user processing results."""
        return self.workflow.user_edits.over(self.run.user_results(), self._mine)

    def subject_results(self) -> Rows:
        """Return its subject processing results."""
        if isinstance(self.run, ActivatedRun) and self.run.about.objects:
            return SubjectResults(self.run.subject_results())
        return SubjectResults(self.user_results())

    def task_results(self) -> Rows:
        """Return the task processing results of all its users."""
        return self.workflow.with_result_edits(self.run.task_results(), self._mine)

    def reprocessed_runs(self, subject: str | None = None) -> Rows:
        """Return the runs that processed it, or one of its subjects, again."""
        again = [run for run in self.workflow.activated if self.key in run.about.runs]
        rows = [run.record() for run in again if subject is None]
        base = self.run.reprocessed_runs(subject)
        found = ChainedRows(base, ListRows(rows)) if rows else base
        return self.workflow.without_removed(self.key, found)

    def cancel(self) -> None:
        """Cancel what of the run is not processed yet."""
        if isinstance(self.run, ActivatedRun | GeneratedRun):
            self.run.cancel()
        else:
            self._cancel_rows()

    def _cancel_rows(self) -> None:
        edits = self.workflow
        edits.run_edits.change(self.key, {"processingStatus": "canceled"})
        for rows, target in (
            (self.user_results(), edits.user_edits),
            (self.task_results(), edits.result_edits),
        ):
            for row in rows:
                if row.get("processingStatus") in {"queued", "inProgress"}:
                    target.change(row["id"], {"processingStatus": "canceled"})


class EditableWorkflow:
    """A generated, documented or created workflow, and what was written to it."""

    def __init__(self, world: World, key: str, base: Workflow) -> None:
        self.world = world
        self.id = key
        self.base = base
        self.changes: Row = {}
        self.task_rows: list[Row] | None = None
        self.former_tasks: list[Row] = []
        self.task_edits = Edits()
        self.version_rows: list[Row] = []
        self.activated: list[ActivatedRun] = []
        self.run_edits = Edits()
        self.user_edits = Edits()
        self.result_edits = Edits()
        self.removed: dict[str, Edits] = {}

    # The workflow itself.

    def record(self) -> Row:
        """Return the workflow with everything that a single workflow shows."""
        row = {**self.base.record(), **self.changes}
        if self.task_rows is not None:
            row["tasks"] = self.listed_tasks()
        elif self.task_edits.changed and "tasks" in row:
            row["tasks"] = [self.task_edits.apply(task) for task in row["tasks"]]
        return row

    def change(self, members: Row) -> None:
        """Replace members of the workflow, as of now."""
        now, author = self.world.stamp(), self.world.author()
        self.changes = {
            **self.changes,
            "lastModifiedDateTime": now,
            "lastModifiedBy": author,
            **members,
        }
        row = self.record()
        self.changes["nextScheduleRunDateTime"] = self.world.next_schedule(row)

    def quarantine(self) -> None:
        """Put the workflow into quarantine."""
        self.changes["quarantineDetails"] = {
            "quarantinedDateTime": self.world.stamp(),
            "quarantineReason": "The number of users to process exceeded the threshold.",
            "quarantineType": "countBasedThresholdExceeded",
        }

    def clear_quarantine(self) -> None:
        """End the quarantine, if the workflow is in one."""
        if "quarantineDetails" in self.changes:
            self.changes["quarantineDetails"] = dict(_NO_QUARANTINE)

    # Versions.

    def _current(self) -> int:
        # A documented workflow may have newer versions than it says.
        newest = self.base.versions().first(1)
        numbers = (self.record().get("version"), *(row["versionNumber"] for row in newest))
        return max(number or 1 for number in numbers)

    def _version_row(self, number: int) -> Row:
        """Return the newest version, which is the workflow as it is now."""
        row = self.record()
        known = self.base.versions().find(str(number)) or {}
        if self.version_rows and self.version_rows[0]["versionNumber"] == number:
            known = self.version_rows[0]
        now = {name: row[name] for name in _VERSION_MEMBERS if name in row}
        now.update({name: known[name] for name in ("createdDateTime",) if name in known})
        return {**known, **now, "versionNumber": number, "tasks": row.get("tasks", [])}

    def new_version(self, members: Row, tasks: list[Row]) -> None:
        """Make `members` and `tasks` the next version of the workflow."""
        number = self._current()
        before = self._version_row(number)
        kept = [row for row in self.version_rows if row["versionNumber"] != number]
        self.former_tasks += self.listed_tasks()
        self.task_rows = tasks
        self.change({**members, "version": number + 1})
        stamp = self.changes["lastModifiedDateTime"]
        newest: Row = {"versionNumber": number + 1, "createdDateTime": stamp}
        self.version_rows = [newest, before, *kept]

    def versions(self) -> Rows:
        """Return its versions, newest first; their key is the version number."""
        base = self.base.versions()
        if not (self.changes or self.task_rows is not None or self.task_edits.changed):
            return base
        number = self._current()
        written = {row["versionNumber"]: row for row in self.version_rows}
        newest = self._version_row(number) if written or base.find(str(number)) else None
        older = [row for row in self.version_rows if row["versionNumber"] != number]
        rest = [row for row in base if row["versionNumber"] not in {*written, number}]
        rows = [*([newest] if newest else ()), *older, *rest]
        return ListRows([self._with_tasks(row) for row in rows], "versionNumber")

    def _with_tasks(self, row: Row) -> Row:
        if not self.task_edits.changed or "tasks" not in row:
            return row
        return {**row, "tasks": [self.task_edits.apply(task) for task in row["tasks"]]}

    # Tasks.

    def listed_tasks(self) -> list[Row]:
        """Return its present tasks."""
        rows = list(self.base.tasks()) if self.task_rows is None else self.task_rows
        present = (row for row in rows if row["id"] not in self.task_edits.deleted)
        return [self.task_edits.apply(row) for row in present]

    def tasks(self) -> Rows:
        """Return its tasks; those of older versions are found by their id."""
        if self.task_rows is None and not self.task_edits.changed:
            return self.base.tasks()
        return _KnownRows(self.listed_tasks(), self._other_task)

    def _other_task(self, key: str) -> Row | None:
        if key in self.task_edits.deleted:
            return None
        former = next((row for row in self.former_tasks if row["id"] == key), None)
        row = former or self.base.tasks().find(key)
        return row and self.task_edits.apply(row)

    def change_task(self, key: str, members: Row) -> None:
        """Replace members of a task."""
        self.task_edits.change(key, members)
        self.change({})

    def add_task(self, task: Row) -> None:
        """Add a task after the others."""
        self.task_rows = [*self.listed_tasks(), task]
        self.change({})

    def delete_task(self, key: str) -> None:
        """Remove a task."""
        self.task_rows = [row for row in self.listed_tasks() if row["id"] != key]
        self.task_edits.delete(key)
        self.change({})

    # Runs.

    def runs(self) -> Rows:
        """Return its runs, newest first."""
        base = self.run_edits.over(self.base.runs())
        new = ListRows([run.record() for run in self.activated])
        return ChainedRows(new, base) if self.activated else base

    def run(self, key: str) -> EditedRun | None:
        """Return the run with this id."""
        run = self._activated(key) or self.base.run(key)
        return None if run is None else EditedRun(self, key, run)

    def _activated(self, key: str) -> ActivatedRun | None:
        return next((run for run in self.activated if run.id == key), None)

    def waiting_tasks(self, tasks: Iterable[Row]) -> Mapping[str, float]:
        """Return which of `tasks` wait for an answer, and for how many seconds at most."""
        timeouts = ((task["id"], self.world.timeout_of(task)) for task in tasks)
        return {key: timeout for key, timeout in timeouts if timeout is not None}

    def find_run_of(self, user_result: str) -> str | None:
        """Return the id of the run that a user processing result belongs to."""
        for row in self.runs():
            run = self.run(row["id"])
            if run is not None and run.user_results().find(user_result) is not None:
                return str(row["id"])
        return None

    # Results.

    def user_results(self) -> Rows:
        """Return the user processing results of all runs."""
        new = [run.user_results() for run in self.activated]
        base = self.base.user_results()
        rows = ChainedRows(*new, base) if new else base
        return self.user_edits.over(rows, lambda _: True)

    def subject_results(self) -> Rows:
        """Return the subject processing results of all runs."""
        others = [run.subject_results() for run in self.activated if run.about.objects]
        users = self.user_results()
        return SubjectResults(ChainedRows(*others, users) if others else users)

    def with_result_edits(self, rows: Rows, belongs: Callable[[Place], bool]) -> Rows:
        """Return task processing results as they were edited, and with their tasks as they are."""
        renamed = self.task_edits.changed

        def finish(row: Row) -> Row:
            task = row.get("task")
            return {**row, "task": self.task_edits.apply(task)} if task else row

        return self.result_edits.over(rows, belongs, finish if renamed else None)

    def task_results_of_user(self, key: str) -> Rows | None:
        """Return the task processing results of the user processing result with this id."""
        rows: Rows | None
        run = next((run for run in self.activated if key in run.users), None)
        if key in self.user_edits.deleted:
            return None
        if run is not None:
            rows = run.task_results_of_user(key)
        elif any(row["id"] == key for row, _ in self.user_edits.added):
            rows = ListRows()
        else:
            rows = self.base.task_results_of_user(key)
        if rows is None:
            return None
        return self.with_result_edits(rows, lambda place: place["user"] == key)

    def task_results_of_task(self, key: str) -> Rows:
        """Return the task processing results of one task in all runs."""
        parts = [run.task_results_of_task(key) for run in self.activated]
        if self.base.tasks().find(key) is not None:
            parts.append(self.base.task_results_of_task(key))
        rows = parts[0] if len(parts) == 1 else ChainedRows(*parts)
        return self.with_result_edits(rows, lambda place: place["task"] == key)

    def task_reports(self) -> Rows:
        """Return the reports on each task in each run."""
        base = self.base.task_reports()
        return ChainedRows(*(run.reports() for run in self.activated), base)

    def task_results_of_report(self, key: str) -> Rows:
        """Return the task processing results that the report with this id is about."""
        rows = self.base.task_results_of_report(key)
        for run in self.activated:
            number = run.report_position(key)
            if number is not None:
                rows = run.task_results_of_task(run.tasks[number]["id"])
        about = self.task_reports().find(key) or {}
        wanted = (about.get("runId"), (about.get("task") or {}).get("id"))
        return self.with_result_edits(
            rows, lambda place: None not in wanted and (place["run"], place["task"]) == wanted
        )

    def resume(self, key: str, status: str) -> bool:
        """Take an answer for a task result; return whether a run of a request waited for it."""
        return any(run.resume(key, status) for run in self.activated)

    # What else is below a workflow.

    def execution_scope(self) -> Rows:
        """Return the user processing results of the users in scope."""
        if self.changes and not self.record().get("isSchedulingEnabled", True):
            return ListRows()
        return self.user_edits.over(self.base.execution_scope())

    def preview_scope(self) -> Rows:
        """Return the users in scope now."""
        written = isinstance(self.base, DocumentedWorkflow) and "created" in self.base.data
        if not written and "executionConditions" not in self.changes:
            return self.base.preview_scope()
        scope = (self.record()["executionConditions"] or {}).get("scope") or {}
        return self.world.directory.matching(scope.get("rule", ""))

    def administration_scope_targets(self) -> Rows:
        """Return the administrative units whose administrators may manage it."""
        return self.base.administration_scope_targets()

    def reprocessed_runs_of_user(self, key: str) -> Rows:
        """Return the runs that processed the user of a user processing result again."""
        again = [run.record() for run in self.activated if key in run.about.results]
        base = self.base.reprocessed_runs_of_user(key)
        return self.without_removed(key, ChainedRows(base, ListRows(again)) if again else base)

    def remove_reprocessed_run(self, above: str, key: str) -> None:
        """Take a run from those that processed a user result, or a run, again."""
        self.removed.setdefault(above, Edits()).delete(key)

    def without_removed(self, above: str, rows: Rows) -> Rows:
        """Return the runs that processed a user result, or a run, again, less those removed."""
        return self.removed[above].over(rows) if above in self.removed else rows

    def outcomes_of(self, definition: str, period: Period) -> list[Outcome]:
        """Return the statuses of the tasks of one definition, per user and run of a period."""
        held = (run for run in self.activated if period.holds(run.record()["startedDateTime"]))
        outcomes = [outcome for run in held for outcome in run.outcomes_of(definition)]
        if isinstance(self.base, GeneratedWorkflow):
            outcomes += self.base.outcomes_of(definition, period)
        return outcomes

    def stated(self, function: str, period: Period) -> Any:
        """Return what the documents say that a function answers for exactly this period."""
        return self.base.stated(function, period)
