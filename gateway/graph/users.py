"""Bulk look-up of users: the `hydrate` strategy."""

from gateway.graph.client import Reply
from gateway.graph.errors import GraphError
from gateway.graph.reader import Reader, Row
from gateway.odata.errors import GatewayError
from gateway.odata.plan import Plan
from gateway.odata.query import Expand, GraphRequest, Options, get_by_ids, id_in

MAX_IDS_BY_IDS = 1000
# Directory filters take no more values than this in one `in`.
MAX_IDS_IN_FILTER = 15
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

    Args:
        reader: the operation's reader.
        select: the properties wanted of every user, beyond the id.
        expand: the manager, if it is wanted.
    """

    def __init__(self, reader: Reader, select: tuple[str, ...], expand: Expand | None) -> None:
        self._reader = reader
        self._options = Options(select=("id", *select), expand=expand)
        self._default = expand is None and DEFAULT_PROPERTIES.issuperset(select)
        self._users: dict[str, Row | GatewayError | None] = {}

    async def load(self, ids: list[str]) -> dict[str, Row | GatewayError | None]:
        """The users by id; ``None`` for one who is not in the directory (any more).

        Whichever needs fewer requests is used: ``users?$filter=id in (…)``, or getByIds, which
        knows the default properties only.
        """
        missing = [id_ for id_ in dict.fromkeys(ids) if id_ not in self._users]
        by_ids = self._default and len(missing) > MAX_IDS_IN_FILTER
        size = MAX_IDS_BY_IDS if by_ids else MAX_IDS_IN_FILTER
        chunks = [missing[start : start + size] for start in range(0, len(missing), size)]
        requests = [get_by_ids(chunk) if by_ids else self._filtered(chunk) for chunk in chunks]
        pending = [self._reader.load(request) for request in requests]
        for chunk, reply in zip(chunks, pending, strict=True):
            await self._keep(chunk, await reply)
        return self._users

    def _filtered(self, ids: list[str]) -> GraphRequest:
        options = Options(self._options.select, self._options.expand, id_in(ids))
        return options.get("users")

    async def _keep(self, ids: list[str], reply: Reply) -> None:
        try:
            rows = await self._reader.whole(reply)
            if not all(isinstance(row.get("id"), str) for row in rows):
                raise GraphError("the service answered a user without an id")
        except GatewayError as error:
            self._users.update(dict.fromkeys(ids, error))
        else:
            found = {row["id"].lower(): row for row in rows}
            self._users.update((id_, found.get(id_.lower())) for id_ in ids)


def directory_for(plan: Plan, reader: Reader) -> Directory:
    """The directory of an operation: it looks up all that the plan selects of any user."""
    managers = [n for n in plan.root.walk() if n.navigation.name == "manager"]
    needs = dict.fromkeys(name for n in managers for name in n.needs)
    expand = Expand(managers[0].navigation, ("id", *needs)) if managers else None
    return Directory(reader, plan.needs_of("User"), expand)
