"""The cost model: which of two possible strategies is the cheaper.

Known before the requests go out: how many parents and targets a grandparent has (a run carries
totalUsersCount and totalTasksCount) and the page size observed so far. The costs of having the
targets of P parents, T in all, on pages of S rows:

| strategy | chain of dependent requests        | requests              |
|----------|------------------------------------|-----------------------|
| regroup  | ⌈T/S⌉, beside the parents' own pages | ⌈T/S⌉                 |
| request  | 1, after the parents' last page      | P                     |

The shorter chain wins; with equal chains, the smaller number of requests.
"""

from dataclasses import dataclass
from math import ceil

DEFAULT_PAGE_SIZE = 100


@dataclass(frozen=True, order=True, slots=True)
class Cost:
    """``chain`` dependent requests, ``requests`` in all; compared in this order."""

    chain: int
    requests: int


def pages(rows: int, page_size: int) -> int:
    """How many pages hold ``rows``; an empty collection is a page too."""
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
