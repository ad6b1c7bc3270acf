"""The policy of the schema: what is removed was `@deprecated` in the release before."""

from pathlib import Path

import pytest
from graphql import GraphQLSchema, build_schema, find_breaking_changes
from graphql.utilities import BreakingChange, BreakingChangeType

from tests.model import SCHEMA

RELEASED = Path("tests/data/released.graphql")
"""The schema of the last release: `schema.graphql` is copied here when a version is tagged."""
REMOVALS = {
    BreakingChangeType.FIELD_REMOVED,
    BreakingChangeType.ARG_REMOVED,
    BreakingChangeType.VALUE_REMOVED_FROM_ENUM,
}


# What breaks nobody whom the service would have answered, and why.
NEEDED = {
    "Field CustomTaskExtensionInput.displayName": "the service takes no extension without",
    "Field CustomTaskExtensionInput.authenticationConfiguration": (
        "the service takes no extension without"
    ),
}


def of_beta(released: GraphQLSchema, change: BreakingChange) -> bool:
    """Whether what was changed was said to be of beta alone, where anything may change."""
    for word in change.description.replace("(", ".").split():
        type_name, _, member = word.strip("'").partition(".")
        type_ = released.type_map.get(type_name)
        field = getattr(type_, "fields", {}).get(member.partition(".")[0])
        for found in (type_, field):
            if found is not None and "Beta only" in (found.description or ""):
                return True
    return False


def broken(released: GraphQLSchema, now: GraphQLSchema) -> list[str]:
    """The changes that the policy does not allow, in words."""
    changes = find_breaking_changes(released, now)
    return [
        change.description
        for change in changes
        if not announced(released, change)
        and not of_beta(released, change)
        and not change.description.startswith(tuple(NEEDED))
    ]


def announced(released: GraphQLSchema, change: BreakingChange) -> bool:
    """Whether what was removed was deprecated when it was released."""
    if change.type not in REMOVALS:
        return False
    words = change.description.replace("'", "").rstrip(".").split()
    for word in words:
        type_name, _, member = word.partition(".")
        type_ = released.type_map.get(type_name)
        if type_ is None or not member:
            continue
        name = member.partition("(")[0]
        found = getattr(type_, "fields", getattr(type_, "values", {})).get(name)
        if found is not None:
            argument = member.partition("(")[2].partition(":")[0].rstrip(")")
            found = found.args[argument] if argument else found
            return bool(found.deprecation_reason)
    return False


def test_nothing_breaks_those_who_ask_the_released_schema() -> None:
    released = build_schema(RELEASED.read_text(encoding="utf-8"))
    now = build_schema(SCHEMA.sdl)
    assert broken(released, now) == []


BEFORE = """
type Query { old(a: Int): Int @deprecated(reason: "Use new.") kept(a: Int): Int }
enum E { A B @deprecated(reason: "It is gone.") }
"""


def test_what_is_beta_only_may_change() -> None:
    before = """type Query { old: Int "The rows. Beta only." new(a: Int): Int }"""
    assert broken(build_schema(before), build_schema("type Query { old: Int new: String }")) == []
    assert broken(build_schema(before), build_schema("type Query { new(a: Int): Int }")) != []


@pytest.mark.parametrize(
    ("after", "allowed"),
    [
        ("type Query { kept(a: Int): Int } enum E { A B }", True),
        ("type Query { old(a: Int): Int kept(a: Int): Int } enum E { A }", True),
        (
            "type Query { old(a: Int): Int kept(a: Int, b: Int): Int more: Int } enum E { A B C }",
            True,
        ),
        ("type Query { old(a: Int): Int } enum E { A B }", False),
        ("type Query { old(a: Int): Int kept: Int } enum E { A B }", False),
        ("type Query { old(a: Int): Int kept(a: Int): String } enum E { A B }", False),
        ("type Query { old(a: Int): Int kept(a: Int, b: Int!): Int } enum E { A B }", False),
        ("type Query { old(a: Int): Int kept(a: Int): Int } enum E { B }", False),
        ("type Query { old(a: Int): Int kept(a: Int): Int }", False),
    ],
)
def test_the_policy(after: str, allowed: bool) -> None:
    assert (broken(build_schema(BEFORE), build_schema(after)) == []) is allowed
