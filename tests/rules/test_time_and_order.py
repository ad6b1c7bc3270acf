"""What is assumed of time and order across workflows follows from evidence.

The kind: a shortcut that trusts a value which is missing, or which can still change. It can occur
where runs are left out (by the times of a period, by their count of failures), where reading stops
(by the time of the newest change), and where rows are compared (equal times, equal ids, ids in
another case): `gateway.graph.across` and `gateway.plan.nodes.runs_condition`.
"""

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Gateway, Start
from tests.upstreams import Answered, Asked, Unusual, graph_error

TASKS = """query ($first: Int = 1000, $after: String, $since: DateTime, $until: DateTime,
    $filter: TaskProcessingResultFilter) {
  taskProcessingResults(first: $first, after: $after, startedAfter: $since, startedBefore: $until,
      filter: $filter) {
    totalCount nodes { id createdDateTime startedDateTime run { id } workflow { id } }
    pageInfo { hasNextPage endCursor } } }"""
USERS = """query ($id: ID!, $first: Int = 1000, $after: String) {
  userProcessingResults(subjectId: $id, first: $first, after: $after) {
    nodes { id scheduledDateTime workflow { id } } pageInfo { hasNextPage endCursor } } }"""


def is_runs(asked: Asked) -> bool:
    return asked.url.split("?")[0].endswith("/runs")


def is_results(asked: Asked) -> bool:
    return asked.url.split("?")[0].endswith("/taskProcessingResults")


def run_of(asked: Asked) -> str:
    return asked.url.split("/runs/")[1].split("/")[0]


async def _rows(gateway: Gateway, **variables: Any) -> list[dict[str, Any]]:
    return (await gateway.data(TASKS, **variables))["taskProcessingResults"]["nodes"]


def _started(rows: list[dict[str, Any]]) -> list[str]:
    return [row["startedDateTime"] for row in rows if row["startedDateTime"]]


def _without_filter(change: Callable[[Asked, Answered], None]) -> Unusual:
    """A service whose runs differ, and which filters them by what it says of them."""

    def changed(asked: Asked, answer: Answered) -> None:
        change(asked, answer)
        if is_runs(asked) and "$filter=" in asked.url and "eq%20null" not in asked.url:
            answer.body["value"] = []

    return Unusual(change=changed)


@pytest.mark.parametrize("names", [["lastUpdatedDateTime"], ["completedDateTime"], None])
async def test_a_run_that_does_not_say_when_it_changed_is_asked(
    start: Start, names: list[str] | None
) -> None:
    """The service's own filter drops what is null; it is asked for all the same."""
    usual = await start()
    everything = await _rows(usual)
    run = everything[-1]["run"]["id"]
    since = min(_started(everything))
    everything = await _rows(usual, since=since)
    names = names or ["lastUpdatedDateTime", "completedDateTime"]

    def change(asked: Asked, answer: Answered) -> None:
        if is_runs(asked):
            for row in answer.body["value"]:
                if row["id"] == run:
                    row |= dict.fromkeys(names)

    unusual = Unusual(change=change)
    gateway = await start(unusual=unusual)
    found = await _rows(gateway, since=since)
    assert [row["id"] for row in found] == [row["id"] for row in everything]
    asked = [asked.url for asked in unusual.asked if is_runs(asked)]
    assert all("completedDateTime%20eq%20null" in url for url in asked)


# So many runs that they are not all asked at once.
MANY = {"workflows": 10, "runs": 10, "users": 2, "tasks": 2}


async def test_a_run_under_way_whose_last_update_lags_is_asked(start: Start) -> None:
    everything = await _rows(await start(**MANY))
    run = everything[0]["run"]["id"]

    def change(asked: Asked, answer: Answered) -> None:
        if is_runs(asked):
            for row in answer.body["value"]:
                if row["id"] == run:
                    row["lastUpdatedDateTime"] = "2020-01-01T00:00:00Z"
                    row["completedDateTime"] = None
                    row["processingStatus"] = "inProgress"
                    row["failedTasksCount"] = 0

    gateway = await start(unusual=Unusual(change=change), **MANY)
    for first in (1, 5, 50):
        found = await _rows(gateway, first=first)
        assert [row["id"] for row in found] == [row["id"] for row in everything[:first]]


async def test_a_status_that_contradicts_the_times_is_believed_to_be_under_way(
    start: Start,
) -> None:
    everything = await _rows(await start(**MANY))
    run = everything[0]["run"]["id"]

    def change(asked: Asked, answer: Answered) -> None:
        if is_runs(asked):
            for row in answer.body["value"]:
                if row["id"] == run:
                    old = "2020-01-01T00:00:00Z"
                    row |= {"lastUpdatedDateTime": old, "completedDateTime": old}
                    row["processingStatus"] = "InProgress"

    gateway = await start(unusual=Unusual(change=change), **MANY)
    assert [r["id"] for r in await _rows(gateway, first=5)] == [r["id"] for r in everything[:5]]


