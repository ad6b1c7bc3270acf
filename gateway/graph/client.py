"""The HTTP side of Microsoft Graph: batches, concurrency, time limits, retries, errors."""

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

import httpx
from tenacity import RetryError

from gateway.errors import (
    BudgetExceeded,
    Forbidden,
    GatewayError,
    GraphError,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from gateway.graph import batch
from gateway.graph.errors import outcome_unknown, shortened, tell_needs
from gateway.graph.fairness import Later, TooLate, Turn, Turns
from gateway.graph.links import Links
from gateway.graph.pacing import Pace, Paces, Patience
from gateway.graph.replies import (
    Reply,
    cut,
    is_refused,
    is_unknown,
    json_of,
    lower_case,
    reply_of,
)
from gateway.graph.session import Session
from gateway.graph.throttling import AskAgain, attempts
from gateway.graph.transport import (
    DEFAULT_HEADERS,
    AiohttpTransport,
    Answer,
    Sending,
    exchange,
    target_of,
)
from gateway.odata.query import GraphRequest
from gateway.plan.cost import Latency

CONCURRENCY = 16
MAX_ATTEMPTS = 4
CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 30.0

_log = logging.getLogger(__name__)

# Without it, enum members above the sentinel are withheld (graph-lifecycle-api.md, section 4).
_HEADERS = {"Prefer": "include-unknown-enum-members"}
# Servers and proxies take request lines of 4 to 16 kB; longer ones go in a `$batch`, as
# graph-lifecycle-api.md, section 7, "Query options and URLs" advises.
_LONG_URL = 4_000
# httpx sends no longer URL.
_LONGEST_URL = 65_536


class GraphClient:
    """Sends requests to one version root. One instance, one connection pool per process.

    Args:
        root: version root, such as ``https://graph.microsoft.com/v1.0``.
        transport: what carries the requests; by default aiohttp behind the httpx API.
        concurrency: HTTP requests under way at once, over all operations.
        max_attempts: attempts of a request that is throttled, or fails as it may by chance.
        connect_timeout, read_timeout: seconds.
        link_origins: origins that nextLinks may name instead of the root's own, such as
            ``https://graph.microsoft.com`` where the root is a proxy of it.
        change_time: seconds that must be left for a change to be sent; with less, its answer would
            be given up before it can be expected.
        later: as for `Turns`, with ``clock``, which `Session.deadline` is of.
        needs: the permissions of which a request takes one, by its method and path, for the error
            that the service refuses it with.
    """

    def __init__(
        self,
        root: str,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        concurrency: int = CONCURRENCY,
        max_attempts: int = MAX_ATTEMPTS,
        connect_timeout: float = CONNECT_TIMEOUT,
        read_timeout: float = READ_TIMEOUT,
        link_origins: Sequence[str] = (),
        change_time: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
        later: Later | None = None,
        needs: Callable[[str, str], Sequence[str]] = lambda method, path: (),
    ) -> None:
        self.root = root.rstrip("/")
        self.relative = Links(self.root, link_origins).relative
        self._base = httpx.URL(self.root).raw_path.decode("ascii").rstrip("/")
        self._timeouts = (connect_timeout, read_timeout)
        self._max_attempts = max_attempts
        self._batches = batch.BatchSize()
        self._change_time = change_time
        self._needs = needs
        self.latency = Latency()
        self._clock = clock
        self._turns = Turns(concurrency, clock=clock, later=later)
        self._paces = Paces()
        # Parsing a URL takes longer than all else that httpx does, and our own transport goes by
        # the target.
        self._where = httpx.URL(self.root) if transport is None else None
        self._reading = transport or AiohttpTransport(self.root)
        self._changing = transport or AiohttpTransport(self.root, reuse=False)

    async def aclose(self) -> None:
        """Close the connection pool."""
        self._turns.close()
        await self._reading.aclose()
        await self._changing.aclose()

    async def send(self, requests: Sequence[GraphRequest], session: Session) -> list[Reply]:
        """The replies to ``requests``, in their order; no request raises.

        A lone request travels as itself, unless its URL is very long; several go in `$batch`
        requests that go out together, or each alone where the endpoint takes no `$batch`. A read is
        sent again where the service was busy or failed as it may by chance: 429, 500, 502, 503,
        504, a connection that breaks, an answer that is cut off. What changes something is sent
        again only where the service says that it was not done: on 429, and on 503 with Retry-After
        (questions.md, point 22), and never if it waits for its end. Where it may have been sent and
        the answer is neither a success that can be read nor a refusal, the error says
        ``outcomeUnknown``. It is not sent at all where too little time is left for its answer.
        """
        parts = batch.divided(requests, self._batches.now)
        if len(parts) == 1:
            replies = await self._exchange(parts[0], session)
        else:
            answered = await asyncio.gather(*(self._exchange(part, session) for part in parts))
            replies = [reply for part in answered for reply in part]
        for request, reply in zip(requests, replies, strict=True):
            if isinstance(reply.error, Forbidden) and not reply.shared:
                path = request.url.partition("?")[0]
                tell_needs(reply.error, self._needs(request.method, path), session)
        return replies

    async def _exchange(self, requests: Sequence[GraphRequest], session: Session) -> list[Reply]:
        """The replies after as many attempts as each request is worth.

        What happens to a whole `$batch` is not counted against its items: they have attempts of
        their own.
        """
        replies = [Reply(retry=True)] * len(requests)
        attempts_of = [0] * len(requests)
        lost = 0

        async def attempt() -> None:
            nonlocal lost
            pending = [number for number, reply in enumerate(replies) if reply.retry]
            answers = await self._in_turn([requests[number] for number in pending], session)
            lost += any(reply.shared for reply in answers)
            for number, reply in zip(pending, answers, strict=True):
                attempts_of[number] += not reply.shared
                spent = lost if reply.shared else attempts_of[number]
                late = reply.after is not None and reply.after >= session.remaining
                retry = reply.retry and spent < self._max_attempts and not late
                retry = retry and not requests[number].waits
                replies[number] = replace(reply, retry=retry) if reply.retry else reply
            again = [number for number in pending if replies[number].retry]
            granted = session.repeat(len(again)) if again else 0
            for number in again[granted:]:
                replies[number] = replace(replies[number], retry=False)
            if granted:
                waits = [replies[number].after for number in again[:granted]]
                raise AskAgain(max((after for after in waits if after is not None), default=None))

        failed: AskAgain | None = None

        async def another_attempt() -> None:
            nonlocal failed
            problem, failed = failed, None
            if problem is not None:
                raise problem
            await attempt()

        try:
            await attempt()
        except AskAgain as problem:
            # Only what fails pays for the machinery of retries.
            failed = problem
            with suppress(RetryError):
                again = attempts(most=2 * self._max_attempts, seconds=session.remaining)
                await again(another_attempt)
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
            refused = [number for number in some if is_refused(replies[number])]
            if requests[some[0]].waits:
                again, refused = [], []
            if refused and (renewed := await self._renewed(session)) is not None:
                session = renewed
                again += refused
            if again:
                session.usage.requests += len(again)
                session.usage.repeated += len(again)
                pending = sorted([*again, *pending])
        # Waiting was done here, and in vain.
        return [replace(r, retry=False) if r.status == 429 else r for r in replies if r is not None]

    async def _turn(
        self, requests: Sequence[GraphRequest], pending: list[int], session: Session, pace: Pace
    ) -> Turn:
        changes = any(requests[number].changes for number in pending)
        session.usage.waiting += 1
        try:
            return await self._enter(len(pending), session, pace, changes)
        finally:
            session.usage.waiting -= 1

    async def _enter(self, requests: int, session: Session, pace: Pace, changes: bool) -> Turn:
        latest = session.deadline - (self._change_time if changes else 0.0)
        operation = id(session.usage)
        return await self._turns.enter(session.caller, operation, pace, requests, latest)

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
        """One attempt."""
        parts = batch.divided(requests, self._batches.now)
        if len(parts) == 1:
            return (await self._carry(parts[0], session))[0]
        carried = await self._spread(parts, session)
        return [reply for replies, _ in carried for reply in replies]

    async def _spread(
        self, parts: Sequence[Sequence[GraphRequest]], session: Session, *, alone: bool = False
    ) -> list[tuple[list[Reply], bool]]:
        """`_carry` of each part, in the slot of the batch that they are of, and in free ones."""
        pace = self._paces.of(session.credential)
        changes = any(request.changes for part in parts for request in part)
        return await self._turns.spread(
            [partial(self._carry, part, session, alone=alone) for part in parts],
            lambda: self._enter(1, session, pace, changes),
        )

    async def _carry(
        self, requests: Sequence[GraphRequest], session: Session, *, alone: bool = False
    ) -> tuple[list[Reply], bool]:
        """The replies to one HTTP request, and whether it was taken as it was sent.

        ``alone`` rules a `$batch` out for a single request, however long it is.
        """
        changes = any(request.changes for request in requests)
        record = session.usage.record
        if record is not None:
            record.sent(requests)
        if len(requests) == 1 and (alone or not self._too_long(requests[0])):
            reply = await self._alone(requests[0], session)
            if reply.status != 414 or changes or alone or self._batches.now == 1:
                return [reply], reply.error is None
        batched = GraphRequest("$batch", "POST", batch.encode(requests, _HEADERS))
        answer = await self._http_request(batched, session, changes=changes)
        if isinstance(answer, Reply):
            return [replace(answer, shared=True)] * len(requests), False
        items = batch.read(answer.content, len(requests))
        if items is None and not answer.is_success:
            reply = reply_of(
                answer.status_code, lower_case(answer.headers), json_of(answer), session, changes
            )
            refused = reply.status in batch.REFUSALS
            if refused and not (changes and is_unknown(reply)):
                return await self._divide(requests, batched, reply, session), False
            return [replace(reply, shared=True)] * len(requests), False
        if items is None:
            error = GraphError("the service answered a $batch without responses")
            reply = cut(error, answer.status_code, changes)
            return [replace(reply, shared=True)] * len(requests), False
        self._batches.took(len(requests))
        return [
            cut(item, answer.status_code, changes)
            if isinstance(item, GraphError)
            else reply_of(item.status, item.headers, item.body, session, changes, item=True)
            for item in items
        ], True

    async def _alone(self, request: GraphRequest, session: Session) -> Reply:
        if len(request.url) + len(self.root) >= _LONGEST_URL:
            return Reply(
                error=GraphError(
                    "this request is longer than a URL may be, and the service takes no $batch"
                ),
                status=-1,
            )
        answer = await self._http_request(request, session)
        if isinstance(answer, Reply):
            return answer
        return reply_of(
            answer.status_code,
            lower_case(answer.headers),
            json_of(answer),
            session,
            request.changes,
        )

    async def _divide(
        self,
        requests: Sequence[GraphRequest],
        batched: GraphRequest,
        refusal: Reply,
        session: Session,
    ) -> list[Reply]:
        """The replies to the requests of a batch that was refused as a whole, sent in parts.

        The outcome teaches how many the endpoint takes only if it can't be the requests themselves
        that were refused: all parts were taken, or, of those that went alone, some were answered
        and none was refused alike.
        """
        message = refusal.error.message if refusal.error else ""
        size = batch.smaller(refusal.status, message, len(requests))
        if session.left < len(requests):
            return [refusal] * len(requests)
        session.usage.requests += len(requests)
        parts = batch.divided(requests, size)
        carried = await self._spread(parts, session, alone=size == 1)
        replies = [reply for part, _ in carried for reply in part]
        if size == 1:
            answered = any(taken for _, taken in carried)
            worked = answered and all(reply.status != refusal.status for reply in replies)
        else:
            worked = all(taken for _, taken in carried)
        if worked and len(requests) > 1 and len(batched.body or b"") <= batch.MAX_TEACHING_BYTES:
            self._batches.learn(len(requests), size, refusal.status)
        return replies

    def _too_long(self, request: GraphRequest) -> bool:
        """Whether a read is to go in a `$batch` for the length of its URL."""
        length = len(self.root) + len(request.url)
        return length > _LONG_URL and not request.changes and self._batches.now > 1

    async def _http_request(
        self, request: GraphRequest, session: Session, *, changes: bool | None = None
    ) -> Answer | Reply:
        changes = request.changes if changes is None else changes
        headers = {
            **_HEADERS,
            **DEFAULT_HEADERS,
            "Authorization": f"Bearer {session.token}",
            "client-request-id": str(uuid.uuid4()),
        }
        if request.body is not None:
            headers["Content-Type"] = "application/json"
        connect, read = self._timeouts
        transport = self._changing if changes else self._reading
        read = max(read, request.waits)
        sending = Sending(session.deadline - self._change_time) if changes else Sending()
        error: GatewayError
        try:
            target = target_of(self._base, request.url)
            async with asyncio.timeout(session.remaining):
                sending.begin()
                began = self._clock()
                answer = await exchange(
                    transport,
                    httpx.Request(
                        request.method,
                        self._where or f"{self.root}/{request.url}",
                        content=request.body,
                        headers=headers,
                        extensions={
                            "target": target,
                            "sending": sending,
                            "timeout": httpx.Timeout(read, connect=connect).as_dict(),
                        },
                    ),
                    session.received,
                )
                self.latency.observe(self._clock() - began)
                return answer
        except BudgetExceeded as much:
            error = much.copy()
            return Reply(error=outcome_unknown(error) if changes else error, status=-1)
        except (TimeoutError, httpx.ReadTimeout, httpx.WriteTimeout, httpx.PoolTimeout):
            error = UpstreamTimeout("the service did not answer in time")
            if changes:
                error = (
                    outcome_unknown(error)
                    if sending.begun
                    else UpstreamTimeout("too little time was left for the change: it was not sent")
                )
            return Reply(error=error, status=-1)
        except httpx.InvalidURL:
            sending.begun = False
            return Reply(error=GraphError("the service gave a link that is no URL"), status=-1)
        except (httpx.HTTPError, OSError) as problem:
            _log.warning("the upstream can't be reached: %s", shortened(str(problem)))
            error = UpstreamUnavailable("the service can't be reached")
            if changes and sending.begun:
                error = outcome_unknown(error)
            return Reply(error=error, status=-1, retry=not changes)
        finally:
            session.usage.http_requests += sending.begun
