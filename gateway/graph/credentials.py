"""Which token goes upstream."""

from dataclasses import dataclass
from typing import Protocol

from gateway.graph.errors import Unauthenticated


class Credentials(Protocol):
    """Turns what the caller showed into the token that Microsoft Graph sees."""

    async def token(self, caller: str | None) -> str:
        """The bearer token to send upstream.

        Args:
            caller: the caller's own bearer token, if it sent one.

        Raises:
            Unauthenticated: the caller has to show a token and did not.
        """


class Passthrough:
    """The caller's own token, unchanged: never cached, never shared, never logged."""

    async def token(self, caller: str | None) -> str:
        """See `Credentials.token`."""
        if not caller:
            raise Unauthenticated("send a Microsoft Graph token as 'Authorization: Bearer …'")
        return caller


@dataclass(frozen=True, slots=True)
class Fixed:
    """One token for everyone; the sandbox takes any."""

    value: str

    async def token(self, caller: str | None) -> str:
        """See `Credentials.token`."""
        return self.value
