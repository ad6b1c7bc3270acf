"""Everything the sandbox holds: generated and documented workflows, and what was written."""

from collections.abc import Iterator, Mapping
from typing import Any

from gateway.sandbox.data.activations import ActivatedRun, Activation
from gateway.sandbox.data.documented import DOCUMENTED, DocumentedWorkflow
from gateway.sandbox.data.edits import EditedRows, Edits
from gateway.sandbox.data.generated import GeneratedWorkflow
from gateway.sandbox.data.interfaces import Workflow
from gateway.sandbox.data.model import Row
from gateway.sandbox.data.periods import Period
from gateway.sandbox.data.rows import LazyRows, ListRows, Rows
from gateway.sandbox.data.world import World
from gateway.sandbox.settings import SandboxSettings
from gateway.sandbox.writes.editable import EditableWorkflow


class Tenant:
    """The data of one sandbox. Only what is generated or written is listed; all can be found."""

    def __init__(self, settings: SandboxSettings) -> None:
        self.world = World(settings, self._generated_tasks)
        self._generated: dict[int, GeneratedWorkflow] = {}
        self._known: dict[str, EditableWorkflow] = {}
        # Where workflows are that were created, deleted or restored, in this order.
        self._moved: dict[str, str] = {}
        self._runs = 0

    def _generated_tasks(self) -> Iterator[Row]:
        workflows = map(self._generated_at, range(self.world.settings.workflows))
        return (task for workflow in workflows for task in workflow.task_rows)

    @property
    def task_definitions(self) -> Rows:
        """The task definitions."""
        return self.world.task_definitions

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
            self.world.settings.workflows, lambda n: self._generated_record(n), self._position_of
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
            self._known[key] = EditableWorkflow(self.world, key, base)
        return self._known[key]

    def create(self, row: Row) -> EditableWorkflow:
        """Add a workflow with its tasks, and return it."""
        version = {name: value for name, value in row.items() if name != "id"}
        data = {"record": row, "created": True, "versions": [{**version, "versionNumber": 1}]}
        workflow = EditableWorkflow(self.world, row["id"], DocumentedWorkflow(data))
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
        objects: Mapping[str, Row] | None = None,
        awaited: bool = False,
    ) -> ActivatedRun:
        """Start a run of a workflow over subjects and the tasks to process for each."""
        self._runs += 1
        tasks = {task["id"]: task for _, items in subjects for task in items}
        activation = Activation(
            workflow_id=workflow.id,
            version=workflow.record().get("version") or 1,
            execution_type=execution_type,
            scheduled=self.world.moment(),
            subjects=subjects,
            seed=self.world.settings.seed,
            number=self._runs,
            elapsed=self.world.elapsed,
            waiting={}
            if execution_type == "preview" or awaited
            else workflow.waiting_tasks(tasks.values()),
            scope=scope,
            runs=runs,
            results=results,
            objects=objects or {},
            awaited=awaited,
        )
        run = ActivatedRun(activation)
        workflow.activated.insert(0, run)
        return run

    def _position_of(self, key: str) -> int | None:
        return self.world.series.position_of(key, self.world.settings.workflows)

    def _generated_record(self, position: int) -> Row:
        key = self.world.series.id_at(position)
        workflow = self.workflow(key)
        # The list looks at deleted ones too and leaves them out.
        return {"id": key} if workflow is None else workflow.record()

    def _generated_at(self, position: int) -> GeneratedWorkflow:
        if position not in self._generated:
            self._generated[position] = GeneratedWorkflow(self.world, position)
        return self._generated[position]
