"""Executes selections that only read rows by generated functions; graphql-core does the rest.

`Projecting` is graphql-core's executor. Where an object or a list of objects is to be completed
and everything selected below can be read from rows, one function (`gateway.answer.compiler`)
makes the response. Whatever in it is unusual comes back as a hole, and graphql-core's own
completion fills the holes, in the order of the response, so that values, errors, their paths and
their order are those of graphql-core.
"""

import asyncio
import itertools
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLList,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    OperationType,
)

from gateway.answer.bounds import Bounded, Bounds
from gateway.answer.compiler import Compiled, Hole, compile_selection
from gateway.answer.readings import Readings
from gateway.answer.selections import Field, Fields, Selection, Selector, TooLarge, unwrapped
from gateway.answer.sizes import count
from gateway.errors import AnswerTooLarge
from gateway.internals import FieldDetailsList, Path
from gateway.plan.rows import ROWS

MAX_SOURCE = 3_000_000
"""The characters of generated source that are kept per process; a function takes ten times that."""
MAX_FIELDS = 2_000
"""The fields of one operation that are read, and those that are compiled."""

_MANY_BYTES = 1_000_000
"""Of the service; what is made of fewer takes no time that somebody else would notice."""
_beside = ThreadPoolExecutor(1, thread_name_prefix="answer")
_NOTHING = object()

_Trail = tuple[Any, str | int, str | None]


class Projection:
    """The compiled functions of one schema, by the structure of the selection.

    Args:
        readings: what the schema tells of itself.
        max_source: how many characters of source are kept; what was not used longest goes first.
    """

    def __init__(self, readings: Readings, *, max_source: int = MAX_SOURCE) -> None:
        self.fields = Fields(readings)
        self._max = max_source
        self._kept = 0
        self._compiled: OrderedDict[Any, Compiled] = OrderedDict()

    @property
    def kept(self) -> list[Compiled]:
        """The kept functions, the least recently used first."""
        return list(self._compiled.values())

    def found(self, selection: Selection, *, listed: bool) -> Compiled | None:
        """The function of a selection, if it is kept."""
        key = (listed, selection.structure)
        found = self._compiled.get(key)
        if found is not None:
            self._compiled.move_to_end(key)
        return found

    def compiled(self, selection: Selection, *, listed: bool) -> Compiled:
        """The function of a selection that has none yet."""
        key = (listed, selection.structure)
        made = self._compiled[key] = compile_selection(
            selection, self.fields.readings, listed=listed
        )
        self._kept += made.weight
        while self._kept > self._max and self._compiled:
            _, dropped = self._compiled.popitem(last=False)
            self._kept -= dropped.weight
        return made

    def executor(self, bounds: Bounds | None = None) -> "type[Projecting]":
        """The class to pass to Strawberry as ``execution_context_class``."""
        return type("Projecting", (Projecting,), {"projection": self, "bounds": bounds or Bounds()})


class _Site:
    """A place in an operation where rows are projected.

    Attributes:
        selection: what is selected there.
        project: the function of the rows.
        holes: those that the last call made.
    """

    __slots__ = ("holes", "project", "selection")

    def __init__(self, selection: Selection, compiled: Compiled) -> None:
        self.selection = selection
        self.holes: list[Hole] = []
        keys = ["", *(field.key for field in selection.places())]
        self.project = compiled.make(keys, partial(_hole, self.holes), self.holes)

    def leading(self) -> "set[Field]":
        """The fields that lead to the holes that there are; these are let go."""
        places = {hole.place for hole in self.holes}
        self.holes.clear()
        return _leading(self.selection, places, itertools.count(1))


def _hole(holes: list[Hole], place: int, source: Any) -> Hole:
    hole = Hole(place, source)
    holes.append(hole)
    return hole


def _leading(selection: Selection, places: set[int], numbers: Iterator[int]) -> set[Field]:
    """The fields of a selection, and those below, that lead to ``places``.

    ``numbers`` are those of its fields, in the order of `Selection.places`.
    """
    found: set[Field] = set()
    for field in selection.composites:
        here = next(numbers) in places
        for target in (field.targets or {}).values():
            below = _leading(target, places, numbers)
            found |= below
            here = here or bool(below)
        if here:
            found.add(field)
    return found


