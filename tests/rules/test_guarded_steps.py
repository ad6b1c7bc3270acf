"""What nobody foresaw in one row fails its own edge, and no other.

Where the kind can occur: whatever is done with rows between the answer of the service and the
answer of the gateway: sorting and filtering a list that is in hand, dealing a flat collection out,
joining, looking users up, reading what a list left out, learning whether an expansion is taken.
"""

from typing import Any

import pytest

from gateway.graph.layers import Execution
from gateway.graph.users import Directory
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
        (Execution, "_join", {"taskDefinition"}),
        (Execution, "_detail", {"tasks", "settings", "createdBy", "lastModifiedBy"}),
        (Execution, "_settle_grouped", {"taskProcessingResults"}),
        (Execution, "_decide", {"taskProcessingResults"}),
        (Execution, "_ask", set()),
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


async def test_what_a_list_left_out_may_come_wrapped(start: Start) -> None:
    query = "{ workflows { nodes { id executionConditions { __typename } tasks { id } } } }"
    expected = await (await start()).data(query)

    def change(asked: Asked, answer: Answered) -> None:
        if asked.url.partition("?")[0].split("/")[-2] == "workflows":
            answer.body = {"value": answer.body}

    gateway = await start(unusual=Unusual(change=change))
    assert await gateway.data(query) == expected
