"""A resource is one file: all that is known of `AuditEvent`, which no service has, stands here."""

import re
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import parse_qs, unquote

import pytest
import strawberry

from gateway.explaining import program_of, told
from gateway.odata.routes import Route
from gateway.plan.model import Strategy
from gateway.schema.declare import connection, edge, one, prop, resource, text_of
from gateway.schema.enums import unknown_future_value, value
from gateway.schema.filters import (
    DateTimeCondition,
    IdCondition,
    StringCondition,
    condition,
    filter_of,
    order_of,
)
from gateway.schema.relay import Node
from gateway.schema.scalars import DateTime
from gateway.settings import Settings
from tests.conftest import Gateway, Start
from tests.upstreams import Answered, Asked, Unusual

if TYPE_CHECKING:
    from gateway.schema.resources.workflow import Workflow


@strawberry.enum(description="How a change ended.")
class AuditResult(Enum):
    """auditResult."""

    SUCCESS = value("success", "It was made.")
    FAILURE = value("failure", "It was refused.")
    UNKNOWN_FUTURE_VALUE = unknown_future_value()


AuditEventFilter = filter_of(
    "AuditEventFilter",
    "audit events",
    id=IdCondition,
    activity=StringCondition,
    activity_date_time=DateTimeCondition,
    result=condition("AuditResultCondition", AuditResult, "eq ne in"),
)
AuditEventOrder = order_of("AuditEventOrder", "audit events", "id activityDateTime")


@resource(
    "A change of a workflow.",
    routes=[Route("auditEvents/*", below="Workflow")],
    permissions=["AuditLog.Read.All"],
    edges={
        "Workflow": {
            "audit_events": connection(
                "AuditEvent",
                filter=AuditEventFilter,
                order=AuditEventOrder,
                description="The changes of the workflow.",
            )
        }
    },
    roots={
        "audit_event": one("workflows/{workflowId}/auditEvents/{id}", description="A change."),
    },
)
class AuditEvent(Node):
    """A change of a workflow."""

    id: strawberry.ID = prop("Identifier of the event.", key=True)
    activity: str | None = prop("What was done.")
    activity_date_time: DateTime | None = prop("When it was done.")
    result: AuditResult | None = prop("How it ended.")
    result_text: str | None = text_of("result")
    initiated_by: str | None = prop("Who did it.", in_list=False)
    workflow: Annotated["Workflow", strawberry.lazy("gateway.schema.resources.workflow")] | None = (
        edge("Workflow", Strategy.REQUEST, container="workflows", description="The workflow.")
    )


ROOT = "identityGovernance/lifecycleWorkflows"
PATH = re.compile(rf"{ROOT}/workflows/([^/?]+)/auditEvents(?:/([^/?]+))?(?:\?(.*))?$")
EVENTS = [
    {
        "id": f"e{number}",
        "activity": "update" if number % 3 else "create",
        "activityDateTime": f"2026-06-{number:02}T08:00:00Z",
        "result": ("success", "failure", "timeout")[number % 3],
        "initiatedBy": f"admin{number}",
    }
    for number in range(1, 8)
]
PAGE = 3


def service(asked: Asked) -> Answered | None:
    """The audit events of every workflow, as a strict service would answer."""
    found = PATH.match(asked.url)
    if found is None:
        return None
    _, key, query = found.groups()
    options = {name: values[0] for name, values in parse_qs(query or "").items()}
    assert options.keys() <= {"$select", "$filter", "$orderby", "$skip", "$count"}, options
    names = options["$select"].split(",") if "$select" in options else list(EVENTS[0])
    rows = list(EVENTS)
    if key is not None:
        rows = [row for row in rows if row["id"] == unquote(key)]
        if not rows:
            return Answered({"error": {"code": "NotFound", "message": "gone"}}, 404)
        return Answered({name: rows[0][name] for name in names})
    if "$filter" in options:
        text = re.fullmatch(r"(activity|result) eq '(\w+)'", options["$filter"])
        assert text is not None, options
        rows = [row for row in rows if row[text[1]] == text[2]]
    if options.get("$orderby") == "activityDateTime desc":
        rows.reverse()
    start = int(options.get("$skip", 0))
    listed = [name for name in names if name != "initiatedBy"]
    body: dict[str, Any] = {
        "value": [{name: row[name] for name in listed} for row in rows[start : start + PAGE]]
    }
    if "$count" in options:
        body["@odata.count"] = len(rows)
    if start + PAGE < len(rows):
        link = asked.url.partition("&$skip")[0]
        body["@odata.nextLink"] = f"/v1.0/{link}&$skip={start + PAGE}"
    return Answered(body)


@pytest.fixture
async def audited(start: Start) -> Gateway:
    """A gateway with one more resource, in front of a service that has it."""
    return await start(
        unusual=Unusual(instead=service), resources=[AuditEvent], workflows=2, users=4
    )


