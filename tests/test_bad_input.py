"""What callers get wrong: each mistake is a clear error, and nothing of it reaches the service."""

import base64
import re
from typing import Any
from urllib.parse import quote, unquote

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from gateway.odata.cursor import CursorCodec, Position
from gateway.settings import Settings
from tests.conftest import Gateway, Start, running

ROOT = "/v1.0/identityGovernance/lifecycleWorkflows"
GRAPHQL_JSON = "application/graphql-response+json"
UNSAFE_IDS = {
    "empty": "",
    "dot": ".",
    "dots": "..",
    "slash": "a/b",
    "climbing": "../../users",
    "backslash": "a\\b",
    "encoded slash": "a%2fb",
    "encoded dots": "%2e%2e",
    "encoded twice": "a%252fb",
    "query": "a?$select=id",
    "fragment": "a#b",
    "space": "a b",
    "null byte": "a\x00b",
    "line break": "a\r\nb",
    "tab": "\t",
    "delete": "\x7f",
    "C1 control": "a\x85b",
    "line separator": "a\u2028b",
    "direction override": "\u202eab",
    "100 kB": "a" * 100_000,
    "filter in parentheses": "x')or('1'eq'1",
    "function": "f(a=b)",
    "system segment": "$count",
}
ODD_IDS = {
    "quote": "O'Brien",
    "quotes": "a''b'",
    "double quote": 'a"b',
    "filter": "x'or'1'eq'1",
    "parameters": "a&$filter=b",
    "plus": "a+b",
    "semicolon": "a;b=c",
    "accents": "é漢😀",
    "tag": "<script>",
}


def _cases(values: dict[str, Any]) -> Any:
    return pytest.mark.parametrize("value", list(values.values()), ids=list(values))


def _node_id(path: str) -> str:
    return base64.urlsafe_b64encode(path.encode()).rstrip(b"=").decode()


def _code(error: dict[str, Any]) -> str:
    assert error["message"]
    return str(error["extensions"]["code"])


class Recorder:
    """An upstream that knows nothing and remembers each URL as it came over the wire."""

    def __init__(self) -> None:
        self.urls: list[str] = []
        self.app = Starlette(routes=[Route("/{path:path}", self.answer, methods=["GET", "POST"])])

    async def answer(self, request: Request) -> JSONResponse:
        if request.method == "POST":
            items = (await request.json())["requests"]
            self.urls += [f"/v1.0{item['url']}" for item in items]
            return JSONResponse(
                {"responses": [{"id": item["id"], "status": 404} for item in items]}
            )
        query = request.scope["query_string"].decode()
        self.urls.append(request.scope["raw_path"].decode() + (f"?{query}" if query else ""))
        return JSONResponse({"error": {"code": "NotFound", "message": "not here"}}, 404)


# --- ids ----------------------------------------------------------------------------------------


@_cases(UNSAFE_IDS)
async def test_an_id_that_is_no_path_segment_is_refused_and_the_rest_is_answered(
    gateway: Gateway, value: str
) -> None:
    await gateway.forget()
    query = "query ($id: ID!) { workflow(id: $id) { id } workflows { nodes { id } } }"
    answer = await gateway.query(query, id=value)
    [error] = answer["errors"]
    assert (_code(error), error["extensions"]["argument"]) == ("BAD_USER_INPUT", "id")
    assert error["path"] == ["workflow"]
    assert len(error["message"]) < 1000
    assert answer["data"]["workflow"] is None
    assert len(answer["data"]["workflows"]["nodes"]) == 5
    [sent] = (await gateway.sent()).items
    assert sent.startswith("GET /identityGovernance/lifecycleWorkflows/workflows?")


@pytest.mark.parametrize(
    ("field", "argument"),
    [
        ('run(workflowId: $bad, id: "r") { id }', "workflowId"),
        ('run(workflowId: "w", id: $bad) { id }', "id"),
        ('userProcessingResult(workflowId: $bad, id: "u") { id }', "workflowId"),
        ('userProcessingResult(workflowId: "w", id: $bad) { id }', "id"),
        ('userProcessingResult(workflowId: "w", runId: $bad, id: "u") { id }', "runId"),
        (
            'taskProcessingResult(workflowId: "w", runId: "r", userProcessingResultId: $bad, '
            'id: "t") { id }',
            "userProcessingResultId",
        ),
        (
            'taskProcessingResult(workflowId: "w", runId: "r", userProcessingResultId: "u", '
            "id: $bad) { id }",
            "id",
        ),
    ],
)
async def test_the_argument_with_the_unsafe_id_is_named(
    gateway: Gateway, field: str, argument: str
) -> None:
    await gateway.forget()
    [error] = await gateway.errors(f"query ($bad: ID!) {{ {field} }}", bad="../x")
    assert (_code(error), error["extensions"]["argument"]) == ("BAD_USER_INPUT", argument)
    assert (await gateway.sent()).http == 0


