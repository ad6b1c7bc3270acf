"""What is read of a request before anybody is asked who they are has limits.

The kind: bytes that are collected before the application is called, so that no limit of it counts.
It can occur in the address line (414), in one endless header or many small ones (431), in the
trailers and the chunk lines of a body, and again in each further request of a connection. All of
it goes through `gateway.http.server`. Amounts are counted, never seconds: the client goes on
sending until it is answered.
"""

import json
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.app import create_app
from gateway.http.server import server_config
from gateway.settings import Settings

MAX_URI, MAX_HEADER = 8_000, 16_000
MOST_IN_TRANSIT = 32_000_000
"""What may be under way in buffers of the system when the answer comes; of 200 MB."""

Address = tuple[str, int]


@contextmanager
def serving(app: ASGIApp | None = None, **settings: Any) -> Iterator[Address]:
    """A gateway, or another application, with the server that `serve` runs."""
    given = Settings(**settings)
    config = server_config(
        app or create_app(given),
        max_uri=given.max_uri_bytes,
        max_header=given.max_header_bytes,
        host="127.0.0.1",
        port=0,
        log_level="critical",
    )
    server = uvicorn.Server(config)
    listener = config.bind_socket()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.005)
    try:
        yield listener.getsockname()[:2]
    finally:
        server.should_exit = True
        thread.join(5)
        listener.close()


@pytest.fixture(scope="module")
def address() -> Iterator[Address]:
    with serving(max_uri_bytes=MAX_URI, max_header_bytes=MAX_HEADER) as found:
        yield found


class Client:
    """A socket that stops sending when it is answered.

    Attributes:
        sent: bytes that the system took.
    """

    def __init__(self, address: Address) -> None:
        self.socket = socket.create_connection(address, 60)
        self.sent = 0
        self._rest = b""

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes, times: int = 1) -> None:
        """Send ``data`` so often, or until there is an answer."""
        for _ in range(times):
            left = memoryview(data)
            while left:
                readable, writable, _ = select.select([self.socket], [self.socket], [], 60)
                if readable:
                    return
                assert writable
                try:
                    count = self.socket.send(left)
                except (BrokenPipeError, ConnectionResetError):
                    return
                self.sent += count
                left = left[count:]

    def answer(self) -> tuple[int, dict[str, str], Any]:
        """Status, headers and JSON of the next answer."""
        while b"\r\n\r\n" not in self._rest:
            self._receive()
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        line, *lines = head.decode().split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (x.partition(":") for x in lines)}
        length = int(headers["content-length"])
        while len(self._rest) < length:
            self._receive()
        body, self._rest = self._rest[:length], self._rest[length:]
        return int(line.split()[1]), headers, json.loads(body)

    def _receive(self) -> None:
        data = self.socket.recv(65536)
        assert data, f"closed without an answer after {self.sent} bytes"
        self._rest += data

    def is_closed(self) -> bool:
        """Whether the server has ended the connection; waits for it."""
        try:
            return self._rest == b"" and self.socket.recv(1) == b""
        except ConnectionResetError:
            return True


def refused(client: Client, status: int, code: str, limit: int, setting: str) -> None:
    """The next answer is this refusal in JSON, and the last one of the connection."""
    found, headers, body = client.answer()
    assert found == status
    assert headers["content-type"] == "application/json; charset=utf-8"
    assert headers["connection"] == "close"
    [error] = body["errors"]
    assert error["extensions"] == {"code": code, "limit": limit, "setting": setting}
    assert f"{limit} bytes (setting {setting})" in error["message"]
    assert client.sent < MOST_IN_TRANSIT
    assert client.is_closed()


def refused_headers(client: Client) -> None:
    refused(client, 431, "HEADERS_TOO_LARGE", MAX_HEADER, "GATEWAY_MAX_HEADER_BYTES")


def refused_address(client: Client) -> None:
    refused(client, 414, "URI_TOO_LONG", MAX_URI, "GATEWAY_MAX_URI_BYTES")


LINE = b"GET /graphql?query={__typename} HTTP/1.1\r\nHost: gateway\r\n"
MB = b"x" * 1_000_000
POST = b"POST /graphql HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n"
QUERY = b'{"query":"{ __typename }"}'
WHOLE = POST + b"Content-Length: %d\r\n\r\n" % len(QUERY) + QUERY


def filled(size: int) -> bytes:
    """Headers of so many bytes, as the limit counts them."""
    host = len("Host: gateway\r\n")
    return b"X: " + b"x" * (size - host - len("X: \r\n")) + b"\r\n\r\n"


