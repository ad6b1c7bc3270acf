"""Mutations that are more than one request whose answer is the payload.

Rows are those of graph-lifecycle-api.md, section 5.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import strawberry

from gateway.errors import BadUserInput, GatewayError, GraphError, NotFound, NotSupported
from gateway.odata.query import GraphRequest
from gateway.odata.query import change as request_of
from gateway.plan.nodes import Place
from gateway.schema.activation_inputs import (
    ActivateWorkflowAndWaitInput,
    ActivateWorkflowWithScopeInput,
    CancelProcessingInput,
    PreviewWorkflowInput,
)
from gateway.schema.change import MutationField, Row, sending
from gateway.schema.enums import ChangeOutcome, CustomTaskExtensionOperationStatus
from gateway.schema.given import GRAPH, LIFECYCLE, body_of, key, member, required
from gateway.schema.inputs import WORKFLOW_ID
from gateway.schema.tenant_inputs import UpdateSettingsInput

W = "workflows/{workflowId}"
RESULT_OF_TASK = f"{W}/tasks/{{taskId}}/taskProcessingResults/{{taskProcessingResultId}}"


@strawberry.input(description="What a task waits for.")
class CustomTaskExtensionCallbackDataInput:
    """customTaskExtensionCallbackData."""

    operation_status: CustomTaskExtensionOperationStatus = required("How the operation ended.")


@strawberry.input(description="A task result that waits for its custom task extension.")
class ResumeTaskProcessingResultInput:
    """graph-lifecycle-api.md, section 6."""

    workflow_id: strawberry.ID = key(WORKFLOW_ID)
    task_id: strawberry.ID = key("Identifier of the task.")
    task_processing_result_id: strawberry.ID = key("Identifier of the task result.")
    data: CustomTaskExtensionCallbackDataInput = required("How the operation ended.")
    source: str | None = member("Who answers.", nullable=True)
    type: str | None = member("What kind of event this is.", nullable=True)


async def cancel(field: MutationField) -> Row:
    """One request per run, because the service takes one run at a time (row 8)."""
    given = field.given
    runs = body_of(CancelProcessingInput, given)["runs"]
    path = field.path(f"{W}/cancelProcessing")
    replies = await field.send_all(
        [
            request_of(
                "POST",
                path,
                {"scope": {"@odata.type": f"{LIFECYCLE}cancelRunsScope", "runs": [run]}},
            )
            for run in runs
        ]
    )
    found: list[Place | GatewayError] = []
    for number, (run, reply) in enumerate(zip(runs, replies, strict=True)):
        if reply.error is not None:
            reply.error.extensions["argument"] = f"input.runs[{number}]"
            found.append(reply.error)
        else:
            at = field.path(f"{W}/runs/{{runId}}", {**given, "runId": run["id"]})
            found.append(Place(field.routes.addressed(at), {"id": run["id"]}))
    errors = [it for it in found if isinstance(it, GatewayError)]
    came_of_it = _outcome(errors, len(found))
    if errors and not (field.selects("runs") or field.selects("outcome")):
        errors[0].extensions["outcome"] = came_of_it.name
        raise errors[0]
    payload = await field.payload(
        {"runs": found, "workflow": Place(field.routes.addressed(field.path(W)))}
    )
    return {**payload, "outcome": came_of_it}


def _outcome(errors: Sequence[GatewayError], changes: int) -> ChangeOutcome:
    """The outcome of so many changes, of which some ended with errors."""
    if any(error.extensions.get("outcomeUnknown") for error in errors):
        return ChangeOutcome.UNKNOWN
    if not errors:
        return ChangeOutcome.DONE
    return ChangeOutcome.PARTLY_DONE if len(errors) < changes else ChangeOutcome.NOT_DONE


async def preview(field: MutationField) -> Row:
    """Users are sent with their type, because the parameter is of any directory object (row 12)."""
    path = field.path(W)
    subjects = body_of(PreviewWorkflowInput, field.given)["subjects"]
    users = [{"@odata.type": f"{GRAPH}user", **subject} for subject in subjects]
    await field.send(request_of("POST", f"{path}/previewWorkflow", {"subjects": users}))
    return await field.payload({"workflow": Place(field.routes.addressed(path))})


async def preview_failures(field: MutationField) -> Row:
    """The service answers the tasks that would fail, in a list (row 13)."""
    path = field.path(W)
    answer = await field.send(request_of("POST", f"{path}/previewTaskFailures"))
    failures = answer.get("value") if isinstance(answer, dict) else None
    if not isinstance(failures, list):
        failures = GraphError("the preview was made, but the service answered no list of tasks")
    payload = await field.payload({"workflow": Place(field.routes.addressed(path))})
    return {**payload, "previewFailedTasks": failures}


_with_scope = sending(
    ActivateWorkflowWithScopeInput, "POST", f"{W}/activateWithScope", edge="workflow", at=W
)


async def activate_with_scope(field: MutationField) -> Row:
    """406 is the service's answer to unknown users, without a documented body (row 7)."""
    try:
        return await _with_scope(field)
    except GatewayError as error:
        if error.extensions.get("status") != 406:
            raise
        details = {name: value for name, value in error.extensions.items() if name != "code"}
        raise NotFound(
            f"a subject of the scope was not found or is not eligible: {error.message}", **details
        ) from None


