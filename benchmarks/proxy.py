"""`python -m benchmarks.proxy UPSTREAM`: a plain proxy of one request, to compare throughput with.

Starlette, aiohttp and orjson, as somebody would write it for one query: it answers each POST with
the names of the workflows, and knows nothing else.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.contenders import HEADERS, ROOT


def proxy(upstream: str) -> Starlette:
    """The application in front of the version root ``upstream``."""
    sessions: list[aiohttp.ClientSession] = []

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(headers=HEADERS) as session:
            sessions.append(session)
            yield

    async def answer(request: Request) -> Response:
        orjson.loads(await request.body())
        url = f"{upstream}{ROOT}/workflows?$select=id,displayName"
        async with sessions[0].get(url) as reply:
            rows = orjson.loads(await reply.read())["value"]
        nodes = [{"id": row["id"], "displayName": row["displayName"]} for row in rows]
        body = orjson.dumps({"data": {"workflows": {"nodes": nodes}}})
        return Response(body, media_type="application/json")

    return Starlette(routes=[Route("/graphql", answer, methods=["POST"])], lifespan=lifespan)


def main(upstream: str) -> None:
    """Serve on a free port, whose address is printed."""
    config = uvicorn.Config(proxy(upstream), host="127.0.0.1", port=0, log_level="error")
    listener = config.bind_socket()
    print(f"http://127.0.0.1:{listener.getsockname()[1]}/graphql", flush=True)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main(sys.argv[1])
