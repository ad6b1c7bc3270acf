"""What one caller may use, and what it is told when that is used up."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gateway.access.caller import EVERYTHING, Caller
from gateway.access.quota import Quota
from gateway.errors import RequestRefused
from gateway.graph.session import Usage
from tests.access.authority import Service
from tests.access.conftest import NAMES, Guard, error_of

ALICE, BOB = (Caller(name, EVERYTHING, None, name) for name in ("alice", "bob"))


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@contextmanager
def refused(code: str, retry_after: str) -> Iterator[None]:
    with pytest.raises(RequestRefused) as error:
        yield
    assert (error.value.status, error.value.code) == (429, code)
    assert error.value.headers["Retry-After"] == retry_after


def use(quota: Quota, caller: Caller, requests: int) -> None:
    usage = Usage()
    with quota.admitted(caller, usage):
        usage.requests += requests


def test_operations_in_flight_are_counted_for_each_caller() -> None:
    quota = Quota(in_flight=2)
    with quota.admitted(ALICE, Usage()):
        with quota.admitted(ALICE, Usage()):
            with refused("TOO_MANY_OPERATIONS", "1"), quota.admitted(ALICE, Usage()):
                pass
            use(quota, BOB, 1)
        use(quota, ALICE, 1)


def test_an_operation_that_fails_gives_its_place_back() -> None:
    quota = Quota(in_flight=1)
    with pytest.raises(ZeroDivisionError), quota.admitted(ALICE, Usage()):
        raise ZeroDivisionError
    use(quota, ALICE, 1)


def test_upstream_requests_are_counted_for_each_caller_and_forgiven_in_time() -> None:
    clock = Clock()
    quota = Quota(per_minute=60, clock=clock)
    use(quota, ALICE, 70)
    with refused("RATE_LIMITED", "11"):
        use(quota, ALICE, 1)
    use(quota, BOB, 1)
    clock.now += 11
    use(quota, ALICE, 1)
    clock.now += 3600
    use(quota, ALICE, 60)  # Nothing is saved up:
    with refused("RATE_LIMITED", "1"):
        use(quota, ALICE, 1)


def test_what_a_running_operation_sends_counts_at_once() -> None:
    quota = Quota(per_minute=10, clock=Clock())
    usage = Usage()
    with quota.admitted(ALICE, usage):
        usage.requests = 10
        with refused("RATE_LIMITED", "6"):
            use(quota, ALICE, 1)


def test_idle_accounts_are_forgotten() -> None:
    clock = Clock()
    quota = Quota(per_minute=60, clock=clock)
    for number in range(5000):
        clock.now += 1.5
        use(quota, Caller("", EVERYTHING, None, str(number)), 1)
    assert len(quota._accounts) <= 1001


async def test_at_the_endpoint(guarded: Guard) -> None:
    service = Service("alice", "bob")
    gateway = await guarded(service, requests_per_minute=3)
    for _ in range(3):
        assert (await gateway.post(token=service.token("alice"))).status_code == 200
    over = await gateway.post(token=service.token("alice"))
    assert (over.status_code, error_of(over)["code"]) == (429, "RATE_LIMITED")
    assert int(over.headers["retry-after"]) >= 1
    assert (await gateway.post(token=service.token("bob"))).status_code == 200


async def test_in_flight_at_the_endpoint(guarded: Guard) -> None:
    service = Service("alice")
    gateway = await guarded(service, operations_per_caller=2)
    answers = await asyncio.gather(*(gateway.post(NAMES, service.token("alice")) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 429, 429, 429]
    assert (await gateway.post(token=service.token("alice"))).status_code == 200
