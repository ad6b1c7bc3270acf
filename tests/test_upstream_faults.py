"""What the service gets wrong: the answer is exact, or an error says where and why it is not."""

import asyncio
import json
import logging
import re
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.access.credentials import Fixed
from gateway.app import Upstream, create_app
from gateway.settings import Settings
from tests.conftest import TOKEN, Gateway, Start, running

TREE = """{ workflows { nodes { id displayName runs { nodes { id
  userProcessingResults { nodes { id subject { id displayName }
    taskProcessingResults { id processingStatus task { id } subject { id } } } } } } } } }"""
NAMES = "{ workflows { nodes { id displayName } } }"
RUNS = "{ workflows { nodes { id runs { nodes { id processingStatus } } } } }"
TWO = """query ($a: ID!, $b: ID!) {
  a: workflow(id: $a) { id displayName } b: workflow(id: $b) { id displayName } }"""
LIST = r"lifecycleWorkflows/workflows\?"
ROOT = "http://upstream/v1.0/identityGovernance/lifecycleWorkflows"


def _code(error: dict[str, Any]) -> str:
    """The error's code; an error that is clear has one, and is not the gateway's own."""
    assert error["message"]
    code = str(error["extensions"]["code"])
    assert code != "INTERNAL_SERVER_ERROR", error
    return code


def _codes(answer: dict[str, Any]) -> set[str]:
    return {_code(error) for error in answer.get("errors", [])}


async def _two(gateway: Gateway) -> dict[str, str]:
    rows = (await gateway.rest("/workflows"))["value"]
    return {"a": rows[0]["id"], "b": rows[1]["id"]}


async def _run(gateway: Gateway) -> dict[str, str]:
    workflow = (await gateway.rest("/workflows"))["value"][0]["id"]
    runs = (await gateway.rest(f"/workflows/{workflow}/runs"))["value"]
    return {"w": workflow, "r": runs[0]["id"]}


# An upstream of canned answers: the path below the lifecycle workflows root, or the whole path
# below the version root, and maybe a query string, to a body or to a status and a body.
Answers = dict[str, Any]


class Replay:
    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.sent: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.reply_headers: Callable[[Request], dict[str, str]] = lambda _: {}
        self.app = Starlette(routes=[Route("/{path:path}", self.reply, methods=["GET", "POST"])])

    def find(self, url: str) -> tuple[int, Any]:
        url = unquote(url)
        self.sent.append(url)
        url = url.removeprefix("identityGovernance/lifecycleWorkflows/")
        for key in (url, url.partition("?")[0]):
            if key in self.answers:
                found = self.answers[key]
                return found if isinstance(found, tuple) else (200, found)
        return 404, {"error": {"code": "NotFound", "message": f"nothing at {url}"}}

    async def reply(self, request: Request) -> Response:
        self.headers.append(dict(request.headers))
        path = request.url.path.removeprefix("/v1.0/")
        if path == "$batch":
            items = [
                (item["id"], self.find(item["url"].lstrip("/")))
                for item in (await request.json())["requests"]
            ]
            body: Any = {
                "responses": [{"id": i, "status": status, "body": b} for i, (status, b) in items]
            }
            status = 200
        else:
            status, body = self.find(f"{path}?{request.url.query}".rstrip("?"))
        return Response(
            json.dumps(body), status, self.reply_headers(request), media_type="application/json"
        )


# --- statuses -----------------------------------------------------------------------------------


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


@pytest.mark.parametrize(("status", "code"), STATUSES)
async def test_a_failing_item_is_an_error_at_its_path_and_the_rest_stays(
    gateway: Gateway, status: int, code: str
) -> None:
    ids = await _two(gateway)
    await gateway.fault(
        match=f"workflows/{ids['a']}", status=status, times=None, headers={"Retry-After": "0.01"}
    )
    answer = await gateway.query(TWO, **ids)
    [error] = answer["errors"]
    assert (_code(error), error["path"]) == (code, ["a"])
    assert error["extensions"]["status"] == status
    assert error["extensions"]["serviceCode"]
    assert error["extensions"]["requestId"]
    assert answer["data"]["a"] is None
    assert answer["data"]["b"]["id"] == ids["b"]


# With these an endpoint refuses a `$batch` as such; then its requests go alone.
REFUSALS = {400, 403, 404}


@pytest.mark.parametrize(("status", "code"), [case for case in STATUSES if case[0] not in REFUSALS])
async def test_a_failing_batch_is_an_error_for_each_of_its_items(
    gateway: Gateway, status: int, code: str
) -> None:
    ids = await _two(gateway)
    await gateway.fault(
        match=r"\$batch",
        scope="http",
        status=status,
        times=None,
        headers={"Retry-After": "0.01"},
    )
    answer = await gateway.query(TWO, **ids)
    assert [error["path"] for error in answer["errors"]] == [["a"], ["b"]]
    assert _codes(answer) == {code}


async def test_one_edge_of_many_fails_alone(gateway: Gateway) -> None:
    whole = await gateway.data(RUNS)
    third = whole["workflows"]["nodes"][2]["id"]
    await gateway.fault(match=f"{third}/runs", status=403)
    answer = await gateway.query(RUNS)
    [error] = answer["errors"]
    assert (_code(error), error["path"]) == ("FORBIDDEN", ["workflows", "nodes", 2, "runs"])
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
    assert error["message"] == message
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
    ids = await _two(gateway)
    await gateway.fault(match="/workflows", status=500, body=body, times=None)
    answer = await (gateway.query(NAMES) if alone else gateway.query(TWO, **ids))
    assert _codes(answer) == {"UPSTREAM_ERROR"}


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
    ids = await _two(gateway)
    match = r"\$batch|workflows\?" if scope == "http" else "/workflows"
    await gateway.fault(match=match, scope=scope, status=status, raw=raw, times=None)
    assert _codes(await gateway.query(NAMES)) == {"UPSTREAM_ERROR"}
    answer = await gateway.query(TWO, **ids)
    assert _codes(answer) == {"UPSTREAM_ERROR"}
    assert answer["data"] == {"a": None, "b": None}


