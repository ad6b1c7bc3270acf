"""What the process learns of the service, it learns from controlled experiments alone.

The kind: one caller's request is refused for something of its own (an id, a filter, a search, a
permission), and everybody else does without an option from then on. It can occur wherever an option
is given up: `Reader.get` (`$select`, `$expand`, `$count`), the probe of an expansion, an expansion
that seems to be ignored, the filter by a user and by null (`gateway.graph.across`), and page sizes.
"""

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Gateway, Start
from tests.upstreams import Answered, Asked, Unusual, graph_error

USERS = """query ($id: ID!, $filter: UserProcessingResultFilter) {
  userProcessingResults(subjectId: $id, filter: $filter) { nodes { id } } }"""
WORKFLOWS = """query ($filter: WorkflowFilter, $search: String) {
  workflows(filter: $filter, search: $search) { totalCount nodes { id displayName } } }"""
RUN = """query ($w: ID!, $r: ID!, $filter: UserProcessingResultFilter) {
  run(workflowId: $w, id: $r) { userProcessingResults(filter: $filter) {
    nodes { id totalTasksCount taskProcessingResults { id } } } } }"""
ONE = """query ($id: ID!) { workflow(id: $id) { runs { nodes { id
  userProcessingResults { nodes { id taskProcessingResults { id } } } } } } }"""
NIL = "00000000-0000-0000-0000-000000000000"


def refusing(where: Callable[[str], bool], message: str) -> Unusual:
    """A service that refuses some requests with 400."""

    def instead(asked: Asked) -> Answered | None:
        return graph_error(400, "BadRequest", message) if where(asked.url) else None

    return Unusual(instead=instead)


async def _places(gateway: Gateway) -> tuple[str, list[str]]:
    """The id of a workflow and those of its runs."""
    workflow = (await gateway.rest("/workflows"))["value"][0]["id"]
    return workflow, [r["id"] for r in (await gateway.rest(f"/workflows/{workflow}/runs"))["value"]]


async def _subject(gateway: Gateway) -> str:
    workflow, _ = await _places(gateway)
    rows = (await gateway.rest(f"/workflows/{workflow}/userProcessingResults"))["value"]
    return rows[0]["subject"]["id"]


async def test_an_id_that_the_service_refuses_is_that_callers_alone(start: Start) -> None:
    unusual = refusing(lambda url: "not-a-guid" in url, "Invalid filter clause")
    gateway = await start(unusual=unusual)
    subject = await _subject(gateway)
    unusual.forget()
    before = await gateway.data(USERS, id=subject)
    asked = [request.url for request in unusual.asked]
    assert before["userProcessingResults"]["nodes"]
    unusual.forget()
    for _ in range(2):
        [error] = await gateway.errors(USERS, id="not-a-guid")
        assert error["extensions"]["code"] == "BAD_USER_INPUT"
        assert error["extensions"]["argument"] == "subjectId"
        assert "Invalid filter clause" in error["message"]
    # The workflows, one request for each, and one trial of two requests.
    assert len(unusual.asked) == 2 * (1 + 5 + 2)
    unusual.forget()
    assert await gateway.data(USERS, id=subject) == before
    assert [request.url for request in unusual.asked] == asked


async def test_a_filter_that_the_service_refuses_says_nothing_of_the_filter_by_users(
    start: Start,
) -> None:
    unusual = refusing(lambda url: "ordinary" in url, "Invalid filter clause")
    gateway = await start(unusual=unusual)
    subject = await _subject(gateway)
    [error] = await gateway.errors(USERS, id=subject, filter={"id": {"eq": "extraordinary"}})
    assert error["message"] == "Invalid filter clause"
    assert error["extensions"]["status"] == 400
    unusual.forget()
    assert (await gateway.data(USERS, id=subject))["userProcessingResults"]["nodes"]
    assert len(unusual.asked) == 1 + 5
    assert all("subject/id" in request.url for request in unusual.asked[1:])


async def test_what_every_value_is_refused_for_is_learned(start: Start) -> None:
    unusual = refusing(lambda url: "subject/id" in url, "Invalid filter clause")
    gateway = await start(unusual=unusual)
    subject = await _subject(gateway)
    expected = await (await start()).data(USERS, id=subject)
    unusual.forget()
    assert await gateway.data(USERS, id=subject) == expected
    assert len(unusual.asked) == 1 + 5 + 2 + 5
    unusual.forget()
    assert await gateway.data(USERS, id=subject) == expected
    assert len(unusual.asked) == 1 + 5


