"""A workflow that is waited for is sent once, however long it takes and whatever happens; and a
change of the settings that needs a read."""

import asyncio
import json
from typing import Any

import pytest

from gateway.settings import Settings
from tests.conftest import Gateway, Start
from tests.upstreams import Answered, Asked, Unusual, graph_error

WAIT = """mutation { activateWorkflowAndWait(input: { workflowId: "w", subject: {
    provisioningObjectWorkflowSubject: { id: "a", attributeSetEntries: [] } } }) {
    outcome awaitedWorkflowProcessingResult { processingStatus statusReasons } } }"""
DONE = Answered({"processingStatus": "completed", "statusReasons": [], "subject": None})
# Shorter than anything that a busy machine does.
QUICK = Settings(read_timeout=0.2, deadline=0.5, connect_timeout=5, wait_timeout=60)


async def test_its_answer_may_take_longer_than_any_other(start: Start) -> None:
    async def late(asked: Asked) -> Answered | None:
        if not asked.url.endswith("/activateAndWait"):
            return None
        await asyncio.sleep(1.0)
        return DONE

    unusual = Unusual(instead=late)
    gateway = await start(unusual=unusual, settings=QUICK)
    payload = (await gateway.data(WAIT))["activateWorkflowAndWait"]
    assert payload == {
        "outcome": "DONE",
        "awaitedWorkflowProcessingResult": {"processingStatus": "COMPLETED", "statusReasons": []},
    }
    [asked] = unusual.asked
    assert (asked.method, asked.item) == ("POST", False)


async def test_it_is_cut_when_the_wait_is_over(start: Start) -> None:
    async def never(asked: Asked) -> Answered | None:
        await asyncio.sleep(30)
        return DONE

    unusual = Unusual(instead=never)
    quick = Settings(read_timeout=0.1, deadline=0.3, connect_timeout=5, wait_timeout=0.3)
    gateway = await start(unusual=unusual, settings=quick)
    [error] = await gateway.errors(WAIT)
    assert error["extensions"]["code"] == "UPSTREAM_TIMEOUT"
    assert error["extensions"]["outcomeUnknown"] is True
    assert len(unusual.asked) == 1


@pytest.mark.parametrize(
    ("answer", "unknown"),
    [
        (graph_error(429, "TooManyRequests", **{"Retry-After": "0"}), None),
        (graph_error(503, "serviceNotAvailable", **{"Retry-After": "0"}), None),
        (graph_error(504, "gatewayTimeout"), True),
        (Answered(b"<html>"), True),
    ],
)
async def test_it_is_never_repeated(start: Start, answer: Answered, unknown: bool | None) -> None:
    unusual = Unusual(instead=lambda _: answer)
    gateway = await start(unusual=unusual)
    [error] = await gateway.errors(WAIT)
    assert error["extensions"].get("outcomeUnknown") is unknown
    assert len(unusual.asked) == 1


async def test_an_answer_that_tells_nothing_is_an_error_of_its_own(start: Start) -> None:
    gateway = await start(unusual=Unusual(instead=lambda _: Answered(None, 204)))
    response = await gateway.query(WAIT)
    assert response["data"]["activateWorkflowAndWait"] == {
        "outcome": "DONE",
        "awaitedWorkflowProcessingResult": None,
    }
    [error] = response["errors"]
    assert error["path"] == ["activateWorkflowAndWait", "awaitedWorkflowProcessingResult"]


SETTINGS = "mutation ($i: UpdateSettingsInput!) { updateSettings(input: $i) { outcome } }"
NOW = {
    "workflowScheduleIntervalInHours": 3,
    "emailSettings": {"senderDomain": "contoso.com", "useCompanyBranding": False},
}


async def sent(start: Start, now: Any, **given: Any) -> tuple[dict[str, Any], list[Asked]]:
    """The response to a change of the settings, and what was sent for it."""

    def service(asked: Asked) -> Answered:
        return Answered(now) if asked.method == "GET" else Answered(None, 204)

    unusual = Unusual(instead=service)
    gateway: Gateway = await start(unusual=unusual)
    return await gateway.query(SETTINGS, i=given), unusual.asked


@pytest.mark.parametrize(
    ("given", "body"),
    [
        ({"workflowScheduleIntervalInHours": 6}, {**NOW, "workflowScheduleIntervalInHours": 6}),
        (
            {"emailSettings": {"useCompanyBranding": True}},
            {
                **NOW,
                "emailSettings": {"senderDomain": "contoso.com", "useCompanyBranding": True},
            },
        ),
        ({"quarantineConfiguration": None}, {**NOW, "quarantineConfiguration": None}),
    ],
)
async def test_what_the_service_needs_besides_is_read_first(
    start: Start, given: dict[str, Any], body: dict[str, Any]
) -> None:
    response, asked = await sent(start, NOW, **given)
    assert response == {"data": {"updateSettings": {"outcome": "DONE"}}}
    assert [request.method for request in asked] == ["GET", "PATCH"]
    assert json.loads(asked[1].body) == body


async def test_nothing_is_read_where_all_is_given(start: Start) -> None:
    _, asked = await sent(start, NOW, **NOW)
    [request] = asked
    assert (request.method, json.loads(request.body)) == ("PATCH", NOW)


async def test_what_nobody_tells_is_asked_of_the_caller(start: Start) -> None:
    response, asked = await sent(start, {"emailSettings": None}, workflowScheduleIntervalInHours=6)
    [error] = response["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["extensions"]["argument"] == "input.emailSettings.senderDomain"
    assert [request.method for request in asked] == ["GET"]


async def test_nothing_changes_where_they_cannot_be_read(start: Start) -> None:
    unusual = Unusual(instead=lambda _: graph_error(403, "Forbidden"))
    gateway = await start(unusual=unusual)
    [error] = await gateway.errors(SETTINGS, i={"workflowScheduleIntervalInHours": 6})
    assert error["extensions"]["code"] == "FORBIDDEN"
    assert "outcomeUnknown" not in error["extensions"]
    assert [request.method for request in unusual.asked] == ["GET"]


EXTENSION = """mutation ($i: CustomTaskExtensionInput!) {
    createCustomTaskExtension(input: $i) { customTaskExtension { id replyMode } } }"""


@pytest.mark.parametrize("name", ["displayName", "authenticationConfiguration"])
async def test_what_a_new_extension_needs_is_named(start: Start, name: str) -> None:
    unusual = Unusual()
    gateway = await start(unusual=unusual)
    whole = {
        "displayName": "Order a desk",
        "authenticationConfiguration": {"azureAdPopTokenAuthentication": True},
        "replyMode": "CALLBACK",
    }
    made = (await gateway.data(EXTENSION, i=whole))["createCustomTaskExtension"]
    assert made["customTaskExtension"]["replyMode"] == "CALLBACK"
    unusual.forget()
    given = {key: value for key, value in whole.items() if key != name}
    response = await gateway.post({"query": EXTENSION, "variables": {"i": given}})
    assert name in response.json()["errors"][0]["message"]
    assert unusual.asked == []
