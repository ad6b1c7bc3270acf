"""What an operation reads of the service has a bound in bytes, counted while it is read.

The kind: a body that is read whole, however long it is, and kept until the answer is made. It can
occur wherever an answer of the service is read: a lone request, a `$batch`, further pages, many
requests of one operation that are small each, compressed bodies (which are counted as they are
unpacked), errors, and the answer to a change.
"""

import gzip
import json
from typing import Any

import pytest

from gateway.settings import Settings
from tests.conftest import Gateway, Start
from tests.upstreams import Answered, Asked, Unusual

LIMIT = 200_000
LIST = "{ workflows(first: 1000) { nodes { id description } } other: insights { __typename } }"
RUNS = "{ workflows { nodes { id runs(first: 1000) { nodes { id } } } } }"
LONG = "x" * 1000


def code(error: dict[str, Any]) -> str:
    assert error["extensions"]["setting"] == "GATEWAY_MAX_UPSTREAM_BYTES"
    assert str(LIMIT) in error["message"]
    return str(error["extensions"]["code"])


async def in_front_of(start: Start, unusual: Unusual) -> Gateway:
    return await start(unusual=unusual, settings=Settings(max_upstream_bytes=LIMIT))


def workflows(number: int, length: int = 1000) -> dict[str, Any]:
    return {"value": [{"id": f"w{place}", "description": "x" * length} for place in range(number)]}


@pytest.mark.parametrize(
    "answer",
    [
        Answered(workflows(300)),
        Answered(workflows(1, 300_000)),
        Answered(
            gzip.compress(json.dumps(workflows(3000)).encode()),
            headers={"content-encoding": "gzip"},
        ),
        Answered(b"x" * 300_000),
        Answered({"error": {"code": "x", "message": "x" * 300_000}}, 500),
    ],
    ids=["many rows", "a long row", "compressed", "no JSON", "an error"],
)
async def test_one_long_body(start: Start, answer: Answered) -> None:
    unusual = Unusual(instead=lambda asked: answer if "/workflows?" in asked.url else None)
    gateway = await in_front_of(start, unusual)
    [error] = await gateway.errors(LIST)
    assert (code(error), error["path"]) == ("BUDGET_EXCEEDED", ["workflows"])
    assert len(unusual.asked) == 1


async def test_an_endless_chain_of_pages(start: Start) -> None:
    """The rows before it are kept, and what may not be read is not asked for."""
    asked_for = 0

    def instead(asked: Asked) -> Answered | None:
        nonlocal asked_for
        if "/workflows?" not in asked.url:
            return None
        asked_for += 1
        body = workflows(10)
        for row in body["value"]:
            row["id"] += f"-{asked_for}"
        body["@odata.nextLink"] = f"workflows?$skiptoken={asked_for}"
        return Answered(body)

    gateway = await in_front_of(start, Unusual(instead=instead))
    answer = await gateway.query(LIST)
    [error] = answer["errors"]
    assert code(error) == "BUDGET_EXCEEDED"
    assert error["extensions"]["after"]
    size = len(json.dumps(workflows(10)))
    assert LIMIT // size - 2 <= asked_for <= LIMIT // size + 1
    assert len(answer["data"]["workflows"]["nodes"]) == 10 * (asked_for - 1)


async def test_many_small_answers(start: Start) -> None:
    """What goes together is read together; nothing is sent afterwards."""

    def change(asked: Asked, answered: Answered) -> None:
        if asked.item:
            answered.body["padding"] = "x" * 50_000

    unusual = Unusual(change=change)
    gateway = await in_front_of(start, unusual)
    answer = await gateway.query(RUNS)
    assert {code(error) for error in answer["errors"]} == {"BUDGET_EXCEEDED"}
    assert all(workflow["runs"] is None for workflow in answer["data"]["workflows"]["nodes"])
    assert len(unusual.http_asked) == 2


async def test_each_operation_has_a_bound_of_its_own(start: Start) -> None:
    unusual = Unusual(
        instead=lambda asked: Answered(workflows(100)) if "/workflows?" in asked.url else None
    )
    gateway = await in_front_of(start, unusual)
    for _ in range(3):
        data = await gateway.data(LIST.replace("other: insights { __typename }", ""))
        assert len(data["workflows"]["nodes"]) == 100


async def test_after_an_answer_that_is_too_long_a_change_may_have_been_made(start: Start) -> None:
    unusual = Unusual(
        instead=lambda asked: (
            Answered({"id": "w", "description": "x" * 300_000}) if asked.method == "PATCH" else None
        )
    )
    gateway = await in_front_of(start, unusual)
    answer = await gateway.query(
        'mutation { updateWorkflow(input: { workflowId: "w", displayName: "x" }) { __typename } }'
    )
    [error] = answer["errors"]
    assert code(error) == "BUDGET_EXCEEDED"
    assert error["extensions"]["outcomeUnknown"] is True
    assert [asked.method for asked in unusual.asked] == ["PATCH"]
