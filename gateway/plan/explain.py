"""Prints a program: its layers, the steps of each, and what they ask for."""

from collections.abc import Callable

from gateway.plan.choice import Choice
from gateway.plan.program import Program
from gateway.plan.steps import Allows, Step


def explain(program: Program, allows: Allows = lambda _: True) -> str:
    """A program as text, one block per layer.

    Args:
        program: what to print.
        allows: the capabilities of the service; by default, nothing has been refused.
    """
    lines: list[str] = []
    for layer, steps in program.layers():
        lines.append(f"layer {layer}")
        for step in steps:
            lines += [f"  {line}" for line in _numbered(step, allows)]
    if not lines:
        return "Nothing is asked of the service."
    lines += ["", "Requests of a layer travel together, 20 to a $batch."]
    if any(isinstance(step, Choice) for step in program.steps):
        lines.append(_CHOICE)
    return "\n".join(lines)


_CHOICE = (
    "Of a choice, the cheapest that can be proven right is taken, row by row: the chain of\n"
    "dependent requests costs the latency seen, each item the price of GATEWAY_COST."
)


def _numbered(step: Step, allows: Callable[[str], bool]) -> list[str]:
    first, *rest = step.describe(allows)
    return [f"{step.id}  {first}", *rest]