async def test_the_period_asks_for_runs_under_way_and_for_runs_without_a_start(
    start: Start,
) -> None:
    everything = await _rows(await start())
    since = sorted(_started(everything))[-40]
    rows = [row for row in everything if (row["startedDateTime"] or "") >= since]
    expected = [row["id"] for row in rows]
    runs = {row["run"]["id"] for row in rows}

    def change(asked: Asked, answer: Answered) -> None:
        # The service filters by what it says of its runs: nothing but null lets these through.
        if is_runs(asked):
            for row in answer.body["value"]:
                if row["id"] in runs:
                    row |= {"lastUpdatedDateTime": "2020-01-01T00:00:00Z"}
                    row |= dict.fromkeys(
                        ("scheduledDateTime", "startedDateTime", "completedDateTime")
                    )

    unusual = _without_filter(change)
    gateway = await start(unusual=unusual)
    found = await _rows(gateway, since=since, until="2031-01-01T00:00:00Z")
    assert [row["id"] for row in found] == expected
    [url] = {asked.url.split("filter=")[1] for asked in unusual.asked if is_runs(asked)}
    assert "scheduledDateTime%20eq%20null" in url


async def _walked(gateway: Gateway, first: int) -> list[str]:
    """The ids of all rows, page by page."""
    found, after = [], None
    while True:
        data = (await gateway.data(TASKS, first=first, after=after))["taskProcessingResults"]
        found += [row["id"] for row in data["nodes"]]
        if not data["pageInfo"]["hasNextPage"]:
            return found
        after = data["pageInfo"]["endCursor"]


async def test_a_run_that_is_said_to_have_started_after_its_results_is_asked(start: Start) -> None:
    """By the documented example the first result is made before the run is said to have started."""
    usual = await start(**MANY)
    everything = [row["id"] for row in await _rows(usual)]
    until = sorted(_started(await _rows(usual)))[30]
    before = [row["id"] for row in await _rows(usual, until=until)]

    def change(asked: Asked, answer: Answered) -> None:
        if is_runs(asked):
            for row in answer.body["value"]:
                row["startedDateTime"] = row["completedDateTime"]

    gateway = await start(unusual=Unusual(change=change), **MANY)
    assert await _walked(gateway, 40) == everything
    assert [row["id"] for row in await _rows(gateway, until=until)] == before


@pytest.mark.parametrize(
    "said",
    [
        {"scheduledDateTime": None},
        {"scheduledDateTime": "yesterday"},
        {"scheduledDateTime": "2031-01-01T00:00:00Z", "completedDateTime": None},
        {"scheduledDateTime": "2031-01-01T00:00:00Z", "processingStatus": "inProgress"},
    ],
)
async def test_behind_a_cursor_only_a_run_that_has_ended_and_says_when_it_began_is_left_out(
    start: Start, said: dict[str, Any]
) -> None:
    everything = [row["id"] for row in await _rows(await start(**MANY))]

    def change(asked: Asked, answer: Answered) -> None:
        if is_runs(asked):
            for row in answer.body["value"][::2]:
                row |= said

    gateway = await start(unusual=Unusual(change=change), **MANY)
    assert await _walked(gateway, 60) == everything


async def test_a_service_that_does_not_filter_by_null_gives_the_same_rows(start: Start) -> None:
    def instead(asked: Asked) -> Answered | None:
        if is_runs(asked) and "eq%20null" in asked.url:
            return graph_error(400, "BadRequest", "Invalid filter clause: null")
        return None

    usual = await start()
    everything = await _rows(usual)
    since = sorted(_started(everything))[100]
    unusual = Unusual(instead=instead)
    gateway = await start(unusual=unusual)
    expected = await _rows(usual, since=since, until="2026-06-30T00:00:00Z")
    assert expected
    assert await _rows(gateway, since=since, until="2026-06-30T00:00:00Z") == expected
    unusual.forget()
    assert await _rows(gateway, since=since, until="2026-06-30T00:00:00Z") == expected
    assert not any("eq%20null" in asked.url for asked in unusual.asked)


async def test_only_a_final_count_of_failures_leaves_a_run_out(start: Start) -> None:
    failed = {"processingStatus": {"eq": "FAILED"}}
    everything = await _rows(await start(), filter=failed)
    assert len({row["run"]["id"] for row in everything}) > 3

    def change(asked: Asked, answer: Answered) -> None:
        if is_runs(asked):
            for place, row in enumerate(answer.body["value"]):
                row["failedTasksCount"] = 0 if place % 2 else None
                row["processingStatus"] = "inProgress" if place % 3 else "completedWithErrors"
                if place % 3 == 1:
                    row["completedDateTime"] = None

    gateway = await start(unusual=Unusual(change=change))
    found = await _rows(gateway, filter=failed)
    assert [row["id"] for row in found] == [row["id"] for row in everything]


