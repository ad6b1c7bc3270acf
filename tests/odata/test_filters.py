"""Filters, orders and searches: compiled, escaped, exact."""

import asyncio
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from odata_query.grammar import ODataLexer, ODataParser

from gateway.errors import BadUserInput
from gateway.odata.filter import Time, compile_filter, matches, search_phrase, sort_rows
from gateway.odata.query import Options
from gateway.sandbox import SandboxSettings, create_sandbox
from gateway.schema.enums import (
    LifecycleWorkflowCategory,
    LifecycleWorkflowProcessingStatus,
    WorkflowExecutionType,
)
from tests.conftest import Gateway, Start

SANDBOX = httpx.ASGITransport(
    create_sandbox(SandboxSettings(workflows=7, runs=6, users=3, tasks=2, moving=False))
)
LIFECYCLE = "/v1.0/identityGovernance/lifecycleWorkflows"
HEADERS = {"Authorization": "Bearer token", "Prefer": "include-unknown-enum-members"}


def rest(path: str, text: str | None = None) -> list[dict[str, Any]]:
    """The rows of a sandbox's collection, filtered by the sandbox."""

    async def read() -> list[dict[str, Any]]:
        async with httpx.AsyncClient(transport=SANDBOX, base_url="http://sandbox") as client:
            url = Options(filter=text).get(f"{LIFECYCLE}{path}").url
            response = await client.get(url, headers=HEADERS)
            assert response.status_code == 200, response.text
            return response.json()["value"]

    return asyncio.run(read())


WORKFLOWS = rest("/workflows")
RUNS = rest(f"/workflows/{WORKFLOWS[0]['id']}/runs")

nasty = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    [
        "",
        "'",
        "''",
        "a'b",
        "%27",
        "%",
        "&",
        "#",
        "+",
        "a&$top=1",
        "\\",
        "\n",
        "\x00",
        "名前",
        "eq null",
    ]
)


def conditions(values: st.SearchStrategy[Any], operators: str) -> st.SearchStrategy[Any]:
    """Conditions with one or two of the operators."""
    each = {
        name: st.lists(values, min_size=1, max_size=3) if name == "in" else values
        for name in operators.split()
    }
    one = st.sampled_from(sorted(each)).flatmap(
        lambda name: st.fixed_dictionaries({name: each[name]})
    )
    return st.one_of(one, st.tuples(one, one).map(lambda pair: {**pair[0], **pair[1]}))


def filters(properties: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    """Filters over the properties, nested with and, or and not."""
    leaf = st.sampled_from(sorted(properties)).flatmap(
        lambda name: st.fixed_dictionaries({name: properties[name]})
    )
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.fixed_dictionaries({"not": inner}),
            st.fixed_dictionaries({"and": st.lists(inner, min_size=1, max_size=3)}),
            st.fixed_dictionaries({"or": st.lists(inner, min_size=1, max_size=3)}),
            st.tuples(inner, inner).map(lambda pair: {**pair[0], **pair[1]}),
        ),
        max_leaves=5,
    )


def times(rows: list[dict[str, Any]], *names: str) -> st.SearchStrategy[Any]:
    """Times that occur in the rows, cut to fewer digits now and then, and others."""
    seen = sorted({row[name] for row in rows for name in names if row.get(name)})
    cut = [text[:19] + "Z" for text in seen]
    return st.sampled_from(
        [*seen, *cut, "2020-01-01T00:00:00Z", "2030-12-31T23:59:59.9999999Z"]
    ).map(Time.parse)


ORDER = "eq ne lt le gt ge"
WORKFLOW_FILTERS = filters(
    {
        "category": conditions(
            st.sampled_from(LifecycleWorkflowCategory),
            "eq ne in",
        ),
        "displayName": conditions(
            nasty | st.sampled_from([row["displayName"] for row in WORKFLOWS]), "eq ne in"
        ),
        "isEnabled": conditions(st.booleans(), "eq ne"),
        "version": conditions(st.integers(-1, 9), f"{ORDER} in"),
        "createdDateTime": conditions(times(WORKFLOWS, "createdDateTime"), ORDER),
        "id": conditions(st.sampled_from([row["id"] for row in WORKFLOWS]) | nasty, "eq ne in"),
    }
)
RUN_FILTERS = filters(
    {
        "processingStatus": conditions(
            st.sampled_from(LifecycleWorkflowProcessingStatus),
            "eq ne in",
        ),
        "workflowExecutionType": conditions(
            st.sampled_from(WorkflowExecutionType),
            "eq ne in",
        ),
        "startedDateTime": conditions(times(RUNS, "startedDateTime", "completedDateTime"), ORDER),
        "completedDateTime": conditions(times(RUNS, "completedDateTime") | st.none(), "eq ne"),
    }
)
QUICKLY = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


