"""The gateway's own filters and orders say what the service's would, and what the answers show.

The kind: two definitions of one comparison. It can occur for members of enumerations that the
schema does not know (answers show them as UNKNOWN_FUTURE_VALUE), for times with an offset, for
missing values, for ids in another case, and for values of a wrong type: in bounded lists
(`gateway.plan.nodes.View`), in lists across workflows, in their order and in their cursors.
"""

from typing import Any
from urllib.parse import unquote

import pytest

from tests.conftest import Gateway, Start
from tests.upstreams import Answered, Asked, Unusual

LIST = """query ($w: ID!, $r: ID!, $filter: TaskProcessingResultFilter,
    $order: [TaskProcessingResultOrder!]) {
  run(workflowId: $w, id: $r) { userProcessingResults { nodes {
    all: taskProcessingResults { id processingStatus startedDateTime createdDateTime }
    some: taskProcessingResults(filter: $filter, orderBy: $order) {
      id processingStatus startedDateTime createdDateTime } } } } }"""
TASKS = """query ($filter: TaskProcessingResultFilter, $since: DateTime, $first: Int = 1000) {
  taskProcessingResults(filter: $filter, startedAfter: $since, first: $first) {
    nodes { id processingStatus startedDateTime createdDateTime } } }"""
UNKNOWN = "UNKNOWN_FUTURE_VALUE"


def results(change: Any) -> Unusual:
    """A service whose task results differ; ``change`` gets a row and its place."""

    def changed(asked: Asked, answer: Answered) -> None:
        if asked.url.split("?")[0].endswith("/taskProcessingResults"):
            for place, row in enumerate(answer.body["value"]):
                change(row, place)

    return Unusual(change=changed)


async def _lists(gateway: Gateway, **variables: Any) -> list[tuple[list[Any], list[Any]]]:
    """All task results of each user of a run, and those that pass, in order."""
    workflow = (await gateway.rest("/workflows"))["value"][0]["id"]
    run = (await gateway.rest(f"/workflows/{workflow}/runs"))["value"][-1]["id"]
    data = await gateway.data(LIST, w=workflow, r=run, **variables)
    users = data["run"]["userProcessingResults"]["nodes"]
    return [(user["all"], user["some"]) for user in users]


@pytest.mark.parametrize(
    ("condition", "passes"),
    [
        ({"eq": UNKNOWN}, lambda status: status == UNKNOWN),
        ({"ne": UNKNOWN}, lambda status: status not in (UNKNOWN, None)),
        ({"in": [UNKNOWN, "COMPLETED"]}, lambda status: status in (UNKNOWN, "COMPLETED")),
        ({"in": ["COMPLETED"]}, lambda status: status == "COMPLETED"),
        ({"ne": "COMPLETED"}, lambda status: status not in ("COMPLETED", None)),
        ({"eq": None}, lambda status: status is None),
        ({"ne": None}, lambda status: status is not None),
    ],
)
async def test_a_member_that_is_not_known_counts_as_it_is_shown(
    start: Start, condition: Any, passes: Any
) -> None:
    def change(row: Any, place: int) -> None:
        row["processingStatus"] = ["brandNew", "COMPLETED", None, "unknownFutureValue"][place % 4]

    gateway = await start(unusual=results(change))
    for negated in (False, True):
        one: dict[str, Any] = {"processingStatus": condition}
        lists = await _lists(gateway, filter={"not": one} if negated else one)
        assert lists
        for every, some in lists:
            kept = [
                row
                for row in every
                if passes(row["processingStatus"]) is not negated
                and (row["processingStatus"] is not None or None in condition.values())
            ]
            assert some == kept
    # Across workflows the rows are checked too, whatever the service lets through.
    status = {"processingStatus": {"ne": UNKNOWN}}
    rows = (await gateway.data(TASKS, filter=status))["taskProcessingResults"]["nodes"]
    assert {row["processingStatus"] for row in rows} == {"COMPLETED"}


