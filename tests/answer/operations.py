"""Random operations over a schema, rows that answer them, damage to the rows, and the results."""

import asyncio
import json
import random
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import msgspec
import strawberry
from graphql import (
    ExecutionResult,
    GraphQLEnumType,
    GraphQLError,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    Undefined,
    execute,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
)

from gateway.errors import GraphError, NotFound
from gateway.odata.partial import Partial
from gateway.plan.planner import Planner
from gateway.plan.rows import ROWS, row_type
from gateway.schema.context import Context, Plans
from tests.model import SCHEMA

PLANNER = Planner(SCHEMA.model, max_first=1000)
TIMES = ["2022-08-24T23:28:05.3529197Z", "2024-01-01T00:00:00Z"]
SCALARS: dict[str, list[Any]] = {
    "ID": ["a", "b/c", "5"],
    "String": ["", "text", "Größe"],
    "Boolean": [True, False],
    "Int": [0, 7, -3],
    "Int64": [1, 2**40],
    "DateTime": TIMES,
}


class Operations:
    """Writes operations.

    Args:
        schema: to write them for.
        draw: makes every choice.
    """

    def __init__(self, schema: GraphQLSchema, draw: random.Random) -> None:
        self._schema = schema
        self._draw = draw
        self._aliases = 0
        self._fragments: dict[str, tuple[str, str]] = {}
        self._declared: dict[str, str] = {}
        self.variables: dict[str, Any] = {}
        self._left = 40

    def write(self) -> str:
        """A valid document with one operation; its variables are in ``variables``."""
        body = self._selection(self._schema.query_type, 0)
        declared = ", ".join(f"${name}: {type_}" for name, type_ in self._declared.items())
        fragments = [f"fragment {n} on {t} {b}" for n, (t, b) in self._fragments.items()]
        return "\n".join([f"query{f'({declared})' if declared else ''} {body}", *fragments])

    def _chance(self, of: float) -> bool:
        return self._draw.random() < of

    def _selection(self, type_: Any, depth: int) -> str:
        fields = list(type_.fields.items())
        if depth >= 5 or self._left <= 0:
            fields = [(n, f) for n, f in fields if is_leaf_type(get_named_type(f.type))]
        if depth == 0:
            fields = [(n, f) for n, f in fields if not is_leaf_type(get_named_type(f.type))]
        parts = []
        for _ in range(self._draw.randint(1, 5 if depth else 2)):
            self._left -= 1
            if self._chance(0.08) and depth:
                parts.append(f"{self._alias(0.5)}__typename{self._directives()}")
            elif self._chance(0.25) and depth and self._left > 0:
                parts.append(self._fragment(type_, depth))
            elif fields:
                name, field = self._draw.choice(fields)
                parts.append(self._field(name, field, depth))
        return f"{{ {' '.join(parts) or '__typename'} }}"

    def _field(self, name: str, field: GraphQLField, depth: int) -> str:
        arguments = self._arguments(field)
        # Fields with arguments, or of several types, merge only under names of their own.
        alias = self._alias(1 if arguments or depth == 0 else 0.2)
        named = get_named_type(field.type)
        below = "" if is_leaf_type(named) else f" {self._selection(named, depth + 1)}"
        return f"{alias}{name}{arguments}{self._directives() if depth else ''}{below}"

    def _fragment(self, type_: Any, depth: int) -> str:
        condition = type_
        if is_abstract_type(type_):
            condition = self._draw.choice([type_, *self._schema.get_possible_types(type_)])
        elif type_.interfaces and self._chance(0.4):
            condition = self._draw.choice(list(type_.interfaces))
        if condition is not type_ and is_abstract_type(type_):
            body = self._distinct(condition, depth)
        else:
            body = self._selection(condition, depth)
        if self._chance(0.5):
            name = f"F{len(self._fragments)}"
            self._fragments[name] = condition.name, body
            spread = f"...{name}{self._directives()}"
            return f"{spread} ...{name}" if self._chance(0.2) else spread
        on = "" if condition is type_ and self._chance(0.5) else f" on {condition.name}"
        return f"...{on}{self._directives()} {body}"

    def _distinct(self, type_: Any, depth: int) -> str:
        parts = ["__typename"]
        for name, field in type_.fields.items():
            if self._chance(0.6):
                named = get_named_type(field.type)
                below = "" if is_leaf_type(named) else f" {self._selection(named, depth + 1)}"
                parts.append(f"{self._alias(1)}{name}{self._arguments(field)}{below}")
        return f"{{ {' '.join(parts)} }}"

    def _alias(self, chance: float) -> str:
        if not self._chance(chance):
            return ""
        self._aliases += 1
        return f"a{self._aliases}: "

    def _directives(self) -> str:
        if not self._chance(0.15):
            return ""
        name = self._draw.choice(["skip", "include"])
        given = self._draw.choice([True, False])
        value = self._variable("Boolean!", given) if self._chance(0.6) else str(given).lower()
        return f" @{name}(if: {value})"

    def _variable(self, type_: str, value: Any) -> str:
        name = f"v{len(self._declared)}"
        self._declared[name] = type_
        if value is not None or self._chance(0.5):
            self.variables[name] = value
        return f"${name}"

    def _arguments(self, field: GraphQLField) -> str:
        given = []
        for name, argument in field.args.items():
            required = isinstance(argument.type, GraphQLNonNull)
            if not required and not self._chance(0.25):
                continue
            value = self._value(argument.type, 0)
            if self._chance(0.5):
                text = self._variable(str(argument.type), value)
            else:
                text = _literal(value, argument.type)
            given.append(f"{name}: {text}")
        return f"({', '.join(given)})" if given else ""

    def _value(self, type_: Any, depth: int) -> Any:
        if isinstance(type_, GraphQLNonNull):
            return self._value_of(type_.of_type, depth)
        return None if self._chance(0.1) else self._value_of(type_, depth)

    def _value_of(self, type_: Any, depth: int) -> Any:
        if isinstance(type_, GraphQLList):
            return [self._value(type_.of_type, depth) for _ in range(self._draw.randint(0, 2))]
        if isinstance(type_, GraphQLEnumType):
            return self._draw.choice(list(type_.values))
        if isinstance(type_, GraphQLInputObjectType):
            return {
                name: self._value(field.type, depth + 1)
                for name, field in type_.fields.items()
                if isinstance(field.type, GraphQLNonNull) or self._chance(0.3 if depth < 2 else 0)
            }
        return self._draw.choice(SCALARS[type_.name])


