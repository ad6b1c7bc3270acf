"""The sandbox that is embedded: of the size, and at the time, that the settings say."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta

import httpx

from gateway.app import SANDBOX, create_app
from gateway.sandbox import SandboxSettings
from gateway.settings import Settings

QUERY = """{ workflows { totalCount nodes { runs { totalCount nodes {
    scheduledDateTime totalUsersCount totalTasksCount } } } } }"""


async def answer(settings: Settings) -> dict[str, object]:
    """The data of the query on the sandbox of these settings."""
    app = create_app(settings)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client,
    ):
        response = await client.post("/graphql", json={"query": QUERY})
        body = response.json()
        assert "errors" not in body
        return dict(body["data"]["workflows"])


async def test_its_size() -> None:
    size = {"workflows": 2, "runs": 3, "users": 7, "tasks": 2}
    found = await answer(Settings(**{f"sandbox_{name}": n for name, n in size.items()}))
    assert found["totalCount"] == 2
    for workflow in found["nodes"]:
        assert workflow["runs"]["totalCount"] == 3
        for run in workflow["runs"]["nodes"]:
            assert (run["totalUsersCount"], run["totalTasksCount"]) == (7, 14)


async def test_its_clock() -> None:
    for settings, now in (
        (Settings(), datetime.now(UTC)),
        (Settings(sandbox_now="2031-05-06T12:00:00Z"), datetime(2031, 5, 6, 12, tzinfo=UTC)),
    ):
        found = await answer(settings)
        [newest, *_] = found["nodes"][0]["runs"]["nodes"]
        time = datetime.fromisoformat(newest["scheduledDateTime"][:19] + "+00:00")
        assert timedelta(0) < now - time < timedelta(days=1)


def test_what_is_not_set_is_as_of_the_sandbox_alone() -> None:
    known = {field.name: field.default for field in fields(SandboxSettings)}
    for name in SANDBOX:
        assert name in known
        if name != "now":
            assert getattr(Settings(), f"sandbox_{name}") == known[name]
