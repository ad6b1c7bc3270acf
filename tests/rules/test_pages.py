"""Pages of a collection, as services send them that page unlike the sandbox.

The kind of fault: a page is taken for more, or for less, than it says. Rows that come again on a
later page are told once; a count that can't be right is no count; every form that a link may have
is followed, on the configured root alone; a page token that has expired costs requests and no rows.

Where else it can occur: wherever pages are read. Connections below the root and below other rows,
in a `$batch`; bounded lists; inlined and expanded collections; the flat collection of a regroup;
lists across workflows; the look-up of users.
"""

from typing import Any

import pytest

from gateway.sandbox import SandboxSettings, create_sandbox
from gateway.settings import Settings
from tests.conftest import Start, running
from tests.rules.paged import LIFECYCLE, Paged, rows_of, served
from tests.upstreams import Answered, Asked, Unusual, graph_error, raw_server, read_request

ALL = "{ workflows { totalCount nodes { id } pageInfo { hasNextPage } } }"
FEW = """query ($n: Int, $c: String) { workflows(first: $n, after: $c) {
  totalCount nodes { id } pageInfo { endCursor hasNextPage } } }"""
ABC = {"totalCount": 3, "nodes": rows_of("a", "b", "c"), "pageInfo": {"hasNextPage": False}}
GUIDS = [f"ab000000-0000-0000-0000-{n:012}" for n in range(6)]


def _pages(path: str, *pages: list[dict[str, Any]], **first: Any) -> Any:
    """The pages of one collection, linked with a number."""

    def instead(asked: Asked) -> Answered | None:
        own, _, query = asked.url.partition("?")
        if own != path:
            return None
        number = int(query.partition("p=")[2] or 0)
        body: dict[str, Any] = {"value": pages[number], **(first if number == 0 else {})}
        if number + 1 < len(pages):
            body["@odata.nextLink"] = f"?p={number + 1}"
        return Answered(body)

    return instead


def _with_parents(pages: Any) -> Any:
    """The same, with every entity there that was asked for."""

    def instead(asked: Asked) -> Answered | None:
        path = asked.url.partition("?")[0]
        found: Answered | None = pages(asked)
        return found or (
            Answered({"id": path.rpartition("/")[2]}) if "workflows/w" in path else None
        )

    return instead


# --- rows that come again -----------------------------------------------------------------------


async def test_a_row_that_comes_again_is_told_and_counted_once(start: Start) -> None:
    pages = _pages(
        f"{LIFECYCLE}/workflows", rows_of("a", "b"), rows_of("b", "c"), rows_of("a", "c")
    )
    gateway = await start(unusual=Unusual(instead=pages))
    assert (await gateway.data(ALL))["workflows"] == ABC


@pytest.mark.parametrize("first", [1, 2, 3, 4])
async def test_a_row_that_comes_again_behind_a_cursor_is_told_once(
    start: Start, first: int
) -> None:
    pages = _pages(
        f"{LIFECYCLE}/workflows", rows_of("a", "b", "c"), rows_of("c", "b", "d"), rows_of("d", "e")
    )
    gateway = await start(unusual=Unusual(instead=pages))
    found: list[str] = []
    cursor, more = None, True
    while more:
        page = (await gateway.data(FEW, n=first, c=cursor))["workflows"]
        found += [row["id"] for row in page["nodes"]]
        cursor, more = page["pageInfo"]["endCursor"] or cursor, page["pageInfo"]["hasNextPage"]
    assert found == ["a", "b", "c", "d", "e"]


async def test_a_guid_that_comes_again_in_capitals_is_the_same_row(start: Start) -> None:
    again = [{"id": GUIDS[1].upper()}, {"id": GUIDS[2]}]
    pages = _pages(f"{LIFECYCLE}/workflows", rows_of(*GUIDS[:2]), again)
    gateway = await start(unusual=Unusual(instead=pages))
    assert (await gateway.data(ALL))["workflows"]["nodes"] == rows_of(*GUIDS[:3])


async def test_a_version_that_comes_again_is_told_by_its_number(start: Start) -> None:
    first, second = [{"versionNumber": n} for n in (2, 1)], [{"versionNumber": 1}]
    pages = _pages(f"{LIFECYCLE}/workflows/w/versions", first, second)
    gateway = await start(unusual=Unusual(instead=_with_parents(pages)))
    data = await gateway.data(
        '{ workflow(id: "w") { versions { totalCount nodes { versionNumber } } } }'
    )
    assert data["workflow"]["versions"] == {"totalCount": 2, "nodes": first}


