import re
from collections import Counter

from .conftest import LIFECYCLE, WORKFLOWS
from .test_generated import GUID, UNPROCESSED
from .test_moving import Clock


async def check_reports(client, url):
    """Reports agree with the task results of their run and task."""
    reports = await client.rows(f"{url}/taskReports")
    tasks = await client.rows(f"{url}/tasks")
    runs = await client.rows(f"{url}/runs")
    assert [report["runId"] for report in reports] == [run["id"] for run in runs for _ in tasks]
    assert len({report["id"] for report in reports}) == len(reports)
    for place, report in enumerate(reports):
        assert re.fullmatch(GUID, report["id"])
        one = f"{url}/taskReports/{report['id']}"
        single = await client.json(one)
        assert single.pop("@odata.context").endswith("/taskReports/$entity")
        assert single == report
        task = await client.json(f"{one}/task")
        assert task.items() >= tasks[place % len(tasks)].items()
        definition = await client.json(f"{one}/taskDefinition")
        assert definition["id"] == task["taskDefinitionId"]
        results = await client.rows(f"{one}/taskProcessingResults")
        everything = await client.rows(f"{url}/runs/{report['runId']}/taskProcessingResults")
        assert results == [row for row in everything if row["task"]["id"] == task["id"]]
        statuses = Counter(row["processingStatus"] for row in results)
        assert report["totalUsersCount"] == len(results)
        assert report["failedUsersCount"] == statuses["failed"]
        assert report["successfulUsersCount"] == statuses["completed"]
        assert report["unprocessedUsersCount"] == sum(statuses[name] for name in UNPROCESSED)
        if report["processingStatus"] == "completed":
            assert set(statuses) == {"completed"}
        if statuses["queued"] + statuses["inProgress"]:
            assert report["processingStatus"] in {"queued", "inProgress"}
            assert report["completedDateTime"] is None
        else:
            ends = [row["completedDateTime"] or "" for row in results]
            assert max(ends) <= report["completedDateTime"]
        for row in results[:2]:
            assert (await client.json(f"{one}/taskProcessingResults/{row['id']}"))["id"] == row[
                "id"
            ]
    return reports


async def test_reports_agree_with_the_results(client):
    for row in await client.rows(WORKFLOWS):
        assert len(await check_reports(client, f"{WORKFLOWS}/{row['id']}")) == 4 * 3


async def test_reports_move_with_their_run(sandbox):
    clock = Clock()
    client = sandbox(moving=True, clock=clock)
    url = await client.workflow_url()
    for _ in range(4):
        reports = await check_reports(client, url)
        assert {row["processingStatus"] for row in reports[:3]} & {"queued", "inProgress"}
        clock.now += 5


async def test_expansions(client):
    url = f"{await client.workflow_url()}/taskReports"
    definitions = {row["id"]: row for row in await client.rows(f"{LIFECYCLE}/taskDefinitions")}
    plain = await client.rows(url)
    assert not {"task", "taskDefinition"} & set(plain[0])
    with_task = await client.rows(url, **{"$expand": "task"})
    for row in await client.rows(url, **{"$select": "id", "$expand": "taskDefinition"}):
        assert row["taskDefinition"] == definitions[row["taskDefinition"]["id"]]
        assert set(row) == {"id", "taskDefinition"}
    assert {row["task"]["executionSequence"] for row in with_task} == {1, 2, 3}
    selected = await client.rows(url, **{"$select": "id,task,taskProcessingResults"})
    assert set(selected[0]) == {"id"}
    assert "$expand" in await client.error(url, **{"$expand": "taskProcessingResults"})


async def test_filters(sandbox):
    client = sandbox(page_size=2)
    url = f"{await client.workflow_url(1)}/taskReports"
    rows = await client.rows(url, **{"$expand": "task"})
    task = rows[1]["task"]["id"]
    text = f"task/id eq '{task}' and not (failedUsersCount gt 1 or totalUsersCount lt 5)"
    kept = await client.json(url, **{"$filter": text, "$orderby": "failedUsersCount desc"})
    wanted = [row for row in rows if row["task"]["id"] == task and row["failedUsersCount"] <= 1]
    assert kept["@odata.count"] == len(wanted)
    assert "$filter" in await client.error(url, **{"$filter": "runId eq 'a'"})
    assert "$orderby" in await client.error(url, **{"$orderby": "startedDateTime"})
    page = await client.json(f"{url}?$count=true")
    assert page["@odata.count"] == len(rows) == 12
    assert "itemNotFound" in await client.error(f"{url}/none", 404)
    assert "itemNotFound" in await client.error(f"{url}/none/taskProcessingResults", 404)


async def test_a_large_volume_is_quick(sandbox):
    client = sandbox(workflows=1, runs=2, users=5_000, tasks=5)
    url = await client.workflow_url()
    reports = await client.rows(f"{url}/taskReports")
    page = await client.json(f"{url}/taskReports/{reports[3]['id']}/taskProcessingResults")
    assert len(page["value"]) == 100
    assert reports[3]["totalUsersCount"] == 5_000
