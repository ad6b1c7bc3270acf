import httpx

from .conftest import WORKFLOWS


async def test_pages_are_followed_to_the_end(sandbox):
    client = sandbox(page_size=4, users=9, tasks=2)
    url = f"{await client.run_url()}/taskProcessingResults"
    page = await client.json(url)
    assert len(page["value"]) == 4
    rows = await client.rows(url)
    assert len({row["id"] for row in rows}) == len(rows) == 18


async def test_the_link_is_absolute_and_keeps_all_options(sandbox):
    client = sandbox(page_size=2)
    options = {"$select": "id", "$orderby": "displayName desc", "$filter": "version ge 1"}
    page = await client.json(WORKFLOWS, **options)
    link = httpx.URL(page["@odata.nextLink"])
    assert str(link).startswith("https://graph.microsoft.com" + WORKFLOWS)
    assert dict(link.params).items() >= options.items()
    ordered = await client.rows(WORKFLOWS, **options)
    plain = await client.rows(WORKFLOWS, **{"$orderby": "displayName desc"})
    assert [row["id"] for row in ordered] == [row["id"] for row in plain]


async def test_an_exact_page_has_no_link(sandbox):
    assert "@odata.nextLink" not in await sandbox(page_size=5).json(WORKFLOWS)
    page = await sandbox(page_size=1).json(WORKFLOWS, **{"$filter": "category eq 'mover'"})
    assert len(page["value"]) == 1
    assert "@odata.nextLink" not in page


async def test_a_filtered_list_is_paged_without_gaps(sandbox):
    filter_ = {"$filter": "processingStatus eq 'failed'"}
    for order in ({}, {"$orderby": "completedDateTime"}, {"$count": "true"}):
        few = sandbox(page_size=3, users=60)
        url = f"{await few.run_url()}/taskProcessingResults"
        paged = await few.rows(url, **filter_, **order)
        whole = await sandbox(page_size=500, users=60).rows(url, **filter_, **order)
        assert paged == whole
        assert len(whole) > 6


async def test_a_token_belongs_to_its_path_and_options(sandbox):
    client = sandbox(page_size=2)
    link = httpx.URL((await client.json(WORKFLOWS, **{"$select": "id"}))["@odata.nextLink"])
    token = link.params["$skiptoken"]
    assert (await client.json(str(link)))["value"]
    for options in ({"$select": "displayName"}, {}):
        message = await client.error(WORKFLOWS, **options, **{"$skiptoken": token})
        assert "$skiptoken" in message
    runs = f"{await client.workflow_url()}/runs"
    assert "$skiptoken" in await client.error(runs, **{"$select": "id", "$skiptoken": token})
    for broken in ("x", "AAAA", token[:-3]):
        assert "$skiptoken" in await client.error(WORKFLOWS, **{"$skiptoken": broken})


async def test_counts_come_where_documented(sandbox):
    client = sandbox(page_size=2)
    workflow = await client.workflow_url()
    assert (await client.json(f"{workflow}/runs"))["@odata.count"] == 4
    assert (await client.json(f"{workflow}/tasks"))["@odata.count"] == 3
    definitions = "/v1.0/identityGovernance/lifecycleWorkflows/taskDefinitions"
    assert (await client.json(definitions))["@odata.count"] == 25
    assert "$count" in await client.error(definitions, **{"$count": "true"})
    assert "@odata.count" not in await client.json(WORKFLOWS)
    assert (await client.json(WORKFLOWS, **{"$count": "true"}))["@odata.count"] == 5
    assert "$count" in await client.error(WORKFLOWS, **{"$count": "yes"})
    leavers = {"$count": "true", "$filter": "category eq 'leaver'"}
    assert (await client.json(WORKFLOWS, **leavers))["@odata.count"] == 2
