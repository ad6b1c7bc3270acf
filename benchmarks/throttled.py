"""`python -m benchmarks.throttled`: a service that throttles, for `benchmarks.throttle`.

Requests, the items of a `$batch` counted each, take tokens out of a bucket, and are answered 429
with Retry-After where there are none. A bearer token says what becomes of its requests:
``limited-…`` has a bucket, ``hanging-…`` is never answered, any other has no limit.
"""

import asyncio
import time
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

RATE = 20
"""Requests in a second, and at once."""
LATENCY = 0.05
"""Seconds that each HTTP request takes."""
WORKFLOWS = 5
"""Workflows of a token, but for ``large-…``, which has 400 times as many."""
MANY = 2_000
_NO = {"error": {"code": "TooManyRequests", "message": "slow down"}}


class Bucket:
    """Counts what is sent and what is allowed."""

    def __init__(self) -> None:
        self.tokens, self.at = float(RATE), time.monotonic()
        self.sent = self.allowed = 0
        self.last = self.at

    def take(self) -> bool:
        """Whether a request is allowed."""
        now = time.monotonic()
        self.tokens, self.at = min(RATE, self.tokens + (now - self.at) * RATE), now
        self.sent += 1
        if self.tokens < 1:
            return False
        self.tokens -= 1
        self.allowed += 1
        self.last = now
        return True


buckets: dict[str, Bucket] = {}


def _one(token: str, url: str) -> tuple[int, dict[str, str], Any]:
    if token.startswith("limited-") and not buckets.setdefault(token, Bucket()).take():
        return 429, {"Retry-After": "1"}, _NO
    path = url.partition("?")[0].rstrip("/")
    if path.endswith("/workflows"):
        count = MANY if token.startswith("large-") else WORKFLOWS
        return 200, {}, {"value": [{"id": f"w{number}"} for number in range(count)]}
    return 200, {}, {"value": [{"id": "r"}]}


async def _answer(request: Request) -> Response:
    token = request.headers["authorization"].removeprefix("Bearer ")
    if token.startswith("hanging-"):
        await asyncio.Event().wait()
    await asyncio.sleep(LATENCY)
    if not request.url.path.endswith("$batch"):
        status, headers, body = _one(token, request.url.path)
        return JSONResponse(body, status, headers)
    items = (await request.json())["requests"]
    answers = [(item["id"], *_one(token, item["url"])) for item in items]
    return JSONResponse(
        {
            "responses": [
                {"id": id_, "status": status, "headers": headers, "body": body}
                for id_, status, headers, body in answers
            ]
        }
    )


async def _counts(_request: Request) -> Response:
    return JSONResponse({token: [b.sent, b.allowed, b.last] for token, b in buckets.items()})


def main() -> None:
    """Serve until the process is ended."""
    routes = [
        Route("/counts", _counts),
        Route("/{path:path}", _answer, methods=["GET", "POST"]),
    ]
    config = uvicorn.Config(
        # What hangs is not waited for at the end.
        Starlette(routes=routes),
        port=0,
        log_level="critical",
        timeout_graceful_shutdown=1,
    )
    listener = config.bind_socket()
    print(f"http://127.0.0.1:{listener.getsockname()[1]}/v1.0", flush=True)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
