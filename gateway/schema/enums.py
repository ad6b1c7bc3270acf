"""Enumerations of graph-lifecycle-api.md, section 4.

They are evolvable: the service may send a member that is not listed. Such a member, and one in
another case, is read tolerantly (`read_tolerantly`) and never fails a row.
"""

from enum import Enum
from typing import Any

import strawberry
from graphql import GraphQLEnumType, GraphQLError, GraphQLSchema

UNKNOWN = "UNKNOWN_FUTURE_VALUE"


def value(name: str, description: str) -> Any:
    """A member of an enumeration: ``name`` as the service writes it."""
    return strawberry.enum_value(name, description=description)


def unknown_future_value() -> Any:
    """The last member of every enumeration that the service may extend."""
    return value(
        "unknownFutureValue",
        "One that this gateway does not know; the field with `Text` at its end has it as written.",
    )


@strawberry.enum(description="The stage of the employee lifecycle that a workflow automates.")
class LifecycleWorkflowCategory(Enum):
    """lifecycleWorkflowCategory."""

    JOINER = value("joiner", "Someone who begins to work here.")
    LEAVER = value("leaver", "Someone who stops working here.")
    MOVER = value("mover", "Someone whose place in the organization changes.")
    EXTENSIBILITY = value(
        "extensibility", "Subjects of any kind that another service hands over, one by one."
    )
    UNKNOWN_FUTURE_VALUE = unknown_future_value()


@strawberry.enum(description="The stages of the employee lifecycle that a task may be used in.")
class LifecycleTaskCategory(Enum):
    """lifecycleTaskCategory (flags)."""

    JOINER = value("joiner", "In workflows for joiners.")
    LEAVER = value("leaver", "In workflows for leavers.")
    MOVER = value("mover", "In workflows for movers.")
    EXTENSIBILITY = value("extensibility", "In workflows for extensibility.")
    UNKNOWN_FUTURE_VALUE = unknown_future_value()

    @property
    def is_flag(self) -> bool:
        """A value may have several members at once."""
        return True


@strawberry.enum(description="How far the processing of a run, a user or a task has come.")
class LifecycleWorkflowProcessingStatus(Enum):
    """lifecycleWorkflowProcessingStatus."""

    QUEUED = value("queued", "It has not begun.")
    IN_PROGRESS = value("inProgress", "It has begun and has not ended.")
    COMPLETED = value("completed", "It ended without an error.")
    COMPLETED_WITH_ERRORS = value("completedWithErrors", "It ended, and some of its tasks failed.")
    CANCELED = value("canceled", "It was stopped before its end.")
    FAILED = value("failed", "It ended with an error.")
    CANCELING = value("canceling", "It is being stopped.")
    QUARANTINED = value(
        "quarantined",
        "It was held back, because more subjects than a threshold allows were in scope.",
    )
    UNKNOWN_FUTURE_VALUE = unknown_future_value()


@strawberry.enum(description="What started a run.")
class WorkflowExecutionType(Enum):
    """workflowExecutionType."""

    SCHEDULED = value("scheduled", "The workflow's own schedule.")
    ON_DEMAND = value("onDemand", "A request for chosen users.")
    ACTIVATED_WITH_SCOPE = value(
        "activatedWithScope", "A request for a scope: users, a group, an earlier run or result."
    )
    PREVIEW = value("preview", "A request to try the workflow on a few users.")
    EXTENSIBILITY_ON_DEMAND = value(
        "extensibilityOnDemand", "A request for one subject of a workflow for extensibility."
    )
    UNKNOWN_FUTURE_VALUE = unknown_future_value()


@strawberry.enum(description="Which tasks are run again.")
class ActivationTaskScopeType(Enum):
    """activationTaskScopeType."""

    ALL_TASKS = value("allTasks", "All tasks of the workflow.")
    FAILED_TASKS = value("failedTasks", "Only those that failed.")
    UNKNOWN_FUTURE_VALUE = unknown_future_value()


@strawberry.enum(description="Which users are processed again.")
class ActivationUserScopeType(Enum):
    """activationUserScopeType."""

    ALL_USERS = value("allUsers", "All users of the run.")
    FAILED_USERS = value("failedUsers", "Only those for whom a task failed.")
    UNKNOWN_FUTURE_VALUE = unknown_future_value()


@strawberry.enum(description="Whether any or all conditions have to hold.")
class MatchMode(Enum):
    """matchMode."""

    ANY = value("any", "One that holds is enough.")
    ALL = value("all", "Each has to hold.")
    UNKNOWN_FUTURE_VALUE = unknown_future_value()


