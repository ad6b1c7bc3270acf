"""Settings: environment variables with the prefix GATEWAY_, a `.env` file, options of `serve`."""

from typing import Annotated
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
    projection: Annotated[
        bool,
        Field(description="Generated functions make the responses; answers are the same without."),
    ] = True
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

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, value: str) -> str:
        if value.lower() not in ("debug", "info", "warning", "error"):
            raise ValueError("must be debug, info, warning or error")
        return value.lower()
