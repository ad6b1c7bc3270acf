"""Answers agree with the service's own REST answers, whatever strategy was taken."""

from typing import Any

import pytest

from tests.conftest import Gateway, Start

USER_RESULT = """id completedDateTime failedTasksCount processingStatus scheduledDateTime
  startedDateTime totalTasksCount totalUnprocessedTasksCount workflowExecutionType workflowVersion
  subject { id }"""
TASK_RESULT = """id completedDateTime createdDateTime failureReason processingInfo processingStatus
  startedDateTime subject { id } task { id arguments { name value } continueOnError description
  displayName executionSequence isEnabled taskDefinitionId }"""
RUN = """id completedDateTime failedTasksCount failedUsersCount lastUpdatedDateTime processingStatus
  scheduledDateTime startedDateTime successfulUsersCount totalTasksCount totalUnprocessedTasksCount
  totalUsersCount workflowExecutionType"""
WORKFLOW = """id category createdDateTime deletedDateTime description displayName isEnabled
  isSchedulingEnabled lastModifiedDateTime nextScheduleRunDateTime version"""
TREE = f"""{{ workflows {{ nodes {{ {WORKFLOW} runs {{ nodes {{ {RUN}
  userProcessingResults {{ nodes {{ {USER_RESULT}
    taskProcessingResults {{ {TASK_RESULT} }} }} }} }} }} }} }} }}"""

ENUMS = {"processingStatus", "workflowExecutionType"}


def plain(value: Any, like: Any) -> Any:
    """A REST value cut down to what was selected, enum members in GraphQL's spelling."""
    if isinstance(like, dict) and isinstance(value, dict):
        return {name: _member(name, value.get(name), like[name]) for name in like}
    if isinstance(like, list) and isinstance(value, list):
        assert len(like) == len(value)
        return [plain(*pair) for pair in zip(value, like, strict=True)]
    return value


def _member(name: str, value: Any, like: Any) -> Any:
    if isinstance(value, str) and (name in ENUMS or (name == "category" and like != value)):
        return "".join(f"_{c}" if c.isupper() else c.upper() for c in value)
    return plain(value, like)


@pytest.mark.parametrize("sockets", [False, True])
async def test_the_whole_tree_agrees_with_rest(start: Start, sockets: bool) -> None:
    gateway = await start(workflows=3, runs=2, users=3, tasks=2, sockets=sockets)
    nodes = (await gateway.data(TREE))["workflows"]["nodes"]
    workflows = (await gateway.rest("/workflows"))["value"]
    for workflow in workflows:
        at = f"/workflows/{workflow['id']}/runs"
        workflow["runs"] = {"nodes": (await gateway.rest(at))["value"]}
        for run in workflow["runs"]["nodes"]:
            users = (await gateway.rest(f"{at}/{run['id']}/userProcessingResults"))["value"]
            run["userProcessingResults"] = {"nodes": users}
            for user in users:
                tasks = await gateway.rest(
                    f"{at}/{run['id']}/userProcessingResults/{user['id']}/taskProcessingResults"
                )
                user["taskProcessingResults"] = tasks["value"]
    assert nodes == plain(workflows, nodes)


@pytest.mark.parametrize("select", ["accept", "ignore", "refuse"])
@pytest.mark.parametrize("expand", ["accept", "ignore", "refuse"])
@pytest.mark.parametrize("volume", [(4, 5, 3), (1, 130, 2), (2, 3, 25)])
async def test_all_strategies_give_the_same_rows(
    start: Start, expand: str, select: str, volume: tuple[int, int, int]
) -> None:
    runs, users, tasks = volume
    sandbox = {"workflows": 2, "runs": runs, "users": users, "tasks": tasks, "page_size": 50}
    usual = await start(**sandbox)
    unusual = await start(**sandbox, task_results_expand=expand, select=select)
    expected = await usual.data(TREE)
    assert await unusual.data(TREE) == expected
    assert await unusual.data(TREE) == expected


async def test_an_expansion_that_is_cut_short_is_completed(start: Start) -> None:
    gateway = await start(workflows=1, runs=1, users=3, tasks=25, task_results_expand="accept")
    data = await gateway.data(TREE)
    users = data["workflows"]["nodes"][0]["runs"]["nodes"][0]["userProcessingResults"]["nodes"]
    assert [len(user["taskProcessingResults"]) for user in users] == [25, 25, 25]


async def test_a_run_in_progress_gives_all_its_rows(start: Start) -> None:
    gateway = await start(moving=True)
    data = await gateway.data(TREE)
    run = data["workflows"]["nodes"][0]["runs"]["nodes"][0]
    assert run["processingStatus"] == "IN_PROGRESS"
    users = run["userProcessingResults"]["nodes"]
    assert [len(user["taskProcessingResults"]) for user in users] == [3] * 5


