"""How careful mutations are: what is sent again, what is not, and what the log tells of each."""

import asyncio
import logging
import re
import socket
import time

import httpx
import jwt
import pytest

from gateway.access.credentials import Fixed
from gateway.app import Upstream, create_app
from gateway.graph.client import GraphClient
from gateway.graph.session import Session
from gateway.odata.query import change
from gateway.settings import Settings
from tests.conftest import TOKEN
from tests.schema.test_mutations import (
    CANCEL,
    CREATE,
    DELETE,
    RENAME,
    first_workflow,
    given,
    runs_to_cancel,
)

# --- what is sent again, and what is not -------------------------------------------------------


@pytest.mark.parametrize(
    "fault", [{"status": 429, "headers": {"Retry-After": "0.01"}}, {"status": 429}]
)
async def test_a_throttled_change_is_sent_again(gateway, fault):
    id_ = await first_workflow(gateway)
    await gateway.fault(match="^PATCH ", **fault)
    _, sent = await gateway.counted(RENAME, id=id_)
    assert [r["status"] for r in sent.requests] == [429, 204]


async def test_503_with_retry_after_is_sent_again(gateway):
    id_ = await first_workflow(gateway)
    await gateway.fault(match="^PATCH ", status=503, headers={"Retry-After": "0.01"})
    _, sent = await gateway.counted(RENAME, id=id_)
    assert [r["status"] for r in sent.requests] == [503, 204]


@pytest.mark.parametrize(
    ("status", "code", "unknown"),
    [
        (400, "REFUSED", False),
        (403, "FORBIDDEN", False),
        (404, "NOT_FOUND", False),
        (405, "REFUSED", False),
        (409, "CONFLICT", False),
        (412, "CONFLICT", False),
        (500, "UPSTREAM_ERROR", True),
        (502, "UPSTREAM_UNAVAILABLE", True),
        (503, "UPSTREAM_UNAVAILABLE", True),
        (504, "UPSTREAM_TIMEOUT", True),
    ],
)
async def test_no_other_answer_is_sent_again(gateway, status, code, unknown):
    id_ = await first_workflow(gateway)
    await gateway.fault(match="^PATCH ", status=status)
    await gateway.forget()
    [error] = await gateway.errors(RENAME, id=id_)
    assert error["extensions"]["code"] == code
    assert error["extensions"]["status"] == status
    assert error["extensions"]["requestId"]
    assert error["extensions"].get("outcomeUnknown", False) is unknown
    assert ("whether the change was made is not known" in error["message"]) is unknown
    assert len((await gateway.sent()).requests) == 1


async def test_a_change_is_not_sent_again_after_a_timeout(start):
    gateway = await start(settings=Settings(read_timeout=0.2, deadline=0.5), sockets=True)
    id_ = await first_workflow(gateway)
    await gateway.fault(match="^PATCH ", delay_ms=1000)
    await gateway.forget()
    [error] = await gateway.errors(RENAME, id=id_)
    assert error["extensions"] == {"code": "UPSTREAM_TIMEOUT", "outcomeUnknown": True}
    assert "whether the change was made is not known" in error["message"]
    await asyncio.sleep(0.6)
    assert len((await gateway.sent()).requests) == 1


@pytest.mark.parametrize("mutation", [RENAME, DELETE])
async def test_a_change_is_not_sent_again_after_a_dropped_connection(start, mutation):
    gateway = await start(sockets=True)
    id_ = await first_workflow(gateway)
    await gateway.fault(match="^(PATCH|DELETE) ", disconnect=True, times=None)
    await gateway.forget()
    [error] = await gateway.errors(mutation, id=id_)
    assert error["extensions"] == {"code": "UPSTREAM_UNAVAILABLE", "outcomeUnknown": True}
    assert len((await gateway.sent()).requests) == 1