async def test_a_redirect_is_not_followed(gateway: Gateway) -> None:
    await gateway.fault(
        match=LIST, status=302, headers={"Location": "http://example.com/"}, times=None
    )
    await gateway.forget()
    assert _codes(await gateway.query(NAMES)) == {"UPSTREAM_ERROR"}
    assert (await gateway.sent()).http == 1


# --- retries and time limits --------------------------------------------------------------------


def _date(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


RETRY_AFTER: dict[str, str | None] = {
    "absent": None,
    "zero": "0",
    "fraction": "0.01",
    "negative": "-5",
    "a past date": _date(-60),
    "unreadable": "soon",
    "not a number": "nan",
    "empty": "",
    "an impossible date": "Wed, 99 Oct 2015 07:28:00 GMT",
    "a date beyond the calendar": "Wed, 21 Oct 99999999999999999999 07:28:00 GMT",
}


@pytest.mark.parametrize("after", RETRY_AFTER.values(), ids=list(RETRY_AFTER))
async def test_what_is_throttled_once_is_answered_in_the_end(
    gateway: Gateway, after: str | None
) -> None:
    await gateway.fault(
        match=LIST, status=429, headers={} if after is None else {"Retry-After": after}
    )
    data, sent = await gateway.counted(NAMES)
    assert len(data["workflows"]["nodes"]) == 5
    assert sent.http == 2


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_within_a_batch_only_the_failed_items_are_asked_again(
    gateway: Gateway, status: int
) -> None:
    expected = await gateway.data(RUNS)
    ids = [row["id"] for row in expected["workflows"]["nodes"]]
    for id_ in ids[1:3]:
        await gateway.fault(match=f"{id_}/runs", status=status, headers={"Retry-After": "0.01"})
    data, sent = await gateway.counted(RUNS)
    assert data == expected
    first, again = [[i["url"] for i in r["items"]] for r in sent.requests if r["items"]]
    assert [re.findall("workflows/(.+)/runs", url) for url in first] == [[id_] for id_ in ids]
    assert again == first[1:3]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 501, 505])
async def test_other_failures_are_not_asked_again(gateway: Gateway, status: int) -> None:
    run = await _run(gateway)
    await gateway.fault(match=f"runs/{run['r']}", status=status, times=None)
    await gateway.forget()
    await gateway.errors("query ($w: ID!, $r: ID!) { run(workflowId: $w, id: $r) { id } }", **run)
    # A 400 may be about the $select, so that is tried once without.
    assert (await gateway.sent()).http == (2 if status == 400 else 1)


async def test_attempts_are_limited(start: Start) -> None:
    gateway = await start(settings=Settings(max_attempts=3))
    await gateway.fault(match=LIST, status=429, times=None, headers={"Retry-After": "0.01"})
    await gateway.forget()
    assert _codes(await gateway.query(NAMES)) == {"THROTTLED"}
    assert (await gateway.sent()).http == 3


@pytest.mark.parametrize(
    "after", ["3600", _date(3600), "1e400"], ids=["seconds", "date", "endless"]
)
async def test_a_retry_after_beyond_the_deadline_is_not_waited_for(
    start: Start, monkeypatch: pytest.MonkeyPatch, after: str
) -> None:
    gateway = await start(settings=Settings(deadline=60))
    await gateway.fault(match=LIST, status=429, times=None, headers={"Retry-After": after})
    pauses = []
    real, here = asyncio.sleep, asyncio.get_running_loop()

    async def sleep(seconds: float, *result: Any) -> Any:
        if asyncio.get_running_loop() is not here:
            return await real(seconds, *result)
        pauses.append(seconds)
        return await real(0, *result)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    [error] = await gateway.errors(NAMES)
    assert _code(error) == "THROTTLED"
    assert error["extensions"]["retryAfter"] == after
    assert (await gateway.sent()).http == 1
    assert not any(pauses)


async def test_the_deadline_fails_what_is_late_and_keeps_the_rest(start: Start) -> None:
    gateway = await start(settings=Settings(deadline=3))
    await gateway.fault(match="/runs", delay_ms=20_000, times=None)
    answer = await gateway.query(RUNS)
    assert _codes(answer) == {"UPSTREAM_TIMEOUT"}
    assert [error["path"][-1] for error in answer["errors"]] == ["runs"] * 5
    assert len(answer["data"]["workflows"]["nodes"]) == 5


async def test_a_slow_answer_is_a_time_out(start: Start) -> None:
    gateway = await start(settings=Settings(read_timeout=0.2), sockets=True)
    await gateway.fault(match=LIST, delay_ms=1500)
    assert _codes(await gateway.query(NAMES)) == {"UPSTREAM_TIMEOUT"}


@pytest.mark.parametrize("sockets", [True, False], ids=["sockets", "in process"])
async def test_a_connection_that_breaks_is_tried_again(start: Start, sockets: bool) -> None:
    gateway = await start(sockets=sockets)
    await gateway.fault(match=LIST, disconnect=True, scope="http")
    data, sent = await gateway.counted(NAMES)
    assert len(data["workflows"]["nodes"]) == 5
    assert sent.http == 2


async def test_a_service_that_cannot_be_reached_is_unavailable() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        there = f"http://127.0.0.1:{unused.getsockname()[1]}/v1.0"
        app = create_app(Settings(max_attempts=2), Upstream(there, Fixed(TOKEN)))
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(base_url="http://gateway", transport=transport) as client:
                response = await client.post("/graphql", json={"query": NAMES})
    [error] = response.json()["errors"]
    assert _code(error) == "UPSTREAM_UNAVAILABLE"