async def test_a_row_that_comes_again_in_a_bounded_list_is_told_once(start: Start) -> None:
    path = f"{LIFECYCLE}/workflows/w/runs/r/userProcessingResults/u/taskProcessingResults"
    pages = _pages(path, rows_of("a", "b"), rows_of("b", "c"))
    gateway = await start(unusual=Unusual(instead=_with_parents(pages)))
    data = await gateway.data(
        """{ userProcessingResult(workflowId: "w", runId: "r", id: "u") {
          taskProcessingResults { id } } }"""
    )
    assert data["userProcessingResult"]["taskProcessingResults"] == rows_of("a", "b", "c")


async def test_a_row_that_comes_again_in_an_inlined_list_is_told_once(start: Start) -> None:
    tasks = f"{LIFECYCLE}/workflows/w/tasks"
    below = _pages(tasks, rows_of("a", "b"), rows_of("b", "c"))

    def instead(asked: Asked) -> Answered | None:
        if asked.url.partition("?")[0] == f"{LIFECYCLE}/workflows/w":
            inlined = {"tasks": rows_of("a", "b"), "tasks@odata.nextLink": f"{tasks}?p=1"}
            return Answered({"id": "w", **inlined})
        return below(asked)

    gateway = await start(unusual=Unusual(instead=instead))
    data = await gateway.data('{ workflow(id: "w") { tasks { id } } }')
    assert data["workflow"]["tasks"] == rows_of("a", "b", "c")


async def test_a_row_that_comes_again_across_workflows_is_told_once(start: Start) -> None:
    def results(*ids: str) -> list[dict[str, Any]]:
        time = "2026-01-01T00:00:00Z"
        return [{"id": id_, "scheduledDateTime": time, "subject": {"id": GUIDS[0]}} for id_ in ids]

    own = _pages(
        f"{LIFECYCLE}/workflows/w/userProcessingResults", results("a", "b"), results("b", "c")
    )
    workflows = _pages(f"{LIFECYCLE}/workflows", rows_of("w"), rows_of("w"))
    gateway = await start(unusual=Unusual(instead=lambda asked: own(asked) or workflows(asked)))
    query = "query ($s: ID!) { userProcessingResults(subjectId: $s) { totalCount nodes { id } } }"
    data = await gateway.data(query, s=GUIDS[0])
    found = data["userProcessingResults"]
    assert sorted(row["id"] for row in found["nodes"]) == ["a", "b", "c"]
    assert found["totalCount"] == 3


async def test_rows_that_come_again_in_the_flat_collection_do_not_fill_groups(
    start: Start,
) -> None:
    run = f"{LIFECYCLE}/workflows/w/runs/r"
    tasks = {user: [f"{user}-{n}" for n in range(2)] for user in ("u1", "u2")}

    def row(user: str, id_: str) -> dict[str, Any]:
        return {"id": id_, "subject": {"id": f"of-{user}"}}

    flat = _pages(
        f"{run}/taskProcessingResults",
        [row("u1", "u1-0"), row("u1", "u1-1")],
        [row("u1", "u1-1"), row("u2", "u2-0"), row("u2", "u2-1")],
    )
    users = [{"id": user, "subject": {"id": f"of-{user}"}, "totalTasksCount": 2} for user in tasks]

    def instead(asked: Asked) -> Answered | None:
        path = asked.url.partition("?")[0]
        if path == run:
            return Answered({"id": "r", "totalUsersCount": 2, "totalTasksCount": 4})
        if path == f"{run}/userProcessingResults":
            return Answered({"value": users})
        for user, ids in tasks.items():
            if path == f"{run}/userProcessingResults/{user}/taskProcessingResults":
                return Answered({"value": [row(user, id_) for id_ in ids]})
        return flat(asked)

    gateway = await start(unusual=Unusual(instead=instead))
    data = await gateway.data(
        """{ run(workflowId: "w", id: "r") { id userProcessingResults { nodes {
          id taskProcessingResults { id } } } } }"""
    )
    assert {
        user["id"]: [task["id"] for task in user["taskProcessingResults"]]
        for user in data["run"]["userProcessingResults"]["nodes"]
    } == tasks


# --- counts -------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [-1, 3.0, 2.5, 2**31, 10**30, 1, True, "3", None], ids=repr)
async def test_a_count_that_cannot_be_right_is_none(start: Start, count: Any) -> None:
    pages = _pages(
        f"{LIFECYCLE}/workflows", rows_of("a", "b"), rows_of("c"), **{"@odata.count": count}
    )
    gateway = await start(unusual=Unusual(instead=pages))
    part = await gateway.data("{ workflows(first: 2) { totalCount nodes { id } } }")
    assert part["workflows"] == {"totalCount": None, "nodes": rows_of("a", "b")}
    assert (await gateway.data("{ workflows(first: 2) { totalCount } }"))["workflows"] == {
        "totalCount": None
    }
    assert (await gateway.data(ALL))["workflows"] == ABC


