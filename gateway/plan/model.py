"""The resource model: entity types, their properties, and how each edge can be had.

The model is declared on the Strawberry types (`gateway.schema.declare`); this module is its
vocabulary. Facts come from graph-lifecycle-api.md, sections 1 to 3 and 8.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from gateway.odata.routes import Routes
from gateway.plan.rows import Row

DEFAULT_FIRST = 50

Filter = Mapping[str, Any]
"""A filter as the schema has it: conditions by property, and ``and``, ``or``, ``not``."""


class Strategy(StrEnum):
    """The ways in which an edge can be had, as in the architecture's vocabulary."""

    INLINE = "inline"
    EXPAND = "expand"
    REGROUP = "regroup"
    REQUEST = "request"
    HYDRATE = "hydrate"
    JOIN = "join"


class Shape(StrEnum):
    """The shape of an edge: one entity, a bounded list, or pages behind a connection."""

    SINGLE = "single"
    LIST = "list"
    CONNECTION = "connection"


@dataclass(frozen=True, slots=True)
class Regroup:
    """An edge had from one flat collection on the grandparent, grouped by a key.

    ``on`` is the grandparent's type and ``collection`` its navigation that holds every target row;
    ``key`` is the navigation whose id the parent and the target share. ``parents`` and ``targets``
    name the properties of the grandparent that count both, for the cost model.
    """

    on: str
    collection: str
    key: str
    parents: str
    targets: str


@dataclass(frozen=True, slots=True)
class Join:
    """A small reference list, fetched once per operation: ``by`` names the row's foreign key."""

    collection: str
    by: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """Evidence of a container about its rows: functions of its facts and of the filter on rows.

    Attributes:
        facts: properties of the container that are needed for it.
        condition: arguments of the edge to the filter that holds of the containers that can hold a
            row.
        probe: a filter of the same kind with no value of a caller.
        can_hold: whether a row of the container can pass the filter.
        expected: about how many rows of it pass the filter.
        changed: the instant at which it last got a row; ``None`` if it may get one at any time.
        begun: the instant before which it has no row; ``None`` if that is not known.
    """

    facts: tuple[str, ...]
    condition: Callable[[Mapping[str, Any]], Filter]
    probe: Filter
    can_hold: Callable[[Row, Filter], bool]
    expected: Callable[[Row, Filter], int]
    changed: Callable[[Row], str | None]
    begun: Callable[[Row], str | None]


@dataclass(frozen=True, slots=True)
class Source:
    """A kind of container that an edge across containers goes through.

    Attributes:
        entity: its type.
        collection: the segment that its key follows in a path.
        told_as: the member of what could not be read that holds its id.
        argument: the argument of the edge that is a filter on these containers, if any is.
        evidence: what it tells of its rows, if it tells anything.
    """

    entity: str
    collection: str
    told_as: str
    argument: str | None = None
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True)
class Across:
    """An edge that spans all containers, newest first.

    Attributes:
        by: the property that it is sorted by.
        sources: the containers, outermost first.
        period: arguments that bound a property of the rows: argument, property, operator.
        of: the argument and the property that name the entity whose rows are wanted.
        here: arguments that narrow the rows by what the service does not filter: each makes of its
            value a filter that is checked here.
        since: the argument that asks for what changed since a time, and the properties of the rows
            that tell when they did.
        parts: all members of what could not be read, those of other lists too: null there.
    """

    by: str
    sources: tuple[Source, ...]
    period: tuple[tuple[str, str, str], ...] = ()
    of: tuple[str, str] | None = None
    parts: tuple[str, ...] = ()
    here: tuple[tuple[str, Callable[[Any], Filter]], ...] = ()
    since: tuple[str, tuple[str, ...]] | None = None


@dataclass(frozen=True, slots=True)
class Lookup:
    """The look-up of many entities of one type at once.

    Attributes:
        collection: the collection that takes ``id in (…)``.
        deleted: where those are found that were deleted.
        deleted_at: the property that tells when they were.
        by_ids: the action that takes many ids at once.
        kind: the type's name for that action.
        defaults: the properties that it gives.
    """

    collection: str
    deleted: str
    deleted_at: str
    by_ids: str
    kind: str
    defaults: frozenset[str]


