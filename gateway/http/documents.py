"""What can be told of a document before it is executed."""

from dataclasses import dataclass
from functools import lru_cache

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
)

MAX_DEPTH = 50


@dataclass(frozen=True, slots=True)
class Shape:
    """How many operations a document has, and how deep its fields are nested."""

    operations: int
    depth: int


@lru_cache(maxsize=1024)
def shape_of(query: str) -> Shape | None:
    """The shape of a document; ``None`` if it can't be parsed.

    Nesting beyond what can be parsed is told as a depth beyond `MAX_DEPTH`.
    """
    try:
        document = parse(query)
        operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
        return Shape(len(operations), _Depth(document).of_operations(operations))
    except RecursionError:
        return Shape(1, MAX_DEPTH + 1)
    except GraphQLError:
        return None


class _Depth:
    """Measures depth in time linear in the document: each fragment is measured once."""

    def __init__(self, document: DocumentNode) -> None:
        self._fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self._measured: dict[str, int] = {}

    def of_operations(self, operations: list[OperationDefinitionNode]) -> int:
        return max((self._of(operation.selection_set) for operation in operations), default=0)

    def _of(self, selection_set: SelectionSetNode | None) -> int:
        deepest = 0
        for selection in selection_set.selections if selection_set else ():
            if isinstance(selection, FragmentSpreadNode):
                depth = self._of_fragment(selection.name.value)
            else:
                depth = self._of(getattr(selection, "selection_set", None))
                depth += isinstance(selection, FieldNode)
            deepest = max(deepest, depth)
        return deepest

    def _of_fragment(self, name: str) -> int:
        if name not in self._measured:
            self._measured[name] = 0  # A cycle ends here; validation refuses it.
            fragment = self._fragments.get(name)
            self._measured[name] = self._of(fragment.selection_set) if fragment else 0
        return self._measured[name]
