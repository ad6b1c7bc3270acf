"""Mutations against the sandbox: what they answer, refuse and report."""

import pytest
from graphql import GraphQLSchema

from gateway.schema.build import build_schema
from gateway.settings import Settings
from tests.conftest import TOKEN

UPDATE = """mutation($id: ID!, $name: String) {
    updateWorkflow(input: { workflowId: $id, displayName: $name }) {
        workflow { id displayName runs(first: 1) { nodes { id } } } } }"""
RENAME = """mutation($id: ID!) {
    updateWorkflow(input: { workflowId: $id, displayName: "New name" }) { __typename } }"""
DELETE = "mutation($id: ID!) { deleteWorkflow(input: { workflowId: $id }) { __typename } }"
CREATE = """mutation($input: WorkflowInput!) {
    createWorkflow(input: $input) { workflow { id displayName version tasks { displayName } } } }"""
DEFINITION = "6fc52c9d-398b-4305-9763-15f42c1676fc"


def given(**changes):
    return {
        "category": "JOINER",
        "displayName": "Onboard Australia",
        "executionConditions": {"onDemandExecutionOnly": True},
        "tasks": [
            {"displayName": "Enable account", "taskDefinitionId": DEFINITION, "arguments": []}
        ],
        **changes,
    }


async def first_workflow(gateway):
    data = await gateway.data("{ workflows(first: 1) { nodes { id } } }")
    return data["workflows"]["nodes"][0]["id"]


def writes(sent):
    return [item for item in sent.items if not item.startswith("GET ")]


# --- what a payload holds, and what it costs ---------------------------------------------------


async def test_a_payload_is_read_after_the_change_to_any_depth(gateway):
    id_ = await first_workflow(gateway)
    data, sent = await gateway.counted(UPDATE, id=id_, name="Renamed")
    workflow = data["updateWorkflow"]["workflow"]
    assert workflow["displayName"] == "Renamed"
    assert len(workflow["runs"]["nodes"]) == 1
    # The change, then one $batch with the workflow and its runs.
    assert [r["method"] for r in sent.requests] == ["PATCH", "POST"]
    assert len(sent.items) == 3


async def test_nothing_is_read_if_nothing_is_selected(gateway):
    id_ = await first_workflow(gateway)
    _, sent = await gateway.counted(RENAME, id=id_)
    assert [item.split()[0] for item in sent.items] == ["PATCH"]


async def test_what_the_service_answered_is_not_read_again(gateway):
    query = """mutation($input: WorkflowInput!) {
        createWorkflow(input: $input) { workflow { id nodeId displayName version category } } }"""
    data, sent = await gateway.counted(query, input=given())
    assert [item.split()[0] for item in sent.items] == ["POST"]
    created = data["createWorkflow"]["workflow"]
    found = await gateway.data(
        "query($id: ID!) { node(nodeId: $id) { ... on Workflow { id displayName } } }",
        id=created["nodeId"],
    )
    assert found["node"] == {"id": created["id"], "displayName": "Onboard Australia"}


async def test_what_the_answer_lacks_is_read(gateway):
    data, sent = await gateway.counted(CREATE, input=given())
    assert [item.split()[0] for item in sent.items] == ["POST", "GET"]
    assert data["createWorkflow"]["workflow"]["tasks"] == [{"displayName": "Enable account"}]


async def test_aliases_and_fragments_of_one_payload_share_its_requests(gateway):
    id_ = await first_workflow(gateway)
    data, sent = await gateway.counted(
        """mutation($id: ID!) {
            updateWorkflow(input: { workflowId: $id, description: "d" }) { ...P }
            updateWorkflow(input: { workflowId: $id, description: "d" }) {
                workflow { tasks { id } again: description } } }
        fragment P on WorkflowPayload { one: workflow { displayName } workflow { description } }""",
        id=id_,
    )
    assert data["updateWorkflow"]["workflow"]["description"] == "d"
    assert data["updateWorkflow"]["workflow"]["again"] == "d"
    assert data["updateWorkflow"]["one"]["displayName"]
    assert [item.split()[0] for item in sent.items] == ["PATCH", "GET"]


