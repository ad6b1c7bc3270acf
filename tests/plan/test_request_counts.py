"""The table of request counts, exactly, at the wire: over real sockets."""

from pathlib import Path

import pytest

from gateway.settings import Settings
from tests.conftest import Start

ALL = """{ workflows { nodes { id displayName runs { nodes { id
  userProcessingResults { nodes { id subject { id }
    taskProcessingResults { id processingStatus failureReason task { displayName } }
  } } } } } } }"""
ONE = """query ($id: ID!) { workflow(id: $id) { displayName runs { nodes { id
  userProcessingResults { nodes { id
    taskProcessingResults { id processingStatus failureReason } } } } } } }"""
RUN = """query ($workflowId: ID!, $id: ID!, $first: Int) { run(workflowId: $workflowId, id: $id) {
  id userProcessingResults(first: $first) { nodes { id subject { id }
    taskProcessingResults { id processingStatus failureReason } } } } }"""

EXPAND = pytest.mark.parametrize("expand", ["refuse", "ignore", "accept"])


def _results(data: dict) -> int:
    workflows = data["workflows"]["nodes"] if "workflows" in data else [data["workflow"]]
    return sum(
        len(user["taskProcessingResults"])
        for workflow in workflows
        for run in workflow["runs"]["nodes"]
        for user in run["userProcessingResults"]["nodes"]
    )


async def test_scalar_fields_of_all_workflows_take_one_request_a_page(start: Start) -> None:
    gateway = await start(workflows=25, page_size=10, sockets=True)
    data, sent = await gateway.counted("{ workflows { nodes { id displayName category } } }")
    assert len(data["workflows"]["nodes"]) == 25
    assert sent.http == 3
    assert len(sent.items) == 3


async def test_pages_are_read_only_until_first_is_satisfied(start: Start) -> None:
    gateway = await start(workflows=25, page_size=10, sockets=True)
    data, sent = await gateway.counted("{ workflows(first: 10) { nodes { id } } }")
    assert len(data["workflows"]["nodes"]) == 10
    assert sent.http == 1


@EXPAND
async def test_one_workflow_takes_two_layers(start: Start, expand: str) -> None:
    gateway = await start(task_results_expand=expand, sockets=True)
    workflow = (await gateway.rest("/workflows"))["value"][0]["id"]
    for warm in (False, True):
        data, sent = await gateway.counted(ONE, id=workflow)
        assert _results(data) == 4 * 5 * 3
        # An expansion that is ignored is seen only when the answer is there.
        assert sent.http == (3 if expand == "ignore" and not warm else 2)
        if warm:
            assert len(sent.items) == (6 if expand == "accept" else 10)


@EXPAND
async def test_all_of_5_4_5_3(start: Start, expand: str) -> None:
    gateway = await start(task_results_expand=expand, sockets=True)
    for _ in ("cold", "warm"):
        data, sent = await gateway.counted(ALL)
        assert _results(data) == 5 * 4 * 5 * 3
        assert sent.http == (3 if expand == "accept" else 4)
    assert len(sent.items) == (26 if expand == "accept" else 46)


@EXPAND
async def test_all_of_20_10_10_5(start: Start, expand: str) -> None:
    gateway = await start(
        workflows=20, runs=10, users=10, tasks=5, task_results_expand=expand, sockets=True
    )
    for _ in ("cold", "warm", "settled"):
        data, sent = await gateway.counted(ALL)
        assert _results(data) == 20 * 10 * 10 * 5
        assert sent.http == (12 if expand == "accept" else 22)
    assert len(sent.items) == (221 if expand == "accept" else 421)


