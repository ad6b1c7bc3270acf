"""The steps of a program: one way each to have the rows of a place, and what it asks for.

A step is pure. `requests` says what is asked for the rows that it begins at, `absorb` turns what
came into rows of the answer and tells the rows that it could not settle, and `describe` says it in
words, from the same requests. Who sends them, when, and what happens to a page that fails is the
business of `gateway.graph`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, ClassVar, TypeVar

from gateway.errors import GatewayError
from gateway.odata.address import Address, key_of
from gateway.odata.query import Expand, GraphRequest, Options, id_equals
from gateway.odata.routes import Routes
from gateway.odata.template import template_of
from gateway.plan.layout import ADDRESS
from gateway.plan.lookup import Lookups
from gateway.plan.nodes import PlanNode, Reading
from gateway.plan.regroup import Flat, repeats
from gateway.plan.rows import Row
from gateway.plan.stitch import address_of, adopt, collection_path

Allows = Callable[[str], bool]
"""Tells of a capability by name whether it may be used."""

KEY = "0"
"""The key of a row that stands for any."""


class Kind(StrEnum):
    """The kind of a step, as in the architecture's vocabulary."""

    INLINE = "inline"
    READ = "read"
    EXPAND = "expand"
    REGROUP = "regroup"
    HYDRATE = "hydrate"
    JOIN = "join"
    ACROSS = "across"
    CHOICE = "choice"
    NOTHING = "nothing"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Ask:
    """A kind of request that a step may send: ``when`` says how often, or in which case."""

    request: GraphRequest
    when: str = ""


@dataclass(slots=True, eq=False)
class Step:
    """One way to have what a place holds.

    Attributes:
        node: the place.
        edge: where it is in the operation, as the names of the edges that lead there.
        above: a path that stands for those of the rows that the step begins at.
        layer: the layer of requests that brings it, counted from 1.
        id: its number in the program: that of the step above, a point, and its own.
        why: what the step is for, or why there is nothing to do.
    """

    kind: ClassVar[Kind]
    node: PlanNode
    edge: str
    above: str
    layer: int
    id: str = ""
    why: str = ""

    def asks(self, allows: Allows) -> list[Ask]:
        """The kinds of requests that the step may send."""
        return []

    def told(self, allows: Allows) -> tuple[Kind, str]:
        """The kind of the step, and why."""
        return self.kind, self.why

    def describe(self, allows: Allows, routes: Routes) -> list[str]:
        """The step in words, a line each: what it is, and what it asks for."""
        kind, why = self.told(allows)
        lines = [f"{self.edge}  [{kind}]" + (f"  {why}" if why else "")]
        for ask in self.asks(allows):
            lines.append(f"    {template_of(ask.request, routes)}")
            if ask.when:
                lines.append(f"        {ask.when}")
        return lines

    @property
    def sample(self) -> Row:
        """A row that stands for those that the step begins at."""
        reference = self.node.navigation.reference
        row: dict[str, Any] = {ADDRESS: self.above}
        if reference is not None:
            row[reference[1]] = KEY
        return row


class Inline(Step):
    """Reads nothing: it is inside the row above."""

    kind = Kind.INLINE


class Carried(Step):
    """Reads nothing: a stub inside the row above, or a whole where it rides on that row's request.

    Attributes:
        listed: whether the row above comes out of a list; ``None`` where it has no request.
    """

    kind = Kind.INLINE
    listed: bool | None = None

    def told(self, allows: Allows) -> tuple[Kind, str]:
        """See `Step.told`."""
        above = self.node.parent
        if above is not None and self.listed is not None:
            expand = above.expansion(listed=self.listed, allows=allows)
            if expand is not None and expand.name == self.node.navigation.name:
                return Kind.EXPAND, "rides on the request above"
        return Kind.INLINE, "the id" if self.node.wanted else "inside the row above"


class Nothing(Step):
    """Nothing is asked."""

    kind = Kind.NOTHING


class Refused(Step):
    """Nothing is asked, because the edge can't be had."""

    kind = Kind.REFUSED


class ReadList(Step):
    """One request for the list below each row, and its further pages."""

    kind = Kind.READ

    def options(self, allows: Allows) -> Options:
        """The request for its first page."""
        node = self.node
        return Options(
            select=node.select(listed=True) if node.navigation.selectable else None,
            expand=node.expansion(listed=True, allows=allows),
            filter=node.narrowing.filter,
            order=node.narrowing.order,
            search=node.narrowing.search,
            count=bool(node.window and node.window.total_count and not node.navigation.counted),
        )

    def requests(self, rows: Iterable[Row], allows: Allows) -> list[GraphRequest]:
        """The first page of the list below each of ``rows``."""
        options = self.options(allows)
        return [options.get(collection_path(self.node, row)) for row in rows]

    def asks(self, allows: Allows) -> list[Ask]:
        """See `Step.asks`."""
        [request] = self.requests([self.sample], allows)
        per = "" if isinstance(self.node.address, str) else one_per(self.node.parent)
        return [Ask(request, per)]


