"""An input costs what it is, not what it is times the rows, and has a documented largest size.

The kind: something that a caller sends is evaluated again for each row, or is as large as a body
may be. It can occur for every filter and every order: those that the service evaluates, those of
bounded lists, those across workflows, and below every level of a query.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any
from urllib.parse import unquote

import pytest

from gateway.odata.filter import MAX_DEPTH, MAX_MEMBERS, MAX_ORDERS
from tests.conftest import Gateway, Start
from tests.upstreams import Unusual

# Each edge with a filter: who evaluates it, and the name of the field.
EDGES = {
    "workflows": "query ($f: WorkflowFilter) { workflows(filter: $f) { nodes { id } } }",
    "taskProcessingResults": """query ($f: TaskProcessingResultFilter) {
      taskProcessingResults(filter: $f) { nodes { id } } }""",
    "workflowFilter": """query ($f: WorkflowFilter) {
      taskProcessingResults(workflowFilter: $f) { nodes { id } } }""",
    "userProcessingResults": """query ($f: UserProcessingResultFilter) {
      userProcessingResults(subjectId: "u", filter: $f) { nodes { id } } }""",
    "tasks": """query ($f: TaskFilter) { workflows(first: 1) { nodes {
      tasks(filter: $f) { id } } } }""",
    "versionTasks": """query ($f: TaskFilter) { workflows(first: 1) { nodes {
      versions(first: 1) { nodes { tasks(filter: $f) { id } } } } } }""",
    "list": """query ($f: TaskProcessingResultFilter) { workflows(first: 1) { nodes {
      runs(first: 1) { nodes { userProcessingResults(first: 1) { nodes {
        taskProcessingResults(filter: $f) { id } } } } } } } }""",
}


def ids(number: int) -> list[str]:
    return [f"i{place}" for place in range(number)]


def nested(depth: int) -> dict[str, Any]:
    given: dict[str, Any] = {"id": {"eq": "x"}}
    for _ in range(depth):
        given = {"not": given}
    return given


TOO_LARGE = {
    "in": {"id": {"in": ids(MAX_MEMBERS + 1)}},
    "all in all": {"or": [{"id": {"in": ids(MAX_MEMBERS // 2)}}, {"id": {"in": ids(1001)}}]},
    "or": {"or": [{"id": {"eq": "x"}}] * (MAX_MEMBERS + 1)},
    "empty": {"and": [{}] * (MAX_MEMBERS + 2)},
}


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("given", TOO_LARGE)
async def test_more_comparisons_than_the_largest_number_are_refused(
    gateway: Gateway, edge: str, given: str
) -> None:
    await gateway.forget()
    [error] = await gateway.errors(EDGES[edge], f=TOO_LARGE[given])
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "argument": "filter"}
    assert str(MAX_MEMBERS) in error["message"]
    assert len(error["message"]) < 200
    sent = await gateway.sent()
    assert not [item for item in sent.items if "/tasks" in item or "/taskProcess" in item]
    assert sent.http == 0 or edge in ("tasks", "versionTasks", "list")


@pytest.mark.parametrize("edge", EDGES)
async def test_a_filter_is_nested_so_deep_and_no_deeper(gateway: Gateway, edge: str) -> None:
    await gateway.forget()
    [error] = await gateway.errors(EDGES[edge], f=nested(MAX_DEPTH))
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "argument": "filter"}
    assert str(MAX_DEPTH) in error["message"]
    assert "nested" in error["message"]


async def test_two_hundred_thousand_ids_are_refused_at_once(gateway: Gateway) -> None:
    """In the least time that their body can be read in, whatever there is to filter."""
    await gateway.forget()
    fields = [
        f"a{place}: taskProcessingResults(filter: $f) {{ nodes {{ id }} }}" for place in range(5)
    ]
    query = f"query ($f: TaskProcessingResultFilter) {{ {' '.join(fields)} }}"
    errors = await gateway.errors(query, f={"id": {"in": ["i"] * 200_000}})
    assert [error["extensions"]["code"] for error in errors] == ["BAD_USER_INPUT"] * 5
    assert (await gateway.sent()).http == 0


async def test_the_largest_filter_is_sent_or_evaluated_whole(start: Start) -> None:
    gateway = await start()
    tree = """query ($f: TaskProcessingResultFilter, $o: [TaskProcessingResultOrder!]) {
      workflows { nodes { runs { nodes { userProcessingResults { nodes {
        all: taskProcessingResults { id }
        taskProcessingResults(filter: $f, orderBy: $o) { id } } } } } } } }"""

    def lists(data: Any, name: str) -> list[list[str]]:
        return [
            [row["id"] for row in user[name]]
            for workflow in data["workflows"]["nodes"]
            for run in workflow["runs"]["nodes"]
            for user in run["userProcessingResults"]["nodes"]
        ]

    data = await gateway.data(tree)
    some = [rows[1] for rows in lists(data, "all")]
    wanted = {"id": {"in": [*some, *ids(MAX_MEMBERS - len(some))]}}
    data = await gateway.data(tree, f=wanted)
    assert lists(data, "taskProcessingResults") == [[id_] for id_ in some]


async def test_equal_members_are_sent_once(start: Start) -> None:
    unusual = Unusual()
    gateway = await start(unusual=unusual)
    given = {"id": {"in": ["b", "a", "b", "a"]}}
    await gateway.data(EDGES["workflows"], f=given)
    [asked] = unusual.asked
    assert unquote(asked.url).endswith("$filter=(id eq 'b' or id eq 'a')")
    unusual.forget()
    await gateway.data(EDGES["workflows"], f={"id": {"in": ["b"] * 50}})
    assert unquote(unusual.asked[0].url).endswith("$filter=id eq 'b'")


async def test_a_filter_is_compiled_once_and_not_for_each_row(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Members are compared as written once; a row costs one look-up."""
    from gateway.odata import filter as module

    compared: list[Any] = []
    comparable = module.comparable

    def counting(value: Any) -> Any:
        compared.append(value)
        return comparable(value)

    monkeypatch.setattr(module, "comparable", counting)
    gateway = await start(workflows=2, runs=2, users=10, tasks=5)
    query = """query ($f: TaskProcessingResultFilter) { workflows { nodes { runs { nodes {
      userProcessingResults { nodes { taskProcessingResults(filter: $f) { id } } } } } } } }"""
    await gateway.data(query, f={"id": {"in": ids(1000)}})
    rows = 2 * 2 * 10 * 5
    assert rows <= len(compared) <= 1000 + 2 * rows


