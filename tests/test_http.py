"""GraphQL over HTTP: methods, media types, the explorer, health, who may ask."""

import json

import pytest

from tests.conftest import TOKEN, Gateway, Start

QUERY = "{ workflows(first: 1) { nodes { id } } }"


async def test_post(gateway: Gateway) -> None:
    response = await gateway.post({"query": QUERY})
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert len(response.json()["data"]["workflows"]["nodes"]) == 1


async def test_get(gateway: Gateway) -> None:
    response = await gateway.client.get(
        "/graphql",
        params={
            "query": """query A($n: Int) { workflows(first: $n) { nodes { id } } }
                        query B { __typename }""",
            "operationName": "A",
            "variables": json.dumps({"n": 2}),
        },
    )
    assert len(response.json()["data"]["workflows"]["nodes"]) == 2


async def test_the_new_media_type(gateway: Gateway) -> None:
    accept = {"Accept": "application/graphql-response+json, application/json;q=0.9"}
    response = await gateway.post({"query": QUERY}, headers=accept)
    assert response.headers["content-type"].startswith("application/graphql-response+json")
    invalid = await gateway.post({"query": "{ nothing }"}, headers=accept)
    assert invalid.status_code == 400
    assert "data" not in invalid.json()


async def test_a_legacy_client_gets_200_for_an_invalid_document(gateway: Gateway) -> None:
    response = await gateway.post({"query": "{ nothing }"}, headers={"Accept": "application/json"})
    assert response.status_code == 200
    assert "data" not in response.json()


async def test_other_media_types_are_not_acceptable(gateway: Gateway) -> None:
    response = await gateway.post({"query": QUERY}, headers={"Accept": "image/png"})
    assert response.status_code == 406
    assert response.json()["errors"][0]["extensions"]["code"] == "NOT_ACCEPTABLE"


async def test_a_browser_gets_the_explorer(gateway: Gateway) -> None:
    response = await gateway.client.get(
        "/graphql", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    )
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    assert "script-src 'self'" in response.headers["content-security-policy"]
    assert "Lifecycle Gateway" in response.text


async def test_the_root_leads_to_the_endpoint(gateway: Gateway) -> None:
    response = await gateway.client.get("/")
    assert response.is_redirect
    assert response.headers["location"] == "graphql"


async def test_health_asks_nothing_upstream(gateway: Gateway) -> None:
    await gateway.forget()
    response = await gateway.client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert (await gateway.sent()).http == 0


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Bearer a b", "Bearer \t"],
)
async def test_passthrough_without_a_token_is_401_and_goes_nowhere(
    start: Start, authorization: str | None
) -> None:
    gateway = await start(passthrough=True)
    headers = {} if authorization is None else {"Authorization": authorization}
    response = await gateway.post({"query": QUERY}, headers=headers)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert (await gateway.sent()).http == 0


async def test_passthrough_sends_the_callers_token(start: Start) -> None:
    gateway = await start(passthrough=True)
    response = await gateway.post({"query": QUERY}, headers={"Authorization": f"Bearer {TOKEN}"})
    assert len(response.json()["data"]["workflows"]["nodes"]) == 1
