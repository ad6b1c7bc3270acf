import pytest

from .conftest import WORKFLOWS

LIST = WORKFLOWS.removeprefix("/v1.0")


def _get(key, url=LIST, **more):
    return {"id": key, "method": "GET", "url": url, **more}


async def test_items_are_answered_like_requests(client):
    answer = await client.batch(
        _get("a", headers={"Prefer": "include-unknown-enum-members"}),
        _get("b", LIST.lstrip("/") + "?$select=id&$filter=category eq 'leaver'"),
        _get("c", f"{LIST}/none", headers={"client-request-id": "mine"}),
        _get("d", f"{LIST}?$top=1"),
        {"id": "e", "method": "DELETE", "url": LIST},
        {
            "id": "f",
            "method": "POST",
            "url": "/directoryObjects/getByIds",
            "headers": {"content-type": "application/json"},
            "body": {"ids": []},
        },
    )
    by_id = {item["id"]: item for item in answer["responses"]}
    assert {key: item["status"] for key, item in by_id.items()} == {
        "a": 200,
        "b": 200,
        "c": 404,
        "d": 400,
        "e": 405,
        "f": 200,
    }
    assert by_id["a"]["body"] == await client.json(WORKFLOWS)
    assert len(by_id["b"]["body"]["value"]) == 2
    assert by_id["c"]["headers"]["client-request-id"] == "mine"
    assert by_id["c"]["body"]["error"]["innerError"]["client-request-id"] == "mine"
    assert by_id["a"]["headers"]["Content-Type"].startswith("application/json;odata.metadata")


async def test_each_item_has_its_own_prefer_header(client):
    answer = await client.batch(
        _get("1"), _get("2", headers={"Prefer": "include-unknown-enum-members"})
    )
    withheld, whole = (item["body"]["value"][2]["category"] for item in answer["responses"])
    assert (withheld, whole) == ("unknownFutureValue", "mover")


async def test_links_in_items_are_absolute(sandbox):
    client = sandbox(page_size=2)
    body = (await client.batch(_get("1", f"{LIST}?$select=id")))["responses"][0]["body"]
    page = await client.json(body["@odata.nextLink"])
    assert len(page["value"]) == 2
    relative = page["@odata.nextLink"].removeprefix("https://graph.microsoft.com/v1.0")
    body = (await client.batch(_get("1", relative)))["responses"][0]["body"]
    assert len(body["value"]) == 1


async def test_twenty_items_at_most(client):
    assert len((await client.batch(*(_get(str(n)) for n in range(20))))["responses"]) == 20
    error = await client.batch(*(_get(str(n)) for n in range(21)), status=400)
    assert "20" in error["error"]["message"]


@pytest.mark.parametrize(
    "items",
    [
        [{"method": "GET", "url": LIST}],
        [_get("")],
        [_get(1)],
        [_get("a"), _get("A")],
        [{"id": "1", "url": LIST}],
        [{"id": "1", "method": "GET"}],
        [{"id": "1", "method": "LOOK", "url": LIST}],
        [_get("1", headers=[])],
        [{"id": "1", "method": "POST", "url": "/directoryObjects/getByIds", "body": {"ids": []}}],
        [_get("1", dependsOn=["2"]), _get("2")],
        [_get("1", dependsOn="2")],
        ["text"],
    ],
)
async def test_malformed_batches_are_refused_as_a_whole(client, items):
    assert (await client.batch(*items, status=400))["error"]["code"] == "invalidRequest"


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"requests": 1}', ""])
async def test_what_is_no_batch(client, content):
    assert (await client.post("/v1.0/$batch", content=content)).status_code == 400


async def test_a_batch_holds_no_batch(client):
    item = {"id": "1", "method": "POST", "url": "/$batch"}
    assert (await client.batch(item))["responses"][0]["status"] == 400


async def test_dependents_of_a_failure_fail(client):
    answer = await client.batch(
        _get("1", f"{LIST}/none"),
        _get("2", dependsOn=["1"]),
        _get("3", dependsOn=["2"]),
        _get("4"),
        _get("5", dependsOn=["4"]),
    )
    assert [item["status"] for item in answer["responses"]] == [404, 424, 424, 200, 200]
