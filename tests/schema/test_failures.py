"""Failures in groups: they are those of triage, counted."""

from collections import Counter
from typing import Any

import pytest

from gateway.settings import Settings
from tests.conftest import Gateway, Start
from tests.upstreams import Answered, Asked, Unusual, graph_error

TRIAGE = """query ($after: String) { taskProcessingResults(first: 1000, after: $after,
    filter: { processingStatus: { eq: FAILED } }) { totalCount nodes { createdDateTime
    failureReason subject { id } task { taskDefinitionId displayName }
    workflow { id displayName category } } } }"""
FAILURES = """query ($by: FailureGrouping!, $after: DateTime, $before: DateTime,
    $of: WorkflowFilter) { failures(groupBy: $by, startedAfter: $after, startedBefore: $before,
    workflowFilter: $of) { totalCount isComplete unread { workflowId runId code }
    groups { key title count users firstDateTime lastDateTime } } }"""
KEYS: dict[str, Any] = {
    "REASON": lambda row: (row["failureReason"], row["failureReason"]),
    "TASK": lambda row: (row["task"]["taskDefinitionId"], row["task"]["displayName"]),
    "WORKFLOW": lambda row: (row["workflow"]["id"], row["workflow"]["displayName"]),
    "DAY": lambda row: (row["createdDateTime"][:10], row["createdDateTime"][:10]),
}


async def rows(gateway: Gateway) -> list[dict[str, Any]]:
    """All failed results."""
    return list((await gateway.data(TRIAGE))["taskProcessingResults"]["nodes"])


@pytest.mark.parametrize("projection", [True, False])
@pytest.mark.parametrize("by", KEYS)
async def test_each_failure_is_in_one_group(start: Start, by: str, projection: bool) -> None:
    gateway = await start(projection=projection, workflows=6)
    failed = await rows(gateway)
    found = (await gateway.data(FAILURES, by=by))["failures"]
    counts = Counter(KEYS[by](row) for row in failed)
    assert {(g["key"], g["title"]): g["count"] for g in found["groups"]} == counts
    assert [g["count"] for g in found["groups"]] == sorted(counts.values(), reverse=True)
    assert (found["totalCount"], found["isComplete"], found["unread"]) == (len(failed), True, [])
    for group in found["groups"]:
        mine = [row for row in failed if KEYS[by](row)[0] == group["key"]]
        assert group["users"] == len({row["subject"]["id"] for row in mine})
        times = sorted(row["createdDateTime"] for row in mine)
        assert (group["firstDateTime"], group["lastDateTime"]) == (times[0], times[-1])


async def test_a_period_and_some_workflows(gateway: Gateway) -> None:
    failed = await rows(gateway)
    of = {"category": {"eq": "LEAVER"}}
    found = (await gateway.data(FAILURES, by="WORKFLOW", of=of))["failures"]
    leavers = [row for row in failed if row["workflow"]["category"] == "LEAVER"]
    assert found["totalCount"] == len(leavers) > 0
    none = {"by": "DAY", "after": "2030-01-01T00:00:00Z"}
    assert (await gateway.data(FAILURES, **none))["failures"]["groups"] == []
    [error] = await gateway.errors(FAILURES, **none, before="2029-01-01T00:00:00Z")
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["extensions"]["argument"] == "startedBefore"


async def test_it_costs_what_triage_costs(gateway: Gateway) -> None:
    _, triage = await gateway.counted(TRIAGE)
    _, counted = await gateway.counted(FAILURES, by="TASK")
    assert len(counted.items) == len(triage.items)
    assert counted.http == triage.http


async def test_it_is_fetched_with_the_rest(gateway: Gateway) -> None:
    both = FAILURES.replace("{ failures", "{ workflows { totalCount } failures", 1)
    data, sent = await gateway.counted(both, by="TASK")
    assert data["workflows"]["totalCount"] == 5
    assert data["failures"]["groups"]
    _, alone = await gateway.counted(FAILURES, by="TASK")
    assert sent.http == alone.http


async def test_several_pages_are_counted_once(start: Start) -> None:
    gateway = await start(settings=Settings(max_first=7))
    usual = await start()
    wanted = (await usual.data(FAILURES, by="REASON"))["failures"]
    assert wanted["totalCount"] > 7
    assert (await gateway.data(FAILURES, by="REASON"))["failures"] == wanted


async def test_what_could_not_be_read_is_told(start: Start) -> None:
    def refuse(asked: Asked) -> Answered | None:
        if "/taskProcessingResults?" in asked.url and "73c349d0-2ee1-4326-8674-5f28" in asked.url:
            return graph_error(403, "Forbidden")
        return None

    gateway = await start(unusual=Unusual(instead=refuse))
    response = await gateway.query(FAILURES, by="WORKFLOW")
    assert "errors" not in response
    found = response["data"]["failures"]
    assert found["isComplete"] is False
    assert {part["code"] for part in found["unread"]} == {"FORBIDDEN"}
    assert found["totalCount"] > 0


async def test_the_token_is_as_for_all_else(start: Start) -> None:
    gateway = await start(passthrough=True)
    response = await gateway.post({"query": FAILURES, "variables": {"by": "DAY"}})
    assert response.status_code == 401
