"""A declaration that contradicts another one is an error when the schema is built, by its name."""

from enum import Enum
from typing import Annotated, Any

import pytest
import strawberry
from typer.testing import CliRunner

from gateway.cli import cli, main
from gateway.errors import DeclarationError
from gateway.odata.routes import Route
from gateway.plan.model import Across, Join, Regroup, Source, Strategy
from gateway.schema.build import build_schema
from gateway.schema.declare import connection, edge, many, one, prop, resource, text_of
from gateway.schema.enums import value
from gateway.schema.filters import IdCondition, StringCondition, filter_of, order_of
from gateway.schema.relay import Node
from gateway.schema.resources.run import Run
from gateway.schema.resources.workflow import Workflow
from gateway.settings import Settings

BELOW = [Route("notes/*", below="Workflow")]
ROOTS = {"note": one("workflows/{workflowId}/notes/{id}", description="A note.")}


def refused(*resources: type) -> str:
    """Why a schema with further resources is not built."""
    with pytest.raises(DeclarationError) as error:
        build_schema(resources=resources)
    return str(error.value)


def note(made: Any = None, **how: Any) -> type:
    """A sound resource with one more field, `extra`, leading to workflows."""

    @resource("A note.", **{"routes": BELOW, "roots": ROOTS, **how})
    class Note(Node):
        id: strawberry.ID = prop("Identifier.", key=True)
        text: str | None = prop("What it says.")
        workflow_id: strawberry.ID | None = prop("Identifier of the workflow.")
        if made is not None:
            extra: Workflow | None = made

    return Note


def test_a_sound_resource_is_built() -> None:
    model = build_schema(resources=[note()]).model
    assert "Note" in model
    assert model.routes.of("Note")[0].endswith("workflows/*/notes/*")


def test_an_edge_to_no_type() -> None:
    text = refused(note(edge("Elsewhere", Strategy.INLINE, description="x")))
    assert text == "Note.extra leads to Elsewhere, which is no type"


def test_an_edge_to_another_type_than_its_annotation() -> None:
    text = refused(note(edge("Run", Strategy.INLINE, description="x")))
    assert text == "Note.extra leads to Run, but its type is that of Workflow"


def test_an_edge_to_where_nothing_lives() -> None:
    text = refused(note(edge("Workflow", Strategy.REQUEST, description="x")))
    assert text.startswith("Note.extra leads to identityGovernance/lifecycleWorkflows/workflows/*")
    assert text.endswith("where no Workflow lives: a route is missing")


def test_a_root_field_to_where_nothing_lives() -> None:
    text = refused(note(roots={"note": one("notes/{id}", description="A note.")}))
    assert text.startswith("Query.note leads to identityGovernance/lifecycleWorkflows/notes/*")


def test_a_connection_from_another_type_to_where_nothing_lives() -> None:
    made = connection("Note", description="Notes.")
    text = refused(note(edges={"Run": {"notes": made}}))
    assert text.startswith("Run.notes leads to identityGovernance/")


def test_a_route_below_a_type_without_any() -> None:
    text = refused(note(routes=[Route("notes/*", below="Insights")]))
    assert text == "Note lives below Insights, which has no route"


def test_a_route_below_itself() -> None:
    text = refused(note(routes=[Route("notes/*", below="Note")]))
    assert text == "Note lives below itself"


def test_a_node_without_a_route() -> None:
    text = refused(note(routes=[], roots={"note": one("workflows/{id}", description="A note.")}))
    assert text == "Note has a nodeId, but no route"


def test_a_node_without_a_key() -> None:
    @resource("A note.", routes=BELOW, roots=ROOTS)
    class Note(Node):
        id: strawberry.ID = prop("Identifier.")

    assert refused(Note) == "Note has a nodeId, but no property that is its key"


def test_a_connection_of_rows_without_a_key() -> None:
    @resource("A note.", edges={"Workflow": {"notes": connection("Note", description="Notes.")}})
    class Note:
        text: str | None = prop("What it says.")

    assert refused(Note) == "Workflow.notes pages through Note, which has no key"


def test_a_look_up_of_what_has_none() -> None:
    text = refused(note(edge("Workflow", Strategy.HYDRATE, description="x")))
    assert text == "Note.extra is looked up, but Workflow has no lookup"


