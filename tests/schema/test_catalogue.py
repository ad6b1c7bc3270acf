"""Versions, reports, definitions, templates, extensions, settings, summaries and insights."""

from collections.abc import Iterator
from typing import Any

from tests.conftest import Gateway, Start
from tests.model import ROUTES

PERIOD = {"from": "2026-06-01T00:00:00Z", "to": "2026-07-31T00:00:00Z"}


async def _workflow(gateway: Gateway, place: int = 0) -> str:
    return (await gateway.rest("/workflows"))["value"][place]["id"]


def _call(function: str) -> str:
    return f"{function}(startDateTime={PERIOD['from']},endDateTime={PERIOD['to']})"


async def test_versions_with_their_tasks(gateway: Gateway) -> None:
    id_ = await _workflow(gateway)
    data, sent = await gateway.counted(
        """query ($id: ID!) { workflow(id: $id) { version versions { totalCount nodes {
          nodeId versionNumber displayName executionConditions { odataType }
          tasks { displayName taskDefinition { id } } workflow { id displayName } } } } }""",
        id=id_,
    )
    versions = data["workflow"]["versions"]["nodes"]
    numbers = [version["versionNumber"] for version in versions]
    assert numbers == list(range(data["workflow"]["version"], 0, -1))
    assert sent.http == 3  # the list, the versions one by one in a batch, the definitions
    one = await gateway.data(
        """query ($id: ID!, $n: Int!, $nodeId: ID!) {
          workflowVersion(workflowId: $id, versionNumber: $n) { displayName tasks { displayName } }
          node(nodeId: $nodeId) { ... on WorkflowVersion { versionNumber } } }""",
        id=id_,
        n=versions[-1]["versionNumber"],
        nodeId=versions[-1]["nodeId"],
    )
    assert one["workflowVersion"]["displayName"] == versions[-1]["displayName"]
    assert len(one["workflowVersion"]["tasks"]) == 3
    assert one["node"]["versionNumber"] == 1
    for version in versions:
        assert version["workflow"]["id"] == id_
        assert all(task["taskDefinition"]["id"] for task in version["tasks"])


async def test_task_reports_with_run_task_definition_and_results(gateway: Gateway) -> None:
    data = await gateway.data(
        """query ($id: ID!) { workflow(id: $id) { taskReports { nodes { nodeId id runId
          totalUsersCount task { displayName taskDefinition { id } } taskDefinition { id }
          run { id processingStatus workflow { id } }
          taskProcessingResults { nodes { id subject { id } workflow { id } } } } } } }""",
        id=await _workflow(gateway),
    )
    reports = data["workflow"]["taskReports"]["nodes"]
    assert len(reports) == 4 * 3
    for report in reports:
        assert report["run"]["id"] == report["runId"]
        assert len(report["taskProcessingResults"]["nodes"]) == report["totalUsersCount"] == 5
        assert report["taskDefinition"]["id"] == report["task"]["taskDefinition"]["id"]
    again = await gateway.data(
        "query ($id: ID!) { node(nodeId: $id) { ... on TaskReport { id task { displayName } } } }",
        id=reports[0]["nodeId"],
    )
    assert again["node"]["id"] == reports[0]["id"]
    assert again["node"]["task"]["displayName"] == reports[0]["task"]["displayName"]


async def test_the_results_of_a_task(gateway: Gateway) -> None:
    data = await gateway.data(
        """query ($id: ID!) { workflow(id: $id) { tasks { nodeId id
          taskProcessingResults { nodes { task { id } } } } } }""",
        id=await _workflow(gateway),
    )
    for task in data["workflow"]["tasks"]:
        results = task["taskProcessingResults"]["nodes"]
        assert len(results) == 4 * 5
        assert {result["task"]["id"] for result in results} == {task["id"]}


async def test_task_definitions_are_read_once_for_all_tasks(start: Start) -> None:
    gateway = await start(workflows=3)
    data, sent = await gateway.counted(
        """{ workflows { nodes { tasks { taskDefinition { displayName version } } runs { nodes {
          taskProcessingResults { nodes { task { taskDefinition { displayName } } } } } } } } }"""
    )
    assert len([item for item in sent.items if "taskDefinitions" in item]) == 1
    for workflow in data["workflows"]["nodes"]:
        assert all(task["taskDefinition"]["displayName"] for task in workflow["tasks"])


