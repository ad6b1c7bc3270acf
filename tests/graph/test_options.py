"""`$expand` and `$select` that are refused, ignored or cut short."""

from typing import Any

import pytest

from tests.conftest import Gateway, Start, running
from tests.graph.canned import LIST, NAMES, ROOT, TREE, Answers, Replay, a_run, code, codes


@pytest.mark.parametrize("select", ["accept", "ignore", "refuse"])
@pytest.mark.parametrize("expand", ["accept", "ignore", "refuse"])
async def test_the_answer_does_not_depend_on_what_the_service_accepts(
    start: Start, expand: str, select: str
) -> None:
    size = {"workflows": 2, "runs": 2, "users": 25, "page_size": 20}
    expected = await (await start(**size, task_results_expand="refuse")).data(TREE)
    results = expected["workflows"]["nodes"][0]["runs"]["nodes"][0]["userProcessingResults"]
    assert [len(user["taskProcessingResults"]) for user in results["nodes"]] == [3] * 25
    gateway = await start(**size, task_results_expand=expand, select=select)
    for _ in ("cold", "warm"):
        assert await gateway.data(TREE) == expected


@pytest.mark.parametrize("message", ["The tenant is being moved.", "The request has expired."])
async def test_a_400_for_another_reason_switches_nothing_off(
    gateway: Gateway, message: str
) -> None:
    body = {"error": {"code": "badRequest", "message": message}}
    await gateway.fault(match=LIST, status=400, body=body)
    await gateway.query(NAMES)
    _, sent = await gateway.counted(NAMES)
    [url] = sent.items
    assert "$select=" in url


BY = "query ($w: ID!) { workflow(id: $w) { id displayName createdBy { id displayName } } }"


async def test_only_the_option_that_is_refused_is_given_up(gateway: Gateway) -> None:
    run = await a_run(gateway)
    expected = await gateway.data(BY, w=run["w"])
    assert expected["workflow"]["createdBy"]["displayName"]
    body = {"error": {"code": "BadRequest", "message": "Parsing OData Select and Expand failed"}}
    await gateway.fault(match=r"workflows/[^/]+[?&]\$select=", status=400, body=body, times=None)
    assert await gateway.data(BY, w=run["w"]) == expected
    data, sent = await gateway.counted(BY, w=run["w"])
    assert data == expected
    [url] = sent.items
    assert "$expand=createdBy" in url


async def test_a_400_that_does_not_go_away_is_reported_with_its_first_message(
    gateway: Gateway,
) -> None:
    run = await a_run(gateway)
    body = {"error": {"code": "badRequest", "message": "This workflow is locked."}}
    await gateway.fault(match=f"workflows/{run['w']}", status=400, body=body, times=None)
    [error] = await gateway.errors(BY, w=run["w"])
    assert (code(error), error["message"]) == ("UPSTREAM_ERROR", "This workflow is locked.")
    await gateway.upstream.delete("/sandbox/faults")
    _, sent = await gateway.counted(BY, w=run["w"])
    assert "$expand=createdBy" in sent.items[0]
    assert "$select=" in sent.items[0]


SUBJECTS = """query ($w: ID!, $r: ID!) { run(workflowId: $w, id: $r) { id
  userProcessingResults { nodes { id subject { id displayName department } } } } }"""


async def test_subjects_that_may_not_be_expanded_are_looked_up(gateway: Gateway) -> None:
    run = await a_run(gateway)
    expected = await gateway.data(SUBJECTS, **run)
    names = [row["subject"] for row in expected["run"]["userProcessingResults"]["nodes"]]
    assert any(name["displayName"] for name in names)
    await gateway.fault(match=r"expand=subject", status=403, times=None)
    assert await gateway.data(SUBJECTS, **run) == expected