@EXPAND
async def test_one_big_run(start: Start, expand: str) -> None:
    gateway = await start(
        workflows=1, runs=1, users=2000, tasks=5, task_results_expand=expand, sockets=True
    )
    workflow = (await gateway.rest("/workflows"))["value"][0]["id"]
    run = (await gateway.rest(f"/workflows/{workflow}/runs"))["value"][0]["id"]
    for warm in (False, True):
        data, sent = await gateway.counted(RUN, workflowId=workflow, id=run, first=1000)
        users = data["run"]["userProcessingResults"]["nodes"]
        assert len(users) == 1000
        assert all(len(user["taskProcessingResults"]) == 5 for user in users)
        if expand == "accept":
            assert sent.http == 10
        else:
            # 10 pages of users one after another, then a request for each, 20 to a batch.
            refused = expand == "refuse" and not warm
            assert sent.http == refused + 10 + 1000 // 20


async def test_names_of_a_thousand_subjects(start: Start) -> None:
    gateway = await start(workflows=1, runs=1, users=1000, tasks=1, sockets=True)
    workflow = (await gateway.rest("/workflows"))["value"][0]["id"]
    run = (await gateway.rest(f"/workflows/{workflow}/runs"))["value"][0]["id"]
    query = """query ($w: ID!, $r: ID!) { run(workflowId: $w, id: $r) {
        userProcessingResults(first: 1000) { nodes { id subject { %s } } } } }"""
    _, without = await gateway.counted(query % "id", w=workflow, r=run)
    _, with_names = await gateway.counted(query % "id displayName", w=workflow, r=run)
    assert with_names.http == without.http
    _, hydrated = await gateway.counted(
        query % "id displayName department manager { id displayName }", w=workflow, r=run
    )
    assert hydrated.http <= without.http + 4


async def test_what_selects_nothing_costs_nothing(start: Start) -> None:
    gateway = await start(sockets=True)
    data, sent = await gateway.counted("{ workflows { nodes { id runs { __typename } } } }")
    assert data["workflows"]["nodes"][0]["runs"] == {"__typename": "RunConnection"}
    assert sent.http == 1
    _, sent = await gateway.counted("{ __typename __schema { queryType { name } } }")
    assert sent.http == 0


async def test_equal_edges_under_two_aliases_cost_once(start: Start) -> None:
    gateway = await start(sockets=True)
    one = "workflows { nodes { id runs { nodes { id } } } }"
    once, sent_once = await gateway.counted(f"{{ {one} }}")
    twice, sent_twice = await gateway.counted(f"{{ a: {one} b: {one} }}")
    assert twice == {"a": once["workflows"], "b": once["workflows"]}
    assert sent_twice.items == sent_once.items


async def test_aliases_that_select_differently_share_their_request(start: Start) -> None:
    gateway = await start(sockets=True)
    data, sent = await gateway.counted(
        """{ a: workflows { nodes { id } }
             b: workflows { nodes { displayName runs { nodes { id } } } } }"""
    )
    assert len(data["a"]["nodes"]) == len(data["b"]["nodes"]) == 5
    assert sent.http == 2


async def test_what_is_addressable_travels_in_the_first_layer(start: Start) -> None:
    gateway = await start(sockets=True)
    workflow = (await gateway.rest("/workflows"))["value"][0]["id"]
    run = (await gateway.rest(f"/workflows/{workflow}/runs"))["value"][0]["id"]
    _, sent = await gateway.counted(
        """query ($w: ID!, $r: ID!) {
          workflow(id: $w) {
            displayName runs { nodes { id } } userProcessingResults { nodes { id } }
          }
          run(workflowId: $w, id: $r) {
            id workflow { category } taskProcessingResults { nodes { id } }
          }
        }""",
        w=workflow,
        r=run,
    )
    assert sent.http == 1


async def test_a_workflow_s_own_user_results_take_no_request_that_is_refused(start: Start) -> None:
    gateway = await start(task_results_expand="accept", sockets=True)
    workflow = (await gateway.rest("/workflows"))["value"][0]["id"]
    query = """query ($id: ID!) { workflow(id: $id) { displayName userProcessingResults {
      nodes { id taskProcessingResults { id } } } } }"""
    data, sent = await gateway.counted(query, id=workflow)
    assert len(data["workflow"]["userProcessingResults"]["nodes"]) == 20
    assert sent.http == 1
    [batch] = sent.requests
    assert [item["status"] for item in batch["items"]] == [200, 200]


