"""What callers get wrong: each mistake is a clear error, and nothing of it reaches the service."""

import base64
import re
from urllib.parse import quote, unquote

import pytest

from gateway.odata.cursor import CursorCodec, Position
from gateway.settings import Settings
from tests.conftest import Gateway, Start, running
from tests.http.giving import (
    ODD_IDS,
    ROOT,
    UNSAFE_IDS,
    Recorder,
    cases,
    code,
    node_id,
)

# --- ids ----------------------------------------------------------------------------------------


@cases(UNSAFE_IDS)
async def test_an_id_that_is_no_path_segment_is_refused_and_the_rest_is_answered(
    gateway: Gateway, value: str
) -> None:
    await gateway.forget()
    query = "query ($id: ID!) { workflow(id: $id) { id } workflows { nodes { id } } }"
    answer = await gateway.query(query, id=value)
    [error] = answer["errors"]
    assert (code(error), error["extensions"]["argument"]) == ("BAD_USER_INPUT", "id")
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
    assert (code(error), error["extensions"]["argument"]) == ("BAD_USER_INPUT", argument)
    assert (await gateway.sent()).http == 0


@cases(ODD_IDS)
async def test_an_odd_id_goes_upstream_as_one_encoded_segment(value: str) -> None:
    recorder = Recorder()
    alone = "query ($id: ID!) { workflow(id: $id) { id } }"
    in_a_batch = 'query ($id: ID!) { workflow(id: $id) { id } b: workflow(id: "b") { id } }'
    async with running(recorder.app) as gateway:
        for query in (alone, in_a_batch):
            recorder.urls.clear()
            errors = await gateway.errors(query, id=value)
            assert {code(error) for error in errors} == {"NOT_FOUND"}
            path, _, rest = recorder.urls[0].partition("?")
            assert path == f"{ROOT}/workflows/{quote(value, safe='')}"
            assert rest == "$select=id"


@cases(ODD_IDS)
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
        f'node(nodeId: "{node_id("workflows/unknown")}") {{ nodeId }}',
        f'node(nodeId: "{node_id("users/unknown")}") {{ nodeId }}',
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
    assert code(error) == "NOT_FOUND"
    assert len(answer["data"]["workflows"]["nodes"]) == 5


NODE_IDS = {
    "empty": "",
    "no base64": "!!!!",
    "impossible length": "a",
    "not ASCII": "é",
    "another server's": base64.b64encode(b"Workflow:1").decode(),
    "100 kB": "a" * 100_000,
    "padded": node_id("workflows/a") + "=",
    "collection": node_id("workflows"),
    "empty key": node_id("workflows/"),
    "climbing": node_id("workflows/../../users/x"),
    "dots": node_id("workflows/.."),
    "encoded slash": node_id("workflows/a%2Fb"),
    "encoded dots": node_id("workflows/%2e%2e"),
    "not canonical": node_id("workflows/%61"),
    "query": node_id("workflows/a?b"),
    "line break": node_id("workflows/a\r\nb"),
    "another collection": node_id("groups/a"),
    "odd number of segments": node_id("workflows/a/runs"),
    "wrong order": node_id("runs/a/workflows/b"),
    "below a user": node_id("users/a/manager/b"),
    "full path": node_id("identityGovernance/lifecycleWorkflows/workflows/a"),
    "address": node_id("https://example.com/workflows/a"),
    "binary": base64.urlsafe_b64encode(b"\xff\xfe\x00").decode(),
}


@cases(NODE_IDS)
async def test_a_node_id_of_another_make_is_refused(gateway: Gateway, value: str) -> None:
    await gateway.forget()
    [error] = await gateway.errors("query ($n: ID!) { node(nodeId: $n) { nodeId } }", n=value)
    assert (code(error), error["extensions"]["argument"]) == ("BAD_USER_INPUT", "nodeId")
    assert (await gateway.sent()).http == 0


# --- first and after ----------------------------------------------------------------------------


@pytest.mark.parametrize("first", [0, -1, -(2**31), 1001, 2**31 - 1])
async def test_first_out_of_range_is_refused_at_its_edge(gateway: Gateway, first: int) -> None:
    answer = await gateway.query(
        """query ($n: Int) { bad: workflows(first: $n) { nodes { id } }
          workflows { nodes { id runs(first: $n) { nodes { id } } } } }""",
        n=first,
    )
    assert {code(error) for error in answer["errors"]} == {"BAD_USER_INPUT"}
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


@cases(CURSORS)
async def test_a_cursor_of_another_make_is_refused(gateway: Gateway, value: str) -> None:
    await gateway.forget()
    [error] = await gateway.errors(PAGE, c=value)
    assert (code(error), error["extensions"]["argument"]) == ("BAD_USER_INPUT", "after")
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
        assert code(error) == "BAD_USER_INPUT"
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
        assert (code(error), error["path"]) == ("BAD_USER_INPUT", ["workflow", "runs"])
        assert answer["data"]["workflow"] == {"id": workflow, "runs": None}


async def test_a_cursor_of_another_gateway_is_refused(start: Start) -> None:
    theirs = await start(settings=Settings(cursor_secret="theirs"))
    ours = await start(settings=Settings(cursor_secret="ours"))
    [error] = await ours.errors(PAGE, c=await _cursor(theirs))
    assert code(error) == "BAD_USER_INPUT"


@pytest.mark.parametrize("link", ["users?$select=id", "../beta/users", "directoryObjects/x"])
async def test_a_forged_cursor_does_not_lead_out_of_its_collection(
    gateway: Gateway, link: str
) -> None:
    codec = CursorCodec(b"http://upstream/v1.0")
    edge = "identityGovernance/lifecycleWorkflows/workflows {}"
    forged = codec.encode(edge, Position(link, 0, 0))
    await gateway.forget()
    [error] = await gateway.errors(PAGE, c=forged)
    assert code(error) == "BAD_USER_INPUT"
    assert (await gateway.sent()).http == 0