class ReadEntity(Step):
    """One request for the entity that each row leads to."""

    kind = Kind.READ

    def options(self, address: Address, allows: Allows) -> Options:
        """The request for the entity at ``address``, or for the collection that it is read from."""
        node = self.node
        options = Options(
            (node.select(listed=False) or None) if address.selectable else None,
            node.expansion(listed=False, allows=allows),
        )
        if not address.readable and address.selectable:
            return replace(options, filter=id_equals(address.id))
        return options

    def requests(self, rows: Iterable[Row], allows: Allows) -> list[GraphRequest]:
        """The request for each of ``rows`` that leads to an entity."""
        found = [address for row in rows if (address := address_of(self.node, row)) is not None]
        return [
            self.options(address, allows).get(
                address.path if address.readable else address.collection
            )
            for address in found
        ]

    def asks(self, allows: Allows) -> list[Ask]:
        """See `Step.asks`."""
        facts = self.node.reading is Reading.FACTS
        when = "for its counts alone: without them the answer is the same" if facts else ""
        return [Ask(request, when) for request in self.requests([self.sample], allows)]


class ReadDetails(Step):
    """One request for each row, for what a list leaves out of it."""

    kind = Kind.READ

    def wanted(self, rows: Sequence[Row]) -> tuple[list[str], list[PlanNode]]:
        """The properties and the edges that a list leaves out; of the edges, those that not all
        rows have."""
        properties, edges = self.node.details
        return properties, [
            edge for edge in edges if any(edge.navigation.name not in row for row in rows)
        ]

    def options(self, edges: Sequence[PlanNode]) -> Options:
        """The request for each row."""
        node = self.node
        properties, _ = node.details
        names = (*properties, *(edge.navigation.name for edge in edges))
        selected = (node.entity.key or "id", *names)
        return Options(select=selected if node.navigation.selectable else None)

    def requests(self, rows: Iterable[Row], edges: Sequence[PlanNode]) -> list[GraphRequest]:
        """The request for each of ``rows``."""
        options = self.options(edges)
        return [options.get(row[ADDRESS]) for row in rows]

    def asks(self, allows: Allows) -> list[Ask]:
        """See `Step.asks`."""
        expand = self.node.expansion(listed=True, allows=allows)
        edges = self.node.details[1]
        edges = [edge for edge in edges if expand is None or edge.navigation.name != expand.name]
        properties = self.node.details[0]
        if not properties and not edges:
            return []
        [request] = self.requests([{ADDRESS: self.above}], edges)
        return [Ask(request, f"{one_per(self.node)}: a list leaves these out")]


class Expanded(Step):
    """Rides on the request for the rows above."""

    kind = Kind.EXPAND

    def came(self, rows: list[Row]) -> bool | None:
        """Whether the expansion was honoured; ``None`` if ``rows`` do not tell."""
        name, count = self.node.navigation.name, self.node.navigation.count
        expected = [row for row in rows if count is not None and row.get(count)]
        return any(name in row for row in expected) if expected else None

    def absorb(
        self, rows: list[Row]
    ) -> tuple[list[tuple[Row, list[Row]]], list[tuple[Row, list[Row]]], list[Row]]:
        """The rows that came inside ``rows``.

        Returns:
            Each row with its own, where they are proven whole by their number; each row with the
            first of its own that go on behind a link; and the rows of which nothing is proven.
        """
        name = self.node.navigation.name
        proven: list[tuple[Row, list[Row]]] = []
        unfinished: list[tuple[Row, list[Row]]] = []
        unsettled: list[Row] = []
        for row in rows:
            targets = row.pop(name, None)
            if not isinstance(targets, list):
                unsettled.append(row)
            elif f"{name}@odata.nextLink" in row:
                unfinished.append((row, targets))
            elif self.proves(row, targets):
                proven.append((row, targets))
            else:
                unsettled.append(row)
        return proven, unfinished, unsettled

    def proves(self, row: Row, targets: list[Row]) -> bool:
        """Whether ``targets`` are all rows below ``row``, by the number that it tells."""
        count = self.node.navigation.count
        said = row.get(count) if count is not None else None
        return type(said) is int and said == len(targets) and not repeats(targets)


