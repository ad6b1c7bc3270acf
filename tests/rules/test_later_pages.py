"""A page that fails after others does not take them with it.

The kind of fault: what was read is thrown away because what follows can't be had. The rows are
answered, and the error is told at their edge, with a cursor to go on from where there is one.

Where else it can occur: whatever reads more than one page. Connections below the root and below
other rows, in a `$batch`, with and without `pageInfo`, behind a cursor; bounded lists and their
views; inlined and expanded lists; reference lists that are joined; the count that is asked for
beside the rows; lists across workflows; the look-up of users.
"""

from typing import Any

import pytest

from gateway.settings import Settings
from tests.conftest import Start
from tests.rules.paged import LIFECYCLE, Paged, rows_of, served
from tests.upstreams import Answered, Asked, Unusual, graph_error

PAGE = """query ($n: Int = 50, $c: String) { workflows(first: $n, after: $c) {
  nodes { id } edges { cursor node { id } }
  pageInfo { endCursor hasNextPage hasPreviousPage } } }"""

FAILURES = {
    "a fault": (graph_error(500, "InternalServerError", "boom"), "UPSTREAM_ERROR"),
    "forbidden": (graph_error(403, "accessDenied"), "FORBIDDEN"),
    "not there": (graph_error(404, "itemNotFound"), "NOT_FOUND"),
    "no page": (Answered({"value": "text"}), "UPSTREAM_ERROR"),
    "rows of another kind": (Answered({"value": ["text"]}), "UPSTREAM_ERROR"),
    "not JSON": (Answered(b"<html>"), "UPSTREAM_ERROR"),
}


@pytest.mark.parametrize(("failure", "code"), FAILURES.values(), ids=list(FAILURES))
async def test_the_rows_before_are_kept_with_a_cursor_to_go_on(
    start: Start, failure: Answered, code: str
) -> None:
    paged = Paged(rows_of(*"abcdefghij"), failing={"6": failure})
    gateway = await served(start, paged)
    answer = await gateway.query(PAGE)
    [error] = answer["errors"]
    found = answer["data"]["workflows"]
    assert found["nodes"] == rows_of(*"abcdef")
    assert [edge["node"] for edge in found["edges"]] == rows_of(*"abcdef")
    assert found["pageInfo"]["hasNextPage"] is True
    assert (error["path"], error["extensions"]["code"]) == (["workflows"], code)
    assert error["extensions"]["after"] == found["pageInfo"]["endCursor"]
    assert error["extensions"]["after"] == found["edges"][-1]["cursor"]

    # As long as it fails, there is nothing to keep; then it goes on.
    answer = await gateway.query(PAGE, c=error["extensions"]["after"])
    assert answer["data"] == {"workflows": None}
    assert [e["extensions"]["code"] for e in answer["errors"]] == [code]
    paged.failing.clear()
    rest = (await gateway.data(PAGE, c=error["extensions"]["after"]))["workflows"]
    assert rest["nodes"] == rows_of(*"ghij")


async def test_without_page_info_the_error_has_the_cursor_all_the_same(start: Start) -> None:
    paged = Paged(rows_of(*"abcdef"), failing={"4": graph_error(403, "accessDenied")})
    gateway = await served(start, paged)
    answer = await gateway.query("{ workflows { nodes { id } } }")
    assert answer["data"] == {"workflows": {"nodes": rows_of(*"abcd")}}
    paged.failing.clear()
    after = answer["errors"][0]["extensions"]["after"]
    assert (await gateway.data(PAGE, c=after))["workflows"]["nodes"] == rows_of(*"ef")