def _literal(value: Any, type_: Any) -> str:
    type_ = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
    if value is None:
        return "null"
    if isinstance(type_, GraphQLList):
        return f"[{', '.join(_literal(item, type_.of_type) for item in value)}]"
    if isinstance(type_, GraphQLInputObjectType):
        inside = (f"{n}: {_literal(v, type_.fields[n].type)}" for n, v in value.items())
        return f"{{{', '.join(inside)}}}"
    if isinstance(type_, GraphQLEnumType):
        return str(value)
    return json.dumps(value, ensure_ascii=False)


class Recorder(dict[str, Any]):
    """A row that is invented while it is read: whatever key is asked for, it has."""

    def __init__(self, schema: GraphQLSchema, type_: Any, draw: random.Random, left: list[int]):
        super().__init__()
        if is_abstract_type(type_):
            type_ = draw.choice(schema.get_possible_types(type_))
            self["__typename"] = type_.name
            known = f"#microsoft.graph.{type_.name[:1].lower()}{type_.name[1:]}"
            self["@odata.type"] = draw.choice([known, known, known[1:], "#microsoft.graph.new"])
        self._schema, self._type, self._draw, self._left = schema, type_, draw, left

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a key, from now on."""
        if key not in self:
            self[key] = self._invented(key)
        return self[key]

    def _invented(self, key: str) -> Any:
        if key == "@odata.id":
            return f"users/{self._draw.randint(0, 99)}"
        if key == "category" and isinstance(self._field("category"), GraphQLList):
            return self._draw.choice(["joiner", "joiner,Leaver", "mover, none"])
        if key.startswith("@"):
            return "#microsoft.graph.something"
        type_ = self._field(key.partition("(")[0])
        return "text" if type_ is None else self._value(type_)

    def _field(self, name: str) -> Any:
        field = self._type.fields.get(name)
        return field and (field.type.of_type if _non_null(field.type) else field.type)

    def _value(self, type_: Any) -> Any:
        draw = self._draw
        if isinstance(type_, GraphQLNonNull):
            type_ = type_.of_type
        elif draw.random() < 0.12:
            return None
        if isinstance(type_, GraphQLList):
            return [self._value(type_.of_type) for _ in range(draw.randint(0, 3))]
        if isinstance(type_, GraphQLEnumType):
            raw = draw.choice([str(v.value) for v in type_.values.values()])
            return draw.choice([raw, raw, raw, raw.upper(), "brandNew"])
        if is_leaf_type(type_):
            return draw.choice(SCALARS[type_.name])
        self._left[0] -= 1
        if self._left[0] < 0 and draw.random() < 0.9:
            raise NotFound("there are enough rows")
        return Recorder(self._schema, type_, draw, self._left)


def _non_null(type_: Any) -> bool:
    return isinstance(type_, GraphQLNonNull)


def recorded(value: Any, parent: Any = None) -> Any:
    """What was recorded, as stitched rows are: plain dicts that know their parents."""
    if isinstance(value, dict):
        row: dict[str, Any] = {"@parent": parent}
        row.update((key, recorded(item, row)) for key, item in value.items())
        return row
    if isinstance(value, list):
        return [recorded(item, parent) for item in value]
    return value


ERRORS: list[Exception] = [
    NotFound("it is gone"),
    GraphError("the service failed"),
    ValueError("unforeseen"),
    GraphQLError("of graphql"),
]
WRONG: list[Any] = [
    *(None, None, None, 5, -1, 2**31, 2**40, 1.5, 2.0, float("nan"), "", "7", "brandNew", "LEAVER"),
    *(True, False, [], {}, [None], [[]], ["a", 1], {"id": "x"}, [{}], ("a",), Undefined),
    *ERRORS,
    *ERRORS,
]


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """The containers in a row, each with the keys in it."""
    if isinstance(value, ROWS):
        for key, item in value.items():
            if key != "@parent":
                yield value, key
                yield from places(item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield value, index
            yield from places(item)


def damage(row: Any, draw: random.Random, times: int) -> None:
    """Damage a row in places: nulls, wrong types, missing members, errors."""
    for _ in range(times):
        found = list(places(row))
        if not found:
            return
        container, key = draw.choice(found)
        value = container[key]
        if isinstance(container, ROWS) and draw.random() < 0.2:
            container.pop(key)
        elif isinstance(value, list) and draw.random() < 0.5:
            value.append(draw.choice([None, None, 5, "brandNew", *ERRORS]))
        elif (
            isinstance(container, ROWS) and isinstance(value, (list, *ROWS)) and draw.random() < 0.3
        ):
            told_by = draw.choice([None, "id", "totalCount"])
            container[key] = Partial(value, draw.choice(ERRORS), told_by)
        else:
            wrong = draw.choice(WRONG)
            container[key] = deepcopy(wrong) if isinstance(wrong, list | dict) else wrong


class Engine:
    """Answers with rows that are there."""

    def __init__(self, root: Any) -> None:
        self._root = root

    async def run(self, *_: Any) -> Any:
        """The root row."""
        return self._root


async def executed(
    schema: strawberry.Schema, document: Any, variables: dict[str, Any], root: Any
) -> ExecutionResult:
    """The result of an operation over a root row."""
    result: Any = execute(
        schema._schema,
        document,
        context_value=Context(Engine(root), Plans(PLANNER)),
        variable_values=variables,
        executor_class=schema.execution_context_class,
    )
    return await result if asyncio.iscoroutine(result) else result


def told(result: ExecutionResult) -> tuple[str, list[Any]]:
    """All that a response tells, the order of keys and of errors included."""
    errors = [
        (e.message, e.path, e.locations, type(e.original_error), e.extensions)
        for e in result.errors or ()
    ]
    return msgspec.json.encode(result.data).decode(), errors


def written(data: Any) -> Any:
    """What a client reads of the data of a result."""
    return msgspec.json.decode(msgspec.json.encode(data))


def typed(value: Any, known: dict[int, Any] | None = None) -> Any:
    """The same rows as they come of lists: typed; rows may lead back to themselves."""
    known = {} if known is None else known
    if isinstance(value, list):
        return [typed(item, known) for item in value]
    if not isinstance(value, dict):
        return value
    if id(value) not in known:
        made = row_type(tuple((key, Any, False) for key in value), collected=True)
        row = known[id(value)] = made()
        for key, item in value.items():
            row[key] = typed(item, known)
    return known[id(value)]
