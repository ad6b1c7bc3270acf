"""The step that answers across containers: what it asks of them, and of which."""

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import Any

from gateway.odata.filter import comparable, compile_filter, predicate, properties_of
from gateway.odata.query import Options
from gateway.plan.rows import Row
from gateway.plan.steps import KEY, Allows, Ask, Kind, Step, one_per


class Across(Step):
    """The rows of all containers, newest first: the containers are listed, then asked for rows."""

    kind = Kind.ACROSS

    @cached_property
    def filter(self) -> dict[str, Any]:
        """The filter on the rows themselves, the times included."""
        given = self.node.arguments
        parts: list[Any] = [given["filter"]] if given.get("filter") else []
        for argument, operator in (("startedAfter", "ge"), ("startedBefore", "lt")):
            if given.get(argument) is not None:
                parts.append({"startedDateTime": {operator: given[argument]}})
        return {"and": parts} if parts else {}

    @property
    def by(self) -> str:
        """The property that the rows are sorted by."""
        across = self.node.navigation.across
        return across.by if across is not None else ""

    def condition(self, place: int) -> dict[str, Any]:
        """What holds of the containers of one kind that can hold a row; ``{}``: of all."""
        across = self.node.navigation.across
        source = across.sources[place] if across is not None else None
        if source is None or source.condition is None:
            return {}
        return source.condition(self.node.arguments)

    def containers(self, place: int, allows: Allows) -> Options:
        """How the containers of one kind are asked for: the outermost, or those below one."""
        source = self.node.sources[place]
        if place == 0:
            given = self.node.arguments.get("workflowFilter")
            return Options(
                source.select(listed=True),
                source.expansion(listed=True, allows=allows),
                compile_filter(given) if given else None,
            )
        return Options(
            source.select(listed=True, extra=self.facts(place)),
            filter=compile_filter(self.condition(place)),
        )

    def facts(self, place: int) -> tuple[str, ...]:
        """The properties that tell which containers of one kind can hold a row."""
        across = self.node.navigation.across
        return across.sources[place].facts if across is not None else ()

    def rows(self, allows: Allows, further: str | None = None) -> Options:
        """How the rows of a container are asked for; ``further`` is a filter beside the others."""
        node = self.node
        names = [name for name in properties_of(self.filter) if name in node.entity.properties]
        parts = [compile_filter(part) for part in self.filter.get("and", ())]
        return Options(
            node.select(listed=True, extra=(self.by, *names, "subject")),
            expand=node.expansion(listed=True, allows=allows),
            filter=" and ".join(part for part in (*parts, further) if part) or None,
            order=f"{self.by} desc",
        )

    def asks(self, allows: Allows) -> list[Ask]:
        """See `Step.asks`."""
        node = self.node
        path = str(node.address)
        found: list[Ask] = []
        for place, source in enumerate(node.sources):
            path = f"{path}/{KEY}/{source.path}" if place else path
            when = one_per(node.sources[place - 1], " that passes") if place else ""
            found.append(Ask(self.containers(place, allows).get(path), when))
        options = self.rows(allows)
        subject = node.arguments.get("subjectId")
        if subject is not None:
            options = narrowed(options, subject)
        request = options.get(f"{path}/{KEY}/{node.navigation.name}")
        when = one_per(node.sources[-1], " that can hold a row of the window")
        return [*found, Ask(request, when)]

    def passes(self) -> Callable[[Row], Any]:
        """Tells whether a row is wanted."""
        return predicate(self.filter)


def narrowed(options: Options, subject: str) -> Options:
    """The same options for the rows of one subject."""
    clause = of_subject(subject)
    return replace(options, filter=f"{clause} and {options.filter}" if options.filter else clause)


def of_subject(id_: str) -> str:
    """``$filter`` for the rows of one subject."""
    return compile_filter({"subject": {"id": {"eq": comparable(id_)}}}) or ""