async def test_results_know_their_run_and_workflow_without_a_request(gateway: Gateway) -> None:
    plain = """{ workflows { nodes { id displayName runs { nodes { id processingStatus
      userProcessingResults { nodes { id taskProcessingResults { id } } } } } } } }"""
    back = """{ workflows { nodes { id runs { nodes { id userProcessingResults { nodes { id
      run { id processingStatus } workflow { displayName } taskProcessingResults { id
        run { id processingStatus } workflow { displayName } } } } } } } } }"""
    await gateway.data(plain)  # learn what is accepted
    _, without = await gateway.counted(plain)
    data, sent = await gateway.counted(back)
    assert sent.http == without.http
    for workflow in data["workflows"]["nodes"]:
        for run in workflow["runs"]["nodes"]:
            for user in run["userProcessingResults"]["nodes"]:
                assert user["run"]["id"] == run["id"]
                for task in user["taskProcessingResults"]:
                    assert task["run"] == user["run"]
                    assert task["workflow"] == user["workflow"]


async def test_summaries_are_the_services(gateway: Gateway) -> None:
    id_ = await _workflow(gateway)
    data, sent = await gateway.counted(
        """query ($id: ID!, $from: DateTime!, $to: DateTime!) { workflow(id: $id) {
          runsSummary(startDateTime: $from, endDateTime: $to) {
            failedRuns failedTasks successfulRuns totalRuns totalTasks totalUsers }
          userProcessingResultsSummary(startDateTime: $from, endDateTime: $to) {
            failedTasks failedUsers successfulUsers totalTasks totalUsers }
          taskReportsSummary(startDateTime: $from, endDateTime: $to) {
            failedTasks successfulTasks totalTasks unprocessedTasks } } }""",
        id=id_,
        **PERIOD,
    )
    assert sent.http == 1
    for name, path in (
        ("runsSummary", "runs"),
        ("userProcessingResultsSummary", "userProcessingResults"),
        ("taskReportsSummary", "taskReports"),
    ):
        rest = await gateway.rest(f"/workflows/{id_}/{path}/{_call('summary')}")
        expected = {k: v for k, v in rest.items() if "@" not in k}
        assert data["workflow"][name] == expected


async def test_insights_are_the_services(gateway: Gateway) -> None:
    data, sent = await gateway.counted(
        """query ($from: DateTime!, $to: DateTime!) { insights {
          topTasksProcessedSummary(startDateTime: $from, endDateTime: $to) {
            taskDefinitionId taskDefinitionDisplayName totalTasks failedTasks }
          topWorkflowsProcessedSummary(startDateTime: $from, endDateTime: $to) {
            workflowId workflowDisplayName totalRuns }
          workflowsProcessedByCategory(startDateTime: $from, endDateTime: $to) {
            totalJoinerRuns totalLeaverRuns totalMoverRuns }
          workflowsProcessedSummary(startDateTime: $from, endDateTime: $to) {
            totalRuns totalTasks } } }""",
        **PERIOD,
    )
    assert sent.http == 1
    for name, found in data["insights"].items():
        rest = await gateway.rest(f"/insights/{_call(name)}")
        expected = rest["value"] if isinstance(found, list) else [rest]
        rows = found if isinstance(found, list) else [found]
        assert [row | {k: e[k] for k in row} for row, e in zip(rows, expected, strict=True)] == rows


async def test_a_period_must_have_two_times_and_not_be_empty(gateway: Gateway) -> None:
    query = """query ($from: DateTime!, $to: DateTime!) { insights {
      workflowsProcessedSummary(startDateTime: $from, endDateTime: $to) { totalRuns } } }"""
    for start, end in (
        ("2026-01-01", "2026-02-01T00:00:00Z"),
        ("2026-01-01T00:00:00", "2026-02-01T00:00:00Z"),
        ("2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00"),
        ("2026-01-01T00:00:00.5Z", "2026-01-01T00:00:00Z"),
        ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z)/x"),
        ("2026-02-01T00:00:00Z", "2026-01-01T00:00:00Z"),
    ):
        await gateway.forget()
        [error] = await gateway.errors(query, **{"from": start, "to": end})
        assert error["extensions"]["code"] == "BAD_USER_INPUT"
        assert (await gateway.sent()).http == 0


