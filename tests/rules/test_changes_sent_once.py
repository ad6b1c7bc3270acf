"""A change is sent at most once, and what became of it is told truthfully.

The kind: something between the first byte of a change and its understood answer goes wrong, and
the gateway (or a library below it) sends it again, says that it failed though it may have been
made, says that its outcome is unknown though it was never sent, or leaves no line in the audit
log. It can occur in every method (POST that creates, POST that acts, PATCH, DELETE), in several
changes in one `$batch` (as a whole, and item by item), before there is a connection (refused,
time-out, TLS, name), while the request waits for its turn, and with reads, where a request that a
library repeats by itself is not counted.
"""

import asyncio
import json
import logging
import re
from typing import Any

import pytest

from gateway.settings import Settings
from tests.rules.endings import (
    CHANGES,
    JSON,
    MADE,
    ONCE,
    REFUSED,
    SEVERAL,
    UNKNOWN,
    ending,
    http,
    made,
)
from tests.rules.endings import audit as audit
from tests.rules.test_changes_and_time import full, hang, nobody
from tests.upstreams import raw_server, read_request

from .raw import in_front_of

# --- the table ---------------------------------------------------------------------------------


@pytest.mark.parametrize("change", CHANGES)
async def test_after_what_is_no_answer_the_outcome_is_unknown(change, audit) -> None:
    async with ending(Settings()) as (gateway, server):
        for name, how in UNKNOWN.items():
            server.ending, server.lines = how, []
            error = await made(gateway, CHANGES[change])
            assert error is not None, name
            assert error["code"].startswith("UPSTREAM_") or error["code"] == "REFUSED", name
            assert error["outcomeUnknown"] is True, name
            assert len(server.lines) == 1, name
            assert server.lines[0].split()[0] == change.split()[0], name
            assert audit() == ["UNKNOWN"], name


@pytest.mark.parametrize("change", CHANGES)
async def test_after_a_refusal_it_is_known_that_nothing_was_done(change, audit) -> None:
    async with ending(ONCE) as (gateway, server):
        for name, (how, code) in REFUSED.items():
            server.ending, server.lines = how, []
            error = await made(gateway, CHANGES[change])
            assert error is not None, name
            assert error["code"] == code, name
            assert "outcomeUnknown" not in error, name
            assert len(server.lines) == 1, name
            assert audit() == [code], name


@pytest.mark.parametrize("change", [c for c in CHANGES if c != "POST what is new"])
async def test_a_success_is_one_however_it_is_worded(change, audit) -> None:
    async with ending(ONCE) as (gateway, server):
        for name, how in MADE.items():
            server.ending, server.lines = how, []
            assert await made(gateway, CHANGES[change]) is None, name
            assert len(server.lines) == 1, name
            assert audit() == ["OK"], name


async def test_after_no_answer_to_several_in_a_batch_the_outcome_of_each_is_unknown(audit) -> None:
    async with ending(Settings()) as (gateway, server):
        for name, how in {**UNKNOWN, **MADE}.items():
            server.ending, server.lines = how, []
            error = await made(gateway, SEVERAL)
            assert error is not None, name
            assert error["outcomeUnknown"] is True, name
            assert server.lines == ["POST /v1.0/$batch HTTP/1.1"], name
            assert audit() == ["UNKNOWN", "UNKNOWN"], name


NO_BATCH = ("400", "400 in words", "403", "404")


async def test_a_refused_batch_did_nothing(audit) -> None:
    async with ending(ONCE) as (gateway, server):
        for name, (how, code) in REFUSED.items():
            server.ending, server.lines = how, []
            error = await made(gateway, SEVERAL)
            assert error is not None, name
            assert error["code"] == code, name
            assert "outcomeUnknown" not in error, name
            batch, *alone = server.lines
            assert batch == "POST /v1.0/$batch HTTP/1.1", name
            # Where there may be no $batch, what it did not do is sent by itself.
            assert len(alone) == (2 if name in NO_BATCH else 0), name
            assert audit() == [code, code], name


ITEMS: list[tuple[Any, str]] = [
    ({"status": 204}, "OK"),
    ({"status": 200, "body": {"id": "w"}}, "OK"),
    ({"status": 200, "body": "T0s="}, "UNKNOWN"),
    ({"status": 302, "headers": {"Location": "/x"}}, "UNKNOWN"),
    ({"status": 404}, "NOT_FOUND"),
    ({"status": 500}, "UNKNOWN"),
    ({"status": 502}, "UNKNOWN"),
    ({"status": 503}, "UNKNOWN"),
    ({"status": 503, "headers": {"Retry-After": "1"}}, "UPSTREAM_UNAVAILABLE"),
    ({"status": 504}, "UNKNOWN"),
    ({"status": "204"}, "UNKNOWN"),
    (None, "UNKNOWN"),
]


