"""Runs the gateway."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import httpx
import typer
import uvicorn
from uvicorn.supervisors import Multiprocess

from gateway.app import SANDBOX
from gateway.banner import banner
from gateway.checks import findings
from gateway.commands.listening import listen
from gateway.commands.options import HostOption, PortOption, with_settings
from gateway.commands.telling import failure, settings_or_end
from gateway.http.server import server_config
from gateway.settings import Settings
from gateway.settings.sources import variable


@with_settings
def serve(
    host: HostOption = "127.0.0.1",
    port: PortOption = 8000,
    workers: Annotated[int, typer.Option(min=1, help="Worker processes.")] = 1,
    **given: Any,
) -> None:
    """Run the gateway. Each option below is also a setting: GATEWAY_UPSTREAM_URL and so on."""
    settings = settings_or_end(given)
    for finding in findings(settings, host):
        if finding.is_wrong:
            raise failure(finding.told)
    # Workers read the settings anew.
    for name, value in given.items():
        if value is not None:
            os.environ[variable(name)] = str(value)
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
    listener = listen(config)
    embedded = settings.upstream_url is None and settings.sandbox_url is None
    with _shared_sandbox(settings, embedded and workers > 1):
        typer.echo(banner(settings, host, listener.getsockname()[1]))
        if workers > 1:
            Multiprocess(config, sockets=[listener]).run()
        else:
            uvicorn.Server(config).run(sockets=[listener])


@contextmanager
def _shared_sandbox(settings: Settings, needed: bool) -> Iterator[None]:
    """A sandbox in a process of its own, so that all workers see the same state."""
    if not needed:
        yield
        return
    options = (f"--{name}={getattr(settings, f'sandbox_{name}')}" for name in SANDBOX)
    command = [sys.executable, "-m", "gateway", "sandbox", "--port", "0", *options]
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
    raise failure(f"The sandbox did not answer at {url}")
