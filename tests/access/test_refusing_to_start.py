"""What the gateway does not start with: each error names the setting and the rule."""

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.access.api_keys import new_key
from gateway.access.credentials import Credentials
from gateway.access.entra import AppCredentials, Identity
from gateway.access.identity import Anyone, Loopback, OwnToken, Proven
from gateway.access.setup import authenticator_of, credentials_of
from gateway.cli import serve
from gateway.settings import Settings
from tests.access.authority import CLIENT, TENANT, certificate
from tests.commands.test_cli import post, server

URL = {"upstream_url": "https://graph.microsoft.com/v1.0"}
KEY, ENTRY = new_key("siem", ["read"])
ENTRA = {"tenant_id": TENANT, "client_id": CLIENT, "client_secret": "a-client-secret"}
APP = {"credentials": "app", "api_keys": str(ENTRY), **ENTRA, **URL}
OBO = {"credentials": "obo", "audience": CLIENT, **ENTRA, **URL}


def without(given: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name not in names}


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        (
            without(APP, "api_keys"),
            "prove who they are: set GATEWAY_AUDIENCE",
        ),
        (without(APP, "client_secret"), "GATEWAY_CLIENT_SECRET and GATEWAY_CLIENT_CERTIFICATE"),
        (without(APP, "tenant_id"), "needs GATEWAY_TENANT_ID and GATEWAY_CLIENT_ID"),
        (without(APP, "client_id"), "needs GATEWAY_TENANT_ID and GATEWAY_CLIENT_ID"),
        (
            APP | {"upstream_url": "http://graph.microsoft.com/v1.0"},
            "GATEWAY_UPSTREAM_URL must begin with",
        ),
        (APP | {"identity": "certificate"}, "needs GATEWAY_CLIENT_CERTIFICATE"),
        (APP | {"identity": "workload"}, "AZURE_FEDERATED_TOKEN_FILE"),
        (APP | {"insecure": True}, "GATEWAY_INSECURE contradicts"),
        (without(APP, "tenant_id") | {"audience": "x"}, "GATEWAY_AUDIENCE needs GATEWAY_TENANT_ID"),
        (without(OBO, "audience"), "needs GATEWAY_AUDIENCE"),
        (without(OBO, "upstream_url"), "needs GATEWAY_UPSTREAM_URL"),
        (
            OBO | {"api_keys": str(ENTRY)},
            "GATEWAY_API_KEYS can't be used with",
        ),
        (
            OBO | {"identity": "managed"},
            "GATEWAY_IDENTITY=managed can't be used with",
        ),
        (without(OBO, "audience") | {"audience": " , "}, "must have an entry"),
        (URL | {"api_keys": str(ENTRY)}, "need GATEWAY_CREDENTIALS=app or obo"),
        (URL | {"audience": "x"}, "need GATEWAY_CREDENTIALS=app or obo"),
        (URL | {"insecure": True}, "need GATEWAY_CREDENTIALS=app or obo"),
        (APP | {"api_keys": f"siem:read:{KEY}"}, "the hash must be"),
        (APP | {"tenant_id": "contoso.onmicrosoft.com"}, "must be an id"),
        (APP | {"authority_url": "http://localhost"}, "must be https://"),
        (APP | {"authority_url": "https://login.microsoftonline.us/tenant"}, "must be https://"),
        (APP | {"client_certificate": "/nowhere"}, "/nowhere can't be read: No such file"),
        (APP | {"client_certificate": __file__}, "must hold a certificate and its RSA key"),
        (APP | {"credentials": "application"}, "'passthrough', 'app' or 'obo'"),
        (APP | {"operations_per_caller": 0}, "greater than or equal to 1"),
    ],
)
def test_settings_that_are_not_safe_are_refused(given: dict[str, Any], rule: str) -> None:
    with pytest.raises(ValidationError) as error:
        Settings(**given)
    assert rule in str(error.value)
    for secret in (KEY, "a-client-secret", str(ENTRY)):
        assert secret not in str(error.value)


