"""`python -m benchmarks`: runs them, prints the tables, and writes docs/performance.md."""

import argparse
import re
import signal
from pathlib import Path

from benchmarks import (
    blocking,
    end_to_end,
    execution,
    faults,
    growth,
    load,
    measure,
    memory,
    starting,
    throttle,
    transport,
)
from benchmarks.growth import Series
from benchmarks.report import Part

PARTS = (
    "load",
    "execution",
    "end-to-end",
    "growth",
    "memory",
    "transport",
    "faults",
    "throttle",
    "start-up",
)
DOCUMENT = Path("docs/performance.md")
PLOT = Path("docs/performance.png")


async def run(names: list[str], *, quick: bool) -> tuple[list[Part], Series]:
    """The parts of these names, each printed as soon as it is there; and the plot's numbers."""
    parts: list[Part] = []
    series: Series = {}

    def done(part: Part) -> None:
        parts.append(part)
        print(part.plain(), end="\n\n", flush=True)

    if "load" in names:
        done(await load.measure(quick=quick))
    if "execution" in names:
        done(await execution.measure(quick=quick))
        done(await blocking.measure(quick=quick))
    if "end-to-end" in names:
        done(await end_to_end.measure(quick=quick))
    if "growth" in names:
        part, series = await growth.measure(quick=quick)
        done(part)
    if "memory" in names:
        done(await memory.measure(quick=quick))
    if "transport" in names:
        done(await transport.measure(quick=quick))
    if "faults" in names:
        done(await faults.measure(quick=quick))
    if "throttle" in names:
        done(await throttle.measure(quick=quick))
    if "start-up" in names:
        done(await starting.measure(quick=quick))
    return parts, series


def write(parts: list[Part], text: str) -> str:
    """The document with the tables of ``parts`` between the markers of their names."""
    for part in parts:
        name = re.escape(part.name)
        text, found = re.subn(
            rf"(<!-- {name} -->\n).*?(<!-- end -->)",
            lambda match, part=part: f"{match[1]}\n{part.markdown()}\n\n{match[2]}",  # type: ignore[misc]
            text,
            flags=re.DOTALL,
        )
        assert found == 1, f"the document has no place for {part.name}"
    return text


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("part", nargs="*", help=f"these parts alone: {', '.join(PARTS)}")
    parser.add_argument("--quick", action="store_true", help="small sizes, once: a smoke run")
    parser.add_argument("--only", choices=PARTS, action="append", help="this part alone")
    parser.add_argument("--write", action="store_true", help=f"write {DOCUMENT} and {PLOT}")
    options = parser.parse_args()
    if options.quick and options.write:
        parser.error("what --quick measures is not worth writing")
    names = [*options.part, *(options.only or [])]
    if unknown := sorted(set(names) - set(PARTS)):
        parser.error(f"there is no part {', '.join(unknown)}")
    # What ends the benchmarks ends the processes that they started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    parts, series = measure.run(run(names or list(PARTS), quick=options.quick))
    if options.write:
        DOCUMENT.write_text(write(parts, DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
        if series:
            growth.plot(series, str(PLOT))


if __name__ == "__main__":
    main()
