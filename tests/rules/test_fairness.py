"""No caller's requests, however many or slow, keep another's from being sent.

The kind of fault: something that all share (the slots for upstream requests, the places of
operations, the time of an operation) is dealt out first come, first served. It can occur wherever
requests or operations queue: the slots, the connections below them, the admission of operations,
the pace of a credential that several callers share; and for changes, which must not be sent at the
end of a queue when nobody can wait for their answers any more.

Order is told by what arrives upstream, never by time. The queue by itself is tested in
tests/graph/test_slots.py.
"""

import asyncio
from typing import Any

import pytest

from gateway.sandbox import SandboxSettings, create_sandbox
from gateway.settings import Settings
from tests.conftest import Gateway, Start, running
from tests.upstreams import Answered, Asked, Unusual, graph_error

NAMES = "{ workflows(first: %d) { nodes { id } } }"
RENAME = """mutation { updateWorkflow(input: { workflowId: "w", displayName: "New" }) {
    __typename } }"""
# 100 requests in five batches.
BIG = "{ %s }" % " ".join(  # noqa: UP031
    f'r{number}: run(workflowId: "w", id: "r{number}") {{ id }}' for number in range(100)
)


async def _as(gateway: Gateway, caller: str, query: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer token-of-{caller}"}
    return (await gateway.post({"query": query}, headers=headers)).json()


def _caller(request: Asked) -> str:
    return request.headers["authorization"].removeprefix("Bearer token-of-")


def _codes(answer: dict[str, Any]) -> list[str]:
    return [error["extensions"]["code"] for error in answer.get("errors", ())]


class Hanging:
    """A service that does not answer ``caller`` until ``open`` is set."""

    def __init__(self, caller: str) -> None:
        self.caller, self.open = caller, False
        self.upstream = Unusual(http=self.http)

    async def http(self, request: Asked) -> Answered | None:
        while _caller(request) == self.caller and not self.open:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        return None

    async def asked(self, count: int) -> None:
        """Wait until so many requests were sent."""
        while len(self.upstream.http_asked) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def test_requests_that_hang_leave_slots_to_other_callers(start: Start) -> None:
    service = Hanging("alice")
    gateway = await start(Settings(concurrency=16), passthrough=True, unusual=service.upstream)
    hanging = [
        asyncio.create_task(_as(gateway, "alice", NAMES % number)) for number in range(1, 33)
    ]
    await service.asked(12)
    for number in range(1, 6):
        assert _codes(await _as(gateway, "bob", NAMES % number)) == []
    assert not any(task.done() for task in hanging)
    asked = [_caller(request) for request in service.upstream.http_asked]
    assert (asked.count("alice"), asked.count("bob")) == (12, 5)
    service.open = True
    assert [_codes(answer) for answer in await asyncio.gather(*hanging)] == [[]] * 32


async def test_a_second_caller_whose_requests_hang_leaves_slots_too(start: Start) -> None:
    hanging_callers = {"alice", "bob"}
    open_ = False

    async def http(request: Asked) -> Answered | None:
        while _caller(request) in hanging_callers and not open_:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        return None

    upstream = Unusual(http=http)
    gateway = await start(Settings(concurrency=8), passthrough=True, unusual=upstream)
    hanging = []
    for caller, sent in (("alice", 6), ("bob", 7)):
        hanging += [
            asyncio.create_task(_as(gateway, caller, NAMES % number)) for number in range(1, 20)
        ]
        while len(upstream.http_asked) < sent:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    assert _codes(await _as(gateway, "carol", NAMES % 1)) == []
    assert not any(task.done() for task in hanging)
    open_ = True
    await asyncio.gather(*hanging)


class Stepwise:
    """A service that answers one request at a time, when it is told to."""

    def __init__(self) -> None:
        self.steps = asyncio.Semaphore(0)
        self.upstream = Unusual(http=self.http)

    async def http(self, request: Asked) -> Answered | None:
        await self.steps.acquire()
        return None

    @property
    def callers(self) -> list[str]:
        """Who has asked, in order."""
        return [_caller(request) for request in self.upstream.http_asked]


async def _settled() -> None:
    """Let everything happen that can happen now; all is in this process."""
    for _ in range(300):
        await asyncio.sleep(0)


@pytest.mark.parametrize("concurrency", [1, 2])
@pytest.mark.parametrize("other", ["bob", "alice"], ids=["another caller", "another operation"])
async def test_a_small_operation_does_not_wait_for_a_large_one(
    concurrency: int, other: str
) -> None:
    service = Stepwise()
    sandbox = service.upstream.before(create_sandbox(SandboxSettings(moving=False)))
    settings = Settings(concurrency=concurrency)
    async with running(sandbox, settings, passthrough=True) as gateway:
        large = asyncio.create_task(_as(gateway, "alice", BIG))
        await _settled()
        assert service.callers == ["alice"]
        small = asyncio.create_task(_as(gateway, other, NAMES % 1))
        await _settled()
        for _ in range(2):
            service.steps.release()
            await _settled()
        urls = [request.url for request in service.upstream.http_asked]
        assert any(url.startswith("identityGovernance") for url in urls[:3])
        service.steps.release()
        await _settled()
        assert _codes(await small) == []
        assert not large.done()
        for _ in range(10):
            service.steps.release()
        await large


async def test_a_connection_is_no_second_queue(start: Start) -> None:
    """As many requests are under way as there are slots, whatever was given up before."""
    service = Hanging("alice")
    settings = Settings(concurrency=4, deadline=60)
    gateway = await start(settings, passthrough=True, unusual=service.upstream)
    for round_ in range(3):
        given_up = [
            asyncio.create_task(_as(gateway, "alice", NAMES % number)) for number in range(1, 6)
        ]
        await service.asked(4 * round_ + 3)
        for task in given_up:
            task.cancel()
        await asyncio.gather(*given_up, return_exceptions=True)
        assert _codes(await _as(gateway, "bob", NAMES % 1)) == []
    service.open = True


async def test_who_waits_for_a_throttle_takes_no_place_of_others() -> None:
    def instead(request: Asked) -> Answered | None:
        if _caller(request) == "nobody-is-throttled":
            return None
        return graph_error(429, "TooManyRequests", **{"retry-after": "50"})

    upstream = Unusual(instead=instead).before(create_sandbox(SandboxSettings(moving=False)))
    settings = Settings(max_operations=4, max_attempts=1)
    async with running(upstream, settings, passthrough=True) as gateway:
        waiting = []
        for caller in ("throttled-1", "throttled-2", "throttled-3", "throttled-4"):
            assert _codes(await _as(gateway, caller, NAMES % 1)) == ["THROTTLED"]
            for number in (2, 3):
                waiting.append(asyncio.create_task(_as(gateway, caller, NAMES % number)))
                await _settled()
        for number in range(1, 45):
            answer = await _as(gateway, "nobody-is-throttled", NAMES % number)
            assert _codes(answer) == []
        assert not any(task.done() for task in waiting)
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)


