"""Who may ask, and as whom the gateway asks: what the settings say of it, made into its parts."""

import ssl
from pathlib import Path

from gateway.graph.caller import Permission
from gateway.graph.credentials import Credentials, Fixed, Passthrough
from gateway.graph.network import http_clients
from gateway.http.api_keys import ApiKeys, parse_keys
from gateway.http.identity import Anyone, Authenticator, Loopback, OwnToken, Proven, Roles
from gateway.http.tokens import SigningKeys, TokenVerifier
from gateway.settings import Settings, entries


def credentials_of(settings: Settings, tls: ssl.SSLContext | None = None) -> Credentials:
    """As whom the gateway asks the upstream that is set, or the sandbox.

    Args:
        settings: that were validated.
        tls: trusted by the connections to Microsoft Entra ID instead of the system's roots.
    """
    if settings.upstream_url is None:
        return Fixed("sandbox")
    if settings.credentials == "passthrough":
        return Passthrough()
    # azure-identity takes long to import, and neither passthrough nor the sandbox needs it.
    from gateway.graph.entra import AppCredentials, Identity, OnBehalfOf, authority_of, scope_of

    secret, certificate = settings.client_secret, settings.client_certificate
    kind = settings.identity_kind
    assert kind is not None  # noqa: S101 - the settings were validated
    identity = Identity(
        kind=kind,
        authority=settings.authority_url or authority_of(settings.upstream_url),
        tenant=settings.tenant_id or "",
        client=settings.client_id or "",
        secret=secret.get_secret_value() if secret else "",
        certificate=Path(certificate).read_bytes() if certificate else b"",
        token_file=settings.federated_token_file or "",
    )
    make = AppCredentials if settings.credentials == "app" else OnBehalfOf
    return make(identity, scope_of(settings.upstream_url), tls=tls)


def authenticator_of(
    settings: Settings, credentials: Credentials, tls: ssl.SSLContext | None = None
) -> Authenticator:
    """What tells who a caller is.

    Args:
        settings: that were validated.
        credentials: as whom the gateway asks upstream.
        tls: as for `credentials_of`.

    Raises:
        ValueError: callers need not prove who they are, and that is not allowed here.
    """
    if isinstance(credentials, Passthrough):
        return OwnToken()
    verifier = _verifier(settings, tls) if settings.audience else None
    keys = settings.api_keys
    known = ApiKeys(parse_keys(keys.get_secret_value())) if keys else None
    if verifier is not None or known is not None:
        roles = Roles(
            {
                Permission.READ: entries(settings.read_roles),
                Permission.CHANGE: entries(settings.change_roles),
            }
        )
        return Proven(verifier, roles, known, of_users=settings.credentials == "obo")
    if settings.insecure:
        return Loopback()
    if isinstance(credentials, Fixed):
        return Anyone()
    raise ValueError("callers must prove who they are")


def _verifier(settings: Settings, tls: ssl.SSLContext | None) -> TokenVerifier:
    from gateway.graph.entra import GLOBAL_AUTHORITY, authority_of

    upstream = settings.upstream_url
    default = authority_of(upstream) if upstream else GLOBAL_AUTHORITY
    tenant = settings.tenant_id or ""
    keys = SigningKeys(settings.authority_url or default, tenant, http_clients(tls))
    return TokenVerifier(keys, tenant, entries(settings.audience or ""))