class Regrouped(Step):
    """One flat collection beside the rows, dealt out to them by a key that both have."""

    kind = Kind.REGROUP

    def options(self, allows: Allows) -> Options:
        """The request for the flat collection."""
        regroup = self.node.navigation.regroup
        extra = () if regroup is None else (regroup.key,)
        return Options(
            self.node.select(listed=True, extra=extra),
            self.node.expansion(listed=True, allows=allows),
        )

    def path(self, grandparent: Row) -> str:
        """The path of the flat collection below ``grandparent``."""
        regroup = self.node.navigation.regroup
        name = regroup.collection if regroup else self.node.navigation.name
        return f"{grandparent[ADDRESS]}/{name}"

    def requests(self, rows: Iterable[Row], allows: Allows) -> list[GraphRequest]:
        """The first page of the flat collection of each of ``rows``."""
        options = self.options(allows)
        return [options.get(self.path(row)) for row in rows]

    def absorb(
        self, grandparent: Row, unsettled: list[Row], rows: list[Row], flat: Flat, *, whole: bool
    ) -> tuple[list[tuple[Row, list[Row]]], list[Row]]:
        """Each of ``unsettled`` with its rows, and those that can't be settled: `Flat.groups`."""
        regroup = self.node.navigation.regroup
        targets = grandparent.get(regroup.targets) if regroup else None
        return flat.groups(
            self.node.navigation,
            unsettled,
            rows,
            whole=whole,
            expected=targets if type(targets) is int else None,
        )

    def asks(self, allows: Allows) -> list[Ask]:
        """See `Step.asks`."""
        regroup = self.node.navigation.regroup
        on, key = (regroup.on, regroup.key) if regroup else ("", "")
        when = f"one per {on}, beside the rows above, dealt out by {key} id"
        return [Ask(request, when) for request in self.requests([self.sample], allows)]


class Hydrate(Step):
    """All ids of a layer in one bulk look-up, for what the rows above lack."""

    kind = Kind.HYDRATE
    lookups: Lookups

    def asks(self, allows: Allows) -> list[Ask]:
        """See `Step.asks`."""
        return [Ask(request, when) for request, when in self.lookups.kinds([KEY])]


class Join(Step):
    """A small reference list, read once, of which each row names an entry."""

    kind = Kind.JOIN
    select: tuple[str, ...] = ()

    def options(self) -> Options:
        """The request for the list."""
        return Options(select=("id", *self.select))

    @property
    def collection(self) -> str:
        """The path of the list."""
        join = self.node.navigation.join
        return join.collection if join is not None else ""

    def requests(self) -> list[GraphRequest]:
        """The first page of the list."""
        return [self.options().get(self.collection)]

    def entries(self, rows: list[Row]) -> dict[str | None, Row]:
        """The rows of a page of the list, by their keys."""
        return {_folded(key_of(row)): adopt(self.node, row, self.collection, {}) for row in rows}

    def absorb(
        self, rows: list[Row], entries: dict[str | None, Row], problem: GatewayError | None
    ) -> None:
        """Give each row its entry, or ``problem`` where there is none."""
        join = self.node.navigation.join
        by = join.by if join is not None else ""
        for row in rows:
            row[self.node.key] = entries.get(_folded(key_of(row, by)), problem)

    def asks(self, allows: Allows) -> list[Ask]:
        """See `Step.asks`."""
        return [Ask(request, "once for all rows") for request in self.requests()]


class Probe(Step):
    """Asks once for a process, and for no row, whether the service takes an expansion."""

    kind = Kind.READ
    pivot: PlanNode
    path: str = ""

    @property
    def capability(self) -> str:
        """The capability that is asked for."""
        return expansion_of(self.node, self.pivot)

    def requests(self) -> list[GraphRequest]:
        """The question, and the same without what it is about.

        It is put to the container of nobody, because options are looked at before ids, and nothing
        is learned from what a caller gave.
        """
        options = Options(expand=Expand(self.pivot.navigation.name, ("id",)))
        return [options.get(self.path), options.without("$expand").get(self.path)]

    def asks(self, allows: Allows) -> list[Ask]:
        """See `Step.asks`."""
        question, control = self.requests()
        return [
            Ask(question, "once for a process: whether the service takes the expansion"),
            Ask(control, "in the next layer, if it does not"),
        ]


S = TypeVar("S", bound=Step)


def step_of(node: PlanNode, kind: type[S]) -> S:
    """The step of a kind that a node has, or has now."""
    step: S | None = node.steps.get(kind)
    if step is None:
        step = node.steps[kind] = kind(node, node.navigation.name, "", 0)
    return step


def expansion_of(node: PlanNode, pivot: PlanNode) -> str:
    """The capability to expand ``pivot`` on the rows of ``node``."""
    expand = Expand(pivot.navigation.name, ())
    return Options(expand=expand).capability("$expand", node.entity.name)


def one_per(node: PlanNode | None, which: str = "") -> str:
    """The number of requests that a step sends, in words."""
    return f"one per {node.entity.name}{which}" if node is not None and node.entity.name else ""


def _folded(key: str | None) -> str | None:
    """A key in the form in which keys are compared: GUIDs are the same in any case."""
    return key and key.lower()
