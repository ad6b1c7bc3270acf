"""Generated runs: what happened to each user and task, worked out when it is looked at."""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property

from gateway.sandbox.data.directory import Directory
from gateway.sandbox.data.identifiers import GuidSeries, mix
from gateway.sandbox.data.model import Outcome, Row
from gateway.sandbox.data.progress import Progress
from gateway.sandbox.data.rows import LazyRows, ListRows, Rows
from gateway.sandbox.data.timestamps import TICKS_PER_SECOND, format_ticks

FAILURE_RATE = 0.14
_LONGEST_TASK = 10 * TICKS_PER_SECOND
_SLOT = 9 * TICKS_PER_SECOND
_USER_INTERVAL = 13 * TICKS_PER_SECOND // 10
_SETTLING = 297 * TICKS_PER_SECOND
UNPROCESSED = frozenset({"queued", "inProgress", "canceled"})

_FAILURES = (
    ("email", "The manager of the user has no email address."),
    ("tap", "The user already has an active Temporary Access Pass."),
    ("group", "The group was not found or its membership is rule based."),
    ("team", "The team was not found or is archived."),
    ("license", "The license is inherited from a group and cannot be removed directly."),
    ("account", "The user is synchronized from an on-premises directory."),
    ("extension", "The logic app answered with status 500."),
)


def failure_reason(task: Row, number: int) -> str:
    """Return why a task of this name may have failed; `number` varies the answer."""
    name = task["displayName"].lower()
    if number % 4 == 0:
        return "The user was not found in the directory."
    return next((text for word, text in _FAILURES if word in name), "The request timed out.")


def status_of_user(outcome: Outcome) -> str:
    """Return the status of a user processing result from those of its task results."""
    if "inProgress" in outcome:
        return "inProgress"
    queued = outcome.count("queued")
    if queued:
        return "queued" if queued == len(outcome) else "inProgress"
    if "canceled" in outcome or (outcome and set(outcome) == {"failed"}):
        return "failed"
    return "completedWithErrors" if "failed" in outcome else "completed"


def status_of_run(statuses: Sequence[str]) -> str:
    """Return the status of a finished run from those of its user results."""
    kinds = set(statuses)
    if kinds <= {"completed"}:
        return "completed"
    return "failed" if kinds == {"failed"} else "completedWithErrors"


def status_of_report(statuses: Counter[str]) -> str:
    """Return the status of a task report from the numbers of its task results by status."""
    total = statuses.total()
    if statuses["queued"] + statuses["inProgress"]:
        return "queued" if statuses["queued"] == total else "inProgress"
    if total and total in {statuses["failed"], statuses["canceled"]}:
        return "failed" if statuses["failed"] else "canceled"
    return "completed" if statuses["completed"] == total else "completedWithErrors"