async def test_the_budget_fails_what_is_beyond_it_and_keeps_the_rest(start: Start) -> None:
    gateway = await start(settings=Settings(max_upstream_requests=3))
    await gateway.forget()
    answer = await gateway.query(RUNS)
    assert _codes(answer) == {"BUDGET_EXCEEDED"}
    assert len(answer["errors"]) == 3
    for error in answer["errors"]:
        assert error["extensions"]["needed"] == 1 + 5
        assert error["extensions"]["budget"] == 3
        assert error["extensions"]["setting"] in error["message"]
    assert len(answer["data"]["workflows"]["nodes"]) == 5
    assert len((await gateway.sent()).items) == 3


# --- tokens, cookies and masking ----------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [
        {"code": "InvalidAuthenticationToken", "message": f"The token {TOKEN} has expired."},
        {"code": TOKEN, "message": "expired"},
        {"code": "x", "message": "expired", "innerError": {"request-id": f"Bearer {TOKEN}"}},
    ],
    ids=["message", "code", "request-id"],
)
async def test_a_token_shows_in_no_error_and_no_log(
    start: Start, caplog: pytest.LogCaptureFixture, error: dict[str, Any]
) -> None:
    caplog.set_level(logging.DEBUG)
    gateway = await start(passthrough=True)
    for status in (400, 401):
        await gateway.fault(match="/workflows", status=status, body={"error": error}, times=None)
        response = await gateway.post(
            {"query": NAMES}, headers={"Authorization": f"Bearer {TOKEN}"}
        )
        assert response.json()["errors"][0]["extensions"]["code"]
        assert TOKEN not in response.text
        await gateway.upstream.delete("/sandbox/faults")
    assert TOKEN not in caplog.text


async def test_each_caller_is_sent_with_their_own_token() -> None:
    replay = Replay({"workflows": {"value": []}})
    async with running(replay.app, passthrough=True) as gateway:
        for caller in ("first", "second"):
            await gateway.post({"query": NAMES}, headers={"Authorization": f"Bearer {caller}"})
    assert [sent["authorization"] for sent in replay.headers] == ["Bearer first", "Bearer second"]


@pytest.mark.parametrize("sockets", [True, False], ids=["sockets", "in process"])
async def test_cookies_of_one_caller_are_never_sent_for_another(sockets: bool) -> None:
    replay = Replay({"workflows": {"value": []}})
    replay.reply_headers = lambda _: {"Set-Cookie": "session=secret; Path=/"}
    async with running(replay.app, passthrough=True, sockets=sockets) as gateway:
        for caller in ("first", "second"):
            response = await gateway.post(
                {"query": NAMES}, headers={"Authorization": f"Bearer {caller}"}
            )
            assert "set-cookie" not in response.headers
    assert len(replay.headers) == 2
    assert not any("cookie" in sent for sent in replay.headers)


async def test_an_unexpected_exception_is_masked_with_a_reference_that_is_logged(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: Any) -> None:
        raise RuntimeError("the password is hunter2")

    monkeypatch.setattr("gateway.graph.client.GraphClient.send", fail)
    response = await gateway.post({"query": NAMES})
    [error] = response.json()["errors"]
    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert error["extensions"]["reference"] in error["message"]
    assert error["extensions"]["reference"] in caplog.text
    assert "hunter2" not in response.text
    assert "Traceback" not in response.text


# --- pages --------------------------------------------------------------------------------------

FOREIGN_LINKS = [
    "http://evil.example/v1.0/identityGovernance/lifecycleWorkflows/workflows",
    "https://upstream/v1.0/identityGovernance/lifecycleWorkflows/workflows",
    "http://upstream:81/v1.0/identityGovernance/lifecycleWorkflows/workflows",
    "http://upstream.evil.example/v1.0/identityGovernance/lifecycleWorkflows/workflows",
    "http://upstream@evil.example/v1.0/identityGovernance/lifecycleWorkflows/workflows",
    "//evil.example/v1.0/x",
    "http://upstream/beta/users",
    "http://upstream/v1.0/../beta/users",
    "http://upstream/v1.0/%2e%2e/beta/users",
    "http://upstream/v1.0extra/users",
    "http://upstream/v1.0",
    "file:///v1.0/x",
    "nonsense",
    "http://[::1/v1.0/x",
    "http://upstream:99999999/v1.0/x",
    "http://upstream:port/v1.0/x",
    f"{ROOT}/workflows?x=\x01",
    f"{ROOT}/workflows?x={'a' * 100_000}",
]


@pytest.mark.parametrize("link", FOREIGN_LINKS, ids=lambda link: ascii(link[:60]))
async def test_a_next_link_that_leads_elsewhere_is_not_followed(
    gateway: Gateway, link: str
) -> None:
    ids = await _two(gateway)
    await gateway.fault(match=LIST, patch={"@odata.nextLink": link}, times=None)
    await gateway.forget()
    answer = await gateway.query(
        "query ($a: ID!) { workflows { nodes { id } } workflow(id: $a) { id } }", a=ids["a"]
    )
    [error] = answer["errors"]
    assert (_code(error), error["path"]) == ("UPSTREAM_ERROR", ["workflows"])
    assert ids["a"] in [row["id"] for row in answer["data"]["workflows"]["nodes"]]
    assert answer["data"]["workflow"] == {"id": ids["a"]}
    assert len((await gateway.sent()).items) == 2


