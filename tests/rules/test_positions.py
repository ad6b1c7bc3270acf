"""A position in a collection is a row, not a row number.

The kind of fault: a place that was counted is kept while rows come and go, so that a row is skipped
that was never told, or one is told twice. Links of pages belong to the service: where its tokens
are row numbers, rows that leave a page before move others over its border, unseen.

Where else it can occur: cursors within a page and at its end, behind a link or on the first page,
with and without an order; cursors that are walked to from the beginning, because more is selected
or the link has expired; what is counted on the way (`totalCount`, `hasPreviousPage`); cursors of
lists across workflows.
"""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.sandbox import SandboxSettings, create_sandbox
from gateway.settings import Settings
from tests.conftest import Gateway, Start, running
from tests.rules.paged import Paged, Row, rows_of, served
from tests.upstreams import Unusual

PAGE = """query ($n: Int, $c: String) { workflows(first: $n, after: $c) {
  nodes { id } pageInfo { endCursor hasNextPage hasPreviousPage } } }"""
NAMED = """query ($n: Int, $c: String) { workflows(first: $n, after: $c) {
  totalCount nodes { id displayName } pageInfo { endCursor hasNextPage hasPreviousPage } } }"""
SORTED = """query ($n: Int, $c: String) { workflows(first: $n, after: $c,
  orderBy: [{field: CREATED_DATE_TIME, direction: DESC}]) {
  nodes { id } pageInfo { endCursor hasNextPage hasPreviousPage } } }"""


async def _next(gateway: Gateway, first: int, after: str | None, query: str = PAGE) -> Any:
    page = (await gateway.data(query, n=first, c=after))["workflows"]
    info = page["pageInfo"]
    return [row["id"] for row in page["nodes"]], info["endCursor"], info


def _running(*ids: str) -> list[Row]:
    return [{"id": id_, "processingStatus": "inProgress"} for id_ in ids]


@pytest.mark.parametrize("leaving", ["r1", "r2", "r1 r2"])
async def test_rows_that_leave_a_filter_take_nobody_along(start: Start, leaving: str) -> None:
    paged = Paged(_running("r1", "r2", "r3", "r4", "r5"), size=100, path="workflows/w/runs")
    gateway = await served(start, Paged([{}], path="none"), paged)
    query = """query ($w: ID!, $c: String) { workflow(id: $w) { runs(first: 2, after: $c,
      filter: { processingStatus: { eq: IN_PROGRESS } }) {
      nodes { id } pageInfo { endCursor hasNextPage hasPreviousPage } } } }"""
    workflow = (await gateway.rest("/workflows"))["value"][0]["id"]
    paged.path = f"workflows/{workflow}/runs"
    runs = (await gateway.data(query, w=workflow))["workflow"]["runs"]
    assert runs["nodes"] == rows_of("r1", "r2")
    paged.rows = [row for row in paged.rows if row["id"] not in leaving.split()]
    runs = (await gateway.data(query, w=workflow, c=runs["pageInfo"]["endCursor"]))["workflow"]
    assert runs["runs"]["nodes"] == rows_of("r3", "r4")
    assert runs["runs"]["pageInfo"]["hasPreviousPage"] is (leaving != "r1 r2")


@pytest.mark.parametrize("arriving", [1, 2, 5, 30])
@pytest.mark.parametrize("size", [2, 3, 100])
@pytest.mark.parametrize("first", [1, 2, 4])
async def test_rows_that_arrive_before_are_no_reason_to_tell_others_twice(
    start: Start, arriving: int, size: int, first: int
) -> None:
    paged = Paged(rows_of(*"abcdefg"), size=size)
    gateway = await served(start, paged)
    told, after, _ = await _next(gateway, first, None)
    paged.rows = rows_of(*(f"new{n}" for n in range(arriving))) + paged.rows
    more: list[str] = []
    info: dict[str, Any] = {"hasNextPage": True}
    while info["hasNextPage"]:
        ids, cursor, info = await _next(gateway, 3, after)
        more += ids
        after = cursor or after
    old = [id_ for id_ in told + more if not id_.startswith("new")]
    assert old == list("abcdefg")


