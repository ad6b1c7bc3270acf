"""The documents' own examples of requests that change something, sent as documented.

Each is performed by its mutation in front of an upstream that records what it gets and answers as
documented: method, path and body must be the documented ones, and what the documented answer says
must come out without another request. Placeholders of the documents are given values.
"""

import json
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.schema.build import build_schema
from tests.conftest import running
from tests.schema.replays import CONDITIONS, EXAMPLES, NOT_A_READ, NOT_REPLAYED, ROOT
from tests.schema.samples import (
    KEYS,
    NOT_MUTATIONS,
    PLACEHOLDERS,
    SAMPLES,
    TASK_RESULT,
    TASKS,
    _keys,
)
from tests.schema.test_replay import _in_graphql, _spelled

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
