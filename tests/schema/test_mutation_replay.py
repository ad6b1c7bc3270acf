"""The documents' own examples of requests that change something, sent as documented.

Each is performed by its mutation in front of an upstream that records what it gets and answers as
documented: method, path and body must be the documented ones, and what the documented answer says
must come out without another request. Placeholders of the documents are given values.
"""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.schema.build import build_schema
from tests.conftest import running
from tests.schema.test_replay import (
    CONDITIONS,
    EXAMPLES,
    NOT_A_READ,
    NOT_REPLAYED,
    ROOT,
    _in_graphql,
    _spelled,
)

TIME = "2026-01-31T08:00:00.1234567Z"
PLACEHOLDERS = {
    "String": "some text",
    "String (timestamp)": TIME,
    "Integer": 3,
    "Boolean": True,
}
KEYS = {
    "workflowId": "w-1",
    "runId": "w-1_638927021459371237",
    "userProcessingResultId": "w-1_1_u-1",
    "taskProcessingResultId": "t-1",
}
TASK_RESULT = "completedDateTime createdDateTime failureReason processingStatus startedDateTime"
USER_RESULT = """completedDateTime failedTasksCount processingStatus scheduledDateTime
    startedDateTime totalTasksCount totalUnprocessedTasksCount workflowExecutionType
    workflowVersion"""
SCALARS = """category description displayName lastModifiedDateTime createdDateTime deletedDateTime
    isEnabled isSchedulingEnabled nextScheduleRunDateTime version"""


@dataclass(frozen=True)
class Sample:
    """How one example is performed.

    Attributes:
        mutation: the field.
        input: its input; ``...`` stands for what the documented body says.
        select: the payload's selection set.
        at: where in the payload the documented answer is.
        sent: the path below the lifecycle workflows root, where it is not the documented one.
        without: members of the documented answer that are not selected.
        body: members of the documented body that are sent otherwise, and why they are in a comment.
    """

    mutation: str
    input: dict[str, Any]
    select: str
    at: str | None = None
    sent: str | None = None
    without: tuple[str, ...] = ()
    body: dict[str, Any] = field(default_factory=dict)


def _keys(*names: str) -> dict[str, str]:
    return {name: KEYS[name] for name in names}


RESULT = _keys("workflowId", "runId", "userProcessingResultId", "taskProcessingResultId")
CONDITIONS_GIVEN = {
    "triggerAndScopeBasedConditions": {
        "scope": {"ruleBasedSubjectSet": {"rule": "(country eq 'Australia')"}},
        "trigger": {
            "timeBasedAttributeTrigger": {
                "timeBasedAttribute": "EMPLOYEE_HIRE_DATE",
                "offsetInDays": 0,
            }
        },
    }
}
MARKETING = json.loads(
    json.dumps(CONDITIONS_GIVEN)
    .replace("(country eq 'Australia')", "(department eq 'Marketing')")
    .replace('"offsetInDays": 0', '"offsetInDays": 1')
)
TASKS = [
    {
        "continueOnError": False,
        "description": description,
        "displayName": name,
        "isEnabled": True,
        "taskDefinitionId": definition,
        "arguments": [],
    }
    for description, name, definition in (
        (
            "Enable user account in the directory",
            "Enable User Account",
            "6fc52c9d-398b-4305-9763-15f42c1676fc",
        ),
        (
            "Send welcome email to new hire",
            "Send Welcome Email",
            "70b29d51-b59a-4773-9280-8841dfd3f2ea",
        ),
    )
]
ONBOARDING = "Configure new hire tasks for onboarding employees on their first day"
SUBJECTS = [
    {"id": "8cdf25a8-c9d2-423e-a03d-3f39f03c3e97"},
    {"id": "ea09ac2e-77e3-4134-85f2-25ccf3c33387"},
]
GIVEN_RESULT = {
    "completedDateTime": TIME,
    "failureReason": "some text",
    "processingStatus": "FAILED",
    "startedDateTime": TIME,
}
GIVEN_USER_RESULT = {
    "completedDateTime": TIME,
    "failedTasksCount": 3,
    "processingStatus": "FAILED",
    "scheduledDateTime": TIME,
    "startedDateTime": TIME,
    "totalTasksCount": 3,
    "totalUnprocessedTasksCount": 3,
    "workflowExecutionType": "ON_DEMAND",
    "workflowVersion": 3,
}