@pytest.mark.parametrize("users", [5, 40], ids=["users?$filter", "getByIds"])
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"status": 403}, "FORBIDDEN"),
        ({"status": 500, "raw": "<html>"}, "UPSTREAM_ERROR"),
        ({"status": 200, "raw": "<html>"}, "UPSTREAM_ERROR"),
        ({"status": 200, "body": {}}, "UPSTREAM_ERROR"),
        ({"status": 200, "body": {"value": None}}, "UPSTREAM_ERROR"),
        ({"status": 200, "body": {"value": 5}}, "UPSTREAM_ERROR"),
        ({"status": 200, "body": {"value": [{"id": []}]}}, "UPSTREAM_ERROR"),
    ],
    ids=lambda v: ascii(v)[:50],
)
async def test_a_look_up_of_users_that_fails_keeps_their_ids(
    start: Start, users: int, fault: dict[str, Any], code: str
) -> None:
    gateway = await start(users=users, workflows=1, runs=1)
    run = await a_run(gateway)
    query = SUBJECTS.replace(" department", "")
    expected = await gateway.data(query, **run)
    await gateway.fault(match=r"expand=subject", status=403, times=None)
    await gateway.fault(match=r"/users\?|getByIds", times=None, **fault)
    answer = await gateway.query(query, **run)
    assert codes(answer) == {code}
    assert {error["path"][-1] for error in answer["errors"]} == {"displayName"}
    rows = answer["data"]["run"]["userProcessingResults"]["nodes"]
    assert [row["subject"]["id"] for row in rows] == [
        row["subject"]["id"] for row in expected["run"]["userProcessingResults"]["nodes"]
    ]


async def test_a_look_up_of_users_is_read_to_its_last_page(start: Start) -> None:
    run = await a_run(whole := await start(users=12, workflows=1, runs=1))
    expected = await whole.data(SUBJECTS, **run)
    gateway = await start(users=12, workflows=1, runs=1, page_size=4)
    await gateway.fault(match=r"expand=subject", status=403, times=None)
    assert await gateway.data(SUBJECTS, **run) == expected


async def test_the_pages_of_a_workflows_inlined_tasks_are_followed() -> None:
    inlined = {
        "tasks": [{"id": "1"}],
        "tasks@odata.nextLink": f"{ROOT}/workflows/w/tasks?p=2",
    }
    replay = Replay(
        {
            "workflows": {"value": [{"id": "w"}]},
            "workflows/w": {"id": "w", **inlined},
            "workflows/w/tasks?p=2": {"value": [{"id": "2"}]},
        }
    )
    async with running(replay.app) as gateway:
        data = await gateway.data(
            '{ workflow(id: "w") { tasks { id } } workflows { nodes { tasks { id } } } }'
        )
    both = {"tasks": [{"id": "1"}, {"id": "2"}]}
    assert data == {"workflow": both, "workflows": {"nodes": [both]}}


async def test_a_detail_of_another_shape_is_an_error() -> None:
    replay = Replay({"workflows": {"value": [{"id": "w"}]}, "workflows/w": []})
    async with running(replay.app) as gateway:
        answer = await gateway.query(
            "{ workflows { nodes { id executionConditions { odataType } } } }"
        )
    assert codes(answer) == {"UPSTREAM_ERROR"}
    assert answer["data"]["workflows"]["nodes"] == [{"id": "w", "executionConditions": None}]


RESULTS = """query ($n: Int) { run(workflowId: "w", id: "r") { id
  userProcessingResults(first: $n) { nodes { id subject { id }
    taskProcessingResults { id } } } } }"""


