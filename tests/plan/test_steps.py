"""The steps of a program, on rows and canned replies: nothing is sent."""

from typing import Any

import pytest

from gateway.errors import GraphError
from gateway.odata.template import template_of
from gateway.plan.across import Across
from gateway.plan.choice import Choice, Extent
from gateway.plan.cost import CostModel
from gateway.plan.layout import ADDRESS
from gateway.plan.program import Program
from gateway.plan.regroup import Flat
from gateway.plan.steps import (
    Expanded,
    Hydrate,
    Join,
    Kind,
    Probe,
    ReadDetails,
    ReadEntity,
    ReadList,
    Regrouped,
    Step,
)
from tests.model import ROUTES
from tests.plan.test_numbers import program

W = "identityGovernance/lifecycleWorkflows/workflows"
TREE = """{ workflows { nodes { displayName tasks { id } runs { nodes { id
  userProcessingResults { nodes { id subject { id displayName }
    taskProcessingResults { id task { taskDefinition { displayName } } } } } } } } } }"""


def everything(_capability: str) -> bool:
    return True


def nothing(_capability: str) -> bool:
    return False


def step(made: Program, edge: str, kind: type[Step]) -> Any:
    """The step of a kind at an edge, which is written without those above it."""
    [found] = [s for s in made.steps if s.edge.endswith(edge) and type(s) is kind]
    return found


PIVOT = "userProcessingResults.taskProcessingResults"


def user(id_: str, count: Any, *, tasks: Any = None) -> dict[str, Any]:
    row = {"id": id_, "subject": {"id": f"s{id_}"}, "totalTasksCount": count}
    return row if tasks is None else {**row, "taskProcessingResults": tasks}


def task(id_: str, of: str) -> dict[str, Any]:
    return {"id": id_, "subject": {"id": f"s{of}"}}


def test_a_list_is_asked_for_below_each_row() -> None:
    runs = step(program(TREE), "workflows.runs", ReadList)
    rows = [{ADDRESS: f"{W}/a%2Fb"}, {ADDRESS: f"{W}/c"}]
    select = "runs?$select=id,totalUsersCount,totalTasksCount"
    assert [request.url for request in runs.requests(rows, everything)] == [
        f"{W}/a%2Fb/{select}",
        f"{W}/c/{select}",
    ]


def test_an_option_that_is_refused_is_not_asked_for() -> None:
    users = step(program(TREE), "runs.userProcessingResults", ReadList)
    [with_, without] = [users.options(allows) for allows in (everything, nothing)]
    assert with_.expand.name == "taskProcessingResults"
    assert without.expand.name == "subject"


def test_an_entity_is_asked_for_at_its_address() -> None:
    made = program('{ run(workflowId: "w", id: "r") { processingStatus } }')
    [request] = step(made, "run", ReadEntity).requests([{ADDRESS: ""}], everything)
    assert request.url == f"{W}/w/runs/r?$select=id,processingStatus"


def test_what_a_list_leaves_out_is_asked_for_once_for_each_row() -> None:
    details = step(program(TREE), "(tasks)", ReadDetails)
    properties, edges = details.wanted([{"id": "w"}])
    assert (properties, [edge.key for edge in edges]) == ([], ["tasks"])
    assert details.wanted([{"id": "w", "tasks": []}])[1] == []
    [request] = details.requests([{ADDRESS: f"{W}/w"}], edges)
    assert request.url == f"{W}/w?$select=id,tasks"


def test_an_expansion_counts_where_its_number_proves_it() -> None:
    expanded = step(program(TREE), PIVOT, Expanded)
    twice = [task("1", "a"), task("1", "a")]
    rows = [
        user("whole", 1, tasks=[task("1", "whole")]),
        user("cut", 2, tasks=[task("1", "cut")]),
        user("twice", 2, tasks=twice),
        user("unknown", None, tasks=[]),
        user("absent", 1),
        user("odd", 1, tasks="?"),
        {**user("goes on", 9, tasks=[]), "taskProcessingResults@odata.nextLink": "more"},
    ]
    assert expanded.came(rows) is True
    proven, unfinished, unsettled = expanded.absorb(rows)
    assert [row["id"] for row, _ in proven] == ["whole"]
    assert [row["id"] for row, _ in unfinished] == ["goes on"]
    assert [row["id"] for row in unsettled] == ["cut", "twice", "unknown", "absent", "odd"]


@pytest.mark.parametrize(
    ("rows", "came"),
    [([user("a", 0)], None), ([], None), ([user("a", 2)], False), ([user("a", "?")], False)],
)
def test_whether_an_expansion_was_honoured(rows: list[Any], came: bool | None) -> None:
    assert step(program(TREE), PIVOT, Expanded).came(rows) is came


def test_a_flat_collection_is_dealt_out_where_nothing_contradicts() -> None:
    regrouped = step(program(TREE), PIVOT, Regrouped)
    run = {ADDRESS: f"{W}/w/runs/r", "totalTasksCount": 4}
    [request] = regrouped.requests([run], nothing)
    assert request.url.startswith(f"{W}/w/runs/r/taskProcessingResults?$select=id,task,subject")
    rows = [user("a", 2), user("b", 1), user("c", 2)]
    flat = Flat()
    flat.take([task("1", "A"), task("2", "a"), task("3", "b"), task("4", "c")], None)
    groups, remaining = regrouped.absorb(run, rows, rows, flat, whole=True)
    assert [(row["id"], [t["id"] for t in group]) for row, group in groups] == [
        ("a", ["1", "2"]),
        ("b", ["3"]),
    ]
    assert [row["id"] for row in remaining] == ["c"]


