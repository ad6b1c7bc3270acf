"""$batch: strict in what it takes. graph-lifecycle-api.md section 7, $batch."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from gateway.sandbox.errors import GraphError, bad_request
from gateway.sandbox.protocol.service import LogicalRequest, Reply, error_reply

MAX_ITEMS = 20
_METHODS = frozenset({"GET", "POST", "PATCH", "PUT", "DELETE"})

Handler = Callable[[LogicalRequest], Awaitable[Reply]]


class Item:
    """One checked item of a batch, and its status once it is answered."""

    def __init__(
        self, data: Mapping[str, Any], root: str, grants: frozenset[str] | None = None
    ) -> None:
        headers = data.get("headers") or {}
        self.id: str = data["id"]
        self.depends_on: list[str] = data.get("dependsOn") or []
        self.status: int | None = None
        self.request = LogicalRequest(
            root=root,
            method=data["method"].upper(),
            url=data["url"],
            headers={name.lower(): str(value) for name, value in headers.items()},
            body=data.get("body"),
            grants=grants,
        )


def parse_batch(body: Any, root: str, grants: frozenset[str] | None = None) -> list[Item]:
    """Return the items of a batch document; a malformed one is a 400 as a whole.

    `root` is the absolute URL of the version root that all items are relative to, `grants` are the
    permissions of the token of the whole.
    """
    requests = body.get("requests") if isinstance(body, dict) else None
    if not isinstance(requests, list):
        raise bad_request("Invalid batch payload format: 'requests' must be a list.")
    if len(requests) > MAX_ITEMS:
        raise bad_request(
            f"Number of batch request steps exceeds the maximum value of {MAX_ITEMS}."
        )
    seen: set[str] = set()
    for data in requests:
        _check(data, seen)
    return [Item(data, root, grants) for data in requests]


def _check(data: Any, seen: set[str]) -> None:
    if not isinstance(data, dict):
        raise bad_request("Invalid batch payload format: an item must be an object.")
    for name in ("id", "method", "url"):
        if not isinstance(data.get(name), str) or not data[name]:
            raise bad_request(f"Invalid batch payload format: an item needs a string '{name}'.")
    if data["id"].lower() in seen:
        raise bad_request(f"Request ids must be unique in a batch: '{data['id']}' is not.")
    if data["method"].upper() not in _METHODS:
        raise bad_request(f"The method of item '{data['id']}' is not valid.")
    headers = {} if data.get("headers") is None else data["headers"]
    if not isinstance(headers, dict):
        raise bad_request(f"The headers of item '{data['id']}' must be an object.")
    if data.get("body") is not None and "content-type" not in map(str.lower, headers):
        raise bad_request(f"Item '{data['id']}' has a body but no Content-Type header.")
    depends_on = [] if data.get("dependsOn") is None else data["dependsOn"]
    if not isinstance(depends_on, list):
        raise bad_request(f"The dependsOn of item '{data['id']}' must be a list.")
    for key in depends_on:
        if not isinstance(key, str) or key.lower() not in seen:
            raise bad_request(f"Item '{data['id']}' depends on '{key}', which is not before it.")
    seen.add(data["id"].lower())


async def answer_batch(items: list[Item], handle: Handler) -> dict[str, Any]:
    """Answer all items, at the same time unless some depend on others."""
    if any(item.depends_on for item in items):
        responses = []
        failed: set[str] = set()
        for item in items:
            responses.append(await _answer(item, handle, failed))
            if item.status is None or item.status >= 400:
                failed.add(item.id.lower())
    else:
        responses = list(await asyncio.gather(*(_answer(item, handle, set()) for item in items)))
    return {"responses": responses}


async def _answer(item: Item, handle: Handler, failed: set[str]) -> dict[str, Any]:
    if failed.intersection(map(str.lower, item.depends_on)):
        reply = error_reply(GraphError(424), item.request.headers)
    else:
        reply = await handle(item.request)
    item.status = reply.status
    response: dict[str, Any] = {
        "id": item.id,
        "status": reply.status,
        "headers": reply.headers,
    }
    body = reply.body if reply.raw is None else reply.raw
    return response if body is None else {**response, "body": body}