@pytest.mark.parametrize("link", [5, True, {}, ["x"]], ids=repr)
async def test_a_next_link_that_is_no_text_is_an_error_not_the_end(
    gateway: Gateway, link: Any
) -> None:
    await gateway.fault(match=LIST, patch={"@odata.nextLink": link}, times=None)
    assert _codes(await gateway.query(NAMES)) == {"UPSTREAM_ERROR"}


def _workflows(*ids: str, after: str | None = None) -> dict[str, Any]:
    page: dict[str, Any] = {"value": [{"id": id_} for id_ in ids]}
    if after is not None:
        page["@odata.nextLink"] = f"{ROOT}/workflows{after}"
    return page


LOOPS = {
    "a page to itself": {
        "workflows": _workflows("a", after="?p=2"),
        "workflows?p=2": _workflows("b", after="?p=2"),
    },
    "to the page before": {
        "workflows": _workflows("a", after="?p=2"),
        "workflows?p=2": _workflows("b", after="?p=3"),
        "workflows?p=3": _workflows("c", after="?p=2"),
    },
    "the first page to itself": {"workflows": _workflows("a", after="?$select=id")},
}


@pytest.mark.parametrize("first", [4, 50])
@pytest.mark.parametrize("answers", LOOPS.values(), ids=list(LOOPS))
async def test_pages_that_go_round_in_circles_are_an_error(answers: Answers, first: int) -> None:
    replay = Replay(answers)
    async with running(replay.app) as gateway:
        query = f"{{ workflows(first: {first}) {{ nodes {{ id }} }} }}"
        assert _codes(await gateway.query(query)) == {"UPSTREAM_ERROR"}
    assert len(replay.sent) <= len(answers)


async def test_a_first_page_that_leads_to_itself_is_not_read_twice() -> None:
    replay = Replay({"workflows": _workflows("a", after="?$select=id")})
    async with running(replay.app) as gateway:
        answer = await gateway.query("{ workflows(first: 2) { nodes { id } } }")
    assert _codes(answer) == {"UPSTREAM_ERROR"}


async def test_pages_without_end_stop_at_the_budget() -> None:
    pages: Answers = {f"workflows?p={n}": _workflows(after=f"?p={n + 1}") for n in range(50)}
    replay = Replay({"workflows": _workflows(after="?p=0"), **pages})
    settings = Settings(max_upstream_requests=20)
    async with running(replay.app, settings) as gateway:
        codes = _codes(await gateway.query("{ workflows { nodes { id } } }"))
    assert codes == {"BUDGET_EXCEEDED"}
    assert len(replay.sent) <= 20


@pytest.mark.parametrize("first", [1, 2, 3, 50])
async def test_empty_pages_that_go_on_are_read_past(first: int) -> None:
    replay = Replay(
        {
            "workflows": _workflows(after="?p=2"),
            "workflows?p=2": _workflows("a", "b", after="?p=3"),
            "workflows?p=3": _workflows(after="?p=4"),
            "workflows?p=4": _workflows("c", after="?p=5"),
            "workflows?p=5": _workflows(),
        }
    )
    query = """query ($n: Int, $c: String) { workflows(first: $n, after: $c) {
        nodes { id } pageInfo { hasNextPage endCursor } } }"""
    found: list[str] = []
    async with running(replay.app) as gateway:
        cursor = None
        for _ in range(5):
            page = (await gateway.data(query, n=first, c=cursor))["workflows"]
            found += [row["id"] for row in page["nodes"]]
            cursor = page["pageInfo"]["endCursor"] or cursor
            if not page["pageInfo"]["hasNextPage"]:
                break
    assert found == ["a", "b", "c"]


async def test_a_page_that_fails_is_missing_from_its_connection_only(start: Start) -> None:
    gateway = await start(page_size=2)
    rows = (await gateway.data(RUNS))["workflows"]["nodes"]
    await gateway.fault(match=f"{rows[1]['id']}/runs.*skiptoken", status=500, times=None)
    answer = await gateway.query(RUNS)
    [error] = answer["errors"]
    assert (_code(error), error["path"]) == ("UPSTREAM_ERROR", ["workflows", "nodes", 1, "runs"])
    found = answer["data"]["workflows"]["nodes"]
    assert found[0] == rows[0]
    assert found[1]["runs"]["nodes"] == rows[1]["runs"]["nodes"][:2]


async def test_a_total_count_that_cannot_be_had_is_an_error(start: Start) -> None:
    gateway = await start(page_size=1)
    query = "query ($c: String) { workflows(first: 1, after: $c) { %s } }"
    page = (await gateway.data(query % "pageInfo { endCursor }"))["workflows"]["pageInfo"]
    await gateway.fault(match="count=true", status=403, times=None)
    answer = await gateway.query(query % "totalCount nodes { id }", c=page["endCursor"])
    assert _codes(answer) == {"FORBIDDEN"}


@pytest.mark.parametrize("count", ["5", 5.5, True, None, []], ids=repr)
async def test_a_total_count_that_is_no_number_is_null(gateway: Gateway, count: Any) -> None:
    replay = Replay(
        {
            "workflows": _workflows("a", after="?p=2") | {"@odata.count": count},
            "workflows?p=2": _workflows("b"),
        }
    )
    async with running(replay.app) as gateway:
        data = await gateway.data("{ workflows(first: 1) { totalCount nodes { id } } }")
    assert data["workflows"] == {"totalCount": None, "nodes": [{"id": "a"}]}


