"""Lists across workflows: the runs of all, what changed since, and what the gateway narrows."""

from typing import Any
from urllib.parse import unquote

import pytest

from tests.conftest import Gateway, Start
from tests.upstreams import Answered, Asked, Unusual, graph_error

ROWS = """{ workflows { nodes { id category runs(first: 50) { nodes { id scheduledDateTime
    lastUpdatedDateTime processingStatus taskProcessingResults(first: 500) { nodes { nodeId
    createdDateTime startedDateTime completedDateTime processingStatus failureReason
    subject { id } task { id taskDefinitionId } } } } } } } }"""


async def everything(gateway: Gateway) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """All runs, and all task results, as the tree has them."""
    data = await gateway.data(ROWS)
    runs = [run for w in data["workflows"]["nodes"] for run in w["runs"]["nodes"]]
    return runs, [row for run in runs for row in run["taskProcessingResults"]["nodes"]]


async def test_the_runs_of_all_workflows_newest_first(gateway: Gateway) -> None:
    runs, _ = await everything(gateway)
    text = """query ($after: String) { runs(first: 7, after: $after) { totalCount
        nodes { id scheduledDateTime workflow { id } } pageInfo { hasNextPage endCursor } } }"""
    found: list[dict[str, Any]] = []
    after = None
    for _ in range(4):
        page = (await gateway.data(text, after=after))["runs"]
        found += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    times = [run["scheduledDateTime"] for run in found]
    assert times == sorted(times, reverse=True)
    assert sorted(run["id"] for run in found) == sorted(run["id"] for run in runs)
    assert all(run["id"].startswith(run["workflow"]["id"]) for run in found)


async def test_what_the_runs_cost(start: Start) -> None:
    gateway = await start(workflows=45)
    text = """{ runs(first: 5, filter: { processingStatus: { eq: FAILED } },
        workflowFilter: { category: { eq: LEAVER } }) { totalCount nodes { id } } }"""
    _, sent = await gateway.counted(text)
    leavers = (
        await gateway.data("""{ workflows(filter: { category: { eq: LEAVER } }) {
        totalCount } }""")
    )["workflows"]["totalCount"]
    assert leavers == 22
    assert len(sent.items) == 1 + leavers
    assert sent.http == 1 + 2
    assert all("processingStatus eq 'failed'" in item for item in sent.items[1:])


async def test_what_changed_since(gateway: Gateway) -> None:
    runs, rows = await everything(gateway)
    since = sorted(row["completedDateTime"] for row in rows if row["completedDateTime"])[-20]
    names = ("createdDateTime", "startedDateTime", "completedDateTime")
    wanted = {
        row["nodeId"] for row in rows if any(row[name] and row[name] >= since for name in names)
    }
    text = """query ($since: DateTime!) { taskProcessingResults(first: 500, changedSince: $since) {
        watermark nodes { nodeId } } runs(first: 50, changedSince: $since) {
        watermark nodes { id lastUpdatedDateTime } } }"""
    data, sent = await gateway.counted(text, since=since)
    found = data["taskProcessingResults"]
    assert len(wanted) >= 20
    ids = {row["nodeId"].encode() for row in found["nodes"]}
    assert len(ids) == len(found["nodes"]) == len(wanted)
    latest = max(row[name] for row in rows for name in names if row[name])
    assert found["watermark"] == latest
    changed = {run["id"] for run in runs if run["lastUpdatedDateTime"] >= since}
    assert {run["id"] for run in data["runs"]["nodes"]} == changed
    assert data["runs"]["watermark"] == max(run["lastUpdatedDateTime"] for run in runs)
    asked = [unquote(item) for item in sent.items if "/taskProcessingResults?" in item]
    assert 0 < len(asked) < len(runs)
    for item in asked:
        assert f"createdDateTime ge {since} or startedDateTime ge {since}" in item


async def test_a_watermark_is_where_to_go_on(gateway: Gateway) -> None:
    text = """query ($since: DateTime) { taskProcessingResults(first: 500, changedSince: $since) {
        watermark totalCount nodes { nodeId } } }"""
    first = (await gateway.data(text))["taskProcessingResults"]
    again = (await gateway.data(text, since=first["watermark"]))["taskProcessingResults"]
    assert 1 <= again["totalCount"] < first["totalCount"]
    assert again["watermark"] == first["watermark"]
    later = "2030-01-01T00:00:00Z"
    none = (await gateway.data(text, since=later))["taskProcessingResults"]
    assert (none["watermark"], none["nodes"]) == (later, [])


