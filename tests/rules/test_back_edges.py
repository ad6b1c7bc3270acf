"""An edge to a container is answered by the address of the row, however the query came to it.

A result reached through `tasks`, `taskReports` or all results of a workflow hangs in the query
below a run that it need not be of. Where the kind can occur: every edge that is declared with a
`container` (`run` and `workflow` of results, runs, versions and reports), by every route: below
lists, below single entities, below other edges back, below a result across workflows, below
`node`, and in the payload of a mutation.
"""

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import GraphQLObjectType, get_named_type, is_list_type, is_non_null_type

from gateway.plan.model import Navigation, Shape
from gateway.schema.build import build_schema
from gateway.settings import Settings
from tests.conftest import Gateway, Start

SCHEMA = build_schema()
LONGEST = 5
CONTAINERS = {
    "run": "runs",
    "userProcessingResult": "userProcessingResults",
    "workflow": "workflows",
}


def _navigations(entity: str) -> Iterator[Navigation]:
    for navigation in SCHEMA.model[entity].navigations.values():
        if not navigation.beta and navigation.target and navigation.call is None:
            yield navigation


def _routes(entity: str, length: int) -> Iterator[tuple[Navigation, ...]]:
    """Every route of at most ``length`` edges below ``entity`` that ends at a container."""
    for navigation in _navigations(entity):
        if navigation.container is not None:
            yield (navigation,)
        if length > 1 and navigation.target in SCHEMA.model:
            for rest in _routes(navigation.target, length - 1):
                yield (navigation, *rest)


def _selection(route: tuple[Navigation, ...], entity: str) -> str:
    navigation, *rest = route
    own = "nodeId id" if _has_id(entity) else "nodeId" if _is_node(entity) else ""
    inner = _selection(tuple(rest), navigation.target) if rest else "id nodeId"
    below = (
        f"{{ nodes {{ {inner} }} }}" if navigation.shape is Shape.CONNECTION else f"{{ {inner} }}"
    )
    # One row of each list is enough to tell, and keeps rows from multiplying.
    arguments = "(first: 2)" if navigation.shape is Shape.CONNECTION else ""
    return f"{own} {navigation.name}{arguments} {below}"


def _type(entity: str) -> GraphQLObjectType:
    found = SCHEMA.core.type_map[entity]
    assert isinstance(found, GraphQLObjectType)
    return found


def _is_node(entity: str) -> bool:
    return "nodeId" in _type(entity).fields


def _has_id(entity: str) -> bool:
    return _is_node(entity) and "id" in _type(entity).fields


ROOTS = {
    "workflow": "query ($w: ID!) { workflow(id: $w) { %s } }",
    "run": "query ($w: ID!, $r: ID!) { run(workflowId: $w, id: $r) { %s } }",
    "taskProcessingResults": "{ taskProcessingResults(first: 4) { nodes { %s } } }",
}
STARTS = {"workflow": "Workflow", "run": "Run", "taskProcessingResults": "TaskProcessingResult"}


def _path(node_id: str) -> list[str]:
    return base64.urlsafe_b64decode(node_id + "=" * (-len(node_id) % 4)).decode().split("/")


def _expected(path: list[str], collection: str) -> str | None:
    """The node id of the container in an address; its own if there is none further out."""
    if collection not in path[:-2]:
        return None
    end = path.index(collection) + 2
    text = "/".join(path[:end])
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def _check(value: Any, seen: list[str | None]) -> None:
    """Compare every edge to a container in an answer with the address of the row around it."""
    if isinstance(value, list):
        for item in value:
            _check(item, seen)
    elif isinstance(value, dict):
        own = value.get("nodeId")
        for name, inner in value.items():
            if name in CONTAINERS and own is not None and (inner is None or "nodeId" in inner):
                wanted = _expected(_path(own), CONTAINERS[name])
                if _path(own)[0::2][-1:] == ["taskReports"] and name == "run":
                    continue  # A report tells its run by a property.
                assert (inner or {}).get("nodeId") == wanted, (own, name)
                if inner is not None and "id" in inner:
                    assert inner["id"] == _path(inner["nodeId"])[-1]
                seen.append(wanted)
            _check(inner, seen)


async def _ask(gateway: Gateway, query: str, ids: dict[str, str]) -> dict[str, Any]:
    return await gateway.query(query, **{n: id_ for n, id_ in ids.items() if f"${n}:" in query})