async def test_what_the_tenant_has_beside_workflows(gateway: Gateway) -> None:
    data = await gateway.data(
        """{ settings { workflowScheduleIntervalInHours emailSettings { senderDomain } }
          taskDefinitions { totalCount nodes { nodeId category parameters { name valueType } } }
          workflowTemplates { nodes { nodeId category tasks { displayName } } }
          customTaskExtensions { nodes { nodeId displayName createdBy { id displayName }
            endpointConfiguration { ... on LogicAppTriggerEndpointConfiguration { url } } } }
          deletedWorkflows { nodes { id nodeId deletedDateTime runs { nodes { id } } } } }"""
    )
    assert data["settings"]["workflowScheduleIntervalInHours"] == 3
    assert data["taskDefinitions"]["totalCount"] == len(data["taskDefinitions"]["nodes"]) == 25
    assert all(template["tasks"] for template in data["workflowTemplates"]["nodes"])
    extensions = data["customTaskExtensions"]["nodes"]
    assert all(e["endpointConfiguration"]["url"].startswith("https://") for e in extensions)
    assert all(e["createdBy"]["id"] for e in extensions)
    assert all(w["deletedDateTime"] for w in data["deletedWorkflows"]["nodes"])
    for row in (
        *data["taskDefinitions"]["nodes"][:1],
        *data["workflowTemplates"]["nodes"][:1],
        *extensions[:1],
        *data["deletedWorkflows"]["nodes"][:1],
    ):
        again = await gateway.data(
            "query ($id: ID!) { node(nodeId: $id) { nodeId } }", id=row["nodeId"]
        )
        assert again["node"]["nodeId"] == row["nodeId"]


async def test_scopes_of_a_workflow(gateway: Gateway) -> None:
    data = await gateway.data(
        """{ workflows { nodes { executionScope { nodes { id nodeId subject { id } } }
          previewScope { nodes { id odataType } } administrationScopeTargets { nodes { id } }
        } } }"""
    )
    rows = [w["executionScope"]["nodes"] for w in data["workflows"]["nodes"]]
    scheduled = next(nodes for nodes in rows if nodes)
    again = await gateway.data(
        "query ($id: ID!) { node(nodeId: $id) { ... on UserProcessingResult { id } } }",
        id=scheduled[0]["nodeId"],
    )
    assert again["node"]["id"] == scheduled[0]["id"]


async def test_reprocessed_runs_are_runs_of_the_workflow(start: Start) -> None:
    gateway = await start(runs=8)
    data = await gateway.data(
        """{ workflows { nodes { id runs { nodes { id reprocessedRuns { id nodeId totalUsersCount
          userProcessingResults(first: 1) { nodes { id run { id } } } } } } } } }"""
    )
    again = [
        (run, again)
        for workflow in data["workflows"]["nodes"]
        for run in workflow["runs"]["nodes"]
        for again in run["reprocessedRuns"]
    ]
    assert again
    for _, run in again:
        assert run["userProcessingResults"]["nodes"][0]["run"]["id"] == run["id"]


async def test_every_node_id_leads_back_to_its_object(start: Start) -> None:
    gateway = await start(runs=6)
    data = await gateway.data(
        """{ workflows(first: 1) { nodes { nodeId createdBy { nodeId }
          tasks { nodeId taskDefinition { nodeId } taskProcessingResults(first: 1) {
            nodes { nodeId } } }
          versions(first: 1) { nodes { nodeId tasks { nodeId } } }
          taskReports(first: 2) { nodes { nodeId task { nodeId } taskDefinition { nodeId }
            run { nodeId } taskProcessingResults(first: 1) { nodes { nodeId task { nodeId } } } } }
          userProcessingResults(first: 1) { nodes { nodeId reprocessedRuns { nodeId }
            taskProcessingResults { nodeId subject { nodeId } } } }
          runs { nodes { nodeId reprocessedRuns { nodeId workflow { nodeId } }
            taskProcessingResults(first: 1) { nodes { nodeId task { nodeId } run { nodeId } } }
            userProcessingResults(first: 1) { nodes { nodeId
              taskProcessingResults { nodeId } } } } } } }
        taskProcessingResults(first: 1) { nodes { nodeId task { nodeId } } }
        workflowTemplates(first: 1) { nodes { nodeId tasks { nodeId } } } }"""
    )
    node_ids = sorted(set(_node_ids(data)))
    assert len(node_ids) > 40
    asked = (f'n{place}: node(nodeId: "{id_}") {{ nodeId }}' for place, id_ in enumerate(node_ids))
    again = await gateway.query("{" + " ".join(asked) + "}")
    found = [again["data"][f"n{place}"] for place in range(len(node_ids))]
    lost = [id_ for id_, node in zip(node_ids, found, strict=True) if node is None]
    # A user who was deleted from the directory keeps the id, but can't be found by it.
    assert {ROUTES.parse_node_id(id_).entity for id_ in lost} <= {"User"}, again["errors"]
    assert [node["nodeId"] for node in found if node] == [i for i in node_ids if i not in lost]


