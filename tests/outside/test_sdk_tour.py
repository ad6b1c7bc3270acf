"""The official SDK for Python tours the sandbox: all that it does must work as on the service."""

from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import jwt
import pytest

pytest.importorskip("msgraph", reason="msgraph-sdk is not installed")

from kiota_abstractions.authentication import AuthenticationProvider
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_abstractions.request_information import RequestInformation
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.identity_governance.lifecycle_workflows.workflows.workflows_request_builder import (  # noqa: E501
    WorkflowsRequestBuilder,
)
from msgraph.generated.models.azure_ad_pop_token_authentication import (
    AzureAdPopTokenAuthentication,
)
from msgraph.generated.models.identity_governance.activate_user_scope import ActivateUserScope
from msgraph.generated.models.identity_governance.attribute_set_entry import AttributeSetEntry
from msgraph.generated.models.identity_governance.cancel_runs_scope import CancelRunsScope
from msgraph.generated.models.identity_governance.custom_task_extension import CustomTaskExtension
from msgraph.generated.models.identity_governance.lifecycle_workflow_category import (
    LifecycleWorkflowCategory,
)
from msgraph.generated.models.identity_governance.lifecycle_workflow_processing_status import (
    LifecycleWorkflowProcessingStatus,
)
from msgraph.generated.models.identity_governance.on_demand_execution_only import (
    OnDemandExecutionOnly,
)
from msgraph.generated.models.identity_governance.provisioning_object_workflow_subject import (
    ProvisioningObjectWorkflowSubject,
)
from msgraph.generated.models.identity_governance.run import Run
from msgraph.generated.models.identity_governance.task import Task
from msgraph.generated.models.identity_governance.workflow import Workflow
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.user import User
from msgraph_core.tasks.page_iterator import PageIterator  # type: ignore[import-untyped]

from gateway.sandbox import SandboxSettings, create_sandbox
from tests.conftest import listening

Query = WorkflowsRequestBuilder.WorkflowsRequestBuilderGetQueryParameters
ITEM = "msgraph.generated.identity_governance.lifecycle_workflows.workflows.item"
DEFINITION = "6fc52c9d-398b-4305-9763-15f42c1676fc"


class Bearer(AuthenticationProvider):
    """Sends one token."""

    def __init__(self, token: str) -> None:
        self.token = token

    async def authenticate_request(
        self, request: RequestInformation, additional_authentication_context: object = None
    ) -> None:
        request.headers.add("Authorization", f"Bearer {self.token}")
        request.headers.add("Prefer", "include-unknown-enum-members")


@pytest.fixture
def address() -> Iterator[str]:
    """Where a sandbox with small pages listens."""
    with listening(create_sandbox(SandboxSettings(moving=False, page_size=2))) as found:
        yield found


def client(address: str, bearer: str = "anything") -> Any:
    """The SDK's entry to the lifecycle workflows."""
    adapter = GraphRequestAdapter(Bearer(bearer))
    adapter.base_url = f"{address}/v1.0"
    return GraphServiceClient(request_adapter=adapter).identity_governance.lifecycle_workflows


async def test_pages_filters_order_and_count(address: str) -> None:
    lifecycle = client(address)
    first = await lifecycle.workflows.get()
    assert first.odata_next_link
    found: list[Any] = []
    iterator = PageIterator(first, lifecycle.request_adapter)

    def keep(row: Any) -> bool:
        found.append(row)
        return True

    await iterator.iterate(keep)
    assert len({row.id for row in found}) == 5
    query = Query(filter="category eq 'leaver'", orderby=["displayName desc"], count=True)
    leavers = await lifecycle.workflows.get(RequestConfiguration(query_parameters=query))
    assert leavers.odata_count == 2
    names = [row.display_name for row in leavers.value]
    assert names == sorted(names, reverse=True)
    assert {row.category for row in leavers.value} == {LifecycleWorkflowCategory.Leaver}
    for text in ("not(category eq 'leaver')", "NOT(category eq 'leaver')"):
        query = Query(filter=text)
        others = await lifecycle.workflows.get(RequestConfiguration(query_parameters=query))
        assert LifecycleWorkflowCategory.Leaver not in {row.category for row in others.value}
    definitions = await lifecycle.task_definitions.get()
    assert definitions.odata_count == 25


async def test_functions_of_a_period(address: str) -> None:
    lifecycle = client(address)
    [workflow, *_] = (await lifecycle.workflows.get()).value
    item = lifecycle.workflows.by_workflow_id(workflow.id)
    start, end = (datetime(year, 1, 1, tzinfo=UTC) for year in (2026, 2027))
    # The SDK leaves out the comma between the two parameters.
    function = "microsoft_graph_identity_governance_summary_with_start_date_time_with_end_date_time"
    summary = await getattr(item.runs, function)(end, start).get()
    assert summary.total_runs == 4
    users = await getattr(item.user_processing_results, function)(end, start).get()
    assert users.total_users == 20


async def test_subject_results_and_waiting(address: str) -> None:
    lifecycle = client(address)
    [workflow, *_] = (await lifecycle.workflows.get()).value
    item = lifecycle.workflows.by_workflow_id(workflow.id)
    entry = AttributeSetEntry(name="department", value="Sales")
    subject = ProvisioningObjectWorkflowSubject(id="hr-1", attribute_set_entries=[entry])
    subject.odata_type = "#microsoft.graph.identityGovernance.provisioningObjectWorkflowSubject"
    body = body_of("activate_and_wait", subject=subject)
    answer = await item.microsoft_graph_identity_governance_activate_and_wait.post(body)
    assert answer.processing_status is not None
    assert answer.subject.id == "hr-1"
    [run, *_] = (await item.runs.get()).value
    below = item.runs.by_run_id(run.id).subject_processing_results
    [result] = (await below.get()).value
    assert isinstance(result.subject, ProvisioningObjectWorkflowSubject)
    assert result.subject.attribute_set_entries[0].name == "department"
    tasks = await below.by_subject_processing_result_id(result.id).task_processing_results.get()
    assert tasks.value[0].workflow_subject.id == "hr-1"


