"""Starting, canceling, previewing and resuming runs.

The row numbers in the comments are those of graph-lifecycle-api.md section 5. What the documents
leave open is chosen so: a group stands for up to five users of the directory that follow from its
id; `failedUsers` are those whose user processing result is failed, which the counters of a run
call failed too; with `failedTasks` a user without a failed task is left out; a scope that leaves
nobody to process is refused with 400.
"""

from collections.abc import Iterable
from zlib import crc32

from gateway.sandbox.data.identifiers import mix
from gateway.sandbox.data.model import (
    AWAITED_RESULT,
    PREVIEW_FAILED_TASK,
    RUN,
    TASK_RESULT,
    WORKFLOW,
    Row,
)
from gateway.sandbox.data.results import failure_reason
from gateway.sandbox.data.rows import ListRows, Rows
from gateway.sandbox.data.timestamps import format_ticks
from gateway.sandbox.errors import GraphError, bad_request
from gateway.sandbox.writes import shapes
from gateway.sandbox.writes.bodies import read
from gateway.sandbox.writes.declarations import LIFECYCLE, Endpoint
from gateway.sandbox.writes.editable import EditableWorkflow
from gateway.sandbox.writes.targets import Target

_TYPES = shapes.TYPES
_GROUP_MEMBERS = 5
_PREVIEW_FAILURES = 3
_PROCESSING = frozenset({"queued", "inProgress"})

Subjects = list[tuple[str, list[Row]]]
"""Users with the tasks to process for each."""


def _users(target: Target, references: Iterable[Row], name: str, status: int = 400) -> list[str]:
    keys = list(dict.fromkeys(item["id"] for item in references))
    for key in keys:
        if target.tenant.world.directory.find(key) is None:
            raise GraphError(status, f"The value of '{name}' is not valid: no user '{key}' exists.")
    return keys


def _with_all_tasks(workflow: EditableWorkflow, users: Iterable[str]) -> Subjects:
    tasks = list(workflow.tasks())
    return [(user, tasks) for user in users]


def _activate(target: Target) -> None:
    workflow = target.workflow()
    body = read(target.body, shapes.SUBJECTS)
    users = _users(target, body["subjects"], "subjects")
    target.tenant.start_run(workflow, "onDemand", _with_all_tasks(workflow, users))


def _preview(target: Target) -> None:
    workflow = target.workflow()
    body = read(target.body, shapes.SUBJECTS)
    users = _users(target, body["subjects"], "subjects")
    target.tenant.start_run(workflow, "preview", _with_all_tasks(workflow, users))


def _activate_with_scope(target: Target) -> None:
    workflow = target.workflow()
    if isinstance(target.body, dict) and "subjects" in target.body:
        # The parameter that the page documents: questions.md (14).
        references = read(target.body, shapes.SUBJECTS)["subjects"]
        scope: Row = {"@odata.type": f"#{_TYPES}.activateUserScope", "users": references}
    else:
        scope = read(target.body, shapes.ACTIVATION)["scope"]
    kind = scope["@odata.type"].rpartition(".")[2]
    runs: frozenset[str] = frozenset()
    results: list[Row] = []
    if kind == "activateUserScope":
        users = _users(target, scope["users"], "scope.users", 406)
        subjects = _with_all_tasks(workflow, users)
    elif kind == "activateGroupScope":
        subjects = _with_all_tasks(workflow, _members(target, scope["group"]["id"]))
    else:
        if kind == "activateRunScope":
            results = _results_of_run(workflow, scope)
            runs = frozenset({scope["run"]["id"]})
        else:
            results = _named_results(workflow, scope)
            found = (workflow.find_run_of(row["id"]) for row in results)
            runs = frozenset(key for key in found if key is not None)
        subjects, results = _again(workflow, results, scope["taskScope"])
    if not subjects:
        raise bad_request("The value of 'scope' is not valid: it leaves no user to process.")
    target.tenant.start_run(
        workflow,
        "activatedWithScope",
        subjects,
        scope,
        runs,
        frozenset(row["id"] for row in results),
    )


def _activate_and_wait(target: Target) -> Row:
    """Run the workflow for one subject, and answer what came of it (row 10).

    A task with a custom task extension does not wait here: the extension answers in the response.
    """
    workflow = target.workflow()
    subject = read(target.body, shapes.AWAITED)["subject"]
    key = (subject.get("directoryObject") or subject)["id"]
    run = target.tenant.start_run(
        workflow,
        "extensibilityOnDemand",
        _with_all_tasks(workflow, [key]),
        objects={key: subject},
        awaited=True,
    )
    reasons = (row["failureReason"] for row in run.task_results())
    return {
        "processingStatus": run.subject_results().at(0)["processingStatus"],
        "statusReasons": [reason for reason in reasons if reason],
        "subject": subject,
    }


def _members(target: Target, group: str) -> list[str]:
    """Return the users that stand for the members of a group."""
    directory = target.tenant.world.directory
    first = crc32(group.encode())
    places = {(first + n) % directory.size for n in range(first % _GROUP_MEMBERS + 2)}
    present = sorted(n for n in places if not directory.is_deleted(n))
    return [directory.id_at(n) for n in present[:_GROUP_MEMBERS]]


