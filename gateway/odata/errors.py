"""The root of the gateway's one error tree, and the errors that need no upstream.

    GatewayError
    ├── BadUserInput            BAD_USER_INPUT
    ├── BudgetExceeded          BUDGET_EXCEEDED
    ├── NotSupported            NOT_SUPPORTED
    ├── AnswerTooLarge          ANSWER_TOO_LARGE
    └── GraphError              UPSTREAM_ERROR; graph.errors.* below it say what was answered

Every error carries ``extensions`` with a ``code``; GraphQL copies them to the response.
"""

from typing import Any, Self


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


class GraphError(GatewayError):
    """The service answered something that can't be used."""

    code = "UPSTREAM_ERROR"


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
