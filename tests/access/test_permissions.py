"""What a caller may do: roles, scopes, API keys, and what lacks of them."""

from typing import Any

import pytest

from gateway.access.api_keys import ApiKeys, new_key, parse_keys
from gateway.access.caller import EVERYTHING, Permission
from gateway.access.identity import Roles
from tests.access.authority import CLIENT, Authority
from tests.access.conftest import NAMES, RENAME, Guard, Guarded, error_of

READ, CHANGE = Permission.READ, Permission.CHANGE
RENAME_AND_READ = RENAME.replace("__typename", "workflow { displayName }")
AND_READ_BY_FRAGMENT = (
    RENAME.replace("__typename", "...P")
    + "fragment P on WorkflowPayload { w: workflow { runs { nodes { id } } } }"
)


async def keyed(guarded: Guard, *permissions: Permission, **given: Any) -> tuple[Guarded, str]:
    key, entry = new_key("siem", permissions)
    return await guarded(credentials="app", api_keys=str(entry), **given), key


@pytest.mark.parametrize(
    ("permissions", "query", "missing"),
    [
        ([READ], NAMES, None),
        ([READ], RENAME, "change workflows"),
        ([CHANGE], RENAME, None),
        ([CHANGE], NAMES, "read results"),
        ([CHANGE], RENAME_AND_READ, "read results"),
        ([CHANGE], AND_READ_BY_FRAGMENT, "read results"),
        ([READ, CHANGE], RENAME_AND_READ, None),
        ([CHANGE], "{ __typename }", None),
    ],
)
async def test_queries_need_read_and_mutations_change(
    guarded: Guard, permissions: list[Permission], query: str, missing: str | None
) -> None:
    gateway, key = await keyed(guarded, *permissions)
    response = await gateway.post(query, X_API_Key=key)
    assert response.status_code == 200
    if missing is None:
        assert "errors" not in response.json(), response.text
        return
    error = error_of(response)
    assert error["code"] == "FORBIDDEN"
    assert f'"{missing}"' in error["message"]
    assert gateway.service.log == []


# --- tokens -------------------------------------------------------------------------------------


ROLES = Roles({READ: ["Reader", "scp:Results.Read"], CHANGE: ["Operator"]})


@pytest.mark.parametrize(
    ("claims", "permissions"),
    [
        ({}, set()),
        ({"roles": ["Reader"]}, {READ}),
        ({"roles": ["Operator", "Reader"]}, {READ, CHANGE}),
        ({"roles": ["reader", "Nobody"]}, set()),
        ({"roles": "Reader"}, set()),
        ({"roles": [["Reader"], 1, None]}, set()),
        ({"scp": "openid Results.Read"}, {READ}),
        ({"scp": "Reader Operator"}, set()),
        ({"roles": ["scp:Results.Read"]}, set()),
        ({"scp": ["Results.Read"]}, set()),
        ({"groups": ["Reader"], "wids": ["Operator"]}, set()),
    ],
)
def test_roles_and_scopes_give_permissions(claims: dict[str, Any], permissions: set[Any]) -> None:
    assert ROLES.permissions(claims) == permissions


async def test_the_roles_of_the_settings_count(authority: Authority, guarded: Guard) -> None:
    gateway = await guarded(
        credentials="app", audience=CLIENT, read_roles="A, B", change_roles="scp:c"
    )
    for claims, read, change in (
        ({"roles": ["B"]}, True, False),
        ({"scp": "c"}, False, True),
        ({}, False, False),
    ):
        token = authority.token(**claims)
        assert ("errors" not in (await gateway.post(NAMES, token)).json()) == read
        assert ("errors" not in (await gateway.post(RENAME, token)).json()) == change


async def test_tokens_and_keys_can_be_taken_both_but_not_together(
    authority: Authority, guarded: Guard
) -> None:
    gateway, key = await keyed(guarded, READ, audience=CLIENT)
    token = authority.token(roles=["Results.Read"])
    assert (await gateway.post(token=token)).status_code == 200
    assert (await gateway.post(X_API_Key=key)).status_code == 200
    both = await gateway.post(token=token, X_API_Key=key)
    assert (both.status_code, error_of(both)["code"]) == (400, "BAD_REQUEST")


