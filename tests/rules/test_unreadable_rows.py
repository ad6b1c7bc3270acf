"""One row that is no entity, or has no key, is missing alone, and said to be missing.

The kind of fault: a list is given up because of one of its rows. Where it can occur: wherever rows
are read. Connections, in a window of them and behind a cursor; bounded, inlined and expanded
lists; the flat collection of a regroup; reference lists that are joined; lists across workflows;
entities that are found in their collection; the look-up of users, which can lose a later page too,
or its way of asking.
"""

from typing import Any

import pytest

from tests.conftest import Start
from tests.rules.paged import Paged, rows_of, served
from tests.upstreams import Answered, Asked, Unusual, graph_error

PAGE = """query ($n: Int = 50, $c: String) { workflows(first: $n, after: $c) {
  totalCount nodes { id } edges { cursor node { id } } pageInfo { endCursor hasNextPage } } }"""
BAD = {
    "null": None,
    "text": "text",
    "without a key": {"displayName": "x"},
    "key null": {"id": None},
    "key empty": {"id": ""},
    "key a list": {"id": ["a"]},
    "key that is a place": {"id": ".."},
}
each_kind = pytest.mark.parametrize("bad", BAD.values(), ids=list(BAD))


def _with(bad: Any, *end: str) -> Unusual:
    """A service that has such a row among those of the collections whose paths end so."""

    def change(asked: Asked, answer: Answered) -> None:
        path = asked.url.partition("?")[0].split("/")
        if tuple(path[-len(end) :]) == end and isinstance(answer.body, dict):
            answer.body.get("value", []).insert(1, bad)

    return Unusual(change=change)


def _told(answer: dict[str, Any]) -> set[tuple[Any, ...]]:
    errors = answer["errors"]
    assert {error["extensions"]["code"] for error in errors} == {"UPSTREAM_ERROR"}
    return {tuple(part for part in error["path"] if isinstance(part, str)) for error in errors}


@each_kind
async def test_the_other_rows_of_a_connection_are_answered(start: Start, bad: Any) -> None:
    gateway = await start(unusual=_with(bad, "workflows"))
    expected = (await (await start()).data(PAGE))["workflows"]
    answer = await gateway.query(PAGE)
    assert answer["data"]["workflows"]["nodes"] == expected["nodes"]
    assert answer["data"]["workflows"]["pageInfo"]["hasNextPage"] is False
    assert _told(answer) == {("workflows",)}


@pytest.mark.parametrize("size", [3, 10])
async def test_cursors_go_on_behind_it(start: Start, size: int) -> None:
    paged = Paged([*rows_of("a", "b"), {"displayName": "x"}, *rows_of(*"cdef")], size=size)
    gateway = await served(start, paged)
    found: list[str] = []
    after, more = None, True
    while more:
        page = (await gateway.query(PAGE, n=2, c=after))["data"]["workflows"]
        found += [row["id"] for row in page["nodes"]]
        assert len(page["edges"]) == len(page["nodes"])
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    assert found == list("abcdef")


async def test_what_is_missing_is_not_counted_as_read(start: Start) -> None:
    paged = Paged([*rows_of("a", "b"), {"displayName": "x"}], size=10)
    gateway = await served(start, paged)
    answer = await gateway.query("{ workflows { totalCount nodes { id } } }")
    assert answer["data"]["workflows"] == {"totalCount": 3, "nodes": rows_of("a", "b")}


@each_kind
async def test_the_others_of_an_inlined_list_are_answered(start: Start, bad: Any) -> None:
    def change(asked: Asked, answer: Answered) -> None:
        if isinstance(answer.body, dict) and "tasks" in answer.body:
            answer.body["tasks"].insert(1, bad)

    query = """{ workflows { nodes { tasks { id taskDefinition { displayName } }
      sorted: tasks(orderBy: [{ field: EXECUTION_SEQUENCE }]) { id } } } }"""
    expected = await (await start()).data(query)
    gateway = await start(unusual=Unusual(change=change))
    answer = await gateway.query(query)
    assert answer["data"] == expected
    assert _told(answer) == {("workflows", "nodes", "tasks"), ("workflows", "nodes", "sorted")}


@each_kind
async def test_the_other_entries_of_a_reference_list_are_joined(start: Start, bad: Any) -> None:
    query = "{ workflows { nodes { tasks { id taskDefinition { displayName } } } } }"
    expected = await (await start()).data(query)
    gateway = await start(unusual=_with(bad, "taskDefinitions"))
    assert await gateway.data(query) == expected


