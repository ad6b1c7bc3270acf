"""The gateway as the benchmarks start it; the one place that knows its settings."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from unittest.mock import patch

import httpx
from starlette.types import ASGIApp, Message

from benchmarks.shapes import TOKEN
from gateway.access.credentials import Fixed
from gateway.app import Upstream, create_app
from gateway.schema.build import build_schema
from gateway.settings import Settings

UPSTREAM_URL = "http://upstream/v1.0"


def settings() -> Settings:
    """Settings for the benchmarks, whatever the environment says."""
    given: dict[str, Any] = {"_env_file": None, "log_level": "error"}
    return Settings(**given)


class InProcess:
    """A gateway that is called without a socket, from the bytes of a body to those of an answer.

    Attributes:
        milliseconds: what each stage of the last answer took.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.milliseconds: dict[str, float] = {}

    async def answer(self, body: bytes) -> bytes:
        """The body of the answer to a POST."""
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": "/graphql",
            "raw_path": b"/graphql",
            "query_string": b"",
            "root_path": "",
            "headers": [(b"content-type", b"application/json"), (b"accept", b"application/json")],
            "client": ("127.0.0.1", 1),
            "server": ("gateway", 80),
        }
        answered: list[bytes] = []
        bodies = [body]

        async def receive() -> Message:
            if not bodies:
                # The client waits for the answer.
                await asyncio.get_running_loop().create_future()
            return {"type": "http.request", "body": bodies.pop(), "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                told = dict(message["headers"]).get(b"server-timing", b"").decode()
                stages = (stage.split(";dur=") for stage in told.split(", ") if stage)
                self.milliseconds = {name: float(value) for name, value in stages}
            if message["type"] == "http.response.body":
                answered.append(message.get("body", b""))

        await self._app(scope, receive, send)
        return b"".join(answered)


@asynccontextmanager
async def in_process(
    transport: httpx.AsyncBaseTransport, *, projection: bool = True
) -> AsyncIterator[InProcess]:
    """A gateway in this process that sends its requests through ``transport``.

    Without ``projection``, graphql-core resolves every field.
    """
    upstream = Upstream(UPSTREAM_URL, Fixed(TOKEN), transport)
    with patch("gateway.app.build_schema", partial(build_schema, projection=projection)):
        app = create_app(settings(), upstream)
    async with app.router.lifespan_context(app):
        yield InProcess(app)