@pytest.mark.parametrize(
    ("join", "problem"),
    [
        (None, "is joined, but does not say with what"),
        (Join("workflows", by="missing"), "is joined by missing, which Note does not have"),
    ],
)
def test_a_join_without_what_it_needs(join: Join | None, problem: str) -> None:
    text = refused(note(edge("Workflow", Strategy.JOIN, join=join, description="x")))
    assert text == f"Note.extra {problem}"


def test_a_reference_by_what_is_not_there() -> None:
    made = edge("Workflow", Strategy.REQUEST, reference=("workflows", "missing"), description="x")
    assert refused(note(made)) == "Note.extra refers by missing, which Note does not have"


def test_a_count_that_is_not_there() -> None:
    made = edge("Workflow", Strategy.INLINE, count="missing", description="x")
    assert refused(note(made)) == "Note.extra is counted by missing, which Note does not have"


@pytest.mark.parametrize(
    ("regroup", "problem"),
    [
        (None, "is regrouped, but does not say from what"),
        (Regroup("Elsewhere", "a", "b", "c", "d"), "is regrouped on Elsewhere, which is no type"),
        (
            Regroup("Run", "missing", "b", "c", "d"),
            "is regrouped from Run.missing, which does not lead to Workflow",
        ),
        (
            Regroup("Run", "workflow", "missing", "c", "d"),
            "is regrouped by missing, which Note does not have",
        ),
    ],
)
def test_a_regrouping_without_what_it_needs(regroup: Regroup | None, problem: str) -> None:
    text = refused(note(edge("Workflow", Strategy.REGROUP, regroup=regroup, description="x")))
    assert text == f"Note.extra {problem}"


def test_a_filter_on_a_property_that_is_not_there() -> None:
    by = filter_of("NoteFilter", "notes", id=IdCondition, title=StringCondition)
    made = connection("Note", filter=by, description="Notes.")
    text = refused(note(edges={"Workflow": {"notes": made}}))
    assert text == "Workflow.notes takes a filter on title, which Note does not have"


def test_an_order_by_a_property_that_is_not_there() -> None:
    by = order_of("NoteOrder", "notes", "id title")
    made = connection("Note", order=by, description="Notes.")
    text = refused(note(edges={"Workflow": {"notes": made}}))
    assert text == "Workflow.notes is sorted by title, which Note does not have"


def test_a_list_across_containers_that_do_not_have_it() -> None:
    across = Across("text", (Source("Workflow", "workflows", "workflowId"),))
    roots = {**ROOTS, "notes": many("workflows", across=across, description="All notes.")}
    text = refused(note(roots=roots))
    assert text == "Query.notes goes across Workflow, which has no edge of this name"


def test_a_list_across_containers_sorted_by_what_is_not_there() -> None:
    across = Across("created", (Source("Workflow", "workflows", "workflowId"),))
    roots = {**ROOTS, "notes": many("workflows", across=across, description="All notes.")}
    text = refused(note(roots=roots))
    assert text == "Query.notes is sorted by created, which Note does not have"


def test_a_container_that_is_not_above() -> None:
    @resource("A note.", routes=BELOW, roots=ROOTS)
    class Note(Node):
        id: strawberry.ID = prop("Identifier.", key=True)
        run: Run | None = edge("Run", Strategy.REQUEST, container="runs", description="x")

    assert refused(Note) == (
        "Note.run leads back to the container runs, through which no route of Note goes: it lives "
        "at identityGovernance/lifecycleWorkflows/workflows/*/notes/*, "
        "identityGovernance/lifecycleWorkflows/deletedItems/workflows/*/notes/*"
    )


def test_types_are_told_of_before_the_edges_that_lead_to_them() -> None:
    made = edge("Workflow", Strategy.REQUEST, container="workflows", description="x")
    assert refused(note(made, routes=[])) == "Note has a nodeId, but no route"


def test_an_edge_that_is_had_in_no_way() -> None:
    text = refused(note(edge("Workflow", description="x")))
    assert text == "Note.extra names no strategy by which it can be had"


def test_an_edge_with_what_no_edge_has() -> None:
    text = refused(note(edge("Workflow", Strategy.INLINE, description="x", colour="red")))
    assert text.startswith("Note.extra is declared wrongly: ")
    assert "'colour'" in text