async def test_the_service_is_asked_for_what_is_shown_as_unknown(start: Start) -> None:
    unusual = Unusual()
    gateway = await start(unusual=unusual)
    query = """query ($filter: WorkflowFilter) { workflows(filter: $filter) { nodes { id } } }"""
    await gateway.data(query, filter={"category": {"eq": UNKNOWN}})
    await gateway.data(query, filter={"category": {"ne": UNKNOWN}})
    await gateway.data(query, filter={"category": {"in": ["MOVER", UNKNOWN, "MOVER"]}})
    known = ("joiner", "leaver", "mover", "extensibility")
    none = "({})".format(" and ".join(f"category ne '{name}'" for name in known))
    assert [unquote(asked.url.split("$filter=")[1]) for asked in unusual.asked] == [
        none,
        "({})".format(" or ".join(f"category eq '{name}'" for name in known)),
        f"(category eq 'mover' or {none})",
    ]


TIMES = [
    "2026-06-01T00:00:00Z",
    "2026-06-01T02:00:00+02:00",
    "2026-05-31T19:00:00.0000001-05:00",
    "2026-06-01t00:00:00.0000002z",
    "2026-06-01T00:00:00.00-00:00",
    None,
    5,
]


async def test_times_are_instants_and_answered_as_written(start: Start) -> None:
    def change(row: Any, place: int) -> None:
        row["startedDateTime"] = TIMES[place % 6]

    gateway = await start(unusual=results(change), tasks=6)
    after = "2026-06-01T01:00:00.0000001+01:00"
    [(every, some), *_] = await _lists(gateway, filter={"startedDateTime": {"ge": after}})
    assert [row["startedDateTime"] for row in every] == TIMES[:6]
    assert [row["startedDateTime"] for row in some] == TIMES[2:4]
    equal = {"startedDateTime": {"eq": "2026-05-31T18:00:00-06:00"}}
    [(_, some), *_] = await _lists(gateway, filter=equal)
    assert [row["startedDateTime"] for row in some] == [TIMES[0], TIMES[1], TIMES[4]]
    order = [{"field": "STARTED_DATE_TIME", "direction": "DESC"}]
    [(_, some), *_] = await _lists(gateway, order=order)
    assert [row["startedDateTime"] for row in some] == [
        *(TIMES[3], TIMES[2]),
        *(TIMES[0], TIMES[1], TIMES[4], None),
    ]


async def test_a_number_where_a_time_should_be_fails_its_own_field(start: Start) -> None:
    def change(row: Any, place: int) -> None:
        if place == 1:
            row["startedDateTime"] = 5

    gateway = await start(unusual=results(change))
    workflow = (await gateway.rest("/workflows"))["value"][0]["id"]
    run = (await gateway.rest(f"/workflows/{workflow}/runs"))["value"][-1]["id"]
    for variables in (
        {"order": [{"field": "STARTED_DATE_TIME"}]},
        {"filter": {"not": {"startedDateTime": {"lt": "2020-01-01T00:00:00Z"}}}},
    ):
        answer = await gateway.query(LIST, w=workflow, r=run, **variables)
        users = answer["data"]["run"]["userProcessingResults"]["nodes"]
        assert all(len(user["all"]) == 3 for user in users)
        assert all(user["some"] for user in users)
        codes = {error["extensions"]["code"] for error in answer["errors"]}
        assert codes == {"UPSTREAM_ERROR"}
        assert {error["path"][-1] for error in answer["errors"]} == {"startedDateTime"}


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("2026-06-28T00:00:00+00:00", "2026-06-28T00:00:00Z"),
        ("2026-06-28T02:00:00.5+02:00", "2026-06-28T00:00:00.5Z"),
        ("2026-06-27T23:59:59.1234567-00:01", "2026-06-28T00:00:59.1234567Z"),
        ("2026-06-28t00:00:00z", "2026-06-28T00:00:00Z"),
        ("2026-06-28T00:00:00-00:00", "2026-06-28T00:00:00Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
        ("2017-01-01T00:59:60.25+01:00", "2017-01-01T00:00:00.25Z"),
        ("2026-06-28T00:00:00.123456700Z", "2026-06-28T00:00:00.1234567Z"),
    ],
)
async def test_every_offset_is_taken_and_sent_as_utc(start: Start, given: str, sent: str) -> None:
    unusual = Unusual()
    gateway = await start(unusual=unusual, workflows=1, runs=1)
    await gateway.data(TASKS, since=given)
    [runs, results] = [unquote(asked.url) for asked in unusual.asked if "$filter" in asked.url]
    assert f"lastUpdatedDateTime ge {sent} or" in runs
    assert f"startedDateTime ge {sent}&" in results
    unusual.forget()
    await gateway.data(
        """query ($from: DateTime!) { insights { workflowsProcessedSummary(startDateTime: $from,
          endDateTime: "2027-01-01T00:00:00+14:00") { totalRuns } }
          workflows(filter: { createdDateTime: { ge: $from } }) { nodes { id } } }""",
        **{"from": given},
    )
    urls = {unquote(asked.url) for asked in unusual.asked}
    period = f"(startDateTime={sent},endDateTime=2026-12-31T10:00:00Z)"
    assert any(url.endswith(period) for url in urls)
    assert any(f"createdDateTime ge {sent}" in url for url in urls)


