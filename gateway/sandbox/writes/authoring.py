"""Writing workflows, versions, tasks, settings and custom task extensions.

The row numbers in the comments are those of graph-lifecycle-api.md section 5.
"""

from collections.abc import Iterable

from gateway.sandbox.data.catalogue import ARGUMENT, MAX_EXTENSIONS
from gateway.sandbox.data.model import CUSTOM_TASK_EXTENSION, SETTINGS, TASK, WORKFLOW, Row
from gateway.sandbox.data.subjects import USER_SUBJECT
from gateway.sandbox.errors import bad_request
from gateway.sandbox.settings import MAX_WORKFLOWS
from gateway.sandbox.writes import shapes
from gateway.sandbox.writes.bodies import read
from gateway.sandbox.writes.declarations import DELETED, LIFECYCLE, Endpoint
from gateway.sandbox.writes.targets import Target, found
from gateway.sandbox.writes.tenant import Tenant

_NOT_IN_ANSWER = frozenset({"tasks", "createdBy", "lastModifiedBy", "targetSubjectType"})


def _check_name(tenant: Tenant, name: str, own: str | None = None) -> None:
    # Only listed workflows count: documents reuse names of workflows that they show elsewhere.
    if any(row.get("displayName") == name and row["id"] != own for row in tenant.workflows()):
        raise bad_request(f"The displayName '{name}' is that of another workflow: it is unique.")


def _check_scheduling(row: Row) -> None:
    if row.get("isSchedulingEnabled") and not row.get("isEnabled", True):
        raise bad_request("isSchedulingEnabled can't be true while isEnabled is false.")


def make_task(tenant: Tenant, task: Row, sequence: int, name: str = "") -> Row:
    """Return a new task from its checked body; its category is that of its definition.

    `sequence` is its place unless the body says one, `name` what the task is called in errors.
    """
    definition = tenant.world.task_definitions.find(task["taskDefinitionId"])
    if definition is None:
        raise bad_request(
            f"The value of '{name}taskDefinitionId' is not valid: no task definition has the id "
            f"'{task['taskDefinitionId']}'."
        )
    return {
        "continueOnError": False,
        "description": None,
        "isEnabled": True,
        "executionSequence": sequence,
        **task,
        "category": definition["category"],
        "arguments": [{"value": None, **item} for item in task["arguments"]],
        "id": tenant.world.new_id(),
    }


def _make_tasks(tenant: Tenant, tasks: Iterable[Row]) -> list[Row]:
    made = [make_task(tenant, task, n + 1, f"tasks[{n}].") for n, task in enumerate(tasks)]
    made.sort(key=lambda task: task["executionSequence"])
    return [{**task, "executionSequence": n + 1} for n, task in enumerate(made)]


def _create(target: Target) -> Row:
    tenant = target.tenant
    body = read(target.body, shapes.WORKFLOW)
    if len(tenant.workflows()) >= MAX_WORKFLOWS:
        raise bad_request(f"There are {MAX_WORKFLOWS} workflows: none can be added.")
    tasks = body.pop("tasks")
    _check_scheduling(body)
    _check_name(tenant, body["displayName"])
    made = _make_tasks(tenant, tasks)
    now, author = tenant.world.stamp(), tenant.world.author()
    row: Row = {
        "category": body["category"],
        "description": body.get("description"),
        "displayName": body["displayName"],
        "lastModifiedDateTime": now,
        "createdDateTime": now,
        "deletedDateTime": None,
        "id": tenant.world.new_id(),
        "isEnabled": body.get("isEnabled", True),
        "isSchedulingEnabled": body.get("isSchedulingEnabled", False),
        "nextScheduleRunDateTime": tenant.world.next_schedule(body),
        "version": 1,
        "executionConditions": body["executionConditions"],
        "lastModifiedBy": author,
        "createdBy": author,
        "targetSubjectType": body.get("targetSubjectType", USER_SUBJECT),
        **({"settings": body["settings"]} if "settings" in body else {}),
        "tasks": made,
    }
    tenant.create(row)
    return {name: value for name, value in row.items() if name not in _NOT_IN_ANSWER}


def _update(target: Target) -> None:
    workflow = target.workflow()
    changes = read(target.body, shapes.WORKFLOW_CHANGES)
    _check_scheduling({**workflow.record(), **changes})
    if "displayName" in changes:
        _check_name(target.tenant, changes["displayName"], workflow.id)
    workflow.change(changes)


def _new_version(target: Target) -> Row:
    workflow = target.workflow()
    body = target.body
    if isinstance(body, dict) and "workflow" in body:
        if body.keys() - {"workflow"}:
            raise bad_request("'workflow' is the only parameter of createNewVersion.")
        body = body["workflow"]
    members = read(body, shapes.WORKFLOW)
    tasks = members.pop("tasks")
    _check_scheduling({**workflow.record(), **members})
    _check_name(target.tenant, members["displayName"], workflow.id)
    workflow.new_version(members, _make_tasks(target.tenant, tasks))
    return workflow.record()


