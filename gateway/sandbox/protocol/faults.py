"""Faults on demand: throttling, outages, slow and broken answers."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import unquote_plus

from gateway.sandbox.errors import GraphError
from gateway.sandbox.protocol.service import Reply, error_reply

_SCOPES = ("item", "http")


class Disconnected(Exception):
    """The connection is to be dropped instead of answered."""


@dataclass
class Fault:
    """A fault on demand, for the requests that `match` finds.

    `match` is a regular expression, searched in `METHOD url` with the decoded URL relative to
    the version root. `times` is how often (None: always). Scope `item` means each logical
    request, alone or in a $batch; `http` the outer HTTP request only. Without `status` the real
    answer is given, late (`delay_ms`), with more `headers`, or with members replaced (`patch`).
    """

    match: str
    times: int | None = 1
    scope: str = "item"
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    raw: str | None = None
    delay_ms: float = 0
    disconnect: bool = False
    patch: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.pattern = re.compile(self.match)
        if self.scope not in _SCOPES:
            raise ValueError(f"scope must be one of {', '.join(_SCOPES)}; got {self.scope!r}")
        if self.status is None and (self.body is not None or self.raw is not None):
            raise ValueError("body and raw need a status")

    @classmethod
    def from_json(cls, data: Any) -> "Fault":
        """Return the fault that a JSON object describes; raise ValueError if it is none."""
        if not isinstance(data, dict) or "match" not in data:
            raise ValueError("a fault is an object with at least 'match'")
        unknown = set(data) - {item.name for item in fields(cls)}
        if unknown:
            raise ValueError(f"a fault has no member {', '.join(sorted(unknown))}")
        try:
            return cls(**data)
        except (re.error, TypeError) as error:
            raise ValueError(str(error)) from error

    async def apply(
        self, real: Callable[[], Awaitable[Reply]], headers: Mapping[str, str]
    ) -> Reply:
        """Return the reply to a request with these headers; `real` gives the true one."""
        if self.delay_ms:
            await asyncio.sleep(self.delay_ms / 1000)
        if self.disconnect:
            raise Disconnected
        if self.status is None:
            reply = await real()
            if self.patch and isinstance(reply.body, dict):
                reply.body = {**reply.body, **self.patch}
        else:
            reply = error_reply(GraphError(self.status), headers)
            if self.raw is not None:
                reply.body, reply.raw = None, self.raw
                reply.headers["Content-Type"] = "text/plain"
            elif self.body is not None:
                reply.body = self.body
            elif self.status < 400:
                reply.body = None
        reply.headers.update(self.headers)
        return reply


class Faults:
    """The faults that are set."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def add(self, items: Any) -> int:
        """Add the faults of a JSON list and return their number; raise ValueError if bad."""
        if not isinstance(items, list):
            raise ValueError("a list of faults was expected")  # noqa: TRY004 - it is input
        faults = [Fault.from_json(item) for item in items]
        self.faults += faults
        return len(faults)

    def clear(self) -> None:
        """Remove all faults."""
        self.faults.clear()

    def take(self, scope: str, method: str, url: str) -> Fault | None:
        """Return the first fault for a request, counting it as used."""
        if not self.faults:
            return None
        text = f"{method} /{unquote_plus(url).lstrip('/')}"
        for fault in self.faults:
            if fault.scope == scope and fault.pattern.search(text):
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self.faults.remove(fault)
                return fault
        return None