SAMPLES = {
    "workflow-create": Sample(
        "createWorkflow",
        {
            "category": "JOINER",
            "description": ONBOARDING,
            "displayName": "Australia Onboard new hire employee",
            "isEnabled": True,
            "isSchedulingEnabled": True,
            "executionConditions": CONDITIONS_GIVEN,
            "tasks": TASKS,
        },
        f"workflow {{ id {SCALARS} {CONDITIONS} }}",
        "workflow",
    ),
    "workflow-update": Sample(
        "updateWorkflow",
        {
            "workflowId": "156ce798-1eb6-4e0a-8515-e79f54d04390",
            "description": ONBOARDING,
            "displayName": "Australia Onboard new hire employee",
            "isEnabled": True,
            "isSchedulingEnabled": False,
        },
        "__typename",
    ),
    "workflow-createnewversion": Sample(
        "createNewVersion",
        {
            "workflowId": "w-1",
            "workflow": {
                "category": "JOINER",
                "description": ONBOARDING,
                "displayName": "Global onboard new hire employee",
                "isEnabled": True,
                "isSchedulingEnabled": False,
                "executionConditions": MARKETING,
                "tasks": TASKS,
            },
        },
        # The documented answer lacks the id, so whatever is selected has to be read.
        "__typename",
    ),
    "workflow-activate": Sample(
        "activateWorkflow",
        {"workflowId": "14879e66-9ea9-48d0-804d-8fea672d0341", "subjects": SUBJECTS},
        "__typename",
    ),
    "workflow-activatewithscope-processing-results": Sample(
        "activateWorkflowWithScope",
        {
            "workflowId": "2f0dcb02-65d9-4369-bad5-a3174538c5ff",
            "scope": {
                "activateProcessingResultScope": {
                    "processingResults": EXAMPLES["workflow-activatewithscope-processing-results"][
                        "request"
                    ]["body"]["scope"]["processingResults"],
                    "taskScope": "ALL_TASKS",
                }
            },
        },
        "__typename",
    ),
    "workflow-activatewithscope-subjects": Sample(
        "activateWorkflowWithScope",
        {
            "workflowId": "14879e66-9ea9-48d0-804d-8fea672d0341",
            "scope": {"activateUserScope": {"users": SUBJECTS}},
        },
        "__typename",
        # The parameter is `scope` in the metadata and in the other example.
        body={
            "scope": {
                "@odata.type": "#microsoft.graph.identityGovernance.activateUserScope",
                "users": SUBJECTS,
            },
            "subjects": None,
        },
    ),
    "workflow-cancelprocessing": Sample(
        "cancelProcessing",
        {
            "workflowId": "14879e66-9ea9-48d0-804d-8fea672d0341",
            "runs": [{"id": "8cdf25a8-c9d2-423e-a03d-3f39f03c3e97"}],
        },
        "runs { id }",
    ),
    "deleted-workflow-restore": Sample(
        "restoreWorkflow",
        {"workflowId": "4c9c57b9-e1e9-4bed-a936-4fad9d8f5638"},
        f"workflow {{ id {SCALARS} createdBy {{ id }} lastModifiedBy {{ id }} }}",
        "workflow",
        # The answer shows a workflow without tasks and conditions, which it is not; they are read.
        without=("executionConditions", "tasks"),
    ),
    "deleted-workflow-delete-permanently": Sample(
        "deleteWorkflowPermanently", {"workflowId": "w-1"}, "id"
    ),
    "taskprocessingresult-resume": Sample(
        "resumeTaskProcessingResult",
        {
            "workflowId": "4f36da05-5df8-457d-adb3-b132e7b59571",
            "taskId": "e07dcdb2-0a77-4ee3-8645-3801fbe1cf9f",
            "taskProcessingResultId": "6e1ec336-8d06-4386-a377-79dbab1a2eb6",
            "data": {"operationStatus": "COMPLETED"},
            "source": "sample",
            "type": "lifecycleEvent",
        },
        "__typename",
        # The enumeration's spelling is sent, not the page's.
        body={"data": {"operationStatus": "completed"}},
    ),
    "seed002-taskprocessingresult-create": Sample(
        "createTaskProcessingResult",
        {**RESULT, **GIVEN_RESULT},
        f"taskProcessingResult {{ id {TASK_RESULT} }}",
        "taskProcessingResult",
    ),
    "seed003-taskprocessingresult-update": Sample(
        "updateTaskProcessingResult",
        {**RESULT, **GIVEN_RESULT},
        f"taskProcessingResult {{ id {TASK_RESULT} }}",
        "taskProcessingResult",
    ),
    "deleted-taskprocessingresult-delete": Sample("deleteTaskProcessingResult", RESULT, "id"),
    "deleted-taskprocessingresult-add-subject": Sample(
        "addTaskProcessingResultSubject",
        {
            **RESULT,
            "subject": {
                "displayName": "some text",
                "employeeHireDate": TIME,
                "userPrincipalName": "some text",
            },
        },
        "__typename",
    ),
    "taskprocessingresult-add-task-placeholder": Sample(
        "addTask",
        {
            "workflowId": "w-1",
            "arguments": [{"name": "some text", "value": "some text"}],
            "category": ["JOINER", "LEAVER"],
            "continueOnError": True,
            "description": "some text",
            "displayName": "some text",
            "executionSequence": 3,
            "isEnabled": True,
            "taskDefinitionId": "some text".replace(" ", "-"),
        },
        "task { id arguments { name value } category continueOnError description displayName "
        "executionSequence isEnabled taskDefinitionId }",
        "task",
        f"{ROOT}/workflows/w-1/tasks",
        body={
            "arguments": [{"name": "some text", "value": "some text"}],
            "category": "joiner,leaver",
            "taskDefinitionId": "some-text",
        },
    ),
    "userprocessingresult-create-placeholder": Sample(
        "createUserProcessingResult",
        {"workflowId": "w-1", **GIVEN_USER_RESULT},
        f"userProcessingResult {{ id {USER_RESULT} }}",
        "userProcessingResult",
        f"{ROOT}/workflows/w-1/userProcessingResults",
    ),
    "userprocessingresult-delete-placeholder": Sample(
        "deleteUserProcessingResult",
        {"workflowId": "w-1", "runId": "r-1", "userProcessingResultId": "u-1"},
        "id",
        sent=f"{ROOT}/workflows/w-1/runs/r-1/userProcessingResults/u-1",
    ),
}
# Requests that are sent for queries, and tested where they are.
NOT_MUTATIONS = {"batch-five-requests", "directoryobjects-getbyids"}
OF_ENUMS = {"processingStatus": "failed", "workflowExecutionType": "onDemand"}


