"""The summary functions: sums over the runs that were started in a period.

Sources: graph-lifecycle-api.md sections 4 (members) and 5 (rows 32, 39, 43, 47, 53 to 56). What
the documents state for one workflow and one period is answered as stated. A run counts as
successful or failed by its status alone; one that completed with errors is neither, so that the
numbers of runs need not add up (section 4, Notes).
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from gateway.sandbox.data.interfaces import Run, Workflow, Workflows
from gateway.sandbox.data.model import Outcome, Row
from gateway.sandbox.data.periods import Period

_CATEGORIES = ("joiner", "mover", "leaver")


def _within(rows: Iterable[Row], period: Period) -> list[Row]:
    return [row for row in rows if period.holds(row.get("startedDateTime"))]


def _sums(runs: Iterable[Row]) -> Counter[str]:
    sums: Counter[str] = Counter()
    for run in runs:
        total, failed = run.get("totalTasksCount", 0), run.get("failedTasksCount", 0)
        unprocessed = run.get("totalUnprocessedTasksCount", 0)
        sums.update(
            failedRuns=run["processingStatus"] == "failed",
            failedTasks=failed,
            failedUsers=run.get("failedUsersCount", 0),
            successfulRuns=run["processingStatus"] == "completed",
            successfulTasks=total - failed - unprocessed,
            successfulUsers=run.get("successfulUsersCount", 0),
            totalRuns=1,
            totalTasks=total,
            totalUsers=run.get("totalUsersCount", 0),
            unprocessedTasks=unprocessed,
        )
    return sums


def _members(sums: Counter[str], names: str) -> Row:
    return {name: sums[name] for name in names.split()}


_RUN = "failedRuns failedTasks successfulRuns totalRuns totalTasks totalUsers"
_USER = "failedTasks failedUsers successfulUsers totalTasks totalUsers"
_TASK_REPORT = "failedTasks successfulTasks totalTasks unprocessedTasks"
_WORKFLOWS = (
    "failedRuns failedTasks failedUsers successfulRuns successfulTasks successfulUsers "
    "totalRuns totalTasks totalUsers"
)
_TOP_WORKFLOWS = "failedRuns failedUsers successfulRuns successfulUsers totalRuns totalUsers"


def _of_workflow(workflow: Workflow, period: Period, function: str, names: str) -> Row:
    stated: Row | None = workflow.stated(function, period)
    return stated or _members(_sums(_within(workflow.runs(), period)), names)


def run_summary(workflow: Workflow, period: Period) -> Row:
    """Return the runSummary of a workflow."""
    return _of_workflow(workflow, period, "runs/summary", _RUN)


def user_summary(workflow: Workflow, period: Period) -> Row:
    """Return the userSummary of a workflow."""
    return _of_workflow(workflow, period, "userProcessingResults/summary", _USER)


def user_summary_of_run(run: Run, period: Period) -> Row:
    """Return the userSummary of a run, which is zero if it was started at another time."""
    return _members(_sums(_within([run.record()], period)), _USER)


def subject_summary(workflow: Workflow, period: Period) -> Row:
    """Return the subjectSummary of a workflow."""
    return _of_subjects(user_summary(workflow, period))


def subject_summary_of_run(workflow: Workflow, run: Run, period: Period) -> Row:
    """Return the subjectSummary of a run, which is zero if it was started at another time."""
    function = f"runs/{run.record()['id']}/subjectProcessingResults/summary"
    stated: Row | None = workflow.stated(function, period)
    return stated or _of_subjects(user_summary_of_run(run, period))


def _of_subjects(summary: Row) -> Row:
    """Return a userSummary, which counts subjects of all kinds here, as a subjectSummary."""
    return {name.replace("Users", "Subjects"): value for name, value in summary.items()}


def task_report_summary(workflow: Workflow, period: Period) -> Row:
    """Return the taskReportSummary of a workflow."""
    return _of_workflow(workflow, period, "taskReports/summary", _TASK_REPORT)


def workflows_summary(tenant: Workflows, period: Period) -> Row:
    """Return the workflowsInsightsSummary of all listed workflows."""
    runs = (run for workflow in tenant.listed() for run in _within(workflow.runs(), period))
    return _members(_sums(runs), _WORKFLOWS)


def workflows_by_category(tenant: Workflows, period: Period) -> Row:
    """Return the workflowsInsightsByCategory of all listed workflows."""
    stated: Row | None = tenant.stated("workflowsProcessedByCategory", period)
    if stated:
        return stated
    answer: Row = {}
    for category in _CATEGORIES:
        listed = (item for item in tenant.listed() if item.record().get("category") == category)
        sums = _sums(run for item in listed for run in _within(item.runs(), period))
        for kind in ("total", "successful", "failed"):
            answer[f"{kind}{category.capitalize()}Runs"] = sums[f"{kind}Runs"]
    return answer


def top_workflows(tenant: Workflows, period: Period) -> list[Row]:
    """Return the listed workflows that ran, as topWorkflowsInsightsSummary, most runs first."""
    rows: list[Row] = []
    for workflow in tenant.listed():
        sums = _sums(_within(workflow.runs(), period))
        if sums["totalRuns"]:
            row = workflow.record()
            about = {
                "workflowCategory": row.get("category"),
                "workflowDisplayName": row.get("displayName"),
                "workflowId": workflow.id,
                "workflowVersion": row.get("version"),
            }
            rows.append({**about, **_members(sums, _TOP_WORKFLOWS)})
    return sorted(rows, key=lambda row: (-row["totalRuns"], -row["totalUsers"]))


def _statuses(outcomes: Iterable[Outcome]) -> Iterator[str]:
    return (status for outcome in outcomes for status in outcome)


def top_tasks(tenant: Workflows, period: Period) -> list[Row]:
    """Return the task definitions that were executed, most tasks first.

    A user of a run failed if one of the tasks did, and succeeded if all of them did.
    """
    stated: list[Row] | None = tenant.stated("topTasksProcessedSummary", period)
    if stated:
        return stated
    rows: list[Row] = []
    for definition in tenant.task_definitions:
        key = definition["id"]
        outcomes = [
            outcome for item in tenant.listed() for outcome in item.outcomes_of(key, period)
        ]
        statuses = Counter(_statuses(outcomes))
        if statuses:
            rows.append(
                {
                    "taskDefinitionId": key,
                    "taskDefinitionDisplayName": definition["displayName"],
                    "totalTasks": statuses.total(),
                    "successfulTasks": statuses["completed"],
                    "failedTasks": statuses["failed"],
                    "totalUsers": len(outcomes),
                    "successfulUsers": sum(set(item) == {"completed"} for item in outcomes),
                    "failedUsers": sum("failed" in item for item in outcomes),
                }
            )
    return sorted(rows, key=lambda row: -row["totalTasks"])
