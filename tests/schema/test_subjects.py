"""Subject processing results: of any kind of subject, on v1.0 and beta alike."""

from typing import Any

import pytest

from tests.conftest import Gateway, Start
from tests.upstreams import Answered, Asked, Unusual, graph_error

ROOT = "identityGovernance/lifecycleWorkflows"
ACTIVATE = """mutation ($id: ID!) { activateWorkflowAndWait(input: { workflowId: $id, subject: {
    provisioningObjectWorkflowSubject: { id: "hr-17",
        attributeSetEntries: [{ name: "jobTitle", value: "Driver" }] } } }) {
    outcome awaitedWorkflowProcessingResult { processingStatus processingStatusText statusReasons
        subject { odataType ... on ProvisioningObjectWorkflowSubject { id } } }
    workflow { id } } }"""
TREE = """query ($id: ID!) { workflow(id: $id) {
    targetSubjectType targetSubjectTypeText
    subjectProcessingResults(first: 50) { totalCount nodes { id subjectType } }
    runs(first: 1) { nodes { id
      subjectProcessingResults { totalCount nodes {
        nodeId id processingStatus subjectType subjectTypeText workflowExecutionType
        subject { __typename odataType
          ... on DirectoryObjectWorkflowSubject { directoryObject { id } }
          ... on ProvisioningObjectWorkflowSubject { id attributeSetEntries { name value } } }
        run { id } workflow { id }
        reprocessedRuns { id }
        taskProcessingResults { nodes { id subject { id displayName } workflowSubject {
          odataType ... on ProvisioningObjectWorkflowSubject { id } } } } } }
      userProcessingResults { nodes { id subject { id } } } } } } }"""


async def first_workflow(gateway: Gateway) -> str:
    data = await gateway.data("{ workflows(first: 1) { nodes { id } } }")
    return str(data["workflows"]["nodes"][0]["id"])


@pytest.mark.parametrize("version", ["v1.0", "beta"])
async def test_users_are_subjects(start: Start, version: str) -> None:
    gateway = await start(version=version)
    id_ = await first_workflow(gateway)
    data, sent = await gateway.counted(TREE, id=id_)
    workflow = data["workflow"]
    assert (workflow["targetSubjectType"], workflow["targetSubjectTypeText"]) == (["USER"], "user")
    [run] = workflow["runs"]["nodes"]
    rows = run["subjectProcessingResults"]["nodes"]
    users = run["userProcessingResults"]["nodes"]
    assert [row["id"] for row in rows] == [row["id"] for row in users]
    for row, user in zip(rows, users, strict=True):
        assert row["subject"]["__typename"] == "DirectoryObjectWorkflowSubject"
        assert row["subject"]["directoryObject"] == {"id": user["subject"]["id"]}
        assert (row["subjectType"], row["subjectTypeText"]) == (["USER"], "user")
        assert (row["run"]["id"], row["workflow"]["id"]) == (run["id"], id_)
        assert len(row["taskProcessingResults"]["nodes"]) == 3
        again = await gateway.data(
            "query ($id: ID!) { node(nodeId: $id) { ... on SubjectProcessingResult { id } } }",
            id=row["nodeId"],
        )
        assert again["node"] == {"id": row["id"]}
    assert workflow["subjectProcessingResults"]["totalCount"] == 20
    # No page has $select or $orderby for them.
    asked = [url for url in sent.items if "/subjectProcessingResults" in url]
    assert len(asked) == 1 + 1 + 5 + 5
    assert not [url for url in asked if "$orderby" in url]
    assert not [url for url in asked if "$select" in url and "taskProcessing" not in url]


async def test_objects_of_a_provisioning_job_are_subjects(start: Start) -> None:
    gateway = await start()
    id_ = await first_workflow(gateway)
    payload = (await gateway.data(ACTIVATE, id=id_))["activateWorkflowAndWait"]
    assert (payload["outcome"], payload["workflow"]["id"]) == ("DONE", id_)
    awaited = payload["awaitedWorkflowProcessingResult"]
    assert awaited["subject"]["id"] == "hr-17"
    workflow = (await gateway.data(TREE, id=id_))["workflow"]
    [run] = workflow["runs"]["nodes"]
    assert run["userProcessingResults"]["nodes"] == []
    [row] = run["subjectProcessingResults"]["nodes"]
    assert row["processingStatus"] == awaited["processingStatus"]
    assert row["subjectType"] == ["PROVISIONING_OBJECT"]
    assert row["workflowExecutionType"] == "EXTENSIBILITY_ON_DEMAND"
    assert row["subject"] == {
        "__typename": "ProvisioningObjectWorkflowSubject",
        "odataType": ("#microsoft.graph.identityGovernance.provisioningObjectWorkflowSubject"),
        "id": "hr-17",
        "attributeSetEntries": [{"name": "jobTitle", "value": "Driver"}],
    }
    for task in row["taskProcessingResults"]["nodes"]:
        assert task["subject"] is None
        assert task["workflowSubject"]["id"] == "hr-17"
    assert workflow["subjectProcessingResults"]["nodes"][0]["id"] == row["id"]


FILTERED = """query ($id: ID!, $filter: SubjectProcessingResultFilter) { workflow(id: $id) {
    subjectProcessingResults(filter: $filter) { totalCount nodes { id } } } }"""


