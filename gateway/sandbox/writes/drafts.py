"""The writing methods of the beta draft: graph-lifecycle-api.md section 5.8, rows 65 to 80.

The documents have most of them below deleted workflows and some below the abstract type
workflowBase, which is no path. Here they are below workflows and deleted workflows alike, and both
below a run and below the workflow itself where results are. The setting `draft_methods` removes
them. Written rows are listed and found; the counters of what they belong to do not follow them.
"""

from collections.abc import Callable
from typing import Any

from gateway.sandbox.data import summaries
from gateway.sandbox.data.model import (
    TASK,
    TASK_RESULT,
    USER,
    USER_RESULT,
    USERS_PROCESSING_SUMMARY,
    Row,
)
from gateway.sandbox.errors import GraphError, bad_request
from gateway.sandbox.settings import MAX_TASKS
from gateway.sandbox.writes import shapes
from gateway.sandbox.writes.authoring import make_task
from gateway.sandbox.writes.bodies import Check, nullable, read, record, string
from gateway.sandbox.writes.declarations import DELETED, LIFECYCLE, Endpoint
from gateway.sandbox.writes.targets import Target, found

_TYPES = shapes.TYPES
_NAMES = ("userPrincipalName", "displayName")


def _anything(value: Any, _: str) -> Any:
    return value


_USER_MEMBERS: dict[str, Check] = dict.fromkeys((*USER.properties, "manager"), _anything)
_USER_BODY = record(
    optional={
        **_USER_MEMBERS,
        "id": nullable(string),
        **dict.fromkeys(_NAMES, nullable(string)),
    }
)


def _result(target: Target) -> Row:
    """Return the task processing result in the path, of the task of another one if it is there."""
    first = target.task_result()
    if "otherResult" not in target.keys:
        return first
    key = target.keys["otherResult"]
    row = found(target.task_results().find(key), "taskProcessingResult", key)
    if row["task"]["id"] != first["task"]["id"]:
        raise GraphError(404, f"No taskProcessingResult with id '{key}' belongs to the task.")
    return row


def _create_result(target: Target) -> Row:
    of_user, like = target.user_result(), target.task_result()
    body = read(target.body, shapes.TASK_RESULT)
    workflow = target.workflow()
    subject = of_user.get("subject")
    row: Row = {
        "completedDateTime": None,
        "createdDateTime": target.tenant.world.stamp(),
        "id": target.tenant.world.new_id(),
        "startedDateTime": None,
        "failureReason": None,
        "processingInfo": None,
        **body,
        "subject": subject,
        "task": like["task"],
        "workflowSubject": None,
    }
    workflow.result_edits.add(
        row,
        run=target.keys.get("run") or workflow.find_run_of(of_user["id"]),
        user=of_user["id"],
        task=like["task"]["id"],
    )
    return row


def _update_result(target: Target) -> Row:
    row = _result(target)
    changes = read(target.body, shapes.TASK_RESULT_CHANGES)
    target.workflow().result_edits.change(row["id"], changes)
    return {**row, **changes}


def _delete_result(target: Target) -> None:
    target.workflow().result_edits.delete(_result(target)["id"])


def _referenced_user(target: Target) -> Row:
    """Return the user whom a body names by id, by name, or by the `@odata.id` of a reference."""
    body = read(target.body, _USER_BODY)
    directory = target.tenant.world.directory
    reference = target.body.get("@odata.id")
    key = body.get("id")
    if key is None and isinstance(reference, str):
        key = reference.rstrip("/").rpartition("/")[2]
    if key is not None:
        user = directory.find(key)
        if user is None:
            raise bad_request(f"The value of 'id' is not valid: no user '{key}' exists.")
        return user
    name = next((name for name in _NAMES if body.get(name)), None)
    if name is None:
        raise bad_request(f"One of the members id, {' and '.join(_NAMES)} is required.")
    user = directory.find_named({name: body[name]})
    if user is None:
        raise bad_request(f"The value of '{name}' is not valid: no user '{body[name]}' exists.")
    return user


def _check_subject(target: Target, row: Row) -> None:
    key = target.keys["subject"]
    if (row.get("subject") or {}).get("id") != key:
        raise GraphError(404, f"The user '{key}' is not the subject.")


def _set_result_subject(target: Target) -> None:
    key = _result(target)["id"]
    stub = {"id": _referenced_user(target)["id"]}
    members = {"subject": stub, "workflowSubject": None}
    target.workflow().result_edits.change(key, members)


def _remove_result_subject(target: Target) -> None:
    row = _result(target)
    _check_subject(target, row)
    members = {"subject": None, "workflowSubject": None}
    target.workflow().result_edits.change(row["id"], members)


def _set_user_subject(target: Target) -> None:
    key = target.user_result()["id"]
    stub = {"id": _referenced_user(target)["id"]}
    target.workflow().user_edits.change(key, {"subject": stub})


def _remove_user_subject(target: Target) -> None:
    row = target.user_result()
    _check_subject(target, row)
    target.workflow().user_edits.change(row["id"], {"subject": None})


def _create_user_result(target: Target) -> Row:
    workflow = target.workflow()
    run = target.run() if "run" in target.keys else None
    body = read(target.body, shapes.USER_RESULT)
    now = target.tenant.world.stamp()
    row: Row = {
        "id": target.tenant.world.new_id(),
        "completedDateTime": None,
        "failedTasksCount": 0,
        "scheduledDateTime": now,
        "startedDateTime": None,
        "totalTasksCount": 0,
        "totalUnprocessedTasksCount": 0,
        "workflowExecutionType": "onDemand",
        "workflowVersion": workflow.record().get("version") or 1,
        **body,
    }
    workflow.user_edits.add(row, run=None if run is None else run.key)
    return row


