import pytest

from gateway.errors import BadUserInput
from tests.model import ROUTES

ROOT = "identityGovernance/lifecycleWorkflows"
WORKFLOW = "15239232-66ed-445b-8292-2f5bbb2eb833"
RUN = "e65e08a0-d68d-41dc-915b-8c4019af5cc2"

# Clients keep node ids: these must never change.
PINNED = {
    f"{ROOT}/workflows/{WORKFLOW}": (
        "d29ya2Zsb3dzLzE1MjM5MjMyLTY2ZWQtNDQ1Yi04MjkyLTJmNWJiYjJlYjgzMw",
        "Workflow",
    ),
    f"{ROOT}/workflows/w/runs/w_638927021459357126": (
        "d29ya2Zsb3dzL3cvcnVucy93XzYzODkyNzAyMTQ1OTM1NzEyNg",
        "Run",
    ),
    f"{ROOT}/workflows/w/runs/r/userProcessingResults/u": (
        "d29ya2Zsb3dzL3cvcnVucy9yL3VzZXJQcm9jZXNzaW5nUmVzdWx0cy91",
        "UserProcessingResult",
    ),
    f"{ROOT}/workflows/w/userProcessingResults/u/taskProcessingResults/t": (
        "d29ya2Zsb3dzL3cvdXNlclByb2Nlc3NpbmdSZXN1bHRzL3UvdGFza1Byb2Nlc3NpbmdSZXN1bHRzL3Q",
        "TaskProcessingResult",
    ),
    f"{ROOT}/workflows/w/versions/2": ("d29ya2Zsb3dzL3cvdmVyc2lvbnMvMg", "WorkflowVersion"),
    f"{ROOT}/workflows/w/taskReports/r": ("d29ya2Zsb3dzL3cvdGFza1JlcG9ydHMvcg", "TaskReport"),
    f"{ROOT}/workflows/w/tasks/t": ("d29ya2Zsb3dzL3cvdGFza3MvdA", "Task"),
    f"{ROOT}/taskDefinitions/d": ("dGFza0RlZmluaXRpb25zL2Q", "TaskDefinition"),
    f"{ROOT}/workflowTemplates/t": ("d29ya2Zsb3dUZW1wbGF0ZXMvdA", "WorkflowTemplate"),
    f"{ROOT}/customTaskExtensions/e": ("Y3VzdG9tVGFza0V4dGVuc2lvbnMvZQ", "CustomTaskExtension"),
    f"{ROOT}/deletedItems/workflows/w": ("ZGVsZXRlZEl0ZW1zL3dvcmtmbG93cy93", "Workflow"),
    "users/ea09ac2e-77e3-4134-85f2-25ccf3c33387": (
        "dXNlcnMvZWEwOWFjMmUtNzdlMy00MTM0LTg1ZjItMjVjY2YzYzMzMzg3",
        "User",
    ),
}


@pytest.mark.parametrize("path", PINNED)
def test_node_ids_are_stable(path: str) -> None:
    expected, entity = PINNED[path]
    assert ROUTES.node_id(path) == expected
    address = ROUTES.parse_node_id(expected)
    assert (address.path, address.entity) == (path, entity)


@pytest.mark.parametrize("key", ["plain", "o'brien", "é", "a+b&c=d", "名"])
def test_any_key_survives_the_round_trip(key: str) -> None:
    path = ROUTES.filled("workflows/{id}", {"id": key})
    assert path.rpartition("/")[2].isascii()
    assert ROUTES.parse_node_id(ROUTES.node_id(path)).id == key


@pytest.mark.parametrize(
    "value",
    ["", "x", "d29ya2Zsb3dz", "d29ya2Zsb3dzLw", "!!!!", "é", "A" * 5000]
    + [ROUTES.node_id(f"{ROOT}/{p}") for p in ("workflows/../x", "insights/1", "workflows/a%2Fb")]
    + [ROUTES.node_id("users/a/b"), ROUTES.node_id("groups/1"), ROUTES.node_id("users/%61")],
)
def test_other_values_are_refused(value: str) -> None:
    with pytest.raises(BadUserInput, match="nodeId"):
        ROUTES.parse_node_id(value)
