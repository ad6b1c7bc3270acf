"""The parts of a list made of many that could not be read, and why."""

from dataclasses import dataclass, field
from itertools import zip_longest

from gateway.errors import GatewayError, GraphError
from gateway.odata.address import key_of
from gateway.plan.layout import ADDRESS, PARENT
from gateway.plan.rows import Row

MAX_TOLD = 100
"""The number of parts that one error tells of; `Connection.unread` has all of them."""
_MAX_NAMED = 10


@dataclass(slots=True)
class Unread:
    """The parts that could not be read.

    Attributes:
        names: the members of a part that tell the containers, outermost first.
        members: all that a part has, null where there is no such container.
        parts: each with the error of reading it.
        read: whether anything could be read.
    """

    names: list[str]
    members: tuple[str, ...] = ()
    parts: list[tuple[Row, GatewayError]] = field(default_factory=list)
    read: bool = False

    def add(self, error: GatewayError, container: Row | None = None) -> None:
        """Note that the rows below ``container``, or some, are missing."""
        keys: list[str | None] = []
        above = container
        while above is not None and ADDRESS in above:
            keys.insert(0, key_of(above))
            above = above.get(PARENT)
        part: Row = {**dict.fromkeys(self.members), **dict(zip_longest(self.names, keys))}
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
        names = [f"{self._named(part)}: {error.message}" for part, error in self.parts[:_MAX_NAMED]]
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

    def _named(self, part: Row) -> str:
        told = [f"{name.removesuffix('Id')} {part[name]}" for name in self.names if part[name]]
        return ", ".join(told) or f"further {self.names[0].removesuffix('Id')}s"