def _run_of(
    users: list[tuple[str, str]], tasks: int = 2, counts: tuple[Any, Any, Any] | None = None
) -> tuple[Answers, dict[str, list[str]]]:
    """A run of (result, subject) pairs, and which task results belong to which result, sorted."""
    total_users, total_tasks, own = counts or (len(users), tasks * len(users), tasks)
    truth = {u: [f"{u}-{n}" for n in range(tasks)] for u, _ in users}
    rows = {u: [{"id": t, "subject": {"id": s}} for t in truth[u]] for u, s in users}
    run = {"id": "r", "totalUsersCount": total_users, "totalTasksCount": total_tasks}
    below = "workflows/w/runs/r"
    answers: Answers = {
        below: run,
        "workflows/w/runs": {"value": [run]},
        f"{below}/userProcessingResults": {
            "value": [{"id": u, "subject": {"id": s}, "totalTasksCount": own} for u, s in users]
        },
        f"{below}/taskProcessingResults": {"value": [row for u, _ in users for row in rows[u]]},
    }
    for u, _ in users:
        answers[f"{below}/userProcessingResults/{u}/taskProcessingResults"] = {"value": rows[u]}
    return answers, truth


def _grouped(data: dict[str, Any]) -> dict[str, list[str]]:
    return {
        user["id"]: sorted(task["id"] for task in user["taskProcessingResults"])
        for user in data["run"]["userProcessingResults"]["nodes"]
    }


TWICE = [("u1", "same"), ("u2", "other"), ("u3", "same")]


@pytest.mark.parametrize("order", [1, -1], ids=["in order", "in reverse"])
@pytest.mark.parametrize("cut", [None, 2, 3, 5])
@pytest.mark.parametrize("first", [1, 2, 50])
async def test_results_of_a_subject_that_occurs_twice_are_not_mixed_up(
    first: int, cut: int | None, order: int
) -> None:
    answers, truth = _run_of(TWICE)
    flat = "workflows/w/runs/r/taskProcessingResults"
    rows = answers[flat]["value"][::order]
    if cut is not None:
        answers[flat] = {"value": rows[:cut], "@odata.nextLink": f"{ROOT}/{flat}?p=2"}
        answers[f"{flat}?p=2"] = {"value": rows[cut:]}
    async with running(Replay(answers).app) as gateway:
        for _ in ("cold", "warm"):
            found = _grouped(await gateway.data(RESULTS, n=first))
            assert found == {u: truth[u] for u in list(truth)[:first]}


@pytest.mark.parametrize(
    "counts",
    [(0, 0, 0), (0, 0, 2), (99, 999, 2), (3, 6, 0), (3, 6, 99), (-1, -1, -1), (None, None, None)],
    ids=repr,
)
@pytest.mark.parametrize("through", ["run", "workflow"])
async def test_counts_that_lie_do_not_change_the_rows(
    counts: tuple[Any, Any, Any], through: str
) -> None:
    users = [("u1", "s1"), ("u2", "s2"), ("u3", "s3")]
    answers, truth = _run_of(users, counts=counts)
    answers["workflows/w"] = {"id": "w"}
    query = RESULTS
    if through == "workflow":
        query = """query ($n: Int) { workflow(id: "w") { runs { nodes { id
          userProcessingResults(first: $n) { nodes { id taskProcessingResults { id } } } } } } }"""
    async with running(Replay(answers).app) as gateway:
        data = await gateway.data(query)
    if through == "workflow":
        data = {"run": data["workflow"]["runs"]["nodes"][0]}
    assert _grouped(data) == truth


@pytest.mark.parametrize("key", [None, "text", {}, {"id": None}, {"id": []}, {"id": {}}], ids=repr)
async def test_subjects_of_another_shape_do_not_mix_up_results(key: Any) -> None:
    answers, truth = _run_of([("u1", "s1"), ("u2", "s2")])
    for rows in (answers[f"workflows/w/runs/r/{n}ProcessingResults"] for n in ("user", "task")):
        for row in rows["value"]:
            row["subject"] = key
    query = RESULTS.replace("subject { id }", "")
    async with running(Replay(answers).app) as gateway:
        assert _grouped(await gateway.data(query)) == truth


@pytest.mark.parametrize(
    "flat",
    [(403, {"error": {}}), (500, "text"), {"value": None}, {"value": ["text"]}],
    ids=repr,
)
async def test_a_flat_collection_that_fails_is_replaced_by_requests(flat: Any) -> None:
    answers, truth = _run_of([("u1", "s1"), ("u2", "s2")])
    answers["workflows/w/runs/r/taskProcessingResults"] = flat
    async with running(Replay(answers).app) as gateway:
        assert _grouped(await gateway.data(RESULTS)) == truth