# --- shapes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        "text",
        5,
        {"value": None},
        {"value": "text"},
        {"value": {"id": "a"}},
        {"value": [None]},
        {"value": ["a"]},
        {"value": [[]]},
        {"value": [{"id": "a"}, {}]},
        {"value": [{"id": None}]},
        {"error": {"code": "x", "message": "y"}},
    ],
    ids=repr,
)
@pytest.mark.parametrize("edge", ["workflows", "runs"])
async def test_a_collection_of_another_shape_fails_its_edge_only(
    gateway: Gateway, body: Any, edge: str
) -> None:
    ids = await _two(gateway)
    match = LIST if edge == "workflows" else f"{ids['a']}/runs"
    await gateway.fault(match=match, status=200, body=body)
    answer = await gateway.query(
        """query ($a: ID!, $b: ID!) { workflows { nodes { id } }
          a: workflow(id: $a) { id runs { nodes { id } } } b: workflow(id: $b) { id } }""",
        **ids,
    )
    [error] = answer["errors"]
    path = ["workflows"] if edge == "workflows" else ["a", "runs"]
    assert (_code(error), error["path"]) == ("UPSTREAM_ERROR", path)
    assert answer["data"]["b"] == {"id": ids["b"]}


@pytest.mark.parametrize("body", [{}, [], "text", 5, {"value": []}, {"id": None}], ids=repr)
async def test_an_entity_of_another_shape_is_an_error(gateway: Gateway, body: Any) -> None:
    ids = await _two(gateway)
    await gateway.fault(match=f"workflows/{ids['a']}", status=200, body=body, times=None)
    answer = await gateway.query(TWO, **ids)
    [error] = answer["errors"]
    assert (_code(error), error["path"]) == ("UPSTREAM_ERROR", ["a"])
    assert answer["data"]["b"]["id"] == ids["b"]


LOOK_UP = 'query ($w: ID!) { userProcessingResult(workflowId: $w, id: "%s") { id } }'


@pytest.mark.parametrize("body", [{}, [], "text", {"value": {}}, {"value": ["a"]}], ids=repr)
async def test_a_look_up_of_another_shape_is_an_upstream_error(gateway: Gateway, body: Any) -> None:
    run = await _run(gateway)
    await gateway.fault(match="userProcessingResults", status=200, body=body, times=None)
    assert _codes(await gateway.query(LOOK_UP % "x", w=run["w"])) == {"UPSTREAM_ERROR"}


async def test_a_service_that_ignores_the_filter_does_not_answer_with_another_entity() -> None:
    rows = [{"id": "other"}, {"id": "wanted"}]
    replay = Replay({"workflows/w/userProcessingResults": {"value": rows}})
    async with running(replay.app) as gateway:
        found = await gateway.query(LOOK_UP % "wanted", w="w")
        missing = await gateway.query(LOOK_UP % "missing", w="w")
    assert found["data"] == {"userProcessingResult": {"id": "wanted"}}
    assert missing["data"] == {"userProcessingResult": None}
    assert _codes(missing) == {"NOT_FOUND"}


VALUES = [
    ("version", 1.5),
    ("version", "many"),
    ("version", 2**31),
    ("version", []),
    ("isEnabled", "true"),
    ("isEnabled", {}),
    ("displayName", {}),
    ("displayName", ["x"]),
    ("createdDateTime", 5),
    ("category", 5),
    ("category", ["leaver"]),
    ("executionConditions { odataType }", "text"),
    ("executionConditions { odataType }", ["x"]),
    (
        "executionConditions { ... on TriggerAndScopeBasedConditions { scope { odataType } } }",
        {
            "@odata.type": "#microsoft.graph.identityGovernance.triggerAndScopeBasedConditions",
            "scope": 5,
        },
    ),
    ("quarantineDetails { quarantineReason }", "text"),
    ("settings { quarantineConfiguration { matchMode } }", {"quarantineConfiguration": [1]}),
    ("tasks { id }", "text"),
    ("tasks { id }", {"id": "a"}),
    ("tasks { id }", ["a"]),
    ("tasks { id }", [{}]),
    ("tasks { id category }", [{"id": "a", "category": 5}]),
    ("tasks { id category }", [{"id": "a", "category": [5]}]),
    ("tasks { id arguments { name } }", [{"id": "a", "arguments": ["x"]}]),
    ("tasks { id arguments { name } }", [{"id": "a", "arguments": {"name": "x"}}]),
    ("createdBy { id }", "text"),
    ("createdBy { id }", {}),
    ("createdBy { id nodeId }", {"id": 5}),
    ("createdBy { id displayName }", {"id": ["x"]}),
]


@pytest.mark.parametrize(("field", "value"), VALUES, ids=lambda v: ascii(v)[:40])
async def test_a_value_of_another_type_fails_its_field_only(field: str, value: Any) -> None:
    name = field.partition(" ")[0]
    rows = [{"id": "w", "description": "kept", name: value}]
    replay = Replay(
        {"workflows/w": rows[0], "workflows/w/tasks": {"value": value}, "workflows": {"value": []}}
    )
    async with running(replay.app) as gateway:
        answer = await gateway.query(
            f'{{ workflow(id: "w") {{ id description {field} }} workflows {{ nodes {{ id }} }} }}'
        )
    assert _codes(answer) == {"UPSTREAM_ERROR"}
    assert {tuple(error["path"][:2]) for error in answer["errors"]} == {("workflow", name)}
    assert answer["data"]["workflow"]["description"] == "kept"
    assert answer["data"]["workflows"] == {"nodes": []}


async def test_a_member_that_is_not_known_becomes_the_unknown_value() -> None:
    conditions = {"@odata.type": "#microsoft.graph.identityGovernance.something"}
    task = {"id": "t", "category": "joiner, astronaut,LEAVER"}
    workflow = {
        "id": "w",
        "category": "astronaut",
        "executionConditions": conditions,
        "tasks": [task],
    }
    replay = Replay({"workflows/w": workflow})
    async with running(replay.app) as gateway:
        data = await gateway.data(
            """{ workflow(id: "w") { category tasks { category }
              executionConditions { __typename odataType } } }"""
        )
    assert data["workflow"] == {
        "category": "UNKNOWN_FUTURE_VALUE",
        "tasks": [{"category": ["JOINER", "UNKNOWN_FUTURE_VALUE", "LEAVER"]}],
        "executionConditions": {
            "__typename": "UnknownExecutionConditions",
            "odataType": conditions["@odata.type"],
        },
    }


