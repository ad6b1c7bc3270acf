"""A change that was made is never told as if it was not: what comes after it fails on its own.

The kind of fault: a step after the change (reading what is selected of it, finding the id of what
was made, reading one of several) fails, and takes the whole payload with it; or something is
requested that nobody asked for, and its refusal takes the rest along. It can occur in every
mutation with an edge in its payload (`gateway.schema.change`), in those that send several requests
(`cancelProcessing`) or answer rows of their own (`previewTaskFailures`), and where the engine
itself can't read (no token any more).
"""

from typing import Any

import pytest

from gateway.access.credentials import Fixed
from gateway.errors import Unauthenticated
from gateway.graph.patience import Patience
from tests.conftest import Start
from tests.rules.changing import CREATE, FORBIDDEN, NOT_FOUND, reads, without
from tests.rules.changing import slept as slept
from tests.schema.test_mutations import first_workflow, given
from tests.upstreams import Answered, Asked, Unusual

# --- what is not asked for ---------------------------------------------------------------------

KNOWN = {
    "activateWorkflow": (
        '{ workflowId: "%s", subjects: [{ id: "7b7c6686-e82b-4eae-9d96-37eea4bac6ae" }] }',
        "workflow { id nodeId __typename }",
    ),
    "updateWorkflow": ('{ workflowId: "%s", description: "d" }', "workflow { id nodeId }"),
    "deleteWorkflow": ('{ workflowId: "%s" }', "workflow { id nodeId }"),
    "previewTaskFailures": ('{ workflowId: "%s" }', "workflow { id nodeId }"),
    "updateSettings": (
        '{ workflowScheduleIntervalInHours: 4, emailSettings: { senderDomain: "a.example", '
        "useCompanyBranding: true } }",
        "settings { __typename }",
    ),
}


@pytest.mark.parametrize("name", KNOWN)
async def test_what_the_address_tells_is_not_requested(start: Start, name: str) -> None:
    unusual = Unusual(instead=lambda asked: FORBIDDEN if asked.method == "GET" and seen else None)
    seen: list[str] = []
    gateway = await start(unusual=unusual)
    id_ = await first_workflow(gateway)
    seen.append(id_)
    unusual.forget()
    input_, selection = KNOWN[name]
    text = f"mutation {{ {name}(input: {input_.replace('%s', id_)}) {{ {selection} outcome }} }}"
    answer = (await gateway.data(text))[name]
    assert answer.pop("outcome") == "DONE"
    [entity] = answer.values()
    assert entity.get("id", id_) == id_
    assert reads(unusual) == []


async def test_edges_of_an_entity_do_not_need_the_entity(start: Start) -> None:
    unusual = Unusual()
    gateway = await start(unusual=unusual)
    id_ = await first_workflow(gateway)
    unusual.instead = lambda asked: FORBIDDEN if f"{id_}?" in asked.url else None
    unusual.forget()
    data = await gateway.data(
        """mutation($id: ID!) { updateWorkflow(input: { workflowId: $id, description: "d" }) {
            workflow { id runs(first: 1) { nodes { id } } } } }""",
        id=id_,
    )
    assert len(data["updateWorkflow"]["workflow"]["runs"]["nodes"]) == 1
    [read] = reads(unusual)
    assert "/runs" in read


# --- what was made, but is not known -----------------------------------------------------------

WITHOUT_ID = "it was made, but the service answered it without its id"


