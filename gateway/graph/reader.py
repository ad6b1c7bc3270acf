"""Reads entities and paged collections, and learns on the way what the service accepts."""

from asyncio import Future, gather
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any

from gateway.errors import BudgetExceeded, GatewayError, GraphError
from gateway.graph.capabilities import Capabilities, PageSizes
from gateway.graph.experiment import Trial, needed, proves, trials
from gateway.graph.loaders import RequestLoader
from gateway.graph.pages import Page, Pages, as_count, distinct, with_keys
from gateway.graph.record import Record
from gateway.graph.replies import Body, Reply
from gateway.odata.query import GraphRequest, Options
from gateway.odata.routes import Routes
from gateway.plan.cost import CostModel
from gateway.plan.layout import Layout
from gateway.plan.nodes import PlanNode
from gateway.plan.rows import Row


@dataclass(frozen=True, slots=True)
class Asking:
    """The one wording in which the first pages of many collections are asked for.

    Attributes:
        node: whose rows they are.
        options: what is wanted.
        used: what of that is asked for, as far as it is known what the service accepts.
        query: the query string of ``used``.
        reader: reads them.
    """

    node: PlanNode
    options: Options
    used: Options
    query: str
    reader: "Reader"

    def request(self, path: str) -> GraphRequest:
        """The request for the first page of the collection at ``path``."""
        return GraphRequest(f"{path}?{self.query}" if self.query else path)

    def load(self, path: str) -> Future[Reply] | None:
        """Its reply, which is on its way; ``None`` if the path can't be asked for."""
        return None if self.reader.routes.misread(path) else self.reader.load(self.request(path))


class Reader:
    """Reading on behalf of one operation.

    Args:
        loader: the operation's dataloader.
        capabilities, page_sizes: what the process has learned of the service.
        costs: compares strategies.
        routes: of the service.
        relative: turns a nextLink, and the URL of what it was in, into a URL relative to the root,
            or raises `GraphError`.
        record: notes what each step asks for.
    """

    def __init__(
        self,
        loader: RequestLoader,
        capabilities: Capabilities,
        page_sizes: PageSizes,
        relative: Callable[[str, str], str],
        costs: CostModel,
        routes: Routes,
        record: Record | None = None,
    ) -> None:
        self._loader = loader
        self.record = record
        self.capabilities = capabilities
        self.page_sizes = page_sizes
        self._relative = relative
        self.costs = costs
        self.routes = routes
        self._refused: set[str] = set()
        self._tried: set[str] = set()

    def load(self, request: GraphRequest) -> Future[Reply]:
        """The reply to one request, which is on its way; equal ones of the operation share it."""
        reply = self._loader.load(request)
        if self.record is not None:
            self.record.asked(request, reply)
        return reply

    @property
    def left(self) -> int:
        """Requests that the operation may still send."""
        return self._loader.left

    def beyond(self, further: int) -> BudgetExceeded:
        """The error of ``further`` requests that are not sent."""
        return self._loader.beyond(self._loader.spent + further)

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
        if self.routes.misread(path):
            error = GraphError("the service gave a key that stands for something else in a URL")
            return Reply(error=error), options
        used = self._usable(options, entity)
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

    def asking(self, options: Options, node: PlanNode) -> Asking:
        """The wording of first pages with ``options``, without what is known to be refused."""
        used = self._usable(options, node.entity.name)
        return Asking(node, options, used, used.query(), self)

    def _usable(self, options: Options, entity: str) -> Options:
        used = options
        for option in options.optional:
            if not all(map(self.allows, needed(options, option, entity))):
                used = used.without(option)
        return used

    def allows(self, capability: str) -> bool:
        """Whether ``capability`` may be used in this operation."""
        return capability not in self._refused and self.capabilities.allows(capability)

    def doubt(self, capability: str) -> None:
        """Do without ``capability`` in this operation."""
        self._refused.add(capability)

    def _trials(
        self, path: str, options: Options, option: str, entity: str
    ) -> list[Coroutine[Any, Any, bool]]:
        """The trials that find out the reason of a refusal; once in an operation."""
        tried = needed(options, option, entity)[-1]
        if tried in self._tried:
            return []
        self._tried.add(tried)
        return [self.proven(trial) for trial in trials(path, options, option, entity, self.routes)]

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
        reply = self._loader.load(request)
        if self.record is not None:
            self.record.asked(request, reply, page=True)
        try:
            return await reply
        finally:
            self._loader.clear(request)

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


def _named(options: Options, message: str) -> str | None:
    text = message.lower()
    return next((option for option in options.optional if option[1:] in text), None)


def _names_another(options: Options, message: str) -> bool:
    """Whether a refusal names an option in use that an answer can't do without."""
    used = {"filter": options.filter, "search": options.search, "orderby": options.order}
    text = message.lower()
    return any(value is not None and name in text for name, value in used.items())
