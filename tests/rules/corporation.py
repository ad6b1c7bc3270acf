"""A proxy, and a corporation with certificates of its own."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import trustme
import uvicorn
from starlette.types import ASGIApp

from gateway.access.caller import ANONYMOUS
from gateway.access.entra import AppCredentials, Identity
from gateway.access.tokens import SigningKeys
from gateway.graph.client import GraphClient
from gateway.graph.session import Session
from gateway.network import http_clients
from gateway.odata.query import GraphRequest
from tests.access.authority import CLIENT, SECRET, TENANT, Authority, Service
from tests.upstreams import raw_server, read_request

# A session of aiohttp 3 takes a proxy's login in no other way.

GRAPH, LOGIN = "graph.corp.test", "login.corp.test"
NAMES = "{ workflows { nodes { id displayName } } }"
VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@dataclass
class ForwardProxy:
    """A forward proxy on loopback, which alone knows where the names lead.

    Attributes:
        ports: the loopback port of each name.
        asked: the request lines that it got, without the version.
        logins: what each was authorized with.
        refuse: the status that it answers instead.
    """

    ports: dict[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    logins: list[str | None] = field(default_factory=list)
    refuse: bytes = b""
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (request := await read_request(reader)) is not None:
            line, headers, body = request
            method, target, _ = line.decode().split()
            self.asked.append(f"{method} {target}")
            self.logins.append(headers.pop("proxy-authorization", None))
            if self.refuse:
                writer.write(b"HTTP/1.1 " + self.refuse + b"\r\nContent-Length: 0\r\n\r\n")
                continue
            url = httpx.URL(target if method != "CONNECT" else f"https://{target}")
            there = await asyncio.open_connection("127.0.0.1", self.ports[url.host])
            if method == "CONNECT":
                writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            else:
                head = f"{method} {url.raw_path.decode()} HTTP/1.1\r\nConnection: close\r\n"
                head += "".join(f"{k}: {v}\r\n" for k, v in headers.items() if k != "connection")
                there[1].write(head.encode() + b"\r\n" + body)
            await asyncio.gather(pipe(reader, there[1]), pipe(there[0], writer))
            return


async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


@pytest.fixture(autouse=True)
def no_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*VARIABLES, *map(str.lower, VARIABLES), "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def proxy() -> Iterator[ForwardProxy]:
    found = ForwardProxy()
    with raw_server(found.serve) as found.url:
        yield found


@contextmanager
def listening_tls(app: ASGIApp, certificate: Path) -> Iterator[int]:
    """Serve an ASGI application over TLS; yields its loopback port."""
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, log_level="critical", ssl_certfile=str(certificate)
    )
    server = uvicorn.Server(config)
    listener = config.bind_socket()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.005)
    try:
        yield int(listener.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(5)
        listener.close()


@dataclass
class Corporation:
    """A service and an authority with certificates of a private CA, and where they listen."""

    authority: Authority
    ca: str
    graph: int
    login: int


@pytest.fixture(scope="module")
def corporation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Corporation]:
    folder = tmp_path_factory.mktemp("corporation")
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(folder / "ca.pem"))
    own = ca.issue_cert(GRAPH, LOGIN, "localhost")
    own.private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
    authority = Authority(f"https://{LOGIN}")
    with ExitStack() as stack:
        graph, login = (
            stack.enter_context(listening_tls(app, folder / "server.pem"))
            for app in (Service("alice").app, authority.app())
        )
        yield Corporation(authority, str(folder / "ca.pem"), graph, login)


@pytest.fixture
def behind(
    corporation: Corporation, proxy: ForwardProxy, monkeypatch: pytest.MonkeyPatch
) -> Corporation:
    """The corporation, whose names the proxy knows and whose CA is trusted."""
    proxy.ports = {GRAPH: corporation.graph, LOGIN: corporation.login}
    monkeypatch.setenv("SSL_CERT_FILE", corporation.ca)
    corporation.authority.url = f"https://{LOGIN}"
    corporation.authority.reset()
    return corporation


# Each client connects to a host of the corporation; whether that works is told.
Client = Callable[[str], Awaitable[bool]]


async def to_the_service(url: str) -> bool:
    client = GraphClient(f"{url}/v1.0", max_attempts=1)
    try:
        session = Session(Service.token("alice"), time.monotonic() + 10)
        [read] = await client.send([GraphRequest("nothing")], session)
        [changed] = await client.send([GraphRequest("nothing", "PATCH")], session)
        return (read.status, changed.status) == (404, 204)
    finally:
        await client.aclose()


async def to_the_token_host(url: str) -> bool:
    identity = Identity("secret", url, TENANT, CLIENT, SECRET)
    credentials = AppCredentials(identity, "https://graph/.default")
    try:
        return (await credentials.token(ANONYMOUS)).startswith("upstream-token-of-the-app")
    except Exception:
        return False
    finally:
        await credentials.aclose()


async def to_the_keys(url: str) -> bool:
    try:
        return await SigningKeys(url, TENANT, http_clients()).key("first") is not None
    except Exception:
        return False


CLIENTS: dict[str, tuple[Client, str, int]] = {
    "service": (to_the_service, GRAPH, 2),
    "token host": (to_the_token_host, LOGIN, 1),
    "keys": (to_the_keys, LOGIN, 1),
}


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest, behind: Corporation) -> tuple[Client, str, int]:
    """A client, the name of its host, and how many connections it makes."""
    return CLIENTS[request.param]


def port_of(client: tuple[Client, str, int], behind: Corporation) -> int:
    return behind.graph if client[1] == GRAPH else behind.login


def on_loopback(client: tuple[Client, str, int], behind: Corporation) -> str:
    url = f"https://localhost:{port_of(client, behind)}"
    if client[1] == LOGIN:
        behind.authority.url = url
        behind.authority.reset()
    return url
