"""Documents: parsed, measured and validated once, and kept by their text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cachetools import LRUCache
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    parse,
)

from gateway.http.errors import Refused, bad_request
from gateway.http.limits import Limits, beyond

# A kept token with its node takes about 0.4 kB; this is what all kept documents have together.
_CAPACITY = 200_000
_CHARACTERS_OF_A_TOKEN = 32

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
            Refused: there is no such operation, or several and no name.
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
        capacity: tokens that the kept documents have together; the one that was not asked for
            the longest makes room.
    """

    def __init__(
        self, validate: Validate, limits: Limits | None = None, *, capacity: int = _CAPACITY
    ) -> None:
        self._validate = validate
        self._limits = limits or Limits()
        self._kept: LRUCache[str, Document] = LRUCache(capacity, getsizeof=_weight)

    def get(self, text: str) -> Document:
        """The document with this text.

        Raises:
            GraphQLSyntaxError: it can't be parsed.
            Refused: it is beyond a limit.
        """
        document = self._kept.get(text)
        if document is None:
            document = self._read(text)
            if _weight(document) <= self._kept.maxsize:
                self._kept[text] = document
        return document

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
            raise Refused(
                400,
                "DOCUMENT_TOO_COMPLEX",
                "the document has too many fields of the same name, or too many fragments, at one "
                "place to be compared with each other",
            )
        return Document(node, operations, errors)

    def _refusal(self, error: GraphQLSyntaxError) -> Refused | None:
        """The refusal that a parser's error stands for, if it stopped at a limit."""
        if error.message.startswith("Syntax Error: Document contains more than"):
            return beyond("tokens", self._limits.tokens)
        if error.message.startswith("Syntax Error: Document is nested too deeply"):
            return beyond("depth", self._limits.depth)
        return None


def _weight(document: Document) -> int:
    """Tokens of a document; long strings and comments count by their length."""
    location = document.node.loc
    length = location.end - location.start if location else 0
    tokens = int(getattr(document.node, "token_count", 0))
    return 1 + tokens + length // _CHARACTERS_OF_A_TOKEN
