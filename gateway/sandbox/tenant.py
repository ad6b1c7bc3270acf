"""Everything the sandbox holds: generated and documented workflows, and what was written.

Time in the data goes on from `NOW`, a moment after the newest generated run, not from the wall
clock: by the seconds that the settings' clock counts, if they say that time moves, and by those
that were added by hand. No two writes have the same moment.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from gateway.sandbox.activations import ActivatedRun, Activation
from gateway.sandbox.bodies import seconds_of
from gateway.sandbox.catalogue import ARGUMENT, SETTINGS_ROW, make_extensions, make_templates
from gateway.sandbox.directory import Directory
from gateway.sandbox.documented import DOCUMENTED, DocumentedWorkflow
from gateway.sandbox.editable import NEVER, EditableWorkflow
from gateway.sandbox.edits import EditedRows, Edits
from gateway.sandbox.generated import ADMINISTRATORS, GeneratedWorkflow
from gateway.sandbox.identifiers import GuidSeries
from gateway.sandbox.model import Row
from gateway.sandbox.periods import Period
from gateway.sandbox.protocols import Workflow
from gateway.sandbox.rows import LazyRows, ListRows, Rows
from gateway.sandbox.settings import SandboxSettings
from gateway.sandbox.timestamps import TICKS_PER_SECOND, format_ticks
from gateway.sandbox.workflows import ANCHOR, CATEGORIES

NOW = ANCHOR + 3600 * TICKS_PER_SECOND + 1_234_567
_BETWEEN_WRITES = TICKS_PER_SECOND // 1000


class Tenant:
    """The data of one sandbox. Only what is generated or written is listed; all can be found."""

    def __init__(self, settings: SandboxSettings) -> None:
        self.settings = settings
        self.begin = settings.clock()
        self.advanced = 0.0
        self.series = GuidSeries(f"workflows/{settings.seed}")
        self.directory = Directory(
            settings.seed,
            settings.users,
            # Who leaves is deleted by a leaver workflow.
            deletions="leaver" in CATEGORIES[: settings.workflows],
        )
        self.directory.extra.update({user["id"]: user for user in DOCUMENTED.users})
        self.task_definitions = ListRows(DOCUMENTED.task_definitions)
        self.settings_row: Row = SETTINGS_ROW
        self.extension_edits = Edits()
        self._generated: dict[int, GeneratedWorkflow] = {}
        self._known: dict[str, EditableWorkflow] = {}
        # Where workflows are that were created, deleted or restored, in this order.
        self._moved: dict[str, str] = {}
        self._written = GuidSeries(f"written/{settings.seed}")
        self._ids = 0
        self._last_write = 0
        self._runs = 0

    # Time, ids, authors.

    def elapsed(self) -> float:
        """Return the seconds since the tenant was made."""
        moved = self.settings.clock() - self.begin if self.settings.moving else 0.0
        return moved + self.advanced

    def moment(self) -> int:
        """Return the ticks of this write, which are later than those of all before."""
        now = NOW + round(self.elapsed() * TICKS_PER_SECOND)
        self._last_write = max(now, self._last_write + _BETWEEN_WRITES)
        return self._last_write

    def stamp(self) -> str:
        """Return the time of this write."""
        return format_ticks(self.moment())

    def new_id(self) -> str:
        """Return an id that nothing has yet."""
        self._ids += 1
        return self._written.id_at(self._ids)

    def author(self) -> Row:
        """Return the stub of the administrator who writes."""
        return {"id": self.directory.id_at(0)}

    def next_schedule(self, workflow: Row) -> str | None:
        """Return when a workflow runs next, if it is scheduled."""
        conditions = workflow.get("executionConditions") or {}
        if not workflow.get("isSchedulingEnabled") or not conditions.get("trigger"):
            return None
        hours: int = self.settings_row["workflowScheduleIntervalInHours"]
        return format_ticks(self.moment() + hours * 3600 * TICKS_PER_SECOND)

    # The catalogue.

    @cached_property
    def workflow_templates(self) -> ListRows:
        """The templates to make workflows from."""
        return ListRows(make_templates(self.settings.seed, DOCUMENTED.task_definitions))

    @cached_property
    def _extensions(self) -> ListRows:
        workflows = map(self._generated_at, range(self.settings.workflows))
        tasks = (task for workflow in workflows for task in workflow.task_rows)
        administrators = [self.directory.id_at(n) for n in range(ADMINISTRATORS)]
        return ListRows(make_extensions(self.settings.seed, tasks, administrators))

    @property
    def custom_task_extensions(self) -> Rows:
        """The custom task extensions, beginning with those that generated tasks run."""
        return self.extension_edits.over(self._extensions, lambda _: True)

    def timeout_of(self, task: Row) -> float | None:
        """Return how many seconds a task waits for its extension, or None if it does not wait."""
        definition = self.task_definitions.find(task["taskDefinitionId"]) or {}
        if all(item["name"] != ARGUMENT for item in definition.get("parameters", ())):
            return None
        values = (item.get("value") for item in task["arguments"] if item["name"] == ARGUMENT)
        extension = self.custom_task_extensions.find(next(values, None) or "")
        callback = (extension or {}).get("callbackConfiguration")
        if callback is None:
            return None
        seconds = seconds_of(callback.get("timeoutDuration") or "")
        return NEVER if seconds is None else float(seconds)

    # Workflows.

    def stated(self, function: str, period: Period) -> Any:
        """Return what the documents say that an insight is for exactly this period."""
        return DOCUMENTED.stated(function, period)

    def listed(self) -> Iterator[EditableWorkflow]:
        """Yield the workflows that the list of workflows shows."""
        for row in self.workflows():
            yield self._known[row["id"]]

    def workflows(self) -> Rows:
        """Return the generated workflows and those that were created or restored."""
        base = LazyRows(
            self.settings.workflows, lambda n: self._generated_record(n), self._position_of
        )
        if not self._moved:
            return base
        edits = Edits(deleted={key for key, place in self._moved.items() if place != "live"})
        live = [key for key, place in self._moved.items() if place == "live"]
        added = [self._known[key] for key in live if self._position_of(key) is None]
        return EditedRows(base, edits, [workflow.record() for workflow in added])

    def deleted_workflows(self) -> Rows:
        """Return the deleted workflows: the documented ones first."""
        documented = (key for key, item in DOCUMENTED.deleted.items() if item.listed)
        keys = [key for key in documented if key not in self._moved]
        keys += [key for key, place in self._moved.items() if place == "deleted"]
        found = (self.workflow(key, deleted=True) for key in keys)
        return ListRows([workflow.record() for workflow in found if workflow is not None])

    def workflow(self, key: str, deleted: bool = False) -> EditableWorkflow | None:
        """Return the workflow with this id, whether it is listed or not."""
        native = "deleted" if key in DOCUMENTED.deleted else "live"
        if self._moved.get(key, native) != ("deleted" if deleted else "live"):
            return None
        if key not in self._known:
            position = self._position_of(key)
            base: Workflow | None
            base = DOCUMENTED.workflows.get(key) or DOCUMENTED.deleted.get(key)
            base = base if position is None else self._generated_at(position)
            if base is None:
                return None
            self._known[key] = EditableWorkflow(self, key, base)
        return self._known[key]

    def create(self, row: Row) -> EditableWorkflow:
        """Add a workflow with its tasks, and return it."""
        version = {name: value for name, value in row.items() if name != "id"}
        data = {"record": row, "created": True, "versions": [{**version, "versionNumber": 1}]}
        workflow = EditableWorkflow(self, row["id"], DocumentedWorkflow(data))
        self._known[workflow.id] = workflow
        self._moved[workflow.id] = "live"
        return workflow

    def move(self, key: str, place: str) -> None:
        """Make a workflow `live` or `deleted`, or let it be `gone`."""
        self._moved.pop(key, None)
        self._moved[key] = place

    def start_run(
        self,
        workflow: EditableWorkflow,
        execution_type: str,
        subjects: list[tuple[str, list[Row]]],
        scope: Row | None = None,
        runs: frozenset[str] = frozenset(),
        results: frozenset[str] = frozenset(),
    ) -> None:
        """Start a run of a workflow over users and the tasks to process for each."""
        self._runs += 1
        tasks = {task["id"]: task for _, items in subjects for task in items}
        activation = Activation(
            workflow_id=workflow.id,
            version=workflow.record().get("version") or 1,
            execution_type=execution_type,
            scheduled=self.moment(),
            subjects=subjects,
            seed=self.settings.seed,
            number=self._runs,
            elapsed=self.elapsed,
            waiting={} if execution_type == "preview" else workflow.waiting_tasks(tasks.values()),
            scope=scope,
            runs=runs,
            results=results,
        )
        workflow.activated.insert(0, ActivatedRun(activation))

    def _position_of(self, key: str) -> int | None:
        return self.series.position_of(key, self.settings.workflows)

    def _generated_record(self, position: int) -> Row:
        key = self.series.id_at(position)
        workflow = self.workflow(key)
        # The list looks at deleted ones too and leaves them out.
        return {"id": key} if workflow is None else workflow.record()

    def _generated_at(self, position: int) -> GeneratedWorkflow:
        if position not in self._generated:
            self._generated[position] = GeneratedWorkflow(self, position)
        return self._generated[position]
