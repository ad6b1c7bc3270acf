import pytest

STAMP = "2026-06-28T06:00:00Z"


async def lists(client):
    run = await client.run_url(2, 1)
    workflow = run.partition("/runs/")[0]
    user = (await client.rows(f"{run}/userProcessingResults"))[1]["id"]
    report = (await client.rows(f"{workflow}/taskReports"))[1]["id"]
    return {
        "runs": f"{workflow}/runs",
        "user results": f"{workflow}/userProcessingResults",
        "user results of run": f"{run}/userProcessingResults",
        "task results": f"{run}/taskProcessingResults",
        "task results of user": f"{workflow}/userProcessingResults/{user}/taskProcessingResults",
        "task results of report": f"{workflow}/taskReports/{report}/taskProcessingResults",
        "task reports": f"{workflow}/taskReports",
    }


def status_in(*names):
    return lambda row: row["processingStatus"] in names


CASES = [
    ("processingStatus eq 'completed'", status_in("completed")),
    ("processingStatus ne 'completed'", lambda row: row["processingStatus"] != "completed"),
    ("processingStatus in ('failed','canceled')", status_in("failed", "canceled")),
    (
        "not (processingStatus in ('failed','canceled'))",
        lambda row: not status_in("failed", "canceled")(row),
    ),
    ("not (processingStatus eq 'failed')", lambda row: not status_in("failed")(row)),
    (
        f"processingStatus eq 'failed' or completedDateTime lt {STAMP}",
        lambda row: status_in("failed")(row) or (row["completedDateTime"] or "9") < STAMP,
    ),
    (
        f"completedDateTime ge {STAMP} and not (processingStatus eq 'completed')",
        lambda row: (row["completedDateTime"] or "") >= STAMP and not status_in("completed")(row),
    ),
    ("completedDateTime eq null", lambda row: row["completedDateTime"] is None),
]


@pytest.mark.parametrize(("text", "keeps"), CASES)
async def test_filters_with_paging_count_and_order(sandbox, text, keeps):
    client = sandbox(users=9, page_size=4)
    for url in (await lists(client)).values():
        wanted = [row for row in await client.rows(url) if keeps(row)]
        assert await client.rows(url, **{"$filter": text}) == wanted
        counted = await client.json(url, **{"$filter": text, "$count": "true"})
        assert counted["@odata.count"] == len(wanted)
        order = {"$filter": text, "$orderby": "completedDateTime desc"}
        rows = await client.rows(url, **order)
        assert sorted(row["id"] for row in rows) == sorted(row["id"] for row in wanted)
        stamps = [(row["completedDateTime"] or "").rstrip("Z") for row in rows]
        assert stamps == sorted(stamps, reverse=True)


async def test_start_times(client):
    for name, url in (await lists(client)).items():
        text = {"$filter": f"startedDateTime gt {STAMP}"}
        if name == "task reports":
            assert "$filter" in await client.error(url, **text)
        else:
            rows = [row for row in await client.rows(url) if (row["startedDateTime"] or "") > STAMP]
            assert await client.rows(url, **text) == rows


@pytest.mark.parametrize("name", ["user results", "user results of run", "task results"])
async def test_subject_filter_is_a_setting(sandbox, name):
    url = (await lists(sandbox()))[name]
    rows = await sandbox().rows(url)
    key = rows[0]["subject"]["id"]
    for operator in ("eq", "ne"):
        text = {"$filter": f"subject/id {operator} '{key}'"}
        wanted = [row for row in rows if (row["subject"]["id"] == key) == (operator == "eq")]
        assert await sandbox().rows(url, **text) == wanted
        assert "$filter" in await sandbox(subject_filter="refuse").error(url, **text)
    text = {"$filter": "processingStatus ne 'queued'"}
    assert await sandbox(subject_filter="refuse").rows(url, **text) == rows


def test_the_setting_is_checked(sandbox):
    with pytest.raises(ValueError, match="subject_filter"):
        sandbox(subject_filter="maybe")
