"""The sandbox as an ASGI application.

`/v1.0/…` and `/beta/…` are the service; every request there needs a bearer token, whose value
does not matter. Beside it, without a token, for tests and for the curious:

- `GET /` says what this is.
- `GET /sandbox/requests` lists the HTTP requests to a version root since the last reset, oldest
  first: `{"requests": [{"method", "path", "items", "status"}]}`, where `items` holds the
  `method`, `url` and `status` of each item of a $batch and is null for any other request.
  Paths and URLs are decoded; the last 10,000 are kept. `DELETE /sandbox/requests` resets.
- `POST /sandbox/faults` adds the faults of a JSON list, see `protocol.faults.Fault`;
  `DELETE /sandbox/faults` removes all.
- `POST /sandbox/clock` with `{"advance": seconds}` moves the sandbox's time forward, whether it
  moves by itself or not, and answers `{"elapsed": seconds}` since the start.
- `POST /sandbox/quarantine` with `{"workflow": id}` puts a workflow into quarantine; 204, or 404
  for an unknown id. clearQuarantine of the service ends it.
"""

import asyncio
from collections import deque
from typing import Any
from urllib.parse import quote, unquote

import httpx
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from gateway.sandbox.errors import GraphError, bad_request
from gateway.sandbox.protocol.batch import Item, answer_batch, parse_batch
from gateway.sandbox.protocol.dating import Dating
from gateway.sandbox.protocol.faults import Disconnected, Faults
from gateway.sandbox.protocol.permissions import grants_of
from gateway.sandbox.protocol.service import (
    JSON,
    LogicalRequest,
    Reply,
    Service,
    error_reply,
    request_ids,
)
from gateway.sandbox.settings import SandboxSettings

VERSIONS = ("v1.0", "beta")
_LOG_SIZE = 10_000
_LONGEST_ADVANCE = 10 * 366 * 86_400


class DroppedConnection(Response):
    """A response that breaks off: the connection fails before the body is complete."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send less than Content-Length, then raise `httpx.ReadError`."""
        headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})
        # In-process transports hand this to the caller; servers close the connection.
        raise httpx.ReadError("The sandbox dropped the connection, as it was told to.")


class Sandbox:
    """The state behind one application: data, faults and the log of requests."""

    def __init__(self, settings: SandboxSettings) -> None:
        self.settings = settings
        self.service = Service(settings)
        self.dating = Dating(settings.now)
        self.faults = Faults()
        self.log: deque[dict[str, Any]] = deque(maxlen=_LOG_SIZE)

    async def answer(self, request: LogicalRequest) -> Reply:
        """Answer one logical request, with the fault that is set for it."""

        async def real() -> Reply:
            return self.service.handle(request)

        fault = self.faults.take("item", request.method, request.url)
        return await (fault.apply(real, request.headers) if fault else real())

    async def batch(self, request: LogicalRequest, entry: dict[str, Any]) -> Reply:
        """Answer a $batch and write its items into the entry of the log."""
        if request.method != "POST":
            return error_reply(GraphError(405), request.headers)
        try:
            items = parse_batch(request.body, request.root, request.grants)
        except GraphError as error:
            return error_reply(error, request.headers)
        try:
            body = await answer_batch(items, self.answer)
        finally:
            entry["items"] = [_logged(item) for item in items]
        request_id, client_id = request_ids(request.headers)
        names = {"request-id": request_id, "client-request-id": client_id}
        return Reply(200, {**names, "Content-Type": JSON}, body)


def _logged(item: Item) -> dict[str, Any]:
    request = item.request
    return {"method": request.method, "url": unquote(request.url), "status": item.status}