async def test_a_watermark_stays_where_something_could_not_be_read(start: Start) -> None:
    def refuse(asked: Asked) -> Answered | None:
        first = "/runs?" in asked.url and not refused
        if first or asked.url in refused:
            refused.append(asked.url)
            return graph_error(403, "Forbidden")
        return None

    refused: list[str] = []
    gateway = await start(unusual=Unusual(instead=refuse))
    text = """{ taskProcessingResults(changedSince: "2026-06-01T00:00:00Z") {
        watermark nodes { nodeId } unread { workflowId } } }"""
    found = (await gateway.data(text))["taskProcessingResults"]
    assert found["unread"]
    assert found["nodes"]
    assert found["watermark"] == "2026-06-01T00:00:00Z"


async def test_other_connections_have_no_watermark(gateway: Gateway) -> None:
    text = """{ workflows(first: 1) { nodes { runs(first: 1) { watermark nodes {
        taskProcessingResults(first: 1) { watermark nodes { id } } } } } } }"""
    [workflow] = (await gateway.data(text))["workflows"]["nodes"]
    assert workflow["runs"]["watermark"] is None
    assert workflow["runs"]["nodes"][0]["taskProcessingResults"]["watermark"] is None


TRIAGE = """query ($subject: ID, $task: ID, $definition: ID, $reason: ReasonCondition) {
    taskProcessingResults(first: 1000, subjectId: $subject, taskId: $task,
        taskDefinitionId: $definition, failureReason: $reason) {
        totalCount nodes { nodeId failureReason subject { id } task { displayName } } } }"""


@pytest.mark.parametrize("projection", [True, False])
@pytest.mark.parametrize("name", ["subject", "task", "definition", "reason"])
async def test_triage_is_narrowed(start: Start, name: str, projection: bool) -> None:
    gateway = await start(projection=projection)
    _, rows = await everything(gateway)
    sample = next(row for row in rows if row["failureReason"])
    of: dict[str, Any] = {
        "subject": lambda row: row["subject"]["id"],
        "task": lambda row: row["task"]["id"],
        "definition": lambda row: row["task"]["taskDefinitionId"],
        "reason": lambda row: row["failureReason"],
    }
    wanted = of[name](sample)
    given = {"contains": wanted[3:].upper()} if name == "reason" else wanted
    data, sent = await gateway.counted(TRIAGE, **{name: given})
    found = data["taskProcessingResults"]
    expected = [row for row in rows if of[name](row) == wanted]
    assert found["totalCount"] == len(found["nodes"]) == len(expected) > 0
    asked = [unquote(item) for item in sent.items if "/taskProcessingResults?" in item]
    assert all(("subject/id eq" in item) is (name == "subject") for item in asked)
    assert not [item for item in asked if "failureReason eq" in item or "contains" in item]


async def test_one_that_is_no_id_or_an_empty_list_is_refused(gateway: Gateway) -> None:
    for given in ({"subject": "a/b"}, {"reason": {"in": []}}):
        await gateway.forget()
        [error] = await gateway.errors(TRIAGE, **given)
        assert error["extensions"]["code"] == "BAD_USER_INPUT"
        assert (await gateway.sent()).items == []


async def test_a_result_leads_back_to_that_of_its_user(gateway: Gateway) -> None:
    text = """{ workflows(first: 1) { nodes { runs(first: 1) { nodes {
        userProcessingResults(first: 2) { nodes { id taskProcessingResults {
            userProcessingResult { id processingStatus } } } }
        taskProcessingResults(first: 1) { nodes { userProcessingResult { id } } } } } } } }"""
    [workflow] = (await gateway.data(text))["workflows"]["nodes"]
    [run] = workflow["runs"]["nodes"]
    for row in run["userProcessingResults"]["nodes"]:
        for result in row["taskProcessingResults"]:
            assert result["userProcessingResult"]["id"] == row["id"]
    assert run["taskProcessingResults"]["nodes"] == [{"userProcessingResult": None}]
