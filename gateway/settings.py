"""Settings: environment variables with the prefix GATEWAY_, a `.env` file, options of `serve`."""

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Every setting of the gateway; validated at start."""

    model_config = SettingsConfigDict(
        env_prefix="GATEWAY_", env_file=".env", env_ignore_empty=True, extra="ignore"
    )

    upstream_url: Annotated[
        str | None,
        Field(
            description="Microsoft Graph version root, such as https://graph.microsoft.com/v1.0. "
            "The caller's own token is sent there. Without it, the sandbox is used."
        ),
    ] = None
    sandbox_url: Annotated[
        str | None,
        Field(
            description="Version root of a sandbox that runs elsewhere; callers need no token. "
            "Without it, and without an upstream, a sandbox is embedded."
        ),
    ] = None
    environment: Annotated[
        Literal["production", "development"] | None,
        Field(
            description="production or development, which decides what GATEWAY_INTROSPECTION, "
            "GATEWAY_EXPLORER and GATEWAY_SUGGESTIONS are by default: off in production. By "
            "default production in front of an upstream, development on a sandbox."
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
        Field(
            description="Whether errors name fields that may have been meant. By default not in "
            "production."
        ),
    ] = None
    max_first: Annotated[int, Field(ge=1, description="Largest `first` of a connection.")] = 1000
    deadline: Annotated[
        float, Field(gt=0, description="Seconds that one operation may take upstream.")
    ] = 60.0
    max_upstream_requests: Annotated[
        int,
        Field(ge=1, description="Upstream requests of one operation; batch items count each."),
    ] = 5000
    concurrency: Annotated[
        int, Field(ge=1, description="HTTP requests to the upstream at once, per process.")
    ] = 16
    max_attempts: Annotated[
        int, Field(ge=1, description="Attempts of a request that is throttled or cannot connect.")
    ] = 4
    connect_timeout: Annotated[float, Field(gt=0, description="Seconds to connect.")] = 5.0
    read_timeout: Annotated[
        float, Field(gt=0, description="Seconds without a byte from the upstream.")
    ] = 30.0
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
    max_batch: Annotated[
        int,
        Field(ge=0, description="Operations in one array of requests; with 0 arrays are refused."),
    ] = 0
    max_operations: Annotated[
        int,
        Field(ge=1, description="Operations in flight, per process; more get 503 and Retry-After."),
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
        broken = [rule for rule, kept in rules.items() if not kept]
        if broken:
            raise ValueError(broken[0])
        return value.rstrip("/")

    @model_validator(mode="after")
    def _one_upstream(self) -> "Settings":
        if self.upstream_url is not None and self.sandbox_url is not None:
            raise ValueError("upstream_url and sandbox_url exclude each other")
        return self

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, value: str | None) -> str | None:
        for origin in split(value):
            url = urlsplit(origin)
            bare = url.scheme in ("http", "https") and origin == f"{url.scheme}://{url.netloc}"
            if origin != "*" and not (bare and url.hostname and url.username is None):
                raise ValueError(
                    f"{origin} is no origin: https:// or http://, a host, perhaps a port"
                )
        return value

    @model_validator(mode="after")
    def _trusted(self) -> "Settings":
        if self.trusted_documents_only and self.trusted_documents is None:
            raise ValueError("trusted_documents_only needs trusted_documents")
        return self

    @property
    def development(self) -> bool:
        """Whether what helps to develop is on by default."""
        if self.environment is None:
            return self.upstream_url is None
        return self.environment == "development"

    @property
    def origins(self) -> tuple[str, ...]:
        """The origins of ``cors_origins``."""
        return split(self.cors_origins)

    def helps(self, name: Literal["introspection", "explorer", "suggestions"]) -> bool:
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