async def test_rows_behind_a_cursor_are_kept(start: Start) -> None:
    paged = Paged(rows_of(*"abcdefgh"))
    gateway = await served(start, paged)
    after = (await gateway.data(PAGE, n=1))["workflows"]["pageInfo"]["endCursor"]
    paged.failing["4"] = graph_error(403, "accessDenied")
    answer = await gateway.query(PAGE, c=after)
    assert answer["data"]["workflows"]["nodes"] == rows_of(*"bcd")
    assert answer["data"]["workflows"]["pageInfo"]["hasPreviousPage"] is True
    paged.failing.clear()
    after = answer["errors"][0]["extensions"]["after"]
    assert (await gateway.data(PAGE, c=after))["workflows"]["nodes"] == rows_of(*"efgh")


async def test_what_was_asked_for_and_is_there_is_no_error(start: Start) -> None:
    paged = Paged(rows_of(*"abcdef"), failing={"4": graph_error(500, "InternalServerError")})
    gateway = await served(start, paged)
    found = (await gateway.data(PAGE, n=4))["workflows"]
    assert found["nodes"] == rows_of(*"abcd")
    assert found["pageInfo"]["hasNextPage"] is True


async def test_two_windows_have_their_own_cursors_to_go_on(start: Start) -> None:
    paged = Paged(rows_of(*"abcdef"), failing={"4": graph_error(403, "accessDenied")})
    gateway = await served(start, paged)
    answer = await gateway.query(
        "{ a: workflows(first: 5) { nodes { id } } b: workflows(first: 6) { nodes { id } } }"
    )
    assert answer["data"]["a"] == answer["data"]["b"] == {"nodes": rows_of(*"abcd")}
    assert [error["path"] for error in answer["errors"]] == [["a"], ["b"]]
    paged.failing.clear()
    for error in answer["errors"]:
        rest = await gateway.data(PAGE, c=error["extensions"]["after"])
        assert rest["workflows"]["nodes"] == rows_of("e", "f")


@pytest.mark.parametrize("told", [True, False])
async def test_the_total_is_null_unless_the_service_has_told_it(start: Start, told: bool) -> None:
    paged = Paged(rows_of(*"abcdef"), failing={"4": graph_error(403, "accessDenied")})

    def instead(asked: Asked) -> Answered | None:
        answer = paged(asked)
        if answer is not None and not told:
            answer.body.pop("@odata.count", None)
        return answer

    gateway = await start(unusual=Unusual(instead=instead))
    paged.link = lambda token: f"?{token}"
    answer = await gateway.query("{ workflows { totalCount nodes { id } } }")
    assert answer["data"]["workflows"] == {
        "totalCount": 6 if told else None,
        "nodes": rows_of(*"abcd"),
    }
    assert [error["path"] for error in answer["errors"]] == [["workflows"]]


async def test_the_budget_keeps_what_it_has_paid_for(start: Start) -> None:
    paged = Paged(rows_of(*"abcdefgh"))
    gateway = await served(start, paged, settings=Settings(max_upstream_requests=3))
    answer = await gateway.query(PAGE)
    [error] = answer["errors"]
    assert error["extensions"]["code"] == "BUDGET_EXCEEDED"
    assert answer["data"]["workflows"]["nodes"] == rows_of(*"abcdef")
    rest = await gateway.data(PAGE, c=error["extensions"]["after"])
    assert rest["workflows"]["nodes"] == rows_of("g", "h")


async def test_a_first_page_that_fails_fails_its_edge(start: Start) -> None:
    unusual = Unusual(instead=lambda asked: graph_error(403, "accessDenied"))
    gateway = await start(unusual=unusual)
    answer = await gateway.query(PAGE)
    [error] = answer["errors"]
    assert answer["data"] == {"workflows": None}
    assert "after" not in error["extensions"]


