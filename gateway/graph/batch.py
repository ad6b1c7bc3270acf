"""JSON batching: several logical requests in one HTTP request.

Rules: graph-lifecycle-api.md, section 7, "$batch": at most 20 items, answers in any order, each
with a status of its own whatever the outer status says. An endpoint that stands in for the service,
or in front of it, may take fewer, or may have no `$batch` at all.
"""

import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import orjson

from gateway.errors import GraphError
from gateway.graph.replies import Body
from gateway.odata.query import GraphRequest

_log = logging.getLogger(__name__)

MAX_ITEMS = 20
# With these an endpoint says, before it has done anything, that it does not take a `$batch`: it has
# none, or not of this size (an outer 400 is a refusal of the whole: section 7, "$batch").
REFUSALS = frozenset({400, 403, 404, 405, 413, 501})
_TOO_MANY = frozenset({400, 413})
# A refusal may be about the bytes of a longer one, which says nothing of the number of items.
MAX_TEACHING_BYTES = 32_768
LEARNED_FOR = 3600.0


class BatchSize:
    """The number of requests that one `$batch` may carry; one means that requests travel alone.

    It is `MAX_ITEMS` until a batch was refused of which all parts were taken. So that neither a
    passing fault nor an odd request of one caller is remembered for good, no number that was ever
    taken is given up, and what was learned is tried again after an hour.

    Args:
        clock: seconds, for the hour.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._size = MAX_ITEMS
        self._learned = 0.0
        self._taken = 0

    @property
    def now(self) -> int:
        """The number of items to send in one batch."""
        if self._size < MAX_ITEMS and self._clock() - self._learned > LEARNED_FOR:
            self._size = MAX_ITEMS
        return self._size

    def took(self, items: int) -> None:
        """Note that a batch of ``items`` was answered item by item."""
        self._taken = max(self._taken, items)

    def learn(self, refused: int, size: int, status: int) -> None:
        """Note that a batch of ``refused`` items was refused, and taken in parts of ``size``.

        A 403 may be about the caller, so it teaches nothing about the service.
        """
        if status != 403 and refused > self._taken and size < self._size:
            self._size, self._learned = size, self._clock()
            _log.warning(
                "the upstream answered %s to a $batch of %s; from now on %s",
                status,
                refused,
                f"at most {size} go together" if size > 1 else "requests go alone",
            )


def smaller(status: int, message: str, items: int) -> int:
    """The size of the parts to try after a batch of ``items`` was refused.

    One where the endpoint has no `$batch`; where it may be too large, the number in its message,
    else half of it.
    """
    if status not in _TOO_MANY:
        return 1
    named = [int(text) for text in re.findall(r"\b[1-9]\d?\b", message)]
    return max((number for number in named if number < items), default=(items + 1) // 2)


def divided(requests: Sequence[GraphRequest], size: int) -> list[Sequence[GraphRequest]]:
    """``requests`` in their order, in parts of at most ``size``."""
    return [requests[start : start + size] for start in range(0, len(requests), size)]


def encode(requests: Sequence[GraphRequest], headers: Mapping[str, str]) -> bytes:
    """The body of a `$batch` with ``requests`` under the ids 0, 1, 2, …

    ``headers`` go into each item, because the outer ones are not passed on.
    """
    items = []
    for number, request in enumerate(requests):
        item: dict[str, Any] = {
            "id": str(number),
            "method": request.method,
            "url": "/" + request.url,
            "headers": dict(headers),
        }
        if request.body is not None or request.method == "POST":
            item["headers"]["Content-Type"] = "application/json"
            item["body"] = orjson.Fragment(request.body or b"{}")
        items.append(item)
    return orjson.dumps({"requests": items})


@dataclass(frozen=True, slots=True)
class Item:
    """The answer to one item; header names are in lower case.

    ``body`` is a `Body`, or JSON that was decoded already; ``None`` if there is none.
    """

    status: int
    headers: dict[str, str]
    body: Any


class _Response(msgspec.Struct, gc=False):
    id: str
    status: int
    headers: dict[str, str] | None = None
    body: msgspec.Raw = msgspec.Raw(b"")


class _Responses(msgspec.Struct, gc=False):
    responses: list[_Response]


_decoder = msgspec.json.Decoder(_Responses)


def read(content: bytes, count: int) -> list[Item | GraphError] | None:
    """The answers in the bytes of a batch; see `decode`.

    What is in the items is not looked at yet, except where the batch is not as it nearly always is.
    """
    try:
        if not content.isascii():
            content.decode()
        responses = _decoder.decode(content).responses
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        responses = []
    items: dict[str, Item | GraphError] = {r.id: _read(r) for r in responses}
    numbers = [str(number) for number in range(count)]
    if len(items) == len(responses) and all(number in items for number in numbers):
        return [items[number] for number in numbers]
    try:
        return decode(orjson.loads(content), count)
    except orjson.JSONDecodeError:
        return None


def _read(response: _Response) -> Item:
    headers = {name.lower(): value for name, value in (response.headers or {}).items()}
    return Item(response.status, headers, Body(response.body) if response.body else None)


def decode(body: Any, count: int) -> list[Item | GraphError] | None:
    """The answers to a batch of ``count`` items, in the order of the request.

    An item that has no usable answer, or more than one, is an error in its own place; ``None``
    where there are no answers to items at all.
    """
    responses = body.get("responses") if isinstance(body, dict) else None
    if not isinstance(responses, list):
        return None
    answers: dict[str, Item | GraphError] = {}
    for response in responses:
        if not isinstance(response, dict) or not isinstance(response.get("id"), str):
            continue
        id_ = response["id"]
        answers[id_] = (
            GraphError("the service answered an item of a $batch twice")
            if id_ in answers
            else _item(response)
        )
    missing = GraphError("the service left an item of a $batch unanswered")
    return [answers.get(str(number), missing) for number in range(count)]


def _item(response: dict[str, Any]) -> Item | GraphError:
    status, headers = response.get("status"), response.get("headers")
    if type(status) is not int:
        return GraphError("the service answered an item of a $batch without a status")
    headers = headers if isinstance(headers, dict) else {}
    told = {k.lower(): str(v) for k, v in headers.items() if isinstance(v, str | int)}
    return Item(status, told, response.get("body"))
