"""The endpoints of the sandbox that read, one declaration each; what writes is imported.

The row numbers in the comments are those of graph-lifecycle-api.md section 5.
"""

from collections.abc import Callable
from dataclasses import replace

from gateway.sandbox.data import summaries
from gateway.sandbox.data.beta import SubjectResults, subject_result
from gateway.sandbox.data.model import (
    CUSTOM_TASK_EXTENSION,
    DIRECTORY_OBJECT,
    NOTHING,
    RUN,
    RUN_SUMMARY,
    SETTINGS,
    SUBJECT_RESULT,
    TASK,
    TASK_DEFINITION,
    TASK_REPORT,
    TASK_REPORT_SUMMARY,
    TASK_RESULT,
    TOP_TASKS_SUMMARY,
    TOP_WORKFLOWS_SUMMARY,
    USER,
    USER_RESULT,
    USER_SUMMARY,
    WORKFLOW,
    WORKFLOW_TEMPLATE,
    WORKFLOW_VERSION,
    WORKFLOWS_BY_CATEGORY,
    WORKFLOWS_SUMMARY,
    EntityType,
    Row,
    words,
)
from gateway.sandbox.data.rows import ListRows, Rows
from gateway.sandbox.errors import GraphError, bad_request
from gateway.sandbox.writes.actions import ACTIONS
from gateway.sandbox.writes.authoring import AUTHORING
from gateway.sandbox.writes.declarations import DELETED, LIFECYCLE, Endpoint, Navigation
from gateway.sandbox.writes.drafts import DRAFTS
from gateway.sandbox.writes.targets import Target, found

MAX_GET_BY_IDS = 1000
_EXPANDED_ITEMS = 20
_TYPES = "microsoft.graph.identityGovernance."


def _user(name: str) -> Navigation:
    def related(target: Target, row: Row) -> Row | None:
        stub: Row | None = row.get(name)
        return stub and (target.tenant.world.directory.find(stub["id"]) or stub)

    return Navigation(name, USER, related)


def _task_results_of(target: Target, row: Row) -> list[Row]:
    rows = target.workflow().task_results_of_user(row["id"])
    return [] if rows is None else rows.first(_EXPANDED_ITEMS)


def _manager_of(target: Target, row: Row) -> Row | None:
    return target.tenant.world.directory.manager_of(row["id"])


def _task_of(target: Target, row: Row) -> Row | None:
    stub: Row | None = row.get("task")
    return stub and target.workflow().tasks().find(stub["id"])


def _definition_of(target: Target, row: Row) -> Row | None:
    stub: Row | None = row.get("taskDefinition")
    return stub and target.tenant.world.task_definitions.find(stub["id"])


def _expandable(*navigations: Navigation) -> dict[str, Navigation]:
    return {item.name: item for item in navigations}


def _options(text: str) -> frozenset[str]:
    return frozenset(words(text))


_AUTHORS = (_user("createdBy"), _user("lastModifiedBy"))
_TASKS = Navigation("tasks", TASK, lambda _, row: row.get("tasks"))
_SUBJECT = _expandable(_user("subject"))
_MANAGER = _expandable(Navigation("manager", USER, _manager_of))
_USER_RESULT_EXPAND = {
    **_SUBJECT,
    "taskProcessingResults": Navigation(
        "taskProcessingResults", TASK_RESULT, _task_results_of, undocumented=True
    ),
}
_REPORT_EXPAND = _expandable(
    Navigation("task", TASK, _task_of),
    Navigation("taskDefinition", TASK_DEFINITION, _definition_of),
)
_SELECT = _options("select")
_SELECT_EXPAND = _options("select expand")
_RESULT_LIST = _options("select orderby expand filter count")


def _subject_of(find: Callable[[Target], Row], name: str = "subject") -> Callable[[Target], Row]:
    def row(target: Target) -> Row:
        stub = find(target).get(name)
        return target.user(found(stub, name, "")["id"])

    return row


def _summary(path: str, entity: EntityType, row: Callable[[Target], Row]) -> Endpoint:
    """Declare a function of a period that answers one complex value."""
    return Endpoint(path, entity, row=row, context=f"{_TYPES}{entity.name}")


def _summaries(path: str, entity: EntityType, rows: Callable[[Target], list[Row]]) -> Endpoint:
    """Declare a function of a period that answers a list of complex values."""
    context = f"Collection({_TYPES}{entity.name})"
    return Endpoint(path, entity, lambda at: ListRows(rows(at)), context=context)


