"""Every cache has a bound in bytes, or a number of small entries, whatever callers send.

The kind: something is kept by a key that a caller chooses, and counted instead of weighed, or not
at all. The caches: documents, plans, generated functions, row types, automatic persisted queries,
media types by Accept header, callers' accounts, exchanged tokens
(tests/access/test_credentials.py), signing keys, page sizes and capabilities. Each is filled here
beyond its bound; where a caller fills it, over HTTP.
"""

import gc
import hashlib
import sys
import tracemalloc
from typing import Any

import pytest
from jwt.algorithms import RSAAlgorithm

from gateway.access import tokens
from gateway.access.caller import EVERYTHING, Caller
from gateway.access.quota import Quota
from gateway.answer.projection import MAX_SOURCE, Projection
from gateway.graph.capabilities import Capabilities, PageSizes
from gateway.graph.session import Usage
from gateway.http import documents, negotiation, persisted
from gateway.http.documents import Documents
from gateway.http.limits import Limits
from gateway.http.persisted import PersistedDocuments
from gateway.plan import rows
from gateway.plan.nodes import edge_key
from gateway.schema import context
from gateway.schema.build import build_schema
from gateway.schema.context import Plans
from gateway.settings import Settings
from tests.conftest import Gateway, Start

_newest: dict[type, Any] = {}


