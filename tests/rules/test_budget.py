"""What is beyond the budget is known before it is spent: what fits is answered whole."""

from typing import Any

import pytest

from gateway.plan.model import EntityType, Navigation, Regroup, Shape, Strategy
from gateway.plan.nodes import PlanNode, Window
from gateway.plan.reckon import Reckoning
from gateway.settings import Settings
from tests.conftest import Start
from tests.plan.test_request_counts import ALL, RUN

SETTING = "GATEWAY_MAX_UPSTREAM_REQUESTS"


def _users(data: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        run["userProcessingResults"]
        for workflow in data["workflows"]["nodes"]
        for run in workflow["runs"]["nodes"]
    ]


@pytest.mark.parametrize("expand", ["accept", "refuse"])
async def test_what_fits_is_answered_whole_and_the_rest_is_refused_unasked(
    start: Start, expand: str
) -> None:
    """200 runs, of which each needs one request, or two where the expansion is refused."""
    shape = {"workflows": 20, "runs": 10, "users": 10, "tasks": 5}
    gateway = await start(Settings(max_upstream_requests=121), task_results_expand=expand, **shape)
    for _ in ("asked", "learned"):
        await gateway.query(ALL)
    await gateway.forget()
    answer = await gateway.query(ALL)
    lists = _users(answer["data"])
    whole = [found for found in lists if found is not None]
    assert len(lists) == 200
    assert len(whole) == (100 if expand == "accept" else 50)
    assert all(len(u["taskProcessingResults"]) == 5 for found in whole for u in found["nodes"])
    assert len((await gateway.sent()).items) <= 121
    told = [error for error in answer["errors"] if "path" in error]
    assert len(told) > 50
    for error in told:
        assert error["path"][-1] == "userProcessingResults"
        assert error["extensions"]["code"] == "BUDGET_EXCEEDED"
        assert error["extensions"]["needed"] == 21 + (200 if expand == "accept" else 400)
        assert error["extensions"]["setting"] == SETTING


async def test_a_run_whose_counts_lie_takes_nothing_from_the_others(start: Start) -> None:
    gateway = await start(
        Settings(max_upstream_requests=40), task_results_expand="refuse", workflows=1, runs=5
    )
    for _ in ("asked", "learned"):
        await gateway.query(ALL)
    workflow = (await gateway.rest("/workflows"))["value"][0]["id"]
    first, *others = (await gateway.rest(f"/workflows/{workflow}/runs"))["value"]
    lying = {**first, "totalUsersCount": 10**9, "totalTasksCount": 10**9}
    await gateway.fault(match="/runs\\?", times=None, patch={"value": [lying, *others]})
    answer = await gateway.query(ALL)
    assert "errors" not in answer
    assert [len(found["nodes"]) for found in _users(answer["data"])] == [5] * 5


async def test_a_list_that_does_not_fit_is_cut_short_with_a_cursor_to_go_on(start: Start) -> None:
    gateway = await start(
        Settings(max_upstream_requests=20),
        task_results_expand="refuse",
        workflows=1,
        runs=1,
        users=200,
        tasks=25,
    )
    query = """query ($after: String) { workflows { nodes { runs { nodes {
      userProcessingResults(first: 200, after: $after) { nodes { id
        taskProcessingResults { id } } pageInfo { hasNextPage endCursor } } } } } } }"""
    await gateway.query(query.replace("first: 200", "first: 1"))
    seen: list[str] = []
    after, rounds = None, 0
    while True:
        answer = await gateway.query(query, after=after)
        [found] = _users(answer["data"])
        assert all(len(user["taskProcessingResults"]) == 25 for user in found["nodes"])
        seen += [user["id"] for user in found["nodes"]]
        rounds += 1
        if not found["pageInfo"]["hasNextPage"]:
            assert "errors" not in answer
            break
        [error] = answer["errors"]
        assert error["extensions"]["code"] == "BUDGET_EXCEEDED"
        assert error["extensions"]["setting"] == SETTING
        assert error["extensions"]["after"] == found["pageInfo"]["endCursor"]
        after = found["pageInfo"]["endCursor"]
    assert len(seen) == len(set(seen)) == 200
    assert 5 < rounds < 20


async def test_one_run_that_is_asked_for_by_id_keeps_its_rows(start: Start) -> None:
    """Its counts come with the first layer, so what can't be paid is found out one layer later."""
    gateway = await start(
        Settings(max_upstream_requests=10),
        task_results_expand="refuse",
        workflows=1,
        runs=1,
        users=100,
        tasks=25,
    )
    workflow = (await gateway.rest("/workflows"))["value"][0]["id"]
    run = (await gateway.rest(f"/workflows/{workflow}/runs"))["value"][0]["id"]
    answer = await gateway.query(RUN, workflowId=workflow, id=run, first=100)
    assert len(answer["data"]["run"]["userProcessingResults"]["nodes"]) == 100
    assert {e["extensions"]["code"] for e in answer["errors"]} == {"BUDGET_EXCEEDED"}


USERS = Navigation(
    name="users", target="User", shape=Shape.CONNECTION, strategies=(Strategy.REQUEST,)
)
TASKS = Navigation(
    name="tasks",
    target="Task",
    shape=Shape.LIST,
    strategies=(Strategy.REGROUP, Strategy.REQUEST),
    regroup=Regroup("Run", "allTasks", "user", parents="users#", targets="tasks#"),
)


def _reckoning(*, first: int = 1000, expanded: bool = False) -> Reckoning:
    runs = PlanNode(USERS, EntityType("Run"), "runs")
    users = PlanNode(USERS, EntityType("User"), "users", parent=runs, window=Window(first))
    users.window.nodes = True
    users.children["tasks"] = PlanNode(TASKS, EntityType("Task"), "tasks", parent=users)
    users.settle()
    return Reckoning(users, 100, expanded)


@pytest.mark.parametrize(
    ("told", "first", "expanded", "requests"),
    [
        ({"users#": 200, "tasks#": 1000}, 1000, False, 2 + 10),
        ({"users#": 200, "tasks#": 1000}, 50, False, 1 + 10),
        ({"users#": 5, "tasks#": 1000}, 50, False, 1 + 5),
        ({"users#": 200, "tasks#": 1000}, 1000, True, 2),
        ({"users#": 0, "tasks#": 0}, 1000, False, 1),
        ({}, 1000, False, 1),
        ({"users#": "many"}, 1000, False, 1),
        ({"users#": -7, "tasks#": -1}, 1000, False, 1),
    ],
)
def test_what_is_told_is_reckoned(
    told: dict[str, Any], first: int, expanded: bool, requests: int
) -> None:
    assert _reckoning(first=first, expanded=expanded).requests(told) == requests


@pytest.mark.parametrize(
    ("left", "expanded", "rows"), [(0, False, 0), (1, False, 0), (12, False, 11), (3, True, 200)]
)
def test_as_many_rows_as_can_be_paid(left: int, expanded: bool, rows: int) -> None:
    told = {"users#": 200, "tasks#": 1000}
    assert _reckoning(expanded=expanded).affordable(told, left) == rows