async def test_a_workflow_is_made_changed_deleted_and_restored(address: str) -> None:
    lifecycle = client(address)
    conditions = OnDemandExecutionOnly()
    conditions.odata_type = "#microsoft.graph.identityGovernance.onDemandExecutionOnly"
    task = Task(display_name="Enable", task_definition_id=DEFINITION, arguments=[])
    made = await lifecycle.workflows.post(
        Workflow(
            category=LifecycleWorkflowCategory.Joiner,
            display_name="Welcome",
            execution_conditions=conditions,
            tasks=[task],
        )
    )
    item = lifecycle.workflows.by_workflow_id(made.id)
    await item.patch(Workflow(display_name="Welcome, all"))
    assert (await item.get()).display_name == "Welcome, all"
    users = (await lifecycle.workflows.get()).value
    assert users
    await item.delete()
    with pytest.raises(ODataError) as error:
        await item.get()
    assert error.value.response_status_code == 404
    assert error.value.error.code == "itemNotFound"
    deleted = lifecycle.deleted_items.workflows.by_workflow_id(made.id)
    restored = await deleted.microsoft_graph_identity_governance_restore.post()
    assert restored.id == made.id
    assert (await item.get()).display_name == "Welcome, all"


def body_of(action: str, **members: Any) -> Any:
    """The body of an action of a workflow, in the SDK's words."""
    words = "".join(part.capitalize() for part in action.split("_"))
    folder = f"{ITEM}.microsoft_graph_identity_governance_{action}"
    module = import_module(f"{folder}.{action}_post_request_body")
    return getattr(module, f"{words}PostRequestBody")(**members)


async def test_every_action(address: str) -> None:
    lifecycle = client(address)
    [workflow, *_] = (await lifecycle.workflows.get()).value
    item = lifecycle.workflows.by_workflow_id(workflow.id)
    [result, *_] = (await item.user_processing_results.get()).value
    users = [User(id=result.subject.id)]

    def action(name: str) -> Any:
        return getattr(item, f"microsoft_graph_identity_governance_{name}")

    await action("activate").post(body_of("activate", subjects=users))
    [run, *_] = (await item.runs.get()).value
    scope = CancelRunsScope(runs=[Run(id=run.id)])
    scope.odata_type = "#microsoft.graph.identityGovernance.cancelRunsScope"
    await action("cancel_processing").post(body_of("cancel_processing", scope=scope))
    status = (await item.runs.by_run_id(run.id).get()).processing_status
    assert status is LifecycleWorkflowProcessingStatus.Canceled
    again = ActivateUserScope(users=users)
    again.odata_type = "#microsoft.graph.identityGovernance.activateUserScope"
    await action("activate_with_scope").post(body_of("activate_with_scope", scope=again))
    await action("preview_workflow").post(body_of("preview_workflow", subjects=users))
    kinds = [row.workflow_execution_type.value for row in (await item.runs.get()).value]
    assert kinds == ["preview", "activatedWithScope"]
    assert (await action("preview_task_failures").post()).value is not None
    assert (await action("clear_quarantine").post()).id == workflow.id
    whole = await item.get()
    version = Workflow(
        category=whole.category,
        display_name="Another",
        execution_conditions=whole.execution_conditions,
        tasks=[Task(display_name="Enable", task_definition_id=DEFINITION, arguments=[])],
    )
    await action("create_new_version").post(body_of("create_new_version", workflow=version))
    assert (await item.get()).version == whole.version + 1


async def test_what_a_new_extension_needs(address: str) -> None:
    lifecycle = client(address)
    with pytest.raises(ODataError) as error:
        await lifecycle.custom_task_extensions.post(CustomTaskExtension(display_name="Order"))
    assert "authenticationConfiguration" in str(error.value.error.message)
    made = CustomTaskExtension(display_name="Order")
    made.authentication_configuration = AzureAdPopTokenAuthentication(
        odata_type="#microsoft.graph.azureAdPopTokenAuthentication"
    )
    answer = await lifecycle.custom_task_extensions.post(made)
    one = lifecycle.custom_task_extensions.by_custom_task_extension_id(answer.id)
    await one.patch(CustomTaskExtension(description="A desk"))
    assert (await one.get()).description == "A desk"
    await one.delete()


@pytest.mark.parametrize(
    ("scopes", "allowed"),
    [
        ("LifecycleWorkflows-Workflow.ReadBasic.All", {"workflows"}),
        ("LifecycleWorkflows.Read.All", {"workflows", "runs", "settings"}),
        ("User.Read", set()),
    ],
)
async def test_a_scope_is_enough_or_not(address: str, scopes: str, allowed: set[str]) -> None:
    everything = client(address)
    [workflow, *_] = (await everything.workflows.get()).value
    token = jwt.encode({"scp": scopes}, "", algorithm="none")
    lifecycle = client(address, token)
    reads = {
        "workflows": lifecycle.workflows,
        "runs": lifecycle.workflows.by_workflow_id(workflow.id).runs,
        "settings": lifecycle.settings,
    }
    for name, builder in reads.items():
        if name in allowed:
            assert await builder.get() is not None
            continue
        with pytest.raises(ODataError) as error:
            await builder.get()
        assert error.value.response_status_code == 403
