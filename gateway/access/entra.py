"""Tokens from Microsoft Entra ID: the gateway's own, and those on behalf of a user.

Both come from azure-identity. Neither a token nor a description that the authority wrote leaves
this module: of a refusal, the AADSTS codes are told.
"""

import asyncio
import hashlib
import json
import logging
import re
import ssl
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from azure.core.credentials_async import AsyncSupportsTokenInfo
from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.core.pipeline.transport import AioHttpTransport
from azure.identity.aio import (
    CertificateCredential,
    ClientSecretCredential,
    ManagedIdentityCredential,
    OnBehalfOfCredential,
    WorkloadIdentityCredential,
)

from gateway.access.caller import Caller
from gateway.access.clouds import GLOBAL_AUTHORITY
from gateway.access.given import Kind
from gateway.errors import (
    LONGEST_CLAIMS,
    ClaimsChallenge,
    GraphError,
    Unauthenticated,
    UpstreamUnavailable,
)
from gateway.network import session_options, trusted

_log = logging.getLogger(__name__)

# The user can do something about these; anything else is wrong with the gateway's registration.
_OF_THE_USER = {"invalid_grant", "interaction_required", "login_required", "consent_required"}
_MOST_CODES = 5
_PATIENCE = {"retry_total": 2, "connection_timeout": 5, "read_timeout": 10}


@dataclass(frozen=True, slots=True)
class Identity:
    """The gateway's own identity in Microsoft Entra ID.

    Attributes:
        kind: what proves it: a client secret, a certificate, the token of a workload, or the
            platform's managed identity.
        authority: the token host, such as ``https://login.microsoftonline.com``.
        tenant: the tenant's id.
        client: the application's id; for a managed identity, that of a user-assigned one.
        secret: for ``secret``.
        certificate: for ``certificate``: PEM or PKCS12 with the private key, without a password.
        token_file: for ``workload``: the file with the workload's token.
    """

    kind: Kind
    authority: str = GLOBAL_AUTHORITY
    tenant: str = ""
    client: str = ""
    secret: str = field(default="", repr=False)
    certificate: bytes = field(default=b"", repr=False)
    token_file: str = ""

    def own(self, **pipeline: Any) -> AsyncSupportsTokenInfo:
        """The credential of the identity itself.

        Raises:
            ValueError: the certificate can't be used.
        """
        if self.kind == "managed":
            return ManagedIdentityCredential(client_id=self.client or None, **pipeline)
        pipeline["authority"] = self.authority
        if self.kind == "secret":
            return ClientSecretCredential(self.tenant, self.client, self.secret, **pipeline)
        if self.kind == "certificate":
            return CertificateCredential(
                self.tenant, self.client, certificate_data=self.certificate, **pipeline
            )
        return WorkloadIdentityCredential(
            tenant_id=self.tenant,
            client_id=self.client,
            token_file_path=self.token_file,
            **pipeline,
        )

    def on_behalf_of(self, assertion: str, **pipeline: Any) -> AsyncSupportsTokenInfo:
        """The credential that exchanges a user's token for the gateway; no managed identity can."""
        proof: dict[str, Any] = {"client_assertion_func": self._workload_token}
        if self.kind == "secret":
            proof = {"client_secret": self.secret}
        elif self.kind == "certificate":
            proof = {"client_certificate": self.certificate}
        return OnBehalfOfCredential(
            self.tenant,
            self.client,
            user_assertion=assertion,
            authority=self.authority,
            **proof,
            **pipeline,
        )

    def _workload_token(self) -> str:
        return Path(self.token_file).read_text(encoding="utf-8")


class _Source:
    """A credential that is asked by one operation at a time, so that a token is fetched once."""

    def __init__(self, credential: AsyncSupportsTokenInfo) -> None:
        self._credential = credential
        self._turn = asyncio.Lock()
        self.expires = time.time() + 60  # While there is no token yet.
        self.last: str | None = None

    async def token(self, scope: str) -> str:
        async with self._turn:
            found = await self._credential.get_token_info(scope)
        self.expires = found.expires_on
        self.last = found.token
        return found.token


class _Pipeline:
    """The HTTP connections to the authority, shared by all credentials."""

    def __init__(self, identity: Identity, tls: ssl.SSLContext | None) -> None:
        self._identity = identity
        self._tls = tls
        self._transport: AioHttpTransport | None = None

    def __call__(self) -> dict[str, Any]:
        if self._transport is None:
            # A managed identity is answered by the machine itself, which no proxy reaches.
            managed, authority = self._identity.kind == "managed", self._identity.authority
            session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=self._tls or trusted()),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                **({} if managed else session_options(authority)),
            )
            self._transport = AioHttpTransport(session=session)
        return {"transport": self._transport, **_PATIENCE}

    async def aclose(self) -> None:
        if self._transport is not None:
            await self._transport.close()
        self._transport = None


