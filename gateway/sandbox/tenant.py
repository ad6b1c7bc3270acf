"""Everything the sandbox holds: generated workflows beside the documented ones."""

from functools import cached_property
from typing import Protocol

from gateway.sandbox.directory import Directory
from gateway.sandbox.documented import DOCUMENTED, DocumentedWorkflow
from gateway.sandbox.identifiers import GuidSeries, mix
from gateway.sandbox.model import Row
from gateway.sandbox.results import GeneratedRun
from gateway.sandbox.rows import LazyRows, ListRows, Rows
from gateway.sandbox.settings import SandboxSettings
from gateway.sandbox.timestamps import TICKS_PER_DAY, TICKS_PER_SECOND
from gateway.sandbox.workflows import ANCHOR, make_tasks, make_workflow

_ADMINISTRATORS = 3


class Run(Protocol):
    """A run and the results below it."""

    def record(self) -> Row:
        """Return the run itself."""

    def user_results(self) -> Rows:
        """Return its user processing results."""

    def task_results(self) -> Rows:
        """Return the task processing results of all its users."""


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


class GeneratedWorkflow:
    """A workflow that follows from the settings and its number."""

    def __init__(self, tenant: "Tenant", number: int) -> None:
        self.tenant = tenant
        self.number = number
        self.id = tenant.series.id_at(number)
        self._runs: dict[int, GeneratedRun] = {}

    @cached_property
    def row(self) -> Row:
        """The workflow itself, without its tasks."""
        directory = self.tenant.directory
        administrators = [directory.id_at(n) for n in range(_ADMINISTRATORS)]
        return make_workflow(self.tenant.settings.seed, self.number, self.id, administrators)

    @cached_property
    def task_rows(self) -> list[Row]:
        """The tasks of the workflow."""
        settings = self.tenant.settings
        definitions = DOCUMENTED.task_definitions
        return make_tasks(
            settings.seed, self.number, self.row["category"], settings.tasks, definitions
        )

    @cached_property
    def schedule(self) -> list[int]:
        """The times of the runs in ticks, newest first."""
        seed, number = self.tenant.settings.seed, self.number
        base = ANCHOR - number * 600 * TICKS_PER_SECOND
        return [
            base - n * TICKS_PER_DAY + mix(seed, number, n) % (600 * TICKS_PER_SECOND)
            for n in range(self.tenant.settings.runs)
        ]

    def record(self) -> Row:
        """Return the workflow with its tasks."""
        return {**self.row, "tasks": self.task_rows}

    def tasks(self) -> Rows:
        """Return its tasks."""
        return ListRows(self.task_rows)

    def run_at(self, position: int) -> GeneratedRun:
        """Return the run at a position, newest first."""
        if position not in self._runs:
            settings = self.tenant.settings
            on_demand = not self.row["isSchedulingEnabled"]
            kind = "onDemand" if on_demand else "scheduled"
            moves = settings.moving and self.number == position == 0
            self._runs[position] = GeneratedRun(
                workflow_id=self.id,
                version=max(1, self.row["version"] - position // 4),
                execution_type="activatedWithScope" if position % 4 == 3 else kind,
                scheduled=self.schedule[position],
                tasks=self.task_rows,
                directory=self.tenant.directory,
                users=settings.users,
                seed=settings.seed,
                elapsed=self.tenant.elapsed if moves else None,
            )
        return self._runs[position]

    def _run_position(self, key: str) -> int | None:
        head, _, ticks = key.rpartition("_")
        if head != self.id or not ticks.isdecimal() or int(ticks) not in self.schedule:
            return None
        return self.schedule.index(int(ticks))

    def runs(self) -> Rows:
        """Return its runs, newest first."""
        return LazyRows(len(self.schedule), lambda n: self.run_at(n).record(), self._run_position)

    def run(self, key: str) -> GeneratedRun | None:
        """Return the run with this id."""
        position = self._run_position(key)
        return None if position is None else self.run_at(position)

    def _user_place(self, key: str) -> tuple[int, int] | None:
        parts = key.split("_")
        position = self._run_position(f"{self.id}_{parts[-2]}") if len(parts) == 5 else None
        if position is None:
            return None
        user = self.run_at(position).user_position(key)
        return None if user is None else (position, user)

    def user_results(self) -> Rows:
        """Return the user processing results of all runs, newest run first."""
        users = self.tenant.settings.users

        def build(position: int) -> Row:
            run, user = divmod(position, users)
            return self.run_at(run).user_result_at(user)

        def position_of(key: str) -> int | None:
            place = self._user_place(key)
            return None if place is None else place[0] * users + place[1]

        return LazyRows(users * len(self.schedule), build, position_of)

    def task_results_of_user(self, key: str) -> Rows | None:
        """Return the task processing results of the user processing result with this id."""
        place = self._user_place(key)
        return None if place is None else self.run_at(place[0]).task_results_of_user(place[1])

    def task_results_of_task(self, key: str) -> Rows:
        """Return the task processing results of one task in all runs, newest run first."""
        users, tasks = self.tenant.settings.users, len(self.task_rows)
        number = next(n for n, task in enumerate(self.task_rows) if task["id"] == key)

        def build(position: int) -> Row:
            run, user = divmod(position, users)
            return self.run_at(run).task_result_at(user * tasks + number)

        def position_of(result: str) -> int | None:
            for run in range(len(self.schedule)):
                position = self.run_at(run).task_position(result)
                if position is not None and position % tasks == number:
                    return run * users + position // tasks
            return None

        return LazyRows(users * len(self.schedule), build, position_of)


class Tenant:
    """The data of one sandbox. Only generated workflows are listed; all can be found."""

    def __init__(self, settings: SandboxSettings) -> None:
        self.settings = settings
        self.begin = settings.clock()
        self.series = GuidSeries(f"workflows/{settings.seed}")
        self.directory = Directory(settings.seed, settings.users)
        self.directory.extra.update({user["id"]: user for user in DOCUMENTED.users})
        self.task_definitions = ListRows(DOCUMENTED.task_definitions)
        self._workflows: dict[int, GeneratedWorkflow] = {}

    def elapsed(self) -> float:
        """Return the seconds since the tenant was made."""
        return self.settings.clock() - self.begin

    def workflows(self) -> Rows:
        """Return the generated workflows."""
        return LazyRows(
            self.settings.workflows, lambda n: self._workflow_at(n).record(), self._position_of
        )

    def deleted_workflows(self) -> Rows:
        """Return the deleted workflows: the documented ones."""
        return ListRows([item.record() for item in DOCUMENTED.deleted.values() if item.listed])

    def workflow(self, key: str, deleted: bool = False) -> Workflow | None:
        """Return the workflow with this id, generated or documented."""
        documented: dict[str, DocumentedWorkflow]
        documented = DOCUMENTED.deleted if deleted else DOCUMENTED.workflows
        position = None if deleted else self._position_of(key)
        return documented.get(key) if position is None else self._workflow_at(position)

    def _position_of(self, key: str) -> int | None:
        return self.series.position_of(key, self.settings.workflows)

    def _workflow_at(self, position: int) -> GeneratedWorkflow:
        if position not in self._workflows:
            self._workflows[position] = GeneratedWorkflow(self, position)
        return self._workflows[position]
