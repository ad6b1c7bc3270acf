"""Which token goes upstream, and whose it is."""

import hashlib
import re
from dataclasses import dataclass
from typing import Protocol

import jwt

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


def caller_name(token: str | None) -> str:
    """Who a log says has called: user and application of a token, never the token.

    The token's signature is not checked here; the service that takes it does that. A token that
    can't be read is told by a part of its hash.
    """
    if not token:
        return "anonymous"
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return f"token {hashlib.sha256(token.encode()).hexdigest()[:12]}"
    names = ("oid", "appid", "azp")
    known = [f"{name}:{claims[name]}" for name in names if _is_plain(claims.get(name))]
    return ",".join(known) or "unnamed"


def _is_plain(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9-]{1,64}", value) is not None
