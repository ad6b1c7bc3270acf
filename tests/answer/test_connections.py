"""Connections: `first`, `after`, cursors, `pageInfo` and `totalCount` over server-driven pages."""

import pytest

from gateway.settings import Settings
from tests.conftest import Gateway, Start

PAGE = """query ($first: Int, $after: String) { workflows(first: $first, after: $after) {
  edges { cursor node { id displayName } } nodes { id }
  pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""


async def _walk(gateway: Gateway, first: int, query: str = PAGE) -> list[list[str]]:
    pages, after = [], None
    while True:
        found = (await gateway.data(query, first=first, after=after))["workflows"]
        pages.append([edge["node"]["id"] for edge in found["edges"]])
        assert [node["id"] for node in found["nodes"]] == pages[-1]
        assert found["pageInfo"]["hasPreviousPage"] is (after is not None)
        if not found["pageInfo"]["hasNextPage"]:
            return pages
        assert found["pageInfo"]["endCursor"] == found["edges"][-1]["cursor"]
        assert found["pageInfo"]["startCursor"] == found["edges"][0]["cursor"]
        after = found["pageInfo"]["endCursor"]


@pytest.mark.parametrize("first", [1, 3, 7, 10, 11, 20, 23, 1000])
@pytest.mark.parametrize("page_size", [1, 7, 10, 100])
async def test_pages_of_any_size_give_every_row_once(
    start: Start, first: int, page_size: int
) -> None:
    gateway = await start(workflows=23, page_size=page_size)
    everything = [
        row["id"] for row in (await (await start(workflows=23)).rest("/workflows"))["value"]
    ]
    pages = await _walk(gateway, first)
    assert [id_ for page in pages for id_ in page] == everything
    assert all(len(page) == first for page in pages[:-1])


async def test_any_cursor_continues_after_its_row(start: Start) -> None:
    gateway = await start(workflows=12, page_size=5)
    edges = (await gateway.data(PAGE, first=12))["workflows"]["edges"]
    for place, edge in enumerate(edges):
        found = (await gateway.data(PAGE, first=3, after=edge["cursor"]))["workflows"]
        assert found["edges"] == edges[place + 1 : place + 4]


async def test_the_next_page_takes_one_request(start: Start) -> None:
    gateway = await start(workflows=30, page_size=10)
    after = (await gateway.data(PAGE, first=10))["workflows"]["pageInfo"]["endCursor"]
    data, sent = await gateway.counted(PAGE, first=10, after=after)
    assert len(data["workflows"]["nodes"]) == 10
    assert sent.http == 1


async def test_a_cursor_outlives_the_process(start: Start) -> None:
    settings = Settings(cursor_secret="a secret of several workers")
    one, two = [await start(settings=settings, workflows=9, page_size=4) for _ in range(2)]
    after = (await one.data(PAGE, first=6))["workflows"]["pageInfo"]["endCursor"]
    expected = (await one.data(PAGE, first=3, after=after))["workflows"]["nodes"]
    assert (await two.data(PAGE, first=3, after=after))["workflows"]["nodes"] == expected


async def test_a_cursor_of_another_secret_is_refused(start: Start) -> None:
    one = await start(settings=Settings(cursor_secret="one"))
    two = await start(settings=Settings(cursor_secret="two"))
    after = (await one.data(PAGE, first=2))["workflows"]["pageInfo"]["endCursor"]
    [error] = await two.errors(PAGE, first=2, after=after)
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "argument": "after"}


async def test_selecting_more_after_a_cursor_leaves_no_holes(start: Start) -> None:
    gateway = await start(workflows=9, page_size=4)
    narrow = """query { workflows(first: 6) { nodes { id } pageInfo { endCursor } } }"""
    after = (await gateway.data(narrow))["workflows"]["pageInfo"]["endCursor"]
    data = await gateway.data(
        """query ($after: String) { workflows(first: 2, after: $after) {
          nodes { id displayName createdBy { displayName } } pageInfo { endCursor } } }""",
        after=after,
    )
    assert [bool(node["displayName"]) for node in data["workflows"]["nodes"]] == [True, True]
    assert all(node["createdBy"]["displayName"] for node in data["workflows"]["nodes"])
    again = await gateway.data(PAGE, first=1, after=data["workflows"]["pageInfo"]["endCursor"])
    everything = (await gateway.data(PAGE, first=9))["workflows"]["nodes"]
    assert data["workflows"]["nodes"][0]["id"] == everything[6]["id"]
    assert again["workflows"]["nodes"] == [everything[8]]


async def test_nested_connections_page_for_each_parent(start: Start) -> None:
    gateway = await start(workflows=3, runs=7, page_size=3)
    data, sent = await gateway.counted(
        """{ workflows { nodes { id runs(first: 5) {
          totalCount nodes { id } pageInfo { hasNextPage endCursor } } } } }"""
    )
    # The second pages of all three workflows travel together.
    assert sent.http == 1 + 2
    for workflow in data["workflows"]["nodes"]:
        runs = (
            await gateway.data(
                """query ($id: ID!, $after: String) { workflow(id: $id) {
              all: runs { nodes { id } } runs(first: 5, after: $after) {
                nodes { id } pageInfo { hasNextPage hasPreviousPage } } } }""",
                id=workflow["id"],
                after=workflow["runs"]["pageInfo"]["endCursor"],
            )
        )["workflow"]
        assert workflow["runs"]["totalCount"] == len(runs["all"]["nodes"]) == 7
        assert workflow["runs"]["nodes"] + runs["runs"]["nodes"] == runs["all"]["nodes"]
        assert runs["runs"]["pageInfo"] == {"hasNextPage": False, "hasPreviousPage": True}


async def test_total_count_alone_takes_one_request(start: Start) -> None:
    gateway = await start(workflows=30, page_size=10)
    data, sent = await gateway.counted("{ workflows { totalCount } }")
    assert data == {"workflows": {"totalCount": 30}}
    assert sent.http == 1


async def test_total_count_is_not_asked_for_unless_it_is_selected(gateway: Gateway) -> None:
    _, sent = await gateway.counted("{ workflows { nodes { id } } }")
    assert "$count" not in sent.items[0]


async def test_total_count_after_a_cursor(start: Start) -> None:
    gateway = await start(workflows=30, page_size=10)
    query = """query ($after: String) { workflows(first: 10, after: $after) {
      totalCount nodes { id } pageInfo { endCursor } } }"""
    found = (await gateway.data(query))["workflows"]
    assert found["totalCount"] == 30
    after = found["pageInfo"]["endCursor"]
    assert (await gateway.data(query, after=after))["workflows"]["totalCount"] == 30


async def test_total_count_of_what_was_read_whole_needs_no_help(start: Start) -> None:
    gateway = await start(workflows=30, page_size=10)
    await gateway.fault(match=r"\$count", times=None, status=400)
    assert (await gateway.data("{ workflows { totalCount nodes { id } } }"))["workflows"][
        "totalCount"
    ] == 30
    few = (await gateway.data("{ workflows(first: 5) { totalCount nodes { id } } }"))["workflows"]
    assert few["totalCount"] is None
    assert len(few["nodes"]) == 5


async def test_an_empty_collection(start: Start) -> None:
    gateway = await start(workflows=0)
    data = await gateway.data(
        """{ workflows { edges { cursor } nodes { id } totalCount
          pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
    )
    assert data["workflows"] == {
        "edges": [],
        "nodes": [],
        "totalCount": 0,
        "pageInfo": {
            "hasNextPage": False,
            "hasPreviousPage": False,
            "startCursor": None,
            "endCursor": None,
        },
    }


async def test_one_edge_with_two_windows(gateway: Gateway) -> None:
    data = await gateway.data(
        """{ workflows { nodes { a: runs(first: 1) { nodes { id } }
          b: runs(first: 2) { nodes { processingStatus id } } runs { nodes { id } } } } }"""
    )
    for workflow in data["workflows"]["nodes"]:
        ids = [run["id"] for run in workflow["runs"]["nodes"]]
        assert [run["id"] for run in workflow["a"]["nodes"]] == ids[:1]
        assert [run["id"] for run in workflow["b"]["nodes"]] == ids[:2]
        assert len(ids) == 4


async def test_fragments_directives_and_variables(gateway: Gateway) -> None:
    data, sent = await gateway.counted(
        """query ($deep: Boolean!, $first: Int = 2) {
          workflows(first: $first) { ...Rows nodes @skip(if: true) { description } } }
        fragment Rows on WorkflowConnection { nodes { ... on Node { nodeId } ...Named
          runs @include(if: $deep) { nodes { id } } } }
        fragment Named on Workflow { name: displayName ... { category } }""",
        deep=False,
    )
    assert sent.http == 1
    assert "description" not in sent.items[0]
    assert [sorted(node) for node in data["workflows"]["nodes"]] == [
        ["category", "name", "nodeId"]
    ] * 2