def _node_ids(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if value.get("nodeId"):
            yield value["nodeId"]
        for inner in value.values():
            yield from _node_ids(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _node_ids(inner)


async def test_templates_are_filtered_and_sorted(gateway: Gateway) -> None:
    data, sent = await gateway.counted(
        """{ workflowTemplates(filter: { category: { eq: LEAVER } },
          orderBy: [{ field: DISPLAY_NAME, direction: DESC }]) {
          totalCount nodes { category displayName tasks { displayName } } } }"""
    )
    found = data["workflowTemplates"]
    names = [node["displayName"] for node in found["nodes"]]
    assert names == sorted(names, reverse=True)
    assert {node["category"] for node in found["nodes"]} == {"LEAVER"}
    assert all(node["tasks"] for node in found["nodes"])
    assert found["totalCount"] == len(names) > 1
    assert sent.items[0] == (
        "GET /identityGovernance/lifecycleWorkflows/workflowTemplates"
        "?$select=id,category,displayName,tasks&$filter=category eq 'leaver'"
        "&$orderby=displayName desc&$count=true"
    )


async def test_extensions_are_filtered_sorted_searched_and_counted(gateway: Gateway) -> None:
    every = (await gateway.rest("/customTaskExtensions"))["value"]
    for arguments, key in (
        (f'filter: {{ id: {{ eq: "{every[-1]["id"]}" }} }}', "$filter="),
        ("orderBy: [{ field: CREATED_DATE_TIME, direction: DESC }]", "$orderby="),
        (f'search: "{every[0]["displayName"]}"', "$search="),
    ):
        data, sent = await gateway.counted(
            f"""{{ customTaskExtensions({arguments}) {{ totalCount nodes {{
              id displayName clientConfiguration {{ maximumRetries }} }} }} }}"""
        )
        found = data["customTaskExtensions"]
        assert found["totalCount"] == len(found["nodes"]) >= 1
        [item] = sent.items  # it is counted without $count
        assert key in item
        assert "?$select=id,displayName,clientConfiguration&" in item
        assert "$count" not in item
    assert len(every) > 1


async def test_a_count_that_the_service_gives_unasked_is_asked_for_by_nobody(
    gateway: Gateway,
) -> None:
    for name in ("taskDefinitions", "customTaskExtensions"):
        data, sent = await gateway.counted(f"{{ {name} {{ totalCount }} }}")
        assert data[name]["totalCount"] > 1
        [item] = sent.items
        assert "$count" not in item


async def test_the_settings_are_read_by_what_is_selected(gateway: Gateway) -> None:
    data, sent = await gateway.counted("{ settings { emailSettings { senderDomain } } }")
    assert data["settings"]["emailSettings"]["senderDomain"] == "contoso.com"
    assert sent.items == [
        "GET /identityGovernance/lifecycleWorkflows/settings?$select=emailSettings"
    ]


async def test_a_task_of_a_version_and_its_targets(gateway: Gateway) -> None:
    id_ = await _workflow(gateway)
    data = await gateway.data(
        """query ($id: ID!) { workflow(id: $id) { administrationScopeTargets { nodes { id } }
          versions { nodes { versionNumber administrationScopeTargets { nodes { id odataType } }
            tasks { id nodeId displayName } } } } }""",
        id=id_,
    )
    workflow = data["workflow"]
    assert workflow["administrationScopeTargets"]["nodes"]
    text = """query ($w: ID!, $id: ID!, $n: Int) {
        task(workflowId: $w, id: $id, versionNumber: $n) { nodeId displayName } }"""
    for version in workflow["versions"]["nodes"]:
        targets = version["administrationScopeTargets"]["nodes"]
        assert [row["id"] for row in targets] == [
            row["id"] for row in workflow["administrationScopeTargets"]["nodes"]
        ]
        task, number = version["tasks"][0], version["versionNumber"]
        found, sent = await gateway.counted(text, w=id_, id=task["id"], n=number)
        assert found["task"] == {name: task[name] for name in ("nodeId", "displayName")}
        root = "GET /identityGovernance/lifecycleWorkflows/workflows"
        assert sent.items == [f"{root}/{id_}/versions/{number}/tasks/{task['id']}"]
    [error] = await gateway.errors(text, w=id_, id=task["id"], n=0)
    assert error["extensions"]["argument"] == "versionNumber"
