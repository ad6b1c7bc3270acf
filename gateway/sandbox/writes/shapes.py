"""Members of the bodies of the writing methods: graph-lifecycle-api.md sections 4 and 5."""

from gateway.sandbox.settings import MAX_TASKS
from gateway.sandbox.writes.bodies import (
    Check,
    boolean,
    collection,
    duration,
    flags,
    integer,
    kinds,
    member_of,
    nullable,
    record,
    string,
    text,
    timestamp,
)

GRAPH = "microsoft.graph"
TYPES = "microsoft.graph.identityGovernance"
MAX_SUBJECTS = 10
"""Users per on-demand selection: section 7, Throttling (service limits)."""

_STATUSES = "queued inProgress completed completedWithErrors canceled failed canceling quarantined"
_EXECUTIONS = "scheduled onDemand activatedWithScope preview extensibilityOnDemand"
_COUNT = integer(0)

REFERENCE = record({"id": text})
"""An entity that is named by its id."""

_TRIGGER = kinds(
    TYPES,
    {
        "timeBasedAttributeTrigger": record(
            {
                "offsetInDays": integer(-180, 180),
                "timeBasedAttribute": member_of(
                    "employeeHireDate employeeLeaveDateTime createdDateTime"
                ),
            }
        ),
        "attributeChangeTrigger": record({"triggerAttributes": collection(record({"name": text}))}),
        "membershipChangeTrigger": record({"changeType": member_of("add remove")}),
        "userInactivityTrigger": record({"inactivityPeriodInDays": integer(0)}),
        "guestSponsorTrigger": record({"minimumRequiredSponsors": integer(0)}),
    },
)
_SUBJECT_SET = kinds(
    TYPES,
    {
        "ruleBasedSubjectSet": record({"rule": text}),
        "groupBasedSubjectSet": record(optional={"groups": nullable(collection(REFERENCE))}),
    },
)
_CONDITIONS = kinds(
    TYPES,
    {
        "onDemandExecutionOnly": record(),
        "provisioningAttributeMapping": record(),
        "triggerAndScopeBasedConditions": record(
            optional={"scope": nullable(_SUBJECT_SET), "trigger": nullable(_TRIGGER)}
        ),
    },
)
_QUARANTINE = record(
    {
        "conditions": collection(
            kinds(
                TYPES,
                {
                    "countBasedQuarantineCondition": record({"threshold": integer(0, 2**63 - 1)}),
                    "percentageBasedQuarantineCondition": record({"percentage": integer(0, 100)}),
                },
            )
        ),
        "matchMode": member_of("any all"),
    }
)

TASK = record(
    {
        "displayName": text,
        "taskDefinitionId": text,
        "arguments": collection(record({"name": text}, {"value": nullable(string)})),
    },
    {
        "category": string,
        "continueOnError": boolean,
        "description": nullable(string),
        "executionSequence": integer(1),
        "isEnabled": boolean,
    },
)
"""A new task; its category is that of its definition, whatever is sent."""

TASK_CHANGES = record(optional={"description": nullable(string), "displayName": text})

WORKFLOW = record(
    {
        "category": member_of("joiner leaver mover extensibility"),
        "displayName": text,
        "executionConditions": _CONDITIONS,
        "tasks": collection(TASK, 1, MAX_TASKS),
    },
    {
        "description": nullable(string),
        "isEnabled": boolean,
        "isSchedulingEnabled": boolean,
        "settings": record(optional={"quarantineConfiguration": nullable(_QUARANTINE)}),
        "targetSubjectType": flags("user provisioningObject"),
    },
)
"""A workflow or a new version of one: rows 2 and 9."""

WORKFLOW_CHANGES = record(
    optional={
        "description": nullable(string),
        "displayName": text,
        "isEnabled": boolean,
        "isSchedulingEnabled": boolean,
    }
)

SETTINGS_CHANGES = record(
    {
        "emailSettings": record({"senderDomain": string, "useCompanyBranding": boolean}),
        "workflowScheduleIntervalInHours": integer(1, 24),
    },
    {"quarantineConfiguration": nullable(_QUARANTINE)},
)
"""Both members that the page names are required: row 60a."""

