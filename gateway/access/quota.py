"""Limits of one caller: operations in flight, and upstream requests per minute."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from gateway.access.caller import Caller
from gateway.errors import RequestRefused

IN_FLIGHT = 32
PER_MINUTE = 20_000
"""The limits of a caller in front of a tenant by default: operations at once, and upstream requests
in a minute."""

_MINUTE = 60.0
_MANY_ACCOUNTS = 1000
_MOST_ACCOUNTS = 900


class Counted(Protocol):
    """A count of the upstream requests of one operation while it runs."""

    @property
    def requests(self) -> int:
        """The number of them so far."""


@dataclass(slots=True)
class _Account:
    """The use that a caller has made: ``debt`` in upstream requests, which time pays off."""

    running: list[Counted] = field(default_factory=list)
    debt: float = 0.0
    at: float = 0.0


class Quota:
    """Counts what callers use in this process, and turns away who is over a limit.

    An operation that was let in is finished; what it sent upstream counts from then on, and while
    it is running. Its own budget bounds by how much a caller can be over.

    Args:
        in_flight: operations of one caller at once; ``None`` for any number.
        per_minute: upstream requests of one caller in a minute, batch items counted each; ``None``
            for any number. Unused requests are not saved up beyond a minute's.
        clock: seconds, of any origin.
    """

    def __init__(
        self,
        in_flight: int | None = None,
        per_minute: int | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._in_flight = in_flight
        self._per_minute = per_minute
        self._clock = clock
        self._accounts: dict[str, _Account] = {}

    @contextmanager
    def admitted(self, caller: Caller, usage: Counted) -> Iterator[None]:
        """Holds the caller's place while an operation runs that counts in ``usage``.

        Raises:
            RequestRefused: 429, with the seconds to wait in Retry-After.
        """
        account = self._account(caller.account)
        if self._in_flight is not None and len(account.running) >= self._in_flight:
            raise RequestRefused(
                429,
                "TOO_MANY_OPERATIONS",
                f"you have {self._in_flight} operations in flight, and may not have more",
                headers={"Retry-After": "1"},
            )
        if self._per_minute is not None:
            used = account.debt + sum(running.requests for running in account.running)
            over = used + 1 - self._per_minute
            if over > 0:
                wait = over * _MINUTE / self._per_minute
                raise RequestRefused(
                    429,
                    "RATE_LIMITED",
                    f"your operations have used up the {self._per_minute} upstream requests of a "
                    "minute; wait, or ask for less",
                    headers={"Retry-After": str(max(1, math.ceil(wait)))},
                )
        account.running.append(usage)
        try:
            yield
        finally:
            account.running = [running for running in account.running if running is not usage]
            self._settle(account)
            account.debt += usage.requests

    def _account(self, key: str) -> _Account:
        if len(self._accounts) >= _MANY_ACCOUNTS and key not in self._accounts:
            for account in self._accounts.values():
                self._settle(account)
            owing = sorted(
                (item for item in self._accounts.items() if item[1].running or item[1].debt),
                key=lambda item: (bool(item[1].running), item[1].debt),
            )
            # Who has used least is forgotten first; who is running is not.
            many = len(owing) - _MOST_ACCOUNTS
            self._accounts = dict(
                item for place, item in enumerate(owing) if place >= many or item[1].running
            )
        account = self._accounts.setdefault(key, _Account(at=self._clock()))
        self._settle(account)
        return account

    def _settle(self, account: _Account) -> None:
        now = self._clock()
        paid = (now - account.at) * (self._per_minute or math.inf) / _MINUTE
        account.debt = max(0.0, account.debt - paid) if now > account.at else account.debt
        account.at = now
