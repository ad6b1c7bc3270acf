"""What pages of other sites can make a browser do, and what a page of ours may."""

import re
from typing import Any

import httpx
import pytest

from gateway.settings import Settings
from tests.conftest import Gateway, Start

QUERY = {"query": "{ __typename }"}
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SITE = "https://dashboard.example"

FORGED: dict[str, dict[str, str]] = {
    "a link": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
    "an image": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "image"},
    "another host of the site": {"Sec-Fetch-Site": "same-site"},
    "a script of another origin": {"Origin": "https://evil.example"},
    "an origin that is hidden": {"Origin": "null"},
    "an origin that is none": {"Origin": "http://["},
    "a browser of old": {"User-Agent": BROWSER, "Accept": "*/*"},
    "a fetch that asks for JSON": {
        "Sec-Fetch-Site": "cross-site",
        "Accept": "application/graphql-response+json",
    },
    "a form": {"Sec-Fetch-Site": "cross-site", "Content-Type": "text/plain; application/json"},
}
HONEST: dict[str, dict[str, str]] = {
    "no browser": {},
    "Node.js": {"User-Agent": "node", "Sec-Fetch-Mode": "cors", "Accept": "*/*"},
    "the page itself": {"User-Agent": BROWSER, "Sec-Fetch-Site": "same-origin"},
    "the address bar": {"User-Agent": BROWSER, "Sec-Fetch-Site": "none"},
    "the page itself, told by its origin": {"User-Agent": BROWSER, "Origin": "http://gateway"},
    "asked first": {"Sec-Fetch-Site": "cross-site", "GraphQL-Require-Preflight": "1"},
    "Apollo Client": {"Sec-Fetch-Site": "cross-site", "X-Apollo-Operation-Name": "A"},
    "Apollo's other header": {"Sec-Fetch-Site": "cross-site", "Apollo-Require-Preflight": "1"},
    "a token": {"Sec-Fetch-Site": "cross-site", "Authorization": "Bearer abc"},
    "an API key": {"Sec-Fetch-Site": "cross-site", "X-API-Key": "lgw_abc"},
    "PowerShell": {
        "User-Agent": "Mozilla/5.0 (Windows NT; Windows NT 10.0) WindowsPowerShell/5.1.20348.2849",
        "X-API-Key": "lgw_abc",
    },
    "jQuery": {"User-Agent": BROWSER, "X-Requested-With": "XMLHttpRequest"},
    "a content type": {"Sec-Fetch-Site": "cross-site", "Content-Type": "application/json"},
}


async def get(gateway: Gateway, headers: dict[str, str]) -> httpx.Response:
    return await gateway.client.get("/graphql", params=QUERY, headers=headers)


@pytest.mark.parametrize("headers", FORGED.values(), ids=list(FORGED))
async def test_a_get_that_can_be_forged_is_refused_unless_a_setting_allows_it(
    start: Start, headers: dict[str, str]
) -> None:
    response = await get(await start(), headers)
    assert response.status_code == 403
    assert response.json()["errors"][0]["extensions"]["code"] == "CSRF_REFUSED"
    assert (await get(await start(Settings(csrf_prevention=False)), headers)).status_code == 200


@pytest.mark.parametrize("headers", HONEST.values(), ids=list(HONEST))
async def test_a_get_that_can_not_be_forged_is_answered(
    gateway: Gateway, headers: dict[str, str]
) -> None:
    assert (await get(gateway, headers)).json() == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "text/plain; application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=a",
        "application/json, text/plain",
    ],
)
async def test_no_form_can_post(gateway: Gateway, content_type: str) -> None:
    response = await gateway.client.post(
        "/graphql",
        content=b'{"query": "{ __typename }"}',
        headers={"Content-Type": content_type, "Sec-Fetch-Site": "cross-site"},
    )
    assert response.status_code == 415
    assert response.headers["accept"] == "application/json"


# --- pages of other origins ---------------------------------------------------------------------

PREFLIGHT = {
    "Origin": SITE,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type",
}


async def test_no_other_origin_may_call_by_default(gateway: Gateway) -> None:
    preflight = await gateway.client.options("/graphql", headers=PREFLIGHT)
    assert preflight.status_code == 405
    answer = await gateway.post(QUERY, headers={"Origin": SITE})
    for response in (preflight, answer):
        assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize("origins", [SITE, f"https://a.example:8443, {SITE}", "*"])
