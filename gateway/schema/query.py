"""Query: what can be read. Its fields but two are declared with the resources they lead to."""

import strawberry

from gateway.internals import argument, field
from gateway.plan.model import Navigation, Shape, Strategy
from gateway.schema.counting import MOST
from gateway.schema.declare import edge_metadata
from gateway.schema.failures import Failures, count_failures
from gateway.schema.relay import Node


@strawberry.type(description="What can be read.")
class Query:
    """The root of queries. Each field fetches what is selected below it in as few requests as
    possible; all fields of an operation are fetched together."""

    node: Node | None = field(
        description="Any object by its global id.",
        resolver=None,
        arguments=[argument("node_id", strawberry.ID, "The `nodeId` of the object.")],
        metadata=edge_metadata(
            lambda name: Navigation(
                name=name,
                target="",
                shape=Shape.SINGLE,
                strategies=(Strategy.REQUEST,),
                by_node_id="nodeId",
            )
        ),
    )
    failures: Failures | None = strawberry.field(
        resolver=count_failures,
        description=(
            "The failed task results of a period, counted by reason, task, workflow or day. Costs "
            f"as much as `taskProcessingResults` for all of them; at most {MOST:,} are counted."
        ),
    )
