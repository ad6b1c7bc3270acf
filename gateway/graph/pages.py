"""The pages of a collection: what one is, what may be on it, and how one leads to the next."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gateway.errors import CursorExpired, GatewayError, GraphError
from gateway.graph.replies import Reply
from gateway.odata.address import key_of
from gateway.odata.query import GraphRequest, Options
from gateway.plan.layout import layout_of
from gateway.plan.nodes import PlanNode
from gateway.plan.rows import Row, values_of
from gateway.plan.stitch import NO_KEYS

if TYPE_CHECKING:
    from gateway.graph.reader import Asking, Reader

_MAX_INT = 2**31 - 1
_GUID_LENGTH = 36


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a collection.

    Attributes:
        rows: the entities as the service gave them, without those of an earlier page.
        link: the page's own link relative to the root; ``None`` for a first page.
        next: the link of the next page, if there is one.
        count: ``@odata.count``, if the service gave it and it can be right.
        options: the options that the page was asked with; ``None`` if it was asked by its link.
        unusable: why the link of the next page, which there is, can't be followed.
        unreadable: why rows are left out that are no entities, or have no key.
    """

    rows: list[Row]
    link: str | None
    next: str | None
    count: int | None
    options: Options | None
    unusable: GatewayError | None = None
    unreadable: GatewayError | None = None

    @property
    def last(self) -> bool:
        """Whether no page follows."""
        return self.next is None and self.unusable is None


class Pages:
    """The pages of a collection, one after the other; an asynchronous iterator.

    A row that comes again (one with the same key) is left out. Where the service does not take the
    link of a later page any more, the collection is walked again from its beginning, past the rows
    that were there already. To stop between two pages costs nothing, and leaves nothing to close.

    Args:
        reader: reads them.
        path, options, node, link, key: as for `Reader.pages`.

    Attributes:
        walked: how many rows there were up to here.

    Raises:
        CursorExpired: the service does not take the link of a page any more, and there is no way
            around it.
        GatewayError: a page could not be had, is no page, or was there before (a loop).
    """

    __slots__ = (
        "_beginning",
        "_done",
        "_entity",
        "_key",
        "_layout",
        "_link",
        "_links",
        "_options",
        "_path",
        "_progress",
        "_reader",
        "_told",
        "_unusable",
        "walked",
    )

    def __init__(
        self,
        reader: "Reader",
        path: str,
        options: Options,
        node: PlanNode | None,
        link: str | None,
        key: str | None,
    ) -> None:
        self._reader = reader
        self._path = path
        self._options = options
        self._entity = node.entity.name if node is not None else ""
        self._layout = layout_of(node, options.select or ()) if node is not None else None
        self._key = key
        self._link = link
        self._links: set[str] = set()
        self._told: set[Any] = set()
        self._beginning: GraphRequest | None = None
        self._progress = False
        self._unusable: GatewayError | None = None
        self._done = False
        self.walked = 0

    def __aiter__(self) -> "Pages":
        return self

    async def __anext__(self) -> Page:
        if self._unusable is not None:
            raise self._unusable
        if self._done:
            raise StopAsyncIteration
        return self._told_once(await self._load())

    def first(self, asking: "Asking", reply: Reply) -> Page | None:
        """The first page, for which somebody has asked already.

        Returns:
            ``None`` where it is to be asked for in another way; nothing is changed then.

        Raises:
            GraphError: it is no page.
        """
        if reply.error is not None:
            return None
        request = asking.request(self._path)
        page = self._turned(reply, request, None, asking.used)
        self._beginning = request
        return self._told_once(page)

    def _told_once(self, page: Page) -> Page:
        fresh = page.rows if self._key is None else distinct(page.rows, self._key, self._told)
        self._progress = self._progress or bool(fresh)
        self._link, self._unusable = page.next, page.unusable
        self._done = page.last
        self.walked += len(fresh)
        return page if fresh is page.rows else replace(page, rows=fresh)

    async def _load(self) -> Page:
        reader, link, used = self._reader, self._link, None
        if link is None:
            reply, used = await reader.get(self._path, self._options, self._entity)
            self._beginning = request = used.get(self._path)
        else:
            request = GraphRequest(link)
            reply = await reader.following(request)
        if reply.error is not None:
            return await self._again(reply.error)
        return self._turned(reply, request, link, used)

    def _turned(
        self, reply: Reply, request: GraphRequest, link: str | None, used: Options | None
    ) -> Page:
        reader = self._reader
        page = reader.page(reply, request.url, link, used, self._layout)
        self._links.add(request.url)
        page = with_keys(page, self._key)
        if reader.record is not None:
            reader.record.came(len(page.rows))
        if page.next is not None:
            if page.next in self._links:
                loop = GraphError("the service gave a nextLink that leads back to an old page")
                page = replace(page, next=None, unusable=loop)
            if self._options.filter is None and self._options.search is None:
                collection = f"{self._entity} {self._path.rpartition('/')[2]}"
                reader.page_sizes.observe(collection, len(page.rows))
        return page

    async def _again(self, error: GatewayError) -> Page:
        """The first page, after a later one was refused because its link is old."""
        if self._link is None or not is_refused_link(error):
            raise error
        if self._beginning is None or not self._progress:
            raise _expired(error)
        # It is asked for anew, because the links that were in it are old.
        self._reader.clear(self._beginning)
        self._links.clear()
        self._link, self._progress = None, False
        return await self._load()


