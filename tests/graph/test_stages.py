"""Stages: each moment is counted once, whatever is within what."""

from collections.abc import Callable

import pytest

from gateway.graph import stages as module
from gateway.graph.stages import Stages

Pass = Callable[[float], None]


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> Pass:
    """Lets time pass."""
    now = [100.0]
    monkeypatch.setattr(module.time, "perf_counter", lambda: now[0])

    def later(seconds: float) -> None:
        now[0] += seconds

    return later


def test_a_stage_is_without_those_within_it(passes: Pass) -> None:
    stages = Stages()
    with stages.of("parse"):
        passes(1)
    with stages.of("write"):
        passes(2)
        with stages.of("plan"):
            passes(4)
        with stages.of("rows"):
            passes(8)
            with stages.asking():
                passes(16)
        passes(32)
    assert (stages.parse, stages.plan, stages.upstream) == (1, 4, 16)
    assert (stages.rows, stages.write) == (8, 34)
    assert stages.told == 63


def test_requests_at_one_time_count_once(passes: Pass) -> None:
    stages = Stages()
    first, second = stages.asking(), stages.asking()
    first.__enter__()
    passes(1)
    second.__enter__()
    passes(2)
    first.__exit__(None, None, None)
    passes(4)
    second.__exit__(None, None, None)
    passes(8)
    with stages.asking():
        passes(16)
    assert stages.upstream == 23


def test_a_stage_that_fails_is_counted(passes: Pass) -> None:
    stages = Stages()

    def fails() -> None:
        with stages.of("rows"), stages.asking():
            passes(1)
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fails()
    assert (stages.upstream, stages.rows) == (1, 0)


def test_the_header_is_in_milliseconds() -> None:
    stages = Stages(parse=0.0012345, upstream=2.5)
    assert stages.header() == (
        "parse;dur=1.23, plan;dur=0.00, upstream;dur=2500.00, rows;dur=0.00, write;dur=0.00"
    )
