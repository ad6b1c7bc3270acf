"""Hostile requests: each is refused with little work, and others are served in between.

Work is counted in calls of functions between two rounds of the event loop, because while a round
lasts, nobody else is served. What is written in C (reading JSON, comparing text) is linear in the
body, which is bounded.
"""

from collections.abc import Iterator
from typing import Any

import httpx
import orjson
import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.app import create_app
from gateway.settings import Settings
from tests.work import Work, counted

MOST_CALLS = 3_000_000
"""At a stretch; a slow machine needs about a second for them, and the worst below makes 2,000,000
(a megabyte of escapes in one string)."""
JSON_TYPE = {"Content-Type": "application/json"}
HARMLESS = "{ workflows(first: 1) { nodes { id } } }"

Served = tuple[str, Work]


@pytest.fixture(scope="module")
def address() -> Iterator[Served]:
    with counted(create_app(Settings())) as (address, work):
        httpx.post(f"{address}/graphql", json={"query": HARMLESS}, timeout=60)
        yield address, work


def hold(served: Served, code: str, **request: Any) -> httpx.Response:
    """Send a hostile request; the answer is an error with the code, and others are served."""
    address, work = served
    with httpx.Client(base_url=address, timeout=120) as client:
        work.forget()
        answer = client.request(url="/graphql", **request)
        other = client.post("/graphql", json={"query": HARMLESS})
        assert work.longest < MOST_CALLS
    assert len(other.json()["data"]["workflows"]["nodes"]) == 1
    assert 200 <= answer.status_code < 500
    assert answer.headers["content-type"].startswith("application/")
    found = {error["extensions"]["code"] for error in answer.json()["errors"]}
    assert found == {code}, answer.text[:500]
    return answer


