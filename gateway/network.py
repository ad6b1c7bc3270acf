"""The way out: proxies and trusted certificates, the same for every client of the gateway.

aiohttp, azure-identity and httpx read the environment each in its own way (aiohttp knows no
``ALL_PROXY`` and looks into ``.netrc`` for credentials; httpx trusts certifi's roots; they read
``NO_PROXY`` differently), so they are told what is found here.
"""

import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies_environment

import aiohttp
import httpx

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Proxy:
    """A forward proxy: its URL without the credentials, and the credentials."""

    url: str
    login: tuple[str, str] | None = field(default=None, repr=False)


def proxy_for(url: str) -> Proxy | None:
    """The proxy by which ``url`` is reached; ``None`` if it is reached directly.

    Read from ``HTTPS_PROXY`` or ``HTTP_PROXY``, by the scheme of ``url``, else ``ALL_PROXY``, but
    not for the hosts of ``NO_PROXY``; each also in lower case, which goes first.

    Raises:
        ValueError: the variable holds no URL of an HTTP proxy; its value is not told, because it
            may hold a password.
    """
    target = urlsplit(url)
    proxies = getproxies_environment()
    name = target.scheme if proxies.get(target.scheme) else "all"
    given = proxies.get(name)
    if not given or _bypassed(target, proxies.get("no", "")):
        return None
    refused = ValueError(
        f"{name.upper()}_PROXY must be the URL of an HTTP proxy, such as http://proxy.example:8080"
    )
    try:
        there = urlsplit(given if "://" in given else f"http://{given}")
        port = there.port
    except ValueError:
        raise refused from None
    if there.scheme not in _PORTS or not there.hostname:
        raise refused
    host = f"[{there.hostname}]" if ":" in there.hostname else there.hostname
    login = (unquote(there.username or ""), unquote(there.password or ""))
    return Proxy(
        f"{there.scheme}://{host}:{port or _PORTS[there.scheme]}", login if any(login) else None
    )


def _bypassed(target: SplitResult, rule: str) -> bool:
    """Whether ``NO_PROXY`` names the host: itself, a domain above it, or every host (``*``)."""
    host = target.hostname or ""
    names = (host, f"{host}:{target.port or _PORTS.get(target.scheme)}")
    for item in rule.lower().split(","):
        rule = item.strip().lstrip(".").strip("[]")
        if rule == "*" or (rule and any(n == rule or n.endswith(f".{rule}") for n in names)):
            return True
    return False


def trusted() -> ssl.SSLContext:
    """The trust of TLS connections: ``SSL_CERT_FILE``, else ``SSL_CERT_DIR``, else the system.

    Raises:
        ValueError: the variable names nothing that holds certificates.
    """
    return _trusted(os.environ.get("SSL_CERT_FILE") or "", os.environ.get("SSL_CERT_DIR") or "")


@lru_cache(maxsize=1)
def _trusted(file: str, folder: str) -> ssl.SSLContext:
    if file:
        try:
            return ssl.create_default_context(cafile=file)
        except (OSError, ssl.SSLError):
            raise ValueError("SSL_CERT_FILE must name a PEM file with certificates") from None
    if folder:
        if not os.path.isdir(folder):
            raise ValueError("SSL_CERT_DIR must name a folder with certificates")
        return ssl.create_default_context(capath=folder)
    return ssl.create_default_context()


def check(*urls: str | None) -> None:
    """Find out whether clients for ``urls`` can be made.

    Raises:
        ValueError: as for `proxy_for` and `trusted`.
    """
    for url in urls:
        if url is not None:
            proxy_for(url)
            tls_for(url)


def tls_for(url: str) -> ssl.SSLContext | bool:
    """The ``ssl`` of an aiohttp connector that connects to the host of ``url`` alone."""
    return trusted() if url.startswith("https:") else True


def session_options(url: str) -> dict[str, Any]:
    """The options of an `aiohttp.ClientSession` that connects to the host of ``url`` alone."""
    proxy = proxy_for(url)
    if proxy is None:
        return {}
    if proxy.login is None:
        return {"proxy": proxy.url}
    return {"proxy": proxy.url, "proxy_auth": aiohttp.BasicAuth(*proxy.login)}


class _ByProxy(httpx.AsyncBaseTransport):
    """Sends each request by the proxy that its URL has, if any."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls
        self._ways: dict[Proxy | None, httpx.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        proxy = proxy_for(str(request.url))
        way = self._ways.get(proxy)
        if way is None:
            through = httpx.Proxy(proxy.url, auth=proxy.login) if proxy is not None else None
            way = httpx.AsyncHTTPTransport(verify=self._tls, proxy=through)
            self._ways[proxy] = way
        return await way.handle_async_request(request)

    async def aclose(self) -> None:
        for way in self._ways.values():
            await way.aclose()


def http_clients(tls: ssl.SSLContext | None = None) -> Callable[[], httpx.AsyncClient]:
    """A maker of httpx clients.

    Args:
        tls: trusted instead of what `trusted` finds.
    """
    return lambda: httpx.AsyncClient(transport=_ByProxy(tls or trusted()))
