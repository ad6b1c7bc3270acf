"""The query that is asked, in any volume, and the counts of its answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

PAGE = 100
"""Rows of a page of the sandbox."""
TOKEN = "sandbox"  # noqa: S105
QUERY = """{ workflows { nodes { id displayName runs { nodes { id
  userProcessingResults { nodes { id subject { id }
    taskProcessingResults { id processingStatus failureReason task { displayName } }
  } } } } } } }"""
"""Through three connections down to the task results."""

ABSTRACT_QUERY = """{ workflows { nodes { id displayName runs { nodes { id
  activatedOnScope { __typename }
  userProcessingResults { nodes { id subject { id }
    taskProcessingResults { id processingStatus failureReason task { displayName } }
  } } } } } } }"""
"""The same with a field of an abstract type in each run: the example of a selection that can't be
compiled. If it can be, choose another one here."""

NAMES = "{ workflows { nodes { id displayName } } }"
"""One request upstream, and next to nothing to do."""

BIG_RUN = """{ workflows(first: 1) { nodes { id displayName runs(first: 1) { nodes { id
  userProcessingResults(first: 1000) { nodes { id subject { id }
    taskProcessingResults { id processingStatus failureReason task { displayName } }
  } } } } } } }"""
"""A thousand users of one run."""


@dataclass(frozen=True, slots=True)
class Shape:
    """W workflows with R runs each, U users in each run, T tasks for each user."""

    workflows: int = 5
    runs: int = 4
    users: int = 5
    tasks: int = 3

    @property
    def rows(self) -> int:
        """Task results in all."""
        return self.workflows * self.runs * self.users * self.tasks

    @property
    def layers(self) -> int:
        """Layers of requests that depend on each other: workflows, runs, results."""
        return 3

    @property
    def planned_requests(self) -> int:
        """HTTP requests of the plan: one page, batches of runs, batches of two lists per run.

        Task results beyond a page of a run's list take batches of their own. Holds while the other
        lists fit into one page, and a run has at most as many users as make the flat list of its
        task results the cheaper way.
        """
        runs = self.workflows * self.runs
        further = -(-self.users * self.tasks // PAGE) - 1
        return 1 + -(-self.workflows // 20) + -(-2 * runs // 20) + further * -(-runs // 20)

    @property
    def nested_requests(self) -> int:
        """HTTP requests of a script that asks for each list on its own."""
        runs = self.workflows * self.runs
        return 1 + self.workflows + runs + runs * self.users

    def __str__(self) -> str:
        return f"{self.workflows} x {self.runs} x {self.users} x {self.tasks}"


def leaf_fields(data: Any) -> int:
    """The scalar values of an answer."""
    if isinstance(data, dict):
        return sum(map(leaf_fields, data.values()))
    if isinstance(data, list):
        return sum(map(leaf_fields, data))
    return 1


def task_results(data: Any) -> int:
    """The task results in the answer to `QUERY`."""
    return sum(
        len(user["taskProcessingResults"])
        for workflow in data["workflows"]["nodes"]
        for run in workflow["runs"]["nodes"]
        for user in run["userProcessingResults"]["nodes"]
    )


def body_of(query: str, variables: Mapping[str, Any] | None = None) -> bytes:
    """The body of a GraphQL request."""
    return orjson.dumps({"query": query, "variables": variables or {}})
