"""Reads entities and paged collections, and learns on the way what the service accepts."""

from asyncio import Future, gather
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gateway.graph.capabilities import Capabilities, PageSizes
from gateway.graph.errors import CursorExpired, GraphError
from gateway.graph.experiment import Trial, needed, proves, trials
from gateway.graph.loaders import RequestLoader
from gateway.graph.replies import Body, Reply
from gateway.graph.rows import NO_KEYS
from gateway.odata.address import key_of, misread
from gateway.odata.errors import GatewayError
from gateway.odata.layout import Layout, layout_of
from gateway.odata.plan import PlanNode
from gateway.odata.query import GraphRequest, Options
from gateway.odata.rows import Row, values_of

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


class Reader:
    """Reading on behalf of one operation.

    Args:
        loader: the operation's dataloader.
        capabilities, page_sizes: what the process has learned of the service.
        relative: turns a nextLink, and the URL of what it was in, into a URL relative to the root,
            or raises `GraphError`.
    """

    def __init__(
        self,
        loader: RequestLoader,
        capabilities: Capabilities,
        page_sizes: PageSizes,
        relative: Callable[[str, str], str],
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
        if misread(path):
            error = GraphError("the service gave a key that stands for something else in a URL")
            return Reply(error=error), options
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

    def pages(
        self,
        path: str,
        options: Options,
        node: PlanNode | None,
        link: str | None = None,
        *,
        key: str | None = "id",
    ) -> "Pages":
        """The pages of a collection, each requested when the one before has been used up.

        Args:
            path, options: as for `get`.
            node: whose rows they are, which are typed then; ``None`` for rows that are dicts.
            link: relative link of the page to begin with, instead of the first.
            key: the property that tells the rows apart; ``None`` if they have none.
        """
        return Pages(self, path, options, node, link, key)

    async def following(self, request: GraphRequest) -> Reply:
        """A page behind another one; it is not kept, so that a long chain takes no more memory
        than the rows that are taken out of it."""
        try:
            return await self.load(request)
        finally:
            self._loader.clear(request)

    def page_size(self, path: str, entity: str) -> int:
        """The page size seen for the collection at ``path``, or the default."""
        return self.page_sizes[f"{entity} {path.rpartition('/')[2]}"]

    async def rest(
        self, first: list[Row], link: str | None, node: PlanNode | None = None
    ) -> tuple[list[Row], GatewayError | None]:
        """All rows of a collection, and why later ones are missing.

        Args:
            first: the rows of its first page, which are there already.
            link: where they go on, relative to the root.
            node: whose rows they are, as for `pages`.
        """
        rows = list(first)
        error: GatewayError | None = None
        if link is not None:
            try:
                async for page in self.pages("", Options(), node, link):
                    rows += page.rows
                    error = error or page.unreadable
            except GatewayError as problem:
                error = problem
        return distinct(rows, "id", set()), error

    async def whole(self, reply: Reply, url: str) -> tuple[list[Row], GatewayError | None]:
        """All rows of a collection of which ``reply`` is the first page, and why some are missing.

        Args:
            reply: the page.
            url: what it was asked by, relative to the root.

        Raises:
            GatewayError: the first page could not be had, or is none.
        """
        if reply.error is not None:
            raise reply.error
        page = with_keys(self.page(reply, url, None, None), "id")
        rows, error = await self.rest(page.rows, page.next)
        return rows, page.unreadable or page.unusable or error

    def next_link(self, data: Row, name: str = "", url: str = "") -> str | None:
        """The link to what follows ``data``, or its inlined collection ``name``.

        Args:
            data: a page, or an entity.
            name: of the inlined collection.
            url: where the collection is, relative to the root, for links that are relative.

        Raises:
            GraphError: the link is not text, or leads out of the version root.
        """
        link = data.get(f"{name}@odata.nextLink")
        if link is None or link == "":
            return None
        if not isinstance(link, str):
            raise GraphError("the service gave a nextLink that is not text")
        return self._relative(link, url)

    def clear(self, request: GraphRequest) -> None:
        """Let the next `load` of ``request`` send it anew."""
        self._loader.clear(request)

    def page(
        self,
        reply: Reply,
        url: str,
        link: str | None,
        options: Options | None,
        layout: Layout | None = None,
    ) -> Page:
        """The page that the service answered.

        Args:
            reply: the answer.
            url: what it was asked by, relative to the root.
            link, options: of the page.
            layout: how its rows are typed. Where it does not fit them, they are dicts.

        Raises:
            GraphError: it is none.
        """
        if layout is not None and type(reply.answer) is Body:
            typed = layout.decode(reply.answer.raw)
            if typed is not None and (typed.next is None or type(typed.next) is str):
                count = as_count(typed.count, typed.value)
                following: str | None = None
                unusable: GraphError | None = None
                try:
                    following = self._relative(typed.next, url) if typed.next else None
                except GraphError as error:
                    unusable = error
                return Page(typed.value, link, following, count, options, unusable)
        data = reply.data
        rows = data.get("value") if isinstance(data, dict) else None
        entities: list[Row] = (
            [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
        )
        if not isinstance(rows, list) or (rows and not entities):
            raise GraphError("the service answered a collection without a list of entities")
        count = as_count(data.get("@odata.count"), entities)
        try:
            page = Page(entities, link, self.next_link(data, url=url), count, options)
        except GraphError as error:
            page = Page(entities, link, None, count, options, error)
        if len(entities) == len(rows):
            return page
        unreadable = GraphError("the service answered a row that is no entity")
        return replace(page, unreadable=unreadable)


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
        reader: Reader,
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
        page = await self._load()
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
        self._links.add(request.url)
        page = reader.page(reply, request.url, link, used, self._layout)
        page = with_keys(page, self._key)
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


def _named(options: Options, message: str) -> str | None:
    text = message.lower()
    return next((option for option in options.optional if option[1:] in text), None)


def _names_another(options: Options, message: str) -> bool:
    """Whether a refusal names an option in use that an answer can't do without."""
    used = {"filter": options.filter, "search": options.search, "orderby": options.order}
    text = message.lower()
    return any(value is not None and name in text for name, value in used.items())
