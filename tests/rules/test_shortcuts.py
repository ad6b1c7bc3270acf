"""A shortcut is used only where nothing known contradicts it; otherwise the edge is requested.

Where the kind can occur: regrouping (a flat collection dealt out by subject), the expansion of
task results (one page or several), joining with a reference list, the bulk look-up of users, and
entities that are found in their collection. Contradictions are a count of the parent, a row that
is there twice, a row that belongs to nobody, and keys that differ only in case.
"""

from typing import Any

import pytest

from tests.conftest import Start
from tests.upstreams import Answered, Asked, Unusual, graph_error

RUNS = """{ workflows(first: 2) { nodes { id runs(first: 2) { nodes { id
  userProcessingResults { nodes { id totalTasksCount
    taskProcessingResults { id processingStatus task { displayName } } } } } } } } }"""
RUN = """query ($w: ID!, $r: ID!) { run(workflowId: $w, id: $r) { id
  userProcessingResults { nodes { id
    taskProcessingResults { id processingStatus task { displayName } } } } } }"""


def _is(asked: Asked, *end: str) -> bool:
    return tuple(asked.url.partition("?")[0].split("/")[-len(end) :]) == end


def _flat(asked: Asked) -> bool:
    """Whether the task results of a whole run are asked for."""
    path = asked.url.partition("?")[0].split("/")
    return path[-3:-2] == ["runs"] and path[-1] == "taskProcessingResults"


def _upper_in_flat(asked: Asked, answer: Answered) -> None:
    if _flat(asked):
        for row in answer.body["value"]:
            row["subject"]["id"] = row["subject"]["id"].upper()


def _upper_in_one_row(asked: Asked, answer: Answered) -> None:
    if _flat(asked):
        row = answer.body["value"][1]
        row["subject"]["id"] = row["subject"]["id"].upper()


def _null_in_flat(asked: Asked, answer: Answered) -> None:
    if _flat(asked):
        answer.body["value"][1]["subject"] = None


def _twice_in_flat(asked: Asked, answer: Answered) -> None:
    """A page border that moved: one row is there twice, another not at all."""
    if _flat(asked):
        answer.body["value"][2] = answer.body["value"][0]


def _missing_in_flat(asked: Asked, answer: Answered) -> None:
    if _flat(asked):
        del answer.body["value"][2]


def _stranger_in_flat(asked: Asked, answer: Answered) -> None:
    """A result of somebody who is not among the run's users takes the place of another."""
    if _flat(asked):
        answer.body["value"][1]["subject"]["id"] = "00000000-0000-0000-0000-0000000000aa"


def _uncounted(change: Any) -> Any:
    """The same, where users do not say how many tasks they have."""

    def both(asked: Asked, answer: Answered) -> None:
        change(asked, answer)
        if "/userProcessingResults" in asked.url and isinstance(answer.body, dict):
            for row in answer.body.get("value", [answer.body]):
                if "totalTasksCount" in row:
                    row["totalTasksCount"] = None

    return both


FLAT = [
    _upper_in_flat,
    _upper_in_one_row,
    _null_in_flat,
    _twice_in_flat,
    _missing_in_flat,
    _stranger_in_flat,
]


def _counts_left_out(data: Any) -> Any:
    """An answer without the counts that the service was made to leave out."""
    if isinstance(data, dict):
        return {k: _counts_left_out(v) for k, v in data.items() if k != "totalTasksCount"}
    return [_counts_left_out(item) for item in data] if isinstance(data, list) else data


@pytest.mark.parametrize("counted", [True, False], ids=["counted", "uncounted"])
@pytest.mark.parametrize("change", FLAT)
async def test_groups_that_something_contradicts_are_requested(
    start: Start, change: Any, counted: bool
) -> None:
    expected = await (await start()).data(RUNS)
    unusual = Unusual(change=change if counted else _uncounted(change))
    gateway = await start(unusual=unusual)
    data = await gateway.data(RUNS)
    assert _counts_left_out(data) == _counts_left_out(expected)
    assert any(map(_flat, unusual.asked))


@pytest.mark.parametrize("change", FLAT)
async def test_so_are_those_of_one_run(start: Start, change: Any) -> None:
    usual = await start(users=9)
    workflow = (await usual.rest("/workflows"))["value"][0]["id"]
    run = (await usual.rest(f"/workflows/{workflow}/runs"))["value"][0]["id"]
    expected = await usual.data(RUN, w=workflow, r=run)
    unusual = Unusual(change=change)
    gateway = await start(unusual=unusual, users=9)
    assert await gateway.data(RUN, w=workflow, r=run) == expected
    assert any(map(_flat, unusual.asked))