class GeneratedRun:
    """One run over `users` users and the given tasks.

    `scheduled` (in ticks) also makes its id. `elapsed` is None for a finished run; a run in
    progress moves with the seconds that it returns.
    """

    def __init__(
        self,
        workflow_id: str,
        version: int,
        execution_type: str,
        scheduled: int,
        tasks: Sequence[Row],
        directory: Directory,
        users: int,
        seed: int,
        elapsed: Callable[[], float] | None = None,
        following: Callable[[], "GeneratedRun | None"] = lambda: None,
    ) -> None:
        self.id = f"{workflow_id}_{scheduled}"
        self.version = version
        self.execution_type = execution_type
        self.scheduled = scheduled
        self.started = scheduled + 32 * TICKS_PER_SECOND + mix(seed, scheduled) % 10_000_000
        self.tasks = tasks
        self.directory = directory
        self.size = users
        self.seed = mix(seed, scheduled)
        self.elapsed = elapsed
        self.following = following
        self.first_user = self.seed % directory.size
        self.user_result_prefix = f"{workflow_id}_{version}_{workflow_id}_{scheduled}_"
        self.task_result_ids = GuidSeries(f"results/{seed}/{self.id}")
        self.canceled_users: frozenset[int] = frozenset()
        self.canceled = False
        self._user_rows: dict[int, Row] = {}
        self._task_rows: dict[int, Row] = {}

    @cached_property
    def final_outcomes(self) -> list[Outcome]:
        """The final status of each user's tasks; those after a failure that stops are canceled."""
        chance = random.Random(self.seed).random  # noqa: S311 - made-up data
        stops = [not task["continueOnError"] for task in self.tasks]
        outcomes = []
        for _ in range(self.size):
            outcome = []
            stopped = False
            for stop in stops:
                failed = not stopped and chance() < FAILURE_RATE
                outcome.append("canceled" if stopped else "failed" if failed else "completed")
                stopped = stopped or (failed and stop)
            outcomes.append(tuple(outcome))
        return outcomes

    @cached_property
    def progress(self) -> Progress | None:
        """The progress of the run, or None if it is finished."""
        return Progress(self.final_outcomes, self.elapsed) if self.elapsed else None

    def cancel(self) -> None:
        """Cancel what is not processed yet, if the run is in progress."""
        now = [self.outcome(user) for user in range(self.size)]
        open_ = {"queued", "inProgress"}
        self.canceled_users = frozenset(n for n, item in enumerate(now) if open_ & set(item))
        self.final_outcomes = [
            tuple("canceled" if status in open_ else status for status in item) for item in now
        ]
        self.progress = None
        self.canceled = True

    def _status_of_user(self, user: int, outcome: Outcome) -> str:
        return "canceled" if user in self.canceled_users else status_of_user(outcome)

    def outcome(self, user: int) -> Outcome:
        """Return the statuses of the user's task results at this moment."""
        final = self.final_outcomes[user]
        return self.progress.outcome(user, final) if self.progress else final

    def subject_id(self, user: int) -> str:
        """Return the id of the user at a place of this run; no user occurs twice."""
        return self.directory.id_at((self.first_user + user) % self.directory.size)

    @cached_property
    def _finished_counters(self) -> Row:
        return self._count([self.outcome(user) for user in range(self.size)])

    def _count(self, outcomes: Sequence[Outcome]) -> Row:
        statuses = [self._status_of_user(user, item) for user, item in enumerate(outcomes)]
        running = self.progress is not None
        unprocessed = sum(status in UNPROCESSED for outcome in outcomes for status in outcome)
        return {
            "failedTasksCount": sum(outcome.count("failed") for outcome in outcomes),
            "failedUsersCount": statuses.count("failed"),
            "processingStatus": "canceled"
            if self.canceled
            else "inProgress"
            if running
            else status_of_run(statuses),
            "successfulUsersCount": statuses.count("completed"),
            "totalTasksCount": self.size * len(self.tasks),
            "totalUsersCount": self.size,
            "totalUnprocessedTasksCount": unprocessed,
        }

    def record(self) -> Row:
        """Return the run itself, with counters that agree with its results."""
        longest = self.size * _USER_INTERVAL + len(self.tasks) * _LONGEST_TASK
        if self.progress is None:
            counters = self._finished_counters
            updated = self.started + longest + _SETTLING
        else:
            counters = self._count([self.outcome(user) for user in range(self.size)])
            updated = self.started + self.progress.done() * 2 * TICKS_PER_SECOND
        running = self.progress is not None
        return {
            "id": self.id,
            "completedDateTime": None if running else format_ticks(self.started + longest),
            "lastUpdatedDateTime": format_ticks(updated),
            "scheduledDateTime": format_ticks(self.scheduled),
            "startedDateTime": format_ticks(self.started),
            "workflowExecutionType": self.execution_type,
            "activatedOnScope": None,
            **counters,
        }

    @cached_property
    def _finished_statuses(self) -> list[Counter[str]]:
        return self._count_by_task()

    def _count_by_task(self) -> list[Counter[str]]:
        outcomes = [self.outcome(user) for user in range(self.size)]
        return [Counter(outcome[n] for outcome in outcomes) for n in range(len(self.tasks))]

    def task_report(self, number: int) -> Row:
        """Return what the report on one task says, without its id.

        The counters agree with the task results; the times enclose theirs.
        """
        running = self.progress is not None
        statuses = (self._count_by_task() if running else self._finished_statuses)[number]
        status = status_of_report(statuses)
        task = self.tasks[number]
        begin = self.started + number * _SLOT
        end = begin + self.size * _USER_INTERVAL + _LONGEST_TASK
        finished = status not in {"queued", "inProgress"}
        return {
            "completedDateTime": format_ticks(end) if finished else None,
            "failedUsersCount": statuses["failed"],
            "lastUpdatedDateTime": self.record()["lastUpdatedDateTime"],
            "processingStatus": status,
            "runId": self.id,
            "startedDateTime": None if status == "queued" else format_ticks(begin),
            "successfulUsersCount": statuses["completed"],
            "totalUsersCount": self.size,
            "unprocessedUsersCount": sum(statuses[name] for name in UNPROCESSED),
            "task": {"id": task["id"]},
            "taskDefinition": {"id": task["taskDefinitionId"]},
        }

    def task_results_of_task(self, number: int) -> Rows:
        """Return the task processing results of all users for the task at a place."""
        count = len(self.tasks)

        def position_of(key: str) -> int | None:
            position = self.task_position(key)
            return None if position is None or position % count != number else position // count

        return LazyRows(
            self.size, lambda user: self.task_result_at(user * count + number), position_of
        )

    def reprocessed_runs(self, subject: str | None = None) -> Rows:
        """Return the runs that processed this one, or one of its subjects, again.

        That is the next newer run, if it was activated with a scope.
        """
        run = self.following()
        if run is None or run.execution_type != "activatedWithScope":
            return ListRows()
        if subject is not None and run.user_position(run.user_result_prefix + subject) is None:
            return ListRows()
        return ListRows([run.record()])

    def outcomes_of(self, definition: str) -> list[Outcome]:
        """Return each user's statuses of the tasks of one definition."""
        places = [n for n, task in enumerate(self.tasks) if task["taskDefinitionId"] == definition]
        outcomes = (self.outcome(user) for user in range(self.size))
        return [tuple(outcome[n] for n in places) for outcome in outcomes]

    def user_results(self) -> Rows:
        """Return one user processing result per user."""
        return LazyRows(self.size, self.user_result_at, self.user_position)

    def user_position(self, key: str) -> int | None:
        """Return the place of the user whose result has this id."""
        if not key.startswith(self.user_result_prefix):
            return None
        subject = key[len(self.user_result_prefix) :]
        position = self.directory.series.position_of(subject, self.directory.size)
        if position is None:
            return None
        user = (position - self.first_user) % self.directory.size
        return user if user < self.size else None

    def user_result_at(self, user: int) -> Row:
        """Return the user processing result of the user at a place of this run."""
        if user in self._user_rows:
            return self._user_rows[user]
        outcome = self.outcome(user)
        status = self._status_of_user(user, outcome)
        begun = any(item not in {"queued", "canceled"} for item in outcome) or not outcome
        subject = self.subject_id(user)
        start = self._user_start(user)
        ends = [self._span(user, n)[1] for n, item in enumerate(outcome) if item != "canceled"]
        finished = status not in {"queued", "inProgress"}
        row: Row = {
            "id": self.user_result_prefix + subject,
            "completedDateTime": format_ticks(max(ends, default=start)) if finished else None,
            "failedTasksCount": outcome.count("failed"),
            "processingStatus": status,
            "scheduledDateTime": format_ticks(self.scheduled),
            "startedDateTime": format_ticks(start) if begun else None,
            "totalTasksCount": len(outcome),
            "totalUnprocessedTasksCount": sum(item in UNPROCESSED for item in outcome),
            "workflowExecutionType": self.execution_type,
            "workflowVersion": self.version,
            "subject": {"id": subject},
        }
        if self.progress is None:
            self._user_rows[user] = row
        return row

    def task_results(self) -> Rows:
        """Return the task processing results of all users."""
        length = self.size * len(self.tasks)
        return LazyRows(length, self.task_result_at, self.task_position)

    def task_results_of_user(self, user: int) -> Rows:
        """Return the task processing results of the user at a place of this run."""
        count = len(self.tasks)

        def position_of(key: str) -> int | None:
            position = self.task_position(key)
            return position % count if position is not None and position // count == user else None

        return LazyRows(count, lambda n: self.task_result_at(user * count + n), position_of)

    def task_position(self, key: str) -> int | None:
        """Return the place of the task result with this id."""
        return self.task_result_ids.position_of(key, self.size * len(self.tasks))

    def task_result_at(self, position: int) -> Row:
        """Return the task processing result at a place of this run."""
        if position in self._task_rows:
            return self._task_rows[position]
        user, number = divmod(position, len(self.tasks))
        status = self.outcome(user)[number]
        start, end = self._span(user, number)
        began = status not in {"queued", "canceled"}
        failed = status == "failed"
        task, subject = self.tasks[number], {"id": self.subject_id(user)}
        row: Row = {
            "completedDateTime": format_ticks(end) if began and status != "inProgress" else None,
            "createdDateTime": format_ticks(self._user_start(user)),
            "id": self.task_result_ids.id_at(position),
            "processingStatus": status,
            "startedDateTime": format_ticks(start) if began else None,
            "failureReason": failure_reason(task, mix(self.seed, position)) if failed else None,
            "processingInfo": None,
            "subject": subject,
            "task": task,
            "workflowSubject": None,
        }
        if self.progress is None:
            self._task_rows[position] = row
        return row

    def _user_start(self, user: int) -> int:
        return self.started + user * _USER_INTERVAL + mix(self.seed, user) % TICKS_PER_SECOND

    def _span(self, user: int, number: int) -> tuple[int, int]:
        # Each task has a slot, so that its times do not depend on the others.
        slot = self._user_start(user) + number * _SLOT
        noise = mix(self.seed, user, number)
        start = slot + noise % (2 * TICKS_PER_SECOND)
        return start, start + TICKS_PER_SECOND // 5 + (noise >> 32) % (6 * TICKS_PER_SECOND)