@pytest.mark.parametrize("query", [PAGE, SORTED], ids=["as it comes", "sorted"])
@pytest.mark.parametrize("gone", ["", "c", "d", "cd", "abcd", "ab", "e", "abcdef", "bdf"])
@pytest.mark.parametrize("size", [3, 5, 6, 100])
async def test_whatever_leaves_nobody_who_stays_is_skipped_or_told_twice(
    start: Start, query: str, gone: str, size: int
) -> None:
    rows = [
        {"id": id_, "createdDateTime": f"2026-01-{28 - n:02}T00:00:00Z", "n": n}
        for n, id_ in enumerate("abcdefghijkl", 1)
    ]
    paged = Paged(rows, size=size, by="n")
    gateway = await served(start, _numbered(paged))
    told, after, _ = await _next(gateway, 4, None, query)
    assert told == list("abcd")
    paged.rows = [row for row in rows if str(row["id"]) not in gone]
    rest, _, info = await _next(gateway, 20, after, query)
    assert rest == [id_ for id_ in "efghijkl" if id_ not in gone]
    assert info["hasNextPage"] is False


def _numbered(paged: Paged) -> Paged:
    """The same, with tokens that begin after the last row of a page: its ``n``, of two digits."""
    for row in paged.rows:
        row["n"] = f"{row['n']:02}"
    return paged


async def test_a_whole_page_of_rows_that_arrive_moves_the_told_ones_onto_the_next(
    start: Start,
) -> None:
    ids = [f"r{n}" for n in range(150)]
    paged = Paged(rows_of(*ids), size=100)
    gateway = await served(start, paged)
    told, after, _ = await _next(gateway, 100, None)
    paged.rows = rows_of(*(f"new{n}" for n in range(100)), *ids)
    rest, _, _ = await _next(gateway, 1000, after)
    assert told + rest == ids


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
async def test_where_all_that_were_told_have_gone_the_sort_value_decides(
    start: Start, direction: str
) -> None:
    def row(n: int) -> Row:
        day = n if direction == "ASC" else 99 - n
        return {"id": f"r{n}", "createdDateTime": f"2026-01-01T00:{day:02}:00.{n:07}Z"}

    paged = Paged([row(n) for n in range(10, 90)], size=100)
    gateway = await served(start, paged)
    query = SORTED.replace("DESC", direction)
    told, after, _ = await _next(gateway, 70, None, query)
    assert len(told) == 70
    # All that were told have gone, and others have come to their places.
    paged.rows = [row(n) for n in range(1, 10)] + [row(n) for n in range(80, 90)]
    rest, _, info = await _next(gateway, 70, after, query)
    assert rest == [f"r{n}" for n in range(80, 90)]
    assert info["hasPreviousPage"] is True


@pytest.mark.parametrize("moved", [0, 3, 7])
@pytest.mark.parametrize("to", ["first", "last"])
async def test_a_row_that_moves_hides_no_others(start: Start, moved: int, to: str) -> None:
    ids = [f"r{n}" for n in range(20)]
    paged = Paged(rows_of(*ids), size=100)
    gateway = await served(start, paged)
    told, after, _ = await _next(gateway, 8, None)
    row = paged.rows.pop(moved)
    paged.rows.insert(0 if to == "first" else len(paged.rows), row)
    rest, _, _ = await _next(gateway, 50, after)
    assert told + rest == ids


async def test_where_nothing_is_left_before_there_is_no_previous_page(start: Start) -> None:
    paged = Paged(rows_of(*"abcd"), size=100)
    gateway = await served(start, paged)
    _, after, info = await _next(gateway, 2, None)
    assert info["hasPreviousPage"] is False
    _, _, info = await _next(gateway, 2, after)
    assert info["hasPreviousPage"] is True
    paged.rows = rows_of("c", "d")
    rest, _, info = await _next(gateway, 2, after)
    assert (rest, info["hasPreviousPage"]) == (["c", "d"], False)