@strawberry.enum(description="How a membership changed.")
class MembershipChangeType(Enum):
    """membershipChangeType."""

    ADD = value("add", "The user came into the scope.")
    REMOVE = value("remove", "The user went out of the scope.")
    UNKNOWN_FUTURE_VALUE = unknown_future_value()


@strawberry.enum(description="Which threshold put a workflow into quarantine.")
class QuarantineType(Enum):
    """quarantineType."""

    NOT_QUARANTINED = value("notQuarantined", "None: the workflow runs.")
    COUNT_BASED_THRESHOLD_EXCEEDED = value("countBasedThresholdExceeded", "The number of subjects.")
    PERCENTAGE_BASED_THRESHOLD_EXCEEDED = value(
        "percentageBasedThresholdExceeded", "The share of subjects."
    )
    MULTIPLE_CONDITIONS_EXCEEDED = value("multipleConditionsExceeded", "More than one threshold.")
    UNKNOWN_FUTURE_VALUE = unknown_future_value()


@strawberry.enum(description="The type of a parameter's values.")
class ValueType(Enum):
    """valueType."""

    ENUM = value("enum", "One of the listed values.")
    STRING = value("string", "Any text.")
    INT = value("int", "A whole number.")
    BOOL = value("bool", "`true` or `false`.")
    UNKNOWN_FUTURE_VALUE = unknown_future_value()


@strawberry.enum(description="The kinds of subjects that a workflow is run for.")
class SubjectType(Enum):
    """subjectType (flags)."""

    USER = value("user", "A user of the directory.")
    AGENT_IDENTITY = value("agentIdentity", "An identity of an AI agent. Beta only.")
    PROVISIONING_OBJECT = value(
        "provisioningObject", "An object of a provisioning job, such as one from an HR system."
    )
    UNKNOWN_FUTURE_VALUE = unknown_future_value()

    @property
    def is_flag(self) -> bool:
        """A value may have several members at once."""
        return True


@strawberry.enum(description="The date of a user that a trigger counts from.")
class WorkflowTriggerTimeBasedAttribute(Enum):
    """workflowTriggerTimeBasedAttribute."""

    EMPLOYEE_HIRE_DATE = value("employeeHireDate", "When the user was, or will be, hired.")
    EMPLOYEE_LEAVE_DATE_TIME = value("employeeLeaveDateTime", "When the user left, or will leave.")
    CREATED_DATE_TIME = value("createdDateTime", "When the user was created in the directory.")
    UNKNOWN_FUTURE_VALUE = unknown_future_value()


@strawberry.enum(description="How a custom task extension answers the task that calls it.")
class CustomTaskExtensionReplyMode(Enum):
    """customTaskExtensionReplyMode; what the members mean is our reading of their names."""

    NONE = value("none", "It does not: the task does not wait.")
    CALLBACK = value("callback", "By resuming the task that waits for it.")
    RESPONSE = value("response", "In the answer to the call itself.")
    UNKNOWN_FUTURE_VALUE = unknown_future_value()


@strawberry.enum(description="How the operation ended that a task waited for.")
class CustomTaskExtensionOperationStatus(Enum):
    """customTaskExtensionOperationStatus."""

    COMPLETED = value("completed", "It did what it was to do.")
    FAILED = value("failed", "It did not.")
    UNKNOWN_FUTURE_VALUE = unknown_future_value()


@strawberry.enum(
    description=(
        "What came of a change. Where it was not made, or may not have been, and was the only one, "
        "the mutation itself is null, and its error says so."
    )
)
class ChangeOutcome(Enum):
    """Of the gateway's own making."""

    DONE = value("done", "The service made the change.")
    PARTLY_DONE = value("partlyDone", "Of several changes, some were made and some were refused.")
    NOT_DONE = value("notDone", "Of several changes, none was made.")
    UNKNOWN = value(
        "unknown", "Nobody can tell of at least one of several changes; look before you repeat."
    )


def read_tolerantly(schema: GraphQLSchema) -> None:
    """Make the evolvable enums of ``schema`` read what the service wrote.

    Members are matched without case; one that is not known becomes UNKNOWN_FUTURE_VALUE
    (questions.md, point 12).
    """
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLEnumType) and UNKNOWN in type_.values:
            _read_tolerantly(type_)


def _read_tolerantly(type_: GraphQLEnumType) -> None:
    names: dict[str, str] = {str(value.value).lower(): name for name, value in type_.values.items()}

    def coerce_output_value(value: Any) -> str:
        if isinstance(value, Enum):
            value = value.value
        if not isinstance(value, str):
            raise GraphQLError(f"{type_.name} can't represent {type(value).__name__}")
        return names.get(value.lower(), UNKNOWN)

    type_.coerce_output_value = coerce_output_value  # type: ignore[method-assign,assignment]
