"""JSON batching: several logical requests in one HTTP request.

Rules: graph-lifecycle-api.md, section 7, "$batch": at most 20 items, answers in any order, each
with a status of its own whatever the outer status says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from gateway.graph.errors import GraphError
from gateway.odata.query import GraphRequest

MAX_ITEMS = 20


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
    """The answer to one item; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: Any


def decode(body: Any, count: int) -> list[Item | GraphError]:
    """The answers to a batch of ``count`` items, in the order of the request.

    An item that has no usable answer, or more than one, is an error in its own place.
    """
    responses = body.get("responses") if isinstance(body, dict) else None
    if not isinstance(responses, list):
        return [GraphError("the service answered a $batch without responses")] * count
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
    return Item(status, {str(k).lower(): str(v) for k, v in headers.items()}, response.get("body"))