@_cases(ODD_IDS)
async def test_an_odd_id_goes_upstream_as_one_encoded_segment(value: str) -> None:
    recorder = Recorder()
    alone = "query ($id: ID!) { workflow(id: $id) { id } }"
    in_a_batch = 'query ($id: ID!) { workflow(id: $id) { id } b: workflow(id: "b") { id } }'
    async with running(recorder.app) as gateway:
        for query in (alone, in_a_batch):
            recorder.urls.clear()
            errors = await gateway.errors(query, id=value)
            assert {_code(error) for error in errors} == {"NOT_FOUND"}
            path, _, rest = recorder.urls[0].partition("?")
            assert path == f"{ROOT}/workflows/{quote(value, safe='')}"
            assert rest == "$select=id"


@_cases(ODD_IDS)
async def test_an_odd_id_in_a_filter_is_one_string_literal(value: str) -> None:
    recorder = Recorder()
    async with running(recorder.app) as gateway:
        await gateway.errors(
            'query ($id: ID!) { userProcessingResult(workflowId: "w", id: $id) { id } }', id=value
        )
    query = recorder.urls[0].partition("?")[2]
    assert re.fullmatch(r"[A-Za-z0-9$&=%()\-._~,;:@*!/]+", query)
    given = dict(part.split("=", 1) for part in query.split("&"))
    assert given.keys() == {"$select", "$filter"}
    literal = value.replace("'", "''")
    assert unquote(given["$filter"]) == f"id eq '{literal}'"


@pytest.mark.parametrize(
    "field",
    [
        'workflow(id: "unknown") { id }',
        'run(workflowId: "unknown", id: "unknown") { id }',
        'userProcessingResult(workflowId: "unknown", id: "unknown") { id }',
        'userProcessingResult(workflowId: "unknown", runId: "r", id: "unknown") { id }',
        "taskProcessingResult(workflowId: $w, runId: $r, userProcessingResultId: $u, "
        'id: "unknown") { id }',
        f'node(nodeId: "{_node_id("workflows/unknown")}") {{ nodeId }}',
        f'node(nodeId: "{_node_id("users/unknown")}") {{ nodeId }}',
    ],
)
async def test_what_does_not_exist_is_not_found_and_the_rest_is_answered(
    gateway: Gateway, field: str
) -> None:
    workflow = (await gateway.rest("/workflows"))["value"][0]["id"]
    run = (await gateway.rest(f"/workflows/{workflow}/runs"))["value"][0]["id"]
    below = f"/workflows/{workflow}/runs/{run}/userProcessingResults"
    user = (await gateway.rest(below))["value"][0]["id"]
    names = "".join(f"${n}: ID! " for n in "wru" if f"${n}" in field)
    answer = await gateway.query(
        f"query {f'({names})' if names else ''} {{ {field} workflows {{ nodes {{ id }} }} }}",
        w=workflow,
        r=run,
        u=user,
    )
    [error] = answer["errors"]
    assert _code(error) == "NOT_FOUND"
    assert len(answer["data"]["workflows"]["nodes"]) == 5


NODE_IDS = {
    "empty": "",
    "no base64": "!!!!",
    "impossible length": "a",
    "not ASCII": "é",
    "another server's": base64.b64encode(b"Workflow:1").decode(),
    "100 kB": "a" * 100_000,
    "padded": _node_id("workflows/a") + "=",
    "collection": _node_id("workflows"),
    "empty key": _node_id("workflows/"),
    "climbing": _node_id("workflows/../../users/x"),
    "dots": _node_id("workflows/.."),
    "encoded slash": _node_id("workflows/a%2Fb"),
    "encoded dots": _node_id("workflows/%2e%2e"),
    "not canonical": _node_id("workflows/%61"),
    "query": _node_id("workflows/a?b"),
    "line break": _node_id("workflows/a\r\nb"),
    "another collection": _node_id("groups/a"),
    "odd number of segments": _node_id("workflows/a/runs"),
    "wrong order": _node_id("runs/a/workflows/b"),
    "below a user": _node_id("users/a/manager/b"),
    "full path": _node_id("identityGovernance/lifecycleWorkflows/workflows/a"),
    "address": _node_id("https://example.com/workflows/a"),
    "binary": base64.urlsafe_b64encode(b"\xff\xfe\x00").decode(),
}


