"""Documents by their hash: automatic persisted queries and trusted documents."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from gateway.settings import Settings
from tests.conftest import Gateway, Start

QUERY = "{ workflows(first: 1) { nodes { id } } }"
MODERN = {"Accept": "application/graphql-response+json"}


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def named(text: str = QUERY, **more: Any) -> dict[str, Any]:
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": sha256(text)}}, **more}


async def codes(gateway: Gateway, body: dict[str, Any]) -> list[str]:
    errors = (await gateway.post(body)).json().get("errors", [])
    return [error["extensions"]["code"] for error in errors]


async def test_a_hash_is_registered_and_then_enough(gateway: Gateway) -> None:
    unknown = await gateway.post(named(), headers=MODERN)
    assert unknown.status_code == 400
    assert unknown.json() == {
        "errors": [
            {
                "message": "PersistedQueryNotFound",
                "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"},
            }
        ]
    }
    assert (await gateway.post(named())).status_code == 200
    registered = (await gateway.post(named(query=QUERY))).json()
    assert "errors" not in registered
    assert (await gateway.post(named())).json() == registered
    parameters = {"extensions": json.dumps(named()["extensions"])}
    assert (await gateway.client.get("/graphql", params=parameters)).json() == registered


async def test_a_hash_of_another_text_is_refused_and_not_kept(gateway: Gateway) -> None:
    wrong = named("{ __typename }", query=QUERY)
    assert await codes(gateway, wrong) == ["PERSISTED_QUERY_HASH_MISMATCH"]
    assert await codes(gateway, named("{ __typename }")) == ["PERSISTED_QUERY_NOT_FOUND"]


async def test_an_invalid_document_is_not_kept(gateway: Gateway) -> None:
    for invalid in ("{ nothing }", "{", "{ a" * 60 + "}" * 60):
        assert await codes(gateway, named(invalid, query=invalid)) != []
        assert await codes(gateway, named(invalid)) == ["PERSISTED_QUERY_NOT_FOUND"]


@pytest.mark.parametrize(
    "given",
    [
        [],
        "x",
        {"version": 1},
        {"version": 1, "sha256Hash": 5},
        {"version": 2, "sha256Hash": "a"},
        {"sha256Hash": "a"},
    ],
)
async def test_a_malformed_extension_is_a_400(gateway: Gateway, given: Any) -> None:
    response = await gateway.post({"query": QUERY, "extensions": {"persistedQuery": given}})
    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


async def test_as_many_are_kept_as_the_setting_says(start: Start) -> None:
    gateway = await start(Settings(persisted_queries=2))
    texts = [f"query Q{i} {{ __typename }}" for i in range(3)]
    for text in texts:
        assert await codes(gateway, named(text, query=text)) == []
    assert [await codes(gateway, named(text)) for text in texts] == [
        ["PERSISTED_QUERY_NOT_FOUND"],
        [],
        [],
    ]


async def test_with_0_there_are_none_and_clients_are_told_so(start: Start) -> None:
    gateway = await start(Settings(persisted_queries=0))
    assert await codes(gateway, named(query=QUERY)) == []
    answer = (await gateway.post(named())).json()["errors"][0]
    assert answer["message"] == "PersistedQueryNotSupported"
    assert answer["extensions"]["code"] == "PERSISTED_QUERY_NOT_SUPPORTED"


# --- trusted documents --------------------------------------------------------------------------

MANIFESTS = {
    "ids to documents": {sha256(QUERY): QUERY, "types": "{ __typename }"},
    "Apollo's": {
        "format": "apollo-persisted-query-manifest",
        "version": 1,
        "operations": [
            {"id": sha256(QUERY), "name": "Some", "type": "query", "body": QUERY},
            {"id": "types", "name": "Types", "type": "query", "body": "{ __typename }"},
        ],
    },
}


def manifest(path: Path, content: Any = MANIFESTS["ids to documents"]) -> Path:
    file = path / "manifest.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


@pytest.mark.parametrize("content", MANIFESTS.values(), ids=list(MANIFESTS))
async def test_a_trusted_document_is_named_by_its_id(
    start: Start, tmp_path: Path, content: Any
) -> None:
    gateway = await start(Settings(trusted_documents=manifest(tmp_path, content)))
    assert "errors" not in (await gateway.post(named())).json()
    assert (await gateway.post({"documentId": "types"})).json() == {"data": {"__typename": "Query"}}
    by_hash = {"documentId": f"sha256:{sha256(QUERY)}"}
    assert "errors" not in (await gateway.client.get("/graphql", params=by_hash)).json()
    by_the_hash_of_another_id = {"documentId": sha256("{ __typename }")}
    assert await codes(gateway, by_the_hash_of_another_id) == []
    assert await codes(gateway, {"documentId": "other"}) == ["PERSISTED_QUERY_NOT_FOUND"]
    assert await codes(gateway, {"query": "query Other { __typename }"}) == []


async def test_everything_else_can_be_refused(start: Start, tmp_path: Path) -> None:
    path = manifest(tmp_path)
    gateway = await start(Settings(trusted_documents=path, trusted_documents_only=True))
    assert await codes(gateway, named()) == []
    assert await codes(gateway, {"query": QUERY}) == []
    other = "query Other { __typename }"
    for body in ({"query": other}, named(other), named(other, query=other), {"documentId": "x"}):
        assert await codes(gateway, body) == ["DOCUMENT_NOT_TRUSTED"]
        assert (await gateway.post(body)).status_code == 403


@pytest.mark.parametrize("content", ["[]", "{", '{"a": 1}', '{"operations": [{"id": "a"}]}', '""'])
async def test_a_manifest_that_is_none_is_told_at_the_start(
    start: Start, tmp_path: Path, content: str
) -> None:
    with pytest.raises(ValueError, match=r"manifest\.json"):
        await start(Settings(trusted_documents=manifest(tmp_path, content)))


def test_trusting_nothing_is_no_setting() -> None:
    with pytest.raises(ValueError, match="needs GATEWAY_TRUSTED_DOCUMENTS"):
        Settings(trusted_documents_only=True)
