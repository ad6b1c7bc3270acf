"""What the tests share: a gateway in front of a sandbox, in process or over real sockets."""

import socket
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.types import ASGIApp
from tenacity.wait import wait_random_exponential

from gateway.access.credentials import Fixed, Passthrough
from gateway.app import Upstream, create_app
from gateway.sandbox import SandboxSettings, create_sandbox
from gateway.schema.build import GatewaySchema, build_schema
from gateway.settings import Settings
from tests.upstreams import Unusual

TOKEN = "a-token-that-is-long-enough-to-be-a-secret"


# A schema holds nothing of an application, and takes longest of all that one is made of.
_kept = lru_cache(maxsize=16)(build_schema)


_projecting = ContextVar("_projecting", default=True)


def _schema(resources: Sequence[type] = (), **how: Any) -> GatewaySchema:
    return _kept(resources=tuple(resources), projection=_projecting.get(), **how)


# Servers that were told to stop: they look at it ten times a second, which no test has to wait for.
_stopping: list[tuple[threading.Thread, socket.socket]] = []


def _reap() -> None:
    """Close the sockets of servers that have stopped."""
    for thread, listener in list(_stopping):
        if not thread.is_alive():
            listener.close()
            _stopping.remove((thread, listener))


@contextmanager
def listening(app: ASGIApp) -> Iterator[str]:
    """Serve an ASGI application on a loopback port; yields its address."""
    _reap()
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", lifespan="auto")
    server = uvicorn.Server(config)
    listener = config.bind_socket()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        _stopping.append((thread, listener))


@dataclass(frozen=True)
class Sent:
    """What went upstream: HTTP requests as the sandbox logged them."""

    requests: list[dict[str, Any]]

    @property
    def http(self) -> int:
        """The number of HTTP requests."""
        return len(self.requests)

    @property
    def items(self) -> list[str]:
        """Method and URL of each logical request, `$batch` items one by one."""
        found = []
        for request in self.requests:
            if request["items"] is None:
                url = request["path"].removeprefix("/v1.0").removeprefix("/beta")
                found.append(f"{request['method']} {url}")
            else:
                found += [f"{i['method']} {i['url']}" for i in request["items"]]
        return found


