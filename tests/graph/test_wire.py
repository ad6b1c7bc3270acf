"""How answers travel from the service: compressed where it can, on connections that are kept."""

import gzip
from typing import Any

import orjson
import pytest
import zstandard
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.conftest import running

BODY = orjson.dumps({"value": [{"id": f"w{n}", "displayName": "x" * 50} for n in range(40)]})
ENCODERS: dict[str, Any] = {
    "gzip": gzip.compress,
    "zstd": zstandard.ZstdCompressor().compress,
    "": bytes,
}


@pytest.mark.parametrize("encoding", ENCODERS)
async def test_a_compressed_answer_is_asked_for_and_read(encoding):
    seen = []

    async def answer(request: Request) -> Response:
        seen.append((request.headers["accept-encoding"], request.client))
        headers = {"Content-Encoding": encoding} if encoding else {}
        return Response(ENCODERS[encoding](BODY), headers=headers, media_type="application/json")

    upstream = Starlette(routes=[Route("/v1.0/{path:path}", answer)])
    async with running(upstream, sockets=True) as gateway:
        for _ in range(3):
            data = await gateway.data("{ workflows { nodes { id displayName } } }")
    assert data["workflows"]["nodes"] == orjson.loads(BODY)["value"]
    assert all("gzip" in accepted and "zstd" in accepted for accepted, _ in seen)
    assert len({client for _, client in seen}) == 1
