"""Limits on what one document may ask for, measured before it is validated.

Validation and execution cost more than linear time in some documents: fragments that spread others
twice double with every level, and each alias is a field of its own. So one pass over the syntax
tree, linear in the document because each fragment is measured once, counts what the document would
be with every fragment written out where it is spread.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from gateway.errors import RequestRefused

_INTROSPECTION = ("__schema", "__type")
_PLUMBING = ("edges", "node", "nodes")


CONSTANT = {
    "root_fields": 100,
    "aliases": 250,
    "directives": 250,
    "fragment_spreads": 250,
    "introspection_fields": 300,
}
"""The most that any document may have; the keys are attributes of `Measures`."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one document may have of what settings decide.

    Attributes:
        tokens: lexical tokens; comments are counted by themselves, to the same limit.
        depth: levels of fields below each other.
        recursion: times that a field is selected below itself, as in ``runs { nodes { workflow {
            runs } } }``, which multiplies rows without any request upstream.
        fields: fields, each fragment counted wherever it is spread.
    """

    tokens: int
    depth: int
    recursion: int
    fields: int

    def check(self, document: DocumentNode) -> None:
        """Measure a document.

        Raises:
            RequestRefused: it has more of something than it may.
        """
        measured = measure(document)
        # The parser counts the tokens.
        own = {name: getattr(self, name) for name in ("depth", "recursion", "fields")}
        for name, limit in (own | CONSTANT).items():
            if getattr(measured, name) > limit:
                raise beyond(name, limit)


def beyond(name: str, limit: int) -> RequestRefused:
    """The refusal of a document that is beyond the limit called ``name``."""
    code, what = f"TOO_MANY_{name.upper()}", f"has more than {limit} {name.replace('_', ' ')}"
    if name == "depth":
        code, what = "DOCUMENT_TOO_DEEP", f"nests fields deeper than {limit} levels"
    elif name == "recursion":
        code, what = (
            "DOCUMENT_TOO_RECURSIVE",
            f"selects a field more than {limit} times below itself",
        )
    if name in CONSTANT:
        return RequestRefused(400, code, f"the document {what}", limit=limit)
    setting = f"GATEWAY_MAX_{name.upper()}"
    message = f"the document {what} (setting {setting})"
    return RequestRefused(400, code, message, limit=limit, setting=setting)


@dataclass(slots=True)
class Measures:
    """The measures of a document.

    Attributes:
        depth, recursion, fields: as for `Limits`.
        root_fields: fields of the operation itself, fragments counted wherever they are spread.
        aliases, directives, fragment_spreads: in the text of the document.
        introspection_fields: fields in and below ``__schema`` and ``__type``, counted likewise.
    """

    depth: int = 0
    recursion: int = 0
    fields: int = 0
    root_fields: int = 0
    aliases: int = 0
    directives: int = 0
    fragment_spreads: int = 0
    introspection_fields: int = 0


class _Size(NamedTuple):
    """A selection set with its fragments written out."""

    depth: int = 0
    fields: int = 0
    top: int = 0
    introspection: int = 0
    names: Mapping[str, int] = {}
    """The most often that each name of a field with a selection occurs on a path."""


def measure(document: DocumentNode) -> Measures:
    """Measure a document, in time linear in its length.

    The measures of a document with several operations are those of its largest one. A fragment
    that spreads itself, which validation refuses, counts up to there. Nesting that exhausts the
    stack is told as a depth beyond every limit.
    """
    measures = Measures()
    try:
        _measure(document, measures)
    except RecursionError:
        measures.depth = 1 << 31
    return measures


def _measure(document: DocumentNode, measures: Measures) -> None:
    walk = _Walk(document, measures)
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            measures.directives += len(definition.directives or ())
            for variable in definition.variable_definitions or ():
                measures.directives += len(variable.directives or ())
            size = walk.of(definition.selection_set)
            measures.depth = max(measures.depth, size.depth)
            times = max(size.names.values(), default=1)
            measures.recursion = max(measures.recursion, times - 1)
            measures.fields = max(measures.fields, size.fields)
            measures.root_fields = max(measures.root_fields, size.top)
            measures.introspection_fields = max(measures.introspection_fields, size.introspection)
        elif isinstance(definition, FragmentDefinitionNode):
            measures.directives += len(definition.directives or ())
            walk.of_fragment(definition.name.value)


class _Walk:
    """Sizes selection sets, and counts on the way what the text has."""

    def __init__(self, document: DocumentNode, measures: Measures) -> None:
        self._measures = measures
        self._fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self._sized: dict[str, _Size] = {}

    def of(self, selection_set: SelectionSetNode | None) -> _Size:
        return _sum(
            self._of_selection(selection)
            for selection in (selection_set.selections if selection_set else ())
        )

    def of_fragment(self, name: str) -> _Size:
        size = self._sized.get(name)
        if size is None:
            self._sized[name] = _Size()  # A cycle ends here; validation refuses it.
            fragment = self._fragments.get(name)
            size = self._sized[name] = self.of(fragment.selection_set) if fragment else _Size()
        return size

    def _of_selection(self, selection: object) -> _Size:
        measures = self._measures
        measures.directives += len(getattr(selection, "directives", None) or ())
        if isinstance(selection, FragmentSpreadNode):
            measures.fragment_spreads += 1
            return self.of_fragment(selection.name.value)
        below = self.of(getattr(selection, "selection_set", None))
        if not isinstance(selection, FieldNode):
            return below
        measures.aliases += selection.alias is not None
        count = 1 + below.fields
        name = selection.name.value
        if name in _INTROSPECTION:
            return _Size(1 + below.depth, count, 1, count)
        names = below.names
        if selection.selection_set is not None and name not in _PLUMBING:
            names = {**names, name: names.get(name, 0) + 1}
        return _Size(1 + below.depth, count, 1, below.introspection, names)


def _sum(sizes: Iterable[_Size]) -> _Size:
    depth = fields_ = top = introspection = 0
    names: dict[str, int] = {}
    for size in sizes:
        depth = max(depth, size.depth)
        fields_ += size.fields
        top += size.top
        introspection += size.introspection
        for name, times in size.names.items():
            names[name] = max(times, names.get(name, 0))
    return _Size(depth, fields_, top, introspection, names)
