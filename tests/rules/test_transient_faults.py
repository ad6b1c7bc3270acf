"""A read that fails by chance is asked again: 500, 502, and an answer that is cut off.

The kind: a fault that is gone a moment later ends a read. It can occur wherever a read is sent: a
lone request, an item of a `$batch`, a whole `$batch` (which may also lose items), the POST of
getByIds, the page behind a nextLink, the request for a count, the probe for an expansion, the
fan-out across workflows, and what is read for the payload of a mutation. A service that is out of
order is not hammered: attempts of a request and repeats of an operation are limited, and what is
sent again counts.
"""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from gateway.graph.session import Session, Usage
from gateway.settings import Settings
from tests.conftest import Gateway, Start
from tests.upstreams import Answered, Asked, Unusual, graph_error

AT_ONCE = {"Retry-After": "0.01"}
CUT = b'{"value": [{"id": "a", "displayName": "b'
LAYERS = """{ workflows { totalCount nodes { displayName runs(first: 3) { totalCount nodes {
  id userProcessingResults(first: 2) { nodes { id } } } } } pageInfo { hasNextPage } } }"""

Fault = Callable[[Asked], Answered]


def status(code: int) -> Fault:
    """An answer with this status, to be asked again at once."""
    return lambda asked: graph_error(code, "UnknownError", **AT_ONCE)


def cut_off(asked: Asked) -> Answered:
    """A 200 whose JSON ends in the middle; in a `$batch`, a body that is no JSON is text."""
    return Answered(CUT.decode() if asked.item else CUT)


def empty(asked: Asked) -> Answered:
    """A 200 that ends before its body begins."""
    return Answered(None)


FAULTS: dict[str, Fault] = {
    "500": status(500),
    "502": status(502),
    "cut off": cut_off,
    "empty": empty,
}
every_fault = pytest.mark.parametrize("fault", FAULTS.values(), ids=list(FAULTS))


class Once:
    """Lets the first ``times`` requests that ``match`` finds end in ``fault``."""

    def __init__(self, fault: Fault, match: str = "", times: int = 1) -> None:
        self.fault, self.match, self.times = fault, match, times
        self.failed: Counter[tuple[str, str]] = Counter()

    def __call__(self, asked: Asked) -> Answered | None:
        key = asked.method, asked.url
        if self.match not in asked.url or self.failed[key] >= self.times:
            return None
        self.failed[key] += 1
        return self.fault(asked)


def sent_times(unusual: Unusual) -> list[int]:
    """How often each logical request was sent."""
    return list(Counter((a.method, a.url, a.body or b"") for a in unusual.asked).values())


async def same_as_without(start: Start, query: str, once: Once, **sandbox: Any) -> Unusual:
    """Assert that a query is answered as if nothing failed; what was sent."""
    calm = await start(**sandbox)
    expected = await calm.data(query)
    unusual = Unusual(instead=once)
    gateway = await start(unusual=unusual, **sandbox)
    assert await gateway.data(query) == expected
    assert once.failed, "nothing failed"
    return unusual


# --- each fault, in each place -------------------------------------------------------------------


@every_fault
async def test_lone_requests_items_and_pages_that_fail_once_are_asked_again(
    start: Start, fault: Fault
) -> None:
    unusual = await same_as_without(start, LAYERS, Once(fault), page_size=2)
    assert any(asked.item for asked in unusual.asked)
    assert any(not asked.item and "skiptoken" in asked.url for asked in unusual.asked)
    assert set(sent_times(unusual)) == {2}


@every_fault
async def test_a_count_is_asked_again(start: Start, fault: Fault) -> None:
    unusual = Unusual()
    gateway = await start(unusual=unusual, page_size=1)
    query = "query ($c: String) { workflows(first: 1, after: $c) { %s } }"
    page = await gateway.data(query % "pageInfo { endCursor }")
    unusual.instead = once = Once(fault, "count=true")
    cursor = page["workflows"]["pageInfo"]["endCursor"]
    data = await gateway.data(query % "totalCount", c=cursor)
    assert data == {"workflows": {"totalCount": 5}}
    assert once.failed


