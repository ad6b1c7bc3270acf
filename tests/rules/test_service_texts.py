"""What the service says is told, but not at any length, and not as lines of a log.

The kind: a text that the service chose goes on as it came. It can occur in the message, code and
request id of an error (of a lone request, of an item of a `$batch`, of a change), in Retry-After
and in the claims of a challenge, in what graphql-core says of a value that does not fit the
schema, and in the lines of the log: of changes, of capabilities, of connections.
"""

import base64
import logging
from typing import Any

import pytest

from gateway.errors import LONGEST_CLAIMS
from gateway.graph.errors import LONGEST_DETAIL, LONGEST_MESSAGE
from gateway.settings import Settings
from tests.conftest import TOKEN, Gateway, Start
from tests.upstreams import Answered, Asked, Unusual

LONG = "x" * 100_000
LIST = "lifecycleWorkflows/workflows"
NAMES = "{ workflows(first: 3) { nodes { displayName } } }"
RUNS = "{ workflows(first: 3) { nodes { runs(first: 1) { nodes { id } } } } }"
RENAME = """mutation {
  updateWorkflow(input: { workflowId: "w", displayName: "New" }) { workflow { displayName } } }"""
SMALL = 20_000
"""Characters of an answer whose errors are cut; uncut, it has 100,000 at least."""


def failing(part: str, status: int = 400, **error: Any) -> Unusual:
    """A service that refuses what has ``part`` in its URL with this error."""
    headers = error.pop("headers", {})

    def instead(asked: Asked) -> Answered | None:
        if part not in asked.url:
            return None
        return Answered({"error": {"code": "code", "message": "no", **error}}, status, headers)

    return Unusual(instead=instead)


async def errors(gateway: Gateway, query: str, **variables: Any) -> list[dict[str, Any]]:
    response = await gateway.post({"query": query, "variables": variables})
    assert len(response.text) < SMALL
    return response.json()["errors"]


@pytest.mark.parametrize(("query", "part"), [(NAMES, LIST), (RUNS, "/runs")])
@pytest.mark.parametrize("status", [400, 403, 404, 500, 503])
async def test_a_long_message_is_cut(start: Start, query: str, part: str, status: int) -> None:
    gateway = await start(Settings(max_attempts=1), unusual=failing(part, status, message=LONG))
    for error in await errors(gateway, query):
        message, _, added = error["message"].partition(" (")
        assert message == "x" * (LONGEST_MESSAGE - 1) + "…"
        assert bool(added) == (status == 403)


@pytest.mark.parametrize("status", [400, 404, 409, 500, 502])
async def test_so_is_one_about_a_change(start: Start, status: int) -> None:
    unusual = failing("workflows/w", status, message=LONG, code=LONG)
    [error] = await errors(await start(unusual=unusual), RENAME)
    assert error["message"].startswith("x" * (LONGEST_MESSAGE - 1) + "…")
    assert len(error["message"]) < LONGEST_MESSAGE + 100
    assert len(error["extensions"]["serviceCode"]) == LONGEST_DETAIL


async def test_a_message_that_is_not_long_is_told_whole(start: Start) -> None:
    message = "é" * LONGEST_MESSAGE
    [error] = await errors(await start(unusual=failing(LIST, message=message)), NAMES)
    assert error["message"] == message


async def test_codes_and_ids_are_cut(start: Start) -> None:
    unusual = failing(
        "/runs",
        429,
        code=LONG,
        innerError={"request-id": LONG},
        headers={"Retry-After": LONG},
    )
    for error in await errors(await start(Settings(max_attempts=1), unusual=unusual), RUNS):
        told = error["extensions"]
        for name in ("serviceCode", "requestId", "retryAfter"):
            assert told[name] == "x" * (LONGEST_DETAIL - 1) + "…"


