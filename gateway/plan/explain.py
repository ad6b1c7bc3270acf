"""Prints a program: its layers, the steps of each, and what they ask for."""

from gateway.odata.routes import Routes
from gateway.plan.choice import Choice
from gateway.plan.numbers import Numbers
from gateway.plan.program import Program
from gateway.plan.steps import Step

_CHOICE = (
    "Of a choice, the cheapest that can be proven right is taken, list by list: the chain of\n"
    "dependent requests costs the latency seen, each item the price of GATEWAY_COST."
)


def explain(program: Program, numbers: Numbers | None = None) -> str:
    """A program as text, one block per layer, for a service that has refused nothing yet.

    Args:
        program: what to print.
        numbers: what it would cost for a tenant of a given size.
    """
    lines: list[str] = []
    for layer, steps in program.layers():
        lines.append(f"layer {layer}")
        for step in steps:
            lines += [f"  {line}" for line in _numbered(step, numbers, program.routes)]
    if not lines:
        return "Nothing is asked of the service."
    lines += ["", "Requests of a layer travel together, 20 to a $batch."]
    if any(isinstance(step, Choice) for step in program.steps):
        lines.append(_CHOICE)
    return "\n".join(lines)


def _numbered(step: Step, numbers: Numbers | None, routes: Routes) -> list[str]:
    first, *rest = step.describe(lambda _: True, routes)
    lines = [f"{step.id}  {first}", *rest]
    if numbers is not None and (step in numbers.items or step in numbers.rows):
        items, rows = numbers.items[step], numbers.rows[step]
        lines.append(f"    = {_of(items, 'item')}" + (f", {_of(rows, 'row')}" if rows else ""))
    return lines


def _of(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def verdict(numbers: Numbers, budget: int) -> str:
    """A sentence on whether a program fits into the requests that an operation may send."""
    total = numbers.total
    bound = "At least" if numbers.open else "At most"
    told = f"{bound} {_of(total, 'item')} in about {_of(numbers.http_requests, 'HTTP request')}: "
    setting = f"GATEWAY_MAX_UPSTREAM_REQUESTS={budget}"
    if total <= budget:
        return f"{told}within {setting}."
    return (
        f"{told}more than {setting}.\nWhat fits is answered, the rest refused before it is asked."
    )