async def test_flags_may_be_written_with_blanks_between() -> None:
    task = {"id": "t", "category": "joiner, mover"}
    replay = Replay({"workflows/w": {"id": "w", "tasks": [task]}})
    async with running(replay.app) as gateway:
        data = await gateway.data('{ workflow(id: "w") { tasks { category } } }')
    assert data["workflow"]["tasks"] == [{"category": ["JOINER", "MOVER"]}]


# --- batches ------------------------------------------------------------------------------------

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
    assert (_code(error), error["path"]) == ("UPSTREAM_ERROR", ["a"])
    assert answer["data"] == {"a": None, "b": {"id": "b", "displayName": "B"}}


@pytest.mark.parametrize("responses", [None, "text", {}, 5, []], ids=repr)
async def test_a_batch_without_answers_fails_all_its_items(responses: Any) -> None:
    answer = await _batched(responses)
    assert _codes(answer) == {"UPSTREAM_ERROR"}
    assert answer["data"] == {"a": None, "b": None}


async def test_items_of_a_batch_may_come_in_any_order_and_with_others() -> None:
    a = {"id": "0", "status": 200, "headers": "none", "body": {"id": "a", "displayName": "A"}}
    extra = {"id": "77", "status": 200, "body": {"id": "x", "displayName": "X"}}
    answer = await _batched([extra, GOOD, a])
    assert answer["data"] == {
        "a": {"id": "a", "displayName": "A"},
        "b": {"id": "b", "displayName": "B"},
    }


# --- $expand and $select that are refused, ignored or cut short ---------------------------------


@pytest.mark.parametrize("select", ["accept", "ignore", "refuse"])
@pytest.mark.parametrize("expand", ["accept", "ignore", "refuse"])
async def test_the_answer_does_not_depend_on_what_the_service_accepts(
    start: Start, expand: str, select: str
) -> None:
    size = {"workflows": 2, "runs": 2, "users": 25, "page_size": 20}
    expected = await (await start(**size, task_results_expand="refuse")).data(TREE)
    results = expected["workflows"]["nodes"][0]["runs"]["nodes"][0]["userProcessingResults"]
    assert [len(user["taskProcessingResults"]) for user in results["nodes"]] == [3] * 25
    gateway = await start(**size, task_results_expand=expand, select=select)
    for _ in ("cold", "warm"):
        assert await gateway.data(TREE) == expected


@pytest.mark.parametrize("message", ["The tenant is being moved.", "The request has expired."])
async def test_a_400_for_another_reason_switches_nothing_off(
    gateway: Gateway, message: str
) -> None:
    body = {"error": {"code": "badRequest", "message": message}}
    await gateway.fault(match=LIST, status=400, body=body)
    await gateway.query(NAMES)
    _, sent = await gateway.counted(NAMES)
    [url] = sent.items
    assert "$select=" in url


BY = "query ($w: ID!) { workflow(id: $w) { id displayName createdBy { id displayName } } }"


async def test_only_the_option_that_is_refused_is_given_up(gateway: Gateway) -> None:
    run = await _run(gateway)
    expected = await gateway.data(BY, w=run["w"])
    assert expected["workflow"]["createdBy"]["displayName"]
    body = {"error": {"code": "BadRequest", "message": "Parsing OData Select and Expand failed"}}
    await gateway.fault(match=r"workflows/[^/]+[?&]\$select=", status=400, body=body, times=None)
    assert await gateway.data(BY, w=run["w"]) == expected
    data, sent = await gateway.counted(BY, w=run["w"])
    assert data == expected
    [url] = sent.items
    assert "$expand=createdBy" in url


async def test_a_400_that_does_not_go_away_is_reported_with_its_first_message(
    gateway: Gateway,
) -> None:
    run = await _run(gateway)
    body = {"error": {"code": "badRequest", "message": "This workflow is locked."}}
    await gateway.fault(match=f"workflows/{run['w']}", status=400, body=body, times=None)
    [error] = await gateway.errors(BY, w=run["w"])
    assert (_code(error), error["message"]) == ("UPSTREAM_ERROR", "This workflow is locked.")
    await gateway.upstream.delete("/sandbox/faults")
    _, sent = await gateway.counted(BY, w=run["w"])
    assert "$expand=createdBy" in sent.items[0]
    assert "$select=" in sent.items[0]


SUBJECTS = """query ($w: ID!, $r: ID!) { run(workflowId: $w, id: $r) { id
  userProcessingResults { nodes { id subject { id displayName department } } } } }"""


async def test_subjects_that_may_not_be_expanded_are_looked_up(gateway: Gateway) -> None:
    run = await _run(gateway)
    expected = await gateway.data(SUBJECTS, **run)
    names = [row["subject"] for row in expected["run"]["userProcessingResults"]["nodes"]]
    assert any(name["displayName"] for name in names)
    await gateway.fault(match=r"expand=subject", status=403, times=None)
    assert await gateway.data(SUBJECTS, **run) == expected


