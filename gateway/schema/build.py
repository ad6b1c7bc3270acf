"""The schema, and the resource model that its types declare."""

from dataclasses import dataclass

import strawberry
from graphql import GraphQLError, GraphQLInputObjectType, GraphQLSchema, print_schema
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from gateway.execution.projection import Projection
from gateway.odata.model import Model
from gateway.schema import (
    activation_scope,
    conditions,
    custom_task_extension,
    quarantine,
    workflow_subject,
)
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


class _Schema(strawberry.Schema):
    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Errors are logged where they are answered, once, with a reference."""


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


def build_schema(*, draft_methods: bool = True, projection: bool = True) -> GatewaySchema:
    """Build the schema; takes a fraction of a second and is done once per process.

    Args:
        draft_methods: whether it has the methods that only the beta draft has.
        projection: whether selections that only read rows are executed by generated functions;
            answers are the same either way.
    """
    query, mutation = (DraftQuery, DraftMutation) if draft_methods else (Query, Mutation)
    drafts = _DRAFTS if draft_methods else ()
    compiled = Projection(SchemaReadings()) if projection else None
    schema = _Schema(
        query=query,
        mutation=mutation,
        types=_MEMBERS,
        execution_context_class=compiled.executor() if compiled else None,
        config=StrawberryConfig(default_resolver=read_field, scalar_map=SCALARS),
    )
    read_tolerantly(schema._schema)
    _print_one_of(schema._schema)
    _in_reading_order(schema._schema)
    model = model_of((query, mutation, *_ENTITIES, *_PAYLOADS, *drafts))
    return GatewaySchema(schema, model, compiled)


def _print_one_of(schema: GraphQLSchema) -> None:
    """Strawberry checks one-of inputs itself and leaves the type unmarked."""
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLInputObjectType):
            definition = type_.extensions.get("strawberry-definition")
            type_.is_one_of = bool(definition is not None and definition.is_one_of)


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
