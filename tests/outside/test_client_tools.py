"""The recipes of docs/clients.md, run as they stand there: compilers, and trusted documents."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gateway.settings import Settings
from tests.conftest import Start
from tests.outside.test_clients import scripts as scripts

RECIPES = Path("docs/clients.md")
FILE = re.compile(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```\n", re.DOTALL)


def files() -> dict[str, str]:
    """The files that the document shows, by name."""
    return dict(FILE.findall(RECIPES.read_text(encoding="utf-8")))


@pytest.fixture
def project(scripts: Path, tmp_path: Path) -> Path:
    """A project with these files, the schema, and the tools."""
    for name, text in files().items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    shutil.copy("schema.graphql", tmp_path)
    (tmp_path / "node_modules").symlink_to(scripts / "node_modules")
    (tmp_path / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    (tmp_path / "documents.json").write_text("{}", encoding="utf-8")
    return tmp_path


def run(project: Path, *command: str) -> str:
    """What a tool of the project prints."""
    done = subprocess.run(  # noqa: S603
        [project / "node_modules" / ".bin" / command[0], *command[1:]],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def node(project: Path, script: str) -> Any:
    """The JSON that a script prints."""
    done = subprocess.run(  # noqa: S603
        [shutil.which("node") or "node", "--input-type=module", "-e", script],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_document_shows_whole_files() -> None:
    found = files()
    assert {"relay.config.json", "codegen.ts", "ask.mjs"} <= found.keys()
    settings = json.loads(found["relay.config.json"])["schemaConfig"]
    assert settings == {
        "nodeInterfaceIdField": "nodeId",
        "nodeInterfaceIdVariableName": "nodeId",
    }


async def ask(project: Path, start: Start, manifest: Path, id_: str) -> dict[str, Any]:
    """The answer to a document that is named by its id, where no other is trusted."""
    settings = Settings(trusted_documents=manifest, trusted_documents_only=True)
    gateway = await start(settings, sockets=True)
    url = str(gateway.client.base_url.join("/graphql"))
    refused = await gateway.post({"query": "{ workflows { nodes { id } } }"})
    assert refused.status_code == 403
    return node(
        project,
        f'import {{ ask }} from "./ask.mjs";'
        f'console.log(JSON.stringify(await ask("{url}", "{id_}", {{ first: 2 }})));',
    )


@pytest.mark.slow
async def test_relay_compiles_and_its_documents_are_trusted(project: Path, start: Start) -> None:
    run(project, "relay-compiler", "relay.config.json")
    documents = json.loads((project / "documents.json").read_text(encoding="utf-8"))
    [(id_, text)] = documents.items()
    assert text.count("nodeId") == 2
    artifact = (project / "src/__generated__/TriageQuery.graphql.js").read_text(encoding="utf-8")
    assert id_ in artifact
    answer = await ask(project, start, project / "documents.json", id_)
    assert len(answer["data"]["taskProcessingResults"]["nodes"]) == 2


@pytest.mark.slow
async def test_documents_are_typed_and_trusted(project: Path, start: Start) -> None:
    run(project, "graphql-codegen", "--config", "codegen.ts")
    made = (project / "src/gql/graphql.ts").read_text(encoding="utf-8")
    assert "failureReason: string | null" in made
    manifest = project / "src/gql/persisted-documents.json"
    [id_] = json.loads(manifest.read_text(encoding="utf-8"))
    assert f'"hash":"{id_}"' in made
    answer = await ask(project, start, manifest, id_)
    assert len(answer["data"]["taskProcessingResults"]["nodes"]) == 2