@pytest.fixture
async def place(start: Start) -> tuple[Gateway, dict[str, str]]:
    gateway = await start(Settings(max_recursion=LONGEST), workflows=2, runs=5, users=2, tasks=2)
    workflow = (await gateway.rest("/workflows"))["value"][0]["id"]
    runs = (await gateway.rest(f"/workflows/{workflow}/runs"))["value"]
    return gateway, {"w": workflow, "r": runs[1]["id"]}


@pytest.mark.parametrize(
    "root", ["workflow", *(pytest.param(r, marks=pytest.mark.slow) for r in list(ROOTS)[1:])]
)
async def test_every_route_leads_back_to_the_container_in_the_row_s_address(
    place: tuple[Gateway, dict[str, str]], root: str
) -> None:
    gateway, ids = place
    routes = list(_routes(STARTS[root], LONGEST))
    assert len(routes) > 100
    seen: list[str | None] = []
    for route in routes:
        answer = await _ask(gateway, ROOTS[root] % _selection(route, STARTS[root]), ids)
        # The tasks of a version have no results of their own; the service says so.
        assert {e["extensions"]["code"] for e in answer.get("errors", [])} <= {"UPSTREAM_ERROR"}
        _check(answer["data"][root], seen)
    assert None in seen
    assert len([wanted for wanted in seen if wanted]) > 100


ALL = """query ($w: ID!, $r: ID!) { run(workflowId: $w, id: $r) {
  workflow { userProcessingResults(first: 100) { nodes { id nodeId run { id nodeId } } } } } }"""
BY_TASK = """query ($w: ID!) { workflow(id: $w) { runs { nodes { id nodeId
  taskProcessingResults { nodes { id nodeId task { id
    taskProcessingResults { nodes { id nodeId run { id nodeId } workflow { id nodeId } } } } } }
} } } }"""
AGAIN = """query ($w: ID!) { workflow(id: $w) { displayName runs { nodes { id nodeId
  reprocessedRuns { id nodeId workflow { id nodeId displayName } } } } } }"""


@pytest.mark.parametrize("query", [ALL, BY_TASK, AGAIN])
async def test_results_of_other_runs_are_not_said_to_be_of_this_one(
    place: tuple[Gateway, dict[str, str]], query: str
) -> None:
    gateway, ids = place
    answer = await _ask(gateway, query, ids)
    assert "errors" not in answer
    seen: list[str | None] = []
    _check(answer["data"], seen)
    assert seen


async def test_what_hangs_in_its_container_costs_nothing_more(start: Start) -> None:
    gateway = await start(sockets=True)
    plain = "{ workflows { nodes { id displayName runs { nodes { id } } } } }"
    back = (
        "{ workflows { nodes { id displayName runs { nodes { id workflow { displayName } } } } } }"
    )
    _, without = await gateway.counted(plain)
    data, sent = await gateway.counted(back)
    assert sent.items == without.items
    for workflow in data["workflows"]["nodes"]:
        for run in workflow["runs"]["nodes"]:
            assert run["workflow"]["displayName"] == workflow["displayName"]


async def test_a_report_s_run_knows_the_workflow_that_it_hangs_below(
    place: tuple[Gateway, dict[str, str]],
) -> None:
    gateway, ids = place
    data = await gateway.data(
        """query ($w: ID!) { workflow(id: $w) { id displayName
          taskReports(first: 2) { nodes { id run { id workflow { id displayName } } } } } }""",
        w=ids["w"],
    )
    for report in data["workflow"]["taskReports"]["nodes"]:
        assert report["run"]["workflow"]["displayName"] == data["workflow"]["displayName"]


def test_every_edge_to_a_container_is_among_them() -> None:
    found = {
        (name, field)
        for name, type_ in SCHEMA.core.type_map.items()
        if isinstance(type_, GraphQLObjectType) and name not in ("Query", "Mutation")
        for field, definition in type_.fields.items()
        if field in CONTAINERS and not _listed(definition.type)
        if get_named_type(definition.type).name in ("Run", "UserProcessingResult", "Workflow")
        if not name.endswith("Payload")
    }
    declared = {
        (name, navigation.name)
        for name, _ in found
        for navigation in SCHEMA.model[name].navigations.values()
        if navigation.container or navigation.reference
    }
    assert found == declared


def _listed(type_: Any) -> bool:
    return is_list_type(type_.of_type if is_non_null_type(type_) else type_)
