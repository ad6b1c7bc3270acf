import json
from pathlib import Path

import pytest

from .conftest import LIFECYCLE, WORKFLOWS

DATA = Path(__file__).parents[1] / "data"
DELETED = f"{LIFECYCLE}/deletedItems/workflows"
EXTENSIONS = f"{LIFECYCLE}/customTaskExtensions"
POP_TOKEN = {"@odata.type": "#microsoft.graph.azureAdPopTokenAuthentication"}
DOCUMENTED = "156ce798-1eb6-4e0a-8515-e79f54d04390"


def example(name):
    return json.loads((DATA / f"{name}.json").read_text("utf-8"))["request"]["body"]


def workflow(**members):
    return {**example("workflow-create"), **members}


async def create(client, **members):
    made = await client.write("POST", WORKFLOWS, workflow(**members), 201)
    return f"{WORKFLOWS}/{made['id']}"


async def three_kinds(client):
    """A generated, a documented and a created workflow."""
    return [
        await client.workflow_url(),
        f"{WORKFLOWS}/{DOCUMENTED}",
        await create(client, displayName="Created"),
    ]


async def test_a_created_workflow_is_in_all_reads(client):
    before = await client.rows(WORKFLOWS)
    made = await client.write("POST", WORKFLOWS, workflow(), 201)
    assert made.pop("@odata.context").endswith("lifecycleWorkflows/workflows/$entity")
    sent = workflow()
    assert {name: made[name] for name in sent if name != "tasks"} == {
        name: value for name, value in sent.items() if name != "tasks"
    }
    assert (made["version"], made["deletedDateTime"]) == (1, None)
    assert not {"tasks", "createdBy"} & set(made)
    url = f"{WORKFLOWS}/{made['id']}"
    single = await client.json(url)
    assert made.items() <= single.items()
    assert [task["displayName"] for task in single["tasks"]] == [
        "Enable User Account",
        "Send Welcome Email",
    ]
    assert [task["executionSequence"] for task in single["tasks"]] == [1, 2]
    assert single["tasks"][1]["category"] == "joiner"
    assert await client.rows(f"{url}/tasks") == single["tasks"]
    assert await client.rows(f"{url}/runs") == []
    assert await client.rows(f"{url}/executionScope") == []
    [version] = await client.rows(f"{url}/versions")
    assert version["versionNumber"] == 1
    assert (await client.json(f"{url}/versions/1"))["tasks"] == single["tasks"]
    rows = await client.rows(WORKFLOWS)
    assert rows[:-1] == before
    assert rows[-1].items() <= made.items()
    for options in (
        {"$search": '"Australia Onboard"'},
        {"$filter": f"id eq '{made['id']}'"},
        {"$filter": "displayName eq 'Australia Onboard new hire employee'"},
        {"$orderby": "createdDateTime desc", "$filter": "version eq 1 and category eq 'joiner'"},
    ):
        assert (await client.rows(WORKFLOWS, **options))[0]["id"] == made["id"]
    author = await client.json(f"{url}/createdBy")
    assert author["id"] == single["createdBy"]["id"]


async def test_defaults_of_a_created_workflow(client):
    sent = workflow()
    for name in ("isEnabled", "isSchedulingEnabled", "description"):
        del sent[name]
    sent["tasks"] = [{k: sent["tasks"][0][k] for k in ("displayName", "taskDefinitionId")}]
    sent["tasks"][0]["arguments"] = []
    made = await client.write("POST", WORKFLOWS.replace("v1.0", "beta"), sent, 201)
    assert (made["isEnabled"], made["isSchedulingEnabled"]) == (True, False)
    assert made["nextScheduleRunDateTime"] is made["description"] is None
    [task] = (await client.json(f"{WORKFLOWS}/{made['id']}"))["tasks"]
    assert (task["isEnabled"], task["continueOnError"]) == (True, False)


