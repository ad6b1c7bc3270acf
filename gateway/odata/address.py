"""Addresses: the path of an entity relative to the version root (``@odata.id``).

No result can be looked up by its id alone (graph-lifecycle-api.md, section 8), so every row
carries its path: children are requested below it and ``nodeId`` is derived from it. A path is
kept percent-encoded, one segment per key, and is never built from unchecked input.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from gateway.errors import BadUserInput

LIFECYCLE_WORKFLOWS = "identityGovernance/lifecycleWorkflows"
TOP = "workflows"
"""The collection that all other containers are below."""
NIL = "00000000-0000-0000-0000-000000000000"
"""The id of nobody, for requests that hold nothing of a caller."""
MAX_ID_LENGTH = 256

_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\x9f/\\%?#]")

# Segments that a service may read as something else than a key where a key stands: they are split
# before they are decoded, so encoding the key does not help (OData 4.01, Part 2, section 2).
# The names are those of the paths, navigations, functions and actions of graph-lifecycle-api.md,
# section 5, and `delta`, which is bound to /users and is called without parentheses.
_COLLECTION_OPERATIONS = ("summary", "usersSummary", "delta")
_NAMES = frozenset(
    name.casefold()
    for name in (
        *_COLLECTION_OPERATIONS,
        *("activate", "activateAndWait", "activateWithScope", "cancelProcessing"),
        *("clearQuarantine", "createNewVersion", "previewScope", "previewTaskFailures"),
        *("previewWorkflow", "restore", "resume", "administrationScopeTargets", "createdBy"),
        *("customTaskExtensions", "deletedItems", "executionScope", "insights", "lastModifiedBy"),
        *("reprocessedRuns", "runs", "settings", "subject", "subjectProcessingResults", "task"),
        *("taskDefinition", "taskDefinitions", "taskProcessingResults", "taskReports", "tasks"),
        *("topTasksProcessedSummary", "topWorkflowsProcessedSummary", "userProcessingResults"),
        *("users", "versions", "workflows", "workflowsProcessedByCategory"),
        *("workflowsProcessedSummary", "workflowTemplates", "getByIds"),
    )
)
# Names in paths that no key stands beside.
_ROOTS = frozenset(
    ("identitygovernance", "lifecycleworkflows", "directory", "directoryobjects", "$batch")
)
# `graph` is the alias of the namespace (lifecycle.csdl.xml).
_QUALIFIED = ("microsoft.graph.", "graph.")

# The same of an encoded path, for the keys that the service gives: what the gateway itself writes
# there as an operator (`$ref`, `summary(…)`) is not encoded.
_MISREAD = re.compile(
    r"%28|%29|(?:^|/)(?:%24|%40|(?:microsoft\.)?graph\.|(?:%2A|%27[^/]*%27|\.+|"
    + "|".join(_COLLECTION_OPERATIONS)
    + r")(?:/|$))",
    re.IGNORECASE,
)

# What `quote` leaves as it is: asking first is ten times as fast for the keys that services give.
_UNRESERVED = re.compile(r"[A-Za-z0-9_.~-]+")

_KEY_IN_PARENTHESES = re.compile(r"\('([^'/]*)'\)")

# Path patterns of the entities that can be addressed, and what of a GET of their own is documented.
# Where only the SDK knows such a GET, the documented list is read with `id eq '…'` instead
# (questions.md, point 18), or as it is where no option of the list is documented. The results of a
# task are read by that GET all the same: their list takes no options and spans all runs.
_GET, _GET_BARE, _LIST, _LIST_BARE = "get", "get without $select", "list", "list without options"
_RESULT = "*/taskProcessingResults/*"
_BELOW_WORKFLOW: tuple[tuple[str, str, str], ...] = (
    ("runs/*", "Run", _GET),
    ("runs/*/userProcessingResults/*", "UserProcessingResult", _GET),
    ("userProcessingResults/*", "UserProcessingResult", _LIST),
    (f"runs/{_RESULT}", "TaskProcessingResult", _LIST),
    (f"runs/*/userProcessingResults/{_RESULT}", "TaskProcessingResult", _LIST),
    (f"userProcessingResults/{_RESULT}", "TaskProcessingResult", _LIST),
    (f"taskReports/{_RESULT}", "TaskProcessingResult", _LIST),
    (f"tasks/{_RESULT}", "TaskProcessingResult", _GET_BARE),
    ("subjectProcessingResults/*", "SubjectProcessingResult", _GET_BARE),
    ("runs/*/subjectProcessingResults/*", "SubjectProcessingResult", _GET_BARE),
    (f"subjectProcessingResults/{_RESULT}", "TaskProcessingResult", _LIST),
    (f"runs/*/subjectProcessingResults/{_RESULT}", "TaskProcessingResult", _LIST),
    ("versions/*", "WorkflowVersion", _GET),
    ("versions/*/tasks/*", "Task", _GET_BARE),
    ("tasks/*", "Task", _GET_BARE),
    ("taskReports/*", "TaskReport", _LIST),
)
_ROUTES: tuple[tuple[str, str, str], ...] = (
    ("workflows/*", "Workflow", _GET),
    ("deletedItems/workflows/*", "Workflow", _GET),
    *(
        (f"{root}/*/{path}", entity, reading)
        for root in ("workflows", "deletedItems/workflows")
        for path, entity, reading in _BELOW_WORKFLOW
    ),
    ("taskDefinitions/*", "TaskDefinition", _GET),
    ("workflowTemplates/*", "WorkflowTemplate", _GET_BARE),
    ("workflowTemplates/*/tasks/*", "Task", _LIST_BARE),
    ("customTaskExtensions/*", "CustomTaskExtension", _GET_BARE),
    ("settings", "LifecycleManagementSettings", _GET_BARE),
)
_USER_ROUTE = "users/*"
_DELETED = "deletedItems/"


@dataclass(frozen=True, slots=True)
class Address:
    """Where one entity is: its path, the name of its type, its (decoded) id.

    ``readable`` tells whether the entity is read by ``GET path``; otherwise it is read from its
    collection. ``selectable`` tells whether that takes ``$select`` (and a collection ``$filter``).
    """

    path: str
    entity: str
    id: str
    readable: bool = True
    selectable: bool = True

    @property
    def collection(self) -> str:
        """The path of the collection that holds the entity."""
        return self.path.rpartition("/")[0]


def key_segment(key: object) -> str:
    """A key that the service gave, as one percent-encoded path segment."""
    text = str(key)
    return text if _UNRESERVED.fullmatch(text) else quote(text, safe="")


def checked_id(value: str, argument: str) -> str:
    """An id that a caller gave, unchanged, if it can be one.

    Ids are opaque strings (graph-lifecycle-api.md, section 1), so no format is assumed: the rule
    is only what keeps an id one path segment, and that segment a key.

    Raises:
        BadUserInput: names ``argument`` and the rule that the value breaks.
    """
    if not value:
        raise BadUserInput("an id is not empty", argument=argument)
    if len(value) > MAX_ID_LENGTH:
        raise BadUserInput(f"an id has at most {MAX_ID_LENGTH} characters", argument=argument)
    if _FORBIDDEN.search(value) or not value.isprintable() or value in (".", ".."):
        raise BadUserInput(
            "an id has no white space, control characters, '/', '\\', '%', '?' or '#', "
            "and is not '.' or '..'",
            argument=argument,
        )
    if _is_operator(value):
        raise BadUserInput(
            "an id does not begin with '$', '@', 'graph.' or 'microsoft.graph.', has no "
            "parentheses and no quotes around it, is not '*' or dots alone, and is no name in "
            "Microsoft Graph's paths, such as 'summary'",
            argument=argument,
        )
    return value


def _is_operator(key: str) -> bool:
    """Whether a service may read a key, decoded, as something else."""
    folded = key.casefold()
    return (
        key[0] in "$@"
        or "(" in key
        or ")" in key
        or key == "*"
        or not key.strip(".")
        or (len(key) > 1 and key[0] == key[-1] == "'")
        or folded.startswith(_QUALIFIED)
        or folded in _NAMES
    )


def misread(path: str) -> bool:
    """Whether an encoded path of the gateway has a key that may be read as something else.

    Callers can't give such an id (`checked_id`); the service can.

    >>> misread("workflows/w/runs/summary%28startDateTime%3D1%29/userProcessingResults")
    True
    >>> misread("workflows/w/runs/summary(startDateTime=2026-01-01T00:00:00Z)")
    False
    """
    return _MISREAD.search(path) is not None


def entity_address(*steps: tuple[str, str, str]) -> Address:
    """The address reached by ``steps`` of (collection, argument, id that the caller gave).

    >>> entity_address(("workflows", "workflowId", "w"), ("runs", "id", "r")).path
    'identityGovernance/lifecycleWorkflows/workflows/w/runs/r'

    Raises:
        BadUserInput: an id can't be one (see `checked_id`); names its argument.
    """
    parts = [LIFECYCLE_WORKFLOWS]
    for collection, argument, value in steps:
        parts += [collection, key_segment(checked_id(value, argument))]
    address = _locate("/".join(parts), steps[-1][2])
    if address is None:
        raise LookupError(f"no entity is at {[collection for collection, _, _ in steps]}")
    return address


def addressed(path: str) -> Address:
    """The address behind an encoded path that the gateway made.

    Raises:
        LookupError: no entity is read at such a path.
    """
    address = _locate(path, unquote(path.rpartition("/")[2]))
    if address is None:
        raise LookupError(f"no entity is at {path}")
    return address


def singleton(name: str, entity: str) -> Address:
    """The address of a singleton of the lifecycle workflows container."""
    return Address(f"{LIFECYCLE_WORKFLOWS}/{name}", entity, "", selectable=False)


def _locate(path: str, id_: str) -> Address | None:
    relative = path.removeprefix(LIFECYCLE_WORKFLOWS + "/")
    if relative == path:
        return Address(path, "User", id_) if _matches(path, _USER_ROUTE) else None
    for pattern, entity, reading in _ROUTES:
        if _matches(relative, pattern):
            readable, bare = reading in (_GET, _GET_BARE), reading in (_GET_BARE, _LIST_BARE)
            return Address(path, entity, id_, readable, not bare)
    return None


def _matches(path: str, pattern: str) -> bool:
    segments, wanted = path.split("/"), pattern.split("/")
    return len(segments) == len(wanted) and all(
        have == want or want == "*" for have, want in zip(segments, wanted, strict=True)
    )


def is_name(segment: str) -> bool:
    """Whether a segment of a path is the name of something, and not a key."""
    name = segment.partition("(")[0].casefold()
    return name in _NAMES or name in _ROOTS or name.startswith(_QUALIFIED)


def container_of(path: str, collection: str) -> str | None:
    """The address of the entity of ``collection`` that contains what is at ``path``.

    >>> container_of("workflows/w/runs/r/taskProcessingResults/t", "runs")
    'workflows/w/runs/r'
    """
    segments = path.split("/")
    try:
        place = segments.index(collection)
    except ValueError:
        return None
    return "/".join(segments[: place + 2]) if len(segments) > place + 2 else None


def collections_of(path: str) -> list[str]:
    """The collections that a path leads through, outermost first.

    >>> collections_of("identityGovernance/lifecycleWorkflows/workflows/w/runs/r")
    ['workflows', 'runs']
    """
    relative = path.removeprefix(LIFECYCLE_WORKFLOWS + "/").removeprefix(_DELETED)
    return relative.split("/")[::2]


def same_path(url: str, path: str) -> bool:
    """Whether a URL relative to the root leads to ``path``, in whichever spelling of the keys.

    Services may write ``workflows('…')`` for ``workflows/…``, and letter case varies
    (graph-lifecycle-api.md, section 7).
    """
    return _spelled_out(url.partition("?")[0]) == _spelled_out(path)


def _spelled_out(path: str) -> list[str]:
    segments = _KEY_IN_PARENTHESES.sub(r"/\1", unquote(path)).split("/")
    return [segment.casefold() for segment in segments if segment]


def node_id(path: str) -> str:
    """The opaque, URL-safe global id of the entity at ``path``."""
    short = path.removeprefix(LIFECYCLE_WORKFLOWS + "/")
    return base64.urlsafe_b64encode(short.encode()).rstrip(b"=").decode()


def parse_node_id(value: str, argument: str = "nodeId") -> Address:
    """The address behind a global id.

    Raises:
        BadUserInput: the value is not a node id that this gateway makes.
    """
    refused = BadUserInput("this is not a nodeId of this gateway", argument=argument)
    if len(value) > 8 * MAX_ID_LENGTH:
        raise refused
    try:
        raw = value.encode("ascii")
        short = base64.b64decode(raw + b"=" * (-len(raw) % 4), altchars=b"-_", validate=True)
        segments = short.decode("ascii").removeprefix(_DELETED).split("/")
    except (binascii.Error, UnicodeError):
        raise refused from None
    prefix = [] if segments[0] == "users" else [LIFECYCLE_WORKFLOWS]
    if short.startswith(_DELETED.encode()):
        prefix.append(_DELETED.rstrip("/"))
    keys = [_unquoted_key(segment, argument) for segment in segments[1::2]]
    canonical = [
        part
        for collection, key in zip(segments[::2], keys, strict=False)
        for part in (collection, key_segment(key))
    ]
    address = _locate("/".join(prefix + canonical), keys[-1]) if keys else None
    if address is None or node_id(address.path) != value:
        raise refused
    return address


def _unquoted_key(segment: str, argument: str) -> str:
    return checked_id(unquote(segment), argument)


def key_of(row: Any, key: str = "id") -> str | None:
    """The key of a row (a dict, or typed) as text, if the service gave one."""
    value = row.get(key)
    if type(value) is int:
        return str(value)
    return value if isinstance(value, str) and value else None
