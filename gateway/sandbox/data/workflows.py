"""Generated workflows: names, conditions and tasks that follow from a seed."""

import random
from collections.abc import Sequence
from datetime import date
from typing import Any

from gateway.sandbox.data.identifiers import GuidSeries
from gateway.sandbox.data.model import Row
from gateway.sandbox.data.subjects import USER_SUBJECT
from gateway.sandbox.data.timestamps import (
    PICOSECONDS_PER_TICK,
    TICKS_PER_DAY,
    format_ticks,
    instant,
    ticks_of,
)

ANCHOR = ticks_of(date(2026, 6, 30), 6 * 3600)
"""The moment of the newest scheduled run: a date of the data, not of the wall clock."""

CATEGORIES = ("joiner", "leaver", "mover", "leaver")
DEPARTMENTS = ("Marketing", "Sales", "Engineering", "Finance", "Legal", "Human Resources")
PROFILES: dict[str, Sequence[tuple[str, str]]] = {
    "joiner": (
        ("Onboard pre-hire employee", "Configure pre-hire tasks before an employee's first day"),
        ("Onboard new hire employee", "Configure new hire tasks for an employee's first day"),
        ("Post-Onboarding of an employee", "Follow up with employees after their first week"),
    ),
    "leaver": (
        ("Real-time employee termination", "Execute real-time termination tasks"),
        ("Pre-Offboarding of an employee", "Prepare employees' last day of work"),
        ("Offboard an employee", "Execute offboarding tasks on the last day of work"),
        ("Post-Offboarding of an employee", "Clean up after employees' last day of work"),
    ),
    "mover": (
        ("Employee group membership changes", "Follow changes of group membership"),
        ("Employee job profile change", "Adapt access when the job profile changes"),
    ),
}
EXTENSION_TASK = "4262b724-8dba-4fad-afc3-43fcbb497a0e"
"""The definition of the task that runs a custom task extension."""
_NAMESPACE = "#microsoft.graph.identityGovernance."
_ARGUMENTS = {
    "tapLifetimeMinutes": "480",
    "tapIsUsableOnce": "false",
    "customSubject": "About your account",
    "customBody": "Your manager knows more.",
    "locale": "en-us",
    "to": "User",
}


def _trigger(category: str, number: int) -> Row:
    if category == "mover" and number % 2:
        return {
            "@odata.type": f"{_NAMESPACE}membershipChangeTrigger",
            "changeType": "remove" if number % 3 else "add",
        }
    if category == "mover":
        return {
            "@odata.type": f"{_NAMESPACE}attributeChangeTrigger",
            "triggerAttributes": [{"name": "department"}, {"name": "jobTitle"}],
        }
    attribute = "employeeLeaveDateTime" if category == "leaver" else "employeeHireDate"
    if category == "joiner" and number % 3 == 1:
        attribute = "createdDateTime"
    return {
        "@odata.type": f"{_NAMESPACE}timeBasedAttributeTrigger",
        "timeBasedAttribute": attribute,
        "offsetInDays": (-7, 0, 7)[number % 3],
    }


def make_conditions(category: str, name: str, department: str, number: int) -> Row:
    """Return the execution conditions that suit a workflow of this category and name."""
    if name.startswith("Real-time"):
        return {"@odata.type": f"{_NAMESPACE}onDemandExecutionOnly"}
    return {
        "@odata.type": f"{_NAMESPACE}triggerAndScopeBasedConditions",
        "scope": {
            "@odata.type": f"{_NAMESPACE}ruleBasedSubjectSet",
            "rule": f"(department eq '{department}')",
        },
        "trigger": _trigger(category, number),
    }


