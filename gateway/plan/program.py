"""The program of an operation: the places of its answer, and the steps that fill them.

It is made once, with the plan, and says everything that does not depend on what comes back: which
ways each edge has, what each of them asks for, in which layer. What does depend on it is a
`Choice`, made for the rows of one list at a time. A program holds no row, no caller and no answer.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from gateway.odata.query import Expand
from gateway.odata.routes import Routes
from gateway.plan.across import Across
from gateway.plan.choice import Choice
from gateway.plan.layout import ADDRESS
from gateway.plan.lookup import Lookups
from gateway.plan.model import Shape, Strategy
from gateway.plan.nodes import PlanNode, Reading
from gateway.plan.rows import Row
from gateway.plan.steps import (
    KEY,
    Carried,
    Expanded,
    Hydrate,
    Inline,
    Join,
    Nothing,
    Probe,
    ReadDetails,
    ReadEntity,
    ReadList,
    Refused,
    Regrouped,
    Step,
    expansion_of,
)
from gateway.plan.stitch import address_of, collection_path, home_of


@dataclass(slots=True)
class Program:
    """The steps of one operation: its root edges hang below ``root``.

    Attributes:
        root: the operation itself, as the place above all others.
        routes: of the service.
        steps: all steps, in the order of the selection.
        lookups: how entities are looked up in bulk, if any are.
        probe: asks what the service takes, before a whole layer relies on it.
    """

    root: PlanNode
    routes: Routes
    steps: list[Step] = field(default_factory=list)
    lookups: Lookups | None = None
    probe: Probe | None = None

    @classmethod
    def of(cls, root: PlanNode, routes: Routes) -> "Program":
        """The program of a plan, whose nodes get their steps."""
        root.settle()
        program = cls(root, routes)
        program.lookups = _lookups_of(root)
        program.probe = _probe_of(root, routes)
        walk = _Walk(program)
        for place, child in enumerate(root.children.values(), 1):
            walk.edge(child, {ADDRESS: ""}, 1, "", str(place))
        if program.probe is not None:
            program.probe.id = "0"
            program.steps.insert(0, program.probe)
        return program

    @property
    def size(self) -> int:
        """Edges and properties of the plan."""
        return sum(1 + len(node.properties) for node in self.root.walk())

    def layers(self) -> Iterator[tuple[int, list[Step]]]:
        """The steps of each layer of requests."""
        for layer in sorted({step.layer for step in self.steps}):
            yield layer, [step for step in self.steps if step.layer == layer]


def needs_of(root: PlanNode, entity: str) -> tuple[str, ...]:
    """All properties of ``entity`` that are selected anywhere in an operation, beyond id."""
    needs: dict[str, None] = {}
    for node in root.walk():
        if node.entity.name == entity:
            needs |= dict.fromkeys(node.needs)
    return tuple(needs)


def _lookups_of(root: PlanNode) -> Lookups | None:
    """One look-up for all that an operation selects of any such entity."""
    found = next((node.entity for node in root.walk() if node.entity.lookup is not None), None)
    if found is None or found.lookup is None:
        return None
    below = [
        child
        for node in root.walk()
        if node.entity.name == found.name
        for child in node.children.values()
        if child.navigation.allows(Strategy.EXPAND)
    ]
    needs = dict.fromkeys(name for node in below for name in node.needs)
    expand = Expand(below[0].navigation.name, ("id", *needs)) if below else None
    return Lookups(found.lookup, needs_of(root, found.name), expand)


def _probe_of(root: PlanNode, routes: Routes) -> Probe | None:
    """The first expansion that a whole layer would rely on."""
    for node in root.walk():
        pivot = node.pivot
        if pivot is None or node.in_first_layer:
            continue
        if pivot.navigation.allows(Strategy.EXPAND):
            probe = Probe(node, expansion_of(node, pivot), "", 1)
            probe.pivot = pivot
            at = min(routes.of(node.entity.name), key=len).rpartition("/")[0]
            probe.path = routes.of_nobody(at)
            return probe
    return None


class _Walk:
    """Gives the nodes of a plan their steps."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._needs: dict[str, tuple[str, ...]] = {}

    def _add(self, step: Step, id_: str) -> None:
        step.id = id_
        self._program.steps.append(step)
        step.node.steps.setdefault(type(step), step)

    def _backward(self, node: PlanNode, path: str, layer: int, edge: str, id_: str) -> None:
        """The edges that lead back to a row above: no step of the place, but told."""
        for number, name in enumerate(node.backward, 1):
            step = Inline(node, f"{edge}.{name}", path, layer, why="the row that it hangs below")
            step.id = f"{id_}u{number}"
            self._program.steps.append(step)

    def edge(self, node: PlanNode, above: Row, layer: int, outer: str, id_: str) -> None:
        """An edge that is asked for below the row ``above``."""
        edge = f"{outer}.{node.navigation.name}" if outer else node.navigation.name
        path = str(above[ADDRESS])
        if node.error is not None:
            self._add(Refused(node, edge, path, layer, why=node.error.message), id_)
        elif node.navigation.across is not None:
            self._across(node, path, layer, edge, id_)
        elif node.navigation.shape is not Shape.SINGLE:
            if node.window is not None and not node.window.read:
                why = "nothing is selected that needs a request"
                self._add(Nothing(node, edge, path, layer, why=why), id_)
                return
            self._add(ReadList(node, edge, path, layer), id_)
            self._listed(node, collection_path(node, above), layer, edge, id_)
        else:
            self._entity(node, path, layer, edge, id_)

    def _entity(self, node: PlanNode, above: str, layer: int, edge: str, id_: str) -> None:
        address = address_of(node, ReadEntity(node, edge, above, layer).sample)
        if address is None:
            return
        if node.navigation.stub or node.reading is Reading.NOTHING:
            self._add(Nothing(node, edge, above, layer, why="its address is enough"), id_)
        else:
            self._add(ReadEntity(node, edge, above, layer), id_)
        home = home_of(node, {"id": KEY}, address.path) if node.navigation.lives_in else None
        row: Row = {ADDRESS: home or address.path}
        self._backward(node, address.path, layer, edge, id_)
        expand = node.expansion(listed=False, allows=_everything)
        for place, child in enumerate(node.children.values(), 1):
            below = f"{id_}.{place}"
            if child.needs_only_address and child.error is None:
                later = layer + (home is not None)
                self.edge(child, row, later, edge, below)
            else:
                self._carried(child, row, expand, layer, edge, below, listed=False)

    def _across(self, node: PlanNode, path: str, layer: int, edge: str, id_: str) -> None:
        way = " → ".join(source.entity.name for source in node.sources)
        why = f"{way} → rows, one layer after the other, newest first"
        self._add(Across(node, edge, path, layer, why=why), id_)
        layer += len(node.sources)
        row = f"{node.address}/{KEY}"
        for number, source in enumerate(node.sources):
            row = f"{row}/{source.path}/{KEY}" if number else row
            outer = f"{edge}.{source.navigation.name}"
            self._rows(source, row, layer, outer, f"{id_}{'abc'[number]}")
        self._listed(node, f"{row}/{node.navigation.name}", layer, edge, id_)

    def _listed(self, node: PlanNode, path: str, layer: int, edge: str, id_: str) -> None:
        """Walk what hangs below the rows of a list at ``path``."""
        row = home_of(node, {node.entity.key or "id": KEY}, path) or f"{path}/{KEY}"
        self._rows(node, row, layer, edge, id_, path)

    def _rows(
        self, node: PlanNode, row: str, layer: int, edge: str, id_: str, path: str = ""
    ) -> None:
        """Walk what hangs below rows at ``row`` that come out of a list, which is at ``path``."""
        expand = node.expansion(listed=True, allows=_everything)
        rides = expand.name if expand is not None else ""
        properties, edges = node.details
        late = {child.navigation.name for child in edges} - {rides}
        if properties or late:
            names = ", ".join((*properties, *sorted(late)))
            self._add(ReadDetails(node, f"{edge}.({names})", row, layer + 1), f"{id_}.0")
        self._backward(node, row, layer, edge, id_)
        for place, child in enumerate(node.children.values(), 1):
            below = f"{id_}.{place}"
            if child is node.pivot:
                self._pivot(node, child, path, row, layer, edge, below)
            elif child.error is None and child.needs_only_address:
                self.edge(child, {ADDRESS: row}, layer + 1, edge, below)
            else:
                later = layer + (child.navigation.name in late)
                self._carried(child, {ADDRESS: row}, expand, later, edge, below, listed=True)

    def _pivot(
        self, node: PlanNode, pivot: PlanNode, path: str, row: str, layer: int, outer: str, id_: str
    ) -> None:
        """An edge whose rows come with, beside or after their parents'."""
        edge = f"{outer}.{pivot.navigation.name}"
        ways: list[Step] = []
        regroup, count = pivot.navigation.regroup, pivot.navigation.count
        if pivot.navigation.allows(Strategy.EXPAND):
            why = f"where the service takes it, and {count} proves it whole"
            ways.append(Expanded(pivot, edge, row, layer, why=why))
        above = node.parent
        if regroup is not None and above is not None and above.entity.name == regroup.on:
            grandparent = path.rpartition("/")[0]
            why = f"where that is cheaper by {regroup.parents} and {regroup.targets}"
            ways.append(Regrouped(pivot, edge, grandparent, layer, why=why))
        ways.append(ReadList(pivot, edge, row, layer + 1, why="otherwise"))
        why = " or ".join(way.kind for way in ways)
        self._add(Choice(pivot, edge, row, layer, why=why), id_)
        for number, way in enumerate(ways):
            self._add(way, f"{id_}{'abc'[number]}")
        self._listed(pivot, f"{row}/{pivot.path}", layer, edge, id_)

    def _carried(
        self,
        node: PlanNode,
        above: Row,
        expand: Expand | None,
        layer: int,
        outer: str,
        id_: str,
        *,
        listed: bool | None = None,
    ) -> None:
        """An edge that its parent's row carries, at least as a stub."""
        edge, path = f"{outer}.{node.navigation.name}", str(above[ADDRESS])
        navigation, lookups = node.navigation, self._program.lookups
        rides = expand is not None and expand.name == navigation.name
        if node.error is not None:
            self._add(Refused(node, edge, path, layer, why=node.error.message), id_)
            return
        if navigation.allows(Strategy.HYDRATE):
            carried = Carried(node, edge, path, layer)
            carried.listed = listed
            self._add(carried, id_)
            if node.wanted and lookups is not None:
                hydrate = Hydrate(node, edge, path, layer + 1)
                hydrate.lookups = lookups
                hydrate.why = "what the rows above lack"
                self._add(hydrate, f"{id_}h")
        elif navigation.join is not None:
            join = Join(node, edge, path, layer + 1, why="a reference list")
            name = node.entity.name
            if name not in self._needs:
                self._needs[name] = needs_of(self._program.root, name)
            join.select = self._needs[name]
            self._add(join, id_)
        elif not (navigation.allows(Strategy.INLINE) or navigation.allows(Strategy.EXPAND)):
            self.edge(node, above, layer + 1, outer, id_)
            return
        elif rides:
            self._add(Expanded(node, edge, path, layer, why="rides on the request above"), id_)
        else:
            self._add(Inline(node, edge, path, layer, why="inside the row above"), id_)
            if navigation.allows(Strategy.REQUEST):
                read = ReadEntity if navigation.shape is Shape.SINGLE else ReadList
                why = "where it is not inside"
                self._add(read(node, edge, path, layer + 1, why=why), f"{id_}r")
        self._inner(node, _inside(node, path), layer, edge, id_)

    def _inner(self, node: PlanNode, row: str, layer: int, edge: str, id_: str) -> None:
        """Walk what hangs below entities that came inside others."""
        self._backward(node, row, layer, edge, id_)
        for place, child in enumerate(node.children.values(), 1):
            below = f"{id_}.{place}"
            if child.error is None and child.needs_only_address:
                self.edge(child, {ADDRESS: row}, layer + 1, edge, below)
            else:
                self._carried(child, {ADDRESS: row}, None, layer, edge, below)


def _inside(node: PlanNode, above: str) -> str:
    """The address of an entity that came inside the row at ``above``."""
    navigation = node.navigation
    if navigation.join is not None:
        return f"{navigation.join.collection}/{KEY}"
    lookup = node.entity.lookup
    if navigation.allows(Strategy.HYDRATE) and lookup is not None:
        return f"{lookup.collection}/{KEY}"
    home = home_of(node, {node.entity.key or "id": KEY}, above)
    if home is not None:
        return home
    path = f"{above}/{node.path or navigation.name}"
    return path if navigation.shape is Shape.SINGLE else f"{path}/{KEY}"


def _everything(_capability: str) -> bool:
    return True
