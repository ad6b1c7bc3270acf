"""The endpoints of the sandbox that read, one declaration each; what writes is imported.

The row numbers in the comments are those of graph-lifecycle-api.md section 5.
"""

from collections.abc import Callable

from gateway.sandbox.data import summaries
from gateway.sandbox.data.model import (
    DIRECTORY_OBJECT,
    NOTHING,
    RUN,
    RUN_SUMMARY,
    SUBJECT_RESULT,
    SUBJECT_SUMMARY,
    TASK,
    TASK_DEFINITION,
    TASK_REPORT,
    TASK_REPORT_SUMMARY,
    TASK_RESULT,
    USER,
    USER_RESULT,
    USER_SUMMARY,
    WORKFLOW,
    WORKFLOW_VERSION,
    Row,
)
from gateway.sandbox.data.rows import Rows
from gateway.sandbox.protocol.catalogue import CATALOGUE, DIRECTORY, POLICIES
from gateway.sandbox.protocol.parts import (
    AUTHORS,
    MANAGER,
    SELECT,
    SELECT_EXPAND,
    expandable,
    options,
    summary,
    user,
)
from gateway.sandbox.writes.actions import ACTIONS
from gateway.sandbox.writes.authoring import AUTHORING
from gateway.sandbox.writes.declarations import DELETED, LIFECYCLE, Endpoint, Navigation
from gateway.sandbox.writes.drafts import DRAFTS
from gateway.sandbox.writes.targets import Target, found

_EXPANDED_ITEMS = 20


def _task_results_of(target: Target, row: Row) -> list[Row]:
    rows = target.workflow().task_results_of_user(row["id"])
    return [] if rows is None else rows.first(_EXPANDED_ITEMS)


def _task_of(target: Target, row: Row) -> Row | None:
    stub: Row | None = row.get("task")
    return stub and target.workflow().tasks().find(stub["id"])


def _definition_of(target: Target, row: Row) -> Row | None:
    stub: Row | None = row.get("taskDefinition")
    return stub and target.tenant.world.task_definitions.find(stub["id"])


_TASKS = Navigation("tasks", TASK, lambda _, row: row.get("tasks"))
_SUBJECT = expandable(user("subject"))
_SUBJECT_RESULT_EXPAND = expandable(
    Navigation("taskProcessingResults", TASK_RESULT, _task_results_of, undocumented=True)
)
_USER_RESULT_EXPAND = {**_SUBJECT, **_SUBJECT_RESULT_EXPAND}
_REPORT_EXPAND = expandable(
    Navigation("task", TASK, _task_of),
    Navigation("taskDefinition", TASK_DEFINITION, _definition_of),
)
_RESULT_LIST = options("select orderby expand filter count")


def _subject_of(find: Callable[[Target], Row], name: str = "subject") -> Callable[[Target], Row]:
    def row(target: Target) -> Row:
        stub = find(target).get(name)
        return target.user(found(stub, name, "")["id"])

    return row


def _task_result_endpoints(path: str, taken: frozenset[str]) -> list[Endpoint]:
    one = f"{path}/{{taskResult}}"
    subject = _subject_of(Target.task_result)
    return [
        Endpoint(path, TASK_RESULT, Target.task_results, options=taken, expand=_SUBJECT),
        Endpoint(  # 49
            one, TASK_RESULT, row=Target.task_result, options=SELECT_EXPAND, expand=_SUBJECT
        ),
        Endpoint(  # 50
            f"{one}/subject", USER, row=subject, options=SELECT_EXPAND, expand=MANAGER
        ),
        Endpoint(  # 51
            f"{one}/task", TASK, row=lambda at: at.task_result()["task"], options=SELECT
        ),
    ]


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
        Endpoint(one, USER_RESULT, row=Target.user_result, options=SELECT),  # 34, 42
        Endpoint(  # 50
            f"{one}/subject", USER, row=subject, options=SELECT_EXPAND, expand=MANAGER
        ),
        *_task_result_endpoints(f"{one}/taskProcessingResults", _RESULT_LIST),  # 35, 44
        Endpoint(  # 38
            f"{one}/reprocessedRuns",
            RUN,
            lambda at: at.workflow().reprocessed_runs_of_user(at.user_result()["id"]),
        ),
    ]


def _subject_result_endpoints(path: str) -> list[Endpoint]:
    one = f"{path}/{{subjectResult}}"
    return [
        Endpoint(  # 40, 44a
            path,
            SUBJECT_RESULT,
            Target.subject_results,
            options=options("count filter orderby expand"),
            expand=_SUBJECT_RESULT_EXPAND,
        ),
        Endpoint(  # 40a, 44b
            one,
            SUBJECT_RESULT,
            row=Target.subject_result,
            options=options("expand"),
            expand=_SUBJECT_RESULT_EXPAND,
        ),
        *_task_result_endpoints(f"{one}/taskProcessingResults", _RESULT_LIST),  # 40c, 44b
        Endpoint(  # 40d, 44b
            f"{one}/reprocessedRuns",
            RUN,
            lambda at: at.workflow().reprocessed_runs_of_user(at.subject_result()["id"]),
        ),
    ]


def _targets_of_version(target: Target) -> Rows:
    """Return those of the workflow: a version has had no others."""
    target.version()
    return target.workflow().administration_scope_targets()