_APPLICATION = record(
    optional={"id": text, "appId": nullable(string), "displayName": nullable(string)}
)
_AUTHENTICATION = kinds(
    GRAPH,
    {
        "azureAdTokenAuthentication": record(optional={"resourceId": nullable(string)}),
        "azureAdPopTokenAuthentication": record(),
    },
)
_EXTENSION: dict[str, Check] = {
    "description": nullable(string),
    "callbackConfiguration": nullable(
        kinds(
            TYPES,
            {
                "customTaskExtensionCallbackConfiguration": record(
                    optional={
                        "timeoutDuration": nullable(duration),
                        "authorizedApps": nullable(collection(_APPLICATION)),
                    }
                )
            },
        )
    ),
    "clientConfiguration": nullable(
        record(
            optional={
                "maximumRetries": nullable(integer(0)),
                "timeoutInMilliseconds": nullable(integer(0)),
            }
        )
    ),
    "replyMode": member_of("none callback response"),
    "endpointConfiguration": nullable(
        kinds(
            GRAPH,
            {
                "logicAppTriggerEndpointConfiguration": record(
                    optional=dict.fromkeys(
                        (
                            "logicAppWorkflowName",
                            "resourceGroupName",
                            "subscriptionId",
                            "url",
                        ),
                        nullable(string),
                    )
                )
            },
        )
    ),
}
_REQUIRED: dict[str, Check] = {
    "displayName": text,
    "authenticationConfiguration": _AUTHENTICATION,
}
EXTENSION = record(_REQUIRED, _EXTENSION)
"""A new custom task extension: section 3 says what is required, whatever the metadata allows."""

EXTENSION_CHANGES = record(optional={**_REQUIRED, **_EXTENSION})

SUBJECTS = record({"subjects": collection(REFERENCE, 1, MAX_SUBJECTS)})

AWAITED = record(
    {
        "subject": kinds(
            TYPES,
            {
                "directoryObjectWorkflowSubject": record({"directoryObject": REFERENCE}),
                "provisioningObjectWorkflowSubject": record(
                    {
                        "id": text,
                        "attributeSetEntries": collection(
                            record({"name": text}, {"value": nullable(string)})
                        ),
                    }
                ),
            },
        )
    }
)

_TASK_SCOPE = {"taskScope": member_of("allTasks failedTasks")}
SCOPE = kinds(
    TYPES,
    {
        "activateUserScope": record({"users": collection(REFERENCE, 1)}),
        "activateGroupScope": record({"group": REFERENCE}),
        "activateRunScope": record(
            {**_TASK_SCOPE, "userScope": member_of("allUsers failedUsers"), "run": REFERENCE}
        ),
        "activateProcessingResultScope": record(
            {**_TASK_SCOPE, "processingResults": collection(REFERENCE, 1)}
        ),
    },
)
ACTIVATION = record({"scope": SCOPE})
CANCELLATION = record(
    {"scope": kinds(TYPES, {"cancelRunsScope": record({"runs": collection(REFERENCE, 1, 1)})})}
)
CALLBACK = record(
    {"data": record({"operationStatus": member_of("completed failed", ignoring_case=True)})},
    {"source": nullable(string), "type": nullable(string)},
)

_RESULT_DATES: dict[str, Check] = {
    "completedDateTime": nullable(timestamp),
    "startedDateTime": nullable(timestamp),
}
_TASK_RESULT: dict[str, Check] = {
    **_RESULT_DATES,
    "createdDateTime": timestamp,
    "failureReason": nullable(string),
    "processingInfo": nullable(string),
}
_STATUS: dict[str, Check] = {"processingStatus": member_of(_STATUSES)}
TASK_RESULT = record(_STATUS, _TASK_RESULT)
"""A task processing result: its page requires createdDateTime too, its example leaves it out."""

TASK_RESULT_CHANGES = record(optional={**_STATUS, **_TASK_RESULT})

_USER_RESULT: dict[str, Check] = {
    **_RESULT_DATES,
    "failedTasksCount": _COUNT,
    "scheduledDateTime": timestamp,
    "totalTasksCount": _COUNT,
    "totalUnprocessedTasksCount": _COUNT,
    "workflowExecutionType": member_of(_EXECUTIONS),
    "workflowVersion": integer(1),
}
USER_RESULT = record(_STATUS, _USER_RESULT)
"""A user processing result; what is left out has a default, except its status."""

USER_RESULT_CHANGES = record(optional={**_STATUS, **_USER_RESULT})
