"""Each limit of a document: what it counts, what it says, and that its setting moves it."""

from pathlib import Path
from typing import Any

import pytest
from graphql import get_introspection_query, parse

from gateway.http.limits import CONSTANT, Limits, measure
from gateway.settings import Settings
from tests.conftest import Start

ROW = "{ workflows(first: 1) { nodes { %s } } }"
LIMITS = {
    "tokens": ("{ __typename }", 3, "TOO_MANY_TOKENS"),
    "depth": (ROW % "id", 3, "DOCUMENT_TOO_DEEP"),
    "recursion": (
        ROW % "runs(first: 1) { nodes { workflow { runs(first: 1) { totalCount } } } }",
        1,
        "DOCUMENT_TOO_RECURSIVE",
    ),
    "fields": (ROW % "...F ...F" + "fragment F on Workflow { id }", 4, "TOO_MANY_FIELDS"),
    "root_fields": (
        "{ ...F ...F } fragment F on Query { __typename }",
        2,
        "TOO_MANY_ROOT_FIELDS",
    ),
    "introspection_fields": (
        '{ ...F __typename } fragment F on Query { __type(name: "Run") { name } }',
        2,
        "TOO_MANY_INTROSPECTION_FIELDS",
    ),
    "aliases": (ROW % "a: id b: id id", 2, "TOO_MANY_ALIASES"),
    "directives": (
        "query ($a: Boolean!) { __typename @skip(if: $a) ... @include(if: $a) { __typename } }",
        2,
        "TOO_MANY_DIRECTIVES",
    ),
    "fragment_spreads": (
        ROW % "...F ...F" + "fragment F on Workflow { id }",
        2,
        "TOO_MANY_FRAGMENT_SPREADS",
    ),
}


@pytest.mark.parametrize("name", [name for name in LIMITS if name not in CONSTANT])
async def test_a_limit_is_a_setting_and_its_error_names_it(start: Start, name: str) -> None:
    query, has, code = LIMITS[name]
    body = {"query": query, "variables": {"a": True}}
    settings: Any = {f"max_{name}": has}
    within = await start(Settings(**settings))
    assert "errors" not in (await within.post(body)).json()
    settings = {f"max_{name}": has - 1}
    beyond = await start(Settings(**settings))
    response = await beyond.post(body)
    assert response.status_code == 400
    [error] = response.json()["errors"]
    setting = f"GATEWAY_MAX_{name.upper()}"
    assert error["extensions"] == {"code": code, "limit": has - 1, "setting": setting}
    assert setting in error["message"]
    assert str(has - 1) in error["message"]


@pytest.mark.parametrize("name", CONSTANT)
async def test_a_limit_that_is_no_setting_is_told_too(
    start: Start, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    query, has, code = LIMITS[name]
    body = {"query": query, "variables": {"a": True}}
    gateway = await start()
    monkeypatch.setitem(CONSTANT, name, has)
    assert "errors" not in (await gateway.post(body)).json()
    monkeypatch.setitem(CONSTANT, name, has - 1)
    body["query"] = f"{body['query']} "  # What was measured is kept.
    response = await gateway.post(body)
    assert response.status_code == 400
    [error] = response.json()["errors"]
    assert error["extensions"] == {"code": code, "limit": has - 1}
    assert "GATEWAY_" not in error["message"]
    assert f"more than {has - 1} {name.replace('_', ' ')}" in error["message"]


def test_the_largest_operation_of_a_document_counts() -> None:
    two = measure(parse("query A { a b { c } } query B { a }"))
    assert (two.fields, two.root_fields, two.depth) == (3, 2, 2)


def test_a_fragment_counts_wherever_it_is_spread() -> None:
    doubled = " ".join(f"fragment F{i} on A {{ ...F{i + 1} ...F{i + 1} }}" for i in range(25))
    found = measure(parse(f"{{ ...F0 }} {doubled} fragment F25 on A {{ a }}"))
    assert (found.fields, found.root_fields, found.fragment_spreads) == (2**25, 2**25, 51)


def test_a_cycle_ends() -> None:
    assert measure(parse("{ ...F } fragment F on A { a { ...F } }")).fields == 1


def test_what_tools_send_is_far_within_the_limits() -> None:
    text = get_introspection_query(
        descriptions=True,
        specified_by_url=True,
        directive_is_repeatable=True,
        schema_description=True,
        input_value_deprecation=True,
    )
    documents = [text]
    documents += Path("docs/queries.md").read_text(encoding="utf-8").split("```graphql")[1:]
    settings = Settings()
    for document in documents:
        node = parse(document.partition("```")[0])
        found = measure(node)
        assert found.depth <= settings.max_depth / 2
        assert found.recursion < settings.max_recursion
        assert found.fields <= settings.max_fields / 4
        assert found.introspection_fields <= CONSTANT["introspection_fields"] * 0.8
        assert found.fragment_spreads <= CONSTANT["fragment_spreads"] / 4
        assert node.token_count <= settings.max_tokens / 4


async def test_the_limit_of_a_body_and_a_url(start: Start) -> None:
    query = "{ __typename }"
    size = len(f'{{"query":"{query}"}}')
    headers = {"Content-Type": "application/json"}
    content = f'{{"query":"{query}"}}'.encode()
    within = await start(Settings(max_body_bytes=size))
    sent: dict[str, Any] = {"content": content, "headers": headers}
    assert (await within.client.post("/graphql", **sent)).status_code == 200
    beyond = await start(Settings(max_body_bytes=size - 1))
    response = await beyond.client.post("/graphql", **sent)
    assert response.status_code == 413
    assert response.json()["errors"][0]["extensions"] == {
        "code": "BODY_TOO_LARGE",
        "limit": size - 1,
        "setting": "GATEWAY_MAX_BODY_BYTES",
    }
    response = await beyond.client.get("/graphql", params={"query": query + " " * size})
    assert response.status_code == 414
    assert response.json()["errors"][0]["extensions"]["code"] == "URI_TOO_LONG"


async def test_the_same_text_is_parsed_and_validated_once(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gateway.http import documents

    parsed: list[str] = []

    def counting(text: str, **options: Any) -> Any:
        parsed.append(text)
        return parse(text, **options)

    monkeypatch.setattr(documents, "parse", counting)
    gateway = await start()
    for _ in range(3):
        await gateway.data("query ($n: Int) { workflows(first: $n) { nodes { id } } }", n=1)
    assert len(parsed) == 1


def test_kept_documents_are_bounded() -> None:
    from gateway.http.documents import Documents

    limits = Limits(tokens=1000, depth=2, recursion=0, fields=1000)
    documents = Documents(lambda _: [], limits, capacity=50_000)
    kept = documents.get("{ a }")
    assert documents.get("{ a }") is kept
    for number in range(50):
        documents.get(f"{{ a{number} }}")
    assert documents.get("{ a }") is not kept
    long = documents.get("{ a {" + " b" * 200 + " } }")
    assert documents.get("{ a {" + " b" * 200 + " } }") is not long
