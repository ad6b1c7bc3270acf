"""customTaskExtension: a logic app that a task calls."""

import strawberry

from gateway.odata.routes import Route
from gateway.plan.model import Strategy
from gateway.schema import permissions
from gateway.schema.declare import edge, many, one, prop, resource, text_of
from gateway.schema.enums import CustomTaskExtensionReplyMode
from gateway.schema.filters import (
    DateTimeCondition,
    IdCondition,
    StringCondition,
    filter_of,
    order_of,
)
from gateway.schema.relay import Node
from gateway.schema.resources.user import User
from gateway.schema.rows import dispatch
from gateway.schema.scalars import DateTime

_ODATA_TYPE = "The type as the service names it."


@strawberry.interface(description="How the extension is authenticated.")
class CustomExtensionAuthenticationConfiguration:
    """g:customExtensionAuthenticationConfiguration (abstract)."""

    odata_type: str | None = strawberry.field(description=_ODATA_TYPE)
    resolve_type = staticmethod(dispatch("UnknownAuthenticationConfiguration"))


@strawberry.type(description="A proof-of-possession token of Microsoft Entra ID.")
class AzureAdPopTokenAuthentication(CustomExtensionAuthenticationConfiguration):
    """g:azureAdPopTokenAuthentication."""


@strawberry.type(description="A token of Microsoft Entra ID.")
class AzureAdTokenAuthentication(CustomExtensionAuthenticationConfiguration):
    """g:azureAdTokenAuthentication."""

    resource_id: str | None = prop("The application that the token is for.")


@strawberry.type(description="A configuration of a type that this gateway does not know.")
class UnknownAuthenticationConfiguration(CustomExtensionAuthenticationConfiguration):
    """Any other customExtensionAuthenticationConfiguration."""


@strawberry.interface(description="Where the extension is.")
class CustomExtensionEndpointConfiguration:
    """g:customExtensionEndpointConfiguration (abstract)."""

    odata_type: str | None = strawberry.field(description=_ODATA_TYPE)
    resolve_type = staticmethod(dispatch("UnknownEndpointConfiguration"))


@strawberry.type(description="A logic app with a trigger.")
class LogicAppTriggerEndpointConfiguration(CustomExtensionEndpointConfiguration):
    """g:logicAppTriggerEndpointConfiguration."""

    logic_app_workflow_name: str | None = prop("Name of the logic app.")
    resource_group_name: str | None = prop("The Azure resource group.")
    subscription_id: str | None = prop("The Azure subscription.")
    url: str | None = prop("The address that is called.")


@strawberry.type(description="An endpoint of a type that this gateway does not know.")
class UnknownEndpointConfiguration(CustomExtensionEndpointConfiguration):
    """Any other customExtensionEndpointConfiguration."""


@strawberry.type(description="How the extension is called.")
class CustomExtensionClientConfiguration:
    """g:customExtensionClientConfiguration."""

    maximum_retries: int | None = prop("How often a call is repeated.")
    timeout_in_milliseconds: int | None = prop("How long a call may take, in milliseconds.")


@strawberry.type(description="An application.")
class Application:
    """g:application, the two properties that matter here."""

    id: strawberry.ID = prop("Object id of the application.")
    app_id: str | None = prop("Application (client) id.")
    display_name: str | None = prop("Name of the application.")


@strawberry.type(description="How the extension answers, where a task waits for it.")
class CustomExtensionCallbackConfiguration:
    """g:customExtensionCallbackConfiguration, with customTaskExtensionCallbackConfiguration."""

    odata_type: str | None = strawberry.field(description=_ODATA_TYPE)
    timeout_duration: str | None = prop("How long a task waits, as an ISO 8601 duration.")
    authorized_apps: list[Application] | None = prop("The applications that may answer.")


CustomTaskExtensionFilter = filter_of(
    "CustomTaskExtensionFilter",
    "extensions",
    id=IdCondition,
    created_date_time=DateTimeCondition,
    display_name=StringCondition,
    last_modified_date_time=DateTimeCondition,
)
CustomTaskExtensionOrder = order_of(
    "CustomTaskExtensionOrder", "extensions", "id createdDateTime displayName lastModifiedDateTime"
)


@resource(
    "A logic app that a task can call.",
    routes=[Route("customTaskExtensions/*")],
    permissions=[permissions.EXTENSIONS],
    roots={
        "custom_task_extension": one(
            "customTaskExtensions/{id}", description="A custom task extension."
        ),
        "custom_task_extensions": many(
            "customTaskExtensions",
            filter=CustomTaskExtensionFilter,
            order=CustomTaskExtensionOrder,
            search=True,
            counted=True,
            description="The custom task extensions of the tenant.",
        ),
    },
)
class CustomTaskExtension(Node):
    """customTaskExtension: graph-lifecycle-api.md, section 3, other entities."""

    id: strawberry.ID = prop("Identifier of the extension.", key=True)
    authentication_configuration: CustomExtensionAuthenticationConfiguration | None = prop(
        "How the extension is authenticated."
    )
    callback_configuration: CustomExtensionCallbackConfiguration | None = prop(
        "How the extension answers; null where a task does not wait for it."
    )
    client_configuration: CustomExtensionClientConfiguration | None = prop(
        "How the extension is called."
    )
    created_date_time: DateTime | None = prop("When the extension was created.")
    description: str | None = prop("What the extension is for.")
    display_name: str | None = prop("Name of the extension.")
    endpoint_configuration: CustomExtensionEndpointConfiguration | None = prop(
        "Where the extension is."
    )
    last_modified_date_time: DateTime | None = prop("When the extension was last changed.")
    reply_mode: CustomTaskExtensionReplyMode | None = prop(
        "How the extension answers; null where the service does not tell it."
    )
    reply_mode_text: str | None = text_of("reply_mode")
    created_by: User | None = edge(
        "User",
        Strategy.INLINE,
        Strategy.HYDRATE,
        in_list=False,
        description="Who created the extension.",
    )
    last_modified_by: User | None = edge(
        "User",
        Strategy.INLINE,
        Strategy.HYDRATE,
        in_list=False,
        description="Who last changed the extension.",
    )
