"""The surroundings of the workflows: time, ids, users, task definitions, extensions, settings.

Time in the data goes on from `NOW`, a moment after the newest generated run, not from the wall
clock: by the seconds that the settings' clock counts, if they say that time moves, and by those
that were added by hand. No two writes have the same moment.
"""

from collections.abc import Callable, Iterable
from functools import cached_property
from math import inf

from gateway.sandbox.data.catalogue import ARGUMENT, SETTINGS_ROW, make_extensions, make_templates
from gateway.sandbox.data.directory import Directory
from gateway.sandbox.data.documented import DOCUMENTED
from gateway.sandbox.data.edits import Edits
from gateway.sandbox.data.identifiers import GuidSeries
from gateway.sandbox.data.model import Row
from gateway.sandbox.data.policies import make_policies
from gateway.sandbox.data.rows import ListRows, Rows
from gateway.sandbox.data.timestamps import TICKS_PER_SECOND, format_ticks, seconds_of
from gateway.sandbox.data.workflows import ANCHOR, CATEGORIES
from gateway.sandbox.settings import SandboxSettings

ADMINISTRATORS = 3
"""Number of users, the first ones, that manage the workflows."""
NOW = ANCHOR + 3600 * TICKS_PER_SECOND + 1_234_567
_BETWEEN_WRITES = TICKS_PER_SECOND // 1000


class World:
    """The part of a sandbox's data that workflows refer to.

    Args:
        settings: of the sandbox.
        generated_tasks: gives the tasks of the generated workflows, whose extensions there are.
    """

    def __init__(
        self, settings: SandboxSettings, generated_tasks: Callable[[], Iterable[Row]]
    ) -> None:
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
        self._generated_tasks = generated_tasks
        self._written = GuidSeries(f"written/{settings.seed}")
        self._ids = 0
        self._last_write = 0

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
    def policies(self) -> ListRows:
        """The lifecycle policies."""
        return ListRows(make_policies(self.settings.seed, self.directory.id_at(0)))

    @cached_property
    def _extensions(self) -> ListRows:
        administrators = [self.directory.id_at(n) for n in range(ADMINISTRATORS)]
        tasks = self._generated_tasks()
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
        # An extension that states no time-out is waited for without an end.
        return inf if seconds is None else float(seconds)