async def test_a_payload_that_can_not_be_read_leaves_the_change_standing(gateway):
    id_ = await first_workflow(gateway)
    await gateway.fault(match="^GET .*/workflows/", status=403)
    response = await gateway.query(UPDATE, id=id_, name="Renamed")
    assert [e["path"][:2] for e in response["errors"]] == [["updateWorkflow", "workflow"]]
    assert response["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert (await gateway.rest(f"/workflows/{id_}"))["displayName"] == "Renamed"


# --- several mutations -------------------------------------------------------------------------


async def test_mutations_are_done_in_order_and_a_failure_hides_no_other(gateway):
    id_ = await first_workflow(gateway)
    response = await gateway.query(
        """mutation($id: ID!) {
            a: updateWorkflow(input: { workflowId: $id, displayName: "A" }) {
                workflow { displayName } }
            b: updateWorkflow(input: { workflowId: "nobody", displayName: "B" }) {
                workflow { displayName } }
            c: updateWorkflow(input: { workflowId: $id, displayName: "C" }) {
                workflow { displayName } } }""",
        id=id_,
    )
    assert response["data"] == {
        "a": {"workflow": {"displayName": "A"}},
        "b": None,
        "c": {"workflow": {"displayName": "C"}},
    }
    [error] = response["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["b"], "NOT_FOUND")


async def test_the_budget_holds_for_mutations(start):
    gateway = await start(settings=Settings(max_upstream_requests=2))
    id_ = await first_workflow(gateway)
    response = await gateway.query(
        f"""mutation($id: ID!) {{
            {
            " ".join(
                f'm{n}: updateWorkflow(input: {{ workflowId: $id, displayName: "{n}" }})'
                " { __typename }"
                for n in range(3)
            )
        } }}""",
        id=id_,
    )
    assert response["data"]["m2"] is None
    assert response["errors"][0]["extensions"]["code"] == "BUDGET_EXCEEDED"
    assert (await gateway.rest(f"/workflows/{id_}"))["displayName"] == "1"


async def test_there_are_no_mutations_over_get(gateway):
    response = await gateway.client.get("/graphql", params={"query": RENAME.replace("$id", "$i")})
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"


# --- what is refused before anything is sent ---------------------------------------------------

CONDITIONS = {"triggerAndScopeBasedConditions": {}}


def trigger(**trigger_):
    return {"executionConditions": {"triggerAndScopeBasedConditions": {"trigger": trigger_}}}


TASK = given()["tasks"][0]
REFUSED = {
    "a blank name": (given(displayName="  "), "input.displayName", "must not be blank"),
    "a task without a name": (
        given(tasks=[TASK, {**TASK, "displayName": ""}]),
        "input.tasks[1].displayName",
        "must not be blank",
    ),
    "an impossible id": (
        given(tasks=[{**TASK, "taskDefinitionId": "a/b"}]),
        "input.tasks[0].taskDefinitionId",
        "an id has no white space",
    ),
    "26 tasks": (given(tasks=[TASK] * 26), "input.tasks", "must have at most 25 items"),
    "null where a value is": (given(isEnabled=None), "input.isEnabled", "can't be null"),
    "an unknown enum member": (
        given(category="UNKNOWN_FUTURE_VALUE"),
        "input.category",
        "not a value to send",
    ),
    "scheduling what is not enabled": (
        given(isEnabled=False, isSchedulingEnabled=True),
        "input.isSchedulingEnabled",
        "can't be true while isEnabled is false",
    ),
    "on demand only: false": (
        given(executionConditions={"onDemandExecutionOnly": False}),
        "input.executionConditions.onDemandExecutionOnly",
        "can only be true",
    ),
    "half a year and a day": (
        given(
            **trigger(
                timeBasedAttributeTrigger={
                    "timeBasedAttribute": "EMPLOYEE_HIRE_DATE",
                    "offsetInDays": 181,
                }
            )
        ),
        "input.executionConditions.triggerAndScopeBasedConditions.trigger"
        ".timeBasedAttributeTrigger.offsetInDays",
        "must be from -180 to 180",
    ),
    "no attribute": (
        given(**trigger(attributeChangeTrigger={"triggerAttributes": []})),
        "input.executionConditions.triggerAndScopeBasedConditions.trigger"
        ".attributeChangeTrigger.triggerAttributes",
        "must have at least 1 item",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_a_bad_member_is_named_and_nothing_is_sent(gateway, case):
    value, argument, rule = REFUSED[case]
    await gateway.forget()
    [error] = await gateway.errors(CREATE, input=value)
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["extensions"]["argument"] == argument
    assert rule in error["message"]
    assert error["message"].startswith(argument)
    assert error["path"] == ["createWorkflow"]
    assert (await gateway.sent()).http == 0


async def test_all_violations_are_told_at_once(gateway):
    [error] = await gateway.errors(CREATE, input=given(displayName="", isEnabled=None))
    assert error["extensions"]["violations"] == [
        {"argument": "input.displayName", "rule": "must not be blank"},
        {"argument": "input.isEnabled", "rule": "can't be null; leave it out instead"},
    ]
    assert "input.displayName: " in error["message"]
    assert "input.isEnabled: " in error["message"]


ELEVEN = ", ".join(f'{{ id: "{number}" }}' for number in range(11))


@pytest.mark.parametrize(
    ("mutation", "input_", "argument", "rule"),
    [
        ("updateWorkflow", '{ workflowId: "w" }', "input", "nothing to change"),
        ("updateWorkflow", '{ workflowId: "a/b", displayName: "x" }', "input.workflowId", "an id"),
        ("deleteWorkflow", '{ workflowId: "" }', "input.workflowId", "not empty"),
        (
            "activateWorkflow",
            '{ workflowId: "", subjects: [] }',
            "input.workflowId",
            "input.subjects: must have",
        ),
        ("activateWorkflow", '{ workflowId: "w", subjects: [] }', "input.subjects", "at least 1"),
        (
            "activateWorkflow",
            f'{{ workflowId: "w", subjects: [{ELEVEN}] }}',
            "input.subjects",
            "at most 10",
        ),
        (
            "activateWorkflow",
            '{ workflowId: "w", subjects: [{ id: "u" }, { id: "u" }] }',
            "input.subjects",
            "same id twice",
        ),
        (
            "activateWorkflow",
            '{ workflowId: "w", subjects: [{ id: "u" }, { id: "../u" }] }',
            "input.subjects[1].id",
            "an id has no",
        ),
        ("cancelProcessing", '{ workflowId: "w", runs: [] }', "input.runs", "at least 1"),
        (
            "updateSettings",
            "{ workflowScheduleIntervalInHours: 25 }",
            "input.workflowScheduleIntervalInHours",
            "from 1 to 24",
        ),
        (
            "updateTask",
            '{ workflowId: "w", taskId: "..", displayName: "x" }',
            "input.taskId",
            "is not '.' or '..'",
        ),
    ],
)
async def test_a_bad_input_is_refused(gateway, mutation, input_, argument, rule):
    await gateway.forget()
    [error] = await gateway.errors(f"mutation {{ {mutation}(input: {input_}) {{ __typename }} }}")
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["extensions"]["argument"] == argument
    assert rule in error["message"]
    assert (await gateway.sent()).http == 0


@pytest.mark.parametrize("conditions", [{}, {"onDemandExecutionOnly": True, **CONDITIONS}])
async def test_exactly_one_choice_is_taken(gateway, conditions):
    response = await gateway.post(
        {"query": CREATE, "variables": {"input": given(executionConditions=conditions)}}
    )
    [error] = response.json()["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert "WorkflowExecutionConditionsInput" in error["message"]


# --- settings ----------------------------------------------------------------------------------


def _roots(schema: GraphQLSchema):
    return {*schema.query_type.fields, *schema.mutation_type.fields}


def test_the_draft_methods_can_be_left_out():
    drafts = _roots(build_schema().core) - _roots(build_schema(draft_methods=False).core)
    assert drafts == {
        *(f"{do}TaskProcessingResult" for do in ("create", "update", "delete")),
        *(f"{do}UserProcessingResult" for do in ("create", "update", "delete")),
        *(
            f"{do}{of}ProcessingResultSubject"
            for do in ("add", "remove")
            for of in ("Task", "User")
        ),
        "addTask",
        "removeReprocessedRun",
        "removeTask",
        "deletedTaskProcessingResult",
        "usersSummary",
    }
    for name in drafts:
        schema = build_schema().core
        field = schema.query_type.fields.get(name) or schema.mutation_type.fields[name]
        assert field.description.startswith("Beta draft; the v1.0 service refuses it.")
    assert "input SubjectInput" not in build_schema(draft_methods=False).sdl


async def test_without_the_draft_methods_they_are_unknown(start):
    gateway = await start(settings=Settings(draft_methods=False))
    response = await gateway.post(
        {"query": 'mutation { removeTask(input: { workflowId: "w", taskId: "t" }) { id } }'}
    )
    assert "removeTask" in response.json()["errors"][0]["message"]
    await gateway.data("{ workflows { nodes { id } } }")


async def test_a_service_that_refuses_the_draft_methods_is_quoted(start):
    gateway = await start(draft_methods="refuse")
    [error] = await gateway.errors(
        'mutation { removeTask(input: { workflowId: "w", taskId: "t" }) { id } }'
    )
    assert error["extensions"]["status"] in (400, 405)
    assert error["extensions"]["serviceCode"]
    assert error["extensions"]["code"] == "REFUSED"


RESUME = """mutation { resumeTaskProcessingResult(input: { workflowId: "w", taskId: "t",
    taskProcessingResultId: "r", data: { operationStatus: COMPLETED } }) { __typename } }"""


async def test_resuming_is_off_in_front_of_a_tenant_unless_it_is_allowed(start):
    headers = {"Authorization": f"Bearer {TOKEN}"}
    for allowed in (None, True):
        gateway = await start(settings=Settings(allow_resume=allowed), passthrough=True)
        response = await gateway.post({"query": RESUME}, headers=headers)
        [error] = response.json()["errors"]
        sent = writes(await gateway.sent())
        if allowed:
            assert error["extensions"]["code"] == "NOT_FOUND"
            assert len(sent) == 1
        else:
            assert error["extensions"]["code"] == "NOT_SUPPORTED"
            assert "GATEWAY_ALLOW_RESUME" in error["message"]
            assert sent == []


# --- canceling several runs --------------------------------------------------------------------

CANCEL = """mutation($id: ID!, $runs: [EntityReferenceInput!]!) {
    cancelProcessing(input: { workflowId: $id, runs: $runs }) { %s } }"""


async def runs_to_cancel(gateway):
    """A workflow with a run that has ended, and one that has not."""
    data = await gateway.data(
        """{ workflows(first: 2) { nodes { id runs(first: 1) { nodes { id } }
            userProcessingResults(first: 1) { nodes { subject { id } } } } } }"""
    )
    workflow = data["workflows"]["nodes"][1]
    subject = workflow["userProcessingResults"]["nodes"][0]["subject"]
    await gateway.data(
        """mutation($id: ID!, $subject: EntityReferenceInput!) {
            activateWorkflow(input: { workflowId: $id, subjects: [$subject] }) { __typename } }""",
        id=workflow["id"],
        subject=subject,
    )
    found = await gateway.data(
        "query($id: ID!) { workflow(id: $id) { runs(first: 1) { nodes { id } } } }",
        id=workflow["id"],
    )
    going = found["workflow"]["runs"]["nodes"][0]["id"]
    return workflow["id"], going, workflow["runs"]["nodes"][0]["id"]


async def test_each_run_that_is_to_be_canceled_is_reported(gateway):
    id_, going, ended = await runs_to_cancel(gateway)
    await gateway.forget()
    response = await gateway.query(
        CANCEL % "runs { id processingStatus }",
        id=id_,
        runs=[{"id": ended}, {"id": going}, {"id": "nobody"}],
    )
    assert response["data"]["cancelProcessing"]["runs"] == [
        None,
        {"id": going, "processingStatus": "CANCELED"},
        None,
    ]
    assert [
        (error["path"], error["extensions"]["argument"], error["extensions"]["status"])
        for error in response["errors"]
    ] == [
        (["cancelProcessing", "runs", 0], "input.runs[0]", 400),
        (["cancelProcessing", "runs", 2], "input.runs[2]", 400),
    ]
    sent = await gateway.sent()
    # One $batch with a request per run, because the service takes one run at a time; one read.
    assert [r["path"].rpartition("/")[2].partition("?")[0] for r in sent.requests] == [
        "$batch",
        going,
    ]
    assert len(sent.items) == 4


async def test_a_run_that_was_not_canceled_is_told_even_if_runs_are_not_selected(gateway):
    id_, going, ended = await runs_to_cancel(gateway)
    [error] = await gateway.errors(
        CANCEL % "workflow { id }", id=id_, runs=[{"id": going}, {"id": ended}]
    )
    assert error["path"] == ["cancelProcessing"]
    assert error["extensions"]["argument"] == "input.runs[1]"


async def test_if_no_run_could_be_canceled_each_is_reported(gateway):
    id_, _, ended = await runs_to_cancel(gateway)
    response = await gateway.query(
        CANCEL % "runs { id }", id=id_, runs=[{"id": ended}, {"id": "nobody"}]
    )
    assert response["data"] == {"cancelProcessing": {"runs": [None, None]}}
    assert [error["path"][-1] for error in response["errors"]] == [0, 1]


async def test_a_throttled_run_of_several_alone_is_sent_again(gateway):
    id_, going, ended = await runs_to_cancel(gateway)
    await gateway.fault(match=f"^POST .*{id_}/cancelProcessing", status=429)
    await gateway.forget()
    response = await gateway.query(
        CANCEL % "runs { id }", id=id_, runs=[{"id": going}, {"id": ended}]
    )
    assert response["data"]["cancelProcessing"]["runs"] == [{"id": going}, None]
    posts = [item for item in (await gateway.sent()).items if item.startswith("POST ")]
    assert len(posts) == 3


async def test_a_change_is_not_made_if_its_payload_can_not_be_answered(gateway):
    id_ = await first_workflow(gateway)
    await gateway.forget()
    [error] = await gateway.errors(
        """mutation($id: ID!) { updateWorkflow(input: { workflowId: $id, displayName: "x" }) {
            workflow { runs(first: 0) { nodes { id } } } } }""",
        id=id_,
    )
    assert error["path"] == ["updateWorkflow"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "argument": "first"}
    assert (await gateway.sent()).http == 0
