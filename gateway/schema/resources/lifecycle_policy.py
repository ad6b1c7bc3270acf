"""lifecyclePolicy and its priorities: what is done about agent identities. Beta only.

Source: graph-lifecycle-api.md, section 5.10. What stands there without its members (versions,
report, impact, notificationSchedule) is left out.
"""

from enum import Enum

import strawberry

from gateway.odata.routes import Route
from gateway.plan.model import Shape, Strategy
from gateway.schema import permissions
from gateway.schema.conditions import SubjectSet
from gateway.schema.declare import edge, many, one, prop, resource, text_of
from gateway.schema.enums import SubjectType, unknown_future_value, value
from gateway.schema.reference import EntityReference
from gateway.schema.relay import Node
from gateway.schema.resources.directory_object import DirectoryObject
from gateway.schema.rows import dispatch, read_flags
from gateway.schema.scalars import DateTime

_ODATA_TYPE = "The type as the service names it."


@strawberry.enum(description="Where a lifecycle policy comes from. Beta only.")
class LifecyclePolicySource(Enum):
    """policySource."""

    USER_CREATED = value("userCreated", "Somebody made it.")
    SYSTEM_DEFAULT = value("systemDefault", "The service has it.")
    UNKNOWN_FUTURE_VALUE = unknown_future_value()


@strawberry.interface(description="What is done with an identity that breaks a policy. Beta only.")
class LifecyclePolicyEnforcementAction:
    """lifecyclePolicyEnforcementAction (abstract)."""

    odata_type: str | None = strawberry.field(description=_ODATA_TYPE)
    resolve_type = staticmethod(dispatch("UnknownEnforcementAction"))


@strawberry.type(description="It is deleted. Beta only.")
class DeleteOnlyEnforcementAction(LifecyclePolicyEnforcementAction):
    """deleteOnlyEnforcementAction."""


@strawberry.type(description="It is disabled. Beta only.")
class DisableOnlyEnforcementAction(LifecyclePolicyEnforcementAction):
    """disableOnlyEnforcementAction."""


@strawberry.type(description="It is disabled, and deleted after a time. Beta only.")
class DisableThenDeleteEnforcementAction(LifecyclePolicyEnforcementAction):
    """disableThenDeleteEnforcementAction."""

    deletion_grace_period_in_days: int | None = prop("Days from the one to the other.")


@strawberry.type(description="An action of a type that this gateway does not know. Beta only.")
class UnknownEnforcementAction(LifecyclePolicyEnforcementAction):
    """Any other lifecyclePolicyEnforcementAction."""


@strawberry.type(description="All, but for the members of groups. Beta only.")
class AllExcludingGroupsSubjectSet(SubjectSet):
    """allExcludingGroupsSubjectSet."""

    excluded_groups: list[EntityReference] | None = prop("The groups.")


@strawberry.type(description="All, but for some. Beta only.")
class AllExcludingSpecificObjectsSubjectSet(SubjectSet):
    """allExcludingSpecificObjectsSubjectSet."""

    excluded_objects: list[EntityReference] | None = prop("The objects that are left out.")


@strawberry.type(description="Some. Beta only.")
class SelectedObjectsSubjectSet(SubjectSet):
    """selectedObjectsSubjectSet."""

    in_scope_objects: list[EntityReference] | None = prop("The objects.")


@resource("A rule of a lifecycle policy; which members it has, its type says.", beta=True)
class LifecyclePolicyRule:
    """lifecyclePolicyRule, with the members of all types that derive from it."""

    odata_type: str | None = strawberry.field(description=_ODATA_TYPE)
    is_enabled: bool | None = prop("Whether the rule counts.")
    last_activity_threshold_in_days: int | None = prop(
        "`inactivityRule`: days without activity from which it is broken."
    )
    attestation_interval_in_days: int | None = prop(
        "`periodicAttestationRule`: days from one attestation to the next."
    )
    minimum_sponsor_count: int | None = prop("`sponsorPresenceRule`: the least number of sponsors.")
    invitation_redemption_threshold_in_days: int | None = prop(
        "`invitationRedemptionRule`: days in which an invitation has to be redeemed."
    )


@resource(
    "A policy that identities of agents, or guests, have to keep. Beta only.",
    routes=[Route("lifecyclePolicies/*", select=False)],
    permissions=[permissions.POLICIES],
    beta=True,
    roots={
        "lifecycle_policy": one(
            "lifecyclePolicies/{id}", description="A lifecycle policy. Beta only."
        ),
        "lifecycle_policies": many(
            "lifecyclePolicies",
            selectable=False,
            description="The lifecycle policies of the tenant; at most 10 for each kind of "
            "subject. Beta only.",
        ),
    },
)
class LifecyclePolicy(Node):
    """lifecyclePolicy (abstract), whichever type it is."""

    id: strawberry.ID = prop("Identifier of the policy.", key=True)
    odata_type: str | None = strawberry.field(description=_ODATA_TYPE)
    created_date_time: DateTime | None = prop("When the policy was created.")
    description: str | None = prop("What the policy is for.")
    display_name: str | None = prop("Name of the policy.")
    enforcement_action: LifecyclePolicyEnforcementAction | None = prop(
        "What is done with an identity that breaks a rule."
    )
    grace_period_in_days: int | None = prop("Days until it is done.")
    is_enabled: bool | None = prop("Whether the policy counts.")
    last_modified_date_time: DateTime | None = prop("When the policy was last changed.")
    policy_source: LifecyclePolicySource | None = prop("Where the policy comes from.")
    policy_source_text: str | None = text_of("policy_source")
    scope: SubjectSet | None = prop("Which subjects the policy is for.")
    version_number: int | None = prop("The number of the current version.")
    rules: list[LifecyclePolicyRule] | None = edge(
        "LifecyclePolicyRule",
        Strategy.REQUEST,
        shape=Shape.LIST,
        selectable=False,
        description="The rules of the policy; at most 10.",
    )
    created_by: DirectoryObject | None = edge(
        "DirectoryObject",
        Strategy.REQUEST,
        selectable=False,
        description="Who created the policy.",
    )
    last_modified_by: DirectoryObject | None = edge(
        "DirectoryObject",
        Strategy.REQUEST,
        selectable=False,
        description="Who last changed the policy.",
    )


@resource(
    "The order in which policies count for one kind of subject. Beta only.",
    permissions=[permissions.POLICIES],
    beta=True,
    roots={
        "lifecycle_policy_priority_configurations": many(
            "lifecyclePolicyPriorityConfigurations",
            selectable=False,
            description="The order in which policies count, for each kind of subject. Beta only.",
        ),
    },
)
class LifecyclePolicyPriorityConfiguration:
    """lifecyclePolicyPriorityConfiguration; its id is the kind of subject."""

    id: strawberry.ID = prop("The kind of subject, as the service writes it.", key=True)
    subject_type: list[SubjectType] | None = prop(
        "The kind of subject.", resolver=read_flags("subject_type")
    )
    subject_type_text: str | None = text_of("subject_type")
    ordered_policy_ids: list[strawberry.ID] | None = prop(
        "Identifiers of the policies, the one that counts most first; at most 10."
    )
