"""The cost model: which of several possible strategies is the cheapest.

Microsoft Graph throttles each item of a `$batch` as a request of its own (graph-lifecycle-api.md,
section 7, "$batch"), so what counts is time and items both. In seconds:

    cost = chain * latency + items * price

``chain`` is the number of requests that wait for each other, ``latency`` what one was seen to take,
and ``price`` what an item is worth (`PRICES`, setting GATEWAY_COST). Where two cost the same, the
shorter chain wins, then the smaller number of items.

Known before the requests go out: how many parents and targets a grandparent has (it carries
both counts) and the page size observed so far. The costs of having the
targets of P parents, T in all, on pages of S rows:

| strategy | chain of dependent requests        | items                 |
|----------|------------------------------------|-----------------------|
| regroup  | ⌈T/S⌉, beside the parents' own pages | ⌈T/S⌉                 |
| request  | 1, after the parents' last page      | P                     |
"""

from collections import deque
from dataclasses import dataclass
from math import ceil

DEFAULT_PAGE_SIZE = 100

PRICES = {"latency": 0.0, "balanced": 0.004, "quota": 10.0}
"""Seconds that an item is worth, by the setting. With ``latency`` the shorter chain wins and items
count only between equal ones; with ``quota`` it is the other way round."""


@dataclass(frozen=True, slots=True)
class Cost:
    """``chain`` requests that wait for each other, ``items`` in all."""

    chain: int
    items: int

    def __str__(self) -> str:
        return f"{self.items} in a chain of {self.chain}"


class Latency:
    """The time that a request takes at the service: the least that was seen lately, in seconds.

    The least, because what makes one slower (a queue, a large answer, one caller's filter) says
    nothing of the next; and within bounds, because it only weighs against the price of an item.
    """

    LEAST, MOST = 0.05, 1.0
    _LATELY = 64

    def __init__(self) -> None:
        self._seen: deque[float] = deque(maxlen=self._LATELY)

    def observe(self, seconds: float) -> None:
        """Note a request that was answered."""
        self._seen.append(seconds)

    @property
    def seconds(self) -> float:
        """The latency of a request, in seconds."""
        return min(self.MOST, max(self.LEAST, min(self._seen, default=self.LEAST)))


class CostModel:
    """Compares costs.

    Args:
        setting: a key of `PRICES`.
        latency: what requests were seen to take.
    """

    def __init__(self, setting: str, latency: Latency | None = None) -> None:
        self._price = PRICES[setting]
        self._latency = latency or Latency()

    def prefers(self, one: Cost, other: Cost) -> bool:
        """Whether ``one`` costs no more than ``other``."""
        return self._key(one) <= self._key(other)

    def seconds(self, cost: Cost) -> float:
        """The cost in seconds, items priced."""
        return cost.chain * self._latency.seconds + cost.items * self._price

    def _key(self, cost: Cost) -> tuple[float, int, int]:
        return self.seconds(cost), cost.chain, cost.items


def pages(rows: int, page_size: int) -> int:
    """The number of pages that hold ``rows``; an empty collection is a page too."""
    return max(1, ceil(rows / page_size))


def beside(parents: int, targets: int, page_size: int) -> Cost:
    """Regroup while the parents are read: both chains run at once."""
    parent_pages, target_pages = pages(parents, page_size), pages(targets, page_size)
    return Cost(max(parent_pages, target_pages), parent_pages + target_pages)


def afterwards(parents: int, page_size: int) -> Cost:
    """Read the parents, then send one request for each."""
    parent_pages = pages(parents, page_size)
    return Cost(parent_pages + 1, parent_pages + parents)


def regroup(targets: int, page_size: int) -> Cost:
    """Regroup for parents that have been read."""
    target_pages = pages(targets, page_size)
    return Cost(target_pages, target_pages)


def request(parents: int) -> Cost:
    """One request for each of ``parents`` that have been read."""
    return Cost(1, parents)
