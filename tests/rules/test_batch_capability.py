"""`$batch` is a capability: an endpoint may have none, or one that takes fewer than 20 items.

The kind: the gateway relies on something of the protocol that the endpoint in front of it lacks. It
can occur wherever requests travel together: edges of a layer, the fan-out across workflows, a
further page beside others, changes of one mutation, and a request that is too long for a URL. What
was learned is kept for the process, but only from a controlled outcome: what was refused together
was taken in parts. No request of one caller makes those of others dearer.
"""

import asyncio
import json
import re
from collections.abc import Callable

import pytest

from gateway.graph import batch
from gateway.settings import Settings
from tests.conftest import Start
from tests.upstreams import Answered, Asked, Unusual, graph_error

RUNS = "{ workflows(first: 100) { nodes { id runs(first: 1) { nodes { id } } } } }"
ACROSS = "{ taskProcessingResults(first: 30) { nodes { id createdDateTime } } }"
NO_BATCH = graph_error(404, "ResourceNotFound", "Resource not found for the segment '$batch'.")


def is_batch(asked: Asked) -> bool:
    return asked.url.lower() in ("$batch", "%24batch")


def none(answer: Answered = NO_BATCH) -> Callable[[Asked], Answered | None]:
    """An endpoint without `$batch`."""
    return lambda asked: answer if is_batch(asked) else None


def at_most(
    limit: int, message: str = "Number of batch request steps exceeds the maximum value of {}."
) -> Callable[[Asked], Answered | None]:
    """An endpoint that takes so many items in one `$batch`."""

    def http(asked: Asked) -> Answered | None:
        if is_batch(asked) and len(json.loads(asked.body)["requests"]) > limit:
            return graph_error(400, "BadRequest", message.format(limit))
        return None

    return http


def sizes(unusual: Unusual) -> list[int]:
    """The items of each `$batch` that was sent."""
    return [len(json.loads(a.body)["requests"]) for a in unusual.http_asked if is_batch(a)]


# --- an endpoint without $batch ------------------------------------------------------------------


@pytest.mark.parametrize("status", [404, 405, 501])
@pytest.mark.parametrize("query", [RUNS, ACROSS], ids=["edges", "across"])
async def test_without_batch_requests_go_alone_and_it_is_remembered(
    start: Start, query: str, status: int
) -> None:
    expected = await (await start()).data(query)
    unusual = Unusual(http=none(graph_error(status, "NotHere")))
    gateway = await start(unusual=unusual)
    assert await gateway.data(query) == expected
    assert len(sizes(unusual)) == 1
    unusual.forget()
    assert await gateway.data(query) == expected
    assert sizes(unusual) == []


async def test_requests_that_go_alone_go_at_once(start: Start) -> None:
    """No request for runs is answered before all five were asked."""
    all_there, waiting = asyncio.Event(), 0

    async def instead(asked: Asked) -> Answered | None:
        nonlocal waiting
        if "/runs" in asked.url:
            waiting += 1
            if waiting == 5:
                all_there.set()
            await asyncio.wait_for(all_there.wait(), 20)
        return None

    gateway = await start(unusual=Unusual(http=none(), instead=instead))
    await gateway.data(RUNS)
    assert waiting == 5


async def test_a_refusal_that_may_be_about_the_caller_is_not_remembered(start: Start) -> None:
    expected = await (await start()).data(RUNS)
    unusual = Unusual(http=none(graph_error(403, "Forbidden")))
    gateway = await start(unusual=unusual)
    for _ in range(2):
        assert await gateway.data(RUNS) == expected
    assert sizes(unusual) == [5, 5]


async def test_what_fails_alone_too_keeps_its_own_error_and_teaches_nothing(start: Start) -> None:
    unusual = Unusual()
    gateway = await start(unusual=unusual)
    rows = (await gateway.data(RUNS))["workflows"]["nodes"]
    gateway = await start(unusual=unusual)
    unusual.http = none()
    unusual.instead = lambda asked: (
        graph_error(404, "NotFound", "no such run")
        if f"{rows[2]['id']}/runs" in asked.url
        else None
    )
    unusual.forget()
    for _ in range(2):
        answer = await gateway.query(RUNS)
        [error] = answer["errors"]
        assert error["path"] == ["workflows", "nodes", 2, "runs"]
        assert error["message"] == "no such run"
    assert sizes(unusual) == [5, 5]


async def test_one_passing_refusal_does_not_outweigh_that_batches_were_taken(start: Start) -> None:
    unusual = Unusual()
    gateway = await start(unusual=unusual)
    expected = await gateway.data(RUNS)
    unusual.http = none()
    assert await gateway.data(RUNS) == expected
    unusual.http = None
    unusual.forget()
    assert await gateway.data(RUNS) == expected
    assert sizes(unusual) == [5]


