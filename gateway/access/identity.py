"""Who asks: each kind of proof that the gateway takes, as an authenticator."""

import hashlib
import ipaddress
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from starlette.requests import Request

from gateway.access.api_keys import ApiKeys
from gateway.access.caller import ANONYMOUS, EVERYTHING, Caller, Permission
from gateway.access.credentials import caller_name, name_of_claims
from gateway.access.tokens import TokenVerifier, check_access
from gateway.errors import RequestRefused

API_KEY_HEADER = "X-API-Key"
# RFC 7239, RFC 9110 section 7.6.3, and what proxies and content delivery networks add of their own.
_PROXY_HEADERS = frozenset(
    (
        "forwarded",
        "via",
        "x-real-ip",
        "x-client-ip",
        "x-cluster-client-ip",
        "x-original-forwarded-for",
        "x-original-host",
        "x-envoy-external-address",
        "true-client-ip",
        "cf-connecting-ip",
        "fastly-client-ip",
    )
)
_LONGEST_NAME = 64
_BEARER = re.compile(r"Bearer +([A-Za-z0-9\-._~+/]+=*)", re.IGNORECASE)


def bearer_token(request: Request) -> str | None:
    """The bearer token of a request (RFC 6750, section 2.1), if it carries a well-formed one."""
    match = _BEARER.fullmatch(request.headers.get("authorization", "").strip())
    return match.group(1) if match else None


def _bearer(token: str) -> Caller:
    account = f"token:{hashlib.sha256(token.encode()).hexdigest()}"
    return Caller(caller_name(token), EVERYTHING, token, account)


class Authenticator(Protocol):
    """Tells who sent a request."""

    async def caller(self, request: Request) -> Caller:
        """The caller.

        Raises:
            RequestRefused: they do not prove themselves.
        """


class Anyone:
    """Everyone may do everything: for the sandbox, which judges the token of those who have one."""

    async def caller(self, request: Request) -> Caller:
        """See `Authenticator.caller`."""
        token = bearer_token(request)
        return ANONYMOUS if token is None else _bearer(token)


class Loopback:
    """Everyone on this machine may do everything, and nobody else anything.

    The Host header counts too: a page of another site whose name was made to lead here would
    otherwise be on this machine as well. So does every header that a proxy adds: whoever it speaks
    for is somewhere else.
    """

    async def caller(self, request: Request) -> Caller:
        """See `Authenticator.caller`."""
        ends = (request.scope.get("client"), request.scope.get("server"))
        hosts = [end[0] if end else "" for end in ends]
        if not all(map(is_loopback, [*hosts, request.url.hostname or ""])):
            raise RequestRefused(403, "FORBIDDEN", "the gateway is open to this machine only")
        forwarded = next(filter(_is_of_a_proxy, request.headers), None)
        if forwarded is not None:
            raise RequestRefused(
                403,
                "FORBIDDEN",
                "the gateway is open to this machine only, and the request was forwarded: it has "
                f"the header '{forwarded[:_LONGEST_NAME]}'",
            )
        return ANONYMOUS


def _is_of_a_proxy(header: str) -> bool:
    return header in _PROXY_HEADERS or header.startswith("x-forwarded")


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only be this machine."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


class OwnToken:
    """The caller's token is for the service, which alone judges it."""

    async def caller(self, request: Request) -> Caller:
        """See `Authenticator.caller`."""
        token = bearer_token(request)
        if token is None:
            raise _unproven("send a Microsoft Graph token as 'Authorization: Bearer …'")
        return _bearer(token)


@dataclass(frozen=True, slots=True)
class Roles:
    """The app roles and scopes that give a permission.

    An entry is an app role (claim ``roles``), or ``scp:`` and a scope (claim ``scp``). They are
    kept apart because a scope says what the user's client may do, not what the user may.
    """

    entries: Mapping[Permission, Collection[str]]

    def permissions(self, claims: Mapping[str, Any]) -> frozenset[Permission]:
        """The permissions of a token's claims."""
        roles, scopes = claims.get("roles"), claims.get("scp")
        held = (
            {role for role in roles if isinstance(role, str)} if isinstance(roles, list) else set()
        )
        held = {role for role in held if not role.startswith("scp:")}
        if isinstance(scopes, str):
            held |= {f"scp:{scope}" for scope in scopes.split()}
        return frozenset(p for p, wanted in self.entries.items() if held.intersection(wanted))


class Proven:
    """The caller proves to be known: by a token of Microsoft Entra ID, or by an API key.

    Args:
        verifier: judges tokens; without it, none is taken.
        roles: say what the bearer of a token may do.
        keys: the known API keys, if any.
        of_users: whether a token must be a user's, as for an exchange on their behalf.
    """

    def __init__(
        self,
        verifier: TokenVerifier | None,
        roles: Roles,
        keys: ApiKeys | None = None,
        *,
        of_users: bool = False,
    ) -> None:
        self._verifier = verifier
        self._roles = roles
        self._keys = keys
        self._of_users = of_users
        ways = ["'Authorization: Bearer …'"] if verifier else []
        ways += [f"'{API_KEY_HEADER}: …'"] if keys else []
        self._ways = " or ".join(ways)

    async def caller(self, request: Request) -> Caller:
        """See `Authenticator.caller`."""
        shown = request.headers.get(API_KEY_HEADER)
        if self._keys is not None and shown is not None:
            if "authorization" in request.headers:
                raise RequestRefused(400, "BAD_REQUEST", "send a token or an API key, not both")
            key = self._keys.find(shown)
            if key is None:
                raise _unproven("the API key is not known")
            return Caller(f"key:{key.name}", key.permissions, None, f"key:{key.name}")
        token = bearer_token(request)
        if self._verifier is None or token is None:
            raise _unproven(f"prove who you are with {self._ways}")
        claims = await self._verifier.claims(token)
        check_access(claims)
        if self._of_users and not isinstance(claims.get("scp"), str):
            raise RequestRefused(
                403, "FORBIDDEN", "the token is an application's; a user's is needed"
            )
        who = name_of_claims(claims)
        return Caller(who, self._roles.permissions(claims), token, f"entra:{_subject(claims)}")


def _subject(claims: Mapping[str, Any]) -> str:
    return str(claims.get("oid") or claims.get("sub") or claims.get("azp"))


def _unproven(message: str) -> RequestRefused:
    return RequestRefused(401, "UNAUTHENTICATED", message, headers={"WWW-Authenticate": "Bearer"})