def _filled(value: Any, name: str = "") -> Any:
    """A documented value with its placeholders filled in."""
    if isinstance(value, dict):
        return {key: _filled(member, key) for key, member in value.items()}
    if isinstance(value, list):
        return [_filled(item, name) for item in value]
    if value == "String" and name in OF_ENUMS:
        return OF_ENUMS[name]
    return PLACEHOLDERS.get(value, value) if isinstance(value, str) else value


def _same_type(value: Any) -> Any:
    """Types are written with `#` or without."""
    if isinstance(value, dict):
        return {
            key: member.lstrip("#") if key == "@odata.type" else _same_type(member)
            for key, member in value.items()
        }
    return [_same_type(item) for item in value] if isinstance(value, list) else value


class Recorder:
    """An upstream that notes what it is sent, and answers all the same."""

    def __init__(self, status: int, body: Any, read: Any = None) -> None:
        self.sent: list[tuple[str, str, Any]] = []
        self.status, self.body, self.read = status, body, read
        methods = ["GET", "POST", "PATCH", "DELETE"]
        self.app = Starlette(routes=[Route("/v1.0/{path:path}", self._serve, methods=methods)])

    async def _serve(self, request: Request) -> Response:
        content = await request.body()
        path = request.path_params["path"]
        self.sent.append((request.method, path, json.loads(content) if content else None))
        if request.method == "GET" and self.read is not None:
            return JSONResponse(self.read)
        if self.body is None or self.status == 204:
            return Response(status_code=self.status)
        return JSONResponse(self.body, self.status)


