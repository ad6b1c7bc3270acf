"""The endpoints of the sandbox, one declaration each.

The row numbers in the comments are those of graph-lifecycle-api.md section 5. A new endpoint is
a new line in `_workflow_endpoints` or `ENDPOINTS`, with the function that finds its data.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gateway.sandbox.errors import GraphError, bad_request
from gateway.sandbox.model import (
    NOTHING,
    RUN,
    TASK,
    TASK_DEFINITION,
    TASK_RESULT,
    USER,
    USER_RESULT,
    WORKFLOW,
    EntityType,
    Row,
    words,
)
from gateway.sandbox.rows import ListRows, Rows
from gateway.sandbox.targets import Target, found

LIFECYCLE = "identityGovernance/lifecycleWorkflows"
DELETED = f"{LIFECYCLE}/deletedItems/workflows"
MAX_GET_BY_IDS = 1000
_EXPANDED_ITEMS = 20


Related = Callable[[Target, Row], Row | list[Row] | None]


@dataclass(frozen=True)
class Navigation:
    """A relationship that can be expanded; `related` returns what stands there for one row."""

    name: str
    entity: EntityType
    related: Related
    undocumented: bool = False


@dataclass(frozen=True)
class Endpoint:
    """One path: its type, its query options, and how its data is found.

    A collection has `rows`, a single entity `row`. `counted` collections carry `@odata.count`
    unasked; `typed` answers carry `@odata.type`; `always` adds to what $select can't leave out.
    """

    path: str
    entity: EntityType
    rows: Callable[[Target], Rows] | None = None
    row: Callable[[Target], Row] | None = None
    options: frozenset[str] = NOTHING
    expand: Mapping[str, Navigation] = field(default_factory=dict)
    method: str = "GET"
    counted: bool = False
    typed: bool = False
    always: frozenset[str] = NOTHING
    context: str = ""

    @property
    def many(self) -> bool:
        """Say whether the answer is a collection."""
        return self.rows is not None

    @property
    def paged(self) -> bool:
        """Say whether the answer comes page by page; a link could not lead to a POST."""
        return self.many and self.method == "GET"

    @property
    def lifecycle(self) -> bool:
        """Say whether the lifecycle workflows service answers, not the directory."""
        return self.entity is not USER

    @property
    def deleted(self) -> bool:
        """Say whether the path goes through the deleted workflows."""
        return self.path.startswith(DELETED)


def _user(name: str) -> Navigation:
    def related(target: Target, row: Row) -> Row | None:
        stub: Row | None = row.get(name)
        return stub and (target.tenant.directory.find(stub["id"]) or stub)

    return Navigation(name, USER, related)


def _task_results_of(target: Target, row: Row) -> list[Row]:
    rows = target.workflow().task_results_of_user(row["id"])
    return [] if rows is None else rows.first(_EXPANDED_ITEMS)


def _manager_of(target: Target, row: Row) -> Row | None:
    return target.tenant.directory.manager_of(row["id"])


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
_SELECT = _options("select")
_SELECT_EXPAND = _options("select expand")
_RESULT_LIST = _options("select orderby expand filter count")


def _subject_of(find: Callable[[Target], Row], name: str = "subject") -> Callable[[Target], Row]:
    def row(target: Target) -> Row:
        stub = find(target).get(name)
        return target.user(found(stub, name, "")["id"])

    return row


def _task_result_endpoints(path: str, options: frozenset[str]) -> list[Endpoint]:
    one = f"{path}/{{taskResult}}"
    subject = _subject_of(Target.task_result)
    return [
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
        *_user_result_endpoints(f"{one}/runs/{{run}}/userProcessingResults"),
        *_task_result_endpoints(  # 36
            f"{one}/runs/{{run}}/taskProcessingResults", _RESULT_LIST
        ),
        *_user_result_endpoints(f"{one}/userProcessingResults"),
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
    users = map(target.tenant.directory.find, dict.fromkeys(ids))
    return ListRows([user for user in users if user is not None])


def _manager(target: Target) -> Row:
    user = target.user(target.keys["user"])
    manager = _manager_of(target, user)
    if manager is None:
        raise GraphError(404, "Resource 'manager' does not exist.")
    return manager


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
        lambda at: at.tenant.task_definitions,
        options=_options("select orderby filter"),
        counted=True,
    ),
    Endpoint(  # 58
        f"{LIFECYCLE}/taskDefinitions/{{definition}}",
        TASK_DEFINITION,
        row=lambda at: found(
            at.tenant.task_definitions.find(at.keys["definition"]),
            "taskDefinition",
            at.keys["definition"],
        ),
        options=_SELECT,
    ),
    Endpoint(  # 62: the list is for `id in (…)` only
        "users",
        USER,
        lambda at: at.tenant.directory.users(),
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
)
