"""$filter: the documented operators on the documented properties, and nothing else.

Sources: graph-lifecycle-api.md section 3 (operators per member) and section 7, Query options
and URLs (literals; a null comparison drops the item).
"""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from odata_query import ast
from odata_query.exceptions import ODataException
from odata_query.grammar import ODataLexer, ODataParser

from gateway.sandbox.data.model import ENUMS, EntityType, Kind, Property, Row
from gateway.sandbox.data.timestamps import instant
from gateway.sandbox.errors import bad_request

Node = Any
"""A node of a parsed filter; the classes of odata_query.ast are too general to be named."""

Test = Callable[[Row], bool | None]
"""A compiled expression: maps a row to true, false, or None, which is OData's null."""

_OPERATORS: dict[type, tuple[str, Callable[[Any, Any], bool]]] = {
    ast.Eq: ("eq", operator.eq),
    ast.NotEq: ("ne", operator.ne),
    ast.Lt: ("lt", operator.lt),
    ast.LtE: ("le", operator.le),
    ast.Gt: ("gt", operator.gt),
    ast.GtE: ("ge", operator.ge),
    ast.In: ("in", lambda value, choices: value in choices),
}
_LITERALS: dict[Kind, Any] = {
    "string": ast.String,
    "datetime": ast.DateTime,
    "int": ast.Integer,
    "bool": ast.Boolean,
    "enum": ast.String,
    "flags": ast.String,
}
_STRING = r"'(?:[^']|'')*'"
_REWRITES = re.compile(
    rf"(?P<single>\bin\s*\(\s*(?:{_STRING}|[^\s,()']+)\s*)\)"
    rf"|(?P<has>\b\w+)\s+has\s+(?P<member>{_STRING})"
    rf"|(?P<reserved>\bhassubset\b)|(?P<negation>(?i:\bnot))(?=\()|{_STRING}"
)


@dataclass(frozen=True)
class Filter:
    """A compiled $filter; `ids` are the only ids that can match, if the filter names them."""

    test: Test
    ids: tuple[str, ...] | None = None

    def keeps(self, row: Row) -> bool:
        """Say whether a row stays."""
        return self.test(row) is True


def compile_filter(text: str, entity: EntityType, max_in: int | None = None) -> Filter:
    """Return the filter that `text` is, for rows of `entity`.

    `max_in` limits the values of one `in`. Raises a 400 GraphError for everything that is not
    documented for the entity.
    """
    try:
        tree = ODataParser().parse(ODataLexer().tokenize(_REWRITES.sub(_rewrite, text.strip())))
    except (ODataException, NotImplementedError) as error:
        raise bad_request(f"Invalid filter clause: {error}") from error
    compiler = _Compiler(entity.name, entity.properties, max_in)
    return Filter(compiler.boolean(tree), _ids_of(tree))


def _rewrite(match: re.Match[str]) -> str:
    # The parser knows no `has`, writes a list of one with a comma, and `not` with a blank.
    if match["negation"]:
        return "not "
    if match["reserved"]:
        raise bad_request("Invalid filter clause: unknown function 'hassubset'.")
    if match["single"]:
        return f"{match['single']},)"
    if match["has"]:
        return f"hassubset({match['has']},{match['member']})"
    return match[0]


def _ids_of(tree: Node) -> tuple[str, ...] | None:
    match tree:
        case ast.Compare(ast.Eq(), ast.Identifier("id", ()), ast.String(value)):
            return (value,)
        case ast.Compare(ast.In(), ast.Identifier("id", ()), ast.List(items)):
            return tuple(dict.fromkeys(item.py_val for item in items))
    return None


def comparable(member: Property, value: Any) -> Any:
    """Return a member's value so that it can be compared and sorted."""
    if value is None:
        return None
    if member.kind == "datetime":
        return instant(value)
    return ENUMS[member.enum].get(value, value) if member.kind == "enum" else value


