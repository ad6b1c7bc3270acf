from gateway.sandbox.data.model import USER

from .conftest import WORKFLOWS


async def test_createdby_on_workflows(client):
    rows = await client.rows(WORKFLOWS, **{"$expand": "createdBy($select=id,displayName)"})
    assert all(set(row["createdBy"]) == {"id", "displayName"} for row in rows)
    url = await client.workflow_url()
    whole = await client.json(url, **{"$expand": "lastModifiedBy", "$select": "id"})
    assert set(whole["lastModifiedBy"]) == USER.default
    assert "createdBy" not in whole
    user = await client.json(f"{url}/lastModifiedBy")
    assert user.pop("@odata.context")
    assert user == whole["lastModifiedBy"]


async def test_tasks_on_a_single_workflow(client):
    url = await client.workflow_url()
    part = await client.json(url, **{"$select": "id", "$expand": "tasks($select=displayName)"})
    assert [set(task) for task in part["tasks"]] == [{"displayName"}] * 3


async def test_subjects(client):
    run = await client.run_url()
    for url in (f"{run}/userProcessingResults", f"{run}/taskProcessingResults"):
        stubs = await client.rows(url)
        assert all(set(row["subject"]) == {"id"} for row in stubs)
        rows = await client.rows(url, **{"$expand": "subject"})
        assert [row["subject"]["id"] for row in rows] == [row["subject"]["id"] for row in stubs]
        assert any(set(row["subject"]) == USER.default for row in rows)
        rows = await client.rows(url, **{"$select": "id", "$expand": "subject($select=department)"})
        assert any(set(row["subject"]) == {"department"} for row in rows)


async def test_task_results_are_refused_ignored_or_cut_short(sandbox):
    expand = {"$expand": "taskProcessingResults($select=id,processingStatus)"}
    url = f"{await sandbox().run_url()}/userProcessingResults"
    assert "'$expand'" in await sandbox().error(url, **expand)
    ignoring = sandbox(task_results_expand="ignore")
    assert await ignoring.rows(url, **expand) == await ignoring.rows(url)
    accepting = sandbox(task_results_expand="accept")
    for row in await accepting.rows(url, **expand):
        results = await accepting.rows(f"{url}/{row['id']}/taskProcessingResults")
        assert [item["id"] for item in row["taskProcessingResults"]] == [
            item["id"] for item in results
        ]
        assert set(row["taskProcessingResults"][0]) == {
            "id",
            "processingStatus",
            "subject",
            "task",
        }
    many = sandbox(task_results_expand="accept", tasks=25)
    workflow = await many.workflow_url()
    for row in await many.rows(f"{workflow}/userProcessingResults", **expand):
        assert len(row["taskProcessingResults"]) == 20
        assert row["totalTasksCount"] == 25