@_cases(NODE_IDS)
async def test_a_node_id_of_another_make_is_refused(gateway: Gateway, value: str) -> None:
    await gateway.forget()
    [error] = await gateway.errors("query ($n: ID!) { node(nodeId: $n) { nodeId } }", n=value)
    assert (_code(error), error["extensions"]["argument"]) == ("BAD_USER_INPUT", "nodeId")
    assert (await gateway.sent()).http == 0


# --- first and after ----------------------------------------------------------------------------


@pytest.mark.parametrize("first", [0, -1, -(2**31), 1001, 2**31 - 1])
async def test_first_out_of_range_is_refused_at_its_edge(gateway: Gateway, first: int) -> None:
    answer = await gateway.query(
        """query ($n: Int) { bad: workflows(first: $n) { nodes { id } }
          workflows { nodes { id runs(first: $n) { nodes { id } } } } }""",
        n=first,
    )
    assert {_code(error) for error in answer["errors"]} == {"BAD_USER_INPUT"}
    assert {error["extensions"]["argument"] for error in answer["errors"]} == {"first"}
    assert answer["data"]["bad"] is None
    rows = answer["data"]["workflows"]["nodes"]
    assert len(rows) == 5
    assert [row["runs"] for row in rows] == [None] * 5


async def test_the_largest_first_is_a_setting(start: Start) -> None:
    gateway = await start(settings=Settings(max_first=3))
    assert len((await gateway.data("{ workflows(first: 3) { nodes { id } } }"))["workflows"])
    [error] = await gateway.errors("{ workflows(first: 4) { nodes { id } } }")
    assert "from 1 to 3" in error["message"]


async def test_null_for_first_and_after_is_as_leaving_them_out(gateway: Gateway) -> None:
    query = "query ($n: Int, $c: String) { workflows(first: $n, after: $c) { nodes { id } } }"
    left_out = await gateway.data(query)
    assert len(left_out["workflows"]["nodes"]) == 5
    assert await gateway.data(query, n=None, c=None) == left_out


PAGE = "query ($c: String) { workflows(first: 1, after: $c) { nodes { id } } }"


async def _cursor(gateway: Gateway) -> str:
    query = "{ workflows(first: 1) { pageInfo { endCursor } } }"
    return str((await gateway.data(query))["workflows"]["pageInfo"]["endCursor"])


CURSORS = {
    "empty": "",
    "blank": " ",
    "no base64": "!!!!",
    "not ASCII": "é漢",
    "a number": "5",
    "another server's": base64.b64encode(b"arrayconnection:5").decode(),
    "an address": base64.b64encode(b"http://example.com/").decode(),
    "100 kB": "a" * 100_000,
}


@_cases(CURSORS)
async def test_a_cursor_of_another_make_is_refused(gateway: Gateway, value: str) -> None:
    await gateway.forget()
    [error] = await gateway.errors(PAGE, c=value)
    assert (_code(error), error["extensions"]["argument"]) == ("BAD_USER_INPUT", "after")
    assert (await gateway.sent()).http == 0


@pytest.mark.parametrize("place", [0, 8, 16, 24, -1])
async def test_a_tampered_cursor_is_refused(start: Start, place: int) -> None:
    gateway = await start(page_size=2)
    cursor = await _cursor(gateway)
    await gateway.forget()
    changed = list(cursor)
    changed[place] = "A" if cursor[place] != "A" else "Q"
    for tampered in ("".join(changed), cursor[:-4], cursor + "AAAA"):
        [error] = await gateway.errors(PAGE, c=tampered)
        assert _code(error) == "BAD_USER_INPUT"
    assert (await gateway.sent()).http == 0