def check(path: str, rows: list[dict[str, Any]], filter_: dict[str, Any]) -> None:
    text = compile_filter(filter_)
    assert text is not None
    ODataParser().parse(ODataLexer().tokenize(text))
    selected = [row["id"] for row in rest(path, text)]
    assert selected == [row["id"] for row in rows if matches(filter_, row)]


@QUICKLY
@given(WORKFLOW_FILTERS)
def test_any_filter_of_workflows_selects_the_rows_of_its_predicate(filter_: Any) -> None:
    check("/workflows", WORKFLOWS, filter_)


@QUICKLY
@given(RUN_FILTERS)
def test_any_filter_of_runs_selects_the_rows_of_its_predicate(filter_: Any) -> None:
    check(f"/workflows/{WORKFLOWS[0]['id']}/runs", RUNS, filter_)


FAILED = "processingStatus: { eq: FAILED }"


async def test_a_filter_goes_upstream_as_one_option(gateway: Gateway) -> None:
    data, sent = await gateway.counted(
        """query ($name: String!) { workflows(filter: { displayName: { ne: $name },
          or: [{ category: { eq: LEAVER } }, { version: { ge: 2, lt: 9 } }],
          not: { isEnabled: { eq: false } } }, orderBy: [{ field: VERSION, direction: DESC }]) {
          totalCount nodes { version category } } }""",
        name="o'brien & 50% #1",
    )
    assert sent.items == [
        "GET /identityGovernance/lifecycleWorkflows/workflows?$select=id,version,category"
        "&$filter=displayName ne 'o''brien & 50% #1' and (category eq 'leaver' or "
        "(version lt 9 and version ge 2)) and not (isEnabled eq false)"
        "&$orderby=version desc&$count=true"
    ]
    rows = data["workflows"]["nodes"]
    assert data["workflows"]["totalCount"] == len(rows) > 0
    assert [row["version"] for row in rows] == sorted((r["version"] for r in rows), reverse=True)


async def test_the_failed_leaver_tasks_of_two_days(gateway: Gateway) -> None:
    data, sent = await gateway.counted(
        """{ workflows(filter: { category: { eq: LEAVER } }) { nodes { category
          runs(filter: { startedDateTime: { ge: "2026-06-29T00:00:00Z" } }) { nodes {
            startedDateTime taskProcessingResults(filter: { processingStatus: { eq: FAILED } }) {
              nodes { processingStatus failureReason subject { displayName } } } } } } } }"""
    )
    assert sent.http == 3
    workflows = data["workflows"]["nodes"]
    runs = [run for workflow in workflows for run in workflow["runs"]["nodes"]]
    tasks = [task for run in runs for task in run["taskProcessingResults"]["nodes"]]
    assert {workflow["category"] for workflow in workflows} == {"LEAVER"}
    assert all(run["startedDateTime"] >= "2026-06-29" for run in runs)
    assert tasks
    assert all(task["processingStatus"] == "FAILED" and task["failureReason"] for task in tasks)


@pytest.mark.parametrize("expand", ["accept", "ignore", "refuse"])
async def test_a_filter_on_a_bounded_list_is_exact_under_every_strategy(
    start: Start, expand: str
) -> None:
    gateway = await start(task_results_expand=expand)
    data, sent = await gateway.counted(
        f"""{{ workflows {{ nodes {{ runs {{ nodes {{ userProcessingResults {{ nodes {{
          all: taskProcessingResults {{ id processingStatus completedDateTime }}
          taskProcessingResults(filter: {{ {FAILED} }}) {{ id failureReason }}
          newest: taskProcessingResults(
            orderBy: [{{ field: COMPLETED_DATE_TIME, direction: DESC }}]) {{ id }}
        }} }} }} }} }} }} }}"""
    )
    assert sent.http <= 4
    users = [
        user
        for workflow in data["workflows"]["nodes"]
        for run in workflow["runs"]["nodes"]
        for user in run["userProcessingResults"]["nodes"]
    ]
    assert any(user["taskProcessingResults"] for user in users)
    for user in users:
        failed = [task["id"] for task in user["all"] if task["processingStatus"] == "FAILED"]
        assert [task["id"] for task in user["taskProcessingResults"]] == failed
        newest = sorted(user["all"], key=lambda t: t["completedDateTime"] or "", reverse=True)
        assert [t["id"] for t in user["newest"]] == [t["id"] for t in newest]


