"""Users: id-only stubs, expansion, and bulk look-up."""

from tests.conftest import Gateway, Start

SUBJECTS = """{ workflows { nodes { runs { nodes { userProcessingResults { nodes {
  subject { %s } taskProcessingResults { subject { %s } } } } } } } } }"""


def _subjects(data: dict) -> list[dict]:
    return [
        subject
        for workflow in data["workflows"]["nodes"]
        for run in workflow["runs"]["nodes"]
        for user in run["userProcessingResults"]["nodes"]
        for subject in (user["subject"], *(t["subject"] for t in user["taskProcessingResults"]))
    ]


async def _directory(gateway: Gateway, id_: str) -> dict | None:
    response = await gateway.upstream.get(
        f"/v1.0/users/{id_}?$select=id,displayName,mail,department&$expand=manager",
        headers={"Authorization": "Bearer token"},
    )
    if response.status_code == 200:
        return response.json()
    deleted = await gateway.upstream.get(
        "/v1.0/directory/deletedItems/microsoft.graph.user"
        f"?$select=id,displayName,mail,department&$filter=id eq '{id_}'",
        headers={"Authorization": "Bearer token"},
    )
    return next(iter(deleted.json()["value"]), None)


async def test_ids_alone_cost_nothing(gateway: Gateway) -> None:
    data, sent = await gateway.counted(SUBJECTS % ("id", "id"))
    assert all(subject["id"] for subject in _subjects(data))
    assert not [item for item in sent.items if "users" in item.split("?")[0].lower().split("/")]
    assert not [item for item in sent.items if "expand=subject" in item]


async def test_every_strategy_gives_the_directory_s_values(start: Start) -> None:
    for expand in ("accept", "ignore", "refuse"):
        gateway = await start(task_results_expand=expand)
        fields = "id displayName mail department manager { id displayName }"
        subjects = _subjects(await gateway.data(SUBJECTS % (fields, fields)))
        for subject in {s["id"]: s for s in subjects}.values():
            user = await _directory(gateway, subject["id"])
            assert user is not None
            assert subject["displayName"] == user["displayName"]
            assert subject["mail"] == user["mail"]
            assert subject["department"] == user["department"]
            manager = user.get("manager") or {}
            assert (subject["manager"] or {}).get("id") == manager.get("id")
            assert (subject["manager"] or {}).get("displayName") == manager.get("displayName")


async def test_two_edges_to_users_share_one_look_up(start: Start) -> None:
    gateway = await start(task_results_expand="accept")
    data, sent = await gateway.counted(SUBJECTS % ("displayName", "displayName mail"))
    looked_up = [i for i in sent.items if "getByIds" in i or "/users?" in i]
    assert len(looked_up) == 1
    named = [s for s in _subjects(data) if s["displayName"]]
    assert len(named) > len(_subjects(data)) / 2


async def test_a_few_users_are_looked_up_by_filter_and_many_by_ids(start: Start) -> None:
    for users, expected in ((3, "/users?"), (40, "getByIds")):
        gateway = await start(workflows=1, runs=1, users=users, task_results_expand="accept")
        _, sent = await gateway.counted(SUBJECTS % ("displayName", "id"))
        assert [i for i in sent.items if expected in i], sent.items


async def test_properties_beyond_the_default_are_selected_by_name(start: Start) -> None:
    gateway = await start(workflows=1, runs=1, users=40, task_results_expand="accept")
    data, sent = await gateway.counted(SUBJECTS % ("department", "id"))
    # 40 users in groups of 15, beside whatever else the layer sends.
    assert len([i for i in sent.items if "/users?" in i and "department" in i]) == 3
    assert any(s.get("department") for s in _subjects(data))


async def test_the_manager_s_manager(start: Start) -> None:
    gateway = await start()
    data = await gateway.data(
        SUBJECTS % ("id manager { id displayName manager { id displayName } }", "id")
    )
    chains = [s["manager"] for s in _subjects(data) if s.get("manager")]
    assert any(manager["manager"] for manager in chains)
    for manager in chains:
        above = await _directory(gateway, manager["id"])
        expected = (above or {}).get("manager")
        assert manager["manager"] == (
            expected and {"id": expected["id"], "displayName": expected["displayName"]}
        )
