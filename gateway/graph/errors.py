"""The error behind an answer of the service, and what is told of it."""

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import jwt

from gateway.errors import (
    LONGEST_CLAIMS,
    ChangeRefused,
    ClaimsChallenge,
    Conflict,
    Forbidden,
    GatewayError,
    GraphError,
    NotFound,
    Throttled,
    Unauthenticated,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from gateway.graph.session import Session

E = TypeVar("E", bound=GatewayError)
LONGEST_MESSAGE = 1000
LONGEST_DETAIL = 200
"""Characters that are told of a message of the service, and of a code or an id."""
_MOST_NAMES = 100

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


_BY_STATUS: dict[int, type[GraphError]] = {
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: NotFound,
    412: Conflict,
    429: Throttled,
    502: UpstreamUnavailable,
    503: UpstreamUnavailable,
    504: UpstreamTimeout,
}


def error_of_answer(
    status: int, headers: Mapping[str, str], body: Any, *, changes: bool = False
) -> GraphError:
    """The error behind an answer that is not a success.

    Args:
        status: HTTP status of the answer or of the `$batch` item.
        headers: its headers, with lower-case names.
        body: the decoded JSON, or ``None`` where it was none.
        changes: whether the request was to change something.
    """
    error = body.get("error") if isinstance(body, dict) else None
    error = error if isinstance(error, dict) else {}
    inner = error.get("innerError") or error.get("innererror")
    inner = inner if isinstance(inner, dict) else {}
    message = error.get("message")
    if not isinstance(message, str) or not message:
        message = f"the service answered {status} without an error message"
    details = {
        "status": status,
        "serviceCode": _text(error.get("code")),
        "requestId": _text(inner.get("request-id") or inner.get("requestId"))
        or headers.get("request-id"),
        "retryAfter": headers.get("retry-after") if status == 429 else None,
    }
    claims = _claims(headers.get("www-authenticate", "")) if status == 401 else None
    if claims is not None:
        return ClaimsChallenge(message, claims=claims, **details)
    other = ChangeRefused if changes and 400 <= status < 500 else GraphError
    return _BY_STATUS.get(status, other)(message, **details)


def _claims(challenge: str) -> str | None:
    """The claims of a WWW-Authenticate header, which are base64 there."""
    found = re.search(r'\bclaims="([A-Za-z0-9+/_-]+=*)"', challenge)
    if found is None:
        return None
    text = found.group(1).translate(str.maketrans("-_", "+/")).rstrip("=")
    try:
        claims = base64.b64decode(text + "=" * (-len(text) % 4)).decode()
    except ValueError:
        return None
    return claims if len(claims) <= LONGEST_CLAIMS else None


def shortened(text: str, most: int = LONGEST_MESSAGE) -> str:
    """A text of the service as a log or an error tells it: one line of ``most`` characters.

    What is cut off is told by an ellipsis; control characters, with which a log line could be
    forged, become spaces.
    """
    line = _CONTROL.sub(" ", text[: most + 1])
    return line if len(text) <= most else f"{line[: most - 1]}…"


def shorten(error: GatewayError) -> None:
    """Cut what the service said in an error, once no token is in it any more.

    A token that is cut in two could not be found again.
    """
    error.message = shortened(error.message)
    error.args = (error.message,)
    for name, value in error.extensions.items():
        if isinstance(value, str) and name != "claims":
            error.extensions[name] = shortened(value, LONGEST_DETAIL)


def outcome_unknown(error: E) -> E:
    """The error of a change after which nobody can tell whether it was made.

    It has ``outcomeUnknown`` among its extensions, and is never sent again by the gateway.
    """
    unknown = another(error)
    unknown.message = f"{error.message}; whether the change was made is not known"
    unknown.extensions["outcomeUnknown"] = True
    return unknown


def another(error: E) -> E:
    """An error like ``error``, for another place of the answer."""
    twin = type(error).__new__(type(error), *error.args)
    twin.__dict__.update(error.__dict__, extensions=dict(error.extensions))
    return twin


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def tell_needs(error: GatewayError, needs: Sequence[str], session: Session) -> None:
    """Add to a refusal the permissions of which the request takes one, and what the token carries.

    Args:
        error: says 403, in the service's words.
        needs: the permissions, the least first.
        session: whose token it was; what it carries is told to whom it belongs alone.
    """
    if not needs:
        return
    error.extensions["permissions"] = list(needs)
    found = carried(session.token) if session.own else None
    told = f"this takes the permission {needs[0]} at least"
    if found is not None:
        kind, names = found
        error.extensions["granted"] = names
        enough = next((name for name in needs if name in names), None)
        if enough is not None:
            told = f"the token has {enough}, which is enough, so the caller may lack a role"
        else:
            told += f", and the token has none that is enough ({kind})"
    error.message = f"{error.message} ({told})"
    error.args = (error.message,)


def carried(token: str) -> tuple[str, list[str]] | None:
    """The permissions that a token says it carries, and of which kind; ``None`` if it does not say.

    Its signature is not checked: the service does that.
    """
    try:
        claims = jwt.decode(token, options={"verify_signature": False, "verify_exp": False})
    except jwt.InvalidTokenError:
        return None
    scopes, roles = claims.get("scp"), claims.get("roles")
    if isinstance(scopes, str):
        kind, names = "delegated", scopes.split()
    elif isinstance(roles, list):
        kind, names = "application", [role for role in roles if isinstance(role, str)]
    else:
        return None
    return kind, [shortened(name, LONGEST_DETAIL) for name in names[:_MOST_NAMES]]