@pytest.mark.parametrize("page_size", [2, 3, 5])
@pytest.mark.parametrize("run", ["counted", "uncounted"])
async def test_a_count_of_none_is_no_proof_where_not_all_was_read(
    start: Start, page_size: int, run: str
) -> None:
    """The counts of some users lag, and later pages of the flat collection can't be had."""
    sandbox = {"users": 9, "page_size": page_size}
    expected = await (await start(**sandbox)).data(RUNS)

    def change(asked: Asked, answer: Answered) -> None:
        if _is(asked, "userProcessingResults") and answer.status == 200:
            for row in answer.body["value"]:
                row["totalTasksCount"] = 0
        if _is(asked, "runs") and run == "uncounted":
            for row in answer.body["value"]:
                row |= {"totalTasksCount": None, "totalUsersCount": None}

    def instead(asked: Asked) -> Answered | None:
        refused = _flat(asked) and "skiptoken" in asked.url
        return graph_error(403, "accessDenied") if refused else None

    gateway = await start(unusual=Unusual(change=change, instead=instead), **sandbox)
    assert _counts_left_out(await gateway.data(RUNS)) == _counts_left_out(expected)


async def test_only_the_contradicted_group_is_requested(start: Start) -> None:
    unusual = Unusual(change=_null_in_flat)
    gateway = await start(unusual=unusual, workflows=1, runs=1)
    await gateway.data(RUNS)
    requested = [
        asked.url
        for asked in unusual.asked
        if _is(asked, "taskProcessingResults") and not _flat(asked)
    ]
    assert len(requested) == 1


def _expanded(change: Any) -> Any:
    def of_rows(asked: Asked, answer: Answered) -> None:
        if "expand=taskProcessingResults" in asked.url and answer.status == 200:
            for row in answer.body["value"]:
                change(row["taskProcessingResults"], row)

    return of_rows


EXPANDED = {
    "one twice": lambda tasks, row: tasks.__setitem__(1, tasks[0]),
    "one too few": lambda tasks, row: tasks.pop(),
    "one too many": lambda tasks, row: tasks.append({**tasks[0], "id": "another"}),
    "none": lambda tasks, row: tasks.clear(),
    "no count": lambda tasks, row: (row.__setitem__("totalTasksCount", None), tasks.pop()),
}


@pytest.mark.parametrize("kind", EXPANDED)
async def test_expansions_that_something_contradicts_are_requested(start: Start, kind: str) -> None:
    expected = await (await start()).data(RUNS)
    unusual = Unusual(change=_expanded(EXPANDED[kind]))
    gateway = await start(unusual=unusual, task_results_expand="accept")
    assert _counts_left_out(await gateway.data(RUNS)) == _counts_left_out(expected)
    assert any("expand=taskProcessingResults" in asked.url for asked in unusual.asked)


async def test_a_join_finds_its_row_in_any_case(start: Start) -> None:
    def change(asked: Asked, answer: Answered) -> None:
        if _is(asked, "taskDefinitions"):
            for row in answer.body["value"]:
                row["id"] = row["id"].upper()

    query = "{ workflows { nodes { tasks { id taskDefinition { displayName } } } } }"
    expected = await (await start()).data(query)
    gateway = await start(unusual=Unusual(change=change))
    assert await gateway.data(query) == expected


async def test_a_look_up_finds_users_in_any_case(start: Start) -> None:
    def change(asked: Asked, answer: Answered) -> None:
        if _is(asked, "users") or _is(asked, "directoryObjects", "getByIds"):
            for row in answer.body["value"]:
                row["id"] = row["id"].upper()

    query = """{ workflows(first: 1) { nodes { runs(first: 1) { nodes {
      taskProcessingResults { nodes { subject { displayName department } } } } } } } }"""
    expected = await (await start(task_results_expand="accept")).data(query)
    gateway = await start(unusual=Unusual(change=change))
    assert await gateway.data(query) == expected


async def test_an_entity_is_found_in_its_collection_in_any_case(start: Start) -> None:
    usual = await start()
    workflow = (await usual.rest("/workflows"))["value"][0]["id"]
    row = (await usual.rest(f"/workflows/{workflow}/userProcessingResults"))["value"][0]["id"]

    def change(asked: Asked, answer: Answered) -> None:
        if _is(asked, "userProcessingResults"):
            for found in answer.body["value"]:
                found["id"] = found["id"].upper()

    gateway = await start(unusual=Unusual(change=change))
    data = await gateway.data(
        """query ($w: ID!, $id: ID!) {
          userProcessingResult(workflowId: $w, id: $id) { id processingStatus } }""",
        w=workflow,
        id=row,
    )
    assert data["userProcessingResult"]["id"].lower() == row.lower()
