"""A service that ends its answers in every way there is, on a socket."""

import asyncio
import json
import logging
import re
import socket
import struct
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gateway.settings import Settings
from tests.conftest import Gateway
from tests.upstreams import raw_server, read_request

from .raw import in_front_of

# --- a socket that ends in every way -----------------------------------------------------------

Ending = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]


def http(status: int, body: bytes = b"", *headers: bytes) -> bytes:
    lines = [b"HTTP/1.1 %d X" % status, b"Content-Length: %d" % len(body), *headers, b"", body]
    return b"\r\n".join(lines)


def error(status: int, *headers: bytes) -> bytes:
    body = {"error": {"code": "someCode", "message": "some message", "innerError": {}}}
    return http(status, json.dumps(body).encode(), b"Content-Type: application/json", *headers)


async def reset(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


JSON = b"Content-Type: application/json"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
LATER = b"Retry-After: 1"

# After these nobody can tell whether the change was made.
UNKNOWN: dict[str, Ending] = {
    "closed before the first byte": b"",
    "reset": reset,
    "part of the status line": b"HTTP/1.1 20",
    "part of the headers": b"HTTP/1.1 204 No Content\r\nServ",
    "closed after the headers": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
    "closed in the body": b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"id',
    "bad chunk": CHUNKED + b"zz\r\n{}\r\n",
    "cut chunk": CHUNKED + b'9\r\n{"id',
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\r\n\r\n",
    "header of 9 kB": http(204, b"", b"X-Long: " + b"x" * 9000),
    "text": http(200, b"OK", b"Content-Type: text/plain"),
    "page": http(200, b"<html>Sign in</html>", b"Content-Type: text/html"),
    "JSON that is no object": http(200, b'"OK"', JSON),
    "cut JSON": http(201, b'{"id": "w', JSON),
    "no gzip": http(200, b"plain", JSON, b"Content-Encoding: gzip"),
    "redirect": http(302, b"", b"Location: /v1.0/elsewhere"),
    "redirect to nowhere": http(307, b"", b"Location: http://[::1/"),
    "408": error(408),
    "500": error(500),
    "500 in words": http(500, b"Internal Server Error"),
    "501": error(501),
    "502": http(502, b"<html>Bad gateway</html>"),
    "503": error(503),
    "503, Retry-After that is none": error(503, b"Retry-After: soon"),
    "504": error(504),
}
# After these it is known that it was not made.
REFUSED: dict[str, tuple[bytes, str]] = {
    "400": (error(400), "REFUSED"),
    "400 in words": (http(400, b"Bad Request"), "REFUSED"),
    "401": (error(401), "UNAUTHENTICATED"),
    "403": (error(403), "FORBIDDEN"),
    "404": (error(404), "NOT_FOUND"),
    "409": (error(409), "CONFLICT"),
    "412": (error(412), "CONFLICT"),
    "429": (error(429, LATER), "THROTTLED"),
    "429 without Retry-After": (error(429), "THROTTLED"),
    "503 with Retry-After": (error(503, LATER), "UPSTREAM_UNAVAILABLE"),
}
MADE: dict[str, bytes] = {
    "204": http(204),
    "200 with nothing in it": http(200),
    "200 where 204 was expected": http(200, b'{"id": "w"}', JSON),
    "202": http(202),
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