def _operation(mutation: str, select: str) -> str:
    root = build_schema().core.mutation_type
    type_ = root.fields[mutation].args["input"].type
    return f"mutation($input: {type_}) {{ {mutation}(input: $input) {{ {select} }} }}"


def test_every_example_that_changes_something_is_performed():
    writes = {name for name, reason in NOT_REPLAYED.items() if reason == NOT_A_READ}
    assert SAMPLES.keys() | NOT_MUTATIONS == writes


@pytest.mark.parametrize("name", SAMPLES)
async def test_a_mutation_sends_and_answers_what_is_documented(name):
    sample, example = SAMPLES[name], EXAMPLES[name]
    status, answer = example["response"]["status"], _filled(example["response"]["body"])
    if sample.mutation == "addTask":
        answer |= {
            "category": "joiner,leaver",
            "arguments": [{"name": "some text", "value": "some text"}],
        }
    upstream = Recorder(status, answer)
    async with running(upstream.app) as gateway:
        data = await gateway.data(_operation(sample.mutation, sample.select), input=sample.input)

    [(method, path, body)] = upstream.sent
    documented = sample.sent or _spelled(example["request"]["path"]).format_map(KEYS)
    assert (method, path.casefold()) == (example["request"]["method"], documented.casefold())
    expected = example["request"]["body"]
    if expected is not None:
        expected = {**_filled(expected), **sample.body}
        expected = {key: value for key, value in expected.items() if value is not None}
    assert _same_type(body) == _same_type(expected)
    if sample.at is not None:
        found = data[sample.mutation][sample.at]
        wanted = _in_graphql(answer)
        for member in ("odataType", *sample.without):
            wanted.pop(member, None)
        if sample.mutation == "addTask":
            wanted["category"] = ["JOINER", "LEAVER"]
        assert found == wanted
    elif sample.select == "id":
        assert data[sample.mutation]["id"] == path.rpartition("/")[2]


@pytest.mark.parametrize("wrapped", [True, False])
async def test_a_new_version_is_read_from_its_answer_wrapped_or_bare(wrapped):
    """The metadata has a bare workflow where the page wraps it (questions.md, point 15)."""
    sample = SAMPLES["workflow-createnewversion"]
    documented = EXAMPLES["workflow-createnewversion"]["response"]["body"]["workflow"]
    tasks = [{"id": f"t-{n}", **task} for n, task in enumerate(documented["tasks"])]
    answer = {**documented, "id": "w-1", "version": 2, "tasks": tasks}
    upstream = Recorder(200, {"workflow": answer} if wrapped else answer)
    async with running(upstream.app) as gateway:
        data = await gateway.data(
            _operation(
                "createNewVersion",
                f"workflow {{ id version displayName {CONDITIONS} tasks {{ id displayName }} }}",
            ),
            input=sample.input,
        )
    workflow = data["createNewVersion"]["workflow"]
    assert (workflow["id"], workflow["version"], len(upstream.sent)) == ("w-1", 2, 1)
    assert [task["id"] for task in workflow["tasks"]] == ["t-0", "t-1"]


