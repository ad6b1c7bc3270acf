"""The inputs of the tenant's settings and of custom task extensions.

Constraints: graph-lifecycle-api.md, section 3, and rows 60a to 61d.
"""

from typing import ClassVar

import strawberry

from gateway.schema.enums import (
    CustomTaskExtensionReplyMode,
    MatchMode,
)
from gateway.schema.given import (
    GRAPH,
    LIFECYCLE,
    an_id,
    between,
    is_true,
    key,
    member,
    not_blank,
    required,
)
from gateway.schema.inputs import EntityReferenceInput
from gateway.schema.scalars import Int64

_NAME = "Name of the extension, unique in the tenant."
_AUTHENTICATED = "How the extension is authenticated."


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


@strawberry.input(description="What of a custom task extension need not be given.")
class _ExtensionMembers:
    """customTaskExtension: graph-lifecycle-api.md, section 3."""

    description: str | None = member("What the extension is for.", nullable=True)
    client_configuration: CustomExtensionClientConfigurationInput | None = member(
        "How the extension is called."
    )
    endpoint_configuration: CustomExtensionEndpointConfigurationInput | None = member(
        "Where the extension is."
    )
    callback_configuration: CustomExtensionCallbackConfigurationInput | None = member(
        "How the extension answers; null where a task does not wait for it.", nullable=True
    )
    reply_mode: CustomTaskExtensionReplyMode | None = member(
        "How the extension answers. The service may not take it: no table of it names this member."
    )


@strawberry.input(description="A logic app that a task can call.")
class CustomTaskExtensionInput(_ExtensionMembers):
    """customTaskExtension as it is created: graph-lifecycle-api.md, row 61a."""

    display_name: str = required(_NAME, not_blank)
    authentication_configuration: CustomExtensionAuthenticationConfigurationInput = required(
        _AUTHENTICATED
    )


EXTENSION_ID = "Identifier of the extension."


@strawberry.input(description="What is to change of a custom task extension.")
class UpdateCustomTaskExtensionInput(_ExtensionMembers):
    """customTaskExtension: graph-lifecycle-api.md, row 61c."""

    custom_task_extension_id: strawberry.ID = key(EXTENSION_ID)
    display_name: str | None = member(_NAME, not_blank)
    authentication_configuration: CustomExtensionAuthenticationConfigurationInput | None = member(
        _AUTHENTICATED
    )


@strawberry.input(description="A custom task extension.")
class CustomTaskExtensionKeyInput:
    """A custom task extension, by its id."""

    custom_task_extension_id: strawberry.ID = key(EXTENSION_ID)
