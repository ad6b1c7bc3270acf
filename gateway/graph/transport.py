"""The transport of requests: aiohttp behind the httpx interface.

It is httpx's interface so that tests and the embedded sandbox can stand in its place. Three things
are particular to it:

- **The target is sent as it was written.** httpx, httpx-aiohttp and yarl hand a URL on as text and
  decode what need not be encoded (``%28`` becomes ``(``), which turns an id into a function call.
  What the extension ``target`` holds (the one that httpcore knows) goes out byte by byte.
- **Nothing is sent twice.** aiohttp by itself repeats GET, PUT and DELETE when a connection breaks
  before the first byte of the answer, on new connections too.
- **It is known whether anything was sent**, by the extension ``sending``.
"""

import time
from collections.abc import AsyncIterator, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from math import inf
from typing import Any
from urllib.parse import quote

import aiohttp
import httpx
from aiohttp.client import ClientTimeout
from yarl import URL

from gateway import __version__
from gateway.network import session_options, tls_for

_CHUNK = 64 * 1024
_VISIBLE = "".join(map(chr, range(0x21, 0x7F)))


@dataclass(slots=True)
class Sending:
    """The progress of one HTTP request, in its extension ``sending``.

    Attributes:
        latest: until when it may begin to be sent, in seconds of ``time.monotonic()``.
        begun: whether bytes of it may have been sent. A transport that can't tell leaves it true.
    """

    latest: float = inf
    begun: bool = False

    def begin(self) -> None:
        """Note that the request is sent from now on.

        Raises:
            httpx.PoolTimeout: it is too late for that; nothing is sent.
        """
        if time.monotonic() > self.latest:
            raise httpx.PoolTimeout("too little time is left to send the request")
        self.begun = True


_current: ContextVar[Sending] = ContextVar("sending")


def target_of(base: str, url: str) -> bytes:
    """The target of the request line for ``url`` below ``base``.

    What is percent-encoded stays so, and what is not stays that way; only what can't stand in a
    request line (blanks, letters outside ASCII) is encoded.

    Args:
        base: the path of the version root, encoded, such as ``/v1.0``.
        url: relative to it, encoded.

    Raises:
        httpx.InvalidURL: ``url`` has control characters or a fragment.
    """
    if "#" in url or any(character < " " or character == "\x7f" for character in url):
        raise httpx.InvalidURL("a control character or a fragment in the URL")
    written = url if url.isascii() and " " not in url else quote(url, safe=_VISIBLE)
    return f"{base}/{written}".encode("ascii")


class _Connector(aiohttp.TCPConnector):
    """Tells when there is a connection, so that the request is written next."""

    async def connect(self, *args: Any, **kwargs: Any) -> Any:
        connection = await super().connect(*args, **kwargs)
        try:
            _current.get().begin()
        except httpx.PoolTimeout:
            connection.release()
            raise
        return connection


class _Broken(Exception):
    """The connection broke; no exception of aiohttp's, which would repeat the request."""


async def _once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    try:
        return await handler(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as problem:
        raise _Broken(str(problem)) from problem


class AiohttpTransport(httpx.AsyncBaseTransport):
    """Carries httpx requests; one pool of connections, as many as there are requests at once.

    Args:
        root: of all that is requested; it decides about the proxy and what is trusted.
        reuse: whether a connection serves several requests. One that was used before may be
            closed by the service just as it is used again, which is no way to send a change.
    """

    def __init__(self, root: str, *, reuse: bool = True) -> None:
        self._root = root
        self._reuse = reuse
        self._session: aiohttp.ClientSession | None = None

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            tls = tls_for(self._root)
            connector = (
                _Connector(limit=0, keepalive_timeout=60, ssl=tls)
                if self._reuse
                else _Connector(limit=0, force_close=True, ssl=tls)
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                middlewares=(_once,),
                **session_options(self._root),
            )
        return self._session

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request, once.

        Raises:
            httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout: nothing of it was sent.
            httpx.TransportError: what may have been sent was not answered.
        """
        sending: Sending = request.extensions.get("sending") or Sending()
        sending.begun = False
        timeout = request.extensions.get("timeout", {})
        target = request.extensions.get("target", request.url.raw_path)
        origin = f"{request.url.scheme}://{request.url.netloc.decode('ascii')}"
        here = _current.set(sending)
        try:
            answer = await self._opened().request(
                request.method,
                URL(origin + target.decode("ascii"), encoded=True),
                headers=[(k.decode("ascii"), v.decode("latin-1")) for k, v in request.headers.raw],
                data=request.content or None,
                allow_redirects=False,
                auto_decompress=False,
                compress=False,
                timeout=ClientTimeout(
                    connect=timeout.get("pool"),
                    sock_connect=timeout.get("connect"),
                    sock_read=timeout.get("read"),
                ),
            )
        except httpx.PoolTimeout:
            raise
        except Exception as problem:
            raise _told(problem, sending) from problem
        finally:
            _current.reset(here)
        return httpx.Response(
            answer.status, headers=answer.raw_headers, stream=_Body(answer, sending)
        )

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()


class _Body(httpx.AsyncByteStream):
    def __init__(self, answer: aiohttp.ClientResponse, sending: Sending) -> None:
        self._answer = answer
        self._sending = sending

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._answer.content.iter_chunked(_CHUNK):
                yield chunk
        except Exception as problem:
            raise _told(problem, self._sending) from problem

    async def aclose(self) -> None:
        self._answer.release()


def _told(problem: Exception, sending: Sending) -> httpx.TransportError:
    """The failure in httpx's words; whatever it is, the caller learns whether it was sent."""
    message = str(problem) or type(problem).__name__
    if isinstance(problem, TimeoutError):
        return (httpx.ReadTimeout if sending.begun else httpx.ConnectTimeout)(message)
    return (httpx.ReadError if sending.begun else httpx.ConnectError)(message)


# The encodings are those that httpx reads, with its extra zstd.
DEFAULT_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate, zstd",
    "User-Agent": f"lifecycle-gateway/{__version__}",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that was read whole; ``content`` is not compressed any more."""

    status_code: int
    headers: httpx.Headers
    content: bytes

    @property
    def is_success(self) -> bool:
        """Whether the status says so."""
        return 200 <= self.status_code < 300


async def exchange(
    transport: httpx.AsyncBaseTransport, request: httpx.Request, received: Callable[[int], None]
) -> Answer:
    """The answer to one request, read whole; ``received`` is told the bytes, and may raise.

    There is no `httpx.AsyncClient` around the transport: it takes as long again as the request
    itself, and the gateway wants no redirects and no cookies, which must not cross callers.

    Raises:
        httpx.HTTPError: there is no answer, or none that can be read.
    """
    response = await transport.handle_async_request(request)
    try:
        parts: list[bytes] = []
        async for part in response.aiter_bytes():
            received(len(part))
            parts.append(part)
    finally:
        await response.aclose()
    return Answer(response.status_code, response.headers, b"".join(parts))
