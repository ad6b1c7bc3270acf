"""The ways in which the official SDKs and the documents spell the same request."""

import pytest

from .conftest import WORKFLOWS

QUALIFIED = "microsoft.graph.identityGovernance."
PERIOD = "startDateTime=2026-01-01T00:00:00Z,endDateTime=2027-01-01T00:00:00Z"


async def test_keys_in_parentheses(client):
    url = await client.workflow_url()
    run = await client.run_url()
    key, run_key = url.rpartition("/")[2], run.rpartition("/")[2]
    body = await client.json(url)
    for spelling in (f"{WORKFLOWS}('{key}')", f"{WORKFLOWS}({key})", f"{WORKFLOWS}(%27{key}%27)"):
        assert await client.json(spelling) == body
        found = await client.rows(f"{spelling}/runs('{run_key}')/userProcessingResults")
        assert found == await client.rows(f"{run}/userProcessingResults")
        one = await client.json(f"{spelling}/versions(1)")
        assert one == await client.json(f"{url}/versions/1")
    assert "o'clock" in await client.error(f"{WORKFLOWS}('o''clock')", 404)


@pytest.mark.parametrize("name", ["summary", f"{QUALIFIED}summary"])
@pytest.mark.parametrize(
    "period",
    [
        PERIOD,
        PERIOD.replace(":", "%3A"),
        PERIOD.replace("Z", "%2B00%3A00").replace(":", "%3A"),
        PERIOD.replace("00:00:00Z", "08:00:00%2B08:00"),
        PERIOD.replace("2026-01-01T00:00:00Z", "2025-12-31T16:00:00-08:00"),
        # What the Python SDK sends.
        PERIOD.replace(",", "").replace("Z", "%2B00%3A00"),
    ],
)
async def test_parameters_of_functions(client, name, period):
    url = await client.workflow_url()
    usual = await client.json(f"{url}/runs/summary({PERIOD})")
    assert usual["totalRuns"] > 0
    assert await client.json(f"{url}/runs/{name}({period})") == usual


async def test_names_of_options(client):
    usual = await client.rows(WORKFLOWS, **{"$filter": "version gt 1", "$orderby": "version desc"})
    assert len(usual) > 0
    for query in (
        "%24filter=version%20gt%201&%24orderby=version%20desc",
        "$Filter=version gt 1&$orderBy=version desc",
        "$filter=version+gt+1&$ORDERBY=version+desc",
    ):
        assert (await client.json(f"{WORKFLOWS}?{query}"))["value"] == usual


@pytest.mark.parametrize(
    "spelling",
    [
        "not (category eq 'leaver')",
        "not(category eq 'leaver')",
        "NOT(category eq 'leaver')",
        "Not (category eq 'leaver')",
    ],
)
async def test_negations(client, spelling):
    usual = await client.rows(WORKFLOWS, **{"$filter": "category ne 'leaver'"})
    assert await client.rows(WORKFLOWS, **{"$filter": spelling}) == usual
    text = "displayName ne 'NOT(a)' and " + spelling
    assert await client.rows(WORKFLOWS, **{"$filter": text}) == usual


async def test_actions_by_their_qualified_name(client):
    url = await client.workflow_url()
    answer = await client.write("POST", f"{url}/{QUALIFIED}previewTaskFailures", status=200)
    assert "value" in answer
