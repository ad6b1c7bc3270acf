"""Lifecycle policies, which beta alone has: graph-lifecycle-api.md section 5.10."""

from gateway.sandbox.data.identifiers import GuidSeries
from gateway.sandbox.data.model import Row
from gateway.sandbox.data.timestamps import TICKS_PER_DAY, format_ticks
from gateway.sandbox.data.workflows import ANCHOR

_TYPES = "#microsoft.graph.identityGovernance."
_RULES: tuple[tuple[Row, ...], ...] = (
    (
        {
            "@odata.type": f"{_TYPES}sponsorPresenceRule",
            "isEnabled": True,
            "minimumSponsorCount": 1,
        },
        {
            "@odata.type": f"{_TYPES}inactivityRule",
            "isEnabled": True,
            "lastActivityThresholdInDays": 90,
        },
    ),
    (
        {
            "@odata.type": f"{_TYPES}periodicAttestationRule",
            "isEnabled": False,
            "attestationIntervalInDays": 180,
        },
    ),
)


def make_policies(seed: int, author: str) -> list[Row]:
    """Return two policies with their rules."""
    ids, rules = GuidSeries(f"policies/{seed}"), GuidSeries(f"policyRules/{seed}")
    actions: tuple[Row, ...] = (
        {
            "@odata.type": f"{_TYPES}disableThenDeleteEnforcementAction",
            "deletionGracePeriodInDays": 30,
        },
        {"@odata.type": f"{_TYPES}disableOnlyEnforcementAction"},
    )
    scopes: tuple[Row, ...] = (
        {"@odata.type": f"{_TYPES}allExcludingGroupsSubjectSet", "excludedGroups": []},
        {"@odata.type": "#microsoft.graph.ruleBasedSubjectSet", "rule": "(tags eq 'trial')"},
    )
    return [
        {
            "@odata.type": f"{_TYPES}agentIdentityLifecyclePolicy",
            "id": ids.id_at(number),
            "displayName": ("Agents need a sponsor", "Trial agents are attested")[number],
            "description": None,
            "isEnabled": True,
            "scope": scopes[number],
            "enforcementAction": actions[number],
            "gracePeriodInDays": (14, None)[number],
            "policySource": ("systemDefault", "userCreated")[number],
            "versionNumber": number + 1,
            "createdDateTime": format_ticks(ANCHOR - 100 * TICKS_PER_DAY),
            "lastModifiedDateTime": format_ticks(ANCHOR - (50 - number) * TICKS_PER_DAY),
            "author": author,
            "rules": [
                {**rule, "id": rules.id_at(10 * number + place)}
                for place, rule in enumerate(_RULES[number])
            ],
        }
        for number in range(len(_RULES))
    ]
