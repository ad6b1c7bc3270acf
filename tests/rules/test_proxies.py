"""The way out is the same for every client: proxies, exceptions from them, trusted certificates.

The kind of fault: a client that reads the environment in its own way, or not at all. The clients
are the two pools of connections to the service (`gateway.graph.client`), the connection to the
token host (`gateway.access.entra`), and the one that fetches signing keys
(`gateway.access.tokens`). What must not go by a proxy: the embedded sandbox, a managed identity's
endpoint on this machine, and a command that asks its own sandbox whether it is there
(`gateway.commands.serve`).
"""

import base64
import shutil
import subprocess
from pathlib import Path

import pytest

from gateway.network import proxy_for
from tests.rules.corporation import (
    Client,
    Corporation,
    ForwardProxy,
    on_loopback,
    port_of,
)
from tests.rules.corporation import behind as behind
from tests.rules.corporation import client as client
from tests.rules.corporation import corporation as corporation
from tests.rules.corporation import no_way_out as no_way_out
from tests.rules.corporation import proxy as proxy

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:gateway")

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
    for url, expected in (
        ("https://a.test", "http://secure.test:2"),
        ("http://a", "http://all.test:1"),
    ):
        found = proxy_for(url)
        assert found is not None
        assert found.url == expected


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
