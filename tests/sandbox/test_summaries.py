from collections import Counter

import pytest

from .conftest import LIFECYCLE, WORKFLOWS
from .test_generated import UNPROCESSED

ALWAYS = "startDateTime=2000-01-01T00:00:00Z,endDateTime=2100-01-01T00:00:00Z"
NEVER = "startDateTime=2000-01-01T00:00:00Z,endDateTime=2000-01-02T00:00:00Z"
INSIGHTS = f"{LIFECYCLE}/insights"


def between(start, end):
    return f"startDateTime={start},endDateTime={end}"


def total(rows, name):
    return sum(row[name] for row in rows)


def expected(runs):
    kinds = Counter(run["processingStatus"] for run in runs)
    tasks, failed = total(runs, "totalTasksCount"), total(runs, "failedTasksCount")
    return {
        "failedRuns": kinds["failed"],
        "failedTasks": failed,
        "failedUsers": total(runs, "failedUsersCount"),
        "successfulRuns": kinds["completed"],
        "successfulTasks": tasks - failed - total(runs, "totalUnprocessedTasksCount"),
        "successfulUsers": total(runs, "successfulUsersCount"),
        "totalRuns": len(runs),
        "totalTasks": tasks,
        "totalUsers": total(runs, "totalUsersCount"),
    }


async def answer(client, url):
    body = await client.json(url)
    assert "$metadata#" in body.pop("@odata.context")
    return body


async def test_summaries_are_sums(client):
    for row in await client.rows(WORKFLOWS):
        url = f"{WORKFLOWS}/{row['id']}"
        runs = await client.rows(f"{url}/runs")
        first, last = runs[2]["startedDateTime"], runs[1]["startedDateTime"]
        for period, chosen in (
            (ALWAYS, runs),
            (NEVER, []),
            (between(first, last), runs[1:3]),
            (between(last, "2100-01-01T00:00:00Z"), runs[:2]),
        ):
            sums = expected(chosen)
            summary = await answer(client, f"{url}/runs/summary({period})")
            assert len(summary) == 6
            assert summary.items() <= sums.items()
            users = await answer(client, f"{url}/userProcessingResults/summary({period})")
            assert len(users) == 5
            assert users.items() <= sums.items()
            reports = await answer(client, f"{url}/taskReports/summary({period})")
            unprocessed = reports.pop("unprocessedTasks")
            assert reports.items() <= sums.items()
            assert sum(reports.values()) + unprocessed == 2 * reports["totalTasks"]
            keys = {run["id"] for run in chosen}
            listed = await client.rows(f"{url}/taskReports")
            below = [report for report in listed if report["runId"] in keys]
            assert reports["failedTasks"] == total(below, "failedUsersCount")
            assert reports["successfulTasks"] == total(below, "successfulUsersCount")
            assert unprocessed == total(below, "unprocessedUsersCount")
        for run in runs:
            one = f"{url}/runs/{run['id']}/userProcessingResults/summary"
            assert (await answer(client, f"{one}({ALWAYS})")).items() <= expected([run]).items()
            assert set((await answer(client, f"{one}({NEVER})")).values()) == {0}


async def test_insights_are_sums(client):
    workflows = await client.rows(WORKFLOWS)
    runs = {row["id"]: await client.rows(f"{WORKFLOWS}/{row['id']}/runs") for row in workflows}
    every = [run for items in runs.values() for run in items]
    assert await answer(client, f"{INSIGHTS}/workflowsProcessedSummary({ALWAYS})") == expected(
        every
    )
    by_category = await answer(client, f"{INSIGHTS}/workflowsProcessedByCategory({ALWAYS})")
    assert len(by_category) == 9
    for category in ("joiner", "mover", "leaver"):
        own = [run for row in workflows if row["category"] == category for run in runs[row["id"]]]
        for kind in ("total", "successful", "failed"):
            assert by_category[f"{kind}{category.title()}Runs"] == expected(own)[f"{kind}Runs"]
    top = (await client.json(f"{INSIGHTS}/topWorkflowsProcessedSummary({ALWAYS})"))["value"]
    assert {row["workflowId"] for row in top} == runs.keys()
    for row in top:
        about = {name: row.pop(name) for name in list(row) if name.startswith("workflow")}
        assert len(about) == 4
        assert row.items() <= expected(runs[about["workflowId"]]).items()