def _expanded(tasks: Any, **more: Any) -> Answers:
    answers, _ = _run_of([("u1", "s1"), ("u2", "s2")])
    run = answers["workflows/w/runs"]["value"][0]
    users = answers["workflows/w/runs/r/userProcessingResults"]["value"]
    for user in users:
        user["taskProcessingResults"] = [
            {"id": f"{user['id']}-{n}", "subject": user["subject"]} for n in range(2)
        ]
    users[0] |= {"taskProcessingResults": tasks, **more}
    return {**answers, "workflows/w": {"id": "w"}, "workflows/w/runs": {"value": [run]}}


THROUGH = """{ workflow(id: "w") { id runs { nodes { id
  userProcessingResults { nodes { id taskProcessingResults { id } } } } } } }"""
OWN = "workflows/w/runs/r/userProcessingResults/u1/taskProcessingResults"


@pytest.mark.parametrize(
    "tasks",
    [[], [{"id": "u1-0"}], [{"id": "x"}] * 3, None, "text", {}, 5],
    ids=repr,
)
async def test_an_expansion_that_is_cut_short_is_requested_again(tasks: Any) -> None:
    async with running(Replay(_expanded(tasks)).app) as gateway:
        data = await gateway.data(THROUGH)
    assert _grouped({"run": data["workflow"]["runs"]["nodes"][0]}) == {
        "u1": ["u1-0", "u1-1"],
        "u2": ["u2-0", "u2-1"],
    }


async def test_a_next_link_inside_an_expansion_is_followed() -> None:
    answers = _expanded(
        [{"id": "u1-0"}], **{"taskProcessingResults@odata.nextLink": f"{ROOT}/{OWN}?p=2"}
    )
    answers[f"{OWN}?p=2"] = {"value": [{"id": "u1-1"}]}
    replay = Replay(answers)
    async with running(replay.app) as gateway:
        data = await gateway.data(THROUGH)
    rows = _grouped({"run": data["workflow"]["runs"]["nodes"][0]})
    assert rows == {"u1": ["u1-0", "u1-1"], "u2": ["u2-0", "u2-1"]}
    assert any(url.endswith("?p=2") for url in replay.sent)


@pytest.mark.parametrize(
    "link", ["http://evil.example/v1.0/x", "http://[::1/v1.0/x", "http://upstream:99999999/v1.0/x"]
)
async def test_a_next_link_inside_an_expansion_that_leads_elsewhere_fails_its_edge_only(
    link: str,
) -> None:
    answers = _expanded([{"id": "u1-0"}], **{"taskProcessingResults@odata.nextLink": link})
    async with running(Replay(answers).app) as gateway:
        answer = await gateway.query(THROUGH)
    assert codes(answer) == {"UPSTREAM_ERROR"}
    first, second = answer["data"]["workflow"]["runs"]["nodes"][0]["userProcessingResults"]["nodes"]
    assert first == {"id": "u1", "taskProcessingResults": [{"id": "u1-0"}]}
    assert len(second["taskProcessingResults"]) == 2


@pytest.mark.parametrize(
    ("tasks", "kept"),
    [(["text", "text"], None), ([{}, {}], None), ([{"id": "a"}, {}], [{"id": "a"}])],
    ids=repr,
)
async def test_expanded_rows_of_another_shape_fail_their_edge_only(tasks: Any, kept: Any) -> None:
    async with running(Replay(_expanded(tasks)).app) as gateway:
        answer = await gateway.query(THROUGH)
    assert codes(answer) == {"UPSTREAM_ERROR"}
    first, second = answer["data"]["workflow"]["runs"]["nodes"][0]["userProcessingResults"]["nodes"]
    assert first == {"id": "u1", "taskProcessingResults": kept}
    assert len(second["taskProcessingResults"]) == 2
