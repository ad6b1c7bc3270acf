"""Turns a selection into the source of one Python function, and that into a function.

For the rows `{ id name status author { name } }` of a list, it writes

    def make(keys, hole, holes):
        def objects0(rows):
            out = []
            append = out.append
            for row in rows:
                try:
                    v0 = row.id
                    v1 = row.name
                    v2 = enum0[row.status]
                    v3 = row.author
                    if type(v0) is not str or (type(v1) is not str and v1 is not None):
                        raise Unusual
                except Exception:
                    try:
                        v0, v1, v2 = careful0(row)
                        v3 = row.get('author')
                    except Exception:
                        append(hole(0, row))
                        continue
                …
                append(object0(v0, v1, v2, v3))
            return out
        return objects0

where ``object0`` is a Struct, which the garbage collector does not look at.

The values of a row are checked before anything below it is read. A row that the quick way does
not take (a value is missing, an enum member is unknown, it is a dict) is read again with
graphql-core's own coercion of leaves; a row that does not pass that either is a hole, which
graphql-core fills.
Nothing of a caller is in the source but the response keys, as literals; what arguments make comes
in ``keys``.
"""

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from graphql import (
    GRAPHQL_MAX_INT,
    GRAPHQL_MIN_INT,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLID,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLString,
    Undefined,
)
from msgspec import UNSET, Struct, defstruct

from gateway.answer.readings import Readings, TypeName
from gateway.answer.selections import Field, Selection, Wrapped
from gateway.odata.partial import Partial
from gateway.plan.rows import ROWS, attribute_of

_UNCHANGED: dict[Any, type] = {GraphQLID: str, GraphQLString: str, GraphQLBoolean: bool}
_OBJECT = 400
"""What a type takes, in characters of source that take as much."""
_numbers = itertools.count(1)


class Unusual(Exception):
    """A value is not what it nearly always is."""


@dataclass(slots=True, eq=False)
class Hole:
    """A place in a response that is left to graphql-core.

    Attributes:
        place: number of the field that leads there.
        source: the row that belongs there; in the place of no list's item, the row that it is in.
    """

    place: int
    source: Any


@dataclass(frozen=True, slots=True)
class Compiled:
    """A selection's function, before it is bound to one operation.

    Attributes:
        make: takes the edges' keys by place, a maker of holes, and the list of holes made.
        source: of ``make``.
        objects: the types of the objects that it makes.
    """

    make: Callable[[list[str], Callable[[int, Any], Hole], list[Hole]], Callable[..., Any]]
    source: str
    objects: Sequence[type[Struct]]

    @property
    def weight(self) -> int:
        """Its size, in characters of source."""
        return len(self.source) + _OBJECT * len(self.objects)


def compile_selection(selection: Selection, readings: Readings, *, listed: bool) -> Compiled:
    """Compile a selection.

    Args:
        selection: what is selected.
        readings: what the schema tells of itself.
        listed: whether the function takes a list of rows; otherwise one row, twice.
    """
    writer = _Writer(readings)
    name = (writer.objects if listed else writer.object)({selection.type.name: selection}, None, 0)
    keys = [
        f"    k{place} = keys[{place}]; a{place} = attribute_of(k{place})" for place in writer.edges
    ]
    lines = ["def make(keys, hole, holes):", *keys, *writer.lines, f"    return {name}", ""]
    source = "\n".join(lines)
    file = f"<projection {next(_numbers)} of {selection.type.name}>"
    exec(compile(source, file, "exec"), writer.names)  # noqa: S102 - literals are written by repr
    return Compiled(writer.names["make"], source, writer.objects_made)


@dataclass(slots=True, eq=False)
class _Read:
    """The source lines that read one row.

    Attributes:
        lines: that read it.
        checks: conditions of which none may hold.
        variables, again: of the leaves, and how each is read if the lines fail.
        entries: expressions of the values in the response.
    """

    lines: list[str] = dataclasses.field(default_factory=list)
    checks: list[str] = dataclasses.field(default_factory=list)
    variables: list[str] = dataclasses.field(default_factory=list)
    again: list[Callable[[Any], Any]] = dataclasses.field(default_factory=list)
    entries: list[str] = dataclasses.field(default_factory=list)

    def checked(self, row: str) -> list[str]:
        """The lines, with the checks after them."""
        checks = self.checks
        if not any(f"{row}." in line or f"({row}, a" in line for line in self.lines):
            checks = [f"not isinstance({row}, ROWS)", *checks]
        if not checks:
            return self.lines
        return [*self.lines, f"if {' or '.join(checks)}:", "    raise Unusual"]


