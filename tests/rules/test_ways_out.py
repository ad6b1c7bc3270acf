"""Whole gateways behind proxies and with certificates of a corporation, and what goes wrong."""

import base64
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from typer.testing import CliRunner

from gateway.access.caller import ANONYMOUS
from gateway.access.credentials import Fixed
from gateway.access.entra import AppCredentials, Identity
from gateway.app import Upstream, create_app
from gateway.cli import cli
from gateway.commands.serve import _await_http
from gateway.sandbox import SandboxSettings, create_sandbox
from gateway.settings import Settings
from tests.access.authority import CLIENT, SECRET, TENANT
from tests.commands.test_cli import run
from tests.conftest import Gateway, listening
from tests.rules.corporation import (
    GRAPH,
    LOGIN,
    NAMES,
    VARIABLES,
    Corporation,
    ForwardProxy,
)
from tests.rules.corporation import behind as behind
from tests.rules.corporation import client as client
from tests.rules.corporation import corporation as corporation
from tests.rules.corporation import no_way_out as no_way_out
from tests.rules.corporation import proxy as proxy

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:gateway")

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
