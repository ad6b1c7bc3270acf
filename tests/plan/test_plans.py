"""What `explain` foretells, what `extensions.plan` tells, and what the wire saw are the same."""

import json
import os
from collections import Counter
from collections.abc import Callable
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.cli import cli
from gateway.odata.query import GraphRequest
from gateway.odata.template import template_of
from gateway.plan.choice import Choice, Extent
from gateway.plan.steps import Kind
from gateway.settings import Settings
from tests.conftest import Gateway, Sent, Start
from tests.graph.test_across import EXAMPLES
from tests.model import ROUTES
from tests.outside.test_readme import block
from tests.plan.test_request_counts import ALL

Told = dict[str, Any]
ASK = {"GraphQL-Plan": "1"}


async def told(gateway: Gateway, query: str, **variables: Any) -> tuple[Told, Sent, Told]:
    """The plan of a query as it ran, what it sent, and the whole response."""
    await gateway.forget()
    response = await gateway.post({"query": query, "variables": variables}, headers=ASK)
    answer = response.json()
    return answer["extensions"]["plan"], await gateway.sent(), answer


def foretold(plan: Told) -> set[str]:
    """The templates that a program says that it may send."""
    return {
        request["template"]
        for step in plan["steps"]
        for request in step["requests"]
        if request["when"] != "not foretold"
    }


def seen(sent: Sent) -> Counter[str]:
    """How many requests went over the wire, by template."""
    found: Counter[str] = Counter()
    for item in sent.items:
        method, _, url = item.partition(" ")
        found[template_of(GraphRequest(url.removeprefix("/"), method), ROUTES)] += 1
    return found


def assert_agree(plan: Told, sent: Sent) -> None:
    """The plan as it ran tells what the wire saw, to the request."""
    counted: Counter[str] = Counter()
    for step in plan["steps"]:
        requests = {request["template"]: request["items"] for request in step["requests"]}
        counted.update({template: items for template, items in requests.items() if items})
        pages = step["pages"]
        assert sum(requests.values()) + pages + step["retries"] == step["items"]
    wire = seen(sent)
    assert set(counted) == set(wire)
    assert plan["items"] == sum(wire.values())
    assert plan["httpRequests"] == sent.http
    assert sum(step["pages"] for step in plan["steps"]) == sum((wire - counted).values())


EVERY = [(name, query, json.loads(given or "{}")) for query, name, given in EXAMPLES]
EVERY.append(("README", block("example query"), {}))
EVERY.append(("Tree", ALL, {}))


WAYS = [(name, "refuse") for name, *_ in EVERY]
WAYS += [(name, way) for name in ("README", "Tree", "OneUser") for way in ("ignore", "accept")]


@pytest.mark.parametrize(("name", "expand"), WAYS)
async def test_foretold_is_told_is_sent(start: Start, name: str, expand: str) -> None:
    [(query, variables)] = [(text, given) for other, text, given in EVERY if other == name]
    gateway = await start(moving=True, page_size=10, task_results_expand=expand)
    plain = await gateway.query(query, **variables)
    for _ in ("cold", "warm"):
        plan, sent, answer = await told(gateway, query, **variables)
        assert_agree(plan, sent)
        unforeseen = [
            request
            for step in plan["steps"]
            for request in step["requests"]
            if request["when"] == "not foretold"
        ]
        assert unforeseen == []
        del answer["extensions"]
        assert answer.keys() == plain.keys()


@pytest.mark.parametrize(("name", "query", "variables"), EVERY, ids=[name for name, *_ in EVERY])
async def test_explain_prints_the_templates_of_the_plan(
    start: Start, name: str, query: str, variables: Told, tmp_path: Path
) -> None:
    gateway = await start(moving=True, task_results_expand="accept")
    plan, *_ = await told(gateway, query, **variables)
    file = tmp_path / "query.graphql"
    file.write_text(query, encoding="utf-8")
    arguments = ["explain", str(file), "--variables", json.dumps(variables)]
    printed = CliRunner().invoke(cli, arguments).stdout
    lines = {line.strip() for line in printed.splitlines()}
    templates = {line for line in lines if line.startswith(("GET ", "POST "))}
    assert templates == foretold(plan)
    for step in plan["steps"]:
        assert any(line.startswith(f"{step['id']}  {step['edge']}  [") for line in lines), step


async def test_the_plan_is_told_to_who_asks(start: Start) -> None:
    gateway = await start()
    query = "{ workflows { nodes { id } } }"
    assert "extensions" not in await gateway.query(query)
    [step] = (await told(gateway, query))[0]["steps"]
    assert (step["edge"], step["strategy"], step["rows"], step["items"]) == (
        "workflows",
        "read",
        5,
        1,
    )
    by_parameter = await gateway.post({"query": query, "extensions": {"plan": True}})
    assert by_parameter.json()["extensions"]["plan"]["items"] == 1


