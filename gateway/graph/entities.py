"""Reads one entity: from what is known of it, by its own GET, or out of its collection."""

from collections.abc import Mapping
from typing import Any

from gateway.errors import GatewayError, GraphError, NotFound
from gateway.graph.reader import Reader
from gateway.odata.address import Address, key_of
from gateway.plan.layout import ADDRESS
from gateway.plan.model import Strategy
from gateway.plan.nodes import PlanNode
from gateway.plan.rows import ROWS, Row
from gateway.plan.steps import ReadEntity, step_of
from gateway.plan.stitch import fail


async def read_entity(reader: Reader, node: PlanNode, address: Address) -> Row:
    """The entity at ``address`` with what ``node`` selects of it.

    Where something is known of it and the rest can't be had, the error stands in the place of the
    rest.

    Raises:
        GatewayError: it can't be had, or is none, and nothing that is selected is known.
    """
    if node.known is None:
        return await _read(reader, node, address)
    if _holds(node.known, node):
        return dict(node.known)
    try:
        return await _read(reader, node, address)
    except GatewayError as error:
        return _as_known(node, node.known, error)


async def _read(reader: Reader, node: PlanNode, address: Address) -> Row:
    options = step_of(node, ReadEntity).options(address, reader.capabilities.allows)
    if address.readable:
        reply, _ = await reader.get(address.path, options, node.entity.name)
        if reply.error is not None:
            raise reply.error
        data = unwrapped(reply.data, node.entity.name)
        key = node.entity.key
        if not isinstance(data, dict) or (key and key_of(data, key) is None):
            raise GraphError("the service answered an entity without its key")
        if reader.record is not None:
            reader.record.came(1)
        return data
    unreadable: GatewayError | None = None
    async for page in reader.pages(address.collection, options, node):
        unreadable = unreadable or page.unreadable
        for row in page.rows:
            if (key_of(row) or "").lower() == address.id.lower():
                return row
    raise unreadable or NotFound(f"there is no {node.entity.name} with this id here")


def _holds(row: Mapping[str, Any] | Row, node: PlanNode) -> bool:
    """Whether a row has all that is selected of it, and of what it inlines."""
    if not row.keys() >= set(node.select(listed=False)):
        return False
    for child in node.children.values():
        navigation = child.navigation
        if navigation.allows(Strategy.INLINE) and not navigation.allows(Strategy.HYDRATE):
            value = row[navigation.name]
            below = value if isinstance(value, list) else [value]
            if not all(_holds(item, child) for item in below if isinstance(item, ROWS)):
                return False
    return True


def _as_known(node: PlanNode, known: Mapping[str, Any], error: GatewayError) -> Row:
    row = {**known, **{name: error for name in node.properties if name not in known}}
    answered = node.identified or any(name in known for name in node.properties)
    for child in node.children.values():
        if child.needs_only_address or _is_known(child, known):
            answered = True
        else:
            fail(child, row, error)
    if not answered:
        raise error
    return row


def _is_known(child: PlanNode, known: Mapping[str, Any]) -> bool:
    """Whether what is known of an entity leads on to the target of an edge."""
    navigation = child.navigation
    if navigation.reference is not None:
        return navigation.reference[1] in known
    if navigation.join is not None:
        return navigation.join.by in known
    if navigation.name not in known:
        return False
    value = known[navigation.name]
    below = value if isinstance(value, list) else [value]
    return navigation.allows(Strategy.HYDRATE) or all(
        _holds(item, child) for item in below if isinstance(item, ROWS)
    )


def stand_in(node: PlanNode, error: GatewayError, address: Address | None) -> Row | GatewayError:
    """A stand-in for an entity of which nothing can be read, because of ``error``.

    Args:
        node: with what is known, and what is selected.
        error: stands in the place of the rest.
        address: where the entity is, if that is known.

    Returns:
        The stitched row, or ``error`` where nothing that is selected is known.
    """
    known = node.known or {}
    told = node.identified and address is not None
    if not told and not any(name in known for name in node.properties):
        return error
    row: dict[str, Any] = {**dict.fromkeys(node.properties, error), **known, **node.unsupported}
    if address is not None:
        row |= {ADDRESS: address.path, "__typename": address.entity}
    else:
        row[ADDRESS] = error
    for child in node.children.values():
        fail(child, row, error)
    return row


def unwrapped(answer: Any, entity: str) -> Any:
    """The entity in an answer that may wrap it in its only member.

    Pages show a member with the type's name, or ``value``, where the metadata has a bare entity
    (questions.md, point 15; graph-lifecycle-api.md, row 49).

    Args:
        answer: as the service gave it.
        entity: the name of the type.
    """
    if not isinstance(answer, Mapping):
        return answer
    members = [name for name in answer if not name.startswith("@")]
    names = (entity[:1].lower() + entity[1:], "value")
    if len(members) == 1 and members[0] in names and isinstance(answer[members[0]], dict):
        return answer[members[0]]
    return answer
