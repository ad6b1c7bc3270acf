"""The log of operations: one line for each, with nothing of what was asked or answered."""

import hashlib
import logging
import re
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.graph.client import Usage

_log = logging.getLogger("gateway.operations")
_NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]{0,127}")
_NAMED = re.compile(r"^\s*(?:query|mutation|subscription)\s+([_A-Za-z][_0-9A-Za-z]{0,127})", re.M)


@dataclass(slots=True)
class OperationRecord:
    """What is told of one operation; filled in while it is answered.

    Attributes:
        id: a new one for each operation.
        caller: the caller's name, once it is known.
        name: the operation's name; not checked against the document.
        document: the SHA-256 of the document, in hexadecimal.
        usage: what was sent upstream.
        outcome: ``OK``, or the distinct codes of the errors.
    """

    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    caller: str = "-"
    name: str = "-"
    document: str = "-"
    usage: Usage = field(default_factory=Usage)
    outcome: str = "ABORTED"
    _began: float = field(default_factory=time.perf_counter)

    def asked(self, query: str, operation_name: str | None) -> None:
        """Note the document, by its hash, and the operation's name."""
        self.document = hashlib.sha256(query.encode("utf-8", "surrogatepass")).hexdigest()
        named = _NAMED.search(query) if operation_name is None else None
        name = named.group(1) if named else operation_name or ""
        self.name = name if _NAME.fullmatch(name) else "-"

    def answered(self, errors: Sequence[dict[str, Any]]) -> None:
        """Note the outcome from the errors of the response."""
        codes = dict.fromkeys(str(error["extensions"]["code"]) for error in errors)
        self.outcome = ",".join(codes) or "OK"

    def write(self, status: int) -> None:
        """Write the line; ``status`` is the HTTP status of the response, 0 if there is none."""
        _log.info(
            "operation=%s caller=%s name=%s document=%s seconds=%.3f upstream-requests=%d "
            "http-requests=%d outcome=%s status=%d",
            self.id,
            self.caller,
            self.name,
            self.document,
            time.perf_counter() - self._began,
            self.usage.requests,
            self.usage.http_requests,
            self.outcome,
            status,
        )
