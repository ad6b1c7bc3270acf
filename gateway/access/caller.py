"""Who asks, and what they may do here."""

from dataclasses import dataclass, field
from enum import StrEnum

from gateway.errors import Forbidden


class Permission(StrEnum):
    """The permissions that the gateway distinguishes; the service may allow less."""

    READ = "read"
    CHANGE = "change"

    @property
    def label(self) -> str:
        """The words of people for it."""
        return "read results" if self is Permission.READ else "change workflows"


EVERYTHING = frozenset(Permission)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent an operation.

    Attributes:
        name: for logs; never a secret.
        permissions: what the gateway lets them do.
        token: the bearer token they showed, if any.
        account: whose limits the operation counts against; not forgeable, unlike ``name`` where
            the service alone checks the token.
    """

    name: str
    permissions: frozenset[Permission]
    token: str | None = field(default=None, repr=False)
    account: str = ""

    def require(self, permission: Permission) -> None:
        """Check that the caller has a permission.

        Raises:
            Forbidden: they do not.
        """
        if permission not in self.permissions:
            raise Forbidden(
                f'this needs the permission "{permission.label}", which you do not have here',
                permission=permission.value,
            )


ANONYMOUS = Caller("anonymous", EVERYTHING)