def _task_result_endpoints(
    path: str, options: frozenset[str], beta: bool = False
) -> list[Endpoint]:
    one = f"{path}/{{taskResult}}"
    subject = _subject_of(Target.task_result)
    endpoints = [
        Endpoint(path, TASK_RESULT, Target.task_results, options=options, expand=_SUBJECT),
        Endpoint(  # 49
            one, TASK_RESULT, row=Target.task_result, options=_SELECT_EXPAND, expand=_SUBJECT
        ),
        Endpoint(  # 50
            f"{one}/subject", USER, row=subject, options=_SELECT_EXPAND, expand=_MANAGER
        ),
        Endpoint(  # 51
            f"{one}/task", TASK, row=lambda at: at.task_result()["task"], options=_SELECT
        ),
    ]
    return [replace(endpoint, beta=beta) for endpoint in endpoints]


def _user_result_endpoints(path: str) -> list[Endpoint]:
    one = f"{path}/{{userResult}}"
    subject = _subject_of(Target.user_result)
    return [
        Endpoint(  # 33, 41
            path,
            USER_RESULT,
            Target.user_results,
            options=_RESULT_LIST,
            expand=_USER_RESULT_EXPAND,
        ),
        Endpoint(one, USER_RESULT, row=Target.user_result, options=_SELECT),  # 34, 42
        Endpoint(  # 50
            f"{one}/subject", USER, row=subject, options=_SELECT_EXPAND, expand=_MANAGER
        ),
        *_task_result_endpoints(f"{one}/taskProcessingResults", _RESULT_LIST),  # 35, 44
        Endpoint(  # 38
            f"{one}/reprocessedRuns",
            RUN,
            lambda at: at.workflow().reprocessed_runs_of_user(at.user_result()["id"]),
        ),
    ]


def _subject_result_endpoints(path: str) -> list[Endpoint]:
    # The parameter is called as that of the user results: the entities are the same.
    one = f"{path}/{{userResult}}"
    return [
        Endpoint(  # 40
            path,
            SUBJECT_RESULT,
            lambda at: SubjectResults(at.user_results()),
            options=_options("count filter orderby"),
            beta=True,
        ),
        Endpoint(one, SUBJECT_RESULT, row=lambda at: subject_result(at.user_result()), beta=True),
        *_task_result_endpoints(f"{one}/taskProcessingResults", _RESULT_LIST, beta=True),
    ]


def _version_endpoints(path: str) -> list[Endpoint]:
    one = f"{path}/{{version}}"
    expand = _expandable(*_AUTHORS, _TASKS)
    return [
        Endpoint(  # 22
            path,
            WORKFLOW_VERSION,
            lambda at: at.workflow().versions(),
            options=_options("select count search orderby expand filter"),
            expand=expand,
        ),
        Endpoint(  # 23
            one, WORKFLOW_VERSION, row=Target.version, options=_SELECT_EXPAND, expand=expand
        ),
        Endpoint(  # 24; $top is documented here against its annotation: questions.md (3)
            f"{one}/tasks",
            TASK,
            Target.tasks,
            options=_options("count search orderby filter"),
            counted=True,
        ),
        Endpoint(f"{one}/tasks/{{task}}", TASK, row=Target.task),  # 25
    ]


def _task_report_endpoints(path: str) -> list[Endpoint]:
    one = f"{path}/{{taskReport}}"
    return [
        Endpoint(  # 45
            path,
            TASK_REPORT,
            lambda at: at.workflow().task_reports(),
            options=_RESULT_LIST,
            expand=_REPORT_EXPAND,
            counted=True,
        ),
        _summary(  # 47
            f"{path}/summary()",
            TASK_REPORT_SUMMARY,
            lambda at: summaries.task_report_summary(at.workflow(), at.period),
        ),
        Endpoint(  # 46
            one,
            TASK_REPORT,
            row=Target.task_report,
            options=_SELECT_EXPAND,
            expand=_REPORT_EXPAND,
        ),
        Endpoint(
            f"{one}/task",
            TASK,
            row=lambda at: found(_task_of(at, at.task_report()), "task", ""),
            options=_SELECT,
        ),
        Endpoint(
            f"{one}/taskDefinition",
            TASK_DEFINITION,
            row=lambda at: found(_definition_of(at, at.task_report()), "taskDefinition", ""),
            options=_SELECT,
        ),
        *_task_result_endpoints(f"{one}/taskProcessingResults", _RESULT_LIST),  # 48
    ]


