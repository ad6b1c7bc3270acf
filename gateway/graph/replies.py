"""The outcome of a request: the service's answer, judged."""

from dataclasses import dataclass
from typing import Any

import httpx
import msgspec
import orjson

from gateway.errors import ClaimsChallenge, GatewayError, GraphError, Unauthenticated
from gateway.graph.errors import (
    LONGEST_DETAIL,
    error_of_answer,
    outcome_unknown,
    shorten,
    shortened,
)
from gateway.graph.session import Session
from gateway.graph.throttling import retriable, retry_after
from gateway.graph.transport import Answer

# Shorter tokens are no secrets, and could be part of any word.
_SECRET_LENGTH = 16
_ANY = msgspec.json.Decoder(msgspec.Raw)
NOT_JSON = object()
_UNREAD = object()
"""What `json_of` returns for a body that is none."""


class Body:
    """JSON that is known to be such, and is decoded by those who know what is in it.

    Args:
        raw: its bytes.
    """

    __slots__ = ("_value", "raw")

    def __init__(self, raw: bytes | msgspec.Raw) -> None:
        self.raw = raw
        self._value: Any = _UNREAD

    @property
    def value(self) -> Any:
        """The decoded JSON; `NOT_JSON` if it has numbers that no JSON reader takes."""
        if self._value is _UNREAD:
            try:
                self._value = orjson.loads(memoryview(self.raw))
            except orjson.JSONDecodeError:
                self._value = NOT_JSON
        return self._value

    @property
    def begins(self) -> bytes:
        """Its first byte that is no blank."""
        return bytes(memoryview(self.raw)[:64]).lstrip()[:1]


@dataclass(frozen=True, slots=True)
class Reply:
    """The outcome of one logical request: ``data``, or the ``error`` that stands in its place.

    ``answer`` is the data as it was received: a `Body`, or JSON that was decoded already.

    ``request_id`` is the service's own, as support asks for it. ``retry`` says that the request is
    worth sending again, ``after`` so many seconds if the service says so; ``shared`` that this is
    what became of the whole `$batch` in which it travelled.
    """

    answer: Any = None
    error: GatewayError | None = None
    status: int = 0
    request_id: str | None = None
    retry: bool = False
    after: float | None = None
    shared: bool = False

    @property
    def data(self) -> Any:
        """The decoded JSON; ``None`` for an empty answer."""
        return self.answer.value if type(self.answer) is Body else self.answer


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
    answer: Any,
    session: Session,
    changes: bool,
    *,
    item: bool = False,
) -> Reply:
    """The reply that an answer of the service is.

    Args:
        status: HTTP status, of the answer or of the `$batch` item.
        headers: with names in lower case.
        answer: the `Body`; ``None`` for an empty one, `NOT_JSON` for one that is not JSON.
        session: whose token must not be told.
        changes: whether the request was to change something.
        item: whether it is the answer to an item of a `$batch`.
    """
    request_id = shortened(headers.get("request-id", ""), LONGEST_DETAIL) or None
    if 200 <= status < 300:
        # What a change answers is an object or nothing; anything else may not be the service's.
        odd = _is_odd(answer) if changes else status == 200 and _is_cut(answer, item)
        if answer is NOT_JSON or odd:
            error = GraphError(f"the service answered {status} with a body that is not JSON")
            return cut(error, status, changes, request_id)
        return Reply(answer, status=status, request_id=request_id)
    error = error_of_answer(status, headers, _value(answer), changes=changes)
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


def _value(answer: Any) -> Any:
    return answer.value if type(answer) is Body else answer


def _is_odd(answer: Any) -> bool:
    return not isinstance(_value(answer), dict | None)


def _is_cut(answer: Any, item: bool) -> bool:
    """Whether an answer that should hold JSON holds nothing, or the beginning of some.

    An item of a `$batch` whose body is no JSON has it as text.
    """
    if type(answer) is Body and answer.begins in (b"{", b"["):
        return False
    data = _value(answer)
    return data is None or (item and isinstance(data, str) and data.lstrip()[:1] in ("", "{", "["))


def _refuses(status: int, after: float | None) -> bool:
    """Whether an answer that is no success says that a change was not made.

    408 is what a proxy says whose patience ended, whatever became of the request.
    """
    return (400 <= status < 500 and status != 408) or (status == 503 and after is not None)


def json_of(response: Answer) -> Any:
    """The body: ``None`` if it is empty, `NOT_JSON` if it is none."""
    if not response.content:
        return None
    return Body(response.content) if is_json(response.content) else NOT_JSON


def is_json(content: bytes) -> bool:
    """Whether bytes are JSON; nothing is made of them."""
    try:
        if not content.isascii():
            content.decode()
        _ANY.decode(content)
    except RecursionError:
        return Body(content).value is not NOT_JSON
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True


def lower_case(headers: httpx.Headers) -> dict[str, str]:
    """Headers by their names in lower case."""
    return {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in headers.raw}
