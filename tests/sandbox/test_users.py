from gateway.sandbox.data.model import USER

GET_BY_IDS = "/v1.0/directoryObjects/getByIds"


async def _subjects(client):
    workflow = await client.workflow_url()
    rows = await client.rows(f"{workflow}/userProcessingResults")
    return list(dict.fromkeys(row["subject"]["id"] for row in rows))


async def test_a_user(client):
    key = (await client.rows("/v1.0/users"))[3]["id"]
    user = await client.json(f"/v1.0/users/{key}")
    assert set(user) == USER.default | {"@odata.context"}
    user = await client.json(f"/v1.0/users/{key}", **{"$select": "department,employeeId"})
    assert set(user) == {"@odata.context", "department", "employeeId"}
    manager = await client.json(f"/v1.0/users/{key}/manager")
    assert manager["@odata.type"] == "#microsoft.graph.user"
    user = await client.json(f"/v1.0/users/{key}", **{"$expand": "manager($select=id)"})
    assert user["manager"] == {"id": manager["id"]}


async def test_the_first_user_has_no_manager(client):
    key = (await client.rows("/v1.0/users"))[0]["id"]
    assert "itemNotFound" in await client.error(f"/v1.0/users/{key}/manager", 404)


async def test_subject_paths_lead_to_the_user(client):
    run = await client.run_url()
    for url in (f"{run}/userProcessingResults", f"{run}/taskProcessingResults"):
        row = next(
            row
            for row in await client.rows(url, **{"$expand": "subject"})
            if len(row["subject"]) > 1
        )
        user = await client.json(f"{url}/{row['id']}/subject")
        assert user.pop("@odata.context")
        assert user == row["subject"]


async def test_users_by_id_in(client):
    ids = [row["id"] for row in await client.rows("/v1.0/users")][:3]
    text = ",".join(f"'{key}'" for key in [*ids, "none"])
    options = {"$filter": f"id in ({text})", "$select": "id,employeeId"}
    rows = await client.rows("/v1.0/users", **options)
    assert [row["id"] for row in rows] == ids
    assert set(rows[0]) == {"id", "employeeId"}


async def test_at_most_fifteen_ids_in_a_filter(client):
    for count, status in ((15, 200), (16, 400)):
        text = ",".join(f"'{n}'" for n in range(count))
        await client.json("/v1.0/users", status, **{"$filter": f"id in ({text})"})


async def test_get_by_ids(client):
    ids = [row["id"] for row in await client.rows("/v1.0/users")][:3]
    body = {"ids": [*ids, "none", ids[0]], "types": ["user"]}
    answer = (await client.post(GET_BY_IDS, json=body)).json()
    assert [row["id"] for row in answer["value"]] == ids
    assert set(answer["value"][0]) == USER.default | {"@odata.type"}
    assert answer["@odata.context"].endswith("$metadata#directoryObjects")


async def test_get_by_ids_is_not_paged(sandbox):
    client = sandbox(page_size=2)
    ids = [row["id"] for row in await client.rows("/v1.0/users")]
    answer = (await client.post(GET_BY_IDS, json={"ids": ids})).json()
    assert [row["id"] for row in answer["value"]] == ids
    assert "@odata.nextLink" not in answer


async def test_limits_of_get_by_ids(client):
    async def status(body, **params):
        return (await client.post(GET_BY_IDS, json=body, params=params or None)).status_code

    assert await status({"ids": ["x"] * 1000}) == 200
    assert await status({"ids": ["x"] * 1001}) == 400
    assert await status({"ids": []}, **{"$select": "id"}) == 400
    assert await status({"ids": "x"}) == 400
    assert await status({}) == 400
    assert (await client.post(GET_BY_IDS)).status_code == 400


async def test_deleted_users_keep_their_stub_only(sandbox):
    client = sandbox(users=40, page_size=500)
    subjects = await _subjects(client)
    known = {row["id"] for row in await client.rows("/v1.0/users")}
    deleted = [key for key in subjects if key not in known]
    assert 0 < len(deleted) < 5
    assert "itemNotFound" in await client.error(f"/v1.0/users/{deleted[0]}", 404)
    answer = (await client.post(GET_BY_IDS, json={"ids": subjects})).json()
    assert len(answer["value"]) == len(subjects) - len(deleted)
    assert await client.rows("/v1.0/users", **{"$filter": f"id eq '{deleted[0]}'"}) == []
    url = f"{await client.workflow_url()}/userProcessingResults"
    rows = await client.rows(url, **{"$expand": "subject"})
    assert {"id": deleted[0]} in [row["subject"] for row in rows]


async def test_a_small_directory_loses_nobody(sandbox):
    client = sandbox(users=4)
    subjects = await _subjects(client)
    assert set(subjects) <= {row["id"] for row in await client.rows("/v1.0/users")}
