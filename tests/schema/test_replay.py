"""The documents' own examples, served as documented and read through the gateway.

Each example whose request is a read is replayed: its body is served at its path, in the spelling of
the metadata, the equivalent GraphQL query is asked, and every documented value must come out. The
same queries against the sandbox must give the same values.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.sandbox import SandboxSettings, create_sandbox
from tests.conftest import running
from tests.schema.replays import (
    EXAMPLES,
    NOT_A_READ,
    NOT_IN_THE_SANDBOX,
    NOT_REPLAYED,
    REPLAYS,
    ROOT,
    TYPES,
    Replay,
)

# --- the upstream ----------------------------------------------------------------------------


class Upstream:
    """Serves bodies by path below the version root, and notes which paths were asked for."""

    def __init__(self, bodies: Mapping[str, Any]) -> None:
        self.bodies = bodies
        self.asked: list[str] = []
        self.app = Starlette(routes=[Route("/v1.0/{path:path}", self._serve, methods=["GET"])])
        self.app.routes.insert(0, Route("/v1.0/$batch", self._batch, methods=["POST"]))

    def answer(self, url: str) -> tuple[int, Any]:
        path = unquote(url.partition("?")[0]).removeprefix("/")
        self.asked.append(path)
        if path in self.bodies:
            return 200, self.bodies[path]
        return 404, {"error": {"code": "notFound", "message": f"nothing is at {path}"}}

    async def _serve(self, request: Request) -> Response:
        status, body = self.answer(request.path_params["path"])
        return JSONResponse(body, status)

    async def _batch(self, request: Request) -> Response:
        answers = []
        for item in (await request.json())["requests"]:
            assert item["method"] == "GET"
            status, body = self.answer(item["url"])
            answers.append({"id": item["id"], "status": status, "headers": {}, "body": body})
        return JSONResponse({"responses": answers})


def _spelled(path: str) -> str:
    """A documented path without its version, as the metadata spells it."""
    segments = [segment for segment in path.split("/") if segment]
    assert segments[0] in ("v1.0", "beta")
    right = {"identitygovernance": "identityGovernance", "workflow": "workflows"}
    return "/".join(right.get(segment.lower(), segment) for segment in segments[1:])


def _variables(replay: Replay, path: str) -> dict[str, Any]:
    parts = re.split(r"\{(\w+)\}", f"{ROOT}/{replay.path}")
    pattern = "".join(
        f"(?P<{part}>[^/,()]+)" if number % 2 else re.escape(part)
        for number, part in enumerate(parts)
    )
    match = re.fullmatch(pattern, path)
    assert match is not None, f"{path} is not {replay.path}"
    found: dict[str, Any] = match.groupdict()
    if "versionNumber" in found:
        found["versionNumber"] = int(found["versionNumber"])
    return found


def _operation(replay: Replay, variables: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    used = {name: value for name, value in variables.items() if f"${name}" in replay.query}
    declared = ", ".join(f"${name}: {TYPES.get(name, 'ID!')}" for name in used)
    return f"query{f'({declared})' if declared else ''} {{ {replay.query} }}", used


# --- what is expected ------------------------------------------------------------------------

ENUMS = {
    "category",
    "matchMode",
    "processingStatus",
    "quarantineType",
    "timeBasedAttribute",
    "valueType",
    "workflowExecutionType",
}
MISSPELT = {"totalProcessedTasks": "totalTasks", "@odata.type": "odataType"}


def _in_graphql(value: Any) -> Any:
    """A documented value as the schema expresses it."""
    if isinstance(value, list):
        return [_in_graphql(item) for item in value]
    if not isinstance(value, dict):
        return value
    row: dict[str, Any] = {}
    for name, member in value.items():
        if name == "@odata.type":
            if not member.endswith("customExtensionClientConfiguration"):
                row["odataType"] = member
        elif "@odata." not in name:
            row[MISSPELT.get(name, name)] = _member(name, member, value)
    return row


def _member(name: str, value: Any, row: Mapping[str, Any]) -> Any:
    if name == "subject" and "WorkflowSubject" not in value.get("@odata.type", ""):
        # Its @odata.type, where there is one, is that of something else.
        return {"id": value["id"]}
    if name not in ENUMS or value is None:
        return _in_graphql(value)
    if name == "category" and row.keys() & {"taskDefinitionId", "parameters"}:
        return [_screaming(member) for member in value.split(",")]
    return _screaming(value)


def _screaming(member: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", member).upper()


def _documented(body: Mapping[str, Any], *, connection: bool) -> Any:
    if "value" not in body:
        return _in_graphql(body)
    rows = _in_graphql(body["value"])
    if not connection:
        return rows
    return {"totalCount": body.get("@odata.count", len(rows)), "nodes": rows}


def _found(data: Any, at: tuple[str, ...]) -> Any:
    for step in at:
        data = data[int(step) if isinstance(data, list) else step]
    return data


def _differences(found: Any, documented: Any, at: str = "", *, exactly: bool) -> list[str]:
    """Where ``found`` is not as documented.

    Members that the document leaves out are to be null if ``exactly``, else they may be anything.
    """
    if isinstance(documented, list) and isinstance(found, list) and len(documented) == len(found):
        pairs = [
            (f"{at}[{i}]", *pair) for i, pair in enumerate(zip(found, documented, strict=True))
        ]
    elif isinstance(documented, dict) and isinstance(found, dict):
        names = dict.fromkeys([*documented, *(found if exactly else ())])
        missing = "<not selected>"
        pairs = [(f"{at}.{n}", found.get(n, missing), documented.get(n)) for n in names]
    else:
        same = found == documented and type(found) is type(documented)
        return [] if same else [f"{at}: {found!r}, documented is {documented!r}"]
    return [text for pair in pairs for text in _differences(*pair[1:], pair[0], exactly=exactly)]


# --- the tests -------------------------------------------------------------------------------


def test_every_example_is_replayed_or_excluded_for_a_reason():
    assert not REPLAYS.keys() & NOT_REPLAYED.keys()
    assert REPLAYS.keys() | NOT_REPLAYED.keys() == EXAMPLES.keys()
    assert NOT_IN_THE_SANDBOX.keys() <= REPLAYS.keys()
    for name, example in EXAMPLES.items():
        method = (example["request"] or {}).get("method", "GET")
        assert (method == "GET") == (NOT_REPLAYED.get(name) != NOT_A_READ), name


@pytest.mark.parametrize("name", REPLAYS)
async def test_a_documented_answer_is_read_to_the_last_value(name):
    replay, example = REPLAYS[name], EXAMPLES[name]
    path, body = _spelled(example["request"]["path"]), example["response"]["body"]
    variables = _variables(replay, path)
    bodies: dict[str, Any] = {}
    for parent in replay.parents:
        address = f"{ROOT}/{parent.format_map(variables)}"
        collection, _, key = address.rpartition("/")
        bodies |= {address: {"id": key}, collection: {"value": [{"id": key}]}}
    read_at = path if replay.read_at is None else f"{ROOT}/{replay.read_at.format_map(variables)}"
    upstream = Upstream({**bodies, read_at: body})

    query, used = _operation(replay, variables)
    async with running(upstream.app) as gateway:
        found = _found(await gateway.data(query, **used), replay.at)

    documented = _documented(body, connection="nodes" in found)
    assert not _differences(found, documented, exactly=True)
    assert read_at in upstream.asked


@pytest.mark.parametrize("name", [name for name in REPLAYS if name not in NOT_IN_THE_SANDBOX])
async def test_the_sandbox_gives_the_documented_values(name):
    replay, example = REPLAYS[name], EXAMPLES[name]
    body = example["response"]["body"]
    query, used = _operation(replay, _variables(replay, _spelled(example["request"]["path"])))
    async with running(create_sandbox(SandboxSettings(moving=False))) as gateway:
        found = _found(await gateway.data(query, **used), replay.at)

    documented = _documented(body, connection="nodes" in found)
    assert not _differences(found, documented, exactly=False)


async def test_what_is_not_documented_is_not_found():
    upstream = Upstream({})
    async with running(upstream.app) as gateway:
        [error] = await gateway.errors('{ workflow(id: "w") { displayName } }')
    assert error["extensions"]["code"] == "NOT_FOUND"
    assert upstream.asked == [f"{ROOT}/workflows/w"]