async def test_a_cursor_of_another_edge_or_parent_is_refused(gateway: Gateway) -> None:
    ids = [row["id"] for row in (await gateway.rest("/workflows"))["value"]]
    runs = """query ($w: ID!, $c: String) { workflow(id: $w) {
      id runs(first: 1, after: $c) { pageInfo { endCursor } } } }"""
    of_runs = (await gateway.data(runs, w=ids[0]))["workflow"]["runs"]["pageInfo"]["endCursor"]
    assert (await gateway.data(runs, w=ids[0], c=of_runs))["workflow"]["runs"] is not None
    for workflow, cursor in ((ids[1], of_runs), (ids[0], await _cursor(gateway))):
        answer = await gateway.query(runs, w=workflow, c=cursor)
        [error] = answer["errors"]
        assert (_code(error), error["path"]) == ("BAD_USER_INPUT", ["workflow", "runs"])
        assert answer["data"]["workflow"] == {"id": workflow, "runs": None}


async def test_a_cursor_of_another_gateway_is_refused(start: Start) -> None:
    theirs = await start(settings=Settings(cursor_secret="theirs"))
    ours = await start(settings=Settings(cursor_secret="ours"))
    [error] = await ours.errors(PAGE, c=await _cursor(theirs))
    assert _code(error) == "BAD_USER_INPUT"


@pytest.mark.parametrize("link", ["users?$select=id", "../beta/users", "directoryObjects/x"])
async def test_a_forged_cursor_does_not_lead_out_of_its_collection(
    gateway: Gateway, link: str
) -> None:
    codec = CursorCodec(b"http://upstream/v1.0")
    edge = "identityGovernance/lifecycleWorkflows/workflows {}"
    forged = codec.encode(edge, Position(link, 0, 0))
    await gateway.forget()
    [error] = await gateway.errors(PAGE, c=forged)
    assert _code(error) == "BAD_USER_INPUT"
    assert (await gateway.sent()).http == 0


# --- documents and variables --------------------------------------------------------------------