@pytest.mark.parametrize(
    ("filter_", "sent"),
    [
        ({"processingStatus": {"eq": "FAILED"}}, "processingStatus eq 'failed'"),
        ({"subjectType": {"ne": "USER"}}, "subjectType ne 'user'"),
        (
            {"workflowExecutionType": {"in": ["EXTENSIBILITY_ON_DEMAND", "PREVIEW"]}},
            "(workflowExecutionType eq 'extensibilityOnDemand' or "
            "workflowExecutionType eq 'preview')",
        ),
    ],
)
async def test_what_is_documented_is_filtered_by_the_service(
    start: Start, filter_: dict[str, Any], sent: str
) -> None:
    gateway = await start()
    id_ = await first_workflow(gateway)
    await gateway.data(ACTIVATE, id=id_)
    _, found = await gateway.counted(FILTERED, id=id_, filter=filter_)
    [url] = [item for item in found.items if "subjectProcessingResults" in item]
    assert f"$filter={sent}" in url.replace("%27", "'").replace("%20", " ")


async def test_a_filter_on_anything_else_is_refused(gateway: Gateway) -> None:
    for name in ("id", "startedDateTime", "subject"):
        response = await gateway.post(
            {"query": FILTERED, "variables": {"id": "w", "filter": {name: {"eq": "a"}}}}
        )
        assert name in response.json()["errors"][0]["message"]


async def test_its_root_field_reads_it_below_the_run_or_the_workflow(gateway: Gateway) -> None:
    id_ = await first_workflow(gateway)
    tree = (await gateway.data(TREE, id=id_))["workflow"]
    [run] = tree["runs"]["nodes"]
    row = run["subjectProcessingResults"]["nodes"][0]
    text = """query ($w: ID!, $r: ID, $s: ID!) {
        subjectProcessingResult(workflowId: $w, runId: $r, id: $s) { id run { id } } }"""
    for given, found in ((run["id"], {"id": run["id"]}), (None, None)):
        data, sent = await gateway.counted(text, w=id_, r=given, s=row["id"])
        assert data["subjectProcessingResult"] == {"id": row["id"], "run": found}
        assert sent.items == [
            f"GET /{ROOT}/workflows/{id_}{f'/runs/{given}' if given else ''}"
            f"/subjectProcessingResults/{row['id']}"
        ]


async def test_their_summary(gateway: Gateway) -> None:
    id_ = await first_workflow(gateway)
    text = """query ($id: ID!) { workflow(id: $id) {
        subjectProcessingResultsSummary(
            startDateTime: "2026-01-01T00:00:00Z", endDateTime: "2027-01-01T00:00:00Z") {
            failedSubjects failedTasks successfulSubjects totalSubjects totalTasks } } }"""
    data, sent = await gateway.counted(text, id=id_)
    counts = data["workflow"]["subjectProcessingResultsSummary"]
    assert (counts["totalSubjects"], counts["totalTasks"]) == (20, 60)
    [url] = sent.items
    assert "/subjectProcessingResults/summary(startDateTime=" in url


async def test_a_service_that_lacks_them_keeps_the_rest(start: Start) -> None:
    """The metadata of v1.0 does not have them yet, and national clouds lag (point 26)."""

    def old(asked: Asked) -> Answered | None:
        if "subjectProcessingResults" in asked.url:
            return graph_error(400, "BadRequest", "Resource not found for the segment")
        if "workflowSubject" in asked.url:
            return graph_error(400, "BadRequest", "Could not find a property in $select.")
        return None

    gateway = await start(unusual=Unusual(instead=old))
    id_ = await first_workflow(gateway)
    text = """query ($id: ID!) { workflow(id: $id) { displayName
        subjectProcessingResults { nodes { id } }
        runs(first: 1) { nodes { taskProcessingResults(first: 1) { nodes {
            id workflowSubject { odataType } } } } } } }"""
    response = await gateway.query(text, id=id_)
    assert {tuple(error["path"]) for error in response["errors"]} == {
        ("workflow", "subjectProcessingResults")
    }
    workflow = response["data"]["workflow"]
    assert workflow["displayName"]
    assert workflow["subjectProcessingResults"] is None
    [task] = workflow["runs"]["nodes"][0]["taskProcessingResults"]["nodes"]
    assert task["id"]
    assert task["workflowSubject"] is None


@pytest.mark.parametrize(
    ("subject", "typename"),
    [
        ({"@odata.type": "microsoft.graph.identityGovernance.provisioningObjectWorkflowSubject",
          "id": "a"}, "ProvisioningObjectWorkflowSubject"),
        ({"@odata.type": "#microsoft.graph.identityGovernance.robotWorkflowSubject"},
         "UnknownWorkflowSubject"),
        ({}, "UnknownWorkflowSubject"),
    ],
)  # fmt: skip
async def test_every_kind_of_subject_is_answered(
    start: Start, subject: dict[str, Any], typename: str
) -> None:
    def change(asked: Asked, answer: Answered) -> None:
        if "/subjectProcessingResults" in asked.url:
            for row in answer.body["value"]:
                row["subject"], row["subjectType"] = subject, "user,provisioningObject,robot"

    gateway = await start(unusual=Unusual(change=change))
    id_ = await first_workflow(gateway)
    text = """query ($id: ID!) { workflow(id: $id) { subjectProcessingResults(first: 1) { nodes {
        subjectType subject { __typename odataType } } } } }"""
    [row] = (await gateway.data(text, id=id_))["workflow"]["subjectProcessingResults"]["nodes"]
    assert row["subject"] == {"__typename": typename, "odataType": subject.get("@odata.type")}
    assert row["subjectType"] == ["USER", "PROVISIONING_OBJECT", "UNKNOWN_FUTURE_VALUE"]


async def test_the_whole_of_v1_is_there_on_beta(start: Start) -> None:
    query = """{ workflows { nodes { id displayName runs { nodes { id userProcessingResults {
      nodes { id subject { displayName } taskProcessingResults { id failureReason } } } } } } } }"""
    assert await (await start(version="beta")).data(query) == await (await start()).data(query)