async def test_a_count_below_the_rows_of_several_pages_is_none(start: Start) -> None:
    pages = _pages(
        f"{LIFECYCLE}/workflows",
        *([{"id": f"{page}{row}"} for row in range(2)] for page in range(4)),
        **{"@odata.count": 3},
    )
    gateway = await start(unusual=Unusual(instead=pages))
    data = await gateway.data("{ workflows(first: 5) { totalCount nodes { id } } }")
    assert data["workflows"]["totalCount"] is None
    assert len(data["workflows"]["nodes"]) == 5


async def test_a_count_that_is_asked_for_alone_is_checked_too(start: Start) -> None:
    rows = rows_of("a", "b", "c", "d", "e")

    def instead(asked: Asked) -> Answered | None:
        if asked.url.partition("?")[0] != f"{LIFECYCLE}/workflows":
            return None
        if "count=true" in asked.url:
            return Answered({"value": rows[:1], "@odata.count": -1, "@odata.nextLink": "?p=1"})
        page = int(asked.url.partition("p=")[2] or 0)
        return Answered({"value": rows[page : page + 1], "@odata.nextLink": f"?p={page + 1}"})

    gateway = await start(unusual=Unusual(instead=instead))
    query = "query ($c: String) { workflows(first: 1, after: $c) { %s } }"
    page = (await gateway.data(query % "pageInfo { endCursor }"))["workflows"]["pageInfo"]
    data = await gateway.data(query % "totalCount nodes { id }", c=page["endCursor"])
    assert data["workflows"] == {"totalCount": None, "nodes": rows_of("b")}


# --- links --------------------------------------------------------------------------------------


def _rewritten(link: Any) -> Unusual:
    """The sandbox, with every nextLink, inlined ones too, put through ``link``."""

    def rewrite(asked: Asked, body: Any) -> None:
        if isinstance(body, dict):
            for name in [name for name in body if name.endswith("@odata.nextLink")]:
                body[name] = link(asked.url, body[name])
            for value in body.values():
                rewrite(asked, value)
        elif isinstance(body, list):
            for value in body:
                rewrite(asked, value)

    return Unusual(change=lambda asked, answer: rewrite(asked, answer.body))


NESTED = """{ workflows { totalCount nodes { displayName
  runs(first: 5) { totalCount nodes { id userProcessingResults { nodes { id
    subject { displayName } taskProcessingResults { id } } } } } }
  pageInfo { hasNextPage } } }"""
SMALL: dict[str, Any] = {"workflows": 3, "runs": 5, "users": 5, "tasks": 3}

RELATIVE = {
    "to the version root": lambda url, link: link.partition("/v1.0/")[2],
    "to the host": lambda url, link: "/v1.0/" + link.partition("/v1.0/")[2],
    "to the request": lambda url, link: "?" + link.partition("?")[2],
    "to the container": lambda url, link: (
        link.partition("?")[0].rpartition("/")[2] + "?" + link.partition("?")[2]
    ),
    "with dots": lambda url, link: (
        "./x/../" + link.partition("?")[0].rpartition("/")[2] + "?" + link.partition("?")[2]
    ),
    "to the scheme": lambda url, link: link.removeprefix("http:"),
    "in another case": lambda url, link: link.partition("/v1.0/")[2].replace(
        "identityGovernance", "IdentityGovernance"
    ),
}


@pytest.mark.parametrize("link", RELATIVE.values(), ids=list(RELATIVE))
async def test_relative_links_are_followed(start: Start, link: Any) -> None:
    expected = await (await start(**SMALL)).data(NESTED)
    gateway = await start(unusual=_rewritten(link), page_size=2, **SMALL)
    assert await gateway.data(NESTED) == expected


async def test_an_empty_link_is_no_link(start: Start) -> None:
    def change(asked: Asked, answer: Answered) -> None:
        if isinstance(answer.body, dict) and "value" in answer.body:
            answer.body.setdefault("@odata.nextLink", "")
            for row in answer.body["value"]:
                for name in [name for name in row if isinstance(row[name], list)]:
                    row[f"{name}@odata.nextLink"] = ""

    query = "{ workflows { totalCount nodes { displayName tasks { id } runs(first: 3) {"
    query += " totalCount nodes { id } } } pageInfo { hasNextPage } } }"
    expected = await (await start(**SMALL)).data(query)
    gateway = await start(unusual=Unusual(change=change), page_size=2, **SMALL)
    assert await gateway.data(query) == expected
    subjects = "{ workflows { nodes { runs { nodes { userProcessingResults { nodes {"
    subjects += " subject { displayName } taskProcessingResults { id } } } } } } } }"
    expected = await (await start(**SMALL)).data(subjects)
    assert await gateway.data(subjects) == expected


