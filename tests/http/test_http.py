"""GraphQL over HTTP: methods, media types, the explorer, health, who may ask."""

import gzip
import json
from typing import Any

import pytest

from gateway.schema.build import GatewaySchema
from gateway.settings import Settings
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


RESPONSE_JSON = "application/graphql-response+json"
LEGACY_JSON = "application/json"


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        ("*/*", LEGACY_JSON),
        ("application/*", LEGACY_JSON),
        ("", LEGACY_JSON),
        (f"{LEGACY_JSON}, {RESPONSE_JSON}", RESPONSE_JSON),
        (f"{RESPONSE_JSON};charset=utf-8, {LEGACY_JSON};charset=utf-8", RESPONSE_JSON),
        (f"{RESPONSE_JSON};q=0.5, {LEGACY_JSON}", LEGACY_JSON),
        (f"{RESPONSE_JSON};q=0.9, */*;q=0.1", RESPONSE_JSON),
        (f"{LEGACY_JSON};q=0, {RESPONSE_JSON}", RESPONSE_JSON),
        ("APPLICATION/JSON", LEGACY_JSON),
        ("text/html, */*;q=0.1", LEGACY_JSON),
        (f"{RESPONSE_JSON};q=0", None),
        ("*/*;q=0", None),
        ("text/event-stream", None),
    ],
)
async def test_the_media_type_is_negotiated(
    gateway: Gateway, accept: str, answered: str | None
) -> None:
    response = await gateway.post({"query": QUERY}, headers={"Accept": accept})
    assert response.status_code == (406 if answered is None else 200)
    assert response.headers["content-type"] == f"{answered or LEGACY_JSON}; charset=utf-8"


async def test_a_field_that_fails_is_no_request_that_fails(gateway: Gateway) -> None:
    query = {"query": '{ workflow(id: "nobody") { id } }'}
    response = await gateway.post(query, headers={"Accept": RESPONSE_JSON})
    assert response.status_code == 200
    assert response.json()["data"] == {"workflow": None}


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "gzip, identity"])
async def test_a_compressed_body_is_refused(gateway: Gateway, encoding: str) -> None:
    content = gzip.compress(json.dumps({"query": QUERY}).encode())
    headers = {"Content-Type": LEGACY_JSON, "Content-Encoding": encoding}
    response = await gateway.client.post("/graphql", content=content, headers=headers)
    assert response.status_code == 415
    assert response.headers["accept-encoding"] == "identity"
    assert response.json()["errors"][0]["extensions"]["code"] == "UNSUPPORTED_MEDIA_TYPE"


@pytest.mark.parametrize(("charset", "status"), [("utf-8", 200), ('"UTF-8"', 200), ("utf-16", 415)])
async def test_a_body_is_in_utf_8(gateway: Gateway, charset: str, status: int) -> None:
    headers = {"Content-Type": f"{LEGACY_JSON}; charset={charset}"}
    response = await gateway.post({"query": QUERY}, headers=headers)
    assert response.status_code == status


async def test_a_get_changes_nothing(gateway: Gateway) -> None:
    await gateway.forget()
    query = {"query": "mutation { __typename }"}
    response = await gateway.client.get("/graphql", params=query)
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    assert response.json()["errors"][0]["extensions"]["code"] == "METHOD_NOT_ALLOWED"
    assert (await gateway.post(query)).json() == {"data": {"__typename": "Mutation"}}
    assert (await gateway.sent()).http == 0


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("PUT", "/graphql", 405, "METHOD_NOT_ALLOWED"),
        ("DELETE", "/healthz", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/nowhere", 404, "NOT_FOUND"),
        ("GET", "/graphql/", 404, "NOT_FOUND"),
    ],
)
async def test_errors_are_json_everywhere(
    gateway: Gateway, method: str, path: str, status: int, code: str
) -> None:
    response = await gateway.client.request(method, path)
    assert response.status_code == status
    assert response.headers["content-type"].startswith(LEGACY_JSON)
    assert response.json()["errors"][0]["extensions"]["code"] == code


async def test_a_fault_of_the_gateway_is_json_and_tells_nothing(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("something private")

    monkeypatch.setattr(GatewaySchema, "execute", fail)
    response = await gateway.post({"query": QUERY})
    assert response.status_code == 500
    [error] = response.json()["errors"]
    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert "private" not in response.text
    assert error["extensions"]["reference"] in caplog.text


BATCH: list[Any] = [
    {"query": QUERY},
    {"query": "{ nothing }"},
    5,
    {"query": "query A { __typename }", "operationName": "B"},
    {"query": "mutation { __typename }"},
]


async def test_batches_are_off_by_default(gateway: Gateway) -> None:
    for body in (BATCH, BATCH[:1], []):
        response = await gateway.post(body)
        assert response.status_code == 400
        [error] = response.json()["errors"]
        assert error["extensions"]["code"] == "BAD_REQUEST"
        assert "GATEWAY_MAX_BATCH" in error["message"]


async def test_a_batch_is_answered_one_by_one_up_to_its_limit(start: Start) -> None:
    gateway = await start(Settings(max_batch=5))
    response = await gateway.post(BATCH)
    assert response.status_code == 200
    found = [
        answer["errors"][0]["extensions"]["code"] if "errors" in answer else list(answer["data"])
        for answer in response.json()
    ]
    assert found == [
        ["workflows"],
        "GRAPHQL_VALIDATION_FAILED",
        "BAD_REQUEST",
        "BAD_REQUEST",
        ["__typename"],
    ]
    assert (await gateway.post({"query": QUERY})).json()["data"]
    for body, code in ((BATCH + BATCH[:1], "BATCH_TOO_LARGE"), ([], "BAD_REQUEST")):
        response = await gateway.post(body)
        assert response.status_code == 400
        assert response.json()["errors"][0]["extensions"] == {
            "code": code,
            "limit": len(BATCH),
            "setting": "GATEWAY_MAX_BATCH",
        }


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
