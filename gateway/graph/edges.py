"""The edges of a program: what a row leads to is stitched if it is there, and scheduled if not.

What comes back is *stitched* into the parents' rows under the key of the place. An edge that failed
is stitched as its error, which is raised at its own path when the field is read.
"""

from collections.abc import Callable
from functools import partial

from gateway.errors import GatewayError, GraphError, without_frames
from gateway.graph.across import Across
from gateway.graph.directory import Directory, look_up
from gateway.graph.entities import read_entity, unwrapped
from gateway.graph.lists import Lists
from gateway.graph.reader import Reader
from gateway.graph.window import edge_of
from gateway.graph.work import Edge
from gateway.odata.address import Address, key_segment
from gateway.odata.cursor import CursorCodec, foreign
from gateway.odata.query import Expand
from gateway.plan.across import Across as AcrossStep
from gateway.plan.layout import ADDRESS, PARENT
from gateway.plan.model import Shape, Strategy
from gateway.plan.nodes import PlanNode, Reading
from gateway.plan.program import Program
from gateway.plan.rows import ROWS, Row, values_of
from gateway.plan.steps import (
    Carried,
    Expanded,
    Inline,
    Join,
    ReadDetails,
    ReadEntity,
    step_of,
)
from gateway.plan.stitch import (
    above,
    address_of,
    carries,
    collection_path,
    fail,
    home_of,
    inlined,
)


