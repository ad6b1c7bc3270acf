"""What became of a request: the service's answer, judged."""

from dataclasses import dataclass
from typing import Any

import httpx
import orjson

from gateway.graph.errors import (
    LONGEST_DETAIL,
    ClaimsChallenge,
    GraphError,
    Unauthenticated,
    error_of_answer,
    outcome_unknown,
    shorten,
    shortened,
)
from gateway.graph.session import Session
from gateway.graph.throttling import retriable, retry_after
from gateway.graph.transport import Answer
from gateway.odata.errors import GatewayError

# Shorter tokens are no secrets, and could be part of any word.
_SECRET_LENGTH = 16
NOT_JSON = object()
"""What `json_of` returns for a body that is none."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The outcome of one logical request: ``data``, or the ``error`` that stands in its place.

    ``request_id`` is the service's own, as support asks for it. ``retry`` says that the request is
    worth sending again, ``after`` so many seconds if the service says so; ``shared`` that this is
    what became of the whole `$batch` in which it travelled.
    """

    data: Any = None
    error: GatewayError | None = None
    status: int = 0
    request_id: str | None = None
    retry: bool = False
    after: float | None = None
    shared: bool = False


def is_refused(reply: Reply | None) -> bool:
    """Whether the token was not accepted, and another one of the same kind may be."""
    error = reply.error if reply is not None else None
    return isinstance(error, Unauthenticated) and not isinstance(error, ClaimsChallenge)


def is_unknown(reply: Reply) -> bool:
    """Whether nobody can tell if what was asked was done."""
    return reply.error is not None and "outcomeUnknown" in reply.error.extensions


def cut(error: GraphError, status: int, changes: bool, request_id: str | None = None) -> Reply:
    """The reply where an answer came but is unusable, as one that was cut off is."""
    if changes:
        return Reply(error=outcome_unknown(error), status=status, request_id=request_id)
    return Reply(error=error, status=status, request_id=request_id, retry=True)


def reply_of(
    status: int,
    headers: dict[str, str],
    data: Any,
    session: Session,
    changes: bool,
    *,
    item: bool = False,
) -> Reply:
    """The reply that an answer of the service is.

    Args:
        status: HTTP status, of the answer or of the `$batch` item.
        headers: with names in lower case.
        data: the decoded JSON of the body; ``None`` for an empty one, `NOT_JSON` for another.
        session: whose token must not be told.
        changes: whether the request was to change something.
        item: whether it is the answer to an item of a `$batch`.
    """
    request_id = shortened(headers.get("request-id", ""), LONGEST_DETAIL) or None
    if 200 <= status < 300:
        # What a change answers is an object or nothing; anything else may not be the service's.
        odd = (
            not isinstance(data, dict | None) if changes else status == 200 and _is_cut(data, item)
        )
        if data is NOT_JSON or odd:
            error = GraphError(f"the service answered {status} with a body that is not JSON")
            return cut(error, status, changes, request_id)
        return Reply(data, status=status, request_id=request_id)
    error = error_of_answer(status, headers, data, changes=changes)
    if len(session.token) >= _SECRET_LENGTH:
        error.message = error.message.replace(session.token, "…")
        for name, value in error.extensions.items():
            if isinstance(value, str):
                error.extensions[name] = value.replace(session.token, "…")
    shorten(error)
    after = retry_after(headers.get("retry-after"))
    if changes and not _refuses(status, after):
        error = outcome_unknown(error)
    return Reply(
        error=error,
        status=status,
        request_id=error.extensions.get("requestId"),
        retry=retriable(status, after, changes),
        after=after,
    )


def _is_cut(data: Any, item: bool) -> bool:
    """Whether an answer that should hold JSON holds nothing, or the beginning of some.

    An item of a `$batch` whose body is no JSON has it as text.
    """
    return data is None or (item and isinstance(data, str) and data.lstrip()[:1] in ("", "{", "["))


def _refuses(status: int, after: float | None) -> bool:
    """Whether an answer that is no success says that a change was not made.

    408 is what a proxy says whose patience ended, whatever became of the request.
    """
    return (400 <= status < 500 and status != 408) or (status == 503 and after is not None)


def json_of(response: Answer) -> Any:
    """The decoded body: ``None`` if it is empty, `NOT_JSON` if it is none."""
    if not response.content:
        return None
    try:
        return orjson.loads(response.content)
    except orjson.JSONDecodeError:
        return NOT_JSON


def lower_case(headers: httpx.Headers) -> dict[str, str]:
    """Headers by their names in lower case."""
    return {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in headers.raw}
