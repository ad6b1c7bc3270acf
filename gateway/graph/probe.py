"""Learns whether an expansion is refused, before a whole layer relies on it.

The question travels with the first layer and asks for no row. It is asked by operations that would
use the expansion, until it is known whether the service takes it.
"""

from dataclasses import dataclass

from gateway.graph.capabilities import Capabilities, Standing
from gateway.graph.client import Reply
from gateway.odata.address import LIFECYCLE_WORKFLOWS, Address
from gateway.odata.plan import Plan, PlanNode
from gateway.odata.query import Expand, GraphRequest, Options, id_equals

_NIL = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class Probe:
    """A request that fails if the service refuses ``capability``."""

    capability: str
    request: GraphRequest

    def learn(self, reply: Reply, capabilities: Capabilities) -> None:
        """Note a refusal; anything else leaves the question open."""
        if reply.status == 400 and reply.error and "expand" in reply.error.message.lower():
            capabilities.refuse(self.capability, reply.error.message)


def expansion_of(node: PlanNode, pivot: PlanNode) -> str:
    """The capability to expand ``pivot`` on the rows of ``node``."""
    expand = Expand(pivot.navigation, ())
    return Options(expand=expand).capability("$expand", node.entity.name)


def probe_for(plan: Plan, capabilities: Capabilities) -> Probe | None:
    """The probe that ``plan`` calls for, if any.

    It is put to a workflow that the operation names; without one, to no workflow at all, because
    options are looked at before ids.
    """
    for node in plan.root.walk():
        pivot = node.pivot
        if pivot is None or node.in_first_layer:
            continue
        expand = node.expansion(listed=True, allows=capabilities.allows)
        capability = expansion_of(node, pivot)
        if expand is None or expand.navigation is not pivot.navigation:
            continue
        if capabilities.standing(capability) is Standing.UNKNOWN:
            path = f"{_workflow(plan)}/{node.navigation.name}"
            return Probe(capability, Options(("id",), expand, id_equals(_NIL)).get(path))
    return None


def _workflow(plan: Plan) -> str:
    workflows = f"{LIFECYCLE_WORKFLOWS}/workflows/"
    for node in plan.root.children.values():
        if isinstance(node.address, Address) and node.address.path.startswith(workflows):
            key = node.address.path.removeprefix(workflows).partition("/")[0]
            return workflows + key
    return workflows + _NIL