@every_fault
@pytest.mark.parametrize("match", ["getByIds", "users?"])
async def test_the_bulk_look_up_of_users_is_asked_again(
    start: Start, fault: Fault, match: str
) -> None:
    name = "displayName" if match == "getByIds" else "department"
    query = """{ workflows(first: 1) { nodes { runs(first: 1) { nodes { userProcessingResults {
      nodes { subject { id %s } } } } } } } }"""
    once = Once(fault, match)

    def refused(asked: Asked) -> Answered | None:
        return graph_error(403, "Forbidden") if "expand=subject" in asked.url else None

    def instead(asked: Asked) -> Answered | None:
        return refused(asked) or once(asked)

    calm = Unusual(instead=refused)
    expected = await (await start(unusual=calm, users=40)).data(query % name)
    gateway = await start(unusual=Unusual(instead=instead), users=40)
    assert await gateway.data(query % name) == expected
    assert once.failed


@every_fault
async def test_a_fan_out_across_workflows_is_asked_again(start: Start, fault: Fault) -> None:
    query = """{ taskProcessingResults(first: 20) { nodes { id createdDateTime } }
      userProcessingResults(subjectId: "%s") { nodes { id } } }"""
    rows = await (await start()).data("""{ workflows { nodes { userProcessingResults(first: 1) {
      nodes { subject { id } } } } } }""")
    first = rows["workflows"]["nodes"][0]["userProcessingResults"]["nodes"][0]
    unusual = await same_as_without(start, query % first["subject"]["id"], Once(fault))
    assert set(sent_times(unusual)) == {2}


@every_fault
async def test_a_probe_that_fails_by_chance_teaches_nothing(start: Start, fault: Fault) -> None:
    query = """{ workflows(first: 1) { nodes { runs(first: 1) { nodes { userProcessingResults {
      nodes { id taskProcessingResults { id } } } } } } } }"""
    once = Once(fault, "00000000-0000-0000-0000-000000000000")
    unusual = await same_as_without(start, query, once)
    assert any("$expand=taskProcessingResults" in asked.url for asked in unusual.asked)


@every_fault
async def test_what_is_read_for_a_payload_is_asked_again_and_the_change_is_not(
    start: Start, fault: Fault
) -> None:
    unusual = Unusual()
    gateway = await start(unusual=unusual)
    [workflow] = (await gateway.data("{ workflows(first: 1) { nodes { id } } }"))["workflows"][
        "nodes"
    ]
    unusual.forget()
    once = Once(fault)
    unusual.instead = lambda asked: once(asked) if asked.method == "GET" else None
    data = await gateway.data(
        """mutation ($id: ID!) { updateWorkflow(input: { workflowId: $id, displayName: "New" }) {
          workflow { displayName runs(first: 1) { nodes { id } } } } }""",
        id=workflow["id"],
    )
    assert data["updateWorkflow"]["workflow"]["displayName"] == "New"
    methods = Counter(asked.method for asked in unusual.asked)
    assert methods["PATCH"] == 1
    assert once.failed


# --- a $batch as a whole -------------------------------------------------------------------------


def _lose_an_item(answer: Any) -> None:
    answer["responses"].pop(1)


def _lose_a_status(answer: Any) -> None:
    del answer["responses"][1]["status"]


def _lose_a_body(answer: Any) -> None:
    del answer["responses"][1]["body"]


@pytest.mark.parametrize("lose", [_lose_an_item, _lose_a_status, _lose_a_body])
async def test_an_item_that_a_batch_leaves_out_is_asked_again(
    start: Start, lose: Callable[[Any], None]
) -> None:
    """The answers are changed behind `Unusual`, because it writes the batch itself."""
    calm = await start()
    expected = await calm.data(LAYERS)
    unusual = Unusual()
    gateway = await start(unusual=unusual)
    batch = unusual._batch
    lost: list[int] = []

    async def lossy(scope: Any, request: Asked) -> Answered:
        answer = await batch(scope, request)
        if not lost:
            lost.append(1)
            lose(answer.body)
        return answer

    unusual._batch = lossy  # type: ignore[method-assign]
    assert await gateway.data(LAYERS) == expected
    assert sorted(sent_times(unusual)).count(2) == 1, "one item was sent twice, no other"


