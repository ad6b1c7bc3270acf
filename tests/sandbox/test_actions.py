import pytest

from .conftest import LIFECYCLE, WORKFLOWS
from .test_authoring import create, three_kinds
from .test_generated import check_run
from .test_moving import Clock

TYPES = "microsoft.graph.identityGovernance."
PERIOD = "(startDateTime=2026-06-30T07:00:00Z,endDateTime=2027-01-01T00:00:00Z)"


async def users(client, count=2):
    rows = (await client.json("/v1.0/users"))["value"]
    return [row["id"] for row in rows[:count]]


def subjects(keys):
    return {"subjects": [{"id": key} for key in keys]}


def scope(kind, prefix="#", **members):
    return {"scope": {"@odata.type": f"{prefix}{TYPES}{kind}", **members}}


async def activate(client, url, count=2):
    await client.write("POST", f"{url}/activate", subjects(await users(client, count)))
    return f"{url}/runs/{(await client.rows(f'{url}/runs'))[0]['id']}"


async def test_a_run_moves_and_ends(sandbox):
    clock = Clock()
    client = sandbox(clock=clock, moving=True)
    url = await client.workflow_url(1)
    before = await client.rows(f"{url}/runs")
    keys = await users(client)
    run_url = await activate(client, url)
    runs = await client.rows(f"{url}/runs")
    assert runs[1:] == before
    assert (runs[0]["workflowExecutionType"], runs[0]["processingStatus"]) == (
        "onDemand",
        "inProgress",
    )
    assert runs[0]["completedDateTime"] is runs[0]["activatedOnScope"] is None
    results = await client.rows(f"{run_url}/userProcessingResults")
    assert [row["subject"]["id"] for row in results] == keys
    version = (await client.json(url))["version"]
    assert {row["workflowVersion"] for row in results} == {version}
    seen = []
    for _ in range(10):
        record = await client.json(run_url)
        await check_run(client, url, record, 2, 3)
        seen.append(record["totalUnprocessedTasksCount"])
        clock.now += 2
    assert seen == sorted(seen, reverse=True)
    assert seen[0] == 6 > seen[1]
    record = await client.json(run_url)
    assert record["processingStatus"] in {"completed", "completedWithErrors", "failed"}
    assert record["completedDateTime"] > record["startedDateTime"]
    clock.now += 1000
    assert await client.json(run_url) == record


async def test_time_stands_still_unless_it_is_moved(client):
    run_url = await activate(client, await client.workflow_url(1))
    first = await client.json(run_url)
    assert await client.json(run_url) == first
    await client.advance(2.5)
    assert (await client.json(run_url))["totalUnprocessedTasksCount"] < 6
    await client.advance(60)
    assert (await client.json(run_url))["processingStatus"] != "inProgress"


async def test_both_clocks_add_up(sandbox):
    clock = Clock()
    client = sandbox(clock=clock, moving=True)
    moving = await client.run_url()
    before = await client.rows(f"{moving}/taskProcessingResults")
    clock.now += 2
    await client.advance(2)
    after = await client.rows(f"{moving}/taskProcessingResults")
    done = [sum(row["completedDateTime"] is not None for row in rows) for rows in (before, after)]
    assert done[1] == done[0] + 2
    answer = await client.post("/sandbox/clock", json={"advance": 1})
    assert answer.json() == {"elapsed": 5}


@pytest.mark.parametrize("body", [None, {}, {"advance": -1}, {"advance": "1"}, {"advance": True}])
async def test_wrong_advances_are_refused(client, body):
    assert (await client.post("/sandbox/clock", json=body)).status_code == 400
    assert (await client.get("/sandbox/clock")).status_code == 405


async def test_every_other_run_fails(sandbox):
    failed = {}
    for attempt in range(2):
        client = sandbox()
        url = await client.workflow_url(1)
        runs = [await activate(client, url, 3) for _ in range(6)]
        await client.advance(100)
        records = [await client.json(run) for run in runs]
        failed[attempt] = [record["failedTasksCount"] for record in records]
        assert all(record["failedUsersCount"] for record in records[1::2])
        [row, *_] = await client.rows(
            f"{runs[1]}/taskProcessingResults", **{"$filter": "processingStatus eq 'failed'"}
        )
        assert row["failureReason"]
        assert len({run.rpartition("/")[2] for run in runs}) == 6
    assert failed[0] == failed[1]


