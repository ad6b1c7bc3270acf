"""A list that is made of many parts keeps those that could be read, and names those that not.

The kind: one part that fails takes others with it. It can occur wherever several collections are
merged into one list: the workflows, their runs, the runs' results, and the users' results of each
workflow (`gateway.graph.across`); and on a later page of each of them.
"""

from collections.abc import Callable
from typing import Any

import pytest

from gateway.settings import Settings
from tests.conftest import Gateway, Start
from tests.upstreams import Answered, Asked, Unusual, graph_error

TASKS = """query ($first: Int = 500, $after: String) {
  taskProcessingResults(first: $first, after: $after) {
    totalCount nodes { id createdDateTime run { id } workflow { id } }
    pageInfo { hasNextPage endCursor } } }"""
TOLD = """{ taskProcessingResults(first: 500) { totalCount nodes { id }
  unread { workflowId runId code message } } }"""
USERS = """query ($id: ID!) { userProcessingResults(subjectId: $id) {
  totalCount nodes { id workflow { id } } } }"""


def run_of(url: str) -> str:
    return url.split("/runs/")[1].split("/")[0]


def workflow_of(url: str) -> str:
    return url.split("/workflows/")[1].split("/")[0]


def refusing(where: Callable[[str], bool], status: int, code: str) -> Unusual:
    """A service that refuses some requests, always the same."""

    def instead(asked: Asked) -> Answered | None:
        return graph_error(status, code, "not this one") if where(asked.url) else None

    return Unusual(instead=instead)


async def _all(start: Start, **sandbox: Any) -> list[dict[str, Any]]:
    whole = await start(**sandbox)
    return (await whole.data(TASKS, first=1000))["taskProcessingResults"]["nodes"]


@pytest.mark.parametrize(
    ("status", "code"), [(404, "NOT_FOUND"), (403, "FORBIDDEN"), (501, "UPSTREAM_ERROR")]
)
async def test_one_run_that_can_not_be_read(start: Start, status: int, code: str) -> None:
    rows = await _all(start)
    bad = rows[-1]["run"]["id"]
    workflow = rows[-1]["workflow"]["id"]
    unusual = refusing(lambda url: f"/runs/{bad}/taskProcessingResults" in url, status, "no")
    gateway = await start(unusual=unusual)
    answer = await gateway.query(TASKS)
    found = answer["data"]["taskProcessingResults"]
    assert [r["id"] for r in found["nodes"]] == [r["id"] for r in rows if r["run"]["id"] != bad]
    assert found["totalCount"] is None
    [error] = answer["errors"]
    assert error["path"] == ["taskProcessingResults"]
    assert error["locations"] == [{"line": 2, "column": 3}]
    assert error["extensions"]["code"] == code
    assert bad in error["message"]
    assert workflow in error["message"]
    [part] = error["extensions"]["unread"]
    assert part["workflowId"] == workflow
    assert part["runId"] == bad
    assert part["status"] == status


async def test_what_is_selected_as_unread_is_no_error(start: Start) -> None:
    bad = (await _all(start))[0]["run"]["id"]
    gateway = await start(unusual=refusing(lambda url: f"/runs/{bad}/" in url, 404, "no"))
    answer = await gateway.query(TOLD)
    assert "errors" not in answer
    found = answer["data"]["taskProcessingResults"]
    assert len(found["nodes"]) == 19 * 15
    assert found["totalCount"] is None
    [part] = found["unread"]
    assert (part["runId"], part["code"], part["message"]) == (bad, "NOT_FOUND", "not this one")
    both = await gateway.query(
        """{ a: taskProcessingResults { unread { runId } } b: taskProcessingResults { nodes { id }
          } c: taskProcessingResults { ... @skip(if: true) { unread { runId } } totalCount } }"""
    )
    assert both["data"]["a"]["unread"] == [{"runId": bad}]
    assert [error["path"] for error in both["errors"]] == [["b"], ["c"]]


async def test_nothing_is_unread_where_all_could_be_read(gateway: Gateway) -> None:
    data = await gateway.data(TOLD)
    assert data["taskProcessingResults"]["unread"] == []
    assert data["taskProcessingResults"]["totalCount"] == 300
    row = (await gateway.data(TASKS))["taskProcessingResults"]["nodes"][0]
    data = await gateway.data(
        """query ($w: ID!, $r: ID!) { run(workflowId: $w, id: $r) {
          taskProcessingResults { unread { code } }
          userProcessingResults { unread { code } nodes { id } } } }""",
        w=row["workflow"]["id"],
        r=row["run"]["id"],
    )
    assert data["run"]["taskProcessingResults"] == {"unread": []}
    assert data["run"]["userProcessingResults"]["unread"] == []
    assert data["run"]["userProcessingResults"]["nodes"]


async def test_runs_of_one_workflow_that_can_not_be_listed(start: Start) -> None:
    rows = await _all(start)
    bad = rows[0]["workflow"]["id"]
    gateway = await start(unusual=refusing(lambda url: f"/{bad}/runs?" in url, 403, "Forbidden"))
    answer = await gateway.query(TOLD)
    found = answer["data"]["taskProcessingResults"]
    assert len(found["nodes"]) == len(rows) - sum(r["workflow"]["id"] == bad for r in rows)
    [part] = found["unread"]
    assert (part["workflowId"], part["runId"], part["code"]) == (bad, None, "FORBIDDEN")