@pytest.mark.parametrize("lacking", ["id", "tasks", "the ids of tasks"])
async def test_what_an_answer_lacks_is_read(lacking):
    sample = SAMPLES["workflow-createnewversion"]
    documented = EXAMPLES["workflow-createnewversion"]["response"]["body"]["workflow"]
    tasks = [{"id": f"t-{n}", **task} for n, task in enumerate(documented["tasks"])]
    answer = {"id": "w-1", **documented, "tasks": tasks if lacking in ("id", "tasks") else TASKS}
    answer.pop(lacking, None)
    upstream = Recorder(200, answer, {"id": "w-1", **documented, "tasks": tasks})
    async with running(upstream.app) as gateway:
        data = await gateway.data(
            _operation("createNewVersion", "workflow { displayName tasks { id } }"),
            input=sample.input,
        )
    assert [task["id"] for task in data["createNewVersion"]["workflow"]["tasks"]] == ["t-0", "t-1"]
    # The id is known from the path.
    read = [] if lacking == "id" else [f"{ROOT}/workflows/w-1"]
    assert [path for method, path, _ in upstream.sent if method == "GET"] == read


async def test_a_created_workflow_without_an_id_is_an_error_that_says_so():
    answer = dict(EXAMPLES["workflow-create"]["response"]["body"])
    del answer["id"]
    async with running(Recorder(201, answer).app) as gateway:
        [error] = await gateway.errors(
            _operation("createWorkflow", "workflow { displayName id }"),
            input=SAMPLES["workflow-create"].input,
        )
    assert error["path"] == ["createWorkflow", "workflow", "id"]
    assert error["message"] == "it was made, but the service answered it without its id"
    assert error["extensions"]["code"] == "UPSTREAM_ERROR"


# --- what only the draft can read --------------------------------------------------------------


async def test_a_result_of_a_deleted_workflow_is_read_out_of_its_wrapping():
    example = EXAMPLES["deleted-taskprocessingresult-get"]
    upstream = Recorder(200, _filled(example["response"]["body"]))
    async with running(upstream.app) as gateway:
        data = await gateway.data(
            f"""query($workflowId: ID!, $runId: ID!, $user: ID!, $id: ID!) {{
                deletedTaskProcessingResult(workflowId: $workflowId, runId: $runId,
                    userProcessingResultId: $user, id: $id) {{ id {TASK_RESULT} }} }}""",
            **_keys("workflowId", "runId"),
            user=KEYS["userProcessingResultId"],
            id=KEYS["taskProcessingResultId"],
        )
    wanted = _in_graphql(_filled(example["response"]["body"])["value"])
    del wanted["odataType"]
    assert data["deletedTaskProcessingResult"] == wanted
    assert upstream.sent == [("GET", _spelled(example["request"]["path"]).format_map(KEYS), None)]


async def test_the_users_summary_is_a_function_of_the_contained_collection():
    counts = {"failedTasks": 1, "failedUsers": 2, "successfulUsers": 3}
    upstream = Recorder(200, {"value": counts})
    async with running(upstream.app) as gateway:
        data = await gateway.data(
            """{ usersSummary(workflowId: "w-1", startDateTime: "2026-01-01T00:00:00Z",
                endDateTime: "2026-02-01T00:00:00Z") {
                failedTasks failedUsers successfulUsers totalTasks } }"""
        )
    assert data["usersSummary"] == {**counts, "totalTasks": None}
    period = "startDateTime=2026-01-01T00:00:00Z,endDateTime=2026-02-01T00:00:00Z"
    [(_, path, _)] = upstream.sent
    assert path == f"{ROOT}/workflows/w-1/userProcessingResults/usersSummary({period})"
