"""The HTTP side of Microsoft Graph: batches, concurrency, time limits, retries, errors."""

import asyncio
import logging
import time
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import unquote, urlsplit

import aiohttp
import httpx
import orjson
from httpx_aiohttp import AiohttpTransport
from tenacity import RetryError

from gateway.graph import batch
from gateway.graph.errors import (
    GraphError,
    UpstreamTimeout,
    UpstreamUnavailable,
    error_of_answer,
    outcome_unknown,
)
from gateway.graph.network import session_options, tls_for
from gateway.graph.throttling import AskAgain, attempts, retriable, retry_after
from gateway.odata.errors import GatewayError
from gateway.odata.query import GraphRequest

_log = logging.getLogger(__name__)

# Without it, enum members above the sentinel are withheld (graph-lifecycle-api.md, section 4).
_HEADERS = {"Prefer": "include-unknown-enum-members"}
# Shorter tokens are no secrets, and could be part of any word.
_SECRET_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Reply:
    """The outcome of one logical request: ``data``, or the ``error`` that stands in its place.

    ``request_id`` is the service's own, as support asks for it.
    """

    data: Any = None
    error: GatewayError | None = None
    status: int = 0
    request_id: str | None = None
    retry: bool = False
    after: float | None = None


@dataclass(slots=True)
class Usage:
    """What one operation has cost so far: HTTP requests, and logical requests within them."""

    http_requests: int = 0
    requests: int = 0


@dataclass(frozen=True, slots=True)
class Session:
    """On whose behalf, and until when, requests are sent.

    ``deadline`` is in seconds of ``time.monotonic()``.
    """

    token: str = field(repr=False)
    deadline: float
    usage: Usage = field(default_factory=Usage)

    @property
    def remaining(self) -> float:
        """Seconds until the deadline; never negative."""
        return max(0.0, self.deadline - time.monotonic())


class GraphClient:
    """Sends requests to one version root. One instance, one connection pool per process.

    Args:
        root: version root, such as ``https://graph.microsoft.com/v1.0``.
        transport: what carries the requests; by default aiohttp behind the httpx API.
        concurrency: HTTP requests under way at once, over all operations.
        max_attempts: attempts of a request that is throttled or fails to connect.
        connect_timeout, read_timeout: seconds.
    """

    def __init__(
        self,
        root: str,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        concurrency: int = 16,
        max_attempts: int = 4,
        connect_timeout: float = 5.0,
        read_timeout: float = 30.0,
    ) -> None:
        self.root = root.rstrip("/")
        self._timeouts = (connect_timeout, read_timeout)
        self._max_attempts = max_attempts
        self._slots = asyncio.Semaphore(concurrency)
        self._http = _http_client(transport or _aiohttp_transport(self.root, concurrency))
        self._changing = _http_client(
            transport or _aiohttp_transport(self.root, concurrency, reuse=False)
        )

    async def aclose(self) -> None:
        """Close the connection pool."""
        await self._http.aclose()
        await self._changing.aclose()

    async def send(self, requests: Sequence[GraphRequest], session: Session) -> list[Reply]:
        """The replies to ``requests``, in their order; no request raises.

        A lone request travels as itself, several in `$batch` requests that go out together. What
        changes something is sent again only where the service says that it was not done: on 429,
        and on 503 with Retry-After (questions.md, point 22). Where no answer came, the error says
        ``outcomeUnknown``.
        """
        answered = await asyncio.gather(
            *(
                self._exchange(requests[start : start + batch.MAX_ITEMS], session)
                for start in range(0, len(requests), batch.MAX_ITEMS)
            )
        )
        return [reply for replies in answered for reply in replies]

    def relative(self, link: str) -> str:
        """A nextLink relative to the version root.

        Raises:
            GraphError: the link leads elsewhere; it is never followed, because the token would go
                with it (questions.md, point 4).
        """
        outside = GraphError("the service gave a nextLink that leads outside the version root")
        try:
            root, there = urlsplit(self.root), urlsplit(link)
            same_origin = _origin(there) == _origin(root)
        except ValueError:
            raise outside from None
        segments = unquote(there.path).replace("\\", "/").split("/")
        if not same_origin or not there.path.startswith(root.path + "/") or ".." in segments:
            raise outside
        path = there.path[len(root.path) + 1 :]
        return f"{path}?{there.query}" if there.query else path

    async def _exchange(self, requests: Sequence[GraphRequest], session: Session) -> list[Reply]:
        replies = [Reply(retry=True)] * len(requests)

        async def attempt() -> None:
            pending = [number for number, reply in enumerate(replies) if reply.retry]
            answers = await self._send_once([requests[number] for number in pending], session)
            for number, reply in zip(pending, answers, strict=True):
                replies[number] = reply
            again = [reply for reply in answers if reply.retry]
            if again:
                raise AskAgain(max((r.after for r in again if r.after is not None), default=None))

        with suppress(RetryError):
            await attempts(most=self._max_attempts, seconds=session.remaining)(attempt)
        return replies

    async def _send_once(self, requests: Sequence[GraphRequest], session: Session) -> list[Reply]:
        session.usage.http_requests += 1
        changes = any(request.changes for request in requests)
        if len(requests) == 1:
            answer = await self._http_request(requests[0], session)
            if isinstance(answer, Reply):
                return [answer]
            return [
                _reply(answer.status_code, _lower(answer.headers), _json(answer), session, changes)
            ]

        batched = GraphRequest("$batch", "POST", batch.encode(requests, _HEADERS))
        answer = await self._http_request(batched, session, changes=changes)
        if isinstance(answer, Reply):
            return [answer] * len(requests)
        content = _json(answer)
        if not answer.is_success and not (isinstance(content, dict) and "responses" in content):
            reply = _reply(answer.status_code, _lower(answer.headers), content, session, changes)
            return [reply] * len(requests)
        return [
            Reply(error=outcome_unknown(item) if changes else item, status=answer.status_code)
            if isinstance(item, GraphError)
            else _reply(item.status, item.headers, item.body, session, changes)
            for item in batch.decode(content, len(requests))
        ]

    async def _http_request(
        self, request: GraphRequest, session: Session, *, changes: bool | None = None
    ) -> httpx.Response | Reply:
        changes = request.changes if changes is None else changes
        headers = {
            **_HEADERS,
            "Accept": "application/json",
            "Authorization": f"Bearer {session.token}",
            "client-request-id": str(uuid.uuid4()),
        }
        if request.body is not None:
            headers["Content-Type"] = "application/json"
        connect, read = self._timeouts
        http = self._changing if changes else self._http
        error: GraphError
        try:
            async with asyncio.timeout(session.remaining), self._slots:
                return await http.request(
                    request.method,
                    f"{self.root}/{request.url}",
                    content=request.body,
                    headers=headers,
                    timeout=httpx.Timeout(read, connect=connect),
                )
        except (TimeoutError, httpx.ReadTimeout, httpx.WriteTimeout, httpx.PoolTimeout):
            error = UpstreamTimeout("the service did not answer in time")
            return Reply(error=outcome_unknown(error) if changes else error, status=-1)
        except httpx.InvalidURL:
            return Reply(error=GraphError("the service gave a link that is no URL"), status=-1)
        except (httpx.HTTPError, OSError) as problem:
            _log.warning("the upstream can't be reached: %s", problem)
            error = UpstreamUnavailable("the service can't be reached")
            if changes and not _never_sent(problem):
                error = outcome_unknown(error)
            return Reply(error=error, status=-1, retry=not changes)


