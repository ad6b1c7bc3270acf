"""Errors as they leave the gateway: always with a code, never with a stack trace."""

import base64
import logging
import uuid
from collections.abc import Iterable
from typing import Any

from graphql import GraphQLError, GraphQLSyntaxError

from gateway.errors import ClaimsChallenge, GatewayError, RequestRefused

_log = logging.getLogger(__name__)


def formatted(error: GraphQLError, *, executed: bool) -> dict[str, Any]:
    """The response form of an error.

    An unexpected exception is logged with its trace under a reference that is all the caller sees.

    Args:
        error: as graphql-core collected it.
        executed: whether the operation was executed; otherwise it is the document's own fault.
    """
    original = _cause(error)
    form: dict[str, Any] = {**error.formatted}
    extensions: dict[str, Any] = {**(error.extensions or {})}
    if isinstance(original, GatewayError):
        form["message"] = original.message
        extensions |= original.extensions
    elif isinstance(error, GraphQLSyntaxError):
        extensions["code"] = "GRAPHQL_PARSE_FAILED"
    elif executed and error.path and original is not None and not _is_of_graphql(original):
        return form | unexpected(original)
    elif "code" not in extensions:
        extensions["code"] = _code(error, executed=executed)
    form["extensions"] = extensions
    return form


def _cause(error: GraphQLError) -> Exception | None:
    original = error.original_error
    while isinstance(original, GraphQLError) and original.original_error is not None:
        original = original.original_error
    return original


def challenge_of(errors: Iterable[GraphQLError] | None) -> str | None:
    """The WWW-Authenticate header for a user who must satisfy a policy first, if one must.

    It has the form that the libraries of Microsoft Entra ID read: the claims are base64 there.
    """
    for error in errors or ():
        cause = _cause(error)
        if isinstance(cause, ClaimsChallenge):
            claims = base64.b64encode(cause.claims.encode()).decode()
            return f'Bearer error="insufficient_claims", claims="{claims}"'
    return None


def unexpected(error: BaseException) -> dict[str, Any]:
    """The response form of a fault of the gateway; its trace is logged under a reference."""
    reference = str(uuid.uuid4())
    _log.error("unexpected error, reference %s", reference, exc_info=error)
    return {
        "message": f"An unexpected error occurred (reference {reference}).",
        "extensions": {"code": "INTERNAL_SERVER_ERROR", "reference": reference},
    }


def _is_of_graphql(error: BaseException) -> bool:
    """Whether graphql-core says that a value does not fit the schema."""
    null = isinstance(error, TypeError) and str(error).startswith("Cannot return null for")
    return null or isinstance(error, GraphQLError)


def _code(error: GraphQLError, *, executed: bool) -> str:
    if not executed:
        return "GRAPHQL_VALIDATION_FAILED"
    # With a path, a value of the service does not fit the schema; without, a variable does not.
    return "UPSTREAM_ERROR" if error.path else "BAD_USER_INPUT"


def bad_request(message: str) -> RequestRefused:
    """The refusal of something that is no GraphQL request."""
    return RequestRefused(400, "BAD_REQUEST", message)


def websockets_not_offered() -> RequestRefused:
    """The refusal of a WebSocket handshake."""
    return RequestRefused(
        400,
        "WEBSOCKET_NOT_SUPPORTED",
        "there are no subscriptions here, and so no WebSockets; send the operation by POST or GET "
        "to /graphql",
    )
