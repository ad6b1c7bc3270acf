import pytest

from .conftest import WORKFLOWS
from .test_actions import PERIOD, users
from .test_authoring import TASK

NEW = {
    "@odata.type": "#microsoft.graph.identityGovernance.taskProcessingResult",
    "processingStatus": "failed",
    "completedDateTime": "2026-07-01T10:00:00Z",
    "startedDateTime": "2026-07-01T09:00:00Z",
    "failureReason": "Nobody was there",
}
USER_RESULT = {
    "@odata.type": "#microsoft.graph.identityGovernance.userProcessingResult",
    "processingStatus": "completedWithErrors",
    "failedTasksCount": 1,
    "totalTasksCount": 3,
    "workflowExecutionType": "scheduled",
    "scheduledDateTime": "2026-07-01T09:00:00Z",
}


async def plain(client, url):
    """An entity without its annotations."""
    return {k: v for k, v in (await client.json(url)).items() if "@" not in k}


@pytest.fixture(params=["live", "deleted"])
async def place(request, client):
    """The URLs of a workflow, one of its runs, one of its user results and one of its results."""
    url = await client.workflow_url()
    run = (await client.rows(f"{url}/runs"))[1]["id"]
    if request.param == "deleted":
        await client.write("DELETE", url)
        url = url.replace("/workflows/", "/deletedItems/workflows/")
    run = f"{url}/runs/{run}"
    user = (await client.rows(f"{run}/userProcessingResults"))[2]["id"]
    user = f"{run}/userProcessingResults/{user}"
    result = (await client.rows(f"{user}/taskProcessingResults"))[1]["id"]
    return url, run, user, f"{user}/taskProcessingResults/{result}"


async def test_task_results_are_created(client, place):
    url, run, user, result = place
    old = await plain(client, result)
    before = await client.rows(f"{run}/taskProcessingResults")
    made = await client.write("POST", f"{result}/task/taskProcessingResults", NEW, 201)
    assert {k: v for k, v in NEW.items() if "@" not in k}.items() <= made.items()
    assert made["createdDateTime"]
    assert made["subject"] == old["subject"]
    assert made["task"] == old["task"]
    key = made["id"]
    task = f"{url}/tasks/{old['task']['id']}/taskProcessingResults"
    whole = user.replace(f"/{run.rpartition('/')[2]}/", "/").replace("/runs/", "/")
    assert whole.startswith(f"{url}/userProcessingResults/")
    paths = (
        f"{user}/taskProcessingResults",
        f"{run}/taskProcessingResults",
        f"{whole}/taskProcessingResults",
        task,
    )
    for path in paths:
        assert (await client.rows(path))[-1]["id"] == key
        assert (await plain(client, f"{path}/{key}"))["failureReason"] == "Nobody was there"
    options = {"$filter": "failureReason ne null"}
    await client.error(f"{run}/taskProcessingResults", **options)
    page = await client.json(f"{run}/taskProcessingResults", **{"$count": "true"})
    assert page["@odata.count"] == len(before) + 1
    one = f"{result}/task/taskProcessingResults/{key}"
    assert (await plain(client, one))["id"] == key
    await client.write("DELETE", one)
    for path in paths:
        await client.error(f"{path}/{key}", 404)
    assert await client.rows(f"{run}/taskProcessingResults") == before


async def test_defaults_and_bad_task_results(client, place):
    _, _, _, result = place
    path = f"{result}/task/taskProcessingResults"
    made = await client.write("POST", path, {"processingStatus": "queued"}, 201)
    assert made["completedDateTime"] is made["failureReason"] is None
    for bad, named in (
        ({}, "processingStatus"),
        ({"processingStatus": "Failed"}, "processingStatus"),
        ({"processingStatus": "unknownFutureValue"}, "processingStatus"),
        ({**NEW, "completedDateTime": "yesterday"}, "completedDateTime"),
        ({**NEW, "failureReason": 1}, "failureReason"),
        ({**NEW, "colour": "red"}, "colour"),
        ({**NEW, "id": "x"}, "id"),
    ):
        assert named in await client.refused("POST", path, bad)
        if bad:
            assert named in await client.refused("PATCH", result, bad)
    await client.refused("POST", path)
    await client.refused("POST", path.replace("/task/", "x/task/"), NEW, 404)


