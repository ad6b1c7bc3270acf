"""The explorer: the page, its assets, and the page which stands in where it was not built."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from gateway import explorer
from gateway.explorer import ASSETS_PATH, CONTENT_SECURITY_POLICY, explorer_page, static_app

NASTY = "{ a } # </script><!-- <script> & \u2028\u2029 \"' é"

built = pytest.mark.skipif(
    static_app() is None,
    reason="the explorer is not built: reinstall with npm on the PATH (see hatch_build.py)",
)


class Page(HTMLParser):
    """The elements of a page, and the text of the last script."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.config = ""
        self.text = ""
        self._in_config = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._in_config = dict(attrs).get("id") == "explorer-config"

    def handle_endtag(self, tag: str) -> None:
        self._in_config = False

    def handle_data(self, data: str) -> None:
        if self._in_config:
            self.config += data
        self.text += data

    def attributes(self, name: str) -> list[str]:
        return [value for _, attrs in self.elements if (value := attrs.get(name)) is not None]


@pytest.fixture
def static(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in the place of the built assets, with the least that a build leaves there."""
    folder = tmp_path / "static"
    folder.mkdir()
    (folder / "manifest.json").write_text('{"script": "e-ABC.js", "style": "e-DEF.css"}')
    (folder / "e-ABC.js").write_text("export {};")
    (folder / "e-DEF.css").write_text("body {}")
    monkeypatch.setattr(explorer, "_STATIC", folder)
    return folder


@pytest.fixture
def missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "missing"
    monkeypatch.setattr(explorer, "_STATIC", folder)
    return folder


def assets() -> httpx.AsyncClient:
    app = static_app()
    assert app is not None
    transport = httpx.ASGITransport(Starlette(routes=[Mount(ASSETS_PATH, app)]))
    return httpx.AsyncClient(transport=transport, base_url="http://gateway")


def assert_no_other_host(html: str) -> None:
    page = Page(html)
    for url in page.attributes("src") + page.attributes("href"):
        assert not re.match(r"(?!data:)[a-z][a-z0-9+.-]*:|//|/", url, re.IGNORECASE), url
    assert "//" not in html


@pytest.mark.usefixtures("static")
def test_the_config_is_embedded_safely() -> None:
    html = explorer_page(endpoint="/graphql", default_query=NASTY)
    page = Page(html)
    assert json.loads(page.config) == {"endpoint": "./graphql", "defaultQuery": NASTY}
    assert not set("<>&\u2028\u2029") & set(page.config)
    assert [tag for tag, _ in page.elements].count("script") == 2
    assert html.count("</script>") == 2
    assert "<!--" not in html


@pytest.mark.usefixtures("static")
@pytest.mark.parametrize(
    ("endpoint", "script", "target"),
    [
        ("/graphql", "./explorer/e-ABC.js", "./graphql"),
        ("/a/prefix/graphql", "./explorer/e-ABC.js", "./graphql"),
        ("/graphql/", "../explorer/e-ABC.js", "./"),
    ],
)
def test_urls_are_relative_to_the_page(endpoint: str, script: str, target: str) -> None:
    page = Page(explorer_page(endpoint=endpoint, default_query="{ a }"))
    assert page.attributes("src") == [script]
    assert json.loads(page.config)["endpoint"] == target


@pytest.mark.usefixtures("static")
def test_the_page_is_accessible_and_asks_no_other_host() -> None:
    html = explorer_page(endpoint="/graphql", default_query="{ a }")
    page = Page(html)
    assert "<title>Lifecycle Gateway</title>" in html
    assert ("html", {"lang": "en"}) in page.elements
    assert {"h1", "main"} <= {tag for tag, _ in page.elements}
    assert_no_other_host(html)


@pytest.mark.usefixtures("static")
def test_the_page_obeys_its_policy() -> None:
    page = Page(explorer_page(endpoint="/graphql", default_query="{ a }"))
    scripts = [attrs for tag, attrs in page.elements if tag == "script"]
    assert all("src" in attrs or attrs["type"] == "application/json" for attrs in scripts)
    assert not [name for _, attrs in page.elements for name in attrs if name.startswith("on")]
    script_sources = re.search(r"script-src ([^;]*)", CONTENT_SECURITY_POLICY)
    assert script_sources is not None
    assert script_sources[1] == "'self'"


@pytest.mark.usefixtures("missing")
def test_without_a_build_the_page_says_how_to_get_it() -> None:
    assert static_app() is None
    html = explorer_page(endpoint="/graphql", default_query=NASTY)
    page = Page(html)
    assert "<title>Lifecycle Gateway</title>" in html
    assert "npm" in page.text
    assert "pip install --force-reinstall --no-deps ." in page.text
    assert "script" not in {tag for tag, _ in page.elements}
    assert_no_other_host(html)
    curl = page.text[page.text.index("curl ") :]
    body = re.search(r"<<'JSON'\n(.*)\nJSON$", curl, re.MULTILINE)
    assert body is not None
    assert json.loads(body[1]) == {"query": NASTY}


def test_without_a_build_the_page_says_why(missing: Path) -> None:
    missing.mkdir()
    (missing / "NOT_BUILT").write_text("npm <was> not found\n")
    assert "npm &lt;was&gt; not found." in explorer_page(endpoint="/graphql", default_query="{ a }")


def test_a_broken_manifest_counts_as_no_build(static: Path) -> None:
    (static / "manifest.json").write_text("{")
    assert static_app() is None
    assert "was not built" in explorer_page(endpoint="/graphql", default_query="{ a }")


async def test_assets_may_be_kept_for_good_as_their_names_change(static: Path) -> None:
    (static.parent / "secret.txt").write_text("not an asset")
    client = assets()
    for name, media_type in (("e-ABC.js", "text/javascript"), ("e-DEF.css", "text/css")):
        response = await client.get(f"{ASSETS_PATH}/{name}")
        assert response.status_code == 200
        assert response.headers["content-type"] == f"{media_type}; charset=utf-8"
        assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert response.headers["x-content-type-options"] == "nosniff"
        etag = response.headers["etag"]
        again = await client.get(f"{ASSETS_PATH}/{name}", headers={"if-none-match": etag})
        assert again.status_code == 304
    manifest = await client.get(f"{ASSETS_PATH}/manifest.json")
    assert manifest.headers["cache-control"] == "no-cache"
    outside = await client.get(f"{ASSETS_PATH}/%2e%2e/secret.txt")
    assert outside.status_code == 404


@built
async def test_the_built_assets_are_served() -> None:
    client = assets()
    html = explorer_page(endpoint="/graphql", default_query="{ a }")
    page = Page(html)
    assert_no_other_host(html)
    script = await client.get(page.attributes("src")[0].removeprefix("."))
    assert script.status_code == 200
    assert script.headers["content-type"].startswith("text/javascript")
    (sheet,) = (attrs["href"] for tag, attrs in page.elements if attrs.get("rel") == "stylesheet")
    assert sheet is not None
    style = await client.get(sheet.removeprefix("."))
    assert style.status_code == 200
    assert style.headers["content-type"].startswith("text/css")
    # What the style sheet loads is in it or beside it.
    for url in re.findall(r"url\([\"']?([^\"')]+)", style.text):
        if not url.startswith(("data:", "#")):
            assert (await client.get(f"{ASSETS_PATH}/{url}")).status_code == 200
    # The workers, whose names the build puts into the script.
    workers = set(re.findall(r"[a-z]+-worker-[A-Z0-9]+\.js", script.text))
    assert len(workers) == 3
    for worker in workers:
        response = await client.get(f"{ASSETS_PATH}/{worker}")
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/javascript")
