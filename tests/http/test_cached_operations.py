"""A warm request is neither parsed, validated nor planned again."""

from collections import Counter

import pytest

from gateway.http import documents
from gateway.plan.planner import Planner
from gateway.schema import context
from gateway.schema.build import GatewaySchema

QUERY = """query Names($first: Int, $with: Boolean = false) {
    workflows(first: $first) { nodes { id displayName @include(if: $with) } } }"""


@pytest.fixture
def done(monkeypatch):
    """How often each of the three was done."""
    counted = Counter()

    def counting(owner, name):
        real = getattr(owner, name)

        def count(*args, **kwargs):
            counted[name] += 1
            return real(*args, **kwargs)

        monkeypatch.setattr(owner, name, count)

    counting(documents, "parse")
    counting(GatewaySchema, "validate")
    counting(Planner, "plan")
    return counted


async def test_a_warm_request_does_none_of_them(gateway, done):
    cold = await gateway.data(QUERY, first=2)
    assert done == {"parse": 1, "validate": 1, "plan": 1}
    for _ in range(3):
        assert await gateway.data(QUERY, first=2) == cold
    assert done == {"parse": 1, "validate": 1, "plan": 1}


async def test_other_variables_are_planned_and_nothing_else(gateway, done):
    two = await gateway.data(QUERY, first=2)
    three = await gateway.data(QUERY, first=3)
    named = await gateway.data(QUERY, **{"first": 2, "with": True})
    assert [len(data["workflows"]["nodes"]) for data in (two, three, named)] == [2, 3, 2]
    assert "displayName" in named["workflows"]["nodes"][0]
    assert "displayName" not in two["workflows"]["nodes"][0]
    assert await gateway.data(QUERY, first=2) == two
    assert done == {"parse": 1, "validate": 1, "plan": 3}


async def test_operations_of_one_document_have_plans_of_their_own(gateway, done):
    query = "query A { workflows(first: 1) { nodes { id } } } query B { settings { __typename } }"
    for name in ("A", "B", "A", "B"):
        body = {"query": query, "operationName": name}
        data = (await gateway.post(body)).json()["data"]
        assert list(data) == [{"A": "workflows", "B": "settings"}[name]]
    assert done == {"parse": 1, "validate": 1, "plan": 2}


async def test_a_kept_plan_answers_what_is_there_now(gateway, done):
    query = "{ workflows(first: 1) { nodes { id displayName } } }"
    [workflow] = (await gateway.data(query))["workflows"]["nodes"]
    await gateway.data(
        """mutation($id: ID!) {
            updateWorkflow(input: { workflowId: $id, displayName: "New" }) { __typename } }""",
        id=workflow["id"],
    )
    assert (await gateway.data(query))["workflows"]["nodes"] == [{**workflow, "displayName": "New"}]
    bad = "{ workflows(first: 0) { nodes { id } } }"
    for _ in range(2):
        [error] = await gateway.errors(bad)
        assert error["extensions"] == {"code": "BAD_USER_INPUT", "argument": "first"}
    assert done["plan"] == 2


async def test_plans_are_kept_within_bounds(start, monkeypatch, done):
    monkeypatch.setattr(context, "CAPACITY", 30_000)
    gateway = await start()
    for first in [*range(1, 9), 1]:
        await gateway.data(QUERY, first=first)
    assert done["plan"] == 9
    await gateway.data(QUERY, first=1)
    assert done["plan"] == 9