async def test_a_creation_without_an_id_is_done(start: Start) -> None:
    gateway = await start(unusual=Unusual(change=without("id", at="/workflows")))
    data = await gateway.data(CREATE % "__typename outcome", input=given(displayName="A"))
    assert data["createWorkflow"] == {"__typename": "WorkflowPayload", "outcome": "DONE"}

    data = await gateway.data(
        CREATE % "workflow { displayName version }", input=given(displayName="B")
    )
    assert data["createWorkflow"]["workflow"] == {"displayName": "B", "version": 1}

    answer = await gateway.query(
        CREATE % "outcome workflow { displayName runs { nodes { id } } tasks { id } }",
        input=given(displayName="C"),
    )
    assert answer["data"]["createWorkflow"] == {
        "outcome": "DONE",
        "workflow": {"displayName": "C", "runs": None, "tasks": None},
    }
    where = ["createWorkflow", "workflow"]
    assert [(e["message"], e["path"]) for e in answer["errors"]] == [
        (WITHOUT_ID, [*where, "runs"]),
        (WITHOUT_ID, [*where, "tasks"]),
    ]

    answer = await gateway.query(CREATE % "outcome workflow { id }", input=given(displayName="D"))
    assert answer["data"]["createWorkflow"] == {"outcome": "DONE", "workflow": None}
    [error] = answer["errors"]
    assert (error["message"], error["path"]) == (WITHOUT_ID, where)


async def test_an_impossible_id_is_no_place_to_read(start: Start) -> None:
    def change(asked: Asked, answer: Answered) -> None:
        if asked.method == "POST":
            answer.body["id"] = ".."

    unusual = Unusual(change=change)
    gateway = await start(unusual=unusual)
    answer = await gateway.query(
        CREATE % "outcome workflow { displayName runs { nodes { id } } }", input=given()
    )
    assert answer["data"]["createWorkflow"]["outcome"] == "DONE"
    assert answer["data"]["createWorkflow"]["workflow"]["displayName"] == "Onboard Australia"
    assert [e["path"][1:] for e in answer["errors"]] == [["workflow", "runs"]]
    assert reads(unusual) == []


@pytest.mark.parametrize("body", [None, b"", {"value": []}, {"value": "x"}])
async def test_a_creation_that_is_not_shown_is_done(start: Start, body: Any) -> None:
    def instead(asked: Asked) -> Answered | None:
        return Answered(body, 201) if asked.method == "POST" else None

    gateway = await start(unusual=Unusual(instead=instead))
    answer = await gateway.query(CREATE % "outcome workflow { displayName }", input=given())
    assert answer["data"]["createWorkflow"] == {"outcome": "DONE", "workflow": None}
    [error] = answer["errors"]
    assert (error["message"], error["path"]) == (WITHOUT_ID, ["createWorkflow", "workflow"])


async def test_a_preview_without_its_list_is_done(start: Start) -> None:
    def change(asked: Asked, answer: Answered) -> None:
        if asked.url.endswith("previewTaskFailures"):
            answer.body = {}

    gateway = await start(unusual=Unusual(change=change))
    id_ = await first_workflow(gateway)
    answer = await gateway.query(
        """mutation($id: ID!) { previewTaskFailures(input: { workflowId: $id }) {
            outcome previewFailedTasks { name } workflow { id } } }""",
        id=id_,
    )
    assert answer["data"]["previewTaskFailures"] == {
        "outcome": "DONE",
        "previewFailedTasks": None,
        "workflow": {"id": id_},
    }
    [error] = answer["errors"]
    assert error["path"] == ["previewTaskFailures", "previewFailedTasks"]
    assert error["extensions"]["code"] == "UPSTREAM_ERROR"


# --- what can't be read afterwards -------------------------------------------------------------

VERSION = """mutation($id: ID!, $workflow: WorkflowInput!) {
    createNewVersion(input: { workflowId: $id, workflow: $workflow }) { outcome %s } }"""


async def test_a_version_that_can_not_be_read_is_done(start: Start, slept: list[float]) -> None:
    unusual = Unusual()
    gateway = await start(unusual=unusual)
    id_ = await first_workflow(gateway)
    unusual.instead = lambda asked: NOT_FOUND if asked.method == "GET" else None
    answer = await gateway.query(
        VERSION % "workflow { id displayName nodeId tasks { id } runs { nodes { id } } }",
        id=id_,
        workflow=given(),
    )
    payload = answer["data"]["createNewVersion"]
    assert payload["outcome"] == "DONE"
    workflow = payload["workflow"]
    assert workflow.pop("nodeId")
    assert (workflow["id"], workflow["displayName"]) == (id_, "Onboard Australia")
    assert workflow["runs"] is None
    failed = [error["path"] for error in answer["errors"]]
    assert ["createNewVersion", "workflow", "runs"] in failed
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"NOT_FOUND"}
    assert len(slept) == len(Patience().pauses)