async def test_the_total_is_not_reckoned_from_where_a_row_was(start: Start) -> None:
    paged = Paged(rows_of(*"abcdefgh", displayName="x"), size=3)
    gateway = await served(start, paged)
    page = (await gateway.data(NAMED, n=4))["workflows"]
    assert page["totalCount"] == 8
    paged.rows = [row for row in paged.rows if row["id"] not in "ab"]
    rest = (await gateway.data(NAMED, n=9, c=page["pageInfo"]["endCursor"]))["workflows"]
    assert rest["totalCount"] == 6


async def test_a_cursor_finds_its_row_where_more_is_selected(start: Start) -> None:
    paged = Paged(rows_of(*"abcdefghij", displayName="x"), size=3, by="id")
    gateway = await served(start, paged)
    _, after, _ = await _next(gateway, 7, None)
    paged.rows = [{"id": "A", "displayName": "x"}, *(r for r in paged.rows if r["id"] not in "bg")]
    page = (await gateway.data(NAMED, n=9, c=after))["workflows"]
    assert page["nodes"] == rows_of("h", "i", "j", displayName="x")
    assert page["totalCount"] == 9


async def test_an_expired_cursor_finds_its_row_where_rows_have_gone(start: Start) -> None:
    paged = Paged(rows_of(*"abcdefghij"), size=3)
    gateway = await served(start, paged)
    for first in (4, 6, 7):
        paged.rows = rows_of(*"abcdefghij")
        told, after, _ = await _next(gateway, first, None)
        paged.generation += 1
        paged.rows = [row for row in paged.rows if row["id"] not in "acf"]
        rest, _, _ = await _next(gateway, 20, after)
        stayed = [id_ for id_ in told if id_ not in "acf"] + rest
        assert stayed == list("bdeghij")


async def test_rows_of_the_page_before_are_walked_to_where_their_page_has_moved(
    start: Start,
) -> None:
    paged = Paged(rows_of(*"abcdefghijkl"), size=6)
    gateway = await served(start, paged)
    _, after, _ = await _next(gateway, 8, None)
    # The page that the row was on begins five rows later now: `h` is on the one before.
    paged.rows = [row for row in paged.rows if row["id"] not in "abcde"]
    rest, _, _ = await _next(gateway, 20, after)
    assert rest == list("ijkl")


@pytest.mark.parametrize("size", [3, 64])
@pytest.mark.parametrize("time", [None, "2026-01-01T00:00:00Z"], ids=["null", "equal"])
@pytest.mark.parametrize("first", [1, 20])
async def test_many_rows_that_sort_equally_are_each_told_once(
    start: Start, size: int, time: str | None, first: int
) -> None:
    """More of them than a cursor remembers, walked to because more is selected or links expire."""
    rows = rows_of(*(f"r{n}" for n in range(170)), displayName="x", createdDateTime=time)
    paged = Paged(rows, size=size)
    gateway = await served(start, paged)
    names = SORTED.replace("DESC", "ASC").replace("nodes { id }", "nodes { id displayName }")
    told, after, _ = await _next(gateway, 90, None, SORTED.replace("DESC", "ASC"))
    turns = 0
    while after is not None:
        turns += 1
        paged.generation += turns % 2
        query = names if turns % 3 == 1 else SORTED.replace("DESC", "ASC")
        ids, after, info = await _next(gateway, first if turns < 4 else 90, after, query)
        told += ids
        if not info["hasNextPage"]:
            break
    assert told == [row["id"] for row in rows]


@pytest.mark.parametrize("size", [4, 7, 100])
async def test_forward_paging_takes_no_request_more(start: Start, size: int) -> None:
    paged = Paged(rows_of(*(f"r{n}" for n in range(20))), size=size)
    gateway = await served(start, paged)
    after, found = None, []
    for _ in range(5):
        ids, after, _ = await _next(gateway, 4, after)
        found += ids
    assert found == [f"r{n}" for n in range(20)]
    # One request for each window, and one more where it goes over the border of a page.
    borders = {4: 0, 7: 2, 100: 0}
    assert len(paged.asked) == 5 + borders[size]


