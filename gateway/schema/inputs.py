"""The inputs that workflows, their tasks and their settings are made of.

Constraints: graph-lifecycle-api.md, section 3 (members), section 5.1 (rows 2, 4, 9, 28) and
section 7 (service limits).
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import strawberry

from gateway.schema.enums import (
    ActivationTaskScopeType,
    ActivationUserScopeType,
    LifecycleWorkflowCategory,
    MatchMode,
    MembershipChangeType,
    WorkflowTriggerTimeBasedAttribute,
)
from gateway.schema.given import (
    GRAPH,
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
from gateway.schema.scalars import Int64

MAX_TASKS = 25
MAX_SUBJECTS = 10


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


@strawberry.input(one_of=True, description="What starts a workflow.")
class WorkflowExecutionTriggerInput:
    """workflowExecutionTrigger."""

    time_based_attribute_trigger: TimeBasedAttributeTriggerInput | None = member("A date.")
    attribute_change_trigger: AttributeChangeTriggerInput | None = member("A change of attributes.")
    membership_change_trigger: MembershipChangeTriggerInput | None = member("A change of groups.")
    user_inactivity_trigger: UserInactivityTriggerInput | None = member("A time of inactivity.")


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


# --- activation --------------------------------------------------------------------------------


@strawberry.input(description="Users to run a workflow for, now.")
class ActivateWorkflowInput:
    """graph-lifecycle-api.md, row 6."""

    workflow_id: strawberry.ID = key(WORKFLOW_ID)
    subjects: list[EntityReferenceInput] = required(
        f"The users; from 1 to {MAX_SUBJECTS}.", items(1, MAX_SUBJECTS)
    )


@strawberry.input(description="Objects to preview a workflow for.")
class PreviewWorkflowInput:
    """graph-lifecycle-api.md, row 12."""

    workflow_id: strawberry.ID = key(WORKFLOW_ID)
    subjects: list[EntityReferenceInput] = required(
        "The directory objects; at least one.", items(1)
    )


@strawberry.input(description="Users.")
class ActivateUserScopeInput:
    """activateUserScope."""

    odata_type: ClassVar = f"{LIFECYCLE}activateUserScope"
    users: list[EntityReferenceInput] = required(
        f"The users; from 1 to {MAX_SUBJECTS}.", items(1, MAX_SUBJECTS)
    )


@strawberry.input(description="The members of a group.")
class ActivateGroupScopeInput:
    """activateGroupScope."""

    odata_type: ClassVar = f"{LIFECYCLE}activateGroupScope"
    group: EntityReferenceInput = required("The group.")


@strawberry.input(description="The users of a run, again.")
class ActivateRunScopeInput:
    """activateRunScope."""

    odata_type: ClassVar = f"{LIFECYCLE}activateRunScope"
    run: EntityReferenceInput = required("The run.")
    task_scope: ActivationTaskScopeType = required("Which of its tasks.")
    user_scope: ActivationUserScopeType = required("Which of its users.")


@strawberry.input(description="The users of user processing results, again.")
class ActivateProcessingResultScopeInput:
    """activateProcessingResultScope."""

    odata_type: ClassVar = f"{LIFECYCLE}activateProcessingResultScope"
    processing_results: list[EntityReferenceInput] = required(
        "The user processing results; at least one.", items(1)
    )
    task_scope: ActivationTaskScopeType = required("Which of their tasks.")


@strawberry.input(one_of=True, description="What a workflow is activated for.")
class ActivationScopeInput:
    """activationScope."""

    activate_user_scope: ActivateUserScopeInput | None = member("Users.")
    activate_group_scope: ActivateGroupScopeInput | None = member("The members of a group.")
    activate_run_scope: ActivateRunScopeInput | None = member("The users of a run, again.")
    activate_processing_result_scope: ActivateProcessingResultScopeInput | None = member(
        "The users of user processing results, again."
    )


@strawberry.input(description="What to run a workflow for, now.")
class ActivateWorkflowWithScopeInput:
    """graph-lifecycle-api.md, row 7."""

    workflow_id: strawberry.ID = key(WORKFLOW_ID)
    scope: ActivationScopeInput = required("What the workflow is activated for.")


@strawberry.input(description="Runs to cancel.")
class CancelProcessingInput:
    """graph-lifecycle-api.md, row 8."""

    workflow_id: strawberry.ID = key(WORKFLOW_ID)
    runs: list[EntityReferenceInput] = required(
        "The runs, queued or in progress; at least one. The service takes them one by one.",
        items(1),
    )


# --- settings ----------------------------------------------------------------------------------


@strawberry.input(description="A number of users.")
class CountBasedQuarantineConditionInput:
    """countBasedQuarantineCondition."""

    odata_type: ClassVar = f"{LIFECYCLE}countBasedQuarantineCondition"
    threshold: Int64 = required("The number of users.")


@strawberry.input(description="A share of the users.")
class PercentageBasedQuarantineConditionInput:
    """percentageBasedQuarantineCondition."""

    odata_type: ClassVar = f"{LIFECYCLE}percentageBasedQuarantineCondition"
    percentage: int = required("The share, in percent.", between(0, 100))


@strawberry.input(one_of=True, description="A threshold that puts a workflow into quarantine.")
class QuarantineConditionInput:
    """quarantineCondition."""

    count_based_quarantine_condition: CountBasedQuarantineConditionInput | None = member(
        "A number of users."
    )
    percentage_based_quarantine_condition: PercentageBasedQuarantineConditionInput | None = member(
        "A share of the users."
    )


@strawberry.input(description="When workflows are put into quarantine.")
class QuarantineConfigurationInput:
    """quarantineConfiguration."""

    conditions: list[QuarantineConditionInput] = required("The thresholds.")
    match_mode: MatchMode = required("Whether any or all of them must be exceeded.")


@strawberry.input(description="Settings of the e-mails that workflows send.")
class EmailSettingsInput:
    """g:emailSettings."""

    sender_domain: str | None = member("The domain that the e-mails come from.", not_blank)
    use_company_branding: bool | None = member("Whether the e-mails carry the company's branding.")


@strawberry.input(
    description="The tenant's settings for lifecycle workflows; what is given changes."
)
class UpdateSettingsInput:
    """graph-lifecycle-api.md, row 60a."""

    email_settings: EmailSettingsInput | None = member("Settings of the e-mails.")
    quarantine_configuration: QuarantineConfigurationInput | None = member(
        "When workflows are put into quarantine; null for never.", nullable=True
    )
    workflow_schedule_interval_in_hours: int | None = member(
        "How often scheduled workflows are run, in hours, from 1 to 24.", between(1, 24)
    )


# --- custom task extensions --------------------------------------------------------------------


@strawberry.input(description="A token of Microsoft Entra ID.")
class AzureAdTokenAuthenticationInput:
    """g:azureAdTokenAuthentication."""

    odata_type: ClassVar = f"{GRAPH}azureAdTokenAuthentication"
    resource_id: str = required("The application that the token is for.", an_id)


@strawberry.input(one_of=True, description="How an extension is authenticated.")
class CustomExtensionAuthenticationConfigurationInput:
    """g:customExtensionAuthenticationConfiguration."""

    azure_ad_pop_token_authentication: bool | None = member(
        "Give true: a proof-of-possession token of Microsoft Entra ID.",
        is_true,
        odata_type=f"{GRAPH}azureAdPopTokenAuthentication",
    )
    azure_ad_token_authentication: AzureAdTokenAuthenticationInput | None = member(
        "A token of Microsoft Entra ID."
    )


@strawberry.input(description="A logic app with a trigger.")
class LogicAppTriggerEndpointConfigurationInput:
    """g:logicAppTriggerEndpointConfiguration."""

    odata_type: ClassVar = f"{GRAPH}logicAppTriggerEndpointConfiguration"
    logic_app_workflow_name: str = required("Name of the logic app.", not_blank)
    resource_group_name: str = required("The Azure resource group.", not_blank)
    subscription_id: str = required("The Azure subscription.", an_id)
    url: str | None = member("The address that is called.", not_blank)


@strawberry.input(one_of=True, description="Where an extension is.")
class CustomExtensionEndpointConfigurationInput:
    """g:customExtensionEndpointConfiguration."""

    logic_app_trigger_endpoint_configuration: LogicAppTriggerEndpointConfigurationInput | None = (
        member("A logic app with a trigger.")
    )


@strawberry.input(description="How an extension is called.")
class CustomExtensionClientConfigurationInput:
    """g:customExtensionClientConfiguration."""

    maximum_retries: int | None = member("How often a call is repeated.")
    timeout_in_milliseconds: int | None = member("How long a call may take, in milliseconds.")


@strawberry.input(description="How an extension answers, where a task waits for it.")
class CustomExtensionCallbackConfigurationInput:
    """customTaskExtensionCallbackConfiguration."""

    odata_type: ClassVar = f"{LIFECYCLE}customTaskExtensionCallbackConfiguration"
    timeout_duration: str = required(
        "How long a task waits, as an ISO 8601 duration such as PT1H.", not_blank
    )
    authorized_apps: list[EntityReferenceInput] | None = member("The applications that may answer.")


@strawberry.input(description="A logic app that a task can call.")
class CustomTaskExtensionInput:
    """customTaskExtension: graph-lifecycle-api.md, row 61a."""

    display_name: str | None = member("Name of the extension.", not_blank)
    description: str | None = member("What the extension is for.", nullable=True)
    authentication_configuration: CustomExtensionAuthenticationConfigurationInput | None = member(
        "How the extension is authenticated."
    )
    client_configuration: CustomExtensionClientConfigurationInput | None = member(
        "How the extension is called."
    )
    endpoint_configuration: CustomExtensionEndpointConfigurationInput | None = member(
        "Where the extension is."
    )
    callback_configuration: CustomExtensionCallbackConfigurationInput | None = member(
        "How the extension answers; null where a task does not wait for it.", nullable=True
    )


EXTENSION_ID = "Identifier of the extension."


@strawberry.input(description="What is to change of a custom task extension.")
class UpdateCustomTaskExtensionInput(CustomTaskExtensionInput):
    """customTaskExtension: graph-lifecycle-api.md, row 61c."""

    custom_task_extension_id: strawberry.ID = key(EXTENSION_ID)


@strawberry.input(description="A custom task extension.")
class CustomTaskExtensionKeyInput:
    """A custom task extension, by its id."""

    custom_task_extension_id: strawberry.ID = key(EXTENSION_ID)
