from .conftest import LIFECYCLE
from .test_actions import TYPES, activate, check_canceled, runs_scope
from .test_authoring import create, three_kinds, workflow

EXTENSION_TASK = "4262b724-8dba-4fad-afc3-43fcbb497a0e"


async def waiting(client):
    """A run in which the second of three tasks waits for its extension."""
    extensions = await client.rows(f"{LIFECYCLE}/customTaskExtensions")
    key = next(row["id"] for row in extensions if row["callbackConfiguration"])
    task = {
        "displayName": "Ask",
        "taskDefinitionId": EXTENSION_TASK,
        "arguments": [{"name": "customTaskExtensionID", "value": key}],
    }
    plain = workflow()["tasks"]
    url = await create(client, tasks=[plain[0], task, plain[1]])
    run_url = await activate(client, url)
    await client.advance(60)
    return url, run_url


def callback(status, **members):
    data = {"@odata.type": f"#{TYPES}customTaskExtensionCallbackData", "operationStatus": status}
    return {"data": data, "source": "sample", "type": "lifecycleEvent", **members}


async def statuses(client, run_url):
    rows = await client.rows(f"{run_url}/taskProcessingResults")
    return [row["processingStatus"] for row in rows]


async def test_resume(client):
    url, run_url = await waiting(client)
    first, second = ["completed", "inProgress", "queued"], ["completed", "inProgress", "queued"]
    assert await statuses(client, run_url) == [*first, *second]
    assert (await client.json(run_url))["processingStatus"] == "inProgress"
    rows = await client.rows(f"{run_url}/taskProcessingResults")
    links = [f"{url}/tasks/{r['task']['id']}/taskProcessingResults/{r['id']}/resume" for r in rows]
    for bad in (
        {},
        {"data": {}},
        {"data": None},
        {"data": {"operationStatus": "unknownFutureValue"}},
        callback("completed", more=1),
        callback("completed", source=1),
    ):
        await client.refused("POST", links[1], bad)
    for other in (links[0], links[2]):
        assert "inProgress" in await client.refused("POST", other, callback("completed"))
    await client.refused("POST", links[1].replace(rows[1]["id"], "none"), callback("failed"), 404)
    await client.write("POST", links[1].replace("v1.0", "beta"), callback("Completed"))
    assert await statuses(client, run_url) == ["completed", "completed", "inProgress", *second]
    await client.refused("POST", links[1], callback("completed"))
    await client.write("POST", links[4], callback("failed"))
    await client.advance(10)
    assert (await statuses(client, run_url))[3:] == ["completed", "failed", "canceled"]
    assert (await statuses(client, run_url))[1] == "completed"
    failed = (await client.rows(f"{run_url}/taskProcessingResults"))[4]
    assert failed["failureReason"]
    assert failed["completedDateTime"] > failed["startedDateTime"]
    assert (await client.json(run_url))["completedDateTime"]


async def test_a_task_that_waits_too_long_fails(client):
    _, run_url = await waiting(client)
    await client.advance(3600)
    assert await statuses(client, run_url) == ["completed", "failed", "canceled"] * 2
    assert (await client.json(run_url))["processingStatus"] == "failed"


async def test_a_run_that_waits_can_be_canceled(client):
    url, run_url = await waiting(client)
    body = runs_scope(run_url.rpartition("/")[2])
    await client.write("POST", f"{url}/cancelProcessing", body)
    await check_canceled(client, run_url)


async def test_quarantine(client):
    for url in await three_kinds(client):
        before = await client.json(url)
        assert "quarantineDetails" not in before
        body = {"workflow": before["id"]}
        assert (await client.post("/sandbox/quarantine", json=body)).status_code == 204
        details = (await client.json(url))["quarantineDetails"]
        assert details["quarantineType"] == "countBasedThresholdExceeded"
        assert details["quarantinedDateTime"]
        assert details["quarantineReason"]
        answer = await client.write("POST", f"{url}/clearQuarantine", status=200)
        assert answer["quarantineDetails"]["quarantineType"] == "notQuarantined"
        after = await client.json(url)
        assert after["quarantineDetails"] == answer["quarantineDetails"]
        assert before.items() <= after.items()
    await client.refused("POST", f"{url}/clearQuarantine", {"x": 1})
    assert (await client.post("/sandbox/quarantine", json={"workflow": "x"})).status_code == 404
    assert (await client.post("/sandbox/quarantine", json={})).status_code == 400
