"""The benchmarks run, compare equal answers, and count requests exactly. Nothing is timed here."""

import pytest

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
from benchmarks.__main__ import write
from benchmarks.report import Part, Target
from benchmarks.shapes import Shape


@pytest.mark.slow
def test_execution_compares_all_contenders_at_one_size() -> None:
    part = measure.run(execution.measure(quick=True))
    table, not_compiled = part.tables
    contenders = table.column("contender")
    assert {execution.FLOOR, execution.GATEWAY, execution.STRAWBERRY} <= contenders.keys()
    assert table.column("over the floor")[execution.FLOOR] == "1.00"
    assert "448 leaf fields" in table.title
    assert len(not_compiled.rows) == 2
    assert [target.limit for target in part.targets] == [3.0, 3.0, 1.1, 1.1]


@pytest.mark.slow
def test_load_compares_equal_answers() -> None:
    part = measure.run(load.measure(quick=True))
    verdicts = part.tables[0].column("verdict")
    assert len(verdicts) == 8
    assert set(verdicts.values()) <= {"met", "missed"}


def test_a_service_is_started_in_front_of_without_the_sandbox() -> None:
    part = measure.run(starting.measure(quick=True))
    assert part.tables[0].column("sandbox loaded") == {
        "an interpreter alone": "no",
        "in front of a service": "no",
        "with the embedded sandbox": "yes",
    }


def test_the_event_loop_is_watched() -> None:
    part = measure.run(blocking.measure(quick=True))
    assert len(part.tables[0].rows) == 3


@pytest.mark.slow
def test_end_to_end_counts_requests_exactly() -> None:
    part = measure.run(end_to_end.measure(quick=True))
    requests = part.tables[0].column("HTTP requests")
    planned, nested = end_to_end.QUICK.planned_requests, end_to_end.QUICK.nested_requests
    assert (planned, nested) == (3, 15)
    assert [requests[title] for title in end_to_end.NAMES] == ["3", "15", "15", "3", "3"]


@pytest.mark.slow
def test_growth_counts_requests_exactly() -> None:
    part, series = measure.run(growth.measure(quick=True))
    assert list(part.tables[0].column("HTTP requests").values()) == ["4", "6", "6", "4", "4"]
    assert {name: [size for size, _, _ in points] for name, points in series.items()} == {
        "workflows": [5, 10],
        "runs": [4, 8],
        "users": [5, 10],
        "tasks": [3, 6],
    }


@pytest.mark.slow
def test_memory_is_measured_on_a_complete_answer() -> None:
    part = measure.run(memory.measure(quick=True))
    assert list(part.tables[0].column("growth, MiB")) == ["1,000"]


@pytest.mark.slow
def test_transports_read_the_same_bytes() -> None:
    part = measure.run(transport.measure(quick=True))
    costs, accepted = part.tables
    assert len(costs.rows) >= 3
    assert accepted.column("answer")["reads gzip"] == "yes"


@pytest.mark.slow
def test_what_fails_by_chance_is_whole_or_explained() -> None:
    part = measure.run(faults.measure(quick=True))
    [table] = part.tables
    [title] = table.column("fault")
    assert int(table.column("operations")[title]) == 2 * len(faults.QUERIES)
    assert table.column("not whole without an error")[title] == "0"
    assert [target.limit for target in part.targets][1:] == [1.35, 0]


def test_a_difference_is_explained_by_an_error_at_or_above_it() -> None:
    expected = {"a": [{"b": 1}, {"b": 2}]}
    error = {"path": ["a", 1, "b"]}
    assert faults.explained(expected, {"data": {"a": [{"b": 1}, {"b": None}]}, "errors": [error]})
    assert faults.explained(expected, {"data": {"a": [{"b": 1}, None]}, "errors": [error]})
    assert not faults.explained(expected, {"data": {"a": [{"b": 1}]}, "errors": [error]})
    assert not faults.explained(expected, {"data": {"a": [{"b": 1}, {"b": 3}]}})
    assert not faults.explained(expected, {"data": {"a": [{"b": 0}, None]}, "errors": [error]})
    more = {"extensions": {"code": "ERRORS_LEFT_OUT"}}
    assert faults.explained(expected, {"data": {"a": [{"b": None}, {"b": None}]}, "errors": [more]})


@pytest.mark.slow
def test_throttling_is_measured_on_whole_answers() -> None:
    part = measure.run(throttle.measure(quick=True))
    numbers = part.tables[0].column("measured")
    assert numbers["operations that failed"] == "0"
    assert int(numbers["requests sent, batch items counted"]) >= 6 * 6
    assert len(part.tables[1].rows) == 3


@pytest.mark.parametrize(
    ("shape", "requests"), [(Shape(), 4), (Shape(20, 10, 10, 5), 22), (Shape(1, 1, 1, 1), 3)]
)
def test_the_requests_of_the_plan(shape: Shape, requests: int) -> None:
    assert shape.planned_requests == requests


def test_tables_are_printed_and_written() -> None:
    part = Part("Some part")
    part.table("A table", "name", "ms").add("one", 1.234)
    part.target("less", 0.5, 1.0)
    assert "one   1.23" in part.plain()
    assert part.targets == [Target("less", 0.5, 1.0)]
    text = write([part], "before\n<!-- Some part -->\nold\n<!-- end -->\nafter\n")
    assert "| one | 1.23 |" in text
    assert "| less | 1.00 | 0.50 | met |" in text
    assert "old" not in text
    assert text == write([part], text)
