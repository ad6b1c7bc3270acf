"""Graph-shaped errors: graph-lifecycle-api.md section 7, Errors."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

CODES = {
    400: "invalidRequest",
    401: "unauthenticated",
    403: "accessDenied",
    404: "itemNotFound",
    405: "Request_BadRequest",
    406: "invalidRequest",
    424: "invalidRequest",
    429: "TooManyRequests",
    503: "serviceNotAvailable",
}

MESSAGES = {
    401: "Access token is empty or missing.",
    403: "You do not have the required permissions to access this item.",
    404: "The resource could not be found.",
    405: "Specified HTTP method is not allowed for the request target.",
    424: "A request this one depends on has failed.",
    429: "Please retry again later.",
    503: "The service is temporarily unavailable.",
}


class GraphError(Exception):
    """A request that is answered with an error status.

    `code` and `message` default to what belongs to the status.
    """

    def __init__(self, status: int, message: str | None = None, code: str | None = None) -> None:
        self.status = status
        self.message = message or MESSAGES.get(status) or HTTPStatus(status).phrase
        self.code = CODES.get(status, "generalException") if code is None else code
        super().__init__(self.message)

    def body(self, request_id: str, client_request_id: str) -> dict[str, Any]:
        """Return the error document for the given request ids."""
        inner = {
            "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
            "request-id": request_id,
            "client-request-id": client_request_id,
        }
        return {"error": {"code": self.code, "message": self.message, "innerError": inner}}


def bad_request(message: str) -> GraphError:
    """Return the 400 that says what is wrong with the request."""
    return GraphError(400, message)


def not_found(kind: str, key: str) -> GraphError:
    """Return the 404 for an id that nothing of this kind has."""
    return GraphError(404, f"No {kind} with id '{key}' was found.")
