"""Reading what was just made: the service may need a moment until it is there.

What a change makes is written in one place and read in others, so a read right after it may be
answered as if nothing was there. It is read again for a few seconds.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass

from gateway.graph.client import GraphClient
from gateway.graph.loaders import RequestLoader
from gateway.graph.replies import Reply
from gateway.graph.session import Session
from gateway.odata.address import Address
from gateway.odata.query import GraphRequest

PAUSES = (0.25, 0.5, 1.0, 2.0)


@dataclass(frozen=True, slots=True)
class Patience:
    """The time for which something new may be missing.

    Attributes:
        pauses: seconds before each further read; after the last one, it is missing.
        sleep: waits so many seconds.
    """

    pauses: Sequence[float] = PAUSES
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class PatientLoader(RequestLoader):
    """Loads what may not be there yet: what is missing is asked for again, and nothing else.

    Args:
        client, session, budget: as for `RequestLoader`.
        fresh: where something new is; it and what lies below is awaited.
        patience: how long.
    """

    def __init__(
        self,
        client: GraphClient,
        session: Session,
        *,
        budget: int,
        fresh: Collection[Address],
        patience: Patience,
    ) -> None:
        super().__init__(client, session, budget=budget)
        self._fresh = fresh
        self._patience = patience

    async def batch_load_fn(self, keys: list[GraphRequest]) -> list[Reply]:
        """The replies to ``keys``; no pause goes beyond the deadline, no read beyond the budget."""
        replies = await super().batch_load_fn(keys)
        for pause in self._patience.pauses:
            missing = [
                number for number, key in enumerate(keys) if self._lacks(key, replies[number])
            ]
            left = self._budget - self._session.usage.requests
            if not missing or len(missing) > left or pause >= self._session.remaining:
                break
            await self._patience.sleep(pause)
            again = await super().batch_load_fn([keys[number] for number in missing])
            for number, reply in zip(missing, again, strict=True):
                replies[number] = reply
        return replies

    def _lacks(self, request: GraphRequest, reply: Reply) -> bool:
        path = request.url.partition("?")[0]
        return any(
            reply.status == 404
            if path == new.path or path.startswith(f"{new.path}/")
            else not new.readable and path == new.collection and _lists_without(new.id, reply)
            for new in self._fresh
        )


def _lists_without(id_: str, reply: Reply) -> bool:
    """Whether a reply is a whole list, or none, without an entity of this id."""
    if reply.error is not None:
        return reply.status == 404
    rows = reply.data.get("value") if isinstance(reply.data, dict) else None
    if not isinstance(rows, list) or "@odata.nextLink" in reply.data:
        return False
    return not any(isinstance(row, dict) and row.get("id") == id_ for row in rows)
