"""The way out is the same for every client: proxies, exceptions from them, trusted certificates.

The kind of fault: a client that reads the environment in its own way, or not at all. The clients
are the two pools of connections to the service (`gateway.graph.client`), the connection to the
token host (`gateway.access.entra`), and the one that fetches signing keys
(`gateway.access.tokens`). What must not go by a proxy: the embedded sandbox, a managed identity's
endpoint on this machine, and a command that asks its own sandbox whether it is there
(`gateway.commands.serve`).
"""

import asyncio
import base64
import logging
import shutil
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import trustme
import uvicorn
from starlette.types import ASGIApp
from typer.testing import CliRunner

from gateway.access.caller import ANONYMOUS
from gateway.access.credentials import Fixed
from gateway.access.entra import AppCredentials, Identity
from gateway.access.tokens import SigningKeys
from gateway.app import Upstream, create_app
from gateway.cli import cli
from gateway.commands.serve import _await_http
from gateway.graph.client import GraphClient
from gateway.graph.session import Session
from gateway.network import http_clients, proxy_for
from gateway.odata.query import GraphRequest
from gateway.sandbox import SandboxSettings, create_sandbox
from gateway.settings import Settings
from tests.access.authority import CLIENT, SECRET, TENANT, Authority, Service
from tests.conftest import Gateway, listening
from tests.test_cli import run
from tests.upstreams import raw_server, read_request

# A session of aiohttp 3 takes a proxy's login in no other way.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:gateway")

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
            await asyncio.gather(_pipe(reader, there[1]), _pipe(there[0], writer))
            return


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


@pytest.fixture(autouse=True)
def _no_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
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


# --- proxies -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "variable",
    ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"],
)
async def test_every_client_goes_by_the_proxy(
    client: tuple[Client, str, int],
    proxy: ForwardProxy,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
) -> None:
    reach, host, connections = client
    monkeypatch.setenv(variable, proxy.url)
    assert await reach(f"https://{host}")
    assert proxy.asked == [f"CONNECT {host}:443"] * connections


async def test_a_proxy_without_a_scheme_and_with_a_login(
    client: tuple[Client, str, int], proxy: ForwardProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    reach, host, connections = client
    monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("http://", "me:p%40ssword-of-mine@"))
    assert await reach(f"https://{host}")
    login = base64.b64encode(b"me:p@ssword-of-mine").decode()
    assert proxy.logins == [f"Basic {login}"] * connections


@pytest.mark.parametrize(
    ("no_proxy", "direct"),
    [
        ("localhost", True),
        ("example.com, LOCALHOST", True),
        (".localhost", True),
        ("localhost:{port}", True),
        ("example.com,*", True),
        ("ocalhost", False),
        ("localhost:1", False),
        ("a.localhost", False),
        ("", False),
    ],
)
async def test_every_client_goes_directly_to_the_same_hosts(
    client: tuple[Client, str, int],
    behind: Corporation,
    proxy: ForwardProxy,
    monkeypatch: pytest.MonkeyPatch,
    no_proxy: str,
    direct: bool,
) -> None:
    """A host on loopback too goes by the proxy if nothing says otherwise."""
    port = port_of(client, behind)
    proxy.ports["localhost"] = port
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    monkeypatch.setenv("NO_PROXY", no_proxy.format(port=port))
    assert await client[0](on_loopback(client, behind))
    assert (proxy.asked == []) is direct
    assert set(proxy.asked) <= {f"CONNECT localhost:{port}"}


