"""A 429 slows the credential that got it: nothing of it is sent before Retry-After is over.

The kind of fault: an answer about a credential is taken for one about a request. It can occur
wherever something is sent or sent again: lone requests and items of a `$batch`, reads and changes,
operations that wait and those that come later, one layer of an operation and the next; and the
other way round, where one credential's wait holds up another's.

The upstreams here judge by their own clocks whether something came too early, so that these tests
measure no time. The rates are tested in tests/graph/test_slots.py, in virtual time.
"""

import asyncio
import time
from collections import Counter
from typing import Any

import pytest

from gateway.settings import Settings
from tests.conftest import Gateway, Start
from tests.upstreams import Answered, Asked, Unusual, graph_error

NAMES = "{ workflows(first: %d) { nodes { id } } }"
RUNS = "{ workflows { nodes { id runs { nodes { id } } } } }"
RENAME = """mutation { updateWorkflow(input: { workflowId: "w", displayName: "New" }) {
    __typename } }"""


class Throttling:
    """A service that answers 429 once to what ``matches``, and sees what comes too early then."""

    def __init__(self, matches: str, seconds: float, header: str | None = None) -> None:
        self.matches, self.seconds = matches, seconds
        self.header = header or str(seconds)
        self.until: float | None = None
        self.early: list[Asked] = []
        self.upstream = Unusual(instead=self.instead)

    def instead(self, request: Asked) -> Answered | None:
        now = time.monotonic()
        if self.until is None:
            if self.matches not in request.url:
                return None
            self.until = now + self.seconds
        elif now < self.until and not request.item:
            self.early.append(request)
        else:
            return None
        return graph_error(429, "TooManyRequests", **{"retry-after": self.header})


def _codes(answer: dict[str, Any]) -> list[str]:
    return [error["extensions"]["code"] for error in answer.get("errors", ())]


async def _as(gateway: Gateway, token: str, query: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}"}
    response = await gateway.post({"query": query}, headers=headers)
    return response.json()


@pytest.mark.parametrize(
    ("matches", "query"),
    [("workflows?", NAMES % 1), ("/runs", RUNS), ("workflows/w", RENAME)],
    ids=["a lone request", "an item of a batch", "a change"],
)
async def test_nothing_is_sent_before_the_service_takes_it_again(
    start: Start, matches: str, query: str
) -> None:
    service = Throttling(matches, 1)
    # With one attempt, the answer is there as soon as the 429 is.
    gateway = await start(Settings(max_attempts=1), unusual=service.upstream)
    first = await gateway.query(query)
    assert _codes(first) == ["THROTTLED"]
    assert first["errors"][0]["extensions"]["retryAfter"] == "1"
    if query is RUNS:
        nodes = first["data"]["workflows"]["nodes"]
        assert [node["runs"] is None for node in nodes].count(True) == 1
    later = await asyncio.gather(*(gateway.query(NAMES % number) for number in range(2, 7)))
    assert [_codes(answer) for answer in later] == [[]] * 5
    assert service.early == []


async def test_a_throttled_operation_waits_with_the_others(start: Start) -> None:
    service = Throttling("workflows?", 1)
    gateway = await start(unusual=service.upstream)
    answers = await asyncio.gather(*(gateway.query(NAMES % number) for number in range(1, 6)))
    assert [_codes(answer) for answer in answers] == [[]] * 5
    # Those that were under way when the first was answered came too early, once each.
    assert len(service.early) <= 4


@pytest.mark.parametrize("query", [NAMES % 2, RENAME])
async def test_what_would_wait_beyond_its_deadline_fails_at_once(start: Start, query: str) -> None:
    service = Throttling("workflows?", 100)
    gateway = await start(Settings(deadline=20), unusual=service.upstream)
    assert _codes(await gateway.query(NAMES % 1)) == ["THROTTLED"]
    for _ in range(5):
        [error] = (await gateway.query(query))["errors"]
        assert error["extensions"]["code"] == "THROTTLED"
        assert 20 < int(error["extensions"]["retryAfter"]) <= 101
        assert "outcomeUnknown" not in error["extensions"]
    assert len(service.upstream.http_asked) == 1


async def test_a_later_layer_waits_too(start: Start) -> None:
    """The runs are asked for when the list that was throttled beside them is still waiting."""
    service = Throttling("workflowTemplates", 1)
    gateway = await start(unusual=service.upstream)
    both = "{ workflowTemplates { nodes { id } } workflows { nodes { id runs { nodes { id } } } } }"
    answer = await gateway.query(both)
    assert "errors" not in answer
    assert service.early == []


async def test_other_credentials_are_not_slowed(start: Start) -> None:
    def instead(request: Asked) -> Answered | None:
        if request.headers["authorization"] != "Bearer token-of-the-throttled":
            return None
        return graph_error(429, "TooManyRequests", **{"retry-after": "50"})

    upstream = Unusual(instead=instead)
    gateway = await start(Settings(max_attempts=1), passthrough=True, unusual=upstream)
    assert _codes(await _as(gateway, "token-of-the-throttled", NAMES % 1)) == ["THROTTLED"]
    waiting = asyncio.create_task(_as(gateway, "token-of-the-throttled", NAMES % 2))
    for number in range(1, 6):
        answer = await _as(gateway, "token-of-another-caller", NAMES % number)
        assert _codes(answer) == []
    assert not waiting.done()
    waiting.cancel()
    asked = Counter(request.headers["authorization"] for request in upstream.http_asked)
    assert asked["Bearer token-of-the-throttled"] == 1


async def test_many_operations_at_once_come_through_a_small_limit(start: Start) -> None:
    """20 at once and 40 in a second are taken, the items of a batch counted."""
    left, at = 20.0, time.monotonic()

    def instead(request: Asked) -> Answered | None:
        nonlocal left, at
        now = time.monotonic()
        left, at = min(20.0, left + (now - at) * 40), now
        if left < 1:
            return graph_error(429, "TooManyRequests", **{"retry-after": "0.5"})
        left -= 1
        return None

    gateway = await start(unusual=Unusual(instead=instead))
    answers = await asyncio.gather(*(gateway.query(RUNS) for _ in range(12)))
    assert [_codes(answer) for answer in answers] == [[]] * 12
