"""Rows: what a stitched dict knows of its place, beside what the service gave."""

from collections.abc import Callable
from operator import attrgetter
from urllib.parse import unquote

from gateway.errors import GatewayError, GraphError, without_frames
from gateway.odata.address import Address, container_of, key_of, key_segment
from gateway.odata.partial import Partial
from gateway.plan.layout import ADDRESS, PARENT
from gateway.plan.model import Navigation, Shape
from gateway.plan.nodes import PlanNode
from gateway.plan.rows import ROWS, Row, attribute_of

NO_KEYS = frozenset({None, "", ".", ".."})
"""What is no key of an entity with an address."""
_ADDRESS = attribute_of(ADDRESS)


def address_of(node: PlanNode, parent: Row) -> Address | None:
    """The address of the single entity at the end of an edge; ``None`` if there is none."""
    if isinstance(node.address, Address):
        return node.address
    path, entity = parent[ADDRESS], node.entity.name
    if node.navigation.container is not None:
        container = container_of(path, node.navigation.container)
        return Address(container, entity, _last_key(container)) if container else None
    if node.navigation.reference is not None:
        key, collection = key_of(parent, node.navigation.reference[1]), _home(node, path)
        if key is None or collection is None:
            return None
        return Address(f"{collection}/{key_segment(key)}", entity, key)
    return Address(f"{path}/{node.path}", entity, "", selectable=node.navigation.selectable)


def _last_key(path: str) -> str:
    return unquote(path.rpartition("/")[2])


def collection_path(node: PlanNode, parent: Row) -> str:
    """The path of the collection at the end of an edge."""
    if isinstance(node.address, str):
        return node.address
    return f"{parent[ADDRESS]}/{node.path}"


def stitch_list(
    node: PlanNode, parent: Row, rows: list[Row], counted: Callable[[int], None]
) -> None:
    """Stitch a bounded list, and the views of it that were asked for.

    ``counted`` is told the rows of each view, which stand in the answer once more, and may raise.
    """
    parent[node.key] = rows
    for key, view in node.views.items():
        parent[key] = found = view.of(rows)
        counted(len(found))


def fail(node: PlanNode, parent: Row, error: Exception) -> None:
    """Stitch an edge's error in the place of its rows, without the frames that it went through."""
    if isinstance(error, GatewayError):
        without_frames(error)
    for key in (node.key, *node.views):
        parent[key] = error


def lack(node: PlanNode, parent: Row, error: GatewayError) -> None:
    """Stitch an error beside the rows of an edge, and of its views, that could be had."""
    for key in (node.key, *node.views):
        if not isinstance(parent[key], Exception):
            parent[key] = Partial(parent[key], error)


def carries(row: Row, navigation: Navigation) -> bool:
    """Whether a row happens to carry an edge that it was not asked for."""
    return navigation.shape is Shape.LIST and isinstance(row.get(navigation.name), list)


def unlink(node: PlanNode, parent: Row) -> None:
    """Take apart what was stitched below a row, where rows know the rows that they hang below.

    They would otherwise be kept, with all that hangs below them, until the garbage collector looks
    for cycles, which stops everybody for the longer the more there are.
    """
    for child in node.children.values():
        if child.linked:
            for key in (child.key, *child.views):
                _unlink(child, parent.pop(key, None))


def _unlink(node: PlanNode, value: object) -> None:
    rows: object = value
    if isinstance(value, ROWS) and node.navigation.shape is Shape.CONNECTION and not node.key:
        rows = value
    elif isinstance(value, ROWS) and node.navigation.shape is Shape.CONNECTION:
        rows = value.get("nodes")
    for row in rows if isinstance(rows, list) else (rows,):
        if isinstance(row, ROWS):
            container = row.pop(PARENT, None)
            if node.sources:
                _unlink(node.sources[-1], container)
            for name in node.backward:
                row.pop(name, None)
            unlink(node, row)


def above(row: Row, levels: int) -> Row:
    """The row that so many rows up contains ``row``."""
    for _ in range(levels):
        row = row[PARENT]
    return row


def adopt(node: PlanNode, row: Row, collection: str, parent: Row) -> Row:
    """A row that knows its address and its parent, as far as the plan needs them.

    It is a copy where it is a dict, because such rows of one reply may serve several edges.
    """
    entity = node.entity
    adopted = dict(row) if type(row) is dict else row
    if entity.key is None:
        if node.linked:
            adopted[PARENT] = parent
        return adopted
    key = row.get(entity.key) if isinstance(row, ROWS) else None
    if key is not None and type(key) is not str:
        key = key_of(row, entity.key)
    if key in NO_KEYS:
        raise GraphError("the service answered an entity without its key")
    if node.addressed:
        home = home_of(node, row, collection) or f"{collection}/{key_segment(key)}"
        adopted[ADDRESS] = home
    if node.linked:
        adopted[PARENT] = parent
    return adopted


def adopt_page(node: PlanNode, rows: list[Row], collection: str, parent: Row) -> list[Row]:
    """`adopt` of all rows of a page."""
    keys = _keys_of(node, rows)
    if keys is None or node.linked or node.navigation.lives_in is not None:
        return [adopt(node, row, collection, parent) for row in rows]
    if node.addressed:
        for row, key in zip(rows, keys, strict=True):
            setattr(row, _ADDRESS, f"{collection}/{key_segment(key)}")
    return rows


def adopt_all(
    node: PlanNode, rows: list[Row], collection: str, parent: Row
) -> tuple[list[Row], GatewayError | None]:
    """`adopt` of all ``rows`` that are entities with a key, and why others are missing.

    Raises:
        GraphError: none is.
    """
    if need_nothing(node, rows):
        return rows, None
    adopted: list[Row] = []
    problem: GraphError | None = None
    for row in rows:
        try:
            adopted.append(adopt(node, row, collection, parent))
        except GraphError as error:
            problem = problem or error
    if problem is not None:
        if not adopted:
            raise problem
        without_frames(problem)
    return adopted, problem


def need_nothing(node: PlanNode, rows: list[Row]) -> bool:
    """Whether rows can be stitched as they are: typed, with keys, and needed without address."""
    return not node.addressed and not node.linked and _keys_of(node, rows) is not None


def _keys_of(node: PlanNode, rows: list[Row]) -> list[str] | None:
    """The keys of rows; ``None`` unless all are typed and have one."""
    key = node.entity.key
    if key is None:
        return None
    try:
        keys = list(map(attrgetter(attribute_of(key)), rows))
    except AttributeError:
        return None
    return keys if set(map(type, keys)) <= {str} and NO_KEYS.isdisjoint(keys) else None


def inlined(node: PlanNode, value: Row, parent: Row) -> Row:
    """An entity inside another, with its address where that is known and needed; see `adopt`."""
    row = dict(value) if type(value) is dict else value
    if node.linked:
        row[PARENT] = parent
    if node.addressed:
        home = home_of(node, value, parent.get(ADDRESS, ""))
        if home is not None:
            row[ADDRESS] = home
    return row


def home_of(node: PlanNode, row: Row, path: str) -> str | None:
    """The address of a row that was reached by ``path`` but is addressed elsewhere."""
    if node.navigation.lives_in is None:
        return None
    key, collection = key_of(row, node.entity.key or "id"), _home(node, path)
    if key is None or collection is None:
        return None
    return f"{collection}/{key_segment(key)}"


def _home(node: PlanNode, path: str) -> str | None:
    """The path of the collection that the target of an edge from ``path`` lives in."""
    home = node.navigation.home
    if home is None or home[0] is None:
        return home and home[1]
    container = container_of(path, home[0])
    return container and f"{container}/{home[1]}"