class VersionRoot:
    """The ASGI application below `/v1.0` or `/beta`."""

    def __init__(self, sandbox: Sandbox, version: str) -> None:
        self.sandbox = sandbox
        self.version = version

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        request = Request(scope, receive)
        response = await self.respond(request)
        await response(scope, receive, send)

    async def respond(self, request: Request) -> Response:
        """Return the response to an HTTP request, and log both."""
        raw_path: bytes | None = request.scope.get("raw_path")
        path = raw_path.decode("ascii") if raw_path else quote(request.scope["path"])
        query = request.url.query
        target = f"{path}?{query}" if query else path
        entry: dict[str, Any] = {
            "method": request.method,
            "path": unquote(target),
            "items": None,
            "status": None,
        }
        self.sandbox.log.append(entry)
        if self.sandbox.settings.latency_ms:
            await asyncio.sleep(self.sandbox.settings.latency_ms / 1000)
        dating = self.sandbox.dating
        url = dating.inward(target.partition(f"/{self.version}")[2].encode()).decode()
        try:
            reply = await self.reply(request, url, entry)
        except Disconnected:
            return DroppedConnection()
        entry["status"] = reply.status
        content = reply.raw.encode() if reply.raw is not None else b""
        if reply.raw is None and reply.body is not None:
            content = dating.outward(orjson.dumps(reply.body))
        return Response(content, reply.status, reply.headers)

    async def reply(self, request: Request, url: str, entry: dict[str, Any]) -> Reply:
        """Return the reply to an HTTP request for a URL relative to the version root."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return error_reply(GraphError(401), headers)
        try:
            body = await _json(request, self.sandbox.dating)
        except GraphError as error:
            return error_reply(error, headers)
        root = f"{request.url.scheme}://{request.url.netloc}/{self.version}"
        grants = grants_of(token.strip())
        logical = LogicalRequest(root, request.method, url, headers, body, grants)

        async def real() -> Reply:
            if url.partition("?")[0].strip("/") in {"$batch", "%24batch"}:
                return await self.sandbox.batch(logical, entry)
            return await self.sandbox.answer(logical)

        fault = self.sandbox.faults.take("http", request.method, url)
        return await (fault.apply(real, headers) if fault else real())


async def _json(request: Request, dating: Dating) -> Any:
    content = await request.body()
    if not content or request.method == "GET":
        return None
    try:
        return orjson.loads(dating.inward(content))
    except orjson.JSONDecodeError as error:
        raise bad_request(f"The request body is not valid JSON: {error}.") from error


async def _object(request: Request) -> dict[str, Any]:
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def _reply_json(body: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json")


def create_sandbox(settings: SandboxSettings | None = None) -> Starlette:
    """Return the sandbox application; it needs no lifespan and no other set-up."""
    sandbox = Sandbox(settings or SandboxSettings())

    async def about(_: Request) -> Response:
        text = "A stand-in for the Microsoft Graph lifecycle workflows service, with made-up data."
        return _reply_json({"name": "Lifecycle Gateway sandbox", "about": text, "roots": VERSIONS})

    async def requests(request: Request) -> Response:
        if request.method == "DELETE":
            sandbox.log.clear()
            return Response(status_code=204)
        return _reply_json({"requests": list(sandbox.log)})

    async def faults(request: Request) -> Response:
        if request.method == "DELETE":
            sandbox.faults.clear()
            return Response(status_code=204)
        try:
            added = sandbox.faults.add(orjson.loads(await request.body()))
        except ValueError as error:
            return _reply_json({"error": str(error)}, 400)
        return _reply_json({"added": added})

    async def clock(request: Request) -> Response:
        seconds = (await _object(request)).get("advance")
        number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
        if seconds is None or not number or not 0 <= seconds <= _LONGEST_ADVANCE:
            return _reply_json({"error": "an object with a number 'advance' was expected"}, 400)
        sandbox.service.tenant.world.advanced += seconds
        return _reply_json({"elapsed": sandbox.service.tenant.world.elapsed()})

    async def quarantine(request: Request) -> Response:
        key = (await _object(request)).get("workflow")
        if not isinstance(key, str):
            return _reply_json({"error": "an object with a string 'workflow' was expected"}, 400)
        workflow = sandbox.service.tenant.workflow(key)
        if workflow is None:
            return _reply_json({"error": f"no workflow has the id '{key}'"}, 404)
        workflow.quarantine()
        return Response(status_code=204)

    return Starlette(
        routes=[
            Route("/", about),
            Route("/sandbox/requests", requests, methods=["GET", "DELETE"]),
            Route("/sandbox/faults", faults, methods=["POST", "DELETE"]),
            Route("/sandbox/clock", clock, methods=["POST"]),
            Route("/sandbox/quarantine", quarantine, methods=["POST"]),
            *(
                Route(f"/{version}{rest}", VersionRoot(sandbox, version))
                for version in VERSIONS
                for rest in ("", "/{path:path}")
            ),
        ]
    )
