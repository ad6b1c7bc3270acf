"""Results across workflows and runs, and the examples of docs/queries.md."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Gateway, Start

QUERY = """query ($first: Int, $after: String, $filter: TaskProcessingResultFilter,
    $since: DateTime, $until: DateTime, $workflows: WorkflowFilter) {
  taskProcessingResults(first: $first, after: $after, filter: $filter, startedAfter: $since,
      startedBefore: $until, workflowFilter: $workflows) {
    totalCount edges { cursor } nodes { id nodeId createdDateTime startedDateTime processingStatus
      failureReason subject { displayName } run { id } workflow { id category } }
    pageInfo { hasNextPage hasPreviousPage endCursor } } }"""
TREE = """{ workflows { nodes { id category runs { nodes { id taskProcessingResults(first: 1000) {
  nodes { id createdDateTime startedDateTime processingStatus } } } } } } }"""


async def _everything(gateway: Gateway) -> list[dict[str, Any]]:
    """All task results, newest first, by the plain tree."""
    rows = []
    for workflow in (await gateway.data(TREE))["workflows"]["nodes"]:
        for run in workflow["runs"]["nodes"]:
            for row in run["taskProcessingResults"]["nodes"]:
                place = {"run": run["id"], "workflow": workflow["id"]}
                rows.append(row | place | {"category": workflow["category"]})
    time = re.compile(r"(.{19})(?:\.(\d+))?Z")

    def key(row: dict[str, Any]) -> tuple[str, str]:
        found = time.fullmatch(row["createdDateTime"])
        assert found
        return f"{found[1]}.{(found[2] or '').ljust(7, '0')}", row["id"]

    return sorted(rows, key=key, reverse=True)


async def _walk(gateway: Gateway, first: int, **variables: Any) -> list[dict[str, Any]]:
    rows, after = [], None
    while True:
        data = await gateway.data(QUERY, first=first, after=after, **variables)
        found = data["taskProcessingResults"]
        rows += found["nodes"]
        assert len(found["nodes"]) <= first
        assert found["pageInfo"]["hasPreviousPage"] is (after is not None)
        if not found["pageInfo"]["hasNextPage"]:
            return rows
        after = found["pageInfo"]["endCursor"]


@pytest.mark.parametrize("first", [7, 40, 1000])
@pytest.mark.parametrize("page_size", [4, 100])
async def test_all_results_newest_first_page_by_page(
    start: Start, first: int, page_size: int
) -> None:
    gateway = await start(workflows=4, runs=5, users=3, tasks=2, page_size=page_size)
    rows = await _walk(gateway, first)
    assert [row["id"] for row in rows] == [row["id"] for row in await _everything(gateway)]


@pytest.mark.parametrize("moving", [False, True])
async def test_the_triage_list_is_exact(start: Start, moving: bool) -> None:
    gateway = await start(moving=moving, workflows=6, runs=5, users=8)
    since, until = "2026-06-28T05:00:00Z", "2026-06-30T05:56:00Z"
    rows = await _walk(
        gateway,
        5,
        filter={"processingStatus": {"eq": "FAILED"}},
        since=since,
        until=until,
        workflows={"category": {"eq": "LEAVER"}},
    )
    expected = [
        row["id"]
        for row in await _everything(gateway)
        if row["category"] == "LEAVER"
        and row["processingStatus"] == "FAILED"
        and since <= row["startedDateTime"] < until
    ]
    assert expected
    assert [row["id"] for row in rows] == expected
    assert all(row["failureReason"] for row in rows)
    assert {row["workflow"]["category"] for row in rows} == {"LEAVER"}


async def test_rows_know_their_run_and_workflow(gateway: Gateway) -> None:
    expected = {row["id"]: (row["run"], row["workflow"]) for row in await _everything(gateway)}
    rows = await _walk(gateway, 1000)
    assert {r["id"]: (r["run"]["id"], r["workflow"]["id"]) for r in rows} == expected
    again = await gateway.data(
        "query ($id: ID!) { node(nodeId: $id) { ... on TaskProcessingResult { id } } }",
        id=rows[0]["nodeId"],
    )
    assert again["node"]["id"] == rows[0]["id"]


async def test_the_triage_list_takes_three_layers(start: Start) -> None:
    gateway = await start(workflows=12, runs=10, sockets=True)
    failed = {"processingStatus": {"eq": "FAILED"}}
    await gateway.forget()
    data = await gateway.data(QUERY, first=1000, filter=failed)
    sent = await gateway.sent()
    runs = [item for item in sent.items if "/taskProcessingResults?" in item]
    # Ended runs without a failure are not asked.
    assert {row["run"]["id"] for row in data["taskProcessingResults"]["nodes"]} == {
        item.split("/runs/")[1].split("/")[0] for item in runs
    }
    # Names of those who have been deleted take a look-up of their own.
    deleted = [item for item in sent.items if "/deletedItems/" in item]
    assert len(deleted) == 1
    assert sent.http == 1 + 1 + -(-len(runs) // 20) + len(deleted)


async def test_no_more_runs_are_asked_than_the_window_can_reach(start: Start) -> None:
    gateway = await start(workflows=10, runs=10, sockets=True)
    _, sent = await gateway.counted(QUERY, first=10)
    assert sent.http == 3
    assert len([item for item in sent.items if "/taskProcessingResults?" in item]) == 20


async def test_a_page_costs_the_same_however_deep_it_is(start: Start) -> None:
    gateway = await start(workflows=6, runs=20, users=5, tasks=3, moving=False)
    costs, after = [], None
    while True:
        data, sent = await gateway.counted(QUERY, first=100, after=after)
        costs.append((sent.http, len(sent.items)))
        page = data["taskProcessingResults"]["pageInfo"]
        if not page["hasNextPage"]:
            break
        after = page["endCursor"]
    assert len(costs) == 18
    # Workflows, their runs, 20 runs that hold the rows, and the names of the subjects.
    assert {http for http, _ in costs} == {4}
    assert max(items for _, items in costs) == costs[0][1] == 28
    assert sum(items for _, items in costs) < 18 * 28


async def test_everything_that_happened_to_one_user(gateway: Gateway) -> None:
    tree = await gateway.data(
        """{ workflows { nodes { id userProcessingResults(first: 1000) {
          nodes { id scheduledDateTime subject { id } } } } } }"""
    )
    rows = [
        row | {"workflow": workflow["id"]}
        for workflow in tree["workflows"]["nodes"]
        for row in workflow["userProcessingResults"]["nodes"]
    ]
    subject = rows[0]["subject"]["id"]
    query = """query ($id: ID!, $first: Int, $after: String) {
      userProcessingResults(subjectId: $id, first: $first, after: $after) {
        nodes { id scheduledDateTime subject { id } workflow { id }
          taskProcessingResults { id } } pageInfo { hasNextPage endCursor } } }"""
    expected = {row["id"]: row["workflow"] for row in rows if row["subject"]["id"] == subject}
    found, after = [], None
    while True:
        page = await gateway.data(query, id=subject, first=3, after=after)
        page = page["userProcessingResults"]
        found += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert {row["id"]: row["workflow"]["id"] for row in found} == expected
    assert len(found) == len(expected) > 3
    assert [r["scheduledDateTime"][:19] for r in found] == sorted(
        (r["scheduledDateTime"][:19] for r in found), reverse=True
    )
    assert all(len(row["taskProcessingResults"]) == 3 for row in found)


async def test_a_service_that_can_not_filter_by_user_gives_the_same_rows(start: Start) -> None:
    query = """query ($id: ID!) { userProcessingResults(subjectId: $id) { nodes { id } } }"""
    usual, other = await start(), await start(subject_filter="refuse")
    row = (await usual.rest(f"/workflows/{await _first(usual)}/userProcessingResults"))["value"][0]
    expected = await usual.data(query, id=row["subject"]["id"])
    assert expected["userProcessingResults"]["nodes"]
    for _ in ("learns", "knows"):
        assert await other.data(query, id=row["subject"]["id"]) == expected


async def _first(gateway: Gateway) -> str:
    return (await gateway.rest("/workflows"))["value"][0]["id"]


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        ('after: "x"', "after"),
        ("first: 0", "first"),
        ("filter: { or: [] }", "filter"),
        ("workflowFilter: { not: {} }", "filter"),
        (
            'startedAfter: "2026-02-01T00:00:00Z", startedBefore: "2026-01-01T00:00:00Z"',
            "startedBefore",
        ),
    ],
)
async def test_bad_arguments_are_named(gateway: Gateway, arguments: str, argument: str) -> None:
    await gateway.forget()
    [error] = await gateway.errors(f"{{ taskProcessingResults({arguments}) {{ nodes {{ id }} }} }}")
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "argument": argument}
    assert (await gateway.sent()).http == 0


EXAMPLES = re.findall(
    r"```graphql\n(query (\w+).*?)\n```\n(?:\n```json\n(.*?)\n```)?",
    Path("docs/queries.md").read_text(encoding="utf-8"),
    re.DOTALL,
)


@pytest.mark.parametrize(
    ("query", "variables"),
    [pytest.param(query, json.loads(given or "{}"), id=name) for query, name, given in EXAMPLES],
)
async def test_examples_give_rows(start: Start, query: str, variables: dict[str, Any]) -> None:
    gateway = await start(moving=True)
    data = await gateway.data(query, **variables)
    found = list(_connections(data))
    assert all(found[:1]), data


def _connections(value: Any) -> Any:
    """Every list of nodes in an answer, outermost first."""
    if isinstance(value, dict):
        if "nodes" in value:
            yield value["nodes"]
        for inner in value.values():
            yield from _connections(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _connections(inner)


def test_every_example_is_run() -> None:
    text = Path("docs/queries.md").read_text(encoding="utf-8")
    assert len(EXAMPLES) == text.count("```graphql") > 8
