"""The numbers that `explain` prints are those that the request counts assert at the wire."""

import pytest
from graphql import OperationDefinitionNode, parse
from graphql.execution.values import VariableValues

from gateway.plan.cost import CostModel
from gateway.plan.explain import verdict
from gateway.plan.numbers import Numbers
from gateway.plan.program import Program
from gateway.schema.build import build_schema
from gateway.schema.selection import AstSelection, Operation
from tests.answer.operations import PLANNER
from tests.plan.test_request_counts import ALL

SCHEMA = build_schema().core


def program(text: str) -> Program:
    [operation] = parse(text).definitions
    assert isinstance(operation, OperationDefinitionNode)
    shared = Operation(SCHEMA, {}, VariableValues({}, {}))
    return PLANNER.plan(AstSelection(shared, operation.selection_set))


def numbers(text: str, sizes: tuple[int, int, int, int], *, expand: bool, cost: str) -> Numbers:
    names = ("Workflow", "Run", "UserProcessingResult", "TaskProcessingResult")

    def allows(capability: str) -> bool:
        return expand or "taskProcessingResults" not in capability

    given = dict(zip(names, sizes, strict=True))
    return Numbers(program(text), given, 100, CostModel(cost), allows)


@pytest.mark.parametrize(
    ("sizes", "expand", "items"),
    [
        ((5, 4, 5, 3), True, 26),
        ((5, 4, 5, 3), False, 46),
        ((20, 10, 10, 5), True, 221),
        ((20, 10, 10, 5), False, 421),
        ((1, 1, 50, 25), False, 3 + 50),
    ],
)
def test_the_tree_costs_what_the_wire_sees(
    sizes: tuple[int, int, int, int], expand: bool, items: int
) -> None:
    found = numbers(ALL, sizes, expand=expand, cost="balanced")
    assert found.total == items
    told = verdict(found, 100)
    assert ("within" in told) is (items <= 100)
    assert "GATEWAY_MAX_UPSTREAM_REQUESTS=100" in told


def test_the_price_of_an_item_decides() -> None:
    dear = numbers(ALL, (1, 1, 50, 25), expand=False, cost="quota")
    quick = numbers(ALL, (1, 1, 50, 25), expand=False, cost="latency")
    assert dear.total < quick.total


@pytest.mark.parametrize(
    ("text", "items", "bound"),
    [
        # Nobody says how many versions or reprocessed runs there are: all that are asked for.
        (
            "{ workflows(first: 2) { nodes { versions(first: 7) { nodes { tasks { id } } } } } }",
            1 + 2 + 2 * 7,
            "At most",
        ),
        (
            "{ workflows(first: 2) { nodes { versions(first: 7) { totalCount } } } }",
            1 + 2,
            "At most",
        ),
        (
            "{ workflows(first: 2) { nodes { tasks { taskProcessingResults(first: 1)"
            " { nodes { id } } } } } }",
            1 + 2 + 2,
            "At least",
        ),
    ],
)
def test_what_no_size_tells_is_bounded_by_what_is_asked(text: str, items: int, bound: str) -> None:
    found = numbers(text, (250, 4, 5, 3), expand=True, cost="balanced")
    assert found.total == items
    assert verdict(found, 100).startswith(bound)


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("{ workflows { nodes { id } } }", 1),
        ("{ workflows(first: 250) { nodes { id } } }", 3),
        ("{ workflows(first: 5) { nodes { tasks { id } } } }", 1 + 5),
        ("{ workflows { totalCount } }", 1),
        ("{ workflows(first: 5) { nodes { runs { __typename } } } }", 1),
        ('{ workflow(id: "a b") { id } }', 0),
        ('{ run(workflowId: "w", id: "r") { workflow { displayName } } }', 1),
    ],
)
def test_each_kind_of_step_is_counted(text: str, items: int) -> None:
    found = numbers(text, (250, 4, 5, 3), expand=True, cost="balanced")
    assert found.total == items
