"""What the projection compiles, what it leaves to graphql-core, and that both answer alike."""

import ast
from types import SimpleNamespace
from typing import Any

import pytest
import strawberry
from graphql import parse, validate
from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig

from gateway.answer import projection as module
from gateway.answer.projection import Projecting, Projection
from gateway.errors import GraphError, NotFound
from gateway.odata.partial import Partial
from gateway.plan.nodes import edge_key
from gateway.schema.build import build_schema
from gateway.schema.readings import SchemaReadings
from gateway.schema.rows import read_field
from tests.answer.operations import executed, told, typed, written

OFF = build_schema(projection=False)
WORKFLOW = "workflow(id='w')"


class Answer:
    """One operation's result, which was the same both ways."""

    def __init__(self, result: Any, fields: int) -> None:
        self.data = written(result.data)
        self.errors = [(error.message, error.path) for error in result.errors or ()]
        self.fields = fields


class Both:
    """Executes operations over rows with and without the projection."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.schema = build_schema()
        self.counted = 0
        execute_field = Projecting.execute_field

        def counting(executor: Projecting, *args: Any) -> Any:
            self.counted += 1
            return execute_field(executor, *args)

        monkeypatch.setattr(Projecting, "execute_field", counting)

    async def __call__(self, text: str, row: Any, key: str = WORKFLOW, **variables: Any) -> Answer:
        """The answer, and how many fields graphql-core executed for it, root fields included."""
        document = parse(text)
        assert not validate(self.schema.core, document)
        self.counted = 0
        there = await executed(self.schema.graphql, document, variables, {key: row})
        fields = self.counted
        rows = await executed(self.schema.graphql, document, variables, {key: typed(row)})
        assert self.counted <= 2 * fields
        here = await executed(OFF.graphql, document, variables, {key: row})
        assert told(rows) == told(there) == told(here)
        return Answer(there, fields)


@pytest.fixture
def both(monkeypatch: pytest.MonkeyPatch) -> Both:
    return Both(monkeypatch)


def of(selection: str, declared: str = "") -> str:
    return f'query{declared} {{ workflow(id: "w") {selection} }}'


async def test_a_selection_of_rows_costs_the_root_field_alone(both: Both) -> None:
    result = {"id": "t", "processingStatus": "failed", "task": {"displayName": "Mail"}}
    page = {"hasNextPage": False, "endCursor": None}
    connection = {
        "nodes": [result],
        "edges": [{"cursor": "c", "node": result}],
        "pageInfo": page,
        "totalCount": 1,
    }
    row = {"id": "w", "@odata.id": "users/5", "runs": {"nodes": [{"taskProcessingResults": None}]}}
    row["runs"]["nodes"] += [{"taskProcessingResults": connection}] * 3
    answer = await both(
        of(
            """{ nodeId name: id runs { nodes { taskProcessingResults {
                totalCount nodes { id processingStatus task { displayName } }
                edges { cursor node { id kind: __typename } } pageInfo { hasNextPage endCursor }
            } } } }"""
        ),
        row,
    )
    assert answer.fields == 1
    assert list(answer.data["workflow"]) == ["nodeId", "name", "runs"]
    empty, full, *_ = answer.data["workflow"]["runs"]["nodes"]
    assert empty == {"taskProcessingResults": None}
    assert full["taskProcessingResults"] == {
        "totalCount": 1,
        "nodes": [{"id": "t", "processingStatus": "FAILED", "task": {"displayName": "Mail"}}],
        "edges": [{"cursor": "c", "node": {"id": "t", "kind": "TaskProcessingResult"}}],
        "pageInfo": page,
    }


async def test_fragments_on_interfaces_and_merged_fields(both: Both) -> None:
    row = {"id": "w", "@odata.id": "users/5", "runs": {"nodes": [{"id": "r"}], "totalCount": 1}}
    answer = await both(
        of("{ ...F ... on Node { nodeId } runs { nodes { id } } ...F }")
        + "fragment F on Workflow { id runs { totalCount nodes { again: id } } }",
        row,
    )
    assert answer.fields == 1
    assert list(answer.data["workflow"]) == ["id", "runs", "nodeId"]
    assert answer.data["workflow"]["runs"] == {
        "totalCount": 1,
        "nodes": [{"again": "r", "id": "r"}],
    }


async def test_types_are_told_apart_by_the_row(both: Both) -> None:
    kind = "#microsoft.graph."
    row = {
        "executionConditions": {
            "@odata.type": f"{kind}triggerAndScopeBasedConditions",
            "scope": {"@odata.type": f"{kind}ruleBasedSubjectSet", "rule": "r"},
            "trigger": {"@odata.type": f"{kind}brandNew"},
        }
    }
    text = of(
        """{ executionConditions { odataType ... on TriggerAndScopeBasedConditions {
            scope { __typename ... on RuleBasedSubjectSet { rule } } trigger { __typename }
        } } }"""
    )
    answer = await both(text, row)
    assert answer.fields == 1
    assert answer.data["workflow"]["executionConditions"] == {
        "odataType": f"{kind}triggerAndScopeBasedConditions",
        "scope": {"__typename": "RuleBasedSubjectSet", "rule": "r"},
        "trigger": {"__typename": "UnknownExecutionTrigger"},
    }
    row["executionConditions"]["scope"]["rule"] = NotFound("gone")
    answer = await both(text, row)
    path = ["workflow", "executionConditions", "scope", "rule"]
    assert answer.errors == [("gone", path)]


async def test_an_object_by_its_node_id(both: Both) -> None:
    row = {"__typename": "Run", "id": "r", "@odata.id": "users/5"}
    answer = await both(
        '{ node(nodeId: "x") { nodeId ... on Run { id } } }', row, "node(nodeId='x')"
    )
    assert answer.fields == 1
    assert answer.data["node"]["id"] == "r"


@pytest.mark.parametrize("shown", [True, False])
async def test_directives_follow_the_variables(both: Both, shown: bool) -> None:
    text = of("{ id @include(if: $a) ... @skip(if: $a) { name: displayName } }", "($a: Boolean!)")
    answer = await both(text, {"id": "w", "displayName": "W"}, a=shown)
    assert answer.data["workflow"] == ({"id": "w"} if shown else {"name": "W"})
    assert answer.fields == 1


async def test_arguments_choose_the_rows_but_not_the_function(both: Both) -> None:
    rows = {edge_key("runs", {"first": n}): {"totalCount": n} for n in (1, 2, 3)}
    text = of("{ few: runs(first: $n) { totalCount } runs(first: 3) { totalCount } }", "($n: Int)")
    for n in (1, 2):
        answer = await both(text, rows, n=n)
        assert answer.data["workflow"] == {"few": {"totalCount": n}, "runs": {"totalCount": 3}}
        assert answer.fields == 1
    assert len(both.schema.projection.kept) == 1
    assert "first" not in both.schema.projection.kept[0].source


async def test_what_only_looks_unusual_is_still_projected(both: Both) -> None:
    rows = [
        {"id": 5, "processingStatus": "FAILED", "failedTasksCount": "7", "totalUsersCount": True},
        {"id": "r", "processingStatus": "brandNew", "failedTasksCount": 7.0},
    ]
    text = of("{ runs { nodes { id processingStatus failedTasksCount totalUsersCount } } }")
    answer = await both(text, {"runs": {"nodes": rows}})
    assert answer.fields == 1
    assert answer.data["workflow"]["runs"]["nodes"] == [
        {"id": "5", "processingStatus": "FAILED", "failedTasksCount": 7, "totalUsersCount": 1},
        {
            "id": "r",
            "processingStatus": "UNKNOWN_FUTURE_VALUE",
            "failedTasksCount": 7,
            "totalUsersCount": None,
        },
    ]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"id": None}, "Cannot return null for non-nullable field Run.id."),
        ({"id": []}, "ID cannot represent value: []"),
        ({"id": "b", "failedTasksCount": 2**31}, "Int cannot represent non 32-bit signed integer"),
        ({"id": "b", "failedTasksCount": NotFound("it is gone")}, "it is gone"),
        ({"id": "b", "scheduledDateTime": 5}, "a DateTime is a string"),
        ({"id": "b", "processingStatus": 5}, "can't represent int"),
        ("text", "Expected value of type 'Run'"),
        (None, "Cannot return null for non-nullable field RunConnection.nodes."),
        (NotFound("no row"), "no row"),
    ],
)
async def test_a_bad_row_alone_is_left_to_graphql_core(both: Both, bad: Any, message: str) -> None:
    good = [{"id": f"r{n}"} for n in range(100)]
    selected = "{ id failedTasksCount scheduledDateTime processingStatus }"
    row = {"id": "w", "runs": {"nodes": [*good, bad, *good]}}
    answer = await both(of(f"{{ id runs {{ nodes {selected} }} }}"), row)
    ((told_, path),) = answer.errors
    assert message in told_
    assert path[:4] == ["workflow", "runs", "nodes", 100]
    assert answer.fields <= 5
    id_fails = "ID" in message or "Run" in message or not isinstance(bad, dict)
    assert (answer.data["workflow"]["runs"] is None) == id_fails


async def test_errors_come_in_the_order_of_the_response(both: Both) -> None:
    def run(*names: Any) -> dict[str, Any]:
        nodes = [{"id": "u", "startedDateTime": name} for name in names]
        return {"id": "r", "userProcessingResults": {"nodes": nodes}, "lastModifiedDateTime": 0}

    rows = [run(None, NotFound("one")), {"id": NotFound("two")}, run(3, NotFound("never"))]
    text = of(
        "{ runs { nodes { userProcessingResults { nodes { startedDateTime } } id } } displayName }"
    )
    answer = await both(text, {"displayName": [], "runs": {"nodes": rows}})
    first, second, third = answer.errors
    assert (first[0], second[0]) == ("one", "two")
    assert third[1] == ["workflow", "displayName"]


async def test_lists_of_leaves(both: Both) -> None:
    row = {"category": "joiner, Leaver", "arguments": [{"name": "a"}, {"name": None}]}
    key = "task(id='t',workflowId='w')"
    text = '{ task(workflowId: "w", id: "t") { category arguments { name } } }'
    answer = await both(text, row, key)
    assert answer.data["task"]["category"] == ["JOINER", "LEAVER"]
    assert answer.fields == 1
    answer = await both(text, {**row, "category": ["joiner", None]}, key)
    assert answer.errors[0][1] == ["task", "category", 1]


# --- what is not compiled -----------------------------------------------------------------------


@strawberry.type
class Leaf:
    name: str | None = None


@strawberry.type
class Picky:
    name: str | None = None

    @staticmethod
    def is_type_of(row: Any, _info: Any) -> bool:
        return bool(row["name"] == "good")


@strawberry.type
class Branch:
    picky: Picky | None = None
    leaves: list[Leaf] | None = None

    @strawberry.field
    def shouted(self: Any) -> str:
        return str(self["name"]).upper()

    @strawberry.field
    async def later(self: Any) -> Leaf:
        row: Any = {"name": "later"}
        return row


@strawberry.type
class Root:
    @strawberry.field
    def branches(self) -> list[Branch]:
        leaves = [{"name": "x"}, {"name": None}]
        rows: Any = [
            {"name": "a", "leaves": leaves, "picky": {"name": name}} for name in ("good", "bad")
        ]
        return rows


class Doubling(SchemaExtension):
    def resolve(self, _next: Any, root: Any, info: Any, *args: Any, **kwargs: Any) -> Any:
        value = _next(root, info, *args, **kwargs)
        return value * 2 if isinstance(value, str) else value


def schema_of(projection: Projection, *extensions: Any) -> strawberry.Schema:
    return strawberry.Schema(
        Root,
        extensions=extensions,
        execution_context_class=projection.executor(),
        config=StrawberryConfig(default_resolver=read_field),
    )


async def test_what_only_a_resolver_knows_is_left_to_it_and_the_rest_is_projected() -> None:
    projection = Projection(SchemaReadings())
    result = await schema_of(projection).execute("{ branches { shouted leaves { name } } }")
    branch = {"shouted": "A", "leaves": [{"name": "x"}, {"name": None}]}
    assert written(result.data) == {"branches": [branch, branch]}
    (kept,) = projection.kept
    assert "row.row_name" in kept.source
    assert "shouted" not in kept.source


async def test_a_type_that_chooses_its_values_is_left_to_graphql_core() -> None:
    projection = Projection(SchemaReadings())
    result = await schema_of(projection).execute("{ branches { picky { name } } }")
    assert result.data == {"branches": [{"picky": {"name": "good"}}, {"picky": None}]}
    assert projection.kept == []


async def test_an_awaited_field_is_awaited() -> None:
    text = "{ branches { later { name } leaves { name } } }"
    result = await schema_of(Projection(SchemaReadings())).execute(text)
    branch = {"later": {"name": "later"}, "leaves": [{"name": "x"}, {"name": None}]}
    assert written(result.data) == {"branches": [branch, branch]}


async def test_middleware_sees_every_field() -> None:
    projection = Projection(SchemaReadings())
    result = await schema_of(projection, Doubling).execute("{ branches { leaves { name } } }")
    assert written(result.data)["branches"][0]["leaves"][0] == {"name": "xx"}
    assert projection.kept == []


async def test_introspection_is_left_to_graphql_core(both: Both) -> None:
    result = await both.schema.graphql.execute('{ __type(name: "Run") { fields { name } } }')
    assert result.errors is None
    assert both.schema.projection.kept == []


# --- bounds -------------------------------------------------------------------------------------


async def test_the_functions_that_are_kept_are_bounded(both: Both) -> None:
    projection = both.schema.projection
    projection._max = 20_000
    for n in range(200):
        await both(of(f"{{ alias{n}: id }}"), {"id": "w"})
        kept: Any = projection.kept
        assert sum(one.weight for one in kept) == projection._kept <= 20_000
    assert 2 < len(projection.kept) < 100
    assert "alias199" in projection.kept[-1].objects[-1].__struct_encode_fields__


async def test_an_operation_of_very_many_fields_is_not_compiled(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_FIELDS", 10)
    text = of(f"{{ {' '.join(f'a{n}: id' for n in range(11))} }}")
    answer = await both(text, {"id": "w"})
    assert answer.fields == 12
    assert both.schema.projection.kept == []


async def test_bad_rows_at_every_level_do_not_compile_without_end(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_FIELDS", 30)
    row: dict[str, Any] = {"displayName": []}
    text = "{ displayName }"
    for _ in range(10):
        row = {"displayName": [], "runs": {"nodes": [{"workflow": row}]}}
        text = f"{{ runs {{ nodes {{ workflow {text} }} }} displayName }}"
    answer = await both(of(text), row)
    assert len(answer.errors) == 11
    assert len(both.schema.projection.kept) < 3


async def test_fragments_that_multiply_end_at_the_bound(both: Both) -> None:
    """Thirty levels of two fragments each would be a thousand million fields."""
    levels = "".join(
        f"fragment F{n} on Workflow {{ a: runs {{ nodes {{ workflow {{ ...F{n + 1} }} }} }}"
        f" b: runs {{ nodes {{ workflow {{ ...F{n + 1} }} }} }} }}\n"
        for n in range(30)
    )
    document = parse(of("{ ...F0 }") + levels + "fragment F30 on Workflow { id }")
    row = {WORKFLOW: {"runs": {"nodes": []}}}
    result = await executed_without_planning(both.schema.graphql, document, row)
    assert result.data == {"workflow": {"a": {"nodes": []}, "b": {"nodes": []}}}


async def executed_without_planning(schema: strawberry.Schema, document: Any, row: Any) -> Any:
    from tests.answer import operations

    class Unplanned:
        max_first = 50

        def plan(self, _selection: Any) -> Any:
            return SimpleNamespace(size=0)

    unplanned: Any = Unplanned()
    planner, operations.PLANNER = operations.PLANNER, unplanned
    try:
        return await executed(schema, document, {}, row)
    finally:
        operations.PLANNER = planner


async def test_the_source_holds_nothing_of_the_caller_but_names(both: Both) -> None:
    name = "'); import os #"
    text = of("{ x: runs(after: $n) { totalCount } }", "($n: String)")
    await both(text, {}, n=name)
    (kept,) = both.schema.projection.kept
    assert "import" not in kept.source
    ast.parse(kept.source)


# --- the setting --------------------------------------------------------------------------------


async def test_a_partial_value_is_answered_and_its_error_listed_once_at_its_path(
    both: Both,
) -> None:
    partial = Partial({"nodes": [{"id": "r", "tasks": NotFound("no tasks")}]}, NotFound("page 2"))
    answer = await both(
        of("{ id before: runs { nodes { id } } versions { nodes { versionNumber } } }"),
        {"id": "w", "runs": partial, "versions": NotFound("no versions")},
    )
    assert answer.data["workflow"] == {
        "id": "w",
        "before": {"nodes": [{"id": "r"}]},
        "versions": None,
    }
    assert answer.errors == [
        ("page 2", ["workflow", "before"]),
        ("no versions", ["workflow", "versions"]),
    ]


async def test_a_partial_value_does_not_hide_errors_below_it(both: Both) -> None:
    runs = {"nodes": [{"id": "r", "reprocessedRuns": NotFound("below")}]}
    answer = await both(
        of("{ runs { nodes { id reprocessedRuns { id } } } }"),
        {"id": "w", "runs": Partial(runs, NotFound("page 2"))},
    )
    assert answer.data["workflow"]["runs"]["nodes"] == [{"id": "r", "reprocessedRuns": None}]
    assert answer.errors == [
        ("page 2", ["workflow", "runs"]),
        ("below", ["workflow", "runs", "nodes", 0, "reprocessedRuns"]),
    ]


async def test_an_error_that_is_told_by_a_selected_field_is_not_listed(both: Both) -> None:
    runs = Partial({"nodes": [], "totalCount": None}, NotFound("a part"), told_by="totalCount")
    answer = await both(
        of(
            """{ a: runs { ...F } b: runs { nodes { id } }
              c: runs { nodes { id } ... @include(if: $no) { totalCount } } }""",
            "($no: Boolean = false)",
        )
        + "fragment F on RunConnection { count: totalCount }",
        {"id": "w", "runs": runs},
    )
    assert answer.errors == [("a part", ["workflow", "b"]), ("a part", ["workflow", "c"])]
    assert answer.data["workflow"] == {
        "a": {"count": None},
        "b": {"nodes": []},
        "c": {"nodes": []},
    }


async def test_an_error_in_the_place_of_a_row_is_never_read_as_a_row(both: Both) -> None:
    unread = [{"message": "a row"}, GraphError("an error", status=500)]
    answer = await both(
        of("{ runs { unread { message } } }"), {"id": "w", "runs": {"nodes": [], "unread": unread}}
    )
    assert ("an error", ["workflow", "runs", "unread", 1]) in answer.errors
