"""The step that answers across containers: what it asks of them, and of which."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from gateway.odata.filter import comparable, compile_filter, predicate, properties_of
from gateway.odata.query import Options
from gateway.plan.model import Across as Spec
from gateway.plan.model import Filter
from gateway.plan.rows import Row
from gateway.plan.steps import KEY, Allows, Ask, Kind, Step, one_per


def checked_here(spec: Spec, arguments: Mapping[str, Any]) -> list[Filter]:
    """The filters of an edge across containers that the service does not know."""
    given = ((make, arguments.get(name)) for name, make in spec.here)
    return [make(value) for make, value in given if value is not None]


class Across(Step):
    """The rows of all containers, newest first: the containers are listed, then asked for rows."""

    kind = Kind.ACROSS

    @cached_property
    def filter(self) -> dict[str, Any]:
        """The filter on the rows themselves, the times included."""
        given = self.node.arguments
        parts: list[Any] = [given["filter"]] if given.get("filter") else []
        for argument, name, operator in self.spec.period:
            if given.get(argument) is not None:
                parts.append({name: {operator: given[argument]}})
        if self.spec.since is not None and given.get(self.spec.since[0]) is not None:
            argument, names = self.spec.since
            times = [{name: {"ge": given[argument]}} for name in names]
            parts.append({"or": times} if len(times) > 1 else times[0])
        return {"and": parts} if parts else {}

    @property
    def spec(self) -> Spec:
        """Its declaration."""
        across = self.node.navigation.across
        assert across is not None  # noqa: S101 - such edges alone have this step
        return across

    @property
    def by(self) -> str:
        """The property that the rows are sorted by."""
        return self.spec.by

    @property
    def owner(self) -> str | None:
        """The id of the entity whose rows alone are wanted, if one is given."""
        of = self.spec.of
        return self.node.arguments.get(of[0]) if of is not None else None

    def condition(self, place: int) -> Filter:
        """The condition of the containers of one kind that can hold a row; ``{}``: none."""
        evidence = self.spec.sources[place].evidence
        return evidence.condition(self.node.arguments) if evidence is not None else {}

    def containers(self, place: int, allows: Allows) -> Options:
        """The request for the containers of one kind: the outermost, or those below one."""
        source = self.node.sources[place]
        argument = self.spec.sources[place].argument
        given = self.node.arguments.get(argument) if argument is not None else None
        parts = [part for part in (given, self.condition(place)) if part]
        return Options(
            source.select(listed=True, extra=self.facts(place)),
            None if place else source.expansion(listed=True, allows=allows),
            compile_filter({"and": parts} if len(parts) > 1 else parts[0]) if parts else None,
        )

    def facts(self, place: int) -> tuple[str, ...]:
        """The properties that tell which containers of one kind can hold a row."""
        evidence = self.spec.sources[place].evidence
        return evidence.facts if evidence is not None else ()

    def rows(self, allows: Allows, further: str | None = None) -> Options:
        """The request for the rows of a container; ``further`` is a filter beside the others."""
        node = self.node
        named = properties_of(self.filter)
        if node.window is not None and node.window.watermark and self.spec.since is not None:
            named += self.spec.since[1]
        names = [name for name in named if name in node.entity.properties]
        parts = [compile_filter(part) for part in self.filter.get("and", ())]
        return Options(
            node.select(listed=True, extra=(self.by, *names, *self._owners)),
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
        if self.owner is not None:
            options = self.narrowed(options, self.owner)
        request = options.get(f"{path}/{KEY}/{node.navigation.name}")
        when = one_per(node.sources[-1], " that can hold a row of the window")
        return [*found, Ask(request, when)]

    @property
    def _owners(self) -> tuple[str, ...]:
        """The property that names the entity whose rows alone are wanted, if one is given."""
        return self.spec.of[1:] if self.spec.of is not None and self.owner is not None else ()

    @cached_property
    def here(self) -> list[Filter]:
        """The filters that the service does not know, which are checked here."""
        return checked_here(self.spec, self.node.arguments)

    def passes(self) -> Callable[[Row], Any]:
        """Tells whether a row is wanted."""
        return predicate({"and": [self.filter, *self.here]} if self.here else self.filter)

    def narrowed(self, options: Options, owner: str) -> Options:
        """The same options for the rows of one entity."""
        clause = self.of_owner(owner)
        narrowed = f"{clause} and {options.filter}" if options.filter else clause
        return replace(options, filter=narrowed)

    def of_owner(self, id_: str) -> str:
        """``$filter`` for the rows of one entity."""
        name = (self.spec.of or ("", ""))[1]
        return compile_filter({name: {"id": {"eq": comparable(id_)}}}) or ""