def _version_endpoints(path: str) -> list[Endpoint]:
    one = f"{path}/{{version}}"
    expand = {**AUTHORS, **expandable(_TASKS)}
    return [
        Endpoint(  # 22
            path,
            WORKFLOW_VERSION,
            lambda at: at.workflow().versions(),
            options=options("select count search orderby expand filter"),
            expand=expand,
        ),
        Endpoint(  # 23
            one, WORKFLOW_VERSION, row=Target.version, options=SELECT_EXPAND, expand=expand
        ),
        Endpoint(  # 24; $top is documented here against its annotation: questions.md (3)
            f"{one}/tasks",
            TASK,
            Target.tasks,
            options=options("count search orderby filter"),
            counted=True,
        ),
        Endpoint(f"{one}/tasks/{{task}}", TASK, row=Target.task),  # 25
        Endpoint(
            f"{one}/administrationScopeTargets",
            DIRECTORY_OBJECT,
            _targets_of_version,
            context="directoryObjects",
        ),
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
        summary(  # 47
            f"{path}/summary()",
            TASK_REPORT_SUMMARY,
            lambda at: summaries.task_report_summary(at.workflow(), at.period),
        ),
        Endpoint(  # 46
            one,
            TASK_REPORT,
            row=Target.task_report,
            options=SELECT_EXPAND,
            expand=_REPORT_EXPAND,
        ),
        Endpoint(
            f"{one}/task",
            TASK,
            row=lambda at: found(_task_of(at, at.task_report()), "task", ""),
            options=SELECT,
        ),
        Endpoint(
            f"{one}/taskDefinition",
            TASK_DEFINITION,
            row=lambda at: found(_definition_of(at, at.task_report()), "taskDefinition", ""),
            options=SELECT,
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
            options=options("select expand orderby filter"),
            expand=_SUBJECT,
        ),
        Endpoint(f"{scope}/{{scopeResult}}", USER_RESULT, row=Target.scope_result, options=SELECT),
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
            options=SELECT_EXPAND,
            expand=MANAGER,
        )
        for name in ("createdBy", "lastModifiedBy")
    ]
    return [
        Endpoint(  # 3, 19
            one,
            WORKFLOW,
            row=lambda at: at.workflow().record(),
            options=SELECT_EXPAND,
            expand={**AUTHORS, **expandable(_TASKS)},
            always=always,
        ),
        *authors,
        Endpoint(  # 26
            f"{one}/tasks",
            TASK,
            lambda at: at.workflow().tasks(),
            options=options("search orderby filter count"),
            counted=True,
        ),
        Endpoint(f"{one}/tasks/{{task}}", TASK, row=Target.task),  # 27
        *_task_result_endpoints(  # 29
            f"{one}/tasks/{{task}}/taskProcessingResults", options("count")
        ),
        Endpoint(  # 30
            f"{one}/runs",
            RUN,
            lambda at: at.workflow().runs(),
            options=options("select orderby filter count"),
            counted=True,
        ),
        Endpoint(f"{one}/runs/{{run}}", RUN, row=lambda at: at.run().record(), options=SELECT),
        summary(  # 32
            f"{one}/runs/summary()",
            RUN_SUMMARY,
            lambda at: summaries.run_summary(at.workflow(), at.period),
        ),
        Endpoint(  # 37
            f"{one}/runs/{{run}}/reprocessedRuns", RUN, lambda at: at.run().reprocessed_runs()
        ),
        *_user_result_endpoints(f"{one}/runs/{{run}}/userProcessingResults"),
        summary(  # 39
            f"{one}/runs/{{run}}/userProcessingResults/summary()",
            USER_SUMMARY,
            lambda at: summaries.user_summary_of_run(at.run(), at.period),
        ),
        *_task_result_endpoints(  # 36
            f"{one}/runs/{{run}}/taskProcessingResults", _RESULT_LIST
        ),
        *_user_result_endpoints(f"{one}/userProcessingResults"),
        summary(  # 43
            f"{one}/userProcessingResults/summary()",
            USER_SUMMARY,
            lambda at: summaries.user_summary(at.workflow(), at.period),
        ),
        *_subject_result_endpoints(f"{one}/runs/{{run}}/subjectProcessingResults"),
        summary(  # 40b
            f"{one}/runs/{{run}}/subjectProcessingResults/summary()",
            SUBJECT_SUMMARY,
            lambda at: summaries.subject_summary_of_run(at.workflow(), at.run(), at.period),
        ),
        *_subject_result_endpoints(f"{one}/subjectProcessingResults"),
        summary(  # 44c
            f"{one}/subjectProcessingResults/summary()",
            SUBJECT_SUMMARY,
            lambda at: summaries.subject_summary(at.workflow(), at.period),
        ),
        *_version_endpoints(f"{one}/versions"),
        *_task_report_endpoints(f"{one}/taskReports"),
        *_scope_endpoints(one),
    ]


ENDPOINTS = (
    Endpoint(  # 1
        f"{LIFECYCLE}/workflows",
        WORKFLOW,
        lambda at: at.tenant.workflows(),
        options=options("search orderby filter expand select count"),
        expand=AUTHORS,
    ),
    *_workflow_endpoints(f"{LIFECYCLE}/workflows"),
    Endpoint(  # 18
        DELETED,
        WORKFLOW,
        lambda at: at.tenant.deleted_workflows(),
        options=options("select search orderby filter count"),
    ),
    *_workflow_endpoints(DELETED, frozenset({"tasks"})),
    *CATALOGUE,
    *POLICIES,
    *DIRECTORY,
    *AUTHORING,
    *ACTIONS,
    *DRAFTS,
)