async def test_operations_that_are_throttled_are_bounded_too(start: Start) -> None:
    upstream = Unusual(
        instead=lambda _: graph_error(429, "TooManyRequests", **{"retry-after": "50"})
    )
    settings = Settings(max_operations=4, max_attempts=1)
    gateway = await start(settings, passthrough=True, unusual=upstream)
    assert _codes(await _as(gateway, "alice", NAMES % 1)) == ["THROTTLED"]
    tasks = [asyncio.create_task(_as(gateway, "alice", NAMES % n)) for n in range(2, 42)]
    done, waiting = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    while len(done) < 28:
        done, waiting = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED, timeout=0.1)
    assert {code for task in done for code in _codes(task.result())} == {"OVERLOADED"}
    assert len(upstream.http_asked) == 1
    for task in waiting:
        task.cancel()


async def test_a_caller_leaves_places_for_operations_of_others(start: Start) -> None:
    service = Hanging("alice")
    settings = Settings(max_operations=8)
    gateway = await start(settings, passthrough=True, unusual=service.upstream)
    tasks = [asyncio.create_task(_as(gateway, "alice", NAMES % n)) for n in range(1, 9)]
    done, hanging = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    while len(done) < 2:
        done, hanging = await asyncio.wait(tasks, timeout=0.05)
    assert [_codes(task.result()) for task in done] == [["OVERLOADED"]] * 2
    assert _codes(await _as(gateway, "bob", NAMES % 1)) == []
    service.open = True
    assert [_codes(answer) for answer in await asyncio.gather(*hanging)] == [[]] * 6


async def test_a_change_whose_turn_comes_too_late_is_not_sent(start: Start) -> None:
    service = Hanging("alice")
    settings = Settings(concurrency=1, deadline=4)
    gateway = await start(settings, passthrough=True, unusual=service.upstream)
    reading = asyncio.create_task(_as(gateway, "alice", NAMES % 1))
    await service.asked(1)
    [error] = (await _as(gateway, "bob", RENAME))["errors"]
    assert error["extensions"] == {"code": "UPSTREAM_TIMEOUT"}
    assert error["message"].startswith("not sent")
    service.open = True
    await reading
    assert [request.method for request in service.upstream.http_asked] == ["GET"]


async def test_a_throttled_change_is_not_sent_again_too_late(start: Start) -> None:
    upstream = Unusual(
        instead=lambda _: graph_error(429, "TooManyRequests", **{"retry-after": "7"})
    )
    gateway = await start(Settings(deadline=10), unusual=upstream)
    [error] = (await gateway.query(RENAME))["errors"]
    assert error["extensions"]["code"] == "THROTTLED"
    assert "outcomeUnknown" not in error["extensions"]
    assert [request.method for request in upstream.http_asked] == ["PATCH"]


@pytest.mark.parametrize("hangs", ["PATCH", "GET"])
async def test_all_changes_of_an_operation_have_one_deadline(start: Start, hangs: str) -> None:
    """A hundred of them that hang would otherwise hold a place for a hundred times as long."""

    async def instead(asked: Asked) -> Answered | None:
        if asked.method == hangs:
            await asyncio.Event().wait()
        return Answered({"id": "w"})

    unusual = Unusual(instead=instead)
    gateway = await start(unusual=unusual, settings=Settings(deadline=2))
    fields = " ".join(
        f'a{place}: updateWorkflow(input: {{ workflowId: "w{place}", displayName: "x" }}) '
        "{ workflow { id runs(first: 1) { nodes { id } } } }"
        for place in range(4)
    )
    answer = await gateway.query(f"mutation {{ {fields} }}")
    assert [a.url.rpartition("/")[2] for a in unusual.asked if a.method == "PATCH"] == ["w0"]
    later = [error for error in answer["errors"] if error["path"][0] != "a0"]
    assert len(later) == 3
    for error in later:
        assert error["extensions"] == {"code": "UPSTREAM_TIMEOUT"}
        assert error["message"].startswith("not sent")
