"""Permissions: what a token must carry for a method, if it says what it carries.

A token that is a JWT with scopes or roles, signed or not, may do what they allow; any other may do
everything. Where the documents have no entry, that of the neighbours counts.
Source: graph-lifecycle-api.md section 5.9.
"""

import re

import jwt

from gateway.sandbox.errors import GraphError
from gateway.sandbox.writes.declarations import LIFECYCLE, Endpoint

LEAVE_DATE = "User-LifeCycleInfo.Read.All"
"""The permission without which a user's employeeLeaveDateTime is null."""

_CODES = {
    "RB": "LifecycleWorkflows-Workflow.ReadBasic.All",
    "WR": "LifecycleWorkflows-Workflow.Read.All",
    "WW": "LifecycleWorkflows-Workflow.ReadWrite.All",
    "WA": "LifecycleWorkflows-Workflow.Activate",
    "RP": "LifecycleWorkflows-Reports.Read.All",
    "R": "LifecycleWorkflows.Read.All",
    "RW": "LifecycleWorkflows.ReadWrite.All",
    "CR": "LifecycleWorkflows-CustomExt.Read.All",
    "CW": "LifecycleWorkflows-CustomExt.ReadWrite.All",
    "PR": "LifecyclePolicies-AgentId.Read.All",
    "PW": "LifecyclePolicies-AgentId.ReadWrite.All",
    "UB": "User.ReadBasic.All",
    "UR": "User.Read.All",
    "UW": "User.ReadWrite.All",
    "DR": "Directory.Read.All",
    "DW": "Directory.ReadWrite.All",
}
_RESULTS = r"runs|userProcessingResults|subjectProcessingResults|taskReports"
_READS = (
    (r"workflows(/\*)?", "RB WR WW R RW"),
    (r".*/tasks/\*/taskProcessingResults.*", "RP R RW"),
    (r"(deletedItems/)?workflows/\*/tasks/\*", "WR WW R"),
    (rf"(deletedItems/)?workflows/\*/(executionScope/\*/.*|({_RESULTS}).*)", "RP R RW"),
    (r"(deletedItems/)?workflows/\*/(createdBy|lastModifiedBy)", "UB UR UW DR DW"),
    (r"(deletedItems/)?workflows.*", "WR WW R RW"),
    (r"insights/.*", "RP R RW"),
    (r"customTaskExtensions.*", "CR CW R RW"),
    (r"lifecyclePolic.*", "PR PW"),
    (r".*", "R RW"),
)
_WRITES = (
    (r".*/resume", "RW"),
    (r"workflows/\*/activate.*", "WA WW RW"),
    (r"settings", "RW"),
    (r"customTaskExtensions.*", "CW RW"),
    (r".*", "WW RW"),
)
_OUTSIDE = (
    (r"users(/\*)?", "UB UR UW DR DW"),
    (r"users/\*/manager", "UR UW DR DW"),
    (r"directory.*", "DR"),
)


def needed(endpoint: Endpoint) -> frozenset[str]:
    """Return the permissions of which one is enough for an endpoint."""
    path = re.sub(r"\{\w+\}", "*", endpoint.path)
    below = path.removeprefix(f"{LIFECYCLE}/")
    rules = _OUTSIDE if below == path else _READS if endpoint.method == "GET" else _WRITES
    codes = next(codes for pattern, codes in rules if re.fullmatch(pattern, below))
    return frozenset(_CODES[code] for code in codes.split())


def grants_of(token: str) -> frozenset[str] | None:
    """Return the scopes and roles that a token says it carries; None if it says nothing of it."""
    try:
        claims = jwt.decode(token, options={"verify_signature": False, "verify_exp": False})
    except jwt.InvalidTokenError:
        return None
    scopes, roles = claims.get("scp"), claims.get("roles")
    if not isinstance(scopes, str) and not isinstance(roles, list):
        return None
    found = scopes.split() if isinstance(scopes, str) else []
    return frozenset([*found, *(role for role in roles or () if isinstance(role, str))])


def check(endpoint: Endpoint, grants: frozenset[str] | None) -> None:
    """Raise the 403 of a token that carries none of the permissions that are needed."""
    if grants is not None and grants.isdisjoint(needed(endpoint)):
        raise GraphError(403)
