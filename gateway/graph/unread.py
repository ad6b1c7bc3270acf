"""What of a list that is made of many could not be read, and why."""

from dataclasses import dataclass, field

from gateway.errors import GatewayError, GraphError
from gateway.odata.address import key_of
from gateway.plan.layout import ADDRESS, PARENT
from gateway.plan.rows import Row

MAX_TOLD = 100
"""How many parts one error tells of; `Connection.unread` has all of them."""
_MAX_NAMED = 10


@dataclass(slots=True)
class Unread:
    """The parts that could not be read.

    Attributes:
        parts: each with the error of reading it.
        read: whether anything could be read.
    """

    parts: list[tuple[Row, GatewayError]] = field(default_factory=list)
    read: bool = False

    def add(self, error: GatewayError, container: Row | None = None) -> None:
        """Note that the rows below ``container`` (a workflow, a run), or some, are missing."""
        part: Row = {"workflowId": None, "runId": None}
        if container is not None:
            above = container.get(PARENT) or {}
            key = key_of(container)
            of_run = ADDRESS in above
            part = {
                "workflowId": key_of(above) if of_run else key,
                "runId": key if of_run else None,
            }
        self.parts.append((part, error.with_traceback(None)))

    def raise_if_nothing_was_read(self) -> None:
        """Raise the first error if there is nothing beside errors."""
        if self.parts and not self.read:
            raise self.parts[0][1]

    def rows(self) -> list[Row]:
        """The rows of `Connection.unread`."""
        return [
            {**part, "code": error.extensions["code"], "message": error.message}
            for part, error in self.parts
        ]

    def error(self) -> GatewayError:
        """One error for all parts; its code is theirs if they have one in common."""
        codes = {str(error.extensions["code"]) for _, error in self.parts}
        names = [f"{_named(part)}: {error.message}" for part, error in self.parts[:_MAX_NAMED]]
        if len(self.parts) > _MAX_NAMED:
            names.append(f"and {len(self.parts) - _MAX_NAMED} more")
        return GraphError(
            f"some results could not be read: {'; '.join(names)}",
            code=codes.pop() if len(codes) == 1 else GraphError.code,
            unread=[
                {**part, "message": error.message, **error.extensions}
                for part, error in self.parts[:MAX_TOLD]
            ],
            leftOut=max(0, len(self.parts) - MAX_TOLD) or None,
        )


def _named(part: Row) -> str:
    names = (("workflow", part["workflowId"]), ("run", part["runId"]))
    return ", ".join(f"{kind} {id_}" for kind, id_ in names if id_) or "further workflows"
