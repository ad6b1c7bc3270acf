"""The schema, and the resource model that its types declare."""

from dataclasses import dataclass
from inspect import isawaitable
from typing import Any

import strawberry
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    execute,
    print_schema,
    specified_rules,
    validate,
)
from graphql.validation.rules import overlapping_fields_can_be_merged
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from gateway.answer.bounds import Bounds, bounded
from gateway.answer.projection import Projection
from gateway.plan.model import Model
from gateway.schema import (
    activation_scope,
    conditions,
    custom_task_extension,
    quarantine,
    workflow_subject,
)
from gateway.schema.context import answer_edge, answer_root
from gateway.schema.custom_task_extension import CustomTaskExtension
from gateway.schema.directory_object import DirectoryObject
from gateway.schema.drafts import (
    DraftMutation,
    DraftQuery,
    UserProcessingResultPayload,
    UsersProcessingSummary,
)
from gateway.schema.entity import model_of, read_field
from gateway.schema.enums import read_tolerantly
from gateway.schema.lifecycle_management_settings import LifecycleManagementSettings
from gateway.schema.mutation import (
    CancelProcessingPayload,
    CustomTaskExtensionPayload,
    DeletedPayload,
    Mutation,
    PreviewTaskFailuresPayload,
    SettingsPayload,
    TaskPayload,
    TaskProcessingResultPayload,
    WorkflowPayload,
)
from gateway.schema.query import Query
from gateway.schema.readings import SchemaReadings
from gateway.schema.run import Run
from gateway.schema.scalars import SCALARS
from gateway.schema.subject_processing_result import SubjectProcessingResult
from gateway.schema.summaries import (
    Insights,
    RunSummary,
    TaskReportSummary,
    TopTasksInsightsSummary,
    TopWorkflowsInsightsSummary,
    UserSummary,
    WorkflowsInsightsByCategory,
    WorkflowsInsightsSummary,
)
from gateway.schema.task import Task
from gateway.schema.task_definition import TaskDefinition
from gateway.schema.task_processing_result import TaskProcessingResult
from gateway.schema.task_report import TaskReport
from gateway.schema.user import User
from gateway.schema.user_processing_result import UserProcessingResult
from gateway.schema.workflow import Workflow
from gateway.schema.workflow_template import WorkflowTemplate
from gateway.schema.workflow_version import WorkflowVersion

_ENTITIES = (
    Workflow,
    WorkflowVersion,
    Run,
    UserProcessingResult,
    SubjectProcessingResult,
    TaskProcessingResult,
    Task,
    TaskReport,
    TaskDefinition,
    WorkflowTemplate,
    CustomTaskExtension,
    LifecycleManagementSettings,
    User,
    DirectoryObject,
    Insights,
    RunSummary,
    UserSummary,
    TaskReportSummary,
    TopTasksInsightsSummary,
    TopWorkflowsInsightsSummary,
    WorkflowsInsightsByCategory,
    WorkflowsInsightsSummary,
)
_PAYLOADS = (
    WorkflowPayload,
    TaskPayload,
    TaskProcessingResultPayload,
    CustomTaskExtensionPayload,
    SettingsPayload,
    PreviewTaskFailuresPayload,
    CancelProcessingPayload,
    DeletedPayload,
)
_DRAFTS = (UserProcessingResultPayload, UsersProcessingSummary)
_MEMBERS = (
    conditions.OnDemandExecutionOnly,
    conditions.TriggerAndScopeBasedConditions,
    conditions.UnknownExecutionConditions,
    conditions.RuleBasedSubjectSet,
    conditions.GroupBasedSubjectSet,
    conditions.UnknownSubjectSet,
    conditions.TimeBasedAttributeTrigger,
    conditions.AttributeChangeTrigger,
    conditions.MembershipChangeTrigger,
    conditions.UserInactivityTrigger,
    conditions.UnknownExecutionTrigger,
    quarantine.CountBasedQuarantineCondition,
    quarantine.PercentageBasedQuarantineCondition,
    quarantine.UnknownQuarantineCondition,
    activation_scope.ActivateUserScope,
    activation_scope.ActivateGroupScope,
    activation_scope.ActivateRunScope,
    activation_scope.ActivateProcessingResultScope,
    activation_scope.UnknownActivationScope,
    workflow_subject.DirectoryObjectWorkflowSubject,
    workflow_subject.ProvisioningObjectWorkflowSubject,
    workflow_subject.UnknownWorkflowSubject,
    custom_task_extension.AzureAdPopTokenAuthentication,
    custom_task_extension.AzureAdTokenAuthentication,
    custom_task_extension.UnknownAuthenticationConfiguration,
    custom_task_extension.LogicAppTriggerEndpointConfiguration,
    custom_task_extension.UnknownEndpointConfiguration,
)