async def test_everything_below_a_run(client):
    for url in await three_kinds(client):
        old = {
            path: await client.rows(f"{url}/{path}")
            for path in ("userProcessingResults", "taskReports", "runs")
        }
        run_url = await activate(client, url)
        await client.advance(30)
        record = await client.json(run_url)
        tasks = await client.rows(f"{url}/tasks")
        everything = await check_run(client, url, record, 2, len(tasks))
        results = await client.rows(f"{run_url}/userProcessingResults")
        assert await client.rows(f"{url}/userProcessingResults") == [
            *results,
            *old["userProcessingResults"],
        ]
        found = await client.rows(
            f"{url}/userProcessingResults/{results[1]['id']}/taskProcessingResults"
        )
        assert found == everything[len(tasks) :]
        for number, task in enumerate(tasks):
            rows = await client.rows(f"{url}/tasks/{task['id']}/taskProcessingResults")
            assert rows[:2] == everything[number :: len(tasks)]
        reports = await client.rows(f"{url}/taskReports")
        assert reports[len(tasks) :] == old["taskReports"]
        for number, report in enumerate(reports[: len(tasks)]):
            rows = await client.rows(f"{url}/taskReports/{report['id']}/taskProcessingResults")
            assert rows == everything[number :: len(tasks)]
            assert (report["runId"], report["totalUsersCount"]) == (record["id"], 2)
            one = f"{url}/taskReports/{report['id']}/task"
            assert (await client.json(one))["id"] == tasks[number]["id"]
        summary = await client.json(f"{url}/runs/summary{PERIOD}")
        assert (summary["totalRuns"], summary["totalTasks"]) == (1, 2 * len(tasks))
        key = everything[0]["id"]
        one = await client.json(f"{run_url}/taskProcessingResults/{key}")
        assert everything[0].items() <= one.items()
        assert await client.rows(f"{run_url}/reprocessedRuns") == []
    insights = await client.json(f"{LIFECYCLE}/insights/workflowsProcessedSummary{PERIOD}")
    assert insights["totalRuns"] == 2


async def test_runs_survive_deletion(client):
    url = await create(client)
    run_url = await activate(client, url)
    await client.advance(30)
    record = await client.json(run_url)
    await client.write("DELETE", url)
    gone = run_url.replace("/workflows/", "/deletedItems/workflows/")
    assert (await client.json(gone))["id"] == record["id"]
    rows = await client.rows(f"{gone}/taskProcessingResults")
    assert len(rows) == 4


@pytest.mark.parametrize("action", ["activate", "previewWorkflow"])
async def test_bad_subjects(sandbox, action):
    client = sandbox(users=20)
    url = await client.workflow_url()
    known = await users(client, 11)
    for body in (
        {},
        {"subjects": []},
        {"subjects": "x"},
        {"subjects": [{}]},
        {"subjects": [{"id": 1}]},
        subjects(known),
        subjects(["none"]),
        {**subjects(known[:1]), "more": 1},
    ):
        await client.refused("POST", f"{url}/{action}", body)
    await client.refused("POST", f"{url}/{action}")
    await client.refused("POST", f"{WORKFLOWS}/none/{action}", subjects(known[:1]), 404)
    assert len(await client.rows(f"{url}/runs")) == 4
    await client.write("POST", f"{url}/{action}", subjects(known[:10]))


async def test_previews(client):
    url = await client.workflow_url()
    await client.write("POST", f"{url}/previewWorkflow", subjects(await users(client)))
    run = (await client.rows(f"{url}/runs"))[0]
    assert run["workflowExecutionType"] == "preview"
    response = await client.get(f"{url}/runs/{run['id']}", headers={"Prefer": ""})
    assert response.json()["workflowExecutionType"] == "unknownFutureValue"


async def test_task_failures_are_previewed(client):
    found = []
    for row in await client.rows(WORKFLOWS):
        url = f"{WORKFLOWS}/{row['id']}"
        answer = await client.write("POST", f"{url}/previewTaskFailures", status=200)
        again = await client.write("POST", f"{url}/previewTaskFailures", {}, 200)
        assert answer == again
        tasks = {task["id"]: task for task in await client.rows(f"{url}/tasks")}
        for item in answer["value"]:
            task = tasks[item["taskId"]]
            assert (item["name"], item["definitionId"]) == (
                task["displayName"],
                task["taskDefinitionId"],
            )
            assert item["failureReason"]
        found += answer["value"]
    assert found
    assert (await client.get(f"{url}/previewTaskFailures")).status_code == 405


