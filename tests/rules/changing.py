"""What the tests of payloads have in common."""

from collections.abc import Callable
from typing import Any

import pytest

from gateway import app as gateway_app
from gateway.graph.patience import Patience
from tests.upstreams import Answered, Asked, Unusual, graph_error

CREATE = "mutation($input: WorkflowInput!) { createWorkflow(input: $input) { %s } }"
NOT_FOUND = graph_error(404, "ResourceNotFound", "Resource does not exist")
FORBIDDEN = graph_error(403, "Forbidden", "not this one")


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were made before something new was read again; none takes any time."""
    pauses: list[float] = []
    create = gateway_app.create_engine

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    def created(*arguments: Any) -> Any:
        engine = create(*arguments)
        engine.patience = Patience(sleep=sleep)
        return engine

    monkeypatch.setattr(gateway_app, "create_engine", created)
    return pauses


def reads(unusual: Unusual) -> list[str]:
    return [asked.url for asked in unusual.asked if asked.method == "GET"]


def without(id_name: str, *, at: str) -> Callable[[Asked, Answered], None]:
    """Takes a member from what the service answers to a POST to ``at``."""

    def change(asked: Asked, answer: Answered) -> None:
        if asked.method == "POST" and asked.url.endswith(at):
            assert answer.body.pop(id_name, None), answer

    return change


def missing(times: int) -> Callable[[Asked], Answered | None]:
    """404 to what is read after a change, so many times for each URL."""
    seen: dict[str, int] = {}
    changed: list[str] = []

    def instead(asked: Asked) -> Answered | None:
        if asked.method != "GET":
            changed.append(asked.url)
            return None
        if not changed:
            return None
        seen[asked.url] = seen.get(asked.url, 0) + 1
        return NOT_FOUND if seen[asked.url] <= times else None

    return instead
