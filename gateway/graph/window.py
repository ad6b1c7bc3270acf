"""The asked part of a collection: `first` and `after` over server-driven pages."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from gateway.errors import BadUserInput, GatewayError, GraphError, beside
from gateway.graph.pages import Page, Pages, count_of, is_refused_link
from gateway.graph.reader import Asking, Reader
from gateway.graph.replies import Reply
from gateway.graph.resume import Resumption, digest, order_of, sort_values
from gateway.odata.address import same_path
from gateway.odata.cursor import (
    DIGEST_BYTES,
    MAX_TOLD,
    START,
    CursorCodec,
    Position,
    signed_edge,
)
from gateway.odata.query import Options
from gateway.plan.nodes import PlanNode, significant
from gateway.plan.rows import CONNECTION, EDGE, PAGE_INFO, Row

# Pages beyond the place where a row was that are searched for it.
_SEARCHED_PAGES = 10


@dataclass(frozen=True, slots=True)
class _Part:
    """Rows of one page: the place of the first in the slice, its place on the page, and what was
    selected."""

    first: int
    page: Page
    skipped: int
    select: tuple[str, ...] | None


@dataclass(slots=True)
class Slice:
    """Rows of a collection, as the service gave them, and their place in it.

    Attributes:
        start: the position that they come after.
        rows: the rows.
        parts: the pages that they come from, for `WindowReader`'s cursors.
        more: whether rows, or at least a page, follow.
        count: rows in all, if it is known; the error of asking for it.
        options: what the first page was asked with; ``None`` if it was asked by a link.
        narrowed: whether a filter left rows out.
        error: why rows that belong to the slice are missing at its end.
        unreadable: why others are missing.
        leading: whether no row of the collection is before the first one.
        digests: of the keys of rows, one after the other, from the one at ``digested`` on.
        followed: links, and whether they lead to this collection, so that cursors may hold them.
    """

    start: Position
    rows: list[Row] = field(default_factory=list)
    parts: "list[_Part]" = field(default_factory=list)
    more: bool = False
    count: int | GatewayError | None = None
    options: Options | None = None
    narrowed: bool = False
    error: GatewayError | None = None
    unreadable: GatewayError | None = None
    leading: bool = False
    digests: bytearray = field(default_factory=bytearray)
    digested: int = 0
    followed: dict[str, bool] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether the slice is the whole collection."""
        return self.start is START and not (
            self.more or self.narrowed or self.error or self.unreadable
        )


