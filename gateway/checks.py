"""Checks before the gateway starts: files, proxies, needs of credentials and callers.

`serve` starts only if nothing of it is wrong; `check` tells all of it. Nothing is sent.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway.access.api_keys import parse_keys
from gateway.access.identity import is_loopback
from gateway.access.setup import authenticator_of, credentials_of
from gateway.app import check_way_out
from gateway.errors import DeclarationError
from gateway.http.persisted import read_manifest
from gateway.network import proxy_for
from gateway.schema.build import build_schema
from gateway.settings import Settings
from gateway.settings.sources import variable

_PROOFS = {
    "secret": "its client secret",
    "certificate": "its certificate",
    "workload": "the token of its workload",
    "managed": "its managed identity",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding about one subject, in words without secrets."""

    subject: str
    told: str
    is_wrong: bool = False


def findings(settings: Settings, host: str) -> Iterator[Finding]:
    """Look at a gateway before it starts; gives one finding for each subject.

    Args:
        settings: that are valid.
        host: that is listened on.
    """
    subjects: dict[str, Callable[[Settings], str]] = {
        "settings": _given,
        "upstream": _upstream,
        "way out": _way_out,
        "credentials": _credentials,
        "callers": lambda given: _callers(given, host),
        "trusted documents": _documents,
        "schema": _schema,
    }
    for subject, told in subjects.items():
        try:
            finding = Finding(subject, told(settings))
        except ValueError as error:
            finding = Finding(subject, str(error), is_wrong=True)
        yield finding


def _given(settings: Settings) -> str:
    names = sorted(settings.model_fields_set)
    return ", ".join(map(variable, names)) or "none is set"


def _upstream(settings: Settings) -> str:
    if settings.upstream_url is not None:
        return settings.upstream_url
    return f"the sandbox at {settings.sandbox_url}" if settings.sandbox_url else "the sandbox"


def _way_out(settings: Settings) -> str:
    check_way_out(settings)
    url = settings.upstream_url or settings.sandbox_url
    proxy = proxy_for(url) if url is not None else None
    return f"by the proxy {proxy.url}" if proxy is not None else "without a proxy"


def _credentials(settings: Settings) -> str:
    access = settings.access
    credentials_of(access)
    if access.upstream_url is None:
        return "none are needed for the sandbox"
    if access.credentials == "passthrough":
        return "the caller's own token"
    if access.kind == "workload":
        _read("AZURE_FEDERATED_TOKEN_FILE", access.token_file or "")
    whose = "a token on behalf of the user" if access.credentials == "obo" else "the gateway's own"
    return f"{whose}, from {access.authority} by {_PROOFS[access.kind or '']}"


def _read(name: str, path: str) -> None:
    """Find out whether a file has a token.

    Raises:
        ValueError: it can't be read, or is empty.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise ValueError(f"{name}: {path} can't be read: {error.strerror}") from None
    if not content.strip():
        raise ValueError(f"{name}: {path} is empty")


def _callers(settings: Settings, host: str) -> str:
    access = settings.access
    if access.insecure and not is_loopback(host):
        raise ValueError(
            f"GATEWAY_INSECURE: must listen on this machine alone, not on {host} (--host)"
        )
    authenticator_of(access, credentials_of(access))
    if access.upstream_url is not None and access.credentials == "passthrough":
        return "whoever the upstream lets in"
    ways = [f"bearers of a token for {access.audience}"] if access.audience else []
    if access.api_keys is not None:
        names = ", ".join(key.name for key in parse_keys(access.api_keys))
        ways.append(f"holders of the API keys {names}")
    if access.insecure:
        return "anyone on this machine"
    return " and ".join(ways) or "anyone, on the sandbox"


def _documents(settings: Settings) -> str:
    path = settings.trusted_documents
    if path is None:
        return "there is no manifest"
    try:
        documents = read_manifest(path)
    except ValueError as error:
        raise ValueError(f"GATEWAY_TRUSTED_DOCUMENTS: {error}") from None
    others = "no other is executed" if settings.trusted_documents_only else "others are too"
    return f"{len(documents)} in {path} are executed; {others}"


def _schema(settings: Settings) -> str:
    try:
        model = build_schema(draft_methods=settings.draft_methods).model
    except DeclarationError as error:
        raise ValueError(f"its declarations contradict each other: {error}") from None
    return f"{sum(1 for _ in model)} types of the service hold together"