@pytest.mark.parametrize(("plan", "there"), [(None, False), (False, False), (True, True)])
async def test_production_tells_it_by_a_setting_only(
    start: Start, plan: bool | None, there: bool
) -> None:
    gateway = await start(Settings(environment="production", plan=plan))
    response = await gateway.post({"query": "{ workflows { nodes { id } } }"}, headers=ASK)
    assert ("extensions" in response.json()) is there


async def test_no_id_of_the_tenant_is_in_a_plan(start: Start) -> None:
    gateway = await start(task_results_expand="refuse")
    query = """{ workflows { nodes { id runs { nodes { id userProcessingResults { nodes { id
      subject { id displayName } taskProcessingResults { id task { id } } } } } } } } }"""
    plan, sent, answer = await told(gateway, query)
    text = json.dumps(plan)
    assert len(sent.items) > 20
    for workflow in answer["data"]["workflows"]["nodes"]:
        assert workflow["id"] not in text
        for run_ in workflow["runs"]["nodes"]:
            assert run_["id"] not in text
            for user in run_["userProcessingResults"]["nodes"]:
                assert user["subject"]["id"] not in text


async def test_retries_are_counted(start: Start) -> None:
    gateway = await start()
    await gateway.fault(match="runs", status=503)
    query = "{ workflows { nodes { id runs { nodes { id } } } } }"
    plan, sent, _ = await told(gateway, query)
    runs = next(step for step in plan["steps"] if step["edge"] == "workflows.runs")
    assert (runs["retries"], runs["items"]) == (1, 6)
    assert plan["httpRequests"] == sent.http


async def test_a_mutation_tells_its_change(start: Start) -> None:
    gateway = await start(moving=True)
    plan, sent, _ = await told(gateway, block("example mutation"))
    change = plan["steps"][-1]
    assert (change["strategy"], change["items"]) == ("change", 1)
    [request] = change["requests"]
    assert request["template"].startswith("POST identityGovernance/lifecycleWorkflows/workflows/")
    assert plan["httpRequests"] == sent.http


async def test_the_steps_of_several_payloads_are_told_apart(start: Start) -> None:
    gateway = await start(moving=True)
    mutation = block("example mutation")
    field = mutation[mutation.index("activateWorkflow") : mutation.rindex("}")]
    plan, sent, answer = await told(gateway, f"mutation {{ a: {field} b: {field} }}")
    assert answer["data"].keys() == {"a", "b"}
    ids = [step["id"] for step in plan["steps"]]
    assert len(ids) == len(set(ids))
    assert {id_[:2] for id_ in ids} == {"1:", "2:", "ch"}
    assert plan["httpRequests"] == sent.http


async def test_a_choice_says_why(start: Start) -> None:
    gateway = await start(task_results_expand="refuse")
    for _ in range(2):
        plan, *_ = await told(gateway, ALL)
    [way] = [step for step in plan["steps"] if step["strategy"] == "regroup"]
    [chosen] = way["chosen"]
    assert chosen["rows"] == 100
    assert chosen["because"].startswith("beside: 2 in a chain of 1 instead of ")


PROGRAMS = Path("tests/data/programs")


def story(plan: Told) -> str:
    """A plan as it ran, with its counts and without its times."""
    lines: list[str] = []
    for step in plan["steps"]:
        why = f"  {step['why']}" if "why" in step else ""
        lines.append(f"{step['id']}  {step['edge']}  [{step['strategy']}]{why}")
        for chosen in step.get("chosen", ()):
            lines.append(f"    for {chosen['rows']} rows: {chosen['because']}")
        lines += [f"    {r['items']} × {r['template']}" for r in step["requests"]]
        if step["pages"]:
            lines.append(f"    {step['pages']} × the next page")
        if step["rows"]:
            lines.append(f"    {step['rows']} rows")
    lines.append(f"{plan['items']} items in {plan['httpRequests']} HTTP requests")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(("name", "query", "variables"), EVERY, ids=[name for name, *_ in EVERY])
async def test_the_program_of_each_example_is_as_written(
    start: Start, name: str, query: str, variables: Told
) -> None:
    """With ``WRITE_PROGRAMS=1`` in the environment, what is run is written."""
    gateway = await start(moving=True)
    await gateway.query(query, **variables)
    plan, *_ = await told(gateway, query, **variables)
    file = PROGRAMS / f"{name}.txt"
    if os.environ.get("WRITE_PROGRAMS") == "1":
        file.write_text(story(plan), encoding="utf-8")
    assert story(plan) == file.read_text(encoding="utf-8")


