"""Bundles the explorer's page while the wheel (or the editable install) is built.

The sources are in `gateway/explorer/frontend`, the result goes to `gateway/explorer/static`.
npm installs what they need into a temporary copy, so that nothing of it stays in the tree. If
npm is missing or fails the build goes on with a warning: the gateway works without the page,
and says at its address how to get it. `GATEWAY_BUILD_EXPLORER=0` leaves the page out.
"""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SWITCH = "GATEWAY_BUILD_EXPLORER"
STEP_TIMEOUT = 180.0
"""Seconds that npm may take for a step."""

INSTALL = (
    "ci",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--fetch-retries=1",
    "--fetch-retry-mintimeout=1000",
    "--fetch-timeout=30000",
)
BUNDLE = ("run", "--silent", "build")


class ExplorerError(Exception):
    """Why there is no page; the first argument is a short reason, fit to be shown on it."""


class ExplorerBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Makes `gateway/explorer/static` before its files are collected."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the page if it is not there for the present sources."""
        explorer = Path(self.root, "gateway", "explorer")
        static = explorer / "static"
        try:
            build(explorer / "frontend", static)
        except (ExplorerError, OSError, ValueError) as error:
            reason, *details = (
                error.args
                if isinstance(error, ExplorerError)
                else ("its files could not be put in place", str(error))
            )
            for line in (f"The explorer was not built: {reason}.", *details):
                self.app.display_warning(line)
            if (static / "manifest.json").exists():
                self.app.display_warning("An earlier build of it is kept.")
            else:
                static.mkdir(exist_ok=True)
                (static / "NOT_BUILT").write_text(reason + "\n", encoding="utf-8")


def build(frontend: Path, static: Path) -> None:
    """Bundle `frontend` into `static`, unless that is what is there.

    Raises:
        ExplorerError: there is no npm, or it failed; `static` is as it was.
        OSError: a file could not be read or written.
        ValueError: the bundle's manifest is not what it should be.
    """
    if os.environ.get(SWITCH, "").strip() == "0":
        raise ExplorerError(f"{SWITCH}=0 left it out")
    sources = source_hash(frontend)
    if built_from(static) == sources:
        return
    npm = shutil.which("npm")
    if npm is None:
        raise ExplorerError("npm was not found on the PATH")
    with tempfile.TemporaryDirectory(prefix="explorer-", ignore_cleanup_errors=True) as folder:
        work = Path(folder, "frontend")
        shutil.copytree(frontend, work, ignore=shutil.ignore_patterns("node_modules", "dist"))
        run([npm, *INSTALL], work, "npm could not install what it is made of")
        run([npm, *BUNDLE], work, "its bundle could not be made")
        result = work / "dist"
        manifest = json.loads((result / "manifest.json").read_text(encoding="utf-8"))
        manifest["sources"] = sources
        (result / "manifest.json").write_text(json.dumps(manifest) + "\n", encoding="utf-8")
        shutil.rmtree(static, ignore_errors=True)
        shutil.copytree(result, static)


def source_hash(frontend: Path) -> str:
    """A hash of the names and contents of the page's sources."""
    digest = hashlib.sha256()
    for path in sorted(frontend.rglob("*")):
        name = path.relative_to(frontend)
        if path.is_file() and name.parts[0] not in {"node_modules", "dist"}:
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{name.as_posix()}\0{content}\n".encode())
    return digest.hexdigest()


def built_from(static: Path) -> str | None:
    """The hash of the sources that the page in `static` was made from, if there is one."""
    try:
        sources = json.loads((static / "manifest.json").read_text(encoding="utf-8"))["sources"]
    except (OSError, ValueError, KeyError):
        return None
    return str(sources)


def run(command: list[str], folder: Path, failure: str) -> None:
    """Run a command in a folder; its output is shown only if it fails."""
    # A file, not a pipe: a child left over after the time limit would keep a pipe open.
    with tempfile.TemporaryFile() as output:
        try:
            code = subprocess.run(  # noqa: S603
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=STEP_TIMEOUT,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            raise ExplorerError(f"{failure} within {STEP_TIMEOUT:.0f} seconds") from None
        except OSError as error:
            raise ExplorerError(failure, str(error)) from error
        if code != 0:
            output.seek(0)
            lines = output.read().decode(errors="replace").splitlines()
            raise ExplorerError(failure, *lines[-20:])
