"""A change that was made is never told as if it was not: what comes after it fails on its own.

The kind of fault: a step after the change (reading what is selected of it, finding the id of what
was made, reading one of several) fails, and takes the whole payload with it; or something is
requested that nobody asked for, and its refusal takes the rest along. It can occur in every
mutation with an edge in its payload (`gateway.schema.change`), in those that send several requests
(`cancelProcessing`) or answer rows of their own (`previewTaskFailures`), and where the engine
itself can't read (no token any more).
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from gateway import app as gateway_app
from gateway.access.credentials import Fixed
from gateway.errors import Unauthenticated
from gateway.graph.patience import Patience
from gateway.settings import Settings
from tests.conftest import Gateway, Start
from tests.test_mutations import CANCEL, first_workflow, given, runs_to_cancel
from tests.upstreams import Answered, Asked, Unusual, graph_error

NOT_FOUND = graph_error(404, "ResourceNotFound", "Resource does not exist")
FORBIDDEN = graph_error(403, "Forbidden", "not this one")


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were made before something new was read again; none takes any time."""
    pauses: list[float] = []
    create = gateway_app.create_engine

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    def created(*arguments: Any) -> Any:
        engine = create(*arguments)
        engine.patience = Patience(sleep=sleep)
        return engine

    monkeypatch.setattr(gateway_app, "create_engine", created)
    return pauses


def reads(unusual: Unusual) -> list[str]:
    return [asked.url for asked in unusual.asked if asked.method == "GET"]


def without(id_name: str, *, at: str) -> Callable[[Asked, Answered], None]:
    """Takes a member from what the service answers to a POST to ``at``."""

    def change(asked: Asked, answer: Answered) -> None:
        if asked.method == "POST" and asked.url.endswith(at):
            assert answer.body.pop(id_name, None), answer

    return change


def missing(times: int) -> Callable[[Asked], Answered | None]:
    """404 to what is read after a change, so many times for each URL."""
    seen: dict[str, int] = {}
    changed: list[str] = []

    def instead(asked: Asked) -> Answered | None:
        if asked.method != "GET":
            changed.append(asked.url)
            return None
        if not changed:
            return None
        seen[asked.url] = seen.get(asked.url, 0) + 1
        return NOT_FOUND if seen[asked.url] <= times else None

    return instead


# --- what is not asked for ---------------------------------------------------------------------

