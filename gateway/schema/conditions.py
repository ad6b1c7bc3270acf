"""Execution conditions: when a workflow is run, and for whom."""

import strawberry

from gateway.schema.declare import prop, text_of
from gateway.schema.enums import MembershipChangeType, WorkflowTriggerTimeBasedAttribute
from gateway.schema.reference import EntityReference
from gateway.schema.rows import dispatch

_ODATA_TYPE = "The type as the service names it."


@strawberry.interface(description="When a workflow is run, and for whom.")
class WorkflowExecutionConditions:
    """workflowExecutionConditions (abstract)."""

    odata_type: str | None = strawberry.field(description=_ODATA_TYPE)
    resolve_type = staticmethod(dispatch("UnknownExecutionConditions"))


@strawberry.interface(description="The users that a workflow is run for.")
class SubjectSet:
    """g:subjectSet (abstract)."""

    odata_type: str | None = strawberry.field(description=_ODATA_TYPE)
    resolve_type = staticmethod(dispatch("UnknownSubjectSet"))


@strawberry.interface(description="What starts a workflow.")
class WorkflowExecutionTrigger:
    """workflowExecutionTrigger (abstract)."""

    odata_type: str | None = strawberry.field(description=_ODATA_TYPE)
    resolve_type = staticmethod(dispatch("UnknownExecutionTrigger"))


@strawberry.type(description="The workflow is run on demand only.")
class OnDemandExecutionOnly(WorkflowExecutionConditions):
    """onDemandExecutionOnly."""


@strawberry.type(description="The workflow is run for the objects of a provisioning job.")
class ProvisioningAttributeMapping(WorkflowExecutionConditions):
    """provisioningAttributeMapping."""


@strawberry.type(description="The workflow is run by a trigger, for the users in a scope.")
class TriggerAndScopeBasedConditions(WorkflowExecutionConditions):
    """triggerAndScopeBasedConditions."""

    scope: SubjectSet | None = prop("The users that the workflow is run for.")
    trigger: WorkflowExecutionTrigger | None = prop("What starts the workflow.")


@strawberry.type(description="Conditions of a type that this gateway does not know.")
class UnknownExecutionConditions(WorkflowExecutionConditions):
    """Any other workflowExecutionConditions."""


@strawberry.type(description="The users that a rule selects.")
class RuleBasedSubjectSet(SubjectSet):
    """ruleBasedSubjectSet."""

    rule: str | None = prop("A filter-like rule over user properties, as it was written.")


@strawberry.type(description="The members of groups.")
class GroupBasedSubjectSet(SubjectSet):
    """groupBasedSubjectSet."""

    groups: list[EntityReference] | None = prop("The groups.")


@strawberry.type(description="A scope of a type that this gateway does not know.")
class UnknownSubjectSet(SubjectSet):
    """Any other g:subjectSet."""


@strawberry.type(description="A day relative to a date of the user.")
class TimeBasedAttributeTrigger(WorkflowExecutionTrigger):
    """timeBasedAttributeTrigger."""

    offset_in_days: int | None = prop("Days after the date, from -180 to 180.")
    time_based_attribute: WorkflowTriggerTimeBasedAttribute | None = prop("Which date.")
    time_based_attribute_text: str | None = text_of("time_based_attribute")


@strawberry.type(description="An attribute of a user.")
class TriggerAttribute:
    """triggerAttribute."""

    name: str | None = prop("Name of the attribute.")


@strawberry.type(description="A change of attributes of the user.")
class AttributeChangeTrigger(WorkflowExecutionTrigger):
    """attributeChangeTrigger."""

    trigger_attributes: list[TriggerAttribute] | None = prop("The attributes.")


@strawberry.type(description="A change of the user's membership in the scope's groups.")
class MembershipChangeTrigger(WorkflowExecutionTrigger):
    """membershipChangeTrigger."""

    change_type: MembershipChangeType | None = prop("Whether the user was added or removed.")
    change_type_text: str | None = text_of("change_type")


@strawberry.type(description="A time without any activity of the user.")
class UserInactivityTrigger(WorkflowExecutionTrigger):
    """userInactivityTrigger."""

    inactivity_period_in_days: int | None = prop("The time, in days.")


@strawberry.type(description="A guest with fewer sponsors than a number.")
class GuestSponsorTrigger(WorkflowExecutionTrigger):
    """guestSponsorTrigger."""

    minimum_required_sponsors: int | None = prop("The least number of sponsors of a guest.")


@strawberry.type(description="A trigger of a type that this gateway does not know.")
class UnknownExecutionTrigger(WorkflowExecutionTrigger):
    """Any other workflowExecutionTrigger."""