@pytest.mark.parametrize(
    ("variables", "poison"),
    [
        ({"filter": {"displayName": {"eq": "poison"}}}, "poison"),
        ({"search": "poison"}, "poison"),
    ],
)
@pytest.mark.parametrize("option", ["$select", "$count"])
async def test_an_option_refused_for_one_callers_value_is_kept_for_all(
    start: Start, variables: dict[str, Any], poison: str, option: str
) -> None:
    unusual = refusing(
        lambda url: poison in url and option in url, f"{option} is not supported with this value"
    )
    gateway = await start(unusual=unusual)
    assert (await gateway.data(WORKFLOWS, **variables))["workflows"]["nodes"] == []
    for again in ({}, {"filter": {"displayName": {"ne": "x"}}}):
        unusual.forget()
        found = (await gateway.data(WORKFLOWS, **again))["workflows"]
        assert len(found["nodes"]) == found["totalCount"] == 5
        [request] = unusual.asked
        assert "$select=id,displayName" in request.url
        assert "$count=true" in request.url


async def test_a_refused_filter_that_speaks_of_an_option_is_asked_no_more_than_it_must(
    start: Start,
) -> None:
    """The message repeats the caller's text; leaving out options changes nothing."""

    def instead(asked: Asked) -> Answered | None:
        if "expand" in asked.url:
            return graph_error(400, "BadRequest", "Invalid filter clause")
        return None

    unusual = Unusual(instead=instead)
    gateway = await start(unusual=unusual)
    [error] = await gateway.errors(WORKFLOWS, filter={"displayName": {"eq": "expand"}})
    assert error["message"] == "Invalid filter clause"
    assert len(unusual.asked) == 1
    unusual.forget()
    await gateway.data(WORKFLOWS)
    assert "$select" in unusual.asked[0].url


async def test_one_entity_that_refuses_an_option_teaches_nothing_of_the_others(
    start: Start,
) -> None:
    workflow, runs = await _places(await start())
    unusual = refusing(lambda url: f"/{runs[0]}?$select" in url, "$select is not supported")
    gateway = await start(unusual=unusual)
    query = "query ($w: ID!, $r: ID!) { run(workflowId: $w, id: $r) { id processingStatus } }"
    for run in (runs[0], runs[1], runs[0]):
        data = await gateway.data(query, w=workflow, r=run)
        assert data["run"]["id"] == run
    unusual.forget()
    await gateway.data(query, w=workflow, r=runs[1])
    [request] = unusual.asked
    assert "$select=id,processingStatus" in request.url


async def test_a_refused_option_is_learned_from_a_request_of_nobody(start: Start) -> None:
    unusual = refusing(lambda url: "/runs" in url and "$select" in url, "$select: not supported")
    gateway = await start(unusual=unusual)
    query = "{ workflows { nodes { id runs { nodes { id processingStatus } } } } }"
    expected = await (await start()).data(query)
    assert await gateway.data(query) == expected
    assert [r.url for r in unusual.asked if NIL in r.url]
    unusual.forget()
    assert await gateway.data(query) == expected
    assert len(unusual.asked) == 1 + 5
    assert not any("$select" in request.url for request in unusual.asked[1:])


async def test_a_trial_that_is_forbidden_proves_nothing(start: Start) -> None:
    """What one caller's permissions forbid is not learned for the others."""

    def instead(asked: Asked) -> Answered | None:
        if NIL in asked.url:
            return graph_error(403, "Forbidden", "not you")
        if forbidding and "/runs" in asked.url and "$select" in asked.url:
            return graph_error(400, "BadRequest", "$select is not for you")
        return None

    forbidding = [True]
    unusual = Unusual(instead=instead)
    gateway = await start(unusual=unusual)
    query = "{ workflows { nodes { id runs { nodes { id processingStatus } } } } }"
    expected = await gateway.data(query)
    forbidding.clear()
    unusual.forget()
    assert await gateway.data(query) == expected
    assert len(unusual.asked) == 1 + 5
    assert all("$select" in request.url for request in unusual.asked)