@pytest.mark.parametrize("status", [401, 429, 503])
async def test_what_is_no_refusal_of_the_batch_is_not_sent_alone(start: Start, status: int) -> None:
    failure = graph_error(status, "Code", **{"Retry-After": "0.01"})
    unusual = Unusual(http=none(failure))
    gateway = await start(unusual=unusual, settings=Settings(max_attempts=2))
    answer = await gateway.query(RUNS)
    assert {error["extensions"]["status"] for error in answer["errors"]} == {status}
    assert len(answer["errors"]) == 5
    assert not [asked for asked in unusual.asked if "/runs" in asked.url]


async def test_an_item_that_fails_by_chance_is_asked_again_without_batch_too(start: Start) -> None:
    expected = await (await start()).data(RUNS)
    failed: set[str] = set()

    def instead(asked: Asked) -> Answered | None:
        if "/runs" not in asked.url or asked.url in failed:
            return None
        failed.add(asked.url)
        return graph_error(500, "UnknownError", **{"Retry-After": "0.01"})

    gateway = await start(unusual=Unusual(http=none(), instead=instead))
    assert await gateway.data(RUNS) == expected
    assert len(failed) == 5


# --- an endpoint with a lower limit --------------------------------------------------------------


@pytest.mark.parametrize("limit", [15, 7, 2])
async def test_a_limit_that_the_message_names_is_kept_to(start: Start, limit: int) -> None:
    expected = await (await start(workflows=18)).data(RUNS)
    unusual = Unusual(http=at_most(limit))
    gateway = await start(unusual=unusual, workflows=18)
    assert await gateway.data(RUNS) == expected
    first, *others = sizes(unusual)
    assert first == 18
    assert max(others) == limit
    assert sum(others) == 18
    unusual.forget()
    assert await gateway.data(RUNS) == expected
    assert max(sizes(unusual)) == limit
    assert len(sizes(unusual)) == -(-18 // limit)


@pytest.mark.parametrize("limit", [15, 7, 2, 1])
async def test_a_limit_that_nobody_names_is_found(start: Start, limit: int) -> None:
    expected = await (await start(workflows=18)).data(RUNS)
    unusual = Unusual(http=at_most(limit, "That is too much."))
    gateway = await start(unusual=unusual, workflows=18)
    assert await gateway.data(RUNS) == expected
    unusual.forget()
    assert await gateway.data(RUNS) == expected
    assert max(sizes(unusual), default=1) <= limit


async def test_a_fan_out_keeps_to_the_limit_too(start: Start) -> None:
    expected = await (await start(workflows=18)).data(ACROSS)
    unusual = Unusual(http=at_most(4))
    gateway = await start(unusual=unusual, workflows=18)
    assert await gateway.data(ACROSS) == expected
    first, *others = sizes(unusual)
    assert first > 4
    assert max(others) == 4


async def test_an_odd_request_that_spoils_its_batch_is_found_and_teaches_nothing(
    start: Start,
) -> None:
    """The service refuses each batch that holds one caller's request, and that request alone."""
    unusual = Unusual()
    gateway = await start(unusual=unusual, workflows=18)
    rows = (await gateway.data(RUNS))["workflows"]["nodes"]
    odd = f"{rows[4]['id']}/runs"
    gateway = await start(unusual=unusual, workflows=18)
    unusual.http = lambda asked: (
        graph_error(400, "BadRequest", "Invalid item 5.")
        if odd.encode() in asked.body or odd in asked.url
        else None
    )
    answer = await gateway.query(RUNS)
    [error] = answer["errors"]
    assert error["path"] == ["workflows", "nodes", 4, "runs"]
    unusual.http = None
    unusual.forget()
    await gateway.data(RUNS)
    assert sizes(unusual) == [18]


@pytest.mark.parametrize("limited", [none(), at_most(4)], ids=["none", "at most 4"])
async def test_changes_that_were_refused_together_are_made_once_each(
    start: Start, limited: Callable[[Asked], Answered | None]
) -> None:
    unusual = Unusual(http=limited)
    gateway = await start(unusual=unusual)
    [workflow, *_] = (await gateway.data(RUNS))["workflows"]["nodes"]
    runs = [{"id": f"{number:08x}-0000-0000-0000-000000000000"} for number in range(9)]
    unusual.forget()
    answer = await gateway.query(
        """mutation ($w: ID!, $r: [EntityReferenceInput!]!) { cancelProcessing(
          input: { workflowId: $w, runs: $r }) { runs { id } } }""",
        w=workflow["id"],
        r=runs,
    )
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"REFUSED"}
    assert len(answer["errors"]) == 9
    changes = [asked for asked in unusual.asked if asked.method == "POST"]
    assert len(changes) == 9


# --- requests that are too long for a URL --------------------------------------------------------


def ids_of(number: int) -> str:
    return ", ".join(f'"{n:08x}-0000-0000-0000-000000000000"' for n in range(number))