@pytest.mark.parametrize(
    "link",
    [
        "nonsense",
        "users?$skiptoken=1",
        "../users?$skiptoken=1",
        "../../../beta/users",
        "/beta/users",
        "//other.example/v1.0/identityGovernance/lifecycleWorkflows/workflows",
        "%2e%2e/workflows?$skiptoken=1",
        "#",
    ],
)
async def test_relative_links_to_other_places_are_not_followed(start: Start, link: str) -> None:
    unusual = _rewritten(lambda url, old: link)
    gateway = await start(unusual=unusual, page_size=2)
    answer = await gateway.query(ALL)
    assert [e["extensions"]["code"] for e in answer["errors"]] == ["UPSTREAM_ERROR"]
    assert len(answer["data"]["workflows"]["nodes"]) == 2
    assert answer["data"]["workflows"]["totalCount"] == 5
    assert len(unusual.asked) == 1


async def test_links_that_name_microsoft_graph_are_followed_on_the_root(start: Start) -> None:
    expected = await (await start(**SMALL)).data(NESTED)
    unusual = _rewritten(
        lambda url, link: "https://graph.microsoft.com/v1.0/" + link.partition("/v1.0/")[2]
    )
    gateway = await start(unusual=unusual, page_size=2, **SMALL)
    assert await gateway.data(NESTED) == expected


async def test_links_that_name_a_listed_origin_never_lead_there(start: Start) -> None:
    reached: list[bytes] = []

    async def serve(reader: Any, writer: Any) -> None:
        request = await read_request(reader)
        reached.append(request[0] if request else b"")
        writer.close()

    with raw_server(serve) as elsewhere:
        unusual = _rewritten(lambda url, link: f"{elsewhere}/v1.0/" + link.partition("/v1.0/")[2])
        listed = await start(Settings(link_origins=elsewhere), unusual=unusual, page_size=2)
        assert len((await listed.data(ALL))["workflows"]["nodes"]) == 5
        [unlisted_answer] = [
            await (await start(unusual=unusual, page_size=2)).query(ALL),
        ]
    assert [e["extensions"]["code"] for e in unlisted_answer["errors"]] == ["UPSTREAM_ERROR"]
    assert len(unlisted_answer["data"]["workflows"]["nodes"]) == 2
    assert reached == []