async def test_a_cursor_stays_short(start: Start) -> None:
    rows = rows_of(*(f"{n:0500}" for n in range(300)))
    paged = Paged(rows, size=150, link=lambda token: f"?{token}&$x={'y' * 9000}")
    gateway = await served(start, paged)
    after, found = None, []
    more = True
    while more:
        ids, after, info = await _next(gateway, 100, after)
        assert after is not None
        assert len(after) < 16_384
        found += ids
        more = info["hasNextPage"]
    assert found == [row["id"] for row in rows]


@pytest.mark.parametrize(
    "cursor", ["", "x", "AAAA", "eyJhIjoxfQ", "A" * 20_000, "é"], ids=lambda c: c[:8]
)
async def test_what_is_no_cursor_is_refused(start: Start, cursor: str) -> None:
    gateway = await served(start, paged := Paged(rows_of("a")))
    [error] = await gateway.errors(PAGE, n=1, c=cursor)
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "argument": "after"}
    assert paged.asked == []


# --- collections that change all the time -------------------------------------------------------

Change = tuple[list[int], list[int]]


class _Collection(Paged):
    """Rows with a sort value; page tokens say after which value they begin, or at which row."""

    def change(self, leaving: list[int], arriving: list[int]) -> None:
        kept = [row for row in self.rows if row["n"] not in {f"{n:04}" for n in leaving}]
        there = {row["n"] for row in kept}
        new = {f"{n:04}" for n in arriving} - there
        self.rows = sorted(kept + [_row(n) for n in new], key=lambda row: row["n"])


def _row(n: str) -> Row:
    time = f"2026-01-01T00:{int(n) // 60:02}:{int(n) % 60:02}.{int(n):07}Z"
    return {"id": f"id-{n}", "n": n, "createdDateTime": time}


CHANGES = st.lists(
    st.tuples(st.lists(st.integers(0, 60), max_size=8), st.lists(st.integers(0, 60), max_size=8)),
    max_size=12,
)


async def _walk(
    gateway: Gateway, paged: _Collection, changes: list[Change], first: int, query: str
) -> tuple[list[str], set[str]]:
    """The rows told, and those that were there the whole time."""
    told: list[str] = []
    stayed = {row["id"] for row in paged.rows}
    after, more, left = None, True, list(changes)
    while more:
        ids, cursor, info = await _next(gateway, first, after, query)
        told += ids
        after, more = cursor or after, info["hasNextPage"]
        if left:
            paged.change(*left.pop(0))
            stayed &= {row["id"] for row in paged.rows}
        assert len(told) < 500
    return told, stayed


@pytest.mark.parametrize("tokens", ["values", "row numbers"])
def test_every_row_that_stays_is_told_exactly_once(tokens: str) -> None:
    paged = _Collection([])
    paged.link = lambda token: f"?{token}"
    unusual = Unusual(instead=lambda asked: paged(asked))
    inner = unusual.before(create_sandbox(SandboxSettings(moving=False)))

    @settings(
        max_examples=60,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(
        st.sets(st.integers(0, 60), max_size=40),
        CHANGES,
        st.integers(1, 9),
        st.integers(1, 12),
        st.booleans(),
    )
    def check(rows: set[int], changes: list[Change], first: int, size: int, order: bool) -> None:
        paged.size = size
        paged.rows = [_row(f"{n:04}") for n in sorted(rows)]
        paged.by = "n" if tokens == "values" else None
        if paged.by is None:
            # Rows that leave move others over the border of a page, where nobody can see them.
            changes = [([], arriving) for _, arriving in changes]
        query = SORTED.replace("DESC", "ASC") if order else PAGE
        told, stayed = runner.run(_walk(gateway, paged, changes, first, query))
        assert len(told) == len(set(told))
        assert stayed <= set(told)
        assert [id_ for id_ in told if id_ in stayed] == sorted(stayed)

    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        gateway = runner.run(stack.enter_async_context(running(inner, Settings())))
        try:
            check()
        finally:
            runner.run(stack.aclose())