def _never_sent(problem: Exception) -> bool:
    """Whether there was no connection to send the request on."""
    return isinstance(problem, httpx.ConnectError) or isinstance(
        problem.__cause__, (aiohttp.ClientConnectorError, aiohttp.ClientHttpProxyError)
    )


def _http_client(transport: httpx.AsyncBaseTransport) -> httpx.AsyncClient:
    client = httpx.AsyncClient(transport=transport)
    # A cookie that the service sets for one caller must not be sent for another.
    client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return client


def _aiohttp_transport(root: str, concurrency: int, *, reuse: bool = True) -> AiohttpTransport:
    """aiohttp behind the httpx API.

    On a connection that was used before, aiohttp by itself sends a DELETE again when the
    connection breaks; ``reuse`` false rules that out.
    """

    def session() -> aiohttp.ClientSession:
        connector = (
            aiohttp.TCPConnector(limit=concurrency, keepalive_timeout=60, ssl=tls_for(root))
            if reuse
            else aiohttp.TCPConnector(limit=concurrency, force_close=True, ssl=tls_for(root))
        )
        return aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), **session_options(root)
        )

    return AiohttpTransport(client=session)


def _reply(
    status: int, headers: dict[str, str], data: Any, session: Session, changes: bool
) -> Reply:
    if 200 <= status < 300:
        if data is _NOT_JSON:
            error = GraphError(f"the service answered {status} with a body that is not JSON")
            return Reply(error=error, status=status)
        return Reply(data, status=status, request_id=headers.get("request-id"))
    error = error_of_answer(status, headers, data, changes=changes)
    if len(session.token) >= _SECRET_LENGTH:
        error.message = error.message.replace(session.token, "…")
        for name, value in error.extensions.items():
            if isinstance(value, str):
                error.extensions[name] = value.replace(session.token, "…")
    if changes and status in (502, 504):
        error = outcome_unknown(error)
    after = retry_after(headers.get("retry-after"))
    return Reply(
        error=error,
        status=status,
        request_id=error.extensions.get("requestId"),
        retry=retriable(status, after, changes),
        after=after,
    )


_NOT_JSON = object()


def _json(response: httpx.Response) -> Any:
    if not response.content:
        return None
    try:
        return orjson.loads(response.content)
    except orjson.JSONDecodeError:
        return _NOT_JSON


def _lower(headers: httpx.Headers) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _origin(url: Any) -> tuple[str, str | None, int | None]:
    return url.scheme, url.hostname, url.port or {"https": 443, "http": 80}.get(url.scheme)