MORE = [
    """{ taskProcessingResults(first: 5) { nodes { id subject { displayName manager {
      displayName } } workflow { executionConditions { __typename } tasks { id } createdBy {
      displayName } } run { id reprocessedRuns { id } } } } }""",
    """{ workflows { nodes { id versions { nodes { versionNumber tasks { id } createdBy {
      displayName } } } } } }""",
    """{ workflows(first: 2) { nodes { id taskReports { nodes { id task { displayName }
      taskDefinition { displayName } run { startedDateTime } } } } } }""",
    """{ deletedWorkflows { nodes { id displayName tasks { id } runs { nodes { id } } } }
      workflowTemplates { nodes { id tasks { id } } } taskDefinitions { nodes { id displayName
      } } }""",
    """{ customTaskExtensions { nodes { id createdBy { displayName } lastModifiedBy {
      displayName } } } settings { __typename } }""",
    """{ workflows(first: 3) { nodes { userProcessingResults(first: 3) { totalCount nodes {
      subject { displayName department manager { displayName } } taskProcessingResults { id }
      } } } } }""",
    """{ workflows { nodes { runs(filter: {processingStatus: {eq: COMPLETED}}, orderBy:
      [{field: STARTED_DATE_TIME, direction: DESC}]) { nodes { id
      userProcessingResults(filter: {processingStatus: {ne: COMPLETED}}) { nodes {
      taskProcessingResults(filter: {processingStatus: {eq: FAILED}}) { id failureReason } } }
      } } } } }""",
    """{ workflows { nodes { runs(first: 1) { nodes { taskProcessingResults(first: 12) { nodes
      { id task { displayName } userProcessingResult: __typename run { id } workflow {
      displayName } subject { displayName } } pageInfo { endCursor } } } } } } }""",
    """{ a: workflows(first: 2) { nodes { id } } b: workflows(search: "a") { nodes { id }
      totalCount } }""",
    """{ workflows { nodes { executionScope { nodes { id subject { displayName } } } } } }""",
]


@pytest.mark.parametrize("expand", ["refuse", "accept"])
async def test_what_the_examples_do_not_ask_agrees_too(start: Start, expand: str) -> None:
    gateway = await start(moving=True, page_size=7, task_results_expand=expand)
    for query in MORE:
        for _ in ("cold", "warm"):
            plan, sent, answer = await told(gateway, query)
            assert "errors" not in answer
            assert_agree(plan, sent)
            whens = {r["when"] for step in plan["steps"] for r in step["requests"]}
            assert "not foretold" not in whens, query
            ids = [step["id"] for step in plan["steps"]]
            assert len(ids) == len(set(ids)), query


def stopped() -> Callable[[], float]:
    """A clock that stops a minute after the sandbox began, with runs under way."""
    times = chain([0.0], repeat(60.0))
    return lambda: next(times)


FORCED = {
    "expand": None,
    "regroup beside": (Extent.ALL, Kind.READ),
    "regroup after one page beside": (Extent.ONE_PAGE, Kind.REGROUP),
    "regroup afterwards": (Extent.NOTHING, Kind.REGROUP),
    "read after one page beside": (Extent.ONE_PAGE, Kind.READ),
    "read": (Extent.NOTHING, Kind.READ),
}


@pytest.mark.parametrize("way", FORCED)
async def test_every_choice_forced_each_way_answers_the_same(
    start: Start, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = await start(moving=True, clock=stopped(), page_size=10)
    expand = "refuse" if FORCED[way] else "accept"
    gateway = await start(moving=True, clock=stopped(), page_size=10, task_results_expand=expand)
    taken: Counter[str] = Counter()
    for _, query, variables in EVERY:
        expected = await plain.query(query, **variables)
        with monkeypatch.context() as forcing:
            if (forced := FORCED[way]) is not None:
                extent, kind = forced
                forcing.setattr(Choice, "beside", lambda *_, e=extent: (e, "forced"))
                forcing.setattr(Choice, "afterwards", lambda *_, k=kind: (k, "forced"))
            plan, _, answer = await told(gateway, query, **variables)
        del answer["extensions"]
        assert answer == expected
        for step in plan["steps"]:
            taken[step["strategy"]] += sum(c["rows"] for c in step.get("chosen", ()))
    wanted = "expand" if FORCED[way] is None else way.split()[0]
    assert taken[wanted] > 50
    if way in ("expand", "read"):
        assert sum(taken.values()) == taken[wanted]
