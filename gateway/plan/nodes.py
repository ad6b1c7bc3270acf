"""The plan of an operation: a tree of edges with what is selected below each.

A plan holds no data and sends nothing. Which strategy an edge takes is settled layer by layer,
because it depends on capabilities and on counts that arrive with the parents (`plan.cost`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from hashlib import blake2b
from typing import Any

from gateway.errors import GatewayError
from gateway.odata.address import Address
from gateway.odata.filter import predicate, sort_rows
from gateway.odata.query import Expand, Options
from gateway.odata.routes import Routes
from gateway.plan.model import (
    DEFAULT_FIRST,
    EntityType,
    Navigation,
    Property,
    Shape,
    Strategy,
)

_LONG_ARGUMENTS = 256


@dataclass(slots=True)
class Window:
    """The part of a connection that was asked for, and which of its fields are read."""

    first: int
    after: str | None = None
    nodes: bool = False
    edges: bool = False
    cursors: bool = False
    page_info: bool = False
    total_count: bool = False
    unread: bool = False
    watermark: bool = False

    @property
    def rows(self) -> bool:
        """Whether any row is needed to answer."""
        return self.nodes or self.edges or self.page_info or self.unread or self.watermark

    @property
    def read(self) -> bool:
        """Whether anything upstream is needed to answer."""
        return self.rows or self.total_count


@dataclass(slots=True)
class Narrowing:
    """The query options by which the arguments of an edge narrow or sort a collection."""

    filter: str | None = None
    order: str | None = None
    search: str | None = None

    @property
    def narrows(self) -> bool:
        """Whether rows of the collection are left out."""
        return self.filter is not None or self.search is not None


class View:
    """A list that is in hand, filtered and sorted by the gateway.

    Args:
        filter_: a filter that `compile_filter` takes.
        order: an order that `compile_order` takes.
    """

    __slots__ = ("_order", "_passes")

    def __init__(self, filter_: Mapping[str, Any], order: Sequence[Mapping[str, Any]]) -> None:
        self._passes = predicate(filter_)
        self._order = order

    def of(self, rows: list[Any]) -> list[Any]:
        """Those of ``rows`` that pass the filter, in order."""
        passes = self._passes
        return sort_rows(self._order, [row for row in rows if passes(row) is True])


@dataclass(frozen=True, slots=True)
class Place:
    """The address of a changed entity, and what is known of it.

    Attributes:
        address: where it is read.
        row: what the service answered of it, if it did.
        fresh: whether it was not there before, so that it may be missing for a moment.
        error: why it can't be read; then there is nothing at ``address``.
    """

    address: Address
    row: Mapping[str, Any] | None = None
    fresh: bool = False
    error: GatewayError | None = None


class Reading(Enum):
    """The reason to read a single entity: what is selected of it, or facts that the edges below
    make use of but do not need. ``NOTHING``: its address is enough."""

    NOTHING = "nothing"
    FACTS = "facts"
    SELECTED = "selected"


@dataclass(slots=True, eq=False)
class PlanNode:
    """One edge of the plan.

    Attributes:
        navigation: the edge.
        entity: the type at its other end.
        key: where the result is stitched in the parent's row (`edge_key`).
        arguments: the edge's GraphQL arguments.
        parent: the plan node above; ``None`` for the operation itself.
        properties: the properties selected of the target.
        children: edges selected below, by key.
        backward: edges back to a containing entity that the query came by, and how many rows up
            it is.
        window: connections only.
        unsupported: properties selected that the connected service does not have.
        error: why the edge can't be planned; it is raised at the edge's own path.
        address: root edges only: the entity's address, or the collection's path.
        known: root edges only: what is known of the entity without asking.
        path: path below the parent.
        narrowing: query options that the arguments call for.
        sources: edges across containers only: these, outermost first, that are read on the
            way; what is selected of them is selected there.
        views: bounded lists only: the same edge with filters and orders, by key.
        pivot: the child whose rows can come with, or beside, the rows of this node (`settle`).
        trail: the collections in the addresses of its rows, outermost first, each with the plan
            node whose rows are addressed by its key there; ``None`` where the key is given
            (`trail`).
        identified: whether the ``nodeId`` of its rows is selected.
        itself: whether anything is selected of its rows where they are, and not only by edges that
            lead back to them.
        addressed: whether its rows have to know their addresses (`settle`).
        linked: whether its rows have to know the rows that they hang below (`settle`).
        reading: why the single entity at the end of the edge is read, if it is (`settle`).
        layouts: how pages of its rows are decoded, by what is read of them (`layout_of`).
        steps: the ways in which its rows can be had, by their class (`plan.program`).
    """

    navigation: Navigation
    entity: EntityType
    key: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    parent: "PlanNode | None" = None
    properties: dict[str, Property] = field(default_factory=dict)
    children: dict[str, "PlanNode"] = field(default_factory=dict)
    backward: dict[str, int] = field(default_factory=dict)
    window: Window | None = None
    unsupported: dict[str, GatewayError] = field(default_factory=dict)
    error: GatewayError | None = None
    address: Address | str | None = None
    known: Mapping[str, Any] | None = None
    path: str = ""
    narrowing: Narrowing = field(default_factory=Narrowing)
    views: dict[str, View] = field(default_factory=dict)
    sources: "tuple[PlanNode, ...]" = ()
    trail: "dict[str, PlanNode | None]" = field(default_factory=dict)
    identified: bool = False
    itself: bool = False
    addressed: bool = True
    linked: bool = True
    reading: Reading = Reading.SELECTED
    pivot: "PlanNode | None" = None
    layouts: dict[tuple[str, ...], Any] = field(default_factory=dict)
    steps: dict[type, Any] = field(default_factory=dict)
    _selects: dict[bool, tuple[str, ...]] = field(default_factory=dict)

    def settle(self) -> None:
        """Find out, once all is planned, what the rows of this node and of those below need."""
        for child in self.children.values():
            navigation = child.navigation
            counted = navigation.regroup is not None or navigation.count is not None
            if counted and child.error is None:
                self.pivot = child
                break
        for node in (*self.sources, *self.children.values()):
            node.settle()
        for source in self.sources:
            source.addressed = source.linked = True
        self.addressed = (
            self.identified
            or bool(self.sources)
            or any(child._begins_at_its_parent for child in self.children.values())
            or any(not p.in_list for p in self.properties.values())
        )
        self.linked = (
            bool(self.sources)
            or bool(self.backward)
            or any(child.linked for child in self.children.values())
        )
        self.reading = self._read_for()

    @property
    def _begins_at_its_parent(self) -> bool:
        navigation = self.navigation
        if navigation.allows(Strategy.HYDRATE) or navigation.allows(Strategy.JOIN):
            return not navigation.in_list
        if navigation.strategies == (Strategy.INLINE,):
            return self.addressed or not navigation.in_list
        return True

    def select(self, *, listed: bool, extra: tuple[str, ...] = ()) -> tuple[str, ...]:
        """``$select``: what was asked, the key, and what children need.

        What comes inlined (an entity, a stub of one) is named too, because a ``$select`` may select
        it away (questions.md, point 2). ``listed`` is true for a list response.
        """
        if listed not in self._selects:
            self._selects[listed] = self._selected(listed=listed)
        names = self._selects[listed]
        return tuple(dict.fromkeys((*names, *extra))) if extra else names

    def _selected(self, *, listed: bool) -> tuple[str, ...]:
        names = [self.entity.key] if self.entity.key else []
        names += [p.name for p in self.properties.values() if p.in_list or not listed]
        for child in self.children.values():
            navigation = child.navigation
            if navigation.allows(Strategy.INLINE) and (navigation.in_list or not listed):
                names.append(navigation.name)
            if navigation.reference is not None:
                names.append(navigation.reference[1])
            if navigation.join is not None:
                names.append(navigation.join.by)
            if navigation.count is not None:
                names.append(navigation.count)
            if navigation.regroup is not None:
                names.append(navigation.regroup.key)
            names += child.counted_by(self.entity.name)
        return tuple(dict.fromkeys(names))

    @property
    def needs(self) -> tuple[str, ...]:
        """The properties selected beyond the key: what an id-only stub lacks."""
        return tuple(name for name in self.properties if name != "id")

    def expansion(self, *, listed: bool, allows: Callable[[str], bool]) -> Expand | None:
        """The one expansion of the request that reads this node.

        The pivot comes first, because it saves the most; else an entity of which more than its
        stub is selected.

        Args:
            listed: whether a list or the single entity is read.
            allows: tells of a capability by name whether it may be used.
        """
        pivot = self.pivot
        if pivot is not None and listed and pivot.navigation.allows(Strategy.EXPAND):
            expand = Expand(pivot.navigation.name, pivot.select(listed=True))
            if allows(Options(expand=expand).capability("$expand", self.entity.name)):
                return expand
        for child in self.children.values():
            navigation = child.navigation
            if not navigation.allows(Strategy.EXPAND) or child is pivot:
                continue
            if not listed and not navigation.expand_on_get:
                continue
            if not navigation.allows(Strategy.HYDRATE):
                return Expand(navigation.name, child.select(listed=False))
            stub_suffices = not child.needs and (navigation.in_list or not listed)
            if not child.children and not stub_suffices:
                return Expand(navigation.name, ("id", *child.needs))
        return None

    @property
    def is_carried(self) -> bool:
        """Whether what is inside the row above is all of a single entity that is needed."""
        navigation = self.navigation
        return (
            navigation.shape is Shape.SINGLE
            and self.key == navigation.name
            and not navigation.allows(Strategy.REQUEST)
            and not (self.children or self.unsupported or self.backward)
            and not (self.addressed or self.linked)
        )

    @property
    def wanted(self) -> set[str]:
        """The names selected beyond the key: `needs`, and the edges below."""
        return {*self.needs, *(child.navigation.name for child in self.children.values())}

    @property
    def needs_only_address(self) -> bool:
        """Whether the edge can be requested when only its parent's address is known."""
        navigation = self.navigation
        return (
            navigation.allows(Strategy.REQUEST)
            and not navigation.allows(Strategy.INLINE)
            and navigation.reference is None
        )

    def _read_for(self) -> Reading:
        """The reason to read the entity at the end of an edge, if it is read.

        Of what an operation names, the id is read too, because that tells whether it is there;
        where a row or a change leads to it by its address, that tells the id.
        """
        navigation = self.navigation
        leads = navigation.container is not None or navigation.reference is not None
        leads = leads or (self.address is not None and not (navigation.is_root and self.itself))
        told = {"id"} if leads else set()
        children = [child for child in self.children.values() if child.error is None]
        if (
            navigation.lives_in is not None
            or not self.properties.keys() <= told
            or not all(child.needs_only_address for child in children)
            or (navigation.is_root and self.itself and self.identified)
            or (navigation.is_root and not self.children)
        ):
            return Reading.SELECTED
        facts = [f for child in children for f in child.counted_by(self.entity.name)]
        return Reading.FACTS if facts else Reading.NOTHING

    def counted_by(self, grandparent: str) -> tuple[str, ...]:
        """The properties of a ``grandparent`` that count the rows here and those of the pivot."""
        grouped = self.pivot.navigation.regroup if self.pivot is not None else None
        if grouped is None or grouped.on != grandparent:
            return ()
        return grouped.parents, grouped.targets

    @property
    def in_first_layer(self) -> bool:
        """Whether the edge is requested at once: a root edge, or one of an addressed entity."""
        above = self.parent
        if above is None or above.parent is None or self.sources:
            return True
        return above.parent.parent is None and above.navigation.shape is Shape.SINGLE

    @property
    def details(self) -> tuple[list[str], list["PlanNode"]]:
        """Properties and edges that a list response leaves out, although they are selected."""
        return (
            [p.name for p in self.properties.values() if not p.in_list],
            [c for c in self.children.values() if not c.navigation.in_list],
        )

    def walk(self) -> Iterator["PlanNode"]:
        """This node and all below it."""
        yield self
        for source in self.sources:
            yield from source.walk()
        for child in self.children.values():
            yield from child.walk()


