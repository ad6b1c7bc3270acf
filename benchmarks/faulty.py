"""`python -m benchmarks.faulty`: a sandbox of which a share of the requests fails by chance.

`POST /faults {"kinds", "rate", "items", "seed"}` sets which faults there are, their share, and
whether requests within a `$batch` fail too; `GET /asked` tells what was asked since, and clears it.
"""

import random
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.sandbox import SandboxSettings, create_sandbox

STATUSES = {"429": 429, "500": 500, "502": 502, "503": 503, "504": 504}
DROPPED = "dropped connection"
LOST = "answer lost half-way"
CUT = "JSON cut off"
KINDS = (*STATUSES, DROPPED, LOST, CUT)
IN_BATCH = (*STATUSES, CUT)
"""What can become of an item of a `$batch`; an item has no connection of its own."""
RETRY_AFTER = "0.05"


class Dropped(Exception):
    """Ends the connection: the server closes it where an application fails after its first byte."""


@dataclass(slots=True)
class Asked:
    """Counts of HTTP requests, of logical requests in them, and of chances to fail."""

    http_requests: int = 0
    requests: int = 0
    chances: int = 0
    faults: int = 0


@dataclass(slots=True)
class Faulty:
    """An ASGI application in front of a sandbox."""

    inner: ASGIApp
    kinds: tuple[str, ...] = ()
    rate: float = 0.0
    items: bool = False
    chance: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311 - chance, no secret
    asked: Asked = field(default_factory=Asked)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.inner(scope, receive, send)
            return
        body = await _body(receive)
        if scope["path"] == "/faults":
            given = orjson.loads(body)
            self.kinds, self.rate = tuple(given["kinds"]), given["rate"]
            self.items = given["items"]
            self.chance, self.asked = random.Random(given["seed"]), Asked()  # noqa: S311
            await _answer(send, 200, b"{}")
        elif scope["path"] == "/asked":
            asked, self.asked = self.asked, Asked()
            await _answer(send, 200, orjson.dumps(asked))
        elif scope["path"].startswith("/v1.0/"):
            await self._serve(scope, body, send)
        else:
            await self._forward(scope, body, send)

    async def _serve(self, scope: Scope, body: bytes, send: Send) -> None:
        batched = scope["path"].endswith("/$batch")
        items = orjson.loads(body)["requests"] if batched else []
        self.asked.http_requests += 1
        self.asked.requests += len(items) or 1
        kind = self._fault(self.kinds)
        if kind in STATUSES:
            await _answer(send, *_failed(STATUSES[kind]))
            return
        if kind == DROPPED:
            await _partly(send, b"", 1)
        status, answer = await self._ask(scope, body)
        if batched and self.items and status == 200:
            answer = self._spoiled(answer)
        if kind == LOST:
            await _partly(send, answer[: len(answer) // 2], len(answer))
        await _answer(send, status, answer[: len(answer) // 2] if kind == CUT else answer)

    def _fault(self, kinds: tuple[str, ...]) -> str | None:
        if not kinds:
            return None
        self.asked.chances += 1
        if self.chance.random() >= self.rate:
            return None
        self.asked.faults += 1
        return self.chance.choice(kinds)

    def _spoiled(self, answer: bytes) -> bytes:
        content = orjson.loads(answer)
        for item in content["responses"]:
            kind = self._fault(tuple(kind for kind in self.kinds if kind in IN_BATCH))
            if kind in STATUSES:
                item |= {"status": STATUSES[kind], "headers": _again(kind), "body": _error()}
            elif kind == CUT:
                text = orjson.dumps(item["body"]).decode()
                item["body"] = text[: len(text) // 2]
        return orjson.dumps(content)

    async def _ask(self, scope: Scope, body: bytes) -> tuple[int, bytes]:
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self._forward(scope, body, keep)
        start, *rest = messages
        return start["status"], b"".join(message.get("body", b"") for message in rest)

    async def _forward(self, scope: Scope, body: bytes, send: Send) -> None:
        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        await self.inner(scope, receive, send)


def _again(kind: str) -> dict[str, str]:
    return {"Retry-After": RETRY_AFTER} if kind == "429" else {}


def _error() -> dict[str, Any]:
    return {"error": {"code": "UnknownError", "message": "", "innerError": {}}}


def _failed(status: int) -> tuple[int, bytes, Mapping[str, str]]:
    return status, orjson.dumps(_error()), _again(str(status))


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return body


async def _answer(
    send: Send, status: int, body: bytes, headers: Mapping[str, str] | None = None
) -> None:
    await _start(send, status, len(body), headers)
    await send({"type": "http.response.body", "body": body})


async def _partly(send: Send, body: bytes, promised: int) -> None:
    await _start(send, 200, promised)
    await send({"type": "http.response.body", "body": body, "more_body": True})
    raise Dropped


async def _start(
    send: Send, status: int, length: int, headers: Mapping[str, str] | None = None
) -> None:
    given = {"content-type": "application/json", **(headers or {}), "content-length": str(length)}
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [(name.lower().encode(), value.encode()) for name, value in given.items()],
        }
    )


def main() -> None:
    """Serve until the process is ended."""
    sandbox = create_sandbox(
        SandboxSettings(moving=False, workflows=6, runs=4, users=5, tasks=3, page_size=4)
    )
    config = uvicorn.Config(Faulty(sandbox), log_level="critical", lifespan="off")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(f"http://127.0.0.1:{listener.getsockname()[1]}/v1.0", flush=True)
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