# --- API keys -----------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", ["", "lgw_", "x", "é"])
async def test_a_wrong_key_is_refused(guarded: Guard, wrong: str) -> None:
    gateway, key = await keyed(guarded, READ)
    digest = str(new_key("x", [READ])[1])
    for shown in (wrong, key + "x", key[:-1], key.upper(), digest):
        headers = {"X-API-Key": shown.encode()}
        response = await gateway.client.post("/graphql", json={"query": NAMES}, headers=headers)
        assert response.status_code == 401
        assert error_of(response)["code"] == "UNAUTHENTICATED"
    assert (await gateway.post(token=key)).status_code == 401
    assert (await gateway.post()).status_code == 401
    assert gateway.service.log == []


def test_a_key_is_found_among_others() -> None:
    made = [new_key(f"key-{number}", EVERYTHING) for number in range(5)]
    keys = ApiKeys(parse_keys(",".join(str(entry) for _, entry in made)))
    for key, entry in made:
        assert keys.find(key) == entry
        assert key not in str(entry)
        assert key not in repr(entry)
    assert keys.find("another") is None
    assert len({key for key, _ in made}) == 5


def test_entries_survive_the_settings() -> None:
    _, both = new_key("hr.system-1", EVERYTHING)
    _, one = new_key("siem", [READ])
    assert str(both).startswith("hr.system-1:read+change:")
    assert parse_keys(f"\n{both}\n  {one},\n") == [both, one]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "form"),
        ("siem", "form"),
        ("siem:read", "form"),
        (f"si em:read:{'0' * 64}", "form"),
        (f":read:{'0' * 64}", "name"),
        (f"a:write:{'0' * 64}", "permissions"),
        (f"a::{'0' * 64}", "permissions"),
        ("a:read:lgw_a-key-that-is-not-hashed", "hash"),
        (f"a:read:{'A' * 64}", "hash"),
        (f"a:read:{'0' * 64},a:read:{'1' * 64}", "another one"),
    ],
)
def test_an_entry_that_breaks_a_rule_is_told_without_its_content(text: str, rule: str) -> None:
    with pytest.raises(ValueError, match=rule) as error:
        parse_keys(text)
    assert "lgw_" not in str(error.value)


# --- without proof, on this machine alone -------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "client", "allowed"),
    [
        ("127.0.0.1:8000", "127.0.0.1", True),
        ("localhost:8000", "::1", True),
        ("[::1]:8000", "::1", True),
        ("gateway.example", "127.0.0.1", False),
        ("127.0.0.1.example", "127.0.0.1", False),
        ("127.0.0.1:8000", "192.0.2.7", False),
    ],
)
async def test_insecure_is_for_this_machine_alone(
    guarded: Guard, host: str, client: str, allowed: bool
) -> None:
    gateway = await guarded(credentials="app", insecure=True)
    gateway.client._transport.client = (client, 1234)
    response = await gateway.client.post(
        "http://127.0.0.1/graphql", json={"query": NAMES}, headers={"Host": host}
    )
    assert response.status_code == (200 if allowed else 403)


@pytest.mark.parametrize(
    "header",
    [
        "Forwarded",
        "Via",
        "X-Real-IP",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded-Proto",
        "X-FORWARDED-ANYTHING",
        "X-Client-IP",
        "CF-Connecting-IP",
        "True-Client-IP",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_insecure_is_not_for_what_was_forwarded(
    guarded: Guard, header: str, method: str
) -> None:
    gateway = await guarded(credentials="app", insecure=True)
    sent: dict[str, Any] = {"params" if method == "GET" else "json": {"query": NAMES}}
    allowed = await gateway.client.request(method, "/graphql", **sent)
    assert "errors" not in allowed.json()
    gateway.service.log.clear()
    for value in ("127.0.0.1", ""):
        refused = await gateway.client.request(method, "/graphql", headers={header: value}, **sent)
        assert refused.status_code == 403
        error = error_of(refused)
        assert error["code"] == "FORBIDDEN"
        assert f"'{header.lower()}'" in error["message"]
    assert gateway.service.log == []
