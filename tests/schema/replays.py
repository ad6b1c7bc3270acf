"""The documents' own examples that are reads, and how the gateway reads each."""

import json
from dataclasses import dataclass
from pathlib import Path

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
TEMPLATE = f"id category description displayName {CONDITIONS} tasks {{ {TASK} }}"
EXTENSION = """id displayName description createdDateTime lastModifiedDateTime
    endpointConfiguration { odataType ... on LogicAppTriggerEndpointConfiguration {
        subscriptionId resourceGroupName logicAppWorkflowName url } }
    authenticationConfiguration { odataType ... on AzureAdTokenAuthentication { resourceId } }
    clientConfiguration { timeoutInMilliseconds maximumRetries }
    callbackConfiguration { odataType timeoutDuration authorizedApps { id } }"""
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
    "subjectprocessingresults-summary": Replay(
        f"{W}/runs/{{id}}/subjectProcessingResults/summary{PERIOD_PATH}",
        f"""run(workflowId: $workflowId, id: $id) {{ subjectProcessingResultsSummary{PERIOD} {{
            failedSubjects failedTasks successfulSubjects totalSubjects totalTasks }} }}""",
        ("run", "subjectProcessingResultsSummary"),
        (f"{W}/runs/{{id}}",),
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
    **{
        name: Replay(
            "taskDefinitions",
            """taskDefinitions { totalCount nodes { id category continueOnError description
                displayName version parameters { name values valueType } } }""",
            ("taskDefinitions",),
        )
        for name in ("taskdefinitions-list", "taskdefinitions-list-25")
    },
    "workflowtemplate-get": Replay(
        "workflowTemplates/{id}",
        f"workflowTemplate(id: $id) {{ {TEMPLATE} }}",
        ("workflowTemplate",),
    ),
    "workflowtemplates-list-filter-leaver": Replay(
        "workflowTemplates",
        f"workflowTemplates {{ totalCount nodes {{ {TEMPLATE} }} }}",
        ("workflowTemplates",),
    ),
    "customtaskextensions-list": Replay(
        "customTaskExtensions",
        f"customTaskExtensions {{ totalCount nodes {{ {EXTENSION} }} }}",
        ("customTaskExtensions",),
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
    "customtaskextension-create": NOT_A_READ,
    "directoryobjects-getbyids": NOT_A_READ,
    "error-invalidrange": "an error, of no path in particular",
    "seed000-representation-taskprocessingresult": "a resource page: no request, placeholders",
    "seed001-representation-userprocessingresult": "a resource page: no request, placeholders",
    "seed002-taskprocessingresult-create": NOT_A_READ,
    "seed003-taskprocessingresult-update": NOT_A_READ,
    "lifecyclepolicypriorityconfiguration-update-beta": NOT_A_READ,
    "lifecyclepolicypriorityconfigurations-list-beta": "beta only; test_policies.py reads it",
    "settings-update": NOT_A_READ,
    "taskprocessingresult-add-task-placeholder": NOT_A_READ,
    "taskprocessingresult-resume": NOT_A_READ,
    "taskreport-subjectprocessingresults-list-beta": (
        "in no metadata and no SDK (questions.md, point 31)"
    ),
    "throttled-429": "an error, of no path in particular",
    "userprocessingresult-create-placeholder": NOT_A_READ,
    "userprocessingresult-delete-placeholder": NOT_A_READ,
    "userprocessingresult-reprocessedruns-remove-placeholder": NOT_A_READ,
    "userprocessingresults-userssummary-placeholder": "a function and a path that do not exist",
    "workflow-activate": NOT_A_READ,
    "workflow-activateandwait-beta": NOT_A_READ,
    "workflow-activatewithscope-processing-results": NOT_A_READ,
    "workflow-activatewithscope-subjects": NOT_A_READ,
    "workflow-cancelprocessing": NOT_A_READ,
    "workflow-clearquarantine": NOT_A_READ,
    "workflow-create": NOT_A_READ,
    "workflow-createnewversion": NOT_A_READ,
    "workflow-previewtaskfailures-beta": NOT_A_READ,
    "workflow-previewtaskfailures-none": NOT_A_READ,
    "workflow-previewtaskfailures-none-beta": NOT_A_READ,
    "workflow-previewworkflow": NOT_A_READ,
    "workflow-update": NOT_A_READ,
}
NOT_IN_THE_SANDBOX: dict[str, str] = {
    "workflows-list-all": "the sandbox lists its own workflows; these are found by their ids",
    "customtaskextensions-list": "the sandbox has extensions of its own",
    "taskdefinitions-list": "the text of 2022; the sandbox has the definitions of 2025",
    "workflowtemplate-get": "the sandbox has templates of its own",
    "workflowtemplates-list-filter-leaver": "the sandbox has templates of its own",
    "workflow-tasks-list": "workflow-get inlines other tasks of the same workflow; they are read",
}

EXAMPLES = {path.stem: json.loads(path.read_text("utf-8")) for path in DATA.glob("*.json")}