async def test_what_is_known_is_told_where_the_rest_is_refused(start: Start) -> None:
    def change(asked: Asked, answer: Answered) -> None:
        if asked.url.endswith("createNewVersion"):
            answer.body = {"displayName": "New name", "createdBy": {"id": "u-1"}}

    unusual = Unusual(change=change)
    gateway = await start(unusual=unusual)
    id_ = await first_workflow(gateway)
    unusual.instead = lambda asked: FORBIDDEN if f"{id_}?" in asked.url else None
    answer = await gateway.query(
        VERSION
        % "workflow { id displayName category description runs(first: 1) { nodes { id } } }",
        id=id_,
        workflow=given(),
    )
    workflow = answer["data"]["createNewVersion"]["workflow"]
    assert len(workflow.pop("runs")["nodes"]) == 1
    assert workflow == {
        "id": id_,
        "displayName": "New name",
        "category": None,
        "description": None,
    }
    assert [(e["path"][2:], e["extensions"]["code"]) for e in answer["errors"]] == [
        (["category"], "FORBIDDEN"),
        (["description"], "FORBIDDEN"),
    ]


async def test_lists_that_are_known_in_part_are_not_told_as_whole(start: Start) -> None:
    def change(asked: Asked, answer: Answered) -> None:
        if asked.url.endswith("createNewVersion"):
            answer.body = {"id": id_, "displayName": "n", "tasks": [{"id": "t-1"}]}

    gateway = await start(unusual=(unusual := Unusual(change=change)))
    id_ = await first_workflow(gateway)
    unusual.instead = lambda asked: FORBIDDEN if asked.method == "GET" else None
    answer = await gateway.query(
        VERSION % "workflow { displayName tasks { id displayName } }", id=id_, workflow=given()
    )
    assert answer["data"]["createNewVersion"]["workflow"] == {"displayName": "n", "tasks": None}
    [error] = answer["errors"]
    assert error["path"] == ["createNewVersion", "workflow", "tasks"]


async def test_where_nothing_is_known_there_is_one_error(start: Start) -> None:
    unusual = Unusual()
    gateway = await start(unusual=unusual)
    id_ = await first_workflow(gateway)
    unusual.instead = lambda asked: FORBIDDEN if asked.method == "GET" else None
    answer = await gateway.query(
        """mutation($id: ID!) { updateWorkflow(input: { workflowId: $id, description: "d" }) {
            outcome workflow { displayName category createdDateTime } } }""",
        id=id_,
    )
    assert answer["data"]["updateWorkflow"] == {"outcome": "DONE", "workflow": None}
    [error] = answer["errors"]
    assert error["path"] == ["updateWorkflow", "workflow"]


async def test_without_a_token_to_read_with_what_is_known_is_told(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = await start()
    id_ = await first_workflow(gateway)
    tokens = ["a-token-that-is-long-enough"]

    async def token(_self: Any, _caller: Any) -> str:
        if not tokens:
            raise Unauthenticated("there is none any more")
        return tokens.pop()

    monkeypatch.setattr(Fixed, "token", token)
    answer = await gateway.query(
        """mutation($id: ID!) { updateWorkflow(input: { workflowId: $id, description: "d" }) {
            outcome workflow { id nodeId description runs { nodes { id } } } } }""",
        id=id_,
    )
    payload = answer["data"]["updateWorkflow"]
    assert payload["outcome"] == "DONE"
    assert payload["workflow"].pop("nodeId")
    assert payload["workflow"] == {"id": id_, "description": None, "runs": None}
    assert [e["path"][2] for e in answer["errors"]] == ["description", "runs"]
    assert {e["extensions"]["code"] for e in answer["errors"]} == {"UNAUTHENTICATED"}
