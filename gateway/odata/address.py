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

from gateway.odata.errors import BadUserInput

LIFECYCLE_WORKFLOWS = "identityGovernance/lifecycleWorkflows"
MAX_ID_LENGTH = 256

_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\x9f/\\%?#]")

_KEY_IN_PARENTHESES = re.compile(r"\('([^'/]*)'\)")

# Path patterns of the entities that can be addressed, and whether the address can be read with a
# GET of its own. Where only the SDK knows such a GET, the documented list is read with
# `id eq '…'` instead (questions.md, point 18).
_ROUTES: tuple[tuple[str, str, bool], ...] = (
    ("workflows/*", "Workflow", True),
    ("workflows/*/runs/*", "Run", True),
    ("workflows/*/runs/*/userProcessingResults/*", "UserProcessingResult", True),
    ("workflows/*/userProcessingResults/*", "UserProcessingResult", False),
    ("workflows/*/runs/*/taskProcessingResults/*", "TaskProcessingResult", False),
    (
        "workflows/*/runs/*/userProcessingResults/*/taskProcessingResults/*",
        "TaskProcessingResult",
        False,
    ),
    ("workflows/*/userProcessingResults/*/taskProcessingResults/*", "TaskProcessingResult", False),
)
_USER_ROUTE = "users/*"


@dataclass(frozen=True, slots=True)
class Address:
    """Where one entity is: its path, the name of its type, its (decoded) id.

    ``readable`` tells whether ``GET path`` is documented; otherwise the entity is read from its
    collection with ``id eq '…'``.
    """

    path: str
    entity: str
    id: str
    readable: bool = True

    @property
    def collection(self) -> str:
        """The path of the collection that holds the entity."""
        return self.path.rpartition("/")[0]


def key_segment(key: object) -> str:
    """A key that the service gave, as one percent-encoded path segment."""
    return quote(str(key), safe="")


def checked_id(value: str, argument: str) -> str:
    """An id that a caller gave, unchanged, if it can be one.

    Ids are opaque strings (graph-lifecycle-api.md, section 1), so no format is assumed: the rule
    is only what keeps an id one path segment.

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
    return value


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


def _locate(path: str, id_: str) -> Address | None:
    relative = path.removeprefix(LIFECYCLE_WORKFLOWS + "/")
    if relative == path:
        return Address(path, "User", id_) if _matches(path, _USER_ROUTE) else None
    for pattern, entity, readable in _ROUTES:
        if _matches(relative, pattern):
            return Address(path, entity, id_, readable)
    return None


def _matches(path: str, pattern: str) -> bool:
    segments, wanted = path.split("/"), pattern.split("/")
    return len(segments) == len(wanted) and all(
        have == want or want == "*" for have, want in zip(segments, wanted, strict=True)
    )


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
        segments = short.decode("ascii").split("/")
    except (binascii.Error, UnicodeError):
        raise refused from None
    prefix = [] if segments[0] == "users" else [LIFECYCLE_WORKFLOWS]
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


def id_of(row: dict[str, Any]) -> str | None:
    """The id of a row, if the service gave one."""
    value = row.get("id")
    return value if isinstance(value, str) and value else None