def test_who_is_there_twice_is_not_dealt_to() -> None:
    regrouped = step(program(TREE), PIVOT, Regrouped)
    rows = [user("a", 1), {**user("b", 1), "subject": {"id": "sA"}}]
    flat = Flat()
    flat.take([task("1", "a")], None)
    run = {ADDRESS: "", "totalTasksCount": 1}
    assert regrouped.absorb(run, rows, rows, flat, whole=True) == ([], rows)


def test_a_reference_list_is_joined_by_key_in_any_case() -> None:
    join = step(program(TREE), "task.taskDefinition", Join)
    [request] = join.requests()
    assert template_of(request, ROUTES).endswith("taskDefinitions?$select=id,displayName")
    entries = join.entries([{"id": "AbC", "displayName": "n"}])
    rows: list[Any] = [{"taskDefinitionId": "aBc"}, {"taskDefinitionId": "x"}, {}]
    problem = GraphError("cut off")
    join.absorb(rows, entries, problem)
    assert [row["taskDefinition"] for row in rows] == [
        {"id": "AbC", "displayName": "n"},
        *[problem] * 2,
    ]


def test_ids_are_looked_up_fifteen_at_a_time_or_a_thousand_by_ids() -> None:
    lookups = step(program(TREE), "subject", Hydrate).lookups
    ids = [str(number) for number in range(31)]
    assert [len(chunk) for chunk, _ in lookups.requests(ids)] == [15, 15, 1]
    [(chunk, request)] = lookups.requests(ids, by_ids=True)
    assert (len(chunk), request.method) == (31, "POST")
    [(_, without)] = lookups.requests(["a"], refused=["displayName"])
    assert "displayName" not in without.url
    assert lookups.requests([]) == []
    assert "department" in lookups.only("department", ["a"]).url


def test_a_choice_is_a_function_of_what_is_known() -> None:
    choice = step(program(TREE), PIVOT, Choice)
    quick, sparing = CostModel("latency"), CostModel("quota")

    def told(users: Any, tasks: Any) -> dict[str, Any]:
        return {"totalUsersCount": users, "totalTasksCount": tasks}

    assert choice.beside({}, None, 100, quick)[0] is Extent.ONE_PAGE
    assert choice.beside(told(0, 0), None, 100, quick)[0] is Extent.NOTHING
    assert choice.beside(told(10, 50), None, 100, quick)[0] is Extent.ALL
    assert choice.beside(told(10, 5000), None, 100, quick)[0] is Extent.NOTHING
    assert choice.beside(told(1000, 5000), 5, 100, sparing)[0] is Extent.NOTHING
    assert choice.afterwards(told(100, 500), 0, 100, 100, sparing)[0] is Kind.REGROUP
    assert choice.afterwards(told(100, 500), 0, 100, 100, quick)[0] is Kind.READ
    assert choice.afterwards(told("?", None), 0, 1, 100, quick)[0] is Kind.READ


def test_what_goes_across_is_narrowed_in_every_layer() -> None:
    made = program(
        """{ taskProcessingResults(startedAfter: "2026-01-01T00:00:00Z",
          workflowFilter: { category: { eq: LEAVER } },
          filter: { processingStatus: { eq: FAILED } }) { nodes { id } } }"""
    )
    across = step(made, "taskProcessingResults", Across)
    assert across.containers(0, everything).filter == "category eq 'leaver'"
    assert "lastUpdatedDateTime ge" in across.containers(1, everything).filter
    rows = across.rows(everything, "createdDateTime le 2026-02-01T00:00:00Z")
    assert rows.order == "createdDateTime desc"
    assert rows.filter.startswith("processingStatus eq 'failed' and startedDateTime ge ")
    assert rows.filter.endswith(" and createdDateTime le 2026-02-01T00:00:00Z")
    assert len(across.asks(everything)) == 3


def test_a_probe_asks_for_nobody() -> None:
    made = program(TREE)
    probe = step(made, "taskProcessingResults", Probe)
    question, control = probe.requests()
    assert "00000000-0000-0000-0000-000000000000" in question.url
    assert "$expand" in question.url
    assert "$expand" not in control.url


ACROSS = """{ taskProcessingResults { nodes { id subject { displayName }
  workflow { executionConditions { __typename } tasks { id } createdBy { displayName } }
  run { id reprocessedRuns { id } } } } }"""


@pytest.mark.parametrize("text", [TREE, ACROSS])
def test_a_program_prints_the_same_twice_and_numbers_its_steps(text: str) -> None:
    first, second = program(text), program(text)
    lines = [
        [line for s in made.steps for line in s.describe(everything, ROUTES)]
        for made in (first, second)
    ]
    assert lines[0] == lines[1]
    ids = [s.id for s in first.steps]
    assert len(ids) == len(set(ids))
