"""The gateway's one error tree. Every error has a code, which responses carry in ``extensions``.

    GatewayError                    INTERNAL_SERVER_ERROR
    ├── RequestRefused              its own               the HTTP request is not executed
    ├── BadUserInput                BAD_USER_INPUT        an argument breaks a rule
    ├── NotSupported                NOT_SUPPORTED         the connected service lacks the field
    ├── BudgetExceeded              BUDGET_EXCEEDED       too much upstream for one operation
    ├── AnswerTooLarge              ANSWER_TOO_LARGE      too much in one answer
    └── GraphError                  UPSTREAM_ERROR        anything else the service answered
        ├── Unauthenticated         UNAUTHENTICATED       401
        │   └── ClaimsChallenge     UNAUTHENTICATED       the user must satisfy Conditional Access
        ├── Forbidden               FORBIDDEN             403
        ├── NotFound                NOT_FOUND             404, 410
        ├── Conflict                CONFLICT              409, 412
        ├── ChangeRefused           REFUSED               any other 4xx to a change
        ├── CursorExpired           CURSOR_EXPIRED        410 or 400 to the link of a page
        ├── Throttled               THROTTLED             429
        ├── UpstreamTimeout         UPSTREAM_TIMEOUT      504, time-outs, the operation's deadline
        └── UpstreamUnavailable     UPSTREAM_UNAVAILABLE  502, 503, connection errors

``extensions`` of a `GraphError` hold the service's status, code and request-id where there are any
(graph-lifecycle-api.md, section 7, Errors).
"""

from typing import Any, Self

LONGEST_CLAIMS = 4096
"""Characters of the claims of a challenge; longer ones would not fit into a header."""


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

    def copy(self) -> Self:
        """An equal error that was never raised.

        What raises an error leaves its frames in it, and with them all that they know, such as the
        caller and their token. So what is kept is a copy, and what is raised is a copy of that.
        """
        made = type(self).__new__(type(self), *self.args)
        made.__dict__.update(self.__dict__)
        return made


def beside(error: GatewayError, **details: Any) -> GatewayError:
    """A copy of ``error``, which others may share, with more ``details`` among its extensions."""
    copy = type(error).__new__(type(error), error.message)
    copy.__dict__.update(error.__dict__)
    copy.extensions = {**error.extensions, **details}
    return copy


class RequestRefused(GatewayError):
    """An HTTP request that is not executed; holds the status and the error of the response.

    Args:
        status: of the response.
        code: of the error.
        message: of the error; it names what to do.
        legacy_status: for clients that accept ``application/json`` only, where it differs.
        headers: of the response.
        details: of the error, beside the code.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        legacy_status: int | None = None,
        headers: dict[str, str] | None = None,
        **details: Any,
    ) -> None:
        self.code = code
        super().__init__(message, **details)
        self.status = status
        self.legacy_status = status if legacy_status is None else legacy_status
        self.headers = headers or {}

    @property
    def body(self) -> dict[str, Any]:
        """The body of the response."""
        return {"errors": [{"message": self.message, "extensions": self.extensions}]}


class DeclarationError(ValueError):
    """A declaration of the schema contradicts another one, or lacks something.

    Args:
        name: of the declaration: of a type, or ``Type.field``.
        problem: what is wrong with it, as the rest of a sentence that begins with the name.
    """

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name} {problem}")
        self.name = name


class BadUserInput(GatewayError):
    """An argument of the caller breaks a rule; ``argument`` names it."""

    code = "BAD_USER_INPUT"

    def __init__(self, message: str, *, argument: str) -> None:
        super().__init__(f"{argument}: {message}", argument=argument)


class NotSupported(GatewayError):
    """The connected service does not have this field; nothing is sent for it."""

    code = "NOT_SUPPORTED"


class BudgetExceeded(GatewayError):
    """The operation needs more upstream requests, or bytes, than one operation may use."""

    code = "BUDGET_EXCEEDED"


class AnswerTooLarge(GatewayError):
    """The answer would have more objects or bytes than one may have; nothing of it is written.

    Args:
        what: what there is too much of.
        limit: how many of it there may be.
        setting: that says so.
    """

    code = "ANSWER_TOO_LARGE"

    def __init__(self, what: str, *, limit: int, setting: str) -> None:
        super().__init__(
            f"the answer would have more than {limit} {what} (setting {setting}); "
            "ask for fewer rows or less of each",
            limit=limit,
            setting=setting,
        )


class GraphError(GatewayError):
    """The service answered something that can't be used."""

    code = "UPSTREAM_ERROR"


class Unauthenticated(GraphError):
    """The service does not accept the token."""

    code = "UNAUTHENTICATED"


class ClaimsChallenge(Unauthenticated):
    """The user must sign in again and satisfy a Conditional Access policy.

    ``extensions["claims"]`` is the JSON text of the claims to ask the token endpoint for.
    """

    def __init__(self, message: str, *, claims: str, **details: Any) -> None:
        super().__init__(message, claims=claims, **details)
        self.claims = claims


class Forbidden(GraphError):
    """The token or the caller lacks a permission, or the user a role."""

    code = "FORBIDDEN"


class NotFound(GraphError):
    """Nothing is at this address, or it is deleted."""

    code = "NOT_FOUND"


class Conflict(GraphError):
    """The state of the entity does not allow the change."""

    code = "CONFLICT"


class CursorExpired(GraphError):
    """The service does not take the link of a page any more, and the row was not found again."""

    code = "CURSOR_EXPIRED"


class ChangeRefused(GraphError):
    """The service refuses a change as it was asked for; its message says why."""

    code = "REFUSED"


class Throttled(GraphError):
    """The service still throttles after the last attempt."""

    code = "THROTTLED"


class UpstreamTimeout(GraphError):
    """No answer in time."""

    code = "UPSTREAM_TIMEOUT"


class UpstreamUnavailable(GraphError):
    """The service can't be reached or is out of order."""

    code = "UPSTREAM_UNAVAILABLE"


def without_frames(error: BaseException) -> None:
    """Take out of an error the frames that it went through, and those of the errors behind it."""
    pending: list[BaseException | None] = [error]
    seen: set[int] = set()
    while pending:
        behind = pending.pop()
        if behind is not None and id(behind) not in seen:
            seen.add(id(behind))
            pending += (behind.__cause__, behind.__context__, *getattr(behind, "exceptions", ()))
            behind.__traceback__ = behind.__context__ = None
