"""Prints a plan: its layers, the strategy of each edge, and the requests as templates."""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.odata.address import Address
from gateway.odata.filter import compile_filter
from gateway.odata.query import Expand, Options
from gateway.plan.model import Shape, Strategy
from gateway.plan.nodes import RUN_FACTS, Plan, PlanNode, Reading, runs_filter


@dataclass(frozen=True, slots=True)
class Step:
    """One edge of a plan as it is carried out.

    ``layer`` is the layer of requests that brings it; ``request`` is a template, or ``None`` where
    nothing is sent for it; ``note`` says how often, or what else may happen.
    """

    layer: int
    edge: str
    strategy: str
    request: str | None
    note: str = ""


def steps(plan: Plan, allows: Callable[[str], bool] = lambda _: True) -> list[Step]:
    """The steps of ``plan``, in the order of the selection.

    Args:
        plan: a plan.
        allows: the capabilities of the service; by default, nothing has been refused.
    """
    found: list[Step] = []
    for child in plan.root.children.values():
        _Walk(found, allows).root(child)
    return found


def explain(plan: Plan, allows: Callable[[str], bool] = lambda _: True) -> str:
    """The plan as text, one block per layer."""
    found = steps(plan, allows)
    lines: list[str] = []
    for layer in sorted({step.layer for step in found}):
        lines.append(f"layer {layer}")
        for step in (s for s in found if s.layer == layer):
            lines.append(f"  {step.edge}  [{step.strategy}]")
            if step.request is not None:
                lines.append(f"      {step.request}")
            if step.note:
                lines.append(f"      {step.note}")
    lines.append("")
    lines.append("Requests of a layer travel together, 20 to a $batch.")
    if any(step.strategy.startswith("or ") for step in found):
        lines.append(
            "Between strategies, the cheaper one wins: the chain of dependent requests by the\n"
            "latency seen, and the items by the price of GATEWAY_COST, reckoned from the run's\n"
            "totalUsersCount and totalTasksCount and the page size; a service that refuses or\n"
            "ignores one gets the next."
        )
    return "\n".join(lines)


