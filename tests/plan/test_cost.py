"""The cost model's choices: time and items in one formula, weighed by the setting."""

import pytest

from gateway.plan import cost
from gateway.plan.cost import Cost, CostModel, Latency


@pytest.mark.parametrize(
    ("users", "tasks", "quick", "balanced"),
    [
        (5, 15, True, True),  # one page of task results beside one page of users
        (40, 120, True, True),  # two pages, against a second layer of 40 requests
        (100, 500, False, True),  # five pages one after another, against two layers and 100 items
        (20, 500, False, False),  # the same against 20 items
        (1000, 1000, True, True),  # ten pages beside ten pages
        (1000, 10_000, False, False),
        (1, 25, True, True),
    ],
)
def test_beside(users: int, tasks: int, quick: bool, balanced: bool) -> None:
    beside, afterwards = cost.beside(users, tasks, 100), cost.afterwards(users, 100)
    assert CostModel("latency").prefers(beside, afterwards) is quick
    assert CostModel("balanced").prefers(beside, afterwards) is balanced
    assert CostModel("quota").prefers(beside, afterwards) is (beside.items <= afterwards.items)


@pytest.mark.parametrize(
    ("users", "tasks", "quick", "balanced"),
    [
        (20, 60, True, True),
        (1, 3, True, True),
        (50, 150, False, True),
        (67, 200, False, True),  # what is left of a live run of 100 users
        (10, 150, False, False),
    ],
)
def test_afterwards(users: int, tasks: int, quick: bool, balanced: bool) -> None:
    regroup, request = cost.regroup(tasks, 100), cost.request(users)
    assert CostModel("latency").prefers(regroup, request) is quick
    assert CostModel("balanced").prefers(regroup, request) is balanced
    assert CostModel("quota").prefers(regroup, request) is (regroup.items <= request.items)


def test_what_costs_the_same_is_told_apart_by_the_chain_then_by_the_items() -> None:
    quick = CostModel("latency")
    assert quick.prefers(Cost(1, 5), Cost(1, 6))
    assert not quick.prefers(Cost(1, 6), Cost(1, 5))
    assert quick.prefers(Cost(1, 100), Cost(2, 2))


def test_a_slow_service_makes_chains_dear() -> None:
    latency = Latency()
    model = CostModel("balanced", latency)
    long, wide = Cost(5, 5), Cost(1, 60)
    assert latency.seconds == Latency.LEAST
    assert model.seconds(long) == pytest.approx(5 * 0.05 + 5 * 0.004)
    assert model.prefers(long, wide)
    for _ in range(100):
        latency.observe(0.4)
    assert model.prefers(wide, long)


def test_one_slow_request_says_nothing_and_none_too_much() -> None:
    latency = Latency()
    latency.observe(0.06)
    for _ in range(40):
        latency.observe(50.0)
    assert latency.seconds == 0.06
    for _ in range(100):
        latency.observe(50.0)
    assert latency.seconds == Latency.MOST
    latency.observe(0.0001)
    assert latency.seconds == Latency.LEAST