def _scope_endpoints(path: str) -> list[Endpoint]:
    scope = f"{path}/executionScope"
    again = f"{scope}/{{scopeResult}}/reprocessedRuns"
    return [
        Endpoint(  # 15
            scope,
            USER_RESULT,
            lambda at: at.workflow().execution_scope(),
            options=_options("select expand orderby filter"),
            expand=_SUBJECT,
        ),
        Endpoint(f"{scope}/{{scopeResult}}", USER_RESULT, row=Target.scope_result, options=_SELECT),
        Endpoint(  # 38
            again,
            RUN,
            lambda at: at.workflow().reprocessed_runs_of_user(at.scope_result()["id"]),
        ),
        Endpoint(  # 37
            f"{again}/{{reprocessedRun}}/reprocessedRuns",
            RUN,
            lambda at: at.reprocessed_run().reprocessed_runs(),
        ),
        Endpoint(  # 14
            f"{path}/previewScope",
            USER,
            lambda at: at.workflow().preview_scope(),
            typed=True,
            context="directoryObjects",
        ),
        Endpoint(  # 17
            f"{path}/administrationScopeTargets",
            DIRECTORY_OBJECT,
            lambda at: at.workflow().administration_scope_targets(),
            context="directoryObjects",
        ),
    ]


def _workflow_endpoints(path: str, always: frozenset[str] = NOTHING) -> list[Endpoint]:
    one = f"{path}/{{workflow}}"
    authors = [
        Endpoint(  # 16
            f"{one}/{name}",
            USER,
            row=_subject_of(lambda at: at.workflow().record(), name),
            options=_SELECT_EXPAND,
            expand=_MANAGER,
        )
        for name in ("createdBy", "lastModifiedBy")
    ]
    return [
        Endpoint(  # 3, 19
            one,
            WORKFLOW,
            row=lambda at: at.workflow().record(),
            options=_SELECT_EXPAND,
            expand=_expandable(*_AUTHORS, _TASKS),
            always=always,
        ),
        *authors,
        Endpoint(  # 26
            f"{one}/tasks",
            TASK,
            lambda at: at.workflow().tasks(),
            options=_options("search orderby filter count"),
            counted=True,
        ),
        Endpoint(f"{one}/tasks/{{task}}", TASK, row=Target.task),  # 27
        *_task_result_endpoints(  # 29
            f"{one}/tasks/{{task}}/taskProcessingResults", _options("count")
        ),
        Endpoint(  # 30
            f"{one}/runs",
            RUN,
            lambda at: at.workflow().runs(),
            options=_options("select orderby filter count"),
            counted=True,
        ),
        Endpoint(f"{one}/runs/{{run}}", RUN, row=lambda at: at.run().record(), options=_SELECT),
        _summary(  # 32
            f"{one}/runs/summary()",
            RUN_SUMMARY,
            lambda at: summaries.run_summary(at.workflow(), at.period),
        ),
        Endpoint(  # 37
            f"{one}/runs/{{run}}/reprocessedRuns", RUN, lambda at: at.run().reprocessed_runs()
        ),
        *_user_result_endpoints(f"{one}/runs/{{run}}/userProcessingResults"),
        _summary(  # 39
            f"{one}/runs/{{run}}/userProcessingResults/summary()",
            USER_SUMMARY,
            lambda at: summaries.user_summary_of_run(at.run(), at.period),
        ),
        *_task_result_endpoints(  # 36
            f"{one}/runs/{{run}}/taskProcessingResults", _RESULT_LIST
        ),
        *_user_result_endpoints(f"{one}/userProcessingResults"),
        _summary(  # 43
            f"{one}/userProcessingResults/summary()",
            USER_SUMMARY,
            lambda at: summaries.user_summary(at.workflow(), at.period),
        ),
        *_subject_result_endpoints(f"{one}/runs/{{run}}/subjectProcessingResults"),
        *_subject_result_endpoints(f"{one}/subjectProcessingResults"),
        *_version_endpoints(f"{one}/versions"),
        *_task_report_endpoints(f"{one}/taskReports"),
        *_scope_endpoints(one),
    ]


def _get_by_ids(target: Target) -> Rows:
    body = target.body
    ids = body.get("ids") if isinstance(body, dict) else None
    if not isinstance(ids, list) or not all(isinstance(item, str) for item in ids):
        raise bad_request("The parameter 'ids' must be a collection of strings.")
    if len(ids) > MAX_GET_BY_IDS:
        raise bad_request(f"The parameter 'ids' holds {len(ids)} ids; at most 1000 are allowed.")
    types = body.get("types")
    if types is not None and (not isinstance(types, list) or "user" not in types):
        return ListRows()
    users = map(target.tenant.world.directory.find, dict.fromkeys(ids))
    return ListRows([user for user in users if user is not None])


def _manager(target: Target) -> Row:
    user = target.user(target.keys["user"])
    manager = _manager_of(target, user)
    if manager is None:
        raise GraphError(404, "Resource 'manager' does not exist.")
    return manager


