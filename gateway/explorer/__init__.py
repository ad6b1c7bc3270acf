"""The explorer: the GraphiQL page which a browser gets from the endpoint.

Its script and style sheet are bundled from `frontend/` when the package is built (see
`hatch_build.py`) and are served from the package, so the page asks no other host for anything.
Without them the page says what is missing and how to get it.
"""

import json
import os
from html import escape
from pathlib import Path
from typing import Final, NamedTuple

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

__all__ = [
    "ASSETS_PATH",
    "CONTENT_SECURITY_POLICY",
    "PAGE_HEADERS",
    "explorer_page",
    "static_app",
]

ASSETS_PATH: Final = "/explorer"
"""The path to mount `static_app()` at: beside the endpoint, under the same parent path."""

CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "worker-src 'self'",
        "connect-src 'self'",
        "style-src 'self' 'unsafe-inline'",  # The editor writes <style> elements.
        "img-src 'self' data:",
        "font-src 'self' data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""A `Content-Security-Policy` which is all that the page needs, built or not."""

PAGE_HEADERS: Final = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""The headers to serve the page with."""

_STATIC: Final = Path(__file__).parent / "static"
_MANIFEST: Final = "manifest.json"
_NOT_BUILT: Final = "NOT_BUILT"
_TITLE: Final = "Lifecycle Gateway"

# Not left to the machine's own table, which can lack or change these.
_MEDIA_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".ttf": "font/ttf",
    ".txt": "text/plain; charset=utf-8",
}
_HASHED: Final = frozenset({".css", ".js", ".ttf"})


class _Bundle(NamedTuple):
    """The files of the bundle which the page names."""

    script: str
    style: str


class _Assets(StaticFiles):
    """The bundle's files; all but a few have a hash of their content in their names."""

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """Answer with one file, its media type and how long it may be kept."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        suffix = Path(full_path).suffix
        if suffix in _MEDIA_TYPES and "content-type" in response.headers:
            response.headers["content-type"] = _MEDIA_TYPES[suffix]
        response.headers["cache-control"] = (
            "public, max-age=31536000, immutable" if suffix in _HASHED else "no-cache"
        )
        response.headers["x-content-type-options"] = "nosniff"
        return response


def explorer_page(*, endpoint: str, default_query: str) -> str:
    """The HTML of the explorer, or of a page on how to get it where it was not built.

    Args:
        endpoint: the path at which this page is served, which is that of the GraphQL endpoint.
            Only its last segment matters, for every URL in the page is relative to the page's
            own: it works under any prefix, whether or not the application knows of it.
        default_query: what the editor holds at first.
    """
    bundle = _bundle()
    if bundle is None:
        return _fallback_page(default_query)
    parent, here = ("../", "./") if endpoint.endswith("/") else ("./", "./" + _name(endpoint))
    assets = escape(parent + ASSETS_PATH.lstrip("/"))
    config = _script_json({"endpoint": here, "defaultQuery": default_query})
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{_TITLE}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{assets}/{escape(bundle.style)}">
<script type="application/json" id="explorer-config">{config}</script>
<script type="module" src="{assets}/{escape(bundle.script)}"></script>
</head>
<body>
<h1>{_TITLE}</h1>
<main id="explorer"><p>Loading the explorer, which needs JavaScript …</p></main>
</body>
</html>
"""


def static_app() -> StaticFiles | None:
    """The application which serves the explorer's assets, or None where they were not built."""
    return None if _bundle() is None else _Assets(directory=_STATIC)


def _bundle() -> _Bundle | None:
    try:
        manifest = json.loads((_STATIC / _MANIFEST).read_text(encoding="utf-8"))
        return _Bundle(script=manifest["script"], style=manifest["style"])
    except (OSError, ValueError, KeyError):
        return None


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _script_json(value: object) -> str:
    """JSON (in ASCII) which can end neither the script element around it nor a line."""
    text = json.dumps(value)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _fallback_page(default_query: str) -> str:
    try:
        reason = (_STATIC / _NOT_BUILT).read_text(encoding="utf-8").strip()
    except OSError:
        reason = "its files are missing"
    body = json.dumps({"query": default_query})
    curl = (
        "curl \"$ENDPOINT\" -H 'Content-Type: application/json' \\\n"
        "  -H \"Authorization: Bearer $TOKEN\" --data-binary @- <<'JSON'\n"
        f"{body}\nJSON"
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{_TITLE}</title>
<link rel="icon" href="data:,">
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 50rem }}
main {{ padding: 0 1rem }}
pre {{ border: 1px solid; border-radius: 4px; overflow-x: auto; padding: 1rem }}
</style>
</head>
<body>
<main>
<h1>{_TITLE}</h1>
<p>The GraphQL endpoint at this address works, but its explorer was not built when the package was
installed: {escape(reason)}.</p>
<h2>To get the explorer</h2>
<p>Install Node.js 20 or later with npm, which must be able to reach its registry. Then install the
package again from its source folder, and restart the gateway:</p>
<pre tabindex="0" aria-label="Commands"><code>npm --version
python -m pip install --force-reinstall --no-deps .</code></pre>
<h2>Meanwhile</h2>
<p>The same default query with curl, where <code>ENDPOINT</code> is the address of this page and
<code>TOKEN</code> a bearer token (leave that header out if the gateway needs none):</p>
<pre tabindex="0" aria-label="A query with curl"><code>{escape(curl)}</code></pre>
</main>
</body>
</html>
"""
