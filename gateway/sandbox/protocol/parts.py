"""Parts that the declarations of endpoints share."""

from collections.abc import Callable

from gateway.sandbox.data.model import USER, EntityType, Row, words
from gateway.sandbox.data.rows import ListRows
from gateway.sandbox.writes.declarations import Endpoint, Navigation
from gateway.sandbox.writes.targets import Target

TYPES = "microsoft.graph.identityGovernance."


def expandable(*navigations: Navigation) -> dict[str, Navigation]:
    """Return navigations that can be expanded, by name."""
    return {item.name: item for item in navigations}


def user(name: str) -> Navigation:
    """Return the navigation to a user that the row has a stub of."""

    def related(target: Target, row: Row) -> Row | None:
        stub: Row | None = row.get(name)
        return stub and (target.tenant.world.directory.find(stub["id"]) or stub)

    return Navigation(name, USER, related)


def options(text: str) -> frozenset[str]:
    """Return the names of query options, without `$`."""
    return frozenset(words(text))


def manager_of(target: Target, row: Row) -> Row | None:
    """Return the manager of a user."""
    return target.tenant.world.directory.manager_of(row["id"])


def summary(path: str, entity: EntityType, row: Callable[[Target], Row]) -> Endpoint:
    """Declare a function of a period that answers one complex value."""
    return Endpoint(path, entity, row=row, context=f"{TYPES}{entity.name}")


def summaries_of(path: str, entity: EntityType, rows: Callable[[Target], list[Row]]) -> Endpoint:
    """Declare a function of a period that answers a list of complex values."""
    context = f"Collection({TYPES}{entity.name})"
    return Endpoint(path, entity, lambda at: ListRows(rows(at)), context=context)


SELECT = options("select")
SELECT_EXPAND = options("select expand")
MANAGER = expandable(Navigation("manager", USER, manager_of))
AUTHORS = expandable(user("createdBy"), user("lastModifiedBy"))