async def with_scope(client, url, body, action="activateWithScope"):
    await client.write("POST", f"{url}/{action}", body)
    [run, *_] = await client.rows(f"{url}/runs")
    assert run["workflowExecutionType"] == "activatedWithScope"
    results = await client.rows(f"{url}/runs/{run['id']}/userProcessingResults")
    return run, {row["subject"]["id"] for row in results}


async def test_user_and_group_scopes(client):
    url = await client.workflow_url(1)
    keys = await users(client)
    people = [{"id": key} for key in keys]
    run, chosen = await with_scope(client, url, scope("activateUserScope", "", users=people))
    assert chosen == set(keys)
    assert run["activatedOnScope"] == {
        "@odata.type": f"#{TYPES}activateUserScope",
        "users": people,
    }
    run, chosen = await with_scope(client, url, subjects(keys), "activatewithscope")
    assert chosen == set(keys)
    assert run["activatedOnScope"]["@odata.type"].endswith("activateUserScope")
    body = scope("activateGroupScope", group={"id": "some group"})
    _, chosen = await with_scope(client, url, body)
    _, again = await with_scope(client, url, body)
    assert chosen == again
    assert 1 <= len(chosen) <= 5
    for bad in (subjects(["none"]), scope("activateUserScope", users=[{"id": "none"}])):
        assert "none" in await client.refused("POST", f"{url}/activateWithScope", bad, 406)


async def test_run_scopes(sandbox):
    client = sandbox(users=20)
    url = await client.workflow_url(1)
    old = (await client.rows(f"{url}/runs"))[2]
    old_url = f"{url}/runs/{old['id']}"
    results = await client.rows(f"{old_url}/userProcessingResults")
    failed = {r["subject"]["id"] for r in results if r["processingStatus"] == "failed"}
    tasks = await client.rows(f"{old_url}/taskProcessingResults")
    assert len(failed) == old["failedUsersCount"] > 0
    again = []
    for user_scope, task_scope, expected, count in (
        ("allUsers", "allTasks", {r["subject"]["id"] for r in results}, 60),
        ("failedUsers", "allTasks", failed, 3 * len(failed)),
        (
            "allUsers",
            "failedTasks",
            {r["subject"]["id"] for r in tasks if r["processingStatus"] == "failed"},
            old["failedTasksCount"],
        ),
    ):
        members = {"userScope": user_scope, "taskScope": task_scope, "run": {"id": old["id"]}}
        run, chosen = await with_scope(client, url, scope("activateRunScope", **members))
        assert chosen == expected
        assert run["totalTasksCount"] == count
        assert run["activatedOnScope"]["run"] == {"id": old["id"]}
        again.insert(0, run["id"])
        assert [r["id"] for r in await client.rows(f"{old_url}/reprocessedRuns")] == again
    one = next(r for r in results if r["subject"]["id"] in failed)
    path = f"{old_url}/userProcessingResults/{one['id']}/reprocessedRuns"
    assert {r["id"] for r in await client.rows(path)} >= set(again)
    new = await client.rows(f"{url}/runs/{again[0]}/taskProcessingResults")
    before = {(r["subject"]["id"], r["task"]["id"]) for r in tasks if r["failureReason"]}
    assert {(r["subject"]["id"], r["task"]["id"]) for r in new} == before
    await client.advance(100)
    record = await client.json(f"{url}/runs/{again[0]}")
    assert record["completedDateTime"]


