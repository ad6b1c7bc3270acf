"""Settings: environment variables with the prefix GATEWAY_, a `.env` file, options of `serve`."""

import re
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from gateway.access.api_keys import parse_keys
from gateway.access.given import AccessSettings, Kind, Mode, entries

LONGEST_URI = 65_535
"""Bytes of an address that httptools, which reads the requests, can take apart."""

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Settings(BaseSettings):
    """Every setting of the gateway; validated at start."""

    model_config = SettingsConfigDict(
        env_prefix="GATEWAY_",
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        hide_input_in_errors=True,  # They would quote every setting, the secrets among them.
    )

    upstream_url: Annotated[
        str | None,
        Field(
            description="Microsoft Graph version root, such as https://graph.microsoft.com/v1.0. "
            "Without it, the sandbox is used."
        ),
    ] = None
    sandbox_url: Annotated[
        str | None,
        Field(
            description="Version root of a sandbox that runs elsewhere; callers need no token. "
            "Without it, and without an upstream, a sandbox is embedded."
        ),
    ] = None
    credentials: Annotated[
        Mode,
        Field(
            description="As whom the upstream is asked: the caller, by the token they send; the "
            "gateway's own app; or the user on whose behalf their token is exchanged."
        ),
    ] = "passthrough"
    tenant_id: Annotated[
        str | None, Field(description="Id of the Entra tenant, of the gateway and of callers.")
    ] = None
    client_id: Annotated[
        str | None,
        Field(description="Application id of the gateway, or of a user-assigned managed identity."),
    ] = None
    client_secret: Annotated[
        SecretStr | None, Field(description="Client secret of the application.")
    ] = None
    client_certificate: Annotated[
        str | None,
        Field(
            description="File with a certificate of the application and its RSA key, PEM or "
            "PKCS12, without a password; instead of a secret."
        ),
    ] = None
    identity: Annotated[
        Kind | None,
        Field(
            description="What proves the application. By default the secret or the certificate, "
            "whichever is set."
        ),
    ] = None
    authority_url: Annotated[
        str | None,
        Field(description="Token host of Entra. By default that of the upstream's cloud."),
    ] = None
    audience: Annotated[
        str | None,
        Field(
            description="Audiences that callers' tokens are for; with it, Entra tokens of the "
            "tenant are taken. For tokens of version 2.0 it is the application id."
        ),
    ] = None
    read_roles: Annotated[
        str,
        Field(
            description="App roles, or `scp:` and a scope, that let a token's bearer read results."
        ),
    ] = "Results.Read"
    change_roles: Annotated[str, Field(description="The same for changing workflows.")] = (
        "Workflows.Change"
    )
    api_keys: Annotated[
        SecretStr | None,
        Field(description="API keys that are taken, as `lifecycle-gateway api-key` prints them."),
    ] = None
    insecure: Annotated[
        bool,
        Field(
            description="Whether callers on this machine, and no others, may use the gateway's "
            "own app without proof."
        ),
    ] = False
    operations_per_caller: Annotated[
        int | None,
        Field(
            ge=1,
            description="Operations of one caller in flight, per process. By default 32, and any "
            "number on the sandbox.",
        ),
    ] = None
    requests_per_minute: Annotated[
        int | None,
        Field(
            ge=1,
            description="Upstream requests of one caller in a minute, per process; batch items "
            "count each. By default 20000, and any number on the sandbox.",
        ),
    ] = None
    cost: Annotated[
        Literal["latency", "balanced", "quota"],
        Field(
            description="What is spared where an edge can be had in several ways: time (latency), "
            "batch items, which the service throttles (quota), or both (balanced)."
        ),
    ] = "balanced"
    environment: Annotated[
        Literal["production", "development"] | None,
        Field(
            description="production or development, which decides what the five after it are by "
            "default: off in production. By default production in front of an upstream, "
            "development on a sandbox."
        ),
    ] = None
    introspection: Annotated[
        bool | None,
        Field(description="Whether the schema can be asked for. By default not in production."),
    ] = None
    explorer: Annotated[
        bool | None,
        Field(description="Whether browsers get GraphiQL. By default not in production."),
    ] = None
    suggestions: Annotated[
        bool | None,
        Field(description="Whether errors suggest names. By default not in production."),
    ] = None
    timing: Annotated[
        bool | None,
        Field(description="Whether answers have Server-Timing. By default not in production."),
    ] = None
    plan: Annotated[
        bool | None, Field(description="Whether answers can tell their plan; not in production.")
    ] = None
    max_first: Annotated[int, Field(ge=1, description="Largest `first` of a connection.")] = 1000
    deadline: Annotated[
        float, Field(gt=0, description="Seconds that one operation may take upstream.")
    ] = 60.0
    max_upstream_requests: Annotated[
        int,
        Field(ge=1, description="Upstream requests of one operation; batch items count each."),
    ] = 5000
    max_upstream_bytes: Annotated[
        int, Field(ge=1, description="Bytes of the upstream that one operation may read.")
    ] = 256_000_000
    concurrency: Annotated[
        int, Field(ge=1, description="HTTP requests to the upstream at once, per process.")
    ] = 16
    max_attempts: Annotated[
        int, Field(ge=1, description="Attempts of a request that is throttled or fails by chance.")
    ] = 4
    connect_timeout: Annotated[float, Field(gt=0, description="Seconds to connect.")] = 5.0
    read_timeout: Annotated[
        float, Field(gt=0, description="Seconds without a byte from the upstream.")
    ] = 30.0
    link_origins: Annotated[
        str,
        Field(
            description="Origins that links to further pages may name beside the upstream's own, "
            "with commas between them, as where the upstream is a proxy. All are followed on the "
            "upstream; the token goes nowhere else. By default the hosts of Microsoft Graph."
        ),
    ] = (
        "https://graph.microsoft.com,https://graph.microsoft.us,https://dod-graph.microsoft.us,"
        "https://microsoftgraph.chinacloudapi.cn"
    )
    cursor_secret: Annotated[
        SecretStr | None,
        Field(
            description="Signs cursors. Without it they are bound to the upstream's address only."
        ),
    ] = None
    draft_methods: Annotated[
        bool,
        Field(
            description="Whether the schema has the methods of the beta draft, which the v1.0 "
            "service refuses."
        ),
    ] = True
    allow_resume: Annotated[
        bool | None,
        Field(
            description="Whether task results that wait for a custom task extension may be "
            "resumed. By default only on the sandbox."
        ),
    ] = None
    max_body_bytes: Annotated[
        int, Field(ge=1, description="Bytes of a request's body, or of its query string.")
    ] = 1_000_000
    max_uri_bytes: Annotated[
        int,
        Field(
            ge=1,
            le=LONGEST_URI,
            description="Bytes of a request's address: path and query string.",
        ),
    ] = LONGEST_URI
    max_header_bytes: Annotated[
        int, Field(ge=1024, description="Bytes of all headers of a request together.")
    ] = 65_536
    max_batch: Annotated[
        int,
        Field(ge=0, description="Operations in one array of requests; with 0 arrays are refused."),
    ] = 0
    max_operations: Annotated[
        int,
        Field(ge=1, description="Operations in flight, per process; more get 429 and Retry-After."),
    ] = 100
    max_tokens: Annotated[
        int, Field(ge=1, description="Tokens of a document; comments count by themselves.")
    ] = 5000
    max_depth: Annotated[
        int, Field(ge=1, le=200, description="Levels of fields of a document, below each other.")
    ] = 30
    max_recursion: Annotated[
        int, Field(ge=0, description="Times that a field may be selected below itself.")
    ] = 2
    max_fields: Annotated[
        int,
        Field(ge=1, description="Fields of an operation, with fragments counted at every spread."),
    ] = 1000
    max_root_fields: Annotated[
        int, Field(ge=1, description="Fields of the operation itself, counted in the same way.")
    ] = 100
    max_introspection_fields: Annotated[
        int,
        Field(ge=1, description="Fields in and below `__schema` and `__type`, counted likewise."),
    ] = 300
    max_aliases: Annotated[int, Field(ge=0, description="Aliases of a document.")] = 250
    max_directives: Annotated[int, Field(ge=0, description="Directives of a document.")] = 250
    max_fragment_spreads: Annotated[
        int, Field(ge=0, description="Spreads of named fragments in a document.")
    ] = 250
    max_errors: Annotated[
        int,
        Field(
            ge=1, description="Errors that one answer lists; the others are counted in one more."
        ),
    ] = 100
    max_answer_objects: Annotated[
        int, Field(ge=1, description="Objects of one answer, each counted wherever it stands.")
    ] = 1_000_000
    max_answer_bytes: Annotated[
        int, Field(ge=1, description="Bytes of one answer, about: counted before it is written.")
    ] = 256_000_000
    persisted_queries: Annotated[
        int,
        Field(
            ge=0,
            description="Automatic persisted queries that a process keeps; with 0 there are none.",
        ),
    ] = 1000
    trusted_documents: Annotated[
        Path | None,
        Field(
            description="Manifest of the documents that requests can name by id: a JSON object of "
            "ids to documents, or in Apollo's format."
        ),
    ] = None
    trusted_documents_only: Annotated[
        bool, Field(description="Whether every document that is not in the manifest is refused.")
    ] = False
    csrf_prevention: Annotated[
        bool,
        Field(
            description="Whether a GET is refused that a page of another site can have made a "
            "browser send."
        ),
    ] = True
    cors_origins: Annotated[
        str | None,
        Field(
            description="Origins whose pages may call from a browser, such as "
            "https://dashboard.example, with commas between them; `*` for all. None by default."
        ),
    ] = None
    log_level: Annotated[str, Field(description="debug, info, warning or error.")] = "info"

    @field_validator("upstream_url", "sandbox_url")
    @classmethod
    def _version_root(cls, value: str | None) -> str | None:
        if value is None:
            return None
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

    @model_validator(mode="after")
    def _one_upstream(self) -> "Settings":
        if self.upstream_url is not None and self.sandbox_url is not None:
            raise ValueError("GATEWAY_UPSTREAM_URL and GATEWAY_SANDBOX_URL exclude each other")
        return self

    @field_validator("tenant_id", "client_id")
    @classmethod
    def _guid(cls, value: str | None) -> str | None:
        if value is not None and _GUID.fullmatch(value.lower()) is None:
            raise ValueError("must be an id, such as 00000000-0000-0000-0000-000000000000")
        return value.lower() if value is not None else None

    @field_validator("authority_url")
    @classmethod
    def _token_host(cls, value: str | None) -> str | None:
        if value is None:
            return None
        url = urlsplit(value)
        if url.scheme != "https" or not url.hostname or url.path.strip("/") or url.query:
            raise ValueError(
                "must be https:// and a host, such as https://login.microsoftonline.us"
            )
        return f"https://{url.netloc}"

    @field_validator("read_roles", "change_roles", "audience")
    @classmethod
    def _entries(cls, value: str | None) -> str | None:
        if value is not None and entries(value) == [""]:
            raise ValueError("must have an entry")
        return value

    @field_validator("api_keys")
    @classmethod
    def _keys(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            parse_keys(value.get_secret_value())
        return value

    @field_validator("client_certificate")
    @classmethod
    def _certificate(cls, value: str | None) -> str | None:
        if value is None:
            return None
        # It takes long to import, and few need it.
        from azure.identity.aio import CertificateCredential

        try:
            CertificateCredential("tenant", "client", certificate_data=Path(value).read_bytes())
        except OSError as error:
            raise ValueError(f"can't be read: {error.strerror}") from None
        except (ValueError, TypeError):  # TypeError: the key has a password.
            raise ValueError(
                "must hold a certificate and its RSA key, PEM or PKCS12, without a password"
            ) from None
        return value

    @property
    def access(self) -> AccessSettings:
        """The settings of access."""
        given: dict[str, Any] = {
            field.name: getattr(self, field.name) for field in fields(AccessSettings)
        }
        for name, value in given.items():
            given[name] = value.get_secret_value() if isinstance(value, SecretStr) else value
        return AccessSettings(**given)

    @model_validator(mode="after")
    def _together(self) -> "Settings":
        """What settings need of each other to be safe; the first broken rule is told."""
        if self.trusted_documents_only and self.trusted_documents is None:
            raise ValueError("GATEWAY_TRUSTED_DOCUMENTS_ONLY needs GATEWAY_TRUSTED_DOCUMENTS")
        self.access.check()
        return self

    @field_validator("cors_origins", "link_origins")
    @classmethod
    def _origins(cls, value: str | None, info: ValidationInfo) -> str | None:
        for origin in split(value):
            if origin == "*" and info.field_name == "cors_origins":
                continue
            url = urlsplit(origin)
            bare = url.scheme in ("http", "https") and origin == f"{url.scheme}://{url.netloc}"
            if not (bare and url.hostname and url.username is None and url.port != 0):
                raise ValueError(
                    f"{origin} is no origin: https:// or http://, a host, perhaps a port"
                )
        return value

    @property
    def development(self) -> bool:
        """Whether what helps to develop is on by default."""
        if self.environment is None:
            return self.upstream_url is None
        return self.environment == "development"

    def helps(
        self, name: Literal["introspection", "explorer", "suggestions", "timing", "plan"]
    ) -> bool:
        """Whether something that helps to develop is on."""
        value: bool | None = getattr(self, name)
        return self.development if value is None else value

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, value: str) -> str:
        if value.lower() not in ("debug", "info", "warning", "error"):
            raise ValueError("must be debug, info, warning or error")
        return value.lower()


def split(value: str | None) -> tuple[str, ...]:
    """The parts of a list with commas."""
    return tuple(part.strip() for part in (value or "").split(",") if part.strip())
