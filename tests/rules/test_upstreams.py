"""The stand-in for an unusual service does what the tests of rules rely on."""

from tests.conftest import Start
from tests.upstreams import Answered, Asked, Unusual, graph_error


async def test_it_answers_changes_and_knows_what_was_sent(start: Start) -> None:
    def instead(asked: Asked) -> Answered | None:
        if asked.item and "/runs" in asked.url and not seen:
            seen.append(asked.url)
            return graph_error(403, "Forbidden", "not this one")
        return None

    def change(asked: Asked, answer: Answered) -> None:
        if not asked.item:
            answer.body["value"][0]["displayName"] = "Changed"

    seen: list[str] = []
    unusual = Unusual(instead=instead, change=change)
    gateway = await start(unusual=unusual)
    answer = await gateway.query("{ workflows { nodes { displayName runs { nodes { id } } } } }")
    assert answer["data"]["workflows"]["nodes"][0]["displayName"] == "Changed"
    [error] = answer["errors"]
    assert error["message"].startswith("not this one (")
    assert len(unusual.http_asked) == 2
    assert len(unusual.asked) == 1 + 5
    assert unusual.asked[0].url.startswith("identityGovernance/lifecycleWorkflows/workflows?$sel")
