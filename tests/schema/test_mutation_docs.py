"""docs/mutations.md: every example, in order, on one sandbox; and what each leaves behind."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from gateway.schema.build import build_schema
from tests.conftest import Gateway, Start

TEXT = Path("docs/mutations.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(
    r"```graphql\n((?:mutation|query) (\w+).*?)\n```\n(?:\n```json\n(.*?)\n```)?", TEXT, re.DOTALL
)
WAITING = "activateWorkflow workflow runs nodes 0 taskProcessingResults nodes 0"
# Ids that later examples use: the name in the text, and where the answer has it.
IDS = {
    "CreateWorkflow": {
        "workflow": "createWorkflow workflow id",
        "task": "createWorkflow workflow tasks 0 id",
    },
    "ActivateWorkflow": {"run": "activateWorkflow workflow runs nodes 0 id"},
    "ActivateAgain": {"second run": "activateWorkflow workflow runs nodes 0 id"},
    "ActivateWaiting": {
        "waiting task": f"{WAITING} task id",
        "waiting result": f"{WAITING} id",
    },
    "CreateCustomTaskExtension": {"extension": "createCustomTaskExtension customTaskExtension id"},
    "CreateTaskProcessingResult": {
        "new task result": "createTaskProcessingResult taskProcessingResult id"
    },
    "CreateUserProcessingResult": {
        "new user result": "createUserProcessingResult userProcessingResult id"
    },
    "AddTask": {"new task": "addTask task id"},
    "ReprocessOne": {"reprocessed run": "activateWorkflowWithScope workflow runs nodes 0 id"},
}
# Seconds that the sandbox's clock goes on after an example.
PASSING = {"ActivateAgain": 60}


def at(data: Any, path: str) -> Any:
    for step in path.split():
        data = data[int(step) if isinstance(data, list) else step]
    return data


@pytest.fixture
async def story(start: Start) -> dict[str, Any]:
    """The answers to all examples, by name."""
    gateway = await start()
    found: dict[str, str] = {}
    answers: dict[str, Any] = {}
    for query, name, variables in EXAMPLES:
        for known, id_ in found.items():
            query = query.replace(f"<{known}>", id_)
        assert "<" not in query, name
        answers[name] = await gateway.data(query, **json.loads(variables or "{}"))
        found |= {known: at(answers[name], path) for known, path in IDS.get(name, {}).items()}
        if name in PASSING:
            await advance(gateway, PASSING[name])
    return answers


async def advance(gateway: Gateway, seconds: float) -> None:
    response = await gateway.upstream.post("/sandbox/clock", json={"advance": seconds})
    assert response.status_code == 200


def test_every_mutation_has_an_example() -> None:
    assert len(EXAMPLES) == TEXT.count("```graphql")
    root = build_schema().core.mutation_type
    assert root is not None
    for name in root.fields:
        assert re.search(rf"\b{name}\(", TEXT), name
    for name in ("usersSummary", "deletedTaskProcessingResult"):
        assert f"  {name}(" in TEXT


async def test_every_example_does_what_it_says(story: dict[str, Any]) -> None:
    created = at(story, "CreateWorkflow createWorkflow workflow")
    assert (created["version"], len(created["tasks"])) == (1, 2)
    updated = at(story, "UpdateWorkflow updateWorkflow workflow")
    assert (updated["displayName"], updated["description"]) == ("Welcome to Australia", None)
    assert at(story, "UpdateTask updateTask task displayName") == "Enable the account"
    version = at(story, "CreateNewVersion createNewVersion workflow")
    assert version["id"] == created["id"]
    assert version["version"] == 2
    assert [v["versionNumber"] for v in version["versions"]["nodes"]] == [2, 1]

    run = at(story, "ActivateWorkflow activateWorkflow workflow runs nodes 0")
    assert run["processingStatus"] == "IN_PROGRESS"
    assert run["totalUsersCount"] == 2
    assert at(story, "CancelProcessing cancelProcessing runs") == [
        {"id": run["id"], "processingStatus": "CANCELED"}
    ]
    again, failed = at(story, "ReprocessFailedTasks activateWorkflowWithScope workflow runs nodes")
    assert again["workflowExecutionType"] == "ACTIVATED_WITH_SCOPE"
    assert again["totalUsersCount"] == 1
    assert failed["reprocessedRuns"] == [{"id": again["id"]}]
    preview = at(story, "PreviewWorkflow previewWorkflow workflow runs nodes 0")
    assert preview["workflowExecutionType"] == "PREVIEW"
    failures = at(story, "PreviewTaskFailures previewTaskFailures previewFailedTasks")
    assert failures
    assert all(task["name"] and task["failureReason"] for task in failures)

    waiting = at(story, "ActivateWaiting activateWorkflow workflow runs nodes 0")
    assert at(waiting, "taskProcessingResults nodes 0 processingStatus") == "IN_PROGRESS"
    resumed = at(
        story, "ResumeTaskProcessingResult resumeTaskProcessingResult taskProcessingResult"
    )
    assert resumed["processingStatus"] == "COMPLETED"
    assert resumed["completedDateTime"]
    quarantine = at(story, "ClearQuarantine clearQuarantine workflow quarantineDetails")
    assert quarantine is None or quarantine["quarantineType"] == "NOT_QUARANTINED"

    awaited = at(story, "ActivateAndWait activateWorkflowAndWait")
    assert awaited["awaitedWorkflowProcessingResult"]["processingStatus"]
    [result] = awaited["workflow"]["subjectProcessingResults"]["nodes"]
    assert result["subject"]["attributeSetEntries"] == [
        {"name": "department", "value": "Engineering"}
    ]
    assert at(story, "DeleteWorkflow deleteWorkflow workflow deletedDateTime")
    restored = at(story, "RestoreWorkflow restoreWorkflow workflow")
    assert restored["deletedDateTime"] is None
    assert len(restored["tasks"]) == 2
    assert at(story, "DeleteForGood deleteWorkflowPermanently id") == created["id"]
    settings = at(story, "UpdateSettings updateSettings settings")
    assert settings["workflowScheduleIntervalInHours"] == 6
    extension = at(story, "CreateCustomTaskExtension createCustomTaskExtension customTaskExtension")
    assert extension["callbackConfiguration"] == {"timeoutDuration": "PT1H"}
    changed = at(story, "UpdateCustomTaskExtension updateCustomTaskExtension customTaskExtension")
    assert changed["description"] == "Opens a ticket and waits."
    gone = at(story, "DeleteCustomTaskExtension deleteCustomTaskExtension id")
    assert gone == extension["id"]


async def test_every_draft_example_does_what_it_says(story: dict[str, Any]) -> None:
    made = at(story, "CreateTaskProcessingResult createTaskProcessingResult taskProcessingResult")
    assert (made["processingStatus"], made["failureReason"]) == ("FAILED", "Written by hand.")
    changed = at(story, "UpdateTaskProcessingResult updateTaskProcessingResult")
    assert changed["taskProcessingResult"] == {
        "processingStatus": "COMPLETED",
        "failureReason": None,
    }
    without = at(story, "RemoveTaskProcessingResultSubject removeTaskProcessingResultSubject")
    assert without["taskProcessingResult"]["subject"] is None
    with_it = at(story, "AddTaskProcessingResultSubject addTaskProcessingResultSubject")
    assert with_it["taskProcessingResult"]["subject"] == {"displayName": "Patti Haddad"}
    gone = at(story, "DeleteTaskProcessingResult deleteTaskProcessingResult")
    assert gone == {"id": made["id"], "nodeId": made["nodeId"]}

    user = at(story, "CreateUserProcessingResult createUserProcessingResult userProcessingResult")
    assert (user["processingStatus"], user["totalTasksCount"]) == ("QUEUED", 3)
    done = at(story, "UpdateUserProcessingResult updateUserProcessingResult userProcessingResult")
    assert done == {"id": user["id"], "processingStatus": "COMPLETED"}
    subject = at(story, "AddUserProcessingResultSubject addUserProcessingResultSubject")
    assert subject["userProcessingResult"]["subject"] == {"displayName": "Patti Haddad"}
    none = at(story, "RemoveUserProcessingResultSubject removeUserProcessingResultSubject")
    assert none["userProcessingResult"]["subject"] is None
    assert at(story, "DeleteUserProcessingResult deleteUserProcessingResult id") == user["id"]

    task = at(story, "AddTask addTask task")
    assert task["displayName"] == "Remove all licenses"
    assert task["taskDefinition"]["displayName"]
    assert at(story, "RemoveTask removeTask id") == task["id"]
    assert at(story, "UsersSummary usersSummary totalUsers") > 0
    deleted = at(story, "DeletedTaskProcessingResult deletedTaskProcessingResult")
    assert deleted["subject"] == {"displayName": "Patti Haddad"}
    assert deleted["task"]["displayName"]
