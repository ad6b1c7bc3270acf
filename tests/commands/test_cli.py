"""The commands, as processes, the way a user runs them."""

import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import typer
from typer.testing import CliRunner

from gateway.cli import cli

QUERY = {"query": "{ workflows { nodes { id displayName runs { nodes { id } } } } }"}


def run(*arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """A command as it ends; what only prints needs no process of its own."""
    if arguments[0] in ("explain", "schema", "check"):
        answer = CliRunner().invoke(cli, arguments, input=stdin, env=environment)
        assert answer.exception is None or isinstance(answer.exception, SystemExit)
        return subprocess.CompletedProcess(
            arguments, answer.exit_code, answer.stdout, answer.stderr
        )
    return subprocess.run(  # noqa: S603
        [sys.executable, "-m", "gateway", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1", **environment},
        check=False,
    )


@contextmanager
def server(*arguments: str, **environment: str) -> Iterator[tuple[str, str]]:
    """A running command; yields its address and what it printed so far."""
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-u", "-m", "gateway", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **environment},
    ) as process:
        try:
            printed = ""
            address = None
            for line in process.stdout or ():
                printed += line
                if found := re.search(r"(?:Open|POST|Sandbox .* at) (http://\S+)", line):
                    address = found.group(1).removesuffix("/graphql")
                if address and ("Application startup complete" in printed or "Sandbox of" in line):
                    break
            assert address, printed
            threading.Thread(target=lambda: process.stdout.read(), daemon=True).start()
            yield address, printed
        finally:
            process.terminate()
            process.wait(60)


def post(address: str, **headers: str) -> httpx.Response:
    return httpx.post(f"{address}/graphql", json=QUERY, headers=headers, timeout=60)


COMMANDS = typer.main.get_command(cli).commands


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_the_whole_name_of_each_option(command: str) -> None:
    shown = CliRunner().invoke(cli, [command, "--help"], env={"COLUMNS": "80"}).stdout
    for param in COMMANDS[command].params:
        if param.param_type_name == "option":
            for flag in (*param.opts, *param.secondary_opts):
                assert re.search(rf"(^|[ /]){flag}([ ,/]|$)", shown, re.MULTILINE), flag
    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_help_lists_the_commands_in_whole_sentences() -> None:
    shown = CliRunner().invoke(cli, ["--help"], env={"COLUMNS": "80"}).stdout
    assert "..." not in shown.partition("Commands:")[2]


def test_help_has_what_a_setting_means_and_is_by_default() -> None:
    shown = " ".join(run("serve", "--help", COLUMNS="80").stdout.split())
    assert "Documents: --max-tokens <int> Tokens of a document;" in shown
    assert "below each other. [default: 30]" in shown
    assert "--cost [latency|balanced|quota]" in shown


def test_serve_runs_on_the_sandbox_and_says_so() -> None:
    with server("serve", "--port", "0") as (address, printed):
        assert "sandbox" in printed
        assert "/graphql" in printed
        assert "query Triage" in printed
        nodes = post(address).json()["data"]["workflows"]["nodes"]
        assert [len(node["runs"]["nodes"]) for node in nodes] == [4] * 5


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


IPV6 = pytest.mark.skipif(not _has_ipv6(), reason="there is no IPv6 here")


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ("0.0.0.0", "127.0.0.1"),  # noqa: S104
        ("localhost", "localhost"),
        pytest.param("::", "[::1]", marks=IPV6),
        pytest.param("::1", "[::1]", marks=IPV6),
        pytest.param("0:0:0:0:0:0:0:1", "[::1]", marks=IPV6),
    ],
)
def test_the_printed_address_works(host: str, told: str) -> None:
    with server("serve", "--host", host, "--port", "0") as (address, _):
        assert address.startswith(f"http://{told}:")
        answer = post(address)
        assert len(answer.json()["data"]["workflows"]["nodes"]) == 5
        assert "server" not in answer.headers


@IPV6
def test_the_sandbox_prints_an_address_that_works() -> None:
    with server("sandbox", "--host", "::", "--port", "0") as (root, _):
        assert root.startswith("http://[::1]:")
        assert httpx.get(f"{root}/identityGovernance").status_code == 401


