"""The row types of a plan: which members the rows of an edge can have."""

from collections.abc import Iterable
from typing import Any, cast

import msgspec
from msgspec import Struct, defstruct, field

from gateway.plan.model import EntityType, Shape, Strategy
from gateway.plan.nodes import PlanNode
from gateway.plan.rows import STUB, Members, TypedRow, row_type

ADDRESS = "@odata.id"
PARENT = "@parent"
_TYPE = "@odata.type"


class PageOf(Struct, gc=False):
    """A page of a collection, as it is decoded.

    Attributes:
        value: the rows.
        next: the link of the next page.
        count: ``@odata.count``.
    """

    value: list[Any]
    next: Any = field(name="@odata.nextLink", default=None)
    count: Any = field(name="@odata.count", default=None)


class Layout:
    """The decoding of the pages of one edge.

    Args:
        rows: the type of the rows.
    """

    __slots__ = ("_decoder", "rows")

    def __init__(self, rows: type[TypedRow]) -> None:
        self.rows = rows
        page = defstruct(
            "Page",
            [("value", list[rows])],  # type: ignore[valid-type]
            bases=(PageOf,),
            gc=False,
        )
        self._decoder: msgspec.json.Decoder[PageOf] = msgspec.json.Decoder(page)

    def decode(self, body: bytes | msgspec.Raw) -> PageOf | None:
        """The page in ``body``; ``None`` if it can't be read into such rows."""
        try:
            return self._decoder.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None


def layout_of(node: PlanNode, extra: Iterable[str] = ()) -> Layout:
    """The layout by which pages of the rows of ``node`` are decoded.

    Args:
        node: a plan node that is settled.
        extra: properties that are read of its rows beside those that are selected.
    """
    key = tuple(extra)
    layout = node.layouts.get(key)
    if layout is None:
        rows = _row_type(node, key)
        if rows.layout is None:
            rows.layout = Layout(rows)
        layout = node.layouts[key] = rows.layout
    return cast(Layout, layout)


def _row_type(node: PlanNode, extra: tuple[str, ...] = ()) -> type[TypedRow]:
    members = _Members(node.entity)
    others = [name for prop in node.properties.values() for name in prop.also]
    for name in (*node.select(listed=True), *node.select(listed=False), *others, *extra):
        members.given(name)
    for name in (*node.unsupported, *node.backward):
        members.stitched(name)
    for child in node.children.values():
        navigation, name = child.navigation, child.navigation.name
        if _comes_inside(child):
            row = _row_type(child)
            members.given(name, list[row] if navigation.shape is Shape.LIST else row)  # type: ignore[valid-type]
            if navigation.shape is Shape.LIST:
                members.given(f"{name}@odata.nextLink")
        elif navigation.shape is Shape.LIST:
            members.given(name)
            members.given(f"{name}@odata.nextLink")
        for key in (child.key, *child.views):
            members.stitched(key)
    members.given(_TYPE)
    if node.addressed:
        members.stitched(ADDRESS)
    if node.linked:
        members.stitched(PARENT)
    return row_type(members.all(), collected=node.linked)


def _comes_inside(child: PlanNode) -> bool:
    """Whether the rows of an edge can come inside those that it begins at."""
    navigation = child.navigation
    if child.error is not None or navigation.shape is Shape.CONNECTION:
        return False
    return any(
        navigation.allows(strategy)
        for strategy in (Strategy.INLINE, Strategy.EXPAND, Strategy.HYDRATE)
    )


class _Members:
    """Members of a row type, each once.

    Args:
        entity: the type of the entities.
    """

    def __init__(self, entity: EntityType) -> None:
        self._entity = entity
        self._found: dict[str, tuple[Any, bool]] = {}

    def given(self, name: str, type_: Any = None) -> None:
        """A member that the service gives; of an edge that leads on, as little as its id."""
        if type_ is not None or name not in self._found:
            navigation = self._entity.navigations.get(name)
            stub = navigation is not None and navigation.shape is Shape.SINGLE
            self._found[name] = (type_ if type_ is not None else STUB if stub else Any), True

    def stitched(self, name: str) -> None:
        """A member that is put in later."""
        self._found.setdefault(name, (Any, False))

    def all(self) -> Members:
        """The members."""
        return tuple((name, type_, given) for name, (type_, given) in self._found.items())
