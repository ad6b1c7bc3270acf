"""Activation scopes: what a run was activated for."""

import strawberry

from gateway.schema.declare import prop, text_of
from gateway.schema.enums import ActivationTaskScopeType, ActivationUserScopeType
from gateway.schema.reference import EntityReference
from gateway.schema.rows import dispatch


@strawberry.interface(description="What a run was activated for.")
class ActivationScope:
    """activationScope (abstract)."""

    odata_type: str | None = strawberry.field(description="The type as the service names it.")
    resolve_type = staticmethod(dispatch("UnknownActivationScope"))


@strawberry.type(description="The run was activated for users.")
class ActivateUserScope(ActivationScope):
    """activateUserScope."""

    users: list[EntityReference] | None = prop("The users.")


@strawberry.type(description="The run was activated for the members of a group.")
class ActivateGroupScope(ActivationScope):
    """activateGroupScope."""

    group: EntityReference | None = prop("The group.")


@strawberry.type(description="The run reprocesses another run.")
class ActivateRunScope(ActivationScope):
    """activateRunScope."""

    run: EntityReference | None = prop("The run that is reprocessed.")
    task_scope: ActivationTaskScopeType | None = prop("Which of its tasks.")
    task_scope_text: str | None = text_of("task_scope")
    user_scope: ActivationUserScopeType | None = prop("Which of its users.")
    user_scope_text: str | None = text_of("user_scope")


@strawberry.type(description="The run reprocesses user results.")
class ActivateProcessingResultScope(ActivationScope):
    """activateProcessingResultScope."""

    processing_results: list[EntityReference] | None = prop("The user results.")
    task_scope: ActivationTaskScopeType | None = prop("Which of their tasks.")
    task_scope_text: str | None = text_of("task_scope")


@strawberry.type(description="A scope of a type that this gateway does not know.")
class UnknownActivationScope(ActivationScope):
    """Any other activationScope."""