TASK = workflow()["tasks"][0]
TRIGGER = {
    "@odata.type": "#microsoft.graph.identityGovernance.timeBasedAttributeTrigger",
    "timeBasedAttribute": "employeeHireDate",
    "offsetInDays": 181,
}
CONDITIONS = workflow()["executionConditions"]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"category": None}, "category"),
        ({"category": "unknownFutureValue"}, "category"),
        ({"displayName": ""}, "displayName"),
        ({"isEnabled": "yes"}, "isEnabled"),
        ({"isEnabled": False, "isSchedulingEnabled": True}, "isSchedulingEnabled"),
        ({"id": "x"}, "id"),
        ({"colour": "red"}, "colour"),
        ({"executionConditions": None}, "executionConditions"),
        ({"executionConditions": {"@odata.type": "#other"}}, "executionConditions"),
        ({"executionConditions": {**CONDITIONS, "trigger": TRIGGER}}, "offsetInDays"),
        ({"tasks": []}, "tasks"),
        ({"tasks": [TASK] * 26}, "tasks"),
        ({"tasks": [{**TASK, "taskDefinitionId": "none"}]}, "tasks[0].taskDefinitionId"),
        ({"tasks": [{**TASK, "arguments": [{"value": "x"}]}]}, "tasks[0].arguments[0].name"),
        ({"tasks": [TASK, {**TASK, "arguments": None}]}, "tasks[1].arguments"),
        ({"tasks": [{**TASK, "id": "x"}]}, "tasks[0].id"),
    ],
)
async def test_bad_workflows(client, change, named):
    before = await client.rows(WORKFLOWS)
    assert named in await client.refused("POST", WORKFLOWS, workflow(**change))
    url = await client.workflow_url()
    body = {"workflow": workflow(**change)}
    assert named in await client.refused("POST", f"{url}/createNewVersion", body)
    assert await client.rows(WORKFLOWS) == before


@pytest.mark.parametrize("name", ["category", "displayName", "executionConditions", "tasks"])
async def test_required_members(client, name):
    sent = workflow()
    del sent[name]
    assert f"'{name}' is required" in await client.refused("POST", WORKFLOWS, sent)


async def test_bodies_and_options(client):
    assert "body" in await client.refused("POST", WORKFLOWS)
    assert "object" in await client.refused("POST", WORKFLOWS, [1])
    assert "$select" in await client.refused("POST", f"{WORKFLOWS}?$select=id", workflow())
    response = await client.post(WORKFLOWS, content=b"{")
    assert response.status_code == 400


async def test_names_are_unique(client):
    await create(client)
    assert "displayName" in await client.refused("POST", WORKFLOWS, workflow())
    url = await client.workflow_url()
    name = workflow()["displayName"]
    assert "displayName" in await client.refused("PATCH", url, {"displayName": name})
    own = (await client.json(url))["displayName"]
    await client.write("PATCH", url, {"displayName": own})


async def test_updates(client):
    changes = {"displayName": "Renamed", "description": None, "isSchedulingEnabled": False}
    for number, url in enumerate(await three_kinds(client)):
        old = await client.json(url)
        sent = {**changes, "displayName": f"Renamed {number}"}
        await client.write("PATCH", url, sent)
        new = await client.json(url)
        assert sent.items() <= new.items()
        assert new["nextScheduleRunDateTime"] is None
        assert new["lastModifiedDateTime"] > old["lastModifiedDateTime"]
        assert new["version"] == old["version"]
        assert new["tasks"] == old["tasks"]
        newest, *older = await client.rows(f"{url}/versions")
        assert sent.items() <= newest.items()
        assert len(older) == new["version"] - 1 or url.endswith(DOCUMENTED)
        for bad in ({"category": "leaver"}, {"tasks": []}, {"displayName": None}, {"version": 9}):
            assert next(iter(bad)) in await client.refused("PATCH", url, bad)
        refused = {"isEnabled": False, "isSchedulingEnabled": True}
        assert "isSchedulingEnabled" in await client.refused("PATCH", url, refused)
        assert await client.json(url) == new
    rows = await client.rows(WORKFLOWS, **{"$search": '"Renamed"'})
    assert [row["displayName"] for row in rows] == ["Renamed 0", "Renamed 2"]
    assert len(await client.rows(WORKFLOWS)) == 6
    await client.refused("PATCH", f"{WORKFLOWS}/none", changes, 404)


