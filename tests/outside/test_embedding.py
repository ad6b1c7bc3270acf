"""The programs of docs/embedding.md, run as they stand there, and the public names."""

import hashlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

import gateway
from gateway.sandbox import create_sandbox
from gateway.settings import Settings
from tests.conftest import TOKEN

FILE = re.compile(r"<!-- file: (\S+) -->\n```python\n(.*?)```\n", re.DOTALL)
PROGRAMS = dict(FILE.findall(Path("docs/embedding.md").read_text(encoding="utf-8")))
QUERY = {"query": "{ workflows(first: 1) { nodes { id } } }"}


def app_of(name: str) -> Any:
    """The application that a program makes."""
    names: dict[str, Any] = {}
    exec(compile(PROGRAMS[name], name, "exec"), names)  # noqa: S102
    return names["app"]


async def ask(app: Any, path: str, host: str = "gateway.example", **how: Any) -> httpx.Response:
    """The answer of an application that lives for one request."""
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url=f"http://{host}", follow_redirects=False
        ) as client,
    ):
        return await client.post(path, **{"json": QUERY, **how})


def test_three_names_are_public() -> None:
    assert sorted(gateway.__all__) == ["Settings", "Upstream", "__version__", "create_app"]
    assert gateway.Settings is Settings
    assert callable(gateway.create_app)
    with pytest.raises(AttributeError, match="no attribute 'engine'"):
        gateway.engine  # noqa: B018
    assert Path(gateway.__file__).with_name("py.typed").exists()


def test_the_version_is_told_without_loading_the_rest() -> None:
    script = "import sys, gateway; gateway.__version__; print('strawberry' in sys.modules)"
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("name", ["in_starlette.py", "in_fastapi.py"])
async def test_it_is_mounted_in_another_application(name: str) -> None:
    response = await ask(app_of(name), "/lifecycle/graphql")
    assert response.status_code == 200
    assert len(response.json()["data"]["workflows"]["nodes"]) == 1


async def test_a_middleware_goes_around_it() -> None:
    app = app_of("with_middleware.py")
    assert (await ask(app, "/graphql", host="elsewhere.example")).status_code == 400
    assert (await ask(app_of("with_middleware.py"), "/graphql")).status_code == 200


async def test_an_own_credential_goes_upstream(tmp_path: Path) -> None:
    (file := tmp_path / "token").write_text(f"{TOKEN}\n", encoding="utf-8")
    names: dict[str, Any] = {}
    text = PROGRAMS["with_credential.py"]
    exec(compile(text.partition("service =")[0], "with_credential.py", "exec"), names)  # noqa: S102
    credential = names["FromFile"](file)
    assert await credential.token(None) == TOKEN
    assert await credential.renew(None, TOKEN) is None
    assert TOKEN not in credential.key(None)
    service = gateway.Upstream(
        "http://service/v1.0", credential, httpx.ASGITransport(create_sandbox())
    )
    settings = Settings(credentials="app", insecure=True)
    response = await ask(gateway.create_app(settings, service), "/graphql", host="127.0.0.1")
    assert len(response.json()["data"]["workflows"]["nodes"]) == 1


async def test_an_own_cache_keeps_persisted_queries() -> None:
    digest = hashlib.sha256(QUERY["query"].encode()).hexdigest()
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": digest}}
    kept: dict[str, str] = {}
    app = gateway.create_app(Settings(), documents=kept)
    await ask(app, "/graphql", json={**QUERY, "extensions": extensions})
    assert kept == {digest: QUERY["query"]}
    other = gateway.create_app(Settings(), documents=kept)
    answer = (await ask(other, "/graphql", json={"extensions": extensions})).json()
    assert len(answer["data"]["workflows"]["nodes"]) == 1
    kept[digest] = "{ __typename }"
    answer = (await ask(other, "/graphql", json={"extensions": extensions})).json()
    assert answer["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
    assert app_of("with_cache.py") is not None


def test_an_argument_that_is_no_setting_is_named() -> None:
    with pytest.raises(ValueError, match=r"GATEWAY_MAX_FISRT \(in the arguments\) .*_MAX_FIRST\?"):
        Settings(max_fisrt=10)  # type: ignore[call-arg]
