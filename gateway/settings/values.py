"""Values of settings that have rules of their own, as types."""

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr

from gateway.access.api_keys import parse_keys
from gateway.access.given import entries

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def members(annotation: Any) -> list[Any]:
    """The types, and the values of literals, of which an annotation allows any."""
    inner = get_args(annotation)
    return [part for member in inner for part in members(member)] if inner else [annotation]


def split(value: str | None) -> tuple[str, ...]:
    """The parts of a list with commas."""
    return tuple(part.strip() for part in (value or "").split(",") if part.strip())


def _version_root(value: str) -> str:
    url = urlsplit(value)
    rules = {
        "must begin with https:// or http://": url.scheme in ("http", "https"),
        "must name a host": bool(url.hostname),
        "must end in a version, such as /v1.0": bool(url.path.strip("/")),
        "has no user, password, query or fragment": not (
            url.username or url.password or url.query or url.fragment
        ),
    }
    if broken := [rule for rule, kept in rules.items() if not kept]:
        raise ValueError(broken[0])
    return value.rstrip("/")


def _guid(value: str) -> str:
    if _GUID.fullmatch(value.lower()) is None:
        raise ValueError("must be an id, such as 00000000-0000-0000-0000-000000000000")
    return value.lower()


def _token_host(value: str) -> str:
    url = urlsplit(value)
    if url.scheme != "https" or not url.hostname or url.path.strip("/") or url.query:
        raise ValueError("must be https:// and a host, such as https://login.microsoftonline.us")
    return f"https://{url.netloc}"


def _entries(value: str) -> str:
    if entries(value) == [""]:
        raise ValueError("must have an entry")
    return value


def _keys(value: SecretStr) -> SecretStr:
    parse_keys(value.get_secret_value())
    return value


def _certificate(value: str) -> str:
    # It takes long to import, and few need it.
    from azure.identity.aio import CertificateCredential

    try:
        CertificateCredential("tenant", "client", certificate_data=Path(value).read_bytes())
    except OSError as error:
        raise ValueError(f"{value} can't be read: {error.strerror}") from None
    except (ValueError, TypeError):  # TypeError: the key has a password.
        raise ValueError(
            f"{value} must hold a certificate and its RSA key, PEM or PKCS12, without a password"
        ) from None
    return value


def _origins(extra: Iterable[str] = ()) -> Callable[[str], str]:
    def check(value: str) -> str:
        for origin in split(value):
            if origin in extra:
                continue
            url = urlsplit(origin)
            bare = url.scheme in ("http", "https") and origin == f"{url.scheme}://{url.netloc}"
            if not (bare and url.hostname and url.username is None and url.port != 0):
                raise ValueError(
                    f"{origin} is no origin: https:// or http://, a host, perhaps a port"
                )
        return value

    return check


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _sandbox_time(value: str) -> str:
    try:
        known = value == "real" or datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        known = False
    if not known:
        raise ValueError("must be real, or a time with its offset such as 2026-06-30T12:00:00Z")
    return value


SandboxTime = Annotated[str, AfterValidator(_sandbox_time)]
VersionRoot = Annotated[str, AfterValidator(_version_root)]
Guid = Annotated[str, AfterValidator(_guid)]
TokenHost = Annotated[str, AfterValidator(_token_host)]
Entries = Annotated[str, AfterValidator(_entries)]
Keys = Annotated[SecretStr, AfterValidator(_keys)]
CertificateFile = Annotated[str, AfterValidator(_certificate)]
Origins = Annotated[str, AfterValidator(_origins())]
OriginsOrAll = Annotated[str, AfterValidator(_origins(("*",)))]
Level = Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)]
