"""Permissions: the table is that of the reference, the sandbox's agrees, and refusals name them."""

import re
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from gateway.access.caller import EVERYTHING, Caller
from gateway.app import create_app, upstream_of
from gateway.sandbox.protocol.endpoints import ENDPOINTS
from gateway.sandbox.protocol.permissions import needed as needed_there
from gateway.schema import permissions
from gateway.schema.permissions import needed
from gateway.settings import Settings
from tests.conftest import Gateway, Start
from tests.model import ROUTES, SCHEMA
from tests.upstreams import Answered, Asked, Unusual, graph_error

ROOT = "identityGovernance/lifecycleWorkflows"
REFERENCE = Path("docs/reference/graph-lifecycle-api.md").read_text(encoding="utf-8")
CODES = {
    "RB": permissions.BASIC,
    "WR": permissions.WORKFLOWS,
    "WW": permissions.AUTHOR,
    "WA": permissions.ACTIVATE,
    "RP": permissions.REPORTS,
    "R": permissions.READ,
    "RW": permissions.WRITE,
    "CR": permissions.EXTENSIONS,
    "CW": permissions.EXTEND,
}
MODEL = SCHEMA.model
METHOD = re.compile(r"(GET|POST|PATCH|DELETE) (LW|W|R|D)(/\S+)?( |$|;|,)")
WORKFLOWS = "{ workflows { nodes { id displayName } } }"


def token(**claims: object) -> str:
    """An unsigned token with these claims."""
    return jwt.encode({"oid": "o-1", **claims}, "", algorithm="none")


def rows() -> dict[tuple[str, str], list[str]]:
    """Method and path of each row of section 5 that names codes of permissions."""
    found = {}
    for line in REFERENCE.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        match = METHOD.match(cells[1]) if len(cells) > 1 else None
        # The documents disagree about row 13; section 5.9 decides.
        if not re.fullmatch(r"(?!13$)\d+[a-d]?", cells[0]) or match is None:
            continue
        codes = next((c for c in cells[2:] if re.match(r"(RB|WR|WW|WA|RP|R|RW|CR|CW)\b", c)), "")
        names = re.findall(r"\b(RB|WR|WW|WA|RP|RW|R|CR|CW)\b", codes.partition("(")[0])
        if names:
            base = {"LW": "", "W": "/workflows/w", "R": "/workflows/w/runs/r"}
            base["D"] = "/deletedItems/workflows/w"
            rest = re.sub(r"\{\w+\}", "x", match[3] or "").partition("(")[0]
            found[match[1], f"{ROOT}{base[match[2]]}{rest}"] = names
    return found


@pytest.mark.parametrize(("request_", "codes"), rows().items(), ids=lambda v: " ".join(v))
def test_the_table_is_that_of_the_reference(request_: tuple[str, str], codes: list[str]) -> None:
    found = needed(*request_)
    assert found[0] == CODES[codes[0]]
    assert set(found) >= {CODES[code] for code in codes}


def test_the_reference_was_read() -> None:
    assert len(rows()) > 40


def test_the_sandbox_asks_for_the_same() -> None:
    for endpoint in ENDPOINTS:
        path = re.sub(r"\{\w+\}", "x", endpoint.path).removesuffix("()")
        assert needed_there(endpoint) == set(needed(endpoint.method, path)), path


def test_what_a_type_says_is_what_its_paths_take() -> None:
    for name in MODEL:
        entity = MODEL[name]
        for path in ROUTES.of(name) if entity.permissions else ():
            if not path.startswith(f"{ROOT}/deletedItems") and name != "Task":
                least = needed("GET", path.replace("*", "x"))[0]
                assert entity.permissions[0] == least, path


@pytest.fixture
async def own(start: Start) -> Gateway:
    """A gateway that sends the caller's own token to the sandbox."""
    return await start(passthrough=True)


async def ask(gateway: Gateway, query: str, bearer: str) -> dict[str, Any]:
    """The response to a query of the bearer of a token."""
    headers = {"Authorization": f"Bearer {bearer}"}
    response = await gateway.post({"query": query}, headers=headers)
    assert response.status_code == 200, response.text
    return dict(response.json())


@pytest.mark.parametrize(
    ("claims", "granted", "kind"),
    [
        ({"scp": "User.Read openid"}, ["User.Read", "openid"], "delegated"),
        ({"roles": ["User.Read.All"]}, ["User.Read.All"], "application"),
        ({"roles": []}, [], "application"),
    ],
)
async def test_a_refusal_names_what_is_needed_and_what_is_there(
    own: Gateway, claims: dict[str, Any], granted: list[str], kind: str
) -> None:
    body = await ask(own, WORKFLOWS, token(**claims))
    [error] = body["errors"]
    assert error["extensions"]["code"] == "FORBIDDEN"
    assert error["extensions"]["permissions"][0] == permissions.BASIC
    assert error["extensions"]["granted"] == granted
    assert error["message"].endswith(
        f"(this takes the permission {permissions.BASIC} at least, "
        f"and the token has none that is enough ({kind}))"
    )