async def test_a_combination_is_learned_as_a_combination(start: Start) -> None:
    """The service expands, and filters, but not both."""
    unusual = refusing(
        lambda url: "$expand" in url and "$filter" in url, "$expand is not supported with $filter"
    )
    gateway = await start(unusual=unusual, task_results_expand="accept")
    workflow, runs = await _places(gateway)
    some = {"processingStatus": {"ne": "QUEUED"}}
    expected = await (await start()).data(RUN, w=workflow, r=runs[0], filter=some)
    given = {"w": workflow, "r": runs[0]}
    assert await gateway.data(RUN, **given, filter=some) == expected
    unusual.forget()
    assert await gateway.data(RUN, **given, filter=some) == expected
    assert not any("$expand" in request.url for request in unusual.asked)
    unusual.forget()
    assert await gateway.data(RUN, **given) == expected
    [rows] = [r.url for r in unusual.asked if "/userProcessingResults?" in r.url]
    assert "$expand=taskProcessingResults" in rows
    assert not any("/taskProcessingResults?" in request.url for request in unusual.asked)


async def test_a_workflow_that_refuses_to_expand_teaches_nothing_of_the_others(
    start: Start,
) -> None:
    """The probe of the expansion is put to nobody, not to the workflow that a caller names."""
    usual = await start()
    ids = [row["id"] for row in (await usual.rest("/workflows"))["value"]]
    unusual = refusing(lambda url: ids[0] in url and "$expand" in url, "$expand is not supported")
    gateway = await start(unusual=unusual, task_results_expand="accept")
    expected = await usual.data(ONE, id=ids[0])
    for _ in range(2):
        assert await gateway.data(ONE, id=ids[0]) == expected
    unusual.forget()
    assert await gateway.data(ONE, id=ids[1]) == await usual.data(ONE, id=ids[1])
    rows = [r.url for r in unusual.asked if "/userProcessingResults?" in r.url and NIL not in r.url]
    assert len(rows) == 4
    assert all("$expand" in url for url in rows)


async def test_an_expansion_that_one_answer_lacks_is_not_given_up(start: Start) -> None:
    workflow, runs = await _places(await start())

    def change(asked: Asked, answer: Answered) -> None:
        if runs[0] in asked.url and "$expand" in asked.url:
            for row in answer.body["value"]:
                row.pop("taskProcessingResults", None)

    unusual = Unusual(change=change)
    gateway = await start(unusual=unusual, task_results_expand="accept")
    for _ in range(2):
        data = await gateway.data(RUN, w=workflow, r=runs[0])
        users = data["run"]["userProcessingResults"]["nodes"]
        assert all(len(u["taskProcessingResults"]) == u["totalTasksCount"] for u in users)
    unusual.forget()
    await gateway.data(RUN, w=workflow, r=runs[1])
    assert [r.url for r in unusual.asked if "$expand=taskProcessingResults" in r.url]
    assert not any("/taskProcessingResults?" in request.url for request in unusual.asked)


async def test_an_expansion_that_all_answers_lack_is_given_up(start: Start) -> None:
    unusual = Unusual()
    gateway = await start(unusual=unusual, task_results_expand="ignore")
    workflow, runs = await _places(gateway)
    for run in runs[:2]:
        await gateway.data(RUN, w=workflow, r=run)
    unusual.forget()
    await gateway.data(RUN, w=workflow, r=runs[2])
    assert not any("$expand=taskProcessingResults" in request.url for request in unusual.asked)


async def test_short_pages_of_a_filter_say_nothing_of_page_sizes(start: Start) -> None:
    """A size that was seen decides whether a flat collection pays."""

    def change(asked: Asked, answer: Answered) -> None:
        if "/taskProcessingResults?" in asked.url and "$filter" in asked.url:
            answer.body["value"] = answer.body["value"][:1]

    unusual = Unusual(change=change)
    gateway = await start(unusual=unusual, runs=1, users=50)
    workflow, runs = await _places(gateway)
    unusual.forget()
    await gateway.data(ONE, id=workflow)
    before = len(unusual.asked)
    assert before < 20
    filtered = """query ($w: ID!, $r: ID!) { run(workflowId: $w, id: $r) {
      taskProcessingResults(filter: { processingStatus: { ne: QUEUED } }) { nodes { id } } } }"""
    await gateway.data(filtered, w=workflow, r=runs[0])
    unusual.forget()
    await gateway.data(ONE, id=workflow)
    assert len(unusual.asked) <= before
