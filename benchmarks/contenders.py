"""Scripts that get the answer to `shapes.QUERY` without the gateway, and the gateway's caller.

Each is an object with `answer()`, which returns the data of the answer.
"""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any, Protocol

import aiohttp
import httpx
import orjson
from httpx_aiohttp import AiohttpTransport

from benchmarks.by_hand import Row, assemble, expanded, results_of
from benchmarks.shapes import BIG_RUN, NAMES, QUERY, TOKEN, body_of

ROOT = "/identityGovernance/lifecycleWorkflows"
HEADERS = {"Authorization": f"Bearer {TOKEN}", "Prefer": "include-unknown-enum-members"}
_WORKFLOWS = "?$select=id,displayName"
_RUNS = "?$select=id,totalUsersCount,totalTasksCount"
_USERS = "?$select=id,subject,totalTasksCount"
_RESULTS = "?$select=id,processingStatus,failureReason,task,subject"
_EXPANDED = "$select=id,processingStatus,failureReason,task"


class Contender(Protocol):
    """One of those that a worker runs."""

    async def answer(self) -> Any:
        """The data of one answer."""


class Script:
    """The base of the scripts: a client that is ended with the script."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.stack = AsyncExitStack()


class Nested(Script):
    """Plain httpx: for each workflow, for each run, for each user; one request after the other."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.client = httpx.AsyncClient(headers=HEADERS, timeout=60)
        self.stack.push_async_exit(self.client)

    async def list(self, path: str) -> list[Row]:
        """All rows of a collection."""
        rows: list[Row] = []
        url: str | None = f"{self.url}{path}"
        while url is not None:
            response = await self.client.get(url)
            response.raise_for_status()
            page = response.json()
            rows += page["value"]
            url = page.get("@odata.nextLink")
        return rows

    async def answer(self) -> Any:
        """The data of one answer."""
        workflows = [
            await self.workflow(row) for row in await self.list(f"{ROOT}/workflows{_WORKFLOWS}")
        ]
        return {"workflows": {"nodes": workflows}}

    async def workflow(self, row: Row) -> Row:
        """A workflow with its runs."""
        path = f"{ROOT}/workflows/{row['id']}/runs"
        runs = [await self.run(path, run) for run in await self.list(f"{path}?$select=id")]
        return {"id": row["id"], "displayName": row["displayName"], "runs": {"nodes": runs}}

    async def run(self, path: str, row: Row) -> Row:
        """A run with its users."""
        path = f"{path}/{row['id']}/userProcessingResults"
        users = [
            await self.user(path, user) for user in await self.list(f"{path}?$select=id,subject")
        ]
        return {"id": row["id"], "userProcessingResults": {"nodes": users}}

    async def user(self, path: str, row: Row) -> Row:
        """A user with the task results."""
        select = "?$select=id,processingStatus,failureReason,task"
        results = await self.list(f"{path}/{row['id']}/taskProcessingResults{select}")
        return {
            "id": row["id"],
            "subject": {"id": row["subject"]["id"]},
            "taskProcessingResults": results_of(results),
        }


class Gathered(Nested):
    """The same with `asyncio.gather` at each level."""

    async def answer(self) -> Any:
        """The data of one answer."""
        rows = await self.list(f"{ROOT}/workflows{_WORKFLOWS}")
        return {"workflows": {"nodes": await asyncio.gather(*map(self.workflow, rows))}}

    async def workflow(self, row: Row) -> Row:
        """A workflow with its runs."""
        path = f"{ROOT}/workflows/{row['id']}/runs"
        rows = await self.list(f"{path}?$select=id")
        runs = await asyncio.gather(*(self.run(path, run) for run in rows))
        return {"id": row["id"], "displayName": row["displayName"], "runs": {"nodes": runs}}

    async def run(self, path: str, row: Row) -> Row:
        """A run with its users."""
        path = f"{path}/{row['id']}/userProcessingResults"
        rows = await self.list(f"{path}?$select=id,subject")
        users = await asyncio.gather(*(self.user(path, user) for user in rows))
        return {"id": row["id"], "userProcessingResults": {"nodes": users}}


