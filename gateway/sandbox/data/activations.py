"""Runs that were started by a request: they move with the sandbox's clock and then end.

Every user is processed on a time line of its own: users begin shortly after one another, within
20 seconds however many they are, and each task takes two seconds. So a run ends at the latest
20 + 2 x tasks seconds after it was started, unless a task waits.

Outcomes are drawn from the seed and the number of the run, as those of generated runs are. Beyond
that, in the second, fourth, sixth … run that is started in a sandbox the first task of the first
user fails in any case (the first one that does not wait), so that a failure is easy to see.

A task that waits for its custom task extension stays in progress until it is resumed, or fails
when the extension's timeout is over: graph-lifecycle-api.md section 6.
"""

import math
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from gateway.sandbox.data.identifiers import GuidSeries, mix
from gateway.sandbox.data.model import Outcome, Row
from gateway.sandbox.data.results import (
    FAILURE_RATE,
    UNPROCESSED,
    failure_reason,
    status_of_report,
    status_of_run,
    status_of_user,
)
from gateway.sandbox.data.rows import LazyRows, ListRows, Rows
from gateway.sandbox.data.timestamps import TICKS_PER_SECOND, format_ticks

STEP_SECONDS = 2.0
_STAGGERED_USERS = 10
_OPEN = frozenset({"queued", "inProgress"})
_TIMED_OUT = "The custom task extension did not answer in time."
_REPORTED = "The custom task extension answered that it failed."


@dataclass(frozen=True)
class Activation:
    """The input of a run that a request starts.

    `subjects` are the users with the tasks to process for each. `waiting` holds the tasks that
    wait for an answer, with the seconds until they fail (infinity: never). `results` are the ids
    of the user processing results that are processed again, `runs` those of their runs. `objects`
    are the subjects that are no users, by their keys among `subjects`. An `awaited` run has ended
    when it is there.
    """

    workflow_id: str
    version: int
    execution_type: str
    scheduled: int
    subjects: Sequence[tuple[str, Sequence[Row]]]
    seed: int
    number: int
    elapsed: Callable[[], float]
    waiting: Mapping[str, float] = field(default_factory=dict)
    scope: Row | None = None
    runs: frozenset[str] = frozenset()
    results: frozenset[str] = frozenset()
    objects: Mapping[str, Row] = field(default_factory=dict)
    awaited: bool = False

    @property
    def lasts(self) -> float:
        """The seconds that the longest of its subjects takes, if nothing waits."""
        return STEP_SECONDS * max((len(tasks) for _, tasks in self.subjects), default=0)


@dataclass(frozen=True)
class Step:
    """The state of one task for one user; times are seconds since the start of the run."""

    status: str
    start: float | None = None
    end: float | None = None
    reason: str | None = None
    interrupted: bool = False


_INTERRUPTED = Step("canceled", interrupted=True)


