from .conftest import WORKFLOWS
from .test_generated import check_run


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


async def test_one_run_moves(sandbox):
    clock = Clock()
    client = sandbox(moving=True, clock=clock)
    running = []
    for row in await client.rows(WORKFLOWS):
        runs = await client.rows(f"{WORKFLOWS}/{row['id']}/runs")
        running += [run["id"] for run in runs if run["processingStatus"] == "inProgress"]
    run = await client.run_url()
    assert running == [run.rpartition("/")[2]]
    workflow = await client.workflow_url()
    seen = []
    for _ in range(15 + 10):
        record = (await client.rows(f"{workflow}/runs"))[0]
        assert record["processingStatus"] == "inProgress"
        assert record["completedDateTime"] is None
        rows = await check_run(client, workflow, record, 5, 3)
        statuses = [row["processingStatus"] for row in rows]
        assert statuses.count("inProgress") == 1
        seen.append(statuses.count("completed") + statuses.count("failed"))
        clock.now += 2
    last = max(seen)
    first = last // 3
    assert 10 < last < 15
    assert seen[: last - first + 1] == list(range(first, last + 1))
    assert seen[last - first : last - first + 10] == [last] * 10
    assert seen[last - first + 10] == 0


async def test_a_moving_run_ends_as_it_would_without_moving(sandbox):
    clock = Clock()
    client = sandbox(moving=True, clock=clock)
    url = f"{await client.run_url()}/taskProcessingResults"
    clock.now += 24
    moving, still = await client.rows(url), await sandbox().rows(url)
    assert moving[:-1] == still[:-1]
    assert moving[-1]["id"] == still[-1]["id"]
    assert moving[-1]["completedDateTime"] is None


async def test_queued_results_have_no_times(sandbox):
    client = sandbox(moving=True, clock=Clock())
    url = f"{await client.run_url()}/userProcessingResults"
    queued = (await client.rows(url, **{"$filter": "processingStatus eq 'queued'"}))[-1]
    assert queued["startedDateTime"] is None
    assert queued["totalUnprocessedTasksCount"] == queued["totalTasksCount"] == 3