def test_the_heap_of_the_start_is_kept_away_from_the_collector() -> None:
    made = "import gc; from gateway.cli import application; application(); "
    result = subprocess.run(  # noqa: S603
        [sys.executable, "-c", made + "print(gc.get_freeze_count(), len(gc.get_objects()))"],
        capture_output=True,
        text=True,
        check=True,
    )
    frozen, watched = map(int, result.stdout.split())
    assert frozen > 100_000
    assert watched < frozen / 100


@pytest.mark.slow
def test_workers_share_one_sandbox() -> None:
    with server("serve", "--port", "0", "--workers", "2") as (address, _):
        answers = [post(address).json() for _ in range(6)]
        assert all(answer == answers[0] for answer in answers)
        assert len(answers[0]["data"]["workflows"]["nodes"]) == 5


@pytest.mark.slow
def test_serve_in_front_of_a_second_process_gives_the_same_answers_and_wants_a_token() -> None:
    with server("sandbox", "--port", "0") as (root, _):
        with server("serve", "--port", "0", GATEWAY_UPSTREAM_URL=root) as (address, printed):
            assert root in printed
            assert post(address).status_code == 401
            forwarded = post(address, Authorization="Bearer anything-will-do").json()
        with server("serve", "--port", "0") as (address, _):
            assert post(address).json() == forwarded


def test_sandbox_takes_its_volume_from_the_options() -> None:
    arguments = ["--workflows", "2", "--runs", "3", "--users", "4", "--tasks", "1"]
    with server("sandbox", "--port", "0", *arguments) as (root, _):
        headers = {"Authorization": "Bearer token"}
        at = f"{root}/identityGovernance/lifecycleWorkflows/workflows"
        assert httpx.get(at).status_code == 401
        assert len(httpx.get(at, headers=headers).json()["value"]) == 2


@pytest.mark.parametrize(
    ("arguments", "environment", "rule"),
    [
        (
            ["serve", "--upstream-url", "graph.microsoft.com"],
            {},
            "GATEWAY_UPSTREAM_URL (--upstream-url): must begin with https:// or http://",
        ),
        (["serve"], {"GATEWAY_UPSTREAM_URL": "https://graph.microsoft.com"}, "version"),
        (["serve", "--max-first", "0"], {}, "GATEWAY_MAX_FIRST (--max-first): should be greater"),
        (
            ["serve", "--max-first", "many"],
            {},
            "GATEWAY_MAX_FIRST (--max-first): should be a",
        ),
        (["serve"], {"GATEWAY_LOG_LEVEL": "loud"}, "GATEWAY_LOG_LEVEL: should be 'debug', 'info'"),
        (
            ["serve"],
            {"GATEWAY_MAX_DEPTH": "201"},
            "GATEWAY_MAX_DEPTH: should be less than",
        ),
        (
            ["serve", "--upstream-url", "https://a/v1.0"],
            {"GATEWAY_SANDBOX_URL": "http://b/v1.0"},
            "GATEWAY_UPSTREAM_URL (--upstream-url) and GATEWAY_SANDBOX_URL exclude each other",
        ),
        (["sandbox", "--tasks", "26"], {}, "tasks"),
        (["sandbox", "--select", "perhaps"], {}, "select"),
    ],
)
def test_bad_settings_name_the_setting_and_the_rule(
    arguments: list[str], environment: dict[str, str], rule: str
) -> None:
    result = run(*arguments, **environment)
    assert result.returncode == 2
    assert rule in result.stderr
    assert "Traceback" not in result.stderr


def test_a_port_in_use_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for command in ("serve", "sandbox"):
            result = run(command, "--port", port)
            assert result.returncode == 2
            assert f"127.0.0.1:{port}" in result.stderr


def test_version() -> None:
    assert re.fullmatch(r"lifecycle-gateway \d+\.\d+\.\d+\n", run("--version").stdout)