@dataclass(frozen=True, slots=True)
class Property:
    """A structural property.

    ``in_list`` is false where only the single entity carries it; ``beta`` is true where only the
    beta version has it. ``also`` are other names under which the service may write it.
    """

    name: str
    in_list: bool = True
    beta: bool = False
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Navigation:
    """An edge and the strategies by which it can be had, in order of preference.

    Attributes:
        name: the GraphQL field, which is the OData navigation property or function too.
        target: name of the entity type at the other end (empty: known from the address only).
        shape: one entity, a list or a connection.
        strategies: ways to have it, best first.
        in_list: whether a list response carries it inline (`inline`).
        expand_on_get: whether `$expand` is documented on the single entity (`expand`).
        count: property of the parent that proves an expanded collection complete. An expansion
            with it is not promised by the documents and is used only where it can be verified.
        regroup: the flat collection to regroup (`regroup`).
        join: the reference list to join with (`join`).
        container: the edge leads back to the entity whose key follows this segment of the path.
        reference: the edge leads to the entity in a collection (as ``lives_in``), by a property of
            this one that holds its key.
        lives_in: the collection that its rows are addressed in, where it is another:
            ``<names>/*/<name>`` is one of the container that the row's own path leads through,
            anything else a path from the version root.
        selectable: whether `$select` is documented for it.
        counted: whether the service counts the rows of the list without ``$count``.
        call: arguments to the path below the parent, where it is more than the name.
        at: root edges: where the entity or the collection is, as templates (`Routes.at`).
        by_node_id: root edges: the argument that is the global id of the entity.
        across: the edge spans all containers of its rows.
        beta: only the beta version has the edge.
        stub: nothing is fetched for the edge itself, only for those below.
    """

    name: str
    target: str
    shape: Shape
    strategies: tuple[Strategy, ...]
    in_list: bool = True
    expand_on_get: bool = False
    count: str | None = None
    regroup: Regroup | None = None
    join: Join | None = None
    container: str | None = None
    reference: tuple[str, str] | None = None
    lives_in: str | None = None
    selectable: bool = True
    counted: bool = False
    call: Callable[[Mapping[str, Any]], str] | None = None
    at: tuple[str, ...] = ()
    by_node_id: str | None = None
    across: Across | None = None
    beta: bool = False
    stub: bool = False

    @property
    def home(self) -> tuple[str | None, str] | None:
        """The collection of the row's container that its target lives in, or a path from the root.

        ``None`` for an edge whose rows live where they are found.
        """
        path = self.reference[0] if self.reference is not None else self.lives_in
        if path is None:
            return None
        container, between, collection = path.partition("/*/")
        return (container, collection) if between else (None, path)

    @property
    def is_root(self) -> bool:
        """Whether its arguments tell where it leads."""
        return bool(self.at) or self.by_node_id is not None

    def allows(self, strategy: Strategy) -> bool:
        """Whether the edge can be had by ``strategy``."""
        return strategy in self.strategies


@dataclass(slots=True)
class EntityType:
    """An OData entity type, or a complex type without a ``key``, as the gateway exposes it.

    ``lookup`` is how entities are looked up of which only the ids are known (`hydrate`).
    ``permissions`` are the least that reading them takes, delegated or application.
    """

    name: str
    key: str | None = None
    properties: dict[str, Property] = field(default_factory=dict)
    navigations: dict[str, Navigation] = field(default_factory=dict)
    lookup: Lookup | None = None
    permissions: tuple[str, ...] = ()


class Model:
    """All entity types by GraphQL type name, and where they live."""

    def __init__(self, types: Mapping[str, EntityType], routes: Routes) -> None:
        self._types = dict(types)
        self.routes = routes

    def __getitem__(self, name: str) -> EntityType:
        return self._types[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._types)

    def __contains__(self, name: str) -> bool:
        return name in self._types