async def test_the_origins_of_the_setting_may_call(start: Start, origins: str) -> None:
    gateway = await start(Settings(cors_origins=origins))
    preflight = await gateway.client.options("/graphql", headers=PREFLIGHT)
    assert preflight.status_code == 200
    allowed = preflight.headers["access-control-allow-headers"].lower()
    assert "authorization" in allowed
    assert "access-control-allow-credentials" not in preflight.headers
    headers = {"Origin": SITE, "Sec-Fetch-Site": "cross-site", "User-Agent": BROWSER}
    for answer in (preflight, await get(gateway, headers)):
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] in (SITE, "*")


async def test_an_origin_beside_the_setting_may_not(start: Start) -> None:
    gateway = await start(Settings(cors_origins="https://other.example"))
    preflight = await gateway.client.options("/graphql", headers=PREFLIGHT)
    assert preflight.status_code == 400
    assert "access-control-allow-origin" not in preflight.headers
    assert (await get(gateway, {"Origin": SITE})).status_code == 403


@pytest.mark.parametrize(
    "origins", ["dashboard.example", "https://a.example/", "https://a.example/x", "ftp://a", "null"]
)
def test_what_is_no_origin_is_no_setting(origins: str) -> None:
    with pytest.raises(ValueError, match="is no origin"):
        Settings(cors_origins=origins)


# --- the page, and what helps to develop --------------------------------------------------------

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
INTROSPECTION = "{ __schema { queryType { name } } }"


async def test_the_page_is_served_with_security_headers(gateway: Gateway) -> None:
    headers = (await gateway.client.get("/graphql", headers=HTML)).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert [name for name, sources in policy.items() if "unsafe" in sources] == ["style-src"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"


async def test_answers_are_neither_kept_nor_guessed_at(gateway: Gateway) -> None:
    for response in (await gateway.post(QUERY), await gateway.client.get("/nowhere")):
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-content-type-options"] == "nosniff"


async def helps(gateway: Gateway) -> dict[str, bool]:
    """What of introspection, explorer and suggestions a gateway offers."""
    page = await gateway.client.get("/graphql", headers=HTML)
    schema = (await gateway.post({"query": INTROSPECTION})).json()
    typing = (
        "query ($c: LifecycleWorkflowCategory) { workflows(filter: {category: {eq: $c}}) { %s } }"
    )
    misspelt: list[dict[str, Any]] = [
        {"query": "{ workflow { id } workflowz { id } }"},
        {"query": typing % "totalCount", "variables": {"c": "LEAVRE"}},
    ]
    told = {
        any("Did you mean" in error["message"] for error in answer.json()["errors"])
        for answer in [await gateway.post(body) for body in misspelt]
    }
    assert len(told) == 1
    return {
        "explorer": page.headers["content-type"].startswith("text/html"),
        "introspection": "data" in schema,
        "suggestions": told.pop(),
        "timing": is_timed(answer := await gateway.post(ASKING)),
        "plan": "plan" in answer.json().get("extensions", {}),
    }


def is_timed(response: httpx.Response) -> bool:
    """Whether a response tells how long its stages took; what it tells must be well-formed."""
    told = response.headers.get("server-timing")
    if told is None:
        return False
    stages = re.findall(r"(\w+);dur=(\d+\.\d\d)(?:, |$)", told)
    assert [name for name, _ in stages] == ["parse", "plan", "upstream", "rows", "write"]
    assert float(dict(stages)["upstream"]) > 0
    return True


NAMES = ("introspection", "explorer", "suggestions", "timing", "plan")
ASKING = {"query": "{ workflows { nodes { id } } }", "extensions": {"plan": True}}
UPSTREAM = "https://graph.microsoft.com/v1.0"


@pytest.mark.parametrize(
    ("settings", "helping"),
    [
        ({}, True),
        ({"environment": "production"}, False),
        ({"upstream_url": UPSTREAM}, False),
        ({"upstream_url": UPSTREAM, "environment": "development"}, True),
    ],
)
async def test_what_helps_to_develop_is_off_in_production(
    start: Start, settings: dict[str, Any], helping: bool
) -> None:
    gateway = await start(Settings(**settings))
    assert await helps(gateway) == dict.fromkeys(NAMES, helping)


@pytest.mark.parametrize("environment", ["production", "development"])
@pytest.mark.parametrize("name", NAMES)
async def test_each_can_be_set_by_itself(start: Start, name: str, environment: str) -> None:
    usual = environment == "development"
    settings: Any = {"environment": environment, name: not usual}
    found = await helps(await start(Settings(**settings)))
    assert found == {**dict.fromkeys(NAMES, usual), name: not usual}


async def test_typename_is_no_introspection(start: Start) -> None:
    gateway = await start(Settings(environment="production"))
    assert await gateway.data("{ __typename workflows(first: 1) { __typename } }")
    [error] = await gateway.errors('{ __type(name: "Run") { name } }')
    assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
