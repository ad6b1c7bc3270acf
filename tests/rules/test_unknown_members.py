"""A value of an enum that the gateway does not know can be read as the service wrote it.

The kind: an answer says less than the service did. It can occur at every field whose type is an
evolvable enum: properties of entities, of their complex members, lists of flags. Each has a field
beside it, named after it with ``Text``, that reads the same property; the schema is asked whether
one is missing.
"""

from typing import Any

import pytest
from graphql import GraphQLEnumType, GraphQLInterfaceType, GraphQLObjectType, get_named_type

from gateway.schema.build import build_schema
from gateway.schema.enums import UNKNOWN
from tests.conftest import Start
from tests.upstreams import Answered, Asked, Unusual


def test_every_evolvable_enum_has_its_text_beside_it() -> None:
    found = 0
    for type_ in build_schema().core.type_map.values():
        if not isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            continue
        for name, field in type_.fields.items():
            enum = get_named_type(field.type)
            if isinstance(enum, GraphQLEnumType) and UNKNOWN in enum.values:
                found += 1
                assert str(type_.fields[f"{name}Text"].type) == "String", f"{type_.name}.{name}"
    assert found > 20


def renamed(part: str, **values: Any) -> Unusual:
    """A service whose collections with ``part`` in their URL have these values in every row."""

    def change(asked: Asked, answer: Answered) -> None:
        if part in asked.url and isinstance(answer.body, dict):
            for row in answer.body.get("value", [answer.body]):
                row.update(values)

    return Unusual(change=change)


RESULTS = """{ workflows(first: 2) { nodes { runs(first: 1) { nodes { %s } } } } }"""


@pytest.mark.parametrize("projection", [True, False])
async def test_what_is_not_known_is_told_as_it_was_written(start: Start, projection: bool) -> None:
    unusual = renamed("/runs", processingStatus="pausedByPolicy", workflowExecutionType="onDemand")
    gateway = await start(projection=projection, unusual=unusual)
    fields = "processingStatus processingStatusText workflowExecutionTypeText"
    data = await gateway.data(RESULTS % fields)
    for workflow in data["workflows"]["nodes"]:
        assert workflow["runs"]["nodes"] == [
            {
                "processingStatus": UNKNOWN,
                "processingStatusText": "pausedByPolicy",
                "workflowExecutionTypeText": "onDemand",
            }
        ]


async def test_the_text_alone_selects_the_property_upstream(start: Start) -> None:
    unusual = Unusual()
    gateway = await start(unusual=unusual)
    both = await gateway.data(RESULTS % "a: processingStatusText processingStatus b: nodeId")
    asked = [it.url for it in unusual.asked if "/runs" in it.url]
    unusual.forget()
    alone = await gateway.data(RESULTS % "a: processingStatusText")
    assert len(unusual.asked) == 3
    for url in [*asked, *(it.url for it in unusual.asked if "/runs" in it.url)]:
        assert url.count("processingStatus") == 1
        assert "Text" not in url
    for seen, wanted in zip(*(it["workflows"]["nodes"] for it in (alone, both)), strict=True):
        [run], [same] = seen["runs"]["nodes"], wanted["runs"]["nodes"]
        assert run == {"a": same["a"]}
        assert run["a"].upper() == same["processingStatus"].replace("_", "")


@pytest.mark.parametrize(
    ("part", "query", "values", "told"),
    [
        (
            "/taskProcessingResults",
            "{ run(workflowId: %w, id: %r) { taskProcessingResults(first: 1) { nodes { "
            "processingStatus processingStatusText } } } }",
            {"processingStatus": "Waiting For Godot"},
            {"processingStatus": UNKNOWN, "processingStatusText": "Waiting For Godot"},
        ),
        (
            "/userProcessingResults",
            "{ run(workflowId: %w, id: %r) { userProcessingResults(first: 1) { nodes { "
            "workflowExecutionType workflowExecutionTypeText } } } }",
            {"workflowExecutionType": ""},
            {"workflowExecutionType": UNKNOWN, "workflowExecutionTypeText": ""},
        ),
        (
            "workflows?",
            "{ workflows(first: 1) { nodes { category categoryText } } }",
            {"category": None},
            {"category": None, "categoryText": None},
        ),
        (
            "taskDefinitions",
            "{ taskDefinitions(first: 1) { nodes { category categoryText "
            "parameters { valueType valueTypeText } } } }",
            {"category": "joiner,sabbatical", "parameters": [{"valueType": "date"}]},
            {
                "category": ["JOINER", UNKNOWN],
                "categoryText": "joiner,sabbatical",
                "parameters": [{"valueType": UNKNOWN, "valueTypeText": "date"}],
            },
        ),
    ],
)
async def test_other_places(
    start: Start, part: str, query: str, values: dict[str, Any], told: Any
) -> None:
    gateway = await start(unusual=renamed(part, **values))
    ids = await gateway.data("{ workflows(first: 1) { nodes { id runs { nodes { id } } } } }")
    [workflow] = ids["workflows"]["nodes"]
    query = query.replace("%w", f'"{workflow["id"]}"')
    query = query.replace("%r", f'"{workflow["runs"]["nodes"][0]["id"]}"')
    found: Any = await gateway.data(query)
    while not (isinstance(found, dict) and found.keys() == told.keys()):
        found = found[0] if isinstance(found, list) else next(iter(found.values()))
    assert found == told