def test_schema_prints_and_checks(tmp_path: Path) -> None:
    printed = run("schema")
    assert printed.returncode == 0
    assert printed.stdout == Path("schema.graphql").read_text(encoding="utf-8")
    assert run("schema", "--check", "schema.graphql").returncode == 0
    changed = tmp_path / "old.graphql"
    changed.write_text(printed.stdout.replace("type Run ", "type Ran "), encoding="utf-8")
    check = run("schema", "--check", str(changed))
    assert check.returncode == 1
    assert "-type Ran " in check.stdout
    assert "+type Run " in check.stdout
    assert run("schema", "--check", str(tmp_path / "absent")).returncode == 2
    keys = run("schema", "--cache-keys", "--check", "clients/cache-keys.mjs")
    assert (keys.returncode, keys.stdout) == (0, "")


def test_explain_prints_layers_strategies_and_requests() -> None:
    result = run(
        "explain",
        "-",
        stdin="""query ($first: Int) { workflows(first: $first) { nodes { displayName tasks { id }
          runs { nodes { userProcessingResults { nodes { subject { displayName }
            taskProcessingResults { failureReason task { displayName } } } } } } } } }""",
    )
    assert result.returncode == 0, result.stderr
    for expected in (
        "layer 1",
        "layer 3",
        "workflows?$select=id,displayName",
        "[read]",
        "[choice]  expand or regroup or read",
        "[hydrate]",
        "[inline]",
        "workflows/{id}/runs?$select=id,totalUsersCount,totalTasksCount",
        "runs/{id}/taskProcessingResults?$select=id,failureReason,task,subject",
        "once for a process: whether the service takes the expansion",
    ):
        assert expected in result.stdout, result.stdout


def test_explain_reckons_for_a_tenant_of_a_size() -> None:
    sizes = ["--workflows", "50", "--runs", "20", "--users", "100", "--tasks", "8"]
    query = """{ workflows { nodes { runs { nodes { userProcessingResults(first: 100) { nodes {
      taskProcessingResults { id } } } } } } } }"""
    told = run("explain", "-", *sizes, stdin=query).stdout
    assert "= 1,000 items, 100,000 rows" in told
    assert "At most 1,051 items in about " in told
    assert told.endswith("within GATEWAY_MAX_UPSTREAM_REQUESTS=5000.\n")
    less = run("explain", "-", *sizes, stdin=query, GATEWAY_MAX_UPSTREAM_REQUESTS="1000").stdout
    assert "more than GATEWAY_MAX_UPSTREAM_REQUESTS=1000" in less
    assert run("explain", "-", "--workflows", "0", stdin=query).returncode == 2


def test_explain_plans_as_the_gateway_would() -> None:
    query = "{ workflows(first: 100) { nodes { runs { nodes { id } } } } }"
    limited = run("explain", "-", stdin=query, GATEWAY_MAX_FIRST="10").stdout
    assert "must be from 1 to 10" in limited


@pytest.mark.parametrize(
    ("text", "options", "rule"),
    [
        ("{ nothing }", [], "Cannot query field 'nothing'"),
        ("{ workflows { nodes {", [], "Syntax Error"),
        ("query A { __typename } query B { __typename }", [], "--operation"),
        ("query ($id: ID!) { workflow(id: $id) { id } }", [], "$id"),
        ("{ __typename }", ["--variables", "[]"], "--variables"),
        (
            'mutation { deleteWorkflow(input: { workflowId: "w" }) { __typename } }',
            [],
            "explain prints what queries cost",
        ),
    ],
)
def test_explain_says_what_is_wrong(text: str, options: list[str], rule: str) -> None:
    result = run("explain", "-", *options, stdin=text)
    assert result.returncode == 2
    assert rule in result.stderr
    assert "Traceback" not in result.stderr


def test_explain_reads_a_file(tmp_path: Path) -> None:
    file = tmp_path / "query.graphql"
    file.write_text('{ workflow(id: "a b") { id } run(workflowId: "w", id: "r") { id } }')
    result = run("explain", str(file))
    assert "an id has no white space" in result.stdout
    assert "workflows/{id}/runs/{id}?$select=id" in result.stdout
    assert run("explain", str(tmp_path / "absent")).returncode == 2


def test_a_manifest_that_can_not_be_read_ends_the_command(tmp_path: Path) -> None:
    result = run("serve", "--trusted-documents", str(tmp_path / "missing.json"))
    assert result.returncode == 2
    assert result.stderr.startswith("GATEWAY_TRUSTED_DOCUMENTS: ")
    assert "missing.json" in result.stderr
