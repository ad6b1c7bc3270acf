"""In front of a beta root there is more; in front of v1.0 the same fields are null with a code."""

from tests.conftest import Start

QUERY = """{ workflows(first: 2) { nodes { displayName
  subjectProcessingResults(first: 2) { nodes { nodeId id subjectType processingStatus subject {
    odataType ... on DirectoryObjectWorkflowSubject { directoryObject { id } } } } }
  runs(first: 1) { nodes { id subjectProcessingResults { nodes { id
      taskProcessingResults { nodes { id workflowSubject { odataType } } } } }
    userProcessingResults { nodes { id subject { id } } }
    taskProcessingResults(first: 1) { nodes { id workflowSubject { odataType } } } } } } } }"""


async def test_what_only_beta_has(start: Start) -> None:
    gateway = await start(version="beta")
    data = await gateway.data(QUERY)
    for workflow in data["workflows"]["nodes"]:
        for row in workflow["subjectProcessingResults"]["nodes"]:
            assert row["subjectType"] == "USER"
            assert row["subject"]["directoryObject"]["id"]
            again = await gateway.data(
                "query ($id: ID!) { node(nodeId: $id) { ... on SubjectProcessingResult { id } } }",
                id=row["nodeId"],
            )
            assert again["node"]["id"] == row["id"]
        run = workflow["runs"]["nodes"][0]
        subjects = run["subjectProcessingResults"]["nodes"]
        users = run["userProcessingResults"]["nodes"]
        assert [row["id"] for row in subjects] == [row["id"] for row in users]
        assert all(len(row["taskProcessingResults"]["nodes"]) == 3 for row in subjects)
        task = run["taskProcessingResults"]["nodes"][0]
        assert task["workflowSubject"]["odataType"].endswith("directoryObjectWorkflowSubject")


async def test_v1_gives_null_and_a_code_and_is_not_asked(start: Start) -> None:
    gateway = await start()
    await gateway.forget()
    response = await gateway.query(QUERY)
    assert {error["extensions"]["code"] for error in response["errors"]} == {"NOT_SUPPORTED"}
    assert {error["extensions"]["field"] for error in response["errors"]} == {
        "Workflow.subjectProcessingResults",
        "Run.subjectProcessingResults",
        "TaskProcessingResult.workflowSubject",
    }
    for workflow in response["data"]["workflows"]["nodes"]:
        assert workflow["displayName"]
        assert workflow["subjectProcessingResults"] is None
        assert workflow["runs"]["nodes"][0]["taskProcessingResults"]["nodes"][0]["id"]
    assert not [
        item
        for item in (await gateway.sent()).items
        if "subjectProcessing" in item or "workflowSubject" in item
    ]


async def test_the_whole_of_v1_is_there_on_beta(start: Start) -> None:
    query = """{ workflows { nodes { id displayName runs { nodes { id userProcessingResults {
      nodes { id subject { displayName } taskProcessingResults { id failureReason } } } } } } } }"""
    assert await (await start(version="beta")).data(query) == await (await start()).data(query)
