"""Client caches show each object as the server told it, not another one with the same id.

The kind of fault: an id that is unique only within a container, taken for one of the whole gateway.
It can occur wherever a type has an `id`: a task in two versions of a workflow, a run, a result or a
report below two workflows, and types without a `nodeId`, which belong to what they were read with.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLObjectType

from gateway.schema.build import build_schema
from gateway.schema.cache_keys import cache_keys
from tests.conftest import Gateway, Start
from tests.outside import test_clients
from tests.upstreams import Answered, Asked, Unusual

KEYS = Path("clients/cache-keys.mjs").resolve()
scripts = test_clients.scripts
CLIENTS = ["apollo", "urql", "relay"]
SCHEMA = build_schema().core

TASKS = "tasks { %s id displayName isEnabled arguments { name value } }"
VERSIONS = f"""query Versions($id: ID!) {{ workflow(id: $id) {{ %s id version {TASKS}
    versions {{ nodes {{ %s versionNumber {TASKS} }} }} }} }}"""
TREE = """query Tree { workflows(first: 2) { nodes { %s id displayName runs(first: 2) { nodes {
    %s id processingStatus workflow { %s id } userProcessingResults(first: 2) { nodes {
    %s id processingStatus subject { %s id displayName } taskProcessingResults {
    %s id processingStatus task { %s id displayName } } } } } } } } }"""
TEMPLATES = """query Templates { workflowTemplates { nodes {
    %s id displayName tasks { %s id displayName isEnabled executionSequence } } } }"""
REPORTS = """query Reports($id: ID!) { workflow(id: $id) { %s id taskReports { nodes {
    %s id failedUsersCount task { %s id displayName } run { %s id }
    taskProcessingResults { nodes { %s id processingStatus } } } } } }"""
MEMBERS = """query Members($id: ID!) { workflow(id: $id) { %s id executionConditions {
    ... on TriggerAndScopeBasedConditions { scope { ... on RuleBasedSubjectSet { rule } } } }
    administrationScopeTargets { nodes { id } } createdBy { %s id displayName } } }"""


def same_ids_in_two_places(asked: Asked, answer: Answered) -> None:
    """What a service may do: tasks keep their ids from version to version, and change; the ids
    of task results begin anew in each collection."""
    path, _, query = asked.url.partition("?")
    version = re.search(r"/versions/(\d+)", path)
    rows = answer.body.get("value") if isinstance(answer.body, dict) else None
    if version is not None:
        for task in answer.body.get("tasks") or rows or []:
            task["displayName"] = f"name in version {version[1]}"
            task["isEnabled"] = int(version[1]) % 2 == 0
    if path.endswith("/taskProcessingResults") and rows and "$skip" not in query:
        for number, row in enumerate(rows):
            row["id"] = f"result-{number}"


def operations(workflow: str, node_id: str) -> list[dict[str, Any]]:
    """Those of the test; ``node_id`` is what stands for it in each selection."""
    texts = (VERSIONS, TREE, TEMPLATES, REPORTS, MEMBERS)
    return [
        {
            "name": text.split()[1].partition("(")[0],
            "text": text.replace("%s", node_id),
            "variables": {"id": workflow} if "$id" in text else {},
        }
        for text in texts
    ]


async def shown(
    gateway: Gateway, scripts: Path, client: str, keys: str, asked: list[dict[str, Any]], at: Path
) -> dict[str, dict[str, str]]:
    file = at / "operations.json"
    file.write_text(json.dumps(asked))
    found: dict[str, dict[str, str]] = await test_clients._node(
        scripts / "caches.mjs", client, test_clients._url(gateway), keys, str(file)
    )
    return found


@pytest.fixture
async def gateway(start: Start) -> Gateway:
    return await start(unusual=Unusual(change=same_ids_in_two_places))


@pytest.fixture
async def workflow(gateway: Gateway) -> str:
    """The one with most versions."""
    data = await gateway.data("{ workflows { nodes { id versions { totalCount } } } }")
    most = max(data["workflows"]["nodes"], key=lambda row: row["versions"]["totalCount"])
    assert most["versions"]["totalCount"] > 1
    return str(most["id"])


@pytest.mark.slow
@pytest.mark.parametrize("client", CLIENTS)
async def test_a_cache_with_the_keys_shows_what_the_server_said(
    gateway: Gateway,
    workflow: str,
    scripts: Path,
    client: str,
    tmp_path: Path,
) -> None:
    asked = operations(workflow, "nodeId")
    found = await shown(gateway, scripts, client, str(KEYS), asked, tmp_path)
    assert found == {op["name"]: {"first": "same", "again": "same"} for op in asked}


@pytest.mark.slow
@pytest.mark.parametrize("client", CLIENTS)
async def test_a_cache_without_them_does_not(
    gateway: Gateway,
    workflow: str,
    scripts: Path,
    client: str,
    tmp_path: Path,
) -> None:
    asked = operations(workflow, "nodeId")
    found = await shown(gateway, scripts, client, "none", asked, tmp_path)
    for name in ("Versions", "Tree", "Reports"):
        assert "instead of" in found[name]["first"]


@pytest.mark.slow
@pytest.mark.parametrize("client", CLIENTS)
async def test_without_node_ids_objects_belong_to_what_they_were_read_with(
    gateway: Gateway,
    workflow: str,
    scripts: Path,
    client: str,
    tmp_path: Path,
) -> None:
    asked = operations(workflow, "")
    found = await shown(gateway, scripts, client, str(KEYS), asked, tmp_path)
    assert {name: told["first"] for name, told in found.items()} == {
        op["name"]: "same" for op in asked
    }


def test_the_module_is_what_the_schema_says() -> None:
    assert KEYS.read_text(encoding="utf-8") == cache_keys(SCHEMA)


def _list(name: str) -> set[str]:
    found = re.search(rf"export const {name} = (\[.*?\]);", KEYS.read_text("utf-8"), re.DOTALL)
    assert found is not None
    return set(json.loads(found[1]))


def test_every_object_type_is_in_the_module() -> None:
    objects = {
        type_.name: "nodeId" in type_.fields and type_.name != "DeletedPayload"
        for type_ in SCHEMA.type_map.values()
        if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__")
    }
    del objects["Query"], objects["Mutation"]
    assert _list("nodes") == {name for name, node in objects.items() if node}
    assert _list("parts") == {name for name, node in objects.items() if not node}


def test_the_schema_says_within_what_an_id_is_unique() -> None:
    for name in ("Run", "UserProcessingResult", "SubjectProcessingResult", "TaskReport"):
        assert "unique only within its workflow" in SCHEMA.type_map[name].fields["id"].description
    for name, within in (("Task", "version of a workflow"), ("TaskProcessingResult", "its run")):
        text = SCHEMA.type_map[name].fields["id"].description
        assert f"unique only within {'one ' if name == 'Task' else ''}{within}" in text
    assert "unique only" in SCHEMA.type_map["WorkflowVersion"].fields["versionNumber"].description
