"""Answers of another shape: the answer is exact, or an error says where and why it is not."""

from typing import Any

import pytest

from tests.conftest import Gateway, running
from tests.graph.canned import LIST, TWO, Replay, a_run, code, codes, two


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        "text",
        5,
        {"value": None},
        {"value": "text"},
        {"value": {"id": "a"}},
        {"value": [None]},
        {"value": ["a"]},
        {"value": [[]]},
        {"value": [{"id": "a"}, {}]},
        {"value": [{"id": None}]},
        {"error": {"code": "x", "message": "y"}},
    ],
    ids=repr,
)
@pytest.mark.parametrize("edge", ["workflows", "runs"])
async def test_a_collection_of_another_shape_fails_its_edge_only(
    gateway: Gateway, body: Any, edge: str
) -> None:
    ids = await two(gateway)
    match = LIST if edge == "workflows" else f"{ids['a']}/runs"
    await gateway.fault(match=match, status=200, body=body)
    answer = await gateway.query(
        """query ($a: ID!, $b: ID!) { workflows { nodes { id } }
          a: workflow(id: $a) { id runs { nodes { id } } } b: workflow(id: $b) { id } }""",
        **ids,
    )
    [error] = answer["errors"]
    path = ["workflows"] if edge == "workflows" else ["a", "runs"]
    assert (code(error), error["path"]) == ("UPSTREAM_ERROR", path)
    assert answer["data"]["b"] == {"id": ids["b"]}


@pytest.mark.parametrize("body", [{}, [], "text", 5, {"value": []}, {"id": None}], ids=repr)
async def test_an_entity_of_another_shape_is_an_error(gateway: Gateway, body: Any) -> None:
    ids = await two(gateway)
    await gateway.fault(match=f"workflows/{ids['a']}", status=200, body=body, times=None)
    answer = await gateway.query(TWO, **ids)
    [error] = answer["errors"]
    assert (code(error), error["path"]) == ("UPSTREAM_ERROR", ["a"])
    assert answer["data"]["b"]["id"] == ids["b"]


LOOK_UP = 'query ($w: ID!) { userProcessingResult(workflowId: $w, id: "%s") { id } }'


@pytest.mark.parametrize("body", [{}, [], "text", {"value": {}}, {"value": ["a"]}], ids=repr)
async def test_a_look_up_of_another_shape_is_an_upstream_error(gateway: Gateway, body: Any) -> None:
    run = await a_run(gateway)
    await gateway.fault(match="userProcessingResults", status=200, body=body, times=None)
    assert codes(await gateway.query(LOOK_UP % "x", w=run["w"])) == {"UPSTREAM_ERROR"}


async def test_a_service_that_ignores_the_filter_does_not_answer_with_another_entity() -> None:
    rows = [{"id": "other"}, {"id": "wanted"}]
    replay = Replay({"workflows/w/userProcessingResults": {"value": rows}})
    async with running(replay.app) as gateway:
        found = await gateway.query(LOOK_UP % "wanted", w="w")
        missing = await gateway.query(LOOK_UP % "missing", w="w")
    assert found["data"] == {"userProcessingResult": {"id": "wanted"}}
    assert missing["data"] == {"userProcessingResult": None}
    assert codes(missing) == {"NOT_FOUND"}


VALUES = [
    ("version", 1.5),
    ("version", "many"),
    ("version", 2**31),
    ("version", []),
    ("isEnabled", "true"),
    ("isEnabled", {}),
    ("displayName", {}),
    ("displayName", ["x"]),
    ("createdDateTime", 5),
    ("category", 5),
    ("category", ["leaver"]),
    ("executionConditions { odataType }", "text"),
    ("executionConditions { odataType }", ["x"]),
    (
        "executionConditions { ... on TriggerAndScopeBasedConditions { scope { odataType } } }",
        {
            "@odata.type": "#microsoft.graph.identityGovernance.triggerAndScopeBasedConditions",
            "scope": 5,
        },
    ),
    ("quarantineDetails { quarantineReason }", "text"),
    ("settings { quarantineConfiguration { matchMode } }", {"quarantineConfiguration": [1]}),
    ("tasks { id }", "text"),
    ("tasks { id }", {"id": "a"}),
    ("tasks { id }", ["a"]),
    ("tasks { id }", [{}]),
    ("tasks { id category }", [{"id": "a", "category": 5}]),
    ("tasks { id category }", [{"id": "a", "category": [5]}]),
    ("tasks { id arguments { name } }", [{"id": "a", "arguments": ["x"]}]),
    ("tasks { id arguments { name } }", [{"id": "a", "arguments": {"name": "x"}}]),
    ("createdBy { id }", "text"),
    ("createdBy { id }", {}),
    ("createdBy { id nodeId }", {"id": 5}),
    ("createdBy { id displayName }", {"id": ["x"]}),
]


@pytest.mark.parametrize(("field", "value"), VALUES, ids=lambda v: ascii(v)[:40])
async def test_a_value_of_another_type_fails_its_field_only(field: str, value: Any) -> None:
    name = field.partition(" ")[0]
    rows = [{"id": "w", "description": "kept", name: value}]
    replay = Replay(
        {"workflows/w": rows[0], "workflows/w/tasks": {"value": value}, "workflows": {"value": []}}
    )
    async with running(replay.app) as gateway:
        answer = await gateway.query(
            f'{{ workflow(id: "w") {{ id description {field} }} workflows {{ nodes {{ id }} }} }}'
        )
    assert codes(answer) == {"UPSTREAM_ERROR"}
    assert {tuple(error["path"][:2]) for error in answer["errors"]} == {("workflow", name)}
    assert answer["data"]["workflow"]["description"] == "kept"
    assert answer["data"]["workflows"] == {"nodes": []}


async def test_a_member_that_is_not_known_becomes_the_unknown_value() -> None:
    conditions = {"@odata.type": "#microsoft.graph.identityGovernance.something"}
    task = {"id": "t", "category": "joiner, astronaut,LEAVER"}
    workflow = {
        "id": "w",
        "category": "astronaut",
        "executionConditions": conditions,
        "tasks": [task],
    }
    replay = Replay({"workflows/w": workflow})
    async with running(replay.app) as gateway:
        data = await gateway.data(
            """{ workflow(id: "w") { category tasks { category }
              executionConditions { __typename odataType } } }"""
        )
    assert data["workflow"] == {
        "category": "UNKNOWN_FUTURE_VALUE",
        "tasks": [{"category": ["JOINER", "UNKNOWN_FUTURE_VALUE", "LEAVER"]}],
        "executionConditions": {
            "__typename": "UnknownExecutionConditions",
            "odataType": conditions["@odata.type"],
        },
    }


async def test_flags_may_be_written_with_blanks_between() -> None:
    task = {"id": "t", "category": "joiner, mover"}
    replay = Replay({"workflows/w": {"id": "w", "tasks": [task]}})
    async with running(replay.app) as gateway:
        data = await gateway.data('{ workflow(id: "w") { tasks { category } } }')
    assert data["workflow"]["tasks"] == [{"category": ["JOINER", "MOVER"]}]
