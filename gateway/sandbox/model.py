"""The entity types that are served: what of them may be filtered, ordered, selected.

Source: graph-lifecycle-api.md sections 3 (members) and 4 (enumerations).
"""

from dataclasses import dataclass, field
from typing import Any, Literal

Row = dict[str, Any]
Outcome = tuple[str, ...]
"""The statuses of one user's task processing results."""

Kind = Literal["string", "datetime", "int", "bool", "enum", "flags", "complex", "navigation"]

EQUALITY = frozenset({"eq", "ne", "in"})
RELATIONAL = EQUALITY | {"lt", "le", "gt", "ge"}
NOTHING: frozenset[str] = frozenset()

ENUMS: dict[str, dict[str, int]] = {
    "lifecycleTaskCategory": {"joiner": 1, "leaver": 2, "unknownFutureValue": 4, "mover": 8},
    "lifecycleWorkflowCategory": {"joiner": 0, "leaver": 1, "unknownFutureValue": 2, "mover": 3},
    "lifecycleWorkflowProcessingStatus": {
        "queued": 0,
        "inProgress": 1,
        "completed": 2,
        "completedWithErrors": 3,
        "canceled": 4,
        "failed": 5,
        "unknownFutureValue": 6,
        "canceling": 7,
        "quarantined": 8,
    },
    "workflowExecutionType": {
        "scheduled": 0,
        "onDemand": 1,
        "unknownFutureValue": 2,
        "activatedWithScope": 3,
        "preview": 4,
    },
    "workflowTriggerTimeBasedAttribute": {
        "employeeHireDate": 0,
        "employeeLeaveDateTime": 1,
        "unknownFutureValue": 2,
        "createdDateTime": 3,
    },
}


@dataclass(frozen=True)
class Property:
    """One member: its kind, its documented filter operators, whether it can be ordered by."""

    name: str
    kind: Kind = "string"
    filter: frozenset[str] = NOTHING
    orderby: bool = False
    enum: str = ""


@dataclass(frozen=True)
class EntityType:
    """One entity type.

    `always` comes whatever $select says, `detail` comes only with a single entity, `default`
    (if not empty) is all that comes without $select: graph-lifecycle-api.md section 1,
    What comes without being asked.
    """

    name: str
    properties: dict[str, Property]
    always: frozenset[str] = NOTHING
    detail: frozenset[str] = NOTHING
    default: frozenset[str] = NOTHING
    search: frozenset[str] = field(default=frozenset({"displayName", "description"}))


def _properties(*properties: Property | str) -> dict[str, Property]:
    named = (Property(item) if isinstance(item, str) else item for item in properties)
    return {item.name: item for item in named}


def words(text: str) -> tuple[str, ...]:
    """Return the words of a text."""
    return tuple(text.split())


def _string(name: str) -> Property:
    return Property(name, "string", EQUALITY, True)


def _datetime(name: str, operators: frozenset[str] = RELATIONAL) -> Property:
    return Property(name, "datetime", operators, True)


def _bool(name: str) -> Property:
    return Property(name, "bool", EQUALITY, True)


def _navigation(name: str, operators: frozenset[str] = NOTHING) -> Property:
    return Property(name, "navigation", operators)


_STATUS = Property("processingStatus", "enum", EQUALITY, True, "lifecycleWorkflowProcessingStatus")
_COUNTERS = tuple(
    Property(name, "int")
    for name in ("failedTasksCount", "totalTasksCount", "totalUnprocessedTasksCount")
)
_TASK_RESULTS = _navigation("taskProcessingResults")

WORKFLOW = EntityType(
    "workflow",
    _properties(
        Property("category", "enum", EQUALITY, True, "lifecycleWorkflowCategory"),
        _datetime("createdDateTime"),
        _string("description"),
        _string("displayName"),
        Property("executionConditions", "complex"),
        _bool("isEnabled"),
        _bool("isSchedulingEnabled"),
        _datetime("lastModifiedDateTime"),
        _datetime("deletedDateTime"),
        _string("id"),
        _datetime("nextScheduleRunDateTime", frozenset({"lt", "gt"})),
        Property("quarantineDetails", "complex"),
        Property("settings", "complex"),
        Property("version", "int", RELATIONAL, True),
        _navigation("createdBy", EQUALITY),
        _navigation("lastModifiedBy", EQUALITY),
        *map(
            _navigation,
            (
                "administrationScopeTargets",
                "executionScope",
                "previewScope",
                "runs",
                "taskReports",
                "tasks",
                "userProcessingResults",
                "versions",
            ),
        ),
    ),
    detail=frozenset({"executionConditions", "tasks", "createdBy", "lastModifiedBy"}),
)

