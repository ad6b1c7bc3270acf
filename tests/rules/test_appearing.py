"""Payloads of several changes, and of what is not there yet."""

import json

import pytest

from gateway.settings import Settings
from tests.conftest import Gateway, Start
from tests.rules.changing import CREATE, FORBIDDEN, missing, reads
from tests.rules.changing import slept as slept
from tests.schema.test_mutations import CANCEL, first_workflow, given, runs_to_cancel
from tests.upstreams import Answered, Asked, Unusual, graph_error

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
