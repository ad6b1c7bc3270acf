"""A token authority and a service of the tests' own: who is who is known by construction."""

import asyncio
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import jwt
import trustme
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

TENANT = "11111111-1111-1111-1111-111111111111"
CLIENT = "22222222-2222-2222-2222-222222222222"
SECRET = "the-client-secret-of-the-gateway"
USER = "33333333-3333-3333-3333-333333333333"
CHALLENGE = json.dumps({"access_token": {"acrs": {"essential": True, "value": "c1"}}})

Answer = tuple[int, dict[str, Any]]


def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


FIRST, SECOND, STRANGE = rsa_key(), rsa_key(), rsa_key()


def public_pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def certificate(folder: Path) -> str:
    """A self-signed certificate with its RSA key, as Entra takes it."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "gateway")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(FIRST.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(FIRST, hashes.SHA256())
    )
    key = FIRST.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = folder / "gateway.pem"
    path.write_bytes(key + made.public_bytes(serialization.Encoding.PEM))
    return str(path)


class Authority:
    """Publishes keys, and answers token requests.

    Attributes:
        keys: the published ones, by id.
        down: whether every answer is a 503.
        log: method and path of each request.
        exchanges: the form of each token request.
        answer: what a token request is answered, by its form.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.reset()

    def reset(self) -> None:
        self.keys = {"first": FIRST}
        self.down = False
        self.log: list[str] = []
        self.exchanges: list[dict[str, str]] = []
        self.issuer = f"{self.url}/{TENANT}/v2.0"
        self.jwks = f"{self.url}/{TENANT}/discovery/v2.0/keys"
        self.answer: Callable[[dict[str, str]], Answer] = self.grant
        self.expires_in = 3600

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "tid": TENANT,
            "oid": USER,
            "sub": "subject",
            "azp": "44444444-4444-4444-4444-444444444444",
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            "ver": "2.0",
            **changes,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def token(
        self, key: Any = FIRST, kid: str | None = "first", alg: str = "RS256", **changes: Any
    ) -> str:
        """A token of this authority, as it should be but for the changes."""
        headers = {"kid": kid} if kid else None
        return jwt.encode(self.claims(**changes), key, alg, headers=headers)

    def grant(self, form: dict[str, str]) -> Answer:
        """Upstream tokens say for whom they are: the user of the assertion, or the app."""
        who = "the-app"
        if "assertion" in form:
            given = jwt.decode(form["assertion"], options={"verify_signature": False})
            who = str(given["oid"])
        return 200, {
            "token_type": "Bearer",
            "expires_in": self.expires_in,
            "access_token": f"upstream-token-of-{who}-number-{len(self.exchanges)}",
        }

    def app(self) -> Starlette:
        async def respond(request: Request) -> Response:
            self.log.append(f"{request.method} {request.url.path}")
            if self.down:
                return Response("out of order", 503)
            return await self._respond(request)

        return Starlette(routes=[Route("/{path:path}", respond, methods=["GET", "POST"])])

    async def _respond(self, request: Request) -> Response:
        match request.url.path:
            case path if path == f"/{TENANT}/v2.0/.well-known/openid-configuration":
                return JSONResponse({"issuer": self.issuer, "jwks_uri": self.jwks})
            case path if path == f"/{TENANT}/discovery/v2.0/keys":
                return JSONResponse({"keys": [_jwk(kid, key) for kid, key in self.keys.items()]})
            case path if path == f"/{TENANT}/oauth2/v2.0/token":
                form = dict(parse_qsl((await request.body()).decode()))
                self.exchanges.append(form)
                status, body = self.answer(form)
                return JSONResponse(body, status)
            case "/msi/token":
                self.exchanges.append(dict(request.query_params))
                expires = str(int(time.time()) + 3600)
                token = {"access_token": "upstream-token-of-the-app", "expires_on": expires}
                return JSONResponse({**token, "token_type": "Bearer", "resource": "r"})
        return Response(status_code=404)


def _jwk(kid: str, key: rsa.RSAPrivateKey) -> dict[str, Any]:
    jwk = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {**jwk, "kid": kid, "use": "sig"}


