"""The bulk look-up of entities of which only the ids are known: the requests of `hydrate`."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from gateway.odata.query import Expand, GraphRequest, Options, by_ids, id_in
from gateway.plan.model import Lookup

MAX_IDS_BY_IDS = 1000
# Directory filters take no more values than this in one `in`.
MAX_IDS_IN_FILTER = 15


@dataclass(frozen=True, slots=True)
class Lookups:
    """The look-ups of entities of one type in one operation: all with one selection.

    Attributes:
        lookup: where.
        select: the properties wanted of each, beyond the id.
        expand: what is expanded, if anything is.
    """

    lookup: Lookup
    select: tuple[str, ...]
    expand: Expand | None = None

    @property
    def by_ids(self) -> bool:
        """Whether the action that takes many ids tells all that is wanted."""
        return self.expand is None and self.lookup.defaults.issuperset(self.select)

    def requests(
        self, ids: list[str], refused: Collection[str] = (), *, by_ids: bool = False
    ) -> list[tuple[list[str], GraphRequest]]:
        """The requests for ``ids``, each with those that it is for.

        Args:
            ids: which to look up.
            refused: names that must not be asked for.
            by_ids: whether the action may be used: one request for 1,000 ids instead of 15.
        """
        if by_ids and len(ids) > MAX_IDS_IN_FILTER:
            found = chunks(ids, MAX_IDS_BY_IDS)
            return [(chunk, self._many(chunk)) for chunk in found]
        options = self._options(refused)
        collection = self.lookup.collection
        return [
            (chunk, replace(options, filter=id_in(chunk)).get(collection))
            for chunk in chunks(ids, MAX_IDS_IN_FILTER)
        ]

    def only(self, name: str, ids: list[str]) -> GraphRequest:
        """The request for one member of ``ids``, which are at most 15."""
        expand = self.expand if self.expand is not None and self.expand.name == name else None
        select = ("id",) if expand is not None else ("id", name)
        return Options(select, expand, id_in(ids)).get(self.lookup.collection)

    def deleted(
        self, ids: list[str], refused: Collection[str] = ()
    ) -> list[tuple[list[str], GraphRequest]]:
        """The requests for those of ``ids`` that were deleted in the last 30 days."""
        options = replace(self._options(refused), expand=None)
        return [
            (chunk, replace(options, filter=id_in(chunk)).get(self.lookup.deleted))
            for chunk in chunks(ids, MAX_IDS_IN_FILTER)
        ]

    def kinds(self, ids: list[str]) -> list[tuple[GraphRequest, str]]:
        """The kinds of requests that may be sent, and when."""
        [(_, filtered)] = self.requests(ids)
        found = [(filtered, f"one for {MAX_IDS_IN_FILTER} ids, all of the layer at once")]
        if self.by_ids:
            many = self._many(ids)
            found.append((many, f"instead, from {MAX_IDS_IN_FILTER + 1} ids on"))
        [(_, deleted)] = self.deleted(ids)
        return [*found, (deleted, "then, for those who are not found")]

    def _many(self, ids: list[str]) -> GraphRequest:
        return by_ids(self.lookup.by_ids, ids, self.lookup.kind)

    def _options(self, refused: Collection[str]) -> Options:
        expand = self.expand
        if expand is not None and expand.name in refused:
            expand = None
        return Options(("id", *(name for name in self.select if name not in refused)), expand)


def chunks(ids: list[str], size: int) -> list[list[str]]:
    """``ids`` in parts of at most ``size``."""
    return [ids[start : start + size] for start in range(0, len(ids), size)]
