"""Links to further pages: the answer is exact, or an error says where and why it is not."""

from typing import Any

import pytest

from gateway.settings import Settings
from tests.conftest import Gateway, Start, running
from tests.graph.canned import LIST, NAMES, ROOT, RUNS, Answers, Replay, code, codes, two

FOREIGN_LINKS = [
    "http://evil.example/v1.0/identityGovernance/lifecycleWorkflows/workflows",
    "https://upstream/v1.0/identityGovernance/lifecycleWorkflows/workflows",
    "http://upstream:81/v1.0/identityGovernance/lifecycleWorkflows/workflows",
    "http://upstream.evil.example/v1.0/identityGovernance/lifecycleWorkflows/workflows",
    "http://upstream@evil.example/v1.0/identityGovernance/lifecycleWorkflows/workflows",
    "//evil.example/v1.0/x",
    "http://upstream/beta/users",
    "http://upstream/v1.0/../beta/users",
    "http://upstream/v1.0/%2e%2e/beta/users",
    "http://upstream/v1.0extra/users",
    "http://upstream/v1.0",
    "file:///v1.0/x",
    "nonsense",
    "http://[::1/v1.0/x",
    "http://upstream:99999999/v1.0/x",
    "http://upstream:port/v1.0/x",
    f"{ROOT}/workflows?x=\x01",
    f"{ROOT}/workflows?x={'a' * 100_000}",
]


@pytest.mark.parametrize("link", FOREIGN_LINKS, ids=lambda link: ascii(link[:60]))
async def test_a_next_link_that_leads_elsewhere_is_not_followed(
    gateway: Gateway, link: str
) -> None:
    ids = await two(gateway)
    await gateway.fault(match=LIST, patch={"@odata.nextLink": link}, times=None)
    await gateway.forget()
    answer = await gateway.query(
        "query ($a: ID!) { workflows { nodes { id } } workflow(id: $a) { id } }", a=ids["a"]
    )
    [error] = answer["errors"]
    assert (code(error), error["path"]) == ("UPSTREAM_ERROR", ["workflows"])
    assert ids["a"] in [row["id"] for row in answer["data"]["workflows"]["nodes"]]
    assert answer["data"]["workflow"] == {"id": ids["a"]}
    assert len((await gateway.sent()).items) == 2


@pytest.mark.parametrize("link", [5, True, {}, ["x"]], ids=repr)
async def test_a_next_link_that_is_no_text_is_an_error_not_the_end(
    gateway: Gateway, link: Any
) -> None:
    await gateway.fault(match=LIST, patch={"@odata.nextLink": link}, times=None)
    assert codes(await gateway.query(NAMES)) == {"UPSTREAM_ERROR"}


def _workflows(*ids: str, after: str | None = None) -> dict[str, Any]:
    page: dict[str, Any] = {"value": [{"id": id_} for id_ in ids]}
    if after is not None:
        page["@odata.nextLink"] = f"{ROOT}/workflows{after}"
    return page


LOOPS = {
    "a page to itself": {
        "workflows": _workflows("a", after="?p=2"),
        "workflows?p=2": _workflows("b", after="?p=2"),
    },
    "to the page before": {
        "workflows": _workflows("a", after="?p=2"),
        "workflows?p=2": _workflows("b", after="?p=3"),
        "workflows?p=3": _workflows("c", after="?p=2"),
    },
    "the first page to itself": {"workflows": _workflows("a", after="?$select=id")},
}


@pytest.mark.parametrize("first", [4, 50])
@pytest.mark.parametrize("answers", LOOPS.values(), ids=list(LOOPS))
async def test_pages_that_go_round_in_circles_are_an_error(answers: Answers, first: int) -> None:
    replay = Replay(answers)
    async with running(replay.app) as gateway:
        query = f"{{ workflows(first: {first}) {{ nodes {{ id }} }} }}"
        assert codes(await gateway.query(query)) == {"UPSTREAM_ERROR"}
    assert len(replay.sent) <= len(answers)


