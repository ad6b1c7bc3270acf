"""What is written is what is sent, and an id is never anything but an id.

The kind: text that a caller or the service chose stands in a URL, and something between the place
that encodes it and the socket decodes it again, or the service reads it, decoded, as an operator of
OData (a function, a type, `$count`, a key in parentheses). It can occur wherever an id enters:
arguments of root fields and of edges, inputs of mutations (PATCH, DELETE, actions, deleted items),
nodeIds, keys in rows of the service, keys in the service's answer to a change, cursors and
nextLinks (which are not the gateway's to spell), ids in filters; alone or as an item of a `$batch`.
"""

from typing import Any
from urllib.parse import quote

import pytest

from gateway.schema.service import ROOT, SERVICE

from .raw import BASE, noting

# Nothing in them is an operator, and all of it is something that a URL library likes to rewrite.
ODD = "o'b+a&b=c,d;e:f!é名~[x]{y}|^`\"<>*$@."
# What only the service may give: it stays one segment.
ODDER = ["a b", "a/b", "a%2Fb", "a?b#c", "%28x%29", "\\x", "a\r\nb", ODD]

OPERATORS = [
    "summary(startDateTime=2026-01-01T00:00:00Z,endDateTime=2026-02-01T00:00:00Z)",
    "microsoft.graph.identityGovernance.summary",
    "Microsoft.Graph.IdentityGovernance.workflow",
    "graph.user",
    "$count",
    "$ref",
    "$batch",
    "$value",
    "@odata.id",
    "@x",
    "*",
    "('a')",
    "a(b)",
    "x)",
    "'a'",
    "...",
    "summary",
    "SUMMARY",
    "delta",
    "activate",
    "createNewVersion",
    "deletedItems",
    "runs",
]


def _key(id_: str) -> str:
    return quote(id_, safe="")


# Each way in: the document, the method, and the target below the container; {} is the encoded id.
WAYS: dict[str, tuple[str, str, str]] = {
    "root field": (
        "query($id: ID!) { workflow(id: $id) { displayName } }",
        "GET",
        "/workflows/{}?$select=id,displayName",
    ),
    "second argument": (
        'query($id: ID!) { run(workflowId: "w", id: $id) { processingStatus } }',
        "GET",
        "/workflows/w/runs/{}?$select=id,processingStatus",
    ),
    "first argument": (
        'query($id: ID!) { run(workflowId: $id, id: "r") { processingStatus } }',
        "GET",
        "/workflows/{}/runs/r?$select=id,processingStatus",
    ),
    "patch": (
        "mutation($id: ID!) { updateWorkflow(input: { workflowId: $id, isEnabled: true })"
        " { __typename } }",
        "PATCH",
        "/workflows/{}",
    ),
    "delete": (
        "mutation($id: ID!) { deleteWorkflow(input: { workflowId: $id }) { __typename } }",
        "DELETE",
        "/workflows/{}",
    ),
    "delete for good": (
        "mutation($id: ID!) { deleteWorkflowPermanently(input: { workflowId: $id })"
        " { __typename } }",
        "DELETE",
        "/deletedItems/workflows/{}",
    ),
    "action": (
        "mutation($id: ID!) { activateWorkflow(input: { workflowId: $id,"
        ' subjects: [{ id: "u" }] }) { __typename } }',
        "POST",
        "/workflows/{}/activate",
    ),
    "task": (
        'mutation($id: ID!) { updateTask(input: { workflowId: "w", taskId: $id,'
        ' displayName: "x" }) { __typename } }',
        "PATCH",
        "/workflows/w/tasks/{}",
    ),
}
NODE = "query($id: ID!) { node(nodeId: $id) { ... on Run { processingStatus } } }"


def _any(method: str, target: str) -> Any:
    return 204 if method != "GET" else {"id": "x", "displayName": "x", "value": []}


