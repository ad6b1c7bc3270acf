"""Times of the stages of an operation, as Server-Timing tells them."""

import time
from dataclasses import dataclass, fields


@dataclass(slots=True)
class Stages:
    """Seconds of one operation, by stage.

    Attributes:
        parse: the document is read and validated, or found.
        plan: the plan is made, or found.
        upstream: at least one request waits for the service, or for its turn.
        rows: everything else between the plan and the last row.
        write: the response is made of the rows.
    """

    parse: float = 0.0
    plan: float = 0.0
    upstream: float = 0.0
    rows: float = 0.0
    write: float = 0.0
    _waiting: int = 0
    _since: float = 0.0

    @property
    def told(self) -> float:
        """Seconds of all stages."""
        return self.parse + self.plan + self.upstream + self.rows + self.write

    def of(self, stage: str) -> "_Stage":
        """Count the time of the block to ``stage``, less what the stages within it have counted."""
        return _Stage(self, stage)

    def asking(self) -> "_Asking":
        """Count the time of the block to `upstream`; blocks at one time count once."""
        return _Asking(self)

    def asked(self) -> None:
        """A request, or several, wait for the service from now on."""
        if self._waiting == 0:
            self._since = time.perf_counter()
        self._waiting += 1

    def answered(self) -> None:
        """They wait no more."""
        self._waiting -= 1
        if self._waiting == 0:
            self.upstream += time.perf_counter() - self._since

    def header(self) -> str:
        """The value of a ``Server-Timing`` header (W3C Server Timing, section 3): milliseconds."""
        names = [field.name for field in fields(self) if not field.name.startswith("_")]
        return ", ".join(f"{name};dur={getattr(self, name) * 1000:.2f}" for name in names)


class _Asking:
    """A block that waits for the service."""

    __slots__ = ("_stages",)

    def __init__(self, stages: Stages) -> None:
        self._stages = stages

    def __enter__(self) -> None:
        self._stages.asked()

    def __exit__(self, *_: object) -> None:
        self._stages.answered()


class _Stage:
    """A block whose time counts to one stage."""

    __slots__ = ("_before", "_began", "_name", "_stages")

    def __init__(self, stages: Stages, name: str) -> None:
        self._stages = stages
        self._name = name

    def __enter__(self) -> None:
        self._began, self._before = time.perf_counter(), self._stages.told

    def __exit__(self, *_: object) -> None:
        stages, name = self._stages, self._name
        spent = time.perf_counter() - self._began - (stages.told - self._before)
        setattr(stages, name, getattr(stages, name) + spent)
