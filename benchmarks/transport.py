"""Transports behind the httpx API: CPU of a small answer, and of a megabyte."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from importlib import import_module

import aiohttp
import httpx

from benchmarks import processes
from benchmarks.measure import Call, cpu_seconds
from benchmarks.report import Part
from benchmarks.upstream import answers
from gateway.graph.client import GraphClient
from gateway.graph.session import Session
from gateway.graph.transport import AiohttpTransport
from gateway.odata.query import GraphRequest

AT_ONCE = 16
HEADERS = {
    "Accept": "application/json",
    "Authorization": "Bearer sandbox",
    "Prefer": "include-unknown-enum-members",
}

BARE = "aiohttp itself, for comparison"

Get = Callable[[str], Awaitable[bytes]]


async def measure(*, quick: bool = False) -> Part:
    """The whole part."""
    part = Part("Transport")
    turns = 1 if quick else 7
    async with processes.serving("-m", "benchmarks.upstream") as upstream, _clients() as clients:
        root = upstream.url.removesuffix("/v1.0")
        table = part.table(
            "CPU of the caller, per request",
            "transport",
            "small, µs",
            f"small, {AT_ONCE} at once, µs",
            *(f"1 MB{path[4:].replace('.', ', ')}, ms" for path in _big()),
        )
        cells: dict[str, list[float | None]] = {name: [] for name in clients}
        for path, (coding, _) in answers().items():
            if coding == "zstd":
                # aiohttp by itself reads it with one more package.
                cells[BARE].append(None)
                del clients[BARE]
            body = await _same_bytes(clients, root + path)
            assert path == "/small" or len(body) > 900_000, f"{path} has {len(body)} bytes"
            unit = 1e6 if path == "/small" else 1e3
            await _measure(clients, root + path, 1, cells, unit, turns)
            if path == "/small":
                await _measure(clients, root + path, AT_ONCE, cells, unit, turns)
        for name, numbers in cells.items():
            table.add(name, *numbers)
        await _encodings(part, upstream.url)
    return part


def _big() -> list[str]:
    return [path for path in answers() if path != "/small"]


@asynccontextmanager
async def _clients() -> AsyncIterator[dict[str, Get]]:
    transports: dict[str, httpx.AsyncBaseTransport] = {
        "httpx over aiohttp (this gateway)": AiohttpTransport("http:"),
        "httpx": httpx.AsyncHTTPTransport(),
    }
    with suppress(ImportError):
        transports["httpx over pyreqwest"] = import_module(
            "pyreqwest.compatibility.httpx"
        ).HttpxTransport()
    async with AsyncExitStack() as stack:
        found: dict[str, Get] = {}
        for name, transport in transports.items():
            client = httpx.AsyncClient(transport=transport, headers=HEADERS)
            await stack.enter_async_context(client)
            found[name] = _getter(client)
        session = aiohttp.ClientSession(headers=HEADERS)
        await stack.enter_async_context(session)

        async def bare(url: str) -> bytes:
            async with session.get(url) as answer:
                return await answer.read()

        found[BARE] = bare
        yield found


def _getter(client: httpx.AsyncClient) -> Get:
    async def get(url: str) -> bytes:
        return (await client.get(url)).content

    return get


async def _same_bytes(clients: dict[str, Get], url: str) -> bytes:
    bodies = {name: await get(url) for name, get in clients.items()}
    first = next(iter(bodies.values()))
    for name, body in bodies.items():
        assert body == first, f"{name} reads {len(body)} bytes of {url}"
    return first


async def _measure(
    clients: dict[str, Get],
    url: str,
    at_once: int,
    cells: dict[str, list[float | None]],
    unit: float,
    turns: int,
) -> None:
    def calls(get: Get) -> Call:
        async def call() -> object:
            return await asyncio.gather(*(get(url) for _ in range(at_once)))

        async def one() -> object:
            return await get(url)

        return one if at_once == 1 else call

    contenders = {name: calls(get) for name, get in clients.items()}
    seconds = await cpu_seconds(contenders, turns=turns)
    for name, spent in seconds.items():
        cells[name].append(spent / at_once * unit)


async def _encodings(part: Part, root: str) -> None:
    """The encodings that the gateway's own client accepts, and whether it reads them."""
    table = part.table("What the gateway's client accepts", "question", "answer")
    client = GraphClient(root.removesuffix("/v1.0"))
    session = Session("sandbox", time.monotonic() + 60)
    try:
        paths = ["asked", *(path.lstrip("/") for path in _big())]
        replies = {path: (await client.send([GraphRequest(path)], session))[0] for path in paths}
    finally:
        await client.aclose()
    asked = replies["asked"].data["asked"] or ""
    table.add("Accept-Encoding", asked)
    for coding in ("gzip", "zstd"):
        table.add(f"asks for {coding}", "yes" if coding in asked else "no")
        reply = replies.get(f"big.{coding}")
        if reply is not None:
            read = reply.error is None and reply.data == replies["big"].data
            table.add(f"reads {coding}", "yes" if read else "no")
