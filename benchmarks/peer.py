"""The strongest peer that makes GraphQL of an OData service: GraphQL Mesh's OData handler.

It is installed from npm into a directory of its own, and reads a hand-cut metadata file
(`benchmarks/peers/mesh`). It knows lists where the gateway has connections, so what is compared is
the number of rows, the HTTP requests, and the time.
"""

import asyncio
import shutil
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from benchmarks import processes
from benchmarks.contenders import Caller
from benchmarks.measure import percentile
from benchmarks.processes import Running, Sandbox
from benchmarks.report import Part
from benchmarks.shapes import Shape

_FILES = Path(__file__).parent / "peers" / "mesh"
_SECONDS_TO_INSTALL = 300
_QUERY = """{ workflows { %s id displayName runs { %s id userProcessingResults { %s id
  taskProcessingResults { id processingStatus failureReason } %s } %s } %s } }"""
OURS = _QUERY % ("nodes {", "nodes {", "nodes {", "}", "}", "}")
THEIRS = _QUERY % ("", "", "", "", "", "")


async def measure(part: Part, *, quick: bool) -> None:
    """A table of both, or of why there is none."""
    shape = Shape(2, 2, 2, 3) if quick else Shape()
    table = part.table(
        f"{shape}, task results by GraphQL Mesh's OData handler",
        "contender",
        "HTTP requests",
        "p50, ms",
        "CPU per answer, ms",
    )
    with tempfile.TemporaryDirectory() as place:
        problem = await _install(Path(place))
        if problem is not None:
            table.add(f"GraphQL Mesh: not measured, {problem}", "", "", "")
            return
        async with AsyncExitStack() as stack:
            sandbox = await stack.enter_async_context(processes.sandbox(shape))
            gateway = await stack.enter_async_context(processes.gateway(sandbox.url))
            command = (f"{place}/server.mjs", sandbox.url)
            peer = await stack.enter_async_context(
                processes.serving(*command, program="node", path="/graphql")
            )
            for name, process, query in (
                ("this gateway", gateway, OURS),
                ("GraphQL Mesh, OData handler", peer, THEIRS),
            ):
                count = 2 if quick else 20
                told = await _measured(process, query, sandbox, shape.rows, count)
                table.add(name, *told)


async def _install(place: Path) -> str | None:
    """Install the peer; why that is not possible, if it is not."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        return "there is no npm"
    shutil.copytree(_FILES, place, dirs_exist_ok=True)
    npm = await asyncio.create_subprocess_exec(
        *("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock"),
        cwd=place,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(_SECONDS_TO_INSTALL):
            status = await npm.wait()
    except TimeoutError:
        npm.kill()
        return "npm took too long"
    return None if status == 0 else "npm could not install it"


async def _measured(
    process: Running, query: str, sandbox: Sandbox, rows: int, count: int
) -> tuple[int, float, float]:
    """HTTP requests of an answer, the median of its milliseconds, and those of CPU."""

    class Asking(Caller):
        pass

    Asking.query = query
    caller = Asking(process.url)
    loop = asyncio.get_running_loop()
    async with caller.stack:
        for _ in range(3):
            await sandbox.forget()
            answer = await caller.answer()
        assert str(answer).count("'processingStatus'") == rows
        requests = len(await sandbox.requests())
        before, seconds = process.cpu_seconds, []
        for _ in range(count):
            began = loop.time()
            await caller.answer()
            seconds.append(loop.time() - began)
        spent = (process.cpu_seconds - before) / count
    return requests, percentile(seconds, 50) * 1000, spent * 1000
