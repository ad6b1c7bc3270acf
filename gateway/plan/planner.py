"""From a selection set to a plan."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from gateway.errors import BadUserInput, GatewayError, NotSupported
from gateway.odata.address import Address
from gateway.odata.filter import (
    comparable,
    compile_filter,
    compile_order,
    properties_of,
    search_phrase,
)
from gateway.plan.across import checked_here
from gateway.plan.model import DEFAULT_FIRST, Across, EntityType, Model, Navigation, Shape
from gateway.plan.nodes import (
    Narrowing,
    Place,
    PlanNode,
    View,
    Window,
    edge_key,
    payload_key,
    trail,
)
from gateway.plan.program import Program

QUERY = "Query"
_OPERATION = Navigation(name="", target=QUERY, shape=Shape.SINGLE, strategies=())


class SelectedField(Protocol):
    """A field of a selection set, with coerced arguments."""

    @property
    def name(self) -> str:
        """The field's name in the schema."""

    @property
    def arguments(self) -> Mapping[str, Any]:
        """The coerced arguments by name."""

    @property
    def selection(self) -> "Selection":
        """The selection set below it."""


class Selection(Protocol):
    """A selection set, or several merged ones."""

    def fields(self, type_name: str) -> Iterable[SelectedField]:
        """The fields for an object of ``type_name``, with fragments and directives resolved."""


