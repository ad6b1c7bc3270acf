"""The failed task results that `failures` counts, read as `taskProcessingResults` reads them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLSchema, OperationDefinitionNode, parse

from gateway.internals import VariableValues
from gateway.plan.nodes import edge_key
from gateway.plan.planner import QUERY, SelectedField
from gateway.schema.selection import AstField, AstSelection, Operation

FIELD = "failures"
MOST = 10_000
"""Failures that are counted; of more, the newest."""
_DOCUMENT = """query { taskProcessingResults(first: $first, after: $after,
    startedAfter: $startedAfter, startedBefore: $startedBefore, workflowFilter: $workflowFilter,
    filter: { processingStatus: { eq: FAILED } }) {
    nodes { createdDateTime failureReason subject { id } task { taskDefinitionId displayName }
        workflow { id displayName } }
    pageInfo { hasNextPage endCursor } unread { workflowId runId code message } } }"""
[_OPERATION] = parse(_DOCUMENT).definitions


def page_of(
    schema: GraphQLSchema, given: Mapping[str, Any], first: int, after: str | None = None
) -> AstSelection:
    """A query for a page of the results that a field `failures` counts.

    Args:
        schema: of the operation.
        given: the field's coerced arguments.
        first: rows of the page.
        after: the cursor behind which it begins.
    """
    assert isinstance(_OPERATION, OperationDefinitionNode)  # noqa: S101 - so it is written above
    variables = VariableValues({}, {**given, "first": first, "after": after})
    return AstSelection(Operation(schema, {}, variables), _OPERATION.selection_set)


def key_of(page: AstSelection) -> str:
    """The key that such a page is stitched under."""
    [found] = page.fields(QUERY)
    return edge_key(found.name, found.arguments)


@dataclass(frozen=True, slots=True)
class Counted:
    """The root selection set of an operation, with the first page of what its fields `failures`
    count.

    Attributes:
        selection: as it is written.
        first: rows of a page.
    """

    selection: AstSelection
    first: int

    def fields(self, type_name: str) -> Iterable[SelectedField]:
        """See `gateway.plan.planner.Selection`."""
        schema = self.selection.operation.schema
        for selected in self.selection.fields(type_name):
            yield selected
            if selected.name == FIELD and type_name == QUERY:
                found: Iterable[AstField] = page_of(
                    schema, selected.arguments, min(self.first, MOST)
                ).fields(QUERY)
                yield from found
