"""Answers to a `$batch`: the answer is exact, or an error says where and why it is not."""

import json
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.conftest import running
from tests.graph.canned import TWO, code, codes

GOOD = {"id": "1", "status": 200, "body": {"id": "b", "displayName": "B"}}
BATCHES = {
    "an item is missing": [GOOD],
    "an item has no status": [{"id": "0"}, GOOD],
    "a status is text": [{"id": "0", "status": "OK", "body": {"id": "a"}}, GOOD],
    "a status is null": [{"id": "0", "status": None}, GOOD],
    "a status is impossible": [{"id": "0", "status": 0, "body": {"id": "a"}}, GOOD],
    "an item has no body": [{"id": "0", "status": 200}, GOOD],
    "an item has no id": [{"status": 200, "body": {"id": "a"}}, GOOD],
    "an item is text": ["a", GOOD],
    "an item is null": [None, GOOD],
    "an item is answered twice": [
        {"id": "0", "status": 200, "body": {"id": "a", "displayName": "A"}},
        {"id": "0", "status": 200, "body": {"id": "c", "displayName": "C"}},
        GOOD,
    ],
}


async def _batched(responses: Any) -> dict[str, Any]:
    async def reply(_: Request) -> Response:
        return Response(json.dumps({"responses": responses}), media_type="application/json")

    app = Starlette(routes=[Route("/{path:path}", reply, methods=["POST"])])
    async with running(app) as gateway:
        return await gateway.query(TWO, a="a", b="b")


@pytest.mark.parametrize("responses", BATCHES.values(), ids=list(BATCHES))
async def test_a_bad_item_of_a_batch_fails_alone(responses: Any) -> None:
    answer = await _batched(responses)
    [error] = answer["errors"]
    assert (code(error), error["path"]) == ("UPSTREAM_ERROR", ["a"])
    assert answer["data"] == {"a": None, "b": {"id": "b", "displayName": "B"}}


@pytest.mark.parametrize("responses", [None, "text", {}, 5, []], ids=repr)
async def test_a_batch_without_answers_fails_all_its_items(responses: Any) -> None:
    answer = await _batched(responses)
    assert codes(answer) == {"UPSTREAM_ERROR"}
    assert answer["data"] == {"a": None, "b": None}


async def test_items_of_a_batch_may_come_in_any_order_and_with_others() -> None:
    a = {"id": "0", "status": 200, "headers": "none", "body": {"id": "a", "displayName": "A"}}
    extra = {"id": "77", "status": 200, "body": {"id": "x", "displayName": "X"}}
    answer = await _batched([extra, GOOD, a])
    assert answer["data"] == {
        "a": {"id": "a", "displayName": "A"},
        "b": {"id": "b", "displayName": "B"},
    }
