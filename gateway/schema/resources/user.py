"""user: the person that a workflow is processed for, or who made it."""

from typing import Annotated, Any

import strawberry

from gateway.odata.routes import Route
from gateway.plan.model import Lookup, Strategy
from gateway.schema import permissions
from gateway.schema.declare import edge, prop, resource
from gateway.schema.relay import Node
from gateway.schema.scalars import DateTime

USER_STRATEGIES = (Strategy.INLINE, Strategy.EXPAND, Strategy.HYDRATE)


def author(description: str) -> Any:
    """An edge to who made or changed a workflow: a stub on the single entity, not in lists."""
    return edge(
        "User", *USER_STRATEGIES, in_list=False, expand_on_get=True, description=description
    )


@resource(
    "A user of the directory. Only `id` is known without a directory permission. A user who "
    "has been deleted keeps the `id`; everything else is null.",
    routes=[Route("/users/*")],
    permissions=[permissions.USER_BASIC],
    lookup=Lookup(
        collection="users",
        deleted_at="deletedDateTime",
        by_ids="directoryObjects/getByIds",
        deleted="directory/deletedItems/microsoft.graph.user",
        kind="user",
        # What v1.0 returns without $select (graph-lifecycle-api.md, section 3, g:user).
        defaults=frozenset(
            {
                "businessPhones",
                "displayName",
                "givenName",
                "id",
                "jobTitle",
                "mail",
                "mobilePhone",
                "officeLocation",
                "preferredLanguage",
                "surname",
                "userPrincipalName",
            }
        ),
    ),
)
class User(Node):
    """g:user, the subset of graph-lifecycle-api.md, section 3."""

    id: strawberry.ID = prop("Object id in Microsoft Entra ID.", key=True)
    account_enabled: bool | None = prop("Whether the account is enabled.")
    business_phones: list[str] | None = prop("Telephone numbers.")
    city: str | None = prop("The city where the user is located.")
    company_name: str | None = prop("The company that the user is associated with.")
    country: str | None = prop("The country or region where the user is located.")
    created_date_time: DateTime | None = prop("When the user object was created.")
    deleted_date_time: DateTime | None = prop(
        "When the user was deleted; null if not, or too long ago."
    )
    department: str | None = prop("The department where the user works.")
    display_name: str | None = prop("The name shown in the address book.")
    employee_hire_date: DateTime | None = prop("When the user was, or will be, hired.")
    employee_id: str | None = prop("The employee identifier assigned by the organization.")
    employee_leave_date_time: DateTime | None = prop(
        f"When the user left, or will leave. Takes `{permissions.LEAVE_DATE}` on top of reading "
        "the user: without it the service answers null as if there were no date."
    )
    employee_type: str | None = prop("The kind of worker, such as Employee or Contractor.")
    given_name: str | None = prop("First name.")
    job_title: str | None = prop("The title of the position, such as Accountant.")
    mail: str | None = prop("SMTP address.")
    mobile_phone: str | None = prop("Primary cellular telephone number.")
    office_location: str | None = prop("Office location at the place of business.")
    preferred_language: str | None = prop("Preferred language, as an ISO 639-1 code.")
    surname: str | None = prop("Last name.")
    usage_location: str | None = prop("Two-letter country code (ISO 3166).")
    user_principal_name: str | None = prop("The name that the user signs in with.")
    user_type: str | None = prop("Member or Guest.")
    manager: Annotated["User", strawberry.lazy(".user")] | None = edge(
        "User",
        Strategy.EXPAND,
        Strategy.HYDRATE,
        expand_on_get=True,
        description="The user's manager; null if there is none or it is not a user.",
    )
