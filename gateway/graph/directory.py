"""Bulk look-up of entities of which only the ids are known: the `hydrate` strategy."""

from collections.abc import Collection

from gateway.errors import Forbidden, GatewayError, NotFound
from gateway.graph.entities import read_entity
from gateway.graph.reader import Reader
from gateway.graph.replies import Reply
from gateway.odata.address import Address
from gateway.odata.query import GraphRequest
from gateway.plan.lookup import Lookups
from gateway.plan.nodes import PlanNode
from gateway.plan.rows import Row

# With these a service says that it has no such action, or none for this caller.
_REFUSALS = frozenset({400, 404, 405, 501})


class Directory:
    """The looked-up entities of one operation, each asked for at most once.

    A token may be allowed to read some properties of an entity and not others; the service then
    refuses a request that names one of the others as a whole. What is refused is found out once
    for the operation, each property by itself, and fails alone.

    Args:
        reader: the operation's reader.
        lookups: what is wanted of each, and how it is asked for.
    """

    def __init__(self, reader: Reader, lookups: Lookups) -> None:
        self._reader = reader
        self._lookups = lookups
        self._by_ids = lookups.by_ids
        self._refused: dict[str, GatewayError] = {}
        self._found: dict[str, Row | GatewayError | None] = {}
        self._lacking: dict[str, GatewayError] = {}

    async def load(
        self, ids: list[str], gone: Collection[str] = ()
    ) -> dict[str, Row | GatewayError | None]:
        """The entities by id; ``None`` for one that the directory does not know (any more).

        In place of a property that may not be read stands its error. Those that are not found are
        looked up among the deleted ones.

        Args:
            ids: what to look up.
            gone: those of them that are thought to be deleted; others are looked up as usual.
        """
        wanted = [id_ for id_ in dict.fromkeys(ids) if id_ not in self._found]
        await self._find([id_ for id_ in wanted if id_ not in gone])
        missing = [id_ for id_ in wanted if self._found.get(id_) is None]
        if missing:
            await self._find_deleted(missing)
        unknown = {id_: self._found[id_] for id_ in missing if self._is_unknown(id_)}
        doubted = [id_ for id_ in unknown if id_ in gone]
        if doubted:
            await self._find(doubted)
        for id_, told in unknown.items():
            if self._is_unknown(id_):
                self._found[id_] = self._lacking.get(id_, told)
        return self._found

    def _is_unknown(self, id_: str) -> bool:
        found = self._found[id_]
        return found is None or (isinstance(found, dict) and "id" not in found)

    async def _find(self, ids: list[str]) -> None:
        """Look entities up by whichever needs fewer requests: a filter ``id in (…)``, or the action
        that takes many ids, which knows default properties only and needs a permission of its
        own."""
        asked = self._lookups.requests(ids, self._refused, by_ids=self._by_ids)
        refused = await self._ask(asked)
        if refused and asked[0][1].method == "POST":
            self._by_ids = False
            await self._find([id_ for chunk, _ in refused for id_ in chunk])
        elif refused:
            await self._narrow(refused)

    async def _ask(
        self, asked: list[tuple[list[str], GraphRequest]]
    ) -> list[tuple[list[str], GatewayError]]:
        """Keep the entities that requests find; those that are forbidden are returned."""
        pending = [self._reader.load(request) for _, request in asked]
        refused: list[tuple[list[str], GatewayError]] = []
        for (ids, request), reply in zip(asked, pending, strict=True):
            try:
                self._keep(ids, *await self._reader.whole(await reply, request.url))
            except GatewayError as error:
                by_ids = request.method == "POST"
                if isinstance(error, Forbidden) or (
                    by_ids and error.extensions.get("status") in _REFUSALS
                ):
                    refused.append((ids, error))
                    continue
                self._found.update(dict.fromkeys(ids, error))
        return refused

    async def _narrow(self, refused: list[tuple[list[str], GatewayError]]) -> None:
        """Find out what it is that may not be read, and read the rest."""
        (ids, _), *others = refused
        expand = self._lookups.expand
        names = [*self._lookups.select, *([expand.name] if expand else ())]
        if len(names) > 1:
            requests = [self._lookups.only(name, ids) for name in names]
            pending = [self._reader.load(request) for request in requests]
            parts: dict[str, Row] = {}
            for name, request, reply in zip(names, requests, pending, strict=True):
                try:
                    for row in await self._rows(await reply, request.url):
                        parts.setdefault(row["id"].lower(), {}).update(dict(row))
                except GatewayError as problem:
                    self._refused[name] = problem
            if len(self._refused) < len(names):
                self._keep(ids, list(parts.values()))
                rest = [id_ for chunk, _ in others for id_ in chunk]
                for chunk, again in await self._ask(self._lookups.requests(rest, self._refused)):
                    self._found.update(dict.fromkeys(chunk, again))
                return
        for chunk, first in refused:
            self._found.update(dict.fromkeys(chunk, first))

    async def _find_deleted(self, ids: list[str]) -> None:
        """Look entities up among those that were deleted in the last 30 days.

        If that is refused, the time of the deletion is what can't be told.
        """
        asked = self._lookups.deleted(ids, self._refused)
        pending = [self._reader.load(request) for _, request in asked]
        for (chunk, request), reply in zip(asked, pending, strict=True):
            try:
                self._keep(chunk, *await self._reader.whole(await reply, request.url))
            except GatewayError as error:
                name = self._lookups.lookup.deleted_at
                told = name in self._lookups.select and not isinstance(error, NotFound)
                row = {name: error} if told else None
                self._found.update(dict.fromkeys(chunk, row))

    async def _rows(self, reply: Reply, url: str) -> list[Row]:
        rows, error = await self._reader.whole(reply, url)
        if error is not None:
            raise error
        return rows

    def _keep(self, ids: list[str], rows: list[Row], lacking: GatewayError | None = None) -> None:
        """Keep the entities in ``rows``; ``lacking`` is why others of ``ids`` may be missing."""
        if self._reader.record is not None:
            self._reader.record.came(len(rows))
        found = {str(row["id"]).lower(): {**row, **self._refused} for row in rows}
        self._found.update((id_, found.get(id_.lower())) for id_ in ids)
        if lacking is not None:
            self._lacking.update(dict.fromkeys(ids, lacking))


async def look_up(reader: Reader, node: PlanNode, address: Address) -> Row:
    """The entity at ``address`` with what ``node`` selects; it may be deleted, or partly readable.

    Raises:
        GatewayError: it can't be had.
    """
    try:
        return await read_entity(reader, node, address)
    except (Forbidden, NotFound):
        lookup = node.entity.lookup
        if lookup is None:
            raise
        expand = node.expansion(listed=False, allows=reader.capabilities.allows)
        entities = await Directory(reader, Lookups(lookup, node.needs, expand)).load([address.id])
        found = entities[address.id]
        if isinstance(found, GatewayError):
            raise found from None
        if found is None:
            raise
        return found
