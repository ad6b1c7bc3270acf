"""Upstreams that behave as a service may but the sandbox does not, over sockets.

`Unusual` stands between the gateway and a sandbox: it answers some requests in its place, changes
its answers, and knows what was sent, byte by byte. `raw_server` is a socket that does whatever a
function says, for what no HTTP server would do.
"""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass(frozen=True)
class Asked:
    """A request as it was sent.

    Attributes:
        method: such as ``GET``.
        url: below the version root, as it was written: nothing of it is decoded.
        headers: of the HTTP request, or of the item; names are in lower case.
        body: the bytes of a request; the JSON of an item.
        item: whether it came in a `$batch`.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    item: bool = False


@dataclass
class Answered:
    """An answer: the JSON of its body (``bytes`` are sent as they are), status and headers."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


def graph_error(status: int, code: str, message: str = "", **headers: str) -> Answered:
    """An error as Microsoft Graph words it (graph-lifecycle-api.md, section 7, Errors)."""
    body = {"error": {"code": code, "message": message or code, "innerError": {}}}
    return Answered(body, status, headers)


Instead = Callable[[Asked], "Answered | Awaitable[Answered | None] | None"]
Change = Callable[[Asked, Answered], None]


class Unusual:
    """An ASGI application in front of another.

    Args:
        instead: answers a logical request (a lone one, or an item of a `$batch`) in the place of
            the service; ``None`` leaves it to the service. It may be a coroutine function.
        change: changes an answer of the service to a logical request in place.
        http: like ``instead``, for whole HTTP requests, a `$batch` included.

    Attributes:
        asked: the logical requests so far, in order; a `$batch` is told by its items.
        http_asked: the HTTP requests so far.
    """

    def __init__(
        self,
        *,
        instead: Instead | None = None,
        change: Change | None = None,
        http: Instead | None = None,
    ) -> None:
        self.instead, self.change, self.http = instead, change, http
        self.asked: list[Asked] = []
        self.http_asked: list[Asked] = []
        self._inner: ASGIApp | None = None

    def before(self, inner: ASGIApp) -> ASGIApp:
        """This application, in front of ``inner``."""
        self._inner = inner
        return self

    def forget(self) -> None:
        """Clear what was asked so far."""
        self.asked.clear()
        self.http_asked.clear()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        assert self._inner is not None
        path = scope.get("raw_path", b"").decode("latin-1")
        version = next((v for v in ("/v1.0/", "/beta/") if path.startswith(v)), None)
        if scope["type"] != "http" or version is None:
            await self._inner(scope, receive, send)
            return
        query = scope["query_string"].decode("latin-1")
        url = path.removeprefix(version) + (f"?{query}" if query else "")
        headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}
        request = Asked(scope["method"], url, headers, await _body(receive))
        self.http_asked.append(request)
        answer = await _maybe(self.http, request)
        if answer is None and path.removeprefix(version).lower() in ("$batch", "%24batch"):
            answer = await self._batch(scope, request)
        elif answer is None:
            self.asked.append(request)
            answer = await _maybe(self.instead, request)
            if answer is None:
                answer = await self._forward(scope, request.body)
                if self.change is not None:
                    self.change(request, answer)
        await _send(answer, send)

    async def _batch(self, scope: Scope, request: Asked) -> Answered:
        requests = json.loads(request.body)["requests"]
        asked = {
            item["id"]: Asked(
                item["method"],
                item["url"].removeprefix("/"),
                {name.lower(): value for name, value in item.get("headers", {}).items()},
                item.get("body"),
                item=True,
            )
            for item in requests
        }
        self.asked += asked.values()
        answers = {id_: await _maybe(self.instead, item) for id_, item in asked.items()}
        left = [item for item in requests if answers[item["id"]] is None]
        outer = Answered({"responses": []})
        if left:
            outer = await self._forward(scope, json.dumps({"requests": left}).encode())
        if outer.status != 200:
            return outer
        for response in outer.body["responses"]:
            answer = Answered(response.get("body"), response["status"], response.get("headers", {}))
            if self.change is not None:
                self.change(asked[response["id"]], answer)
            answers[response["id"]] = answer
        return Answered(
            {
                "responses": [
                    {"id": id_, "status": a.status, "headers": a.headers, "body": a.body}
                    for id_, a in answers.items()
                    if a is not None
                ]
            }
        )

    async def _forward(self, scope: Scope, body: bytes) -> Answered:
        assert self._inner is not None
        sent = False
        start: Message = {}
        chunks: list[bytes] = []

        async def receive() -> Message:
            nonlocal sent
            if sent:
                await asyncio.Event().wait()
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                chunks.append(message.get("body", b""))

        headers = [(k, v) for k, v in scope["headers"] if k != b"content-length"]
        headers.append((b"content-length", str(len(body)).encode()))
        await self._inner({**scope, "headers": headers}, receive, keep)
        content = b"".join(chunks)
        try:
            data: Any = json.loads(content)
        except ValueError:
            data = content or None
        names = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in start["headers"]}
        names.pop("content-length", None)
        return Answered(data, start["status"], names)


async def _maybe(what: Instead | None, request: Asked) -> Answered | None:
    if what is None:
        return None
    found = what(request)
    return await found if isinstance(found, Awaitable) else found


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


async def _send(answer: Answered, send: Send) -> None:
    body = answer.body
    content = (
        body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    )
    headers = {"content-type": "application/json", **answer.headers}
    headers["content-length"] = str(len(content))
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [(k.encode(), v.encode("latin-1")) for k, v in headers.items()],
        }
    )
    await send({"type": "http.response.body", "body": content})


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextmanager
def raw_server(serve: Serve) -> Iterator[str]:
    """A loopback port on which ``serve`` does what it likes with each connection.

    Yields ``http://127.0.0.1:port``.
    """
    started = threading.Event()
    loop = asyncio.new_event_loop()
    address: list[str] = []

    async def main() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        address.append(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        started.set()
        try:
            await server.serve_forever()
        except asyncio.CancelledError:
            server.close()

    task = loop.create_task(main())

    def run() -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(task)
        except asyncio.CancelledError:
            pass
        finally:
            for other in asyncio.all_tasks(loop):
                other.cancel()
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    started.wait(10)
    try:
        yield address[0]
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join(5)


async def read_request(reader: asyncio.StreamReader) -> tuple[bytes, dict[str, str], bytes] | None:
    """The request line, the headers (names in lower case) and the body of a request, as bytes came.

    ``None`` where the client has closed the connection.
    """
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    line, *lines = head.decode("latin-1").split("\r\n")
    headers = {
        name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines if x)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return line.encode("latin-1"), headers, body
