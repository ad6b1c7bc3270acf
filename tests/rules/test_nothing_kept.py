"""Nothing of a caller is kept: after the answer, neither who asked, nor their token, nor a row.

The kind: an exception that was raised knows the frames that it went through, and they know
everything. Places where one can be kept: plans (bad arguments, bad filters, fields that the service
does not have), validated documents, the replies that requests share, caches that raise, logs of an
error. Beside: cycles, which are kept until the garbage collector looks for them, so that it has the
more to do: rows that know their containers, executors that know themselves, errors with frames.
"""

import gc
import types
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.access.caller import ANONYMOUS, Caller
from gateway.answer.bounds import Bounded
from gateway.graph.replies import Reply
from gateway.graph.runner import Runner
from gateway.graph.session import Session
from gateway.plan.stitch import ADDRESS
from gateway.schema.context import Context
from gateway.settings import Settings
from tests.conftest import Gateway, Start
from tests.upstreams import Answered, Asked, Unusual, graph_error

SECRET = "the-token-of-one-caller-that-nobody-may-find"
OF_AN_OPERATION = (Caller, Session, Reply, Context, Runner, Bounded)

FINE = "{ workflows { nodes { id displayName runs { nodes { id workflow { id } } } } } }"
DOCUMENTS = {
    "nothing": FINE,
    "a bad argument": "{ workflows(first: 0) { totalCount } }",
    "a bad argument below rows": "{ workflows { nodes { runs(first: 0) { totalCount } } } }",
    "a bad filter": "{ workflows(filter: { or: [] }) { totalCount } }",
    "a bad cursor": '{ workflows { nodes { runs(after: "x") { totalCount } } } }',
    "a bad id": '{ workflow(id: "..") { id } }',
    "a field of beta": "{ workflows { nodes { id subjectType } } }",
    "syntax": "{ workflows {",
    "validation": "{ workflows { nope } }",
    "many errors of validation": "{ " + " ".join(f"a{i}: nope" for i in range(30)) + " }",
    "a limit": "{ " + " ".join(f"a{i}: __typename" for i in range(300)) + " }",
    "a variable": "query ($first: Int!) { workflows(first: $first) { totalCount } }",
    "no operation": "query A { __typename } query B { __typename }",
    "not found": '{ workflow(id: "9b8e1c0e-8a8a-4c4c-9d9d-000000000000") { id displayName } }',
    "a mutation": 'mutation { deleteWorkflow(input: { id: ".." }) { __typename } }',
}