@pytest.mark.parametrize("first", [1, 2, 3, 7])
async def test_rows_of_equal_time_and_id_are_each_told_once(start: Start, first: int) -> None:
    """Results of several runs and users' results of several workflows with one time and one id."""

    def change(asked: Asked, answer: Answered) -> None:
        rows = answer.body.get("value", []) if isinstance(answer.body, dict) else []
        if is_results(asked):
            for place, row in enumerate(rows):
                row["id"] = f"same-{place}"
                row["createdDateTime"] = "2030-06-01T00:00:00Z"
        if is_runs(asked):
            for row in rows:
                row["lastUpdatedDateTime"] = "2031-01-01T00:00:00Z"
        if "/userProcessingResults" in asked.url:
            for row in rows:
                row |= {"id": "same", "scheduledDateTime": "2030-06-01T02:00:00+02:00"}

    gateway = await start(unusual=Unusual(change=change), workflows=3, runs=2, users=2, tasks=1)
    found: list[tuple[str, str, str]] = []
    after = None
    while True:
        page = (await gateway.data(TASKS, first=first, after=after))["taskProcessingResults"]
        found += [(r["id"], r["run"]["id"], r["workflow"]["id"]) for r in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert len(found) == len(set(found)) == 3 * 2 * 2
    tree = "{ workflows { nodes { userProcessingResults { nodes { subject { id } } } } } }"
    rows = (await gateway.data(tree))["workflows"]["nodes"][0]["userProcessingResults"]["nodes"]
    users: list[str] = []
    after = None
    while True:
        page = await gateway.data(USERS, id=rows[0]["subject"]["id"], first=first, after=after)
        page = page["userProcessingResults"]
        users += [row["workflow"]["id"] for row in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert len(users) == len(set(users)) > 1


@pytest.mark.parametrize("first", [1, 2, 5, 7])
async def test_rows_of_one_time_on_several_pages_are_each_told_once(
    start: Start, first: int
) -> None:
    """The service sorts by the time alone: the ids of one time are in no order over its pages."""

    def change(asked: Asked, answer: Answered) -> None:
        if is_results(asked):
            for row in answer.body["value"]:
                row["createdDateTime"] = "2030-06-01T00:00:00Z"
        if is_runs(asked):
            for row in answer.body["value"]:
                row["lastUpdatedDateTime"] = "2031-01-01T00:00:00Z"

    sandbox = {"workflows": 2, "runs": 2, "users": 4, "tasks": 2, "page_size": 3}
    gateway = await start(unusual=Unusual(change=change), **sandbox)
    found: list[tuple[str, str]] = []
    after = None
    while True:
        page = (await gateway.data(TASKS, first=first, after=after))["taskProcessingResults"]
        found += [(row["id"], row["run"]["id"]) for row in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert len(found) == len(set(found)) == 2 * 2 * 4 * 2


async def test_a_row_that_the_service_repeats_is_told_once(start: Start) -> None:
    def change(asked: Asked, answer: Answered) -> None:
        if isinstance(answer.body, dict) and "value" in answer.body:
            answer.body["value"] += answer.body["value"][:1]

    everything = await _rows(await start())
    gateway = await start(unusual=Unusual(change=change))
    data = (await gateway.data(TASKS))["taskProcessingResults"]
    assert [row["id"] for row in data["nodes"]] == [row["id"] for row in everything]
    assert data["totalCount"] == len(everything)


@pytest.mark.parametrize("upper", ["argument", "rows"])
async def test_ids_of_users_have_no_case(start: Start, upper: str) -> None:
    tree = "{ workflows { nodes { userProcessingResults { nodes { subject { id } } } } } }"
    usual = await start()
    rows = (await usual.data(tree))["workflows"]["nodes"][0]["userProcessingResults"]["nodes"]
    subject = rows[0]["subject"]["id"]
    expected = (await usual.data(USERS, id=subject))["userProcessingResults"]["nodes"]
    assert expected
    assert subject != subject.upper()

    def change(asked: Asked, answer: Answered) -> None:
        if upper == "rows" and "/userProcessingResults" in asked.url:
            for row in answer.body["value"]:
                row["subject"]["id"] = row["subject"]["id"].upper()

    gateway = await start(unusual=Unusual(change=change))
    given = subject.upper() if upper == "argument" else subject
    found = (await gateway.data(USERS, id=given))["userProcessingResults"]["nodes"]
    assert found == expected


async def test_offsets_in_answers_are_sorted_as_instants(start: Start) -> None:
    def change(asked: Asked, answer: Answered) -> None:
        if is_results(asked) and int(run_of(asked)[-2:], 36) % 2:
            for row in answer.body["value"]:
                # The same instant, as a clock two hours ahead shows it.
                hour = int(row["createdDateTime"][11:13])
                if hour < 22:
                    text = row["createdDateTime"]
                    row["createdDateTime"] = f"{text[:11]}{hour + 2:02}{text[13:-1]}+02:00"

    everything = await _rows(await start())
    gateway = await start(unusual=Unusual(change=change))
    found: list[dict[str, Any]] = []
    after = None
    while True:
        page = (await gateway.data(TASKS, first=30, after=after))["taskProcessingResults"]
        found += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert [row["id"] for row in found] == [row["id"] for row in everything]
    assert any(row["createdDateTime"].endswith("+02:00") for row in found)