def trail(node: PlanNode, above: PlanNode, routes: Routes) -> "dict[str, PlanNode | None]":
    """The collections in the addresses of a node's rows; see `PlanNode.trail`.

    Args:
        node: a plan node with its address, if that is given.
        above: the node whose rows it hangs below.
        routes: of the service.
    """
    navigation = node.navigation
    if node.address is not None and navigation.across is None:
        path = node.address.path if isinstance(node.address, Address) else node.address
        names = routes.collections(path)
        return {**dict.fromkeys(names[:-1]), names[-1]: node}
    outer, last = above.trail, navigation.name
    if navigation.container is not None:
        outer, last = _up_to(navigation.container, outer), navigation.container
    elif (home := navigation.home) is not None:
        container, last = home
        outer = {} if container is None else _up_to(container, outer)
        last = last.rpartition("/")[2]
    elif navigation.join is not None:
        outer, last = {}, navigation.join.collection.rpartition("/")[2]
    elif navigation.allows(Strategy.HYDRATE):
        lookup = node.entity.lookup
        outer, last = {}, lookup.collection if lookup is not None else navigation.name
    return {**outer, last: node}


def _up_to(collection: str, outer: "dict[str, PlanNode | None]") -> "dict[str, PlanNode | None]":
    names = list(outer)
    end = names.index(collection) + 1 if collection in names else 0
    return {name: outer[name] for name in names[:end]}


def edge_key(name: str, arguments: Mapping[str, Any]) -> str:
    """The key under which the rows of an edge are kept in the parent's row.

    A plain edge keeps its property name; arguments that matter make a key of their own, so two
    aliases with equal arguments share one request and two with different ones do not collide. Long
    arguments are told by their digest, because keys are kept.

    >>> edge_key("rows", {"first": 50, "after": None})
    'rows'
    >>> edge_key("rows", {"first": 5})
    'rows(first=5)'
    """
    given = ",".join(f"{k}={v!r}" for k, v in significant(arguments).items())
    if len(given) > _LONG_ARGUMENTS:
        given = blake2b(given.encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()
    return f"{name}({given})" if given else name


def payload_key(name: str, number: int) -> str:
    """The key under which the n-th entity that an edge of a payload leads to is kept."""
    return f"{name}[{number}]"


def significant(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that differ from leaving them out, in a stable order."""
    return {
        name: value
        for name, value in sorted(arguments.items())
        if value is not None and (name, value) != ("first", DEFAULT_FIRST)
    }
