"""The documents' own examples, served as documented and read through the gateway.

Each example whose request is a read is replayed: its body is served at its path, in the spelling of
the metadata, the equivalent GraphQL query is asked, and every documented value must come out. The
same queries against the sandbox must give the same values.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.sandbox import SandboxSettings, create_sandbox
from tests.conftest import running

DATA = Path(__file__).parents[1] / "data"
ROOT = "identityGovernance/lifecycleWorkflows"

TASK = """id arguments { name value } category continueOnError description displayName
    executionSequence isEnabled taskDefinitionId"""
TASK_RESULT = f"""id completedDateTime createdDateTime failureReason processingInfo processingStatus
    startedDateTime subject {{ id }} task {{ {TASK} }}"""
USER_RESULT = """id completedDateTime failedTasksCount processingStatus scheduledDateTime
    startedDateTime totalTasksCount totalUnprocessedTasksCount workflowExecutionType workflowVersion
    subject { id }"""
RUN = """id activatedOnScope { odataType } completedDateTime failedTasksCount failedUsersCount
    lastUpdatedDateTime processingStatus scheduledDateTime startedDateTime successfulUsersCount
    totalTasksCount totalUnprocessedTasksCount totalUsersCount workflowExecutionType"""
CONDITIONS = """executionConditions { odataType ... on TriggerAndScopeBasedConditions {
        scope { odataType ... on RuleBasedSubjectSet { rule } }
        trigger { odataType ... on TimeBasedAttributeTrigger { timeBasedAttribute offsetInDays } }
    } }"""
LISTED = """category description displayName lastModifiedDateTime createdDateTime isEnabled
    isSchedulingEnabled"""
WORKFLOW = f"""id {LISTED} deletedDateTime nextScheduleRunDateTime version {CONDITIONS}
    createdBy {{ id }} lastModifiedBy {{ id }} tasks {{ {TASK} }}"""
PERIOD = "(startDateTime: $startDateTime, endDateTime: $endDateTime)"
PERIOD_PATH = "(startDateTime={startDateTime},endDateTime={endDateTime})"
TYPES = {"startDateTime": "DateTime!", "endDateTime": "DateTime!", "versionNumber": "Int!"}


@dataclass(frozen=True)
class Replay:
    """How the gateway reads one example.

    Attributes:
        path: the documented path below the root, as the metadata spells it; what is in braces
            becomes the variables of the query.
        query: the selection set of the operation.
        at: where in the data the documented value is.
        parents: entities that the query reads on the way and the example does not give; each is
            served with nothing but its id, at its path and as the only row of its collection.
        read_at: the path of the same entities that the gateway reads, where it is another.
    """

    path: str
    query: str
    at: tuple[str, ...]
    parents: tuple[str, ...] = ()
    read_at: str | None = None


W = "workflows/{workflowId}"
DELETED = "deletedItems/workflows/{workflowId}"
RESULT_OF_RUN = f"{W}/runs/{{runId}}/userProcessingResults/{{id}}"

REPLAYS = {
    "workflows-list-all": Replay(
        "workflows",
        f"workflows {{ totalCount nodes {{ id {LISTED} version }} }}",
        ("workflows",),
    ),
    "workflow-get": Replay(W, f"workflow(id: $workflowId) {{ {WORKFLOW} }}", ("workflow",)),
    "deleted-workflows-list": Replay(
        "deletedItems/workflows",
        f"deletedWorkflows {{ totalCount nodes {{ id {LISTED} deletedDateTime version }} }}",
        ("deletedWorkflows",),
    ),
    "deleted-workflow-get": Replay(
        DELETED, f"deletedWorkflow(id: $workflowId) {{ {WORKFLOW} }}", ("deletedWorkflow",)
    ),
    "workflow-tasks-list": Replay(
        f"{W}/tasks",
        f"workflow(id: $workflowId) {{ tasks {{ {TASK} }} }}",
        ("workflow", "tasks"),
        (W,),
    ),
    "workflow-task-get": Replay(
        f"{W}/tasks/{{id}}", f"task(workflowId: $workflowId, id: $id) {{ {TASK} }}", ("task",)
    ),
    "workflow-versions-list": Replay(
        f"{W}/versions",
        f"""workflow(id: $workflowId) {{
            versions {{ totalCount nodes {{ versionNumber {LISTED} }} }} }}""",
        ("workflow", "versions"),
        (W,),
    ),
    "workflow-version-get-select-expand-tasks": Replay(
        f"{W}/versions/{{versionNumber}}",
        f"""workflowVersion(workflowId: $workflowId, versionNumber: $versionNumber) {{
            category displayName versionNumber {CONDITIONS} tasks {{ {TASK} }} }}""",
        ("workflowVersion",),
    ),
    "runs-list": Replay(
        f"{W}/runs",
        f"workflow(id: $workflowId) {{ runs {{ totalCount nodes {{ {RUN} }} }} }}",
        ("workflow", "runs"),
        (W,),
    ),
    "run-get-select": Replay(
        f"{W}/runs/{{id}}", f"run(workflowId: $workflowId, id: $id) {{ {RUN} }}", ("run",)
    ),
    "runs-summary": Replay(
        f"{W}/runs/summary{PERIOD_PATH}",
        f"""workflow(id: $workflowId) {{ runsSummary{PERIOD} {{
            failedRuns failedTasks successfulRuns totalRuns totalTasks totalUsers }} }}""",
        ("workflow", "runsSummary"),
        (W,),
    ),
    # A run's address is below its workflow, wherever it was found; its own runs are read there.
    "run-reprocessedruns-list": Replay(
        f"{DELETED}/executionScope/{{resultId}}/reprocessedRuns/{{runId}}/reprocessedRuns",
        f"""deletedWorkflow(id: $workflowId) {{ executionScope {{ nodes {{ reprocessedRuns {{
            reprocessedRuns {{ {RUN} reprocessedRuns {{ {RUN} }} }} }} }} }} }}""",
        (
            "deletedWorkflow",
            "executionScope",
            "nodes",
            "0",
            "reprocessedRuns",
            "0",
            "reprocessedRuns",
        ),
        (
            DELETED,
            f"{DELETED}/executionScope/{{resultId}}",
            f"{DELETED}/userProcessingResults/{{resultId}}/reprocessedRuns/{{runId}}",
        ),
        f"{DELETED}/runs/{{runId}}/reprocessedRuns",
    ),
    "run-userprocessingresults-list": Replay(
        f"{W}/runs/{{id}}/userProcessingResults",
        f"""run(workflowId: $workflowId, id: $id) {{
            userProcessingResults {{ totalCount nodes {{ {USER_RESULT} }} }} }}""",
        ("run", "userProcessingResults"),
        (f"{W}/runs/{{id}}",),
    ),
    "run-taskprocessingresults-list-select": Replay(
        f"{W}/runs/{{id}}/taskProcessingResults",
        f"""run(workflowId: $workflowId, id: $id) {{
            taskProcessingResults {{ totalCount nodes {{ {TASK_RESULT} }} }} }}""",
        ("run", "taskProcessingResults"),
        (f"{W}/runs/{{id}}",),
    ),
    "workflow-userprocessingresults-list": Replay(
        f"{W}/userProcessingResults",
        f"""workflow(id: $workflowId) {{
            userProcessingResults {{ totalCount nodes {{ {USER_RESULT} }} }} }}""",
        ("workflow", "userProcessingResults"),
        (W,),
    ),
    "userprocessingresult-get": Replay(
        RESULT_OF_RUN,
        f"""userProcessingResult(workflowId: $workflowId, runId: $runId, id: $id) {{
            {USER_RESULT} }}""",
        ("userProcessingResult",),
    ),
    "userprocessingresult-taskprocessingresults-list-select": Replay(
        f"{W}/userProcessingResults/{{id}}/taskProcessingResults",
        f"""userProcessingResult(workflowId: $workflowId, id: $id) {{
            taskProcessingResults {{ {TASK_RESULT} }} }}""",
        ("userProcessingResult", "taskProcessingResults"),
        (f"{W}/userProcessingResults/{{id}}",),
    ),
    **{
        name: Replay(
            f"{RESULT_OF_RUN}/taskProcessingResults",
            f"""userProcessingResult(workflowId: $workflowId, runId: $runId, id: $id) {{
                taskProcessingResults {{ {TASK_RESULT} }} }}""",
            ("userProcessingResult", "taskProcessingResults"),
            (RESULT_OF_RUN,),
        )
        for name in (
            "seed004-run-userprocessingresult-taskprocessingresults-list",
            "seed004-run-userprocessingresult-taskprocessingresults-list-select",
        )
    },
    "userprocessingresults-summary-beta": Replay(
        f"{W}/userProcessingResults/summary{PERIOD_PATH}",
        f"""workflow(id: $workflowId) {{ userProcessingResultsSummary{PERIOD} {{
            failedTasks failedUsers successfulUsers totalTasks totalUsers }} }}""",
        ("workflow", "userProcessingResultsSummary"),
        (W,),
    ),
    "taskreports-list-select": Replay(
        f"{W}/taskReports",
        """workflow(id: $workflowId) { taskReports { totalCount nodes {
            id completedDateTime failedUsersCount lastUpdatedDateTime processingStatus runId
            startedDateTime successfulUsersCount totalUsersCount unprocessedUsersCount } } }""",
        ("workflow", "taskReports"),
        (W,),
    ),
    "taskreport-taskprocessingresults-list": Replay(
        f"{W}/taskReports/{{id}}/taskProcessingResults",
        f"""taskReport(workflowId: $workflowId, id: $id) {{
            taskProcessingResults {{ totalCount nodes {{ {TASK_RESULT} }} }} }}""",
        ("taskReport", "taskProcessingResults"),
        (f"{W}/taskReports/{{id}}",),
    ),
    "taskreports-summary": Replay(
        f"{W}/taskReports/summary{PERIOD_PATH}",
        f"""workflow(id: $workflowId) {{ taskReportsSummary{PERIOD} {{
            failedTasks successfulTasks totalTasks unprocessedTasks }} }}""",
        ("workflow", "taskReportsSummary"),
        (W,),
    ),
    "taskdefinitions-list": Replay(
        "taskDefinitions",
        """taskDefinitions { totalCount nodes { id category continueOnError description displayName
            version parameters { name values valueType } } }""",
        ("taskDefinitions",),
    ),
    "insights-toptasks": Replay(
        f"insights/topTasksProcessedSummary{PERIOD_PATH}",
        f"""insights {{ topTasksProcessedSummary{PERIOD} {{
            failedTasks failedUsers successfulTasks successfulUsers taskDefinitionDisplayName
            taskDefinitionId totalTasks totalUsers }} }}""",
        ("insights", "topTasksProcessedSummary"),
    ),
    "insights-workflowsbycategory": Replay(
        f"insights/workflowsProcessedByCategory{PERIOD_PATH}",
        f"""insights {{ workflowsProcessedByCategory{PERIOD} {{
            failedJoinerRuns failedLeaverRuns failedMoverRuns
            successfulJoinerRuns successfulLeaverRuns successfulMoverRuns
            totalJoinerRuns totalLeaverRuns totalMoverRuns }} }}""",
        ("insights", "workflowsProcessedByCategory"),
    ),
}

NOT_A_READ = "not a read"
NOT_REPLAYED = {
    "batch-five-requests": NOT_A_READ,
    "deleted-taskprocessingresult-add-subject": NOT_A_READ,
    "deleted-taskprocessingresult-delete": NOT_A_READ,
    "deleted-taskprocessingresult-get": "placeholders for ids and values",
    "deleted-workflow-delete-permanently": NOT_A_READ,
    "deleted-workflow-restore": NOT_A_READ,
    "directoryobjects-getbyids": NOT_A_READ,
    "error-invalidrange": "an error, of no path in particular",
    "seed000-representation-taskprocessingresult": "a resource page: no request, placeholders",
    "seed001-representation-userprocessingresult": "a resource page: no request, placeholders",
    "seed002-taskprocessingresult-create": NOT_A_READ,
    "seed003-taskprocessingresult-update": NOT_A_READ,
    "taskprocessingresult-add-task-placeholder": NOT_A_READ,
    "taskprocessingresult-resume": NOT_A_READ,
    "throttled-429": "an error, of no path in particular",
    "userprocessingresult-create-placeholder": NOT_A_READ,
    "userprocessingresult-delete-placeholder": NOT_A_READ,
    "userprocessingresults-userssummary-placeholder": "a function and a path that do not exist",
    "workflow-activate": NOT_A_READ,
    "workflow-activatewithscope-processing-results": NOT_A_READ,
    "workflow-activatewithscope-subjects": NOT_A_READ,
    "workflow-cancelprocessing": NOT_A_READ,
    "workflow-create": NOT_A_READ,
    "workflow-createnewversion": NOT_A_READ,
    "workflow-update": NOT_A_READ,
}
NOT_IN_THE_SANDBOX: dict[str, str] = {
    "workflows-list-all": "the sandbox lists its own workflows; these are found by their ids",
    "workflow-tasks-list": "workflow-get inlines other tasks of the same workflow; they are read",
}

EXAMPLES = {path.stem: json.loads(path.read_text("utf-8")) for path in DATA.glob("*.json")}


# --- the upstream ----------------------------------------------------------------------------


class Upstream:
    """Serves bodies by path below the version root, and notes which paths were asked for."""

    def __init__(self, bodies: Mapping[str, Any]) -> None:
        self.bodies = bodies
        self.asked: list[str] = []
        self.app = Starlette(routes=[Route("/v1.0/{path:path}", self._serve, methods=["GET"])])
        self.app.routes.insert(0, Route("/v1.0/$batch", self._batch, methods=["POST"]))

    def answer(self, url: str) -> tuple[int, Any]:
        path = unquote(url.partition("?")[0]).removeprefix("/")
        self.asked.append(path)
        if path in self.bodies:
            return 200, self.bodies[path]
        return 404, {"error": {"code": "notFound", "message": f"nothing is at {path}"}}

    async def _serve(self, request: Request) -> Response:
        status, body = self.answer(request.path_params["path"])
        return JSONResponse(body, status)

    async def _batch(self, request: Request) -> Response:
        answers = []
        for item in (await request.json())["requests"]:
            assert item["method"] == "GET"
            status, body = self.answer(item["url"])
            answers.append({"id": item["id"], "status": status, "headers": {}, "body": body})
        return JSONResponse({"responses": answers})


def _spelled(path: str) -> str:
    """A documented path without its version, as the metadata spells it."""
    segments = [segment for segment in path.split("/") if segment]
    assert segments[0] in ("v1.0", "beta")
    right = {"identitygovernance": "identityGovernance", "workflow": "workflows"}
    return "/".join(right.get(segment.lower(), segment) for segment in segments[1:])


def _variables(replay: Replay, path: str) -> dict[str, Any]:
    parts = re.split(r"\{(\w+)\}", f"{ROOT}/{replay.path}")
    pattern = "".join(
        f"(?P<{part}>[^/,()]+)" if number % 2 else re.escape(part)
        for number, part in enumerate(parts)
    )
    match = re.fullmatch(pattern, path)
    assert match is not None, f"{path} is not {replay.path}"
    found: dict[str, Any] = match.groupdict()
    if "versionNumber" in found:
        found["versionNumber"] = int(found["versionNumber"])
    return found


def _operation(replay: Replay, variables: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    used = {name: value for name, value in variables.items() if f"${name}" in replay.query}
    declared = ", ".join(f"${name}: {TYPES.get(name, 'ID!')}" for name in used)
    return f"query{f'({declared})' if declared else ''} {{ {replay.query} }}", used


# --- what is expected ------------------------------------------------------------------------

ENUMS = {
    "category",
    "processingStatus",
    "timeBasedAttribute",
    "valueType",
    "workflowExecutionType",
}
MISSPELT = {"totalProcessedTasks": "totalTasks", "@odata.type": "odataType"}


def _in_graphql(value: Any) -> Any:
    """A documented value as the schema expresses it."""
    if isinstance(value, list):
        return [_in_graphql(item) for item in value]
    if not isinstance(value, dict):
        return value
    row: dict[str, Any] = {}
    for name, member in value.items():
        if name == "@odata.type":
            row["odataType"] = member
        elif "@odata." not in name:
            row[MISSPELT.get(name, name)] = _member(name, member, value)
    return row


def _member(name: str, value: Any, row: Mapping[str, Any]) -> Any:
    if name == "subject":  # Its @odata.type, where there is one, is that of something else.
        return {"id": value["id"]}
    if name not in ENUMS or value is None:
        return _in_graphql(value)
    if name == "category" and row.keys() & {"taskDefinitionId", "parameters"}:
        return [_screaming(member) for member in value.split(",")]
    return _screaming(value)


def _screaming(member: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", member).upper()


def _documented(body: Mapping[str, Any], *, connection: bool) -> Any:
    if "value" not in body:
        return _in_graphql(body)
    rows = _in_graphql(body["value"])
    if not connection:
        return rows
    return {"totalCount": body.get("@odata.count", len(rows)), "nodes": rows}


def _found(data: Any, at: tuple[str, ...]) -> Any:
    for step in at:
        data = data[int(step) if isinstance(data, list) else step]
    return data


def _differences(found: Any, documented: Any, at: str = "", *, exactly: bool) -> list[str]:
    """Where ``found`` is not as documented.

    Members that the document leaves out are to be null if ``exactly``, else they may be anything.
    """
    if isinstance(documented, list) and isinstance(found, list) and len(documented) == len(found):
        pairs = [
            (f"{at}[{i}]", *pair) for i, pair in enumerate(zip(found, documented, strict=True))
        ]
    elif isinstance(documented, dict) and isinstance(found, dict):
        names = dict.fromkeys([*documented, *(found if exactly else ())])
        missing = "<not selected>"
        pairs = [(f"{at}.{n}", found.get(n, missing), documented.get(n)) for n in names]
    else:
        same = found == documented and type(found) is type(documented)
        return [] if same else [f"{at}: {found!r}, documented is {documented!r}"]
    return [text for pair in pairs for text in _differences(*pair[1:], pair[0], exactly=exactly)]


# --- the tests -------------------------------------------------------------------------------


def test_every_example_is_replayed_or_excluded_for_a_reason():
    assert not REPLAYS.keys() & NOT_REPLAYED.keys()
    assert REPLAYS.keys() | NOT_REPLAYED.keys() == EXAMPLES.keys()
    assert NOT_IN_THE_SANDBOX.keys() <= REPLAYS.keys()
    for name, example in EXAMPLES.items():
        method = (example["request"] or {}).get("method", "GET")
        assert (method == "GET") == (NOT_REPLAYED.get(name) != NOT_A_READ), name


@pytest.mark.parametrize("name", REPLAYS)
async def test_a_documented_answer_is_read_to_the_last_value(name):
    replay, example = REPLAYS[name], EXAMPLES[name]
    path, body = _spelled(example["request"]["path"]), example["response"]["body"]
    variables = _variables(replay, path)
    bodies: dict[str, Any] = {}
    for parent in replay.parents:
        address = f"{ROOT}/{parent.format_map(variables)}"
        collection, _, key = address.rpartition("/")
        bodies |= {address: {"id": key}, collection: {"value": [{"id": key}]}}
    read_at = path if replay.read_at is None else f"{ROOT}/{replay.read_at.format_map(variables)}"
    upstream = Upstream({**bodies, read_at: body})

    query, used = _operation(replay, variables)
    async with running(upstream.app) as gateway:
        found = _found(await gateway.data(query, **used), replay.at)

    documented = _documented(body, connection="nodes" in found)
    assert not _differences(found, documented, exactly=True)
    assert read_at in upstream.asked


@pytest.mark.parametrize("name", [name for name in REPLAYS if name not in NOT_IN_THE_SANDBOX])
async def test_the_sandbox_gives_the_documented_values(name):
    replay, example = REPLAYS[name], EXAMPLES[name]
    body = example["response"]["body"]
    query, used = _operation(replay, _variables(replay, _spelled(example["request"]["path"])))
    async with running(create_sandbox(SandboxSettings(moving=False))) as gateway:
        found = _found(await gateway.data(query, **used), replay.at)

    documented = _documented(body, connection="nodes" in found)
    assert not _differences(found, documented, exactly=False)


async def test_what_is_not_documented_is_not_found():
    upstream = Upstream({})
    async with running(upstream.app) as gateway:
        [error] = await gateway.errors('{ workflow(id: "w") { displayName } }')
    assert error["extensions"]["code"] == "NOT_FOUND"
    assert upstream.asked == [f"{ROOT}/workflows/w"]
