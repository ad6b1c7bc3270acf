"""`python -m benchmarks.worker CONTENDER URL`: runs a script on orders from standard input.

An order is a line of JSON. `{"count": 10, "concurrency": 2}` is answered with the seconds that
each of the ten took and, last, the seconds of all; `{"answer": true}` with the data of one answer.
"""

import asyncio
import sys
import time
from typing import Any

import orjson

from benchmarks import measure
from benchmarks.contenders import CONTENDERS, Contender


async def run(contender: Contender, count: int, concurrency: int) -> list[float]:
    """The seconds that each of ``count`` answers took, and the seconds of all."""
    left = iter(range(count))
    seconds: list[float] = []

    async def one_after_the_other() -> None:
        for _ in left:
            begin = time.perf_counter()
            await contender.answer()
            seconds.append(time.perf_counter() - begin)

    begin = time.perf_counter()
    await asyncio.gather(*(one_after_the_other() for _ in range(concurrency)))
    return [*seconds, time.perf_counter() - begin]


async def main(name: str, url: str) -> None:
    """Carry out orders until there are no more."""
    contender = CONTENDERS[name](url)
    loop = asyncio.get_running_loop()
    async with contender.stack:
        while line := await loop.run_in_executor(None, sys.stdin.buffer.readline):
            order: dict[str, Any] = orjson.loads(line)
            if order.get("answer"):
                reply = await contender.answer()
            else:
                reply = await run(contender, order["count"], order["concurrency"])
            sys.stdout.buffer.write(orjson.dumps(reply) + b"\n")
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    measure.run(main(*sys.argv[1:]))