class ActivatedRun:
    """A run that a request started, with everything below it."""

    def __init__(self, activation: Activation) -> None:
        self.about = activation
        self.id = f"{activation.workflow_id}_{activation.scheduled}"
        self.subjects = activation.subjects
        self.begin = activation.elapsed() - (activation.lasts if activation.awaited else 0.0)
        self.seed = mix(activation.seed, activation.number)
        self.canceled_at: float | None = None
        self.answers: dict[tuple[int, int], tuple[float, str]] = {}
        self.prefix = f"{activation.workflow_id}_{activation.version}_{self.id}_"
        self.users = {self.prefix + key: user for user, (key, _) in enumerate(self.subjects)}
        self.items = [
            (u, n) for u, (_, tasks) in enumerate(self.subjects) for n in range(len(tasks))
        ]
        self.result_ids = GuidSeries(f"results/{activation.seed}/{self.id}")
        self.report_ids = GuidSeries(f"reports/{activation.seed}/{self.id}")

    @cached_property
    def first_items(self) -> list[int]:
        """The position of each user's first task result."""
        first, total = [], 0
        for _, tasks in self.subjects:
            first.append(total)
            total += len(tasks)
        return first

    @cached_property
    def tasks(self) -> list[Row]:
        """The tasks that are processed for any of the users."""
        return list({task["id"]: task for _, tasks in self.subjects for task in tasks}.values())

    @cached_property
    def fates(self) -> list[list[str]]:
        """The final status of each user's tasks, if nothing stops them and none waits."""
        chance = random.Random(self.seed).random  # noqa: S311 - made-up data
        fates = [
            ["failed" if chance() < FAILURE_RATE else "completed" for _ in tasks]
            for _, tasks in self.subjects
        ]
        if self.about.number % 2 == 0:
            for user, number in self.items:
                if self.task(user, number)["id"] not in self.about.waiting:
                    fates[user][number] = "failed"
                    break
        return fates

    def task(self, user: int, number: int) -> Row:
        """Return a user's task."""
        return self.subjects[user][1][number]

    def now(self) -> float:
        """Return the seconds since the start of the run."""
        return self.about.elapsed() - self.begin

    def steps(self, user: int) -> list[Step]:
        """Return how far each task of a user is."""
        stopped_at = self.canceled_at
        now = self.now() if stopped_at is None else min(self.now(), stopped_at)
        clock = STEP_SECONDS * user * min(1.0, _STAGGERED_USERS / len(self.subjects))
        steps: list[Step] = []
        stopped = False
        for number, task in enumerate(self.subjects[user][1]):
            if stopped:
                steps.append(Step("canceled"))
            elif clock > now:
                steps.append(Step("queued"))
            else:
                end, status, reason = self._end(user, number, clock)
                if end > now:
                    steps.append(Step("inProgress", clock))
                    clock = math.inf
                    continue
                steps.append(Step(status, clock, end, reason))
                clock = end
                stopped = status == "failed" and not task["continueOnError"]
        if stopped_at is None:
            return steps
        return [_INTERRUPTED if step.status in _OPEN else step for step in steps]

    def _end(self, user: int, number: int, start: float) -> tuple[float, str, str | None]:
        task = self.task(user, number)
        if task["id"] in self.about.waiting:
            answer = self.answers.get((user, number))
            if answer is None:
                return start + self.about.waiting[task["id"]], "failed", _TIMED_OUT
            return *answer, _REPORTED if answer[1] == "failed" else None
        status = self.fates[user][number]
        reason = failure_reason(task, mix(self.seed, user, number)) if status == "failed" else None
        return start + STEP_SECONDS, status, reason

    def outcome(self, user: int) -> Outcome:
        """Return the statuses of a user's task results."""
        return tuple(step.status for step in self.steps(user))

    def _user_status(self, steps: Sequence[Step]) -> str:
        if any(step.interrupted for step in steps):
            return "canceled"
        return status_of_user(tuple(step.status for step in steps))

    def cancel(self) -> None:
        """Cancel what is not processed yet."""
        self.canceled_at = self.now()

    def resume(self, key: str, status: str) -> bool:
        """Take the answer for the task result `key`; return whether it was waited for."""
        position = self.result_ids.position_of(key, len(self.items))
        if position is None:
            return False
        user, number = self.items[position]
        waits = self.task(user, number)["id"] in self.about.waiting
        if not waits or self.steps(user)[number].status != "inProgress":
            return False
        self.answers[user, number] = (self.now(), status)
        return True

    def record(self) -> Row:
        """Return the run itself, with counters that agree with its results."""
        everyone = [self.steps(user) for user in range(len(self.subjects))]
        statuses = [self._user_status(steps) for steps in everyone]
        flat = [step for steps in everyone for step in steps]
        running = bool(_OPEN & set(statuses))
        canceled = "canceled" in statuses
        moments = [
            moment for step in flat for moment in (step.start, step.end) if moment is not None
        ]
        if canceled and self.canceled_at is not None:
            moments.append(self.canceled_at)
        last = self._time(max(moments, default=0.0))
        status = "inProgress" if running else "canceled" if canceled else status_of_run(statuses)
        return {
            "id": self.id,
            "completedDateTime": None if running else last,
            "lastUpdatedDateTime": last,
            "scheduledDateTime": self._time(0.0),
            "startedDateTime": self._time(0.0),
            "workflowExecutionType": self.about.execution_type,
            "activatedOnScope": self.about.scope,
            "failedTasksCount": sum(step.status == "failed" for step in flat),
            "failedUsersCount": statuses.count("failed"),
            "processingStatus": status,
            "successfulUsersCount": statuses.count("completed"),
            "totalTasksCount": len(flat),
            "totalUsersCount": len(statuses),
            "totalUnprocessedTasksCount": sum(step.status in UNPROCESSED for step in flat),
        }

    def _time(self, seconds: float | None) -> str | None:
        if seconds is None:
            return None
        return format_ticks(self.about.scheduled + round(seconds * TICKS_PER_SECOND))

    def user_results(self) -> Rows:
        """Return one user processing result per user."""
        return ListRows() if self.about.objects else self.subject_results()

    def subject_results(self) -> Rows:
        """Return one row per subject, of whichever kind."""
        return LazyRows(len(self.subjects), self._user_result_at, self.users.get)

    def _user_result_at(self, user: int) -> Row:
        steps = self.steps(user)
        status = self._user_status(steps)
        subject = self.subjects[user][0]
        starts = [step.start for step in steps if step.start is not None]
        ends = [step.end for step in steps if step.end is not None]
        if status == "canceled" and self.canceled_at is not None:
            ends.append(self.canceled_at)
        finished = status not in _OPEN
        return {
            "id": self.prefix + subject,
            "completedDateTime": self._time(max(ends, default=0.0)) if finished else None,
            "failedTasksCount": sum(step.status == "failed" for step in steps),
            "processingStatus": status,
            "scheduledDateTime": self._time(0.0),
            "startedDateTime": self._time(min(starts, default=None)),
            "totalTasksCount": len(steps),
            "totalUnprocessedTasksCount": sum(step.status in UNPROCESSED for step in steps),
            "workflowExecutionType": self.about.execution_type,
            "workflowVersion": self.about.version,
            **self._subject(subject),
        }

    def _subject(self, key: str) -> Row:
        given = self.about.objects.get(key)
        return {"subject": None if given else {"id": key}, "workflowSubject": given}

    def _task_rows(self, places: Sequence[int]) -> Rows:
        known = {position: place for place, position in enumerate(places)}

        def position_of(key: str) -> int | None:
            position = self.result_ids.position_of(key, len(self.items))
            return None if position is None else known.get(position)

        return LazyRows(len(places), lambda n: self._task_result_at(places[n]), position_of)

    def task_results(self) -> Rows:
        """Return the task processing results of all users."""
        return self._task_rows(range(len(self.items)))

    def task_results_of_user(self, key: str) -> Rows:
        """Return the task processing results of the user processing result with this id."""
        user = self.users[key]
        first = self.first_items[user]
        return self._task_rows(range(first, first + len(self.subjects[user][1])))

    def task_results_of_task(self, key: str) -> Rows:
        """Return the task processing results of all users for one task."""
        return self._task_rows(
            [p for p, (user, n) in enumerate(self.items) if self.task(user, n)["id"] == key]
        )

    def _task_result_at(self, position: int) -> Row:
        user, number = self.items[position]
        steps = self.steps(user)
        step = steps[number]
        return {
            "completedDateTime": self._time(step.end),
            "createdDateTime": self._time(0.0),
            "id": self.result_ids.id_at(position),
            "processingStatus": step.status,
            "startedDateTime": self._time(step.start),
            "failureReason": step.reason,
            "processingInfo": None,
            "task": self.task(user, number),
            **self._subject(self.subjects[user][0]),
        }

    def reports(self) -> Rows:
        """Return the reports on each task."""
        return LazyRows(len(self.tasks), self._report_at, self.report_position)

    def report_position(self, key: str) -> int | None:
        """Return the place of the task whose report has this id."""
        return self.report_ids.position_of(key, len(self.tasks))

    def _report_at(self, number: int) -> Row:
        task = self.tasks[number]
        rows = list(self.task_results_of_task(task["id"]))
        statuses = Counter(row["processingStatus"] for row in rows)
        status = status_of_report(statuses)
        starts = [row["startedDateTime"] for row in rows if row["startedDateTime"]]
        ends = [row["completedDateTime"] for row in rows if row["completedDateTime"]]
        finished = status not in _OPEN
        updated = self.record()["lastUpdatedDateTime"]
        return {
            "id": self.report_ids.id_at(number),
            "completedDateTime": max(ends, default=updated) if finished else None,
            "failedUsersCount": statuses["failed"],
            "lastUpdatedDateTime": updated,
            "processingStatus": status,
            "runId": self.id,
            "startedDateTime": min(starts, default=None),
            "successfulUsersCount": statuses["completed"],
            "totalUsersCount": len(rows),
            "unprocessedUsersCount": sum(statuses[name] for name in UNPROCESSED),
            "task": {"id": task["id"]},
            "taskDefinition": {"id": task["taskDefinitionId"]},
        }

    def reprocessed_runs(self, subject: str | None = None) -> Rows:
        """Return nothing: the workflow knows the runs that process this one again."""
        return ListRows()

    def outcomes_of(self, definition: str) -> list[Outcome]:
        """Return each user's statuses of the tasks of one definition."""
        outcomes = []
        for user, (_, tasks) in enumerate(self.subjects):
            steps = self.steps(user)
            mine = [n for n, task in enumerate(tasks) if task["taskDefinitionId"] == definition]
            if mine:
                outcomes.append(tuple(steps[n].status for n in mine))
        return outcomes