async def test_each_permission_shows_what_it_is_for(own: Gateway) -> None:
    query = """{ workflows(first: 1) { nodes { displayName runs(first: 1) { nodes {
        userProcessingResults(first: 1) { nodes { id subject { id } } } } } } }
        customTaskExtensions { nodes { id } } }"""
    for scopes, missing in (
        (permissions.BASIC, {"runs", "customTaskExtensions"}),
        (f"{permissions.WORKFLOWS} {permissions.REPORTS}", {"customTaskExtensions"}),
        (f"{permissions.REPORTS} {permissions.EXTENSIONS}", {"workflows"}),
        (permissions.READ, set()),
    ):
        body = await ask(own, query, token(scp=scopes))
        errors: list[dict[str, Any]] = body.get("errors", [])
        assert {error["path"][-1] for error in errors} == missing, scopes
        if "workflows" not in missing:
            assert body["data"]["workflows"]["nodes"][0]["displayName"]


async def test_a_token_that_has_enough_lacks_a_role(start: Start) -> None:
    def refuse(asked: Asked) -> Answered:
        return graph_error(403, "Forbidden", "no")

    gateway = await start(passthrough=True, unusual=Unusual(instead=refuse))
    body = await ask(gateway, WORKFLOWS, token(scp=permissions.READ))
    [error] = body["errors"]
    assert error["message"] == (
        f"no (the token has {permissions.READ}, which is enough, so the caller may lack a role)"
    )


async def test_the_gateways_own_token_is_not_told(start: Start) -> None:
    def refuse(asked: Asked) -> Answered:
        return graph_error(403, "Forbidden", "no")

    gateway = await start(unusual=Unusual(instead=refuse))
    [error] = await gateway.errors(WORKFLOWS)
    assert error["extensions"]["permissions"][0] == permissions.BASIC
    assert "granted" not in error["extensions"]


async def test_a_change_names_what_it_takes(own: Gateway) -> None:
    query = """mutation { deleteWorkflow(input: { workflowId: "w" }) { __typename } }"""
    body = await ask(own, query, token(scp=permissions.READ))
    [error] = body["errors"]
    assert error["extensions"]["permissions"] == [permissions.AUTHOR, permissions.WRITE]
    assert "outcomeUnknown" not in error["extensions"]


async def test_the_date_of_leaving_is_null_without_its_permission(start: Start) -> None:
    own = await start(passthrough=True, users=60)
    query = """{ workflows { nodes { runs(first: 1) { nodes {
        userProcessingResults { nodes { subject { employeeLeaveDateTime employeeHireDate } } }
    } } } } }"""
    basic = f"{permissions.READ} {permissions.DIRECTORY}"
    dates = []
    for scopes in (basic, f"{basic} {permissions.LEAVE_DATE}"):
        body = await ask(own, query, token(scp=scopes))
        assert "errors" not in body
        text = str(body["data"])
        dates.append(len(re.findall(r"employeeLeaveDateTime': '", text)))
        assert "employeeHireDate': '" in text
    assert dates[0] == 0 < dates[1]


async def test_the_embedded_sandbox_takes_the_callers_token(start: Start) -> None:
    app = create_app(Settings())
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t") as client,
    ):
        for headers, refused in (
            ({}, False),
            ({"Authorization": "Bearer anything"}, False),
            ({"Authorization": f"Bearer {token(scp='User.Read')}"}, True),
            ({"Authorization": f"Bearer {token(scp=permissions.READ)}"}, False),
        ):
            response = await client.post("/graphql", json={"query": WORKFLOWS}, headers=headers)
            assert ("errors" in response.json()) is refused


@pytest.mark.parametrize(
    ("url", "own"),
    [("http://127.0.0.1:8001/v1.0", True), ("http://sandbox.example/v1.0", False)],
)
async def test_a_sandbox_elsewhere_gets_no_callers_token(url: str, own: bool) -> None:
    credentials = upstream_of(Settings(sandbox_url=url)).credentials
    caller = Caller("me", EVERYTHING, "a-token-of-a-tenant", "token:1")
    assert (await credentials.token(caller) == caller.token) is own


def test_descriptions_name_them() -> None:
    text = Path("schema.graphql").read_text(encoding="utf-8")
    assert f"Takes `{permissions.ACTIVATE}` at least." in text
    assert f"Reading takes `{permissions.EXTENSIONS}` at least." in text
    assert f"Takes `{permissions.LEAVE_DATE}` on top of reading the user" in text
