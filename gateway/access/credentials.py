"""Credentials: the token that goes upstream, and whose it is."""

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import jwt

from gateway.access.caller import Caller
from gateway.errors import GatewayError, Unauthenticated


class Credentials(Protocol):
    """Turns what the caller showed into the token that Microsoft Graph sees."""

    async def token(self, caller: Caller) -> str:
        """The bearer token to send upstream for ``caller``.

        Raises:
            Unauthenticated: the caller has to show a token and did not, or a better one.
            GraphError: there is no token to be had.
        """

    def key(self, caller: Caller) -> str:
        """The mark of the credential that `token` gives: a name or a hash, never a token."""

    async def renew(self, caller: Caller, refused: str) -> str | None:
        """Another token than ``refused``, which the service does not accept.

        ``None`` where there is no other: the caller's own, or when the same is given again.

        Raises:
            GraphError: there is no token to be had.
        """

    async def aclose(self) -> None:
        """Close what is held open."""


class Passthrough:
    """The caller's own token, unchanged: never cached, never shared, never logged."""

    of_caller = True

    async def token(self, caller: Caller) -> str:
        """See `Credentials.token`."""
        if not caller.token:
            raise Unauthenticated("send a Microsoft Graph token as 'Authorization: Bearer …'")
        return caller.token

    def key(self, caller: Caller) -> str:
        """See `Credentials.key`."""
        return hashlib.sha256((caller.token or "").encode()).hexdigest()

    async def renew(self, caller: Caller, refused: str) -> str | None:
        """See `Credentials.renew`."""
        return None

    async def aclose(self) -> None:
        """See `Credentials.aclose`."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """One token for everyone; the sandbox takes any.

    A caller's own goes instead where ``value`` is for those who have none: so one can try on the
    sandbox what a token with few permissions sees.
    """

    value: str = field(repr=False)
    of_caller: bool = False

    async def token(self, caller: Caller) -> str:
        """See `Credentials.token`."""
        return (caller.token if self.of_caller else None) or self.value

    def key(self, caller: Caller) -> str:
        """See `Credentials.key`."""
        return caller.account if self.of_caller else ""

    async def renew(self, caller: Caller, refused: str) -> str | None:
        """See `Credentials.renew`."""
        return None

    async def aclose(self) -> None:
        """See `Credentials.aclose`."""


class Renewal:
    """The other token of one operation, which is fetched at most once.

    Args:
        fetch: gives another token than the one that was refused, as `Credentials.renew` does.
    """

    def __init__(self, fetch: Callable[[str], Awaitable[str | None]]) -> None:
        self._fetch = fetch
        self._fetching: asyncio.Future[str | None] | None = None
        self.token: str | None = None

    async def instead_of(self, refused: str) -> str | None:
        """The other token; ``None`` if there is none, or if it is the one that was refused."""
        if self._fetching is None:
            self._fetching = asyncio.ensure_future(self._fetched(refused))
        # Others of the operation wait for it too.
        token = await asyncio.shield(self._fetching)
        return token if token != refused else None

    async def _fetched(self, refused: str) -> str | None:
        try:
            self.token = await self._fetch(refused)
        except GatewayError:
            return None
        return self.token


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
        return f"token:{hashlib.sha256(token.encode()).hexdigest()[:12]}"
    return name_of_claims(claims)


def name_of_claims(claims: Mapping[str, Any]) -> str:
    """Who a log says has called: the user and the application that a token's claims name."""
    names = ("oid", "appid", "azp")
    known = [f"{name}:{claims[name]}" for name in names if _is_plain(claims.get(name))]
    return ",".join(known) or "unnamed"


def _is_plain(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9-]{1,64}", value) is not None
