"""Retries, deadlines and budgets: the answer is exact, or an error says where and why it is not."""

import asyncio
import re
import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from gateway.access.credentials import Fixed
from gateway.app import Upstream, create_app
from gateway.settings import Settings
from tests.conftest import TOKEN, Gateway, Start
from tests.graph.canned import (
    LIST,
    NAMES,
    RUNS,
    a_run,
    code,
    codes,
)


def _date(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


RETRY_AFTER: dict[str, str | None] = {
    "absent": None,
    "zero": "0",
    "fraction": "0.01",
    "negative": "-5",
    "a past date": _date(-60),
    "unreadable": "soon",
    "not a number": "nan",
    "empty": "",
    "an impossible date": "Wed, 99 Oct 2015 07:28:00 GMT",
    "a date beyond the calendar": "Wed, 21 Oct 99999999999999999999 07:28:00 GMT",
}


@pytest.mark.parametrize("after", RETRY_AFTER.values(), ids=list(RETRY_AFTER))
async def test_what_is_throttled_once_is_answered_in_the_end(
    gateway: Gateway, after: str | None
) -> None:
    await gateway.fault(
        match=LIST, status=429, headers={} if after is None else {"Retry-After": after}
    )
    data, sent = await gateway.counted(NAMES)
    assert len(data["workflows"]["nodes"]) == 5
    assert sent.http == 2


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_within_a_batch_only_the_failed_items_are_asked_again(
    gateway: Gateway, status: int
) -> None:
    expected = await gateway.data(RUNS)
    ids = [row["id"] for row in expected["workflows"]["nodes"]]
    for id_ in ids[1:3]:
        await gateway.fault(match=f"{id_}/runs", status=status, headers={"Retry-After": "0.01"})
    data, sent = await gateway.counted(RUNS)
    assert data == expected
    first, again = [[i["url"] for i in r["items"]] for r in sent.requests if r["items"]]
    assert [re.findall("workflows/(.+)/runs", url) for url in first] == [[id_] for id_ in ids]
    assert again == first[1:3]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 501, 505])
async def test_other_failures_are_not_asked_again(gateway: Gateway, status: int) -> None:
    run = await a_run(gateway)
    await gateway.fault(match=f"runs/{run['r']}", status=status, times=None)
    await gateway.forget()
    await gateway.errors("query ($w: ID!, $r: ID!) { run(workflowId: $w, id: $r) { id } }", **run)
    # A 400 may be about the $select, so that is tried once without.
    assert (await gateway.sent()).http == (2 if status == 400 else 1)


async def test_attempts_are_limited(start: Start) -> None:
    gateway = await start(settings=Settings(max_attempts=3))
    await gateway.fault(match=LIST, status=429, times=None, headers={"Retry-After": "0.01"})
    await gateway.forget()
    assert codes(await gateway.query(NAMES)) == {"THROTTLED"}
    assert (await gateway.sent()).http == 3


@pytest.mark.parametrize(
    "after", ["3600", _date(3600), "1e400"], ids=["seconds", "date", "endless"]
)
async def test_a_retry_after_beyond_the_deadline_is_not_waited_for(
    start: Start, monkeypatch: pytest.MonkeyPatch, after: str
) -> None:
    gateway = await start(settings=Settings(deadline=60))
    await gateway.fault(match=LIST, status=429, times=None, headers={"Retry-After": after})
    pauses = []
    real, here = asyncio.sleep, asyncio.get_running_loop()

    async def sleep(seconds: float, *result: Any) -> Any:
        if asyncio.get_running_loop() is not here:
            return await real(seconds, *result)
        pauses.append(seconds)
        return await real(0, *result)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    [error] = await gateway.errors(NAMES)
    assert code(error) == "THROTTLED"
    assert error["extensions"]["retryAfter"] == after
    assert (await gateway.sent()).http == 1
    assert not any(pauses)


async def test_the_deadline_fails_what_is_late_and_keeps_the_rest(start: Start) -> None:
    gateway = await start(settings=Settings(deadline=3))
    await gateway.fault(match="/runs", delay_ms=20_000, times=None)
    answer = await gateway.query(RUNS)
    assert codes(answer) == {"UPSTREAM_TIMEOUT"}
    assert [error["path"][-1] for error in answer["errors"]] == ["runs"] * 5
    assert len(answer["data"]["workflows"]["nodes"]) == 5


async def test_a_slow_answer_is_a_time_out(start: Start) -> None:
    gateway = await start(settings=Settings(read_timeout=0.2), sockets=True)
    await gateway.fault(match=LIST, delay_ms=1500)
    assert codes(await gateway.query(NAMES)) == {"UPSTREAM_TIMEOUT"}


@pytest.mark.parametrize("sockets", [True, False], ids=["sockets", "in process"])
async def test_a_connection_that_breaks_is_tried_again(start: Start, sockets: bool) -> None:
    gateway = await start(sockets=sockets)
    await gateway.fault(match=LIST, disconnect=True, scope="http")
    data, sent = await gateway.counted(NAMES)
    assert len(data["workflows"]["nodes"]) == 5
    assert sent.http == 2


async def test_a_service_that_cannot_be_reached_is_unavailable() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        there = f"http://127.0.0.1:{unused.getsockname()[1]}/v1.0"
        app = create_app(Settings(max_attempts=2), Upstream(there, Fixed(TOKEN)))
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(base_url="http://gateway", transport=transport) as client:
                response = await client.post("/graphql", json={"query": NAMES})
    [error] = response.json()["errors"]
    assert code(error) == "UPSTREAM_UNAVAILABLE"


async def test_the_budget_fails_what_is_beyond_it_and_keeps_the_rest(start: Start) -> None:
    gateway = await start(settings=Settings(max_upstream_requests=3))
    await gateway.forget()
    answer = await gateway.query(RUNS)
    assert codes(answer) == {"BUDGET_EXCEEDED"}
    assert len(answer["errors"]) == 3
    for error in answer["errors"]:
        assert error["extensions"]["needed"] == 1 + 5
        assert error["extensions"]["budget"] == 3
        assert error["extensions"]["setting"] in error["message"]
    assert len(answer["data"]["workflows"]["nodes"]) == 5
    assert len((await gateway.sent()).items) == 3
