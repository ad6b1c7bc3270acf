from itertools import pairwise

import pytest

from .conftest import WORKFLOWS


async def test_versions_are_newest_first_and_end_with_the_workflow(client):
    for row in await client.rows(WORKFLOWS):
        url = f"{WORKFLOWS}/{row['id']}"
        workflow = await client.json(url)
        versions = await client.rows(f"{url}/versions")
        assert [item["versionNumber"] for item in versions] == list(range(row["version"], 0, -1))
        newest = versions[0]
        for name in ("displayName", "description", "category", "lastModifiedDateTime"):
            assert newest[name] == workflow[name]
        assert versions[-1]["createdDateTime"] == workflow["createdDateTime"]
        for newer, older in pairwise(versions):
            assert newer["displayName"] != older["displayName"]
            assert newer["description"] != older["description"]
            assert newer["lastModifiedDateTime"] > older["lastModifiedDateTime"]
            assert newer["createdDateTime"] == older["lastModifiedDateTime"]
        for item in versions:
            assert "id" not in item
            assert "tasks" not in item
            single = await client.json(f"{url}/versions/{item['versionNumber']}")
            assert single.items() >= item.items()
            assert single["tasks"] == workflow["tasks"]
            assert single["executionConditions"] == workflow["executionConditions"]
            assert single["tasks@odata.context"].endswith(
                f"('{row['id']}')/versions({item['versionNumber']})/tasks"
            )
        for run in await client.rows(f"{url}/userProcessingResults"):
            assert 1 <= run["workflowVersion"] <= row["version"]


async def test_tasks_of_versions(client):
    url = await client.workflow_url()
    tasks = await client.rows(f"{url}/tasks")
    listed = await client.rows(f"{url}/versions", **{"$expand": "tasks($select=id,displayName)"})
    assert [task["id"] for task in listed[0]["tasks"]] == [task["id"] for task in tasks]
    assert set(listed[0]["tasks"][0]) == {"id", "displayName"}
    page = await client.json(f"{url}/versions/1/tasks")
    assert page["@odata.count"] == len(tasks)
    assert "/versions(1)/tasks" in page["@odata.context"]
    assert page["value"] == tasks
    single = await client.json(f"{url}/versions/1/tasks/{tasks[1]['id']}")
    assert single.items() >= tasks[1].items()


async def test_filters_on_versions(sandbox):
    client = sandbox(workflows=20, page_size=2)
    for row in await client.rows(WORKFLOWS):
        options = {"$filter": "versionNumber le 2", "$orderby": "versionNumber", "$count": "true"}
        rows = await client.rows(f"{WORKFLOWS}/{row['id']}/versions", **options)
        assert [item["versionNumber"] for item in rows] == [1, 2][: row["version"]]


@pytest.mark.parametrize("key", ["0", "99", "-1", "01", "x", "9" * 30])
async def test_unknown_versions(client, key):
    url = await client.workflow_url()
    assert "itemNotFound" in await client.error(f"{url}/versions/{key}", 404)
    assert "itemNotFound" in await client.error(f"{url}/versions/{key}/tasks", 404)
