"""Whatever is sent, nothing is a fault of the gateway, and every error has a code."""

import copy
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import from_schema, nodes

from gateway.schema.build import build_schema
from tests.answer.operations import Operations
from tests.conftest import Gateway

SCHEMA = build_schema().core
CASES = 250
ODD: list[Any] = [None, "", "a/b", "\u202e", 0, -1, 2**40, 1.5, True, [], {}, [[]], {"a": 1}]
MUTATIONS = sorted(SCHEMA.mutation_type.fields)


def damaged(text: str, draw: random.Random) -> str:
    """A document with something cut out, put in, or put twice."""
    place, length = draw.randrange(len(text)), draw.randrange(1, 12)
    piece = draw.choice(["", "{", "}", "...", "@skip", "\x00", "ü", '"', text[place : place + 9]])
    return text[:place] + piece + text[place + length :]


def odd(value: Any, draw: random.Random) -> Any:
    """A value with one place of it replaced by something that hardly fits."""
    if draw.random() < 0.3 or not value or not isinstance(value, dict | list):
        return draw.choice(ODD)
    value = copy.copy(value)
    key = draw.choice(list(value) if isinstance(value, dict) else range(len(value)))
    value[key] = odd(value[key], draw)
    return value


async def check(gateway: Gateway, query: str, variables: Any) -> list[str]:
    """The codes of the errors in the answer."""
    response = await gateway.post({"query": query, "variables": variables})
    assert response.status_code < 500, (query, variables, response.text)
    errors = response.json().get("errors", [])
    codes = [error["extensions"]["code"] for error in errors]
    assert "INTERNAL_SERVER_ERROR" not in codes, (query, variables, errors)
    assert all(codes), errors
    return codes


@pytest.mark.slow
async def test_generated_queries_are_no_fault(gateway: Gateway) -> None:
    answered = 0
    for case in range(CASES):
        draw = random.Random(case)
        operations = Operations(SCHEMA, draw)
        query = operations.write()
        answered += not await check(gateway, query, operations.variables)
        await check(gateway, damaged(query, draw), operations.variables)
        await check(gateway, query, odd(operations.variables, draw))
    assert answered > CASES / 20


@pytest.mark.parametrize("name", MUTATIONS)
async def test_generated_changes_are_no_fault(gateway: Gateway, name: str) -> None:
    type_ = SCHEMA.mutation_type.fields[name].args["input"].type
    query = f"mutation($input: {type_}) {{ {name}(input: $input) {{ __typename }} }}"
    for case in range(12):
        draw = random.Random(f"{name} {case}")
        given = Operations(SCHEMA, draw)._value(type_, 0)
        await check(gateway, query, {"input": given})
        await check(gateway, query, {"input": odd(given, draw)})


def by_hypothesis(count: int) -> list[str]:
    """Requests that hypothesis-graphql makes of the schema."""
    scalars = {
        "DateTime": st.sampled_from(["2026-01-31T00:00:00Z", "", "now"]).map(nodes.String),
        "Int64": st.integers(-5, 2**40).map(nodes.Int),
    }
    found: list[str] = []

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(from_schema(build_schema().sdl, custom_scalars=scalars))
    def collect(request: str) -> None:
        found.append(request)

    collect()
    return found


@pytest.mark.slow
async def test_requests_by_hypothesis_are_no_fault(gateway: Gateway) -> None:
    codes = [code for request in by_hypothesis(120) for code in await check(gateway, request, None)]
    assert "BAD_USER_INPUT" in codes
