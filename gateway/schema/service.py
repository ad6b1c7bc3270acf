"""The service behind the schema: where lifecycle workflows are in Microsoft Graph.

The names are those of the paths, navigations, functions and actions of graph-lifecycle-api.md,
section 5, as far as no declaration has them, and `delta`, which is bound to /users and is called
without parentheses. `graph` is the alias of the namespace (lifecycle.csdl.xml).
"""

from gateway.odata.routes import Service

ROOT = "identityGovernance/lifecycleWorkflows"

SERVICE = Service(
    root=ROOT,
    sections=("deletedItems",),
    functions=("summary", "usersSummary", "delta"),
    names=(
        *("activate", "activateAndWait", "activateWithScope", "cancelProcessing"),
        *("clearQuarantine", "createNewVersion", "previewScope", "previewTaskFailures"),
        *("previewWorkflow", "restore", "resume", "administrationScopeTargets", "createdBy"),
        *("customTaskExtensions", "deletedItems", "executionScope", "insights", "lastModifiedBy"),
        *("reprocessedRuns", "runs", "settings", "subject", "subjectProcessingResults", "task"),
        *("taskDefinition", "taskDefinitions", "taskProcessingResults", "taskReports", "tasks"),
        *("topTasksProcessedSummary", "topWorkflowsProcessedSummary", "userProcessingResults"),
        *("users", "versions", "workflows", "workflowsProcessedByCategory"),
        *("workflowsProcessedSummary", "workflowTemplates", "getByIds"),
    ),
    outside=("directory", "directoryObjects", "$batch"),
    namespaces=("graph.", "microsoft.graph."),
)