async def test_user_results_of_one_workflow_that_can_not_be_listed(start: Start) -> None:
    usual = await start()
    everything = "{ workflows { nodes { id userProcessingResults { nodes { subject { id } } } } } }"
    workflows = (await usual.data(everything))["workflows"]["nodes"]
    subject = workflows[0]["userProcessingResults"]["nodes"][0]["subject"]["id"]
    rows = (await usual.data(USERS, id=subject))["userProcessingResults"]["nodes"]
    bad = rows[0]["workflow"]["id"]
    gateway = await start(
        unusual=refusing(lambda url: f"/{bad}/userProcessingResults" in url, 403, "Forbidden")
    )
    answer = await gateway.query(USERS, id=subject)
    found = answer["data"]["userProcessingResults"]
    assert found["nodes"] == [row for row in rows if row["workflow"]["id"] != bad]
    assert found["nodes"]
    assert found["totalCount"] is None
    [error] = answer["errors"]
    assert error["extensions"]["code"] == "FORBIDDEN"
    assert bad in error["message"]


async def test_pages_read_before_one_that_fails_are_kept(start: Start) -> None:
    """Of the workflows, of the runs of one, and of the results of a run."""
    every = {row["id"] for row in await _all(start, page_size=2)}
    for collection in ("workflows?", "/runs?", "/taskProcessingResults?"):
        seen: list[str] = []

        def instead(
            asked: Asked, collection: str = collection, seen: list[str] = seen
        ) -> Answered | None:
            if collection in asked.url and "skip" in asked.url.lower():
                seen.append(asked.url)
                if len(seen) == 1 or asked.url == seen[0]:
                    return graph_error(501, "no", "no such page")
            return None

        gateway = await start(unusual=Unusual(instead=instead), page_size=2)
        found = (await gateway.query(TOLD))["data"]["taskProcessingResults"]
        rows = {row["id"] for row in found["nodes"]}
        assert len(rows) == len(found["nodes"])
        assert rows < every
        assert len(rows) >= 2 * 4 * 15
        assert [part["message"] for part in found["unread"]] == ["no such page"]
        assert (found["unread"][0]["workflowId"] is None) == (collection == "workflows?")
        assert (found["unread"][0]["runId"] is not None) == ("task" in collection)


async def test_pages_go_on_in_order_although_a_part_is_missing(start: Start) -> None:
    rows = await _all(start)
    bad = rows[3]["run"]["id"]
    gateway = await start(unusual=refusing(lambda url: f"/runs/{bad}/" in url, 404, "no"))
    found: list[str] = []
    after = None
    while True:
        answer = await gateway.query(TASKS, first=40, after=after)
        page = answer["data"]["taskProcessingResults"]
        found += [row["id"] for row in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert found == [row["id"] for row in rows if row["run"]["id"] != bad]


async def test_nothing_that_could_be_read_is_an_error_as_ever(start: Start) -> None:
    gateway = await start(unusual=refusing(lambda url: "/taskProcess" in url, 403, "Forbidden"))
    answer = await gateway.query(TASKS)
    assert answer["data"]["taskProcessingResults"] is None
    [error] = answer["errors"]
    assert error["extensions"]["code"] == "FORBIDDEN"
    gateway = await start(unusual=refusing(lambda url: "/workflows?" in url, 401, "no"))
    answer = await gateway.query(TOLD)
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["UNAUTHENTICATED"]


async def test_what_is_below_the_budget_is_kept(start: Start) -> None:
    gateway = await start(Settings(max_upstream_requests=10))
    answer = await gateway.query(TOLD)
    found = answer["data"]["taskProcessingResults"]
    assert len(found["nodes"]) == (10 - 1 - 5) * 15
    assert {part["code"] for part in found["unread"]} == {"BUDGET_EXCEEDED"}
    assert len(found["unread"]) == 16


async def test_many_parts_are_told_by_one_error_of_bounded_length(start: Start) -> None:
    rows = await _all(start, workflows=15, runs=10, users=1, tasks=1)
    good = rows[0]["run"]["id"]
    gateway = await start(
        unusual=refusing(
            lambda url: "/taskProcessingResults" in url and run_of(url) != good, 404, "no"
        ),
        workflows=15,
        runs=10,
        users=1,
        tasks=1,
    )
    answer = await gateway.query(TASKS)
    [error] = answer["errors"]
    assert len(error["extensions"]["unread"]) == 100
    assert error["extensions"]["leftOut"] == 49
    assert error["message"].endswith("and 139 more")
    assert len(answer["data"]["taskProcessingResults"]["nodes"]) == 1


async def test_a_row_without_its_time_is_told_as_missing(start: Start) -> None:
    def change(asked: Asked, answer: Answered) -> None:
        if "/taskProcessingResults" in asked.url and not seen:
            seen.append(run_of(asked.url))
            answer.body["value"][1]["createdDateTime"] = 5

    seen: list[str] = []
    gateway = await start(unusual=Unusual(change=change))
    found = (await gateway.query(TOLD))["data"]["taskProcessingResults"]
    assert len(found["nodes"]) == 299
    [part] = found["unread"]
    assert part["runId"] == seen[0]
    assert "createdDateTime" in part["message"]


async def test_a_part_of_a_list_across_workflows_alone_has_the_run_too(start: Start) -> None:
    """Whoever reads the extension finds the same members in every part: no run is null."""
    data = await (await start()).data(
        "{ workflows { nodes { id userProcessingResults(first: 1) "
        "{ nodes { subject { id } } } } } }"
    )
    first = data["workflows"]["nodes"][0]
    subject = first["userProcessingResults"]["nodes"][0]["subject"]["id"]
    bad = f"workflows/{first['id']}/userProcessingResults"
    gateway = await start(unusual=refusing(lambda url: bad in url, 403, "no"))
    [error] = await gateway.errors(
        "query ($s: ID!) { userProcessingResults(subjectId: $s) { nodes { id } } }", s=subject
    )
    [part] = error["extensions"]["unread"]
    assert part["workflowId"] == first["id"]
    assert part["runId"] is None
