"""Processes of the benchmarks: sandbox, gateway and scripts, each on its own.

CPU time and memory are read from /proc, so this needs Linux.
"""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson

from benchmarks.shapes import Shape

MANY = 1_000_000
"""More upstream requests than any benchmark sends."""
_ADDRESS = r"http://127\.0\.0\.1:\d+"


@dataclass(frozen=True, slots=True)
class Running:
    """A process that serves at an address."""

    pid: int
    url: str

    @property
    def cpu_seconds(self) -> float:
        """CPU seconds so far, user and system, of the threads that it has."""
        tasks = Path(f"/proc/{self.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9

    def memory(self, name: str) -> float:
        """MiB in use: `VmRSS` now, `VmHWM` at the most."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(rf"{name}:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) / 1024


@asynccontextmanager
async def started(
    *command: str, environment: Mapping[str, str] | None = None, program: str = sys.executable
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process, of Python unless said otherwise, that is ended with the block."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    process = await asyncio.create_subprocess_exec(
        program,
        *command,
        env={**clean, **(environment or {})},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 26,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@asynccontextmanager
async def serving(
    *command: str,
    environment: Mapping[str, str] | None = None,
    path: str = r"/v1\.0|/graphql",
    program: str = sys.executable,
) -> AsyncIterator[Running]:
    """A process that prints its address, which ends in ``path``, once it answers there."""
    async with started(*command, environment=environment, program=program) as process:
        assert process.stdout is not None
        found = None
        while found is None:
            line = await process.stdout.readline()
            assert line, f"{' '.join(command)} ended before it began"
            found = re.search(f"{_ADDRESS}({path})", line.decode())
        await _answers(found[0])
        yield Running(process.pid, found[0])


async def _answers(url: str) -> None:
    async with httpx.AsyncClient() as client:
        for _ in range(200):
            try:
                await client.get(url)
            except httpx.TransportError:
                await asyncio.sleep(0.05)
            else:
                return
    raise TimeoutError(url)


@asynccontextmanager
async def sandbox(
    shape: Shape, *, latency_ms: int = 0, expand: str = "refuse"
) -> AsyncIterator["Sandbox"]:
    """A sandbox with ``shape`` task results; ``expand`` is what it does with their expansion."""
    command = ["-m", "gateway", "sandbox", "--port", "0", "--no-moving"]
    for name, value in (
        ("workflows", shape.workflows),
        ("runs", shape.runs),
        ("users", shape.users),
        ("tasks", shape.tasks),
        ("latency-ms", latency_ms),
        ("task-results-expand", expand),
    ):
        command += [f"--{name}", str(value)]
    async with serving(*command) as process, httpx.AsyncClient(timeout=60) as client:
        yield Sandbox(process.url, client)


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A sandbox and its log of requests."""

    url: str
    client: httpx.AsyncClient

    async def forget(self) -> None:
        """Clear the log."""
        await self.client.delete(self._log)

    async def fault(self, **fault: Any) -> None:
        """Let some requests go wrong from now on, and no others."""
        await self.client.delete(self._log.replace("requests", "faults"))
        if fault:
            url = self._log.replace("requests", "faults")
            (await self.client.post(url, json=[{"times": None, **fault}])).raise_for_status()

    async def requests(self) -> list[dict[str, Any]]:
        """The HTTP requests since the log was cleared."""
        found: list[dict[str, Any]] = (await self.client.get(self._log)).json()["requests"]
        return found

    @property
    def _log(self) -> str:
        return self.url.removesuffix("/v1.0") + "/sandbox/requests"


@asynccontextmanager
async def gateway(upstream: str) -> AsyncIterator[Running]:
    """A gateway in front of the sandbox at ``upstream``, as `serve` starts it."""
    environment = {"GATEWAY_LOG_LEVEL": "error"}
    command = ("-m", "gateway", "serve", "--port", "0", "--sandbox-url", upstream)
    budget = ("--max-upstream-requests", str(MANY))
    async with serving(*command, *budget, environment=environment) as process:
        yield process


class Worker:
    """A process that runs a script of `benchmarks.contenders` as often as it is told."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @property
    def running(self) -> Running:
        """The process."""
        return Running(self._process.pid, "")

    async def answer(self) -> Any:
        """The data of one answer."""
        return await self._ask({"count": 1, "answer": True})

    async def run(self, count: int, concurrency: int = 1) -> list[float]:
        """Run it ``count`` times; returns the seconds that each took, and the total as the last."""
        seconds: list[float] = await self._ask({"count": count, "concurrency": concurrency})
        return seconds

    async def _ask(self, order: dict[str, Any]) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(orjson.dumps(order) + b"\n")
        line = await self._process.stdout.readline()
        assert line, "the script failed"
        return orjson.loads(line)


@asynccontextmanager
async def worker(contender: str, url: str) -> AsyncIterator[Worker]:
    """A process that runs one script against ``url``."""
    async with started("-m", "benchmarks.worker", contender, url) as process:
        yield Worker(process)
