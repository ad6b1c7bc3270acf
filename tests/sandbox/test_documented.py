import json
from pathlib import Path

import pytest

from .conftest import LIFECYCLE, WORKFLOWS

DATA = Path(__file__).parents[1] / "data"


def _example(name):
    return json.loads((DATA / f"{name}.json").read_text("utf-8"))


@pytest.mark.parametrize(
    "name",
    [
        "deleted-workflow-get",
        "run-get-select",
        "run-taskprocessingresults-list-select",
        "run-userprocessingresults-list",
        "runs-list",
        "userprocessingresult-get",
        "userprocessingresult-taskprocessingresults-list-select",
        "workflow-get",
        "workflow-task-get",
        "workflow-tasks-list",
        "workflow-userprocessingresults-list",
        "seed004-run-userprocessingresult-taskprocessingresults-list-select",
        "runs-summary",
        "taskreport-taskprocessingresults-list",
        "taskreports-summary",
        "userprocessingresults-summary-beta",
        "insights-toptasks",
        "workflow-version-get-select-expand-tasks",
        "workflow-versions-list",
    ],
)
async def test_examples_answer_exactly_as_documented(client, name):
    example = _example(name)
    # workflow-tasks-list documents a segment that does not exist: workflow for workflows.
    path = example["request"]["path"].replace("/workflow/", "/workflows/")
    answer = await client.json(path, **example["request"]["query"])
    assert answer == example["response"]["body"]


@pytest.mark.parametrize(
    "name",
    [
        "insights-workflowsbycategory",
        "run-reprocessedruns-list",
        "taskdefinitions-list-25",
        "taskreports-list-select",
    ],
)
async def test_examples_whose_context_or_count_is_not_that_of_their_siblings(client, name):
    example = _example(name)
    answer = await client.json(example["request"]["path"], **example["request"]["query"])
    expected = example["response"]["body"]
    annotations = {"@odata.context", "@odata.count", "@microsoft.graph.tips"}
    assert {k: v for k, v in answer.items() if k not in annotations} == {
        k: v for k, v in expected.items() if k not in annotations
    }


async def test_another_period_than_the_documented_one_is_worked_out(client):
    example = _example("runs-summary")
    path = example["request"]["path"].replace("endDateTime=2022-08-31", "endDateTime=2022-09-01")
    answer = await client.json(path)
    assert (answer["totalRuns"], answer["successfulRuns"], answer["totalTasks"]) == (2, 2, 8)


async def test_the_documented_run_carries_its_reprocessed_run(client):
    key = "78799042-265a-4e8f-8d61-94a2dcd2d395"
    url = f"{LIFECYCLE}/deletedItems/workflows/{key}"
    run = await client.json(f"{url}/runs/{key}_638927021459357126")
    [again] = run["reprocessedRuns"]
    assert await client.rows(f"{url}/runs/{run['id']}/reprocessedRuns") == [again]
    scope = f"{url}/executionScope"
    [item] = await client.rows(scope)
    [old] = await client.rows(f"{scope}/{item['id']}/reprocessedRuns")
    nested = f"{scope}/{item['id']}/reprocessedRuns/{old['id']}/reprocessedRuns"
    assert [row["id"] for row in await client.rows(nested)] == [run["id"]]
    assert await client.rows(f"{url}/runs/{again['id']}/reprocessedRuns") == []


async def test_the_run_of_a_path_that_differs_from_its_context(client):
    example = _example("seed004-run-userprocessingresult-taskprocessingresults-list")
    rows = example["response"]["body"]["value"]
    assert await client.rows(example["request"]["path"]) == rows
    other = example["request"]["path"].replace(
        "72885f91-2cf0-44b1-b3ed-bd145af0192c", "dad77a47-6eda-4de7-bc37-fe8eb5aaf17d"
    )
    assert await client.rows(other) == rows


async def test_documented_workflows_are_found_but_not_listed(client):
    listed = {row["id"] for row in await client.rows(WORKFLOWS)}
    for row in _example("workflows-list-all")["response"]["body"]["value"]:
        assert row["id"] not in listed
        answer = await client.json(f"{WORKFLOWS}/{row['id']}")
        assert answer.items() >= row.items()


async def test_deleted_workflows(client):
    example = _example("deleted-workflows-list")["response"]["body"]
    assert await client.json(f"{LIFECYCLE}/deletedItems/workflows") == example
    url = f"{LIFECYCLE}/deletedItems/workflows/4557805a-1af5-4c29-b271-2cd7fb5de9bf"
    part = await client.json(url, **{"$select": "id"})
    assert part["tasks"] == []
    assert "category" not in part
    assert await client.rows(f"{url}/runs") == []


async def test_documented_users(client):
    record = _example("directoryobjects-getbyids")["response"]["body"]["value"][0]
    url = f"/v1.0/users/{record['id']}"
    answer = await client.json(url, **{"$select": "id,displayName,accountEnabled"})
    assert {**answer, "@odata.type": "#microsoft.graph.user"}.items() >= record.items()


async def test_entities_known_by_their_id_only(client):
    url = f"{WORKFLOWS}/14879e66-9ea9-48d0-804d-8fea672d0341"
    answer = await client.json(url)
    assert set(answer) == {"@odata.context", "id"}
    assert len(await client.rows(f"{url}/userProcessingResults")) == 2
    run = f"{url}/runs/dad77a47-6eda-4de7-bc37-fe8eb5aaf17d"
    assert len(await client.rows(f"{run}/taskProcessingResults")) == 3
    task = "917e9eab-415d-4e45-b39d-87eb5e30de38"
    assert (await client.json(f"{url}/tasks/{task}"))["id"] == task
    rows = await client.rows(f"{url}/tasks/{task}/taskProcessingResults")
    assert [row["id"][:8] for row in rows] == ["05a96d7a", "bf3cf897"]


async def test_placeholders_are_not_served():
    text = Path("gateway/sandbox/data/documented.json")
    content = (Path(__file__).parents[2] / text).read_text("utf-8")
    assert "String (" not in content
