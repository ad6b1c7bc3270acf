"""What the resolvers of one operation share."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cachetools import LRUCache
from graphql import GraphQLResolveInfo, OperationDefinitionNode

from gateway.graph.caller import ANONYMOUS, Caller
from gateway.graph.client import Usage
from gateway.graph.engine import Engine
from gateway.graph.rows import unlink
from gateway.odata.address import Address
from gateway.odata.plan import Plan, edge_key
from gateway.odata.planner import Planner
from gateway.schema.entity import Row, read
from gateway.schema.selection import arguments_of, coerced_variables, operation_selection

# A plan takes about 1 kB for each field; this is what all kept plans may have together.
_KEPT = 20_000
_LONGEST_VARIABLES = 10_000


class Plans:
    """The plans of operations, kept by the operation's syntax tree and its variables.

    Args:
        planner: makes plans.
    """

    def __init__(self, planner: Planner) -> None:
        self.planner = planner
        # The tree is kept with the plan, so that its identity in the key stays its own.
        self._kept: LRUCache[tuple[int, str], tuple[OperationDefinitionNode, Plan]] = LRUCache(
            _KEPT, getsizeof=lambda kept: kept[1].size
        )

    def of(self, info: GraphQLResolveInfo[Any]) -> Plan:
        """The plan of the operation that ``info`` belongs to."""
        variables = repr(coerced_variables(info))
        if len(variables) > _LONGEST_VARIABLES:
            return self.planner.plan(operation_selection(info))
        key = id(info.operation), variables
        kept = self._kept.get(key)
        if kept is not None:
            return kept[1]
        plan = self.planner.plan(operation_selection(info))
        if plan.size <= self._kept.maxsize:
            self._kept[key] = info.operation, plan
        return plan


@dataclass(slots=True)
class Context:
    """One operation: it is planned and run once, by the first root field that is resolved.

    Attributes:
        engine: runs the plan.
        plans: makes it, or has it.
        caller: who asks.
        usage: counts what is sent upstream.
        allow_resume: whether task results may be resumed.
    """

    engine: Engine
    plans: Plans
    caller: Caller = ANONYMOUS
    usage: Usage = field(default_factory=Usage)
    allow_resume: bool = True
    _answer: "asyncio.Task[Row] | None" = None
    _rows: list[tuple[Plan, Row]] = field(default_factory=list)
    _keys: dict[int, str] = field(default_factory=dict)

    async def answer(self, info: GraphQLResolveInfo[Any]) -> Any:
        """The stitched value of the root field that ``info`` describes.

        Raises:
            GatewayError: this root field failed.
        """
        if self._answer is None:
            self._answer = asyncio.create_task(self.run(self.plans.of(info)))
        root = await self._answer
        return read(root, self.key(info))

    async def run(self, plan: Plan, fresh: Sequence[Address] = ()) -> Row:
        """The stitched root row of a plan; see `Engine.run`."""
        root = await self.engine.run(plan, self.caller, self.usage, fresh)
        self._rows.append((plan, root))
        return root

    def close(self) -> None:
        """Let go of the rows, once the answer is made."""
        self._answer = None
        while self._rows:
            plan, root = self._rows.pop()
            unlink(plan.root, root)

    def key(self, info: GraphQLResolveInfo[Any]) -> str:
        """The key that the edge which ``info`` describes is stitched under.

        It is the same for all rows, so it is made once for each field of the document.
        """
        node = info.field_nodes[0]
        key = self._keys.get(id(node))
        if key is None:
            key = self._keys[id(node)] = edge_key(info.field_name, arguments_of(info))
        return key