async def test_result_scopes(client):
    url = await client.workflow_url()
    results = await client.rows(f"{url}/userProcessingResults")
    chosen = [results[1], results[7]]
    body = scope(
        "activateProcessingResultScope",
        "",
        taskScope="allTasks",
        processingResults=[{"id": row["id"]} for row in chosen],
    )
    run, people = await with_scope(client, url, body, "activatewithscope")
    assert people == {row["subject"]["id"] for row in chosen}
    assert run["activatedOnScope"]["taskScope"] == "allTasks"
    runs = await client.rows(f"{url}/runs")
    for old in runs[1:3]:
        rows = await client.rows(f"{url}/runs/{old['id']}/reprocessedRuns")
        assert run["id"] in {row["id"] for row in rows}
    rows = await client.rows(f"{url}/userProcessingResults/{chosen[1]['id']}/reprocessedRuns")
    assert run["id"] in {row["id"] for row in rows}
    rows = await client.rows(f"{url}/userProcessingResults/{results[2]['id']}/reprocessedRuns")
    assert run["id"] not in {row["id"] for row in rows}


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "scope"),
        ({"scope": {}}, "@odata.type"),
        (scope("activateEverythingScope"), "@odata.type"),
        (scope("activateUserScope", users=[]), "users"),
        (scope("activateUserScope"), "users"),
        (scope("activateGroupScope", group={}), "id"),
        (scope("activateRunScope", run={"id": "x"}, taskScope="allTasks"), "userScope"),
        (
            scope("activateRunScope", run={"id": "x"}, taskScope="some", userScope="allUsers"),
            "taskScope",
        ),
        (
            scope("activateRunScope", run={"id": "x"}, taskScope="allTasks", userScope="allUsers"),
            "run",
        ),
        (
            scope(
                "activateProcessingResultScope",
                taskScope="allTasks",
                processingResults=[{"id": "none"}],
            ),
            "processingResults",
        ),
    ],
)
async def test_bad_scopes(client, body, named):
    url = await client.workflow_url()
    assert named in await client.refused("POST", f"{url}/activateWithScope", body)
    assert len(await client.rows(f"{url}/runs")) == 4


def runs_scope(*keys):
    return scope("cancelRunsScope", runs=[{"id": key} for key in keys])


async def check_canceled(client, run_url):
    record = await client.json(run_url)
    assert record["processingStatus"] == "canceled"
    assert record["completedDateTime"]
    for path in ("userProcessingResults", "taskProcessingResults"):
        statuses = {row["processingStatus"] for row in await client.rows(f"{run_url}/{path}")}
        assert "canceled" in statuses
        assert not statuses & {"queued", "inProgress"}
    return record


async def test_canceling(client):
    url = await client.workflow_url(1)
    run_url = await activate(client, url, 3)
    key = run_url.rpartition("/")[2]
    await client.advance(3)
    cancel = f"{url}/cancelProcessing"
    for body in ({}, runs_scope(), runs_scope(key, "x"), runs_scope("x"), {"scope": {"runs": []}}):
        await client.refused("POST", cancel, body)
    finished = (await client.rows(f"{url}/runs"))[1]["id"]
    assert "canceled" in await client.refused("POST", cancel, runs_scope(finished))
    await client.write("POST", cancel, runs_scope(key))
    record = await check_canceled(client, run_url)
    assert 0 < record["totalUnprocessedTasksCount"] < 9
    await client.advance(100)
    assert await client.json(run_url) == record
    await client.refused("POST", cancel, runs_scope(key))


async def test_canceling_the_generated_run_in_progress(sandbox):
    clock = Clock()
    client = sandbox(moving=True, clock=clock)
    url, run_url = await client.workflow_url(), await client.run_url()
    body = runs_scope(run_url.rpartition("/")[2])
    await client.write("POST", f"{url}/cancelProcessing", body)
    record = await check_canceled(client, run_url)
    clock.now += 100
    assert await client.json(run_url) == record
    assert record["totalUnprocessedTasksCount"] > 0


async def test_qualified_names(client):
    url = await client.workflow_url()
    body = subjects(await users(client))
    await client.write("POST", f"{url}/{TYPES}activate", body)
    await client.write("POST", f"{url}/{TYPES}clearQuarantine", status=200)
    assert "segment" in await client.refused("POST", f"{url}/{TYPES}tasks", body)


async def test_actions_in_a_batch(client):
    path = (await client.workflow_url()).removeprefix("/v1.0")
    json_ = {"Content-Type": "application/json"}
    people = subjects(await users(client))

    def item(key, action, body):
        return {
            "id": key,
            "method": "POST",
            "url": f"{path}/{action}",
            "headers": json_,
            "body": body,
        }

    answer = await client.batch(
        item("1", "activate", people),
        item("2", "activate", people),
        item("3", "previewTaskFailures", {}),
        item("4", "activateWithScope", subjects(["none"])),
        {"id": "5", "method": "POST", "url": f"{path}/clearQuarantine"},
        item("6", "activate", {}),
    )
    found = {row["id"]: row for row in answer["responses"]}
    assert [found[key]["status"] for key in "123456"] == [204, 204, 200, 406, 200, 400]
    assert set(found["4"]["body"]["error"]) == {"code", "message", "innerError"}
    assert "body" not in found["1"]
    runs = await client.rows(f"{WORKFLOWS}/{path.rpartition('/')[2]}/runs")
    assert len({run["id"] for run in runs}) == 6
