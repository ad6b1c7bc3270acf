"""Learns whether an expansion is refused, before a whole layer relies on it.

The question travels with the first layer and asks for no row. It is asked by operations that would
use the expansion, until it is known whether the service takes it.
"""

from gateway.graph.capabilities import Capabilities, Standing
from gateway.graph.experiment import NIL, Trial
from gateway.odata.address import LIFECYCLE_WORKFLOWS
from gateway.odata.query import Expand, Options
from gateway.plan.nodes import Plan, PlanNode


def expansion_of(node: PlanNode, pivot: PlanNode) -> str:
    """The capability to expand ``pivot`` on the rows of ``node``."""
    expand = Expand(pivot.navigation.name, ())
    return Options(expand=expand).capability("$expand", node.entity.name)


def probe_for(plan: Plan, capabilities: Capabilities) -> Trial | None:
    """The trial that ``plan`` calls for, if any.

    It is put to the workflow of nobody, because options are looked at before ids, and nothing is
    learned from what a caller gave.
    """
    for node in plan.root.walk():
        pivot = node.pivot
        if pivot is None or node.in_first_layer:
            continue
        expand = node.expansion(listed=True, allows=capabilities.allows)
        capability = expansion_of(node, pivot)
        if expand is None or expand.name != pivot.navigation.name:
            continue
        if capabilities.standing(capability) is Standing.UNKNOWN:
            path = f"{LIFECYCLE_WORKFLOWS}/workflows/{NIL}/{node.navigation.name}"
            options = Options(expand=Expand(pivot.navigation.name, ("id",)))
            return Trial(capability, options.get(path), options.without("$expand").get(path))
    return None
