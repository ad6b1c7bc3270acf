"""Callers with different rights at the same time: neither sees what only the other may see."""

import asyncio
from typing import Any

import pytest

from tests.access.authority import CLIENT, Authority, Service
from tests.access.conftest import NAMES, Guard

RUNS = "{ workflows { nodes { id displayName runs { nodes { id } } } } }"
ONE = '{ workflow(id: "w1") { displayName runs { nodes { id } } } }'
BOTH = '{ a: workflow(id: "w1") { displayName } b: workflow(id: "w2") { displayName } }'
DOCUMENTS = [NAMES, RUNS, ONE, BOTH]
ALICE, BOB = "alice", "bob"


def check(who: str, other: str, query: str, answer: dict[str, Any]) -> None:
    """What is only the other's is nowhere; what is the caller's own is there."""
    text = str(answer)
    assert f"as {other} sees it" not in text
    assert f"run-of-{other}" not in text
    assert f"as {who} sees it" in text
    if "runs" in query:
        # By construction only alice may see the runs of w1.
        assert ("w1-run-of-alice" in text) == (who == ALICE)
        codes = [error["extensions"]["code"] for error in answer.get("errors", [])]
        assert codes == ([] if who == ALICE else ["FORBIDDEN"])


@pytest.mark.parametrize("mode", ["passthrough", "obo"])
async def test_two_callers_at_once(authority: Authority, guarded: Guard, mode: str) -> None:
    service = Service(ALICE, BOB)
    if mode == "obo":
        obo = {"credentials": "obo", "audience": CLIENT, "read_roles": "scp:access"}
        gateway = await guarded(service, operations_per_caller=1000, **obo)
        tokens = {who: authority.token(oid=who, scp="access") for who in (ALICE, BOB)}
    else:
        gateway = await guarded(service, operations_per_caller=1000)
        tokens = {who: service.token(who) for who in (ALICE, BOB)}

    async def ask(who: str, other: str, query: str) -> None:
        response = await gateway.post(query, tokens[who])
        check(who, other, query, response.json())

    for _ in range(5):
        await asyncio.gather(
            *(
                ask(who, other, query)
                for query in DOCUMENTS * 3
                for who, other in ((ALICE, BOB), (BOB, ALICE))
            )
        )
    assert {owner for owner, _, _ in service.log} == {ALICE, BOB}


async def test_a_caller_who_is_refused_learns_nothing_of_one_who_is_not(guarded: Guard) -> None:
    service = Service(ALICE)
    gateway = await guarded(service)

    async def ask(token: str) -> str:
        return (await gateway.post(RUNS, token)).text

    for _ in range(5):
        known, unknown = await asyncio.gather(ask(service.token(ALICE)), ask("unknown-token"))
        assert "as alice sees it" in known
        assert "alice" not in unknown
        assert "UNAUTHENTICATED" in unknown


async def test_rights_are_judged_for_each_operation(authority: Authority, guarded: Guard) -> None:
    """In app mode all ask with one token, so the permission alone keeps callers apart."""
    gateway = await guarded(credentials="app", audience=CLIENT)
    reader = authority.token(oid="reader", roles=["Results.Read"])
    nobody = authority.token(oid="nobody")

    async def ask(token: str, query: str) -> str:
        return (await gateway.post(query, token)).text

    for _ in range(5):
        answers = await asyncio.gather(
            *(ask(token, query) for query in DOCUMENTS for token in (reader, nobody))
        )
        for seen, unseen in zip(answers[::2], answers[1::2], strict=True):
            assert "as the-app sees it" in seen
            assert "the-app" not in unseen
            assert "FORBIDDEN" in unseen
