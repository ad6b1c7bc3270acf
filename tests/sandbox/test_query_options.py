import pytest

from .conftest import LIFECYCLE, WORKFLOWS


async def _lists(client):
    workflow, run = await client.workflow_url(), await client.run_url()
    return {
        "workflow": workflow,
        "tasks": f"{workflow}/tasks",
        "task": f"{workflow}/tasks/any",
        "task results of task": f"{workflow}/tasks/any/taskProcessingResults",
        "runs": f"{workflow}/runs",
        "run": run,
        "user results": f"{run}/userProcessingResults",
        "user result": f"{run}/userProcessingResults/any",
        "task results": f"{run}/taskProcessingResults",
        "definitions": f"{LIFECYCLE}/taskDefinitions",
        "users": "/v1.0/users",
    }


@pytest.mark.parametrize("option", ["$top", "$skip", "$apply", "$format"])
async def test_unsupported_options_are_named(client, option):
    for url in (await _lists(client)).values():
        message = await client.error(url, **{option: "1"})
        assert message.startswith("invalidRequest")
        assert option in message


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [
        ("workflow", "$filter", "id eq 'a'"),
        ("tasks", "$select", "id"),
        ("tasks", "$expand", "taskProcessingResults"),
        ("task", "$select", "id"),
        ("task results of task", "$filter", "id eq 'a'"),
        ("runs", "$expand", "userProcessingResults"),
        ("run", "$expand", "userProcessingResults"),
        ("runs", "$search", '"a"'),
        ("user results", "$search", '"a"'),
        ("user result", "$expand", "subject"),
        ("definitions", "$expand", "parameters"),
        ("users", "$orderby", "displayName"),
    ],
)
async def test_options_that_an_endpoint_does_not_document(client, name, option, value):
    url = (await _lists(client))[name]
    assert option in await client.error(url, **{option: value})


async def test_options_are_judged_before_ids(client):
    assert "$top" in await client.error(f"{WORKFLOWS}/none/runs", **{"$top": "1"})
    url = f"{WORKFLOWS}/none/userProcessingResults"
    assert "$expand" in await client.error(url, **{"$expand": "taskProcessingResults"})
    assert "itemNotFound" in await client.error(url, 404, **{"$expand": "subject"})


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("$select", "id,nothing"),
        ("$select", ""),
        ("$orderby", "nothing"),
        ("$orderby", "displayName down"),
        ("$orderby", "executionConditions"),
        ("$filter", "nothing eq 'a'"),
        ("$search", "unquoted"),
        ("$expand", "runs"),
        ("$expand", "tasks"),
        ("$expand", "createdBy,lastModifiedBy"),
        ("$expand", "createdBy($filter=id eq 'a')"),
    ],
)
async def test_wrong_values_name_their_option(client, option, value):
    message = await client.error(WORKFLOWS, **{option: value})
    assert option in message


async def test_select_inside_expand_is_checked(client):
    message = await client.error(WORKFLOWS, **{"$expand": "createdBy($select=nothing)"})
    assert "$select" in message


async def test_a_repeated_option_is_refused(client):
    assert "more than once" in await client.error(f"{WORKFLOWS}?$select=id&$select=id")


async def test_orderby_takes_several_properties(client):
    rows = await client.rows(WORKFLOWS, **{"$orderby": "category desc,displayName asc"})
    key = {"joiner": 0, "leaver": 1, "mover": 3}
    expected = sorted(rows, key=lambda row: (-key[row["category"]], row["displayName"]))
    assert rows == expected


async def test_orderby_compares_timestamps_and_puts_null_first(client):
    rows = await client.rows(WORKFLOWS, **{"$orderby": "nextScheduleRunDateTime"})
    assert rows[0]["nextScheduleRunDateTime"] is None
    url = f"{await client.run_url()}/taskProcessingResults"
    rows = await client.rows(url, **{"$orderby": "startedDateTime desc"})
    times = [row["startedDateTime"] for row in rows if row["startedDateTime"]]
    padded = [time[:-1].ljust(19, ".").ljust(27, "0") for time in times]
    assert padded == sorted(padded, reverse=True)