def test_a_secret_and_a_certificate_are_one_too_many(tmp_path: Path) -> None:
    both = APP | {"client_certificate": certificate(tmp_path)}
    with pytest.raises(ValidationError, match="GATEWAY_CLIENT_SECRET and GATEWAY_CLIENT_"):
        Settings(**both)
    assert Settings(**both, identity="certificate").access.kind == "certificate"
    assert Settings(**without(both, "client_secret")).access.kind == "certificate"


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({}, Anyone),
        ({"credentials": "app"}, Anyone),
        ({"credentials": "app", "api_keys": str(ENTRY)}, Proven),
        (URL, OwnToken),
        (APP, Proven),
        (OBO, Proven),
        (without(APP, "api_keys") | {"insecure": True}, Loopback),
    ],
)
def test_each_mode_has_its_proof(given: dict[str, Any], kind: type) -> None:
    access = Settings(**given).access
    assert isinstance(authenticator_of(access, credentials_of(access)), kind)


def test_the_app_is_never_open_to_anyone() -> None:
    credentials: Credentials = AppCredentials(Identity("managed"), "https://graph.test/.default")
    with pytest.raises(ValueError, match="prove"):
        authenticator_of(Settings().access, credentials)


def test_the_examples_of_the_document_are_complete(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    certificate(tmp_path)
    readme = Path("docs/running.md").read_text(encoding="utf-8")
    examples = re.findall(r"```sh\n(GATEWAY_[^`]*GATEWAY_CREDENTIALS=[^`]*)```", readme)
    assert len(examples) == 2
    for example in examples:
        example = example.replace("siem:read:…", str(ENTRY))
        example = example.replace("/run/secrets", str(tmp_path))
        with monkeypatch.context() as environment:
            for name, value in re.findall(r"^(GATEWAY_\w+)=(\S+)", example, re.MULTILINE):
                environment.setenv(name, value)
            settings = Settings()
        assert isinstance(
            authenticator_of(settings.access, credentials_of(settings.access)), Proven
        )


# --- as a command -------------------------------------------------------------------------------


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603
        [sys.executable, "-m", "gateway", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1", **environment},
        check=False,
    )


def test_serve_ends_with_the_rule_and_shows_no_secret() -> None:
    environment = {f"GATEWAY_{name.upper()}": value for name, value in APP.items()}
    environment["GATEWAY_API_KEYS"] = f"siem:read:{KEY}"
    result = run("serve", **environment)
    assert result.returncode == 2
    assert "GATEWAY_API_KEYS: key 1: the hash must be 64 hexadecimal digits" in result.stderr
    assert "Traceback" not in result.stderr
    assert KEY not in result.stdout + result.stderr
    assert "a-client-secret" not in result.stdout + result.stderr


def test_serve_does_not_listen_everywhere_without_proof() -> None:
    environment = {f"GATEWAY_{n.upper()}": v for n, v in without(APP, "api_keys").items()}
    result = run("serve", "--insecure", "--host", "0.0.0.0", **environment)  # noqa: S104
    assert result.returncode == 2
    assert "GATEWAY_INSECURE: must listen on this machine alone" in result.stderr


def test_a_factory_that_fails_shows_no_secret() -> None:
    environment = {f"GATEWAY_{n.upper()}": v for n, v in without(APP, "api_keys").items()}
    code = "from gateway.cli import application; application()"
    result = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, **environment},
        cwd=Path.cwd(),
        check=False,
    )
    assert "they must prove who they are" in result.stderr
    assert "a-client-secret" not in result.stderr


def test_serve_has_an_option_for_every_setting_but_the_secrets() -> None:
    secret = {name for name, field in Settings.model_fields.items() if "Secret" in str(field)}
    assert secret == {"cursor_secret", "client_secret", "api_keys"}
    options = set(inspect.signature(serve).parameters) - {"context", "host", "port", "workers"}
    assert options == set(Settings.model_fields) - secret


def test_a_printed_key_is_what_the_settings_take() -> None:
    result = run("api-key", "siem", "--permission", "read")
    key, entry = (line.strip() for line in result.stdout.splitlines()[1::2])
    assert entry.startswith("siem:read:")
    assert key not in entry
    assert Settings(credentials="app", api_keys=entry)
    assert run("api-key", "two words", "--permission", "read").returncode == 2


def test_keys_guard_the_sandbox_too() -> None:
    environment = {"GATEWAY_API_KEYS": str(ENTRY), "GATEWAY_CREDENTIALS": "app"}
    with server("serve", "--port", "0", **environment) as (address, printed):
        assert "on the sandbox" in printed
        assert "'X-API-Key: <key>'" in printed
        assert post(address).status_code == 401
        answer = post(address, **{"X-API-Key": KEY}).json()
        assert answer["data"]["workflows"]["nodes"]
