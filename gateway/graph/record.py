"""The record of a program's run, step by step: `extensions.plan`.

It is kept beside the program and only where somebody asks for it. No id, and no value that a caller
has not given, is in it: requests are told by their templates.
"""

import time
from asyncio import Future
from collections import Counter
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from gateway.odata.query import GraphRequest
from gateway.odata.routes import Routes
from gateway.odata.template import template_of
from gateway.plan.program import Program
from gateway.plan.steps import Allows, Step

_current: ContextVar[Step | None] = ContextVar("step", default=None)


class on:  # noqa: N801 - it reads as a preposition
    """Count what is asked within as asked by ``step``."""

    __slots__ = ("_step", "_token")

    def __init__(self, step: Step | None) -> None:
        self._step = step

    def __enter__(self) -> None:
        self._token = _current.set(self._step)

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)


@dataclass(slots=True)
class Ran:
    """The record of one step.

    Attributes:
        http_requests: HTTP requests that carried something of it.
        items: requests, each item of a `$batch` counted, and each repetition.
        retries: how many of them were repetitions.
        rows: rows that came of it.
        pages: how many of them were for pages behind the first.
        templates: how many of the others each template stands for.
        chosen: for how many rows it was taken, by the reason.
        began, ended: when it first asked, and when it was last answered, in seconds.
    """

    http_requests: int = 0
    items: int = 0
    retries: int = 0
    rows: int = 0
    pages: int = 0
    templates: Counter[str] = field(default_factory=Counter)
    chosen: Counter[str] = field(default_factory=Counter)
    began: float = 0.0
    ended: float = 0.0


class Record:
    """The record of the programs of one operation.

    Args:
        routes: of the service.

    Attributes:
        programs: those that ran: one, or one for each payload of a mutation.
    """

    def __init__(self, routes: Routes) -> None:
        self._routes = routes
        self.programs: list[Program] = []
        self._ran: dict[Step | None, Ran] = {}
        self._asked: dict[GraphRequest, Step | None] = {}
        self._pages: set[GraphRequest] = set()
        self._sent: set[GraphRequest] = set()
        self._http_requests = 0
        self._began = time.perf_counter()

    def _of(self, step: Step | None) -> Ran:
        return self._ran.setdefault(step, Ran())

    def asked(self, request: GraphRequest, reply: Future[Any], *, page: bool = False) -> None:
        """Note a request of the step under way, and when it is answered.

        Args:
            request: what is asked.
            reply: its reply, which is on its way.
            page: whether it is for a page behind another one.
        """
        step = self._asked.setdefault(request, _current.get())
        if page:
            self._pages.add(request)
        ran = self._of(step)
        ran.began = ran.began or time.perf_counter()
        reply.add_done_callback(lambda _: setattr(ran, "ended", time.perf_counter()))

    def sent(self, requests: Iterable[GraphRequest]) -> None:
        """Note an HTTP request that carries ``requests``."""
        self._http_requests += 1
        steps = set()
        for request in requests:
            step = self._asked.get(request)
            steps.add(step)
            ran = self._of(step)
            ran.items += 1
            if request in self._sent:
                ran.retries += 1
                continue
            self._sent.add(request)
            if request in self._pages:
                ran.pages += 1
            else:
                ran.templates[template_of(request, self._routes)] += 1
        for step in steps:
            self._of(step).http_requests += 1

    def came(self, rows: int, step: Step | None = None) -> None:
        """Note rows that came of ``step``, by default the one under way."""
        self._of(step or _current.get()).rows += rows

    def chose(self, step: Step | None, rows: int, why: str) -> None:
        """Note that ``step`` is how some rows are had, and why."""
        if step is not None and rows:
            self._of(step).chosen[why] += rows

    def told(self, allows: Allows) -> dict[str, Any]:
        """The programs as they ran.

        Args:
            allows: the capabilities of the service.
        """
        steps = []
        for number, program in enumerate(self.programs, 1):
            # A mutation has a program for each of its payloads.
            before = f"{number}:" if len(self.programs) > 1 else ""
            steps += [self._step(step, before, allows) for step in program.steps]
        if (changes := self._ran.get(None)) is not None and changes.items:
            steps.append({"id": "change", "strategy": "change", **self._counts(changes, {})})
        ran = self._ran.values()
        return {
            "steps": steps,
            "httpRequests": self._http_requests,
            "items": sum(r.items for r in ran),
            "retries": sum(r.retries for r in ran),
            "milliseconds": _milliseconds(time.perf_counter() - self._began),
        }

    def _step(self, step: Step, before: str, allows: Allows) -> dict[str, Any]:
        ran = self._ran.get(step) or Ran()
        kind, why = step.told(allows)
        told: dict[str, Any] = {
            "id": before + step.id,
            "layer": step.layer,
            "edge": step.edge,
            "strategy": kind,
        }
        if why:
            told["why"] = why
        if ran.chosen:
            told["chosen"] = [{"because": w, "rows": n} for w, n in ran.chosen.items()]
        foretold = {template_of(ask.request, self._routes): ask.when for ask in step.asks(allows)}
        return {**told, **self._counts(ran, foretold)}

    @staticmethod
    def _counts(ran: Ran, foretold: dict[str, str]) -> dict[str, Any]:
        when = {**dict.fromkeys(ran.templates, "not foretold"), **foretold}
        requests = [
            {"template": template, "when": text, "items": ran.templates[template]}
            for template, text in when.items()
        ]
        return {
            "requests": requests,
            "httpRequests": ran.http_requests,
            "items": ran.items,
            "pages": ran.pages,
            "retries": ran.retries,
            "rows": ran.rows,
            "milliseconds": _milliseconds(max(0.0, ran.ended - ran.began)),
        }


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 2)