class _Writer:
    """Writes the functions of one selection, the inner ones first."""

    def __init__(self, readings: Readings) -> None:
        self._readings = readings
        self._place = 0
        self._numbers = itertools.count()
        self.names: dict[str, Any] = {
            "Unusual": Unusual,
            "ROWS": ROWS,
            "UNSET": UNSET,
            "attribute_of": attribute_of,
        }
        self.lines: list[str] = []
        self.edges: list[int] = []
        self.objects_made: list[type[Struct]] = []

    def object(self, targets: dict[str, Selection], abstract: Any, place: int) -> str:
        """The name of a function of a row, and of the row that a hole would belong to."""
        if abstract is not None:
            return self._of_any(targets, abstract, place)
        (selection,) = targets.values()
        name = f"object{next(self._numbers)}"
        body, response = self._body(selection, [f"return hole({place}, source)"])
        self._define(f"{name}(row, source)", [*body, f"return {response}"])
        return name

    def objects(self, targets: dict[str, Selection], abstract: Any, place: int) -> str:
        """The name of a function of a list of rows."""
        name = f"objects{next(self._numbers)}"
        body: list[str] = []
        if abstract is not None:
            response = f"{self._of_any(targets, abstract, place)}(row, row)"
        else:
            (selection,) = targets.values()
            body, response = self._body(selection, [f"append(hole({place}, row))", "continue"])
        self._define(
            f"{name}(rows)",
            [
                "out = []",
                "append = out.append",
                "for row in rows:",
                *_indented([*body, f"append({response})"]),
                "return out",
            ],
        )
        return name

    def _of_any(self, targets: dict[str, Selection], abstract: Any, place: int) -> str:
        """A function of a row whose type the row tells; it makes one hole or none."""
        number = next(self._numbers)
        tell = self._readings.type_name(abstract)
        assert tell is not None  # noqa: S101 - otherwise it was not selected
        named = self._constant("named", partial(_named, tell, frozenset(targets)))
        objects = {
            name: self.object({name: selection}, None, place) for name, selection in targets.items()
        }
        choice = ", ".join(f"{name!r}: {function}" for name, function in objects.items())
        self.lines.append(f"    choice{number} = {{{choice}}}")
        self._define(
            f"any{number}(row, source)",
            [
                "try:",
                f"    project = choice{number}[{named}(row)]",
                "except Exception:",
                f"    return hole({place}, source)",
                "before = len(holes)",
                "value = project(row, row)",
                "if len(holes) > before:",
                "    del holes[before:]",
                f"    return hole({place}, source)",
                "return value",
            ],
        )
        return f"any{number}"

    def _body(self, selection: Selection, fail: list[str]) -> tuple[list[str], str]:
        """Lines that read what is selected of ``row``, and the expression of its response."""
        read = _Read()
        again: list[str] = []
        below: list[str] = []
        for field in selection.fields:
            if field.targets is None:
                self._leaf(selection, field, "row", read)
                continue
            self._place += 1
            variable = f"v{next(self._numbers)}"
            key = field.reading.key if field.reading else ""
            value = f"row.{attribute_of(key)}" if key else ""
            key = repr(key)
            if field.reading is not None and field.reading.edge:
                key = f"k{self._place}"
                value = f"getattr(row, a{self._place})"
                self.edges.append(self._place)
            read.entries.append(variable)
            read.lines.append(f"{variable} = {value}")
            again.append(f"{variable} = row.get({key})")
            below += self._below(field, variable)
        careful = self._constant("careful", partial(_careful, read.again))
        into = f"{', '.join(read.variables)}, = " if read.variables else ""
        lines = [
            "try:",
            *_indented(read.checked("row")),
            "except Exception:",
            "    try:",
            *_indented([f"{into}{careful}(row)", *again], 2),
            "    except Exception:",
            *_indented(fail, 2),
            *below,
        ]
        return lines, self._response(selection, read)

    def _response(self, selection: Selection, read: _Read) -> str:
        """The expression of the response object."""
        names = {field.at: field.name for field in selection.fields}
        fields = [(at, Any) for at in names]
        made = defstruct("Object", fields, rename=names.get, gc=False, eq=False)
        self.objects_made.append(made)
        return f"{self._constant('response', made)}({', '.join(read.entries)})"

    def _below(self, field: Field, variable: str) -> list[str]:
        """Lines that turn the rows in ``variable`` into their response."""
        place, type_, targets = self._place, field.type, field.targets or {}
        abstract = type_.named if field.target is None else None
        if type_.listed:
            function = self.objects(targets, abstract, place)
            lines = [
                f"{variable} = {function}({variable}) if type({variable}) is list "
                f"else hole({place}, row)"
            ]
        else:
            function = self.object(targets, abstract, place)
            # An error in its place is told at once, without an exception.
            lines = [
                f"{variable} = {function}({variable}, row) if isinstance({variable}, ROWS) "
                f"else hole({place}, row)"
            ]
            if field.target is not None and not field.target.composites:
                lines = self._inline(field.target, variable, lines)
        if type_.non_null:
            return lines
        return [
            f"if {variable} is UNSET:",
            f"    {variable} = None",
            f"elif {variable} is not None:",
            *_indented(lines),
        ]

    def _inline(self, selection: Selection, row: str, otherwise: list[str]) -> list[str]:
        """An object of leaves is read in place, which saves a call."""
        read = _Read()
        for field in selection.fields:
            self._leaf(selection, field, row, read)
        quick = [*read.checked(row), f"{row} = {self._response(selection, read)}"]
        return ["try:", *_indented(quick), "except Exception:", *_indented(otherwise)]

    def _leaf(self, selection: Selection, field: Field, row: str, read: "_Read") -> None:
        """Add a leaf of ``row`` to what is read."""
        reading, type_ = field.reading, field.type
        if reading is None:
            read.entries.append(repr(selection.type.name))
            return
        variable = f"v{next(self._numbers)}"
        value = f"{row}.{attribute_of(reading.key)}" if reading.key else ""
        if reading.function is not None:
            value = f"{self._constant('computed', reading.function)}({row})"
        exact = _UNCHANGED.get(type_.named) or self._readings.unchanged(type_.named)
        check = None
        if type_.listed:
            value = f"{self._constant('leaves', _completion(field.definition.type))}({value})"
        elif isinstance(type_.named, GraphQLEnumType):
            value = f"{self._constant('enum', _members(type_))}[{value}]"
        elif exact is not None:
            check = f"type({variable}) is not {exact.__name__}"
        elif type_.named is GraphQLInt:
            bounds = f"{GRAPHQL_MIN_INT} <= {variable} <= {GRAPHQL_MAX_INT}"
            check = f"(type({variable}) is not int or not {bounds})"
        else:
            value = f"{self._constant('leaf', _completion(field.definition.type))}({value})"
        read.lines.append(f"{variable} = {value}")
        if check is not None:
            read.checks.append(check if type_.non_null else f"({check} and {variable} is not None)")
        read.variables.append(variable)
        read.again.append(_careful_leaf(field))
        read.entries.append(variable)

    def _constant(self, prefix: str, value: Any) -> str:
        name = f"{prefix}{next(self._numbers)}"
        self.names[name] = value
        return name

    def _define(self, signature: str, body: list[str]) -> None:
        self.lines += _indented([f"def {signature}:", *_indented(body)])