@pytest.mark.parametrize("detour", ["taskProcessingResults", "userProcessingResults"])
async def test_results_are_the_same_on_other_paths(gateway: Gateway, detour: str) -> None:
    workflow = (await gateway.rest("/workflows"))["value"][0]["id"]
    fields = TASK_RESULT if detour == "taskProcessingResults" else USER_RESULT
    data = await gateway.data(
        f"query ($id: ID!) {{ workflow(id: $id) {{ runs {{ nodes {{ id {detour} {{"
        f" nodes {{ {fields} }} }} }} }} }} }}",
        id=workflow,
    )
    for run in data["workflow"]["runs"]["nodes"]:
        rest = await gateway.rest(f"/workflows/{workflow}/runs/{run['id']}/{detour}")
        nodes = run[detour]["nodes"]
        assert nodes == plain(rest["value"], nodes)


async def test_user_results_of_all_runs_of_a_workflow(gateway: Gateway) -> None:
    workflow = (await gateway.rest("/workflows"))["value"][0]["id"]
    data = await gateway.data(
        f"query ($id: ID!) {{ workflow(id: $id) {{ userProcessingResults {{ nodes {{ {USER_RESULT}"
        " taskProcessingResults { id processingStatus } } } } }",
        id=workflow,
    )
    nodes = data["workflow"]["userProcessingResults"]["nodes"]
    rest = await gateway.rest(f"/workflows/{workflow}/userProcessingResults")
    assert [node["id"] for node in nodes] == [row["id"] for row in rest["value"]]
    assert {len(node["taskProcessingResults"]) for node in nodes} == {3}


async def test_what_a_list_leaves_out_is_fetched_for_each_workflow(start: Start) -> None:
    gateway = await start(workflows=25)
    fields = """id displayName createdBy { id displayName } lastModifiedBy { id }
      tasks { id displayName executionSequence category }
      executionConditions { odataType
        ... on TriggerAndScopeBasedConditions {
          scope { odataType ... on RuleBasedSubjectSet { rule } }
          trigger { odataType ... on TimeBasedAttributeTrigger {
            offsetInDays timeBasedAttribute } } } }"""
    data, sent = await gateway.counted(f"{{ workflows {{ nodes {{ {fields} }} }} }}")
    assert sent.http == 1 + 2
    conditions = set()
    for node in data["workflows"]["nodes"]:
        one = await gateway.data(
            f"query ($id: ID!) {{ workflow(id: $id) {{ {fields} }} }}", id=node["id"]
        )
        assert one["workflow"] == node
        conditions.add(node["executionConditions"]["odataType"].rpartition(".")[2])
        assert node["createdBy"]["displayName"]
        assert [task["executionSequence"] for task in node["tasks"]] == [1, 2, 3]
    assert conditions == {"triggerAndScopeBasedConditions", "onDemandExecutionOnly"}


async def test_one_workflow_with_its_author_takes_one_request(gateway: Gateway) -> None:
    workflow = (await gateway.rest("/workflows"))["value"][0]["id"]
    data, sent = await gateway.counted(
        """query ($id: ID!) { workflow(id: $id) { displayName tasks { id }
          createdBy { displayName } lastModifiedBy { id } } }""",
        id=workflow,
    )
    assert sent.http == 1
    assert data["workflow"]["createdBy"]["displayName"]
    assert data["workflow"]["lastModifiedBy"]["id"]


async def test_a_run_knows_its_workflow_without_a_request(gateway: Gateway) -> None:
    data, sent = await gateway.counted(
        "{ workflows { nodes { id runs { nodes { id workflow { id displayName } } } } } }"
    )
    assert sent.http == 2
    for workflow in data["workflows"]["nodes"]:
        for run in workflow["runs"]["nodes"]:
            assert run["workflow"]["id"] == workflow["id"]
            assert run["workflow"]["displayName"]


async def test_task_categories_are_a_list(gateway: Gateway) -> None:
    data = await gateway.data(
        '{ workflow(id: "156ce798-1eb6-4e0a-8515-e79f54d04390") { tasks { category } } }'
    )
    assert data["workflow"]["tasks"][0]["category"] == ["JOINER", "LEAVER"]
    assert data["workflow"]["tasks"][1]["category"] == ["JOINER"]


async def test_enum_members_above_the_sentinel_are_asked_for(start: Start) -> None:
    gateway = await start(workflows=12)
    data = await gateway.data("{ workflows { nodes { category } } }")
    assert "MOVER" in {node["category"] for node in data["workflows"]["nodes"]}


