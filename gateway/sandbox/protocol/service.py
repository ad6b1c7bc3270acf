"""The service: answers a logical request, be it an HTTP request or an item of a $batch."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from gateway.sandbox.data.model import EntityType, Row, withhold_unknown_members
from gateway.sandbox.data.rows import ListRows, Rows
from gateway.sandbox.errors import GraphError, bad_request
from gateway.sandbox.protocol import permissions
from gateway.sandbox.protocol.endpoints import ENDPOINTS
from gateway.sandbox.protocol.query_options import Expansion, Query, parse_query
from gateway.sandbox.protocol.routing import Match, Router
from gateway.sandbox.settings import SandboxSettings
from gateway.sandbox.writes.declarations import Endpoint
from gateway.sandbox.writes.targets import Target
from gateway.sandbox.writes.tenant import Tenant

JSON = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"  # noqa: E501
ERROR_JSON = "application/json"
_UNKNOWN_MEMBERS = "include-unknown-enum-members"


@dataclass(frozen=True)
class LogicalRequest:
    """A request as the service sees it.

    `root` is the absolute URL of the version root, `url` relative to it; header names are in
    lower case; `body` is parsed JSON; `grants` are the permissions that the token carries, or None
    if it may do everything.
    """

    root: str
    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    grants: frozenset[str] | None = None

    @property
    def beta(self) -> bool:
        """Say whether the request goes to the beta version."""
        return self.root.endswith("/beta")


@dataclass
class Reply:
    """A status, headers, and a body: a JSON value, or text in `raw`."""

    status: int
    headers: dict[str, str]
    body: Any = None
    raw: str | None = None


def request_ids(headers: Mapping[str, str]) -> tuple[str, str]:
    """Return a new request-id and the client-request-id to echo."""
    request_id = str(uuid4())
    return request_id, headers.get("client-request-id", request_id)


def error_reply(error: GraphError, headers: Mapping[str, str]) -> Reply:
    """Return the reply that an error is, for a request with these headers."""
    request_id, client_id = request_ids(headers)
    names = {"request-id": request_id, "client-request-id": client_id}
    return Reply(
        error.status, {**names, "Content-Type": ERROR_JSON}, error.body(request_id, client_id)
    )


class Service:
    """The service itself: no HTTP, no authentication."""

    def __init__(self, settings: SandboxSettings) -> None:
        self.settings = settings
        self.tenant = Tenant(settings)
        self.drafts = settings.draft_methods == "accept"
        # Without drafts their paths are known still, so that they answer 405; functions are not.
        served = [item for item in ENDPOINTS if self.drafts or not (item.draft and item.function)]
        stable = [endpoint for endpoint in served if not endpoint.beta]
        self.routers = {False: Router(stable), True: Router(served)}

    def handle(self, request: LogicalRequest) -> Reply:
        """Answer one logical request."""
        try:
            status, body = self._answer(request)
        except GraphError as error:
            return error_reply(error, request.headers)
        request_id, client_id = request_ids(request.headers)
        headers = {
            "request-id": request_id,
            "client-request-id": client_id,
            "OData-Version": "4.0",
        }
        if body is not None:
            headers["Content-Type"] = JSON
        return Reply(status, headers, body)

    def _answer(self, request: LogicalRequest) -> tuple[int, Row | None]:
        path, _, text = request.url.partition("?")
        match = self.routers[request.beta].match(request.method, path)
        endpoint = match.endpoint
        if endpoint.draft and not self.drafts:
            raise GraphError(405)
        permissions.check(endpoint, request.grants)
        # Options are judged before the ids in the path are looked up, as OData servers do.
        query = parse_query(text, endpoint, match.path, self.settings, request.beta)
        if endpoint.needs_body and request.body is None:
            raise bad_request("The request has no JSON body.")
        if endpoint.bodiless and request.body not in (None, {}):
            raise bad_request("The action takes no parameters.")
        target = Target(self.tenant, match.keys, endpoint.deleted, request.body, match.period)
        if endpoint.act is not None:
            endpoint.act(target)
            return 204, None
        shown = _Representation(request, match, query, target, self.settings.page_size)
        return endpoint.status, shown.document()


class _Representation:
    def __init__(
        self, request: LogicalRequest, match: Match, query: Query, target: Target, page_size: int
    ) -> None:
        self.request = request
        self.match = match
        self.endpoint: Endpoint = match.endpoint
        self.query = query
        self.target = target
        self.page_size = page_size

    def document(self) -> Row:
        """Return the whole answer."""
        if self.endpoint.rows is not None:
            document = self.collection(self.endpoint.rows(self.target))
        elif self.endpoint.row is not None and self.endpoint.wrapped:
            row = self.shape(self.endpoint.row(self.target), self.endpoint.entity, None)
            document = {self.endpoint.wrapped: row}
        elif self.endpoint.row is not None:
            suffix = "/$entity" if self.endpoint.entity.properties else ""
            document = {"@odata.context": self.context(suffix)}
            document.update(self.row(self.endpoint.row(self.target)))
        prefer = self.request.headers.get("prefer", "").lower()
        if _UNKNOWN_MEMBERS in prefer:
            return document
        withheld: Row = withhold_unknown_members(document)
        return withheld

    def context(self, suffix: str = "") -> str:
        parts = list(self.query.select or ())
        expand = self.query.expand
        if expand and not expand.silent:
            parts.append(f"{expand.navigation.name}({','.join(expand.select or ())})")
        selected = f"({','.join(parts)})" if parts else ""
        return f"{self.request.root}/$metadata#{self.match.context}{selected}{suffix}"

    def collection(self, rows: Rows) -> Row:
        query = self.query
        if query.filter and query.filter.ids is not None:
            named = map(rows.find, query.filter.ids)
            rows = ListRows([row for row in named if row is not None])
        counted = query.count or self.endpoint.counted
        narrowed = query.filter is not None or query.search is not None
        following: int | None
        if query.order or (counted and narrowed):
            matching = [row for row in rows if self.keeps(row)]
            rows = ListRows(query.sort(matching))
            narrowed = False
        page, following = self.page(rows, narrowed)
        document: Row = {"@odata.context": self.context()}
        if counted:
            document["@odata.count"] = len(rows)
        if following is not None:
            url = self.request.root + self.match.path
            document["@odata.nextLink"] = query.next_link(url, self.match.path, following)
        document["value"] = [self.row(row) for row in page]
        return document

    def page(self, rows: Rows, narrowed: bool) -> tuple[Iterable[Row], int | None]:
        page: list[Row] = []
        for position, row in rows.since(self.query.start):
            if narrowed and not self.keeps(row):
                continue
            if len(page) == self.page_size and self.endpoint.paged:
                return page, position
            page.append(row)
        return page, None

    def keeps(self, row: Row) -> bool:
        query = self.query
        if query.filter and not query.filter.keeps(row):
            return False
        if query.search is None:
            return True
        texts = (row.get(name) or "" for name in self.endpoint.entity.search)
        return any(query.search in text.casefold() for text in texts)

    def row(self, row: Row) -> Row:
        """Return one entity as this request shows it."""
        endpoint, expand = self.endpoint, self.query.expand
        result = self.shape(row, endpoint.entity, self.query.select, endpoint.always)
        if endpoint.many:
            for name in endpoint.entity.detail:
                result.pop(name, None)
        if expand and not expand.silent:
            result[expand.navigation.name] = self.related(expand, row)
        if "tasks" in result:
            tasks = result.pop("tasks")
            key = row[endpoint.entity.key]
            segment = f"({key})" if isinstance(key, int) else f"('{key}')"
            result["tasks@odata.context"] = (
                f"{self.request.root}/$metadata#{self.match.context}{segment}/tasks"
            )
            result["tasks"] = tasks
        return {"@odata.type": "#microsoft.graph.user", **result} if endpoint.typed else result

    def related(self, expand: Expansion, row: Row) -> Any:
        navigation = expand.navigation
        value = navigation.related(self.target, row)
        if isinstance(value, list):
            return [self.shape(item, navigation.entity, expand.select) for item in value]
        return value and self.shape(value, navigation.entity, expand.select)

    def shape(
        self,
        row: Row,
        entity: EntityType,
        select: tuple[str, ...] | None,
        always: frozenset[str] = frozenset(),
    ) -> Row:
        """Return the members of one entity that are asked for or come unasked."""
        if select is not None:
            names = {*select, *entity.always, *always}
            result = {name: value for name, value in row.items() if name in names}
        elif entity.default:
            return {name: value for name, value in row.items() if name in entity.default}
        else:
            result = dict(row)
        for name in entity.hidden:
            result.pop(name, None)
        grants = self.request.grants
        if "employeeLeaveDateTime" in result and grants and permissions.LEAVE_DATE not in grants:
            result["employeeLeaveDateTime"] = None
        return result
