"""Lists across workflows: which runs can hold which results, and how they are narrowed."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from gateway.internals import argument
from gateway.odata.filter import requires
from gateway.odata.timestamps import instant
from gateway.plan.model import Across, Evidence, Filter, Source
from gateway.plan.rows import Row
from gateway.schema.declare import optional
from gateway.schema.filters import condition
from gateway.schema.scalars import DateTime

if TYPE_CHECKING:
    from gateway.schema.resources.workflow import WorkflowFilter

RUN_FACTS = (
    "scheduledDateTime",
    "lastUpdatedDateTime",
    "completedDateTime",
    "processingStatus",
    "failedTasksCount",
    "totalTasksCount",
)
_UNDER_WAY = ("queued", "inprogress", "canceling")
_WITH_FAILURES = ("failed", "completedwitherrors")


def runs_condition(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The condition of the runs that can hold a task result of the period in ``arguments``.

    A result can't start before its run is scheduled, nor start or change after its run has ended.
    (It can before the run is said to have started: by the example of a run, its first result was
    made 20 ms earlier.) The times of a run that has not ended are no evidence, and neither is a
    time that is missing.
    """
    parts: list[dict[str, Any]] = []
    for since in ("startedAfter", "changedSince"):
        if (after := arguments.get(since)) is not None:
            times = [{name: {"ge": after}} for name in ("lastUpdatedDateTime", "completedDateTime")]
            parts.append({"or": [*times, {"completedDateTime": {"eq": None}}]})
    if (before := arguments.get("startedBefore")) is not None:
        start = "scheduledDateTime"
        parts.append({"or": [{start: {"lt": before}}, {start: {"eq": None}}]})
    return parts[0] if len(parts) == 1 else {"and": parts} if parts else {}


def _status(run: Row) -> str:
    return str(run.get("processingStatus")).lower()


def _has_ended(run: Row) -> bool:
    return isinstance(run.get("completedDateTime"), str) and _status(run) not in _UNDER_WAY


def _changed(run: Row) -> str | None:
    """The time when the run last changed; one that has not ended may have changed just now."""
    if not _has_ended(run):
        return None
    times = (run.get(name) for name in ("completedDateTime", "lastUpdatedDateTime"))
    known = [time for text in times if isinstance(text, str) and (time := instant(text))]
    return max(known, default=None)


def _begun(run: Row) -> str | None:
    """The time when the run was scheduled, before which it has no result, if it has ended."""
    scheduled = run.get("scheduledDateTime")
    return instant(scheduled) if isinstance(scheduled, str) and _has_ended(run) else None


def _wants_failures(given: Filter) -> bool:
    return requires(given, "processingStatus", "failed")


def _can_hold(run: Row, given: Filter) -> bool:
    """Whether a run can hold a failed result: only of one that has ended is the count final."""
    if not _wants_failures(given):
        return True
    said = run.get("failedTasksCount") == 0 and _status(run) not in _WITH_FAILURES
    return not (_has_ended(run) and said)


def _expected(run: Row, given: Filter) -> int:
    count = run.get("failedTasksCount" if _wants_failures(given) else "totalTasksCount")
    return count if isinstance(count, int) else 0


_WORKFLOWS = Source("Workflow", "workflows", "workflowId", argument="workflowFilter")
_RUNS = Source(
    "Run",
    "runs",
    "runId",
    evidence=Evidence(
        facts=RUN_FACTS,
        condition=runs_condition,
        probe={"completedDateTime": {"eq": None}},
        can_hold=_can_hold,
        expected=_expected,
        changed=_changed,
        begun=_begun,
    ),
)

_PARTS = ("workflowId", "runId")

OF_WORKFLOWS = Across(
    "scheduledDateTime",
    (_WORKFLOWS,),
    of=("subjectId", "subject"),
    parts=_PARTS,
    since=("changedSince", ("scheduledDateTime", "startedDateTime", "completedDateTime")),
)
"""Results that are listed below workflows."""
RUNS = Across(
    "scheduledDateTime",
    (_WORKFLOWS,),
    parts=_PARTS,
    since=("changedSince", ("lastUpdatedDateTime", "completedDateTime", "scheduledDateTime")),
)
"""The runs of all workflows."""
OF_RUNS = Across(
    "createdDateTime",
    (_WORKFLOWS, _RUNS),
    parts=_PARTS,
    period=(
        ("startedAfter", "startedDateTime", "ge"),
        ("startedBefore", "startedDateTime", "lt"),
    ),
    of=("subjectId", "subject"),
    here=(
        ("taskId", lambda id_: {"task": {"id": {"eq": id_}}}),
        ("taskDefinitionId", lambda id_: {"task": {"taskDefinitionId": {"eq": id_}}}),
        ("failureReason", lambda given: {"failureReason": given}),
    ),
    since=("changedSince", ("createdDateTime", "startedDateTime", "completedDateTime")),
)
"""Results that are listed below runs only."""

OF_WHICH_WORKFLOWS = optional(
    "workflow_filter",
    Annotated["WorkflowFilter", strawberry.lazy("gateway.schema.resources.workflow")],
    "Of which workflows.",
)
STARTED_AFTER = optional(
    "started_after",
    DateTime,
    "Only results that started then or later. It tells nothing of what ended since: see "
    "`changedSince`.",
)
CHANGED_SINCE = optional(
    "changed_since",
    DateTime,
    "Only what was made, started or ended then or later. `watermark` of the connection is the time "
    "to ask with next; what has that very time comes again.",
)
STARTED_BEFORE = optional("started_before", DateTime, "Only results that started before then.")
OF_SUBJECT = optional("subject_id", strawberry.ID, "Only of the user with this object id.")
OF_TASK = optional("task_id", strawberry.ID, "Only of this task; checked by the gateway.")
OF_DEFINITION = optional(
    "task_definition_id",
    strawberry.ID,
    "Only of tasks of this task definition; checked by the gateway.",
)
ReasonCondition = condition("ReasonCondition", str, "eq ne in contains")
FOR_REASON = optional(
    "failure_reason",
    ReasonCondition,
    "Only with such a reason; checked by the gateway, which reads all that pass the other filters.",
)
SUBJECT_ID = argument("subject_id", strawberry.ID, "Object id of the user in Microsoft Entra ID.")
