"""The context that the resolvers of one operation share."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cachetools import LRUCache
from graphql import GraphQLResolveInfo, OperationDefinitionNode

from gateway.access.caller import ANONYMOUS, Caller
from gateway.graph.engine import Engine
from gateway.graph.session import Usage
from gateway.odata.address import Address
from gateway.plan.nodes import edge_key
from gateway.plan.planner import Planner
from gateway.plan.program import Program
from gateway.plan.rows import Row
from gateway.plan.stitch import unlink
from gateway.schema.counting import Counted
from gateway.schema.rows import read
from gateway.schema.selection import arguments_of, coerced_variables, operation_selection

CAPACITY = 32_000_000
"""Bytes that all kept plans have together, about."""
LONGEST_KEPT = 100_000
"""Characters of the longest document of which a plan is kept."""
_LONGEST_VARIABLES = 10_000
_BYTES_OF_A_FIELD = 1_000
_BYTES_OF_A_TOKEN = 300
_TOKENS_OF_A_FIELD = 10


class Plans:
    """The plans of operations, kept by the operation's syntax tree and its variables.

    Args:
        planner: makes plans.
        capacity: bytes that the kept plans have together; the one that was not asked for the
            longest makes room.
    """

    def __init__(self, planner: Planner, *, capacity: int | None = None) -> None:
        self.planner = planner
        # The tree is kept with the plan, so that its identity in the key stays its own.
        self._kept: LRUCache[tuple[int, str], tuple[OperationDefinitionNode, Program, int]] = (
            LRUCache(CAPACITY if capacity is None else capacity, getsizeof=lambda kept: kept[2])
        )

    @property
    def kept(self) -> int:
        """Bytes of all kept plans, about."""
        return int(self._kept.currsize)

    def of(self, info: GraphQLResolveInfo[Any]) -> Program:
        """The plan of the operation that ``info`` belongs to."""
        variables = repr(coerced_variables(info))
        text = info.operation.loc.source.body if info.operation.loc else ""
        if len(variables) > _LONGEST_VARIABLES or len(text) > LONGEST_KEPT:
            return self._made(info)
        key = id(info.operation), variables
        kept = self._kept.get(key)
        if kept is not None:
            return kept[1]
        plan = self._made(info)
        # The document may be kept for the plan alone, and literals are in both.
        size = (
            plan.size * _BYTES_OF_A_FIELD
            + 2 * sys.getsizeof(variables)
            + 2 * sys.getsizeof(text)
            + min(len(text) // 4, plan.size * _TOKENS_OF_A_FIELD) * _BYTES_OF_A_TOKEN
        )
        if size <= self._kept.maxsize:
            self._kept[key] = info.operation, plan, size
        return plan

    def _made(self, info: GraphQLResolveInfo[Any]) -> Program:
        return self.planner.plan(Counted(operation_selection(info), self.planner.max_first))


@dataclass(slots=True)
class Context:
    """One operation: it is planned and run once, by the first root field that is resolved.

    Attributes:
        engine: runs the plan.
        plans: makes it, or has it.
        caller: who asks.
        usage: counts what is sent upstream.
        allow_resume: whether task results may be resumed.
        wait_timeout: seconds to wait for an action that ends when its work is done.
    """

    engine: Engine
    plans: Plans
    caller: Caller = ANONYMOUS
    usage: Usage = field(default_factory=Usage)
    allow_resume: bool = True
    wait_timeout: float = 300.0
    _answer: "asyncio.Task[Row] | None" = None
    _rows: list[tuple[Program, Row]] = field(default_factory=list)
    _keys: dict[int, str] = field(default_factory=dict)

    async def answer(self, info: GraphQLResolveInfo[Any]) -> Any:
        """The stitched value of the root field that ``info`` describes.

        Raises:
            GatewayError: this root field failed.
        """
        return read(await self.root(info), self.key(info))

    async def root(self, info: GraphQLResolveInfo[Any]) -> Row:
        """The stitched root row of the operation that ``info`` belongs to."""
        if self._answer is None:
            with self.usage.stages.of("plan"):
                plan = self.plans.of(info)
            self._answer = asyncio.create_task(self.run(plan))
        return await self._answer

    async def run(self, plan: Program, fresh: Sequence[Address] = ()) -> Row:
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


async def answer_root(_root: None, info: GraphQLResolveInfo[Any], **_arguments: Any) -> Any:
    """Resolves a root field of a query: its stitched value."""
    return await info.context.answer(info)


def answer_edge(row: Any, info: GraphQLResolveInfo[Any], **_arguments: Any) -> Any:
    """Resolves an edge: the value in ``row`` under the key that its arguments make."""
    return read(row, info.context.key(info))