async def test_deletion_restoring_and_deletion_for_good(client):
    known = len(await client.rows(DELETED))
    for url in await three_kinds(client):
        key = url.rpartition("/")[2]
        gone = f"{DELETED}/{key}"
        await client.write("PATCH", url, {"description": "Changed"})
        alive = await client.json(url)
        runs = await client.rows(f"{url}/runs")
        versions = await client.rows(f"{url}/versions")
        listed = key in {row["id"] for row in await client.rows(WORKFLOWS)}
        await client.error(gone, 404)
        await client.write("DELETE", url)
        for path in ("", "/runs", "/tasks", "/versions"):
            await client.error(f"{url}{path}", 404)
        await client.refused("DELETE", url, status=404)
        assert key not in {row["id"] for row in await client.rows(WORKFLOWS)}
        assert await client.rows(WORKFLOWS, **{"$filter": f"id eq '{key}'"}) == []
        row = (await client.rows(DELETED))[-1]
        assert row["id"] == key
        assert row["deletedDateTime"]
        dead = await client.json(gone)
        assert (dead["tasks"], dead["description"]) == (alive["tasks"], "Changed")
        assert await client.rows(f"{gone}/runs") == runs
        assert await client.rows(f"{gone}/versions") == versions
        answer = await client.write("POST", f"{gone}/restore", status=200)
        assert answer["executionConditions"] is answer["deletedDateTime"] is None
        assert (answer["id"], answer["tasks"]) == (key, [])
        assert answer["@odata.type"] == "#microsoft.graph.identityGovernance.workflow"
        again = await client.json(url)
        assert again == alive
        assert len(await client.rows(DELETED)) == known
        assert key in {row["id"] for row in await client.rows(WORKFLOWS)} or not listed
        await client.refused("POST", f"{gone}/restore", status=404)
        await client.write("DELETE", url)
        await client.write("DELETE", gone)
        await client.error(gone, 404)
        await client.error(url, 404)
        await client.refused("DELETE", gone, status=404)
    assert len(await client.rows(WORKFLOWS)) == 4
    page = await client.json(WORKFLOWS, **{"$count": "true"})
    assert page["@odata.count"] == 4


async def test_documented_deleted_workflows_can_be_restored(client):
    for row in await client.rows(DELETED):
        await client.write("POST", f"{DELETED}/{row['id']}/restore", {}, 200)
        restored = (await client.rows(WORKFLOWS))[-1]
        assert (restored["id"], restored["deletedDateTime"]) == (row["id"], None)
    assert await client.rows(DELETED) == []
    key = restored["id"]
    message = await client.refused("POST", f"{DELETED}/{key}/restore", {"x": 1})
    assert "parameters" in message


async def test_paging_over_deleted_workflows(sandbox):
    client = sandbox(workflows=7, page_size=2)
    keys = [row["id"] for row in await client.rows(WORKFLOWS)]
    for key in keys[::2]:
        await client.write("DELETE", f"{WORKFLOWS}/{key}")
    url = await create(client)
    rows = await client.rows(WORKFLOWS)
    assert [row["id"] for row in rows] == [*keys[1::2], url.rpartition("/")[2]]


async def test_new_versions(client):
    for number, url in enumerate(await three_kinds(client)):
        old = await client.json(url)
        before = await client.rows(f"{url}/versions")
        current = max(old["version"], len(before))
        runs = await client.rows(f"{url}/runs")
        sent = workflow(displayName=f"New {number}", isSchedulingEnabled=False)
        sent["tasks"] = sent["tasks"][1:]
        body = sent if number == 1 else {"workflow": sent}
        answer = await client.write("POST", f"{url}/createNewVersion", body, 200)
        assert set(answer) == {"workflow"}
        new = await client.json(url)
        assert answer["workflow"].items() <= new.items()
        assert new["version"] == current + 1
        assert (new["id"], new["createdDateTime"]) == (old["id"], old["createdDateTime"])
        assert [task["displayName"] for task in new["tasks"]] == ["Send Welcome Email"]
        assert not {task["id"] for task in new["tasks"]} & {task["id"] for task in old["tasks"]}
        rows = await client.rows(f"{url}/versions")
        assert [row["versionNumber"] for row in rows[:2]] == [current + 1, current]
        assert len(rows) == len(before) + 1
        assert [row["displayName"] for row in rows[:2]] == [f"New {number}", old["displayName"]]
        newest = await client.json(f"{url}/versions/{new['version']}")
        assert newest["tasks"] == new["tasks"]
        older = await client.json(f"{url}/versions/{current}")
        assert older["executionConditions"] == old["executionConditions"]
        assert older["tasks"] == old["tasks"]
        assert await client.rows(f"{url}/runs") == runs
        task = old["tasks"][0]["id"]
        assert (await client.json(f"{url}/versions/{current}/tasks/{task}"))["id"] == task
        # The results of earlier runs stay below their tasks.
        assert (await client.json(f"{url}/tasks/{task}"))["id"] == task
        await client.write("POST", f"{url}/createNewVersion", body, 200)
        assert len(await client.rows(f"{url}/versions")) == len(rows) + 1
    bad = {"workflow": workflow(), "more": 1}
    await client.refused("POST", f"{url}/createNewVersion", bad)
    await client.refused("POST", f"{WORKFLOWS}/none/createNewVersion", body, 404)