NESTED = "{ workflows { nodes " * 5000 + "{ id }" + " } }" * 5000
BACK_AND_FORTH = (
    "{ workflows(first: 1) { nodes { "
    + "runs(first: 1) { nodes { workflow { " * 40
    + "id"
    + " } } }" * 40
    + " } } }"
)
DOCUMENTS = {
    "no document": ("hello", {}, "GRAPHQL_PARSE_FAILED"),
    "unclosed": ("{ workflows", {}, "GRAPHQL_PARSE_FAILED"),
    "unknown field": ("{ nothing }", {}, "GRAPHQL_VALIDATION_FAILED"),
    "unknown argument": (
        "{ workflows(last: 1) { nodes { id } } }",
        {},
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "no selection": ("{ workflows }", {}, "GRAPHQL_VALIDATION_FAILED"),
    "missing argument": ("{ workflow { id } }", {}, "GRAPHQL_VALIDATION_FAILED"),
    "first is text": (
        '{ workflows(first: "1") { nodes { id } } }',
        {},
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "first is too big for an Int": (
        "{ workflows(first: 2147483648) { nodes { id } } }",
        {},
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "fragment cycle": (
        "{ workflows { ...A } } fragment A on WorkflowConnection { ...A }",
        {},
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "undefined variable": ("{ workflow(id: $id) { id } }", {}, "GRAPHQL_VALIDATION_FAILED"),
    "missing variable": ("query ($id: ID!) { workflow(id: $id) { id } }", {}, "BAD_USER_INPUT"),
    "null variable": (
        "query ($id: ID!) { workflow(id: $id) { id } }",
        {"id": None},
        "BAD_USER_INPUT",
    ),
    "variable of another type": (
        "query ($id: ID!) { workflow(id: $id) { id } }",
        {"id": {"a": 1}},
        "BAD_USER_INPUT",
    ),
    "Int variable out of range": (
        "query ($n: Int) { workflows(first: $n) { nodes { id } } }",
        {"n": 2**31},
        "BAD_USER_INPUT",
    ),
}


@pytest.mark.parametrize(("query", "variables", "code"), DOCUMENTS.values(), ids=list(DOCUMENTS))
async def test_a_request_that_cannot_be_executed_has_no_data(
    gateway: Gateway, query: str, variables: dict[str, Any], code: str
) -> None:
    await gateway.forget()
    body = {"query": query, "variables": variables}
    response = await gateway.post(body, headers={"Accept": GRAPHQL_JSON})
    assert response.status_code == 400
    assert response.headers["content-type"].startswith(GRAPHQL_JSON)
    assert "data" not in response.json()
    assert {_code(error) for error in response.json()["errors"]} == {code}
    assert (await gateway.post(body)).status_code == 200
    assert (await gateway.sent()).http == 0


@pytest.mark.parametrize("query", [NESTED, BACK_AND_FORTH], ids=["nested", "back and forth"])
async def test_a_document_that_nests_too_deep_is_the_callers_error(
    gateway: Gateway, query: str
) -> None:
    response = await gateway.post({"query": query})
    errors = response.json()["errors"]
    assert errors
    assert "INTERNAL_SERVER_ERROR" not in {_code(error) for error in errors}


BODIES = {
    "empty": b"",
    "no JSON": b"{ workflows { nodes { id } } }",
    "cut short": b'{"query": "{ __typename }"',
    "not UTF-8": b'{"query": "\xff"}',
    "lone surrogate": b'{"query": "{ workflow(id: \\"\\ud800\\") { id } }"}',
    "a list": b'[{"query": "{ __typename }"}]',
    "null": b"null",
    "no query": b"{}",
    "blank query": b'{"query": " "}',
    "query is no text": b'{"query": 5}',
    "variables are a list": b'{"query": "{ __typename }", "variables": []}',
    "variables are text": b'{"query": "{ __typename }", "variables": "{}"}',
    "extensions are text": b'{"query": "{ __typename }", "extensions": "{}"}',
    "operationName is a number": b'{"query": "{ __typename }", "operationName": 1}',
    "unknown operation": b'{"query": "query A { __typename }", "operationName": "B"}',
    "several operations": b'{"query": "query A { __typename } query B { __typename }"}',
    "nested too deep": b'{"query": "{ __typename }", "variables": ' + b'{"a":' * 5000 + b"}",
}


@_cases(BODIES)
async def test_a_body_that_is_no_graphql_request_is_a_400(gateway: Gateway, value: bytes) -> None:
    response = await gateway.client.post(
        "/graphql", content=value, headers={"Content-Type": "application/json"}
    )
    assert response.status_code == 400
    [error] = response.json()["errors"]
    assert _code(error) == "BAD_REQUEST"


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "text/plain",
        "application/graphql",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
        "application/jsonx",
    ],
)
async def test_a_body_of_another_content_type_is_a_415(
    gateway: Gateway, content_type: str | None
) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    response = await gateway.client.post(
        "/graphql", content=b'{"query": "{ __typename }"}', headers=headers
    )
    assert response.status_code == 415
    assert _code(response.json()["errors"][0]) == "UNSUPPORTED_MEDIA_TYPE"


async def test_a_caller_who_accepts_no_json_gets_a_406(gateway: Gateway) -> None:
    response = await gateway.post({"query": "{ __typename }"}, headers={"Accept": "text/csv"})
    assert response.status_code == 406
    assert _code(response.json()["errors"][0]) == "NOT_ACCEPTABLE"


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"query": ""},
        {"query": "{ __typename }", "variables": "{"},
        {"query": "{ __typename }", "variables": "[]"},
        {"query": "{ __typename }", "extensions": "nothing"},
        {"query": "{ __typename }", "operationName": "B"},
    ],
)
async def test_a_get_that_is_no_graphql_request_is_a_400(
    gateway: Gateway, parameters: dict[str, str]
) -> None:
    response = await gateway.client.get("/graphql", params=parameters)
    assert response.status_code == 400
    assert _code(response.json()["errors"][0]) == "BAD_REQUEST"


@pytest.mark.parametrize("operation", ["mutation", "subscription"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_operation_that_is_not_offered_is_a_clear_error(
    gateway: Gateway, operation: str, method: str
) -> None:
    query = {"query": f"{operation} {{ nothing }}"}
    response = (
        await gateway.client.get("/graphql", params=query)
        if method == "GET"
        else await gateway.post(query)
    )
    assert response.status_code < 500
    assert {_code(e) for e in response.json()["errors"]} <= {
        "METHOD_NOT_ALLOWED",
        "GRAPHQL_VALIDATION_FAILED",
    }


# --- tokens -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Bearer two tokens", 'Bearer "quoted"'],
)
async def test_a_caller_without_a_token_gets_a_401_and_nothing_is_sent(
    start: Start, header: str | None
) -> None:
    gateway = await start(passthrough=True)
    response = await gateway.post(
        {"query": "{ workflows { nodes { id } } }"},
        headers={} if header is None else {"Authorization": header},
    )
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Bearer")
    assert _code(response.json()["errors"][0]) == "UNAUTHENTICATED"
    assert (await gateway.sent()).http == 0