async def test_a_long_request_goes_by_batch(start: Start) -> None:
    unusual = Unusual()
    gateway = await start(unusual=unusual)
    [row, *_] = (await gateway.data(RUNS))["workflows"]["nodes"]
    unusual.forget()
    query = f'{{ workflows(filter: {{ id: {{ in: ["{row["id"]}", %s] }} }}) {{ nodes {{ id }} }} }}'
    assert (await gateway.data(query % ids_of(1500)))["workflows"]["nodes"] == [{"id": row["id"]}]
    assert sizes(unusual) == [1]
    unusual.forget()
    await gateway.data(query % ids_of(20))
    assert sizes(unusual) == []


async def test_a_further_page_of_a_long_request_goes_by_batch(start: Start) -> None:
    unusual = Unusual()
    gateway = await start(unusual=unusual, page_size=2)
    rows = (await gateway.data(RUNS))["workflows"]["nodes"]
    ids = ", ".join(f'"{row["id"]}"' for row in rows)
    query = (
        f"{{ workflows(filter: {{ id: {{ in: [{ids}, {ids_of(300)}] }} }}) {{ nodes {{ id }} }} }}"
    )
    unusual.forget()
    data = await gateway.data(query)
    assert [row["id"] for row in data["workflows"]["nodes"]] == [row["id"] for row in rows]
    assert sizes(unusual) == [1, 1, 1]


async def test_what_the_endpoint_calls_too_long_goes_by_batch(start: Start) -> None:
    def http(asked: Asked) -> Answered | None:
        return graph_error(414, "UriTooLong") if len(asked.url) > 500 else None

    unusual = Unusual(http=http)
    gateway = await start(unusual=unusual)
    await gateway.data(
        f"{{ workflows(filter: {{ id: {{ in: [{ids_of(20)}] }} }}) {{ totalCount }} }}"
    )
    assert sizes(unusual) == [1]


@pytest.mark.parametrize(
    ("number", "said"), [(1500, "longer than a URL may be"), (300, "URI Too Long")]
)
async def test_a_long_request_without_batch_says_why(start: Start, number: int, said: str) -> None:
    def http(asked: Asked) -> Answered | None:
        if is_batch(asked):
            return NO_BATCH
        return graph_error(414, "UriTooLong", "URI Too Long") if len(asked.url) > 8000 else None

    unusual = Unusual(http=http)
    gateway = await start(unusual=unusual)
    query = f"{{ workflows(filter: {{ id: {{ in: [{ids_of(number)}] }} }}) {{ nodes {{ id }} }} }}"
    [error] = await gateway.errors(query)
    assert said in error["message"]
    # One long request does not say that there is no batch for short ones.
    unusual.http = None
    unusual.forget()
    await gateway.data(RUNS)
    assert sizes(unusual) == [5]


# --- what is learned, alone ----------------------------------------------------------------------


def test_what_was_learned_is_tried_again_after_an_hour() -> None:
    now = 0.0
    size = batch.BatchSize(clock=lambda: now)
    size.learn(20, 15, 400)
    assert size.now == 15
    size.took(15)
    size.learn(15, 1, 404)
    assert size.now == 15, "batches of 15 were taken before"
    now = 3601.0
    assert size.now == 20


@pytest.mark.parametrize(
    ("status", "message", "items", "size"),
    [
        (404, "no segment $batch 15", 20, 1),
        (400, "Number of batch request steps exceeds the maximum value of 15.", 18, 15),
        (400, "You sent 18 requests, the maximum is 4.", 18, 4),
        (400, "The maximum is 20.", 18, 9),
        (400, "Code 1234567", 7, 4),
        (400, "", 2, 1),
        (413, "", 1, 1),
    ],
)
def test_the_size_to_try_next(status: int, message: str, items: int, size: int) -> None:
    assert batch.smaller(status, message, items) == size
    assert re.search(r"\d", message) or size <= (items + 1) // 2


@pytest.mark.parametrize("concurrency", [1, 3])
@pytest.mark.parametrize("status", [403, 404])
async def test_requests_that_go_alone_keep_to_the_slots(
    start: Start, status: int, concurrency: int
) -> None:
    """Those that a refused batch is made of, too: at once, but no more than may be under way."""
    under_way = most = 0

    async def http(asked: Asked) -> Answered | None:
        nonlocal under_way, most
        if is_batch(asked):
            return graph_error(status, "no")
        under_way += 1
        most = max(most, under_way)
        for _ in range(20):
            await asyncio.sleep(0)
        under_way -= 1
        return None

    gateway = await start(
        workflows=30, unusual=Unusual(http=http), settings=Settings(concurrency=concurrency)
    )
    for _ in range(2):
        data = await gateway.data(RUNS)
        assert len(data["workflows"]["nodes"]) == 30
    assert most == concurrency
