"""Filter and order arguments: exactly the operators that are documented for each property.

Sources: graph-lifecycle-api.md, section 3 ($filter and $orderby columns); questions.md, points 8
and 9. `in` is sent as `eq … or eq …`, because only `eq` is documented.
"""

from enum import Enum
from typing import Any, Optional

import strawberry

from gateway.errors import DeclarationError
from gateway.internals import retype
from gateway.odata.filter import Ranked
from gateway.schema.enums import (
    LifecycleTaskCategory,
    LifecycleWorkflowCategory,
    LifecycleWorkflowProcessingStatus,
    SubjectType,
    WorkflowExecutionType,
    value,
)
from gateway.schema.scalars import DateTime

_OPERATORS = {
    "eq": "Equal to; null asks for a missing value.",
    "ne": "Not equal to; null asks for any value.",
    "lt": "Less than, or before.",
    "le": "Less than or equal to, or not after.",
    "gt": "Greater than, or after.",
    "ge": "Greater than or equal to, or not before.",
    "in": "Equal to one of these.",
    "has": "Among the values is this one.",
    "contains": "This is a part of it, in whichever case.",
}


def _input(name: str, description: str, fields: dict[str, tuple[Any, Any]]) -> Any:
    namespace: dict[str, Any] = {"__module__": __name__, "__doc__": description}
    namespace["__annotations__"] = {field: type_ for field, (type_, _) in fields.items()}
    namespace |= {field: made for field, (_, made) in fields.items()}
    return strawberry.input(type(name, (), namespace), description=description)


def condition(name: str, type_: Any, operators: str) -> Any:
    """The input type ``name``: conditions on a value.

    Args:
        name: of the type.
        type_: of the value: a scalar or an enumeration.
        operators: the documented ones, separated by spaces.
    """
    fields = {}
    for operator in operators.split():
        made = strawberry.field(
            name=operator, default=strawberry.UNSET, description=_OPERATORS[operator]
        )
        of = list[type_] if operator == "in" else type_
        fields[f"{operator}_"] = (Optional[of], made)
    return _input(name, "Conditions on a value; all that are given must hold.", fields)


IdCondition = condition("IdCondition", strawberry.ID, "eq ne in")
StringCondition = condition("StringCondition", str, "eq ne in")
BooleanCondition = condition("BooleanCondition", bool, "eq ne")
IntCondition = condition("IntCondition", int, "eq ne lt le gt ge in")
DateTimeCondition = condition("DateTimeCondition", DateTime, "eq ne lt le gt ge")
ScheduleCondition = condition("ScheduleCondition", DateTime, "lt gt")
StatusCondition = condition("StatusCondition", LifecycleWorkflowProcessingStatus, "eq ne in")
ExecutionTypeCondition = condition("ExecutionTypeCondition", WorkflowExecutionType, "eq ne in")
CategoryCondition = condition("CategoryCondition", LifecycleWorkflowCategory, "eq ne in")
SubjectTypeCondition = condition("SubjectTypeCondition", SubjectType, "eq ne")
TaskCategoryCondition = condition("TaskCategoryCondition", LifecycleTaskCategory, "eq ne has")


def filter_of(name: str, rows: str, **conditions: Any) -> Any:
    """The input type ``name``: a filter over ``rows``, with a condition on each property.

    Args:
        name: of the type.
        rows: the rows in words, plural.
        conditions: the condition's type by the property's name in snake_case.

    Raises:
        DeclarationError: a name is not in snake_case.
    """
    fields: dict[str, tuple[Any, Any]] = {}
    for python_name, on_it in conditions.items():
        if python_name != python_name.lower():
            raise DeclarationError(name, f"has {python_name}, which is not in snake_case")
        made = strawberry.field(default=strawberry.UNSET, description="A condition on it.")
        fields[python_name] = (Optional[on_it], made)
    for logic, text in (
        ("and", "All of these must hold."),
        ("or", "At least one of these must hold."),
        ("not", "This must not hold."),
    ):
        made = strawberry.field(name=logic, default=strawberry.UNSET, description=text)
        fields[f"{logic}_"] = (Optional[bool], made)
    filter_ = _input(name, f"Which {rows}; all conditions that are given must hold.", fields)
    several = Optional[list[filter_]]  # type: ignore[valid-type]
    retype(filter_, and_=several, or_=several, not_=Optional[filter_])
    return filter_


@strawberry.enum(description="Which way to sort.")
class OrderDirection(Enum):
    """Directions of ``$orderby``."""

    ASC = value("asc", "The smallest, or earliest, first.")
    DESC = value("desc", "The largest, or latest, first.")


# Enumerations sort by their numbers, which are in this order (lifecycle.csdl.xml).
_RANKS = {
    "processingStatus": (
        *("queued", "inProgress", "completed", "completedWithErrors", "canceled", "failed"),
        *("unknownFutureValue", "canceling", "quarantined"),
    ),
}


def order_of(name: str, rows: str, properties: str) -> Any:
    """The input type ``name``: an order of ``rows`` by one of ``properties``.

    Args:
        name: of the type.
        rows: the rows in words, plural.
        properties: their names, separated by spaces.
    """
    members = {
        _screaming(p): Ranked(p, _RANKS[p]) if p in _RANKS else p for p in properties.split()
    }
    make: Any = Enum
    property_ = make(f"{name}Field", members, module=__name__)
    field = strawberry.enum(property_, description=f"What {rows} are sorted by.")
    return _input(
        name,
        f"How {rows} are sorted.",
        {
            "field": (field, strawberry.field(description="The property.")),
            "direction": (
                OrderDirection,
                strawberry.field(default=OrderDirection.ASC, description="Which way."),
            ),
        },
    )


def _screaming(name: str) -> str:
    return "".join(f"_{c}" if c.isupper() else c.upper() for c in name)


# What workflows and their versions have in common.
WORKFLOW_CONDITIONS = {
    "category": CategoryCondition,
    "created_date_time": DateTimeCondition,
    "display_name": StringCondition,
    "is_enabled": BooleanCondition,
    "is_scheduling_enabled": BooleanCondition,
    "last_modified_date_time": DateTimeCondition,
}
WORKFLOW_ORDER = (
    "category createdDateTime displayName isEnabled isSchedulingEnabled lastModifiedDateTime"
)
