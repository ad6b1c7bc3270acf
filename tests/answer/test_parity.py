"""With and without the projection, every operation has the same answer."""

import asyncio
import random
from typing import Any

import pytest
from graphql import parse, validate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.answer import projection
from gateway.schema.build import build_schema
from tests.answer.operations import Operations, Recorder, damage, executed, recorded, told, typed

ON, OFF = build_schema(), build_schema(projection=False)


class Tally:
    """What the cases made the projection do."""

    def __init__(self) -> None:
        self.cases = self.projected = self.holes = self.errors = 0


@pytest.fixture
def tally(monkeypatch: pytest.MonkeyPatch) -> Tally:
    counted = Tally()
    begin = projection._Site.__init__

    def spied(site: Any, *args: Any) -> None:
        begin(site, *args)
        project = site.project

        def projecting(*rows: Any) -> Any:
            counted.projected += 1
            try:
                return project(*rows)
            finally:
                counted.holes += len(site.holes)

        site.project = projecting

    monkeypatch.setattr(projection._Site, "__init__", spied)
    return counted


def test_answers_are_the_same_with_and_without(tally: Tally, parity_cases: int) -> None:
    loop = asyncio.new_event_loop()

    @settings(
        max_examples=parity_cases,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.integers(0, 2**64), st.integers(0, 2**64), st.sampled_from([0, 1, 1, 2, 3, 6]))
    def compare(operation: int, rows: int, times: int) -> None:
        operations = Operations(ON.core, random.Random(operation))
        text = operations.write()
        document = parse(text)
        assert not validate(ON.core, document), text
        draw = random.Random(rows)
        invented = Recorder(OFF.core, OFF.core.query_type, draw, [60])
        variables = operations.variables
        loop.run_until_complete(executed(OFF.graphql, document, variables, invented))
        root = recorded(invented)
        lists, wrong = typed(root), random.Random(rows)
        damage(root, wrong, times)
        wrong.seed(rows)
        damage(lists, wrong, times)
        there = loop.run_until_complete(executed(ON.graphql, document, variables, root))
        listed = loop.run_until_complete(executed(ON.graphql, document, variables, lists))
        here = loop.run_until_complete(executed(OFF.graphql, document, variables, root))
        assert told(there) == told(here), (text, variables)
        assert told(listed) == told(here), (text, variables)
        tally.cases += 1
        tally.errors += len(here.errors or ())

    try:
        compare()
    finally:
        loop.close()
    assert tally.cases >= parity_cases
    assert tally.projected > tally.cases
    assert tally.holes > tally.cases / 2
    assert tally.errors > tally.cases / 2
