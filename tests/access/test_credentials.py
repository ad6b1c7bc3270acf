"""As whom the gateway asks the service: the caller, its own app, or the user on whose behalf."""

import asyncio
import base64
import json
import ssl
from pathlib import Path
from typing import Any

import pytest

from gateway.access.caller import ANONYMOUS, EVERYTHING, Caller
from gateway.access.clouds import authority_of, scope_of
from gateway.access.entra import Identity, OnBehalfOf
from gateway.errors import Unauthenticated
from gateway.settings import Settings
from tests.access.authority import (
    CHALLENGE,
    CLIENT,
    SECRET,
    TENANT,
    Answer,
    Authority,
    certificate,
    refusal,
)
from tests.access.conftest import NAMES, RENAME, Guard, error_of

SCOPE = "https://graph.test/.default"
ALICE, BOB = "aaaaaaaa-0000-0000-0000-000000000000", "bbbbbbbb-0000-0000-0000-000000000000"
OBO = {"credentials": "obo", "audience": CLIENT, "read_roles": "scp:access"}
ROLE = {"roles": ["Results.Read"]}


def user(authority: Authority, oid: str, **changes: Any) -> str:
    return authority.token(oid=oid, scp="access", **changes)


@pytest.mark.parametrize(
    ("root", "authority", "scope"),
    [
        ("https://graph.microsoft.com/v1.0", "login.microsoftonline.com", "graph.microsoft.com"),
        ("https://graph.microsoft.us/v1.0", "login.microsoftonline.us", "graph.microsoft.us"),
        (
            "https://dod-graph.microsoft.us/beta",
            "login.microsoftonline.us",
            "dod-graph.microsoft.us",
        ),
        (
            "https://microsoftgraph.chinacloudapi.cn/v1.0",
            "login.chinacloudapi.cn",
            "microsoftgraph.chinacloudapi.cn",
        ),
    ],
)
def test_each_cloud_has_its_authority_and_scope(root: str, authority: str, scope: str) -> None:
    assert authority_of(root) == f"https://{authority}"
    assert scope_of(root) == f"https://{scope}/.default"


# --- the app ------------------------------------------------------------------------------------


async def test_a_client_secret_is_exchanged_once(authority: Authority, guarded: Guard) -> None:
    gateway = await guarded(credentials="app", audience=CLIENT)
    token = authority.token(**ROLE)
    for response in await asyncio.gather(*(gateway.post(token=token) for _ in range(5))):
        names = [node["displayName"] for node in response.json()["data"]["workflows"]["nodes"]]
        assert names[0] == "w0 as the-app sees it"
    [form] = authority.exchanges
    assert form["grant_type"] == "client_credentials"
    assert (form["client_id"], form["client_secret"]) == (CLIENT, SECRET)
    assert form["scope"] == SCOPE


@pytest.mark.parametrize("mode", ["app", "obo"])
async def test_a_certificate_signs_the_assertion(
    authority: Authority, guarded: Guard, tmp_path: Path, mode: str
) -> None:
    gateway = await guarded(
        **{**OBO, "credentials": mode},
        client_secret=None,
        client_certificate=certificate(tmp_path),
    )
    response = await gateway.post(token=user(authority, ALICE))
    assert "errors" not in response.json(), response.text
    [form] = authority.exchanges
    header = json.loads(base64.urlsafe_b64decode(form["client_assertion"].split(".")[0] + "=="))
    assert header["alg"] in ("PS256", "RS256")
    assert "client_secret" not in form


@pytest.mark.parametrize("mode", ["app", "obo"])
async def test_a_workload_shows_its_own_token(
    authority: Authority,
    guarded: Guard,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mode: str,
) -> None:
    (tmp_path / "token").write_text("token-of-the-workload")
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(tmp_path / "token"))
    gateway = await guarded(**{**OBO, "credentials": mode}, client_secret=None, identity="workload")
    response = await gateway.post(token=user(authority, ALICE))
    assert "errors" not in response.json(), response.text
    [form] = authority.exchanges
    assert form["client_assertion"] == "token-of-the-workload"


