"""JSON batching: several logical requests in one HTTP request.

Rules: graph-lifecycle-api.md, section 7, "$batch": at most 20 items, answers in any order, each
with a status of its own whatever the outer status says.
"""

from collections.abc import Mapping, Sequence
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
        if request.body is not None:
            item["headers"]["Content-Type"] = "application/json"
            item["body"] = orjson.Fragment(request.body)
        items.append(item)
    return orjson.dumps({"requests": items})


def decode(body: Any, count: int) -> list[tuple[int, dict[str, str], Any]]:
    """Status, headers (names in lower case) and body of each item, in the order of the request.

    Raises:
        GraphError: the body is not the answer to a batch of ``count`` items.
    """
    responses = body.get("responses") if isinstance(body, dict) else None
    if not isinstance(responses, list):
        raise GraphError("the service answered a $batch without responses")
    answers: dict[str, tuple[int, dict[str, str], Any]] = {}
    for response in responses:
        if not isinstance(response, dict) or not isinstance(response.get("status"), int):
            raise GraphError("the service answered a $batch with an item that has no status")
        headers = response.get("headers")
        headers = headers if isinstance(headers, dict) else {}
        answers[str(response.get("id"))] = (
            response["status"],
            {str(k).lower(): str(v) for k, v in headers.items()},
            response.get("body"),
        )
    try:
        return [answers[str(number)] for number in range(count)]
    except KeyError as missing:
        raise GraphError(f"the service left item {missing} of a $batch unanswered") from None