def _update_user_result(target: Target) -> Row:
    row = target.user_result()
    changes = read(target.body, shapes.USER_RESULT_CHANGES)
    target.workflow().user_edits.change(row["id"], changes)
    return {**row, **changes}


def _delete_user_result(target: Target) -> None:
    target.workflow().user_edits.delete(target.user_result()["id"])


def _create_task(target: Target) -> Row:
    workflow = target.workflow()
    count = len(workflow.listed_tasks())
    body = read(target.body, shapes.TASK)
    if count >= MAX_TASKS:
        raise bad_request(f"A workflow has at most {MAX_TASKS} tasks.")
    task = make_task(target.tenant, body, count + 1)
    workflow.add_task(task)
    return task


def _delete_task(target: Target) -> None:
    target.workflow().delete_task(target.task()["id"])


def _remove_reprocessed_run(target: Target) -> None:
    above, key = target.scope_result()["id"], target.keys["reprocessedRun"]
    rows = target.workflow().reprocessed_runs_of_user(above)
    if "againRun" in target.keys:
        run = target.reprocessed_run()
        above, key, rows = run.key, target.keys["againRun"], run.reprocessed_runs()
    found(rows.find(key), "run", key)
    target.workflow().remove_reprocessed_run(above, key)


def _draft(
    method: str,
    path: str,
    row: Callable[[Target], Row] | None = None,
    act: Callable[[Target], None] | None = None,
    status: int = 200,
) -> Endpoint:
    is_task = row is _create_task or act is _delete_task
    is_user = row in {_create_user_result, _update_user_result} or act is _delete_user_result
    entity = TASK if is_task else USER_RESULT if is_user else TASK_RESULT
    return Endpoint(path, entity, row=row, act=act, method=method, status=status, draft=True)


def _deletable(path: str, act: Callable[[Target], None]) -> list[Endpoint]:
    return [_draft("DELETE", path, act=act), _draft("DELETE", f"{path}/$ref", act=act)]


def _subject(
    path: str, put: Callable[[Target], None], remove: Callable[[Target], None]
) -> list[Endpoint]:
    return [
        _draft("POST", f"{path}/subject/$ref", act=put),
        _draft("DELETE", f"{path}/subject/{{subject}}/$ref", act=remove),
    ]


def _result_drafts(path: str) -> list[Endpoint]:
    """Return the drafts below one task processing result: 67 to 70."""
    return [
        _draft("PATCH", path, _update_result),
        *_deletable(path, _delete_result),
        *_subject(path, _set_result_subject, _remove_result_subject),
    ]


def _user_result_drafts(path: str) -> list[Endpoint]:
    one = f"{path}/{{userResult}}"
    result = f"{one}/taskProcessingResults/{{taskResult}}"
    same_task = f"{result}/task/taskProcessingResults"
    other = f"{same_task}/{{otherResult}}"
    return [
        _draft("POST", path, _create_user_result, status=201),  # 77
        _draft("PATCH", one, _update_user_result),  # 78
        *_deletable(one, _delete_user_result),  # 79
        *_subject(one, _set_user_subject, _remove_user_subject),  # 71, 72
        *_result_drafts(result),
        _draft("POST", same_task, _create_result, status=201),  # 65
        Endpoint(other, TASK_RESULT, row=_result, options=frozenset({"select"}), draft=True),  # 66
        *_result_drafts(other),
    ]


def _users_summary(path: str, summary: Callable[[Target], Row]) -> Endpoint:
    return Endpoint(  # 80
        f"{path}/usersSummary()",
        USERS_PROCESSING_SUMMARY,
        row=summary,
        context=f"{_TYPES}.{USERS_PROCESSING_SUMMARY.name}",
        draft=True,
    )


def _drafts(workflow: str) -> list[Endpoint]:
    run = f"{workflow}/runs/{{run}}"
    tasks = f"{workflow}/tasks"
    again = f"{workflow}/executionScope/{{scopeResult}}/reprocessedRuns/{{reprocessedRun}}"
    return [
        *_user_result_drafts(f"{run}/userProcessingResults"),
        *_user_result_drafts(f"{workflow}/userProcessingResults"),
        *_result_drafts(f"{run}/taskProcessingResults/{{taskResult}}"),
        _draft("DELETE", f"{again}/$ref", act=_remove_reprocessed_run),  # 38b
        _draft(  # 38a
            "DELETE", f"{again}/reprocessedRuns/{{againRun}}/$ref", act=_remove_reprocessed_run
        ),
        _draft("POST", tasks, _create_task, status=201),  # 75
        *_deletable(f"{tasks}/{{task}}", _delete_task),  # 76
        _users_summary(
            f"{workflow}/userProcessingResults",
            lambda at: summaries.user_summary(at.workflow(), at.period),
        ),
        _users_summary(
            f"{run}/userProcessingResults",
            lambda at: summaries.user_summary_of_run(at.run(), at.period),
        ),
    ]


DRAFTS = (
    *_drafts(f"{LIFECYCLE}/workflows/{{workflow}}"),
    *_drafts(f"{DELETED}/{{workflow}}"),
)