@pytest.mark.parametrize("way", WAYS)
async def test_an_id_of_a_caller_is_sent_as_it_was_written(way: str) -> None:
    query, method, target = WAYS[way]
    async with noting(_any) as (gateway, notes):
        await gateway.query(query, id=ODD)
    assert notes.lines[0].decode() == f"{method} {BASE}{target.format(_key(ODD))} HTTP/1.1"


async def test_the_id_in_a_node_id_is_sent_as_it_was_written() -> None:
    path = f"workflows/w/runs/{_key(ODD)}"
    async with noting(_any) as (gateway, notes):
        await gateway.query(NODE, id=SERVICE.node_id(f"{ROOT}/{path}"))
    assert notes.lines == [f"GET {BASE}/{path}?$select=id,processingStatus HTTP/1.1".encode()]


async def test_the_ids_of_several_edges_are_sent_as_they_were_written_in_a_batch() -> None:
    query = """query($a: ID!) { a: workflow(id: $a) { displayName }
        b: run(workflowId: $a, id: "r") { processingStatus } }"""
    async with noting(_any) as (gateway, notes):
        await gateway.query(query, a=ODD)
    assert notes.lines == [b"POST /v1.0/$batch HTTP/1.1"]
    assert notes.asked == [
        ("GET", f"{BASE}/workflows/{_key(ODD)}?$select=id,displayName"),
        ("GET", f"{BASE}/workflows/{_key(ODD)}/runs/r?$select=id,processingStatus"),
    ]


@pytest.mark.parametrize("way", WAYS)
async def test_an_operator_is_no_id(way: str) -> None:
    async with noting(_any) as (gateway, notes):
        for operator in OPERATORS:
            [error] = await gateway.errors(WAYS[way][0], id=operator)
            assert error["extensions"]["code"] == "BAD_USER_INPUT", operator
            argument = error["extensions"]["argument"].rpartition(".")[2]
            assert argument in ("id", "workflowId", "taskId")
            for rule in (
                "'$', '@', 'graph.' or 'microsoft.graph.'",
                "'*' or dots alone",
                "'summary'",
            ):
                assert rule in error["message"]
    assert notes.lines == []


async def test_an_operator_is_no_id_in_a_node_id() -> None:
    async with noting(_any) as (gateway, notes):
        for operator in OPERATORS:
            path = f"{ROOT}/workflows/w/runs/{_key(operator)}"
            [error] = await gateway.errors(NODE, id=SERVICE.node_id(path))
            assert error["extensions"]["code"] == "BAD_USER_INPUT", operator
            assert error["extensions"]["argument"] == "nodeId"
    assert notes.lines == []


# --- ids in filters ----------------------------------------------------------------------------


async def test_an_id_in_a_filter_is_a_string_and_nothing_else() -> None:
    """A user processing result below a workflow is read out of its list."""
    query = """query($w: ID!, $id: ID!) {
        userProcessingResult(workflowId: $w, id: $id) { processingStatus } }"""
    async with noting(lambda *_: {"value": []}) as (gateway, notes):
        await gateway.query(query, w=ODD, id="x' or 'a' eq 'a")
        assert notes.lines == []
        await gateway.query(query, w=ODD, id="x'or'a'eq'a&$top=1")
    literal = quote("id eq 'x''or''a''eq''a&$top=1'", safe="$(),;=:@*!~/")
    assert notes.lines == [
        f"GET {BASE}/workflows/{_key(ODD)}/userProcessingResults"
        f"?$select=id,processingStatus&$filter={literal} HTTP/1.1".encode()
    ]
    assert b"%26$top" in notes.lines[0]


# --- rows of the service -----------------------------------------------------------------------

RUNS = "{ workflows { nodes { id runs { nodes { id } } } } }"


def _workflows(*ids: str) -> Any:
    def answer(method: str, target: str) -> Any:
        if target.startswith(f"{BASE}/workflows?"):
            return {"value": [{"id": id_} for id_ in ids]}
        return {"value": []}

    return answer


@pytest.mark.parametrize("id_", ODDER)
async def test_a_key_of_a_row_is_sent_as_one_segment(id_: str) -> None:
    async with noting(_workflows(id_)) as (gateway, notes):
        await gateway.data(RUNS)
    assert notes.lines[1:] == [
        f"GET {BASE}/workflows/{_key(id_)}/runs?$select=id HTTP/1.1".encode()
    ]