_Key = tuple[GraphQLObjectType, int, bool]
_Entry = tuple[FieldDetailsList, _Site | None]


class Projecting(Bounded):
    """An executor that projects what it can."""

    projection: Projection

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._sites: dict[_Key, _Entry] = {}
        self._refused: Any = _NOTHING
        self._left = MAX_FIELDS
        self._plain = self.middleware_manager is None or not self.middleware_manager.middlewares
        self._selector = Selector(self.schema, self.projection.fields, fields=MAX_FIELDS)

    def complete_object_value(
        self,
        return_type: GraphQLObjectType,
        field_details_list: FieldDetailsList,
        info: Any,
        path: Path,
        result: Any,
        position_context: Any,
    ) -> Any:
        """Complete an object: by projection, or as graphql-core does."""
        if result is self._refused:
            self._refused = _NOTHING
        elif position_context is None:
            key = (return_type, id(field_details_list), False)
            _, site = self._sites.get(key) or self._new_site(key, field_details_list)
            if site is not None:
                generic = partial(
                    super().complete_object_value,
                    return_type,
                    field_details_list,
                    info,
                    path,
                    result,
                    position_context,
                )
                make = partial(self._object, site, result)
                finish = partial(self._finished, site, path, generic)
                return self._projected(path, make, finish)
        return super().complete_object_value(
            return_type, field_details_list, info, path, result, position_context
        )

    def _object(self, site: "_Site", row: Any) -> Any:
        """The response object of a row, holes included; `_NOTHING` where it does not fit."""
        return site.project(row, row) if self._fits(site.selection, [row]) else _NOTHING

    def _finished(self, site: "_Site", path: Path, generic: Callable[[], Any], data: Any) -> Any:
        """A response object without its holes."""
        if data is _NOTHING:
            return generic()
        if not site.holes:
            return data
        leading = site.leading()
        if type(data) is Hole:
            return self.counted(generic)
        self.counted(partial(self._fill, site.selection, data, path, leading))
        return data

    def _projected(self, path: Path, make: Callable[[], Any], finish: Callable[[Any], Any]) -> Any:
        """The result of ``finish`` for what ``make`` makes of rows.

        Where there are many, the value of a root field is made beside the event loop, which goes on
        with other things meanwhile. What is below has a site in common, and so a list of holes.
        """
        usage = getattr(self.context_value, "usage", None)
        if path.prev is not None or usage is None or usage.received < _MANY_BYTES:
            return finish(make())

        async def beside() -> Any:
            return finish(await asyncio.get_running_loop().run_in_executor(_beside, make))

        return beside()

    def complete_list_value(
        self,
        return_type: GraphQLList[Any],
        field_details_list: FieldDetailsList,
        info: Any,
        path: Path,
        result: Any,
        position_context: Any,
    ) -> Any:
        """Complete a list: by projection if it is one of objects, or as graphql-core does."""
        named = unwrapped(return_type).named
        if (
            isinstance(named, GraphQLObjectType)
            and type(result) is list
            and position_context is None
        ):
            key = (named, id(field_details_list), True)
            _, site = self._sites.get(key) or self._new_site(key, field_details_list)
            if site is not None:
                details = field_details_list
                filling = partial(self._fill_list, site.selection, trail=path, info=info)
                finish = partial(self._finished_list, site, filling, return_type.of_type, details)
                return self._projected(path, partial(self._list, site, result), finish)
        return super().complete_list_value(
            return_type, field_details_list, info, path, result, position_context
        )

    def _list(self, site: "_Site", rows: list[Any]) -> Any:
        """The response objects of rows, holes included."""
        self._fits(site.selection, rows, whole=True)
        return site.project(rows)

    def _finished_list(
        self,
        site: "_Site",
        fill: Callable[..., None],
        item_type: GraphQLOutputType,
        details: FieldDetailsList,
        data: Any,
    ) -> Any:
        """Response objects without their holes."""
        if site.holes:
            given = {"items": data, "item_type": item_type, "details": details}
            self.counted(partial(fill, **given, leading=site.leading()))
        return data

    def _new_site(self, key: _Key, details: FieldDetailsList) -> _Entry:
        type_, _, listed = key
        try:
            selection = self._selector.select(self, type_, details) if self._plain else None
        except (GraphQLError, TooLarge):
            selection = None
        compiled = None
        if selection is not None:
            compiled = self.projection.found(selection, listed=listed)
            if compiled is None and selection.size <= self._left:
                self._left -= selection.size
                compiled = self.projection.compiled(selection, listed=listed)
        site = _Site(selection, compiled) if selection and compiled else None
        # The list is kept with it, so that the id in the key stays its own.
        entry = self._sites[key] = details, site
        return entry

    def _fits(self, selection: Selection, rows: list[Any], *, whole: bool = False) -> bool:
        """Count what is to be made of rows, unless that was done already.

        Args:
            selection: what is selected of each row.
            rows: objects, as they are stitched.
            whole: whether it is all or nothing. What a mutation has done is otherwise told field by
                field, as far as it fits.

        Returns:
            Whether it fits.

        Raises:
            AnswerTooLarge: it does not.
        """
        if self._counted:
            return True
        before = self.ledger.objects, self.ledger.bytes
        try:
            count(self.ledger, self.projection.fields.readings, selection, rows)
        except AnswerTooLarge:
            if whole or self.operation.operation is OperationType.QUERY:
                raise
            self.ledger.objects, self.ledger.bytes = before
            return False
        return True

    # --- holes -----------------------------------------------------------------------------

    def _fill(self, selection: Selection, data: Any, trail: _Trail, leading: set[Field]) -> None:
        """Fill the holes of an object, which are below the fields that are ``leading`` there.

        Raises:
            GraphQLError: the object becomes null.
        """
        parent = selection.type
        for field in selection.composites:
            value = getattr(data, field.at)
            if value is None or field not in leading:
                continue
            at = (trail, field.name, parent.name)
            if type(value) is Hole:
                error = None if field.type.non_null else _stitched_error(field, value.source)
                skipped = error is not None and self.skips(error, field.details)
                filled = (
                    None
                    if skipped
                    else self.execute_field(parent, value.source, field.details, _path(at), None)
                )
                setattr(data, field.at, filled)
                continue
            try:
                if field.type.listed:
                    self._fill_items(field, parent, value, at, leading)
                elif field.target is not None:
                    self._fill(field.target, value, at, leading)
            except Exception as error:
                self.handle_field_error(error, field.definition.type, field.details, _path(at))
                setattr(data, field.at, None)

    def _fill_items(
        self,
        field: Field,
        parent: GraphQLObjectType,
        items: list[Any],
        trail: _Trail,
        leading: set[Field],
    ) -> None:
        """Fill the holes of a list of objects that is the value of a field."""
        if field.target is not None or any(type(item) is Hole for item in items):
            nodes = [details.node for details in field.details]
            info = self.build_resolve_info(field.definition, nodes, parent, _path(trail))
            item_type, details = field.type.item, field.details
            self._fill_list(field.target, items, item_type, trail, info, details, leading)

    def _fill_list(
        self,
        selection: Selection | None,
        items: list[Any],
        item_type: GraphQLOutputType,
        trail: _Trail,
        info: GraphQLResolveInfo[Any],
        details: FieldDetailsList,
        leading: set[Field],
    ) -> None:
        """Fill the holes of a list of objects; without a ``selection``, they are of many types."""
        goes_on = selection is not None and not leading.isdisjoint(selection.composites)
        for index, item in enumerate(items):
            at = (trail, index, None)
            if type(item) is Hole:
                completed: list[Any] = []
                self._refused = item.source if selection is not None else _NOTHING
                self.complete_list_item_value(
                    item.source, completed, item_type, details, info, _path(at), None
                )
                self._refused = _NOTHING
                items[index] = completed[0]
            elif goes_on and selection is not None:
                try:
                    self._fill(selection, item, at, leading)
                except Exception as error:
                    self.handle_field_error(error, item_type, details, _path(at))
                    items[index] = None


def _stitched_error(field: Field, source: Any) -> Exception | None:
    """The error that is stitched in the place of a field's value."""
    if field.reading is None or not isinstance(source, ROWS):
        return None
    value = source.get(field.key if field.reading.edge else field.reading.key)
    return value if isinstance(value, Exception) else None


def _path(trail: _Trail) -> Path:
    """The path that a trail stands for: it is cheaper to go along, and seldom needed."""
    return trail if isinstance(trail, Path) else Path(_path(trail[0]), trail[1], trail[2])
