"""Permissions of Microsoft Graph: what each method takes, least first.

One of them is enough, delegated or application. Where the documents have no entry, that of the
neighbours is told. Source: graph-lifecycle-api.md, section 5.9.
"""

import re
from functools import cache

from gateway.schema.service import ROOT

_WORKFLOW = "LifecycleWorkflows-Workflow"
READ = "LifecycleWorkflows.Read.All"
WRITE = "LifecycleWorkflows.ReadWrite.All"
BASIC = f"{_WORKFLOW}.ReadBasic.All"
WORKFLOWS = f"{_WORKFLOW}.Read.All"
AUTHOR = f"{_WORKFLOW}.ReadWrite.All"
ACTIVATE = f"{_WORKFLOW}.Activate"
REPORTS = "LifecycleWorkflows-Reports.Read.All"
EXTENSIONS = "LifecycleWorkflows-CustomExt.Read.All"
EXTEND = "LifecycleWorkflows-CustomExt.ReadWrite.All"
POLICIES = "LifecyclePolicies-AgentId.Read.All"
POLICE = "LifecyclePolicies-AgentId.ReadWrite.All"
DIRECTORY = "Directory.Read.All"
USERS = ("User.Read.All", "User.ReadWrite.All", DIRECTORY, "Directory.ReadWrite.All")
USER_BASIC = "User.ReadBasic.All"
LEAVE_DATE = "User-LifeCycleInfo.Read.All"
"""Needed for `employeeLeaveDateTime`, on top of reading the user."""

_KEY = "[^/]+"
_W = f"workflows/{_KEY}"
_D = f"(?:deletedItems/)?{_W}"
_RESULTS = "runs|userProcessingResults|subjectProcessingResults|taskReports"
_READS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (f"workflows(?:/{_KEY})?", (BASIC, WORKFLOWS, AUTHOR, READ, WRITE)),
    (f".+/tasks/{_KEY}/taskProcessingResults.*", (REPORTS, READ, WRITE)),
    (f"{_D}/tasks/{_KEY}", (WORKFLOWS, AUTHOR, READ)),
    (f"{_D}/(?:createdBy|lastModifiedBy)", (USER_BASIC, *USERS)),
    (f"{_D}/(?:(?:{_RESULTS})(?:/.+)?|executionScope/{_KEY}/.+)", (REPORTS, READ, WRITE)),
    ("(?:deletedItems/)?workflows.*", (WORKFLOWS, AUTHOR, READ, WRITE)),
    ("insights/.+", (REPORTS, READ, WRITE)),
    ("(?:taskDefinitions|workflowTemplates|settings).*", (READ, WRITE)),
    ("customTaskExtensions.*", (EXTENSIONS, EXTEND, READ, WRITE)),
    ("lifecyclePolic.*", (POLICIES, POLICE)),
)
_WRITES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (".+/resume", (WRITE,)),
    (f"{_W}/(?:activate|activateAndWait|activateWithScope)", (ACTIVATE, AUTHOR, WRITE)),
    ("(?:deletedItems/)?workflows.*", (AUTHOR, WRITE)),
    ("settings", (WRITE,)),
    ("customTaskExtensions.*", (EXTEND, WRITE)),
)
_OUTSIDE: tuple[tuple[str, tuple[str, ...]], ...] = (
    (f"users(?:/{_KEY})?", (USER_BASIC, *USERS)),
    (f"users/{_KEY}/manager", USERS),
    ("directoryObjects/getByIds|directory/deletedItems/.+", (DIRECTORY,)),
)


def needed(method: str, path: str) -> tuple[str, ...]:
    """The permissions of which a request takes one, the least first; none where nobody tells.

    Args:
        method: such as ``GET``.
        path: below the version root, without query options.
    """
    outside = not path.startswith(f"{ROOT}/")
    rules = _OUTSIDE if outside else _READS if method == "GET" else _WRITES
    return _found(rules, path.removeprefix(f"{ROOT}/"))


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _found(rules: tuple[tuple[str, tuple[str, ...]], ...], path: str) -> tuple[str, ...]:
    return next((names for pattern, names in rules if _compiled(pattern).fullmatch(path)), ())


def told(names: tuple[str, ...]) -> str:
    """A sentence for a description that names the least of ``names``; empty without any."""
    return f" Takes `{names[0]}` at least." if names else ""