async def test_a_filter_on_the_parents_keeps_the_flat_collection_from_being_read_beside(
    start: Start,
) -> None:
    query = """query ($id: ID!) { workflow(id: $id) { runs { nodes {
      userProcessingResults(first: 1000%s) { nodes { id taskProcessingResults { id } } } } } } }"""
    some = query % ", filter: { processingStatus: { ne: COMPLETED } }"

    few = await start(workflows=1, runs=1, users=30, sockets=True)
    workflow = (await few.rest("/workflows"))["value"][0]["id"]
    _, sent = await few.counted(query % "", id=workflow)
    assert sent.http == 2  # regrouped beside the users
    _, sent = await few.counted(some, id=workflow)
    assert sent.http == 3  # regrouped after them: one page, against a request for each
    assert len([item for item in sent.items if "/taskProcessingResults?" in item]) == 1

    for setting in ("latency", "balanced"):
        settings = Settings(cost=setting)
        many = await start(settings, workflows=1, runs=1, users=300, sockets=True)
        workflow = (await many.rest("/workflows"))["value"][0]["id"]
        await many.data(some, id=workflow)
        data, sent = await many.counted(some, id=workflow)
        users = data["workflow"]["runs"]["nodes"][0]["userProcessingResults"]["nodes"]
        # Nine pages of task results one after another are slower than a request for each user, and
        # spare the service as many items.
        pages = len(users) if setting == "latency" else 9
        assert len([item for item in sent.items if "/taskProcessingResults?" in item]) == pages
        assert all(len(user["taskProcessingResults"]) == 3 for user in users)


SPARED = {
    "one workflow → runs → users → tasks": (ONE, {}, ("2 / 10", "2 / 10", "2 / 10")),
    "all workflows → runs → users → tasks, 5 × 4 × 5 × 3": (ALL, {}, ("4 / 46",) * 3),
    "one run with 300 users × 3 tasks": (
        RUN,
        {"workflows": 1, "runs": 1, "users": 300},
        ("17 / 272", "11 / 13", "11 / 13"),
    ),
    "one run with 2,000 users × 5 tasks, `first: 1000`": (
        RUN,
        {"workflows": 1, "runs": 1, "users": 2000, "tasks": 5},
        ("60 / 1012", "60 / 1012", "109 / 111"),
    ),
    "the run in progress of 100 users × 5 tasks, polled": (
        RUN,
        {"workflows": 1, "runs": 2, "users": 100, "tasks": 5, "moving": True},
        ("5 / 83", "5 / 7", "5 / 7"),
    ),
}
"""HTTP requests and items of queries, by what the setting GATEWAY_COST spares."""


def spared_table() -> str:
    """The table of docs/cost.md."""
    lines = ["| query | `latency` | `balanced` | `quota` |", "|---|---|---|---|"]
    lines += [f"| {name} | {' | '.join(counts)} |" for name, (_, _, counts) in SPARED.items()]
    return "\n".join(lines)


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("name", SPARED)
async def test_what_is_spared_is_a_setting(start: Start, name: str, place: int) -> None:
    query, shape, counts = SPARED[name]
    settings = Settings(cost=("latency", "balanced", "quota")[place])
    gateway = await start(settings, **shape)
    data = await gateway.data(
        "{ workflows { nodes { id runs { nodes { id processingStatus } } } } }"
    )
    workflow = data["workflows"]["nodes"][0]
    [run, *_] = [
        run
        for run in workflow["runs"]["nodes"]
        if not shape.get("moving") or run["processingStatus"] == "IN_PROGRESS"
    ]
    given = {ONE: {"id": workflow["id"]}, ALL: {}}.get(
        query, {"workflowId": workflow["id"], "id": run["id"], "first": 1000}
    )
    for _ in ("learns", "knows"):
        await gateway.data(query, **given)
    _, sent = await gateway.counted(query, **given)
    assert f"{sent.http} / {len(sent.items)}" == counts[place]


def test_the_document_tells_what_is_spared() -> None:
    assert spared_table() in Path("docs/cost.md").read_text(encoding="utf-8")