async def test_search_looks_into_names_and_descriptions(client):
    found = await client.rows(WORKFLOWS, **{"$search": '"TERMINATION"'})
    assert [row["category"] for row in found] == ["leaver"]
    assert await client.rows(WORKFLOWS, **{"$search": '"no such thing"'}) == []


async def test_select_on_each_kind(client):
    run = await client.run_url()
    assert set((await client.rows(WORKFLOWS, **{"$select": "id,version"}))[0]) == {"id", "version"}
    assert set((await client.rows(WORKFLOWS, **{"$select": "version"}))[0]) == {"version"}
    results = await client.rows(f"{run}/userProcessingResults", **{"$select": "id"})
    assert set(results[0]) == {"id"}
    results = await client.rows(f"{run}/taskProcessingResults", **{"$select": "id"})
    assert set(results[0]) == {"id", "subject", "task"}
    assert len(results[0]["task"]) == 9
    page = await client.json(run, **{"$select": "id,totalUsersCount"})
    assert page["@odata.context"].endswith("/runs(id,totalUsersCount)/$entity")


async def test_what_comes_with_a_workflow_unasked(client):
    details = {"executionConditions", "tasks", "createdBy", "lastModifiedBy"}
    assert not details & set((await client.rows(WORKFLOWS))[0])
    assert not details & set((await client.rows(WORKFLOWS, **{"$select": "id,tasks"}))[0])
    url = await client.workflow_url()
    whole = await client.json(url)
    assert details <= set(whole)
    assert set(whole["createdBy"]) == {"id"}
    assert whole["tasks@odata.context"].endswith(f"workflows('{whole['id']}')/tasks")
    part = await client.json(url, **{"$select": "id,displayName"})
    assert set(part) == {"@odata.context", "id", "displayName"}
    part = await client.json(url, **{"$select": "id,tasks"})
    assert set(part) == {"@odata.context", "id", "tasks", "tasks@odata.context"}


async def test_select_can_be_refused_or_ignored(sandbox):
    refusing = sandbox(select="refuse")
    run = await refusing.run_url()
    for url in (WORKFLOWS, run, f"{run}/taskProcessingResults"):
        assert "$select" in await refusing.error(url, **{"$select": "id"})
    users = f"{run}/userProcessingResults"
    assert "$select" in await refusing.error(users, **{"$expand": "subject($select=id)"})
    ignoring = sandbox(select="ignore")
    assert await ignoring.rows(users, **{"$select": "id"}) == await ignoring.rows(users)
    assert "$select" in await ignoring.error(users, **{"$select": "nothing"})
    for client in (refusing, ignoring):
        assert set((await client.rows("/v1.0/users", **{"$select": "id"}))[0]) == {"id"}


async def test_unknown_enum_members_need_the_prefer_header(sandbox):
    client = sandbox()
    number = 2
    mover = await client.workflow_url(number)
    assert (await client.json(mover))["category"] == "mover"
    kinds = {row["workflowExecutionType"] for row in await client.rows(f"{mover}/runs")}
    assert "activatedWithScope" in kinds
    del client.headers["Prefer"]
    assert (await client.json(mover))["category"] == "unknownFutureValue"
    assert (await client.rows(WORKFLOWS))[number]["category"] == "unknownFutureValue"
    kinds = {row["workflowExecutionType"] for row in await client.rows(f"{mover}/runs")}
    assert kinds == {"scheduled", "unknownFutureValue"}
    assert len(await client.rows(WORKFLOWS, **{"$filter": "category eq 'mover'"})) == 1
    joiner = await client.json(await client.workflow_url(4))
    trigger = joiner["executionConditions"]["trigger"]
    assert trigger["timeBasedAttribute"] == "unknownFutureValue"