@pytest.fixture(autouse=True)
def still() -> Iterator[None]:
    """What other tests have left is out of the way, and out of sight of `gc.get_objects`."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
    gc.enable()


def found() -> list[str]:
    """What is left of operations, and where the token is; after a collection."""
    gc.collect()
    left = []
    for thing in gc.get_objects():
        if isinstance(thing, OF_AN_OPERATION) and thing is not ANONYMOUS:
            left.append(type(thing).__name__)
        elif type(thing) is dict and type(thing.get(ADDRESS)) is str:
            left.append(f"row {thing[ADDRESS]}")
        if not isinstance(thing, types.FrameType | types.ModuleType):
            left += [
                f"token in {type(thing).__name__}"
                for inner in gc.get_referents(thing)
                if (type(inner) is str and SECRET in inner and inner is not SECRET)
                or (type(inner) is bytes and SECRET.encode() in inner)
            ]
    return left


async def ask(gateway: Gateway, body: Any) -> list[str]:
    """The codes of the errors of a request that carries the token."""
    bearer = "".join(["Bearer ", SECRET])
    response = await gateway.post(body, headers={"Authorization": bearer})
    return [error["extensions"]["code"] for error in response.json().get("errors", ())]


@pytest.mark.parametrize("projection", [True, False])
@pytest.mark.parametrize("query", DOCUMENTS.values(), ids=list(DOCUMENTS))
async def test_nothing_is_kept_after(start: Start, query: str, projection: bool) -> None:
    gateway = await start(projection=projection, passthrough=True)
    codes = [await ask(gateway, {"query": query}) for _ in range(2)]
    assert codes[0] == codes[1]
    assert bool(codes[0]) is (query is not FINE)
    assert found() == []


ANSWERS = {
    "an error": graph_error(500, "InternalServerError"),
    "forbidden": graph_error(403, "Forbidden"),
    "unauthenticated": graph_error(401, "InvalidAuthenticationToken"),
    "throttled": graph_error(429, "TooManyRequests", **{"retry-after": "0"}),
    "no JSON": Answered(b"<html>"),
    "no collection": Answered({"value": 5}),
    "rows that are none": Answered({"value": [5, None]}),
    "rows without a key": Answered({"value": [{"displayName": "x"}]}),
    "another link": Answered({"value": [], "@odata.nextLink": "https://elsewhere.example/v1.0/x"}),
}


@pytest.mark.parametrize("below", [False, True], ids=["at the root", "below rows"])
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=list(ANSWERS))
async def test_nothing_is_kept_of_a_failed_request(
    start: Start, answer: Answered, below: bool
) -> None:
    def instead(asked: Asked) -> Answered | None:
        return answer if ("/runs" in asked.url) is below else None

    unusual = Unusual(instead=instead)
    gateway = await start(Settings(max_attempts=1), unusual=unusual)
    assert await ask(gateway, {"query": FINE})
    unusual.forget()
    assert found() == []


async def test_nothing_is_kept_of_what_ran_out(start: Start) -> None:
    gateway = await start(Settings(max_upstream_requests=2), passthrough=True)
    assert "BUDGET_EXCEEDED" in await ask(gateway, {"query": FINE})
    assert found() == []
    gateway = await start(Settings(max_answer_objects=3), passthrough=True)
    assert await ask(gateway, {"query": FINE}) == ["ANSWER_TOO_LARGE"]
    assert found() == []
    gateway = await start(Settings(deadline=0.000001), passthrough=True)
    assert "UPSTREAM_TIMEOUT" in await ask(gateway, {"query": FINE})
    assert found() == []


ROWS = {
    "rows": "{ workflows { nodes { id runs { nodes { id userProcessingResults { nodes "
    "{ id subject { displayName } taskProcessingResults { id task { displayName } } } } } } } } }",
    "rows that lead back": "{ workflows { nodes { id runs { nodes { id workflow { id } "
    "userProcessingResults { nodes { id run { id workflow { id } } "
    "taskProcessingResults { id } } } } } } } }",
    "rows of all workflows": "{ taskProcessingResults(first: 500) { nodes { id run { id "
    "workflow { id runs { nodes { id } } } } subject { displayName } } } }",
    "one entity": '{ workflow(id: "%s") { id runs { nodes { id workflow { displayName } } } } }',
    "rows with an error each": "{ workflows { nodes { id runs { nodes { id "
    'userProcessingResults(after: "x") { nodes { id } } } } } } }',
    "bad arguments": "{ workflows { nodes { id runs { nodes { id "
    "userProcessingResults(first: 0) { totalCount } } } } } }",
}


@pytest.mark.parametrize("query", ROWS.values(), ids=list(ROWS))
async def test_answers_leave_no_cycles(start: Start, query: str) -> None:
    gateway = await start(workflows=3, runs=10, users=20)
    first = await gateway.data("{ workflows(first: 1) { nodes { id } } }")
    query = query.replace("%s", first["workflows"]["nodes"][0]["id"])

    async def left(query: str) -> tuple[int, int]:
        """Objects in cycles that an answer leaves, and the HTTP requests that it took."""
        await gateway.query(query)
        await gateway.forget()
        gc.collect()
        gc.disable()
        try:
            await gateway.query(query)
            cycles = gc.collect()
        finally:
            gc.enable()
        return cycles, (await gateway.sent()).http

    tiny, requests = await left("{ workflows(first: 1) { nodes { id } } }")
    assert requests == 1
    many, requests = await left(query)
    # What the HTTP client leaves of each request, and no more.
    assert many <= tiny * requests + 20


async def test_failed_requests_leave_no_cycles(start: Start) -> None:
    def instead(asked: Asked) -> Answered | None:
        return graph_error(403, "Forbidden") if "/userProcessingResults" in asked.url else None

    query = (
        "{ workflows { nodes { runs { nodes { id userProcessingResults(first: 5) "
        "{ nodes { id } } } } } } }"
    )

    async def left(runs: int) -> int:
        unusual = Unusual(instead=instead)
        gateway = await start(unusual=unusual, workflows=1, runs=runs)
        await gateway.query(query)
        gc.collect()
        gc.disable()
        try:
            await gateway.query(query)
            return gc.collect()
        finally:
            gc.enable()

    few, many = await left(21), await left(40)
    assert many <= few + 20
