"""Gateways whose callers must prove themselves, in front of a service that tells tokens apart."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from gateway.access.setup import credentials_of
from gateway.app import Upstream, create_app
from gateway.settings import Settings
from tests.access.authority import (
    CLIENT,
    SECRET,
    TENANT,
    Authority,
    Service,
    authority_on_loopback,
)

NAMES = "{ workflows { nodes { id displayName } } }"
RENAME = """mutation { updateWorkflow(input: { workflowId: "w1", displayName: "New" }) {
    __typename } }"""


@pytest.fixture(scope="session")
def _authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with authority_on_loopback(tmp_path_factory.mktemp("authority")) as found:
        yield found


@pytest.fixture
def authority(_authority: tuple[Authority, ssl.SSLContext]) -> Authority:
    _authority[0].reset()
    return _authority[0]


@pytest.fixture
def tls(_authority: tuple[Authority, ssl.SSLContext]) -> ssl.SSLContext:
    return _authority[1]


@dataclass
class Guarded:
    """A gateway and the service behind it."""

    client: httpx.AsyncClient
    service: Service

    async def post(
        self, query: str = NAMES, token: str | None = None, **headers: str
    ) -> httpx.Response:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            given["Authorization"] = f"Bearer {token}"
        return await self.client.post("/graphql", json={"query": query}, headers=given)


def error_of(response: httpx.Response) -> dict[str, Any]:
    """The only error of a response."""
    [error] = response.json()["errors"]
    return {**error["extensions"], "message": error["message"]}


Guard = Callable[..., Awaitable[Guarded]]


@pytest.fixture
async def guarded(authority: Authority, tls: ssl.SSLContext) -> AsyncIterator[Guard]:
    """Starts gateways: ``await guarded(credentials="obo", …)`` with settings by name."""
    async with AsyncExitStack() as stack:

        async def begin(service: Service | None = None, **given: Any) -> Guarded:
            service = service or Service("alice", "bob")
            real = given.get("credentials", "passthrough") != "passthrough"
            entra = {
                "tenant_id": TENANT,
                "client_id": CLIENT,
                "client_secret": SECRET,
                "authority_url": authority.url,
            }
            settings = Settings(
                **{
                    "upstream_url": "https://graph.test/v1.0",
                    **(entra if real else {}),
                    **given,
                }
            )
            upstream = Upstream(
                "https://graph.test/v1.0",
                credentials_of(settings.access, tls),
                httpx.ASGITransport(service.app),
            )
            app = create_app(settings, upstream, tls=tls)
            await stack.enter_async_context(app.router.lifespan_context(app))
            client = httpx.AsyncClient(
                base_url="http://127.0.0.1:8000", transport=httpx.ASGITransport(app)
            )
            await stack.enter_async_context(client)
            return Guarded(client, service)

        yield begin
