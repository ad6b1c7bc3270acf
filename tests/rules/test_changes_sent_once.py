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
import socket
import struct
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest

from gateway.graph.client import GraphClient
from gateway.settings import Settings
from tests.conftest import Gateway
from tests.upstreams import raw_server, read_request

from .raw import in_front_of

# --- a socket that ends in every way -----------------------------------------------------------

Ending = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]


def _http(status: int, body: bytes = b"", *headers: bytes) -> bytes:
    lines = [b"HTTP/1.1 %d X" % status, b"Content-Length: %d" % len(body), *headers, b"", body]
    return b"\r\n".join(lines)


def _error(status: int, *headers: bytes) -> bytes:
    body = {"error": {"code": "someCode", "message": "some message", "innerError": {}}}
    return _http(status, json.dumps(body).encode(), b"Content-Type: application/json", *headers)


async def _reset(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


JSON = b"Content-Type: application/json"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
LATER = b"Retry-After: 1"

# After these nobody can tell whether the change was made.
UNKNOWN: dict[str, Ending] = {
    "closed before the first byte": b"",
    "reset": _reset,
    "part of the status line": b"HTTP/1.1 20",
    "part of the headers": b"HTTP/1.1 204 No Content\r\nServ",
    "closed after the headers": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
    "closed in the body": b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"id',
    "bad chunk": CHUNKED + b"zz\r\n{}\r\n",
    "cut chunk": CHUNKED + b'9\r\n{"id',
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\r\n\r\n",
    "header of 9 kB": _http(204, b"", b"X-Long: " + b"x" * 9000),
    "text": _http(200, b"OK", b"Content-Type: text/plain"),
    "page": _http(200, b"<html>Sign in</html>", b"Content-Type: text/html"),
    "JSON that is no object": _http(200, b'"OK"', JSON),
    "cut JSON": _http(201, b'{"id": "w', JSON),
    "no gzip": _http(200, b"plain", JSON, b"Content-Encoding: gzip"),
    "redirect": _http(302, b"", b"Location: /v1.0/elsewhere"),
    "redirect to nowhere": _http(307, b"", b"Location: http://[::1/"),
    "408": _error(408),
    "500": _error(500),
    "500 in words": _http(500, b"Internal Server Error"),
    "501": _error(501),
    "502": _http(502, b"<html>Bad gateway</html>"),
    "503": _error(503),
    "503, Retry-After that is none": _error(503, b"Retry-After: soon"),
    "504": _error(504),
}
# After these it is known that it was not made.
REFUSED: dict[str, tuple[bytes, str]] = {
    "400": (_error(400), "REFUSED"),
    "400 in words": (_http(400, b"Bad Request"), "REFUSED"),
    "401": (_error(401), "UNAUTHENTICATED"),
    "403": (_error(403), "FORBIDDEN"),
    "404": (_error(404), "NOT_FOUND"),
    "409": (_error(409), "CONFLICT"),
    "412": (_error(412), "CONFLICT"),
    "429": (_error(429, LATER), "THROTTLED"),
    "429 without Retry-After": (_error(429), "THROTTLED"),
    "503 with Retry-After": (_error(503, LATER), "UPSTREAM_UNAVAILABLE"),
}
MADE: dict[str, bytes] = {
    "204": _http(204),
    "200 with nothing in it": _http(200),
    "200 where 204 was expected": _http(200, b'{"id": "w"}', JSON),
    "202": _http(202),
}

CHANGES = {
    "POST an action": (
        'activateWorkflow(input: { workflowId: "w", subjects: [{ id: "u" }] }) { __typename }'
    ),
    "POST what is new": ("createCustomTaskExtension(input: $extension) { __typename }"),
    "PATCH": 'updateWorkflow(input: { workflowId: "w", isEnabled: true }) { __typename }',
    "DELETE": 'deleteWorkflow(input: { workflowId: "w" }) { __typename }',
    "DELETE for good": 'deleteWorkflowPermanently(input: { workflowId: "w" }) { id }',
}
SEVERAL = (
    'mutation { cancelProcessing(input: { workflowId: "w", runs: [{ id: "a" }, { id: "b" }] })'
    " { __typename } }"
)
EXTENSION = {
    "displayName": "x",
    "description": "x",
    "endpointConfiguration": {
        "logicAppTriggerEndpointConfiguration": {
            "subscriptionId": "s",
            "resourceGroupName": "g",
            "logicAppWorkflowName": "l",
            "url": "https://example.com",
        }
    },
    "authenticationConfiguration": {"azureAdPopTokenAuthentication": True},
}


class Server:
    """Ends each connection, after its request was read, in the way that is set."""

    def __init__(self) -> None:
        self.ending: Ending = b""
        self.lines: list[str] = []
        self.asked = threading.Event()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        request = await read_request(reader)
        if request is not None:
            self.lines.append(request[0].decode())
            self.asked.set()
            if isinstance(self.ending, bytes):
                writer.write(self.ending)
            else:
                await self.ending(writer)
        writer.close()


@asynccontextmanager
async def ending(settings: Settings) -> AsyncIterator[tuple[Gateway, Server]]:
    server = Server()
    with raw_server(server) as address:
        async with in_front_of(address, settings) as gateway:
            yield gateway, server


async def made(gateway: Gateway, change: str) -> dict[str, Any] | None:
    """The extensions of the error of a change; ``None`` where it has none."""
    variables, head = {}, "mutation"
    if "$extension" in change:
        variables, head = (
            {"extension": EXTENSION},
            "mutation($extension: CustomTaskExtensionInput!)",
        )
    answer = await gateway.query(
        change if change.startswith("mutation") else f"{head} {{ {change} }}", **variables
    )
    errors = answer.get("errors")
    if errors is None:
        return None
    [error] = errors
    if change == SEVERAL:
        assert error["extensions"].pop("argument").startswith("input.runs[")
        unknown = "outcomeUnknown" in error["extensions"]
        told = {"UNKNOWN"} if unknown else {"NOT_DONE", "PARTLY_DONE"}
        assert error["extensions"].pop("outcome") in told
    assert ("whether the change was made is not known" in error["message"]) is (
        "outcomeUnknown" in error["extensions"]
    )
    return error["extensions"]


@pytest.fixture
def audit(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """The outcomes in the audit log since the last time."""
    caplog.set_level(logging.INFO, "gateway.mutations")

    def outcomes() -> list[str]:
        lines = [r.getMessage() for r in caplog.records if r.name == "gateway.mutations"]
        caplog.clear()
        return [re.search(r"outcome=(\S+)", line)[1] for line in lines]

    return outcomes


ONCE = Settings(max_attempts=1)


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
        server.ending = _http(200, json.dumps({"responses": responses}).encode(), JSON)
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


# --- time --------------------------------------------------------------------------------------


async def _hang(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


@pytest.mark.parametrize("change", [*CHANGES.values(), SEVERAL], ids=[*CHANGES, "several"])
async def test_after_a_read_time_out_the_outcome_is_unknown(change, audit) -> None:
    async with ending(Settings(read_timeout=0.2)) as (gateway, server):
        server.ending = _hang
        error = await made(gateway, change)
    assert error == {"code": "UPSTREAM_TIMEOUT", "outcomeUnknown": True}
    assert len(server.lines) == 1
    assert set(audit()) == {"UNKNOWN"}


async def test_an_answer_after_the_deadline_is_too_late_to_know(audit) -> None:
    async with ending(Settings(deadline=3)) as (gateway, server):
        server.ending = _hang
        error = await made(gateway, CHANGES["PATCH"])
    assert error == {"code": "UPSTREAM_TIMEOUT", "outcomeUnknown": True}
    assert len(server.lines) == 1
    assert audit() == ["UNKNOWN"]


def _needing(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Make changes need that much time."""
    monkeypatch.setattr(
        "gateway.app.GraphClient",
        lambda root, **how: GraphClient(root, **{**how, "change_time": seconds}),
    )


@pytest.mark.parametrize("change", [*CHANGES.values(), SEVERAL], ids=[*CHANGES, "several"])
async def test_a_change_with_too_little_time_for_its_answer_is_not_sent(
    change, audit, monkeypatch
) -> None:
    _needing(monkeypatch, 61)
    async with ending(Settings(deadline=60)) as (gateway, server):
        error = await made(gateway, change)
    assert error == {"code": "UPSTREAM_TIMEOUT"}
    assert server.lines == []
    assert set(audit()) == {"UPSTREAM_TIMEOUT"}


async def test_a_change_that_gets_its_turn_too_late_is_not_sent(audit, monkeypatch) -> None:
    _needing(monkeypatch, 1.9)
    settings = Settings(concurrency=1, deadline=2, max_attempts=1)
    async with ending(settings) as (gateway, server):
        server.ending = _hang
        read = asyncio.create_task(gateway.errors("{ workflows { nodes { id } } }"))
        assert await asyncio.to_thread(server.asked.wait, 10)
        error = await made(gateway, CHANGES["PATCH"])
        await read
    assert error == {"code": "UPSTREAM_TIMEOUT"}
    assert [line.split()[0] for line in server.lines] == ["GET"]
    assert audit() == ["UPSTREAM_TIMEOUT"]


async def test_a_change_that_is_connected_too_late_is_not_sent(audit, monkeypatch) -> None:
    """The first look at the clock is before there is a connection, the second after."""
    times = iter([0.0])

    class Clock:
        @staticmethod
        def monotonic() -> float:
            return next(times, float("inf"))

    monkeypatch.setattr("gateway.graph.transport.time", Clock)
    async with ending(Settings()) as (gateway, server):
        error = await made(gateway, CHANGES["PATCH"])
    assert error == {"code": "UPSTREAM_TIMEOUT"}
    assert server.lines == []
    assert audit() == ["UPSTREAM_TIMEOUT"]


# --- before there is a connection --------------------------------------------------------------


@contextmanager
def nobody() -> Iterator[str]:
    """An address at which nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"


@contextmanager
def full() -> Iterator[str]:
    """An address at which no further connection is taken."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen(0)
        waiting = []
        for _ in range(8):
            waiting.append(socket.socket())
            waiting[-1].setblocking(False)
            waiting[-1].connect_ex(sock.getsockname())
        try:
            yield f"http://127.0.0.1:{sock.getsockname()[1]}"
        finally:
            for other in waiting:
                other.close()


@contextmanager
def without_tls() -> Iterator[str]:
    """An address that speaks no TLS."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    with raw_server(serve) as address:
        yield address.replace("http:", "https:")


@contextmanager
def unknown_name() -> Iterator[str]:
    """An address whose name nobody knows."""

    def refuse(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", refuse)
        yield "http://graph.example"


@pytest.mark.parametrize("where", [nobody, full, without_tls, unknown_name])
@pytest.mark.parametrize("change", [*CHANGES.values(), SEVERAL], ids=[*CHANGES, "several"])
async def test_what_was_never_sent_is_not_of_unknown_outcome(where, change, audit) -> None:
    settings = Settings(connect_timeout=0.2)
    with where() as address:
        async with in_front_of(address, settings) as gateway:
            error = await made(gateway, change)
    assert error == {"code": "UPSTREAM_UNAVAILABLE"}
    assert set(audit()) == {"UPSTREAM_UNAVAILABLE"}


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
        server.ending = _hang
        change = asyncio.create_task(made(gateway, CHANGES["PATCH"]))
        assert await asyncio.to_thread(server.asked.wait, 10)
        change.cancel()
        with pytest.raises(asyncio.CancelledError):
            await change
    assert audit() == ["UNKNOWN"]


async def test_the_service_can_write_no_line_of_the_log(audit, caplog) -> None:
    body = {"error": {"code": "x", "message": "y", "innerError": {"request-id": "1\nmutation=x"}}}
    async with ending(Settings()) as (gateway, server):
        server.ending = _http(400, json.dumps(body).encode(), JSON)
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
                writer.write(_http(200, b'{"value": []}', JSON))
        writer.close()

    with raw_server(serve) as address:
        async with in_front_of(address) as gateway:
            for _ in range(2):
                await gateway.data("{ workflows { nodes { id } } }")
    logged = [r.getMessage() for r in caplog.records if r.name == "gateway.operations"]
    assert [re.search(r"http-requests=(\d+)", line)[1] for line in logged] == ["1", "2"]
    assert len(lines) == 3
