"""Documents, variables and bodies that break a rule: each is told, and none reaches the service."""

from typing import Any

import pytest

from tests.conftest import Gateway, Start
from tests.http.giving import GRAPHQL_JSON, cases, code

# --- documents and variables --------------------------------------------------------------------

NESTED = "{ workflows { nodes " * 5000 + "{ id }" + " } }" * 5000
BACK_AND_FORTH = (
    "{ workflows(first: 1) { nodes { "
    + "runs(first: 1) { nodes { workflow { " * 40
    + "id"
    + " } } }" * 40
    + " } } }"
)
DOCUMENTS = {
    "no document": ("hello", {}, "GRAPHQL_PARSE_FAILED"),
    "unclosed": ("{ workflows", {}, "GRAPHQL_PARSE_FAILED"),
    "unknown field": ("{ nothing }", {}, "GRAPHQL_VALIDATION_FAILED"),
    "unknown argument": (
        "{ workflows(last: 1) { nodes { id } } }",
        {},
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "no selection": ("{ workflows }", {}, "GRAPHQL_VALIDATION_FAILED"),
    "missing argument": ("{ workflow { id } }", {}, "GRAPHQL_VALIDATION_FAILED"),
    "first is text": (
        '{ workflows(first: "1") { nodes { id } } }',
        {},
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "first is too big for an Int": (
        "{ workflows(first: 2147483648) { nodes { id } } }",
        {},
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "fragment cycle": (
        "{ workflows { ...A } } fragment A on WorkflowConnection { ...A }",
        {},
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "undefined variable": ("{ workflow(id: $id) { id } }", {}, "GRAPHQL_VALIDATION_FAILED"),
    "missing variable": ("query ($id: ID!) { workflow(id: $id) { id } }", {}, "BAD_USER_INPUT"),
    "null variable": (
        "query ($id: ID!) { workflow(id: $id) { id } }",
        {"id": None},
        "BAD_USER_INPUT",
    ),
    "variable of another type": (
        "query ($id: ID!) { workflow(id: $id) { id } }",
        {"id": {"a": 1}},
        "BAD_USER_INPUT",
    ),
    "Int variable out of range": (
        "query ($n: Int) { workflows(first: $n) { nodes { id } } }",
        {"n": 2**31},
        "BAD_USER_INPUT",
    ),
}


@pytest.mark.parametrize(
    ("query", "variables", "expected"), DOCUMENTS.values(), ids=list(DOCUMENTS)
)
async def test_a_request_that_cannot_be_executed_has_no_data(
    gateway: Gateway, query: str, variables: dict[str, Any], expected: str
) -> None:
    await gateway.forget()
    body = {"query": query, "variables": variables}
    response = await gateway.post(body, headers={"Accept": GRAPHQL_JSON})
    assert response.status_code == 400
    assert response.headers["content-type"].startswith(GRAPHQL_JSON)
    assert "data" not in response.json()
    assert {code(error) for error in response.json()["errors"]} == {expected}
    assert (await gateway.post(body)).status_code == 200
    assert (await gateway.sent()).http == 0


@pytest.mark.parametrize("query", [NESTED, BACK_AND_FORTH], ids=["nested", "back and forth"])
async def test_a_document_that_nests_too_deep_is_the_callers_error(
    gateway: Gateway, query: str
) -> None:
    response = await gateway.post({"query": query})
    errors = response.json()["errors"]
    assert errors
    assert "INTERNAL_SERVER_ERROR" not in {code(error) for error in errors}


BODIES = {
    "empty": b"",
    "no JSON": b"{ workflows { nodes { id } } }",
    "cut short": b'{"query": "{ __typename }"',
    "not UTF-8": b'{"query": "\xff"}',
    "lone surrogate": b'{"query": "{ workflow(id: \\"\\ud800\\") { id } }"}',
    "a list": b'[{"query": "{ __typename }"}]',
    "null": b"null",
    "no query": b"{}",
    "blank query": b'{"query": " "}',
    "query is no text": b'{"query": 5}',
    "variables are a list": b'{"query": "{ __typename }", "variables": []}',
    "variables are text": b'{"query": "{ __typename }", "variables": "{}"}',
    "extensions are text": b'{"query": "{ __typename }", "extensions": "{}"}',
    "operationName is a number": b'{"query": "{ __typename }", "operationName": 1}',
    "unknown operation": b'{"query": "query A { __typename }", "operationName": "B"}',
    "several operations": b'{"query": "query A { __typename } query B { __typename }"}',
    "nested too deep": b'{"query": "{ __typename }", "variables": ' + b'{"a":' * 5000 + b"}",
}


@cases(BODIES)
async def test_a_body_that_is_no_graphql_request_is_a_400(gateway: Gateway, value: bytes) -> None:
    response = await gateway.client.post(
        "/graphql", content=value, headers={"Content-Type": "application/json"}
    )
    assert response.status_code == 400
    [error] = response.json()["errors"]
    assert code(error) == "BAD_REQUEST"


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "text/plain",
        "application/graphql",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
        "application/jsonx",
    ],
)
async def test_a_body_of_another_content_type_is_a_415(
    gateway: Gateway, content_type: str | None
) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    response = await gateway.client.post(
        "/graphql", content=b'{"query": "{ __typename }"}', headers=headers
    )
    assert response.status_code == 415
    assert code(response.json()["errors"][0]) == "UNSUPPORTED_MEDIA_TYPE"


async def test_a_caller_who_accepts_no_json_gets_a_406(gateway: Gateway) -> None:
    response = await gateway.post({"query": "{ __typename }"}, headers={"Accept": "text/csv"})
    assert response.status_code == 406
    assert code(response.json()["errors"][0]) == "NOT_ACCEPTABLE"


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"query": ""},
        {"query": "{ __typename }", "variables": "{"},
        {"query": "{ __typename }", "variables": "[]"},
        {"query": "{ __typename }", "extensions": "nothing"},
        {"query": "{ __typename }", "operationName": "B"},
    ],
)
async def test_a_get_that_is_no_graphql_request_is_a_400(
    gateway: Gateway, parameters: dict[str, str]
) -> None:
    response = await gateway.client.get("/graphql", params=parameters)
    assert response.status_code == 400
    assert code(response.json()["errors"][0]) == "BAD_REQUEST"


@pytest.mark.parametrize("operation", ["mutation", "subscription"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_operation_that_is_not_offered_is_a_clear_error(
    gateway: Gateway, operation: str, method: str
) -> None:
    query = {"query": f"{operation} {{ nothing }}"}
    response = (
        await gateway.client.get("/graphql", params=query)
        if method == "GET"
        else await gateway.post(query)
    )
    assert response.status_code < 500
    assert {code(e) for e in response.json()["errors"]} <= {
        "METHOD_NOT_ALLOWED",
        "GRAPHQL_VALIDATION_FAILED",
    }


# --- tokens -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Bearer two tokens", 'Bearer "quoted"'],
)
async def test_a_caller_without_a_token_gets_a_401_and_nothing_is_sent(
    start: Start, header: str | None
) -> None:
    gateway = await start(passthrough=True)
    response = await gateway.post(
        {"query": "{ workflows { nodes { id } } }"},
        headers={} if header is None else {"Authorization": header},
    )
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Bearer")
    assert code(response.json()["errors"][0]) == "UNAUTHENTICATED"
    assert (await gateway.sent()).http == 0
