"""What is not selected is not requested, and can't take with it what is.

Where the kind can occur: a root field of which only edges are selected (a token that may read
reports, but no workflow), `node`, an edge to a container of which only the id is selected, facts
that help to choose a strategy and that nobody asked for, and the payloads of mutations.
"""

import pytest

from tests.conftest import Start
from tests.upstreams import Answered, Asked, Unusual, graph_error

PERIOD = 'startDateTime: "2026-01-01T00:00:00Z", endDateTime: "2026-12-31T00:00:00Z"'
EDGES = [
    "taskReports { nodes { id } }",
    "runs { nodes { id } }",
    "versions { nodes { versionNumber } }",
    "userProcessingResults { nodes { id } }",
    f"runsSummary({PERIOD}) {{ totalRuns }}",
    f"taskReportsSummary({PERIOD}) {{ totalTasks }}",
    f"userProcessingResultsSummary({PERIOD}) {{ totalUsers }}",
]


def _only_below(asked: Asked) -> Answered | None:
    """Refuse every request for a workflow or a run itself."""
    path = asked.url.partition("?")[0].split("/")
    itself = path[-2] in ("workflows", "runs") and "(" not in path[-1]
    if asked.method == "GET" and itself:
        return graph_error(403, "Forbidden", "not the entity itself")
    return None


async def _ids(start: Start) -> dict[str, str]:
    gateway = await start()
    workflow = (await gateway.rest("/workflows"))["value"][0]["id"]
    run = (await gateway.rest(f"/workflows/{workflow}/runs"))["value"][0]["id"]
    return {"w": workflow, "r": run}


@pytest.mark.parametrize("edge", EDGES, ids=lambda edge: edge.split("(")[0].split(" ")[0])
async def test_an_entity_of_which_nothing_is_selected_is_not_requested(
    start: Start, edge: str
) -> None:
    ids = await _ids(start)
    unusual = Unusual(instead=_only_below)
    gateway = await start(unusual=unusual)
    data = await gateway.data(f"query ($w: ID!) {{ workflow(id: $w) {{ {edge} }} }}", w=ids["w"])
    [found] = data["workflow"].values()
    assert found
    assert len(unusual.asked) == 1


async def test_neither_is_a_run(start: Start) -> None:
    ids = await _ids(start)
    unusual = Unusual(instead=_only_below)
    gateway = await start(unusual=unusual)
    data = await gateway.data(
        """query ($w: ID!, $r: ID!) { run(workflowId: $w, id: $r) {
          taskProcessingResults { nodes { id } } workflow { id nodeId __typename } } }""",
        **ids,
    )
    assert data["run"]["taskProcessingResults"]["nodes"]
    assert data["run"]["workflow"]["id"] == ids["w"]
    assert len(unusual.asked) == 1


async def test_neither_is_what_a_node_id_leads_to(start: Start) -> None:
    ids = await _ids(start)
    gateway = await start()
    node = (await gateway.data("query ($w: ID!) { workflow(id: $w) { nodeId } }", w=ids["w"]))[
        "workflow"
    ]["nodeId"]
    unusual = Unusual(instead=_only_below)
    gateway = await start(unusual=unusual)
    data = await gateway.data(
        "query ($n: ID!) { node(nodeId: $n) { ... on Workflow { runs { nodes { id } } } } }", n=node
    )
    assert data["node"]["runs"]["nodes"]
    assert len(unusual.asked) == 1


async def test_facts_for_a_strategy_are_not_missed(start: Start) -> None:
    """The counts of a run tell what regrouping costs; without them the answer is the same."""
    ids = await _ids(start)
    query = """query ($w: ID!, $r: ID!) { run(workflowId: $w, id: $r) {
      userProcessingResults { nodes { id taskProcessingResults { id } } } } }"""
    expected = await (await start()).data(query, **ids)
    gateway = await start(unusual=Unusual(instead=_only_below))
    assert await gateway.data(query, **ids) == expected


async def test_the_container_of_a_row_is_known_by_its_id(start: Start) -> None:
    unusual = Unusual()
    gateway = await start(unusual=unusual)
    data = await gateway.data(
        """{ taskProcessingResults(first: 5) { nodes { id run { id } workflow { id } } } }"""
    )
    assert all(row["run"]["id"] for row in data["taskProcessingResults"]["nodes"])
    urls = [asked.url.partition("?")[0].split("/") for asked in unusual.asked]
    assert not [url for url in urls if url[-2] in ("workflows", "runs")]


async def test_what_an_operation_names_is_looked_for_if_only_its_id_is_selected(
    start: Start,
) -> None:
    gateway = await start()
    for selection in ("id", "nodeId", "__typename", "displayName"):
        answer = await gateway.query(f'{{ workflow(id: "nope") {{ {selection} }} }}')
        assert answer["data"] == {"workflow": None}
        assert answer["errors"][0]["extensions"]["code"] == "NOT_FOUND"


BACK = "query ($w: ID!) { workflow(id: $w) { runs { nodes { id workflow { id nodeId } } } } }"


async def test_an_id_that_only_an_edge_back_selects_is_not_looked_for(start: Start) -> None:
    ids = await _ids(start)
    unusual = Unusual(instead=_only_below)
    gateway = await start(unusual=unusual)
    data = await gateway.data(BACK, w=ids["w"])
    assert {run["workflow"]["id"] for run in data["workflow"]["runs"]["nodes"]} == {ids["w"]}
    assert len(unusual.asked) == 1