class WindowReader:
    """Reads one connection or bounded list.

    Args:
        reader: the operation's reader.
        cursors: writes and reads cursors.
        node: the plan node; without a window, everything is read.
        path: path of the collection.
        options: query options of its pages.

    Attributes:
        limit: how many rows can be had, and why not more; ``None`` where all that are asked for
            can.
    """

    def __init__(
        self,
        reader: Reader,
        cursors: CursorCodec,
        node: PlanNode,
        path: str,
        options: Options,
    ) -> None:
        self._reader = reader
        self._cursors = cursors
        self._node = node
        self._key = node.entity.key or "id"
        self._order = order_of(node.arguments)
        self._path = path
        self._options = options
        self._after = node.arguments.get("after")
        self._select: tuple[str, ...] | None = options.select
        self._all: Pages | None = None
        self.limit: tuple[int, GatewayError] | None = None

    @property
    def _edge(self) -> str:
        return edge_of(self._node, self._path)

    @property
    def begins_at_the_first(self) -> bool:
        """Whether the first page is the first that is read."""
        return self._after is None

    def at_once(self, asking: Asking, reply: Reply) -> Slice | None:
        """The asked part, if there is no more to read than the first page.

        Args:
            asking: how that was asked for.
            reply: what was answered.

        Returns:
            ``None`` where `read` has to find out.
        """
        window = self._node.window
        result = Slice(START, narrowed=self._node.narrowing.narrows)
        try:
            page = self._from().first(asking, reply)
        except GatewayError:
            return None
        if page is None or page.unusable is not None:
            return None
        if not self._took(result, page, page.rows, self._wanted) and not page.last:
            return None
        if window is not None and window.total_count and result.count is None:
            return None
        return self._counted(result)

    async def read(self) -> Slice:
        """Pages are read until ``first`` is satisfied, and no further.

        What fails after the first rows is the slice's `error`.

        Raises:
            BadUserInput: ``after`` is no cursor of this edge.
            GatewayError: not one row can be had.
        """
        window = self._node.window
        start = START if self._after is None else self._decode(self._after)
        result = Slice(start, narrowed=self._node.narrowing.narrows)
        try:
            await self._take(result, self._covered(start), self._wanted)
        except GatewayError as error:
            if not result.rows:
                raise
            result.error, result.more = error, True
        if window is not None and window.total_count and result.count is None:
            result.count = await self._count(result)
        return self._counted(result)

    @property
    def _wanted(self) -> int | None:
        """The number of rows; ``None`` for all."""
        window = self._node.window
        if window is None or not window.rows:
            return None if window is None else 0
        return window.first if self.limit is None else min(window.first, self.limit[0])

    def _counted(self, result: Slice) -> Slice:
        """``result`` without a count that can't be right."""
        walked = max(len(result.rows), 0 if self._all is None else self._all.walked)
        if isinstance(result.count, int) and result.count < walked:
            result.count = None
        if self.limit is not None and result.more and result.error is None:
            result.error = self.limit[1]
        return result

    async def _take(self, result: Slice, start: Position, wanted: int | None) -> None:
        """Read rows after ``start`` into ``result``.

        Where a link is not taken any more, the rows behind it are looked for from the beginning.
        """
        if start is START:
            async for page in self._from():
                if self._took(result, page, page.rows, wanted):
                    break
            return
        try:
            async with aclosing(self._pages(result, start)) as pages:
                async for page, rows in pages:
                    if self._took(result, page, rows, wanted):
                        break
        except GraphError as error:
            if start.link is None or not is_refused_link(error):
                raise
            await self._take(result, replace(self._reached(result), link=None), wanted)

    def _took(self, result: Slice, page: Page, rows: list[Row], wanted: int | None) -> bool:
        """Take the ``rows`` of a page into ``result``; whether these are as many as ``wanted``."""
        if page.options is not None:
            result.options, self._select = page.options, page.options.select
        if result.count is None:
            result.count = page.count
        result.unreadable = result.unreadable or page.unreadable
        if wanted is not None and len(rows) > wanted - len(result.rows):
            rows, result.more = rows[: wanted - len(result.rows)], True
        if rows:
            skipped = next(n for n, row in enumerate(page.rows) if row is rows[0])
            result.parts.append(_Part(len(result.rows), page, skipped, self._select))
            result.rows += rows
        if page.last and self._all is not None and result.unreadable is None:
            result.count = self._all.walked
        elif not page.last and wanted is not None and len(result.rows) >= wanted:
            result.more = True
        return result.more

    # --- the pages after a position ---------------------------------------------------------

    async def _pages(
        self, result: Slice, start: Position
    ) -> AsyncGenerator[tuple[Page, list[Row]]]:
        """The pages that hold rows after ``start``, each with those of its rows."""
        place = Resumption(start, self._key, self._order, self._digests(result))
        if start.link is not None:
            self._select = start.select
            begin: int | None = None
            async for page in self._from(start.link):
                if begin is None:
                    begin = (
                        place.within(page.rows, last=page.last)
                        if start.offset
                        else place.behind(page.rows)
                    )
                    if begin is None:
                        break
                    yield page, place.untold(page.rows[begin:])
                else:
                    yield page, place.untold(page.rows)
            else:
                return
        async for page, rows in self._search(result, start, place):
            yield page, place.untold(rows)

    async def _search(
        self, result: Slice, start: Position, place: Resumption
    ) -> AsyncGenerator[tuple[Page, list[Row]]]:
        """The pages after a position that is looked for from the beginning of the collection.

        If it is not found, it is taken to be where it was, less the rows that are known to have
        gone.
        """
        expected = start.index if start.link is not None else start.offset
        target = max(0, expected - place.remembered)
        waiting: list[tuple[int, Page]] = []
        passed, beyond, found = 0, 0, False
        async for page in self._from():
            if found:
                yield page, page.rows
                continue
            begin = place.along(page.rows)
            first, passed = passed, passed + len(page.rows)
            if begin is not None:
                found = True
                result.leading = first == begin == 0 and not place.found and not result.rows
                yield page, page.rows[begin:]
                continue
            if place.found or passed > target:
                waiting.append((first, page))
            beyond += first >= expected
            if beyond > _SEARCHED_PAGES:
                found = True
                for page, rows in _from_place(waiting, place, target):
                    yield page, rows
        if not found:
            for page, rows in _from_place(waiting, place, target):
                yield page, rows

    def _from(self, link: str | None = None) -> Pages:
        """The pages from ``link`` on, or all."""
        pages = self._reader.pages(
            self._path, self._options, self._node, link, key=self._node.entity.key
        )
        self._all = pages if link is None else None
        return pages

    def _covered(self, start: Position) -> Position:
        """``start``, without the link if more is selected now than the link asks for.

        A link repeats the ``$select`` that it was made with, so it would answer with holes.
        """
        wanted = self._options.select
        covered = start.select is None or (
            wanted is not None and set(wanted).issubset(start.select)
        )
        if start.link is None or covered:
            return start
        return replace(start, link=None, offset=start.index)

    # --- the connection ---------------------------------------------------------------------

    def connection(self, result: Slice, rows: list[Row]) -> Row:
        """The connection object around the stitched ``rows`` of a slice."""
        window = self._node.window
        assert window is not None  # noqa: S101 - connections only
        connection = CONNECTION(rows, result.count)
        if window.unread:
            connection["unread"] = []
        if window.edges:
            connection["edges"] = [
                EDGE(row, self._cursor(result, place) if window.cursors else None)
                for place, row in enumerate(rows)
            ]
        if window.page_info:
            connection["pageInfo"] = PAGE_INFO(
                result.more,
                result.start is not START and not result.leading,
                self._cursor(result, 0) if rows else None,
                self._cursor(result, len(rows) - 1) if rows else None,
            )
        return connection

    def failure(self, result: Slice) -> GatewayError | None:
        """The error of rows missing at the end of a slice, with the cursor to go on ``after``."""
        if result.error is None or self._node.window is None:
            return result.error or result.unreadable
        return beside(result.error, after=self._cursor(result, len(result.rows) - 1))

    def _cursor(self, result: Slice, place: int) -> str:
        """The cursor of a row: a position after it, one that `read` will accept again."""
        return self._cursors.encode(self._edge, self._position(result, place))

    def _position(self, result: Slice, place: int) -> Position:
        """The position after a row.

        A link to another path, however the service came to it, is not put into a cursor: what
        comes back in one may have been forged.
        """
        part = next(part for part in reversed(result.parts) if part.first <= place)
        row, page, at = result.rows[place], part.page, part.skipped + place - part.first
        if page.rows[at] is not row:
            at = next(n for n, other in enumerate(page.rows) if other is row)
        link, offset = page.link, at + 1
        if offset == len(page.rows) and page.next is not None:
            link, offset = page.next, 0
        index = result.start.index + place + 1
        if link is not None and link not in result.followed:
            result.followed[link] = same_path(link, self._path)
        if link is not None and not result.followed[link]:
            link, offset = None, index
        return Position(
            link,
            offset,
            index,
            part.select,
            self._told(result, place),
            sort_values(row, self._order),
        )

    def _told(self, result: Slice, place: int) -> bytes:
        """The digests of the last rows told, up to the one at ``place``."""
        first, size = max(0, place + 1 - MAX_TOLD), DIGEST_BYTES
        end = result.digested + len(result.digests) // size
        if not result.digested <= first <= end:
            result.digested, result.digests = first, bytearray()
            end = first
        for row in result.rows[end : place + 1]:
            result.digests += digest(row, self._key)
        begin = result.digested
        told = result.digests[(first - begin) * size : (place + 1 - begin) * size]
        return (result.start.told + told)[-MAX_TOLD * size :]

    def _reached(self, result: Slice) -> Position:
        """The position that a slice has come to."""
        if not result.rows:
            return replace(result.start, offset=result.start.index)
        position = self._position(result, len(result.rows) - 1)
        return replace(position, offset=position.index)

    def _digests(self, result: Slice) -> list[bytes]:
        return [digest(row, self._key) for row in result.rows]

    def _decode(self, cursor: str) -> Position:
        position = self._cursors.decode(self._edge, cursor)
        if position.link is not None and not same_path(position.link, self._path):
            raise BadUserInput("this cursor leads to another collection", argument="after")
        return position

    async def _count(self, result: Slice) -> int | GatewayError | None:
        """Ask for the count, unless a first page did not tell, or another page failed."""
        if result.options is not None or result.error is not None:
            return None
        narrowing = self._node.narrowing
        first = Options(
            select=(self._key,),
            filter=narrowing.filter,
            search=narrowing.search,
            count=not self._node.navigation.counted,
        )
        reply, _ = await self._reader.get(self._path, first, self._node.entity.name)
        return reply.error or count_of(reply.data)


def _from_place(
    waiting: list[tuple[int, Page]], place: Resumption, target: int
) -> list[tuple[Page, list[Row]]]:
    """The pages of ``waiting`` (each with the place of its first row) after what was told of them,
    or else from the row ``target`` on."""
    begin = place.middle if place.found else target
    return [
        (page, page.rows[max(0, begin - first) :])
        for first, page in waiting
        if first + len(page.rows) > begin or page.last
    ]


def edge_of(node: PlanNode, path: str) -> str:
    """The text that the cursors of an edge are signed with: its path and its arguments."""
    arguments = significant(node.arguments)
    arguments.pop("first", None)
    arguments.pop("after", None)
    return signed_edge(path, arguments)