@pytest.mark.parametrize(
    "query",
    [
        "query ($o: [WorkflowOrder!]) { workflows(orderBy: $o) { nodes { id } } }",
        "query ($o: [TaskOrder!]) { workflows(first: 1) { nodes { tasks(orderBy: $o) { id } } } }",
        """query ($o: [TaskProcessingResultOrder!]) { workflows(first: 1) { nodes {
          runs(first: 1) { nodes { userProcessingResults(first: 1) { nodes {
            taskProcessingResults(orderBy: $o) { id } } } } } } } }""",
    ],
)
async def test_orders_have_a_largest_number_of_keys(gateway: Gateway, query: str) -> None:
    await gateway.forget()
    [error] = await gateway.errors(query, o=[{"field": "ID"}] * (MAX_ORDERS + 1))
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "argument": "orderBy"}
    assert str(MAX_ORDERS) in error["message"]


@contextmanager
def calls() -> Iterator[list[str]]:
    """The names of the Python functions that are called in this thread."""
    called: list[str] = []

    def profile(frame: FrameType, event: str, _arg: Any) -> None:
        if event == "call":
            called.append(frame.f_code.co_name)

    sys.setprofile(profile)
    try:
        yield called
    finally:
        sys.setprofile(None)


@pytest.mark.parametrize("projection", [True, False])
@pytest.mark.parametrize("edge", ["workflows", "taskProcessingResults", "workflowFilter"])
async def test_a_filter_is_converted_once_and_not_for_each_alias(
    start: Start, edge: str, projection: bool
) -> None:
    """It is too large to be sent, so what it costs is to be read: few calls for each comparison."""
    gateway = await start(projection=projection)
    head, _, field = EDGES[edge].removesuffix("}").partition("{")
    fields = " ".join(f"a{place}: {field}" for place in range(30))
    body = {"query": f"{head} {{ {fields} }}", "variables": {}}
    with calls() as without:
        await gateway.post(body)
    body["variables"] = {"f": {"or": [{"id": {"in": ids(2)}}] * MAX_MEMBERS}}
    with calls() as given:
        response = await gateway.post(body)
    assert len(response.json()["errors"]) == 30
    assert len(given) < len(without) + 30 * MAX_MEMBERS * 5