async def test_in_a_batch_one_page_that_fails_is_missing_alone(start: Start) -> None:
    query = "{ workflows { nodes { id runs { totalCount nodes { id } } } } }"
    expected = (await (await start()).data(query))["workflows"]["nodes"]
    second = expected[1]["id"]

    def instead(asked: Asked) -> Answered | None:
        if f"{second}/runs" in asked.url and "skiptoken" in asked.url and broken:
            return graph_error(500, "InternalServerError")
        return None

    broken = True
    gateway = await start(unusual=Unusual(instead=instead), page_size=3)
    answer = await gateway.query(query)
    [error] = answer["errors"]
    assert error["path"] == ["workflows", "nodes", 1, "runs"]
    found = answer["data"]["workflows"]["nodes"]
    assert found[1]["runs"]["nodes"] == expected[1]["runs"]["nodes"][:3]
    broken = False
    rest = await gateway.data(
        """query ($id: ID!, $c: String) {
          workflow(id: $id) { runs(after: $c) { nodes { id } } } }""",
        id=second,
        c=error["extensions"]["after"],
    )
    assert rest["workflow"]["runs"]["nodes"] == expected[1]["runs"]["nodes"][3:]
    del found[1], expected[1]
    assert found == expected


async def test_rows_that_are_kept_have_what_is_below_them(start: Start) -> None:
    query = """query ($w: ID!, $r: ID!) { run(workflowId: $w, id: $r) { id
      userProcessingResults { nodes { id subject { displayName }
        taskProcessingResults { id task { displayName } } } } } }"""
    whole = await start(users=6, workflows=1, runs=1)
    run = (await whole.data("{ workflows { nodes { id runs { nodes { id } } } } }"))["workflows"]
    ids = {"w": run["nodes"][0]["id"], "r": run["nodes"][0]["runs"]["nodes"][0]["id"]}
    expected = (await whole.data(query, **ids))["run"]["userProcessingResults"]["nodes"]

    def instead(asked: Asked) -> Answered | None:
        path, _, options = asked.url.partition("?")
        if path.endswith("/userProcessingResults") and "skiptoken" in options:
            return graph_error(500, "InternalServerError")
        return None

    gateway = await start(
        unusual=Unusual(instead=instead), users=6, workflows=1, runs=1, page_size=4
    )
    answer = await gateway.query(query, **ids)
    [error] = answer["errors"]
    assert error["path"] == ["run", "userProcessingResults"]
    assert answer["data"]["run"]["userProcessingResults"]["nodes"] == expected[:4]


async def test_bounded_lists_and_their_views_keep_rows(start: Start) -> None:
    below = "workflows/w/runs/r/userProcessingResults/u"
    paged = Paged(
        [
            {"id": id_, "processingStatus": "failed" if id_ in "bc" else "completed"}
            for id_ in "abcdef"
        ],
        path=f"{below}/taskProcessingResults",
        failing={"4": graph_error(403, "accessDenied")},
        link=lambda token: f"?{token}",
    )

    def instead(asked: Asked) -> Answered | None:
        if asked.url.partition("?")[0] == f"{LIFECYCLE}/{below}":
            return Answered({"id": "u"})
        return paged(asked)

    gateway = await start(unusual=Unusual(instead=instead))
    answer = await gateway.query(
        """{ userProcessingResult(workflowId: "w", runId: "r", id: "u") { id
          all: taskProcessingResults { id }
          failed: taskProcessingResults(filter: { processingStatus: { eq: FAILED } }) { id } } }"""
    )
    found = answer["data"]["userProcessingResult"]
    assert found == {"id": "u", "all": rows_of(*"abcd"), "failed": rows_of("b", "c")}
    assert sorted(error["path"][-1] for error in answer["errors"]) == ["all", "failed"]
    assert all(error["extensions"]["code"] == "FORBIDDEN" for error in answer["errors"])
    assert not any("after" in error["extensions"] for error in answer["errors"])


