"""The asked part of a collection: `first` and `after` over server-driven pages."""

from dataclasses import dataclass, field
from typing import Any

from gateway.graph.reader import Page, Reader, Row, count_of
from gateway.odata.address import same_path
from gateway.odata.cursor import START, CursorCodec, Position
from gateway.odata.errors import BadUserInput, GatewayError
from gateway.odata.plan import PlanNode, significant
from gateway.odata.query import Options


@dataclass(frozen=True, slots=True)
class _Part:
    """Rows of one page: the place of the first in the slice, how many rows of the page were passed
    over, how many came before the page, and what was selected."""

    first: int
    page: Page
    skipped: int
    before: int
    select: tuple[str, ...] | None


@dataclass(slots=True)
class Slice:
    """Rows of a collection, as the service gave them, and their place in it.

    Attributes:
        rows: the rows.
        parts: the pages that they come from, for `WindowReader`'s cursors.
        start: the position of the first row.
        more: whether rows, or at least a page, follow.
        count: rows in all, if the service tells; the error of asking for it.
        narrowed: whether a filter left rows out.
        options: what the first page was asked with; ``None`` if it was asked by a link.
    """

    start: Position
    rows: list[Row] = field(default_factory=list)
    parts: "list[_Part]" = field(default_factory=list)
    more: bool = False
    count: int | GatewayError | None = None
    options: Options | None = None
    narrowed: bool = False

    @property
    def whole(self) -> bool:
        """Whether the slice is the whole collection."""
        return self.start.index == 0 and not self.more and not self.narrowed


class WindowReader:
    """Reads one connection or bounded list.

    Args:
        reader: the operation's reader.
        cursors: writes and reads cursors.
        node: the plan node; without a window, everything is read.
        path: path of the collection.
        options: query options of its pages.
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
        self._path = path
        self._options = options
        arguments = significant(node.arguments)
        arguments.pop("first", None)
        self._after = arguments.pop("after", None)
        self._edge = f"{path} {arguments}"

    async def read(self) -> Slice:
        """Pages are read until ``first`` is satisfied, and no further.

        Raises:
            BadUserInput: ``after`` is no cursor of this edge.
            GatewayError: a page can't be had.
        """
        window = self._node.window
        start = START if self._after is None else self._decode(self._after)
        wanted = None if window is None else window.first if window.rows else 0
        result = Slice(start, narrowed=self._node.narrowing.narrows)
        link, skip = self._entry(start)
        select = start.select if link else self._options.select
        before = start.index - start.offset if link else 0
        async for page in self._reader.pages(
            self._path, self._options, self._node.entity.name, link
        ):
            if page.options is not None:
                result.options, select = page.options, page.options.select
            if result.count is None:
                result.count = page.count
            rows = page.rows[skip:]
            if wanted is not None and len(rows) > wanted - len(result.rows):
                rows, result.more = rows[: wanted - len(result.rows)], True
            result.parts.append(_Part(len(result.rows), page, skip, before, select))
            result.rows += rows
            skip = max(0, skip - len(page.rows))
            before += len(page.rows)
            if page.next is None:
                result.count = before
            elif wanted is not None and len(result.rows) >= wanted:
                result.more = True
            if result.more:
                break
        if window is not None and window.total_count and result.count is None:
            result.count = await self._count(result)
        return result

    def connection(self, result: Slice, rows: list[Row]) -> Row:
        """The connection object around the stitched ``rows`` of a slice."""
        window = self._node.window
        assert window is not None  # noqa: S101 - connections only
        connection: dict[str, Any] = {"nodes": rows, "totalCount": result.count}
        if window.unread:
            connection["unread"] = []
        if window.edges:
            connection["edges"] = [
                {"node": row, "cursor": self._cursor(result, place) if window.cursors else None}
                for place, row in enumerate(rows)
            ]
        if window.page_info:
            connection["pageInfo"] = {
                "hasNextPage": result.more,
                "hasPreviousPage": result.start.index > 0,
                "startCursor": self._cursor(result, 0) if rows else None,
                "endCursor": self._cursor(result, len(rows) - 1) if rows else None,
            }
        return connection

    def _cursor(self, result: Slice, place: int) -> str:
        """The cursor of a row: a position after it, one that `read` will accept again.

        A link to another path, however the service came to it, is not put into a cursor: what
        comes back in one may have been forged.
        """
        part = next(part for part in reversed(result.parts) if part.first <= place)
        offset = place - part.first + part.skipped + 1
        index, page = part.before + offset, part.page
        last = offset == len(page.rows) and page.next is not None
        link, offset = (page.next, 0) if last else (page.link, offset)
        if link is not None and not same_path(link, self._path):
            link, offset = None, index
        return self._cursors.encode(self._edge, Position(link, offset, index, part.select))

    def _decode(self, cursor: str) -> Position:
        position = self._cursors.decode(self._edge, cursor)
        if position.link is not None and not same_path(position.link, self._path):
            raise BadUserInput("this cursor leads to another collection", argument="after")
        return position

    def _entry(self, start: Position) -> tuple[str | None, int]:
        """The link to begin with and the rows to pass over.

        A link repeats the ``$select`` that it was made with. If more is selected now, the link
        would answer with holes, so the collection is walked from its beginning instead.
        """
        wanted = self._options.select
        covered = start.select is None or (
            wanted is not None and set(wanted).issubset(start.select)
        )
        if start.link is not None and not covered:
            return None, start.index
        return start.link, start.offset

    async def _count(self, result: Slice) -> int | GatewayError | None:
        """Ask for the count, unless the first page was asked already and did not tell."""
        if result.options is not None:
            return None
        narrowing = self._node.narrowing
        key = self._node.entity.key or "id"
        first = Options(select=(key,), filter=narrowing.filter, search=narrowing.search, count=True)
        reply, _ = await self._reader.get(self._path, first, self._node.entity.name)
        return reply.error or count_of(reply.data)
