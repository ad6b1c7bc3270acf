"""Rows times rows: an answer that would be too large is refused before any of it is written.

The kind: few rows of the service that stand in the answer many times. Places where it can occur:
edges that lead back to a container (`workflow` of a run, `run` of a result); aliases of one list,
of one property, or of views of a list in hand; reference entries that are joined to many rows;
both `nodes` and `edges` of a connection; cursors, which are made before the answer is; long texts
that many rows share; the same with generated functions and without them, in queries and in the
payloads of mutations.
"""

import tracemalloc
from typing import Any

import pytest

from gateway.answer.bounds import Bounds, Ledger
from gateway.errors import AnswerTooLarge
from gateway.odata.cursor import CursorCodec, Position
from gateway.plan.nodes import View
from gateway.settings import Settings
from tests.conftest import Gateway, Start
from tests.upstreams import Answered, Asked, Unusual

RUNS = "runs(first: 1000) { nodes { %s } }"
NODES = "{ workflows { nodes { %s } } }"
BACK = NODES % (RUNS % f"workflow {{ {RUNS} }}")
LEAF = "id processingStatus startedDateTime"
BOTH = pytest.mark.parametrize("projection", [True, False])


def aliases(number: int, field: str) -> str:
    return " ".join(f"a{i}: {field.replace('#', str(i))}" for i in range(number))


async def refused(gateway: Gateway, query: str, what: str = "objects") -> dict[str, Any]:
    answer = await gateway.query(query)
    assert answer["data"] is None
    [error] = answer["errors"]
    setting = f"GATEWAY_MAX_ANSWER_{what.upper()}"
    assert error["extensions"]["code"] == "ANSWER_TOO_LARGE"
    assert error["extensions"]["setting"] == setting
    assert setting in error["message"]
    assert str(error["extensions"]["limit"]) in error["message"]
    return error


