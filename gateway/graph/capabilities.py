"""The options that the connected service turned out to accept.

Where the documents and the metadata disagree (questions.md, points 1, 6 and 10), an option is used
until the service is proven to refuse or ignore it (`gateway.graph.experiment`); from then on this
process does without. Nothing that one caller asks changes the answer that another one gets.
"""

import logging
from enum import StrEnum

from cachetools import LRUCache

_log = logging.getLogger(__name__)
_LONGEST_REASON = 500
_MANY_COLLECTIONS = 256
_LONGEST_NAME = 500


class Standing(StrEnum):
    """The state of knowledge about a capability."""

    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class Capabilities:
    """The capabilities of one upstream, shared by all operations of the process.

    A capability is named after the option and the place where it is used, such as
    ``$select Order`` or ``$expand Order.items``; a combination is
    named like ``$expand Order.items with $filter``.

    Attributes:
        refusals: what the service has refused, and why.
        doubted: what a question of the gateway's own was refused for, and is not proven yet.
    """

    def __init__(self) -> None:
        self._known: dict[str, Standing] = {}
        self.refusals: dict[str, str] = {}
        self._ignored: dict[str, str] = {}
        self.doubted: set[str] = set()

    def standing(self, capability: str) -> Standing:
        """The state of knowledge about ``capability``."""
        return self._known.get(capability, Standing.UNKNOWN)

    def allows(self, capability: str) -> bool:
        """Whether ``capability`` may be used: it has not been refused."""
        return self.standing(capability) is not Standing.REFUSED

    def accept(self, capability: str) -> None:
        """Remember that the service honoured ``capability``."""
        self._known.setdefault(capability, Standing.ACCEPTED)

    def refuse(self, capability: str, why: str) -> None:
        """Do without ``capability`` from now on; logged once."""
        if self.allows(capability):
            self._known[capability] = Standing.REFUSED
            self.refusals[capability] = why = why[:_LONGEST_REASON]
            _log.warning("upstream does without %s: %s", capability, why)

    def ignored(self, capability: str, place: str) -> None:
        """Note that rows of ``place`` came without what ``capability`` asks for.

        Seen at a second place, and honoured nowhere, it is refused: what is particular to one
        place teaches nothing.
        """
        if self.standing(capability) is not Standing.UNKNOWN:
            return
        if self._ignored.setdefault(capability, place) != place:
            self.refuse(capability, "the service ignored it")


class PageSizes:
    """The page sizes that the service was seen to use, by collection name."""

    def __init__(self, default: int) -> None:
        self._default = default
        # A name may hold what a caller gave to a function.
        self._seen: LRUCache[str, int] = LRUCache(_MANY_COLLECTIONS)

    def __getitem__(self, collection: str) -> int:
        return self._seen.get(collection, self._default)

    def observe(self, collection: str, rows: int) -> None:
        """Note a page of ``collection`` that has a next link and holds ``rows``."""
        if rows and len(collection) <= _LONGEST_NAME:
            self._seen[collection] = rows
