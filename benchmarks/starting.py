"""Start-up: what a process costs until it takes requests, with and without the sandbox."""

import asyncio
import sys
from statistics import median

from benchmarks.report import Part

_SERVICE = "Settings(upstream_url='http://127.0.0.1:9/v1.0', credentials='passthrough')"
SCRIPTS = {
    "an interpreter alone": "",
    "in front of a service": (
        "from gateway.app import create_app; from gateway.settings import Settings;"
        f"app = create_app({_SERVICE})"
    ),
    "with the embedded sandbox": "from gateway.app import create_app; app = create_app()",
}
_TELL = (
    "import re, resource; used = resource.getrusage(resource.RUSAGE_SELF);"
    # ru_maxrss of a new process is that of the one which started it.
    "peak = re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1];"
    "print(used.ru_utime + used.ru_stime, peak, 'gateway.sandbox' in sys.modules)"
)


async def measure(*, quick: bool = False) -> Part:
    """The whole part."""
    part = Part("Start-up")
    table = part.table(
        "Until the application is built",
        "process",
        "CPU, ms",
        "memory at most, MiB",
        "sandbox loaded",
    )
    for name, script in SCRIPTS.items():
        runs = [await _run(script) for _ in range(1 if quick else 7)]
        loaded = {loaded for _, _, loaded in runs}
        table.add(
            name,
            median(seconds for seconds, _, _ in runs) * 1000,
            median(kilobytes for _, kilobytes, _ in runs) / 1024,
            "yes" if loaded == {True} else "no",
        )
    return part


async def _run(script: str) -> tuple[float, int, bool]:
    """CPU seconds, memory in KiB, and whether the sandbox was loaded, of one process."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", f"import sys; {script or 'pass'}\n{_TELL}", stdout=-1
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    seconds, kilobytes, loaded = output.split()[-3:]
    return float(seconds), int(kilobytes), loaded == b"True"
