import re
from collections import Counter

from gateway.sandbox import SandboxSettings, create_sandbox
from gateway.sandbox.data.results import GeneratedRun

from .conftest import LIFECYCLE, WORKFLOWS

UNPROCESSED = {"queued", "inProgress", "canceled"}
GUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


async def check_run(client, workflow, run, users, tasks):
    """Counters, ids and statuses of one run agree with what is below it."""
    url = f"{workflow}/runs/{run['id']}"
    assert await client.rows(f"{workflow}/runs", **{"$select": "id"})
    results = await client.rows(f"{url}/userProcessingResults")
    everything = await client.rows(f"{url}/taskProcessingResults")
    assert len(results) == run["totalUsersCount"] == users
    assert len(everything) == run["totalTasksCount"] == users * tasks
    assert len({row["subject"]["id"] for row in results}) == users
    below = []
    for row in results:
        items = await client.rows(f"{url}/userProcessingResults/{row['id']}/taskProcessingResults")
        statuses = Counter(item["processingStatus"] for item in items)
        below += items
        assert row["totalTasksCount"] == len(items) == tasks
        assert row["failedTasksCount"] == statuses["failed"]
        assert row["totalUnprocessedTasksCount"] == sum(statuses[name] for name in UNPROCESSED)
        assert {item["subject"]["id"] for item in items} == {row["subject"]["id"]}
        assert [item["task"]["executionSequence"] for item in items] == list(range(1, tasks + 1))
        stopped = False
        for item in items:
            status = item["processingStatus"]
            assert bool(item["failureReason"]) == (status == "failed")
            if status in {"completed", "failed"}:
                times = ("createdDateTime", "startedDateTime", "completedDateTime")
                stamps = [item[name].rstrip("Z").ljust(19, ".").ljust(27, "0") for name in times]
                assert [stamp.replace(".", "0") for stamp in stamps] == sorted(
                    stamp.replace(".", "0") for stamp in stamps
                )
            if stopped:
                assert status in {"canceled", "queued"}
            stopped = stopped or (status == "failed" and not item["task"]["continueOnError"])
        if not UNPROCESSED & set(statuses) and not statuses["failed"]:
            assert row["processingStatus"] == "completed"
        if statuses["canceled"]:
            assert row["processingStatus"] == "failed"
    assert below == everything
    kinds = Counter(row["processingStatus"] for row in results)
    assert run["failedUsersCount"] == kinds["failed"]
    assert run["successfulUsersCount"] == kinds["completed"]
    for counter in ("failedTasksCount", "totalTasksCount", "totalUnprocessedTasksCount"):
        assert run[counter] == sum(row[counter] for row in results)
    return everything


async def test_totals_and_counters(client):
    failed = Counter()
    total = 0
    workflows = await client.rows(WORKFLOWS)
    assert len(workflows) == 5
    assert len({row["displayName"] for row in workflows}) == 5
    for row in workflows:
        url = f"{WORKFLOWS}/{row['id']}"
        runs = await client.rows(f"{url}/runs")
        assert len(runs) == 4
        starts = [run["scheduledDateTime"] for run in runs]
        assert starts == sorted(starts, reverse=True)
        for run in runs:
            items = await check_run(client, url, run, 5, 3)
            total += len(items)
            failed[row["category"]] += run["failedTasksCount"]
            assert run["processingStatus"] != "inProgress"
    assert total == 5 * 4 * 5 * 3
    assert failed["leaver"] > 3


async def test_about_an_eighth_fails(sandbox):
    client = sandbox(workflows=4, runs=2, users=200)
    failed = total = 0
    for row in await client.rows(WORKFLOWS):
        for run in await client.rows(f"{WORKFLOWS}/{row['id']}/runs"):
            failed += run["failedTasksCount"]
            total += run["totalTasksCount"]
    assert 0.09 < failed / total < 0.15


async def test_ids(client):
    workflow = await client.workflow_url()
    key = workflow.rpartition("/")[2]
    assert re.fullmatch(GUID, key)
    for run in await client.rows(f"{workflow}/runs"):
        assert re.fullmatch(rf"{key}_\d{{18}}", run["id"])
        ticks = run["id"].rpartition("_")[2]
        for row in await client.rows(f"{workflow}/runs/{run['id']}/userProcessingResults"):
            version = row["workflowVersion"]
            assert row["id"] == f"{key}_{version}_{key}_{ticks}_{row['subject']['id']}"
            assert re.fullmatch(GUID, row["subject"]["id"])