def with_keys(page: Page, key: str | None) -> Page:
    """``page`` without rows that have no key, or one that no address can have.

    Raises:
        GraphError: no row has one.
    """
    if key is None:
        return page
    try:
        if NO_KEYS.isdisjoint(values_of(page.rows, key)):
            return page
    except TypeError:
        pass
    rows = [row for row in page.rows if key_of(row, key) not in NO_KEYS]
    if len(rows) == len(page.rows):
        return page
    unreadable = GraphError("the service answered an entity without its key")
    if not rows:
        raise unreadable
    return replace(page, rows=rows, unreadable=unreadable)


def count_of(data: Any) -> int | None:
    """``@odata.count`` of a collection, if the service gave a number that can be one."""
    return as_count(data.get("@odata.count") if isinstance(data, dict) else None)


def as_count(value: Any, rows: Sequence[Any] = ()) -> int | None:
    """``@odata.count``, if it can be right of a collection with ``rows`` on a page."""
    return value if type(value) is int and len(rows) <= value <= _MAX_INT else None


def distinct(rows: list[Row], key: str, told: set[Any]) -> list[Row]:
    """``rows`` without those whose key is in ``told`` or came before; ``told`` takes in the keys.

    GUIDs are told apart without case. A row without a key is kept.
    """
    try:
        keys = values_of(rows, key)
        if _GUID_LENGTH in map(len, keys):
            keys = [key.lower() if len(key) == _GUID_LENGTH else key for key in keys]
        new = set(keys)
        if len(new) == len(rows) and told.isdisjoint(new):
            told |= new
            return rows
    except TypeError:
        pass
    fresh: list[Row] = []
    for row in rows:
        value = row.get(key)
        if isinstance(value, str) and len(value) == _GUID_LENGTH:
            value = value.lower()
        if isinstance(value, str | int):
            if value in told:
                continue
            told.add(value)
        fresh.append(row)
    return rows if len(fresh) == len(rows) else fresh


def is_refused_link(error: GatewayError) -> bool:
    """Whether the error to the request for a later page may be for its link alone.

    Page tokens expire (400 with ``Directory_ExpiredPageToken``, or 410). Other codes of a 400
    count as well: the link was the service's own, so it can only have become wrong.
    """
    return error.extensions.get("status") in (400, 410)


def _expired(error: GatewayError) -> GatewayError:
    """`CursorExpired`, if that is what the service says; else the error itself."""
    details = error.extensions
    if details.get("status") != 410 and details.get("serviceCode") != "Directory_ExpiredPageToken":
        return error
    named = {name: value for name, value in details.items() if name != "code"}
    return CursorExpired(
        "the service does not accept the link of this page any more; begin again without a cursor",
        **named,
    )
