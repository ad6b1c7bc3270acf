"""Other people's clients, and the public audit suite of GraphQL over HTTP, against the gateway.

The npm packages are pinned in `clients/` and installed once into the user's cache. Without Node.js,
npm or their registry these tests are skipped; with REQUIRE_NPM=1 they fail instead.
"""

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
from gql import Client, GraphQLRequest
from gql.transport.exceptions import TransportQueryError
from gql.transport.httpx import HTTPXAsyncTransport

from tests.conftest import Gateway, Start

CLIENTS = Path(__file__).parent / "clients"
PINNED = ("package.json", "package-lock.json")
VARIABLES = """query Some($n: Int, $c: LifecycleWorkflowCategory) {
  workflows(first: $n, filter: { category: { eq: $c } }) { nodes { category } }
}"""
VALUES = {"n": 2, "c": "LEAVER"}


def _missing(reason: str) -> None:
    if os.environ.get("REQUIRE_NPM") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def scripts() -> Path:
    """The folder with the scripts of `clients/` beside the packages they need."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        _missing("Node.js and npm are not on the PATH")
    pinned = b"".join((CLIENTS / name).read_bytes() for name in PINNED)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "lifecycle-gateway")
    folder = cache / f"clients-{hashlib.sha256(pinned).hexdigest()[:16]}"
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as made:
            fresh = Path(made, "clients")
            fresh.mkdir()
            for name in PINNED:
                shutil.copy(CLIENTS / name, fresh)
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            done = subprocess.run(  # noqa: S603
                command, cwd=fresh, capture_output=True, text=True, timeout=300, check=False
            )
            if done.returncode != 0:
                _missing(f"npm can't install the clients: {done.stderr.strip()[-500:]}")
            try:
                fresh.rename(folder)
            except OSError:
                assert folder.exists()  # Another run was faster.
    for script in CLIENTS.glob("*.mjs"):
        shutil.copy(script, folder)
    return folder


async def _node(script: Path, *arguments: str) -> Any:
    process = await asyncio.create_subprocess_exec(
        "node", str(script), *arguments, stdout=-1, stderr=-1
    )
    output, problems = await asyncio.wait_for(process.communicate(), 300)
    assert process.returncode == 0, problems.decode()
    return json.loads(output)


def _url(gateway: Gateway) -> str:
    return str(gateway.client.base_url.join("/graphql"))


@pytest.mark.slow
async def test_the_public_audit_suite_passes(start: Start, scripts: Path) -> None:
    results = await _node(scripts / "audit.mjs", _url(await start(sockets=True)))
    assert [result for result in results if result["status"] != "ok"] == []
    assert len(results) == 61


@pytest.mark.slow
@pytest.mark.parametrize("client", ["apollo", "urql", "graphqlRequest"])
async def test_a_client_runs_queries_variables_errors_and_persisted_queries(
    start: Start, scripts: Path, client: str
) -> None:
    outcome = await _node(scripts / "clients.mjs", client, _url(await start(sockets=True)))
    assert outcome["query"]["codes"] == []
    assert len(outcome["query"]["data"]["workflows"]["nodes"]) == 1
    for answer in (outcome["variables"], *outcome["persisted"]):
        assert answer["codes"] == []
        rows = answer["data"]["workflows"]["nodes"]
        assert [row["category"] for row in rows] == ["LEAVER", "LEAVER"]
    assert outcome["partial"] == {"data": {"workflow": None}, "codes": ["NOT_FOUND"]}
    assert outcome["invalid"]["codes"] == ["GRAPHQL_VALIDATION_FAILED"]
    assert [(sent["query"], sent["hash"]) for sent in outcome["sent"]] == [
        (False, True),
        (True, True),
        (False, True),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("client", ["apollo", "urql"])
async def test_persisted_queries_are_asked_for_by_get(
    start: Start, scripts: Path, client: str
) -> None:
    outcome = await _node(scripts / "clients.mjs", client, _url(await start(sockets=True)))
    assert [answer["codes"] for answer in outcome["persistedByGet"]] == [[], []]
    sent = [(sent["method"], sent["query"]) for sent in outcome["sentByGet"]]
    assert (sent[0], sent[2]) == (("GET", False), ("GET", False))


class Hashed(GraphQLRequest):
    """A request with the hash of a document instead of its text."""

    @property
    def payload(self) -> dict[str, Any]:
        return {name: part for name, part in super().payload.items() if name != "query"}


async def test_gql_runs_queries_variables_errors_and_persisted_queries(start: Start) -> None:
    transport = HTTPXAsyncTransport(url=_url(await start(sockets=True)))
    async with Client(transport=transport, fetch_schema_from_transport=True) as session:
        answer = await session.execute(GraphQLRequest(VARIABLES, variable_values=VALUES))
        assert [row["category"] for row in answer["workflows"]["nodes"]] == ["LEAVER", "LEAVER"]
        with pytest.raises(TransportQueryError) as failed:
            await session.execute(GraphQLRequest('{ workflow(id: "nobody") { id } }'))
        assert failed.value.errors is not None
        assert failed.value.errors[0]["extensions"]["code"] == "NOT_FOUND"
        assert failed.value.data == {"workflow": None}

        text = GraphQLRequest(VARIABLES).payload["query"]
        digest = hashlib.sha256(text.encode()).hexdigest()
        named: Any = {
            "variable_values": VALUES,
            "extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest}},
        }
        with pytest.raises(TransportQueryError, match="PersistedQueryNotFound"):
            await session.execute(Hashed(VARIABLES, **named))
        assert await session.execute(GraphQLRequest(VARIABLES, **named)) == answer
        assert await session.execute(Hashed(VARIABLES, **named)) == answer
