"""Lifecycle policies: on a beta root they are read, elsewhere nothing is asked."""

import json
from pathlib import Path

import pytest

from tests.conftest import Start
from tests.upstreams import Answered, Unusual

QUERY = """{ lifecyclePolicies { nodes { nodeId id odataType displayName isEnabled
    policySource versionNumber gracePeriodInDays createdBy { id odataType }
    scope { odataType ... on AllExcludingGroupsSubjectSet { excludedGroups { id } }
        ... on RuleBasedSubjectSet { rule } }
    enforcementAction { odataType
        ... on DisableThenDeleteEnforcementAction { deletionGracePeriodInDays } }
    rules { odataType isEnabled minimumSponsorCount lastActivityThresholdInDays
        attestationIntervalInDays } } }
  lifecyclePolicyPriorityConfigurations { nodes { id subjectType orderedPolicyIds } } }"""
EXAMPLE = json.loads(
    Path("tests/data/lifecyclepolicypriorityconfigurations-list-beta.json").read_text("utf-8")
)


async def test_they_are_read_in_front_of_beta(start: Start) -> None:
    gateway = await start(version="beta")
    data, sent = await gateway.counted(QUERY)
    first, second = data["lifecyclePolicies"]["nodes"]
    assert first["odataType"].endswith("agentIdentityLifecyclePolicy")
    assert first["enforcementAction"]["deletionGracePeriodInDays"] == 30
    assert first["scope"]["excludedGroups"] == []
    assert second["scope"]["rule"] == "(tags eq 'trial')"
    assert (first["policySource"], second["policySource"]) == ("SYSTEM_DEFAULT", "USER_CREATED")
    assert [rule["minimumSponsorCount"] for rule in first["rules"]] == [1, None]
    assert second["rules"][0]["attestationIntervalInDays"] == 180
    assert first["createdBy"]["odataType"].endswith("user")
    [order] = data["lifecyclePolicyPriorityConfigurations"]["nodes"]
    assert order == {
        "id": "agentIdentity",
        "subjectType": ["AGENT_IDENTITY"],
        "orderedPolicyIds": [first["id"], second["id"]],
    }
    assert len(sent.items) == 2 + 2 * 2
    assert not [item for item in sent.items if "$select" in item]
    for policy in (first, second):
        again = await gateway.data(
            "query ($n: ID!) { node(nodeId: $n) { ... on LifecyclePolicy { displayName } } }",
            n=policy["nodeId"],
        )
        one = await gateway.data(
            "query ($i: ID!) { lifecyclePolicy(id: $i) { displayName } }", i=policy["id"]
        )
        assert again["node"] == one["lifecyclePolicy"] == {"displayName": policy["displayName"]}


async def test_in_front_of_v1_nothing_is_asked(start: Start) -> None:
    gateway = await start()
    await gateway.forget()
    response = await gateway.query(QUERY)
    assert response["data"] == {
        "lifecyclePolicies": None,
        "lifecyclePolicyPriorityConfigurations": None,
    }
    assert {error["extensions"]["code"] for error in response["errors"]} == {"NOT_SUPPORTED"}
    assert (await gateway.sent()).items == []


async def test_the_documented_order_is_read(start: Start) -> None:
    body = EXAMPLE["response"]["body"]
    gateway = await start(version="beta", unusual=Unusual(instead=lambda _: Answered(body)))
    data = await gateway.data(
        "{ lifecyclePolicyPriorityConfigurations { nodes { id subjectType orderedPolicyIds } } }"
    )
    [row] = body["value"]
    assert data["lifecyclePolicyPriorityConfigurations"]["nodes"] == [
        {
            "id": row["id"],
            "subjectType": ["AGENT_IDENTITY"],
            "orderedPolicyIds": row["orderedPolicyIds"],
        }
    ]


@pytest.mark.parametrize("type_", ["futureEnforcementAction", ""])
async def test_an_action_that_nobody_knows(start: Start, type_: str) -> None:
    row = {"id": "p", "enforcementAction": {"@odata.type": type_}}
    answer = Answered({"value": [row]})
    gateway = await start(version="beta", unusual=Unusual(instead=lambda _: answer))
    data = await gateway.data(
        "{ lifecyclePolicies { nodes { enforcementAction { __typename odataType } } } }"
    )
    [found] = data["lifecyclePolicies"]["nodes"]
    assert found["enforcementAction"] == {
        "__typename": "UnknownEnforcementAction",
        "odataType": type_,
    }
