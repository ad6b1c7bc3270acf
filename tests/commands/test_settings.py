"""Settings as a user gives them: variables, a `.env` file, options, and files for secrets."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.access.api_keys import new_key
from gateway.app import create_app
from gateway.cli import cli
from gateway.settings import Settings, SettingsError, read_settings
from gateway.settings.listing import LISTED
from gateway.settings.model import SECRETS
from tests.access.authority import CLIENT, TENANT, certificate

KEY, ENTRY = new_key("siem", ["read"])
UPSTREAM = "https://graph.microsoft.com/v1.0"
APP = {
    "GATEWAY_UPSTREAM_URL": UPSTREAM,
    "GATEWAY_CREDENTIALS": "app",
    "GATEWAY_TENANT_ID": TENANT,
    "GATEWAY_CLIENT_ID": CLIENT,
}
VALID = {"client_secret": "a-client-secret", "api_keys": str(ENTRY), "cursor_secret": "a-secret"}

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs a command in an empty folder; gives the exit code and what it printed."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith("GATEWAY_"):
            monkeypatch.delenv(name)

    def result(*arguments: str, **environment: str) -> tuple[int, str, str]:
        found = CliRunner().invoke(cli, arguments, env=environment)
        assert found.exception is None or isinstance(found.exception, SystemExit)
        return found.exit_code, found.stdout, found.stderr

    return result


# --- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["serve", "check", "explain"])
def test_a_variable_that_is_no_setting_ends_the_command(run: Run, command: str) -> None:
    file = ["-"] if command == "explain" else []
    code, _, told = run(command, *file, GATEWAY_UPSTREM_URL=UPSTREAM, GATEWAY_NONSENSE="1")
    assert code == 2
    assert told.splitlines() == [
        "These settings are not valid:",
        "  GATEWAY_NONSENSE (in the environment) is no setting of the gateway",
        "  GATEWAY_UPSTREM_URL (in the environment) is no setting of the gateway; "
        "did you mean GATEWAY_UPSTREAM_URL?",
    ]


def test_a_key_of_the_file_that_is_no_setting_is_named_with_the_file(run: Run) -> None:
    Path(".env").write_text("OTHER=1\nGATEWAY_LOGLEVEL=debug\nGATEWAY_DEADLINE=5\n", "utf-8")
    code, _, told = run("check")
    assert code == 2
    line = (
        "GATEWAY_LOGLEVEL (in .env) is no setting of the gateway; did you mean GATEWAY_LOG_LEVEL?"
    )
    assert told.splitlines()[1:] == [f"  {line}"]


@pytest.mark.parametrize(
    "name",
    ["ALIASES", "DIRECTIVES", "FRAGMENT_SPREADS", "ROOT_FIELDS", "INTROSPECTION_FIELDS"],
)
def test_a_limit_that_is_a_constant_is_no_setting(run: Run, name: str) -> None:
    code, _, told = run("check", **{f"GATEWAY_MAX_{name}": "1"})
    assert code == 2
    assert f"GATEWAY_MAX_{name} (in the environment) is no setting" in told


def test_a_file_for_what_is_no_secret_is_no_setting(run: Run) -> None:
    code, _, told = run("check", GATEWAY_TENANT_ID_FILE="id.txt")
    assert code == 2
    assert "GATEWAY_TENANT_ID_FILE (in the environment) is no setting" in told


def test_what_others_set_with_the_prefix_is_let_pass(run: Run) -> None:
    """Kubernetes sets the first for services called gateway and gateway-api."""
    theirs = {
        "GATEWAY_SERVICE_HOST": "10.0.0.1",
        "GATEWAY_SERVICE_PORT": "8000",
        "GATEWAY_SERVICE_PORT_HTTP": "8000",
        "GATEWAY_PORT": "tcp://10.0.0.1:8000",
        "GATEWAY_PORT_8000_TCP": "tcp://10.0.0.1:8000",
        "GATEWAY_PORT_8000_TCP_ADDR": "10.0.0.1",
        "GATEWAY_API_SERVICE_HOST": "10.0.0.2",
        "GATEWAY_BUILD_EXPLORER": "0",
    }
    assert run("check", **theirs)[0] == 0
    code, _, told = run("check", GATEWAY_PORT="9000")
    assert code == 2
    assert "GATEWAY_PORT (in the environment) is no setting" in told


def test_a_server_that_imports_the_gateway_is_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_UPSTREM_URL", UPSTREAM)
    with pytest.raises(SettingsError, match="did you mean GATEWAY_UPSTREAM_URL"):
        create_app()


# --- values -------------------------------------------------------------------------------------


def test_each_wrong_value_is_a_line_with_its_name_and_its_flag(run: Run) -> None:
    code, _, told = run(
        "serve", "--max-depth", "201", "--cost", "much", GATEWAY_MAX_FIRST="a", GATEWAY_DEADLINE="0"
    )
    assert code == 2
    assert sorted(told.splitlines()[1:]) == [
        "  GATEWAY_COST (--cost): should be 'latency', 'balanced' or 'quota'",
        "  GATEWAY_DEADLINE: should be greater than 0",
        "  GATEWAY_MAX_DEPTH (--max-depth): should be less than or equal to 200",
        "  GATEWAY_MAX_FIRST: should be a valid integer, unable to parse string as an integer",
    ]


def test_a_rule_between_settings_names_them_and_the_flags(run: Run) -> None:
    code, _, told = run("check", "--upstream-url", UPSTREAM, "--insecure", GATEWAY_AUDIENCE="x")
    assert code == 2
    assert "GATEWAY_AUDIENCE, GATEWAY_API_KEYS and GATEWAY_INSECURE (--insecure) need" in told


def test_an_option_goes_before_the_environment_and_that_before_the_file(run: Run) -> None:
    Path(".env").write_text("GATEWAY_MAX_FIRST=no\nGATEWAY_DEADLINE=7\n", "utf-8")
    assert run("check")[0] == 2
    assert run("check", GATEWAY_MAX_FIRST="5")[0] == 0
    assert run("check", "--max-first", "5")[0] == 0
    assert run("check", "--max-first", "5", GATEWAY_MAX_FIRST="no")[0] == 0
    assert read_settings({"max_first": 5, "deadline": None}).deadline == 7


def test_each_setting_has_an_option_or_is_a_secret(run: Run) -> None:
    shown = run("serve", "--help", COLUMNS="80")[1]
    for entry in LISTED:
        assert bool(re.search(rf"{entry.flag}[ /]", shown)) != entry.is_secret, entry.name
    assert set(SECRETS) == {"client_secret", "api_keys", "cursor_secret"}


def test_what_is_off_is_an_option_too(run: Run) -> None:
    code, told, _ = run("check", "--no-csrf-prevention", "--no-draft-methods")
    assert code == 0
    assert "GATEWAY_CSRF_PREVENTION, GATEWAY_DRAFT_METHODS" in told


# --- secrets in files ---------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("where", ["environment", ".env"])
def test_a_secret_is_read_from_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, end: str, where: str
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "secret"
    file.write_bytes((VALID[name] + end).encode())
    given = {f"GATEWAY_{name.upper()}_FILE": str(file), "GATEWAY_CREDENTIALS": "app"}
    if where == ".env":
        lines = [f"{variable}={value}\n" for variable, value in given.items()]
        Path(".env").write_text("".join(lines), "utf-8")
    else:
        for variable, value in given.items():
            monkeypatch.setenv(variable, value)
    assert getattr(Settings(), name).get_secret_value() == VALID[name]


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (None, "can't be read: No such file or directory"),
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"\xff\xfe-hidden", "is no text in UTF-8"),
    ],
)
def test_a_file_that_holds_no_secret_is_named(
    run: Run, name: str, content: bytes | None, rule: str
) -> None:
    if content is not None:
        Path("secret").write_bytes(content)
    variable = f"GATEWAY_{name.upper()}_FILE"
    code, _, told = run("serve", **{variable: "secret"})
    assert code == 2
    assert told.splitlines()[1:] == [f"  {variable}: secret {rule}"]


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_given_in_one_way(run: Run, name: str) -> None:
    Path("secret").write_text(VALID[name], "utf-8")
    variable = f"GATEWAY_{name.upper()}"
    Path(".env").write_text(f"{variable}={VALID[name]}\n", "utf-8")
    code, out, told = run("check", **{f"{variable}_FILE": "secret"})
    assert code == 2
    assert told.splitlines()[1:] == [f"  {variable} and {variable}_FILE exclude each other"]
    assert VALID[name] not in out + told


def test_a_file_with_something_else_is_told_without_its_content(run: Run) -> None:
    Path("keys").write_text(f"siem:read:{KEY}", "utf-8")
    code, out, told = run("check", GATEWAY_CREDENTIALS="app", GATEWAY_API_KEYS_FILE="keys")
    assert code == 2
    assert "GATEWAY_API_KEYS: key 1: the hash must be" in told
    assert KEY not in out + told


# --- check --------------------------------------------------------------------------------------


def test_check_tells_what_is_fine(run: Run, tmp_path: Path) -> None:
    Path("documents.json").write_text('{"a": "{ __typename }"}', "utf-8")
    given = APP | {
        "GATEWAY_CLIENT_CERTIFICATE": str(certificate(tmp_path)),
        "GATEWAY_API_KEYS": str(ENTRY),
        "GATEWAY_TRUSTED_DOCUMENTS": "documents.json",
        "HTTPS_PROXY": "http://me:password-of-mine@proxy.example:8080",
    }
    code, told, wrong = run("check", **given)
    assert (code, wrong) == (0, "")
    names = sorted(name for name in given if name.startswith("GATEWAY_"))
    assert told.splitlines() == [
        f"fine   settings: {', '.join(names)}",
        f"fine   upstream: {UPSTREAM}",
        "fine   way out: by the proxy http://proxy.example:8080",
        "fine   credentials: the gateway's own, from https://login.microsoftonline.com by its "
        "certificate",
        "fine   callers: holders of the API keys siem",
        "fine   trusted documents: 1 in documents.json are executed; others are too",
        "fine   schema: 39 types of the service hold together",
    ]


def test_check_tells_all_that_is_wrong(run: Run) -> None:
    given = APP | {
        "GATEWAY_IDENTITY": "workload",
        "AZURE_FEDERATED_TOKEN_FILE": "token",
        "GATEWAY_TRUSTED_DOCUMENTS": "documents.json",
        "SSL_CERT_FILE": "roots.pem",
    }
    code, told, wrong = run("check", "--insecure", "--host", "0.0.0.0", **given)  # noqa: S104
    assert code == 2
    assert [line.split(": ")[0] for line in told.splitlines()] == [
        "fine   settings",
        "fine   upstream",
        "fine   schema",
    ]
    assert wrong.splitlines() == [
        "wrong  way out: SSL_CERT_FILE must name a PEM file with certificates",
        "wrong  credentials: AZURE_FEDERATED_TOKEN_FILE: token can't be read: No such file or "
        "directory",
        "wrong  callers: GATEWAY_INSECURE: must listen on this machine alone, not on 0.0.0.0 "
        "(--host)",
        "wrong  trusted documents: GATEWAY_TRUSTED_DOCUMENTS: documents.json: No such file or "
        "directory",
    ]


@pytest.mark.parametrize(
    ("given", "options"),
    [
        ({"GATEWAY_TRUSTED_DOCUMENTS": "documents.json"}, []),
        (APP | {"GATEWAY_IDENTITY": "managed"}, ["--insecure", "--host", "0.0.0.0"]),  # noqa: S104
        (APP | {"GATEWAY_IDENTITY": "managed"}, []),
        ({"GATEWAY_NONSENSE": "1"}, []),
    ],
)
def test_serve_does_not_start_with_what_check_finds(
    run: Run, given: dict[str, str], options: list[str]
) -> None:
    checked = run("check", *options, **given)
    served = run("serve", "--port", "0", *options, **given)
    assert checked[0] == served[0] == 2
    assert served[2].splitlines()[-1].strip() in checked[2]


def test_check_as_a_process_sends_nothing(tmp_path: Path) -> None:
    """Names that lead nowhere, and a port that nobody listens on, are as good as others."""
    given = APP | {
        "GATEWAY_UPSTREAM_URL": "https://graph.invalid/v1.0",
        "GATEWAY_AUTHORITY_URL": "https://127.0.0.1:9",
        "GATEWAY_CLIENT_SECRET": "a-client-secret",
        "GATEWAY_AUDIENCE": CLIENT,
    }
    result = subprocess.run(
        [sys.executable, "-m", "gateway", "check"],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, **given, "PYTHONPATH": str(Path.cwd())},
        cwd=tmp_path,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert "a-client-secret" not in result.stdout + result.stderr
    assert f"callers: bearers of a token for {CLIENT}" in result.stdout