class _Compiler:
    def __init__(
        self,
        entity: str,
        members: dict[str, Property],
        max_in: int | None = None,
        variable: str = "",
    ) -> None:
        self.entity = entity
        self.members = members
        self.max_in = max_in
        self.variable = variable

    def boolean(self, node: Node) -> Test:
        match node:
            case ast.BoolOp(op=ast.And()):
                return _all([self.boolean(operand) for operand in _operands(node)])
            case ast.BoolOp(op=ast.Or()):
                return _any([self.boolean(operand) for operand in _operands(node)])
            case ast.Compare(left=ast.UnaryOp(op=ast.Not(), operand=left)):
                # The parser binds `not` to the property instead of the comparison.
                return _negation(self.comparison(node.comparator, left, node.right))
            case ast.UnaryOp(op=ast.Not()):
                return _negation(self.boolean(node.operand))
            case ast.Compare():
                return self.comparison(node.comparator, node.left, node.right)
            case ast.Call(func=ast.Identifier(name="hassubset")):
                return self.has(*node.args)
            case ast.CollectionLambda(operator=ast.Any()) if node.lambda_:
                return self.any(node.owner, node.lambda_)
            case ast.Call():
                raise bad_request(f"The function '{node.func.name}' is not supported in $filter.")
        raise bad_request("Invalid filter clause: a comparison was expected.")

    def comparison(self, comparator: Node, left: Node, right: Node) -> Test:
        name, compare = _OPERATORS[type(comparator)]
        member, read = self.member(left, name)
        if isinstance(right, ast.Null):
            if name not in {"eq", "ne"}:
                raise bad_request(f"The operator '{name}' can't be applied to null in $filter.")
            return lambda row: (read(row) is None) == (name == "eq")
        expected: Any
        if name == "in":
            items = right.val if isinstance(right, ast.List) else []
            if self.max_in is not None and len(items) > self.max_in:
                raise bad_request(
                    f"Too many child clauses specified in search filter expression containing "
                    f"'in' operator: {len(items)}. Max allowed: {self.max_in}."
                )
            expected = frozenset(self.literal(member, item) for item in items)
        else:
            expected = self.literal(member, right)

        def test(row: Row) -> bool | None:
            value = comparable(member, read(row))
            return None if value is None else compare(value, expected)

        return test

    def has(self, left: Node, right: Node) -> Test:
        member, read = self.member(left, "has")
        wanted = self.literal(member, right)
        return lambda row: wanted in (read(row) or "").split(",")

    def any(self, owner: Node, condition: ast.Lambda) -> Test:
        member, read = self.member(owner, "any")
        # The members of the complex type `parameter`: section 4.
        names = ("name", "valueType")
        inner = {name: Property(name, "string", frozenset({"eq", "ne"})) for name in names}
        compiler = _Compiler(member.name, inner, variable=condition.identifier.name)
        test = compiler.boolean(condition.expression)
        return lambda row: any(test(item) is True for item in read(row) or ())

    def member(self, node: Node, name: str) -> tuple[Property, Callable[[Row], Any]]:
        path = _path_of(node)
        if path and self.variable:
            if path[0] != self.variable:
                raise bad_request(f"Could not find a variable named '{path[0]}' in $filter.")
            path = path[1:]
        member = self.members.get(path[0]) if path else None
        if member is None:
            raise bad_request(
                f"Could not find a property named '{'/'.join(path)}' on type '{self.entity}' "
                "in $filter."
            )
        through = path[1:]
        navigation = member.kind == "navigation"
        if name not in member.filter or through != (["id"] if navigation else []):
            raise bad_request(
                f"The operator '{name}' is not supported on '{'/'.join(path)}' in $filter."
            )
        key = member.name
        if navigation:
            identity = Property(key, "string", member.filter)
            return identity, lambda row: (row.get(key) or {}).get("id")
        return member, lambda row: row.get(key)

    def literal(self, member: Property, node: Node) -> Any:
        if type(node) is not _LITERALS.get(member.kind):
            raise bad_request(
                f"The literal compared with '{member.name}' in $filter is not of its type."
            )
        value = node.py_val if member.kind in {"int", "bool"} else node.val
        if member.kind == "datetime":
            try:
                return instant(value)
            except ValueError as error:
                raise bad_request(f"Invalid filter clause: {error}.") from error
        if member.kind in {"enum", "flags"}:
            if set(value.split(",")) - set(ENUMS[member.enum]):
                raise bad_request(f"'{value}' is not a member of {member.enum} in $filter.")
            return ENUMS[member.enum].get(value, value) if member.kind == "enum" else value
        return value


def _path_of(node: Node) -> list[str]:
    if isinstance(node, ast.Identifier):
        return [".".join((*node.namespace, node.name))]
    if isinstance(node, ast.Attribute):
        return [*_path_of(node.owner), node.attr]
    return []


def _operands(node: Node) -> list[Node]:
    """The operands of a chain like `a or b or c`, however long, in their order."""
    kind, operands = type(node.op), []
    while isinstance(node, ast.BoolOp) and isinstance(node.op, kind):
        operands.append(node.right)
        node = node.left
    return [node, *reversed(operands)]


def _all(tests: list[Test]) -> Test:
    def test(row: Row) -> bool | None:
        answers = [one(row) for one in tests]
        return False if False in answers else None if None in answers else True

    return test


def _any(tests: list[Test]) -> Test:
    def test(row: Row) -> bool | None:
        answers = [one(row) for one in tests]
        return True if True in answers else None if None in answers else False

    return test


def _negation(inner: Test) -> Test:
    def test(row: Row) -> bool | None:
        answer = inner(row)
        return None if answer is None else not answer

    return test