def _results_of_run(workflow: EditableWorkflow, scope: Row) -> list[Row]:
    key = scope["run"]["id"]
    run = workflow.run(key)
    if run is None:
        raise bad_request(f"The value of 'scope.run' is not valid: no run '{key}' exists.")
    rows = list(run.user_results())
    if scope["userScope"] == "failedUsers":
        return [row for row in rows if row.get("processingStatus") == "failed"]
    return rows


def _named_results(workflow: EditableWorkflow, scope: Row) -> list[Row]:
    rows = []
    for key in dict.fromkeys(item["id"] for item in scope["processingResults"]):
        row = workflow.user_results().find(key)
        if row is None:
            raise bad_request(
                "The value of 'scope.processingResults' is not valid: no userProcessingResult "
                f"'{key}' exists."
            )
        rows.append(row)
    return rows


def _again(
    workflow: EditableWorkflow, results: list[Row], task_scope: str
) -> tuple[Subjects, list[Row]]:
    """Return what to process of user processing results again, and those of which there is any."""
    current = list(workflow.tasks())
    tasks: dict[str, list[Row]] = {}
    kept = []
    for row in results:
        subject = (row.get("subject") or {}).get("id")
        items = current
        if task_scope == "failedTasks":
            below = workflow.task_results_of_user(row["id"]) or ListRows()
            failed = [item["task"] for item in below if item["processingStatus"] == "failed"]
            items = [workflow.tasks().find(task["id"]) or task for task in failed]
        if subject is None or (task_scope == "failedTasks" and not items):
            continue
        known = tasks.setdefault(subject, [])
        known += [item for item in items if item["id"] not in {task["id"] for task in known}]
        kept.append(row)
    return list(tasks.items()), kept


def _cancel(target: Target) -> None:
    workflow = target.workflow()
    [reference] = read(target.body, shapes.CANCELLATION)["scope"]["runs"]
    run = workflow.run(reference["id"])
    if run is None:
        raise bad_request(
            f"The value of 'scope.runs' is not valid: no run '{reference['id']}' exists."
        )
    status = run.record().get("processingStatus")
    if status not in _PROCESSING:
        raise bad_request(f"Only a run that is queued or inProgress can be canceled, not {status}.")
    run.cancel()


def _clear_quarantine(target: Target) -> Row:
    workflow = target.workflow()
    workflow.clear_quarantine()
    return workflow.record()


def _preview_failures(target: Target) -> Rows:
    """Return the tasks that would fail: every third one or so, by its id."""
    rows = []
    for task in target.workflow().tasks():
        number = mix(target.tenant.world.settings.seed, crc32(task["id"].encode()))
        if number % _PREVIEW_FAILURES == 0:
            rows.append(
                {
                    "definitionId": task["taskDefinitionId"],
                    "failureReason": failure_reason(task, number),
                    "name": task["displayName"],
                    "taskId": task["id"],
                }
            )
    return ListRows(rows)


def _resume(target: Target) -> None:
    workflow, tenant = target.workflow(), target.tenant
    result = target.task_result()
    status = read(target.body, shapes.CALLBACK)["data"]["operationStatus"]
    if (
        result["processingStatus"] != "inProgress"
        or tenant.world.timeout_of(result["task"]) is None
    ):
        raise bad_request(
            "Only a task processing result that is inProgress and waits for its custom task "
            "extension can be resumed."
        )
    if workflow.resume(result["id"], status):
        return
    now = tenant.world.moment()
    members: Row = {"processingStatus": status, "completedDateTime": format_ticks(now)}
    workflow.result_edits.change(result["id"], members)


_WORKFLOW = f"{LIFECYCLE}/workflows/{{workflow}}"

ACTIONS = (
    Endpoint(f"{_WORKFLOW}/activate", RUN, act=_activate, method="POST"),  # 6
    Endpoint(f"{_WORKFLOW}/activateWithScope", RUN, act=_activate_with_scope, method="POST"),  # 7
    Endpoint(  # 10
        f"{_WORKFLOW}/activateAndWait",
        AWAITED_RESULT,
        row=_activate_and_wait,
        method="POST",
        context=f"{_TYPES}.{AWAITED_RESULT.name}",
    ),
    Endpoint(f"{_WORKFLOW}/cancelProcessing", RUN, act=_cancel, method="POST"),  # 8
    Endpoint(  # 11
        f"{_WORKFLOW}/clearQuarantine",
        WORKFLOW,
        row=_clear_quarantine,
        method="POST",
        bodiless=True,
        context=f"{LIFECYCLE}/workflows",
    ),
    Endpoint(f"{_WORKFLOW}/previewWorkflow", RUN, act=_preview, method="POST"),  # 12
    Endpoint(  # 13
        f"{_WORKFLOW}/previewTaskFailures",
        PREVIEW_FAILED_TASK,
        _preview_failures,
        method="POST",
        bodiless=True,
        context=f"Collection({_TYPES}.{PREVIEW_FAILED_TASK.name})",
    ),
    Endpoint(  # 52
        f"{_WORKFLOW}/tasks/{{task}}/taskProcessingResults/{{taskResult}}/resume",
        TASK_RESULT,
        act=_resume,
        method="POST",
    ),
)
