"""How many operations are executed at once, and for how long: as long as somebody waits."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request

from gateway.http.errors import Refused

T = TypeVar("T")


class Admission:
    """Counts the operations in flight in this process.

    Args:
        most: operations at once; what comes on top is refused, not queued.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._in_flight = 0

    @contextmanager
    def of(self, operations: int) -> Iterator[None]:
        """Admit operations, all or none, for as long as the block runs.

        Raises:
            Refused: there are too many.
        """
        if self._in_flight + operations > self._most:
            raise Refused(
                429,
                "OVERLOADED",
                f"{self._most} operations are being executed (setting GATEWAY_MAX_OPERATIONS); "
                "try again",
                headers={"Retry-After": "1"},
                limit=self._most,
                setting="GATEWAY_MAX_OPERATIONS",
            )
        self._in_flight += operations
        try:
            yield
        finally:
            self._in_flight -= operations


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
