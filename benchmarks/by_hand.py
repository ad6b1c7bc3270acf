"""The answer to `shapes.QUERY`, written by hand: the floor that everything is compared with.

A list comprehension for each level, no checks, no errors, no other query. The task results of a
run come as one flat list, as in the gateway's plan, and are dealt out to the users.
"""

from typing import Any
from urllib.parse import unquote

import orjson

from benchmarks.tape import Exchange

Row = dict[str, Any]

STATUS = {
    "queued": "QUEUED",
    "inProgress": "IN_PROGRESS",
    "completed": "COMPLETED",
    "completedWithErrors": "COMPLETED_WITH_ERRORS",
    "canceled": "CANCELED",
    "failed": "FAILED",
}


def results_of(rows: list[Row]) -> list[Row]:
    """The task results of one user."""
    return [
        {
            "id": row["id"],
            "processingStatus": STATUS[row["processingStatus"]],
            "failureReason": row["failureReason"],
            "task": {"displayName": row["task"]["displayName"]},
        }
        for row in rows
    ]


def expanded(users: list[Row]) -> list[Row]:
    """The user results of a run, whose task results came inside them and are all there."""
    found = []
    for user in users:
        results = user["taskProcessingResults"]
        assert len(results) == user["totalTasksCount"], "an expansion was cut short"
        subject = {"id": user["subject"]["id"]}
        told = {"id": user["id"], "subject": subject, "taskProcessingResults": results_of(results)}
        found.append(told)
    return found


def users_of(users: list[Row], results: list[Row]) -> list[Row]:
    """The user results of a run, each with its share of the run's task results."""
    shares: dict[str, list[Row]] = {}
    for result in results:
        shares.setdefault(result["subject"]["id"], []).append(result)
    return [
        {
            "id": user["id"],
            "subject": {"id": user["subject"]["id"]},
            "taskProcessingResults": results_of(shares.get(user["subject"]["id"], [])),
        }
        for user in users
    ]


def assemble(
    workflows: list[Row],
    runs: dict[str, list[Row]],
    users: dict[str, list[Row]],
    results: dict[str, list[Row]],
) -> Row:
    """The data of the answer, from the lists of the service by the ids of their parents."""
    return {
        "workflows": {
            "nodes": [
                {
                    "id": workflow["id"],
                    "displayName": workflow["displayName"],
                    "runs": {
                        "nodes": [
                            {
                                "id": run["id"],
                                "userProcessingResults": {
                                    "nodes": users_of(users[run["id"]], results[run["id"]])
                                },
                            }
                            for run in runs[workflow["id"]]
                        ]
                    },
                }
                for workflow in workflows
            ]
        }
    }


class Floor:
    """The floor of the execution: from the recorded bytes of the upstream to those of the answer.

    What each reply answers is read from the requests beforehand, because a script knows what it
    has asked.
    """

    def __init__(self, exchanges: list[Exchange]) -> None:
        self._replies = [(_asked(exchange), exchange.received) for exchange in exchanges]
        self._parsed = self.load()

    def load(self) -> list[Any]:
        """Parse the replies."""
        return [orjson.loads(received) for _, received in self._replies]

    def assemble(self, parsed: list[Any]) -> Row:
        """The data of the answer."""
        workflows: list[Row] = []
        lists: dict[str, dict[str, list[Row]]] = {
            "runs": {},
            "userProcessingResults": {},
            "taskProcessingResults": {},
        }
        for (asked, _), reply in zip(self._replies, parsed, strict=True):
            if asked is None:
                workflows = reply["value"]
                continue
            for item in reply["responses"]:
                name, parent = asked[int(item["id"])]
                lists[name][parent] = item["body"]["value"]
        return assemble(workflows, *lists.values())

    async def whole(self) -> bytes:
        """Parse, assemble, write."""
        return orjson.dumps({"data": self.assemble(self.load())})

    async def loads(self) -> object:
        """Parse alone."""
        return self.load()

    async def projection(self) -> bytes:
        """Assemble and write what was parsed before."""
        return orjson.dumps({"data": self.assemble(self._parsed)})


def _asked(exchange: Exchange) -> list[tuple[str, str]] | None:
    """The list and its parent that each item of a batch asked for; `None` for the workflows."""
    if not exchange.url.endswith("$batch"):
        return None
    items = orjson.loads(exchange.sent)["requests"]
    asked = []
    for item in sorted(items, key=lambda item: int(item["id"])):
        *_, parent, name = unquote(item["url"]).partition("?")[0].split("/")
        asked.append((name, parent))
    return asked
