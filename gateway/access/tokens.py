"""Proof by Microsoft Entra ID: what a caller's JWT must be like to count.

Issuer and keys come from the metadata of the tenant
(``{authority}/{tenant}/v2.0/.well-known/openid-configuration``), because in some clouds the issuer
is not the token host.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import jwt

from gateway.errors import RequestRefused

_log = logging.getLogger(__name__)

# Signatures only: a symmetric algorithm would take the public key for a shared secret.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
LEEWAY = 60.0
KEYS_FRESH = 3600.0
KEYS_KEPT = 86400.0
KEYS_COOLDOWN = 30.0
KEYS_RETRY = 5.0
LONGEST_TOKEN = 16384
SMALLEST_KEY = 2048
_ID_TOKEN_MARKS = frozenset(("nonce", "at_hash", "c_hash"))
MOST_KEYS = 100
_REQUIRED = ["exp", "nbf", "iat", "aud", "iss", "tid"]
_WRONG = (
    (jwt.ExpiredSignatureError, "it has expired"),
    (jwt.ImmatureSignatureError, "it is not valid yet"),
    (jwt.InvalidAudienceError, "it is for another audience"),
    (jwt.InvalidIssuerError, "it is of another issuer"),
    (jwt.InvalidAlgorithmError, "its algorithm is not allowed"),
    (jwt.InvalidSignatureError, "its signature is wrong"),
    (jwt.MissingRequiredClaimError, "a claim is missing"),
)


@dataclass(frozen=True, slots=True)
class _Trust:
    """The issuer that the authority published, and its keys by id."""

    issuer: str
    keys: Mapping[str, Any]
    since: float


class SigningKeys:
    """The issuer and the signing keys of a tenant, fetched when needed and kept.

    They are fetched again when they are an hour old, and when a token names a key that is not
    there, but not more often than every half minute, or every five seconds while that fails. While
    the authority can't be reached, known keys count for a day.

    Args:
        authority: the token host, such as ``https://login.microsoftonline.com``.
        tenant: the tenant's id.
        connect: makes the client that sends the requests.
        clock: seconds, of any origin.
    """

    def __init__(
        self,
        authority: str,
        tenant: str,
        connect: Callable[[], httpx.AsyncClient],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._metadata = f"{authority}/{tenant}/v2.0/.well-known/openid-configuration"
        self._tenant = tenant
        self._connect = connect
        self._clock = clock
        self._turn = asyncio.Lock()
        self._trust: _Trust | None = None
        self._tried: float | None = None
        self._failed = False

    async def key(self, kid: str) -> tuple[str, Any] | None:
        """The issuer and the key with this id; ``None`` if there is no such key.

        Raises:
            RequestRefused: 503, the key is not known and the authority can't be reached.
        """
        known = kid in self._known()
        if not known or (self._age() > KEYS_FRESH and not self._turn.locked()):
            async with self._turn:
                if self._age() > KEYS_FRESH or kid not in self._known():
                    await self._refresh()
        if kid in self._known() and self._trust is not None:
            return self._trust.issuer, self._trust.keys[kid]
        if self._failed:
            raise RequestRefused(
                503,
                "KEYS_UNAVAILABLE",
                "the keys that tokens are checked with can't be fetched; try again",
                headers={"Retry-After": str(math.ceil(KEYS_RETRY))},
            )
        return None

    def _age(self) -> float:
        return self._clock() - self._trust.since if self._trust is not None else float("inf")

    def _known(self) -> Mapping[str, Any]:
        return self._trust.keys if self._trust is not None and self._age() <= KEYS_KEPT else {}

    async def _refresh(self) -> None:
        now = self._clock()
        pause = KEYS_RETRY if self._failed else KEYS_COOLDOWN
        if self._tried is not None and now - self._tried < pause:
            return
        self._tried = now
        self._failed = True
        try:
            async with self._connect() as http:
                self._trust = await self._fetched(http, now)
            self._failed = False
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, jwt.PyJWTError) as problem:
            _log.warning("signing keys can't be fetched: %s", type(problem).__name__)

    async def _fetched(self, http: httpx.AsyncClient, now: float) -> _Trust:
        metadata = await _json(http, self._metadata)
        issuer, where = metadata.get("issuer"), metadata.get("jwks_uri")
        if not isinstance(issuer, str) or self._tenant not in issuer:
            raise ValueError("the metadata are not the tenant's")
        if not isinstance(where, str) or not where.startswith("https://"):
            raise ValueError("the metadata name no https address of keys")
        return _Trust(issuer, _rsa_keys(await _json(http, where)), now)


async def _json(http: httpx.AsyncClient, url: str) -> dict[str, Any]:
    response = await http.get(url, timeout=5.0)
    response.raise_for_status()
    content = response.json()
    if not isinstance(content, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - of the authority, not the caller
    return content


def _rsa_keys(content: Mapping[str, Any]) -> dict[str, Any]:
    """The usable keys of a JSON Web Key Set (RFC 7517), by id."""
    found: dict[str, Any] = {}
    for key in jwt.PyJWKSet.from_dict(dict(content)).keys:
        usable = key.key_type == "RSA" and key.public_key_use in (None, "sig")
        if usable and key.key_id and key.key.key_size >= SMALLEST_KEY and len(found) < MOST_KEYS:
            found[key.key_id] = key.key
    return found


@dataclass(frozen=True, slots=True)
class TokenVerifier:
    """Decides whether a JWT proves its bearer.

    Attributes:
        keys: of the tenant's authority.
        tenant: the tenant's id, which the token must be of.
        audiences: one of which it must be for.
    """

    keys: SigningKeys = field(repr=False)
    tenant: str
    audiences: Collection[str]

    async def claims(self, token: str) -> Mapping[str, Any]:
        """The claims of a token that counts.

        Raises:
            RequestRefused: 401, it does not; 503, nobody can tell now.
        """
        if len(token) > LONGEST_TOKEN:
            raise _not_accepted("it is too long")
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError:
            raise _not_accepted("it is no JSON Web Token") from None
        if header.get("alg") not in ALGORITHMS:
            raise _not_accepted("its algorithm is not allowed")
        kid = header.get("kid")
        found = await self.keys.key(kid) if isinstance(kid, str) else None
        if found is None:
            raise _not_accepted("its key is not one of the tenant's")
        issuer, key = found
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                audience=list(self.audiences),
                issuer=issuer,
                leeway=LEEWAY,
                options={"require": _REQUIRED},
            )
        except jwt.PyJWTError as problem:
            why = (text for kind, text in _WRONG if isinstance(problem, kind))
            raise _not_accepted(next(why, "it is not valid")) from None
        if str(claims["tid"]).lower() != self.tenant.lower():
            raise _not_accepted("it is of another tenant")
        return claims


def check_access(claims: Mapping[str, Any]) -> None:
    """Let the claims of an access token pass.

    An ID token of the same application has the same issuer, keys and audience, and the app roles
    of the user too; but it only tells a client who signed in. A user's access token is told by its
    scopes (``scp``), which no ID token has. One without scopes must be an application's: it bears
    no mark of an ID token (``nonce``, ``at_hash``, ``c_hash``: OpenID Connect Core 1.0, sections 2
    and 3.3.2.11), and names the client that it was issued to (``azp``; in version 1.0 ``appid``).

    Args:
        claims: of a token that was verified.

    Raises:
        RequestRefused: 401, it is an ID token.
    """
    scopes = claims.get("scp")
    if isinstance(scopes, str) and scopes.strip():
        return
    if _ID_TOKEN_MARKS & claims.keys() or not (claims.get("azp") or claims.get("appid")):
        raise _not_accepted("it is an ID token; send an access token, with scp or roles")


def _not_accepted(why: str) -> RequestRefused:
    return RequestRefused(
        401,
        "UNAUTHENTICATED",
        f"the token is not accepted: {why}",
        headers={"WWW-Authenticate": f'Bearer error="invalid_token", error_description="{why}"'},
    )
