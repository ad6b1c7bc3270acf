"""Tokens, cookies, and exceptions that nobody foresaw."""

import logging
from typing import Any

import pytest

from tests.conftest import TOKEN, Gateway, Start, running
from tests.graph.canned import NAMES, Replay


@pytest.mark.parametrize(
    "error",
    [
        {"code": "InvalidAuthenticationToken", "message": f"The token {TOKEN} has expired."},
        {"code": TOKEN, "message": "expired"},
        {"code": "x", "message": "expired", "innerError": {"request-id": f"Bearer {TOKEN}"}},
    ],
    ids=["message", "code", "request-id"],
)
async def test_a_token_shows_in_no_error_and_no_log(
    start: Start, caplog: pytest.LogCaptureFixture, error: dict[str, Any]
) -> None:
    caplog.set_level(logging.DEBUG)
    gateway = await start(passthrough=True)
    for status in (400, 401):
        await gateway.fault(match="/workflows", status=status, body={"error": error}, times=None)
        response = await gateway.post(
            {"query": NAMES}, headers={"Authorization": f"Bearer {TOKEN}"}
        )
        assert response.json()["errors"][0]["extensions"]["code"]
        assert TOKEN not in response.text
        await gateway.upstream.delete("/sandbox/faults")
    assert TOKEN not in caplog.text


async def test_each_caller_is_sent_with_their_own_token() -> None:
    replay = Replay({"workflows": {"value": []}})
    async with running(replay.app, passthrough=True) as gateway:
        for caller in ("first", "second"):
            await gateway.post({"query": NAMES}, headers={"Authorization": f"Bearer {caller}"})
    assert [sent["authorization"] for sent in replay.headers] == ["Bearer first", "Bearer second"]


@pytest.mark.parametrize("sockets", [True, False], ids=["sockets", "in process"])
async def test_cookies_of_one_caller_are_never_sent_for_another(sockets: bool) -> None:
    replay = Replay({"workflows": {"value": []}})
    replay.reply_headers = lambda _: {"Set-Cookie": "session=secret; Path=/"}
    async with running(replay.app, passthrough=True, sockets=sockets) as gateway:
        for caller in ("first", "second"):
            response = await gateway.post(
                {"query": NAMES}, headers={"Authorization": f"Bearer {caller}"}
            )
            assert "set-cookie" not in response.headers
    assert len(replay.headers) == 2
    assert not any("cookie" in sent for sent in replay.headers)


async def test_an_unexpected_exception_is_masked_with_a_reference_that_is_logged(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: Any) -> None:
        raise RuntimeError("the password is hunter2")

    monkeypatch.setattr("gateway.graph.client.GraphClient.send", fail)
    response = await gateway.post({"query": NAMES})
    [error] = response.json()["errors"]
    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert error["extensions"]["reference"] in error["message"]
    assert error["extensions"]["reference"] in caplog.text
    assert "hunter2" not in response.text
    assert "Traceback" not in response.text
