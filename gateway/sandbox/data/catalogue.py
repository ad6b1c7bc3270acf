"""Rows that belong to no workflow: templates, custom task extensions and the tenant's settings.

Members as in graph-lifecycle-api.md section 3, Other entities, and in the CSDL.
"""

from collections.abc import Iterable, Sequence

from gateway.sandbox.data.identifiers import GuidSeries
from gateway.sandbox.data.model import Row
from gateway.sandbox.data.timestamps import TICKS_PER_DAY, format_ticks
from gateway.sandbox.data.workflows import ANCHOR, PROFILES, make_conditions, make_tasks

MAX_EXTENSIONS = 100
"""Custom task extensions per tenant: section 7, Throttling (service limits)."""
_FEWEST_EXTENSIONS = 2
_TEMPLATE_TASKS = 3
ARGUMENT = "customTaskExtensionID"
"""The argument of a task that names the custom task extension to run."""
_PURPOSES = ("Order a laptop", "Assign a parking space", "Close expense reports", "Notify payroll")

SETTINGS_ROW: Row = {
    "id": "",
    "workflowScheduleIntervalInHours": 3,
    "quarantineConfiguration": None,
    "emailSettings": {"senderDomain": "contoso.com", "useCompanyBranding": False},
}


def make_templates(seed: int, definitions: Sequence[Row]) -> list[Row]:
    """Return one template per profile of generated workflows."""
    ids = GuidSeries(f"templates/{seed}")
    profiles = [(category, *item) for category, items in PROFILES.items() for item in items]
    return [
        {
            "category": category,
            "description": description,
            "displayName": name,
            "id": ids.id_at(number),
            "executionConditions": make_conditions(category, name, "Marketing", number),
            "tasks": make_tasks(seed, -1 - number, category, _TEMPLATE_TASKS, definitions),
        }
        for number, (category, name, description) in enumerate(profiles)
    ]


def make_extensions(seed: int, tasks: Iterable[Row], user_ids: Sequence[str]) -> list[Row]:
    """Return the custom task extensions that `tasks` name in their arguments, and some others."""
    arguments = (item for task in tasks for item in task["arguments"])
    keys = list(dict.fromkeys(item["value"] for item in arguments if item["name"] == ARGUMENT))
    others = GuidSeries(f"extensions/{seed}")
    keys += map(others.id_at, range(max(_FEWEST_EXTENSIONS - len(keys), 0)))
    return [_extension(seed, n, key, user_ids) for n, key in enumerate(keys[:MAX_EXTENSIONS])]


def _extension(seed: int, number: int, key: str, user_ids: Sequence[str]) -> Row:
    purpose = _PURPOSES[number % len(_PURPOSES)]
    subscription = GuidSeries(f"subscriptions/{seed}").id_at(0)
    name = f"logicapp{number + 1}"
    created = ANCHOR - (300 - number) * TICKS_PER_DAY
    author = {"id": user_ids[number % len(user_ids)]}
    return {
        "id": key,
        "displayName": f"{purpose} {number + 1}",
        "description": f"{purpose} through a logic app",
        "createdDateTime": format_ticks(created),
        "lastModifiedDateTime": format_ticks(created + TICKS_PER_DAY),
        "endpointConfiguration": {
            "@odata.type": "#microsoft.graph.logicAppTriggerEndpointConfiguration",
            "subscriptionId": subscription,
            "resourceGroupName": "lifecycle",
            "logicAppWorkflowName": name,
            "url": f"https://{name}.example.com/triggers/manual/paths/invoke",
        },
        "authenticationConfiguration": {
            "@odata.type": "#microsoft.graph.azureAdTokenAuthentication",
            "resourceId": GuidSeries(f"applications/{seed}").id_at(number),
        },
        "clientConfiguration": {"timeoutInMilliseconds": 1000, "maximumRetries": 1},
        "callbackConfiguration": {
            "@odata.type": "#microsoft.graph.identityGovernance."
            "customTaskExtensionCallbackConfiguration",
            "timeoutDuration": "PT1H",
        }
        if number % 2 == 0
        else None,
        "createdBy": author,
        "lastModifiedBy": author,
    }
