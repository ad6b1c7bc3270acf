"""The table of request counts, exactly, at the wire: over real sockets."""

import pytest

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


@EXPAND
async def test_all_of_5_4_5_3(start: Start, expand: str) -> None:
    gateway = await start(task_results_expand=expand, sockets=True)
    for _ in ("cold", "warm"):
        data, sent = await gateway.counted(ALL)
        assert _results(data) == 5 * 4 * 5 * 3
        assert sent.http == (3 if expand == "accept" else 4)


@EXPAND
async def test_all_of_20_10_10_5(start: Start, expand: str) -> None:
    gateway = await start(
        workflows=20, runs=10, users=10, tasks=5, task_results_expand=expand, sockets=True
    )
    for _ in ("cold", "warm"):
        data, sent = await gateway.counted(ALL)
        assert _results(data) == 20 * 10 * 10 * 5
        assert sent.http == (12 if expand == "accept" else 22)


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

    many = await start(workflows=1, runs=1, users=300, sockets=True)
    workflow = (await many.rest("/workflows"))["value"][0]["id"]
    await many.data(some, id=workflow)
    data, sent = await many.counted(some, id=workflow)
    users = data["workflow"]["runs"]["nodes"][0]["userProcessingResults"]["nodes"]
    # Nine pages of task results one after another lose against one request for each user.
    assert len([item for item in sent.items if "/taskProcessingResults?" in item]) == len(users)
    assert all(len(user["taskProcessingResults"]) == 3 for user in users)
