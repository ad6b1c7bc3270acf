import asyncio

import httpx
import pytest

from gateway.sandbox import SandboxSettings, create_sandbox

from .conftest import LIFECYCLE, WORKFLOWS

LIST = WORKFLOWS.removeprefix("/v1.0")


async def _set(client, *faults, status=200):
    response = await client.post("/sandbox/faults", json=list(faults))
    assert response.status_code == status
    return response.json()


@pytest.fixture
async def slept(monkeypatch):
    """The seconds of each pause of the sandbox; none is made."""
    pauses = []
    real, here = asyncio.sleep, asyncio.get_running_loop()

    async def sleep(seconds):
        if asyncio.get_running_loop() is not here:
            return await real(seconds)
        if seconds:
            pauses.append(seconds)
        return await real(0)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return pauses


async def test_throttling_once(client):
    await _set(client, {"match": "workflows", "status": 429, "headers": {"Retry-After": "0.01"}})
    response = await client.get(WORKFLOWS)
    assert (response.status_code, response.headers["retry-after"]) == (429, "0.01")
    assert response.json()["error"]["code"] == "TooManyRequests"
    assert (await client.get(WORKFLOWS)).status_code == 200


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 502, 503, 504])
async def test_default_bodies_are_graph_shaped(client, status):
    await _set(client, {"match": "GET /identityGovernance", "status": status})
    assert await client.error(WORKFLOWS, status)


async def test_faults_match_the_decoded_url_and_last_until_cleared(client):
    await _set(
        client,
        {"match": r"^GET /users\?\$filter=id eq 'a b'$", "times": None, "raw": "?", "status": 503},
    )
    options = {"$filter": "id eq 'a b'"}
    for _ in range(3):
        response = await client.get("/v1.0/users", params=options)
        assert (response.status_code, response.text) == (503, "?")
    assert (await client.get("/v1.0/users")).status_code == 200
    assert (await client.delete("/sandbox/faults")).status_code == 204
    assert (await client.get("/v1.0/users", params=options)).status_code == 200


async def test_scopes(client):
    item = {"id": "1", "method": "GET", "url": LIST}
    await _set(
        client,
        {"match": "/workflows", "status": 429, "headers": {"Retry-After": "2.128"}},
        {"match": r"POST /\$batch", "scope": "http", "status": 503},
    )
    assert (await client.post("/v1.0/$batch", json={"requests": [item]})).status_code == 503
    first, second = (await client.batch(item, {**item, "id": "2"}))["responses"]
    assert (first["status"], first["headers"]["Retry-After"]) == (429, "2.128")
    assert second["status"] == 200
    await _set(client, {"match": "/workflows", "scope": "http", "status": 503})
    assert (await client.batch(item))["responses"][0]["status"] == 200
    assert (await client.get(WORKFLOWS)).status_code == 503


async def test_real_answers_with_a_delay_or_a_patch(client, slept):
    real = await client.json(WORKFLOWS)
    await _set(client, {"match": ".", "patch": {"@odata.nextLink": "https://evil.example/x"}})
    assert await client.json(WORKFLOWS) == {**real, "@odata.nextLink": "https://evil.example/x"}
    await _set(client, {"match": ".", "delay_ms": 30})
    assert await client.json(WORKFLOWS) == real
    assert slept == [0.03]


async def test_a_body_of_ones_own(client):
    await _set(client, {"match": ".", "status": 400, "body": {"error": {"code": ""}}})
    assert await client.json(WORKFLOWS, 400) == {"error": {"code": ""}}


async def test_disconnects(client):
    await _set(client, {"match": ".", "disconnect": True, "times": 2})
    with pytest.raises(httpx.TransportError):
        await client.get(WORKFLOWS)
    with pytest.raises(httpx.TransportError):
        await client.batch({"id": "1", "method": "GET", "url": LIST})
    assert (await client.get(WORKFLOWS)).status_code == 200


@pytest.mark.parametrize(
    "fault",
    [
        {},
        {"match": "("},
        {"match": ".", "scope": "all"},
        {"match": ".", "colour": 1},
        {"match": ".", "raw": "x"},
        {"match": 1},
    ],
)
async def test_wrong_faults_are_refused(client, fault):
    assert "error" in await _set(client, fault, status=400)


async def test_the_log_of_requests(client):
    await client.get(f"{LIFECYCLE}/taskDefinitions", params={"$select": "id,displayName"})
    await client.batch(
        {"id": "1", "method": "GET", "url": f"{LIST}?$filter=id%20eq%20'x'"},
        {"id": "2", "method": "GET", "url": f"{LIST}/none"},
    )
    await client.get(WORKFLOWS, headers={"Authorization": ""})
    await client.get("/")
    assert (await client.json("/sandbox/requests"))["requests"] == [
        {
            "method": "GET",
            "path": f"{LIFECYCLE}/taskDefinitions?$select=id,displayName",
            "items": None,
            "status": 200,
        },
        {
            "method": "POST",
            "path": "/v1.0/$batch",
            "items": [
                {"method": "GET", "url": f"{LIST}?$filter=id eq 'x'", "status": 200},
                {"method": "GET", "url": f"{LIST}/none", "status": 404},
            ],
            "status": 200,
        },
        {"method": "GET", "path": WORKFLOWS, "items": None, "status": 401},
    ]
    assert (await client.delete("/sandbox/requests")).status_code == 204
    assert (await client.json("/sandbox/requests"))["requests"] == []


async def test_latency_is_paid_once_per_http_request(sandbox, slept):
    client = sandbox(latency_ms=20)
    items = [{"id": str(n), "method": "GET", "url": LIST} for n in range(20)]
    await asyncio.gather(client.batch(*items), client.get(WORKFLOWS))
    assert slept == [0.02, 0.02]


def test_a_sandbox_needs_no_settings():
    assert create_sandbox() is not create_sandbox(SandboxSettings())