def _template(target: Target) -> Row:
    key = target.keys["template"]
    return found(target.tenant.world.workflow_templates.find(key), "workflowTemplate", key)


def _extension(target: Target) -> Row:
    key = target.keys["extension"]
    return found(target.tenant.world.custom_task_extensions.find(key), "customTaskExtension", key)


_TEMPLATES = f"{LIFECYCLE}/workflowTemplates"
_EXTENSIONS = f"{LIFECYCLE}/customTaskExtensions"
_CATALOGUE = (
    Endpoint(_TEMPLATES, WORKFLOW_TEMPLATE, lambda at: at.tenant.world.workflow_templates),  # 59
    Endpoint(f"{_TEMPLATES}/{{template}}", WORKFLOW_TEMPLATE, row=_template),
    Endpoint(f"{_TEMPLATES}/{{template}}/tasks", TASK, lambda at: ListRows(_template(at)["tasks"])),
    Endpoint(f"{LIFECYCLE}/settings", SETTINGS, row=lambda at: at.tenant.world.settings_row),  # 60
    Endpoint(  # 61
        _EXTENSIONS, CUSTOM_TASK_EXTENSION, lambda at: at.tenant.world.custom_task_extensions
    ),
    Endpoint(f"{_EXTENSIONS}/{{extension}}", CUSTOM_TASK_EXTENSION, row=_extension),
)
_INSIGHTS = (
    _summaries(  # 53
        f"{LIFECYCLE}/insights/topTasksProcessedSummary()",
        TOP_TASKS_SUMMARY,
        lambda at: summaries.top_tasks(at.tenant, at.period),
    ),
    _summaries(  # 54
        f"{LIFECYCLE}/insights/topWorkflowsProcessedSummary()",
        TOP_WORKFLOWS_SUMMARY,
        lambda at: summaries.top_workflows(at.tenant, at.period),
    ),
    _summary(  # 55
        f"{LIFECYCLE}/insights/workflowsProcessedByCategory()",
        WORKFLOWS_BY_CATEGORY,
        lambda at: summaries.workflows_by_category(at.tenant, at.period),
    ),
    _summary(  # 56
        f"{LIFECYCLE}/insights/workflowsProcessedSummary()",
        WORKFLOWS_SUMMARY,
        lambda at: summaries.workflows_summary(at.tenant, at.period),
    ),
)

ENDPOINTS = (
    Endpoint(  # 1
        f"{LIFECYCLE}/workflows",
        WORKFLOW,
        lambda at: at.tenant.workflows(),
        options=_options("search orderby filter expand select count"),
        expand=_expandable(*_AUTHORS),
    ),
    *_workflow_endpoints(f"{LIFECYCLE}/workflows"),
    Endpoint(  # 18
        DELETED,
        WORKFLOW,
        lambda at: at.tenant.deleted_workflows(),
        options=_options("select search orderby filter count"),
    ),
    *_workflow_endpoints(DELETED, frozenset({"tasks"})),
    Endpoint(  # 57
        f"{LIFECYCLE}/taskDefinitions",
        TASK_DEFINITION,
        lambda at: at.tenant.world.task_definitions,
        options=_options("select orderby filter"),
        counted=True,
    ),
    Endpoint(  # 58
        f"{LIFECYCLE}/taskDefinitions/{{definition}}",
        TASK_DEFINITION,
        row=lambda at: found(
            at.tenant.world.task_definitions.find(at.keys["definition"]),
            "taskDefinition",
            at.keys["definition"],
        ),
        options=_SELECT,
    ),
    *_CATALOGUE,
    *_INSIGHTS,
    Endpoint(  # 62: the list is for `id in (…)` only
        "users",
        USER,
        lambda at: at.tenant.world.directory.users(),
        options=_options("filter select expand"),
        expand=_MANAGER,
    ),
    Endpoint(  # 62
        "users/{user}",
        USER,
        row=lambda at: at.user(at.keys["user"]),
        options=_SELECT_EXPAND,
        expand=_MANAGER,
        context="users",
    ),
    Endpoint(
        "directory/deletedItems/microsoft.graph.user",
        USER,
        lambda at: at.tenant.world.directory.deleted_users(),
        options=_options("filter select"),
    ),
    Endpoint(
        "users/{user}/manager",
        USER,
        row=_manager,
        options=_SELECT,
        typed=True,
        context="directoryObjects",
    ),
    Endpoint(  # 63
        "directoryObjects/getByIds",
        USER,
        _get_by_ids,
        method="POST",
        typed=True,
        context="directoryObjects",
    ),
    *AUTHORING,
    *ACTIONS,
    *DRAFTS,
)
