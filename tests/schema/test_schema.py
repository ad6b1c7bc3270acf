"""The schema file is current, described, and follows the naming rules."""

import re
from collections.abc import Iterator
from pathlib import Path

from graphql import (
    GraphQLEnumType,
    get_named_type,
    is_introspection_type,
    is_specified_scalar_type,
)

from gateway.schema.build import build_schema

BUILT = build_schema()
SCHEMA = BUILT.core
OWN = [
    type_
    for type_ in SCHEMA.type_map.values()
    if not is_introspection_type(type_) and not is_specified_scalar_type(type_)
]


def test_the_schema_file_is_current() -> None:
    assert Path("schema.graphql").read_text(encoding="utf-8") == BUILT.sdl


def parts() -> Iterator[tuple[str, str | None]]:
    """All of the schema that can be described, by name, with its description."""
    yield "schema", SCHEMA.description
    for directive in SCHEMA.directives:
        yield f"@{directive.name}", directive.description
    for type_ in OWN:
        yield type_.name, type_.description
        if isinstance(type_, GraphQLEnumType):
            for name, value in type_.values.items():
                yield f"{type_.name}.{name}", value.description
        for name, field in getattr(type_, "fields", {}).items():
            yield f"{type_.name}.{name}", field.description
            for argument, given in getattr(field, "args", {}).items():
                yield f"{type_.name}.{name}({argument}:)", given.description


def test_everything_is_described() -> None:
    assert [name for name, description in parts() if not description] == []


def test_a_description_says_more_than_the_name() -> None:
    for name, description in parts():
        words = re.sub(r"[^a-z]", "", (description or "").lower())
        last = re.sub(r"[^a-z]", "", re.split(r"[.(]", name)[-1].lower())
        assert words != last, name


def test_enum_values_are_screaming_snake_case() -> None:
    for type_ in OWN:
        if isinstance(type_, GraphQLEnumType):
            names = ("OrderField", "OrderDirection", "ChangeOutcome", "FailureGrouping")
            ours = type_.name.endswith(names)
            assert ours or "UNKNOWN_FUTURE_VALUE" in type_.values
            assert all(name == name.upper() for name in type_.values)


def test_whatever_a_request_of_its_own_brings_is_nullable() -> None:
    """An edge that fails is a null at its own path, and takes nothing else with it."""
    for name in ("Query", "Workflow", "Run", "UserProcessingResult", "TaskProcessingResult"):
        type_ = SCHEMA.type_map[name]
        for navigation in BUILT.model[name].navigations:
            assert not str(type_.fields[navigation].type).endswith("!"), f"{name}.{navigation}"


def test_every_edge_leads_to_a_type_of_the_model() -> None:
    for name in ("Workflow", "Run", "UserProcessingResult", "TaskProcessingResult", "User"):
        for navigation in BUILT.model[name].navigations.values():
            assert navigation.target in BUILT.model
            found = get_named_type(SCHEMA.type_map[name].fields[navigation.name].type).name
            assert found.removesuffix("Connection") == navigation.target