def refusal(code: int, error: str, **more: Any) -> Callable[[dict[str, str]], Answer]:
    """A refusal as the token endpoint writes it; it also quotes what it was sent."""

    def answer(form: dict[str, str]) -> Answer:
        sent = form.get("assertion", "") + form.get("client_secret", "")
        text = f"AADSTS{code}: no token for you. Trace ID: 1 {sent}"
        return 400, {"error": error, "error_description": text, "error_codes": [code], **more}

    return answer


@contextmanager
def authority_on_loopback(folder: Path) -> Iterator[tuple[Authority, ssl.SSLContext]]:
    """The authority over TLS, and what trusts its certificate."""
    ca = trustme.CA()
    own = ca.issue_cert("localhost")
    own.private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
    trusting = ssl.create_default_context()
    ca.configure_trust(trusting)
    authority = Authority("")
    config = uvicorn.Config(
        authority.app(),
        host="127.0.0.1",
        port=0,
        log_level="critical",
        ssl_certfile=str(folder / "server.pem"),
    )
    server = uvicorn.Server(config)
    listener = config.bind_socket()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.005)
    authority.url = f"https://localhost:{listener.getsockname()[1]}"
    authority.reset()
    try:
        yield authority, trusting
    finally:
        server.should_exit = True
        thread.join(5)
        listener.close()


class Service:
    """An upstream whose answers say whose token they were asked with.

    Attributes:
        owners: whose each token is; any other is refused with 401. Everyone sees the same ids, but
            names of their own, and runs only of the workflows that are theirs.
        log: owner, method and path of each logical request.
        challenge: headers of a 401.
    """

    def __init__(self, *owners: str) -> None:
        self.owners = {f"token-of-{owner}-for-the-service": owner for owner in owners}
        self.log: list[tuple[str, str, str]] = []
        self.challenge: dict[str, str] = {}
        self.app = Starlette(
            routes=[Route("/v1.0/{path:path}", self.respond, methods=["GET", "POST", "PATCH"])]
        )

    @staticmethod
    def token(owner: str) -> str:
        return f"token-of-{owner}-for-the-service"

    def owner(self, token: str) -> str | None:
        if token.startswith("upstream-token-of-"):
            return token.removeprefix("upstream-token-of-").partition("-number-")[0]
        return self.owners.get(token)

    async def respond(self, request: Request) -> Response:
        owner = self.owner(request.headers.get("authorization", "").removeprefix("Bearer "))
        if owner is None:
            error = {"code": "InvalidAuthenticationToken", "message": "who is this?"}
            return JSONResponse({"error": error}, 401, self.challenge)
        path = request.path_params["path"]
        for _ in range(len(self.log) % 3):
            await asyncio.sleep(0)
        if path == "$batch":
            items = (await request.json())["requests"]
            answers = [(i["id"], self.answer(owner, i["method"], i["url"])) for i in items]
            responses = [{"id": id_, "status": s, "body": body} for id_, (s, body) in answers]
            return JSONResponse({"responses": responses})
        status, body = self.answer(owner, request.method, path)
        return JSONResponse(body, status) if body is not None else Response(status_code=status)

    def answer(self, owner: str, method: str, url: str) -> tuple[int, Any]:
        path = url.partition("?")[0].lstrip("/")
        self.log.append((owner, method, path))
        path = path.removeprefix("identityGovernance/lifecycleWorkflows/")
        if method != "GET":
            return 204, None
        parts = path.split("/")
        match parts:
            case ["workflows"]:
                return 200, {"value": [self._workflow(owner, f"w{n}") for n in range(3)]}
            case ["workflows", id_]:
                return 200, self._workflow(owner, id_)
            case ["workflows", "w1", "runs"] if owner != "alice":
                error = {"code": "accessDenied", "message": f"{owner} may not see these"}
                return 403, {"error": error}
            case ["workflows", id_, "runs"]:
                return 200, {"value": [{"id": f"{id_}-run-of-{owner}"}]}
        return 404, {"error": {"code": "NotFound", "message": f"nothing at {path}"}}

    @staticmethod
    def _workflow(owner: str, id_: str) -> dict[str, Any]:
        return {"id": id_, "displayName": f"{id_} as {owner} sees it"}