KNOWN = {
    "activateWorkflow": (
        '{ workflowId: "%s", subjects: [{ id: "7b7c6686-e82b-4eae-9d96-37eea4bac6ae" }] }',
        "workflow { id nodeId __typename }",
    ),
    "updateWorkflow": ('{ workflowId: "%s", description: "d" }', "workflow { id nodeId }"),
    "deleteWorkflow": ('{ workflowId: "%s" }', "workflow { id nodeId }"),
    "previewTaskFailures": ('{ workflowId: "%s" }', "workflow { id nodeId }"),
    "updateSettings": ("{ workflowScheduleIntervalInHours: 4 }", "settings { __typename }"),
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

CREATE = "mutation($input: WorkflowInput!) { createWorkflow(input: $input) { %s } }"
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


# --- several changes ---------------------------------------------------------------------------


async def test_the_outcome_of_several_changes(gateway: Gateway) -> None:
    id_, going, ended = await runs_to_cancel(gateway)
    answer = await gateway.query(CANCEL % "outcome runs { id }", id=id_, runs=[{"id": ended}])
    assert answer["data"]["cancelProcessing"] == {"outcome": "NOT_DONE", "runs": [None]}
    data = await gateway.data(CANCEL % "outcome", id=id_, runs=[{"id": going}, {"id": ended}])
    assert data["cancelProcessing"] == {"outcome": "PARTLY_DONE"}


async def test_where_only_the_rest_is_selected_the_error_tells_the_outcome(
    gateway: Gateway,
) -> None:
    id_, going, ended = await runs_to_cancel(gateway)
    [error] = await gateway.errors(
        CANCEL % "workflow { id }", id=id_, runs=[{"id": going}, {"id": ended}]
    )
    assert error["path"] == ["cancelProcessing"]
    assert error["extensions"]["outcome"] == "PARTLY_DONE"


async def test_the_outcome_is_unknown_if_one_of_several_is(start: Start) -> None:
    def instead(asked: Asked) -> Answered | None:
        body = asked.body if isinstance(asked.body, dict) else json.loads(asked.body or b"null")
        if "cancelProcessing" in asked.url and body["scope"]["runs"][0]["id"] == "gone":
            return graph_error(504, "Timeout")
        return None

    gateway = await start(unusual=Unusual(instead=instead))
    id_, going, _ = await runs_to_cancel(gateway)
    answer = await gateway.query(
        CANCEL % "outcome runs { id }", id=id_, runs=[{"id": going}, {"id": "gone"}]
    )
    assert answer["data"]["cancelProcessing"] == {
        "outcome": "UNKNOWN",
        "runs": [{"id": going}, None],
    }
    [error] = answer["errors"]
    assert error["extensions"]["outcomeUnknown"] is True


# --- what is not there yet ---------------------------------------------------------------------


async def test_what_was_just_made_is_read_again_for_a_moment(
    start: Start, slept: list[float]
) -> None:
    gateway = await start(unusual=(unusual := Unusual(instead=missing(2))))
    data = await gateway.data(
        CREATE % "workflow { id tasks { id } runs(first: 1) { nodes { id } } "
        "versions { nodes { versionNumber } } }",
        input=given(),
    )
    workflow = data["createWorkflow"]["workflow"]
    assert workflow["runs"]["nodes"] == []
    assert workflow["versions"]["nodes"]
    assert len(workflow["tasks"]) == 1
    assert len(slept) == 2
    assert slept == sorted(slept)
    # The edges go together each time; what was there is not asked for again.
    assert [url.partition("?")[0] for url in reads(unusual)] == 3 * [
        url.partition("?")[0] for url in reads(unusual)[:3]
    ]


APPEARING = {
    "createNewVersion": "workflow { description versions { nodes { versionNumber } } }",
    "restoreWorkflow": "workflow { displayName tasks { id } }",
    "deleteWorkflow": "workflow { displayName deletedDateTime }",
}


@pytest.mark.parametrize("name", APPEARING)
async def test_what_appears_at_an_address_is_read_again(
    start: Start, slept: list[float], name: str
) -> None:
    unusual = Unusual()
    gateway = await start(unusual=unusual)
    id_ = await first_workflow(gateway)
    if name == "restoreWorkflow":
        await gateway.data(
            f'mutation {{ deleteWorkflow(input: {{ workflowId: "{id_}" }}) {{ __typename }} }}'
        )
    unusual.instead = missing(1)
    more = ", workflow: $w" if name == "createNewVersion" else ""
    declared = "($w: WorkflowInput!)" if more else ""
    data = await gateway.data(
        f"""mutation{declared} {{ {name}(input: {{ workflowId: "{id_}"{more} }}) {{
            {APPEARING[name]} }} }}""",
        w=given(),
    )
    assert None not in data[name]["workflow"].values() or name == "createNewVersion"
    assert len(slept) == 1


async def test_what_is_read_from_a_list_is_awaited_too(start: Start, slept: list[float]) -> None:
    """A task result has no documented GET of its own: an empty list stands for 404."""
    empty = [2]

    def instead(asked: Asked) -> Answered | None:
        if asked.method == "GET" and "id%20eq" in asked.url and empty[0]:
            empty[0] -= 1
            return Answered({"value": []})
        return None

    def only_the_id(asked: Asked, answer: Answered) -> None:
        if asked.method == "POST":
            answer.body = {"id": answer.body["id"]}

    gateway = await start(unusual=(unusual := Unusual()))
    found = await gateway.data(
        """{ taskProcessingResults(first: 1) { nodes { id run { id } workflow { id } } } }"""
    )
    row = found["taskProcessingResults"]["nodes"][0]
    users = await gateway.data(
        """query($w: ID!, $r: ID!) { run(workflowId: $w, id: $r) {
            userProcessingResults { nodes { id taskProcessingResults { id } } } } }""",
        w=row["workflow"]["id"],
        r=row["run"]["id"],
    )
    user = next(
        u
        for u in users["run"]["userProcessingResults"]["nodes"]
        if row["id"] in [t["id"] for t in u["taskProcessingResults"]]
    )
    unusual.instead, unusual.change = instead, only_the_id
    data = await gateway.data(
        """mutation($input: CreateTaskProcessingResultInput!) {
            createTaskProcessingResult(input: $input) {
                taskProcessingResult { id processingStatus task { displayName } } } }""",
        input={
            "workflowId": row["workflow"]["id"],
            "runId": row["run"]["id"],
            "userProcessingResultId": user["id"],
            "taskProcessingResultId": row["id"],
            "deleted": False,
            "processingStatus": "QUEUED",
        },
    )
    assert data["createTaskProcessingResult"]["taskProcessingResult"]["task"]["displayName"]
    assert len(slept) == 2


async def test_what_was_there_before_is_not_read_again(start: Start, slept: list[float]) -> None:
    unusual = Unusual()
    gateway = await start(unusual=unusual)
    id_ = await first_workflow(gateway)
    unusual.instead = missing(1)
    [error] = await gateway.errors(
        """mutation($id: ID!) { updateWorkflow(input: { workflowId: $id, description: "d" }) {
            workflow { description } } }""",
        id=id_,
    )
    assert error["extensions"]["code"] == "NOT_FOUND"
    assert slept == []


async def test_another_failure_of_what_is_new_is_not_awaited(
    start: Start, slept: list[float]
) -> None:
    unusual = Unusual(instead=lambda asked: FORBIDDEN if asked.method == "GET" else None)
    gateway = await start(unusual=unusual)
    await gateway.errors(CREATE % "workflow { runs { nodes { id } } }", input=given())
    assert slept == []
    assert len(reads(unusual)) == 1


async def test_awaiting_ends_with_the_deadline(start: Start, slept: list[float]) -> None:
    """No pause is begun that would end after it."""
    gateway = await start(settings=Settings(deadline=0.2), unusual=Unusual(instead=missing(100)))
    answer = await gateway.query(
        CREATE % "outcome workflow { runs { nodes { id } } }", input=given()
    )
    assert answer["data"]["createWorkflow"]["outcome"] == "DONE"
    assert answer["errors"][0]["path"] == ["createWorkflow", "workflow", "runs"]
    assert slept == []


async def test_reading_again_counts_against_the_budget(start: Start, slept: list[float]) -> None:
    gateway = await start(
        settings=Settings(max_upstream_requests=3), unusual=Unusual(instead=missing(100))
    )
    answer = await gateway.query(
        CREATE % "outcome workflow { runs { nodes { id } } }", input=given()
    )
    assert answer["data"]["createWorkflow"]["outcome"] == "DONE"
    assert answer["errors"][0]["extensions"]["code"] == "NOT_FOUND"
    assert len(slept) == 1