def test_work_is_counted() -> None:
    async def works(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            for _ in range(10_000):
                divmod(7, 3)
            await Response()(scope, receive, send)

    with counted(works) as (address, work):
        work.forget()
        httpx.get(address, timeout=60)
        httpx.get(address, timeout=60)
        assert 10_000 <= work.longest < 20_000


def post(query: Any, **more: Any) -> dict[str, Any]:
    body = orjson.dumps({"query": query, **more})
    return {"method": "POST", "content": body, "headers": JSON_TYPE}


BODIES = {
    "null": b"null",
    "true": b"true",
    "number": b"123",
    "string": b'"{ __typename }"',
    "empty": b"",
    "invalid UTF-8": b'{"query": "\xff\xfe"}',
    "overlong UTF-8": b'{"query": "\xc0\xaf"}',
    "UTF-16": '{"query": "{ __typename }"}'.encode("utf-16"),
    "lone surrogate in operationName": b'{"query": "{ __typename }", "operationName": "\\ud800"}',
    "lone surrogate as UTF-8": b'{"query": "{ __typename }", "operationName": "\xed\xa0\x80"}',
    "nested arrays": b'{"query": "{ __typename }", "variables": {"a": ' + b"[" * 5000 + b"]" * 5000,
    "nested objects": b'{"query": "{ __typename }", "variables": '
    + b'{"a":' * 5000
    + b"1"
    + b"}" * 5001,
    "only brackets": b"[" * 900_000,
}


@pytest.mark.parametrize("body", BODIES.values(), ids=list(BODIES))
def test_a_body_that_is_no_request_is_a_400(address: Served, body: bytes) -> None:
    answer = hold(address, "BAD_REQUEST", method="POST", content=body, headers=JSON_TYPE)
    assert answer.status_code == 400


DIGITS = "9" * 10_000
FIRST = "query ($n: Int) { workflows(first: $n) { nodes { id } } }"


def test_an_endless_integer_in_a_body(address: Served) -> None:
    body = b'{"query": "%s", "variables": {"n": %s}}' % (FIRST.encode(), DIGITS.encode())
    hold(address, "BAD_REQUEST", method="POST", content=body, headers=JSON_TYPE)


def test_an_endless_integer_in_a_url(address: Served) -> None:
    parameters = {"query": FIRST, "variables": f'{{"n": {DIGITS}}}'}
    hold(address, "BAD_REQUEST", method="GET", params=parameters)


@pytest.mark.parametrize("number", ["9" * 40, "1e999", "-1e400", "1.5"])
def test_a_number_that_is_no_int(address: Served, number: str) -> None:
    parameters = {"query": FIRST, "variables": f'{{"n": {number}}}'}
    code = "BAD_REQUEST" if "e" in number else "BAD_USER_INPUT"
    hold(address, code, method="GET", params=parameters)


def test_an_endless_integer_in_a_document(address: Served) -> None:
    query = FIRST.replace("$n: Int", "$n: Int = 1").replace("$n)", f"{DIGITS})")
    hold(address, "GRAPHQL_VALIDATION_FAILED", **post(query))


MB = 1_000_000


def test_a_body_of_50_megabytes_is_refused_while_it_is_read(address: Served) -> None:
    chunks = (b" " * MB for _ in range(50))
    answer = hold(address, "BODY_TOO_LARGE", method="POST", content=chunks, headers=JSON_TYPE)
    assert answer.status_code == 413


def test_a_body_that_announces_50_megabytes_is_refused_at_once(address: Served) -> None:
    answer = hold(
        address, "BODY_TOO_LARGE", method="POST", content=b" " * 50 * MB, headers=JSON_TYPE
    )
    assert answer.status_code == 413
    assert answer.json()["errors"][0]["extensions"]["setting"] == "GATEWAY_MAX_BODY_BYTES"


def both(levels: int) -> str:
    inner = "id" if levels == 1 else both(levels - 1)
    run = RUN.replace("NEXT", inner)
    return f"a: {run} b: {run}"


def doubling(levels: int, selection: str) -> str:
    """Fragments that each select the next one twice."""
    each = [
        f"fragment F{i} on Workflow {{ {selection.replace('NEXT', f'...F{i + 1}')} }}"
        for i in range(levels)
    ]
    return " ".join(["{ workflows { nodes { ...F0 } } }", *each])


def fill(field: str, count: int) -> str:
    inner = " ".join(field.replace("#", str(i)) for i in range(count))
    return f"{{ workflows(first: 1) {{ nodes {{ {inner} }} }} }}"


SPREAD_EACH = " ".join(f"...F{i}" for i in range(240))
VARIABLES = " ".join(f"$v{i}: Int" for i in range(10_000))
INTROSPECTED = "name fields { name args { name } type { name ofType { name } } }"
RUN = "runs(first: 1) { nodes { workflow { NEXT } } }"
DOCUMENTS = {
    "a megabyte of tokens": ("{" + " a" * 480_000 + "}", "TOO_MANY_TOKENS"),
    "a megabyte of comments": ("{ a " + "#\n" * 300_000 + "}", "TOO_MANY_TOKENS"),
    "a megabyte of one comment": (
        "{ nothing #" + "x" * 950_000 + "\n}",
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "a megabyte of one string": (
        '{ workflow(id: "' + "\\u0041" * 130_000 + '") { id } }',
        "BAD_USER_INPUT",
    ),
    "10 levels of 2 aliases": (f"{{ workflows {{ nodes {{ {both(10)} }} }} }}", "TOO_MANY_TOKENS"),
    "10 levels of 2 aliases, by fragments": (
        doubling(10, f"a: {RUN} b: {RUN}") + " fragment F10 on Workflow { id }",
        "DOCUMENT_TOO_DEEP",
    ),
    "3 levels of 2 aliases, by fragments": (
        doubling(3, f"a: {RUN} b: {RUN}") + " fragment F3 on Workflow { ...F4 ...F4 } "
        f"fragment F4 on Workflow {{ {' '.join(f'a{i}: id' for i in range(100))} }}",
        "TOO_MANY_FIELDS",
    ),
    "back and forth": (
        doubling(8, RUN) + " fragment F8 on Workflow { id }",
        "DOCUMENT_TOO_RECURSIVE",
    ),
    "2,000 overlapping fields": (fill("id", 2000), "TOO_MANY_FIELDS"),
    "900 overlapping fields": (fill("id", 900), "DOCUMENT_TOO_COMPLEX"),
    "450 overlapping fields with arguments": (
        fill("runs(first: 1) { totalCount }", 450),
        "DOCUMENT_TOO_COMPLEX",
    ),
    "25 fragments spread twice": (
        doubling(25, "NEXT NEXT") + " fragment F25 on Workflow { id }",
        "TOO_MANY_FIELDS",
    ),
    "fragment spreads itself": (doubling(1, "...F0 id"), "GRAPHQL_VALIDATION_FAILED"),
    "fragment cycle": (
        doubling(25, "id NEXT NEXT") + " fragment F25 on Workflow { ...F0 }",
        "TOO_MANY_FIELDS",
    ),
    "small fragment cycle": (
        doubling(5, "id NEXT") + " fragment F5 on Workflow { ...F0 }",
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "240 fragments at one place": (
        fill("", 1).replace("{  }", f"{{ {SPREAD_EACH} }}")
        + " ".join(f"fragment F{i} on Workflow {{ id }}" for i in range(240)),
        "DOCUMENT_TOO_COMPLEX",
    ),
    "300 fragment spreads": (fill("...A", 300), "TOO_MANY_FRAGMENT_SPREADS"),
    "10,000 aliases": (fill("a#: id", 10_000), "TOO_MANY_TOKENS"),
    "900 aliases": (fill("a#: id", 900), "TOO_MANY_ALIASES"),
    "10,000 directives": (fill("id " + "@skip(if: false)" * 10_000, 1), "TOO_MANY_TOKENS"),
    "900 unknown directives": (fill("id " + "@x" * 900, 1), "TOO_MANY_DIRECTIVES"),
    "10,000 variables": (f"query ({VARIABLES}) {HARMLESS}", "TOO_MANY_TOKENS"),
    "1,000 variables": (
        f"query ({VARIABLES[: VARIABLES.index('$v1000')]}) {HARMLESS}",
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "150 root fields": (
        "{" + " ".join(f"a{i}: __typename" for i in range(150)) + "}",
        "TOO_MANY_ROOT_FIELDS",
    ),
    "50 introspections": (
        "{" + " ".join(f"a{i}: __schema {{ types {{ {INTROSPECTED} }} }}" for i in range(50)) + "}",
        "TOO_MANY_INTROSPECTION_FIELDS",
    ),
    "deep introspection": (
        "{ __schema { types { " + "fields { type { " * 5 + "name" + " } }" * 5 + " } } }",
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "deeper introspection": (
        "{ __schema { types { " + "fields { type { " * 50 + "name" + " } }" * 50 + " } } }",
        "DOCUMENT_TOO_DEEP",
    ),
    "nested fields": ("{ a" * 2000 + "}" * 2000, "DOCUMENT_TOO_DEEP"),
    "nested lists": (
        "{ workflows(first: " + "[" * 2000 + "]" * 2000 + ") { nodes { id } } }",
        "DOCUMENT_TOO_DEEP",
    ),
    "nested types": (
        "query ($a: " + "[" * 2000 + "Int" + "]" * 2000 + ") { __typename }",
        "DOCUMENT_TOO_DEEP",
    ),
    "unknown input fields": (
        "{ workflows(filter: {" + " ".join(f"a{i}: 1" for i in range(1500)) + "}) { totalCount } }",
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "chain of fragments": (
        " ".join(f"fragment F{i} on Workflow {{ id ...F{i + 1} }}" for i in range(240))
        + " fragment F240 on Workflow { id } { workflows { nodes { ...F0 } } }",
        "DOCUMENT_TOO_DEEP",
    ),
    "900 operations": (
        " ".join(f"query Q{i} {{ __typename }}" for i in range(900)),
        "BAD_REQUEST",
    ),
}


@pytest.mark.parametrize(("query", "code"), DOCUMENTS.values(), ids=list(DOCUMENTS))
def test_a_document_that_asks_too_much(address: Served, query: str, code: str) -> None:
    hold(address, code, **post(query))


def test_many_unknown_variables_and_input_fields(address: Served) -> None:
    many = {f"a{i}": {} for i in range(50_000)}
    query = "query ($f: WorkflowFilter) { workflows(filter: $f) { totalCount } }"
    hold(address, "BAD_USER_INPUT", **post(query, variables={"f": many}))


def test_nested_values_in_variables(address: Served) -> None:
    body = b'{"query": "query ($f: WorkflowFilter) { workflows(filter: $f) { totalCount } }"'
    body += b', "variables": {"f": ' + b'{"and": [' * 400 + b"{}" + b"]}" * 400 + b"}}"
    hold(address, "BAD_USER_INPUT", method="POST", content=body, headers=JSON_TYPE)