async def test_task_updates(client):
    for url in await three_kinds(client):
        task = (await client.json(url))["tasks"][0]
        one = f"{url}/tasks/{task['id']}"
        await client.write("PATCH", one, {"displayName": "Other", "description": "Text"})
        changed = {**task, "displayName": "Other", "description": "Text"}
        assert changed.items() <= (await client.json(one)).items()
        assert (await client.json(url))["tasks"][0] == changed
        # The documents list other tasks of their workflow than the workflow itself shows.
        assert url.endswith(DOCUMENTED) or changed in await client.rows(f"{url}/tasks")
        for row in (await client.rows(f"{one}/taskProcessingResults"))[:2]:
            assert row["task"] == changed
        for bad in ({"isEnabled": False}, {"displayName": ""}, {"arguments": []}):
            assert next(iter(bad)) in await client.refused("PATCH", one, bad)
    await client.refused("PATCH", f"{url}/tasks/none", {}, 404)


async def test_settings(client):
    url = f"{LIFECYCLE}/settings"
    quarantine = {
        "matchMode": "any",
        "conditions": [
            {
                "@odata.type": "microsoft.graph.identityGovernance.countBasedQuarantineCondition",
                "threshold": 5_000_000_000,
            }
        ],
    }
    whole = {
        "workflowScheduleIntervalInHours": 24,
        "emailSettings": {"senderDomain": "contoso.com", "useCompanyBranding": True},
    }
    await client.write("PATCH", url, whole)
    await client.write("PATCH", url, {**whole, "quarantineConfiguration": quarantine})
    for name in whole:
        part = {key: value for key, value in whole.items() if key != name}
        assert f"'{name}' is required" in await client.refused("PATCH", url, part)
    row = await client.json(url)
    assert row["workflowScheduleIntervalInHours"] == 24
    assert row["emailSettings"] == {"senderDomain": "contoso.com", "useCompanyBranding": True}
    condition = row["quarantineConfiguration"]["conditions"][0]
    assert condition["@odata.type"].startswith("#microsoft")
    for bad in (
        {"workflowScheduleIntervalInHours": 0},
        {"workflowScheduleIntervalInHours": 25},
        {"workflowScheduleIntervalInHours": True},
        {"emailSettings": {"senderDomain": 1}},
        {"quarantineConfiguration": {"matchMode": "some", "conditions": []}},
        {"id": "x"},
    ):
        assert next(iter(bad)) in await client.refused("PATCH", url, {**whole, **bad})
    assert await client.json(url) == row