def objects(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(map(objects, value.values()))
    return sum(map(objects, value)) if isinstance(value, list) else 0


async def test_rows_times_rows_times_rows(start: Start) -> None:
    gateway = await start(workflows=1, runs=1000, page_size=1000)
    await gateway.query(BACK % "id")
    query = BACK % f"workflow {{ runs(first: 1000) {{ nodes {{ {LEAF} }} }} }}"
    tracemalloc.start()
    try:
        await refused(gateway, query)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 50_000_000


@BOTH
@pytest.mark.parametrize(
    "query",
    [
        BACK % LEAF,
        NODES % aliases(60, RUNS % "id"),
        NODES % aliases(200, "tasks { id taskDefinition { id } }"),
        NODES % ("tasks { id } " + aliases(240, 'tasks(filter: { id: { ne: "#" } }) { id }')),
        BACK.replace("nodes { %s }", "edges { node { workflow { id } } }"),
        NODES % (RUNS % "...A") + f" fragment A on Run {{ {aliases(100, 'workflow { id }')} }}",
    ],
    ids=["back", "aliases", "joined", "views", "edges", "leaf-objects"],
)
async def test_every_way_to_multiply_is_counted(start: Start, query: str, projection: bool) -> None:
    data = {"workflows": 2, "runs": 40, "tasks": 20}
    unbounded = await start(projection=projection, **data)
    made = objects(await unbounded.data(query))
    assert made > 3_000
    within = await start(Settings(max_answer_objects=made + 1), projection=projection, **data)
    await within.data(query)
    beyond = await start(Settings(max_answer_objects=made - 2), projection=projection, **data)
    await refused(beyond, query)


@BOTH
async def test_bytes_are_counted_too(start: Start, projection: bool) -> None:
    def change(_: Asked, answer: Answered) -> None:
        for row in answer.body.get("value", ()):
            if "description" in row:
                row["description"] = "x" * 100_000

    settings = Settings(max_answer_bytes=3_000_000)
    unusual = Unusual(change=change)
    gateway = await start(settings, projection=projection, unusual=unusual, workflows=2, runs=30)
    fits = "{ workflows { nodes { description } } }"
    assert len((await gateway.data(fits))["workflows"]["nodes"][0]["description"]) == 100_000
    many = aliases(40, "description")
    await refused(gateway, f"{{ workflows {{ nodes {{ {many} }} }} }}", "bytes")
    await refused(
        gateway,
        "{ workflows { nodes { description runs { nodes { workflow { description } } } } } }",
        "bytes",
    )
    names = " ".join(f"{'n' * 500}{i}: id" for i in range(100))
    await refused(
        gateway, f"{{ workflows {{ nodes {{ runs {{ nodes {{ {names} }} }} }} }} }}", "bytes"
    )


async def test_a_hundred_thousand_task_results_pass() -> None:
    ledger = Ledger(Bounds())
    # Each with its edge, task, definition, user, run and workflow, and 2 kB of text.
    ledger.add(100_000 * 7, 100_000 * 2_000)
    with pytest.raises(AnswerTooLarge):
        ledger.add(300_001, 0)


async def test_a_bound_is_for_the_whole_operation(start: Start) -> None:
    gateway = await start(Settings(max_answer_objects=50), workflows=20)
    await gateway.data("{ a: workflows { nodes { id } } b: workflows { nodes { id } } }")
    error = await refused(
        gateway,
        "{{ {} }}".format(" ".join(f"a{i}: workflows {{ nodes {{ id }} }}" for i in range(3))),
    )
    assert error["path"][0] == "a2"


@BOTH
async def test_what_was_changed_is_told_though_the_rest_does_not_fit(
    start: Start, projection: bool
) -> None:
    settings = Settings(max_answer_objects=40)
    gateway = await start(settings, projection=projection, workflows=1, runs=100)
    found = await gateway.data(
        "{ workflows { nodes { id userProcessingResults(first: 1) "
        "{ nodes { subject { id } } } } } }"
    )
    [workflow] = found["workflows"]["nodes"]
    [result] = workflow["userProcessingResults"]["nodes"]
    answer = await gateway.query(
        """mutation ($input: ActivateWorkflowInput!) {
          activateWorkflow(input: $input) {
            __typename
            workflow { id runs(first: 100) { nodes { id } } }
          }
        }""",
        input={"workflowId": workflow["id"], "subjects": [result["subject"]]},
    )
    [error] = answer["errors"]
    assert error["extensions"]["code"] == "ANSWER_TOO_LARGE"
    assert error["path"][:3] == ["activateWorkflow", "workflow", "runs"]
    payload = answer["data"]["activateWorkflow"]
    assert payload["__typename"] == "WorkflowPayload"
    assert payload["workflow"]["id"] == workflow["id"]


@BOTH
async def test_the_schema_is_an_answer_too(start: Start, projection: bool) -> None:
    gateway = await start(Settings(max_answer_objects=40), projection=projection)
    await refused(gateway, "{ __schema { types { name fields { name type { name } } } } }")


@BOTH
@pytest.mark.parametrize("operation", ["query", "payload"])
@pytest.mark.parametrize(
    "selected", ["edges { cursor }", "pageInfo { endCursor }", "edges { cursor node { id } }"]
)
async def test_cursors_are_counted_as_they_are_made(
    start: Start,
    monkeypatch: pytest.MonkeyPatch,
    selected: str,
    operation: str,
    projection: bool,
) -> None:
    """They hold the link of a page, which holds the filter of the caller."""
    made: list[str] = []
    encode = CursorCodec.encode

    def noted(self: CursorCodec, edge: str, position: Position) -> str:
        made.append(encode(self, edge, position))
        return made[-1]

    monkeypatch.setattr(CursorCodec, "encode", noted)
    gateway = await start(
        users=100,
        page_size=10,
        settings=Settings(max_answer_bytes=15_000),
        projection=projection,
    )
    given = ", ".join(f'{{ id: {{ ne: "{place:032}" }} }}' for place in range(40))
    results = f"userProcessingResults(first: 1#, filter: {{ and: [{given}] }}) {{ {selected} }}"
    fields = aliases(10, results)
    if operation == "query":
        await refused(gateway, NODES % fields, "bytes")
    else:
        ids = await gateway.data("{ workflows { nodes { id } } }")
        first = ids["workflows"]["nodes"][0]["id"]
        answer = await gateway.query(
            f'mutation {{ updateWorkflow(input: {{ workflowId: "{first}", displayName: "x" }}) '
            f"{{ workflow {{ id {fields} }} }} }}"
        )
        codes = {error["extensions"]["code"] for error in answer["errors"]}
        assert codes == {"ANSWER_TOO_LARGE"}
        assert answer["data"]["updateWorkflow"]["workflow"]["id"] == first
    # One at most is made of each edge that there is no place for.
    longest = max(map(len, made))
    assert len(made) <= 15_000 // min(map(len, made)) + 10 * 5 + 1
    assert longest > 3_000


@BOTH
async def test_rows_of_views_are_counted_as_they_are_dealt_out(
    start: Start, monkeypatch: pytest.MonkeyPatch, projection: bool
) -> None:
    made = 0
    of = View.of

    def noted(self: View, rows: list[Any]) -> list[Any]:
        nonlocal made
        made += 1
        return of(self, rows)

    monkeypatch.setattr(View, "of", noted)
    gateway = await start(
        users=50, settings=Settings(max_answer_objects=2_000), projection=projection
    )
    views = aliases(40, 'taskProcessingResults(filter: { id: { ne: "#" } }) { id }')
    runs = f"runs {{ nodes {{ userProcessingResults {{ nodes {{ {views} }} }} }} }}"
    await refused(gateway, NODES % runs)
    users = 50 * 4 * 5
    assert made <= 2_000 // 3 + users + 1
