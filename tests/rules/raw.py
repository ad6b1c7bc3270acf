"""A gateway in front of a raw socket that notes what it was sent, byte by byte."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx

from gateway.access.credentials import Fixed
from gateway.app import Upstream, create_app
from gateway.settings import Settings
from tests.conftest import TOKEN, Gateway
from tests.upstreams import raw_server, read_request

BASE = "/v1.0/identityGovernance/lifecycleWorkflows"


class Notes:
    """What a raw upstream was sent, and what it answers.

    Args:
        answer: the JSON (with 200), or a status alone, for a method and a target as written, which
            begins with a slash below the version root; items of a `$batch` alike.

    Attributes:
        lines: the request lines, as bytes.
        asked: method and target of each logical request, items of a `$batch` one by one.
        address: ``http://127.0.0.1:port``.
    """

    def __init__(self, answer: Callable[[str, str], Any]) -> None:
        self.answer = answer
        self.lines: list[bytes] = []
        self.asked: list[tuple[str, str]] = []
        self.address = ""

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        while (request := await read_request(reader)) is not None:
            line, _, body = request
            self.lines.append(line)
            method, target, _ = line.decode("latin-1").split(" ")
            if target == "/v1.0/$batch":
                found = {"responses": [self._item(item) for item in json.loads(body)["requests"]]}
            else:
                self.asked.append((method, target))
                found = self.answer(method, target)
            writer.write(_http(found))
            await writer.drain()
        writer.close()

    def _item(self, item: dict[str, Any]) -> dict[str, Any]:
        target = "/v1.0" + item["url"]
        self.asked.append((item["method"], target))
        found = self.answer(item["method"], target)
        if isinstance(found, int):
            return {"id": item["id"], "status": found}
        return {"id": item["id"], "status": 200, "body": found}


def _http(found: Any) -> bytes:
    status, body = (found, b"") if isinstance(found, int) else (200, json.dumps(found).encode())
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


@asynccontextmanager
async def in_front_of(address: str, settings: Settings | None = None) -> AsyncIterator[Gateway]:
    """A gateway whose upstream is at ``address``."""
    app = create_app(settings or Settings(), Upstream(f"{address}/v1.0", Fixed(TOKEN)))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
            yield Gateway(client, client)


@asynccontextmanager
async def noting(
    answer: Callable[[str, str], Any], settings: Settings | None = None
) -> AsyncIterator[tuple[Gateway, Notes]]:
    """A gateway, and the notes of the raw upstream behind it."""
    notes = Notes(answer)
    with raw_server(notes) as address:
        notes.address = address
        async with in_front_of(address, settings) as gateway:
            yield gateway, notes
