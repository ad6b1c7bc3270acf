"""Upstreams of canned answers, and the queries that are put to them."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.conftest import Gateway

TREE = """{ workflows { nodes { id displayName runs { nodes { id
  userProcessingResults { nodes { id subject { id displayName }
    taskProcessingResults { id processingStatus task { id } subject { id } } } } } } } } }"""
NAMES = "{ workflows { nodes { id displayName } } }"
RUNS = "{ workflows { nodes { id runs { nodes { id processingStatus } } } } }"
TWO = """query ($a: ID!, $b: ID!) {
  a: workflow(id: $a) { id displayName } b: workflow(id: $b) { id displayName } }"""
LIST = r"lifecycleWorkflows/workflows\?"
ROOT = "http://upstream/v1.0/identityGovernance/lifecycleWorkflows"


def code(error: dict[str, Any]) -> str:
    """The error's code; an error that is clear has one, and is not the gateway's own."""
    assert error["message"]
    code = str(error["extensions"]["code"])
    assert code != "INTERNAL_SERVER_ERROR", error
    return code


def codes(answer: dict[str, Any]) -> set[str]:
    return {code(error) for error in answer.get("errors", [])}


async def two(gateway: Gateway) -> dict[str, str]:
    rows = (await gateway.rest("/workflows"))["value"]
    return {"a": rows[0]["id"], "b": rows[1]["id"]}


async def a_run(gateway: Gateway) -> dict[str, str]:
    workflow = (await gateway.rest("/workflows"))["value"][0]["id"]
    runs = (await gateway.rest(f"/workflows/{workflow}/runs"))["value"]
    return {"w": workflow, "r": runs[0]["id"]}


# An upstream of canned answers: the path below the lifecycle workflows root, or the whole path
# below the version root, and maybe a query string, to a body or to a status and a body.
Answers = dict[str, Any]


class Replay:
    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.sent: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.reply_headers: Callable[[Request], dict[str, str]] = lambda _: {}
        self.app = Starlette(routes=[Route("/{path:path}", self.reply, methods=["GET", "POST"])])

    def find(self, url: str) -> tuple[int, Any]:
        url = unquote(url)
        self.sent.append(url)
        url = url.removeprefix("identityGovernance/lifecycleWorkflows/")
        for key in (url, url.partition("?")[0]):
            if key in self.answers:
                found = self.answers[key]
                return found if isinstance(found, tuple) else (200, found)
        return 404, {"error": {"code": "NotFound", "message": f"nothing at {url}"}}

    async def reply(self, request: Request) -> Response:
        self.headers.append(dict(request.headers))
        path = request.url.path.removeprefix("/v1.0/")
        if path == "$batch":
            items = [
                (item["id"], self.find(item["url"].lstrip("/")))
                for item in (await request.json())["requests"]
            ]
            body: Any = {
                "responses": [{"id": i, "status": status, "body": b} for i, (status, b) in items]
            }
            status = 200
        else:
            status, body = self.find(f"{path}?{request.url.query}".rstrip("?"))
        return Response(
            json.dumps(body), status, self.reply_headers(request), media_type="application/json"
        )