@pytest.mark.parametrize("link", ["?p=1", "https://other.example/v1.0/x", 5], ids=repr)
async def test_inlined_lists_keep_rows(start: Start, link: Any) -> None:
    def instead(asked: Asked) -> Answered | None:
        path = asked.url.partition("?")[0]
        if path == f"{LIFECYCLE}/workflows/w":
            inlined = {"tasks": rows_of("a", "b"), "tasks@odata.nextLink": link}
            return Answered({"id": "w", **inlined})
        return graph_error(500, "InternalServerError")

    gateway = await start(unusual=Unusual(instead=instead))
    answer = await gateway.query('{ workflow(id: "w") { id tasks { id } } }')
    assert answer["data"]["workflow"] == {"id": "w", "tasks": rows_of("a", "b")}
    [error] = answer["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["workflow", "tasks"], "UPSTREAM_ERROR")


async def test_definitions_of_earlier_pages_are_joined(start: Start) -> None:
    tasks = [{"id": f"t{n}", "taskDefinitionId": f"d{n}"} for n in range(4)]

    def instead(asked: Asked) -> Answered | None:
        path, _, options = asked.url.partition("?")
        if path == f"{LIFECYCLE}/workflows/w":
            return Answered({"id": "w", "tasks": tasks})
        if path == f"{LIFECYCLE}/taskDefinitions" and "p=" not in options:
            rows = [{"id": f"d{n}", "displayName": f"D{n}"} for n in range(2)]
            return Answered({"value": rows, "@odata.nextLink": "?p=1"})
        return graph_error(500, "InternalServerError")

    gateway = await start(unusual=Unusual(instead=instead))
    answer = await gateway.query(
        '{ workflow(id: "w") { tasks { id taskDefinition { displayName } } } }'
    )
    found = [task["taskDefinition"] for task in answer["data"]["workflow"]["tasks"]]
    assert found == [{"displayName": "D0"}, {"displayName": "D1"}, None, None]
    assert [error["path"] for error in answer["errors"]] == [
        ["workflow", "tasks", n, "taskDefinition"] for n in (2, 3)
    ]


async def test_a_count_that_fails_does_not_take_the_rows_along(start: Start) -> None:
    paged = Paged(rows_of(*"abcdef"))
    refuse = graph_error(403, "accessDenied")

    def instead(asked: Asked) -> Answered | None:
        return refuse if "count=true" in asked.url else paged(asked)

    gateway = await start(unusual=Unusual(instead=instead))
    paged.link = lambda token: f"?{token}"
    after = (await gateway.data(PAGE, n=2))["workflows"]["pageInfo"]["endCursor"]
    answer = await gateway.query(
        "query ($c: String) { workflows(first: 2, after: $c) { totalCount nodes { id } } }", c=after
    )
    assert answer["data"]["workflows"] == {"totalCount": None, "nodes": rows_of("c", "d")}
    [error] = answer["errors"]
    assert error["path"] == ["workflows", "totalCount"]
    assert error["extensions"]["code"] == "FORBIDDEN"


async def test_a_later_page_of_a_look_up_of_users_loses_the_others_only(start: Start) -> None:
    """The look-up answers two users and a link that leads nowhere."""

    def change(asked: Asked, answer: Answered) -> None:
        if asked.url.startswith("users?"):
            del answer.body["value"][2:]
            kept.update(row["id"] for row in answer.body["value"])
            answer.body["@odata.nextLink"] = "https://elsewhere.example/v1.0/users?$skiptoken=2"

    kept: set[str] = set()
    query = """{ workflows(first: 1) { nodes { runs(first: 1) { nodes {
      taskProcessingResults { nodes { id subject { id displayName } task { id } } } } } } } }"""
    gateway = await start(unusual=Unusual(change=change, instead=_no_expanded_subject))
    answer = await gateway.query(query)
    results = answer["data"]["workflows"]["nodes"][0]["runs"]["nodes"][0]["taskProcessingResults"]
    subjects = [row["subject"] for row in results["nodes"]]
    assert {s["id"] for s in subjects if s["displayName"]} == kept
    lost = [s for s in subjects if s["displayName"] is None]
    assert lost
    assert len(answer["errors"]) == len(lost)
    assert {error["path"][-1] for error in answer["errors"]} == {"displayName"}


def _no_expanded_subject(asked: Asked) -> Answered | None:
    refused = "expand=subject" in asked.url
    return graph_error(403, "Forbidden", "no expansion") if refused else None
