"""A token of the gateway's own that the service refuses is replaced, once for each operation.

The kind of fault: a credential that can be had anew is treated like one that can't. It can occur
for each kind of own token (the app's, one on behalf of a user, a managed identity's) and wherever
it is sent: lone requests, `$batch` requests, changes, several at once.
"""

import asyncio
import base64
from typing import Any

import pytest

from tests.access.authority import CLIENT, Authority, Service, refusal
from tests.access.conftest import NAMES, RENAME, Guard, Guarded, error_of

RUNS = "{ workflows { nodes { id runs { nodes { id } } } } }"
TWO = "{ " + " ".join(f'w{n}: workflow(id: "w{n}") {{ displayName }}' for n in range(45)) + " }"
ALICE = "aaaaaaaa-0000-0000-0000-000000000000"
ACCESS = {"audience": CLIENT, "read_roles": "scp:access", "change_roles": "scp:access"}


class Refusing(Service):
    """A service that refuses some of the gateway's tokens, or all of them.

    Attributes:
        revoked: how many of the first tokens are refused.
        shown: the numbers of the tokens that were shown, one for each HTTP request.
    """

    revoked = 1.0

    def __init__(self) -> None:
        super().__init__("alice")
        self.shown: list[int] = []

    def owner(self, token: str) -> str | None:
        number = int(token.rpartition("-number-")[2]) if "-number-" in token else 0
        self.shown.append(number)
        return super().owner(token) if number > self.revoked else None


def _user(authority: Authority, **changes: Any) -> str:
    return authority.token(oid=ALICE, scp="access", **changes)


async def _begin(guarded: Guard, mode: str, **more: Any) -> tuple[Guarded, Refusing]:
    service = Refusing()
    return await guarded(service, credentials=mode, **ACCESS, **more), service


@pytest.mark.parametrize("mode", ["app", "obo"])
@pytest.mark.parametrize("query", [NAMES, RUNS, RENAME], ids=["read", "layers", "change"])
async def test_a_refused_token_is_replaced(
    authority: Authority, guarded: Guard, mode: str, query: str
) -> None:
    gateway, service = await _begin(guarded, mode)
    response = await gateway.post(query, _user(authority))
    # Of others the service does not show the runs of one.
    codes = [error["extensions"]["code"] for error in response.json().get("errors", ())]
    assert codes == (["FORBIDDEN"] if query is RUNS else [])
    assert len(authority.exchanges) == 2
    assert service.shown[:2] == [1, 2]
    assert set(service.shown[2:]) <= {2}
    # The next operation has the new token from the beginning.
    await gateway.post(query, _user(authority))
    assert service.shown.count(1) == 1


@pytest.mark.parametrize("mode", ["app", "obo"])
@pytest.mark.parametrize("query", [NAMES, RENAME], ids=["read", "change"])
async def test_it_is_replaced_once(
    authority: Authority, guarded: Guard, mode: str, query: str
) -> None:
    gateway, service = await _begin(guarded, mode)
    service.revoked = float("inf")
    response = await gateway.post(query, _user(authority))
    assert error_of(response)["code"] == "UNAUTHENTICATED"
    assert service.shown == [1, 2]
    assert len(authority.exchanges) == 2


async def test_requests_that_are_refused_at_once_share_the_new_token(
    authority: Authority, guarded: Guard
) -> None:
    gateway, service = await _begin(guarded, "app")
    answers = await asyncio.gather(*(gateway.post(TWO, _user(authority)) for _ in range(5)))
    assert all("errors" not in answer.json() for answer in answers)
    # Three batches of each operation.
    assert (service.shown.count(1), service.shown.count(2)) == (15, 15)
    assert len(authority.exchanges) == 2


async def test_one_user_s_new_token_is_not_another_s(authority: Authority, guarded: Guard) -> None:
    gateway, service = await _begin(guarded, "obo")
    service.revoked = 2
    bob = ALICE.replace("a", "b")
    tokens = [_user(authority), authority.token(oid=bob, scp="access")]
    first, second = await asyncio.gather(*(gateway.post(NAMES, token) for token in tokens))
    assert f"as {ALICE} sees it" in first.text
    assert f"as {bob} sees it" in second.text
    assert len(authority.exchanges) == 4


@pytest.mark.parametrize("batched", [False, True])
async def test_the_caller_s_own_token_is_shown_once(guarded: Guard, batched: bool) -> None:
    service = Refusing()
    gateway = await guarded(service)
    response = await gateway.post(TWO if batched else NAMES, "unknown")
    codes = {error["extensions"]["code"] for error in response.json()["errors"]}
    assert codes == {"UNAUTHENTICATED"}
    assert len(service.shown) == (3 if batched else 1)


async def test_a_challenge_is_for_the_user(authority: Authority, guarded: Guard) -> None:
    gateway, service = await _begin(guarded, "obo")
    claims = base64.b64encode(b"{}").decode()
    service.challenge = {"WWW-Authenticate": f'Bearer claims="{claims}"'}
    response = await gateway.post(NAMES, _user(authority))
    assert error_of(response)["claims"] == "{}"
    assert len(service.shown) == len(authority.exchanges) == 1


async def test_without_a_new_token_the_refusal_stands(authority: Authority, guarded: Guard) -> None:
    gateway, service = await _begin(guarded, "app")
    granted = authority.grant

    def once(form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        authority.answer = refusal(7000215, "invalid_client")
        return granted(form)

    authority.answer = once
    error = error_of(await gateway.post(NAMES, _user(authority)))
    assert (error["code"], error["status"]) == ("UNAUTHENTICATED", 401)
    assert service.shown == [1]


async def test_a_managed_identity_that_gets_the_same_token_again_is_refused_once(
    authority: Authority, guarded: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The platform keeps tokens too; to show the same once more is of no use."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{authority.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "the-platform-s-secret")
    gateway, service = await _begin(guarded, "app", identity="managed")
    service.revoked = float("inf")
    response = await gateway.post(NAMES, _user(authority))
    assert error_of(response)["code"] == "UNAUTHENTICATED"
    assert len(service.shown) == 1
    assert len(authority.exchanges) == 2