# An error about an input prints all of it, so that many errors about a large one take long.
_MAX_ERRORS = 10
_MAX_ERRORS_OF_VARIABLES = 3
# Units of two comparisons of fields with the same name, in one document; see the rule.
overlapping_fields_can_be_merged.MAX_COMPLEXITY_BUDGET = 40_000

_RULES = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)


@dataclass(frozen=True, slots=True)
class GatewaySchema:
    """The executable schema, the resource model behind it, and what was compiled of it."""

    graphql: strawberry.Schema
    model: Model
    projection: Projection | None

    @property
    def sdl(self) -> str:
        """The schema in the definition language, as ``schema.graphql`` holds it."""
        return print_schema(self.graphql._schema) + "\n"

    def validate(
        self, document: DocumentNode, *, introspection: bool = True, suggestions: bool = True
    ) -> list[GraphQLError]:
        """Why a document is not valid; at most 11 errors.

        Args:
            document: as parsed.
            introspection: whether it may select ``__schema`` and ``__type``.
            suggestions: whether errors say what may have been meant.
        """
        rules = _RULES if introspection else (*_RULES, NoSchemaIntrospectionCustomRule)
        return validate(
            self.graphql._schema,
            document,
            rules,
            max_errors=_MAX_ERRORS,
            hide_suggestions=not suggestions,
        )

    async def execute(
        self,
        document: DocumentNode,
        *,
        variables: dict[str, Any] | None = None,
        operation_name: str | None = None,
        context: Any = None,
        suggestions: bool = True,
    ) -> ExecutionResult:
        """The result of an operation of a valid document.

        Args:
            document: as parsed; it is neither parsed nor validated again.
            variables, operation_name: of the request.
            context: what the resolvers share.
            suggestions: whether errors about variables say what may have been meant.
        """
        result = execute(
            self.graphql._schema,
            document,
            context_value=context,
            variable_values=variables,
            operation_name=operation_name,
            executor_class=self.graphql.execution_context_class,
            is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]
            max_coercion_errors=_MAX_ERRORS_OF_VARIABLES,
            hide_suggestions=not suggestions,
        )
        return await result if isawaitable(result) else result


def build_schema(
    *, draft_methods: bool = True, projection: bool = True, bounds: Bounds | None = None
) -> GatewaySchema:
    """Build the schema; takes a fraction of a second and is done once per process.

    Args:
        draft_methods: whether it has the methods that only the beta draft has.
        projection: whether selections that only read rows are executed by generated functions;
            answers are the same either way.
        bounds: what one answer may have.
    """
    query, mutation = (DraftQuery, DraftMutation) if draft_methods else (Query, Mutation)
    drafts = _DRAFTS if draft_methods else ()
    compiled = Projection(SchemaReadings()) if projection else None
    schema = strawberry.Schema(
        query=query,
        mutation=mutation,
        types=_MEMBERS,
        execution_context_class=compiled.executor(bounds) if compiled else bounded(bounds),
        config=StrawberryConfig(default_resolver=read_field, scalar_map=SCALARS),
    )
    read_tolerantly(schema._schema)
    _print_one_of(schema._schema)
    _in_reading_order(schema._schema)
    model = model_of((query, mutation, *_ENTITIES, *_PAYLOADS, *drafts))
    _leave_arguments_to_the_plan(schema._schema, model)
    return GatewaySchema(schema, model, compiled)


def _print_one_of(schema: GraphQLSchema) -> None:
    """Strawberry checks one-of inputs itself and leaves the type unmarked."""
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLInputObjectType):
            definition = type_.extensions.get("strawberry-definition")
            type_.is_one_of = bool(definition is not None and definition.is_one_of)


def _leave_arguments_to_the_plan(schema: GraphQLSchema, model: Model) -> None:
    """Resolve edges without making Strawberry's inputs of their arguments.

    The plan has read them as graphql-core gives them. Strawberry would convert them again for every
    alias and every row, which takes a tenth of a second for a filter of the largest size.
    """
    readings = SchemaReadings()
    for type_ in schema.type_map.values():
        for name, field in type_.fields.items() if isinstance(type_, GraphQLObjectType) else ():
            reading = readings.of_field(field)
            if type_ is schema.query_type and name in model[type_.name].navigations:
                field.resolve = answer_root
            elif reading is not None and reading.edge:
                field.resolve = answer_edge


def _in_reading_order(schema: GraphQLSchema) -> None:
    """Print the entities first, each with its connection, then what they are made of."""
    first = ["Query", "Mutation"]
    first += [name for type_ in _ENTITIES for name in (type_.__name__, *_connected(type_))]
    order = {name: place for place, name in enumerate(first)}
    schema.type_map = dict(
        sorted(schema.type_map.items(), key=lambda item: order.get(item[0], len(order)))
    )


def _connected(type_: type) -> tuple[str, str]:
    return f"{type_.__name__}Connection", f"{type_.__name__}Edge"