class Planned(Script):
    """Optimised by hand: the requests of the gateway's plan, its transport, and orjson."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.client = httpx.AsyncClient(
            transport=AiohttpTransport(client=aiohttp.ClientSession), headers=HEADERS, timeout=60
        )
        self.stack.push_async_exit(self.client)

    async def get(self, path: str) -> Any:
        """The JSON of one request."""
        return orjson.loads((await self.client.get(self.url + path)).content)

    async def post(self, path: str, body: bytes) -> Any:
        """The JSON of one request with a body."""
        headers = {"Content-Type": "application/json"}
        answer = await self.client.post(self.url + path, content=body, headers=headers)
        return orjson.loads(answer.content)

    async def batch(self, urls: list[str]) -> list[list[Row]]:
        """The rows of each collection, in order."""
        items = [
            {
                "id": str(number),
                "method": "GET",
                "url": url,
                "headers": {"Prefer": HEADERS["Prefer"]},
            }
            for number, url in enumerate(urls)
        ]
        reply = await self.post("/$batch", orjson.dumps({"requests": items}))
        rows: list[list[Row]] = [[]] * len(urls)
        for item in reply["responses"]:
            rows[int(item["id"])] = item["body"]["value"]
        return rows

    async def lists(self, urls: list[str]) -> list[list[Row]]:
        """The rows of each collection, 20 to a batch, the batches at once."""
        parts = [urls[start : start + 20] for start in range(0, len(urls), 20)]
        return [rows for part in await asyncio.gather(*map(self.batch, parts)) for rows in part]

    async def answer(self) -> Any:
        """The data of one answer."""
        workflows = (await self.get(f"{ROOT}/workflows{_WORKFLOWS}"))["value"]
        ids = [workflow["id"] for workflow in workflows]
        found = await self.lists([f"{ROOT}/workflows/{id_}/runs{_RUNS}" for id_ in ids])
        runs = dict(zip(ids, found, strict=True))
        paths = {
            run["id"]: f"{ROOT}/workflows/{id_}/runs/{run['id']}"
            for id_ in ids
            for run in runs[id_]
        }
        found = await self.lists(
            [
                url
                for path in paths.values()
                for url in (
                    f"{path}/userProcessingResults{_USERS}",
                    f"{path}/taskProcessingResults{_RESULTS}",
                )
            ]
        )
        return assemble(
            workflows,
            runs,
            dict(zip(paths, found[::2], strict=True)),
            dict(zip(paths, found[1::2], strict=True)),
        )


class Bare(Planned):
    """The same plan on aiohttp itself, without the httpx API."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.session = aiohttp.ClientSession(headers=HEADERS)
        self.stack.push_async_exit(self.session)

    async def get(self, path: str) -> Any:
        """The JSON of one request."""
        async with self.session.get(self.url + path) as answer:
            return orjson.loads(await answer.read())

    async def post(self, path: str, body: bytes) -> Any:
        """The JSON of one request with a body."""
        headers = {"Content-Type": "application/json"}
        async with self.session.post(self.url + path, data=body, headers=headers) as answer:
            return orjson.loads(await answer.read())


class Expanded(Bare):
    """On aiohttp itself, with every expansion that the service accepts; pages are followed."""

    users = f"?$select=id,subject,totalTasksCount&$expand=taskProcessingResults({_EXPANDED})"
    most = 1_000_000

    async def answer(self) -> Any:
        """The data of one answer, as bytes that are made and let go."""
        answer = await self.tree()
        orjson.dumps({"data": answer})
        return answer

    async def tree(self) -> Row:
        """The data of one answer."""
        workflows = (await self.get(f"{ROOT}/workflows{_WORKFLOWS}"))["value"]
        found = await self.lists([f"{ROOT}/workflows/{w['id']}/runs?$select=id" for w in workflows])
        paths = [
            f"{ROOT}/workflows/{workflow['id']}/runs/{run['id']}/userProcessingResults"
            for workflow, runs in zip(workflows, found, strict=True)
            for run in runs
        ]
        users = iter(await self.of_runs(paths))
        return {
            "workflows": {
                "nodes": [
                    {
                        "id": workflow["id"],
                        "displayName": workflow["displayName"],
                        "runs": {
                            "nodes": [
                                {"id": run["id"], "userProcessingResults": {"nodes": next(users)}}
                                for run in runs
                            ]
                        },
                    }
                    for workflow, runs in zip(workflows, found, strict=True)
                ]
            }
        }

    async def of_runs(self, paths: list[str]) -> list[list[Row]]:
        """The users of each run, with their task results."""
        found = await self.lists([path + self.users for path in paths])
        return [expanded(rows) for rows in found]


class BigRun(Expanded):
    """A thousand users of one run, page by page."""

    async def tree(self) -> Row:
        """The data of one answer."""
        [workflow, *_] = (await self.get(f"{ROOT}/workflows{_WORKFLOWS}"))["value"]
        path = f"{ROOT}/workflows/{workflow['id']}/runs"
        [run, *_] = (await self.get(f"{path}?$select=id"))["value"]
        page = await self.get(f"{path}/{run['id']}/userProcessingResults{self.users}")
        rows = page["value"]
        while len(rows) < 1000:
            page = await self.get(page["@odata.nextLink"].removeprefix(self.url))
            rows += page["value"]
        users = {"nodes": expanded(rows)}
        runs = {"nodes": [{"id": run["id"], "userProcessingResults": users}]}
        told = {"id": workflow["id"], "displayName": workflow["displayName"], "runs": runs}
        return {"workflows": {"nodes": [told]}}


class Caller(Script):
    """Asks the gateway; its own work is not measured."""

    query = QUERY

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.session = aiohttp.ClientSession(headers={"Content-Type": "application/json"})
        self.stack.push_async_exit(self.session)
        self.body = body_of(self.query)

    async def answer(self) -> Any:
        """The data of one answer."""
        async with self.session.post(self.url, data=self.body) as answer:
            content = await answer.read()
        return self.read(content)

    def read(self, content: bytes) -> Any:
        """The data in an answer."""
        reply = orjson.loads(content)
        assert "errors" not in reply, reply["errors"][:3]
        return reply["data"]


class BigCaller(Caller):
    """Asks for a thousand users of one run."""

    query = BIG_RUN


class NamesCaller(Caller):
    """Asks for names, of the gateway or of the proxy beside it."""

    query = NAMES


class Faulted(Caller):
    """Takes an answer with errors, where some rows are odd or missing."""

    def read(self, content: bytes) -> Any:
        """The data in an answer."""
        return orjson.loads(content)["data"]


CONTENDERS: dict[str, Callable[[str], Any]] = {
    "nested": Nested,
    "gathered": Gathered,
    "planned": Planned,
    "bare": Bare,
    "expanded": Expanded,
    "big run": BigRun,
    "gateway": Caller,
    "gateway, big run": BigCaller,
    "gateway, names": NamesCaller,
    "gateway, faults": Faulted,
}