@pytest.mark.parametrize(
    ("url", "no_proxy", "direct"),
    [
        ("https://graph.corp.test", "corp.test", True),
        ("https://graph.corp.test", ".corp.test", True),
        ("https://corp.test", ".corp.test", True),
        ("https://notcorp.test", "corp.test", False),
        ("https://graph.corp.test", "graph.corp.test:443", True),
        ("https://[::1]:8000", "::1", True),
        ("https://[::1]:8000", "[::1]", True),
        ("https://10.0.0.1", "10.0.0.1", True),
        ("http://graph.corp.test", "", True),
    ],
)
def test_hosts_without_a_proxy(
    monkeypatch: pytest.MonkeyPatch, url: str, no_proxy: str, direct: bool
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.test:3128")
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert (proxy_for(url) is None) is direct


def test_the_variable_of_the_scheme_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://all.test:1")
    monkeypatch.setenv("HTTPS_PROXY", "http://secure.test:2")
    for url, proxy in (
        ("https://a.test", "http://secure.test:2"),
        ("http://a", "http://all.test:1"),
    ):
        found = proxy_for(url)
        assert found is not None
        assert found.url == proxy


# --- certificates ------------------------------------------------------------------------------


async def test_every_client_trusts_the_same_certificates(
    client: tuple[Client, str, int], behind: Corporation, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = on_loopback(client, behind)
    assert await client[0](url)
    monkeypatch.delenv("SSL_CERT_FILE")
    assert not await client[0](url)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl names the file")
async def test_a_folder_of_certificates(
    client: tuple[Client, str, int],
    behind: Corporation,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Its files are named by hashes, as ``openssl rehash`` names them."""
    shutil.copy(behind.ca, tmp_path / "ca.pem")
    subprocess.run(["openssl", "rehash", str(tmp_path)], check=True)  # noqa: S603, S607, ASYNC221
    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert await client[0](on_loopback(client, behind))


# --- whole gateways ----------------------------------------------------------------------------


@asynccontextmanager
async def gateway_to(upstream: Upstream | None, **settings: object) -> AsyncIterator[Gateway]:
    app = create_app(Settings(**settings), upstream)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            base_url="http://127.0.0.1:8000", transport=httpx.ASGITransport(app)
        ) as client,
    ):
        yield Gateway(client, client)


async def test_an_operation_goes_by_the_proxy_with_all_that_it_needs(
    behind: Corporation, proxy: ForwardProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller's token is checked, the gateway's own is fetched, the service is asked."""
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    async with gateway_to(
        None,
        upstream_url=f"https://{GRAPH}/v1.0",
        authority_url=f"https://{LOGIN}",
        credentials="app",
        audience=CLIENT,
        tenant_id=TENANT,
        client_id=CLIENT,
        client_secret=SECRET,
    ) as gateway:
        token = behind.authority.token(roles=["Results.Read"])
        response = await gateway.post(
            {"query": NAMES}, headers={"Authorization": f"Bearer {token}"}
        )
    names = [row["displayName"] for row in response.json()["data"]["workflows"]["nodes"]]
    assert names[0] == "w0 as the-app sees it"
    assert sorted(proxy.asked) == [f"CONNECT {GRAPH}:443", *[f"CONNECT {LOGIN}:443"] * 2]


async def test_requests_without_tls_are_sent_to_the_proxy_in_absolute_form(
    proxy: ForwardProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", proxy.url)
    with listening(create_sandbox(SandboxSettings(moving=False))) as url:
        proxy.ports[GRAPH] = httpx.URL(url).port or 0
        upstream = Upstream(f"http://{GRAPH}/v1.0", Fixed("sandbox"))
        async with gateway_to(upstream) as gateway:
            data = await gateway.data("{ workflows { nodes { id runs { nodes { id } } } } }")
    assert len(data["workflows"]["nodes"]) > 1
    first, second = proxy.asked
    assert first.startswith(f"GET http://{GRAPH}/v1.0/identityGovernance/lifecycleWorkflows/")
    assert second == f"POST http://{GRAPH}/v1.0/$batch"


async def test_the_embedded_sandbox_needs_no_proxy(
    proxy: ForwardProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in VARIABLES[:3]:
        monkeypatch.setenv(variable, proxy.url)
    async with gateway_to(None) as gateway:
        assert (await gateway.data(NAMES))["workflows"]["nodes"]
    assert proxy.asked == []


def test_a_command_asks_its_own_sandbox_directly(
    proxy: ForwardProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    with listening(create_sandbox(SandboxSettings())) as url:
        _await_http(url)
    assert proxy.asked == []


async def test_a_managed_identity_is_not_asked_by_a_proxy(
    behind: Corporation, proxy: ForwardProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"https://localhost:{behind.login}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "header")
    credentials = AppCredentials(Identity("managed"), "https://graph/.default")
    assert await credentials.token(ANONYMOUS) == "upstream-token-of-the-app"
    await credentials.aclose()
    assert proxy.asked == []


# --- what goes wrong ---------------------------------------------------------------------------

RENAME = """mutation { updateWorkflow(input: { workflowId: "w1", displayName: "New" }) {
    __typename } }"""


@pytest.mark.parametrize("query", [NAMES, RENAME])
@pytest.mark.parametrize("status", [b"407 Proxy Authentication Required", b"502 Bad Gateway"])
async def test_a_proxy_that_refuses_is_told_without_its_password(
    behind: Corporation,
    proxy: ForwardProxy,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    query: str,
    status: bytes,
) -> None:
    """Nothing reached the service, so the outcome of a change is known."""
    caplog.set_level(logging.DEBUG)
    proxy.refuse = status
    monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("//", "//me:password-of-mine@"))
    upstream = Upstream(f"https://{GRAPH}/v1.0", Fixed("sandbox"))
    async with gateway_to(upstream, max_attempts=1) as gateway:
        response = await gateway.post({"query": query})
    [error] = response.json()["errors"]
    assert error["extensions"] == {"code": "UPSTREAM_UNAVAILABLE"}
    assert proxy.asked == [f"CONNECT {GRAPH}:443"]
    assert "can't be reached" in caplog.text
    assert "password-of-mine" not in caplog.text + response.text
    assert base64.b64encode(b"me:password-of-mine").decode() not in caplog.text + response.text


async def test_a_change_goes_out_once_by_a_proxy_that_is_not_there(
    behind: Corporation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    upstream = Upstream(f"https://{GRAPH}/v1.0", Fixed("sandbox"))
    async with gateway_to(upstream) as gateway:
        [error] = await gateway.errors(RENAME)
    assert error["extensions"] == {"code": "UPSTREAM_UNAVAILABLE"}


@pytest.mark.parametrize(
    ("variable", "value", "rule"),
    [
        ("HTTPS_PROXY", "socks5://me:password-of-mine@proxy.test", "URL of an HTTP proxy"),
        ("HTTPS_PROXY", "http://me:password-of-mine@", "URL of an HTTP proxy"),
        ("ALL_PROXY", "http://proxy.test:password-of-mine", "URL of an HTTP proxy"),
        ("SSL_CERT_FILE", "/nowhere/ca.pem", "PEM file"),
        ("SSL_CERT_FILE", __file__, "PEM file"),
        ("SSL_CERT_DIR", "/nowhere", "folder"),
    ],
)
def test_a_way_out_that_can_not_be_used_is_told_at_the_start(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, rule: str
) -> None:
    monkeypatch.setenv(variable, value)
    settings = Settings(upstream_url=f"https://{GRAPH}/v1.0")
    with pytest.raises(ValueError, match=f"^{variable} must .*{rule}") as refused:
        create_app(settings)
    assert "password" not in str(refused.value)
    create_app(Settings())
    monkeypatch.setenv("GATEWAY_UPSTREAM_URL", f"https://{GRAPH}/v1.0")
    told = CliRunner().invoke(cli, ["serve"])
    assert told.exit_code != 0
    assert f"{variable} must " in told.output
    assert "Traceback" not in told.output


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ALL_PROXY", "socks5://me:password-of-mine@proxy.test"),
        ("SSL_CERT_FILE", "/nowhere/ca.pem"),
    ],
)
def test_a_way_out_that_can_not_be_used_hinders_nothing_before_it_is_read(
    variable: str, value: str
) -> None:
    """What is read while modules are loaded fails before anything can be told."""
    told = run("serve", GATEWAY_UPSTREAM_URL=f"https://{GRAPH}/v1.0", **{variable: value})
    assert told.returncode == 2
    assert told.stderr.startswith(f"{variable} must ")
    assert "Traceback" not in told.stderr
    assert "password" not in told.stderr
    assert run("schema", "--check", "schema.graphql", **{variable: value}).returncode == 0