RUN = EntityType(
    "run",
    _properties(
        "id",
        Property("activatedOnScope", "complex"),
        _datetime("completedDateTime"),
        _datetime("lastUpdatedDateTime"),
        _datetime("scheduledDateTime"),
        _datetime("startedDateTime"),
        _STATUS,
        Property("workflowExecutionType", "enum", EQUALITY, True, "workflowExecutionType"),
        *_COUNTERS,
        *(
            Property(name, "int")
            for name in ("failedUsersCount", "successfulUsersCount", "totalUsersCount")
        ),
        _TASK_RESULTS,
        _navigation("reprocessedRuns"),
        _navigation("userProcessingResults"),
    ),
)

USER_RESULT = EntityType(
    "userProcessingResult",
    _properties(
        _string("id"),
        _datetime("completedDateTime"),
        _datetime("scheduledDateTime"),
        _datetime("startedDateTime"),
        _STATUS,
        Property("workflowExecutionType", "enum", RELATIONAL, True, "workflowExecutionType"),
        Property("workflowVersion", "int"),
        *_COUNTERS,
        _navigation("reprocessedRuns"),
        _navigation("subject", EQUALITY),
        _TASK_RESULTS,
    ),
)

TASK_RESULT = EntityType(
    "taskProcessingResult",
    _properties(
        _string("id"),
        _datetime("completedDateTime"),
        _datetime("createdDateTime"),
        _datetime("startedDateTime"),
        "failureReason",
        "processingInfo",
        _STATUS,
        _navigation("subject", EQUALITY),
        _navigation("task"),
    ),
    always=frozenset({"subject", "task"}),
)

TASK = EntityType(
    "task",
    _properties(
        _string("id"),
        Property("arguments", "complex"),
        Property("category", "flags", EQUALITY, False, "lifecycleTaskCategory"),
        Property("continueOnError", "bool"),
        "description",
        _string("displayName"),
        Property("executionSequence", "int", NOTHING, True),
        _bool("isEnabled"),
        Property("taskDefinitionId", "string", EQUALITY),
        _TASK_RESULTS,
    ),
)

TASK_DEFINITION = EntityType(
    "taskDefinition",
    _properties(
        "id",
        Property("category", "flags", EQUALITY | {"has"}, True, "lifecycleTaskCategory"),
        Property("continueOnError", "bool"),
        "description",
        _string("displayName"),
        Property("parameters", "complex", frozenset({"any"})),
        Property("version", "int", RELATIONAL, True),
    ),
)

USER = EntityType(
    "user",
    _properties(
        Property("id", "string", frozenset({"eq", "in"})),
        *words(
            "accountEnabled businessPhones city companyName country createdDateTime "
            "deletedDateTime department displayName employeeHireDate employeeId "
            "employeeLeaveDateTime employeeType givenName jobTitle mail mobilePhone "
            "officeLocation preferredLanguage surname usageLocation userPrincipalName userType"
        ),
    ),
    default=frozenset(
        words(
            "businessPhones displayName givenName id jobTitle mail mobilePhone officeLocation "
            "preferredLanguage surname userPrincipalName"
        )
    ),
)

# Every member name below belongs to one enumeration only, or to two with the same sentinel.
_ENUM_MEMBERS = {
    "category": "lifecycleWorkflowCategory",
    "processingStatus": "lifecycleWorkflowProcessingStatus",
    "workflowExecutionType": "workflowExecutionType",
    "timeBasedAttribute": "workflowTriggerTimeBasedAttribute",
}
_WITHHELD = {
    member: frozenset(
        name for name, number in ENUMS[enum].items() if number > ENUMS[enum]["unknownFutureValue"]
    )
    for member, enum in _ENUM_MEMBERS.items()
}


def withhold_unknown_members(value: Any) -> Any:
    """Return `value` with every enum member above the sentinel as `unknownFutureValue`.

    That is what callers without `Prefer: include-unknown-enum-members` get:
    graph-lifecycle-api.md section 4, Evolvable enums.
    """
    if isinstance(value, list):
        return [withhold_unknown_members(item) for item in value]
    if not isinstance(value, dict):
        return value
    result: Row = {}
    for key, item in value.items():
        withheld = _WITHHELD.get(key)
        if withheld and isinstance(item, str):
            members = item.split(",")
            result[key] = ",".join(
                "unknownFutureValue" if member in withheld else member for member in members
            )
        elif isinstance(item, dict | list):
            result[key] = withhold_unknown_members(item)
        else:
            result[key] = item
    return result