@each_kind
async def test_others_across_workflows_are_answered(start: Start, bad: Any) -> None:
    query = """{ taskProcessingResults(first: 1000) { nodes { id }
      unread { workflowId runId message } } }"""
    expected = (await (await start()).data(query))["taskProcessingResults"]["nodes"]
    for place in ("workflows", "runs", "taskProcessingResults"):
        found = (await (await start(unusual=_with(bad, place))).data(query))[
            "taskProcessingResults"
        ]
        assert found["nodes"] == expected
        assert {bool(part["workflowId"]) for part in found["unread"]} == {place != "workflows"}
        assert {bool(part["runId"]) for part in found["unread"]} == {
            place == "taskProcessingResults"
        }


@each_kind
async def test_groups_are_not_dealt_out_of_it(start: Start, bad: Any) -> None:
    query = """{ workflows { nodes { runs { nodes { userProcessingResults { nodes { id
      taskProcessingResults { id } } } } } } } }"""

    def change(asked: Asked, answer: Answered) -> None:
        path = asked.url.partition("?")[0].split("/")
        if path[-3:-2] == ["runs"] and path[-1] == "taskProcessingResults":
            answer.body["value"][1] = bad

    expected = await (await start()).data(query)
    gateway = await start(unusual=Unusual(change=change))
    assert await gateway.data(query) == expected


@each_kind
async def test_an_entity_is_found_beside_it(start: Start, bad: Any) -> None:
    usual = await start()
    workflow = (await usual.rest("/workflows"))["value"][0]["id"]
    row = (await usual.rest(f"/workflows/{workflow}/userProcessingResults"))["value"][0]["id"]
    query = """query ($w: ID!, $id: ID!) {
      userProcessingResult(workflowId: $w, id: $id) { id processingStatus } }"""
    gateway = await start(unusual=_with(bad, "userProcessingResults"))
    expected = await usual.data(query, w=workflow, id=row)
    assert await gateway.data(query, w=workflow, id=row) == expected


# --- the look-up of users -----------------------------------------------------------------------

SUBJECTS = "{ taskProcessingResults(first: 1000) { nodes { subject { id displayName %s } } } }"


def _alone(asked: Asked) -> Answered | None:
    """Subjects do not come expanded, so they are looked up."""
    if "expand=subject" in asked.url:
        return graph_error(400, "BadRequest", "$expand is not supported")
    return None


@each_kind
@pytest.mark.parametrize("more", ["", "department"], ids=["by their ids", "by a filter"])
async def test_the_other_users_are_known(start: Start, bad: Any, more: str) -> None:
    def change(asked: Asked, answer: Answered) -> None:
        if asked.url.partition("?")[0] in ("users", "directoryObjects/getByIds"):
            answer.body["value"].insert(1, bad)

    query = SUBJECTS % more
    expected = await (await start(users=40)).data(query)
    gateway = await start(unusual=Unusual(instead=_alone, change=change), users=40)
    assert (await gateway.query(query))["data"] == expected


@pytest.mark.parametrize("more", ["", "department"], ids=["by their ids", "by a filter"])
async def test_users_on_pages_before_one_that_fails_are_known(start: Start, more: str) -> None:
    """Relative links are resolved against the request, and users not on a page are not null."""

    def change(asked: Asked, answer: Answered) -> None:
        path, _, query = asked.url.partition("?")
        if path in ("users", "directoryObjects/getByIds") and "skiptoken" not in query:
            answer.body["value"] = answer.body["value"][:5]
            answer.body["@odata.nextLink"] = "?$skiptoken=2"

    def instead(asked: Asked) -> Answered | None:
        if "skiptoken=2" in asked.url:
            return graph_error(403, "accessDenied")
        return _alone(asked)

    query = SUBJECTS % more
    expected = (await (await start(users=40)).data(query))["taskProcessingResults"]["nodes"]
    unusual = Unusual(instead=instead, change=change)
    answer = await (await start(unusual=unusual, users=40)).query(query)
    found = answer["data"]["taskProcessingResults"]["nodes"]
    known = [row for row in found if row["subject"]["displayName"] is not None]
    assert len(known) >= 5
    assert all(row in expected for row in known)
    codes = {error["extensions"]["code"] for error in answer["errors"]}
    assert codes == {"FORBIDDEN", "ERRORS_LEFT_OUT"}
    path = "users" if more else "directoryObjects/getByIds"
    assert any(asked.url.startswith(f"{path}?$skiptoken") for asked in unusual.asked)


@pytest.mark.parametrize("status", [400, 403, 404, 405, 501])
async def test_a_service_without_the_look_up_by_ids_is_asked_by_a_filter(
    start: Start, status: int
) -> None:
    def instead(asked: Asked) -> Answered | None:
        if asked.url.startswith("directoryObjects/getByIds"):
            return graph_error(status, "no", "there is no such function")
        return _alone(asked)

    query = SUBJECTS % ""
    expected = await (await start(users=40)).data(query)
    unusual = Unusual(instead=instead)
    assert await (await start(unusual=unusual, users=40)).data(query) == expected
    assert any("getByIds" in asked.url for asked in unusual.asked)
