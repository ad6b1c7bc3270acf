"""The engine that operations share: client, knowledge of the service, and limits."""

import asyncio
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import partial

from gateway.access.caller import Caller, Permission
from gateway.access.credentials import Credentials, Renewal
from gateway.errors import AnswerTooLarge, BudgetExceeded, UpstreamTimeout
from gateway.graph.capabilities import Capabilities, PageSizes
from gateway.graph.client import GraphClient
from gateway.graph.loaders import RequestLoader
from gateway.graph.patience import Patience, PatientLoader
from gateway.graph.reader import Reader
from gateway.graph.replies import Reply
from gateway.graph.runner import Runner
from gateway.graph.session import Session, Usage
from gateway.odata.address import Address
from gateway.odata.cursor import CountedCursors, CursorCodec
from gateway.odata.query import GraphRequest
from gateway.plan.cost import DEFAULT_PAGE_SIZE, CostModel
from gateway.plan.program import Program
from gateway.plan.rows import Row


@dataclass(slots=True)
class Engine:
    """Runs plans against one upstream; one instance per process.

    Attributes:
        client: sends requests.
        credentials: choose the token that goes upstream.
        cursors: signs cursors.
        deadline: seconds that one operation may take.
        budget: upstream requests that one operation may send, each item of a `$batch` counted.
        upstream_bytes: bytes of answers of the service that one operation may read.
        answer_objects: objects of an answer; rows of views are counted as they are dealt out.
        answer_bytes: bytes of an answer; cursors are counted as they are made.
        costs: compares strategies.
        patience: how long something new may be missing.
        capabilities, page_sizes: what the service turned out to accept and to send.
    """

    client: GraphClient
    credentials: Credentials
    cursors: CursorCodec
    deadline: float
    budget: int
    upstream_bytes: int
    answer_objects: int
    answer_bytes: int
    costs: CostModel
    patience: Patience = field(default_factory=Patience)
    capabilities: Capabilities = field(default_factory=Capabilities)
    page_sizes: PageSizes = field(default_factory=lambda: PageSizes(DEFAULT_PAGE_SIZE))

    async def run(
        self, plan: Program, caller: Caller, usage: Usage, fresh: Collection[Address] = ()
    ) -> Row:
        """The stitched root row of ``plan``. When it is cancelled, so is what is being sent.

        Args:
            plan: what to fetch.
            caller: who asks.
            usage: counts what is sent.
            fresh: where something was just made, which may be missing for a moment.

        Raises:
            Forbidden: the caller may not read results.
            Unauthenticated: there is no token to send upstream.
        """
        caller.require(Permission.READ)
        session = await self._session(caller, usage)
        loader = RequestLoader(self.client, session, budget=self.budget)
        if fresh:
            loader = PatientLoader(
                self.client, session, budget=self.budget, fresh=fresh, patience=self.patience
            )
        reader = Reader(
            loader,
            self.capabilities,
            self.page_sizes,
            self.client.relative,
            self.costs,
            plan.routes,
            usage.record,
        )
        if usage.record is not None:
            usage.record.programs.append(plan)
        try:
            cursors = CountedCursors(self.cursors, partial(self._count, usage))
            counted = partial(self._count_views, usage)
            with usage.stages.of("rows"):
                return await Runner(plan, reader, cursors, counted).run()
        finally:
            loader.cancel()

    def _count(self, usage: Usage, size: int) -> None:
        usage.cursor_bytes += size
        if usage.cursor_bytes > self.answer_bytes:
            setting = "GATEWAY_MAX_ANSWER_BYTES"
            raise AnswerTooLarge("bytes", limit=self.answer_bytes, setting=setting)

    def _count_views(self, usage: Usage, rows: int) -> None:
        usage.view_rows += rows
        if usage.view_rows > self.answer_objects:
            setting = "GATEWAY_MAX_ANSWER_OBJECTS"
            raise AnswerTooLarge("objects", limit=self.answer_objects, setting=setting)

    async def change(
        self, requests: Sequence[GraphRequest], caller: Caller, usage: Usage
    ) -> list[Reply]:
        """The replies to requests that change something, each sent once, none raising.

        Args:
            requests: what to send; several go together and must not depend on each other.
            caller, usage: as for `run`.

        Raises:
            Forbidden: the caller may not change anything.
            Unauthenticated: there is no token to send upstream.
            BudgetExceeded: the operation has sent as many requests as it may; nothing is sent.
        """
        caller.require(Permission.CHANGE)
        if (waits := max(request.waits for request in requests)) > 0:
            # The operation may go on as long afterwards as it might have without.
            usage.deadline = (usage.deadline or time.monotonic() + self.deadline) + waits
        session = await self._session(caller, usage)
        if usage.requests + len(requests) > self.budget:
            raise BudgetExceeded(
                f"this operation needs more than {self.budget} upstream requests; "
                "make fewer changes in one operation",
                budget=self.budget,
            )
        usage.requests += len(requests)
        with usage.stages.asking():
            return await self.client.send(requests, session)

    async def _session(self, caller: Caller, usage: Usage) -> Session:
        if usage.deadline is None:
            usage.deadline = time.monotonic() + self.deadline
        try:
            async with asyncio.timeout(usage.deadline - time.monotonic()):
                token = await self.credentials.token(caller)
        except TimeoutError:
            raise UpstreamTimeout("there was no token for the service in time") from None
        if usage.renewal is None:
            usage.renewal = Renewal(partial(self.credentials.renew, caller))
        return Session(
            token,
            usage.deadline,
            usage,
            self.budget,
            self.upstream_bytes,
            caller=caller.account,
            credential=self.credentials.key(caller),
            renewal=usage.renewal,
            own=getattr(self.credentials, "of_caller", False),
        )

    async def aclose(self) -> None:
        """Close what the engine holds open."""
        await self.client.aclose()
        await self.credentials.aclose()