@pytest.mark.parametrize("suffix", ["", "/$ref"])
async def test_task_results_are_changed_and_deleted(client, place, suffix):
    _, run, user, result = place
    old = await plain(client, result)
    changes = {"processingStatus": "canceled", "failureReason": "Changed"}
    answer = await client.write("PATCH", result, changes, 200)
    assert {k: v for k, v in answer.items() if "@" not in k} == {**old, **changes}
    again = f"{result}/task/taskProcessingResults/{old['id']}"
    assert await plain(client, again) == {**old, **changes}
    await client.write("PATCH", again, {"processingStatus": "failed"}, 200)
    everything = await client.rows(f"{run}/taskProcessingResults")
    row = next(item for item in everything if item["id"] == old["id"])
    assert (row["processingStatus"], row["failureReason"]) == ("failed", "Changed")
    await client.write("DELETE", f"{result}{suffix}")
    await client.error(result, 404)
    await client.refused("DELETE", f"{result}{suffix}", status=404)
    assert len(await client.rows(f"{run}/taskProcessingResults")) == len(everything) - 1
    assert len(await client.rows(f"{user}/taskProcessingResults")) == 2


async def test_another_task_is_not_that_of_a_result(client, place):
    _, _, user, result = place
    others = await client.rows(f"{user}/taskProcessingResults")
    path = f"{result}/task/taskProcessingResults/{others[0]['id']}"
    await client.error(path, 404)
    await client.refused("DELETE", path, status=404)


async def test_subjects(client, place):
    _, run, user, result = place
    [new, other] = await users(client)
    person = await client.json(f"/v1.0/users/{other}")
    for url in (result, user):
        old = (await plain(client, url))["subject"]["id"]
        await client.write("POST", f"{url}/subject/$ref", {"id": new})
        assert (await client.json(f"{url}/subject"))["id"] == new
        assert (await plain(client, url))["subject"] == {"id": new}
        body = {
            "@odata.type": "#microsoft.graph.user",
            "displayName": "x",
            "userPrincipalName": person["userPrincipalName"].upper(),
        }
        await client.write("POST", f"{url}/subject/$ref", body)
        assert (await plain(client, url))["subject"] == {"id": other}
        for body in (
            {"displayName": person["displayName"]},
            {"@odata.id": f"https://graph.microsoft.com/v1.0/users/{new}"},
        ):
            await client.write("POST", f"{url}/subject/$ref", body)
        for body in (
            {},
            {"id": "none"},
            {"id": 1},
            {"displayName": "Nobody"},
            {"city": "Oslo"},
            {"id": new, "colour": "red"},
        ):
            await client.refused("POST", f"{url}/subject/$ref", body)
        await client.refused("DELETE", f"{url}/subject/{old}x/$ref", status=404)
        await client.write("DELETE", f"{url}/subject/{new}/$ref")
        assert (await plain(client, url))["subject"] is None
        await client.error(f"{url}/subject", 404)
        await client.refused("DELETE", f"{url}/subject/{new}/$ref", status=404)
    rows = await client.rows(
        f"{run}/userProcessingResults", **{"$filter": f"subject/id eq '{new}'"}
    )
    assert all(row["subject"] for row in rows)
    beta = f"{run}/subjectProcessingResults".replace("v1.0", "beta")
    assert [row["subject"] for row in await client.rows(beta)].count(None) == 1


@pytest.mark.parametrize("suffix", ["", "/$ref"])
async def test_tasks(client, place, suffix):
    url = place[0]
    before = await client.rows(f"{url}/tasks")
    made = await client.write("POST", f"{url}/tasks", {**TASK, "isEnabled": False}, 201)
    assert (made["executionSequence"], made["isEnabled"]) == (4, False)
    assert made["category"] == "joiner,leaver"
    assert [task["id"] for task in await client.rows(f"{url}/tasks")][3:] == [made["id"]]
    assert len((await client.json(url))["tasks"]) == 4
    assert await client.rows(f"{url}/tasks/{made['id']}/taskProcessingResults") == []
    await client.write("DELETE", f"{url}/tasks/{made['id']}{suffix}")
    await client.write("DELETE", f"{url}/tasks/{before[0]['id']}{suffix}")
    await client.error(f"{url}/tasks/{before[0]['id']}", 404)
    await client.refused("DELETE", f"{url}/tasks/{made['id']}", status=404)
    assert await client.rows(f"{url}/tasks") == before[1:] == (await client.json(url))["tasks"]
    for bad in ({}, {**TASK, "taskDefinitionId": "x"}, {**TASK, "arguments": {}}):
        await client.refused("POST", f"{url}/tasks", bad)


