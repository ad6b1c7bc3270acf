"""The root of the gateway's one error tree, and the errors that need no upstream.

    GatewayError
    ├── BadUserInput            BAD_USER_INPUT
    ├── BudgetExceeded          BUDGET_EXCEEDED
    ├── NotSupported            NOT_SUPPORTED
    └── graph.errors.*          what the service answered

Every error carries ``extensions`` with a ``code``; GraphQL copies them to the response.
"""

from typing import Any


class GatewayError(Exception):
    """An error that a caller may see.

    ``message`` is for people, ``extensions`` for programs; both go out in the response,
    so neither may hold a token or a stack trace.
    """

    code = "INTERNAL_SERVER_ERROR"

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.extensions: dict[str, Any] = {"code": self.code}
        self.extensions.update({k: v for k, v in details.items() if v is not None})


def beside(error: GatewayError, **details: Any) -> GatewayError:
    """A copy of ``error``, which others may share, with more ``details`` among its extensions."""
    copy = type(error).__new__(type(error), error.message)
    copy.__dict__.update(error.__dict__)
    copy.extensions = {**error.extensions, **details}
    return copy


class BadUserInput(GatewayError):
    """An argument of the caller breaks a rule; ``argument`` names it."""

    code = "BAD_USER_INPUT"

    def __init__(self, message: str, *, argument: str) -> None:
        super().__init__(f"{argument}: {message}", argument=argument)


class NotSupported(GatewayError):
    """The connected service does not have this field; nothing is sent for it."""

    code = "NOT_SUPPORTED"


class BudgetExceeded(GatewayError):
    """The operation needs more upstream requests than one operation may use."""

    code = "BUDGET_EXCEEDED"
