"""Bulk look-up of users: the `hydrate` strategy."""

from collections.abc import Collection
from dataclasses import replace

from gateway.graph.entities import read_entity
from gateway.graph.errors import Forbidden, NotFound
from gateway.graph.reader import Reader
from gateway.graph.replies import Reply
from gateway.odata.address import Address
from gateway.odata.errors import GatewayError
from gateway.odata.query import Expand, GraphRequest, Options, get_by_ids, id_in
from gateway.plan.nodes import Plan, PlanNode
from gateway.plan.rows import Row

MAX_IDS_BY_IDS = 1000
# Directory filters take no more values than this in one `in`.
MAX_IDS_IN_FILTER = 15
# With these a service says that it has no getByIds, or none for this caller.
_REFUSALS = frozenset({400, 404, 405, 501})
_DELETED_USERS = "directory/deletedItems/microsoft.graph.user"
# What v1.0 returns without $select (graph-lifecycle-api.md, section 3, g:user).
DEFAULT_PROPERTIES = frozenset(
    {
        "businessPhones",
        "displayName",
        "givenName",
        "id",
        "jobTitle",
        "mail",
        "mobilePhone",
        "officeLocation",
        "preferredLanguage",
        "surname",
        "userPrincipalName",
    }
)


class Directory:
    """The users of one operation, each looked up at most once.

    A token may be allowed to read some properties of a user and not others; the service then
    refuses a request that names one of the others as a whole. What is refused is found out once
    for the operation, each property by itself, and fails alone.

    Args:
        reader: the operation's reader.
        select: the properties wanted of every user, beyond the id.
        expand: the manager, if it is wanted.
    """

    def __init__(self, reader: Reader, select: tuple[str, ...], expand: Expand | None) -> None:
        self._reader = reader
        self._select = select
        self._expand = expand
        self._by_ids = expand is None and DEFAULT_PROPERTIES.issuperset(select)
        self._refused: dict[str, GatewayError] = {}
        self._users: dict[str, Row | GatewayError | None] = {}
        self._lacking: dict[str, GatewayError] = {}

    async def load(
        self, ids: list[str], gone: Collection[str] = ()
    ) -> dict[str, Row | GatewayError | None]:
        """The users by id; ``None`` for one whom the directory does not know (any more).

        In place of a property that may not be read stands its error. Users who are not found are
        looked up among the deleted ones.

        Args:
            ids: whom to look up.
            gone: those of them who are thought to be deleted; one who is not is looked up as usual.
        """
        wanted = [id_ for id_ in dict.fromkeys(ids) if id_ not in self._users]
        await self._find([id_ for id_ in wanted if id_ not in gone])
        missing = [id_ for id_ in wanted if self._users.get(id_) is None]
        if missing:
            await self._find_deleted(missing)
        unknown = {id_: self._users[id_] for id_ in missing if self._is_unknown(id_)}
        doubted = [id_ for id_ in unknown if id_ in gone]
        if doubted:
            await self._find(doubted)
        for id_, told in unknown.items():
            if self._is_unknown(id_):
                self._users[id_] = self._lacking.get(id_, told)
        return self._users

    def _is_unknown(self, id_: str) -> bool:
        found = self._users[id_]
        return found is None or (isinstance(found, dict) and "id" not in found)

    async def _find(self, ids: list[str]) -> None:
        """Look users up by whichever needs fewer requests: ``users?$filter=id in (…)``, or
        getByIds, which knows the default properties only and needs a permission of its own."""
        by_ids = self._by_ids and len(ids) > MAX_IDS_IN_FILTER
        chunks = _chunks(ids, MAX_IDS_BY_IDS if by_ids else MAX_IDS_IN_FILTER)
        make = get_by_ids if by_ids else self._filtered
        refused = await self._ask([(chunk, make(chunk)) for chunk in chunks])
        if by_ids and refused:
            self._by_ids = False
            await self._find([id_ for chunk, _ in refused for id_ in chunk])
        elif refused:
            await self._narrow(refused)

    async def _ask(
        self, asked: list[tuple[list[str], GraphRequest]]
    ) -> list[tuple[list[str], GatewayError]]:
        """Keep the users that requests find; those that are forbidden are returned."""
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
                self._users.update(dict.fromkeys(ids, error))
        return refused

    async def _narrow(self, refused: list[tuple[list[str], GatewayError]]) -> None:
        """Find out what it is that may not be read, and read the rest."""
        (ids, _), *others = refused
        names = [*self._select, *([self._expand.name] if self._expand else ())]
        if len(names) > 1:
            requests = [self._filtered(ids, only=name) for name in names]
            pending = [self._reader.load(request) for request in requests]
            users: dict[str, Row] = {}
            for name, request, reply in zip(names, requests, pending, strict=True):
                try:
                    for row in await self._rows(await reply, request.url):
                        users.setdefault(row["id"].lower(), {}).update(dict(row))
                except GatewayError as problem:
                    self._refused[name] = problem
            if len(self._refused) < len(names):
                self._keep(ids, list(users.values()))
                asked = [(chunk, self._filtered(chunk)) for chunk, _ in others]
                for chunk, again in await self._ask(asked):
                    self._users.update(dict.fromkeys(chunk, again))
                return
        for chunk, first in refused:
            self._users.update(dict.fromkeys(chunk, first))

    def _filtered(self, ids: list[str], only: str | None = None) -> GraphRequest:
        """The look-up of users by a filter: of all that may be read, or of one member."""
        expand = self._expand
        if expand is not None and (only not in (None, expand.name) or expand.name in self._refused):
            expand = None
        options = Options(("id", *self._readable(only)), expand, id_in(ids))
        return options.get("users")

    def _readable(self, only: str | None = None) -> list[str]:
        return [name for name in self._select if name not in self._refused and only in (None, name)]

    async def _find_deleted(self, ids: list[str]) -> None:
        """Look users up among those that were deleted in the last 30 days.

        If that is refused, the time of the deletion is what can't be told.
        """
        options = Options(("id", *self._readable()))
        chunks = _chunks(ids, MAX_IDS_IN_FILTER)
        requests = [replace(options, filter=id_in(c)).get(_DELETED_USERS) for c in chunks]
        pending = [self._reader.load(request) for request in requests]
        for chunk, request, reply in zip(chunks, requests, pending, strict=True):
            try:
                self._keep(chunk, *await self._reader.whole(await reply, request.url))
            except GatewayError as error:
                told = "deletedDateTime" in self._select and not isinstance(error, NotFound)
                row = {"deletedDateTime": error} if told else None
                self._users.update(dict.fromkeys(chunk, row))

    async def _rows(self, reply: Reply, url: str) -> list[Row]:
        rows, error = await self._reader.whole(reply, url)
        if error is not None:
            raise error
        return rows

    def _keep(self, ids: list[str], rows: list[Row], lacking: GatewayError | None = None) -> None:
        """Keep the users in ``rows``; ``lacking`` is why others of ``ids`` may be missing."""
        found = {str(row["id"]).lower(): {**row, **self._refused} for row in rows}
        self._users.update((id_, found.get(id_.lower())) for id_ in ids)
        if lacking is not None:
            self._lacking.update(dict.fromkeys(ids, lacking))


def _chunks(ids: list[str], size: int) -> list[list[str]]:
    return [ids[start : start + size] for start in range(0, len(ids), size)]


def directory_for(plan: Plan, reader: Reader) -> Directory:
    """The directory of an operation: it looks up all that the plan selects of any user."""
    managers = [n for n in plan.root.walk() if n.navigation.name == "manager"]
    needs = dict.fromkeys(name for n in managers for name in n.needs)
    expand = Expand(managers[0].navigation.name, ("id", *needs)) if managers else None
    return Directory(reader, plan.needs_of("User"), expand)


async def read_user(reader: Reader, node: PlanNode, address: Address) -> Row:
    """The user at ``address`` with what ``node`` selects, who may be deleted, or readable in part.

    Raises:
        GatewayError: they can't be had.
    """
    try:
        return await read_entity(reader, node, address)
    except (Forbidden, NotFound):
        expand = node.expansion(listed=False, allows=reader.capabilities.allows)
        users = await Directory(reader, node.needs, expand).load([address.id])
        found = users[address.id]
        if isinstance(found, GatewayError):
            raise found from None
        if found is None:
            raise
        return found