class Gateway:
    """A gateway and the sandbox behind it."""

    def __init__(self, client: httpx.AsyncClient, upstream: httpx.AsyncClient) -> None:
        self.client = client
        self.upstream = upstream

    async def post(self, body: Any, **kwargs: Any) -> httpx.Response:
        """POST a GraphQL request."""
        return await self.client.post("/graphql", json=body, **kwargs)

    async def query(self, query: str, **variables: Any) -> dict[str, Any]:
        """The response to a query, with `data` and, if there are any, `errors`."""
        response = await self.post({"query": query, "variables": variables})
        assert response.status_code == 200, response.text
        return response.json()

    async def data(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of a query that must have no errors."""
        response = await self.query(query, **variables)
        assert "errors" not in response, response["errors"][:3]
        return response["data"]

    async def errors(self, query: str, **variables: Any) -> list[dict[str, Any]]:
        """The errors of a query that must have some."""
        response = await self.query(query, **variables)
        assert "errors" in response, response
        return response["errors"]

    async def counted(self, query: str, **variables: Any) -> tuple[dict[str, Any], Sent]:
        """The data of a query, and what it sent upstream."""
        await self.forget()
        data = await self.data(query, **variables)
        return data, await self.sent()

    async def sent(self) -> Sent:
        """What went upstream since `forget`."""
        return Sent((await self.upstream.get("/sandbox/requests")).json()["requests"])

    async def forget(self) -> None:
        """Clear the sandbox's log of requests."""
        await self.upstream.delete("/sandbox/requests")

    async def fault(self, **fault: Any) -> None:
        """Let the sandbox fail; see gateway.sandbox.protocol.faults."""
        response = await self.upstream.post("/sandbox/faults", json=[fault])
        assert response.status_code == 200, response.text

    async def rest(self, path: str, **kwargs: Any) -> dict[str, Any]:
        """The sandbox's own REST answer, below the lifecycle workflows root."""
        response = await self.upstream.get(
            f"/v1.0/identityGovernance/lifecycleWorkflows{path}",
            headers={
                "Authorization": f"Bearer {TOKEN}",
                "Prefer": "include-unknown-enum-members",
            },
            **kwargs,
        )
        assert response.status_code == 200, response.text
        return response.json()


@asynccontextmanager
async def running(
    sandbox: ASGIApp,
    settings: Settings | None = None,
    *,
    sockets: bool = False,
    passthrough: bool = False,
    version: str = "v1.0",
    resources: Sequence[type] = (),
    projection: bool = True,
) -> AsyncIterator[Gateway]:
    """A gateway in front of ``sandbox``.

    Args:
        sandbox: the upstream.
        settings: of the gateway.
        sockets: gateway and sandbox listen on loopback ports; otherwise all is in process.
        passthrough: callers bring their own token.
        version: the version root.
        resources: further ones; see `create_app`.
        projection: whether selections that only read rows are executed by generated functions.
    """
    _projecting.set(projection)
    credentials = Passthrough() if passthrough else Fixed(TOKEN)
    async with AsyncExitStack() as stack:
        if sockets:
            there = stack.enter_context(listening(sandbox))
            service = Upstream(f"{there}/{version}", credentials)
            app = create_app(settings or Settings(), service, resources=resources)
            here = stack.enter_context(listening(app))
            client = httpx.AsyncClient(base_url=here, timeout=60)
            upstream = httpx.AsyncClient(base_url=there, timeout=60)
        else:
            transport = httpx.ASGITransport(sandbox)
            app = create_app(
                settings or Settings(),
                Upstream(f"http://upstream/{version}", credentials, transport),
                resources=resources,
            )
            await stack.enter_async_context(app.router.lifespan_context(app))
            client = httpx.AsyncClient(
                base_url="http://gateway", transport=httpx.ASGITransport(app)
            )
            upstream = httpx.AsyncClient(base_url="http://upstream", transport=transport)
        await stack.enter_async_context(client)
        await stack.enter_async_context(upstream)
        yield Gateway(client, upstream)


Start = Callable[..., Awaitable[Gateway]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts gateways: ``await start(users=2000, settings=Settings(...), sockets=True)``.

    With ``unusual``, the sandbox stands behind it and all goes over sockets.
    Keyword arguments that `running` does not take are settings of the sandbox; its data stands
    still unless asked otherwise.
    """
    async with AsyncExitStack() as stack:

        async def begin(
            settings: Settings | None = None,
            sockets: bool = False,
            passthrough: bool = False,
            version: str = "v1.0",
            unusual: Unusual | None = None,
            resources: Sequence[type] = (),
            projection: bool = True,
            **sandbox: Any,
        ) -> Gateway:
            app: ASGIApp = create_sandbox(SandboxSettings(**{"moving": False, **sandbox}))
            if unusual is not None:
                app, sockets = unusual.before(app), True
            return await stack.enter_async_context(
                running(
                    app,
                    settings,
                    sockets=sockets,
                    passthrough=passthrough,
                    version=version,
                    resources=resources,
                    projection=projection,
                )
            )

        yield begin


@pytest.fixture
async def gateway(start: Start) -> Gateway:
    """A gateway in front of a sandbox of the default size, in process."""
    return await start()


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """Settings of the developer's own environment do not reach the tests."""
    import os

    for name in list(os.environ):
        if name.upper().startswith("GATEWAY_"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _one_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    """Applications with equal settings share their schema."""
    monkeypatch.setattr("gateway.app.build_schema", _schema)


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked again is asked again soon."""
    monkeypatch.setattr("gateway.graph.throttling.back_off", wait_random_exponential(0.002, 0.05))


def pytest_addoption(parser: pytest.Parser) -> None:
    """How thoroughly the projection is compared with graphql-core."""
    parser.addoption("--parity-cases", type=int, default=500, help="operations of test_parity.py")


@pytest.fixture
def parity_cases(request: pytest.FixtureRequest) -> int:
    """How many operations are compared."""
    return int(request.config.getoption("--parity-cases"))