@pytest.mark.parametrize(
    "answer",
    [
        graph_error(500, "UnknownError", **AT_ONCE),
        graph_error(502, "BadGateway", **AT_ONCE),
        Answered(b'{"responses": [{"id": "0", "status": 200, "headers": {}, "bo'),
        Answered(b""),
        Answered(b"<html>moment, please</html>"),
        Answered({}),
    ],
    ids=["500", "502", "cut off", "empty", "HTML", "no responses"],
)
async def test_a_batch_that_fails_once_as_a_whole_is_asked_again(
    start: Start, answer: Answered
) -> None:
    calm = await start()
    expected = await calm.data(LAYERS)
    failed: list[Asked] = []

    def http(asked: Asked) -> Answered | None:
        if "batch" not in asked.url or failed:
            return None
        failed.append(asked)
        return answer

    unusual = Unusual(http=http)
    gateway = await start(unusual=unusual)
    assert await gateway.data(LAYERS) == expected
    batches = [asked.body for asked in unusual.http_asked if "batch" in asked.url]
    assert batches[0] == batches[1]
    assert set(sent_times(unusual)) == {1}


async def test_what_becomes_of_the_batch_is_not_counted_against_its_items(start: Start) -> None:
    """Three faults of the whole and then three of an item, with four attempts of each."""
    turn = 0

    def http(asked: Asked) -> Answered | None:
        nonlocal turn
        if "batch" not in asked.url:
            return None
        turn += 1
        return graph_error(502, "BadGateway", **AT_ONCE) if turn <= 3 else None

    once = Once(status(500), "/runs", times=3)
    gateway = await start(unusual=Unusual(http=http, instead=once))
    await gateway.data("{ workflows(first: 2) { nodes { runs(first: 1) { nodes { id } } } } }")
    assert turn == 7


# --- what is out of order for good ---------------------------------------------------------------


@pytest.mark.parametrize("code", [500, 502])
async def test_what_fails_each_time_costs_its_own_attempts_alone(start: Start, code: int) -> None:
    unusual = Unusual()
    gateway = await start(unusual=unusual, settings=Settings(max_attempts=3))
    expected = await gateway.data(LAYERS)
    run = expected["workflows"]["nodes"][1]["runs"]["nodes"][0]["id"]
    unusual.forget()
    unusual.instead = Once(status(code), f"{run}/userProcessingResults", times=1000)
    answer = await gateway.query(LAYERS)
    [error] = answer["errors"]
    assert error["path"][-1] == "userProcessingResults"
    assert error["extensions"]["status"] == code
    assert Counter(sent_times(unusual))[3] == 1
    assert set(sent_times(unusual)) == {1, 3}


@every_fault
async def test_a_service_that_is_broken_is_not_hammered(start: Start, fault: Fault) -> None:
    unusual = Unusual()
    gateway = await start(unusual=unusual, workflows=100, settings=Settings(max_attempts=6))
    unusual.instead = lambda asked: (
        None if asked.url.split("?")[0].endswith("/workflows") else fault(asked)
    )
    answer = await gateway.query(
        "{ workflows(first: 100) { nodes { id runs(first: 1) { nodes { id } } } } }"
    )
    assert len(answer["errors"]) == 100
    needed = 101
    assert needed + 20 <= len(unusual.asked) <= needed + 20 + needed / 2
    # Equal repeats would be 6 for each; in all it is no more than what one operation may repeat.
    assert max(sent_times(unusual)) <= 6


async def test_what_answers_nothing_but_500_is_asked_a_few_times(start: Start) -> None:
    unusual = Unusual(instead=status(500))
    gateway = await start(unusual=unusual)
    [error] = await gateway.errors("{ workflows { nodes { id } } }")
    assert error["extensions"]["code"] == "UPSTREAM_ERROR"
    assert error["extensions"]["serviceCode"] == "UnknownError"
    assert len(unusual.asked) == 4