_resuming = sending(
    ResumeTaskProcessingResultInput,
    "POST",
    f"{RESULT_OF_TASK}/resume",
    edge="taskProcessingResult",
    at=RESULT_OF_TASK,
)


async def resume(field: MutationField) -> Row:
    """Off unless a setting allows it: who may resume is disputed (questions.md, point 16)."""
    if not field.context.allow_resume:
        raise NotSupported(
            "resuming is switched off here; the setting GATEWAY_ALLOW_RESUME=true allows it"
        )
    return await _resuming(field)


async def activate_and_wait(field: MutationField) -> Row:
    """The service answers when the workflow has ended (row 10; questions.md, point 42)."""
    path = field.path(W)
    body = body_of(ActivateWorkflowAndWaitInput, field.given)
    request = request_of("POST", f"{path}/activateAndWait", body)
    answer = await field.send(replace(request, waits=field.context.wait_timeout))
    if not isinstance(answer, dict):
        answer = GraphError("the workflow was run, but the service did not answer what came of it")
    payload = await field.payload({"workflow": Place(field.routes.addressed(path))})
    return {**payload, "awaitedWorkflowProcessingResult": answer}


_INTERVAL, _EMAIL = "workflowScheduleIntervalInHours", "emailSettings"
_EMAIL_MEMBERS = ("senderDomain", "useCompanyBranding")


async def update_settings(field: MutationField) -> Row:
    """Both members that a page names are sent (row 60a; questions.md, point 38)."""
    body = body_of(UpdateSettingsInput, field.given)
    if not body:
        raise BadUserInput("holds nothing to change", argument="input")
    path = field.path("settings")
    if _INTERVAL not in body or not _has_all(body.get(_EMAIL)):
        read = await field.read(GraphRequest(path))
        body = _filled(body, read if isinstance(read, dict) else {})
    await field.send(request_of("PATCH", path, body))
    return await field.payload({"settings": Place(field.routes.addressed(path))})


def _has_all(email: Any) -> bool:
    return isinstance(email, dict) and all(name in email for name in _EMAIL_MEMBERS)


def _filled(body: Row, there: Mapping[str, Any]) -> Row:
    """The body with what it lacks, from the settings as they are.

    Raises:
        BadUserInput: they do not have it either; names it.
    """
    found = there.get(_EMAIL)
    now: Row = found if isinstance(found, dict) else {}
    email = {name: now[name] for name in _EMAIL_MEMBERS if name in now} | body.get(_EMAIL, {})
    whole = {_INTERVAL: there.get(_INTERVAL), **body, _EMAIL: email}
    lacking = [f"{_EMAIL}.{name}" for name in _EMAIL_MEMBERS if email.get(name) is None]
    lacking += [_INTERVAL] if whole[_INTERVAL] is None else []
    if lacking:
        rule = "the service takes no change without it, and does not tell how it is now"
        raise BadUserInput(rule, argument=f"input.{lacking[0]}")
    return whole
