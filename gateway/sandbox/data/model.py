"""The entity types that are served: what of them may be filtered, ordered, selected.

Source: graph-lifecycle-api.md sections 3 (members) and 4 (enumerations).
"""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

Row = dict[str, Any]
Outcome = tuple[str, ...]
"""The statuses of one user's task processing results."""

Kind = Literal["string", "datetime", "int", "bool", "enum", "flags", "complex", "navigation"]

EQUALITY = frozenset({"eq", "ne", "in"})
RELATIONAL = EQUALITY | {"lt", "le", "gt", "ge"}
NOTHING: frozenset[str] = frozenset()

ENUMS: dict[str, dict[str, int]] = {
    "customTaskExtensionReplyMode": {
        "none": 0,
        "callback": 1,
        "response": 2,
        "unknownFutureValue": 3,
    },
    "lifecycleTaskCategory": {
        "joiner": 1,
        "leaver": 2,
        "unknownFutureValue": 4,
        "mover": 8,
        "extensibility": 16,
    },
    "lifecycleWorkflowCategory": {
        "joiner": 0,
        "leaver": 1,
        "unknownFutureValue": 2,
        "mover": 3,
        "extensibility": 4,
    },
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
    "subjectType": {"user": 1, "unknownFutureValue": 8, "provisioningObject": 16},
    "workflowExecutionType": {
        "scheduled": 0,
        "onDemand": 1,
        "unknownFutureValue": 2,
        "activatedWithScope": 3,
        "preview": 4,
        "extensibilityOnDemand": 5,
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

    `always` comes whatever $select says, `detail` comes only with a single entity, `hidden` only
    with $expand, `default` (if not empty) is all that comes without $select:
    graph-lifecycle-api.md section 1, What comes without being asked. `key` is its key member.
    """

    name: str
    properties: dict[str, Property]
    key: str = "id"
    hidden: frozenset[str] = NOTHING
    always: frozenset[str] = NOTHING
    detail: frozenset[str] = NOTHING
    default: frozenset[str] = NOTHING
    search: frozenset[str] = field(default=frozenset({"displayName", "description"}))

    @cached_property
    def without_subject_filter(self) -> "EntityType":
        """The type with a subject that can't be filtered by: questions.md (9)."""
        subject = self.properties.get("subject")
        if subject is None:
            return self
        members = {**self.properties, "subject": replace(subject, filter=NOTHING)}
        return replace(self, properties=members)


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

_BASE = (
    Property("category", "enum", EQUALITY, True, "lifecycleWorkflowCategory"),
    _datetime("createdDateTime"),
    _string("description"),
    _string("displayName"),
    Property("executionConditions", "complex"),
    _bool("isEnabled"),
    _bool("isSchedulingEnabled"),
    _datetime("lastModifiedDateTime"),
    Property("settings", "complex"),
    _navigation("createdBy", EQUALITY),
    _navigation("lastModifiedBy", EQUALITY),
    _navigation("administrationScopeTargets"),
    _navigation("tasks"),
    Property("targetSubjectType", "flags", enum="subjectType"),
)
_BASE_DETAIL = frozenset(
    words("executionConditions tasks createdBy lastModifiedBy targetSubjectType")
)

WORKFLOW = EntityType(
    "workflow",
    _properties(
        *_BASE,
        _datetime("deletedDateTime"),
        _string("id"),
        _datetime("nextScheduleRunDateTime", frozenset({"lt", "gt"})),
        Property("quarantineDetails", "complex"),
        Property("version", "int", RELATIONAL, True),
        *map(
            _navigation,
            (
                "executionScope",
                "previewScope",
                "runs",
                "subjectProcessingResults",
                "taskReports",
                "userProcessingResults",
                "versions",
            ),
        ),
    ),
    detail=_BASE_DETAIL,
)

WORKFLOW_VERSION = EntityType(
    "workflowVersion",
    _properties(*_BASE, Property("versionNumber", "int", RELATIONAL, True)),
    key="versionNumber",
    detail=_BASE_DETAIL,
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
        _navigation("subjectProcessingResults"),
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
    # It is there for the subject processing result that the row is as well.
    hidden=frozenset({"workflowSubject"}),
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
        Property("workflowSubject", "complex"),
    ),
    always=frozenset({"subject", "task"}),
)

SUBJECT_RESULT = EntityType(
    "subjectProcessingResult",
    _properties(
        "id",
        *(
            Property(name, "datetime")
            for name in ("completedDateTime", "scheduledDateTime", "startedDateTime")
        ),
        replace(_STATUS, orderby=False),
        Property("subjectType", "flags", EQUALITY, enum="subjectType"),
        Property("workflowExecutionType", "enum", EQUALITY, enum="workflowExecutionType"),
        Property("workflowVersion", "int"),
        *_COUNTERS,
        Property("subject", "complex"),
        _navigation("reprocessedRuns"),
        _TASK_RESULTS,
    ),
)

TASK_REPORT = EntityType(
    "taskReport",
    _properties(
        _string("id"),
        _datetime("completedDateTime"),
        Property("lastUpdatedDateTime", "datetime"),
        Property("startedDateTime", "datetime"),
        _STATUS,
        "runId",
        *(
            Property(name, "int", RELATIONAL, True)
            for name in (
                "failedUsersCount",
                "successfulUsersCount",
                "totalUsersCount",
                "unprocessedUsersCount",
            )
        ),
        _navigation("task", EQUALITY),
        _navigation("taskDefinition", EQUALITY),
        _TASK_RESULTS,
    ),
    hidden=frozenset({"task", "taskDefinition"}),
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

WORKFLOW_TEMPLATE = EntityType(
    "workflowTemplate",
    _properties(
        "id",
        Property("category", "enum", frozenset({"eq"}), enum="lifecycleWorkflowCategory"),
        "description",
        _string("displayName"),
        Property("executionConditions", "complex"),
        _navigation("tasks"),
    ),
)

CUSTOM_TASK_EXTENSION = EntityType(
    "customTaskExtension",
    _properties(
        _string("id"),
        _string("displayName"),
        "description",
        _datetime("createdDateTime"),
        _datetime("lastModifiedDateTime"),
        *(
            Property(f"{name}Configuration", "complex")
            for name in ("authentication", "callback", "client", "endpoint")
        ),
        Property("replyMode", "enum", enum="customTaskExtensionReplyMode"),
        _navigation("createdBy"),
        _navigation("lastModifiedBy"),
    ),
    detail=frozenset({"createdBy", "lastModifiedBy"}),
)

SETTINGS = EntityType(
    "lifecycleManagementSettings",
    _properties(
        "id",
        Property("emailSettings", "complex"),
        Property("quarantineConfiguration", "complex"),
        Property("workflowScheduleIntervalInHours", "int"),
    ),
)

LIFECYCLE_POLICY = EntityType(
    "lifecyclePolicy",
    _properties("id", "displayName"),
    hidden=frozenset({"rules", "author"}),
)
POLICY_RULE = EntityType("lifecyclePolicyRule", _properties("id"))
POLICY_PRIORITY = EntityType(
    "lifecyclePolicyPriorityConfiguration", _properties("id", "subjectType")
)
DIRECTORY_OBJECT = EntityType("directoryObject", _properties("id", "deletedDateTime"))


def _complex(name: str) -> EntityType:
    """Return the type of what a function answers; it has no query options."""
    return EntityType(name, {})


AWAITED_RESULT = _complex("awaitedWorkflowProcessingResult")
RUN_SUMMARY = _complex("runSummary")
SUBJECT_SUMMARY = _complex("subjectSummary")
TASK_REPORT_SUMMARY = _complex("taskReportSummary")
USER_SUMMARY = _complex("userSummary")
USERS_PROCESSING_SUMMARY = _complex("usersProcessingSummary")
PREVIEW_FAILED_TASK = _complex("previewFailedTask")
TOP_TASKS_SUMMARY = _complex("topTasksInsightsSummary")
TOP_WORKFLOWS_SUMMARY = _complex("topWorkflowsInsightsSummary")
WORKFLOWS_BY_CATEGORY = _complex("workflowsInsightsByCategory")
WORKFLOWS_SUMMARY = _complex("workflowsInsightsSummary")

# Every member name below belongs to one enumeration only, or to two with the same sentinel.
_ENUM_MEMBERS = {
    "category": "lifecycleWorkflowCategory",
    "processingStatus": "lifecycleWorkflowProcessingStatus",
    "workflowExecutionType": "workflowExecutionType",
    "timeBasedAttribute": "workflowTriggerTimeBasedAttribute",
    "subjectType": "subjectType",
    "targetSubjectType": "subjectType",
    "workflowCategory": "lifecycleWorkflowCategory",
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
