"""What nobody foresaw in one row fails its own edge, and no other.

Where the kind can occur: whatever is done with rows between the answer of the service and the
answer of the gateway: sorting and filtering a list that is in hand, dealing a flat collection out,
joining, looking users up, reading what a list left out, learning whether an expansion is taken.
"""

import json
from typing import Any

import pytest

from gateway.graph.directory import Directory
from gateway.graph.runner import Runner
from tests.conftest import Start
from tests.upstreams import Answered, Asked, Unusual

SORTED = """{ workflows { nodes { id runs(first: 1) { nodes { id
  userProcessingResults { nodes { id
    taskProcessingResults(orderBy: [{ field: COMPLETED_DATE_TIME }]) { id }
    all: taskProcessingResults { id completedDateTime } } } } } } }
  other: workflowTemplates { nodes { id } } }"""
FILTERED = SORTED.replace(
    "(orderBy: [{ field: COMPLETED_DATE_TIME }])",
    '(filter: { completedDateTime: { gt: "2020-01-01T00:00:00Z" } })',
)


def _no_time(asked: Asked, answer: Answered) -> None:
    """One task result has a number where a time should be."""
    if "taskProcessingResults" in asked.url and isinstance(answer.body, dict):
        for row in answer.body.get("value", [])[:1]:
            row["completedDateTime"] = 5


@pytest.mark.parametrize("query", [SORTED, FILTERED], ids=["sorted", "filtered"])
async def test_a_number_in_the_place_of_a_time_hurts_nobody_else(start: Start, query: str) -> None:
    expected = await (await start()).data(query)
    gateway = await start(unusual=Unusual(change=_no_time))
    answer = await gateway.query(query)
    codes = {error["extensions"]["code"] for error in answer["errors"]}
    assert codes == {"UPSTREAM_ERROR"}
    assert {error["path"][-1] for error in answer["errors"]} == {"completedDateTime"}
    assert answer["data"]["other"] == expected["other"]
    assert len(answer["data"]["workflows"]["nodes"]) == len(expected["workflows"]["nodes"])


OTHERS = """{ workflows { nodes { id displayName } }
  made: workflows { nodes { createdBy { id city } lastModifiedBy { displayName department } } }
  tasks: workflows { nodes { tasks { id taskDefinition { displayName } } settings { __typename } } }
  tree: workflows { nodes { runs { nodes { userProcessingResults { nodes { id
    taskProcessingResults { id } } } } } } } }"""


def _raise(*_: Any, **__: Any) -> Any:
    raise RuntimeError("nobody foresaw this")


@pytest.mark.parametrize(
    ("owner", "name", "hurt"),
    [
        (Directory, "load", {"displayName", "department"}),
        (Runner, "_join", {"taskDefinition"}),
        (Runner, "_detail", {"tasks", "settings", "createdBy", "lastModifiedBy"}),
        (Runner, "_settle_grouped", {"taskProcessingResults"}),
        (Runner, "_decide", {"taskProcessingResults"}),
        (Runner, "_ask", set()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_step_that_breaks_fails_its_own_edges(
    start: Start, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, hurt: set[str]
) -> None:
    # On small pages it is decided later whether to regroup.
    gateway = await start(page_size=4 if name == "_decide" else 100)
    expected = await gateway.data(OTHERS)
    monkeypatch.setattr(owner, name, _raise)
    answer = await gateway.query(OTHERS)
    assert answer["data"]["workflows"] == expected["workflows"]
    assert {error["path"][-1] for error in answer.get("errors", [])} <= hurt
    if hurt:
        assert answer["errors"]
        assert {e["extensions"]["code"] for e in answer["errors"]} == {"INTERNAL_SERVER_ERROR"}
    else:
        assert answer == {"data": expected}


@pytest.mark.parametrize("value", ["[" * 1000 + "]" * 1000, '{"a":' * 1000 + "1" + "}" * 1000, "1"])
async def test_headers_of_an_item_that_are_no_texts(start: Start, value: str) -> None:
    """They are taken for absent, however deep they are."""

    async def http(asked: Asked) -> Answered | None:
        if not asked.url.endswith("$batch"):
            return None
        items = json.loads(asked.body)["requests"]
        answers = [
            f'{{"id":"{item["id"]}","status":200,"body":{{"value":[]}},"headers":{{"a":{value}}}}}'
            for item in items
        ]
        return Answered(f'{{"responses":[{",".join(answers)}]}}'.encode())

    gateway = await start(unusual=Unusual(http=http))
    data = await gateway.data("{ workflows { nodes { runs(first: 1) { nodes { id } } } } }")
    assert [workflow["runs"]["nodes"] for workflow in data["workflows"]["nodes"]] == [[]] * 5


@pytest.mark.parametrize("projection", [True, False])
@pytest.mark.parametrize(
    "value", ["[" * 990 + "]" * 990, '{"a":' * 990 + "1" + "}" * 990, "[1" + ",1" * 100_000 + "]"]
)
@pytest.mark.parametrize("name", ["displayName", "createdDateTime", "category", "version"])
async def test_a_value_that_is_no_leaf_is_not_printed(
    start: Start, name: str, value: str, projection: bool
) -> None:
    body = f'{{"value":[{{"id":"w","{name}":{value}}}]}}'.encode()
    unusual = Unusual(instead=lambda _: Answered(body))
    gateway = await start(unusual=unusual, projection=projection)
    answer = await gateway.query(f"{{ workflows {{ nodes {{ id {name} }} }} }}")
    assert answer["data"]["workflows"]["nodes"] == [{"id": "w", name: None}]
    [error] = answer["errors"]
    assert error["extensions"]["code"] == "UPSTREAM_ERROR"
    assert error["path"] == ["workflows", "nodes", 0, name]
    assert len(error["message"]) < 200


async def test_what_a_list_left_out_may_come_wrapped(start: Start) -> None:
    query = "{ workflows { nodes { id executionConditions { __typename } tasks { id } } } }"
    expected = await (await start()).data(query)

    def change(asked: Asked, answer: Answered) -> None:
        if asked.url.partition("?")[0].split("/")[-2] == "workflows":
            answer.body = {"value": answer.body}

    gateway = await start(unusual=Unusual(change=change))
    assert await gateway.data(query) == expected
