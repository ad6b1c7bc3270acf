"""A property that needs more permission does not take the others with it.

The service refuses a request as a whole that names one property too many. Where the kind can occur:
the bulk look-up by filter, the one by ids (which needs a permission of its own), the expansion of
a subject, the manager, who made or changed a workflow, a user behind a `nodeId`, deleted users.
"""

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Gateway, Start
from tests.upstreams import Answered, Asked, Unusual, graph_error

TRIAGE = """{ taskProcessingResults(first: %d) { nodes { subject { id %s } } } }"""
TREE = """{ workflows { nodes { runs { nodes { userProcessingResults { nodes {
  subject { id %s } } } } } } } }"""
REFUSED = "Insufficient privileges to complete the operation."


def _forbidding(*words: str) -> Callable[[Asked], Answered | None]:
    def instead(asked: Asked) -> Answered | None:
        if any(word in asked.url for word in words):
            return graph_error(403, "Authorization_RequestDenied", REFUSED)
        return None

    return instead


def _subjects(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, list):
        return [subject for item in value for subject in _subjects(item)]
    if isinstance(value, dict):
        own = [value["subject"]] if value.get("subject") else []
        return own + [s for inner in value.values() for s in _subjects(inner)]
    return []


async def _expected(start: Start, query: str, *forbidden: str, **sandbox: Any) -> Any:
    data = await (await start(**sandbox)).data(query)
    for subject in _subjects(data):
        subject.update(dict.fromkeys(forbidden))
    return data


def _check_errors(answer: dict[str, Any], *names: str) -> None:
    assert {error["path"][-1] for error in answer["errors"]} == set(names)
    for error in answer["errors"]:
        assert error["extensions"]["code"] == "FORBIDDEN"
        assert error["message"].partition(" (this takes the permission ")[0] == REFUSED


@pytest.mark.parametrize("rows", [2, 100], ids=["one request", "several"])
@pytest.mark.parametrize("name", ["accountEnabled", "employeeLeaveDateTime"])
async def test_only_the_forbidden_property_is_null(start: Start, rows: int, name: str) -> None:
    query = TRIAGE % (rows, f"displayName department {name}")
    expected = await _expected(start, query, name, users=20)
    gateway = await start(unusual=Unusual(instead=_forbidding(name)), users=20)
    answer = await gateway.query(query)
    assert answer["data"] == expected
    _check_errors(answer, name)


async def test_several_forbidden_properties_and_the_manager(start: Start) -> None:
    members = "accountEnabled displayName employeeId department manager { id }"
    query = TRIAGE % (30, members)
    forbidden = ("accountEnabled", "employeeId", "manager")
    expected = await _expected(start, query, *forbidden)
    unusual = Unusual(instead=_forbidding(*forbidden))
    gateway = await start(unusual=unusual)
    answer = await gateway.query(query)
    assert answer["data"] == expected
    _check_errors(answer, *forbidden)


async def test_what_is_forbidden_is_found_out_once_for_an_operation(start: Start) -> None:
    unusual = Unusual(instead=_forbidding("accountEnabled"))
    gateway = await start(unusual=unusual, users=60, workflows=1)
    answer = await gateway.query(TREE % "department accountEnabled")
    asked = [a.url for a in unusual.asked if a.url.startswith("users?")]
    chunks = -(-len({s["id"] for s in _subjects(answer["data"])}) // 15)
    # All chunks as they are wanted, two properties by themselves, the other chunks again.
    assert len(asked) <= chunks + 2 + chunks - 1


@pytest.mark.parametrize("expand", ["refuse", "accept"])
async def test_expanded_subjects(start: Start, expand: str) -> None:
    query = TREE % "displayName accountEnabled"
    expected = await _expected(start, query, "accountEnabled", task_results_expand=expand)
    gateway = await start(
        unusual=Unusual(instead=_forbidding("accountEnabled")), task_results_expand=expand
    )
    answer = await gateway.query(query)
    assert answer["data"] == expected
    _check_errors(answer, "accountEnabled")


async def test_users_by_their_ids_need_a_permission_of_their_own(start: Start) -> None:
    query = TRIAGE % (1000, "displayName")
    expected = await _expected(start, query, users=30)
    unusual = Unusual(instead=_forbidding("expand=subject", "getByIds"))
    gateway = await start(unusual=unusual, users=30)
    answer = await gateway.query(query)
    assert any("getByIds" in asked.url for asked in unusual.asked)
    assert answer == {"data": expected}


async def test_where_nothing_may_be_read_every_property_says_so(start: Start) -> None:
    gateway = await start(
        unusual=Unusual(instead=_forbidding("expand=subject", "users?", "getByIds"))
    )
    answer = await gateway.query(TRIAGE % (2, "displayName department"))
    assert {s["displayName"] for s in _subjects(answer["data"])} == {None}
    assert all(s["id"] for s in _subjects(answer["data"]))
    _check_errors(answer, "displayName", "department")


async def test_who_made_a_workflow(start: Start) -> None:
    usual = await start()
    workflow = (await usual.rest("/workflows"))["value"][0]["id"]
    query = """query ($w: ID!) { workflow(id: $w) { displayName
      createdBy { displayName employeeId } } }"""
    expected = await usual.data(query, w=workflow)
    expected["workflow"]["createdBy"]["employeeId"] = None
    gateway = await start(unusual=Unusual(instead=_forbidding("employeeId")))
    answer = await gateway.query(query, w=workflow)
    assert answer["data"] == expected
    _check_errors(answer, "employeeId")


async def _node_id(gateway: Gateway) -> str:
    data = await gateway.data(TRIAGE % (1, "nodeId"))
    return str(_subjects(data)[0]["nodeId"])


async def test_a_user_behind_a_node_id(start: Start) -> None:
    node = await _node_id(await start())
    query = """query ($n: ID!) { node(nodeId: $n) { ... on User {
      id displayName accountEnabled manager { id } } } }"""
    expected = await (await start()).data(query, n=node)
    expected["node"]["accountEnabled"] = None
    gateway = await start(unusual=Unusual(instead=_forbidding("accountEnabled")))
    answer = await gateway.query(query, n=node)
    assert answer["data"] == expected
    _check_errors(answer, "accountEnabled")


async def test_deleted_users_are_looked_up_without_it(start: Start) -> None:
    query = TREE % "displayName deletedDateTime accountEnabled"
    expected = await _expected(start, query, "accountEnabled", users=30)
    assert any(s["deletedDateTime"] for s in _subjects(expected))
    gateway = await start(unusual=Unusual(instead=_forbidding("accountEnabled")), users=30)
    answer = await gateway.query(query)
    assert answer["data"] == expected