ROOTS = """query ($w: ID!, $r: ID!, $u: ID!, $t: ID!) {
  workflow(id: $w) { nodeId id }
  run(workflowId: $w, id: $r) { nodeId id workflow { id } }
  atRun: userProcessingResult(workflowId: $w, runId: $r, id: $u) {
    nodeId id subject { id displayName } taskProcessingResults { id } }
  atWorkflow: userProcessingResult(workflowId: $w, id: $u) {
    nodeId id subject { id displayName } taskProcessingResults { id } }
  taskProcessingResult(workflowId: $w, runId: $r, userProcessingResultId: $u, id: $t) {
    nodeId id subject { displayName } task { displayName } }
}"""


async def _ids(gateway: Gateway) -> dict[str, str]:
    w = (await gateway.rest("/workflows"))["value"][1]["id"]
    r = (await gateway.rest(f"/workflows/{w}/runs"))["value"][2]["id"]
    u = (await gateway.rest(f"/workflows/{w}/runs/{r}/userProcessingResults"))["value"][2]["id"]
    at = f"/workflows/{w}/runs/{r}/userProcessingResults/{u}/taskProcessingResults"
    return {"w": w, "r": r, "u": u, "t": (await gateway.rest(at))["value"][1]["id"]}


async def test_every_root_finds_its_entity_in_two_layers_at_most(gateway: Gateway) -> None:
    ids = await _ids(gateway)
    data, sent = await gateway.counted(ROOTS, **ids)
    assert data["workflow"]["id"] == ids["w"]
    assert data["run"]["workflow"]["id"] == ids["w"]
    assert data["atRun"]["id"] == data["atWorkflow"]["id"] == ids["u"]
    assert data["atRun"]["taskProcessingResults"] == data["atWorkflow"]["taskProcessingResults"]
    assert len(data["atRun"]["taskProcessingResults"]) == 3
    assert data["atRun"]["subject"] == data["atWorkflow"]["subject"]
    assert data["taskProcessingResult"]["id"] == ids["t"]
    assert data["taskProcessingResult"]["task"]["displayName"]
    assert sent.http == 2


async def test_node_finds_what_a_node_id_was_read_from(gateway: Gateway) -> None:
    data = await gateway.data(ROOTS, **await _ids(gateway))
    for found in data.values():
        again = await gateway.data(
            """query ($nodeId: ID!) { node(nodeId: $nodeId) { __typename nodeId
              ... on Workflow { id } ... on Run { id }
              ... on UserProcessingResult { id } ... on TaskProcessingResult { id } } }""",
            nodeId=found["nodeId"],
        )
        assert again["node"]["nodeId"] == found["nodeId"]
        assert again["node"]["id"] == found["id"]


async def test_node_ids_do_not_depend_on_the_strategy(start: Start) -> None:
    query = """{ workflows { nodes { nodeId runs { nodes { nodeId userProcessingResults { nodes {
      nodeId subject { nodeId } taskProcessingResults { nodeId } } } } } } } }"""
    answers = [
        await (await start(task_results_expand=expand)).data(query)
        for expand in ("accept", "ignore", "refuse")
    ]
    assert answers[0] == answers[1] == answers[2]


async def test_a_node_id_of_a_user(gateway: Gateway) -> None:
    data = await gateway.data(TREE.replace("subject { id }", "subject { id nodeId displayName }"))
    runs = data["workflows"]["nodes"][0]["runs"]["nodes"]
    user = runs[0]["userProcessingResults"]["nodes"][0]["subject"]
    again = await gateway.data(
        "query ($id: ID!) { node(nodeId: $id) { ... on User { id displayName } } }",
        id=user["nodeId"],
    )
    assert again["node"] == {"id": user["id"], "displayName": user["displayName"]}


async def test_documented_records_have_their_documented_values(gateway: Gateway) -> None:
    data = await gateway.data(
        """{ run(workflowId: "14879e66-9ea9-48d0-804d-8fea672d0341",
                 id: "dad77a47-6eda-4de7-bc37-fe8eb5aaf17d") {
          totalTasksCount
          userProcessingResults { nodes { id completedDateTime
            taskProcessingResults { id startedDateTime task { displayName } } } } } }"""
    )
    assert data["run"]["totalTasksCount"] == 4
    first = data["run"]["userProcessingResults"]["nodes"][0]
    assert first["completedDateTime"] == "2022-08-24T23:28:11.1348863Z"
    assert first["taskProcessingResults"][0] == {
        "id": "05a96d7a-0e00-459c-b6c8-1870099e8275",
        "startedDateTime": "2022-08-24T23:28:05.1234966Z",
        "task": {"displayName": "Enable User Account"},
    }