def _indented(lines: list[str], levels: int = 1) -> list[str]:
    return ["    " * levels + line for line in lines]


def _named(tell: TypeName, known: frozenset[str], row: Any) -> str:
    return tell(row, known)


def _members(type_: Wrapped) -> dict[Any, str | None]:
    """The texts that the service writes for the members of an enum, by name."""
    members: dict[Any, str | None] = {} if type_.non_null else {None: None}
    for value in type_.named.values.values():
        if isinstance(value.value, str):
            members[value.value] = type_.named.coerce_output_value(value.value)
    return members


def _careful(readers: list[Callable[[Any], Any]], row: Any) -> list[Any]:
    """The leaves of a row, or an exception."""
    if not isinstance(row, ROWS):
        raise Unusual
    return [read(row) for read in readers]


def _careful_leaf(field: Field) -> Callable[[Any], Any]:
    reading, complete = field.reading, _completion(field.definition.type)
    assert reading is not None  # noqa: S101 - __typename is not read
    function = reading.function
    if function is not None:
        return lambda row: complete(function(row))
    key = reading.key
    return lambda row: complete(row.get(key))


def _completion(type_: Any) -> Callable[[Any], Any]:
    """The response form of a leaf, or of a list of leaves; an exception if it has an error."""
    if isinstance(type_, GraphQLNonNull):
        return partial(_non_null, _completion(type_.of_type))
    if isinstance(type_, GraphQLList):
        return partial(_items, _completion(type_.of_type))
    return partial(_coerced, type_.coerce_output_value)


def _non_null(complete: Callable[[Any], Any], value: Any) -> Any:
    if value is None:
        raise Unusual
    return complete(value)


def _items(complete: Callable[[Any], Any], value: Any) -> Any:
    if value is None:
        return None
    if type(value) is not list:
        raise Unusual
    return [complete(item) for item in value]


def _coerced(coerce: Callable[[Any], Any], value: Any) -> Any:
    if value is None:
        return None
    if value is Undefined or isinstance(value, Exception | Partial):
        raise Unusual
    coerced = coerce(value)
    if coerced is None or coerced is Undefined:
        raise Unusual
    return coerced
