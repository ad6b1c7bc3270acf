"""The list of all settings: what each means, what it is by default, and the rules between them."""

from dataclasses import fields
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from gateway.access.given import AccessSettings, Kind, Mode
from gateway.access.quota import IN_FLIGHT, PER_MINUTE
from gateway.answer.bounds import Bounds
from gateway.graph.client import CONCURRENCY, CONNECT_TIMEOUT, MAX_ATTEMPTS, READ_TIMEOUT
from gateway.http.server import LONGEST_URI
from gateway.settings.sources import PREFIX, Surroundings
from gateway.settings.values import (
    CertificateFile,
    Entries,
    Guid,
    Keys,
    Level,
    Origins,
    OriginsOrAll,
    SandboxTime,
    TokenHost,
    VersionRoot,
    members,
)

_BOUNDS = Bounds()


def setting(section: str, description: str, default: Any = None, **rules: Any) -> Any:
    """A field of `Settings`.

    Args:
        section: under which it is listed; those of one section stand together.
        description: in a sentence or several; options and tables show it.
        default: the value where none is given.
        rules: as for ``pydantic.Field``.
    """
    return Field(default, description=description, json_schema_extra={"section": section}, **rules)


class Settings(BaseSettings):
    """Every setting of the gateway; validated at start.

    Raises:
        SettingsError: a variable of the environment or the `.env` file is no setting, or the file
            of a secret can't be used.
        ValidationError: a value breaks a rule.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        hide_input_in_errors=True,  # They would quote every setting, the secrets among them.
    )

    upstream_url: VersionRoot | None = setting(
        "Upstream",
        "Microsoft Graph version root, such as https://graph.microsoft.com/v1.0. Without "
        "it, the sandbox is used.",
    )
    sandbox_url: VersionRoot | None = setting(
        "Upstream",
        "Version root of a sandbox that runs elsewhere; callers need no token. Without it, "
        "and without an upstream, a sandbox is embedded.",
    )
    sandbox_workflows: int = setting(
        "Sandbox", "Workflows of the embedded sandbox.", 5, ge=0, le=10_000
    )
    sandbox_runs: int = setting("Sandbox", "Runs of each workflow.", 4, ge=0, le=10_000)
    sandbox_users: int = setting("Sandbox", "Users of each run.", 5, ge=0, le=100_000)
    sandbox_tasks: int = setting("Sandbox", "Tasks of each workflow.", 3, ge=0, le=25)
    sandbox_seed: int = setting("Sandbox", "Equal seeds give equal data.", 1)
    sandbox_now: SandboxTime = setting(
        "Sandbox",
        "The time that its clock shows at the start, such as 2026-06-30T12:00:00Z; its runs lie in "
        "the days before. `real` is the time that it is.",
        "real",
    )
    cost: Literal["latency", "balanced", "quota"] = setting(
        "Upstream",
        "What is spared where an edge can be had in several ways: time (latency), batch "
        "items, which the service throttles (quota), or both (balanced).",
        "balanced",
    )
    concurrency: int = setting(
        "Upstream", "HTTP requests to the upstream at once, per process.", CONCURRENCY, ge=1
    )
    max_attempts: int = setting(
        "Upstream",
        "Attempts of a request that is throttled or fails by chance.",
        MAX_ATTEMPTS,
        ge=1,
    )
    connect_timeout: float = setting("Upstream", "Seconds to connect.", CONNECT_TIMEOUT, gt=0)
    read_timeout: float = setting(
        "Upstream", "Seconds without a byte from the upstream.", READ_TIMEOUT, gt=0
    )
    link_origins: Origins = setting(
        "Upstream",
        "Origins that links to further pages may name beside the upstream's own, with "
        "commas between them, as where the upstream is a proxy. All are followed on the "
        "upstream; the token goes nowhere else. By default the hosts of Microsoft Graph.",
        "https://graph.microsoft.com,https://graph.microsoft.us,https://dod-graph.microsoft.us,"
        "https://microsoftgraph.chinacloudapi.cn",
    )
    credentials: Mode = setting(
        "Access",
        "As whom the upstream is asked: the caller, by the token they send; the gateway's "
        "own app; or the user on whose behalf their token is exchanged.",
        "passthrough",
    )
    tenant_id: Guid | None = setting(
        "Access", "Id of the Entra tenant, of the gateway and of callers."
    )
    client_id: Guid | None = setting(
        "Access", "Application id of the gateway, or of a user-assigned managed identity."
    )
    client_secret: SecretStr | None = setting("Access", "Client secret of the application.")
    client_certificate: CertificateFile | None = setting(
        "Access",
        "File with a certificate of the application and its RSA key, PEM or PKCS12, without "
        "a password; instead of a secret.",
    )
    identity: Kind | None = setting(
        "Access",
        "What proves the application. By default the secret or the certificate, whichever is set.",
    )
    authority_url: TokenHost | None = setting(
        "Access", "Token host of Entra. By default that of the upstream's cloud."
    )
    audience: Entries | None = setting(
        "Access",
        "Audiences that callers' tokens are for; with it, Entra tokens of the tenant are "
        "taken. For tokens of version 2.0 it is the application id.",
    )
    read_roles: Entries = setting(
        "Access",
        "App roles, or `scp:` and a scope, that let a token's bearer read results.",
        "Results.Read",
    )
    change_roles: Entries = setting(
        "Access", "The same for changing workflows.", "Workflows.Change"
    )
    api_keys: Keys | None = setting(
        "Access", "API keys that are taken, as `lifecycle-gateway api-key` prints them."
    )
    insecure: bool = setting(
        "Access",
        "Whether callers on this machine, and no others, may use the gateway's own app "
        "without proof.",
        False,
    )
    environment: Literal["production", "development"] | None = setting(
        "Production",
        "production or development, which decides what the next five are by default: off in "
        "production. By default production in front of an upstream, development on a "
        "sandbox.",
    )
    introspection: bool | None = setting(
        "Production", "Whether the schema can be asked for. By default not in production."
    )
    explorer: bool | None = setting(
        "Production", "Whether browsers get GraphiQL. By default not in production."
    )
    suggestions: bool | None = setting(
        "Production", "Whether errors suggest names. By default not in production."
    )
    timing: bool | None = setting(
        "Production", "Whether answers have Server-Timing. By default not in production."
    )
    plan: bool | None = setting(
        "Production", "Whether answers can tell their plan; not in production."
    )
    draft_methods: bool = setting(
        "Schema",
        "Whether the schema has the methods of the beta draft, which the v1.0 service refuses.",
        True,
    )
    allow_resume: bool | None = setting(
        "Schema",
        "Whether task results that wait for a custom task extension may be resumed. By "
        "default only on the sandbox.",
    )
    max_first: int = setting("Schema", "Largest `first` of a connection.", 1000, ge=1)
    cursor_secret: SecretStr | None = setting(
        "Schema", "Signs cursors. Without it they are bound to the upstream's address only."
    )
    operations_per_caller: int | None = setting(
        "Callers",
        f"Operations of one caller in flight, per process. By default {IN_FLIGHT}, and any "
        "number on the sandbox.",
        ge=1,
    )
    requests_per_minute: int | None = setting(
        "Callers",
        "Upstream requests of one caller in a minute, per process; batch items count each. "
        f"By default {PER_MINUTE}, and any number on the sandbox.",
        ge=1,
    )
    max_operations: int = setting(
        "Operations", "Operations in flight, per process; more get 429 and Retry-After.", 100, ge=1
    )
    deadline: float = setting(
        "Operations", "Seconds that one operation may take upstream.", 60.0, gt=0
    )
    wait_timeout: float = setting(
        "Operations",
        "Seconds that `activateWorkflowAndWait` may wait for the end of the workflow, beside the "
        "deadline.",
        300.0,
        gt=0,
    )
    max_upstream_requests: int = setting(
        "Operations", "Upstream requests of one operation; batch items count each.", 5000, ge=1
    )
    max_upstream_bytes: int = setting(
        "Operations", "Bytes of the upstream that one operation may read.", 256_000_000, ge=1
    )
    max_errors: int = setting(
        "Operations",
        "Errors that one answer lists; the others are counted in one more.",
        _BOUNDS.errors,
        ge=1,
    )
    max_answer_objects: int = setting(
        "Operations",
        "Objects of one answer, each counted wherever it stands.",
        _BOUNDS.objects,
        ge=1,
    )
    max_answer_bytes: int = setting(
        "Operations",
        "Bytes of one answer, about: counted before it is written.",
        _BOUNDS.bytes,
        ge=1,
    )
    max_body_bytes: int = setting(
        "Requests", "Bytes of a request's body, or of its query string.", 1_000_000, ge=1
    )
    max_uri_bytes: int = setting(
        "Requests",
        "Bytes of a request's address: path and query string.",
        LONGEST_URI,
        ge=1,
        le=LONGEST_URI,
    )
    max_header_bytes: int = setting(
        "Requests", "Bytes of all headers of a request together.", 65_536, ge=1024
    )
    max_batch: int = setting(
        "Requests", "Operations in one array of requests; with 0 arrays are refused.", 0, ge=0
    )
    max_tokens: int = setting(
        "Documents", "Tokens of a document; comments count by themselves.", 5000, ge=1
    )
    max_depth: int = setting(
        "Documents", "Levels of fields of a document, below each other.", 30, ge=1, le=200
    )
    max_recursion: int = setting(
        "Documents", "Times that a field may be selected below itself.", 2, ge=0
    )
    max_fields: int = setting(
        "Documents", "Fields of an operation, with fragments counted at every spread.", 1000, ge=1
    )
    persisted_queries: int = setting(
        "Documents",
        "Automatic persisted queries that a process keeps; with 0 there are none.",
        1000,
        ge=0,
    )
    trusted_documents: Path | None = setting(
        "Documents",
        "Manifest of the documents that requests can name by id: a JSON object of ids to "
        "documents, or in Apollo's format.",
    )
    trusted_documents_only: bool = setting(
        "Documents", "Whether every document that is not in the manifest is refused.", False
    )
    csrf_prevention: bool = setting(
        "Browsers",
        "Whether a GET is refused that a page of another site can have made a browser send.",
        True,
    )
    cors_origins: OriginsOrAll | None = setting(
        "Browsers",
        "Origins whose pages may call from a browser, such as https://dashboard.example, "
        "with commas between them; `*` for all. None by default.",
    )
    log_level: Level = setting("Log", "debug, info, warning or error.", "info")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The sources of values; the first that has one decides."""
        assert isinstance(env_settings, EnvSettingsSource)  # noqa: S101 - as pydantic makes them
        assert isinstance(dotenv_settings, EnvSettingsSource)  # noqa: S101
        assert isinstance(init_settings, InitSettingsSource)  # noqa: S101
        given = init_settings.init_kwargs
        files = Surroundings(settings_cls, SECRETS, env_settings, dotenv_settings, given)
        return init_settings, files, env_settings, dotenv_settings

    @model_validator(mode="after")
    def _together(self) -> "Settings":
        """Check the rules between settings; the first broken one is told."""
        if self.upstream_url is not None and self.sandbox_url is not None:
            raise ValueError("GATEWAY_UPSTREAM_URL and GATEWAY_SANDBOX_URL exclude each other")
        if self.trusted_documents_only and self.trusted_documents is None:
            raise ValueError("GATEWAY_TRUSTED_DOCUMENTS_ONLY needs GATEWAY_TRUSTED_DOCUMENTS")
        self.access.check()
        return self

    @property
    def access(self) -> AccessSettings:
        """The settings of access."""
        given: dict[str, Any] = {
            field.name: getattr(self, field.name) for field in fields(AccessSettings)
        }
        for name, value in given.items():
            given[name] = value.get_secret_value() if isinstance(value, SecretStr) else value
        return AccessSettings(**given)

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


SECRETS = tuple(
    name for name, field in Settings.model_fields.items() if SecretStr in members(field.annotation)
)
"""The settings that are no options, and may be in files: GATEWAY_CLIENT_SECRET_FILE and so on."""
