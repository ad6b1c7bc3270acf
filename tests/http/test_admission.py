"""How many operations are executed at once, and what becomes of one nobody waits for."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.access.credentials import Fixed
from gateway.app import Upstream, create_app
from gateway.settings import Settings
from tests.conftest import TOKEN, Gateway, Start

SLOW = "{ workflows(first: 1) { nodes { id } } }"
CHANGE = 'mutation { deleteWorkflow(input: { workflowId: "a" }) { __typename } }'


class Upstreams:
    """A service that answers when it is let, and knows which requests were given up."""

    def __init__(self) -> None:
        self.arrived = asyncio.Semaphore(0)
        self.gone = asyncio.Semaphore(0)
        self.let = asyncio.Event()
        self.finished = asyncio.Event()
        self.app = Starlette(
            routes=[Route("/{path:path}", self.answer, methods=["GET", "POST", "DELETE"])]
        )

    async def answer(self, request: Request) -> Response:
        self.arrived.release()
        let = asyncio.create_task(self.let.wait())
        while True:
            heard = asyncio.create_task(request.receive())
            await asyncio.wait({let, heard}, return_when=asyncio.FIRST_COMPLETED)
            if let.done():
                heard.cancel()
                self.finished.set()
                return JSONResponse({"value": []})
            if heard.result()["type"] == "http.disconnect":
                let.cancel()
                self.gone.release()
                return Response()


Serve = Callable[[Settings], Awaitable[tuple[Gateway, Upstreams]]]


@asynccontextmanager
async def serving(app: Starlette) -> AsyncIterator[str]:
    """Serve on a loopback port in this very event loop."""
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical"))
    listener = server.config.bind_socket()
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:  # noqa: ASYNC110
        await asyncio.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        server.force_exit = True
        await task


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    async with AsyncExitStack() as stack:

        async def begin(settings: Settings) -> tuple[Gateway, Upstreams]:
            service = Upstreams()
            there = await stack.enter_async_context(serving(service.app))
            app = create_app(settings, Upstream(f"{there}/v1.0", Fixed(TOKEN)))
            here = await stack.enter_async_context(serving(app))
            client = httpx.AsyncClient(base_url=here, timeout=120)
            await stack.enter_async_context(client)
            return Gateway(client, client), service

        yield begin


async def _soon(event: Awaitable[Any]) -> None:
    """Wait for what must come; a test that hangs instead says nothing."""
    await asyncio.wait_for(event, 120)


async def _goes_away(asking: "asyncio.Task[httpx.Response]") -> None:
    """The client closes its connection, as far as it knows."""
    asking.cancel()
    with suppress(asyncio.CancelledError):
        await asking


async def test_operations_beyond_the_limit_are_told_to_come_back(serve: Serve) -> None:
    gateway, service = await serve(Settings(max_operations=2))
    waiting = [asyncio.create_task(gateway.post({"query": SLOW})) for _ in range(2)]
    for _ in waiting:
        await _soon(service.arrived.acquire())
    refused = await gateway.post({"query": "{ __typename }"})
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "1"
    [error] = refused.json()["errors"]
    assert error["extensions"] == {
        "code": "OVERLOADED",
        "limit": 2,
        "setting": "GATEWAY_MAX_OPERATIONS",
    }
    assert (await gateway.client.get("/healthz")).status_code == 200
    service.let.set()
    assert [response.status_code for response in await asyncio.gather(*waiting)] == [200, 200]
    assert (await gateway.post({"query": "{ __typename }"})).status_code == 200


async def test_each_operation_of_a_batch_counts(start: Start) -> None:
    gateway = await start(Settings(max_operations=2, max_batch=10))
    query = {"query": "{ __typename }"}
    assert (await gateway.post([query] * 2)).status_code == 200
    assert (await gateway.post([query] * 3)).status_code == 429
    assert (await gateway.post([query] * 2)).status_code == 200


async def test_a_client_that_goes_takes_its_upstream_work_along(serve: Serve) -> None:
    gateway, service = await serve(Settings(max_operations=1))
    asking = asyncio.create_task(gateway.post({"query": SLOW}))
    await _soon(service.arrived.acquire())
    await _goes_away(asking)
    await _soon(service.gone.acquire())
    # Its place is free again, once what was cancelled has ended.
    for _ in range(3000):
        response = await gateway.post({"query": "{ __typename }"})
        if response.status_code == 200:
            break
        await asyncio.sleep(0.02)
    assert response.status_code == 200


async def test_a_change_that_was_sent_is_seen_through(serve: Serve) -> None:
    gateway, service = await serve(Settings())
    asking = asyncio.create_task(gateway.post({"query": CHANGE}))
    await _soon(service.arrived.acquire())
    await _goes_away(asking)
    # Others that come and go later are noticed, so this one was too.
    reading = asyncio.create_task(gateway.post({"query": SLOW}))
    await _soon(service.arrived.acquire())
    await _goes_away(reading)
    await _soon(service.gone.acquire())
    assert service.gone.locked()
    assert not service.finished.is_set()
    service.let.set()
    await _soon(service.finished.wait())
    assert service.gone.locked()