@pytest.mark.parametrize("code", [400, 404, 409, 501, 505, 507])
async def test_what_would_fail_again_is_not_asked_again(gateway: Gateway, code: int) -> None:
    await gateway.fault(match="/runs", status=code, times=None)
    await gateway.forget()
    await gateway.query("{ workflows { nodes { id runs(first: 1) { totalCount } } } }")
    runs = Counter(url for url in (await gateway.sent()).items if "/runs" in url)
    assert set(runs.values()) == {1}


async def test_where_one_is_told_to_wait_too_long_the_others_are_not_asked_again(
    start: Start,
) -> None:
    """A 429 is about the credential, so that nothing of it may be sent meanwhile."""
    unusual = Unusual()
    gateway = await start(unusual=unusual)
    query = "{ workflows { nodes { id runs(first: 1) { nodes { id } } } } }"
    expected = await gateway.data(query)
    first, second, *_ = expected["workflows"]["nodes"]

    once = Once(status(500), f"{second['id']}/runs")
    unusual.instead = lambda asked: (
        graph_error(429, "TooManyRequests", **{"Retry-After": "3600"})
        if f"{first['id']}/runs" in asked.url
        else once(asked)
    )
    answer = await gateway.query(query)
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"THROTTLED"}
    assert [error["path"][:3] for error in answer["errors"]] == [
        ["workflows", "nodes", 0],
        ["workflows", "nodes", 1],
    ]
    first["runs"] = second["runs"] = None
    assert answer["data"] == expected


# --- changes, and what counts --------------------------------------------------------------------


@pytest.mark.parametrize("fault", [status(500), status(502), cut_off], ids=["500", "502", "cut"])
async def test_a_change_is_not_sent_again(start: Start, fault: Fault) -> None:
    unusual = Unusual()
    gateway = await start(unusual=unusual)
    data = await gateway.data("{ workflows(first: 1) { nodes { id } } }")
    [workflow] = data["workflows"]["nodes"]
    unusual.instead = lambda asked: fault(asked) if asked.method == "PATCH" else None
    unusual.forget()
    await gateway.errors(
        """mutation ($id: ID!) { updateWorkflow(input: { workflowId: $id, displayName: "x" }) {
          workflow { id } } }""",
        id=workflow["id"],
    )
    assert [asked.method for asked in unusual.asked].count("PATCH") == 1


async def test_what_is_sent_again_counts(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    unusual = Unusual(instead=Once(status(500)))
    gateway = await start(unusual=unusual)
    with caplog.at_level("INFO", logger="gateway.operations"):
        await gateway.data(LAYERS)
    [line] = [record.getMessage() for record in caplog.records if "document=" in record.message]
    assert f"upstream-requests={len(unusual.asked)} " in line
    assert f"http-requests={len(unusual.http_asked)} " in line


async def test_repeats_stay_within_the_budget_of_the_operation(start: Start) -> None:
    unusual = Unusual(instead=Once(status(500), "/runs"))
    gateway = await start(unusual=unusual, settings=Settings(max_upstream_requests=8))
    answer = await gateway.query("{ workflows { nodes { id runs(first: 1) { nodes { id } } } } }")
    assert len(unusual.asked) == 8
    assert [error["extensions"]["status"] for error in answer["errors"]] == [500] * 3


def test_an_operation_repeats_twenty_requests_and_half_of_what_it_needed() -> None:
    usage = Usage(requests=10)
    session = Session("token", 0.0, usage)
    assert [session.repeat(10), session.repeat(10), session.repeat(10)] == [10, 10, 5]
    assert (usage.requests, usage.repeated) == (35, 25)
    usage.requests += 100
    assert session.repeat(100) == 50


def test_the_faults_are_what_they_are_said_to_be() -> None:
    with pytest.raises(ValueError, match="Unterminated"):
        json.loads(CUT)