async def test_a_first_page_that_leads_to_itself_is_not_read_twice() -> None:
    replay = Replay({"workflows": _workflows("a", after="?$select=id")})
    async with running(replay.app) as gateway:
        answer = await gateway.query("{ workflows(first: 2) { nodes { id } } }")
    assert codes(answer) == {"UPSTREAM_ERROR"}


async def test_pages_without_end_stop_at_the_budget() -> None:
    pages: Answers = {f"workflows?p={n}": _workflows(after=f"?p={n + 1}") for n in range(50)}
    replay = Replay({"workflows": _workflows(after="?p=0"), **pages})
    settings = Settings(max_upstream_requests=20)
    async with running(replay.app, settings) as gateway:
        found = codes(await gateway.query("{ workflows { nodes { id } } }"))
    assert found == {"BUDGET_EXCEEDED"}
    assert len(replay.sent) <= 20


@pytest.mark.parametrize("first", [1, 2, 3, 50])
async def test_empty_pages_that_go_on_are_read_past(first: int) -> None:
    replay = Replay(
        {
            "workflows": _workflows(after="?p=2"),
            "workflows?p=2": _workflows("a", "b", after="?p=3"),
            "workflows?p=3": _workflows(after="?p=4"),
            "workflows?p=4": _workflows("c", after="?p=5"),
            "workflows?p=5": _workflows(),
        }
    )
    query = """query ($n: Int, $c: String) { workflows(first: $n, after: $c) {
        nodes { id } pageInfo { hasNextPage endCursor } } }"""
    found: list[str] = []
    async with running(replay.app) as gateway:
        cursor = None
        for _ in range(5):
            page = (await gateway.data(query, n=first, c=cursor))["workflows"]
            found += [row["id"] for row in page["nodes"]]
            cursor = page["pageInfo"]["endCursor"] or cursor
            if not page["pageInfo"]["hasNextPage"]:
                break
    assert found == ["a", "b", "c"]


async def test_a_page_that_fails_is_missing_from_its_connection_only(start: Start) -> None:
    gateway = await start(page_size=2)
    rows = (await gateway.data(RUNS))["workflows"]["nodes"]
    await gateway.fault(match=f"{rows[1]['id']}/runs.*skiptoken", status=500, times=None)
    answer = await gateway.query(RUNS)
    [error] = answer["errors"]
    assert (code(error), error["path"]) == ("UPSTREAM_ERROR", ["workflows", "nodes", 1, "runs"])
    found = answer["data"]["workflows"]["nodes"]
    assert found[0] == rows[0]
    assert found[1]["runs"]["nodes"] == rows[1]["runs"]["nodes"][:2]


async def test_a_total_count_that_cannot_be_had_is_an_error(start: Start) -> None:
    gateway = await start(page_size=1)
    query = "query ($c: String) { workflows(first: 1, after: $c) { %s } }"
    page = (await gateway.data(query % "pageInfo { endCursor }"))["workflows"]["pageInfo"]
    await gateway.fault(match="count=true", status=403, times=None)
    answer = await gateway.query(query % "totalCount nodes { id }", c=page["endCursor"])
    assert codes(answer) == {"FORBIDDEN"}


@pytest.mark.parametrize("count", ["5", 5.5, True, None, []], ids=repr)
async def test_a_total_count_that_is_no_number_is_null(gateway: Gateway, count: Any) -> None:
    replay = Replay(
        {
            "workflows": _workflows("a", after="?p=2") | {"@odata.count": count},
            "workflows?p=2": _workflows("b"),
        }
    )
    async with running(replay.app) as gateway:
        data = await gateway.data("{ workflows(first: 1) { totalCount nodes { id } } }")
    assert data["workflows"] == {"totalCount": None, "nodes": [{"id": "a"}]}
