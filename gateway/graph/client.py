"""The HTTP side of Microsoft Graph: batches, concurrency, time limits, retries, errors."""

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import unquote, urlsplit

import aiohttp
import httpx
import orjson
from httpx_aiohttp import AiohttpTransport
from tenacity import RetryError

from gateway.graph import batch
from gateway.graph.credentials import Renewal
from gateway.graph.errors import (
    ClaimsChallenge,
    GraphError,
    Unauthenticated,
    UpstreamTimeout,
    UpstreamUnavailable,
    error_of_answer,
    outcome_unknown,
)
from gateway.graph.fairness import Later, TooLate, Turn, Turns
from gateway.graph.pacing import Pace, Paces, Patience
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
    """What one operation has cost so far: HTTP requests, and logical requests within them.

    ``sending`` of the HTTP requests are under way now, and ``waiting`` wait for their turn.
    ``pace`` is that of the operation's credential, and ``renewal`` its other token.
    """

    http_requests: int = 0
    requests: int = 0
    sending: int = 0
    waiting: int = 0
    pace: Pace | None = field(default=None, repr=False)
    renewal: Renewal | None = field(default=None, repr=False)

    @property
    def throttled(self) -> bool:
        """Whether the operation does nothing but wait until its credential may ask again."""
        limited = self.pace is not None and self.pace.limited
        return limited and self.waiting > 0 and self.sending == 0


@dataclass(frozen=True, slots=True)
class Session:
    """On whose behalf, and until when, requests are sent.

    ``deadline`` is in seconds of ``time.monotonic()``. ``caller`` is the account whose share of the
    slots is used, and ``credential`` what the service throttles: a name or a hash, never a token.
    ``renewal`` gets another token where this one is refused; the caller's own can't be had anew.
    """

    token: str = field(repr=False)
    deadline: float
    usage: Usage = field(default_factory=Usage)
    caller: str = ""
    credential: str = ""
    renewal: Renewal | None = None

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
        change_time: seconds that must be left for a change to be sent; with less, its answer would
            be given up before it can be expected.
        later: as for `Turns`, with ``clock``, which `Session.deadline` is of.
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
        change_time: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
        later: Later | None = None,
    ) -> None:
        self.root = root.rstrip("/")
        self._timeouts = (connect_timeout, read_timeout)
        self._max_attempts = max_attempts
        self._change_time = change_time
        self._clock = clock
        self._turns = Turns(concurrency, clock=clock, later=later)
        self._paces = Paces()
        self._http = _http_client(transport or _aiohttp_transport())
        self._changing = _http_client(transport or _aiohttp_transport(reuse=False))

    async def aclose(self) -> None:
        """Close the connection pool."""
        self._turns.close()
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
            answers = await self._in_turn([requests[number] for number in pending], session)
            for number, reply in zip(pending, answers, strict=True):
                replies[number] = reply
            again = [reply for reply in answers if reply.retry]
            if again:
                raise AskAgain(max((r.after for r in again if r.after is not None), default=None))

        with suppress(RetryError):
            await attempts(most=self._max_attempts, seconds=session.remaining)(attempt)
        return replies

    async def _in_turn(self, requests: Sequence[GraphRequest], session: Session) -> list[Reply]:
        """The replies to requests that are sent when it is their turn.

        What is answered 429 is sent again when its credential may ask again, as often as the
        service gets on with the credential's requests, else `max_attempts` times. With a token of
        the gateway's own, what is answered 401 is sent again with a new one, if that can be had.
        """
        replies: list[Reply | None] = [None] * len(requests)
        pending = list(range(len(requests)))
        pace = session.usage.pace = self._paces.of(session.credential)
        patience = Patience(self._max_attempts)
        if session.renewal is not None:
            session = replace(session, token=session.renewal.token or session.token)
        while pending:
            try:
                turn = await self._turn(requests, pending, session, pace)
            except TooLate as late:
                for number in pending:
                    unsent = Reply(error=late.error(changes=requests[number].changes))
                    replies[number] = replies[number] or unsent
                break
            some, pending = pending[: turn.requests], pending[turn.requests :]
            answers = await self._answers([requests[number] for number in some], session, turn)
            for number, reply in zip(some, answers, strict=True):
                replies[number] = reply
            again = [n for n in some if replies[n].status == 429]  # type: ignore[union-attr]
            if again and not patience.allows(pace):
                again = []
            refused = [number for number in some if _is_refused(replies[number])]
            if refused and (renewed := await self._renewed(session)) is not None:
                session = renewed
                again += refused
            if again:
                pending = sorted([*again, *pending])
        # Waiting was done here, and in vain.
        return [replace(r, retry=False) if r.status == 429 else r for r in replies if r is not None]

    async def _turn(
        self, requests: Sequence[GraphRequest], pending: list[int], session: Session, pace: Pace
    ) -> Turn:
        usage = session.usage
        changes = any(requests[number].changes for number in pending)
        latest = session.deadline - (self._change_time if changes else 0.0)
        usage.waiting += 1
        try:
            return await self._turns.enter(session.caller, id(usage), pace, len(pending), latest)
        finally:
            usage.waiting -= 1

    async def _answers(
        self, requests: Sequence[GraphRequest], session: Session, turn: Turn
    ) -> list[Reply]:
        """The replies to what may be sent now; the turn ends with them."""
        session.usage.sending += 1
        try:
            answers = await self._send_once(requests, session)
            throttled = [reply for reply in answers if reply.status == 429]
            accepted = sum(reply.status > 0 for reply in answers) - len(throttled)
            after = max((r.after for r in throttled if r.after is not None), default=None)
            turn.pace.answered(accepted, len(throttled), after, turn.round, self._clock())
            return answers
        finally:
            session.usage.sending -= 1
            self._turns.leave(turn)

    async def _renewed(self, session: Session) -> Session | None:
        """The session with another token than its own, which was refused."""
        if session.renewal is None:
            return None
        try:
            async with asyncio.timeout(session.remaining):
                token = await session.renewal.instead_of(session.token)
        except TimeoutError:
            return None
        return replace(session, token=token) if token is not None else None

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
            async with asyncio.timeout(session.remaining):
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


def _is_refused(reply: Reply | None) -> bool:
    """Whether another token of the same kind may be accepted."""
    error = reply.error if reply is not None else None
    return isinstance(error, Unauthenticated) and not isinstance(error, ClaimsChallenge)


def _never_sent(problem: Exception) -> bool:
    """Whether there was no connection to send the request on."""
    return isinstance(problem, httpx.ConnectError) or isinstance(
        problem.__cause__, aiohttp.ClientConnectorError
    )


def _http_client(transport: httpx.AsyncBaseTransport) -> httpx.AsyncClient:
    client = httpx.AsyncClient(transport=transport)
    # A cookie that the service sets for one caller must not be sent for another.
    client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return client


def _aiohttp_transport(*, reuse: bool = True) -> AiohttpTransport:
    """aiohttp behind the httpx API. Its connections are not limited: the slots are.

    On a connection that was used before, aiohttp by itself sends a DELETE again when the
    connection breaks; ``reuse`` false rules that out.
    """

    def session() -> aiohttp.ClientSession:
        connector = (
            aiohttp.TCPConnector(limit=0, keepalive_timeout=60)
            if reuse
            else aiohttp.TCPConnector(limit=0, force_close=True)
        )
        return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

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
