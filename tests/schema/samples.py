"""The documents' own examples of requests that change something, and how each is performed."""

import json
from dataclasses import dataclass, field
from typing import Any

from tests.schema.replays import CONDITIONS, EXAMPLES, ROOT

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
QUARANTINE = """quarantineDetails { quarantinedDateTime quarantineReason quarantineType }
    settings { quarantineConfiguration { matchMode conditions {
        odataType ... on CountBasedQuarantineCondition { threshold } } } }"""
MAILBOX = "Grant manager access to mailbox and OneDrive"
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
    "workflow-activateandwait-beta": Sample(
        "activateWorkflowAndWait",
        {
            "workflowId": "14879a93-6b91-4153-b7e6-5df4a7b7c5c8",
            "subject": {
                "provisioningObjectWorkflowSubject": {
                    "id": "b74f0fae-b1f3-4c96-9bf0-d4d8a8e37cbe",
                    "attributeSetEntries": [
                        {"name": "department", "value": "Engineering"},
                        {"name": "jobTitle", "value": "Software Engineer"},
                    ],
                }
            },
        },
        """awaitedWorkflowProcessingResult { processingStatus statusReasons subject { odataType
            ... on ProvisioningObjectWorkflowSubject {
                id attributeSetEntries { name value } } } }""",
        "awaitedWorkflowProcessingResult",
        sent=f"{ROOT}/workflows/14879a93-6b91-4153-b7e6-5df4a7b7c5c8/activateAndWait",
    ),
    "workflow-clearquarantine": Sample(
        "clearQuarantine",
        {"workflowId": "w-1"},
        f"workflow {{ id {SCALARS} {QUARANTINE} }}",
        "workflow",
        # They are cut to their type in the answer, and read.
        without=("executionConditions",),
    ),
    **{
        name: Sample(
            "previewTaskFailures",
            {"workflowId": EXAMPLES[name]["request"]["path"].split("/")[-2]},
            "previewFailedTasks { definitionId failureReason name taskId }",
        )
        for name in (
            "workflow-previewtaskfailures-beta",
            "workflow-previewtaskfailures-none",
            "workflow-previewtaskfailures-none-beta",
        )
    },
    "workflow-previewworkflow": Sample(
        "previewWorkflow",
        {
            "workflowId": "14879e66-9ea9-48d0-804d-8fea672d0341",
            "subjects": [
                {"id": "b59552b8-fa7b-4f68-8496-0a529aace8c0"},
                {"id": "a1b2c3d4-e5f6-7890-abcd-ef1234567890"},
            ],
        },
        "__typename",
    ),
    "settings-update": Sample(
        "updateSettings",
        {
            "workflowScheduleIntervalInHours": 3,
            "emailSettings": {"senderDomain": "ContosoIndustries.net", "useCompanyBranding": True},
        },
        "__typename",
        body={"@odata.context": None},
    ),
    "customtaskextension-create": Sample(
        "createCustomTaskExtension",
        {
            "displayName": MAILBOX,
            "description": MAILBOX,
            "endpointConfiguration": {
                "logicAppTriggerEndpointConfiguration": {
                    "subscriptionId": "c500b67c-e9b7-4ad2-a90d-77d41385ae55",
                    "resourceGroupName": "RG-LCM",
                    "logicAppWorkflowName": "ManagerAccess",
                }
            },
            "authenticationConfiguration": {
                "azureAdTokenAuthentication": {"resourceId": "542dc01a-0b5d-4edc-b3f9-5cfe6393f557"}
            },
            "clientConfiguration": {"maximumRetries": 1, "timeoutInMilliseconds": 1000},
            "callbackConfiguration": {"timeoutDuration": "PT30M"},
        },
        """customTaskExtension { id displayName description createdDateTime lastModifiedDateTime
            endpointConfiguration { odataType ... on LogicAppTriggerEndpointConfiguration {
                subscriptionId resourceGroupName logicAppWorkflowName } }
            authenticationConfiguration { odataType ... on AzureAdTokenAuthentication {
                resourceId } }
            clientConfiguration { timeoutInMilliseconds maximumRetries }
            callbackConfiguration { odataType timeoutDuration } }""",
        "customTaskExtension",
        # The type is the only one there is, and need not be said.
        body={"clientConfiguration": {"maximumRetries": 1, "timeoutInMilliseconds": 1000}},
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
    "userprocessingresult-reprocessedruns-remove-placeholder": Sample(
        "removeReprocessedRun",
        {**_keys("workflowId", "userProcessingResultId"), "reprocessedRunId": "r-2"},
        "__typename",
        sent=f"{ROOT}/deletedItems/workflows/w-1/executionScope/w-1_1_u-1/reprocessedRuns/r-2/$ref",
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
NOT_MUTATIONS = {
    "batch-five-requests",
    "directoryobjects-getbyids",
    # Of lifecycle policies nothing is written here.
    "lifecyclepolicypriorityconfiguration-update-beta",
}
