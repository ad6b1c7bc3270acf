"""The clock of the sandbox: its dates are moved as a whole, in and out."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.sandbox import SandboxSettings, create_sandbox

from .conftest import WORKFLOWS

NOW = "2030-01-31T07:00:00Z"
FIRST = "2026-06-30T07:00:00"


def moved(text):
    """A time of the data as the moved clock shows it."""
    time, dot, rest = text.partition(".")
    distance = datetime.fromisoformat(NOW[:-1]) - datetime.fromisoformat(FIRST)
    whole = datetime.fromisoformat(time.rstrip("Z")) + distance
    return whole.isoformat() + (f".{rest}" if dot else "Z")


async def test_every_time_is_moved_and_nothing_else(sandbox):
    usual, other = sandbox(), sandbox(now=NOW)
    run = await usual.run_url(1, 1)
    assert run == await other.run_url(1, 1)
    for url in (WORKFLOWS, f"{run.partition('/runs/')[0]}/runs", f"{run}/taskProcessingResults"):
        here, there = await usual.rows(url), await other.rows(url)
        assert len(here) == len(there) > 0
        for row, same in zip(here, there, strict=True):
            for name, value in row.items():
                is_time = name.endswith("DateTime") and value is not None
                assert same[name] == (moved(value) if is_time else value)


async def test_what_is_asked_is_moved_back(sandbox):
    usual, other = sandbox(page_size=1), sandbox(page_size=1, now=NOW)
    url = f"{await usual.workflow_url()}/runs"
    started = (await usual.rows(url))[1]["startedDateTime"]
    keys = [
        row["id"] for row in await usual.rows(url, **{"$filter": f"startedDateTime ge {started}"})
    ]
    assert len(keys) == 2
    for time in (moved(started), moved(started).replace("Z", "+00:00")):
        # Through links to further pages too, which hold the filter.
        rows = await other.rows(url, **{"$filter": f"startedDateTime ge {time}"})
        assert [row["id"] for row in rows] == keys
    period = "startDateTime=2030-01-01T00:00:00Z,endDateTime=2030-02-01T00:00:00Z"
    assert (await other.json(f"{url}/summary({period})"))["totalRuns"] == 4
    encoded = period.replace(":", "%3A")
    assert (await other.json(f"{url}/summary({encoded})"))["totalRuns"] == 4
    item = {"id": "1", "method": "GET", "url": f"{url.removeprefix('/v1.0')}/summary({period})"}
    [answer] = (await other.batch(item))["responses"]
    assert answer["body"]["totalRuns"] == 4


async def test_what_is_written_is_read_as_it_was_written(sandbox):
    client = sandbox(now=NOW)
    run = await client.run_url(1, 1)
    given = {"processingStatus": "failed", "startedDateTime": "2030-01-30T01:02:03.1234567Z"}
    [row] = (await client.rows(f"{run}/userProcessingResults"))[:1]
    url = f"{run}/userProcessingResults/{row['id']}"
    answer = await client.write("PATCH", url, given, 200)
    assert given.items() <= answer.items()
    assert given.items() <= (await client.json(url)).items()


async def test_the_clock_is_the_real_one_if_it_should_be(sandbox):
    client = sandbox(now="real")
    newest = (await client.rows(f"{await client.workflow_url()}/runs"))[0]["scheduledDateTime"]
    age = datetime.now(UTC) - datetime.fromisoformat(newest[:19] + "+00:00")
    assert timedelta(0) < age < timedelta(days=1)


@pytest.mark.parametrize("wrong", ["now", "2026-06-30", "2026-06-30T12:00:00"])
def test_a_time_must_be_one(wrong):
    with pytest.raises(ValueError, match="DateTimeOffset"):
        create_sandbox(SandboxSettings(now=wrong))