def _delete(target: Target) -> None:
    workflow = target.workflow()
    workflow.changes["deletedDateTime"] = target.tenant.world.stamp()
    target.tenant.move(workflow.id, "deleted")


def _restore(target: Target) -> Row:
    workflow = target.workflow()
    workflow.changes["deletedDateTime"] = None
    target.tenant.move(workflow.id, "live")
    # The documented answer lacks what a read shows afterwards.
    kind = {"@odata.type": f"#{shapes.TYPES}.{WORKFLOW.name}"}
    return {**kind, **workflow.record(), "executionConditions": None, "tasks": []}


def _update_task(target: Target) -> None:
    changes = read(target.body, shapes.TASK_CHANGES)
    target.workflow().change_task(target.task()["id"], changes)


def _update_settings(target: Target) -> None:
    changes = read(target.body, shapes.SETTINGS_CHANGES)
    world = target.tenant.world
    world.settings_row = {**world.settings_row, **changes}


def _extension(target: Target) -> Row:
    key = target.keys["extension"]
    return found(target.tenant.world.custom_task_extensions.find(key), "customTaskExtension", key)


def _check_extension_name(tenant: Tenant, name: str, own: str | None = None) -> None:
    rows = tenant.world.custom_task_extensions
    if any(row.get("displayName") == name and row["id"] != own for row in rows):
        raise bad_request(f"The displayName '{name}' is that of another extension: it is unique.")


def _create_extension(target: Target) -> Row:
    tenant = target.tenant
    body = read(target.body, shapes.EXTENSION)
    _check_extension_name(tenant, body["displayName"])
    if len(tenant.world.custom_task_extensions) >= MAX_EXTENSIONS:
        raise bad_request(f"There are {MAX_EXTENSIONS} custom task extensions: none can be added.")
    now, author = tenant.world.stamp(), tenant.world.author()
    row: Row = {
        "id": tenant.world.new_id(),
        "description": None,
        "createdDateTime": now,
        "lastModifiedDateTime": now,
        "endpointConfiguration": None,
        "clientConfiguration": None,
        "callbackConfiguration": None,
        **body,
        "createdBy": author,
        "lastModifiedBy": author,
    }
    tenant.world.extension_edits.add(row)
    return row


def _update_extension(target: Target) -> None:
    tenant = target.tenant
    key = _extension(target)["id"]
    changes = read(target.body, shapes.EXTENSION_CHANGES)
    if "displayName" in changes:
        _check_extension_name(tenant, changes["displayName"], key)
    world = tenant.world
    written = {"lastModifiedDateTime": world.stamp(), "lastModifiedBy": world.author()}
    world.extension_edits.change(key, {**changes, **written})


def _delete_extension(target: Target) -> None:
    key = _extension(target)["id"]
    for workflow in target.tenant.listed():
        for task in workflow.tasks():
            if any(i["name"] == ARGUMENT and i.get("value") == key for i in task["arguments"]):
                raise bad_request(
                    f"The custom task extension '{key}' can't be deleted: the task "
                    f"'{task['displayName']}' of the workflow '{workflow.id}' refers to it."
                )
    target.tenant.world.extension_edits.delete(key)


_WORKFLOWS = f"{LIFECYCLE}/workflows"
_WORKFLOW = f"{_WORKFLOWS}/{{workflow}}"
_DELETED = f"{DELETED}/{{workflow}}"
_EXTENSIONS = f"{LIFECYCLE}/customTaskExtensions"
_ONE_EXTENSION = f"{_EXTENSIONS}/{{extension}}"

AUTHORING = (
    Endpoint(_WORKFLOWS, WORKFLOW, row=_create, method="POST", status=201),  # 2
    Endpoint(_WORKFLOW, WORKFLOW, act=_update, method="PATCH"),  # 4
    Endpoint(_WORKFLOW, WORKFLOW, act=_delete, method="DELETE"),  # 5
    Endpoint(  # 9
        f"{_WORKFLOW}/createNewVersion",
        WORKFLOW,
        row=_new_version,
        method="POST",
        wrapped="workflow",
    ),
    Endpoint(  # 20
        _DELETED,
        WORKFLOW,
        act=lambda at: at.tenant.move(at.workflow().id, "gone"),
        method="DELETE",
    ),
    Endpoint(  # 21
        f"{_DELETED}/restore",
        WORKFLOW,
        row=_restore,
        method="POST",
        bodiless=True,
        context=DELETED,
    ),
    Endpoint(f"{_WORKFLOW}/tasks/{{task}}", TASK, act=_update_task, method="PATCH"),  # 28
    Endpoint(f"{LIFECYCLE}/settings", SETTINGS, act=_update_settings, method="PATCH"),  # 60a
    Endpoint(  # 61a
        _EXTENSIONS, CUSTOM_TASK_EXTENSION, row=_create_extension, method="POST", status=201
    ),
    Endpoint(_ONE_EXTENSION, CUSTOM_TASK_EXTENSION, act=_update_extension, method="PATCH"),  # 61c
    Endpoint(_ONE_EXTENSION, CUSTOM_TASK_EXTENSION, act=_delete_extension, method="DELETE"),  # 61d
)
