"""lifecycleManagementSettings: the tenant's settings."""

import strawberry

from gateway.odata.routes import Route
from gateway.schema import permissions
from gateway.schema.declare import one, prop, resource
from gateway.schema.quarantine import QuarantineConfiguration


@strawberry.type(description="Settings of the e-mails that workflows send.")
class EmailSettings:
    """g:emailSettings."""

    sender_domain: str | None = prop("The domain that the e-mails come from.")
    use_company_branding: bool | None = prop("Whether the e-mails carry the company's branding.")


@resource(
    "The tenant's settings for lifecycle workflows.",
    routes=[Route("settings")],
    permissions=[permissions.READ],
    roots={
        "settings": one("settings", description="The tenant's settings for lifecycle workflows."),
    },
)
class LifecycleManagementSettings:
    """lifecycleManagementSettings: graph-lifecycle-api.md, section 3, other entities."""

    email_settings: EmailSettings | None = prop("Settings of the e-mails that workflows send.")
    quarantine_configuration: QuarantineConfiguration | None = prop(
        "When workflows are put into quarantine."
    )
    workflow_schedule_interval_in_hours: int | None = prop(
        "How often scheduled workflows are run, in hours, from 1 to 24."
    )
