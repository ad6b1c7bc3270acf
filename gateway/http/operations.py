"""The log of operations: one line for each, with nothing of what was asked or answered."""

import hashlib
import logging
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import OperationDefinitionNode

from gateway.graph.session import Usage

_log = logging.getLogger("gateway.operations")
_LONGEST_NAME = 128


@dataclass(slots=True)
class OperationRecord:
    """The log record of one operation; filled in while it is answered.

    Attributes:
        id: a new one for each operation.
        caller: the caller's name, once it is known.
        name: the operation's name, if the document gives it one.
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

    def asked(self, document: str) -> None:
        """Note the document, by its hash."""
        self.document = hashlib.sha256(document.encode("utf-8", "surrogatepass")).hexdigest()

    def named(self, operation: OperationDefinitionNode) -> None:
        """Note the name of the operation, if it has one."""
        if operation.name is not None:
            self.name = operation.name.value[:_LONGEST_NAME]

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
