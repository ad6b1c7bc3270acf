"""The program of a document, as `serve` would make it, and what it would cost: `explain`."""

from collections.abc import Sequence
from typing import Any

import orjson
from graphql import (
    FragmentDefinitionNode,
    GraphQLError,
    OperationType,
    get_operation_ast,
    parse,
    validate,
)
from graphql.execution import get_variable_values

from gateway.plan.cost import DEFAULT_PAGE_SIZE, CostModel
from gateway.plan.explain import explain, verdict
from gateway.plan.numbers import Numbers
from gateway.plan.planner import Planner
from gateway.plan.program import Program
from gateway.schema.build import build_schema
from gateway.schema.counting import Counted
from gateway.schema.selection import AstSelection, Operation
from gateway.settings import Settings

_CHAIN = ("Workflow", "Run", "UserProcessingResult", "TaskProcessingResult")


def told(program: Program, settings: Settings, sizes: Sequence[int | None] | None) -> str:
    """A program in words.

    Args:
        program: what to tell of.
        settings: of the gateway.
        sizes: workflows, runs of each, users of each run, tasks of each user; ``None`` for no
            numbers, and for one of what there is.
    """
    if sizes is None:
        return explain(program)
    there = {name: size or 1 for name, size in zip(_CHAIN, sizes, strict=True)}
    costs = CostModel(settings.cost)
    numbers = Numbers(program, there, DEFAULT_PAGE_SIZE, costs, lambda _: True)
    return "\n".join((explain(program, numbers), verdict(numbers, settings.max_upstream_requests)))


def program_of(
    text: str,
    name: str | None,
    variables: str,
    settings: Settings,
    *,
    beta: bool,
    resources: Sequence[type] = (),
) -> Program:
    """The program of an operation of a document; ``resources`` are as for `create_app`.

    Raises:
        GraphQLError: the document, its operation or the variables are not valid.
    """
    built = build_schema(draft_methods=settings.draft_methods, resources=resources)
    schema_ = built.core
    document = parse(text)
    operation = get_operation_ast(document, name)
    if errors := validate(schema_, document):
        raise GraphQLError("\n\n".join(map(str, errors)))
    if operation is None:
        raise GraphQLError("The document has no such operation; name one with --operation.")
    if operation.operation is not OperationType.QUERY:
        raise GraphQLError(
            "explain prints what queries cost. A mutation sends its own request, then reads what "
            "is selected of its payload as a query would."
        )
    values = get_variable_values(
        schema_, operation.variable_definitions or (), _json_object(variables)
    )
    if isinstance(values, list):
        raise GraphQLError("\n\n".join(map(str, values)) + "\n\nGive variables with --variables.")
    fragments = {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    selection = AstSelection(Operation(schema_, fragments, values), operation.selection_set)
    planner = Planner(built.model, max_first=settings.max_first, beta=beta)
    return planner.plan(Counted(selection, planner.max_first))


def _json_object(text: str) -> dict[str, Any]:
    try:
        given = orjson.loads(text)
    except orjson.JSONDecodeError:
        given = None
    if not isinstance(given, dict):
        raise GraphQLError("--variables must be a JSON object.")
    return given
