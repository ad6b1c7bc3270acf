"""The official Microsoft Graph SDK reads the sandbox like the real service."""

import pytest

pytest.importorskip("msgraph", reason="msgraph-sdk is not installed")

from kiota_abstractions.authentication import AuthenticationProvider
from kiota_abstractions.request_information import RequestInformation
from msgraph import GraphRequestAdapter, GraphServiceClient

from gateway.sandbox import SandboxSettings, create_sandbox
from tests.conftest import listening


class AnyToken(AuthenticationProvider):
    async def authenticate_request(
        self, request: RequestInformation, additional_authentication_context: object = None
    ) -> None:
        request.headers.add("Authorization", "Bearer token")


async def test_the_sdk_lists_workflows_runs_and_results() -> None:
    sandbox = create_sandbox(SandboxSettings(moving=False))
    with listening(sandbox) as address:
        adapter = GraphRequestAdapter(AnyToken())
        adapter.base_url = f"{address}/v1.0"
        client = GraphServiceClient(request_adapter=adapter)
        lifecycle = client.identity_governance.lifecycle_workflows

        workflows = (await lifecycle.workflows.get()).value
        assert len(workflows) == 5
        assert all(workflow.display_name and workflow.category for workflow in workflows)
        workflow = lifecycle.workflows.by_workflow_id(workflows[0].id)
        assert len((await workflow.get()).tasks) == 3

        runs = (await workflow.runs.get()).value
        assert len(runs) == 4
        run = workflow.runs.by_run_id(runs[0].id)
        users = (await run.user_processing_results.get()).value
        assert len(users) == 5
        user = run.user_processing_results.by_user_processing_result_id(users[0].id)
        tasks = (await user.task_processing_results.get()).value
        assert len(tasks) == 3
        assert all(task.subject.id == users[0].subject.id for task in tasks)
        assert all(task.task.display_name and task.processing_status for task in tasks)
        assert len((await run.task_processing_results.get()).value) == 15
        assert len((await workflow.user_processing_results.get()).value) == 20
