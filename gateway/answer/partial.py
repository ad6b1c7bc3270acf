"""Completes values that lack a part: graphql-core's executor with errors beside values."""

from typing import Any

from graphql import (
    GraphQLError,
    GraphQLObjectType,
    GraphQLOutputType,
    get_named_type,
    located_error,
)

from gateway.internals import ExecutionContext, FieldDetailsList, Path
from gateway.odata.partial import Partial


class AnsweringPartially(ExecutionContext):
    """An executor that knows `Partial` values."""

    def complete_value(
        self,
        return_type: GraphQLOutputType,
        field_details_list: FieldDetailsList,
        info: Any,
        path: Path,
        result: Any,
        position_context: Any,
    ) -> Any:
        """Complete a value; the error of a partial one is listed at its path."""
        if type(result) is Partial:
            if not self._tells(return_type, field_details_list, result.told_by):
                nodes = [details.node for details in field_details_list]
                error = result.error.with_traceback(None)
                self.list_error(located_error(error, nodes, path.as_list()), path)
            result = result.value
        return super().complete_value(
            return_type, field_details_list, info, path, result, position_context
        )

    def list_error(self, error: GraphQLError, path: Path) -> None:
        """List an error at the path of a value that stands.

        Unlike with ``collected_errors.add``, errors below the path are still listed.
        """
        if not self.collected_errors.has_nulled_position(path):
            self.collected_errors.errors.append(error)

    def _tells(
        self, return_type: GraphQLOutputType, details: FieldDetailsList, name: str | None
    ) -> bool:
        """Whether the field ``name`` is selected of a value."""
        type_ = get_named_type(return_type)
        if name is None or not isinstance(type_, GraphQLObjectType):
            return False
        selected = self.collect_subfields(type_, details).grouped_field_set.values()
        return any(fields[0].node.name.value == name for fields in selected)
