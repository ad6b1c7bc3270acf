"""The dataloader of one operation: equal requests once, those of one tick together."""

import asyncio

from aiodataloader import DataLoader

from gateway.errors import BudgetExceeded
from gateway.graph.client import GraphClient
from gateway.graph.replies import Reply
from gateway.graph.session import Session
from gateway.odata.query import GraphRequest


class RequestLoader(DataLoader[GraphRequest, Reply]):
    """Loads requests through `GraphClient.send`; made anew for each operation.

    All requests of a tick are answered together, so that what follows from them (next pages, the
    next layer) becomes ready together again.

    Args:
        client: the client of the process.
        session: the caller's token, the deadline and the usage of the operation.
        budget: logical requests that the operation may send.
    """

    def __init__(self, client: GraphClient, session: Session, *, budget: int) -> None:
        super().__init__()
        self._client = client
        self._session = session
        self._budget = budget
        self._sending: set[asyncio.Task[object]] = set()

    def cancel(self) -> None:
        """Cancel what is being sent, which nobody waits for any more."""
        for task in self._sending:
            task.cancel()

    @property
    def left(self) -> int:
        """Requests that the operation may still send."""
        return max(0, self._budget - self._session.usage.requests)

    @property
    def spent(self) -> int:
        """Requests that the operation has sent."""
        return self._session.usage.requests

    def beyond(self, needed: int) -> BudgetExceeded:
        """The error of what needs ``needed`` requests in all and is not sent."""
        return BudgetExceeded(
            f"this operation needs at least {needed} upstream requests, and may send "
            f"{self._budget} (setting GATEWAY_MAX_UPSTREAM_REQUESTS); ask for fewer rows or "
            "less of each",
            budget=self._budget,
            needed=needed,
            setting="GATEWAY_MAX_UPSTREAM_REQUESTS",
        )

    async def batch_load_fn(self, keys: list[GraphRequest]) -> list[Reply]:
        """The replies to ``keys``; those beyond the budget are not sent."""
        try:
            self._session.received(0)
        except BudgetExceeded as much:
            return [Reply(error=much.copy())] * len(keys)
        sent = keys[: self.left]
        self._session.usage.requests += len(sent)
        needed = self._session.usage.requests + len(keys) - len(sent)
        refused = Reply(error=self.beyond(needed))
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - the dataloader makes one for each batch
        self._sending.add(task)
        try:
            with self._session.usage.stages.asking():
                replies = await self._client.send(sent, self._session)
        finally:
            self._sending.discard(task)
        return replies + [refused] * (len(keys) - len(sent))