class Planner:
    """Plans operations over a resource model.

    Args:
        model: the entity types, ``Query`` among them with the root edges.
        max_first: the largest ``first`` that a connection accepts.
        beta: whether the connected service is the beta version.
    """

    def __init__(self, model: Model, *, max_first: int, beta: bool = False) -> None:
        self.model = model
        self._beta = beta
        self.max_first = max_first

    def plan(self, selection: Selection) -> Program:
        """The plan of an operation whose root selection set is ``selection``.

        A bad argument does not fail the plan: it is kept as the error of its edge.
        """
        root = PlanNode(_OPERATION, self.model[QUERY], key="")
        self._fill(root, selection)
        return Program.of(root, self.model.routes)

    def payload(
        self, type_name: str, selection: Selection, places: Mapping[str, Sequence[Place]]
    ) -> Program:
        """The plan of what is selected of a mutation's payload.

        Args:
            type_name: the payload's type.
            selection: its selection set.
            places: where the entities are that its edges lead to, by the edge's name; the n-th of
                several is stitched under `payload_key`.
        """
        root = PlanNode(_OPERATION, self.model[type_name], key="")
        for selected in selection.fields(type_name):
            navigation = root.entity.navigations.get(selected.name)
            if navigation is None:
                continue
            for number, place in enumerate(places.get(selected.name, ())):
                key = payload_key(selected.name, number)
                if key not in root.children:
                    entity = self.model[place.address.entity or navigation.target]
                    child = PlanNode(navigation, entity, key, parent=root)
                    child.address, child.known = place.address, place.row
                    child.trail = trail(child, root, self.model.routes)
                    root.children[key] = child
                self._fill(root.children[key], selected.selection)
        return Program.of(root, self.model.routes)

    def _fill(self, node: PlanNode, selection: Selection) -> None:
        for selected in selection.fields(node.entity.name):
            if (prop := node.entity.properties.get(selected.name)) is not None:
                if prop.beta and not self._beta:
                    node.unsupported[prop.name] = _beta_only(f"{node.entity.name}.{prop.name}")
                else:
                    node.properties[prop.name] = prop
                    node.itself = True
            elif (navigation := node.entity.navigations.get(selected.name)) is not None:
                self._edge(node, navigation, selected)
            elif selected.name == "nodeId":
                node.identified = node.itself = True

    def _edge(self, node: PlanNode, navigation: Navigation, selected: SelectedField) -> None:
        if navigation.container is not None:
            if navigation.container not in node.trail:
                return
            container = node.trail[navigation.container]
            if container is not None:
                node.backward[navigation.name] = _levels(node, container)
                itself = container.itself
                self._fill(container, selected.selection)
                container.itself = itself
                return
        if navigation.shape is Shape.LIST and navigation.call is None:
            child = self._list(node, navigation, selected.arguments)
        else:
            child = self._once(node, navigation, selected.arguments)
        if child.error is not None:
            return
        if child.window is None:
            self._fill(child, selected.selection)
        else:
            self._connection(child, child.window, selected.selection)

    def _once(
        self, node: PlanNode, navigation: Navigation, arguments: Mapping[str, Any]
    ) -> PlanNode:
        key = edge_key(navigation.name, arguments)
        if key not in node.children:
            node.children[key] = self._child(node, navigation, key, arguments)
        return node.children[key]

    def _list(
        self, node: PlanNode, navigation: Navigation, arguments: Mapping[str, Any]
    ) -> PlanNode:
        """A bounded list is fetched once; filters and orders on it are views."""
        key, plain = edge_key(navigation.name, arguments), edge_key(navigation.name, {})
        try:
            _narrowing(arguments)
        except GatewayError as error:
            refused = PlanNode(navigation, EntityType(""), key, parent=node, error=error)
            return node.children.setdefault(key, refused)
        child = self._once(node, navigation, {})
        if key != plain:
            filter_, order = arguments.get("filter") or {}, arguments.get("orderBy") or []
            child.views[key] = View(filter_, order)
            for name in (*properties_of(filter_), *(o["field"].value for o in order)):
                child.properties[name] = child.entity.properties[name]
        return child

    def _child(
        self, node: PlanNode, navigation: Navigation, key: str, arguments: Mapping[str, Any]
    ) -> PlanNode:
        child = PlanNode(navigation, EntityType(""), key, arguments, parent=node)
        above = node
        if navigation.across is not None:
            child.sources = self._sources(node, navigation.across)
            child.parent = above = child.sources[-1]
        try:
            if navigation.beta and not self._beta:
                raise _beta_only(f"{node.entity.name}.{navigation.name}")
            if navigation.is_root:
                child.address = self._address(navigation, arguments)
            name = child.address.entity if isinstance(child.address, Address) else navigation.target
            child.entity = self.model[name]
            child.trail = trail(child, above, self.model.routes)
            call = navigation.call
            child.path = call(arguments) if call is not None else navigation.name
            if navigation.shape is Shape.CONNECTION:
                child.window = self._window(arguments)
                if navigation.across is None:
                    child.narrowing = _narrowing(arguments)
                else:
                    self._check(navigation.across, arguments)
        except GatewayError as error:
            child.error = error.copy()
        return child

    def _address(self, navigation: Navigation, arguments: Mapping[str, Any]) -> Address | str:
        routes = self.model.routes
        if navigation.by_node_id is not None:
            return routes.parse_node_id(arguments[navigation.by_node_id], navigation.by_node_id)
        if navigation.shape is Shape.CONNECTION:
            return routes.filled(navigation.at[-1], arguments)
        if navigation.call is not None:
            path = f"{routes.filled(navigation.at[-1], arguments)}/{navigation.call(arguments)}"
            return Address(path, navigation.target, "", selectable=False)
        address = routes.at(navigation.at, arguments, navigation.target)
        if not navigation.selectable:
            return replace(address, readable=True, selectable=False)
        return address

    def _sources(self, root: PlanNode, across: Across) -> tuple[PlanNode, ...]:
        """The containers of the rows of an edge across containers, outermost first."""
        sources: list[PlanNode] = []
        for kind in across.sources:
            navigation = Navigation(
                name=kind.collection, target=kind.entity, shape=Shape.CONNECTION, strategies=()
            )
            above = sources[-1] if sources else root
            source = PlanNode(navigation, self.model[kind.entity], key="", parent=above)
            source.path = kind.collection
            source.trail = {**above.trail, kind.collection: source}
            sources.append(source)
        return tuple(sources)

    def _check(self, across: Across, arguments: Mapping[str, Any]) -> None:
        """Refuse arguments of an edge across containers before anything is sent."""
        for name in ("filter", *(source.argument for source in across.sources)):
            if name is not None and arguments.get(name):
                compile_filter(arguments[name])
        for filter_ in checked_here(across, arguments):
            compile_filter(filter_)
        if across.of is not None and arguments.get(across.of[0]) is not None:
            self.model.routes.checked_id(arguments[across.of[0]], across.of[0])
        given = [name for name, _, _ in across.period if arguments.get(name) is not None]
        times = [comparable(arguments[name]) for name in given]
        if len(times) > 1 and times != sorted(set(times)):
            raise BadUserInput(f"must be later than {given[0]}", argument=given[-1])

    def _need(self, node: PlanNode, filter_: Mapping[str, Any]) -> None:
        """Read of the rows what a filter looks at that is checked here."""
        for name in properties_of(filter_):
            if (prop := node.entity.properties.get(name)) is not None:
                node.properties[prop.name] = prop
            elif (navigation := node.entity.navigations.get(name)) is not None:
                self._need(self._once(node, navigation, {}), filter_[name])

    def _window(self, arguments: Mapping[str, Any]) -> Window:
        first = arguments.get("first")
        if first is None or first == DEFAULT_FIRST:
            first = min(DEFAULT_FIRST, self.max_first)
        if not 1 <= first <= self.max_first:
            raise BadUserInput(f"must be from 1 to {self.max_first}", argument="first")
        return Window(first, arguments.get("after"))

    def _connection(self, node: PlanNode, window: Window, selection: Selection) -> None:
        across = node.navigation.across
        for filter_ in checked_here(across, node.arguments) if across is not None else ():
            self._need(node, filter_)
        connection = f"{node.entity.name}Connection"
        for selected in selection.fields(connection):
            match selected.name:
                case "nodes":
                    window.nodes = True
                    self._fill(node, selected.selection)
                case "pageInfo":
                    window.page_info = True
                case "totalCount":
                    window.total_count = True
                case "unread":
                    window.unread = True
                case "watermark":
                    window.watermark = True
                case "edges":
                    window.edges = True
                    for part in selected.selection.fields(f"{node.entity.name}Edge"):
                        if part.name == "cursor":
                            window.cursors = True
                        elif part.name == "node":
                            self._fill(node, part.selection)
        if window.page_info or window.cursors:
            # A cursor holds what its row is sorted by.
            for order in node.arguments.get("orderBy") or ():
                prop = node.entity.properties.get(order["field"].value)
                if prop is not None and prop.in_list and (self._beta or not prop.beta):
                    node.properties.setdefault(prop.name, prop)


def _beta_only(field: str) -> NotSupported:
    return NotSupported(f"{field} is there only in front of a beta root", field=field)


def _narrowing(arguments: Mapping[str, Any]) -> Narrowing:
    given, order, term = (arguments.get(name) for name in ("filter", "orderBy", "search"))
    return Narrowing(
        compile_filter(given) if given else None,
        compile_order(order) if order else None,
        search_phrase(term) if term is not None else None,
    )


def _levels(node: PlanNode, above: PlanNode) -> int:
    """The number of steps up from ``node`` to another one."""
    levels, parent = 1, node.parent
    while parent is not None and parent is not above:
        levels, parent = levels + 1, parent.parent
    return levels