@pytest.mark.parametrize(("item", "outcome"), ITEMS)
async def test_each_item_of_a_batch_has_an_outcome_of_its_own(item, outcome, audit) -> None:
    responses = [{"id": "1", "status": 204}]
    if item is not None:
        responses.append({"id": "0", **item})
    async with ending(ONCE) as (gateway, server):
        server.ending = http(200, json.dumps({"responses": responses}).encode(), JSON)
        error = await made(gateway, SEVERAL)
    assert len(server.lines) == 1
    assert audit() == [outcome, "OK"]
    assert (error is None) is (outcome == "OK")
    assert (error or {}).get("outcomeUnknown", False) is (outcome == "UNKNOWN")


async def test_each_of_several_has_an_error_of_its_own() -> None:
    query = SEVERAL.replace("__typename", "runs { id }")
    async with ending(ONCE) as (gateway, server):
        server.ending = UNKNOWN["500"]
        errors = await gateway.errors(query)
    assert [error["path"] for error in errors] == [["cancelProcessing", "runs", n] for n in (0, 1)]
    arguments = [error["extensions"]["argument"] for error in errors]
    assert arguments == ["input.runs[0]", "input.runs[1]"]


# --- whatever happens, there is a line ---------------------------------------------------------


async def test_what_nobody_foresaw_is_of_unknown_outcome_and_logged(audit, monkeypatch) -> None:
    async with ending(Settings()) as (gateway, server):
        server.ending = MADE["204"]
        monkeypatch.setattr("gateway.graph.client.reply_of", lambda *_: 1 / 0)
        error = await made(gateway, CHANGES["PATCH"])
    assert error == {"code": "UPSTREAM_ERROR", "outcomeUnknown": True}
    assert audit() == ["UNKNOWN"]


async def test_a_change_that_is_cancelled_on_its_way_is_logged(audit) -> None:
    """As when the process is told to stop."""
    async with ending(Settings()) as (gateway, server):
        server.ending = hang
        change = asyncio.create_task(made(gateway, CHANGES["PATCH"]))
        assert await asyncio.to_thread(server.asked.wait, 10)
        change.cancel()
        with pytest.raises(asyncio.CancelledError):
            await change
    assert audit() == ["UNKNOWN"]


async def test_the_service_can_write_no_line_of_the_log(audit, caplog) -> None:
    body = {"error": {"code": "x", "message": "y", "innerError": {"request-id": "1\nmutation=x"}}}
    async with ending(Settings()) as (gateway, server):
        server.ending = http(400, json.dumps(body).encode(), JSON)
        await made(gateway, CHANGES["PATCH"])
    [line] = [r.getMessage() for r in caplog.records if r.name == "gateway.mutations"]
    assert line.endswith("outcome=REFUSED status=400 request-id=1%20mutation%3Dx")


# --- reads -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["closed before the first byte", "reset", "part of the headers"])
async def test_a_read_is_counted_as_often_as_it_is_sent(name, caplog) -> None:
    caplog.set_level(logging.INFO, "gateway.operations")
    async with ending(Settings(max_attempts=2)) as (gateway, server):
        server.ending = UNKNOWN[name]
        await gateway.errors("{ workflows { nodes { id } } }")
    [line] = [r.getMessage() for r in caplog.records if r.name == "gateway.operations"]
    assert len(server.lines) == 2
    assert "http-requests=2" in line


@pytest.mark.parametrize("where", [nobody, full])
async def test_a_read_that_was_never_sent_is_not_counted(where, caplog) -> None:
    caplog.set_level(logging.INFO, "gateway.operations")
    settings = Settings(connect_timeout=0.2, max_attempts=2)
    with where() as address:
        async with in_front_of(address, settings) as gateway:
            await gateway.errors("{ workflows { nodes { id } } }")
    [line] = [r.getMessage() for r in caplog.records if r.name == "gateway.operations"]
    assert "http-requests=0" in line


async def test_a_read_on_a_connection_that_was_used_is_counted_as_often_as_it_is_sent(
    caplog,
) -> None:
    caplog.set_level(logging.INFO, "gateway.operations")
    lines = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer once; close the connection at the second request."""
        for _ in range(2):
            if (request := await read_request(reader)) is None:
                break
            lines.append(request[0])
            if _ == 0:
                writer.write(http(200, b'{"value": []}', JSON))
        writer.close()

    with raw_server(serve) as address:
        async with in_front_of(address) as gateway:
            for _ in range(2):
                await gateway.data("{ workflows { nodes { id } } }")
    logged = [r.getMessage() for r in caplog.records if r.name == "gateway.operations"]
    assert [re.search(r"http-requests=(\d+)", line)[1] for line in logged] == ["1", "2"]
    assert len(lines) == 3
