"""The log: a line for each operation, and never a token or a secret, at any level."""

import hashlib
import json
import logging
import re
from typing import Any

import pytest

from gateway.access.api_keys import new_key
from tests.access.authority import CHALLENGE, CLIENT, SECRET, USER, Authority, refusal
from tests.access.conftest import NAMES, RENAME, Guard

LINE = re.compile(
    r"operation=[0-9a-f-]{36} caller=(?P<caller>\S+) name=(?P<name>\S+) "
    r"document=(?P<document>-|[0-9a-f]{64}) seconds=\d+\.\d{3} upstream-requests=(?P<requests>\d+) "
    r"http-requests=(?P<http>\d+) outcome=(?P<outcome>\S+) status=(?P<status>\d+)"
)


@pytest.fixture
def everything(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Every logger at DEBUG, those of the libraries too, whatever the gateway sets."""
    caplog.set_level(logging.DEBUG)
    return caplog


def open_all(caplog: pytest.LogCaptureFixture) -> None:
    for name in ("azure", "azure.identity", "azure.core", "msal", "httpx", "httpcore", "aiohttp"):
        caplog.set_level(logging.DEBUG, name)
    caplog.set_level(logging.DEBUG, "gateway")


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    texts = [r.getMessage() for r in caplog.records if r.name == "gateway.operations"]
    return [found.groupdict() for text in texts if (found := LINE.fullmatch(text))]


async def test_each_operation_is_one_line(
    authority: Authority, guarded: Guard, everything: pytest.LogCaptureFixture
) -> None:
    key, entry = new_key("siem", ["read"])
    gateway = await guarded(credentials="app", audience=CLIENT, api_keys=str(entry))
    named = "query Names " + NAMES
    await gateway.post(named, authority.token(roles=["Results.Read"]))
    await gateway.post(NAMES, X_API_Key=key)
    await gateway.post(RENAME, X_API_Key=key)
    await gateway.post(NAMES, X_API_Key="wrong")
    await gateway.client.post(
        "/graphql",
        json={"query": NAMES, "operationName": "x\noperation=forged"},
        headers={"X-API-Key": key},
    )
    logged = lines(everything)
    assert [(it["caller"], it["outcome"], it["status"]) for it in logged] == [
        (f"oid:{USER},azp:44444444-4444-4444-4444-444444444444", "OK", "200"),
        ("key:siem", "OK", "200"),
        ("key:siem", "FORBIDDEN", "200"),
        ("-", "UNAUTHENTICATED", "401"),
        ("key:siem", "BAD_REQUEST", "400"),
    ]
    assert logged[0]["name"] == "Names"
    assert logged[0]["document"] == hashlib.sha256(named.encode()).hexdigest()
    assert [it["requests"] for it in logged] == ["1", "1", "0", "0", "0"]
    assert [it["name"] for it in logged[1:]] == ["-"] * 4


@pytest.mark.parametrize("mode", ["passthrough", "app", "obo", "keys"])
async def test_no_token_and_no_secret_is_logged_or_answered(
    authority: Authority, guarded: Guard, everything: pytest.LogCaptureFixture, mode: str
) -> None:
    key, entry = new_key("siem", ["read"])
    settings: dict[str, dict[str, Any]] = {
        "passthrough": {},
        "app": {"credentials": "app", "audience": CLIENT},
        "obo": {"credentials": "obo", "audience": CLIENT, "read_roles": "scp:access"},
        "keys": {"credentials": "app", "api_keys": str(entry)},
    }
    gateway = await guarded(**settings[mode])
    open_all(everything)
    token = authority.token(scp="access", roles=["Results.Read"])
    if mode == "passthrough":
        token = gateway.service.token("alice")
    shown = {"X_API_Key": key} if mode == "keys" else {"token": token}
    expired = authority.token(exp=1)
    secrets = [token, expired, key, SECRET, "upstream-token-of-"]
    text = ""
    for query in (NAMES, RENAME, "{ nothing }", "{"):
        text += (await gateway.post(query, **shown)).text
    for wrong in ({"token": expired}, {"token": token[:-4] + "AAAA"}, {"X_API_Key": key + "x"}):
        text += (await gateway.post(**wrong)).text
    text += everything.text
    assert "gateway.operations" in text
    for secret in secrets:
        assert secret not in text, secret
    assert token.rpartition(".")[2] not in text


@pytest.mark.parametrize("mode", ["app", "obo"])
async def test_what_the_authority_quotes_is_not_logged(
    authority: Authority, guarded: Guard, everything: pytest.LogCaptureFixture, mode: str
) -> None:
    """With the loggers as the gateway sets them: azure-identity logs the authority's text."""
    given = {"audience": CLIENT, "read_roles": "scp:access"}
    gateway = await guarded(credentials=mode, **given)
    token = authority.token(scp="access")
    text = ""
    for answer in (
        refusal(7000215, "invalid_client"),
        refusal(50076, "interaction_required", claims=CHALLENGE),
        lambda form: (400, {"error": json.dumps(form)}),
        lambda form: (200, {"access_token": None, **form}),
    ):
        authority.answer = answer
        response = await gateway.post(token=token)
        assert "errors" in response.json()
        text += response.text + str(response.headers)
    text += everything.text
    assert token not in text
    assert SECRET not in text
