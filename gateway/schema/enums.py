"""Enumerations of graph-lifecycle-api.md, section 4.

They are evolvable: the service may send a member that is not listed. Such a member, and one in
another case, is read tolerantly (`read_tolerantly`) and never fails a row.
"""

from enum import Enum
from typing import Any

import strawberry
from graphql import GraphQLEnumType, GraphQLError, GraphQLSchema

UNKNOWN = "UNKNOWN_FUTURE_VALUE"


@strawberry.enum(description="The stage of the employee lifecycle that a workflow automates.")
class LifecycleWorkflowCategory(Enum):
    """lifecycleWorkflowCategory."""

    JOINER = "joiner"
    LEAVER = "leaver"
    MOVER = "mover"
    UNKNOWN_FUTURE_VALUE = "unknownFutureValue"


@strawberry.enum(description="The stages of the employee lifecycle that a task may be used in.")
class LifecycleTaskCategory(Enum):
    """lifecycleTaskCategory (flags)."""

    JOINER = "joiner"
    LEAVER = "leaver"
    MOVER = "mover"
    UNKNOWN_FUTURE_VALUE = "unknownFutureValue"

    @property
    def is_flag(self) -> bool:
        """A value may have several members at once."""
        return True


@strawberry.enum(description="How far the processing of a run, a user or a task has come.")
class LifecycleWorkflowProcessingStatus(Enum):
    """lifecycleWorkflowProcessingStatus."""

    QUEUED = "queued"
    IN_PROGRESS = "inProgress"
    COMPLETED = "completed"
    COMPLETED_WITH_ERRORS = "completedWithErrors"
    CANCELED = "canceled"
    FAILED = "failed"
    CANCELING = "canceling"
    QUARANTINED = "quarantined"
    UNKNOWN_FUTURE_VALUE = "unknownFutureValue"


@strawberry.enum(description="What started a run.")
class WorkflowExecutionType(Enum):
    """workflowExecutionType."""

    SCHEDULED = "scheduled"
    ON_DEMAND = "onDemand"
    ACTIVATED_WITH_SCOPE = "activatedWithScope"
    PREVIEW = "preview"
    UNKNOWN_FUTURE_VALUE = "unknownFutureValue"


@strawberry.enum(description="Which tasks are run again.")
class ActivationTaskScopeType(Enum):
    """activationTaskScopeType."""

    ALL_TASKS = "allTasks"
    FAILED_TASKS = "failedTasks"
    UNKNOWN_FUTURE_VALUE = "unknownFutureValue"


@strawberry.enum(description="Which users are processed again.")
class ActivationUserScopeType(Enum):
    """activationUserScopeType."""

    ALL_USERS = "allUsers"
    FAILED_USERS = "failedUsers"
    UNKNOWN_FUTURE_VALUE = "unknownFutureValue"


@strawberry.enum(description="Whether any or all conditions have to hold.")
class MatchMode(Enum):
    """matchMode."""

    ANY = "any"
    ALL = "all"
    UNKNOWN_FUTURE_VALUE = "unknownFutureValue"


@strawberry.enum(description="How a membership changed.")
class MembershipChangeType(Enum):
    """membershipChangeType."""

    ADD = "add"
    REMOVE = "remove"
    UNKNOWN_FUTURE_VALUE = "unknownFutureValue"


@strawberry.enum(description="Which threshold put a workflow into quarantine.")
class QuarantineType(Enum):
    """quarantineType."""

    NOT_QUARANTINED = "notQuarantined"
    COUNT_BASED_THRESHOLD_EXCEEDED = "countBasedThresholdExceeded"
    PERCENTAGE_BASED_THRESHOLD_EXCEEDED = "percentageBasedThresholdExceeded"
    MULTIPLE_CONDITIONS_EXCEEDED = "multipleConditionsExceeded"
    UNKNOWN_FUTURE_VALUE = "unknownFutureValue"


@strawberry.enum(description="The type of a parameter's values.")
class ValueType(Enum):
    """valueType."""

    ENUM = "enum"
    STRING = "string"
    INT = "int"
    BOOL = "bool"
    UNKNOWN_FUTURE_VALUE = "unknownFutureValue"


@strawberry.enum(description="What kind of subject a workflow is run for. Beta only.")
class SubjectType(Enum):
    """subjectType."""

    USER = "user"
    PROVISIONING_OBJECT = "provisioningObject"
    UNKNOWN_FUTURE_VALUE = "unknownFutureValue"


@strawberry.enum(description="The date of a user that a trigger counts from.")
class WorkflowTriggerTimeBasedAttribute(Enum):
    """workflowTriggerTimeBasedAttribute."""

    EMPLOYEE_HIRE_DATE = "employeeHireDate"
    EMPLOYEE_LEAVE_DATE_TIME = "employeeLeaveDateTime"
    CREATED_DATE_TIME = "createdDateTime"
    UNKNOWN_FUTURE_VALUE = "unknownFutureValue"


@strawberry.enum(description="How the operation ended that a task waited for.")
class CustomTaskExtensionOperationStatus(Enum):
    """customTaskExtensionOperationStatus."""

    COMPLETED = "completed"
    FAILED = "failed"
    UNKNOWN_FUTURE_VALUE = "unknownFutureValue"


@strawberry.enum(
    description=(
        "What came of a change. Where it was not made, or may not have been, and was the only one, "
        "the mutation itself is null, and its error says so."
    )
)
class ChangeOutcome(Enum):
    """Of the gateway's own making."""

    DONE = strawberry.enum_value("done", description="The service made the change.")
    PARTLY_DONE = strawberry.enum_value(
        "partlyDone", description="Of several changes, some were made and some were refused."
    )
    NOT_DONE = strawberry.enum_value("notDone", description="Of several changes, none was made.")
    UNKNOWN = strawberry.enum_value(
        "unknown",
        description="Nobody can tell of at least one of several changes; look before you repeat.",
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