ENDLESS = {
    "a header of 200 MB": (LINE + b"X: ", MB, 200),
    "a name of 200 MB": (LINE, MB, 200),
    "200 MB of small headers": (LINE, b"X: x\r\n" * 20_000, 1700),
    "200 MB of headers in small pieces": (LINE, b"X: " + b"x" * 1000 + b"\r\n", 200_000),
    "200 MB of spaces": (LINE + b"X: ", b" " * len(MB), 200),
    "a header that comes slowly": (LINE + b"X: ", b"x", 200_000_000),
    "200 MB of trailers": (
        POST + b"Transfer-Encoding: chunked\r\n\r\n1a\r\n" + QUERY + b"\r\n0\r\n",
        b"X: " + MB + b"\r\n",
        200,
    ),
    "one trailer of 200 MB": (
        POST + b"Transfer-Encoding: chunked\r\n\r\n1a\r\n" + QUERY + b"\r\n0\r\nX: ",
        MB,
        200,
    ),
    "a chunk extension of 200 MB": (
        POST + b"Transfer-Encoding: chunked\r\n\r\n1a;x=",
        MB,
        200,
    ),
    "a second request of the connection": (WHOLE + LINE + b"X: ", MB, 200),
}


@pytest.mark.parametrize("case", ENDLESS)
def test_endless_headers_are_refused_while_they_are_read(address: Address, case: str) -> None:
    begin, piece, times = ENDLESS[case]
    with Client(address) as client:
        if begin.startswith(WHOLE):
            client.send(WHOLE)
            begin = begin.removeprefix(WHOLE)
            assert client.answer()[2] == {"data": {"__typename": "Query"}}
        client.send(begin)
        client.send(piece, times)
        refused_headers(client)


def test_headers_are_counted_to_the_byte(address: Address) -> None:
    with Client(address) as client:
        client.send(LINE + filled(MAX_HEADER))
        assert client.answer()[0] == 200
        client.send(LINE + filled(MAX_HEADER + 1))
        refused_headers(client)


@pytest.mark.parametrize("path", [b"/graphql?query=", b"/", b"/healthz?"])
def test_an_endless_address_is_refused_while_it_is_read(address: Address, path: bytes) -> None:
    with Client(address) as client:
        client.send(b"GET " + path)
        client.send(MB, 200)
        refused_address(client)


def test_an_address_is_counted_to_the_byte(address: Address) -> None:
    path = b"/graphql?query={__typename}&x="
    path += b"x" * (MAX_URI - len(path))
    with Client(address) as client:
        client.send(b"GET %b HTTP/1.1\r\nHost: gateway\r\n\r\n" % path)
        assert client.answer()[0] == 200
        client.send(b"GET %bx HTTP/1.1\r\nHost: gateway\r\n\r\n" % path)
        refused_address(client)


def test_the_defaults_are_what_is_documented() -> None:
    given = Settings()
    path = b"/graphql?query={__typename}&x="
    path += b"x" * (given.max_uri_bytes - len(path))
    with serving() as address, Client(address) as client:
        client.send(b"GET " + path + b" HTTP/1.1\r\nHost: gateway\r\n")
        client.send(filled(given.max_header_bytes))
        assert client.answer()[0] == 200
        client.send(b"GET %bx HTTP/1.1\r\nHost: gateway\r\n\r\n" % path)
        assert client.answer()[0] == 414


def test_a_large_body_between_requests_is_not_counted(address: Address) -> None:
    query = QUERY[:-1] + b', "variables": {"x": "' + b"x" * 500_000 + b'"}}'
    chunked = b"".join(b"1\r\n%c\r\n" % byte for byte in QUERY[:-1] + b" " * 20_000 + b"}")
    with Client(address) as client:
        for _ in range(3):
            client.send(POST + b"Content-Length: %d\r\n\r\n" % len(query) + query + LINE)
            assert client.answer()[0] == 200
            client.send(b"\r\n")
            assert client.answer()[0] == 200
            client.send(POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunked + b"0\r\n\r\n")
            assert client.answer()[0] == 200


def test_a_refusal_is_not_taken_for_the_answer_to_an_earlier_request() -> None:
    async def never_answers(scope: Scope, receive: Receive, _send: Send) -> None:
        if scope["type"] == "http":
            while (await receive())["type"] != "http.disconnect":
                pass

    with serving(never_answers, max_header_bytes=MAX_HEADER) as address, Client(address) as client:
        client.send(LINE + b"\r\n" + LINE + filled(MAX_HEADER + 1))
        assert client.is_closed()


def test_what_is_not_http_is_told_so_in_json(address: Address) -> None:
    for garbage in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"GET  \r\n\r\n"):
        with Client(address) as client:
            client.send(garbage)
            status, headers, body = client.answer()
            assert (status, headers["connection"]) == (400, "close")
            assert body["errors"][0]["extensions"] == {"code": "BAD_REQUEST"}
            assert client.is_closed()


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "2"])
def test_serve_has_the_limits(workers: str) -> None:
    command = ["serve", "--port", "0", "--workers", workers, "--max-header-bytes", "16000"]
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-u", "-m", "gateway", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if "Open http://" in line:
                    port = int(line.partition("127.0.0.1:")[2].partition("/")[0])
                if "Application startup complete" in line:
                    break
            threading.Thread(target=process.stdout.read, daemon=True).start()
            with Client(("127.0.0.1", port)) as client:
                client.send(WHOLE)
                status, headers, _ = client.answer()
                assert status == 200
                assert "server" not in headers
                client.send(LINE + b"X: ")
                client.send(MB, 200)
                refused_headers(client)
        finally:
            process.terminate()
            process.wait(10)