@pytest.mark.parametrize(
    "given",
    [
        *("2026-06-28", "2026-06-28T00:00:00", "2026-06-28 00:00:00Z", "yesterday", ""),
        *("2026-06-28T00:00:00+0200", "2026-06-28T00:00:00+24:00", "2026-06-31T00:00:00Z"),
        *("2026-06-28T12:00:60Z", "2026-06-28T24:00:00Z", "0001-01-01T00:00:00+01:00"),
        *("2026-06-28T00:00:00.12345678Z", "２０２６-06-28T00:00:00Z", "2026-06-28T00:00Z"),
    ],
)
async def test_what_is_no_time_is_refused_before_anything_is_sent(
    gateway: Gateway, given: str
) -> None:
    await gateway.forget()
    [error] = await gateway.errors(TASKS, since=given)
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert "DateTime" in error["message"] or "no such time" in error["message"]
    assert (await gateway.sent()).http == 0


async def test_enumerations_sort_as_the_service_sorts_them(start: Start) -> None:
    numbers = ["completed", "inProgress", "failed", "canceling", "queued", "brandNew"]

    def change(row: Any, place: int) -> None:
        row["processingStatus"] = numbers[place % 6]

    gateway = await start(unusual=results(change), tasks=6)
    for direction in ("ASC", "DESC"):
        order = [{"field": "PROCESSING_STATUS", "direction": direction}]
        [(_, some), *_] = await _lists(gateway, order=order)
        statuses = [row["processingStatus"] for row in some]
        expected = ["QUEUED", "IN_PROGRESS", "COMPLETED", "FAILED", "CANCELING", UNKNOWN]
        assert statuses == (expected if direction == "ASC" else expected[::-1])


async def test_guids_have_no_case_in_hand(start: Start) -> None:
    def change(row: Any, place: int) -> None:
        row["id"] = row["id"].upper()

    gateway = await start(unusual=results(change))
    [(every, _), *_] = await _lists(gateway)
    wanted = every[1]["id"].lower()
    assert wanted != every[1]["id"]
    for condition in ({"eq": wanted}, {"in": ["x", wanted]}):
        [(_, some), (_, none), *_] = await _lists(gateway, filter={"id": condition})
        assert (some, none) == ([every[1]], [])
    [(_, some), *_] = await _lists(gateway, filter={"id": {"ne": wanted}})
    assert some == [every[0], every[2]]


@pytest.mark.parametrize("operator", ["lt", "le", "gt", "ge", "in"])
async def test_null_is_only_equal_or_not(gateway: Gateway, operator: str) -> None:
    workflow = (await gateway.rest("/workflows"))["value"][0]["id"]
    query = """query ($id: ID!, $runs: RunFilter, $tasks: TaskProcessingResultFilter) {
      workflow(id: $id) { runs(filter: $runs) { nodes { id } }
        userProcessingResults(first: 1) { nodes { taskProcessingResults(filter: $tasks) { id } } }
      } }"""
    name = "processingStatus" if operator == "in" else "startedDateTime"
    condition = {name: {operator: None}}
    await gateway.forget()
    errors = await gateway.errors(query, id=workflow, runs=condition, tasks=condition)
    assert [error["path"][-1] for error in errors] == ["runs", "taskProcessingResults"]
    for error in errors:
        assert error["extensions"]["code"] == "BAD_USER_INPUT"
        assert error["extensions"]["argument"] == "filter"
        assert f"'{operator}'" in error["message"]
    assert not any("/runs" in item for item in (await gateway.sent()).items)
