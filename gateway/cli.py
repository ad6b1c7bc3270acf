"""The command line: serve · sandbox · schema · api-key · explain."""

import difflib
import gc
import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
import uvicorn
from graphql import (
    GraphQLError,
)
from pydantic import ValidationError
from uvicorn.supervisors import Multiprocess

from gateway import __version__
from gateway.access.api_keys import new_key
from gateway.access.caller import Permission
from gateway.access.identity import is_loopback
from gateway.app import check_way_out, create_app
from gateway.banner import banner, origin
from gateway.explaining import program_of, told
from gateway.http.persisted import read_manifest
from gateway.http.server import server_config
from gateway.sandbox import SandboxSettings, create_sandbox
from gateway.schema.build import build_schema
from gateway.schema.cache_keys import cache_keys
from gateway.settings import Settings

cli = typer.Typer(
    name="lifecycle-gateway",
    help="One GraphQL endpoint over the Microsoft Graph lifecycle workflows results.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

HostOption = Annotated[str, typer.Option(help="Address to listen on.")]
SizeOption = Annotated[int | None, typer.Option(min=1, help="How many there are.")]
PortOption = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 picks one.")]


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"lifecycle-gateway {__version__}")
        raise typer.Exit


@cli.callback()
def _options(
    _: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """One GraphQL endpoint over the Microsoft Graph lifecycle workflows results."""


def main() -> None:
    """Entry point of the console script."""
    cli()


def _fail(message: str) -> typer.Exit:
    typer.echo(message, err=True)
    return typer.Exit(2)


def application() -> Any:
    """The gateway for a server that imports it; settings come from the environment."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s")
    app = create_app(Settings())
    # Answers are large, short-lived and have no cycles: looking for cycles in them, and in all that
    # was made before, would take up to half of the time of a large one.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 20)
    return app


def _settings(given: dict[str, Any] | None = None) -> Settings:
    """Settings of the environment, with the given options on top; exported for workers."""
    given = given or {}
    try:
        settings = Settings(**{k: v for k, v in given.items() if v is not None})
    except ValidationError as error:
        rules = [
            ": ".join([*map(str, e["loc"]), e["msg"].removeprefix("Value error, ")])
            for e in error.errors()
        ]
        raise _fail("These settings are not valid:\n  " + "\n  ".join(rules)) from None
    for name in sorted(os.environ):
        setting = name.removeprefix("GATEWAY_").lower()
        if name.startswith("GATEWAY_") and setting not in (
            *Settings.model_fields,
            "build_explorer",
        ):
            typer.echo(f"{name} is no setting of the gateway.", err=True)
    for name, value in given.items():
        if value is not None:
            os.environ[f"GATEWAY_{name.upper()}"] = str(value)
    return settings


@cli.command()
def serve(
    context: typer.Context,
    host: HostOption = "127.0.0.1",
    port: PortOption = 8000,
    workers: Annotated[int, typer.Option(min=1, help="Worker processes.")] = 1,
    upstream_url: Annotated[
        str | None,
        typer.Option(help="Microsoft Graph version root; without it, the sandbox is used."),
    ] = None,
    sandbox_url: Annotated[
        str | None, typer.Option(help="Version root of a sandbox that runs elsewhere.")
    ] = None,
    credentials: Annotated[
        str | None, typer.Option(help="As whom the upstream is asked: passthrough, app or obo.")
    ] = None,
    tenant_id: Annotated[str | None, typer.Option(help="Id of the Entra tenant.")] = None,
    client_id: Annotated[str | None, typer.Option(help="Application id of the gateway.")] = None,
    client_certificate: Annotated[
        str | None, typer.Option(help="File with the application's certificate and key.")
    ] = None,
    identity: Annotated[
        str | None, typer.Option(help="secret, certificate, workload or managed.")
    ] = None,
    authority_url: Annotated[str | None, typer.Option(help="Token host of Entra.")] = None,
    audience: Annotated[
        str | None, typer.Option(help="Audiences that callers' tokens are for.")
    ] = None,
    read_roles: Annotated[str | None, typer.Option(help="Roles that may read results.")] = None,
    change_roles: Annotated[
        str | None, typer.Option(help="Roles that may change workflows.")
    ] = None,
    insecure: Annotated[
        bool | None, typer.Option(help="Let callers on this machine in without proof.")
    ] = None,
    operations_per_caller: Annotated[
        int | None, typer.Option(help="Operations of one caller in flight.")
    ] = None,
    requests_per_minute: Annotated[
        int | None, typer.Option(help="Upstream requests of one caller in a minute.")
    ] = None,
    cost: Annotated[
        str | None, typer.Option(help="What is spared: latency, balanced or quota.")
    ] = None,
    environment: Annotated[
        str | None, typer.Option(help="production or development: sets the next five.")
    ] = None,
    introspection: Annotated[bool | None, typer.Option(help="Let the schema be asked for.")] = None,
    explorer: Annotated[bool | None, typer.Option(help="Give browsers GraphiQL.")] = None,
    suggestions: Annotated[
        bool | None, typer.Option(help="Name in errors what may have been meant.")
    ] = None,
    timing: Annotated[bool | None, typer.Option(help="Tell how long the stages took.")] = None,
    plan: Annotated[bool | None, typer.Option(help="Tell the plan to who asks.")] = None,
    max_first: Annotated[int | None, typer.Option(help="Largest `first`.")] = None,
    deadline: Annotated[float | None, typer.Option(help="Seconds per operation.")] = None,
    max_upstream_requests: Annotated[
        int | None, typer.Option(help="Upstream requests per operation.")
    ] = None,
    max_upstream_bytes: Annotated[
        int | None, typer.Option(help="Bytes of the upstream that one operation may read.")
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option(help="HTTP requests upstream at once, per process.")
    ] = None,
    max_attempts: Annotated[int | None, typer.Option(help="Attempts of a request.")] = None,
    connect_timeout: Annotated[float | None, typer.Option(help="Seconds to connect.")] = None,
    read_timeout: Annotated[
        float | None, typer.Option(help="Seconds without a byte from the upstream.")
    ] = None,
    link_origins: Annotated[
        str | None, typer.Option(help="Origins that links to further pages may name.")
    ] = None,
    draft_methods: Annotated[
        bool | None, typer.Option(help="Offer the methods of the beta draft.")
    ] = None,
    allow_resume: Annotated[
        bool | None, typer.Option(help="Let task results that wait be resumed.")
    ] = None,
    max_body_bytes: Annotated[int | None, typer.Option(help="Bytes of a request.")] = None,
    max_uri_bytes: Annotated[int | None, typer.Option(help="Bytes of a request's address.")] = None,
    max_header_bytes: Annotated[
        int | None, typer.Option(help="Bytes of a request's headers.")
    ] = None,
    max_batch: Annotated[
        int | None, typer.Option(help="Operations in an array of requests; 0 for no arrays.")
    ] = None,
    max_operations: Annotated[
        int | None, typer.Option(help="Operations in flight, per process.")
    ] = None,
    max_tokens: Annotated[int | None, typer.Option(help="Tokens of a document.")] = None,
    max_depth: Annotated[int | None, typer.Option(help="Levels of fields.")] = None,
    max_recursion: Annotated[
        int | None, typer.Option(help="Times that a field is selected below itself.")
    ] = None,
    max_fields: Annotated[
        int | None, typer.Option(help="Fields, fragments counted at every spread.")
    ] = None,
    max_root_fields: Annotated[
        int | None, typer.Option(help="Fields of the operation itself.")
    ] = None,
    max_introspection_fields: Annotated[
        int | None, typer.Option(help="Fields in and below `__schema` and `__type`.")
    ] = None,
    max_aliases: Annotated[int | None, typer.Option(help="Aliases of a document.")] = None,
    max_directives: Annotated[int | None, typer.Option(help="Directives of a document.")] = None,
    max_fragment_spreads: Annotated[
        int | None, typer.Option(help="Spreads of named fragments.")
    ] = None,
    max_errors: Annotated[int | None, typer.Option(help="Errors that are listed.")] = None,
    max_answer_objects: Annotated[int | None, typer.Option(help="Objects of one answer.")] = None,
    max_answer_bytes: Annotated[int | None, typer.Option(help="Bytes of one answer.")] = None,
    persisted_queries: Annotated[
        int | None, typer.Option(help="Automatic persisted queries that are kept; 0 for none.")
    ] = None,
    trusted_documents: Annotated[
        Path | None, typer.Option(help="Manifest of the documents that can be named by id.")
    ] = None,
    trusted_documents_only: Annotated[
        bool | None, typer.Option(help="Refuse every other document.")
    ] = None,
    csrf_prevention: Annotated[
        bool | None, typer.Option(help="Refuse a GET that another site can have forged.")
    ] = None,
    cors_origins: Annotated[
        str | None, typer.Option(help="Origins that may call from a browser.")
    ] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning, error.")] = None,
) -> None:
    """Run the gateway. Each option is also a setting: GATEWAY_UPSTREAM_URL and so on."""
    given = context.params
    settings = _settings({name: given[name] for name in Settings.model_fields if name in given})
    if settings.insecure and not is_loopback(host):
        raise _fail(f"insecure: must listen on this machine alone, not on {host}")
    if settings.trusted_documents is not None:
        _readable(settings.trusted_documents)
    try:
        check_way_out(settings)
    except ValueError as error:
        raise _fail(str(error)) from None
    config = server_config(
        "gateway.cli:application",
        max_uri=settings.max_uri_bytes,
        max_header=settings.max_header_bytes,
        factory=True,
        host=host,
        port=port,
        workers=workers,
        log_level=settings.log_level,
        access_log=False,
    )
    listener = _listen(config)
    embedded = settings.upstream_url is None and settings.sandbox_url is None
    with _shared_sandbox(embedded and workers > 1):
        typer.echo(banner(settings, host, listener.getsockname()[1]))
        if workers > 1:
            Multiprocess(config, sockets=[listener]).run()
        else:
            uvicorn.Server(config).run(sockets=[listener])


def _readable(manifest: Path) -> None:
    try:
        read_manifest(manifest)
    except ValueError as error:
        raise _fail(str(error)) from None


def _listen(config: uvicorn.Config) -> socket.socket:
    """A socket that clients can connect to; a failure ends the command with the reason."""
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    listener = socket.socket(family=family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((config.host, config.port))
        listener.listen(config.backlog)
    except OSError as error:
        listener.close()
        raise _fail(
            f"Can't listen on {config.host}:{config.port}: {error.strerror}. Try another --port."
        ) from None
    listener.set_inheritable(True)
    return listener


@contextmanager
def _shared_sandbox(needed: bool) -> Iterator[None]:
    """A sandbox in a process of its own, so that all workers see the same state."""
    if not needed:
        yield
        return
    command = [sys.executable, "-m", "gateway", "sandbox", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        try:
            assert process.stdout is not None  # noqa: S101 - asked for above
            url = process.stdout.readline().rpartition(" ")[2].strip()
            _await_http(url)
            os.environ["GATEWAY_SANDBOX_URL"] = url
            yield
        finally:
            process.terminate()


def _await_http(url: str, seconds: float = 10.0) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            httpx.get(url, trust_env=False)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise _fail(f"The sandbox did not answer at {url}")


@cli.command()
def sandbox(
    host: HostOption = "127.0.0.1",
    port: PortOption = 8001,
    workflows: Annotated[int, typer.Option(help="Workflows.")] = 5,
    runs: Annotated[int, typer.Option(help="Runs per workflow.")] = 4,
    users: Annotated[int, typer.Option(help="Users per run.")] = 5,
    tasks: Annotated[int, typer.Option(help="Tasks per workflow.")] = 3,
    page_size: Annotated[int, typer.Option(help="Rows per page.")] = 100,
    latency_ms: Annotated[int, typer.Option(help="Milliseconds per HTTP request.")] = 0,
    seed: Annotated[int, typer.Option(help="Equal seeds give equal data.")] = 1,
    task_results_expand: Annotated[
        str, typer.Option(help="$expand=taskProcessingResults: refuse, ignore or accept.")
    ] = "refuse",
    select: Annotated[str, typer.Option(help="$select: accept, ignore or refuse.")] = "accept",
    draft_methods: Annotated[
        str, typer.Option(help="Methods of the beta draft: accept or refuse.")
    ] = "accept",
    moving: Annotated[bool, typer.Option(help="Keep one run in progress.")] = True,
) -> None:
    """Run the sandbox on a port of its own, for any client that speaks Microsoft Graph."""
    try:
        app = create_sandbox(
            SandboxSettings(
                workflows=workflows,
                runs=runs,
                users=users,
                tasks=tasks,
                page_size=page_size,
                latency_ms=latency_ms,
                seed=seed,
                task_results_expand=task_results_expand,  # type: ignore[arg-type]
                select=select,  # type: ignore[arg-type]
                draft_methods=draft_methods,  # type: ignore[arg-type]
                moving=moving,
            )
        )
    except ValueError as error:
        raise _fail(str(error)) from None
    config = uvicorn.Config(app, host=host, port=port, log_level="warning")
    listener = _listen(config)
    chosen = listener.getsockname()[1]
    typer.echo(f"Sandbox of Microsoft Graph lifecycle workflows at {origin(host, chosen)}/v1.0")
    sys.stdout.flush()
    uvicorn.Server(config).run(sockets=[listener])


@cli.command()
def schema(
    check: Annotated[
        Path | None, typer.Option(help="Compare with this file; fail with a diff.")
    ] = None,
    keys: Annotated[
        bool,
        typer.Option("--cache-keys", help="Print the keys of client caches instead, as a module."),
    ] = False,
) -> None:
    """Print the schema in the GraphQL definition language."""
    built = build_schema()
    sdl = cache_keys(built.core) if keys else built.sdl
    if check is None:
        typer.echo(sdl, nl=False)
        return
    try:
        saved = check.read_text(encoding="utf-8")
    except OSError as error:
        raise _fail(f"{check}: {error.strerror}") from None
    diff = difflib.unified_diff(
        saved.splitlines(keepends=True), sdl.splitlines(keepends=True), str(check), "schema"
    )
    if text := "".join(diff):
        typer.echo(text, nl=False)
        raise typer.Exit(1)


@cli.command()
def api_key(
    name: Annotated[str, typer.Argument(help="Whose key it is; logs show it.")],
    permission: Annotated[
        list[Permission], typer.Option(help="What it may do; repeat it for both.")
    ],
) -> None:
    """Print a new API key, and the entry of it for GATEWAY_API_KEYS."""
    try:
        key, entry = new_key(name, permission)
    except ValueError as error:
        raise _fail(str(error)) from None
    typer.echo(
        f"The key, for the caller; it is shown only now:\n  {key}\n"
        f"Its entry for GATEWAY_API_KEYS, where commas separate several:\n  {entry}"
    )


@cli.command()
def explain(
    file: Annotated[str, typer.Argument(help="File with an operation; - for standard input.")],
    operation: Annotated[str | None, typer.Option(help="Name of the operation.")] = None,
    variables: Annotated[str, typer.Option(help="Variables, as a JSON object.")] = "{}",
    beta: Annotated[
        bool | None, typer.Option(help="Plan for a beta root. By default as the upstream is.")
    ] = None,
    workflows: SizeOption = None,
    runs: SizeOption = None,
    users: SizeOption = None,
    tasks: SizeOption = None,
) -> None:
    """Print the plan of an operation without running it, with the settings of `serve`.

    With --workflows, --runs (of each), --users (of each run) or --tasks (of each user) it tells
    what it would cost there, each item of a $batch counted.
    """
    settings = _settings()
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise _fail(f"{file}: {error.strerror}") from None
    if beta is None:
        beta = (settings.upstream_url or settings.sandbox_url or "").endswith("/beta")
    sizes = (workflows, runs, users, tasks)
    try:
        program = program_of(text, operation, variables, settings, beta=beta)
    except GraphQLError as error:
        raise _fail(str(error)) from None
    typer.echo(told(program, settings, sizes if any(sizes) else None))