class AppCredentials:
    """The gateway's own token, for every caller.

    Args:
        identity: of the gateway.
        scope: of the token; see `gateway.access.clouds.scope_of`.
        tls: trusted instead of the system's roots.
    """

    def __init__(
        self, identity: Identity, scope: str, *, tls: ssl.SSLContext | None = None
    ) -> None:
        self._identity = identity
        self._scope = scope
        self._pipeline = _Pipeline(identity, tls)
        self._source: _Source | None = None

    async def token(self, caller: Caller) -> str:
        """See `Credentials.token`."""
        if self._source is None:
            self._source = _Source(self._identity.own(**self._pipeline()))
        try:
            return await self._source.token(self._scope)
        except ClientAuthenticationError as problem:
            raise _misconfigured(problem, _answer(problem)) from None
        except AzureError as problem:
            raise _unreachable(problem) from None

    def key(self, caller: Caller) -> str:
        """See `Credentials.key`."""
        return ""

    async def renew(self, caller: Caller, refused: str) -> str | None:
        """See `Credentials.renew`."""
        # The credential keeps its token, so a new one is asked; unless another operation was first.
        if self._source is not None and self._source.last == refused:
            self._source = None
        token = await self.token(caller)
        return token if token != refused else None

    async def aclose(self) -> None:
        """See `Credentials.aclose`."""
        self._source = None
        await self._pipeline.aclose()


class OnBehalfOf:
    """The caller's token for the gateway, exchanged for one that the service takes.

    An exchanged token is kept, by the hash of the token it was exchanged for, until it expires, and
    is thus never another caller's.

    Args:
        identity: of the gateway.
        scope: of the token; see `gateway.access.clouds.scope_of`.
        size: users' tokens that are kept; beyond it, the ones that were unused longest go.
        tls: trusted instead of the system's roots.
    """

    of_caller = True

    def __init__(
        self,
        identity: Identity,
        scope: str,
        *,
        size: int = 1000,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._identity = identity
        self._scope = scope
        self._size = size
        self._pipeline = _Pipeline(identity, tls)
        self._sources: OrderedDict[bytes, _Source] = OrderedDict()

    async def token(self, caller: Caller) -> str:
        """See `Credentials.token`.

        Raises:
            ClaimsChallenge: the user must satisfy a Conditional Access policy first.
        """
        if not caller.token:
            raise Unauthenticated("send a token for the gateway as 'Authorization: Bearer …'")
        try:
            return await self._source(caller.token).token(self._scope)
        except ClientAuthenticationError as problem:
            raise _refused(problem) from None
        except AzureError as problem:
            raise _unreachable(problem) from None

    def key(self, caller: Caller) -> str:
        """See `Credentials.key`."""
        return hashlib.sha256((caller.token or "").encode()).hexdigest()

    async def renew(self, caller: Caller, refused: str) -> str | None:
        """See `Credentials.renew`."""
        key = hashlib.sha256((caller.token or "").encode()).digest()
        if key in self._sources and self._sources[key].last == refused:
            del self._sources[key]
        token = await self.token(caller)
        return token if token != refused else None

    def _source(self, assertion: str) -> _Source:
        key = hashlib.sha256(assertion.encode()).digest()
        source = self._sources.get(key)
        if source is None:
            now = time.time()
            while self._sources and (
                len(self._sources) >= self._size or next(iter(self._sources.values())).expires < now
            ):
                self._sources.popitem(last=False)
            source = _Source(self._identity.on_behalf_of(assertion, **self._pipeline()))
            self._sources[key] = source
        self._sources.move_to_end(key)
        return source

    async def aclose(self) -> None:
        """See `Credentials.aclose`."""
        self._sources.clear()
        await self._pipeline.aclose()


def _answer(problem: ClientAuthenticationError) -> dict[str, Any]:
    """The JSON of the authority's refusal."""
    try:
        answer = json.loads(problem.response.text()) if problem.response is not None else {}
    except (ValueError, AzureError):
        answer = {}
    return answer if isinstance(answer, dict) else {}


def _codes(answer: dict[str, Any]) -> str:
    """The AADSTS codes of a refusal, such as ``AADSTS50076``."""
    found = re.findall(r"AADSTS\d{1,9}", str(answer.get("error_description", "")))
    return ", ".join(list(dict.fromkeys(found))[:_MOST_CODES]) or "no code"


def _refused(problem: ClientAuthenticationError) -> GraphError:
    answer = _answer(problem)
    codes, claims = _codes(answer), answer.get("claims")
    if isinstance(claims, str) and 0 < len(claims) <= LONGEST_CLAIMS:
        return ClaimsChallenge(
            f"Microsoft Entra ID wants more proof of the user ({codes}); "
            "get a new token with the claims of this error",
            claims=claims,
            serviceCode=codes,
        )
    if answer.get("error") in _OF_THE_USER:
        return Unauthenticated(
            f"Microsoft Entra ID gives no token on behalf of this user ({codes}); "
            "sign in again, or have the permissions consented to",
            serviceCode=codes,
        )
    return _misconfigured(problem, answer)


def _misconfigured(problem: ClientAuthenticationError, answer: dict[str, Any]) -> GraphError:
    codes = _codes(answer)
    status = problem.status_code or 0
    passing = answer.get("error") in ("temporarily_unavailable", "server_error")
    if passing or status == 429 or status >= 500:
        _log.warning("Microsoft Entra ID is out of order (%s)", codes)
        return UpstreamUnavailable("Microsoft Entra ID is out of order", serviceCode=codes)
    _log.error("Microsoft Entra ID gives no token to the gateway's own identity (%s)", codes)
    return GraphError(
        f"Microsoft Entra ID gives no token to the gateway's own identity ({codes})",
        serviceCode=codes,
    )


def _unreachable(problem: AzureError) -> GraphError:
    _log.warning("Microsoft Entra ID can't be reached: %s", type(problem).__name__)
    return UpstreamUnavailable("Microsoft Entra ID can't be reached")