def test_a_text_of_what_is_not_there() -> None:
    @resource("A note.", routes=BELOW, roots=ROOTS)
    class Note(Node):
        id: strawberry.ID = prop("Identifier.", key=True)
        status_text: str | None = text_of("status")

    assert refused(Note) == "Note.statusText reads status, which Note does not have"


def test_an_enumeration_that_the_service_cannot_extend() -> None:
    @strawberry.enum(description="How much it matters.")
    class Weight(Enum):
        LIGHT = value("light", "A little.")

    @resource("A note.", routes=BELOW, roots=ROOTS)
    class Note(Node):
        id: strawberry.ID = prop("Identifier.", key=True)
        weight: Weight | None = prop("How much it matters.")

    assert refused(Note) == (
        "Note.weight is a Weight, which has no UNKNOWN_FUTURE_VALUE for what the service adds"
    )


@pytest.mark.parametrize(
    ("annotation", "told"),
    [
        (Annotated["Workflow", strawberry.lazy("gateway.nowhere")], "ModuleNotFoundError"),
        (Annotated["Settings", strawberry.lazy("gateway.schema.resources.run")], "KeyError"),
        ("Nowhere", "NameError"),
    ],
)
def test_an_annotation_that_leads_to_nothing(annotation: Any, told: str) -> None:
    @resource("A note.", routes=BELOW, roots=ROOTS)
    class Note(Node):
        id: strawberry.ID = prop("Identifier.", key=True)
        work_flow: annotation = edge("Workflow", Strategy.INLINE, description="x")

    text = refused(Note)
    assert text.startswith(f"Note.workFlow has an annotation that leads to nothing: {told}: ")


def test_a_filter_by_names_of_graphql() -> None:
    with pytest.raises(DeclarationError) as error:
        filter_of("NoteFilter", "notes", createdDateTime=StringCondition)
    assert str(error.value) == "NoteFilter has createdDateTime, which is not in snake_case"


def test_a_class_that_is_no_resource() -> None:
    assert refused(Settings) == "Settings is not declared with @resource"


def test_an_edge_on_another_type_that_is_none() -> None:
    text = refused(note(edges={"Workflow": {"notes": prop("Notes.")}}))
    assert text == "Workflow.notes is no edge"


def test_an_edge_on_no_type() -> None:
    made = connection("Note", description="Notes.")
    assert refused(note(edges={"Elsewhere": {"all_notes": made}})) == (
        "Elsewhere.allNotes begins at no type of the schema"
    )


def test_a_placeholder_for_no_key() -> None:
    text = refused(note(roots={"note": one("workflows/{workflowId}/notes", description="x")}))
    assert text.startswith("Query.note leads to identityGovernance/lifecycleWorkflows/workflows/*/")


def test_two_resources_of_one_name() -> None:
    module = "tests.schema.test_declarations"
    assert refused(note(), note()) == f"Note is declared twice: in {module} and in {module}"


def test_an_edge_that_the_other_type_has_itself() -> None:
    made = connection("Note", description="Notes.")
    assert refused(note(edges={"Workflow": {"runs": made}})) == "Workflow.runs is declared twice"


def test_two_root_fields_of_one_name() -> None:
    text = refused(note(roots={"run": one("workflows/{workflowId}/notes/{id}", description="x")}))
    assert text == "Query.run is declared twice"


def test_a_command_tells_it_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def wrong(**_: Any) -> None:
        raise DeclarationError("Note.extra", "leads to Elsewhere, which is no type")

    monkeypatch.setattr("gateway.commands.schema.build_schema", wrong)
    monkeypatch.setattr("sys.argv", ["lifecycle-gateway", "schema"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert capsys.readouterr().err == (
        "The declarations of the schema contradict each other: "
        "Note.extra leads to Elsewhere, which is no type\n"
    )


def test_check_tells_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(**_: Any) -> None:
        raise DeclarationError("Note.extra", "leads to Elsewhere, which is no type")

    assert CliRunner().invoke(cli, ["check"]).exit_code == 0
    monkeypatch.setattr("gateway.checks.build_schema", wrong)
    done = CliRunner().invoke(cli, ["check"])
    assert done.exit_code == 2
    assert "wrong  schema: its declarations contradict each other: Note.extra leads" in done.stderr