async def test_custom_task_extensions(client):
    before = await client.rows(EXTENSIONS)
    assert any(row["callbackConfiguration"] for row in before)
    sent = {
        "displayName": "Order a desk",
        "authenticationConfiguration": POP_TOKEN,
        "replyMode": "callback",
        "endpointConfiguration": {
            "@odata.type": "#microsoft.graph.logicAppTriggerEndpointConfiguration",
            "logicAppWorkflowName": "desk",
            "resourceGroupName": "group",
            "subscriptionId": "c500b67c-e9b7-4ad2-a90d-77d41385ae55",
        },
        "clientConfiguration": {"maximumRetries": 1, "timeoutInMilliseconds": 1000},
        "callbackConfiguration": {
            "@odata.type": "#microsoft.graph.identityGovernance"
            ".customTaskExtensionCallbackConfiguration",
            "timeoutDuration": "PT20M",
        },
    }
    made = await client.write("POST", EXTENSIONS, sent, 201)
    assert sent.items() <= made.items()
    url = f"{EXTENSIONS}/{made['id']}"
    assert made == await client.json(url) | {"@odata.context": made["@odata.context"]}
    assert [row["id"] for row in await client.rows(EXTENSIONS)] == [
        *(row["id"] for row in before),
        made["id"],
    ]
    await client.write("PATCH", url, {"description": "Text", "callbackConfiguration": None})
    row = await client.json(url)
    assert (row["description"], row["callbackConfiguration"]) == ("Text", None)
    assert row["lastModifiedDateTime"] > row["createdDateTime"]
    for bad in (
        {"createdDateTime": "2026-01-01T00:00:00Z"},
        {"callbackConfiguration": {**dict(sent["callbackConfiguration"]), "timeoutDuration": "20"}},
        {"endpointConfiguration": {"url": "x"}},
    ):
        for method, path in (("POST", EXTENSIONS), ("PATCH", url)):
            body = {**sent, "displayName": "Another", **bad} if method == "POST" else bad
            assert next(iter(bad)) in await client.refused(method, path, body)
    for name in ("displayName", "authenticationConfiguration"):
        body = {key: value for key, value in sent.items() if key != name}
        assert f"'{name}' is required" in await client.refused("POST", EXTENSIONS, body)
    taken = {"displayName": before[0]["displayName"]}
    assert "unique" in await client.refused("POST", EXTENSIONS, {**sent, **taken})
    assert "unique" in await client.refused("PATCH", url, taken)
    await client.write("DELETE", url)
    await client.error(url, 404)
    await client.refused("PATCH", url, {}, 404)
    assert await client.rows(EXTENSIONS) == before


async def test_an_extension_that_a_task_refers_to_is_not_deleted(client):
    made = {"displayName": "Order it", "authenticationConfiguration": POP_TOKEN}
    extension = (await client.write("POST", EXTENSIONS, made, 201))["id"]
    task = {
        "displayName": "Order it",
        "taskDefinitionId": "4262b724-8dba-4fad-afc3-43fcbb497a0e",
        "arguments": [{"name": "customTaskExtensionID", "value": extension}],
    }
    url = await create(client, tasks=[task])
    message = await client.refused("DELETE", f"{EXTENSIONS}/{extension}")
    assert "the task 'Order it'" in message
    assert url.rpartition("/")[2] in message
    await client.write("DELETE", url)
    await client.write("DELETE", f"{EXTENSIONS}/{extension}")


async def test_a_tenant_has_100_workflows_at_most(sandbox):
    client = sandbox(workflows=99)
    await client.write("POST", WORKFLOWS, workflow(), 201)
    again = {**workflow(), "displayName": "One too many"}
    assert "100 workflows" in await client.refused("POST", WORKFLOWS, again)


async def test_writes_in_a_batch(client):
    json_ = {"Content-Type": "application/json"}
    path = WORKFLOWS.removeprefix("/v1.0")
    key = (await client.workflow_url()).rpartition("/")[2]
    items = [
        {"id": "1", "method": "POST", "url": path, "body": workflow(), "headers": json_},
        {"id": "2", "method": "DELETE", "url": f"{path}/{key}"},
        {
            "id": "3",
            "method": "POST",
            "url": f"/identityGovernance/lifecycleWorkflows/deletedItems/workflows/{key}/restore",
            "body": {},
            "headers": json_,
            "dependsOn": ["2"],
        },
        {"id": "4", "method": "PATCH", "url": f"{path}/{key}", "body": {"x": 1}, "headers": json_},
    ]
    responses = {item["id"]: item for item in (await client.batch(*items))["responses"]}
    assert [responses[key]["status"] for key in "1234"] == [201, 204, 200, 400]
    assert responses["1"]["body"]["version"] == 1
    assert "body" not in responses["2"]
    assert "Content-Type" not in responses["2"]["headers"]
    assert len(await client.rows(WORKFLOWS)) == 6


async def test_insights_follow_what_is_listed(client):
    period = "(startDateTime=2026-01-01T00:00:00Z,endDateTime=2027-01-01T00:00:00Z)"
    url = f"{LIFECYCLE}/insights/workflowsProcessedSummary{period}"
    before = await client.json(url)
    await client.write("DELETE", await client.workflow_url())
    after = await client.json(url)
    assert after["totalRuns"] == before["totalRuns"] - 4
    assert len(await client.rows(f"{LIFECYCLE}/insights/topWorkflowsProcessedSummary{period}")) == 4