@pytest.fixture(autouse=True)
def _note(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in (Documents, Plans, PersistedDocuments, Projection):

        def init(self: Any, *args: Any, made: Any = kind.__init__, **kwargs: Any) -> None:
            made(self, *args, **kwargs)
            _newest[type(self)] = self

        monkeypatch.setattr(kind, "__init__", init)


def of_this(kind: type) -> Any:
    """The newest instance of a class: that of the gateway under test."""
    return _newest[kind]


def literal(length: int) -> str:
    return f'query {{ workflow(id: "..{"x" * length}") {{ id }} }}'


async def send(gateway: Gateway, text: str, **more: Any) -> None:
    response = await gateway.post({"query": text, **more})
    assert response.status_code == 200


async def test_long_documents_are_not_kept(start: Start) -> None:
    gateway = await start()
    await send(gateway, literal(110_000))
    tracemalloc.start()
    try:
        for number in range(6):
            await send(gateway, literal(110_000 + number))
        gc.collect()
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 600_000
    assert of_this(Documents).kept == of_this(Plans).kept == 0


@pytest.mark.parametrize("invalid", ["{ nope%d }", "{ workflows(first: %d) { nope } }", "{ a%d {"])
async def test_invalid_documents_are_not_kept(start: Start, invalid: str) -> None:
    gateway = await start()
    kept = of_this(Documents)
    for number in range(50):
        await send(gateway, invalid % number)
    assert kept.kept == 0


async def test_documents_and_plans_are_weighed(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context, "CAPACITY", 500_000)
    gateway = await start()
    plans = of_this(Plans)
    kept = of_this(Documents)
    kept._kept = type(kept._kept)(500_000, getsizeof=kept._kept.getsizeof)
    await send(gateway, literal(20_000))
    tracemalloc.start()
    try:
        for number in range(40):
            await send(gateway, literal(20_000 + number))
            assert 0 < kept.kept <= 500_000
            assert 0 < plans.kept <= 500_000
        gc.collect()
        most, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 2 * 500_000
    assert documents.CAPACITY <= 32_000_000
    # A document that is kept is asked for again without being read again.
    assert kept.get(literal(20_039)) is kept.get(literal(20_039))


async def test_variables_are_weighed(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "CAPACITY", 100_000)
    gateway = await start()
    plans = of_this(Plans)
    query = "query ($id: ID!) { workflow(id: $id) { id } }"
    for number in range(100):
        await send(gateway, query, variables={"id": f".{'x' * 9_000}{number}"})
        assert 0 < plans.kept <= 100_000
    assert len(plans._kept) < 6
    before = plans.kept
    await send(gateway, query, variables={"id": "x" * 200_000})
    assert plans.kept == before


def test_a_kept_document_has_no_tokens_and_still_tells_places() -> None:
    limits = Limits(tokens=20, depth=2, recursion=0, fields=2)
    kept = Documents(lambda _: [], limits).get("{ a { b(c: 1) } }")
    [operation] = kept.operations
    field: Any = operation.selection_set.selections[0]
    assert field.loc.start_token is field.loc.end_token is None
    assert (field.loc.start, field.loc.end) == (2, 15)
    gc.collect()
    assert not [t for t in gc.get_objects() if type(t).__name__ == "Token" and t.value == "c"]


async def test_generated_functions_are_weighed(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.app.build_schema", build_schema)
    gateway = await start()
    projection = of_this(Projection)
    assert projection._max == MAX_SOURCE <= 4_000_000
    projection._max = 30_000
    for number in range(60):
        await gateway.data(f"{{ workflows(first: 1) {{ nodes {{ a{number}: id }} }} }}")
        assert 0 < projection._kept <= 30_000
    assert len(projection.kept) < 60


async def test_persisted_queries_are_weighed(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persisted, "CAPACITY", 1_000_000)
    gateway = await start()
    kept = of_this(PersistedDocuments)._kept
    for number in range(60):
        text = f"# {number} {'☂' * 20_000}\n{{ __typename }}"
        hashed = hashlib.sha256(text.encode()).hexdigest()
        extensions = {"persistedQuery": {"version": 1, "sha256Hash": hashed}}
        await send(gateway, text, extensions=extensions)
        assert sum(map(sys.getsizeof, kept.values())) <= 1_000_000
    assert 1 < len(kept) < 60


async def test_media_types_are_kept_of_short_headers_only(gateway: Gateway) -> None:
    kept = negotiation._known_best
    kept.cache_clear()
    for number in range(300):
        accept = f"application/json, text/x{number}"
        await gateway.post({"query": "{ __typename }"}, headers={"Accept": accept})
    assert kept.cache_info().currsize == kept.cache_info().maxsize == 256
    before = kept.cache_info().misses
    long = "application/json, " + "text/x, " * 1000
    answer = await gateway.post({"query": "{ __typename }"}, headers={"Accept": long})
    assert answer.status_code == 200
    assert kept.cache_info().misses == before


def test_accounts_are_bounded_though_all_owe() -> None:
    quota = Quota(in_flight=2, per_minute=10, clock=lambda: 0.0)

    def use(account: str, requests: int) -> None:
        usage = Usage()
        with quota.admitted(Caller(account, EVERYTHING, account=account), usage):
            usage.requests = requests

    running = quota.admitted(Caller("r", EVERYTHING, account="running"), Usage())
    with running:
        use("heavy", 9)
        for number in range(5000):
            use(str(number), 1)
            assert len(quota._accounts) <= 1001
        assert quota._accounts["heavy"].debt == 9
        assert len(quota._accounts["running"].running) == 1


def test_what_is_learned_is_bounded() -> None:
    sizes = PageSizes(100)
    for number in range(1000):
        sizes.observe(f"Run summary(startDateTime={number})", 5)
    sizes.observe("x" * 10_000, 7)
    assert len(sizes._seen) <= 256
    assert sizes["Run summary(startDateTime=999)"] == 5
    assert sizes["x" * 10_000] == 100
    capabilities = Capabilities()
    capabilities.refuse("$select Run", "x" * 100_000)
    assert len(capabilities.refusals["$select Run"]) <= 500


async def test_row_types_are_counted_by_their_members(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = type(rows._kept)(2_000, getsizeof=rows._kept.getsizeof)
    monkeypatch.setattr(rows, "_kept", kept)
    monkeypatch.setattr(rows, "CAPACITY", 2_000)
    gateway = await start()
    for number in range(60):
        few = [f"a{n}: runs(first: {number + n + 1}) {{ nodes {{ id }} }}" for n in range(8)]
        await send(gateway, f"{{ workflows(first: 1) {{ nodes {{ id {' '.join(few)} }} }} }}")
        assert 0 < kept.currsize <= 2_000
    many = [f'a{n}: tasks(filter: {{ id: {{ eq: "{n}" }} }}) {{ id }}' for n in range(150)]
    before = kept.currsize
    monkeypatch.setattr(rows, "CAPACITY", 100)
    await send(gateway, f"{{ workflows(first: 1) {{ nodes {{ id {' '.join(many)} }} }} }}")
    assert kept.currsize <= before + 40


def test_keys_of_edges_are_no_longer_than_their_arguments_need() -> None:
    long, other = ({"filter": {"id": {"eq": end * 100_000}}} for end in "ab")
    assert len(edge_key("runs", long)) < 100
    assert edge_key("runs", long) == edge_key("runs", dict(long)) != edge_key("runs", other)
    assert len(rows.attribute_of(edge_key("runs", long))) < 200


def test_signing_keys_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa

    public = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    key = RSAAlgorithm.to_jwk(public, as_dict=True)
    monkeypatch.setattr(tokens, "MOST_KEYS", 5)
    found = tokens._rsa_keys({"keys": [{**key, "kid": str(number)} for number in range(50)]})
    assert list(found) == ["0", "1", "2", "3", "4"]


async def test_settings_bound_how_many_persisted_queries_there_are(start: Start) -> None:
    gateway = await start(Settings(persisted_queries=3))
    kept = of_this(PersistedDocuments)._kept
    for number in range(10):
        text = f"query Q{number} {{ __typename }}"
        hashed = hashlib.sha256(text.encode()).hexdigest()
        extensions = {"persistedQuery": {"version": 1, "sha256Hash": hashed}}
        await send(gateway, text, extensions=extensions)
    assert len(kept) == 3