async def test_keys_of_rows_are_sent_as_one_segment_in_a_batch() -> None:
    async with noting(_workflows(*ODDER)) as (gateway, notes):
        await gateway.data(RUNS)
    assert notes.asked[1:] == [
        ("GET", f"{BASE}/workflows/{_key(id_)}/runs?$select=id") for id_ in ODDER
    ]


async def test_a_key_of_a_row_that_is_an_operator_fails_what_lies_below_it() -> None:
    # Names of what is bound to one entity only can't be called where a key stands.
    harmless = ("activate", "createNewVersion", "deletedItems", "runs")
    ids = [operator for operator in OPERATORS if operator not in harmless]
    async with noting(_workflows(*ids, "w")) as (gateway, notes):
        answer = await gateway.query(RUNS)
    *first, last = answer["data"]["workflows"]["nodes"]
    assert first == [{"id": id_, "runs": None} for id_ in ids]
    assert last == {"id": "w", "runs": {"nodes": []}}
    paths = [error["path"] for error in answer["errors"]]
    assert paths == [["workflows", "nodes", number, "runs"] for number in range(len(ids))]
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"UPSTREAM_ERROR"}
    assert notes.asked[1:] == [("GET", f"{BASE}/workflows/w/runs?$select=id")]


async def test_the_key_in_the_answer_to_a_change_is_no_operator_either() -> None:
    query = """mutation { activateWorkflow(input: { workflowId: "w", subjects: [{ id: "u" }] })
        { workflow { runs { nodes { userProcessingResults { nodes { id } } } } } } }"""

    def answer(method: str, target: str) -> Any:
        if method == "POST":
            return 204
        return {"id": "w", "value": [{"id": "summary(startDateTime=1,endDateTime=2)"}]}

    async with noting(answer) as (gateway, notes):
        [error] = await gateway.errors(query)
    assert error["path"][-1] == "userProcessingResults"
    assert not any("summary" in target for _, target in notes.asked)


# --- links of the service ----------------------------------------------------------------------

TOKENS = [
    "$skiptoken=a%28b%29%2C(c),'d'%2fe%2Fe~[f]{g}|h^`",
    "%24skiptoken=%41%7e%2B+x&$select=id",
    "$skiptoken=a%20b%C3%A9&&x==y&z",
]


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("cursor", [False, True], ids=["next page", "cursor"])
async def test_a_next_link_is_followed_as_it_was_written(token: str, cursor: bool) -> None:
    link = f"{BASE}/workflows?{token}"

    def answer(method: str, target: str) -> Any:
        if target == link:
            return {"value": [{"id": "b"}]}
        return {"value": [{"id": "a"}], "@odata.nextLink": notes.address + link}

    async with noting(answer) as (gateway, notes):
        if cursor:
            query = """query($after: String) { workflows(first: 1, after: $after)
                { nodes { id } pageInfo { endCursor } } }"""
            first = await gateway.data(query)
            after = first["workflows"]["pageInfo"]["endCursor"]
            found = await gateway.data(query, after=after)
            assert found["workflows"]["nodes"] == [{"id": "b"}]
        else:
            await gateway.data("{ workflows { nodes { id } } }")
    assert notes.lines[-1] == f"GET {link} HTTP/1.1".encode()


async def test_what_cannot_stand_in_a_request_line_is_encoded_in_a_link() -> None:
    link = f"{BASE}/workflows?$skiptoken=é x"

    def answer(method: str, target: str) -> Any:
        if "skiptoken" in target:
            return {"value": []}
        return {"value": [], "@odata.nextLink": notes.address + link}

    async with noting(answer) as (gateway, notes):
        await gateway.data("{ workflows { nodes { id } } }")
    assert notes.lines[-1] == f"GET {BASE}/workflows?$skiptoken=%C3%A9%20x HTTP/1.1".encode()