async def test_top_tasks(client):
    results = []
    for row in await client.rows(WORKFLOWS):
        for run in await client.rows(f"{WORKFLOWS}/{row['id']}/runs"):
            url = f"{WORKFLOWS}/{row['id']}/runs/{run['id']}"
            results += await client.rows(f"{url}/taskProcessingResults")
    body = await client.json(f"{INSIGHTS}/topTasksProcessedSummary({ALWAYS})")
    assert body["@odata.context"].endswith(
        "#Collection(microsoft.graph.identityGovernance.topTasksInsightsSummary)"
    )
    counts = [row["totalTasks"] for row in body["value"]]
    assert counts == sorted(counts, reverse=True)
    assert sum(counts) == len(results)
    for row in body["value"]:
        own = [r for r in results if r["task"]["taskDefinitionId"] == row["taskDefinitionId"]]
        statuses = Counter(item["processingStatus"] for item in own)
        assert row["totalTasks"] == len(own)
        assert row["successfulTasks"] == statuses["completed"]
        assert row["failedTasks"] == statuses["failed"]
        assert row["totalTasks"] - row["successfulTasks"] - row["failedTasks"] == sum(
            statuses[name] for name in UNPROCESSED
        )
        assert row["successfulUsers"] + row["failedUsers"] <= row["totalUsers"]
    assert (await client.json(f"{INSIGHTS}/topTasksProcessedSummary({NEVER})"))["value"] == []
    assert (await client.json(f"{INSIGHTS}/topWorkflowsProcessedSummary({NEVER})"))["value"] == []


async def test_collections_of_functions_are_paged(sandbox):
    client = sandbox(page_size=2)
    url = f"{INSIGHTS}/topWorkflowsProcessedSummary({ALWAYS})"
    page = await client.json(url)
    assert f"/insights/topWorkflowsProcessedSummary({ALWAYS})" in page["@odata.nextLink"]
    assert len(await client.rows(url)) == 5


@pytest.mark.parametrize("name", ["summary", "microsoft.graph.identityGovernance.summary"])
async def test_spellings(client, name):
    url = f"{await client.workflow_url()}/runs"
    plain = await client.json(f"{url}/summary({ALWAYS})")
    assert await client.json(f"{url}/{name}({ALWAYS})") == plain
    assert await client.json(f"{url}/{name.upper()}({ALWAYS})") == plain
    swapped = ",".join(reversed(ALWAYS.split(",")))
    assert await client.json(f"{url}/{name}({swapped})") == plain
    assert await client.json(f"{url}/{name}({ALWAYS.replace(':', '%3A')})") == plain


@pytest.mark.parametrize(
    "parameters",
    [
        "",
        "startDateTime=2022-08-01T00:00:00Z",
        "endDateTime=2022-08-01T00:00:00Z",
        f"{ALWAYS},{ALWAYS}",
        f"{ALWAYS},other=1",
        ALWAYS.replace("startDateTime", "startdatetime"),
        between("2022-08-01T00:00:00Z", "2022-08-01T00:00:00Z"),
        between("2022-08-02T00:00:00Z", "2022-08-01T00:00:00Z"),
        between("2022-08-01", "2022-08-02"),
        between("'2022-08-01T00:00:00Z'", "2022-08-02T00:00:00Z"),
        between("2022-13-01T00:00:00Z", "2023-08-02T00:00:00Z"),
        between("2022-08-01T25:00:00Z", "2023-08-02T00:00:00Z"),
        between("2022-08-01T00:00:00", "2023-08-02T00:00:00Z"),
    ],
)
async def test_parameters_are_strict(client, parameters):
    url = await client.workflow_url()
    for function in (f"{url}/runs/summary", f"{INSIGHTS}/workflowsProcessedSummary"):
        assert "invalidRequest" in await client.error(f"{function}({parameters})")


async def test_paths_of_functions(client):
    url = await client.workflow_url()
    for path in ("tasks/summary", "runs/other", "runs/microsoft.graph.summary"):
        assert "Resource not found" in await client.error(f"{url}/{path}({ALWAYS})")
    assert "Resource not found" in await client.error(f"{INSIGHTS}/workflowsProcessedSummary")
    assert "Resource not found" in await client.error(f"{url}/runs/summary({ALWAYS})/more")
    assert "$filter" in await client.error(f"{url}/runs/summary({ALWAYS})?$filter=totalRuns eq 1")
    assert "itemNotFound" in await client.error(f"{WORKFLOWS}/none/runs/summary({ALWAYS})", 404)