class Edges(Lists):
    """Fills the places of one program.

    Args:
        program: what to fetch.
        reader: reads on behalf of the operation.
        cursors: writes and reads the cursors of connections.
        counted: is told the rows that are in the answer once more, and raises at too many.
    """

    def __init__(
        self, program: Program, reader: Reader, cursors: CursorCodec, counted: Callable[[int], None]
    ) -> None:
        super().__init__(reader, cursors, counted)
        self._program = program
        self._lists: dict[PlanNode, list[Row]] = {}
        self._directory = Directory(reader, program.lookups) if program.lookups else None
        self._stubs: list[tuple[PlanNode, Row, bool]] = []

    # --- what a layer consists of -----------------------------------------------------------

    def _schedule(self, node: PlanNode, parent: Row) -> None:
        """Put an edge of ``parent`` into the next layer.

        An entity whose address is known takes along the edges that need only its address.
        """
        if node.error is not None:
            fail(node, parent, node.error)
        elif not self._goes_on(node, parent):
            fail(node, parent, foreign())
        elif node.navigation.across is not None:
            across = step_of(node, AcrossStep)
            self._work([(node, parent)], partial(self._read_across, node, parent), across)
        elif node.navigation.shape is not Shape.SINGLE:
            self._lists.setdefault(node, []).append(parent)
        else:
            address = address_of(node, parent)
            if address is None:
                return
            row: Row = {ADDRESS: address.path, "__typename": address.entity}
            if node.linked:
                row[PARENT] = parent
            if node.navigation.stub or node.reading is Reading.NOTHING:
                self._told(node, parent, row, address)
            else:
                read = step_of(node, ReadEntity)
                work = partial(self._entity, node, parent, row, address)
                self._work([(node, parent)], work, read)
            for child in node.children.values():
                if child.needs_only_address and node.navigation.lives_in is None:
                    self._schedule(child, row)

    def _goes_on(self, node: PlanNode, parent: Row) -> bool:
        """Whether a cursor, if one is given, is of this edge: found out before there is a step."""
        after = node.window.after if node.window is not None else None
        if after is None or node.navigation.across is not None:
            return True
        return self._cursors.made_for(edge_of(node, collection_path(node, parent)), after)

    async def _entity(self, node: PlanNode, parent: Row, row: Row, address: Address) -> None:
        """Read one entity into ``row``, which may hold stitched edges already."""
        try:
            read = read_entity if node.entity.lookup is None else look_up
            data = await read(self._reader, node, address)
        except GatewayError as error:
            if node.reading is Reading.FACTS:
                self._told(node, parent, row, address)
            else:
                fail(node, parent, error)
            return
        for name, value in data.items():
            row.setdefault(name, value)
        self._entered(node, parent, row)
        moved = node.navigation.lives_in is not None
        if moved:
            row[ADDRESS] = home_of(node, data, address.path) or address.path
        for child in node.children.values():
            if isinstance(row.get(child.key), GatewayError):
                continue
            if moved or not child.needs_only_address:
                self._edge(child, [row])

    def _told(self, node: PlanNode, parent: Row, row: Row, address: Address) -> None:
        """Answer an entity of which only the address is needed."""
        if address.id:
            row["id"] = address.id
        self._entered(node, parent, row)

    def _entered(self, node: PlanNode, parent: Row, row: Row) -> None:
        parent[node.key] = row
        row.update(node.unsupported)
        for name, levels in node.backward.items():
            row[name] = above(row, levels)

    async def _read_across(self, node: PlanNode, parent: Row) -> None:
        """Read one connection across containers."""
        try:
            across = Across(self._reader, self._cursors, node)
            found = await across.read()
        except GatewayError as error:
            fail(node, parent, error)
            return
        parent[node.key] = found.connection
        for source, rows in found.containers:
            self._follow(source, rows, listed=True)
        self._follow(node, found.rows, listed=True, expanded=across.expand)
        if (pivot := node.pivot) is not None:
            expanded = any(pivot.navigation.name in row for row in found.rows)
            rows = self._settle_expanded(pivot, node, found.rows) if expanded else found.rows
            for row in rows:
                self._schedule(pivot, row)

    # --- edges that rows carry, and what they carry too little of ----------------------------

    def _follow(
        self, node: PlanNode, rows: list[Row], *, listed: bool, expanded: Expand | None = None
    ) -> None:
        """Stitch what ``rows`` carry inline, or ``expanded``, and schedule what they do not."""
        if not rows:
            return
        if node.unsupported or node.backward:
            for row in rows:
                row.update(node.unsupported)
                for name, levels in node.backward.items():
                    row[name] = above(row, levels)
        properties: list[str] = []
        edges: list[PlanNode] = []
        if listed and any(node.details):
            properties, edges = step_of(node, ReadDetails).wanted(rows)
        if properties or edges:
            for row in rows:
                missing = [(edge, row) for edge in edges]
                work = partial(self._detail, node, row, properties, edges)
                self._work(missing, work, step_of(node, ReadDetails))
        for child in node.children.values():
            if child is not node.pivot and child not in edges:
                self._edge(child, rows, expanded)

    def _edge(self, child: PlanNode, rows: list[Row], expanded: Expand | None = None) -> None:
        edges = [(child, row) for row in rows]
        self._now(edges, partial(self._guarded_edge, child, rows, edges, expanded))

    def _guarded_edge(
        self, child: PlanNode, rows: list[Row], edges: list[Edge], expanded: Expand | None
    ) -> None:
        navigation = child.navigation
        if child.error is not None:
            for row in rows:
                row[child.key] = child.error
        elif navigation.allows(Strategy.HYDRATE):
            self._stub(child, rows, expanded)
        elif navigation.allows(Strategy.JOIN):
            self._work(edges, partial(self._join, child, rows), step_of(child, Join))
        elif navigation.allows(Strategy.INLINE) or navigation.allows(Strategy.EXPAND):
            self._inline(child, rows)
        else:
            self._inline(child, [row for row in rows if carries(row, navigation)])
            for row in rows:
                if not carries(row, navigation):
                    self._schedule(child, row)

    def _inline(self, child: PlanNode, rows: list[Row]) -> None:
        name = child.navigation.name
        targets: list[Row] = []
        values = values_of(rows, name)
        if child.is_carried and dict not in map(type, rows):
            return
        for row, value in zip(rows, values, strict=True):
            if child.navigation.shape is Shape.SINGLE:
                if isinstance(value, ROWS):
                    row[child.key] = inlined(child, value, row)
                    targets.append(row[child.key])
                elif child.navigation.allows(Strategy.REQUEST) and name not in row:
                    self._schedule(child, row)
            elif isinstance(value, list) and f"{name}@odata.nextLink" in row:
                work = partial(self._continue, child, row, value)
                self._work([(child, row)], work, step_of(child, Inline))
            elif isinstance(value, list):
                targets += self._stitch(child, row, value)
            elif child.navigation.allows(Strategy.REQUEST):
                self._schedule(child, row)
        self._came(child, targets, Inline, Expanded)
        self._follow(child, targets, listed=False)

    async def _join(self, child: PlanNode, rows: list[Row]) -> None:
        """Read the reference list and give each row its entry."""
        step = step_of(child, Join)
        found: dict[str | None, Row] = {}
        problem: GatewayError | None = None
        try:
            async for page in self._reader.pages(step.collection, step.options(), child):
                problem = problem or page.unreadable
                found.update(step.entries(page.rows))
        except GatewayError as error:
            problem = error
            without_frames(error)
        step.absorb(rows, found, problem)
        self._follow(child, list(found.values()), listed=True)

    async def _detail(
        self, node: PlanNode, row: Row, properties: list[str], edges: list[PlanNode]
    ) -> None:
        """Read from the single entity what the list response left out."""
        step = step_of(node, ReadDetails)
        options = step.options(edges)
        reply, _ = await self._reader.get(row[ADDRESS], options, node.entity.name)
        error, data = reply.error, unwrapped(reply.data, node.entity.name)
        if error is None and not isinstance(data, dict):
            error = GraphError("the service answered an entity that is not an object")
        if error is not None:
            row.update(dict.fromkeys(properties, error))
            for edge in edges:
                fail(edge, row, error)
            return
        self._came(node, [row], ReadDetails)
        for name, value in data.items():
            row.setdefault(name, value)
        for edge in edges:
            self._edge(edge, [row])

    def _stub(self, child: PlanNode, rows: list[Row], expanded: Expand | None) -> None:
        """Stitch entities that come as id-only stubs; queue those of which more is selected.

        One that is still a stub where others came expanded is not in the directory any more.
        """
        stubs: list[Row] = []
        complete: list[Row] = []
        name, wanted = child.navigation.name, child.wanted
        for row in rows:
            stub = row.get(name)
            if isinstance(stub, ROWS) and isinstance(stub.get("id"), str):
                found = dict(stub) if type(stub) is dict else stub
                lookup = child.entity.lookup
                if child.addressed and lookup is not None:
                    found[ADDRESS] = f"{lookup.collection}/{key_segment(stub['id'])}"
                row[child.key] = found
                known = not wanted or found.keys() >= wanted
                (complete if known else stubs).append(found)
        rides = expanded is not None and expanded.name == name
        self._came(child, complete, Carried)
        gone = bool(complete) and rides
        self._stubs += [(child, stub, gone) for stub in stubs]
        self._follow(child, complete, listed=False)

    async def _hydrate(self, stubs: list[tuple[PlanNode, Row, bool]]) -> None:
        assert self._directory is not None  # noqa: S101 - there is one where a node has a look-up
        entities = await self._directory.load(
            [stub["id"] for _, stub, _ in stubs], {stub["id"] for _, stub, gone in stubs if gone}
        )
        for child, stub, _ in stubs:
            found = entities[stub["id"]]
            if isinstance(found, GatewayError):
                found = dict.fromkeys(child.wanted, found)
            for name, value in (found or {}).items():
                stub.setdefault(name, value)
            self._follow(child, [stub], listed=False)
