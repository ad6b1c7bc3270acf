"""Who gets the next slot, and at what pace one credential asks; time is virtual."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from random import Random

import pytest

from gateway.errors import Throttled, UpstreamTimeout
from gateway.graph.client import GraphClient
from gateway.graph.fairness import TooLate, Turn, Turns, may_hold_another
from gateway.graph.pacing import QUIET, Pace, Paces, Patience
from gateway.graph.replies import Reply
from gateway.graph.session import Session, Usage
from gateway.odata.query import GraphRequest, change
from tests.graph.virtual import VirtualTime


class Queue:
    """`Turns` whose turns are told in the order in which they were given."""

    def __init__(self, slots: int, time: VirtualTime) -> None:
        self.time = time
        self.turns = Turns(slots, clock=time.clock, later=time.later)
        self.given: list[str] = []
        self._held: dict[str, list[Turn]] = {}
        self.tasks: list[asyncio.Task[None]] = []
        self.paces = Paces(chance=Random(1))

    def ask(
        self,
        caller: str,
        operation: int = 1,
        *,
        requests: int = 1,
        latest: float = 60.0,
        credential: str | None = None,
    ) -> "asyncio.Task[None]":
        pace = self.paces.of(caller if credential is None else credential)
        latest += self.time.now

        async def enter() -> None:
            turn = await self.turns.enter(caller, operation, pace, requests, latest)
            self.given.append(f"{caller}{operation}")
            self._held.setdefault(caller, []).append(turn)

        self.tasks.append(asyncio.ensure_future(enter()))
        return self.tasks[-1]

    def done(self, caller: str) -> Turn:
        turn = self._held[caller].pop(0)
        self.turns.leave(turn)
        return turn

    def close(self, caller: str, seconds: float) -> None:
        """The credential of ``caller`` is answered 429."""
        pace = self.paces.of(caller)
        pace.answered(0, 1, seconds, pace.round, self.time.now)


@pytest.fixture
def time() -> VirtualTime:
    return VirtualTime()


@pytest.fixture
async def queues(time: VirtualTime) -> AsyncIterator[list[Queue]]:
    made: list[Queue] = []
    yield made
    for queue in made:
        for task in queue.tasks:
            task.cancel()
        await asyncio.gather(*queue.tasks, return_exceptions=True)
        queue.turns.close()


# --- shares ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("places", "held"),
    [(1, [1, 0]), (2, [1, 1, 0]), (3, [2, 1, 0]), (4, [3, 1, 0]), (16, [12, 3, 1, 0])],
)
def test_everyone_who_comes_leaves_a_place_for_the_next(places: int, held: list[int]) -> None:
    found, free = [], places
    for _ in held:
        mine = 0
        while may_hold_another(mine, free):
            mine, free = mine + 1, free - 1
        found.append(mine)
    assert found == held


async def test_a_caller_whose_requests_hang_leaves_slots_to_others(
    time: VirtualTime, queues: list[Queue]
) -> None:
    queue = Queue(16, time)
    queues.append(queue)
    for number in range(32):
        queue.ask("a", number)
    await time.settle()
    assert len(queue.given) == 12
    queue.ask("b")
    await time.settle()
    assert queue.given[12:] == ["b1"]


async def test_one_slot_serves_everybody_in_turn(time: VirtualTime, queues: list[Queue]) -> None:
    queue = Queue(1, time)
    queues.append(queue)
    for caller in "aaabbc":
        queue.ask(caller)
    for _ in range(6):
        await time.settle()
        queue.done(queue.given[-1][0])
    # It was alone at first, and had its turn before anybody else asked.
    assert queue.given == ["a1", "a1", "b1", "c1", "a1", "b1"]


async def test_a_caller_without_a_name_is_alone_and_may_use_all(
    time: VirtualTime, queues: list[Queue]
) -> None:
    queue = Queue(4, time)
    queues.append(queue)
    for _ in range(9):
        queue.ask("")
    await time.settle()
    assert len(queue.given) == 4


async def test_callers_take_turns_and_then_their_operations(
    time: VirtualTime, queues: list[Queue]
) -> None:
    queue = Queue(1, time)
    queues.append(queue)
    queue.ask("x")
    for _ in range(3):
        queue.ask("a", 1)
    queue.ask("a", 2)
    queue.ask("b", 3)
    await time.settle()
    for _ in range(5):
        queue.done(queue.given[-1][0])
        await time.settle()
    assert queue.given == ["x1", "a1", "b3", "a2", "a1", "a1"]


async def test_who_is_cancelled_holds_nothing(time: VirtualTime, queues: list[Queue]) -> None:
    queue = Queue(1, time)
    queues.append(queue)
    queue.ask("a")
    await time.settle()
    waiting, then_given = queue.ask("b"), queue.ask("c")
    await time.settle()
    waiting.cancel()
    queue.done("a")
    # It has its turn, and is cancelled before it knows.
    then_given.cancel()
    await time.settle()
    queue.ask("d")
    await time.settle()
    assert queue.given == ["a1", "d1"]


async def test_who_can_not_begin_in_time_is_told(time: VirtualTime, queues: list[Queue]) -> None:
    queue = Queue(1, time)
    queues.append(queue)
    queue.ask("a")
    late, patient = queue.ask("b", latest=5), queue.ask("b", 2, latest=9)
    await time.advance(4.9)
    assert not late.done()
    await time.advance(0.2)
    error = late.exception()
    assert isinstance(error, TooLate)
    assert error.after is None
    assert not patient.done()
    queue.done("a")
    await time.settle()
    assert queue.given == ["a1", "b2"]


# --- who is throttled --------------------------------------------------------------------------


async def test_who_is_throttled_waits_and_holds_up_nobody(
    time: VirtualTime, queues: list[Queue]
) -> None:
    queue = Queue(1, time)
    queues.append(queue)
    queue.close("a", 10)
    queue.ask("a")
    for _ in range(3):
        queue.ask("b")
        await time.settle()
        queue.done("b")
    await time.advance(9.9)
    assert queue.given == ["b1"] * 3
    await time.advance(1.2)  # At most a tenth later, so that not everybody comes at once.
    assert queue.given == ["b1"] * 3 + ["a1"]


async def test_who_would_be_throttled_beyond_the_deadline_is_told_at_once(
    time: VirtualTime, queues: list[Queue]
) -> None:
    queue = Queue(1, time)
    queues.append(queue)
    queue.ask("b")
    before = queue.ask("a", latest=20)
    await time.settle()
    queue.close("a", 30)
    after = queue.ask("a", latest=20)
    await time.settle()
    for task in (before, after):
        error = task.exception()
        assert isinstance(error, TooLate)
        assert error.after is not None
        assert 30 <= error.after <= 33


async def test_callers_of_one_throttled_credential_take_turns(
    time: VirtualTime, queues: list[Queue]
) -> None:
    queue = Queue(16, time)
    queues.append(queue)
    queue.close("app", 1)
    for _ in range(20):
        queue.ask("big", credential="app")
    for caller in ("small", "tiny"):
        queue.ask(caller, credential="app")
    await time.advance(3)
    assert {queue.given.index("small1"), queue.given.index("tiny1")} == {1, 2}


async def test_a_batch_is_not_overtaken_for_ever(time: VirtualTime, queues: list[Queue]) -> None:
    queue = Queue(16, time)
    queues.append(queue)
    queue.close("app", 1)
    for number in range(40):
        queue.ask("small", number, credential="app")
    queue.ask("batch", requests=20, credential="app")
    await time.advance(3)
    assert queue.given.index("batch1") < 5


# --- the pace ----------------------------------------------------------------------------------


@pytest.fixture
def pace() -> Pace:
    return Pace(Random(1))


def test_nothing_is_paced_before_the_first_429(pace: Pace) -> None:
    for now in range(100):
        assert pace.opens(20, now) <= now
        assert pace.portion(20) == 20
        pace.sent(20, now)
        pace.answered(20, 0, None, pace.round, now)
    assert not pace.limited


def test_a_rate_is_forgotten_after_a_quiet_time(pace: Pace) -> None:
    pace.answered(0, 1, 5.0, pace.round, 100.0)
    assert pace.limited
    assert pace.opens(1, 100.0) >= 105.0
    assert pace.opens(1, 106.0 + QUIET) <= 106.0 + QUIET
    assert not pace.limited
    assert pace.portion(20) == 20


def test_without_retry_after_the_pause_grows(pace: Pace) -> None:
    now, pauses = 100.0, []
    for _ in range(6):
        pace.answered(0, 1, None, pace.round, now)
        pauses.append(pace.until - now)
        now = pace.until + 0.1
    assert all(later > before for before, later in zip(pauses, pauses[2:], strict=False))
    assert pauses[-1] > 8 * pauses[0]


def test_answers_of_one_round_slow_down_once(pace: Pace) -> None:
    pace.answered(100, 0, None, pace.round, 100.0)
    before = pace.round
    for _ in range(10):
        pace.answered(0, 1, 1.0, before, 100.0)
    assert pace.round == before + 1
    assert pace.portion(1000) == 21  # A quarter of a second, of 85 in one.


def test_an_answer_that_never_came_says_nothing_of_the_rate(pace: Pace) -> None:
    pace.answered(100, 0, None, pace.round, 100.0)
    pace.answered(0, 1, 1.0, pace.round, 100.0)
    pace.answered(0, 0, None, pace.round, 101.5)
    assert pace.portion(1000) == 21


def test_few_paces_are_kept_and_those_of_the_throttled_longest(time: VirtualTime) -> None:
    paces = Paces(size=10)
    slow = paces.of("slow")
    slow.answered(0, 1, 5.0, slow.round, time.now)
    for number in range(1000):
        paces.of(str(number))
    assert len(paces) == 10
    assert paces.of("slow") is slow
    for number in range(20):
        pace = paces.of(f"slow {number}")
        pace.answered(0, 1, 5.0, pace.round, time.now)
    assert len(paces) == 10


def test_attempts_are_in_vain_only_if_nothing_is_accepted(pace: Pace) -> None:
    patience = Patience(3)
    assert [patience.allows(pace) for _ in range(3)] == [True, True, False]
    patience, allowed = Patience(3), 0
    while patience.allows(pace):
        pace.answered(1, 0, None, pace.round, 0.0)
        allowed += 1
    assert allowed == 14


# --- a client ----------------------------------------------------------------------------------


class Bucket:
    """A service that takes 20 requests at once and 20 in a second, items of a batch counted."""

    def __init__(self, time: VirtualTime, rate: float = 20.0) -> None:
        self.time, self.rate = time, rate
        self.tokens, self.at = rate, time.now
        self.sent = self.allowed = 0
        self.last = 0.0

    def take(self) -> bool:
        now = self.time.now
        self.tokens = min(self.rate, self.tokens + (now - self.at) * self.rate)
        self.at = now
        self.sent += 1
        if self.tokens < 1:
            return False
        self.tokens -= 1
        self.allowed += 1
        self.last = now
        return True


class Client(GraphClient):
    """A client in virtual time, whose requests take 30 ms and reach a `Bucket`."""

    def __init__(self, time: VirtualTime, bucket: Bucket, **how: float) -> None:
        super().__init__("http://upstream/v1.0", clock=time.clock, later=time.later, **how)
        self._paces = Paces(chance=Random(1))
        self.time, self.bucket = time, bucket
        self.retry_after: float | None = 1.0

    async def _send_once(self, requests, session):
        await self.time.sleep(0.015)
        taken = [self.bucket.take() for _ in requests]
        await self.time.sleep(0.015)
        no = Reply(error=Throttled("slow down"), status=429, retry=True, after=self.retry_after)
        return [Reply({}, status=200) if ok else no for ok in taken]


def _requests(count: int) -> Iterator[GraphRequest]:
    return (GraphRequest(f"things/{number}") for number in range(count))


@pytest.mark.parametrize("retry_after", [1.0, None])
@pytest.mark.parametrize("layers", [(1, 5), (1, 2, 4), (1,) * 7, (1, 20), (1, 5, 10)])
async def test_a_throttled_client_wastes_little(
    time: VirtualTime, layers: tuple[int, ...], retry_after: float | None
) -> None:
    bucket = Bucket(time)
    client = Client(time, bucket)
    client.retry_after = retry_after

    async def operation(number: int) -> list[Reply]:
        session = Session("token", time.now + 60, Usage(), caller=str(number % 4))
        replies: list[Reply] = []
        for count in layers:
            replies += await client.send(list(_requests(count)), session)
        return replies

    began = time.now
    working = asyncio.gather(*(operation(number) for number in range(32)))
    while not working.done():
        assert await time.step()
    assert [reply.error for replies in await working for reply in replies] == [None] * (
        32 * sum(layers)
    )
    ideal = (bucket.allowed - 20) / 20
    assert bucket.sent <= 1.25 * bucket.allowed
    assert bucket.last - began <= ideal / 0.85
    await client.aclose()


class Moody(Bucket):
    """A service that throttles requests by chance, however few there are."""

    def __init__(self, time: VirtualTime, part: float) -> None:
        super().__init__(time)
        self.part, self.chance = part, Random(1)

    def take(self) -> bool:
        self.sent += 1
        if self.chance.random() < self.part:
            return False
        self.allowed += 1
        return True


@pytest.mark.parametrize(("part", "seconds"), [(0.0125, 40.0), (0.03, 40.0), (0.1, 80.0)])
@pytest.mark.parametrize("retry_after", [0.05, None])
async def test_a_429_by_chance_brings_a_credential_not_to_a_standstill(
    time: VirtualTime, part: float, seconds: float, retry_after: float | None
) -> None:
    service = Moody(time, part)
    client = Client(time, service)
    client.retry_after = retry_after

    async def operation() -> list[Reply]:
        replies: list[Reply] = []
        for _ in range(2):
            session = Session("token", time.now + 60, Usage(), caller="one")
            for count in (1, 6, 24, 48, 120):
                replies += await client.send(list(_requests(count)), session)
        return replies

    began = time.now
    working = asyncio.gather(*(operation() for _ in range(8)))
    while not working.done():
        assert await time.step()
    replies = [reply for replies in await working for reply in replies]
    assert [reply.error for reply in replies] == [None] * (8 * 2 * 199)
    assert time.now - began < seconds
    assert service.sent <= 1.2 * service.allowed
    await client.aclose()


async def test_who_waits_beyond_the_deadline_is_told_when_to_come_back(time: VirtualTime) -> None:
    bucket = Bucket(time, rate=0.0)
    client = Client(time, bucket)
    client.retry_after = 30.0
    first = asyncio.ensure_future(client.send([GraphRequest("a")], Session("t", time.now + 5)))
    await time.advance(0.1)
    [reply] = await first
    assert isinstance(reply.error, Throttled)
    [reply] = await client.send([GraphRequest("b")], Session("t", time.now + 5))
    assert isinstance(reply.error, Throttled)
    assert 29 <= int(reply.error.extensions["retryAfter"]) <= 31
    assert bucket.sent == 1
    await client.aclose()


async def test_a_change_is_not_sent_when_its_answer_can_not_be_waited_for(
    time: VirtualTime,
) -> None:
    bucket = Bucket(time)
    client = Client(time, bucket, concurrency=1, change_time=5.0)
    usage = Usage()
    [reply] = await client.send([change("DELETE", "a")], Session("t", time.now + 4, usage))
    assert isinstance(reply.error, UpstreamTimeout)
    assert reply.error.message.startswith("not sent")
    assert "outcomeUnknown" not in reply.error.extensions
    assert (bucket.sent, usage.http_requests) == (0, 0)
    # Nor when its turn comes too late.
    busy = await client._turns.enter("b", 0, client._paces.of("b"), 1, time.now + 60)
    waiting = asyncio.ensure_future(
        client.send([change("DELETE", "a")], Session("t", time.now + 20, caller="a"))
    )
    await time.advance(14)
    assert not waiting.done()
    await time.advance(2)
    [reply] = await waiting
    assert isinstance(reply.error, UpstreamTimeout)
    client._turns.leave(busy)
    sending = asyncio.ensure_future(
        client.send([change("DELETE", "a")], Session("t", time.now + 6, caller="a"))
    )
    await time.advance(1)
    assert [reply.error for reply in await sending] == [None]
    await client.aclose()
