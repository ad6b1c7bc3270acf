"""Reads entities and paged collections, and learns on the way what the service accepts."""

from asyncio import Future, gather
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from gateway.graph.capabilities import Capabilities, PageSizes
from gateway.graph.client import Reply
from gateway.graph.errors import GraphError
from gateway.graph.experiment import Trial, needed, proves, trials
from gateway.graph.loaders import RequestLoader
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
        self._refused: set[str] = set()
        self._tried: set[str] = set()

    def load(self, request: GraphRequest) -> Future[Reply]:
        """The reply to one request, which is on its way; equal ones of the operation share it."""
        return self._loader.load(request)

    async def get(self, path: str, options: Options, entity: str) -> tuple[Reply, Options]:
        """``GET path``, without the options that the service turns out not to accept.

        A 400 is tried again without the option that it names, else without the most doubtful one;
        not if it names the filter, the search or the order, which can't be left out. If that
        helps, and the option was named, this operation does without it; the process, if a trial
        proves it (`gateway.graph.experiment`). A 403 may be for the expanded entity alone: it is
        tried again without the expansion, and nothing is learned.

        Args:
            path: path relative to the root.
            options: the query options wanted.
            entity: name of the type read, for the capabilities.

        Returns:
            The reply, and the options that it was asked with.
        """
        used = options
        for option in options.optional:
            if not all(map(self.allows, needed(options, option, entity))):
                used = used.without(option)
        reply = await self.load(used.get(path))
        refused: list[tuple[str, str]] = []
        while reply.error is not None and used.optional:
            message, named = reply.error.message, None
            if reply.status == 400:
                named = _named(used, message)
                if named is None and _names_another(used, message):
                    break
                option = named or used.optional[0]
            elif reply.status == 403 and used.expand is not None:
                option = "$expand"
            else:
                break
            if refused and refused[-1][1] == message:
                refused.pop()  # Leaving it out changed nothing.
            asked, used = used, used.without(option)
            learning = []
            if named is not None:
                refused.append((needed(asked, named, entity)[-1], message))
                learning = self._trials(path, asked, named, entity)
            reply, *_ = await gather(self.load(used.get(path)), *learning)
        if reply.error is None:
            self._refused.update(capability for capability, _ in refused)
        return reply, used

    def allows(self, capability: str) -> bool:
        """Whether ``capability`` may be used in this operation."""
        return capability not in self._refused and self.capabilities.allows(capability)

    def doubt(self, capability: str) -> None:
        """Do without ``capability`` in this operation."""
        self._refused.add(capability)

    def _trials(
        self, path: str, options: Options, option: str, entity: str
    ) -> list[Coroutine[Any, Any, bool]]:
        """What finds out what a refusal was for; once in an operation."""
        tried = needed(options, option, entity)[-1]
        if tried in self._tried:
            return []
        self._tried.add(tried)
        return [self.proven(trial) for trial in trials(path, options, option, entity)]

    async def proven(self, trial: Trial) -> bool:
        """Whether ``trial`` proves a refusal; if so, the process does without from now on.

        Its two requests are sent together.
        """
        reply, control = await gather(self.load(trial.request), self.load(trial.control))
        if reply.error is None or not proves(reply, control):
            return False
        self.capabilities.refuse(trial.capability, reply.error.message)
        return True

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
                if options.filter is None and options.search is None:
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


def _names_another(options: Options, message: str) -> bool:
    """Whether a refusal names an option in use that an answer can't do without."""
    used = {"filter": options.filter, "search": options.search, "orderby": options.order}
    text = message.lower()
    return any(value is not None and name in text for name, value in used.items())