async def test_entities_are_the_same_on_all_paths(client):
    workflow, run = await client.workflow_url(1), await client.run_url(1, 2)
    users = await client.rows(f"{run}/userProcessingResults")
    everyone = await client.rows(f"{workflow}/userProcessingResults")
    assert len(everyone) == 20
    assert everyone[10:15] == users
    for row in users:
        for base in (workflow, run):
            single = await client.json(f"{base}/userProcessingResults/{row['id']}")
            assert single.pop("@odata.context").endswith("/userProcessingResults/$entity")
            assert single == row
    results = await client.rows(f"{run}/taskProcessingResults")
    by_task = []
    for task in (await client.json(workflow))["tasks"]:
        url = f"{workflow}/tasks/{task['id']}/taskProcessingResults"
        rows = await client.rows(url)
        assert len(rows) == 20
        assert {row["task"]["id"] for row in rows} == {task["id"]}
        by_task += rows[10:15]
    assert sorted(row["id"] for row in by_task) == sorted(row["id"] for row in results)
    row = results[7]
    user = users[2]["id"]
    for path in (
        f"{run}/taskProcessingResults",
        f"{run}/userProcessingResults/{user}/taskProcessingResults",
        f"{workflow}/userProcessingResults/{user}/taskProcessingResults",
        f"{workflow}/tasks/{row['task']['id']}/taskProcessingResults",
    ):
        single = await client.json(f"{path}/{row['id']}")
        assert single.pop("@odata.context")
        assert single == row
        task = await client.json(f"{path}/{row['id']}/task")
        assert task.pop("@odata.context")
        assert task == row["task"]
    other = f"{run}/userProcessingResults/{users[0]['id']}/taskProcessingResults/{row['id']}"
    assert "itemNotFound" in await client.error(other, 404)


async def test_tasks_come_from_the_definitions_of_the_category(sandbox):
    client = sandbox(tasks=25)
    definitions = {row["id"]: row for row in await client.rows(f"{LIFECYCLE}/taskDefinitions")}
    for row in await client.rows(WORKFLOWS):
        tasks = await client.rows(f"{WORKFLOWS}/{row['id']}/tasks")
        assert len({task["id"] for task in tasks}) == 25
        for task in tasks:
            definition = definitions[task["taskDefinitionId"]]
            assert task["category"] == definition["category"]
            assert row["category"] == "mover" or row["category"] in definition["category"]
            names = [item["name"] for item in task["arguments"]]
            assert names == [item["name"] for item in definition["parameters"]]


async def test_a_seed_decides_everything(sandbox):
    async def snapshot(seed):
        client = sandbox(seed=seed)
        return [
            await client.rows(f"{await client.run_url(n, 1)}/taskProcessingResults")
            for n in range(5)
        ]

    assert await snapshot(7) == await snapshot(7) != await snapshot(8)


async def test_empty_volumes(sandbox):
    assert await sandbox(workflows=0).rows(WORKFLOWS) == []
    client = sandbox(runs=0)
    workflow = await client.workflow_url()
    assert await client.rows(f"{workflow}/runs") == []
    assert await client.rows(f"{workflow}/userProcessingResults") == []
    for empty in ({"users": 0}, {"tasks": 0}):
        client = sandbox(**empty, moving=True)
        run = await client.run_url()
        assert await client.rows(f"{run}/taskProcessingResults") == []
        assert len(await client.rows(f"{run}/userProcessingResults")) == empty.get("users", 5)


async def test_a_large_volume_is_made_as_it_is_read(sandbox, monkeypatch):
    made = Counter()
    for name in ("user_result_at", "task_result_at"):
        real = getattr(GeneratedRun, name)

        def counting(run, place, real=real, name=name):
            made[name] += 1
            return real(run, place)

        monkeypatch.setattr(GeneratedRun, name, counting)
    create_sandbox(SandboxSettings(workflows=20, runs=10, users=10, tasks=5))
    assert not made
    client = sandbox(workflows=1, runs=1, users=20_000, tasks=5)
    run = await client.run_url()
    assert (await client.json(run))["totalTasksCount"] == 100_000
    assert not made
    page = await client.json(f"{run}/taskProcessingResults")
    assert len(page["value"]) == 100
    assert len((await client.json(page["@odata.nextLink"]))["value"]) == 100
    assert 200 <= made.total() < 1000
