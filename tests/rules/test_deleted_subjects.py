"""Who was processed by a leaver workflow is often deleted, and still has a name for 30 days.

Where the kind can occur: subjects that are looked up in bulk, subjects that come expanded, who made
or changed a workflow, a user behind a `nodeId`, and any of them on a service that does not let its
deleted users be read.
"""

from typing import Any

import pytest

from tests.conftest import Start
from tests.upstreams import Answered, Asked, Unusual, graph_error

NAMES = """{ workflows { nodes { runs { nodes { userProcessingResults { nodes {
  subject { id displayName deletedDateTime } } } } } } } }"""
DEPARTMENTS = """{ taskProcessingResults(first: 1000) { nodes {
  subject { id displayName department deletedDateTime manager { id } } } } }"""
DELETED = "directory/deletedItems/microsoft.graph.user"


async def _deleted(start: Start) -> dict[str, dict[str, Any]]:
    """The deleted users of a directory as all tests here have it, by their ids."""
    gateway = await start(users=30)
    response = await gateway.upstream.get(
        f"/v1.0/{DELETED}?$select=id,displayName,deletedDateTime",
        headers={"Authorization": "Bearer token"},
    )
    return {row["id"]: row for row in response.json()["value"]}


def _subjects(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, list):
        return [subject for item in value for subject in _subjects(item)]
    if isinstance(value, dict):
        own = [value["subject"]] if "subject" in value else []
        return own + [s for inner in value.values() for s in _subjects(inner)]
    return []


@pytest.mark.parametrize("query", [NAMES, DEPARTMENTS], ids=["expanded", "looked up"])
async def test_deleted_users_have_their_names(start: Start, query: str) -> None:
    gateway = await start(users=30, task_results_expand="accept", sockets=True)
    data, sent = await gateway.counted(query)
    deleted = await _deleted(start)
    found = [s for s in _subjects(data) if s["id"] in deleted]
    assert found
    for subject in found:
        assert subject["displayName"] == deleted[subject["id"]]["displayName"]
        assert subject["deletedDateTime"] == deleted[subject["id"]]["deletedDateTime"]
    assert all(s["deletedDateTime"] is None for s in _subjects(data) if s["id"] not in deleted)
    looked_up = [item for item in sent.items if DELETED in item]
    assert len(looked_up) == -(-len({s["id"] for s in found}) // 15)


async def test_nobody_deleted_is_looked_for_where_all_are_there(start: Start) -> None:
    gateway = await start(workflows=1, sockets=True)
    _, sent = await gateway.counted(NAMES)
    assert not [item for item in sent.items if DELETED in item]


async def test_a_deleted_user_behind_a_node_id(start: Start) -> None:
    gateway = await start(users=30)
    data = await gateway.data(NAMES.replace("id displayName", "id nodeId displayName"))
    [gone, *_] = [s for s in _subjects(data) if s["deletedDateTime"]]
    again = await gateway.data(
        "query ($n: ID!) { node(nodeId: $n) { ... on User { id displayName deletedDateTime } } }",
        n=gone["nodeId"],
    )
    assert again["node"] == {k: v for k, v in gone.items() if k != "nodeId"}


async def test_who_made_a_workflow_and_was_deleted(start: Start) -> None:
    def change(asked: Asked, answer: Answered) -> None:
        path = asked.url.partition("?")[0]
        if path.split("/")[-2:-1] == ["workflows"] and isinstance(answer.body, dict):
            answer.body["createdBy"] = {"id": gone}

    usual = await start(users=30)
    gone, row = next(iter((await _deleted(start)).items()))
    workflow = (await usual.rest("/workflows"))["value"][0]["id"]
    gateway = await start(unusual=Unusual(change=change), users=30)
    data = await gateway.data(
        "query ($w: ID!) { workflow(id: $w) { createdBy { displayName } } }", w=workflow
    )
    assert data["workflow"]["createdBy"]["displayName"] == row["displayName"]


@pytest.mark.parametrize("status", [400, 403, 404])
async def test_a_service_that_does_not_tell_its_deleted_users(start: Start, status: int) -> None:
    def instead(asked: Asked) -> Answered | None:
        return graph_error(status, "Refused", "not these") if DELETED in asked.url else None

    gateway = await start(unusual=Unusual(instead=instead), users=30)
    deleted = await _deleted(start)
    answer = await gateway.query(NAMES.replace("deletedDateTime", ""))
    assert "errors" not in answer
    gone = [s for s in _subjects(answer["data"]) if s["id"] in deleted]
    assert {s["displayName"] for s in gone} == {None}
    answer = await gateway.query(NAMES)
    paths = {tuple(error["path"])[-1] for error in answer.get("errors", [])}
    assert paths == (set() if status == 404 else {"deletedDateTime"})


async def test_a_user_who_is_gone_for_good_keeps_the_id(start: Start) -> None:
    def instead(asked: Asked) -> Answered | None:
        return Answered({"value": []}) if DELETED in asked.url else None

    gateway = await start(unusual=Unusual(instead=instead), users=30)
    deleted = await _deleted(start)
    gone = [s for s in _subjects(await gateway.data(NAMES)) if s["displayName"] is None]
    assert gone
    assert {s["id"] for s in gone} <= deleted.keys()


@pytest.mark.parametrize("deleted", ["told", "refused"])
async def test_who_does_not_come_expanded_is_not_taken_for_deleted(
    start: Start, deleted: str
) -> None:
    """A service may expand some rows and not the others (as a limit of expansions does)."""
    query = NAMES.replace("deletedDateTime", "")
    expected = await (await start(workflows=1)).data(query)

    def change(asked: Asked, answer: Answered) -> None:
        if "expand=subject" in asked.url and answer.status == 200:
            for row in answer.body["value"][2:]:
                row["subject"] = {"id": row["subject"]["id"]}

    def instead(asked: Asked) -> Answered | None:
        refused = deleted == "refused" and DELETED in asked.url
        return graph_error(403, "accessDenied") if refused else None

    unusual = Unusual(change=change, instead=instead)
    gateway = await start(unusual=unusual, workflows=1)
    assert await gateway.data(query) == expected
    assert any("expand=subject" in asked.url for asked in unusual.asked)
