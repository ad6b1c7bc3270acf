"""Failures counted in groups: which reason, task, workflow or day has how many.

No REST call counts them so: the failed results of a period are read as `taskProcessingResults`
reads them, page after page (the first with the other fields of the operation), and counted here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, Any

import strawberry

from gateway.internals import raw_info
from gateway.odata.filter import comparable
from gateway.odata.partial import Partial
from gateway.odata.timestamps import instant
from gateway.plan.rows import Row
from gateway.schema.context import Context
from gateway.schema.counting import MOST, key_of, page_of
from gateway.schema.enums import value
from gateway.schema.relay import Unread
from gateway.schema.resources.workflow import WorkflowFilter
from gateway.schema.rows import read
from gateway.schema.scalars import DateTime
from gateway.schema.selection import AstSelection, arguments_of


@strawberry.enum(description="What the failures of one group have in common.")
class FailureGrouping(Enum):
    """Of the gateway's own making."""

    REASON = value("reason", "The reason, as the service wrote it.")
    TASK = value("task", "The task definition.")
    WORKFLOW = value("workflow", "The workflow.")
    DAY = value("day", "The day on which the result was created, in UTC.")


@strawberry.type(description="Failed task results with something in common.")
class FailureGroup:
    """Of the gateway's own making."""

    key: str | None = strawberry.field(
        description="What they have in common: the reason, the id of the task definition or of the "
        "workflow, or the day as YYYY-MM-DD; null for those that have none."
    )
    title: str | None = strawberry.field(
        description="The name of the task, as the newest has it, or of the workflow; else `key`."
    )
    count: int = strawberry.field(description="How many results there are.")
    users: int = strawberry.field(description="How many users they are of.")
    first_date_time: DateTime | None = strawberry.field(
        description="When the oldest of them was created."
    )
    last_date_time: DateTime | None = strawberry.field(
        description="When the newest of them was created."
    )


@strawberry.type(description="Failed task results in groups.")
class Failures:
    """Of the gateway's own making."""

    groups: list[FailureGroup] = strawberry.field(description="The groups, the largest first.")
    total_count: int = strawberry.field(description="How many results all groups have together.")
    is_complete: bool = strawberry.field(
        description=f"Whether these are all. If not, there are more than {MOST:,} failures, of "
        "which the newest were counted, or something could not be read: each count is at least."
    )
    unread: list[Unread] = strawberry.field(description="What could not be read.")


@dataclass(slots=True)
class _Group:
    key: str | None
    title: str | None
    count: int = 0
    users: set[str] = field(default_factory=set)
    times: list[str] = field(default_factory=list)

    def take(self, row: Row) -> None:
        """Count a result."""
        self.count += 1
        subject = row.get("subject")
        if subject is not None:
            self.users.add(str(comparable(subject.get("id"))))
        time = row.get("createdDateTime")
        if isinstance(time, str) and instant(time):
            # The rows come newest first: of the times between, none is needed.
            self.times = [self.times[0], time] if self.times else [time]

    def told(self) -> Row:
        """The group as the schema has it."""
        return {
            "key": self.key,
            "title": self.title,
            "count": self.count,
            "users": len(self.users),
            "firstDateTime": self.times[-1] if self.times else None,
            "lastDateTime": self.times[0] if self.times else None,
        }


def _named(row: Row, edge: str, key: str) -> tuple[Any, Any]:
    found = row.get(edge)
    return (found.get(key), found.get("displayName")) if found is not None else (None, None)


def _day(row: Row) -> tuple[Any, Any]:
    time = row.get("createdDateTime")
    day = (instant(time) or "")[:10] if isinstance(time, str) else ""
    return day or None, day or None


_KEYS: Mapping[str, Callable[[Row], tuple[Any, Any]]] = {
    "reason": lambda row: (row.get("failureReason"), row.get("failureReason")),
    "task": lambda row: _named(row, "task", "taskDefinitionId"),
    "workflow": lambda row: _named(row, "workflow", "id"),
    "day": _day,
}


async def count_failures(
    info: strawberry.Info[Context, None],
    group_by: Annotated[
        FailureGrouping,
        strawberry.argument(description="What the results of one group have in common."),
    ],
    started_after: Annotated[
        DateTime | None,
        strawberry.argument(description="Only results that started then or later."),
    ] = None,
    started_before: Annotated[
        DateTime | None,
        strawberry.argument(description="Only results that started before then."),
    ] = None,
    workflow_filter: Annotated[
        WorkflowFilter | None, strawberry.argument(description="Of which workflows.")
    ] = None,
) -> Any:
    """The failed results of a period, in groups.

    Raises:
        GatewayError: a wrong argument, or nothing could be read.
    """
    core, context = raw_info(info), info.context
    given = arguments_of(core)
    grouped = _KEYS[given["groupBy"].value]
    groups: dict[Any, _Group] = {}
    unread: dict[str, Row] = {}
    total = 0
    size = min(context.plans.planner.max_first, MOST)
    asked = page_of(core.schema, given, size)
    page = _read(await context.root(core), asked)
    while True:
        for row in page["nodes"]:
            key, title = grouped(row)
            groups.setdefault(comparable(key), _Group(key, title)).take(row)
        total += len(page["nodes"])
        unread |= {repr(part): part for part in page.get("unread") or ()}
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
        if not more or total >= MOST:
            break
        asked = page_of(core.schema, given, min(size, MOST - total), after)
        page = _read(await context.run(context.plans.planner.plan(asked)), asked)
    found = [group.told() for group in groups.values()]
    return {
        "groups": sorted(found, key=lambda group: -group["count"]),
        "totalCount": total,
        "isComplete": not more and not unread,
        "unread": list(unread.values()),
    }


def _read(root: Row, asked: AstSelection) -> Row:
    found = read(root, key_of(asked))
    page: Row = found.value if isinstance(found, Partial) else found
    return page
