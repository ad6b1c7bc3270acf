"""Admission: so many operations are executed at once, each as long as somebody waits."""

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request

from gateway.errors import RequestRefused
from gateway.graph.fairness import may_hold_another
from gateway.graph.session import Usage

_WITH_THROTTLED = 4
"""Times as many operations as may be executed, those that are throttled included."""

T = TypeVar("T")


class Admission:
    """Counts the operations in flight in this process, and leaves room for every caller.

    Those that wait because the service throttles their credential do nothing, and don't count; but
    they are not let in without end. Of what counts, and of all, a caller has a share
    (`may_hold_another`); callers without a name are one, and have no others to leave room for.

    Args:
        most: operations at once; what comes on top is refused, not queued.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._in_flight: dict[str, list[Usage]] = {}

    @contextmanager
    def of(self, account: str, operations: Sequence[Usage]) -> Iterator[None]:
        """Admit operations, all or none, for as long as the block runs.

        Args:
            account: whose they are.
            operations: what counts what each sends, and knows whether it waits.

        Raises:
            RequestRefused: there are too many, of this account or in all.
        """
        if not self._has_room(account, len(operations)):
            raise RequestRefused(
                429,
                "OVERLOADED",
                f"{self._most} operations are being executed, or as many of yours as leave room "
                "for others (setting GATEWAY_MAX_OPERATIONS); try again",
                headers={"Retry-After": "1"},
                limit=self._most,
                setting="GATEWAY_MAX_OPERATIONS",
            )
        own = self._in_flight.setdefault(account, [])
        own += operations
        try:
            yield
        finally:
            for operation in operations:
                own[:] = [usage for usage in own if usage is not operation]
            if not own and self._in_flight.get(account) is own:
                del self._in_flight[account]

    def _has_room(self, account: str, more: int) -> bool:
        own = self._in_flight.get(account, ())
        mine, all_ = len(own), sum(map(len, self._in_flight.values()))
        if not _fits(account, mine, self._most * _WITH_THROTTLED - all_, more):
            return False
        if _fits(account, mine, self._most - all_, more):
            return True
        waiting = sum(usage.throttled for usages in self._in_flight.values() for usage in usages)
        mine -= sum(usage.throttled for usage in own)
        return _fits(account, mine, self._most - all_ + waiting, more)


def _fits(account: str, held: int, free: int, more: int) -> bool:
    if not account:
        return more <= free
    return all(may_hold_another(held + number, free - number) for number in range(more))


async def unless_disconnected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """The result of ``work``, which is cancelled when the client goes away.

    Args:
        request: its body was read.
        work: what the client waits for.

    Raises:
        ClientDisconnect: the client did not wait.
    """
    task = asyncio.create_task(work)
    gone = asyncio.create_task(_gone(request))
    try:
        await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientDisconnect
        return task.result()
    finally:
        gone.cancel()
        task.cancel()
        await asyncio.wait((task,))


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