async def test_filtered_users_are_regrouped_exactly(gateway: Gateway) -> None:
    query = """query ($w: ID!) { workflow(id: $w) { runs { nodes { id
      userProcessingResults%s { nodes { id processingStatus taskProcessingResults { id } } }
    } } } }"""
    workflow = (await gateway.rest("/workflows"))["value"][2]["id"]
    everything = await gateway.data(query % "", w=workflow)
    some = await gateway.data(
        query % "(filter: { processingStatus: { ne: COMPLETED } })", w=workflow
    )
    for all_, few in zip(
        everything["workflow"]["runs"]["nodes"], some["workflow"]["runs"]["nodes"], strict=True
    ):
        expected = [
            user
            for user in all_["userProcessingResults"]["nodes"]
            if user["processingStatus"] != "COMPLETED"
        ]
        assert few["userProcessingResults"]["nodes"] == expected


async def test_a_cursor_belongs_to_its_filter(start: Start) -> None:
    gateway = await start(workflows=12, page_size=3)
    query = """query ($c: LifecycleWorkflowCategory!, $after: String) {
      workflows(first: 2, after: $after, filter: { category: { eq: $c } }) {
        nodes { id category } pageInfo { endCursor hasNextPage } } }"""
    found = (await gateway.data(query, c="LEAVER"))["workflows"]
    after = found["pageInfo"]["endCursor"]
    more = (await gateway.data(query, c="LEAVER", after=after))["workflows"]
    assert {row["category"] for row in more["nodes"]} == {"LEAVER"}
    assert not {row["id"] for row in more["nodes"]} & {row["id"] for row in found["nodes"]}
    [error] = await gateway.errors(query, c="JOINER", after=after)
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


async def test_search(gateway: Gateway) -> None:
    data = await gateway.data('{ workflows(search: "termination") { nodes { displayName } } }')
    assert data["workflows"]["nodes"]
    assert all("termination" in row["displayName"] for row in data["workflows"]["nodes"])


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        ('search: ""', "search"),
        ('search: "a\\"b"', "search"),
        ("filter: { or: [] }", "filter"),
        ("filter: { not: {} }", "filter"),
        ("filter: { version: { in: [] } }", "filter"),
    ],
)
async def test_what_can_not_be_asked_names_its_argument(
    gateway: Gateway, arguments: str, argument: str
) -> None:
    await gateway.forget()
    [error] = await gateway.errors(f"{{ workflows({arguments}) {{ nodes {{ id }} }} }}")
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "argument": argument}
    assert (await gateway.sent()).http == 0


@pytest.mark.parametrize(
    "arguments",
    [
        "filter: { version: { has: 1 } }",
        'filter: { displayName: { lt: "a" } }',
        'filter: { createdDateTime: { ge: "yesterday" } }',
        'filter: { createdDateTime: { ge: "2026-02-30T00:00:00Z" } }',
        'filter: { description: { eq: "x" } }',
        "orderBy: [{ field: DESCRIPTION }]",
        "filter: { category: { eq: BOSS } }",
    ],
)
async def test_what_the_service_does_not_support_is_not_offered(
    gateway: Gateway, arguments: str
) -> None:
    [error, *_] = await gateway.errors(f"{{ workflows({arguments}) {{ nodes {{ id }} }} }}")
    assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


def test_deep_filters_are_refused() -> None:
    deep: dict[str, Any] = {"version": {"eq": 1}}
    for _ in range(20):
        deep = {"not": deep}
    with pytest.raises(BadUserInput, match="nested"):
        compile_filter(deep)


def test_missing_values_sort_first_and_match_nothing() -> None:
    field = type("Field", (), {"value": "completedDateTime"})
    direction = type("Direction", (), {"value": "asc"})
    times = ("2026-01-01T00:00:00.5Z", None, "2026-01-01T00:00:00Z")
    rows = [{"completedDateTime": time} for time in times]
    ordered = sort_rows([{"field": field, "direction": direction}], rows)
    assert [row["completedDateTime"] for row in ordered] == [
        None,
        "2026-01-01T00:00:00Z",
        "2026-01-01T00:00:00.5Z",
    ]
    for negated in (False, True):
        condition: dict[str, Any] = {"completedDateTime": {"lt": Time("2027-01-01T00:00:00Z")}}
        assert not matches({"not": condition} if negated else condition, rows[1])
    assert search_phrase("two words") == '"two words"'
