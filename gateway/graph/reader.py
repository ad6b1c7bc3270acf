"""Reads entities and paged collections, and learns on the way what the service accepts."""

from asyncio import Future
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from gateway.graph.capabilities import Capabilities, PageSizes
from gateway.graph.client import Reply
from gateway.graph.errors import GraphError
from gateway.graph.loaders import RequestLoader
from gateway.odata.address import misread
from gateway.odata.query import GraphRequest, Options

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a collection.

    Attributes:
        rows: the entities as the service gave them.
        link: the page's own link relative to the root; ``None`` for a first page.
        next: the link of the next page, if there is one.
        count: ``@odata.count``, if the service gave it.
        options: the options that the page was asked with; ``None`` if it was asked by its link.
    """

    rows: list[Row]
    link: str | None
    next: str | None
    count: int | None
    options: Options | None


class Reader:
    """Reading on behalf of one operation.

    Args:
        loader: the operation's dataloader.
        capabilities, page_sizes: what the process has learned of the service.
        relative: turns a nextLink into one relative to the root, or raises `GraphError`.
    """

    def __init__(
        self,
        loader: RequestLoader,
        capabilities: Capabilities,
        page_sizes: PageSizes,
        relative: Callable[[str], str],
    ) -> None:
        self._loader = loader
        self.capabilities = capabilities
        self.page_sizes = page_sizes
        self._relative = relative

    def load(self, request: GraphRequest) -> Future[Reply]:
        """The reply to one request, which is on its way; equal ones of the operation share it."""
        return self._loader.load(request)

    async def get(self, path: str, options: Options, entity: str) -> tuple[Reply, Options]:
        """``GET path``, without the options that the service turns out not to accept.

        A 400 is tried again without the option that it names, else without the most doubtful one.
        If that helps, and the option was named, it is given up for the process. A 403 may be for
        the expanded entity alone: it is tried again without the expansion, and nothing is learned.

        Args:
            path: path relative to the root.
            options: the query options wanted.
            entity: name of the type read, for the capabilities.

        Returns:
            The reply, and the options that it was asked with.
        """
        if misread(path):
            error = GraphError("the service gave a key that stands for something else in a URL")
            return Reply(error=error), options
        used = options
        for option in options.optional:
            if not self.capabilities.allows(options.capability(option, entity)):
                used = used.without(option)
        reply = await self.load(used.get(path))
        refused: list[tuple[str, str]] = []
        while reply.error is not None and used.optional:
            message = reply.error.message
            if reply.status == 400:
                named = _named(used, message)
                option = named or used.optional[0]
            elif reply.status == 403 and used.expand is not None:
                named, option = None, "$expand"
            else:
                break
            if refused and refused[-1][1] == message:
                refused.pop()  # Leaving it out changed nothing.
            if named is not None:
                refused.append((options.capability(named, entity), message))
            used = used.without(option)
            reply = await self.load(used.get(path))
        if reply.error is None:
            for capability, why in refused:
                self.capabilities.refuse(capability, why)
        return reply, used

    async def pages(
        self, path: str, options: Options, entity: str, link: str | None = None
    ) -> AsyncIterator[Page]:
        """The pages of a collection, each requested when the one before has been used up.

        Args:
            path, options, entity: as for `get`.
            link: relative link of the page to begin with, instead of the first.

        Raises:
            GatewayError: a page could not be had, is no page, or was there before (a loop).
        """
        seen: set[str] = set()
        collection = f"{entity} {path.rpartition('/')[2]}"
        while True:
            if link is None:
                reply, used = await self.get(path, options, entity)
                seen.add(used.get(path).url)
            else:
                seen.add(link)
                reply, used = await self._following(GraphRequest(link)), None
            if reply.error is not None:
                raise reply.error
            page = self._page(reply.data, link, used)
            if page.next is not None:
                if page.next in seen:
                    raise GraphError("the service gave a nextLink that leads back to an old page")
                self.page_sizes.observe(collection, len(page.rows))
            yield page
            if page.next is None:
                return
            link = page.next

    async def _following(self, request: GraphRequest) -> Reply:
        """A page behind another one; it is not kept, so that a long chain takes no more memory
        than the rows that are taken out of it."""
        try:
            return await self.load(request)
        finally:
            self._loader.clear(request)

    def page_size(self, path: str, entity: str) -> int:
        """The page size seen for the collection at ``path``, or the default."""
        return self.page_sizes[f"{entity} {path.rpartition('/')[2]}"]

    async def rest(self, link: str) -> list[Row]:
        """All rows from ``link``, relative to the root, to the end.

        Raises:
            GatewayError: as for `pages`.
        """
        rows: list[Row] = []
        async for page in self.pages("", Options(), "", link):
            rows += page.rows
        return rows

    async def whole(self, reply: Reply) -> list[Row]:
        """All rows of a collection of which ``reply`` is the first page.

        Raises:
            GatewayError: as for `pages`.
        """
        if reply.error is not None:
            raise reply.error
        page = self._page(reply.data, None, None)
        return page.rows + (await self.rest(page.next) if page.next is not None else [])

    def next_link(self, data: Row, name: str = "") -> str | None:
        """The link to what follows ``data``, or its inlined collection ``name``.

        Raises:
            GraphError: the link is not text, or leads out of the version root.
        """
        link = data.get(f"{name}@odata.nextLink")
        if link is None:
            return None
        if not isinstance(link, str):
            raise GraphError("the service gave a nextLink that is not text")
        return self._relative(link)

    def _page(self, data: Any, link: str | None, options: Options | None) -> Page:
        rows = data.get("value") if isinstance(data, dict) else None
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise GraphError("the service answered a collection without a list of entities")
        return Page(rows, link, self.next_link(data), count_of(data), options)


def count_of(data: Any) -> int | None:
    """``@odata.count`` of a collection, if the service gave a number."""
    count = data.get("@odata.count") if isinstance(data, dict) else None
    return count if isinstance(count, int) and not isinstance(count, bool) else None


def _named(options: Options, message: str) -> str | None:
    text = message.lower()
    return next((option for option in options.optional if option[1:] in text), None)