async def test_the_http_client_by_itself_sends_no_delete_again():
    """As aiohttp does where a connection breaks that was used before."""
    asked = []

    async def answer_once(reader, writer):
        answers = [b"HTTP/1.1 204 No Content\r\n\r\n"]
        while line := await reader.readline():
            while (await reader.readline()).strip():
                pass
            asked.append(line.decode().split()[0])
            if not answers:
                break
            writer.write(answers.pop())
            if len(asked) > 1:
                break
        writer.close()

    server = await asyncio.start_server(answer_once, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client = GraphClient(f"http://127.0.0.1:{port}/v1.0")
    session = Session(TOKEN, time.monotonic() + 60)
    async with server:
        [done] = await client.send([change("DELETE", "a")], session)
        assert done.error is None
        for _ in range(2):
            await client.send([change("DELETE", "b")], session)
        await client.aclose()
    assert asked == ["DELETE"] * 3


async def test_a_change_that_was_never_sent_is_not_of_unknown_outcome():
    with socket.socket() as taken:
        # Nobody listens there, and while it is bound nobody else can.
        taken.bind(("127.0.0.1", 0))
        gone = f"http://127.0.0.1:{taken.getsockname()[1]}"
        await _never_sent(gone)


async def _never_sent(gone):
    app = create_app(Settings(), Upstream(f"{gone}/v1.0", Fixed(TOKEN)))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
            response = await client.post(
                "/graphql", json={"query": RENAME, "variables": {"id": "w"}}
            )
    [error] = response.json()["errors"]
    assert error["extensions"] == {"code": "UPSTREAM_UNAVAILABLE"}


async def test_406_of_a_scope_tells_what_it_means(gateway):
    id_ = await first_workflow(gateway)
    await gateway.fault(match="^POST .*/activateWithScope", status=406)
    [error] = await gateway.errors(
        """mutation($id: ID!) { activateWorkflowWithScope(input: { workflowId: $id,
            scope: { activateUserScope: { users: [{ id: "nobody" }] } } }) { __typename } }""",
        id=id_,
    )
    assert error["extensions"]["code"] == "NOT_FOUND"
    assert error["extensions"]["status"] == 406
    assert "a subject of the scope was not found or is not eligible" in error["message"]


# --- the log -----------------------------------------------------------------------------------


async def test_each_mutation_is_logged_without_secrets(start, caplog):
    caplog.set_level(logging.INFO, "gateway.mutations")
    gateway = await start(passthrough=True)
    token = jwt.encode({"oid": "11-22", "appid": "33-44", "name": "A\nB"}, "k" * 32)
    headers = {"Authorization": f"Bearer {token}"}
    query = "{ workflows(first: 1) { nodes { id } } }"
    found = (await gateway.post({"query": query}, headers=headers)).json()
    id_ = found["data"]["workflows"]["nodes"][0]["id"]
    for variables in ({"id": id_}, {"id": "nobody"}):
        await gateway.post({"query": RENAME, "variables": variables}, headers=headers)
    await gateway.post(
        {"query": RENAME, "variables": {"id": id_}}, headers={"Authorization": f"Bearer {TOKEN}"}
    )
    await gateway.post({"query": RENAME, "variables": {"id": "a\nb"}}, headers=headers)
    done, refused, opaque, unsent = [
        r.getMessage() for r in caplog.records if "mutation=" in r.message
    ]
    path = f"PATCH identityGovernance/lifecycleWorkflows/workflows/{id_}"
    assert re.fullmatch(
        f"mutation=updateWorkflow caller=oid:11-22,appid:33-44 request={path} ids=- outcome=OK"
        r" status=204 request-id=[0-9a-f-]{36}",
        done,
    )
    assert "outcome=NOT_FOUND status=404 request-id=" in refused
    assert "caller=token:" in opaque
    assert "request=- ids=a%0Ab outcome=BAD_USER_INPUT status=- request-id=-" in unsent
    for line in caplog.text.splitlines():
        assert token not in line
        assert TOKEN not in line
        assert "New name" not in line


async def test_the_log_names_what_was_made_and_what_it_was_for(gateway, caplog):
    caplog.set_level(logging.INFO, "gateway.mutations")
    data = await gateway.data(CREATE, input=given())
    id_, going, ended = await runs_to_cancel(gateway)
    await gateway.query(CANCEL % "runs { id }", id=id_, runs=[{"id": going}, {"id": ended}])
    lines = [r.getMessage() for r in caplog.records if r.name == "gateway.mutations"]
    assert f"ids={data['createWorkflow']['workflow']['id']} outcome=OK status=201" in lines[0]
    assert f"ids={going} outcome=OK status=204" in lines[-2]
    assert f"ids={ended} outcome=REFUSED status=400" in lines[-1]
