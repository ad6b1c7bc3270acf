import pytest

from .conftest import WORKFLOWS


def beta(url):
    return url.replace("v1.0", "beta")


async def test_subject_results_are_the_user_results(client):
    run = await client.run_url(1, 1)
    workflow = run.partition("/runs/")[0]
    for base in (run, workflow):
        url = beta(f"{base}/subjectProcessingResults")
        subjects = await client.rows(url)
        users = await client.rows(f"{base}/userProcessingResults")
        assert len(subjects) == len(users)
        for subject, user in zip(subjects, users, strict=True):
            key = user["subject"]["id"]
            assert subject["subject"] == {
                "@odata.type": (
                    "#microsoft.graph.identityGovernance.directoryObjectWorkflowSubject"
                ),
                "directoryObject": {"@odata.type": "#microsoft.graph.user", "id": key},
            }
            assert subject["subjectType"] == "user"
            assert {**subject, "subject": user["subject"]}.items() >= user.items()
        row = subjects[3]
        assert (await client.json(f"{url}/{row['id']}")).items() >= row.items()
        results = await client.rows(f"{url}/{row['id']}/taskProcessingResults")
        plain = f"{base}/userProcessingResults/{row['id']}/taskProcessingResults"
        assert results == await client.rows(beta(plain))
        assert [item["id"] for item in results] == [item["id"] for item in await client.rows(plain)]
        one = await client.json(f"{url}/{row['id']}/taskProcessingResults/{results[0]['id']}")
        assert one["workflowSubject"]["directoryObject"]["id"] == results[0]["subject"]["id"]


async def test_filters_on_subject_results(client):
    url = beta(f"{await client.run_url(1, 1)}/subjectProcessingResults")
    rows = await client.rows(url)
    text = f"processingStatus ne 'queued' and id in ('{rows[2]['id']}','{rows[0]['id']}')"
    assert await client.rows(url, **{"$filter": text}) == [rows[0], rows[2]]
    assert "$filter" in await client.error(url, **{"$filter": "subject/id eq 'a'"})
    assert (await client.json(url, **{"$count": "true"}))["@odata.count"] == 5


@pytest.mark.parametrize("tail", ["", "/a", "/a/taskProcessingResults"])
async def test_v1_has_no_subject_results(client, tail):
    for base in (await client.workflow_url(), await client.run_url()):
        message = await client.error(f"{base}/subjectProcessingResults{tail}")
        assert "Resource not found for the segment 'subjectProcessingResults'" in message


async def test_v1_has_no_members_of_beta(client):
    workflow, run = await client.workflow_url(), await client.run_url()
    url = f"{run}/taskProcessingResults"
    assert all("workflowSubject" not in row for row in await client.rows(url))
    assert "$select" in await client.error(url, **{"$select": "id,workflowSubject"})
    rows = await client.rows(beta(url), **{"$select": "id,workflowSubject"})
    assert all(row["workflowSubject"] for row in rows)
    assert "targetSubjectType" not in await client.json(workflow)
    assert (await client.json(beta(workflow)))["targetSubjectType"] == "user"
    assert "targetSubjectType" not in (await client.rows(WORKFLOWS))[0]
    assert (await client.json(beta(f"{workflow}/versions/1")))["targetSubjectType"] == "user"
