"""Generated workflows with everything below them."""

from functools import cached_property
from typing import Any

from gateway.sandbox.data.documented import DOCUMENTED
from gateway.sandbox.data.identifiers import GuidSeries, mix
from gateway.sandbox.data.model import Outcome, Row
from gateway.sandbox.data.periods import Period
from gateway.sandbox.data.results import GeneratedRun
from gateway.sandbox.data.rows import LazyRows, ListRows, Rows
from gateway.sandbox.data.timestamps import TICKS_PER_DAY, TICKS_PER_SECOND
from gateway.sandbox.data.workflows import ANCHOR, make_tasks, make_version, make_workflow
from gateway.sandbox.data.world import ADMINISTRATORS, World

_DIGITS = 10


class GeneratedWorkflow:
    """A workflow that follows from the settings and its number."""

    def __init__(self, world: World, number: int) -> None:
        self.world = world
        self.number = number
        self.id = world.series.id_at(number)
        self._runs: dict[int, GeneratedRun] = {}
        self.report_ids = GuidSeries(f"reports/{world.settings.seed}/{number}")

    @cached_property
    def row(self) -> Row:
        """The workflow itself, without its tasks."""
        directory = self.world.directory
        administrators = [directory.id_at(n) for n in range(ADMINISTRATORS)]
        return make_workflow(self.world.settings.seed, self.number, self.id, administrators)

    @cached_property
    def task_rows(self) -> list[Row]:
        """The tasks of the workflow."""
        settings = self.world.settings
        definitions = DOCUMENTED.task_definitions
        return make_tasks(
            settings.seed, self.number, self.row["category"], settings.tasks, definitions
        )

    @cached_property
    def schedule(self) -> list[int]:
        """The times of the runs in ticks, newest first."""
        seed, number = self.world.settings.seed, self.number
        base = ANCHOR - number * 600 * TICKS_PER_SECOND
        return [
            base - n * TICKS_PER_DAY + mix(seed, number, n) % (600 * TICKS_PER_SECOND)
            for n in range(self.world.settings.runs)
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
            settings = self.world.settings
            on_demand = not self.row["isSchedulingEnabled"]
            kind = "onDemand" if on_demand else "scheduled"
            moves = settings.moving and self.number == position == 0
            self._runs[position] = GeneratedRun(
                workflow_id=self.id,
                version=max(1, self.row["version"] - position // 4),
                execution_type="activatedWithScope" if position % 4 == 3 else kind,
                scheduled=self.schedule[position],
                tasks=self.task_rows,
                directory=self.world.directory,
                users=settings.users,
                seed=settings.seed,
                elapsed=self.world.elapsed if moves else None,
                following=lambda: self.run_at(position - 1) if position else None,
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
        users = self.world.settings.users

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
        users, tasks = self.world.settings.users, len(self.task_rows)
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

    def versions(self) -> Rows:
        """Return its versions, newest first; version n is at `version` - n."""
        count: int = self.row["version"]

        def position_of(key: str) -> int | None:
            number = int(key) if key.isdecimal() and len(key) < _DIGITS else 0
            return count - number if 0 < number <= count and key == str(number) else None

        def build(position: int) -> Row:
            return make_version(self.row, count - position, self.task_rows)

        return LazyRows(count, build, position_of)

    def _report_position(self, key: str) -> int | None:
        return self.report_ids.position_of(key, len(self.schedule) * len(self.task_rows))

    def task_reports(self) -> Rows:
        """Return one report per run and task, newest run first."""
        tasks = len(self.task_rows)

        def build(position: int) -> Row:
            run, number = divmod(position, tasks)
            report = self.run_at(run).task_report(number)
            return {"id": self.report_ids.id_at(position), **report}

        return LazyRows(len(self.schedule) * tasks, build, self._report_position)

    def task_results_of_report(self, key: str) -> Rows:
        """Return the results of all users of the run for the task of a report."""
        position = self._report_position(key)
        if position is None:
            return ListRows()
        run, number = divmod(position, len(self.task_rows))
        return self.run_at(run).task_results_of_task(number)

    def execution_scope(self) -> Rows:
        """Return the results of the newest run, if the workflow is scheduled."""
        scheduled = self.row["isSchedulingEnabled"] and self.schedule
        return self.run_at(0).user_results() if scheduled else ListRows()

    def preview_scope(self) -> Rows:
        """Return the users that the rule of the scope holds for."""
        rule = self.row["executionConditions"].get("scope", {}).get("rule", "")
        return self.world.directory.matching(rule)

    def administration_scope_targets(self) -> Rows:
        """Return one administrative unit for every second workflow."""
        units = GuidSeries(f"units/{self.world.settings.seed}")
        unit: Row = {
            "@odata.type": "#microsoft.graph.administrativeUnit",
            "id": units.id_at(self.number),
            "deletedDateTime": None,
        }
        return ListRows([] if self.number % 2 else [unit])

    def reprocessed_runs_of_user(self, key: str) -> Rows:
        """Return the runs that processed the user of a user processing result again."""
        place = self._user_place(key)
        if place is None:
            return ListRows()
        run, user = place
        return self.run_at(run).reprocessed_runs(self.run_at(run).subject_id(user))

    def outcomes_of(self, definition: str, period: Period) -> list[Outcome]:
        """Return the statuses of the tasks of one definition, per user and run of a period."""
        if not any(task["taskDefinitionId"] == definition for task in self.task_rows):
            return []
        runs = (self.run_at(n) for n in range(len(self.schedule)))
        held = (run for run in runs if period.holds(run.record()["startedDateTime"]))
        return [outcome for run in held for outcome in run.outcomes_of(definition)]

    def stated(self, function: str, period: Period) -> Any:
        """Return nothing: the documents know no generated workflow."""
        return None
