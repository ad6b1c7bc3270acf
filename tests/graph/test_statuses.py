"""Statuses and errors of the service."""

from typing import Any

import pytest

from tests.conftest import Gateway
from tests.graph.canned import LIST, NAMES, RUNS, TWO, code, codes, two

STATUSES = [
    (400, "UPSTREAM_ERROR"),
    (401, "UNAUTHENTICATED"),
    (403, "FORBIDDEN"),
    (404, "NOT_FOUND"),
    (409, "CONFLICT"),
    (410, "NOT_FOUND"),
    (429, "THROTTLED"),
    (500, "UPSTREAM_ERROR"),
    (502, "UPSTREAM_UNAVAILABLE"),
    (503, "UPSTREAM_UNAVAILABLE"),
    (504, "UPSTREAM_TIMEOUT"),
]


@pytest.mark.parametrize(("status", "expected"), STATUSES)
async def test_a_failing_item_is_an_error_at_its_path_and_the_rest_stays(
    gateway: Gateway, status: int, expected: str
) -> None:
    ids = await two(gateway)
    await gateway.fault(
        match=f"workflows/{ids['a']}", status=status, times=None, headers={"Retry-After": "0.01"}
    )
    answer = await gateway.query(TWO, **ids)
    [error] = answer["errors"]
    assert (code(error), error["path"]) == (expected, ["a"])
    assert error["extensions"]["status"] == status
    assert error["extensions"]["serviceCode"]
    assert error["extensions"]["requestId"]
    assert answer["data"]["a"] is None
    assert answer["data"]["b"]["id"] == ids["b"]


# With these an endpoint refuses a `$batch` as such; then its requests go alone.
REFUSALS = {400, 403, 404}


@pytest.mark.parametrize(
    ("status", "expected"), [case for case in STATUSES if case[0] not in REFUSALS]
)
async def test_a_failing_batch_is_an_error_for_each_of_its_items(
    gateway: Gateway, status: int, expected: str
) -> None:
    ids = await two(gateway)
    await gateway.fault(
        match=r"\$batch",
        scope="http",
        status=status,
        times=None,
        headers={"Retry-After": "0.01"},
    )
    answer = await gateway.query(TWO, **ids)
    assert [error["path"] for error in answer["errors"]] == [["a"], ["b"]]
    assert codes(answer) == {expected}


async def test_one_edge_of_many_fails_alone(gateway: Gateway) -> None:
    whole = await gateway.data(RUNS)
    third = whole["workflows"]["nodes"][2]["id"]
    await gateway.fault(match=f"{third}/runs", status=403)
    answer = await gateway.query(RUNS)
    [error] = answer["errors"]
    assert (code(error), error["path"]) == ("FORBIDDEN", ["workflows", "nodes", 2, "runs"])
    whole["workflows"]["nodes"][2]["runs"] = None
    assert answer["data"] == whole


async def test_nothing_of_the_services_message_is_lost(gateway: Gateway) -> None:
    message = "Insufficient privileges to complete the operation. <b>'ä'</b>"
    body = {
        "error": {
            "code": "Authorization_RequestDenied",
            "message": message,
            "innerError": {"request-id": "a1b2", "date": "2024-01-01T00:00:00"},
        }
    }
    await gateway.fault(match=LIST, status=403, body=body, times=None)
    [error] = await gateway.errors(NAMES)
    assert error["message"].startswith(f"{message} (")
    assert error["extensions"].pop("permissions")
    assert error["extensions"] == {
        "code": "FORBIDDEN",
        "status": 403,
        "serviceCode": "Authorization_RequestDenied",
        "requestId": "a1b2",
    }


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "text",
        {"error": None},
        {"error": "text"},
        {"error": {"code": 5, "message": ["x"], "innerError": "y"}},
        {"error": {"code": "", "message": "", "innerError": {"request-id": 7}}},
    ],
    ids=repr,
)
@pytest.mark.parametrize("alone", [True, False], ids=["alone", "in a batch"])
async def test_an_error_body_of_any_shape_is_a_clear_error(
    gateway: Gateway, body: Any, alone: bool
) -> None:
    ids = await two(gateway)
    await gateway.fault(match="/workflows", status=500, body=body, times=None)
    answer = await (gateway.query(NAMES) if alone else gateway.query(TWO, **ids))
    assert codes(answer) == {"UPSTREAM_ERROR"}


@pytest.mark.parametrize(
    ("status", "raw"),
    [
        (500, "<html><body>Internal Server Error</body></html>"),
        (200, "<html><body>Sign in</body></html>"),
        (200, '{"value": [{"id": "a"'),
        (200, ""),
        (200, "null"),
        (200, "\x00"),
        (200, '{"value": ' * 3000),
    ],
)
@pytest.mark.parametrize("scope", ["item", "http"])
async def test_a_body_that_is_not_the_json_expected_is_an_upstream_error(
    gateway: Gateway, status: int, raw: str, scope: str
) -> None:
    ids = await two(gateway)
    match = r"\$batch|workflows\?" if scope == "http" else "/workflows"
    await gateway.fault(match=match, scope=scope, status=status, raw=raw, times=None)
    assert codes(await gateway.query(NAMES)) == {"UPSTREAM_ERROR"}
    answer = await gateway.query(TWO, **ids)
    assert codes(answer) == {"UPSTREAM_ERROR"}
    assert answer["data"] == {"a": None, "b": None}


async def test_a_redirect_is_not_followed(gateway: Gateway) -> None:
    await gateway.fault(
        match=LIST, status=302, headers={"Location": "http://example.com/"}, times=None
    )
    await gateway.forget()
    assert codes(await gateway.query(NAMES)) == {"UPSTREAM_ERROR"}
    assert (await gateway.sent()).http == 1
