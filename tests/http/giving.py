"""Values that break a rule, and an upstream that records what reaches it."""

import base64
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

ROOT = "/v1.0/identityGovernance/lifecycleWorkflows"
GRAPHQL_JSON = "application/graphql-response+json"
UNSAFE_IDS = {
    "empty": "",
    "dot": ".",
    "dots": "..",
    "slash": "a/b",
    "climbing": "../../users",
    "backslash": "a\\b",
    "encoded slash": "a%2fb",
    "encoded dots": "%2e%2e",
    "encoded twice": "a%252fb",
    "query": "a?$select=id",
    "fragment": "a#b",
    "space": "a b",
    "null byte": "a\x00b",
    "line break": "a\r\nb",
    "tab": "\t",
    "delete": "\x7f",
    "C1 control": "a\x85b",
    "line separator": "a\u2028b",
    "direction override": "\u202eab",
    "100 kB": "a" * 100_000,
    "filter in parentheses": "x')or('1'eq'1",
    "function": "f(a=b)",
    "system segment": "$count",
}
ODD_IDS = {
    "quote": "O'Brien",
    "quotes": "a''b'",
    "double quote": 'a"b',
    "filter": "x'or'1'eq'1",
    "parameters": "a&$filter=b",
    "plus": "a+b",
    "semicolon": "a;b=c",
    "accents": "é漢😀",
    "tag": "<script>",
}


def cases(values: dict[str, Any]) -> Any:
    return pytest.mark.parametrize("value", list(values.values()), ids=list(values))


def node_id(path: str) -> str:
    return base64.urlsafe_b64encode(path.encode()).rstrip(b"=").decode()


def code(error: dict[str, Any]) -> str:
    assert error["message"]
    return str(error["extensions"]["code"])


class Recorder:
    """An upstream that knows nothing and remembers each URL as it came over the wire."""

    def __init__(self) -> None:
        self.urls: list[str] = []
        self.app = Starlette(routes=[Route("/{path:path}", self.answer, methods=["GET", "POST"])])

    async def answer(self, request: Request) -> JSONResponse:
        if request.method == "POST":
            items = (await request.json())["requests"]
            self.urls += [f"/v1.0{item['url']}" for item in items]
            return JSONResponse(
                {"responses": [{"id": item["id"], "status": 404} for item in items]}
            )
        query = request.scope["query_string"].decode()
        self.urls.append(request.scope["raw_path"].decode() + (f"?{query}" if query else ""))
        return JSONResponse({"error": {"code": "NotFound", "message": "not here"}}, 404)
