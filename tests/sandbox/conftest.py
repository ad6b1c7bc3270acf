from collections.abc import Callable
from typing import Any

import httpx
import pytest

from gateway.sandbox import SandboxSettings, create_sandbox

ROOT = "https://graph.microsoft.com"
LIFECYCLE = "/v1.0/identityGovernance/lifecycleWorkflows"
WORKFLOWS = f"{LIFECYCLE}/workflows"


class Client(httpx.AsyncClient):
    """A caller of a sandbox of its own."""

    def __init__(self, settings: SandboxSettings) -> None:
        super().__init__(
            transport=httpx.ASGITransport(create_sandbox(settings)),
            base_url=ROOT,
            headers={
                "Authorization": "Bearer token",
                "Prefer": "include-unknown-enum-members",
            },
        )

    async def json(self, url: str, status: int = 200, **options: Any) -> Any:
        response = await self.get(url, params=options or None)
        assert response.status_code == status, response.text
        return response.json()

    async def rows(self, url: str, **options: Any) -> list[dict[str, Any]]:
        """All rows of a collection, page by page."""
        page = await self.json(url, **options)
        rows = page["value"]
        while "@odata.nextLink" in page:
            page = await self.json(page["@odata.nextLink"])
            rows += page["value"]
        return rows

    async def error(self, url: str, status: int = 400, **options: Any) -> str:
        error = (await self.json(url, status, **options))["error"]
        assert set(error["innerError"]) == {"date", "request-id", "client-request-id"}
        return f"{error['code']}: {error['message']}"

    async def write(
        self, method: str, url: str, body: Any = None, status: int = 204
    ) -> dict[str, Any]:
        """The answer to a request that writes; empty if it has no body."""
        response = await self.request(method, url, **({} if body is None else {"json": body}))
        assert response.status_code == status, response.text
        assert ("content-type" in response.headers) == bool(response.content)
        assert (status == 204) == (not response.content)
        return response.json() if response.content else {}

    async def refused(self, method: str, url: str, body: Any = None, status: int = 400) -> str:
        """The message of the error that answers a request that would write."""
        error = (await self.write(method, url, body, status))["error"]
        assert set(error["innerError"]) == {"date", "request-id", "client-request-id"}
        return str(error["message"])

    async def advance(self, seconds: float) -> None:
        """Let the time of the sandbox pass."""
        response = await self.post("/sandbox/clock", json={"advance": seconds})
        assert response.status_code == 200, response.text

    async def batch(self, *items: dict[str, Any], status: int = 200) -> Any:
        response = await self.post("/v1.0/$batch", json={"requests": list(items)})
        assert response.status_code == status, response.text
        return response.json()

    async def workflow_url(self, number: int = 0) -> str:
        return f"{WORKFLOWS}/{(await self.rows(WORKFLOWS))[number]['id']}"

    async def run_url(self, workflow: int = 0, run: int = 0) -> str:
        url = await self.workflow_url(workflow)
        return f"{url}/runs/{(await self.rows(f'{url}/runs'))[run]['id']}"


@pytest.fixture
def sandbox() -> Callable[..., Client]:
    def make(**settings: Any) -> Client:
        settings.setdefault("moving", False)
        return Client(SandboxSettings(**settings))

    return make


@pytest.fixture
def client(sandbox: Callable[..., Client]) -> Client:
    return sandbox()
