"""Which runs can hold the results of a period: what the lists across workflows narrow by."""

from collections.abc import Mapping
from typing import Any

from gateway.plan.model import Across, Source

RUN_FACTS = (
    "scheduledDateTime",
    "lastUpdatedDateTime",
    "completedDateTime",
    "processingStatus",
    "failedTasksCount",
    "totalTasksCount",
)


def runs_condition(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What holds of the runs that can hold a task result of the period in ``arguments``.

    A result can't start before its run is scheduled, nor after its run has ended. (It can before
    the run is said to have started: by the example of a run, its first result was made 20 ms
    earlier.) What a run that has not ended says of its times is no evidence, and neither is a time
    that is missing.
    """
    parts: list[dict[str, Any]] = []
    if (after := arguments.get("startedAfter")) is not None:
        times = [{name: {"ge": after}} for name in ("lastUpdatedDateTime", "completedDateTime")]
        parts.append({"or": [*times, {"completedDateTime": {"eq": None}}]})
    if (before := arguments.get("startedBefore")) is not None:
        start = "scheduledDateTime"
        parts.append({"or": [{start: {"lt": before}}, {start: {"eq": None}}]})
    return parts[0] if len(parts) == 1 else {"and": parts} if parts else {}


_WORKFLOWS = Source("Workflow", "workflows")
_RUNS = Source("Run", "runs", RUN_FACTS, runs_condition)

OF_WORKFLOWS = Across("scheduledDateTime", (_WORKFLOWS,))
"""Results that are listed below workflows."""
OF_RUNS = Across("createdDateTime", (_WORKFLOWS, _RUNS))
"""Results that are listed below runs only."""
