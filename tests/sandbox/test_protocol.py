import pytest

from gateway.sandbox import SandboxSettings

from .conftest import LIFECYCLE, WORKFLOWS


@pytest.mark.parametrize(
    "wrong",
    [
        {"workflows": -1},
        {"runs": -1},
        {"users": -1},
        {"tasks": 26},
        {"page_size": 0},
        {"latency_ms": -1},
        {"select": "maybe"},
        {"task_results_expand": "yes"},
        {"draft_methods": "maybe"},
    ],
)
def test_settings_are_checked(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        SandboxSettings(**wrong)


@pytest.mark.parametrize("value", [None, "", "Bearer ", "Basic abc"])
async def test_every_request_needs_a_token(client, value):
    headers = {} if value is None else {"Authorization": value}
    client.headers.pop("Authorization")
    for url in (WORKFLOWS, "/beta/users", "/v1.0"):
        response = await client.get(url, headers=headers)
        assert response.status_code == 401
        assert response.json()["error"]["code"] == "unauthenticated"
    batch = await client.post("/v1.0/$batch", json={"requests": []}, headers=headers)
    assert batch.status_code == 401
    assert (await client.get("/")).status_code == 200
    assert (await client.get("/sandbox/requests")).status_code == 200


async def test_headers_echo_the_client_request_id(client):
    headers = {"client-request-id": "mine"}
    good = await client.get(WORKFLOWS, headers=headers)
    bad = await client.get(f"{WORKFLOWS}/none", headers=headers)
    assert good.headers["content-type"] == (
        "application/json;odata.metadata=minimal;odata.streaming=true;"
        "IEEE754Compatible=false;charset=utf-8"
    )
    assert good.headers["client-request-id"] == bad.headers["client-request-id"] == "mine"
    inner = bad.json()["error"]["innerError"]
    assert inner["client-request-id"] == "mine"
    assert inner["request-id"] == bad.headers["request-id"] != good.headers["request-id"]


async def test_versions_hold_the_same_data(client):
    stable = await client.json(WORKFLOWS)
    beta = await client.json(WORKFLOWS.replace("v1.0", "beta"))
    assert stable["value"] == beta["value"]
    assert "/beta/$metadata#" in beta["@odata.context"]


async def test_the_dollar_may_be_left_out_on_beta_only(client):
    beta = await client.json(WORKFLOWS.replace("v1.0", "beta"), select="id")
    assert set(beta["value"][0]) == {"id"}
    assert "displayName" in (await client.json(WORKFLOWS, select="id"))["value"][0]


async def test_paths(client):
    url = await client.workflow_url()
    assert (await client.json(f"{url}/"))["id"] in url
    assert (await client.json(url.replace("identityG", "IdentityG")))["id"] in url
    assert (await client.json(url.replace("/workflows/", "/workflows//")))["id"] in url
    assert (await client.json(url.replace("-", "%2D")))["id"] in url
    assert "itemNotFound" in await client.error(url.replace("-", "%252D"), 404)
    assert "segment 'workflow'" in await client.error(f"{LIFECYCLE}/workflow/1/tasks")
    assert "segment 'nothing'" in await client.error(f"{url}/nothing")
    assert "segment '$count'" in await client.error(f"{url}/runs/$count")
    summary = "summary(startDateTime=2022-08-01T00:00:00Z,endDateTime=2022-08-30T00:00:00Z)"
    assert "segment 'summary(" in await client.error(f"{url}/tasks/{summary}")
    assert "lifecycleWorkflows" in await client.error(LIFECYCLE)


async def test_unknown_ids_are_not_found(client):
    workflow = await client.workflow_url()
    run = await client.run_url()
    for url in (
        f"{WORKFLOWS}/none",
        f"{WORKFLOWS}/none/runs",
        f"{workflow}/runs/none",
        f"{workflow}/tasks/none",
        f"{workflow}/tasks/none/taskProcessingResults",
        f"{workflow}/userProcessingResults/none",
        f"{run}/userProcessingResults/none/taskProcessingResults",
        f"{run}/taskProcessingResults/none",
        f"{LIFECYCLE}/taskDefinitions/none",
        f"{LIFECYCLE}/deletedItems/workflows/none",
        "/v1.0/users/none",
        "/v1.0/users/none/manager",
    ):
        assert (await client.error(url, 404)).startswith("itemNotFound")


async def test_other_methods_are_refused(client):
    for method in ("PUT", "PATCH", "DELETE"):
        assert (await client.request(method, WORKFLOWS)).status_code == 405
    url = await client.workflow_url()
    for path in ("runs", "taskReports", "versions", "versions/1/tasks", "executionScope"):
        for method in ("POST", "PATCH", "DELETE"):
            assert (await client.request(method, f"{url}/{path}")).status_code == 405
    assert (await client.get("/v1.0/$batch")).status_code == 405
    assert (await client.get("/v1.0/directoryObjects/getByIds")).status_code == 405
