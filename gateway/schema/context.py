"""What the resolvers of one operation share."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLResolveInfo

from gateway.graph.caller import ANONYMOUS, Caller
from gateway.graph.client import Usage
from gateway.graph.engine import Engine
from gateway.odata.plan import edge_key
from gateway.odata.planner import Planner
from gateway.schema.entity import Row, read
from gateway.schema.selection import arguments_of, operation_selection


@dataclass(slots=True)
class Context:
    """One operation: it is planned and run once, by the first root field that is resolved.

    Attributes:
        engine: runs the plan.
        planner: makes it.
        caller: who asks.
        usage: counts what is sent upstream.
        allow_resume: whether task results may be resumed.
    """

    engine: Engine
    planner: Planner
    caller: Caller = ANONYMOUS
    usage: Usage = field(default_factory=Usage)
    allow_resume: bool = True
    _answer: "asyncio.Task[Row] | None" = None
    _keys: dict[int, str] = field(default_factory=dict)

    async def answer(self, info: GraphQLResolveInfo[Any]) -> Any:
        """The stitched value of the root field that ``info`` describes.

        Raises:
            GatewayError: this root field failed.
        """
        if self._answer is None:
            plan = self.planner.plan(operation_selection(info))
            run = self.engine.run(plan, self.caller, self.usage)
            self._answer = asyncio.create_task(run)
        root = await self._answer
        return read(root, self.key(info))

    def key(self, info: GraphQLResolveInfo[Any]) -> str:
        """The key that the edge which ``info`` describes is stitched under.

        It is the same for all rows, so it is made once for each field of the document.
        """
        node = info.field_nodes[0]
        key = self._keys.get(id(node))
        if key is None:
            key = self._keys[id(node)] = edge_key(info.field_name, arguments_of(info))
        return key
