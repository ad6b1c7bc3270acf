"""Bounds on what one answer may hold, whatever the operation multiplies: errors, objects, bytes."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    ExecutionResult,
    GraphQLError,
    GraphQLField,
    GraphQLLeafType,
    GraphQLObjectType,
    GraphQLOutputType,
    OperationType,
    get_argument_values,
    is_non_null_type,
    located_error,
)

from gateway.answer.partial import AnsweringPartially
from gateway.errors import AnswerTooLarge, BadUserInput, GatewayError, without_frames
from gateway.internals import ExecutionContext, FieldDetailsList, GraphQLResolveInfoHelpers, Path
from gateway.plan.nodes import edge_key
from gateway.plan.rows import ROWS, Row

_FIELD = 16
"""Bytes that a field of an answer has, about, beside its name and its text."""


async def _gather(awaitables: Sequence[Awaitable[Any]]) -> list[Any]:
    return await asyncio.gather(*awaitables)


_NO_HELPERS = GraphQLResolveInfoHelpers(gather=_gather, track=lambda _: None)


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most that one answer may have.

    Attributes:
        errors: errors that are listed; one more entry says how many there are beside.
        objects: objects, each counted wherever it stands.
        bytes: bytes of JSON, about: characters of text and the names of fields.
    """

    errors: int = 100
    objects: int = 1_000_000
    bytes: int = 256_000_000


class Ledger:
    """Counts the objects and bytes of one answer before they are written.

    Args:
        bounds: what the answer may have.
    """

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self.objects = 0
        self.bytes = 0

    def add(self, objects: int, size: int) -> None:
        """Count objects, and bytes.

        Raises:
            AnswerTooLarge: the answer is beyond a bound.
        """
        self.objects += objects
        self.bytes += size
        if self.objects > self._bounds.objects:
            raise AnswerTooLarge(
                "objects", limit=self._bounds.objects, setting="GATEWAY_MAX_ANSWER_OBJECTS"
            )
        if self.bytes > self._bounds.bytes:
            raise AnswerTooLarge(
                "bytes", limit=self._bounds.bytes, setting="GATEWAY_MAX_ANSWER_BYTES"
            )


