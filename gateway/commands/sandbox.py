"""Runs the sandbox alone."""

import sys
from typing import Annotated

import typer
import uvicorn

from gateway.banner import origin
from gateway.commands.listening import listen
from gateway.commands.options import HostOption, PortOption
from gateway.commands.telling import failure
from gateway.sandbox import SandboxSettings, create_sandbox

_DEFAULT = SandboxSettings()


def sandbox(
    host: HostOption = "127.0.0.1",
    port: PortOption = 8001,
    workflows: Annotated[int, typer.Option(help="Workflows.")] = _DEFAULT.workflows,
    runs: Annotated[int, typer.Option(help="Runs per workflow.")] = _DEFAULT.runs,
    users: Annotated[int, typer.Option(help="Users per run.")] = _DEFAULT.users,
    tasks: Annotated[int, typer.Option(help="Tasks per workflow.")] = _DEFAULT.tasks,
    page_size: Annotated[int, typer.Option(help="Rows per page.")] = _DEFAULT.page_size,
    latency_ms: Annotated[
        float, typer.Option(help="Milliseconds per HTTP request.")
    ] = _DEFAULT.latency_ms,
    seed: Annotated[int, typer.Option(help="Equal seeds give equal data.")] = _DEFAULT.seed,
    task_results_expand: Annotated[
        str, typer.Option(help="$expand=taskProcessingResults: refuse, ignore or accept.")
    ] = _DEFAULT.task_results_expand,
    select: Annotated[
        str, typer.Option(help="$select: accept, ignore or refuse.")
    ] = _DEFAULT.select,
    draft_methods: Annotated[
        str, typer.Option(help="Methods of the beta draft: accept or refuse.")
    ] = _DEFAULT.draft_methods,
    moving: Annotated[bool, typer.Option(help="Keep one run in progress.")] = _DEFAULT.moving,
    now: Annotated[
        str, typer.Option(help="What the clock shows at the start: a time, or real.")
    ] = "real",
) -> None:
    """Run the sandbox on a port of its own.

    Any client that speaks Microsoft Graph can ask it.
    """
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
                now=now,
            )
        )
    except ValueError as error:
        raise failure(str(error)) from None
    config = uvicorn.Config(app, host=host, port=port, log_level="warning")
    listener = listen(config)
    chosen = listener.getsockname()[1]
    typer.echo(f"Sandbox of Microsoft Graph lifecycle workflows at {origin(host, chosen)}/v1.0")
    typer.echo(
        "It takes any token; a JWT, signed or not, whose claims scp or roles hold permissions of\n"
        "Microsoft Graph may do what these allow, any other may do all."
    )
    sys.stdout.flush()
    uvicorn.Server(config).run(sockets=[listener])
