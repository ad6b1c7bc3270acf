"""The inputs that workflows, their tasks and their settings are made of.

Constraints: graph-lifecycle-api.md, section 3 (members), section 5.1 (rows 2, 4, 9, 28) and
section 7 (service limits).
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import strawberry

from gateway.schema.enums import (
    LifecycleWorkflowCategory,
    MembershipChangeType,
    SubjectType,
    WorkflowTriggerTimeBasedAttribute,
)
from gateway.schema.given import (
    LIFECYCLE,
    an_id,
    between,
    is_true,
    items,
    key,
    member,
    not_blank,
    required,
)

MAX_TASKS = 25


@strawberry.input(description="An object, by its id.")
class EntityReferenceInput:
    """A reference that a navigation property is bound to."""

    id: strawberry.ID = required("Microsoft Graph's id of the object.", an_id)


# --- execution conditions ----------------------------------------------------------------------


@strawberry.input(description="The users that a rule selects.")
class RuleBasedSubjectSetInput:
    """ruleBasedSubjectSet."""

    odata_type: ClassVar = f"{LIFECYCLE}ruleBasedSubjectSet"
    rule: str = required("A filter-like rule over user properties; sent as it is.", not_blank)


@strawberry.input(description="The members of groups.")
class GroupBasedSubjectSetInput:
    """groupBasedSubjectSet."""

    odata_type: ClassVar = f"{LIFECYCLE}groupBasedSubjectSet"
    groups: list[EntityReferenceInput] = required("The groups; at least one.", items(1))


@strawberry.input(one_of=True, description="The users that a workflow is run for.")
class SubjectSetInput:
    """g:subjectSet."""

    rule_based_subject_set: RuleBasedSubjectSetInput | None = member("Users by a rule.")
    group_based_subject_set: GroupBasedSubjectSetInput | None = member("Users by their groups.")


@strawberry.input(description="A day relative to a date of the user.")
class TimeBasedAttributeTriggerInput:
    """timeBasedAttributeTrigger."""

    odata_type: ClassVar = f"{LIFECYCLE}timeBasedAttributeTrigger"
    time_based_attribute: WorkflowTriggerTimeBasedAttribute = required("Which date.")
    offset_in_days: int = required("Days after the date, from -180 to 180.", between(-180, 180))


@strawberry.input(description="An attribute of a user.")
class TriggerAttributeInput:
    """triggerAttribute."""

    name: str = required("Name of the attribute.", not_blank)


@strawberry.input(description="A change of attributes of the user.")
class AttributeChangeTriggerInput:
    """attributeChangeTrigger."""

    odata_type: ClassVar = f"{LIFECYCLE}attributeChangeTrigger"
    trigger_attributes: list[TriggerAttributeInput] = required(
        "The attributes; at least one.", items(1)
    )


@strawberry.input(description="A change of the user's membership in the scope's groups.")
class MembershipChangeTriggerInput:
    """membershipChangeTrigger."""

    odata_type: ClassVar = f"{LIFECYCLE}membershipChangeTrigger"
    change_type: MembershipChangeType = required("Whether the user was added or removed.")


@strawberry.input(description="A time without any activity of the user.")
class UserInactivityTriggerInput:
    """userInactivityTrigger."""

    odata_type: ClassVar = f"{LIFECYCLE}userInactivityTrigger"
    inactivity_period_in_days: int = required("The time, in days.")


@strawberry.input(description="A guest with fewer sponsors than a number.")
class GuestSponsorTriggerInput:
    """guestSponsorTrigger."""

    odata_type: ClassVar = f"{LIFECYCLE}guestSponsorTrigger"
    minimum_required_sponsors: int = required("The least number of sponsors of a guest.")


@strawberry.input(one_of=True, description="What starts a workflow.")
class WorkflowExecutionTriggerInput:
    """workflowExecutionTrigger."""

    time_based_attribute_trigger: TimeBasedAttributeTriggerInput | None = member("A date.")
    attribute_change_trigger: AttributeChangeTriggerInput | None = member("A change of attributes.")
    membership_change_trigger: MembershipChangeTriggerInput | None = member("A change of groups.")
    user_inactivity_trigger: UserInactivityTriggerInput | None = member("A time of inactivity.")
    guest_sponsor_trigger: GuestSponsorTriggerInput | None = member(
        "A guest with too few sponsors. Documented for beta; whether v1.0 takes it is not."
    )


@strawberry.input(description="The workflow is run by a trigger, for the users in a scope.")
class TriggerAndScopeBasedConditionsInput:
    """triggerAndScopeBasedConditions."""

    odata_type: ClassVar = f"{LIFECYCLE}triggerAndScopeBasedConditions"
    scope: SubjectSetInput | None = member("The users that the workflow is run for.")
    trigger: WorkflowExecutionTriggerInput | None = member("What starts the workflow.")


@strawberry.input(one_of=True, description="When a workflow is run, and for whom.")
class WorkflowExecutionConditionsInput:
    """workflowExecutionConditions."""

    on_demand_execution_only: bool | None = member(
        "Give true: the workflow is run on demand only.",
        is_true,
        odata_type=f"{LIFECYCLE}onDemandExecutionOnly",
    )
    trigger_and_scope_based_conditions: TriggerAndScopeBasedConditionsInput | None = member(
        "The workflow is run by a trigger, for the users in a scope."
    )
    provisioning_attribute_mapping: bool | None = member(
        "Give true: the workflow is run for the objects of a provisioning job.",
        is_true,
        odata_type=f"{LIFECYCLE}provisioningAttributeMapping",
    )


# --- workflows and tasks -----------------------------------------------------------------------


@strawberry.input(description="A named argument of a task.")
class KeyValuePairInput:
    """g:keyValuePair."""

    name: str = required("Name of the argument, as the task definition has it.", not_blank)
    value: str | None = member("Value of the argument.", nullable=True)


@strawberry.input(description="A task of a workflow.")
class TaskInput:
    """task, as it is created: graph-lifecycle-api.md, row 2."""

    display_name: str = required("Name of the task.", not_blank)
    task_definition_id: strawberry.ID = required(
        "Identifier of the task definition that the task is an instance of.", an_id
    )
    arguments: list[KeyValuePairInput] = required("Arguments of the task; may be empty.")
    continue_on_error: bool | None = member(
        "Whether the workflow goes on with the next task if this one fails."
    )
    description: str | None = member("What the task is for.", nullable=True)
    is_enabled: bool | None = member("Whether the task is run.")


def _scheduled_but_not_enabled(given: Mapping[str, Any]) -> tuple[str, str] | None:
    if given.get("isSchedulingEnabled") is True and given.get("isEnabled") is False:
        return "isSchedulingEnabled", "can't be true while isEnabled is false"
    return None


@strawberry.input(description="A workflow, whole.")
class WorkflowInput:
    """workflow, as it is created: graph-lifecycle-api.md, rows 2 and 9."""

    broken_by = staticmethod(_scheduled_but_not_enabled)
    category: LifecycleWorkflowCategory = required("The stage of the employee lifecycle.")
    display_name: str = required("Name of the workflow, unique in the tenant.", not_blank)
    description: str | None = member("What the workflow is for.", nullable=True)
    is_enabled: bool | None = member("Whether the workflow can be run; by default it can.")
    is_scheduling_enabled: bool | None = member(
        "Whether the workflow is run on schedule; by default it is not. Can't be true while "
        "isEnabled is false."
    )
    execution_conditions: WorkflowExecutionConditionsInput = required(
        "When and for whom the workflow is run."
    )
    tasks: list[TaskInput] = required(
        f"The tasks, in order; at most {MAX_TASKS}.", items(0, MAX_TASKS)
    )
    target_subject_type: list[SubjectType] | None = member(
        "The kinds of subjects that the workflow is run for; by default users.",
        items(1),
        flags=True,
    )


WORKFLOW_ID = "Identifier of the workflow."


@strawberry.input(description="What of a workflow can change without a new version.")
class UpdateWorkflowInput:
    """graph-lifecycle-api.md, row 4."""

    broken_by = staticmethod(_scheduled_but_not_enabled)
    workflow_id: strawberry.ID = key(WORKFLOW_ID)
    description: str | None = member("What the workflow is for.", nullable=True)
    display_name: str | None = member("Name of the workflow, unique in the tenant.", not_blank)
    is_enabled: bool | None = member("Whether the workflow can be run.")
    is_scheduling_enabled: bool | None = member(
        "Whether the workflow is run on schedule. Can't be true while isEnabled is false."
    )


@strawberry.input(description="A workflow.")
class WorkflowKeyInput:
    """A workflow, by its id."""

    workflow_id: strawberry.ID = key(WORKFLOW_ID)


@strawberry.input(description="A new version of a workflow.")
class CreateNewVersionInput:
    """graph-lifecycle-api.md, row 9."""

    workflow_id: strawberry.ID = key(WORKFLOW_ID)
    workflow: WorkflowInput = required("The workflow as it is to be, with all its tasks.")


@strawberry.input(description="What of a task can change without a new version.")
class UpdateTaskInput:
    """graph-lifecycle-api.md, row 28."""

    workflow_id: strawberry.ID = key(WORKFLOW_ID)
    task_id: strawberry.ID = key("Identifier of the task.")
    description: str | None = member("What the task is for.", nullable=True)
    display_name: str | None = member("Name of the task.", not_blank)
