"""How cost grows with W, R, U and T: requests, and CPU of the whole gateway in process."""

from collections.abc import Mapping
from dataclasses import replace

from benchmarks.execution import recorded
from benchmarks.measure import cpu_seconds
from benchmarks.report import Part
from benchmarks.shapes import QUERY, Shape, body_of

BASE = Shape()
FACTORS = (1, 2, 4, 8)
NAMES = {"workflows": "W", "runs": "R", "users": "U", "tasks": "T"}

Series = dict[str, list[tuple[int, int, float]]]
"""By the name of what grows: its size, the HTTP requests, the CPU milliseconds."""


async def measure(*, quick: bool = False) -> tuple[Part, Series]:
    """The whole part, and the numbers for the plot."""
    part = Part("Growth")
    table = part.table(
        f"From {BASE}, one number at a time",
        "W x R x U x T",
        "task results",
        "HTTP requests",
        "CPU, ms",
        "µs per task result",
    )
    series: Series = {}
    for name in NAMES:
        for factor in FACTORS[:2] if quick else FACTORS:
            size = getattr(BASE, name) * factor
            shape = replace(BASE, **{name: size})
            requests, seconds = await _cost(shape, turns=1 if quick else 5)
            series.setdefault(name, []).append((size, requests, seconds * 1000))
            if factor > 1 or name == "workflows":
                each = seconds * 1e6 / shape.rows
                table.add(str(shape), shape.rows, requests, seconds * 1000, each)
    return part, series


async def _cost(shape: Shape, *, turns: int) -> tuple[int, float]:
    body = body_of(QUERY)
    async with recorded(shape, QUERY) as ready:
        requests = len(ready.tape.exchanges)
        assert requests == shape.planned_requests, f"{shape} took {requests} requests"
        contenders = {"gateway": lambda: ready.gateway.answer(body)}
        return requests, (await cpu_seconds(contenders, turns=turns))["gateway"]


def plot(series: Mapping[str, list[tuple[int, int, float]]], path: str) -> None:
    """Draw CPU time and HTTP requests over the factor by which each number grew."""
    from matplotlib import pyplot as plt

    figure, (cpu, http) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for (name, points), marker in zip(series.items(), "osD^", strict=True):
        factors = [size / points[0][0] for size, _, _ in points]
        label = f"{NAMES[name]}: {points[0][0]} to {points[-1][0]}"
        cpu.plot(factors, [ms for _, _, ms in points], marker=marker, label=label)
        http.plot(factors, [requests for _, requests, _ in points], marker=marker, label=label)
    cpu.set(title="CPU of the gateway", ylabel="ms per operation", ylim=0)
    http.set(title="HTTP requests upstream", ylabel="per operation", ylim=0)
    for axes in (cpu, http):
        axes.set(xlabel=f"times {BASE} (W x R x U x T)", xticks=FACTORS)
        axes.grid(alpha=0.3)
    cpu.legend(frameon=False)
    figure.savefig(path, dpi=110, metadata={"Software": None})
    plt.close(figure)
