"""Which tokens of Microsoft Entra ID count, against an authority on loopback."""

import base64
import hashlib
import hmac
import json
import ssl
import time
from functools import partial
from typing import Any

import httpx
import jwt
import pytest

from gateway.access.tokens import LONGEST_TOKEN, SigningKeys, TokenVerifier
from gateway.errors import RequestRefused
from tests.access.authority import (
    CLIENT,
    FIRST,
    SECOND,
    STRANGE,
    TENANT,
    USER,
    Authority,
    public_pem,
)
from tests.access.conftest import NAMES, RENAME, Guard, error_of

OTHER = "99999999-9999-9999-9999-999999999999"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def verifier(authority: Authority, tls: ssl.SSLContext, clock: Clock) -> TokenVerifier:
    connect = partial(httpx.AsyncClient, verify=tls)
    keys = SigningKeys(authority.url, TENANT, connect, clock=clock)
    return TokenVerifier(keys, TENANT, [CLIENT, "api://gateway"])


async def refused(verifier: TokenVerifier, token: str) -> RequestRefused:
    with pytest.raises(RequestRefused) as found:
        await verifier.claims(token)
    assert token not in str(found.value)
    return found.value


def encoded(content: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def with_public_key_as_secret(authority: Authority) -> str:
    """HS256 by hand, because PyJWT refuses to make such a token."""
    signed = f"{encoded({'alg': 'HS256', 'kid': 'first'})}.{encoded(authority.claims())}"
    mac = hmac.new(public_pem(FIRST), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


@pytest.mark.parametrize("changes", [{}, {"aud": "api://gateway"}, {"alg": "PS256"}])
async def test_a_token_of_the_tenant_counts(
    authority: Authority, verifier: TokenVerifier, changes: dict[str, Any]
) -> None:
    claims = await verifier.claims(authority.token(**changes))
    assert claims["oid"] == USER


NOW = int(time.time())
WRONG = {
    "another key under a known id": ({"key": STRANGE}, "signature"),
    "no key id": ({"kid": None}, "key"),
    "an unknown key id": ({"kid": "unknown"}, "key"),
    "a symmetric algorithm": ({"key": "s" * 64, "alg": "HS256"}, "algorithm"),
    "expired": ({"exp": NOW - 120, "nbf": NOW - 900, "iat": NOW - 900}, "expired"),
    "not yet valid": ({"nbf": NOW + 900}, "not valid yet"),
    "never expires": ({"exp": None}, "a claim is missing"),
    "another audience": ({"aud": "https://graph.microsoft.com"}, "audience"),
    "no audience": ({"aud": None}, "a claim is missing"),
    "another issuer": ({"iss": "https://login.microsoftonline.com/x/v2.0"}, "issuer"),
    "no issuer": ({"iss": None}, "a claim is missing"),
    "another tenant": ({"tid": OTHER}, "tenant"),
    "no tenant": ({"tid": None}, "a claim is missing"),
}


@pytest.mark.parametrize("case", WRONG)
async def test_a_token_that_is_wrong_is_refused(
    authority: Authority, verifier: TokenVerifier, case: str
) -> None:
    changes, why = WRONG[case]
    error = await refused(verifier, authority.token(**changes))
    assert (error.status, error.code) == (401, "UNAUTHENTICATED")
    assert why in error.message
    assert error.headers["WWW-Authenticate"].startswith('Bearer error="invalid_token"')


async def test_a_token_without_a_signature_is_refused(
    authority: Authority, verifier: TokenVerifier
) -> None:
    unsigned = jwt.encode(authority.claims(), None, "none", headers={"kid": "first"})
    for token in (unsigned, unsigned.replace(encoded({"alg": "none"})[:8], "eyJhbGci")):
        assert "algorithm" in (await refused(verifier, token)).message
    valid = authority.token()
    await verifier.claims(valid)
    assert "signature" in (await refused(verifier, valid.rpartition(".")[0] + ".")).message


async def test_the_public_key_is_no_shared_secret(
    authority: Authority, verifier: TokenVerifier
) -> None:
    await verifier.claims(authority.token())
    assert "algorithm" in (await refused(verifier, with_public_key_as_secret(authority))).message


@pytest.mark.parametrize("token", ["x", "a.b.c", "é.é.é", "a" * (LONGEST_TOKEN + 1), "..", "{}"])
async def test_what_is_no_token_asks_the_authority_nothing(
    authority: Authority, verifier: TokenVerifier, token: str
) -> None:
    assert (await refused(verifier, token)).status == 401
    assert authority.log == []


async def test_small_keys_and_keys_for_encryption_are_no_signing_keys(
    authority: Authority, tls: ssl.SSLContext
) -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa

    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505
    authority.keys = {"small": small, "first": FIRST}
    keys = SigningKeys(authority.url, TENANT, partial(httpx.AsyncClient, verify=tls))
    verifier = TokenVerifier(keys, TENANT, [CLIENT])
    with pytest.warns(jwt.warnings.InsecureKeyLengthWarning):
        weak = authority.token(small, "small")
    assert "key" in (await refused(verifier, weak)).message
    await verifier.claims(authority.token())


# --- rotation, caching and an authority that is down --------------------------------------------


async def test_keys_are_fetched_once_and_again_after_an_hour(
    authority: Authority, verifier: TokenVerifier, clock: Clock
) -> None:
    for _ in range(3):
        await verifier.claims(authority.token())
    assert len(authority.log) == 2  # the metadata and the keys
    clock.now += 3601
    await verifier.claims(authority.token())
    assert len(authority.log) == 4


async def test_a_new_key_is_fetched_and_a_withdrawn_one_forgotten(
    authority: Authority, verifier: TokenVerifier, clock: Clock
) -> None:
    await verifier.claims(authority.token())
    authority.keys = {"second": SECOND}
    clock.now += 31
    await verifier.claims(authority.token(SECOND, "second"))
    assert "key" in (await refused(verifier, authority.token())).message


async def test_unknown_keys_are_asked_for_twice_a_minute_at_most(
    authority: Authority, verifier: TokenVerifier, clock: Clock
) -> None:
    await verifier.claims(authority.token())
    for number in range(20):
        await refused(verifier, authority.token(STRANGE, f"unknown-{number}"))
    assert len(authority.log) == 2
    clock.now += 31
    for number in range(20):
        await refused(verifier, authority.token(STRANGE, f"unknown-{number}"))
    assert len(authority.log) == 4


async def test_known_keys_count_while_the_authority_is_down(
    authority: Authority, verifier: TokenVerifier, clock: Clock
) -> None:
    await verifier.claims(authority.token())
    authority.down = True
    clock.now += 7200
    await verifier.claims(authority.token())
    error = await refused(verifier, authority.token(SECOND, "second"))
    assert (error.status, error.code) == (503, "KEYS_UNAVAILABLE")
    assert int(error.headers["Retry-After"]) > 0
    clock.now += 86400
    assert (await refused(verifier, authority.token())).status == 503
    authority.down = False
    clock.now += 10
    await verifier.claims(authority.token())


async def test_the_keys_of_another_tenant_do_not_count(
    authority: Authority, verifier: TokenVerifier
) -> None:
    authority.issuer = f"{authority.url}/{OTHER}/v2.0"
    assert (await refused(verifier, authority.token())).status == 503


async def test_keys_are_never_fetched_in_the_clear(
    authority: Authority, verifier: TokenVerifier
) -> None:
    authority.jwks = authority.jwks.replace("https:", "http:")
    assert (await refused(verifier, authority.token())).status == 503
    assert len(authority.log) == 1


# --- at the endpoint ----------------------------------------------------------------------------


async def test_at_the_endpoint(authority: Authority, guarded: Guard) -> None:
    gateway = await guarded(credentials="app", audience=CLIENT)
    accepted = await gateway.post(token=authority.token(roles=["Results.Read"]))
    assert accepted.json()["data"]["workflows"]["nodes"][0]["id"] == "w0"
    sent = len(gateway.service.log)
    for token in (None, authority.token(STRANGE), authority.token(aud="other")):
        refused = await gateway.post(token=token)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"].startswith("Bearer")
        assert error_of(refused)["code"] == "UNAUTHENTICATED"
        assert "data" not in refused.json()
    assert len(gateway.service.log) == sent


async def test_an_authority_that_is_down_is_a_503(authority: Authority, guarded: Guard) -> None:
    gateway = await guarded(credentials="app", audience=CLIENT)
    authority.down = True
    response = await gateway.post(token=authority.token())
    assert response.status_code == 503
    assert error_of(response)["code"] == "KEYS_UNAVAILABLE"
    assert response.headers["retry-after"]


ROLE = {"roles": ["Results.Read"]}
ID_TOKENS: dict[str, dict[str, Any]] = {
    "with a nonce": {"nonce": "n"},
    "of a user with an app role": {"nonce": "n", **ROLE},
    "without a nonce": {"azp": None, **ROLE},
    "of the hybrid flow": {"c_hash": "h", **ROLE},
    "of the implicit flow": {"at_hash": "h", **ROLE},
    "with empty scopes": {"nonce": "n", "scp": "", **ROLE},
    "with scopes that are no text": {"nonce": "n", "scp": ["Results.Read"], **ROLE},
}


@pytest.mark.parametrize("credentials", ["app", "obo"])
@pytest.mark.parametrize("case", ID_TOKENS)
async def test_an_id_token_opens_nothing(
    authority: Authority, guarded: Guard, case: str, credentials: str
) -> None:
    gateway = await guarded(credentials=credentials, audience=CLIENT)
    for query in (NAMES, RENAME, "{ __typename }"):
        refused = await gateway.post(query, authority.token(**ID_TOKENS[case]))
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"].startswith('Bearer error="invalid_token"')
        error = error_of(refused)
        assert error["code"] == "UNAUTHENTICATED"
        assert "it is an ID token" in error["message"]
    assert gateway.service.log == []
    assert authority.exchanges == []


@pytest.mark.parametrize(
    "claims",
    [
        {"scp": "Results.Read"},
        {"scp": "Results.Read", "nonce": "n"},
        {"roles": ["Results.Read"]},
        {"roles": ["Results.Read"], "azp": None, "appid": OTHER},
        {"roles": ["Results.Read"], "idtyp": "app"},
    ],
)
async def test_an_access_token_counts(
    authority: Authority, guarded: Guard, claims: dict[str, Any]
) -> None:
    gateway = await guarded(
        credentials="app", audience=CLIENT, read_roles="Results.Read, scp:Results.Read"
    )
    answer = await gateway.post(token=authority.token(**claims))
    assert len(answer.json()["data"]["workflows"]["nodes"]) == 3


async def test_an_access_token_without_any_right_is_told_what_it_lacks(
    authority: Authority, guarded: Guard
) -> None:
    """An application that was assigned no role gets a token without ``roles``."""
    gateway = await guarded(credentials="app", audience=CLIENT)
    answer = await gateway.post(token=authority.token())
    assert error_of(answer)["code"] == "FORBIDDEN"
    assert gateway.service.log == []
