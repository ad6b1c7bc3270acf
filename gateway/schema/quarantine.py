"""Quarantine: when a workflow is held back because too much would change at once."""

import strawberry

from gateway.schema.declare import prop, text_of
from gateway.schema.enums import MatchMode, QuarantineType
from gateway.schema.rows import dispatch
from gateway.schema.scalars import DateTime, Int64


@strawberry.type(description="Why and since when a workflow is in quarantine.")
class QuarantineDetails:
    """quarantineDetails."""

    quarantined_date_time: DateTime | None = prop("Since when; null if it is not in quarantine.")
    quarantine_reason: str | None = prop("Why, in words.")
    quarantine_type: QuarantineType | None = prop("Which threshold was exceeded.")
    quarantine_type_text: str | None = text_of("quarantine_type")


@strawberry.interface(description="A threshold that puts a workflow into quarantine.")
class QuarantineCondition:
    """quarantineCondition (abstract)."""

    odata_type: str | None = strawberry.field(description="The type as the service names it.")
    resolve_type = staticmethod(dispatch("UnknownQuarantineCondition"))


@strawberry.type(description="A number of users.")
class CountBasedQuarantineCondition(QuarantineCondition):
    """countBasedQuarantineCondition."""

    threshold: Int64 | None = prop("The number of users.")


@strawberry.type(description="A share of the users.")
class PercentageBasedQuarantineCondition(QuarantineCondition):
    """percentageBasedQuarantineCondition."""

    percentage: int | None = prop("The share, in percent.")


@strawberry.type(description="A condition of a type that this gateway does not know.")
class UnknownQuarantineCondition(QuarantineCondition):
    """Any other quarantineCondition."""


@strawberry.type(description="When a workflow is put into quarantine.")
class QuarantineConfiguration:
    """quarantineConfiguration."""

    conditions: list[QuarantineCondition] | None = prop("The thresholds.")
    match_mode: MatchMode | None = prop("Whether any or all of them must be exceeded.")
    match_mode_text: str | None = text_of("match_mode")


@strawberry.type(description="Settings of a workflow.")
class WorkflowSetting:
    """workflowSetting."""

    quarantine_configuration: QuarantineConfiguration | None = prop(
        "When the workflow is put into quarantine; null for the tenant's own settings."
    )
