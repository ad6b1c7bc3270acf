"""Executes a plan in layers: request, stitch, go one layer down.

All requests of a layer become ready together, so the loader sends them together. What comes back
is *stitched* into the parents' rows under the key of the plan node; after the last layer the answer
is plain nested dicts. An edge that failed is stitched as its error, which is raised at its own path
when the field is read.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import Any

from gateway.graph import batch
from gateway.graph.across import Across
from gateway.graph.entities import read_entity
from gateway.graph.errors import GraphError
from gateway.graph.experiment import Trial
from gateway.graph.probe import expansion_of, probe_for
from gateway.graph.reader import Reader, Row
from gateway.graph.regroup import Flat, repeats
from gateway.graph.rows import (
    ADDRESS,
    PARENT,
    above,
    address_of,
    adopt,
    carries,
    collection_path,
    fail,
    home_of,
    inlined,
    lack,
    stitch_list,
)
from gateway.graph.users import directory_for, read_user
from gateway.graph.window import Slice, WindowReader
from gateway.odata import cost
from gateway.odata.address import Address, key_of, key_segment
from gateway.odata.cursor import CursorCodec
from gateway.odata.errors import GatewayError, without_frames
from gateway.odata.model import Shape, Strategy
from gateway.odata.plan import Plan, PlanNode, Reading
from gateway.odata.query import Expand, Options

_log = logging.getLogger(__name__)

Work = Callable[[], Coroutine[Any, Any, None]]
Edge = tuple[PlanNode, Row]


class Execution:
    """One run of one plan.

    Args:
        plan: what to fetch.
        reader: reads on behalf of the operation.
        cursors: writes and reads the cursors of connections.
    """

    def __init__(self, plan: Plan, reader: Reader, cursors: CursorCodec) -> None:
        self._plan = plan
        self._reader = reader
        self._cursors = cursors
        self._directory = directory_for(plan, reader)
        self._next: list[Work] = []
        self._undecided: list[Callable[[], None]] = []
        self._stubs: list[tuple[PlanNode, Row, bool]] = []
        self._doubted: Trial | None = None

    async def run(self) -> Row:
        """The root row, with everything selected stitched below it; no edge's failure raises."""
        root: Row = {}
        for child in self._plan.root.children.values():
            self._schedule(child, root)
        probe = probe_for(self._plan, self._reader.capabilities)
        if probe is not None:
            self._work((), partial(self._ask, probe))
        while self._next or self._undecided or self._stubs:
            undecided, self._undecided = self._undecided, []
            for decide in undecided:
                decide()
            if self._stubs:
                stubs, self._stubs = self._stubs, []
                edges = [(child, user) for child, user, _ in stubs]
                self._work((), partial(self._hydrate, stubs), lacking=edges)
            if self._doubted is not None and len(self._next) % batch.MAX_ITEMS:
                self._work((), partial(self._confirm, self._doubted))
                self._doubted = None
            layer, self._next = self._next, []
            async with asyncio.TaskGroup() as group:
                for work in layer:
                    group.create_task(work())
        return root

    def _work(self, edges: Iterable[Edge], work: Work, *, lacking: Iterable[Edge] = ()) -> None:
        """Put ``work`` into the next layer.

        What it did not foresee fails the edges that it is for and no others, and is logged where
        it is answered.

        Args:
            edges: for which it works.
            work: what to do.
            lacking: edges that are there, but lack what is selected of them.
        """

        async def guarded() -> None:
            try:
                await work()
            except Exception as error:
                _fail_all(edges, error)
                for node, row in lacking:
                    for name in node.wanted:
                        row.setdefault(name, error)

        self._next.append(guarded)

    def _now(self, edges: Iterable[Edge], work: Callable[[], None]) -> None:
        """Do ``work`` at once, guarded as `_work` does it."""
        try:
            work()
        except Exception as error:
            _fail_all(edges, error)

    # --- what a layer consists of -----------------------------------------------------------

    def _schedule(self, node: PlanNode, parent: Row) -> None:
        """Put an edge of ``parent`` into the next layer.

        An entity whose address is known takes along the edges that need only its address.
        """
        if node.error is not None:
            fail(node, parent, node.error)
        elif node.navigation.shape is not Shape.SINGLE:
            self._work([(node, parent)], partial(self._collection, node, parent))
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
                self._work([(node, parent)], partial(self._entity, node, parent, row, address))
            for child in node.children.values():
                if child.needs_only_address and node.navigation.lives_in is None:
                    self._schedule(child, row)

    async def _entity(self, node: PlanNode, parent: Row, row: Row, address: Address) -> None:
        """Read one entity into ``row``, which may hold stitched edges already."""
        try:
            read = read_user if address.entity == "User" else read_entity
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

    async def _collection(self, node: PlanNode, parent: Row) -> None:
        """Read a list or the asked part of a connection, and what can come with it."""
        try:
            if node.navigation.across is None:
                await self._read(node, parent)
            else:
                await self._read_across(node, parent)
        except GatewayError as error:
            fail(node, parent, error)

    async def _read(self, node: PlanNode, parent: Row) -> None:
        path = collection_path(node, parent)
        if node.window is not None and not node.window.read:
            parent[node.key] = {}
            return
        expand = self._expand(node, listed=True)
        options = Options(
            select=node.select(listed=True) if node.navigation.selectable else None,
            expand=expand,
            filter=node.narrowing.filter,
            order=node.narrowing.order,
            search=node.narrowing.search,
            count=node.window is not None and node.window.total_count,
        )
        window = WindowReader(self._reader, self._cursors, node, path, options)
        pivot = node.pivot
        flat = self._beside(pivot, node, parent, expand) if pivot else None
        if pivot and flat:
            async with asyncio.TaskGroup() as group:
                reading = group.create_task(_outcome(window.read()))
                group.create_task(self._read_flat(pivot, parent, flat))
            outcome = reading.result()
        else:
            outcome = await _outcome(window.read())
        if isinstance(outcome, GatewayError):
            raise outcome
        rows = [adopt(node, row, path, parent) for row in outcome.rows]
        if node.window is not None:
            parent[node.key] = window.connection(outcome, rows)
        else:
            stitch_list(node, parent, rows)
        if (failure := window.failure(outcome)) is not None:
            lack(node, parent, failure)
        expanded = outcome.options.expand if outcome.options else None
        if pivot and rows:
            self._now(
                [(pivot, row) for row in rows],
                partial(
                    self._settle, pivot, node, parent, rows, flat, bool(expanded), outcome.whole
                ),
            )
        self._follow(node, rows, listed=True, expanded=expanded)

    async def _read_across(self, node: PlanNode, parent: Row) -> None:
        across = Across(self._reader, self._cursors, node)
        found = await across.read()
        parent[node.key] = found.connection
        for source, rows in found.containers:
            self._follow(source, rows, listed=True)
        self._follow(node, found.rows, listed=True, expanded=across.expand)
        if (pivot := node.pivot) is not None:
            expanded = any(pivot.navigation.name in row for row in found.rows)
            rows = self._settle_expanded(pivot, node, found.rows) if expanded else found.rows
            for row in rows:
                self._schedule(pivot, row)

    # --- the pivot: an edge whose rows come with, beside or after its parents' ---------------

    def _beside(
        self, pivot: PlanNode, node: PlanNode, parent: Row, expand: Expand | None
    ) -> Flat | None:
        """The flat collection to read beside the rows of ``node``, if that pays."""
        regroup = pivot.navigation.regroup
        expanded = expand is not None and expand.navigation is pivot.navigation
        if regroup is None or expanded or node.parent is None:
            return None
        if node.parent.entity.name != regroup.on or node.narrowing.narrows:
            return None
        parents, targets = parent.get(regroup.parents), parent.get(regroup.targets)
        if not isinstance(parents, int) or not isinstance(targets, int):
            return Flat(first_page_only=True)
        if parents == 0:
            return None
        if node.window is not None:
            parents = min(parents, node.window.first)
        size = self._page_size(pivot, parent)
        if cost.beside(parents, targets, size) <= cost.afterwards(parents, size):
            return Flat()
        return None

    def _settle(
        self,
        pivot: PlanNode,
        node: PlanNode,
        parent: Row,
        rows: list[Row],
        flat: Flat | None,
        expanded: bool,
        whole: bool,
    ) -> None:
        """Settle what came with or beside ``rows``; what is left is decided in the next layer."""
        unsettled = self._settle_expanded(pivot, node, rows) if expanded else rows
        if flat:
            unsettled = self._settle_grouped(pivot, parent, unsettled, rows, flat, whole)
        if unsettled:
            decide = partial(self._decide, pivot, parent, unsettled, rows, flat, whole)
            self._undecided.append(partial(self._now, [(pivot, row) for row in unsettled], decide))

    def _decide(
        self,
        pivot: PlanNode,
        parent: Row,
        unsettled: list[Row],
        rows: list[Row],
        flat: Flat | None,
        whole: bool,
    ) -> None:
        """Regroup or request, for the parents whose rows are still missing."""
        regroup = pivot.navigation.regroup
        targets = parent.get(regroup.targets) if regroup else None
        if isinstance(targets, int) and (flat is None or flat.next is not None):
            left = targets - len(flat.rows) if flat else targets
            size = self._page_size(pivot, parent)
            if cost.regroup(left, size) <= cost.request(len(unsettled)):
                flat = flat or Flat()
                flat.first_page_only = False
                self._work(
                    [(pivot, row) for row in unsettled],
                    partial(self._regroup, pivot, parent, unsettled, rows, flat, whole),
                )
                return
        for row in unsettled:
            self._schedule(pivot, row)

    async def _regroup(
        self,
        pivot: PlanNode,
        parent: Row,
        unsettled: list[Row],
        rows: list[Row],
        flat: Flat,
        whole: bool,
    ) -> None:
        await self._read_flat(pivot, parent, flat)
        for row in self._settle_grouped(pivot, parent, unsettled, rows, flat, whole):
            self._schedule(pivot, row)

    async def _read_flat(self, pivot: PlanNode, parent: Row, flat: Flat) -> None:
        """Read the flat collection; if that fails, what it lacks is requested one by one."""
        regroup = pivot.navigation.regroup
        assert regroup is not None  # noqa: S101 - the caller has asked
        path = f"{parent[ADDRESS]}/{regroup.collection}"
        options = Options(
            select=pivot.select(listed=True, extra=(regroup.key,)),
            expand=self._expand(pivot, listed=True),
        )
        try:
            async for page in self._reader.pages(path, options, pivot.entity.name, flat.next):
                flat.rows += page.rows
                flat.next = page.next
                if flat.first_page_only:
                    break
        except GatewayError:
            flat.failed = True
        except Exception:
            _log.exception("a collection can't be regrouped")
            flat.failed = True

    def _settle_grouped(
        self,
        pivot: PlanNode,
        parent: Row,
        unsettled: list[Row],
        rows: list[Row],
        flat: Flat,
        whole: bool,
    ) -> list[Row]:
        """Stitch what the flat collection holds; the parents that remain are returned."""
        regroup = pivot.navigation.regroup
        targets = parent.get(regroup.targets) if regroup else None
        groups, remaining = flat.groups(
            pivot.navigation,
            unsettled,
            rows,
            whole=whole,
            expected=targets if type(targets) is int else None,
        )
        settled = [row for parent, group in groups for row in self._stitch(pivot, parent, group)]
        self._follow(pivot, settled, listed=True)
        return remaining

    def _settle_expanded(self, pivot: PlanNode, node: PlanNode, rows: list[Row]) -> list[Row]:
        """Stitch what came expanded and is proven complete; the other parents are returned."""
        name, count = pivot.navigation.name, pivot.navigation.count
        feature = expansion_of(node, pivot)
        expected = [row for row in rows if count is not None and row.get(count)]
        if expected and not any(name in row for row in expected):
            self._reader.doubt(feature)
            if node.navigation.across is None and not node.narrowing.narrows:
                place = expected[0].get(ADDRESS, "").rpartition("/")[0]
                self._reader.capabilities.ignored(feature, place)
        elif expected:
            self._reader.capabilities.accept(feature)
        remaining: list[Row] = []
        settled: list[Row] = []
        for row in rows:
            value = row.pop(name, None)
            if not isinstance(value, list):
                remaining.append(row)
            elif f"{name}@odata.nextLink" in row:
                self._work([(pivot, row)], partial(self._continue, pivot, row, value))
            elif count is not None and row.get(count) == len(value) and not repeats(value):
                settled += self._stitch(pivot, row, value)
            else:
                remaining.append(row)
        self._follow(pivot, settled, listed=True)
        return remaining

    async def _continue(self, node: PlanNode, row: Row, first: list[Row]) -> None:
        """Read the rest of an inlined collection."""
        name, error = node.navigation.name, None
        try:
            url = f"{row[ADDRESS]}/{name}" if ADDRESS in row else ""
            link = self._reader.next_link(row, name, url)
            rows, error = await self._reader.rest(first, link)
        except GatewayError as problem:
            rows, error = first, problem
        if error is not None and not rows:
            fail(node, row, error)
            return
        count = node.navigation.count
        said = row.get(count) if count is not None else None
        if error is None and type(said) is int and (said != len(rows) or repeats(rows)):
            self._schedule(node, row)
            return
        self._follow(node, self._stitch(node, row, rows), listed=True)
        if error is not None:
            lack(node, row, error)

    def _stitch(self, node: PlanNode, row: Row, targets: Iterable[Row]) -> list[Row]:
        try:
            path = f"{row[ADDRESS]}/{node.path}" if ADDRESS in row else ""
            adopted = [adopt(node, item, path, row) for item in targets]
            stitch_list(node, row, adopted)
        except Exception as error:
            fail(node, row, error)
            return []
        return adopted

    def _page_size(self, pivot: PlanNode, parent: Row) -> int:
        regroup = pivot.navigation.regroup
        collection = regroup.collection if regroup else pivot.navigation.name
        return self._reader.page_size(f"{parent[ADDRESS]}/{collection}", pivot.entity.name)

    def _expand(self, node: PlanNode, *, listed: bool) -> Expand | None:
        return node.expansion(listed=listed, allows=self._reader.allows)

    async def _ask(self, probe: Trial) -> None:
        """Ask the first half of a trial; the other goes along where a batch has place for it."""
        if (await self._reader.load(probe.request)).status == 400:
            self._reader.doubt(probe.capability)
            self._doubted = probe

    async def _confirm(self, probe: Trial) -> None:
        await self._reader.proven(probe)

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
        properties, edges = node.details if listed else ([], [])
        edges = [edge for edge in edges if any(edge.navigation.name not in row for row in rows)]
        if properties or edges:
            for row in rows:
                missing = [(edge, row) for edge in edges]
                self._work(missing, partial(self._detail, node, row, properties, edges))
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
            self._work(edges, partial(self._join, child, rows))
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
        for row in rows:
            value = row.get(name)
            if child.navigation.shape is Shape.SINGLE:
                if isinstance(value, dict):
                    row[child.key] = inlined(child, value, row)
                    targets.append(row[child.key])
                elif child.navigation.allows(Strategy.REQUEST) and name not in row:
                    self._schedule(child, row)
            elif isinstance(value, list) and f"{name}@odata.nextLink" in row:
                self._work([(child, row)], partial(self._continue, child, row, value))
            elif isinstance(value, list):
                targets += self._stitch(child, row, value)
            elif child.navigation.allows(Strategy.REQUEST):
                self._schedule(child, row)
        self._follow(child, targets, listed=False)

    async def _join(self, child: PlanNode, rows: list[Row]) -> None:
        """Read the reference list and give each row its entry."""
        join = child.navigation.join
        assert join is not None  # noqa: S101 - what makes it a join
        select = ("id", *self._plan.needs_of(child.entity.name))
        options = Options(select=select)
        found: dict[str | None, Row] = {}
        problem: GatewayError | None = None
        try:
            async for page in self._reader.pages(join.collection, options, child.entity.name):
                for entry in page.rows:
                    adopted = adopt(child, entry, join.collection, {})
                    found[_folded(key_of(entry))] = adopted
        except GatewayError as error:
            problem = error
            without_frames(error)
        for row in rows:
            row[child.key] = found.get(_folded(key_of(row, join.by)), problem)
        self._follow(child, list(found.values()), listed=True)

    async def _detail(
        self, node: PlanNode, row: Row, properties: list[str], edges: list[PlanNode]
    ) -> None:
        """Read from the single entity what the list response left out."""
        names = [*properties, *(edge.navigation.name for edge in edges)]
        selected = (node.entity.key or "id", *names)
        options = Options(select=selected if node.navigation.selectable else None)
        reply, _ = await self._reader.get(row[ADDRESS], options, node.entity.name)
        error = reply.error
        if error is None and not isinstance(reply.data, dict):
            error = GraphError("the service answered an entity that is not an object")
        if error is not None:
            row.update(dict.fromkeys(properties, error))
            for edge in edges:
                fail(edge, row, error)
            return
        for name, value in reply.data.items():
            row.setdefault(name, value)
        for edge in edges:
            self._edge(edge, [row])

    def _stub(self, child: PlanNode, rows: list[Row], expanded: Expand | None) -> None:
        """Users come as id-only stubs; queue those of which more is selected.

        One who is still a stub where others came expanded is not among the users any more.
        """
        stubs: list[Row] = []
        complete: list[Row] = []
        name, wanted = child.navigation.name, child.wanted
        for row in rows:
            stub = row.get(name)
            if isinstance(stub, dict) and isinstance(stub.get("id"), str):
                user = dict(stub)
                if child.addressed:
                    user[ADDRESS] = f"users/{key_segment(stub['id'])}"
                row[child.key] = user
                (complete if user.keys() >= wanted else stubs).append(user)
        gone = bool(complete) and expanded is not None and expanded.navigation is child.navigation
        self._stubs += [(child, user, gone) for user in stubs]
        self._follow(child, complete, listed=False)

    async def _hydrate(self, stubs: list[tuple[PlanNode, Row, bool]]) -> None:
        users = await self._directory.load(
            [user["id"] for _, user, _ in stubs], {user["id"] for _, user, gone in stubs if gone}
        )
        for child, user, _ in stubs:
            found = users[user["id"]]
            if isinstance(found, GatewayError):
                found = dict.fromkeys(child.wanted, found)
            for name, value in (found or {}).items():
                user.setdefault(name, value)
            self._follow(child, [user], listed=False)


def _folded(key: str | None) -> str | None:
    """A key in the form in which keys are compared: GUIDs are the same in any case."""
    return key and key.lower()


def _fail_all(edges: Iterable[Edge], error: Exception) -> None:
    for node, row in edges:
        fail(node, row, error)


async def _outcome(reading: Coroutine[Any, Any, Slice]) -> Slice | GatewayError:
    try:
        return await reading
    except GatewayError as error:
        return error
