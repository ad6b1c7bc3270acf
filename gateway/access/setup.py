"""Makes of the settings of access its parts: credentials and authenticators."""

import ssl
from collections.abc import Callable
from pathlib import Path

import httpx

from gateway.access.api_keys import ApiKeys, parse_keys
from gateway.access.caller import Permission
from gateway.access.clouds import scope_of
from gateway.access.credentials import Credentials, Fixed, Passthrough
from gateway.access.given import AccessSettings, entries
from gateway.access.identity import Anyone, Authenticator, Loopback, OwnToken, Proven, Roles
from gateway.access.tokens import SigningKeys, TokenVerifier
from gateway.network import http_clients


def credentials_of(access: AccessSettings, tls: ssl.SSLContext | None = None) -> Credentials:
    """As whom the gateway asks the upstream that is set, or the sandbox.

    Args:
        access: settings that were checked.
        tls: trusted by the connections to Microsoft Entra ID instead of the system's roots.
    """
    if access.upstream_url is None:
        return Fixed("sandbox", of_caller=not (access.audience or access.api_keys))
    if access.credentials == "passthrough":
        return Passthrough()
    # azure-identity takes long to import, and neither passthrough nor the sandbox needs it.
    from gateway.access.entra import AppCredentials, Identity, OnBehalfOf

    kind, certificate = access.kind, access.client_certificate
    assert kind is not None  # noqa: S101 - the settings were checked
    identity = Identity(
        kind=kind,
        authority=access.authority,
        tenant=access.tenant_id or "",
        client=access.client_id or "",
        secret=access.client_secret or "",
        certificate=Path(certificate).read_bytes() if certificate else b"",
        token_file=access.token_file or "",
    )
    make = AppCredentials if access.credentials == "app" else OnBehalfOf
    return make(identity, scope_of(access.upstream_url), tls=tls)


def authenticator_of(
    access: AccessSettings, credentials: Credentials, tls: ssl.SSLContext | None = None
) -> Authenticator:
    """The authenticator, which tells who a caller is.

    Args:
        access: settings that were checked.
        credentials: as whom the gateway asks upstream.
        tls: as for `credentials_of`.

    Raises:
        ValueError: callers need not prove who they are, and that is not allowed here.
    """
    if isinstance(credentials, Passthrough):
        return OwnToken()
    verifier = _verifier(access, http_clients(tls)) if access.audience else None
    known = ApiKeys(parse_keys(access.api_keys)) if access.api_keys else None
    if verifier is not None or known is not None:
        roles = Roles(
            {
                Permission.READ: entries(access.read_roles),
                Permission.CHANGE: entries(access.change_roles),
            }
        )
        return Proven(verifier, roles, known, of_users=access.credentials == "obo")
    if access.insecure:
        return Loopback()
    if isinstance(credentials, Fixed):
        return Anyone()
    raise ValueError("callers must prove who they are")


def _verifier(access: AccessSettings, connect: Callable[[], httpx.AsyncClient]) -> TokenVerifier:
    tenant = access.tenant_id or ""
    keys = SigningKeys(access.authority, tenant, connect)
    return TokenVerifier(keys, tenant, entries(access.audience or ""))
