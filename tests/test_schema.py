"""The schema file is current, described, and follows the naming rules."""

from pathlib import Path

from graphql import (
    GraphQLEnumType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    get_named_type,
    is_introspection_type,
    is_specified_scalar_type,
)

from gateway.schema.build import build_schema

BUILT = build_schema()
SCHEMA = BUILT.graphql._schema
OWN = [
    type_
    for type_ in SCHEMA.type_map.values()
    if not is_introspection_type(type_) and not is_specified_scalar_type(type_)
]


def test_the_schema_file_is_current() -> None:
    assert Path("schema.graphql").read_text(encoding="utf-8") == BUILT.sdl


def test_everything_is_described() -> None:
    bare = [type_.name for type_ in OWN if not type_.description]
    for type_ in OWN:
        if isinstance(type_, (GraphQLObjectType, GraphQLInterfaceType)):
            for name, field in type_.fields.items():
                if not field.description:
                    bare.append(f"{type_.name}.{name}")
                bare += [f"{type_.name}.{name}({a})" for a in argument_gaps(type_, name)]
    assert bare == []


def argument_gaps(type_: GraphQLObjectType | GraphQLInterfaceType, name: str) -> list[str]:
    """Arguments of connections must be described; ids speak for themselves."""
    arguments = type_.fields[name].args.items()
    return [a for a, argument in arguments if not argument.description and "id" not in a.lower()]


def test_enum_values_are_screaming_snake_case() -> None:
    for type_ in OWN:
        if isinstance(type_, GraphQLEnumType):
            ours = type_.name.endswith(("OrderField", "OrderDirection", "ChangeOutcome"))
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