async def test_a_managed_identity_asks_its_platform(
    authority: Authority, guarded: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{authority.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "header")
    gateway = await guarded(
        credentials="app", audience=CLIENT, client_secret=None, identity="managed"
    )
    response = await gateway.post(token=authority.token(**ROLE))
    assert "errors" not in response.json(), response.text
    [asked] = authority.exchanges
    assert asked["resource"] == "https://graph.test"
    assert asked["client_id"] == CLIENT


async def test_what_entra_says_against_the_app_is_no_fault_of_the_caller(
    authority: Authority, guarded: Guard, caplog: pytest.LogCaptureFixture
) -> None:
    authority.answer = refusal(7000215, "invalid_client")
    gateway = await guarded(credentials="app", audience=CLIENT)
    response = await gateway.post(token=authority.token(**ROLE))
    assert response.status_code == 200
    error = error_of(response)
    assert (error["code"], error["serviceCode"]) == ("UPSTREAM_ERROR", "AADSTS7000215")
    assert "AADSTS7000215" in caplog.text
    assert SECRET not in response.text + caplog.text
    authority.answer = authority.grant
    assert "errors" not in (await gateway.post(token=authority.token(**ROLE))).json()


async def test_an_authority_that_is_down_is_an_error_of_the_upstream(
    authority: Authority, guarded: Guard
) -> None:
    gateway = await guarded(credentials="app", audience=CLIENT)
    assert (await gateway.post("{ __typename }", authority.token(**ROLE))).status_code == 200
    authority.down = True
    response = await gateway.post(token=authority.token(**ROLE))
    assert error_of(response)["code"] == "UPSTREAM_UNAVAILABLE"


async def test_the_deadline_of_an_operation_holds_for_its_token_too(guarded: Guard) -> None:
    with_nobody = {"authority_url": "https://192.0.2.1"}  # Reserved: it never answers.
    gateway = await guarded(
        credentials="app", api_keys=f"a:read:{'0' * 64}", deadline=0.2, **with_nobody
    )
    assert (await gateway.post(X_API_Key="wrong")).status_code == 401
    from gateway.access.api_keys import new_key

    key, entry = new_key("a", EVERYTHING)
    gateway = await guarded(credentials="app", api_keys=str(entry), deadline=0.2, **with_nobody)
    error = error_of(await gateway.post(X_API_Key=key))
    assert error["code"] in ("UPSTREAM_TIMEOUT", "UPSTREAM_UNAVAILABLE")


# --- on behalf of the user ----------------------------------------------------------------------


async def test_each_user_has_an_exchanged_token_of_their_own(
    authority: Authority, guarded: Guard
) -> None:
    gateway = await guarded(**OBO)
    tokens = {who: user(authority, who) for who in (ALICE, BOB)}
    for who, token in [*tokens.items()] * 3:
        response = await gateway.post(token=token)
        assert f"w0 as {who} sees it" in response.text
    assert [form["assertion"] for form in authority.exchanges] == list(tokens.values())
    first = authority.exchanges[0]
    assert first["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assert first["requested_token_use"] == "on_behalf_of"
    assert first["scope"] == SCOPE


async def test_operations_that_run_at_once_share_one_exchange(
    authority: Authority, guarded: Guard
) -> None:
    gateway = await guarded(**OBO)
    token = user(authority, ALICE)
    await asyncio.gather(*(gateway.post(token=token) for _ in range(10)))
    assert len(authority.exchanges) == 1


async def test_an_expired_token_is_exchanged_again(authority: Authority, guarded: Guard) -> None:
    authority.expires_in = 1
    gateway = await guarded(**OBO)
    token = user(authority, ALICE)
    await gateway.post(token=token)
    await asyncio.sleep(1.1)
    assert "errors" not in (await gateway.post(token=token)).json()
    assert len(authority.exchanges) == 2


async def test_few_are_kept(authority: Authority, tls: ssl.SSLContext) -> None:
    identity = Identity("secret", authority.url, TENANT, CLIENT, SECRET)
    credentials = OnBehalfOf(identity, SCOPE, size=2, tls=tls)
    callers = [Caller("", EVERYTHING, user(authority, ALICE, sub=str(n))) for n in range(3)]
    for caller in (*callers, *callers[::-1]):
        await credentials.token(caller)
    # The third and the second are still there; the first had to go.
    assert len(authority.exchanges) == 4
    with pytest.raises(Unauthenticated):
        await credentials.token(ANONYMOUS)
    await credentials.aclose()


@pytest.mark.parametrize("query", [NAMES, RENAME, NAMES.replace("{", "{ __typename", 1)])
async def test_a_conditional_access_challenge_reaches_the_client(
    authority: Authority, guarded: Guard, query: str
) -> None:
    authority.answer = refusal(50076, "interaction_required", claims=CHALLENGE)
    gateway = await guarded(**OBO, change_roles="scp:access")
    response = await gateway.post(query, user(authority, ALICE))
    assert response.status_code == 401
    assert "data" not in response.json()
    challenge = response.headers["www-authenticate"]
    assert challenge.startswith('Bearer error="insufficient_claims", claims="')
    assert base64.b64decode(challenge.split('"')[3]).decode() == CHALLENGE
    error = error_of(response)
    assert (error["code"], error["serviceCode"]) == ("UNAUTHENTICATED", "AADSTS50076")
    assert error["claims"] == CHALLENGE
    assert gateway.service.log == []
    authority.answer = authority.grant
    assert (await gateway.post(query, user(authority, ALICE))).status_code == 200


AGAIN = RENAME.removeprefix("mutation {").replace("updateWorkflow", "b: updateWorkflow")
TWICE = RENAME.replace("updateWorkflow", "a: updateWorkflow").removesuffix("}") + AGAIN
AND_READ = RENAME.replace("__typename", "__typename workflow { displayName }")


@pytest.mark.parametrize(
    ("query", "data"),
    [
        (TWICE, {"a": {"__typename": "WorkflowPayload"}, "b": None}),
        (AND_READ, {"updateWorkflow": {"__typename": "WorkflowPayload", "workflow": None}}),
    ],
)
async def test_a_challenge_hides_no_change_that_was_made(
    authority: Authority, guarded: Guard, query: str, data: dict[str, Any]
) -> None:
    gateway = await guarded(**OBO, change_roles="scp:access")
    granted = authority.grant

    def once(form: dict[str, str]) -> Answer:
        authority.answer = refusal(50076, "interaction_required", claims=CHALLENGE)
        return granted(form)

    authority.answer, authority.expires_in = once, 0
    response = await gateway.post(query, user(authority, ALICE))
    assert response.status_code == 200
    assert response.json()["data"] == data
    assert error_of(response)["claims"] == CHALLENGE
    assert [method for _, method, _ in gateway.service.log] == ["PATCH"]


async def test_a_challenge_of_the_service_reaches_the_client(guarded: Guard) -> None:
    gateway = await guarded()
    claims = base64.b64encode(CHALLENGE.encode()).decode()
    gateway.service.challenge = {
        "WWW-Authenticate": f'Bearer realm="", error="insufficient_claims", claims="{claims}"'
    }
    response = await gateway.post(token="unknown")
    assert response.status_code == 401
    assert f'claims="{claims}"' in response.headers["www-authenticate"]
    assert error_of(response)["claims"] == CHALLENGE
    gateway.service.challenge = {"WWW-Authenticate": 'Bearer claims="é"'.encode().decode("latin-1")}
    assert (await gateway.post(token="unknown")).status_code == 200


async def test_a_user_who_did_not_consent_is_told_so(authority: Authority, guarded: Guard) -> None:
    authority.answer = refusal(65001, "invalid_grant", suberror="consent_required")
    gateway = await guarded(**OBO)
    response = await gateway.post(token=user(authority, ALICE))
    error = error_of(response)
    assert (error["code"], error["serviceCode"]) == ("UNAUTHENTICATED", "AADSTS65001")


async def test_an_application_is_no_user(authority: Authority, guarded: Guard) -> None:
    gateway = await guarded(**OBO)
    response = await gateway.post(token=authority.token(roles=["access"]))
    assert response.status_code == 403
    assert error_of(response)["code"] == "FORBIDDEN"
    assert authority.exchanges == []


async def test_a_token_for_the_service_is_not_exchanged(
    authority: Authority, guarded: Guard
) -> None:
    gateway = await guarded(**OBO)
    response = await gateway.post(token=user(authority, ALICE, aud="https://graph.test"))
    assert response.status_code == 401
    assert authority.exchanges == []


# --- resuming -----------------------------------------------------------------------------------


RESUME = """mutation { resumeTaskProcessingResult(input: { workflowId: "w1", taskId: "t1",
    taskProcessingResultId: "r1", data: { operationStatus: COMPLETED } }) { __typename } }"""


@pytest.mark.parametrize("mode", ["passthrough", "app", "obo"])
@pytest.mark.parametrize("allowed", [None, True])
async def test_resuming_is_off_unless_it_is_allowed(
    authority: Authority, guarded: Guard, mode: str, allowed: bool | None
) -> None:
    given = {"credentials": mode, "allow_resume": allowed}
    token = "token-of-alice-for-the-service"
    if mode != "passthrough":
        given |= {"audience": CLIENT, "change_roles": "scp:access", "read_roles": "scp:access"}
        token = user(authority, ALICE)
    gateway = await guarded(**given)
    response = await gateway.post(RESUME, token)
    asked = [who for who, method, _ in gateway.service.log if method == "POST"]
    if allowed:
        # The caller's own token goes there, or the one made of it.
        assert asked == [{"passthrough": "alice", "app": "the-app", "obo": ALICE}[mode]]
    else:
        assert error_of(response)["code"] == "NOT_SUPPORTED"
        assert asked == []


def test_nothing_secret_is_in_a_repr(authority: Authority) -> None:
    identity = Identity("secret", authority.url, TENANT, CLIENT, SECRET, b"a-private-key")
    settings = Settings(client_secret=SECRET)
    caller = Caller("alice", EVERYTHING, "a-token")
    shown = (identity, settings, settings.access, caller, OnBehalfOf(identity, SCOPE))
    text = " ".join([str(settings), *map(repr, shown)])
    for secret in (SECRET, "a-private-key", "a-token"):
        assert secret not in text