@pytest.mark.parametrize("users", [5, 40], ids=["users?$filter", "getByIds"])
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"status": 403}, "FORBIDDEN"),
        ({"status": 500, "raw": "<html>"}, "UPSTREAM_ERROR"),
        ({"status": 200, "raw": "<html>"}, "UPSTREAM_ERROR"),
        ({"status": 200, "body": {}}, "UPSTREAM_ERROR"),
        ({"status": 200, "body": {"value": None}}, "UPSTREAM_ERROR"),
        ({"status": 200, "body": {"value": 5}}, "UPSTREAM_ERROR"),
        ({"status": 200, "body": {"value": [{"id": []}]}}, "UPSTREAM_ERROR"),
    ],
    ids=lambda v: ascii(v)[:50],
)
async def test_a_look_up_of_users_that_fails_keeps_their_ids(
    start: Start, users: int, fault: dict[str, Any], code: str
) -> None:
    gateway = await start(users=users, workflows=1, runs=1)
    run = await _run(gateway)
    query = SUBJECTS.replace(" department", "")
    expected = await gateway.data(query, **run)
    await gateway.fault(match=r"expand=subject", status=403, times=None)
    await gateway.fault(match=r"/users\?|getByIds", times=None, **fault)
    answer = await gateway.query(query, **run)
    assert _codes(answer) == {code}
    assert {error["path"][-1] for error in answer["errors"]} == {"displayName"}
    rows = answer["data"]["run"]["userProcessingResults"]["nodes"]
    assert [row["subject"]["id"] for row in rows] == [
        row["subject"]["id"] for row in expected["run"]["userProcessingResults"]["nodes"]
    ]


async def test_a_look_up_of_users_is_read_to_its_last_page(start: Start) -> None:
    run = await _run(whole := await start(users=12, workflows=1, runs=1))
    expected = await whole.data(SUBJECTS, **run)
    gateway = await start(users=12, workflows=1, runs=1, page_size=4)
    await gateway.fault(match=r"expand=subject", status=403, times=None)
    assert await gateway.data(SUBJECTS, **run) == expected


async def test_the_pages_of_a_workflows_inlined_tasks_are_followed() -> None:
    inlined = {
        "tasks": [{"id": "1"}],
        "tasks@odata.nextLink": f"{ROOT}/workflows/w/tasks?p=2",
    }
    replay = Replay(
        {
            "workflows": {"value": [{"id": "w"}]},
            "workflows/w": {"id": "w", **inlined},
            "workflows/w/tasks?p=2": {"value": [{"id": "2"}]},
        }
    )
    async with running(replay.app) as gateway:
        data = await gateway.data(
            '{ workflow(id: "w") { tasks { id } } workflows { nodes { tasks { id } } } }'
        )
    both = {"tasks": [{"id": "1"}, {"id": "2"}]}
    assert data == {"workflow": both, "workflows": {"nodes": [both]}}


async def test_a_detail_of_another_shape_is_an_error() -> None:
    replay = Replay({"workflows": {"value": [{"id": "w"}]}, "workflows/w": []})
    async with running(replay.app) as gateway:
        answer = await gateway.query(
            "{ workflows { nodes { id executionConditions { odataType } } } }"
        )
    assert _codes(answer) == {"UPSTREAM_ERROR"}
    assert answer["data"]["workflows"]["nodes"] == [{"id": "w", "executionConditions": None}]


RESULTS = """query ($n: Int) { run(workflowId: "w", id: "r") { id
  userProcessingResults(first: $n) { nodes { id subject { id }
    taskProcessingResults { id } } } } }"""


def _run_of(
    users: list[tuple[str, str]], tasks: int = 2, counts: tuple[Any, Any, Any] | None = None
) -> tuple[Answers, dict[str, list[str]]]:
    """A run of (result, subject) pairs, and which task results belong to which result, sorted."""
    total_users, total_tasks, own = counts or (len(users), tasks * len(users), tasks)
    truth = {u: [f"{u}-{n}" for n in range(tasks)] for u, _ in users}
    rows = {u: [{"id": t, "subject": {"id": s}} for t in truth[u]] for u, s in users}
    run = {"id": "r", "totalUsersCount": total_users, "totalTasksCount": total_tasks}
    below = "workflows/w/runs/r"
    answers: Answers = {
        below: run,
        "workflows/w/runs": {"value": [run]},
        f"{below}/userProcessingResults": {
            "value": [{"id": u, "subject": {"id": s}, "totalTasksCount": own} for u, s in users]
        },
        f"{below}/taskProcessingResults": {"value": [row for u, _ in users for row in rows[u]]},
    }
    for u, _ in users:
        answers[f"{below}/userProcessingResults/{u}/taskProcessingResults"] = {"value": rows[u]}
    return answers, truth


def _grouped(data: dict[str, Any]) -> dict[str, list[str]]:
    return {
        user["id"]: sorted(task["id"] for task in user["taskProcessingResults"])
        for user in data["run"]["userProcessingResults"]["nodes"]
    }


TWICE = [("u1", "same"), ("u2", "other"), ("u3", "same")]


@pytest.mark.parametrize("order", [1, -1], ids=["in order", "in reverse"])
@pytest.mark.parametrize("cut", [None, 2, 3, 5])
@pytest.mark.parametrize("first", [1, 2, 50])
async def test_results_of_a_subject_that_occurs_twice_are_not_mixed_up(
    first: int, cut: int | None, order: int
) -> None:
    answers, truth = _run_of(TWICE)
    flat = "workflows/w/runs/r/taskProcessingResults"
    rows = answers[flat]["value"][::order]
    if cut is not None:
        answers[flat] = {"value": rows[:cut], "@odata.nextLink": f"{ROOT}/{flat}?p=2"}
        answers[f"{flat}?p=2"] = {"value": rows[cut:]}
    async with running(Replay(answers).app) as gateway:
        for _ in ("cold", "warm"):
            found = _grouped(await gateway.data(RESULTS, n=first))
            assert found == {u: truth[u] for u in list(truth)[:first]}


