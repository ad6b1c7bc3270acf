"""Reads one entity: from what is known of it, by its own GET, or out of its collection."""

from collections.abc import Mapping
from typing import Any

from gateway.graph.errors import GraphError, NotFound
from gateway.graph.reader import Reader, Row
from gateway.odata.address import Address, key_of
from gateway.odata.model import Strategy
from gateway.odata.plan import PlanNode
from gateway.odata.query import Options, id_equals


async def read_entity(reader: Reader, node: PlanNode, address: Address) -> Row:
    """The entity at ``address`` with what ``node`` selects of it.

    Raises:
        GatewayError: it can't be had, or is none.
    """
    if node.known is not None and _holds(node.known, node):
        return dict(node.known)
    options = Options(
        node.select(listed=False) if address.selectable else None,
        node.expansion(listed=False, allows=reader.capabilities.allows),
    )
    if address.readable:
        reply, _ = await reader.get(address.path, options, node.entity.name)
        if reply.error is not None:
            raise reply.error
        data = unwrapped(reply.data)
        key = node.entity.key
        if not isinstance(data, dict) or (key and key_of(data, key) is None):
            raise GraphError("the service answered an entity without its key")
        return data
    if address.selectable:
        options = Options(options.select, options.expand, id_equals(address.id))
    async for page in reader.pages(address.collection, options, node.entity.name):
        for row in page.rows:
            if (key_of(row) or "").lower() == address.id.lower():
                return row
    raise NotFound(f"there is no {node.entity.name} with this id here")


def _holds(row: Mapping[str, Any], node: PlanNode) -> bool:
    """Whether a row has all that is selected of it, and of what it inlines."""
    if not row.keys() >= set(node.select(listed=False)):
        return False
    for child in node.children.values():
        navigation = child.navigation
        if navigation.allows(Strategy.INLINE) and not navigation.allows(Strategy.HYDRATE):
            value = row[navigation.name]
            below = value if isinstance(value, list) else [value]
            if not all(_holds(item, child) for item in below if isinstance(item, dict)):
                return False
    return True


def unwrapped(answer: Any) -> Any:
    """The entity in an answer that may wrap it in its only member.

    Pages show ``{"workflow": {…}}`` and ``{"value": {…}}`` where the metadata has a bare entity
    (questions.md, point 15; graph-lifecycle-api.md, row 49).
    """
    if not isinstance(answer, Mapping):
        return answer
    members = [name for name in answer if not name.startswith("@")]
    if members in (["workflow"], ["value"]) and isinstance(answer[members[0]], dict):
        return answer[members[0]]
    return answer