async def test_a_proxy_below_a_path_is_asked_below_it() -> None:
    unusual = _rewritten(
        lambda url, link: "https://graph.microsoft.com/v1.0/" + link.partition("/v1.0/")[2]
    )
    inner = unusual.before(create_sandbox(SandboxSettings(moving=False, page_size=2)))

    async def proxy(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/graph/"):
            path = scope["path"].removeprefix("/graph")
            scope = {**scope, "path": path, "raw_path": path.encode()}
        await inner(scope, receive, send)

    async with running(proxy, sockets=True, version="graph/v1.0") as gateway:
        assert len((await gateway.data(ALL))["workflows"]["nodes"]) == 5


@pytest.mark.parametrize(
    "origins", ["*", "graph.microsoft.com", "https://a.example/v1.0", "https://a.example:x"]
)
def test_origins_that_are_none_are_refused_at_the_start(origins: str) -> None:
    with pytest.raises(ValueError, match=r"origin|[Pp]ort"):
        Settings(link_origins=origins)


# --- page tokens that expire --------------------------------------------------------------------

EXPIRED = {
    "the documented code": lambda: graph_error(400, "Directory_ExpiredPageToken"),
    "gone": lambda: graph_error(410, "Gone"),
    "a bad request": lambda: graph_error(400, "BadRequest", "Invalid page token"),
}


@pytest.mark.parametrize("expired", EXPIRED.values(), ids=list(EXPIRED))
@pytest.mark.parametrize("at", [1, 2, 3])
async def test_a_token_that_expires_in_the_middle_costs_no_rows(
    start: Start, expired: Any, at: int
) -> None:
    ids = [f"w{n}" for n in range(8)]
    paged = Paged(rows_of(*ids), expired=expired)
    served_pages = 0

    def instead(asked: Asked) -> Answered | None:
        nonlocal served_pages
        if asked.url.partition("?")[0] == f"{LIFECYCLE}/workflows":
            if served_pages == at:
                paged.generation += 1
            served_pages += 1
        return paged(asked)

    gateway = await start(unusual=Unusual(instead=instead))
    paged.root = f"{str(gateway.upstream.base_url).rstrip('/')}/v1.0"
    data = await gateway.data(ALL)
    assert data["workflows"] == {
        "totalCount": 8,
        "nodes": rows_of(*ids),
        "pageInfo": {"hasNextPage": False},
    }
    # The pages before, the one refused, and all four again.
    assert len(paged.asked) == at + 1 + 4


@pytest.mark.parametrize("expired", EXPIRED.values(), ids=list(EXPIRED))
@pytest.mark.parametrize("first", [1, 2, 3, 4, 5])
async def test_an_old_cursor_is_walked_to_again(start: Start, expired: Any, first: int) -> None:
    ids = [f"w{n}" for n in range(8)]
    paged = Paged(rows_of(*ids), expired=expired)
    gateway = await served(start, paged)
    after = (await gateway.data(FEW, n=first))["workflows"]["pageInfo"]["endCursor"]
    paged.generation += 1
    page = (await gateway.data(FEW, n=3, c=after))["workflows"]
    assert page["nodes"] == rows_of(*ids[first : first + 3])
    assert page["totalCount"] == 8
    if page["pageInfo"]["hasNextPage"]:
        paged.generation += 1
        rest = (await gateway.data(FEW, n=8, c=page["pageInfo"]["endCursor"]))["workflows"]
        assert rest["nodes"] == rows_of(*ids[first + 3 :])


async def test_a_token_that_expires_behind_a_cursor_costs_no_rows(start: Start) -> None:
    ids = [f"w{n}" for n in range(10)]
    paged = Paged(rows_of(*ids))
    gateway = await served(start, paged)
    after = (await gateway.data(FEW, n=2))["workflows"]["pageInfo"]["endCursor"]
    ask = paged.expired

    def once() -> Answered:
        paged.expired = ask
        return ask()

    paged.failing["6"] = graph_error(410, "Gone")
    paged.expired = once
    original = paged.failing

    class Once(dict):
        def __getitem__(self, key: str) -> Answered:
            return self.pop(key)

    paged.failing = Once(original)
    page = (await gateway.data(FEW, n=8, c=after))["workflows"]
    assert page["nodes"] == rows_of(*ids[2:])
    assert page["pageInfo"]["hasNextPage"] is False


async def test_a_cursor_whose_rows_cannot_be_reached_any_more_has_expired(start: Start) -> None:
    paged = Paged(rows_of(*"abcdefgh"))
    gateway = await served(start, paged)
    after = (await gateway.data(FEW, n=4))["workflows"]["pageInfo"]["endCursor"]
    paged.failing = {str(n): graph_error(400, "Directory_ExpiredPageToken") for n in range(9)}
    [error] = await gateway.errors(FEW, n=4, c=after)
    assert error["extensions"]["code"] == "CURSOR_EXPIRED"
    assert error["extensions"]["serviceCode"] == "Directory_ExpiredPageToken"
    assert len(paged.asked) <= 2 + 1 + 2 * 2


async def test_tokens_that_expire_at_once_end_the_rows_with_an_error(start: Start) -> None:
    paged = Paged(rows_of(*"abcdefgh"))
    gateway = await served(start, paged)
    paged.failing["4"] = graph_error(410, "Gone")
    answer = await gateway.query(FEW, n=8)
    [error] = answer["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["workflows"], "CURSOR_EXPIRED")
    assert answer["data"]["workflows"]["nodes"] == rows_of(*"abcd")
    assert len(paged.asked) <= 6


async def test_a_token_that_expires_below_other_rows_costs_no_rows(start: Start) -> None:
    expected = await (await start(**SMALL)).data(NESTED)
    refused: set[str] = set()

    def instead(asked: Asked) -> Answered | None:
        if "skiptoken" in asked.url and "/runs?" in asked.url and asked.url not in refused:
            refused.add(asked.url)
            return graph_error(400, "Directory_ExpiredPageToken")
        return None

    gateway = await start(unusual=Unusual(instead=instead), page_size=2, **SMALL)
    assert await gateway.data(NESTED) == expected
    assert len(refused) >= 3


async def test_a_bad_filter_is_not_taken_for_an_expired_token(start: Start) -> None:
    paged = Paged(rows_of(*"abcd"))
    gateway = await served(start, paged)
    paged.failing["2"] = graph_error(400, "BadRequest", "Invalid filter clause")
    answer = await gateway.query(ALL)
    [error] = answer["errors"]
    assert error["extensions"]["code"] == "UPSTREAM_ERROR"
    assert error["message"] == "Invalid filter clause"
