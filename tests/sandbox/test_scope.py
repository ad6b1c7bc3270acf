from .conftest import LIFECYCLE, WORKFLOWS


async def test_execution_scope_is_that_of_scheduled_workflows(client):
    for row in await client.rows(WORKFLOWS):
        url = f"{WORKFLOWS}/{row['id']}"
        scope = await client.rows(f"{url}/executionScope")
        preview = await client.rows(f"{url}/previewScope")
        assert bool(scope) == row["isSchedulingEnabled"]
        if scope:
            known = await client.rows(f"{url}/userProcessingResults")
            assert all(item in known for item in scope)
            single = await client.json(f"{url}/executionScope/{scope[0]['id']}")
            assert single.items() >= scope[0].items()
        department = (await client.json(url))["executionConditions"].get("scope")
        for user in preview:
            assert user["@odata.type"] == "#microsoft.graph.user"
            select = {"$select": "department"}
            answer = await client.json(f"/v1.0/users/{user['id']}", **select)
            assert answer["department"] in department["rule"]


async def test_preview_scope_holds_everyone_of_the_department(sandbox):
    client = sandbox(users=60, workflows=2)
    url = await client.workflow_url()
    preview = {user["id"] for user in await client.rows(f"{url}/previewScope")}
    users = await client.rows(f"{url}/userProcessingResults", **{"$expand": "subject"})
    inside = {row["subject"]["id"] for row in users if row["subject"].get("displayName")} & preview
    assert len(preview) > len(inside) * 0.9 > 0


async def test_administration_scope_targets(client):
    units = await client.rows(f"{await client.workflow_url()}/administrationScopeTargets")
    assert [unit["@odata.type"] for unit in units] == ["#microsoft.graph.administrativeUnit"]
    assert await client.rows(f"{await client.workflow_url(1)}/administrationScopeTargets") == []


async def test_reprocessed_runs(sandbox):
    client = sandbox(runs=6, users=7)
    url = await client.workflow_url()
    runs = await client.rows(f"{url}/runs")
    assert all("reprocessedRuns" not in run for run in runs)
    again = [await client.rows(f"{url}/runs/{run['id']}/reprocessedRuns") for run in runs]
    assert again == [[], [], [], [], [runs[3]], []]
    assert runs[3]["workflowExecutionType"] == "activatedWithScope"
    results = f"{url}/runs/{runs[3]['id']}/userProcessingResults"
    subjects = {row["subject"]["id"] for row in await client.rows(results)}
    found = 0
    for base in (url, f"{url}/runs/{runs[4]['id']}"):
        for row in await client.rows(f"{base}/userProcessingResults"):
            rows = await client.rows(f"{base}/userProcessingResults/{row['id']}/reprocessedRuns")
            mine = f"_{runs[4]['id'].rpartition('_')[2]}_" in row["id"]
            assert rows == ([runs[3]] if mine and row["subject"]["id"] in subjects else [])
            found += bool(rows)
    assert found
    assert "$select" in await client.error(
        f"{url}/runs/{runs[4]['id']}/reprocessedRuns", **{"$select": "id"}
    )


async def test_templates(client):
    url = f"{LIFECYCLE}/workflowTemplates"
    templates = await client.rows(url)
    assert {row["category"] for row in templates} == {"joiner", "leaver", "mover"}
    definitions = {row["id"] for row in await client.rows(f"{LIFECYCLE}/taskDefinitions")}
    for row in templates:
        single = await client.json(f"{url}/{row['id']}")
        assert single["tasks"] == row["tasks"] == await client.rows(f"{url}/{row['id']}/tasks")
        assert {task["taskDefinitionId"] for task in row["tasks"]} <= definitions
    assert "itemNotFound" in await client.error(f"{url}/none", 404)


async def test_settings(client):
    settings = await client.json(f"{LIFECYCLE}/settings")
    assert settings["workflowScheduleIntervalInHours"] == 3
    assert set(settings["emailSettings"]) == {"senderDomain", "useCompanyBranding"}


async def test_custom_task_extensions(sandbox):
    url = f"{LIFECYCLE}/customTaskExtensions"
    assert len(await sandbox(workflows=0).rows(url)) == 2
    client = sandbox(tasks=13)
    named = set()
    for row in await client.rows(WORKFLOWS):
        for task in await client.rows(f"{WORKFLOWS}/{row['id']}/tasks"):
            values = {item["name"]: item["value"] for item in task["arguments"]}
            named |= (
                {values["customTaskExtensionID"]} if "customTaskExtensionID" in values else set()
            )
    listed = {row["id"] for row in await client.rows(url)}
    assert named
    assert named <= listed
    for key in listed:
        single = await client.json(f"{url}/{key}")
        assert single["createdBy"].keys() == {"id"}
    assert "itemNotFound" in await client.error(f"{url}/none", 404)
