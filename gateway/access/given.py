"""The settings that say who may ask and as whom the gateway asks, and what makes them safe."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from gateway.access.clouds import GLOBAL_AUTHORITY, authority_of
from gateway.access.identity import is_loopback

Mode = Literal["passthrough", "app", "obo"]
Kind = Literal["secret", "certificate", "workload", "managed"]


def entries(text: str) -> list[str]:
    """The entries of a setting that is a list: separated by commas or white space."""
    return re.split(r"[\s,]+", text.strip(" \t\r\n,"))


@dataclass(frozen=True, slots=True)
class AccessSettings:
    """The settings of access; each attribute is the value of the setting of its name."""

    upstream_url: str | None
    credentials: Mode
    tenant_id: str | None
    client_id: str | None
    client_secret: str | None = field(repr=False)
    client_certificate: str | None
    identity: Kind | None
    authority_url: str | None
    audience: str | None
    read_roles: str
    change_roles: str
    api_keys: str | None = field(repr=False)
    insecure: bool

    @property
    def kind(self) -> Kind | None:
        """The proof of the gateway's application; ``None`` where it can't be told which."""
        if self.identity is not None:
            return self.identity
        if (self.client_secret is None) == (self.client_certificate is None):
            return None
        return "secret" if self.client_secret is not None else "certificate"

    @property
    def authority(self) -> str:
        """The token host: the one that is set, else that of the upstream's cloud."""
        default = authority_of(self.upstream_url) if self.upstream_url else GLOBAL_AUTHORITY
        return self.authority_url or default

    @property
    def token_file(self) -> str | None:
        """The workload's token, where the platform says it is (AKS workload identity)."""
        return os.environ.get("AZURE_FEDERATED_TOKEN_FILE")

    def check(self) -> None:
        """Find out whether the settings are safe with each other.

        Raises:
            ValueError: they are not; the first broken rule is told.
        """
        for broken, rule in self._rules():
            if broken:
                raise ValueError(rule)

    def _rules(self) -> Iterator[tuple[bool, str]]:
        mode, upstream = self.credentials, self.upstream_url
        proof = self.audience is not None or self.api_keys is not None
        if mode == "passthrough":
            yield (
                proof or self.insecure,
                "GATEWAY_AUDIENCE, GATEWAY_API_KEYS and GATEWAY_INSECURE need "
                "GATEWAY_CREDENTIALS=app or obo; with passthrough the service itself judges the "
                "caller's token",
            )
            return
        yield (
            self.audience is not None and not self.tenant_id,
            "GATEWAY_AUDIENCE needs GATEWAY_TENANT_ID",
        )
        yield (
            self.insecure and proof,
            "GATEWAY_INSECURE contradicts GATEWAY_AUDIENCE and GATEWAY_API_KEYS",
        )
        if mode == "obo":
            yield from self._rules_of_users()
        if upstream is None:
            return
        yield (
            not proof and not self.insecure,
            f"GATEWAY_CREDENTIALS={mode} lets callers use the gateway's own app, so they must "
            "prove who they are: set GATEWAY_AUDIENCE or GATEWAY_API_KEYS (or GATEWAY_INSECURE, "
            "for this machine alone)",
        )
        yield from self._rules_of_identity(upstream)

    def _rules_of_users(self) -> Iterator[tuple[bool, str]]:
        mode = "GATEWAY_CREDENTIALS=obo"
        yield (
            self.upstream_url is None,
            f"{mode} needs GATEWAY_UPSTREAM_URL; the sandbox has no users",
        )
        yield self.audience is None, f"{mode} needs GATEWAY_AUDIENCE: the gateway's own"
        yield (
            self.api_keys is not None,
            f"GATEWAY_API_KEYS can't be used with {mode}: they are no users",
        )
        yield self.insecure, f"GATEWAY_INSECURE can't be used with {mode}: nobody is no user"
        yield self.identity == "managed", f"GATEWAY_IDENTITY=managed can't be used with {mode}"

    def _rules_of_identity(self, upstream: str) -> Iterator[tuple[bool, str]]:
        url, kind = urlsplit(upstream), self.kind
        yield (
            url.scheme != "https" and not is_loopback(url.hostname or ""),
            "GATEWAY_UPSTREAM_URL must begin with https://, because the gateway's own token goes "
            "there",
        )
        yield (
            kind is None,
            f"GATEWAY_CREDENTIALS={self.credentials} needs one of GATEWAY_CLIENT_SECRET and "
            "GATEWAY_CLIENT_CERTIFICATE, or GATEWAY_IDENTITY to say which",
        )
        yield (
            kind == "secret" and self.client_secret is None,
            "GATEWAY_IDENTITY=secret needs GATEWAY_CLIENT_SECRET",
        )
        yield (
            kind == "certificate" and self.client_certificate is None,
            "GATEWAY_IDENTITY=certificate needs GATEWAY_CLIENT_CERTIFICATE",
        )
        yield (
            kind == "workload" and not self.token_file,
            "GATEWAY_IDENTITY=workload needs AZURE_FEDERATED_TOKEN_FILE, which the platform sets",
        )
        yield (
            kind != "managed" and not (self.tenant_id and self.client_id),
            f"GATEWAY_IDENTITY={kind} needs GATEWAY_TENANT_ID and GATEWAY_CLIENT_ID",
        )
