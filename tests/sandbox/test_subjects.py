"""Subject processing results: the user results, and those of subjects that are no users."""

import pytest

TYPES = "#microsoft.graph.identityGovernance."
OBJECT = {
    "@odata.type": f"{TYPES}provisioningObjectWorkflowSubject",
    "id": "b74f0fae-b1f3-4c96-9bf0-d4d8a8e37cbe",
    "attributeSetEntries": [{"name": "department", "value": "Engineering"}],
}


async def test_subject_results_are_the_user_results(client):
    run = await client.run_url(1, 1)
    workflow = run.partition("/runs/")[0]
    for base in (run, workflow):
        url = f"{base}/subjectProcessingResults"
        subjects = await client.rows(url)
        users = await client.rows(f"{base}/userProcessingResults")
        assert len(subjects) == len(users)
        for subject, user in zip(subjects, users, strict=True):
            assert subject["subject"] == {
                "@odata.type": f"{TYPES}directoryObjectWorkflowSubject",
                "directoryObject": {
                    "@odata.type": "#microsoft.graph.user",
                    "id": user["subject"]["id"],
                },
            }
            assert subject["subjectType"] == "user"
            assert {**subject, "subject": user["subject"]}.items() >= user.items()
        row = subjects[3]
        assert (await client.json(f"{url}/{row['id']}")).items() >= row.items()
        results = await client.rows(f"{url}/{row['id']}/taskProcessingResults")
        plain = f"{base}/userProcessingResults/{row['id']}"
        assert results == await client.rows(f"{plain}/taskProcessingResults")
        again = await client.rows(f"{url}/{row['id']}/reprocessedRuns")
        assert again == await client.rows(f"{plain}/reprocessedRuns")
        one = await client.json(f"{url}/{row['id']}/taskProcessingResults/{results[0]['id']}")
        assert one["workflowSubject"] is None
    assert (await client.error(f"{run}/subjectProcessingResults/a", 404)).startswith("itemNotFound")


async def test_filters_on_subject_results(client):
    url = f"{await client.run_url(1, 1)}/subjectProcessingResults"
    rows = await client.rows(url)
    for text in ("processingStatus ne 'queued'", "subjectType eq 'user'"):
        assert await client.rows(url, **{"$filter": text}) == rows
    assert await client.rows(url, **{"$filter": "workflowExecutionType eq 'preview'"}) == []
    for wrong in ("id eq 'a'", "subject/id eq 'a'", "startedDateTime gt 2026-01-01T00:00:00Z"):
        assert "$filter" in await client.error(url, **{"$filter": wrong})
    assert "$select" in await client.error(url, **{"$select": "id"})
    assert "$orderby" in await client.error(url, **{"$orderby": "startedDateTime"})
    assert (await client.json(url, **{"$count": "true"}))["@odata.count"] == 5


async def test_their_summary_counts_subjects(client):
    run = await client.run_url(1, 1)
    period = "startDateTime=2026-01-01T00:00:00Z,endDateTime=2027-01-01T00:00:00Z"
    for base in (run, run.partition("/runs/")[0]):
        users = await client.json(f"{base}/userProcessingResults/summary({period})")
        subjects = await client.json(f"{base}/subjectProcessingResults/summary({period})")
        assert subjects["@odata.context"].endswith("identityGovernance.subjectSummary")
        for name in ("failed", "successful", "total"):
            assert subjects[f"{name}Subjects"] == users[f"{name}Users"]
        assert subjects["totalTasks"] == users["totalTasks"] > 0


async def test_activate_and_wait(client):
    url = await client.workflow_url(2)
    users = await client.rows(f"{url}/userProcessingResults")
    answer = await client.write("POST", f"{url}/activateAndWait", {"subject": OBJECT}, 200)
    assert answer["@odata.context"].endswith("identityGovernance.awaitedWorkflowProcessingResult")
    assert answer["subject"] == OBJECT
    [run] = (await client.rows(f"{url}/runs"))[:1]
    assert run["workflowExecutionType"] == "extensibilityOnDemand"
    assert run["completedDateTime"] is not None
    below = f"{url}/runs/{run['id']}"
    [result] = await client.rows(f"{below}/subjectProcessingResults")
    assert result["subject"] == OBJECT
    assert result["subjectType"] == "provisioningObject"
    assert result["processingStatus"] == answer["processingStatus"]
    assert (await client.rows(f"{url}/subjectProcessingResults"))[0] == result
    assert await client.rows(f"{below}/userProcessingResults") == []
    assert await client.rows(f"{url}/userProcessingResults") == users
    tasks = await client.rows(
        f"{below}/subjectProcessingResults/{result['id']}/taskProcessingResults"
    )
    assert len(tasks) == run["totalTasksCount"] == 3
    assert all(row["workflowSubject"] == OBJECT and row["subject"] is None for row in tasks)
    reasons = [row["failureReason"] for row in tasks if row["failureReason"]]
    assert answer["statusReasons"] == reasons


async def test_members_above_the_sentinel_take_the_header(client):
    url = await client.workflow_url(2)
    await client.write("POST", f"{url}/activateAndWait", {"subject": OBJECT}, 200)
    del client.headers["Prefer"]
    [run] = (await client.rows(f"{url}/runs"))[:1]
    assert run["workflowExecutionType"] == "unknownFutureValue"
    [result] = await client.rows(f"{url}/runs/{run['id']}/subjectProcessingResults")
    assert result["subjectType"] == "unknownFutureValue"


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"subject": {"id": "a", "attributeSetEntries": []}},
        {"subject": {**OBJECT, "attributeSetEntries": [{"value": "a"}]}},
        {"subject": {"@odata.type": f"{TYPES}directoryObjectWorkflowSubject"}},
    ],
)
async def test_a_subject_must_be_whole(client, wrong):
    url = f"{await client.workflow_url()}/activateAndWait"
    assert "subject" in await client.refused("POST", url, wrong)


async def test_the_kinds_of_subjects_of_a_workflow(client):
    workflow = await client.workflow_url()
    assert (await client.json(workflow))["targetSubjectType"] == "user"
    assert (await client.json(f"{workflow}/versions/1"))["targetSubjectType"] == "user"
