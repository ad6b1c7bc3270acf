"""The endpoints of what belongs to no workflow: catalogue, settings, insights, directory.

The row numbers in the comments are those of graph-lifecycle-api.md section 5.
"""

from dataclasses import replace

from gateway.sandbox.data import summaries
from gateway.sandbox.data.model import (
    CUSTOM_TASK_EXTENSION,
    LIFECYCLE_POLICY,
    POLICY_PRIORITY,
    POLICY_RULE,
    SETTINGS,
    TASK,
    TASK_DEFINITION,
    TOP_TASKS_SUMMARY,
    TOP_WORKFLOWS_SUMMARY,
    USER,
    WORKFLOW_TEMPLATE,
    WORKFLOWS_BY_CATEGORY,
    WORKFLOWS_SUMMARY,
    Row,
)
from gateway.sandbox.data.rows import ListRows, Rows
from gateway.sandbox.errors import GraphError, bad_request
from gateway.sandbox.protocol.parts import (
    AUTHORS,
    MANAGER,
    SELECT,
    SELECT_EXPAND,
    manager_of,
    options,
    summaries_of,
    summary,
)
from gateway.sandbox.writes.declarations import LIFECYCLE, Endpoint
from gateway.sandbox.writes.targets import Target, found

MAX_GET_BY_IDS = 1000


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
    manager = manager_of(target, user)
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
_INSIGHTS = (
    summaries_of(  # 53
        f"{LIFECYCLE}/insights/topTasksProcessedSummary()",
        TOP_TASKS_SUMMARY,
        lambda at: summaries.top_tasks(at.tenant, at.period),
    ),
    summaries_of(  # 54
        f"{LIFECYCLE}/insights/topWorkflowsProcessedSummary()",
        TOP_WORKFLOWS_SUMMARY,
        lambda at: summaries.top_workflows(at.tenant, at.period),
    ),
    summary(  # 55
        f"{LIFECYCLE}/insights/workflowsProcessedByCategory()",
        WORKFLOWS_BY_CATEGORY,
        lambda at: summaries.workflows_by_category(at.tenant, at.period),
    ),
    summary(  # 56
        f"{LIFECYCLE}/insights/workflowsProcessedSummary()",
        WORKFLOWS_SUMMARY,
        lambda at: summaries.workflows_summary(at.tenant, at.period),
    ),
)
CATALOGUE = (
    Endpoint(  # 57
        f"{LIFECYCLE}/taskDefinitions",
        TASK_DEFINITION,
        lambda at: at.tenant.world.task_definitions,
        options=options("select orderby filter"),
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
        options=SELECT,
    ),
    Endpoint(  # 59
        _TEMPLATES,
        WORKFLOW_TEMPLATE,
        lambda at: at.tenant.world.workflow_templates,
        options=options("select orderby filter"),
    ),
    Endpoint(f"{_TEMPLATES}/{{template}}", WORKFLOW_TEMPLATE, row=_template),
    Endpoint(f"{_TEMPLATES}/{{template}}/tasks", TASK, lambda at: ListRows(_template(at)["tasks"])),
    Endpoint(  # 60
        f"{LIFECYCLE}/settings",
        SETTINGS,
        row=lambda at: at.tenant.world.settings_row,
        options=SELECT,
    ),
    Endpoint(  # 61
        _EXTENSIONS,
        CUSTOM_TASK_EXTENSION,
        lambda at: at.tenant.world.custom_task_extensions,
        options=options("select search orderby filter"),
        counted=True,
    ),
    Endpoint(  # 61b
        f"{_EXTENSIONS}/{{extension}}",
        CUSTOM_TASK_EXTENSION,
        row=_extension,
        options=SELECT_EXPAND,
        expand=AUTHORS,
    ),
    *_INSIGHTS,
)


def _policy(target: Target) -> Row:
    key = target.keys["policy"]
    return found(target.tenant.world.policies.find(key), "lifecyclePolicy", key)


def _priorities(target: Target) -> Rows:
    ids = [row["id"] for row in target.tenant.world.policies]
    return ListRows([{"id": _AGENTS, "subjectType": _AGENTS, "orderedPolicyIds": ids}])


def _policy_author(target: Target) -> Row:
    return target.user(_policy(target)["author"])


_AGENTS = "agentIdentity"
_POLICIES = f"{LIFECYCLE}/lifecyclePolicies"
_POLICY = f"{_POLICIES}/{{policy}}"
POLICIES = tuple(
    replace(endpoint, beta=True)
    for endpoint in (
        Endpoint(_POLICIES, LIFECYCLE_POLICY, lambda at: at.tenant.world.policies),
        Endpoint(_POLICY, LIFECYCLE_POLICY, row=_policy),
        Endpoint(f"{_POLICY}/rules", POLICY_RULE, lambda at: ListRows(_policy(at)["rules"])),
        Endpoint(f"{_POLICY}/createdBy", USER, row=_policy_author, typed=True),
        Endpoint(f"{_POLICY}/lastModifiedBy", USER, row=_policy_author, typed=True),
        Endpoint(
            f"{LIFECYCLE}/lifecyclePolicyPriorityConfigurations", POLICY_PRIORITY, _priorities
        ),
    )
)
DIRECTORY = (
    Endpoint(  # 62: the list is for `id in (…)` only
        "users",
        USER,
        lambda at: at.tenant.world.directory.users(),
        options=options("filter select expand"),
        expand=MANAGER,
    ),
    Endpoint(  # 62
        "users/{user}",
        USER,
        row=lambda at: at.user(at.keys["user"]),
        options=SELECT_EXPAND,
        expand=MANAGER,
        context="users",
    ),
    Endpoint(
        "directory/deletedItems/microsoft.graph.user",
        USER,
        lambda at: at.tenant.world.directory.deleted_users(),
        options=options("filter select"),
    ),
    Endpoint(
        "users/{user}/manager",
        USER,
        row=_manager,
        options=SELECT,
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
