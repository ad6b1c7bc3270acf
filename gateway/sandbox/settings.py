"""Settings of a sandbox: its volume, and its behaviour where the documents leave a choice."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

TaskResultsExpand = Literal["refuse", "ignore", "accept"]
SelectSupport = Literal["accept", "ignore", "refuse"]
SubjectFilter = Literal["accept", "refuse"]
DraftMethods = Literal["accept", "refuse"]

MAX_WORKFLOWS = 100
"""Workflows that can be created in one tenant: graph-lifecycle-api.md section 7, Throttling."""
MAX_TASKS = 25
"""Tasks per workflow: graph-lifecycle-api.md section 7, Throttling (service limits)."""


@dataclass(frozen=True)
class SandboxSettings:
    """The volume and the behaviour of one sandbox.

    `workflows`, `runs` per workflow, `users` per run and `tasks` per workflow make exactly
    workflows x runs x users x tasks task processing results. `task_results_expand`, `select`
    and `subject_filter` choose between the readings that questions.md (6, 1 and 9) leaves open.
    `draft_methods` says whether the methods of the beta draft exist (graph-lifecycle-api.md section
    5.8). `clock` moves what is in progress when `moving` is true; otherwise time stands still.
    `now` is what the clock shows at the start: a DateTimeOffset, `real` for the time that it is, or
    empty for the data's own, an hour after the newest scheduled run on 2026-06-30.
    """

    workflows: int = 5
    runs: int = 4
    users: int = 5
    tasks: int = 3
    page_size: int = 100
    latency_ms: float = 0
    seed: int = 1
    task_results_expand: TaskResultsExpand = "refuse"
    select: SelectSupport = "accept"
    subject_filter: SubjectFilter = "accept"
    draft_methods: DraftMethods = "accept"
    moving: bool = True
    now: str = ""
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        for name in ("workflows", "runs", "users", "tasks", "latency_ms"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative, got {getattr(self, name)}")
        if self.tasks > MAX_TASKS:
            raise ValueError(f"tasks must be at most {MAX_TASKS}, got {self.tasks}")
        if self.page_size < 1:
            raise ValueError(f"page_size must be at least 1, got {self.page_size}")
        choices = {
            "task_results_expand": TaskResultsExpand,
            "select": SelectSupport,
            "subject_filter": SubjectFilter,
            "draft_methods": DraftMethods,
        }
        for name, choice in choices.items():
            if getattr(self, name) not in get_args(choice):
                allowed = ", ".join(get_args(choice))
                raise ValueError(f"{name} must be one of {allowed}; got {getattr(self, name)!r}")