@pytest.mark.parametrize("before", range(LONGEST_MESSAGE - len(TOKEN) - 2, LONGEST_MESSAGE + 2, 7))
async def test_no_part_of_a_token_is_left_by_the_cut(start: Start, before: int) -> None:
    message = "x" * before + TOKEN + LONG
    [error] = await errors(await start(unusual=failing(LIST, message=message)), NAMES)
    assert set(error["message"]) == {"x", "…"}


@pytest.mark.parametrize("value", [LONG, [LONG], {"a": LONG}, {LONG: 1}])
@pytest.mark.parametrize(
    "name", ["totalUsersCount", "startedDateTime", "processingStatus", "workflowExecutionType"]
)
async def test_a_long_value_that_does_not_fit_is_not_quoted(
    start: Start, name: str, value: Any
) -> None:
    def change(asked: Asked, answer: Answered) -> None:
        if "/runs" in asked.url:
            answer.body["value"][0][name] = value

    gateway = await start(unusual=Unusual(change=change))
    query = RUNS.replace("{ id }", f"{{ {name} }}")
    response = await gateway.post({"query": query})
    if isinstance(value, str) and name != "totalUsersCount":
        assert "errors" not in response.json()  # Any text is one that the service may write.
        return
    assert len(response.text) < SMALL
    for error in response.json()["errors"]:
        assert len(error["message"]) <= LONGEST_MESSAGE


@pytest.mark.parametrize(("size", "told"), [(LONGEST_CLAIMS, True), (LONGEST_CLAIMS + 1, False)])
async def test_long_claims_are_no_challenge(start: Start, size: int, told: bool) -> None:
    claims = base64.b64encode(b"y" * size).decode()

    def instead(asked: Asked) -> Answered | None:
        if "/runs" not in asked.url:
            return None
        headers = {"WWW-Authenticate": f'Bearer claims="{claims}"'}
        return Answered({"error": {"code": "c", "message": "m"}}, 401, headers)

    for error in await errors(await start(unusual=Unusual(instead=instead)), RUNS):
        assert error["extensions"]["code"] == "UNAUTHENTICATED"
        assert ("claims" in error["extensions"]) is told


# --- the log ------------------------------------------------------------------------------------

FORGED = "x\nmutation=deleteWorkflow caller=somebody\u2028outcome=OK\r"


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.name.startswith("gateway")]


@pytest.mark.parametrize("status", [204, 403])
async def test_the_line_of_a_change_is_short_and_one(
    start: Start, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    def instead(asked: Asked) -> Answered | None:
        if asked.method != "POST":
            return None
        inner = {"request-id": FORGED + LONG}
        headers = {"request-id": "y" * 8_000}
        body = {"error": {"code": FORGED, "message": FORGED, "innerError": inner}}
        return Answered(body if status != 204 else None, status, headers)

    activate = 'mutation { activateWorkflow(input: { workflowId: "w", subjects: [{id: "%s"}] })'
    activate = activate % "7b7c6686-e82b-4eae-9d96-4b3c89e2ad6b" + " { __typename } }"
    caplog.set_level(logging.INFO)
    gateway = await start(unusual=Unusual(instead=instead))
    await gateway.post({"query": activate})
    [line] = [line for line in lines(caplog) if line.startswith("mutation=activateWorkflow")]
    assert len(line) < 1000
    assert line.isprintable()
    assert f"status={status}" in line
    assert "request-id=-" not in line


async def test_the_line_of_a_capability_is_short_and_one(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    def instead(asked: Asked) -> Answered | None:
        if "$select" not in asked.url and "%24select" not in asked.url:
            return None
        message = f"$select is not for you {FORGED} {LONG}"
        return Answered({"error": {"code": "BadRequest", "message": message}}, 400)

    gateway = await start(unusual=Unusual(instead=instead))
    await gateway.data(NAMES)
    found = [line for line in lines(caplog) if "$select" in line]
    assert found
    for line in found:
        assert len(line) < LONGEST_MESSAGE + 100
        assert line.isprintable()
