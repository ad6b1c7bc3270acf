"""The cost model's choices: the shorter chain first, then fewer requests."""

import pytest

from gateway.odata import cost


@pytest.mark.parametrize(
    ("users", "tasks", "regrouped"),
    [
        (5, 15, True),  # one page of task results beside one page of users
        (40, 120, True),  # two pages, against a second layer of 40 requests
        (100, 500, False),  # five pages one after another, against two layers
        (1000, 1000, True),  # ten pages beside ten pages
        (1000, 10_000, False),
        (1, 25, True),
    ],
)
def test_beside(users: int, tasks: int, regrouped: bool) -> None:
    assert (cost.beside(users, tasks, 100) <= cost.afterwards(users, 100)) is regrouped


@pytest.mark.parametrize(
    ("users", "tasks", "regrouped"), [(20, 60, True), (1, 3, True), (50, 150, False)]
)
def test_afterwards(users: int, tasks: int, regrouped: bool) -> None:
    assert (cost.regroup(tasks, 100) <= cost.request(users)) is regrouped