class Bounded(AnsweringPartially):
    """graphql-core's executor, with bounds on the answer.

    An argument that breaks a rule is one error for each field of the document, at the first place
    that the field has in the answer; the field is null at the others. Of all errors, the first are
    listed, and the others counted, which costs next to nothing. An answer that is too large is
    ``data: null`` and one error; in a mutation, which has changed things, the fields that do not
    fit are null.
    """

    bounds: Bounds = Bounds()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # They lead back to the executor; no resolver of this schema asks for them.
        self.async_helpers = _NO_HELPERS
        self.ledger = Ledger(self.bounds)
        self._left_out = 0
        self._told: set[int] = set()
        self._keys: dict[int, str] = {}
        self._sizes: dict[tuple[str, int], int] = {}
        self._too_large: GraphQLError | None = None
        self._counted = False

    # --- errors ----------------------------------------------------------------------------

    def skips(self, error: BaseException, details: FieldDetailsList) -> bool:
        """Whether an error of a field that may be null need not be made; if so, it is counted."""
        refused = _refused_field(error, details)
        if refused in self._told:
            return True
        if not self._is_full:
            return False
        if refused is not None:
            self._told.add(refused)
        self._left_out += 1
        return True

    def handle_field_error(
        self,
        raw_error: Exception,
        return_type: GraphQLOutputType,
        field_details_list: FieldDetailsList,
        path: Path,
    ) -> None:
        """Collect an error, or raise it where null may not stand in the place of the value."""
        cause = _cause(raw_error)
        query = self.operation.operation is OperationType.QUERY
        if self.error_propagation and is_non_null_type(return_type):
            # What is told nowhere needs no place; the operation itself has none either way.
            if path.prev is not None and (self._too_large is not None or self._is_full):
                raise raw_error
        elif self._too_large is not None:
            return
        elif query and isinstance(cause, AnswerTooLarge):
            nodes = [details.node for details in field_details_list]
            self._too_large = located_error(raw_error, nodes, path.as_list())
            without_frames(raw_error)
            return
        elif self.skips(raw_error, field_details_list):
            return
        elif (refused := _refused_field(raw_error, field_details_list)) is not None:
            self._told.add(refused)
        super().handle_field_error(raw_error, return_type, field_details_list, path)
        if isinstance(cause, GatewayError | GraphQLError):
            without_frames(raw_error)

    def list_error(self, error: GraphQLError, path: Path) -> None:
        """List an error at the path of a value that stands, or count it."""
        if self._is_full:
            self._left_out += 1
        else:
            super().list_error(error, path)

    def execute_field(
        self,
        parent_type: GraphQLObjectType,
        source: Any,
        field_details_list: FieldDetailsList,
        path: Path,
        position_context: Any,
    ) -> Any:
        """Resolve a field; one of which the error need not be made is null at once."""
        if (self._told or self._is_full) and isinstance(source, ROWS):
            error = self._stitched_error(parent_type, source, field_details_list)
            if error is not None and self.skips(error, field_details_list):
                return None
        return super().execute_field(
            parent_type, source, field_details_list, path, position_context
        )

    def _stitched_error(
        self, parent: GraphQLObjectType, source: Row, details: FieldDetailsList
    ) -> Exception | None:
        """The error that a row holds in the place of the value of a field that may be null."""
        key = self._keys.get(id(details[0].node))
        if key is None:
            definition = self.schema.get_field(parent, details[0].node.name.value)
            if definition is None or is_non_null_type(definition.type):
                return None
            key = self._keys[id(details[0].node)] = self.edge_key(definition, details)
        value = source.get(key)
        return value if isinstance(value, Exception) else None

    def edge_key(self, definition: GraphQLField, details: FieldDetailsList) -> str:
        """The key that an edge is stitched under."""
        node, _, of_fragment = details[0]
        arguments = get_argument_values(definition, node, self.variable_values, of_fragment)
        return edge_key(node.name.value, arguments)

    @property
    def _is_full(self) -> bool:
        return len(self.collected_errors.errors) >= self.bounds.errors

    def build_response(self, data: dict[str, Any] | None) -> Any:
        """The result, with what was left out of its errors."""
        most, errors = self.bounds.errors, self.collected_errors.errors
        if self._too_large is not None:
            return ExecutionResult(None, [self._too_large])
        if len(errors) > most:
            self._left_out += len(errors) - most
            errors[most - 1 :] = errors[-1:]
        if self._left_out:
            errors.append(
                GraphQLError(
                    f"{self._left_out} more errors are left out (setting GATEWAY_MAX_ERRORS)",
                    extensions={
                        "code": "ERRORS_LEFT_OUT",
                        "leftOut": self._left_out,
                        "limit": most,
                        "setting": "GATEWAY_MAX_ERRORS",
                    },
                )
            )
        return super().build_response(data)

    # --- objects and bytes -----------------------------------------------------------------

    def counted(self, complete: Callable[[], Any]) -> Any:
        """The value that ``complete`` returns; what it completes is in the ledger already."""
        before, self._counted = self._counted, True
        try:
            return complete()
        finally:
            self._counted = before

    def complete_object_value(
        self,
        return_type: GraphQLObjectType,
        field_details_list: FieldDetailsList,
        info: Any,
        path: Path,
        result: Any,
        position_context: Any,
    ) -> Any:
        """Complete an object, and count it."""
        if not self._counted:
            self.ledger.add(1, self._fixed(return_type, field_details_list))
        return super().complete_object_value(
            return_type, field_details_list, info, path, result, position_context
        )

    def _fixed(self, type_: GraphQLObjectType, details: FieldDetailsList) -> int:
        """Bytes that an object has, about, before its texts."""
        key = (type_.name, id(details))
        size = self._sizes.get(key)
        if size is None:
            fields = self.collect_subfields(type_, details).grouped_field_set
            size = self._sizes[key] = sum(len(name) + _FIELD for name in fields)
        return size

    def complete_leaf_value(  # type: ignore[override]
        self, return_type: GraphQLLeafType, result: Any
    ) -> Any:
        """Complete a leaf, and count the text that it is.

        Objects and lists are no leaves of this schema. graphql-core would print all of one in its
        error, however large or deep it is.
        """
        if isinstance(result, dict | list):
            begin, end = "{}" if isinstance(result, dict) else "[]"
            inside = "…" if result else ""
            raise GraphQLError(f"{return_type.name} cannot represent value: {begin}{inside}{end}")
        if not self._counted and isinstance(result, str):
            self.ledger.add(0, len(result))
        return ExecutionContext.complete_leaf_value(return_type, result)


def bounded(bounds: Bounds | None) -> type[Bounded]:
    """The class to pass to Strawberry as ``execution_context_class``."""
    return type("Bounded", (Bounded,), {"bounds": bounds or Bounds()})


def _cause(error: BaseException) -> BaseException:
    while isinstance(error, GraphQLError) and error.original_error is not None:
        error = error.original_error
    return error


def _refused_field(error: BaseException, details: FieldDetailsList) -> int | None:
    """The field of the document whose argument an error is about, if it is about one."""
    if not isinstance(_cause(error), BadUserInput):
        return None
    located = error.nodes if isinstance(error, GraphQLError) else None
    return id(located[0] if located else details[0].node)
