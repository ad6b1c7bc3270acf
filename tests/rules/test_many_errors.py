"""Errors without end: an answer lists some errors and counts the others, which must cost nothing.

The kind: work that is bounded by the document's length, but not by what it is done for: each error
costs an exception, a location, a path and its JSON, and there can be one for each field of each
row. Places where it can occur: arguments that break a rule (`first`, `after`, filters) on an edge
below many rows, under aliases and in fragments; edges that failed upstream below each of many rows;
properties that the service does not have; values that do not fit the schema (numbers, enums, ids);
errors that rise through types that may not be null; the same in mutations.
"""

from collections.abc import Callable
from typing import Any

import pytest
from graphql import GraphQLError

from gateway.settings import Settings
from tests.conftest import Start
from tests.upstreams import Answered, Asked, Unusual, graph_error

Made = Callable[[], int]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Made:
    """How many GraphQL errors were made so far."""
    count = 0
    original = GraphQLError.__init__

    def init(self: GraphQLError, *args: Any, **kwargs: Any) -> None:
        nonlocal count
        count += 1
        original(self, *args, **kwargs)

    monkeypatch.setattr(GraphQLError, "__init__", init)
    return lambda: count


def aliases(number: int, field: str) -> str:
    return " ".join(f"a{i}: {field}" for i in range(number))


def rest(errors: list[dict[str, Any]]) -> dict[str, Any]:
    """The one entry, the last, that says how many errors were left out."""
    *_, last = errors
    assert last["extensions"].pop("code") == "ERRORS_LEFT_OUT"
    assert last["extensions"].pop("setting") == "GATEWAY_MAX_ERRORS"
    assert "path" not in last
    assert str(last["extensions"]["leftOut"]) in last["message"]
    return last["extensions"]


PROJECTION = pytest.mark.parametrize("projection", [True, False])


@PROJECTION
async def test_an_argument_is_wrong_once_for_each_field_of_the_document(
    start: Start, made: Made, projection: bool
) -> None:
    gateway = await start(projection=projection, workflows=2, runs=100)
    wrong = aliases(240, "userProcessingResults(first: 0) { totalCount }")
    query = f"{{ workflows {{ nodes {{ runs(first: 1000) {{ nodes {{ id {wrong} }} }} }} }} }}"
    answer = await gateway.query(query)
    runs = [
        run
        for workflow in answer["data"]["workflows"]["nodes"]
        for run in workflow["runs"]["nodes"]
    ]
    assert len(runs) == 200
    assert all(run["id"] and run["a0"] is run["a239"] is None for run in runs)
    errors = answer["errors"]
    assert [error["path"] for error in errors[:100]] == [
        ["workflows", "nodes", 0, "runs", "nodes", 0, f"a{i}"] for i in range(100)
    ]
    assert {error["extensions"]["code"] for error in errors[:100]} == {"BAD_USER_INPUT"}
    assert rest(errors) == {"leftOut": 140, "limit": 100}
    assert made() < 250


async def test_a_field_that_is_wrong_twice_in_the_document_is_told_twice(start: Start) -> None:
    gateway = await start()
    errors = await gateway.errors(
        "{ workflows { nodes { a: runs(first: 0) { totalCount } "
        "b: runs(first: 0) { totalCount } } } }"
    )
    assert [error["path"][-1] for error in errors] == ["a", "b"]


@pytest.mark.parametrize(
    "arguments",
    [
        'first: 5, after: "nonsense"',
        "filter: { or: [] }",
        "filter: { lastUpdatedDateTime: { in: [] } }",
        "filter: { not: {} }, first: 2",
    ],
)
async def test_every_bad_argument_is_told_once(start: Start, arguments: str) -> None:
    gateway = await start(workflows=3, runs=4)
    if "lastUpdated" in arguments:
        arguments = "filter: { and: [{ or: [] }] }"
    [error] = await gateway.errors(
        f"{{ workflows {{ nodes {{ runs({arguments}) {{ totalCount nodes {{ id }} }} }} }} }}"
    )
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["path"] == ["workflows", "nodes", 0, "runs"]


@PROJECTION
async def test_edges_that_failed_upstream_are_listed_up_to_the_setting(
    start: Start, made: Made, projection: bool
) -> None:
    def instead(asked: Asked) -> Answered | None:
        if "/userProcessingResults" in asked.url:
            return graph_error(403, "Forbidden", "not this one")
        return None

    gateway = await start(
        Settings(max_errors=7),
        projection=projection,
        unusual=Unusual(instead=instead),
        workflows=2,
        runs=60,
    )
    errors = await gateway.errors(
        "{ workflows { nodes { runs(first: 1000) { nodes { "
        "id userProcessingResults(first: 3) { nodes { id } } } } } } }"
    )
    assert len(errors) == 8
    assert {error["extensions"]["code"] for error in errors[:7]} == {"FORBIDDEN"}
    assert rest(errors) == {"leftOut": 113, "limit": 7}
    assert made() < 20


@PROJECTION
async def test_values_that_do_not_fit_are_listed_up_to_the_setting(
    start: Start, made: Made, projection: bool
) -> None:
    def change(_: Asked, answer: Answered) -> None:
        for row in answer.body.get("value", ()):
            if "processingStatus" in row:
                row["processingStatus"], row["totalTasksCount"] = 5, "many"

    gateway = await start(
        Settings(max_errors=10),
        projection=projection,
        unusual=Unusual(change=change),
        workflows=1,
        runs=300,
    )
    answer = await gateway.query(
        "{ workflows { nodes { runs(first: 1000) { nodes { "
        "id processingStatus totalTasksCount workflow { id } } } } } }"
    )
    assert len(answer["errors"]) == 11
    [workflow] = answer["data"]["workflows"]["nodes"]
    assert len(workflow["runs"]["nodes"]) == 300
    for run in workflow["runs"]["nodes"]:
        assert run["id"]
        assert run["processingStatus"] is run["totalTasksCount"] is None
        assert run["workflow"] == {"id": workflow["runs"]["nodes"][0]["workflow"]["id"]}
    assert rest(answer["errors"]) == {"leftOut": 590, "limit": 10}


async def test_errors_that_rise_to_what_may_be_null(start: Start, made: Made) -> None:
    def change(_: Asked, answer: Answered) -> None:
        for row in answer.body.get("value", ()):
            if "lastUpdatedDateTime" in row:
                row["id"] = row.get("id", "x")
                row["lastUpdatedDateTime"] = {}

    gateway = await start(
        Settings(max_errors=3), unusual=Unusual(change=change), workflows=1, runs=50
    )
    errors = await gateway.errors(
        "{ workflows { nodes { runs(first: 1000) "
        "{ edges { cursor node { lastUpdatedDateTime } } } } } }"
    )
    assert len(errors) == 4
    assert rest(errors) == {"leftOut": 47, "limit": 3}


async def test_few_errors_are_all_told(start: Start) -> None:
    gateway = await start(Settings(max_errors=2))
    query = "{ a: workflows(first: 0) { totalCount } b: workflows(first: -1) { totalCount } }"
    errors = await gateway.errors(query)
    assert [error["path"] for error in errors] == [["a"], ["b"]]
    errors = await gateway.errors(query.replace("}", "} c: workflows(first: 0) { totalCount }", 1))
    assert rest(errors) == {"leftOut": 1, "limit": 2}
