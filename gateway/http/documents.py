"""Documents: parsed, measured and validated once, and kept by their text."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from cachetools import LRUCache
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSyntaxError,
    Node,
    OperationDefinitionNode,
    Token,
    parse,
)

from gateway.errors import RequestRefused
from gateway.http.errors import bad_request
from gateway.http.limits import Limits, beyond

CAPACITY = 16_000_000
"""Bytes that all kept documents have together, about."""
LONGEST_KEPT = 100_000
"""Characters of the longest document that is kept, or of which a plan is."""
_BYTES_OF_A_TOKEN = 300

# The budget of comparisons is that of the schema's `validate`.
_ABORTED = "Validation aborted."

Validate = Callable[[DocumentNode], Sequence[GraphQLError]]


@dataclass(frozen=True, slots=True)
class Document:
    """A document within the limits.

    Attributes:
        node: its syntax tree; the same object each time the same text is asked for.
        operations: its operations, in order.
        errors: why it is not valid; empty if it is.
    """

    node: DocumentNode
    operations: tuple[OperationDefinitionNode, ...]
    errors: tuple[GraphQLError, ...]

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """The operation that a request asks for (GraphQL, section 6.1, GetOperation).

        Args:
            name: ``operationName`` of the request.

        Raises:
            RequestRefused: there is no such operation, or several and no name.
        """
        if name is None:
            if len(self.operations) == 1:
                return self.operations[0]
            raise bad_request("the document must have one operation, or operationName must name it")
        for operation in self.operations:
            if operation.name is not None and operation.name.value == name:
                return operation
        raise bad_request("operationName names no operation of the document")


class Documents:
    """The documents of one schema.

    Args:
        validate: tells the validation errors of a document.
        limits: what a document may have.
        capacity: bytes that the kept documents have together; the one that was not asked for the
            longest makes room. Those that are very long or not valid are not kept.
    """

    def __init__(self, validate: Validate, limits: Limits, *, capacity: int = CAPACITY) -> None:
        self._validate = validate
        self._limits = limits
        self._kept: LRUCache[str, Document] = LRUCache(capacity, getsizeof=_size)

    def get(self, text: str) -> Document:
        """The document with this text.

        Raises:
            GraphQLSyntaxError: it can't be parsed.
            RequestRefused: it is beyond a limit.
        """
        document = self._kept.get(text)
        if document is None:
            document = self._read(text)
            keeps = len(text) <= LONGEST_KEPT and not document.errors
            if keeps and _size(document) <= self._kept.maxsize:
                _compact(document.node)
                self._kept[text] = document
        return document

    @property
    def kept(self) -> int:
        """Bytes of all kept documents, about."""
        return int(self._kept.currsize)

    def _read(self, text: str) -> Document:
        limit = self._limits.tokens
        try:
            node = parse(text, max_lexical_tokens=limit, max_comments=limit)
        except GraphQLSyntaxError as error:
            raise self._refusal(error) or error from None
        self._limits.check(node)
        operations = tuple(d for d in node.definitions if isinstance(d, OperationDefinitionNode))
        errors = tuple(self._validate(node))
        if any(error.message == _ABORTED for error in errors):
            raise RequestRefused(
                400,
                "DOCUMENT_TOO_COMPLEX",
                "the document has too many fields of the same name, or too many fragments, at one "
                "place to be compared with each other",
            )
        return Document(node, operations, errors)

    def _refusal(self, error: GraphQLSyntaxError) -> RequestRefused | None:
        """The refusal that a parser's error stands for, if it stopped at a limit."""
        if error.message.startswith("Syntax Error: Document contains more than"):
            return beyond("tokens", self._limits.tokens)
        if error.message.startswith("Syntax Error: Document is nested too deeply"):
            return beyond("depth", self._limits.depth)
        return None


def _size(document: Document) -> int:
    """Bytes of a document, about: its text, the copies of it in long literals, and its nodes."""
    source = document.node.loc.source.body if document.node.loc else ""
    tokens = int(getattr(document.node, "token_count", 0))
    return 1000 + 2 * sys.getsizeof(source) + tokens * _BYTES_OF_A_TOKEN


def _compact(document: DocumentNode) -> None:
    """Drop the tokens of a syntax tree, which is half of it; errors need the places alone.

    They lead to each other, and would be left to the garbage collector.
    """
    token = document.loc.start_token if document.loc else None
    pending: list[Any] = [document]
    while pending:
        node = pending.pop()
        if isinstance(node, Node):
            if node.loc is not None:
                node.loc.start_token = node.loc.end_token = cast(Token, None)
            pending += (getattr(node, name, None) for name in node.keys if name != "loc")
        elif isinstance(node, list | tuple):
            pending += node
    while token is not None:
        following = token.next
        token.prev = token.next = None
        token = following