@pytest.mark.parametrize(
    "counts",
    [(0, 0, 0), (0, 0, 2), (99, 999, 2), (3, 6, 0), (3, 6, 99), (-1, -1, -1), (None, None, None)],
    ids=repr,
)
@pytest.mark.parametrize("through", ["run", "workflow"])
async def test_counts_that_lie_do_not_change_the_rows(
    counts: tuple[Any, Any, Any], through: str
) -> None:
    users = [("u1", "s1"), ("u2", "s2"), ("u3", "s3")]
    answers, truth = _run_of(users, counts=counts)
    answers["workflows/w"] = {"id": "w"}
    query = RESULTS
    if through == "workflow":
        query = """query ($n: Int) { workflow(id: "w") { runs { nodes { id
          userProcessingResults(first: $n) { nodes { id taskProcessingResults { id } } } } } } }"""
    async with running(Replay(answers).app) as gateway:
        data = await gateway.data(query)
    if through == "workflow":
        data = {"run": data["workflow"]["runs"]["nodes"][0]}
    assert _grouped(data) == truth


@pytest.mark.parametrize("key", [None, "text", {}, {"id": None}, {"id": []}, {"id": {}}], ids=repr)
async def test_subjects_of_another_shape_do_not_mix_up_results(key: Any) -> None:
    answers, truth = _run_of([("u1", "s1"), ("u2", "s2")])
    for rows in (answers[f"workflows/w/runs/r/{n}ProcessingResults"] for n in ("user", "task")):
        for row in rows["value"]:
            row["subject"] = key
    query = RESULTS.replace("subject { id }", "")
    async with running(Replay(answers).app) as gateway:
        assert _grouped(await gateway.data(query)) == truth


@pytest.mark.parametrize(
    "flat",
    [(403, {"error": {}}), (500, "text"), {"value": None}, {"value": ["text"]}],
    ids=repr,
)
async def test_a_flat_collection_that_fails_is_replaced_by_requests(flat: Any) -> None:
    answers, truth = _run_of([("u1", "s1"), ("u2", "s2")])
    answers["workflows/w/runs/r/taskProcessingResults"] = flat
    async with running(Replay(answers).app) as gateway:
        assert _grouped(await gateway.data(RESULTS)) == truth


def _expanded(tasks: Any, **more: Any) -> Answers:
    answers, _ = _run_of([("u1", "s1"), ("u2", "s2")])
    run = answers["workflows/w/runs"]["value"][0]
    users = answers["workflows/w/runs/r/userProcessingResults"]["value"]
    for user in users:
        user["taskProcessingResults"] = [
            {"id": f"{user['id']}-{n}", "subject": user["subject"]} for n in range(2)
        ]
    users[0] |= {"taskProcessingResults": tasks, **more}
    return {**answers, "workflows/w": {"id": "w"}, "workflows/w/runs": {"value": [run]}}


THROUGH = """{ workflow(id: "w") { id runs { nodes { id
  userProcessingResults { nodes { id taskProcessingResults { id } } } } } } }"""
OWN = "workflows/w/runs/r/userProcessingResults/u1/taskProcessingResults"


@pytest.mark.parametrize(
    "tasks",
    [[], [{"id": "u1-0"}], [{"id": "x"}] * 3, None, "text", {}, 5],
    ids=repr,
)
async def test_an_expansion_that_is_cut_short_is_requested_again(tasks: Any) -> None:
    async with running(Replay(_expanded(tasks)).app) as gateway:
        data = await gateway.data(THROUGH)
    assert _grouped({"run": data["workflow"]["runs"]["nodes"][0]}) == {
        "u1": ["u1-0", "u1-1"],
        "u2": ["u2-0", "u2-1"],
    }


async def test_a_next_link_inside_an_expansion_is_followed() -> None:
    answers = _expanded(
        [{"id": "u1-0"}], **{"taskProcessingResults@odata.nextLink": f"{ROOT}/{OWN}?p=2"}
    )
    answers[f"{OWN}?p=2"] = {"value": [{"id": "u1-1"}]}
    replay = Replay(answers)
    async with running(replay.app) as gateway:
        data = await gateway.data(THROUGH)
    rows = _grouped({"run": data["workflow"]["runs"]["nodes"][0]})
    assert rows == {"u1": ["u1-0", "u1-1"], "u2": ["u2-0", "u2-1"]}
    assert any(url.endswith("?p=2") for url in replay.sent)


@pytest.mark.parametrize(
    "link", ["http://evil.example/v1.0/x", "http://[::1/v1.0/x", "http://upstream:99999999/v1.0/x"]
)
async def test_a_next_link_inside_an_expansion_that_leads_elsewhere_fails_its_edge_only(
    link: str,
) -> None:
    answers = _expanded([{"id": "u1-0"}], **{"taskProcessingResults@odata.nextLink": link})
    async with running(Replay(answers).app) as gateway:
        answer = await gateway.query(THROUGH)
    assert _codes(answer) == {"UPSTREAM_ERROR"}
    first, second = answer["data"]["workflow"]["runs"]["nodes"][0]["userProcessingResults"]["nodes"]
    assert first == {"id": "u1", "taskProcessingResults": [{"id": "u1-0"}]}
    assert len(second["taskProcessingResults"]) == 2


@pytest.mark.parametrize(
    ("tasks", "kept"),
    [(["text", "text"], None), ([{}, {}], None), ([{"id": "a"}, {}], [{"id": "a"}])],
    ids=repr,
)
async def test_expanded_rows_of_another_shape_fail_their_edge_only(tasks: Any, kept: Any) -> None:
    async with running(Replay(_expanded(tasks)).app) as gateway:
        answer = await gateway.query(THROUGH)
    assert _codes(answer) == {"UPSTREAM_ERROR"}
    first, second = answer["data"]["workflow"]["runs"]["nodes"][0]["userProcessingResults"]["nodes"]
    assert first == {"id": "u1", "taskProcessingResults": kept}
    assert len(second["taskProcessingResults"]) == 2