async def test_it_is_selected_below_its_container(audited: Gateway) -> None:
    data = await audited.data(
        "{ workflows { nodes { id auditEvents(first: 10) { totalCount"
        " nodes { id activity activityDateTime } } } } }"
    )
    assert len(data["workflows"]["nodes"]) == 2
    for workflow in data["workflows"]["nodes"]:
        assert workflow["auditEvents"]["totalCount"] == 7
        assert [n["id"] for n in workflow["auditEvents"]["nodes"]] == [e["id"] for e in EVENTS]


async def test_it_is_filtered_sorted_and_paged(audited: Gateway) -> None:
    text = """query ($after: String) { workflows(first: 1) { nodes { auditEvents(
        first: 2, after: $after, filter: { activity: { eq: "update" } },
        orderBy: [{ field: ACTIVITY_DATE_TIME, direction: DESC }]
    ) { nodes { id } pageInfo { hasNextPage endCursor } } } } }"""
    seen: list[str] = []
    after = None
    for _ in range(4):
        data = await audited.data(text, after=after)
        found = data["workflows"]["nodes"][0]["auditEvents"]
        seen += [node["id"] for node in found["nodes"]]
        after = found["pageInfo"]["endCursor"]
        if not found["pageInfo"]["hasNextPage"]:
            break
    assert seen == ["e7", "e5", "e4", "e2", "e1"]


async def test_its_enumeration_is_read_and_filtered(audited: Gateway) -> None:
    text = """{ workflows(first: 1) { nodes {
        auditEvents(first: 2) { nodes { result resultText } }
        refused: auditEvents(filter: { result: { eq: FAILURE } }) { nodes { id } }
    } } }"""
    [workflow] = (await audited.data(text))["workflows"]["nodes"]
    assert workflow["auditEvents"]["nodes"] == [
        {"result": "FAILURE", "resultText": "failure"},
        {"result": "UNKNOWN_FUTURE_VALUE", "resultText": "timeout"},
    ]
    assert [node["id"] for node in workflow["refused"]["nodes"]] == ["e1", "e4", "e7"]


async def test_it_has_a_root_field_and_a_node_id(audited: Gateway) -> None:
    data = await audited.data("{ workflows(first: 1) { nodes { id } } }")
    workflow = data["workflows"]["nodes"][0]["id"]
    data = await audited.data(
        'query ($w: ID!) { auditEvent(workflowId: $w, id: "e2") { nodeId initiatedBy } }',
        w=workflow,
    )
    assert data["auditEvent"]["initiatedBy"] == "admin2"
    again = await audited.data(
        "query ($n: ID!) { node(nodeId: $n) { __typename ... on AuditEvent { id activity } } }",
        n=data["auditEvent"]["nodeId"],
    )
    assert again["node"] == {"__typename": "AuditEvent", "id": "e2", "activity": "update"}


async def test_it_leads_back_to_what_contains_it(audited: Gateway) -> None:
    data = await audited.data("{ workflows { nodes { id auditEvents { nodes { nodeId } } } } }")
    first = data["workflows"]["nodes"][1]
    data = await audited.data(
        "query ($n: ID!) { node(nodeId: $n) { ... on AuditEvent { workflow { id } } } }",
        n=first["auditEvents"]["nodes"][0]["nodeId"],
    )
    assert data["node"]["workflow"]["id"] == first["id"]


async def test_what_lists_leave_out_is_read_from_the_single_one(audited: Gateway) -> None:
    data = await audited.data(
        "{ workflows(first: 1) { nodes { auditEvents(first: 2) { nodes { initiatedBy } } } } }"
    )
    [workflow] = data["workflows"]["nodes"]
    assert [n["initiatedBy"] for n in workflow["auditEvents"]["nodes"]] == ["admin1", "admin2"]


async def test_a_name_of_its_path_is_no_id(audited: Gateway) -> None:
    [error] = await audited.errors('{ auditEvent(workflowId: "auditEvents", id: "e1") { id } }')
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["extensions"]["argument"] == "workflowId"


async def test_a_filter_on_what_it_does_not_have_is_refused(audited: Gateway) -> None:
    response = await audited.post(
        {
            "query": '{ workflows { nodes { auditEvents(filter: {initiatedBy: {eq: "a"}}) '
            "{ nodes { id } } } } }"
        }
    )
    assert "initiatedBy" in response.json()["errors"][0]["message"]


async def test_its_plan_is_shown(audited: Gateway) -> None:
    response = await audited.post(
        {
            "query": "{ workflows(first: 2) { nodes { auditEvents { nodes { activity } } } } }",
            "extensions": {"plan": True},
        }
    )
    plan = response.json()["extensions"]["plan"]
    [step] = [step for step in plan["steps"] if step["edge"].endswith("auditEvents")]
    assert step["requests"][0] == {
        "template": f"GET {ROOT}/workflows/{{id}}/auditEvents?$select=id,activity",
        "when": "one per Workflow",
        "items": 2,
    }


def test_it_is_explained() -> None:
    text = "{ workflows { nodes { auditEvents { nodes { activity } } } } }"
    program = program_of(text, None, "{}", Settings(), beta=False, resources=[AuditEvent])
    text = told(program, Settings(), None)
    assert f"GET {ROOT}/workflows/{{id}}/auditEvents?$select=id,activity" in text