@pytest.mark.parametrize("suffix", ["", "/$ref"])
async def test_user_results(client, place, suffix):
    url, run, _, _ = place
    whole = f"{url}/userProcessingResults"
    for path in (f"{run}/userProcessingResults", whole):
        before = await client.rows(whole)
        made = await client.write("POST", path, USER_RESULT, 201)
        assert made["failedTasksCount"] == 1
        assert made["totalUnprocessedTasksCount"] == 0
        one = f"{path}/{made['id']}"
        assert (await client.rows(whole))[-1]["id"] == made["id"]
        assert (await client.rows(path))[-1]["id"] == made["id"]
        assert await client.rows(f"{one}/taskProcessingResults") == []
        answer = await client.write("PATCH", one, {"totalTasksCount": 4}, 200)
        assert answer["totalTasksCount"] == 4
        assert await plain(client, one) == {k: v for k, v in answer.items() if "@" not in k}
        for bad, named in (
            ({}, "processingStatus"),
            ({**USER_RESULT, "totalTasksCount": "3"}, "totalTasksCount"),
            ({**USER_RESULT, "workflowExecutionType": "other"}, "workflowExecutionType"),
            ({**USER_RESULT, "subject": {"id": "x"}}, "subject"),
        ):
            assert named in await client.refused("POST", path, bad)
        await client.refused("PATCH", one, {"failedTasksCount": -1})
        [person] = await users(client, 1)
        await client.write("POST", f"{one}/subject/$ref", {"id": person})
        assert (await plain(client, one))["subject"] == {"id": person}
        await client.write("DELETE", f"{one}{suffix}")
        await client.error(one, 404)
        assert await client.rows(whole) == before
    mine = f"{run}/userProcessingResults"
    first = (await client.rows(mine))[0]["id"]
    await client.write("DELETE", f"{mine}/{first}{suffix}")
    await client.error(f"{mine}/{first}/taskProcessingResults", 404)
    assert len(await client.rows(mine)) == 4
    assert (await client.json(whole, **{"$count": "true"}))["@odata.count"] == 19


async def test_users_summaries(client, place):
    url, run, _, _ = place
    period = PERIOD.replace("2026-06-30T07", "2026-01-01T00")
    for path in (f"{url}/userProcessingResults", f"{run}/userProcessingResults"):
        answer = await client.json(f"{path}/usersSummary{period}")
        assert answer.pop("@odata.context").endswith("usersProcessingSummary")
        same = await client.json(f"{path}/summary{period}")
        assert answer.items() <= same.items()
        assert answer["totalUsers"] > 0
        assert len(answer) == 5


async def test_the_setting_removes_the_methods(sandbox):
    client = sandbox(draft_methods="refuse")
    url = await client.workflow_url()
    run = await client.run_url()
    user = f"{run}/userProcessingResults"
    user += f"/{(await client.rows(user))[0]['id']}"
    result = f"{user}/taskProcessingResults"
    result += f"/{(await client.rows(result))[0]['id']}"
    task = (await client.rows(f"{url}/tasks"))[0]["id"]
    for method, path in (
        ("POST", f"{result}/task/taskProcessingResults"),
        ("PATCH", result),
        ("DELETE", result),
        ("DELETE", f"{result}/$ref"),
        ("POST", f"{result}/subject/$ref"),
        ("DELETE", f"{user}/subject/x/$ref"),
        ("POST", f"{url}/tasks"),
        ("DELETE", f"{url}/tasks/{task}"),
        ("POST", f"{run}/userProcessingResults"),
        ("POST", f"{url}/userProcessingResults"),
        ("PATCH", user),
        ("DELETE", user),
    ):
        await client.refused(method, path, NEW, 405)
    path = f"{url}/userProcessingResults/usersSummary{PERIOD}"
    assert "segment 'usersSummary" in await client.error(path)
    await client.write("PATCH", f"{url}/tasks/{task}", {"displayName": "Still"})
    assert (await client.json(result))["id"]


async def test_drafts_below_documented_results(client):
    url = f"{WORKFLOWS}/14879e66-9ea9-48d0-804d-8fea672d0341"
    before = await client.rows(f"{url}/userProcessingResults")
    user = f"{url}/userProcessingResults/{before[0]['id']}"
    results = await client.rows(f"{user}/taskProcessingResults")
    one = f"{user}/taskProcessingResults/{results[0]['id']}"
    made = await client.write("POST", f"{one}/task/taskProcessingResults", NEW, 201)
    assert (await client.rows(f"{user}/taskProcessingResults"))[-1]["id"] == made["id"]
    await client.write("DELETE", one)
    assert len(await client.rows(f"{user}/taskProcessingResults")) == len(results)


async def test_drafts_in_a_batch(client):
    run = (await client.run_url()).removeprefix("/v1.0")
    header = {"Content-Type": "application/json"}
    items = [
        {
            "id": "1",
            "method": "POST",
            "url": f"{run}/userProcessingResults",
            "headers": header,
            "body": USER_RESULT,
        },
        {"id": "2", "method": "DELETE", "url": f"{run}/userProcessingResults/none/$ref"},
    ]
    answer = await client.batch(*items)
    assert [item["status"] for item in answer["responses"]] == [201, 404]