class _Walk:
    def __init__(self, found: list[Step], allows: Callable[[str], bool]) -> None:
        self._found = found
        self._allows = allows

    def root(self, node: PlanNode) -> None:
        if node.error is not None:
            self._add(1, node.navigation.name, "refused", None, node.error.message)
        elif isinstance(node.address, Address):
            self._entity(node, node.address, 1, node.navigation.name)
        elif node.navigation.across is not None:
            self._across(node, str(node.address))
        else:
            self._collection(node, str(node.address), 1, node.navigation.name, "")

    def _across(self, node: PlanNode, path: str) -> None:
        """Workflows, their runs where the rows are below runs, then the rows."""
        name, given = node.navigation.name, node.arguments
        workflows, *runs = node.sources
        filters = [
            compile_filter(given[argument]) if given.get(argument) else None
            for argument in ("workflowFilter", "filter")
        ]
        options = Options(
            workflows.select(listed=True),
            workflows.expansion(listed=True, allows=self._allows),
            filters[0],
        )
        self._add(1, f"{name}.workflows", Strategy.REQUEST, _template(path, options))
        parent = workflows
        if runs:
            parent = runs[0]
            self._add(
                2,
                f"{name}.runs",
                Strategy.REQUEST,
                _template(
                    "{workflow}/runs",
                    Options(parent.select(listed=True, extra=RUN_FACTS), filter=runs_filter(given)),
                ),
                "one per Workflow that passes",
            )
        layer = 2 + len(runs)
        expand = node.expansion(listed=True, allows=self._allows)
        order = f"{node.navigation.across} desc"
        options = Options(node.select(listed=True), expand, filters[1], order)
        self._add(
            layer,
            name,
            Strategy.REQUEST,
            _template(f"{_placeholder(parent)}/{name}", options),
            f"one per {parent.entity.name} that can hold a row of the window",
        )
        requests = "1 + ⌈W/20⌉ + ⌈R/20⌉" if runs else "1 + ⌈W/20⌉"
        self._add(layer, name, "cost", None, f"{requests} HTTP requests for W workflows and R runs")
        for child in node.children.values():
            below = f"{name}.{child.navigation.name}"
            if child is node.pivot:
                self._requested(child, _placeholder(node), layer + 1, below, "one per row")
            else:
                self._carried(child, expand, layer, below, listed=True)

    def _add(
        self, layer: int, edge: str, strategy: str, request: str | None, note: str = ""
    ) -> None:
        self._found.append(Step(layer, edge, strategy, request, note))

    def _entity(self, node: PlanNode, address: Address, layer: int, edge: str) -> None:
        expand = node.expansion(listed=False, allows=self._allows)
        options = Options(node.select(listed=False), expand)
        path = address.path
        if not address.readable:
            path, options = address.collection, Options(options.select, expand, "id eq '…'")
        if node.reading is Reading.NOTHING:
            self._add(layer, edge, "nothing", None, "its address is enough")
        else:
            facts = node.reading is Reading.FACTS
            note = "for its counts alone: without them the answer is the same" if facts else ""
            self._add(layer, edge, Strategy.REQUEST, _template(path, options), note)
        for child in node.children.values():
            if child.needs_only_address:
                self._requested(child, address.path, layer, f"{edge}.{child.navigation.name}", "")
            else:
                self._carried(child, expand, layer, f"{edge}.{child.navigation.name}", listed=False)

    def _collection(self, node: PlanNode, path: str, layer: int, edge: str, note: str) -> None:
        if node.window is not None and not node.window.read:
            self._add(layer, edge, "nothing", None, "nothing is selected that needs a request")
            return
        expand = node.expansion(listed=True, allows=self._allows)
        counted = node.window is not None and node.window.total_count
        narrowing = node.narrowing
        options = Options(
            node.select(listed=True) if node.navigation.selectable else None,
            expand,
            narrowing.filter,
            narrowing.order,
            narrowing.search,
            counted,
        )
        self._add(layer, edge, Strategy.REQUEST, _template(path, options), note)
        properties, edges = node.details
        edges = [e for e in edges if expand is None or e.navigation.name != expand.name]
        place = _placeholder(node)
        if properties or edges:
            names = ("id", *properties, *(e.navigation.name for e in edges))
            self._add(
                layer + 1,
                f"{edge}.({', '.join(names[1:])})",
                Strategy.REQUEST,
                _template(place, Options(names)),
                f"one per {node.entity.name}: a list leaves these out",
            )
        for child in node.children.values():
            below = f"{edge}.{child.navigation.name}"
            if child is node.pivot:
                self._pivot(node, child, path, layer, below)
            elif child.needs_only_address:
                self._requested(child, place, layer + 1, below, f"one per {node.entity.name}")
            else:
                detail = layer + 1 if child in edges else layer
                self._carried(child, expand, detail, below, listed=True)

    def _requested(self, node: PlanNode, parent: str, layer: int, edge: str, note: str) -> None:
        if node.error is not None:
            self._add(layer, edge, "refused", None, node.error.message)
        elif node.navigation.shape is Shape.SINGLE:
            path = f"{parent}/{node.navigation.name}"
            if node.navigation.container:
                path = "/".join(parent.split("/")[:-2]) or _placeholder(node)
            self._entity(node, Address(path, node.entity.name, ""), layer, edge)
        else:
            self._collection(node, f"{parent}/{node.navigation.name}", layer, edge, note)

    def _pivot(self, node: PlanNode, pivot: PlanNode, path: str, layer: int, edge: str) -> None:
        expand = node.expansion(listed=True, allows=self._allows)
        expanded = expand is not None and expand.name == pivot.navigation.name
        regroup = pivot.navigation.regroup
        single = pivot.expansion(listed=True, allows=self._allows)
        one_each = _template(
            f"{_placeholder(node)}/{pivot.navigation.name}",
            Options(pivot.select(listed=True), single),
        )
        ways: list[tuple[Strategy, str | None, str]] = []
        if expanded:
            ways.append((Strategy.EXPAND, None, f"verified against {pivot.navigation.count}"))
        if regroup is not None and node.parent and node.parent.entity.name == regroup.on:
            options = Options(pivot.select(listed=True, extra=(regroup.key,)), single)
            container = path.rpartition("/")[0]
            flat = _template(f"{container}/{regroup.collection}", options)
            ways.append(
                (
                    Strategy.REGROUP,
                    flat,
                    f"one per {regroup.on} beside the above, grouped by {regroup.key} id",
                )
            )
        ways.append((Strategy.REQUEST, one_each, f"one per {node.entity.name}, a layer later"))
        for place, (strategy, request, note) in enumerate(ways):
            self._add(layer, edge, strategy if place == 0 else f"or {strategy}", request, note)
        for child in pivot.children.values():
            carried = None if expanded else single
            self._carried(child, carried, layer, f"{edge}.{child.navigation.name}", listed=True)

    def _carried(
        self, node: PlanNode, expand: Expand | None, layer: int, edge: str, *, listed: bool
    ) -> None:
        """An edge that its parent's row carries, at least as a stub."""
        if expand is not None and expand.name == node.navigation.name:
            self._add(layer, edge, Strategy.EXPAND, None, "comes with its parent")
        elif node.navigation.allows(Strategy.HYDRATE) and (node.needs or node.children):
            options = Options(("id", *node.needs), filter="id in (…)")
            self._add(
                layer + 1,
                edge,
                Strategy.HYDRATE,
                _template("users", options),
                "what the parent's payload lacks, for all users of the layer at once: "
                "15 ids per request, or 1000 by getByIds",
            )
        elif (join := node.navigation.join) is not None:
            options = Options(("id", *node.needs))
            request = _template(join.collection, options)
            self._add(layer + 1, edge, Strategy.JOIN, request, "once per operation")
        else:
            self._add(layer, edge, Strategy.INLINE, None, "is in its parent's payload")
        for child in node.children.values():
            self._carried(child, None, layer, f"{edge}.{child.navigation.name}", listed=listed)


def _placeholder(node: PlanNode) -> str:
    return "{" + node.entity.name[:1].lower() + node.entity.name[1:] + "}"


def _template(path: str, options: Options) -> str:
    parts = []
    if options.select is not None:
        parts.append("$select=" + ",".join(options.select))
    if options.expand is not None:
        parts.append(f"$expand={options.expand}")
    if options.filter is not None:
        parts.append(f"$filter={options.filter}")
    if options.order is not None:
        parts.append(f"$orderby={options.order}")
    if options.search is not None:
        parts.append(f"$search={options.search}")
    if options.count:
        parts.append("$count=true")
    return f"GET {path}" + ("?" + "&".join(parts) if parts else "")