def make_workflow(seed: int, number: int, key: str, user_ids: Sequence[str]) -> Row:
    """Return the workflow with this number, without its tasks.

    `user_ids` are the administrators who may have created or changed it.
    """
    random_ = random.Random(f"workflow/{seed}/{number}")  # noqa: S311 - made-up data
    category = CATEGORIES[number % len(CATEGORIES)]
    profiles = PROFILES[category]
    turn = number // len(CATEGORIES) * CATEGORIES.count(category)
    turn += CATEGORIES[: number % len(CATEGORIES)].count(category)
    name, description = profiles[turn % len(profiles)]
    turn //= len(profiles)
    department = DEPARTMENTS[turn % len(DEPARTMENTS)]
    suffix = f" {turn // len(DEPARTMENTS) + 1}" if turn >= len(DEPARTMENTS) else ""
    created = ANCHOR - random_.randrange(200 * TICKS_PER_DAY, 400 * TICKS_PER_DAY)
    conditions = make_conditions(category, name, department, number)
    scheduled = "trigger" in conditions
    following = ANCHOR + TICKS_PER_DAY // 8 if scheduled else None
    return {
        "category": category,
        "description": f"{description} ({department})",
        "displayName": f"{name} - {department}{suffix}",
        "lastModifiedDateTime": format_ticks(created + random_.randrange(60 * TICKS_PER_DAY)),
        "createdDateTime": format_ticks(created),
        "deletedDateTime": None,
        "id": key,
        "isEnabled": True,
        "isSchedulingEnabled": scheduled,
        "nextScheduleRunDateTime": None if following is None else format_ticks(following),
        "version": random_.randint(1, 6),
        "executionConditions": conditions,
        "lastModifiedBy": {"id": random_.choice(user_ids)},
        "createdBy": {"id": random_.choice(user_ids)},
        "targetSubjectType": USER_SUBJECT,
    }


def make_version(row: Row, number: int, tasks: Sequence[Row]) -> Row:
    """Return version `number` of the workflow that is `row` now.

    An older version had another name and description, and was replaced when it was last
    modified; its tasks are those of today.
    """
    current: int = row["version"]
    created, modified = (instant(row[name]) for name in ("createdDateTime", "lastModifiedDateTime"))
    ticks = [
        (created + (modified - created) * n // current) // PICOSECONDS_PER_TICK - TICKS_PER_DAY
        for n in (number - 1, number)
    ]
    older = number < current
    return {
        "category": row["category"],
        "description": f"{row['description']}, revision {number}" if older else row["description"],
        "displayName": f"{row['displayName']} (version {number})" if older else row["displayName"],
        "isEnabled": row["isEnabled"],
        "isSchedulingEnabled": row["isSchedulingEnabled"],
        "lastModifiedDateTime": format_ticks(ticks[1]) if older else row["lastModifiedDateTime"],
        "versionNumber": number,
        "createdDateTime": format_ticks(ticks[0]) if number > 1 else row["createdDateTime"],
        "executionConditions": row["executionConditions"],
        "lastModifiedBy": row["lastModifiedBy"],
        "createdBy": row["createdBy"],
        "targetSubjectType": row["targetSubjectType"],
        "tasks": tasks,
    }


def make_tasks(
    seed: int, number: int, category: str, count: int, definitions: Sequence[Row]
) -> list[Row]:
    """Return `count` tasks of the definitions that suit the category of the workflow.

    Every fifth workflow begins with a custom task extension.
    """
    random_ = random.Random(f"tasks/{seed}/{number}")  # noqa: S311 - made-up data
    ids = GuidSeries(f"tasks/{seed}/{number}")
    arguments = GuidSeries(f"arguments/{seed}/{number}")
    suitable = [item for item in definitions if category in item["category"].split(",")]
    random_.shuffle(suitable)
    if number % 5 == 0:
        suitable.sort(key=lambda item: item["id"] != EXTENSION_TASK)
    tasks: list[Row] = []
    for index in range(count):
        definition = suitable[index % len(suitable)]
        values: list[dict[str, Any]] = [
            {
                "name": parameter["name"],
                "value": _ARGUMENTS.get(parameter["name"])
                or next(iter(parameter["values"] or ()), None)
                or arguments.id_at(index),
            }
            for parameter in definition["parameters"]
        ]
        tasks.append(
            {
                "category": definition["category"],
                "continueOnError": index % 3 == 1,
                "description": definition["description"],
                "displayName": definition["displayName"],
                "executionSequence": index + 1,
                "id": ids.id_at(index),
                "isEnabled": True,
                "taskDefinitionId": definition["id"],
                "arguments": values,
            }
        )
    return tasks
