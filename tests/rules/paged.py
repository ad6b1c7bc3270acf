"""A collection that changes between its pages, behind `Unusual`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from tests.conftest import Gateway, Start
from tests.upstreams import Answered, Asked, Unusual, graph_error

LIFECYCLE = "identityGovernance/lifecycleWorkflows"
Row = dict[str, Any]


@dataclass
class Paged:
    """Serves ``rows``, which a test may change at any time, in pages.

    Attributes:
        rows: the rows of the collection, in its order.
        size: of a page.
        path: of the collection, below the lifecycle workflows.
        by: the property that page tokens hold the last value of, so that a page begins after it;
            ``None`` for tokens that hold a row number.
        link: writes the nextLink for a query string.
        generation: page tokens of an earlier one have expired.
        expired: what a request with such a token gets.
        failing: page tokens (without the generation) that get an error.
        asked: the URLs of the requests so far.
        root: of the service, for the links.
    """

    rows: list[Row]
    size: int = 2
    path: str = "workflows"
    by: str | None = None
    link: Callable[[str], str] | None = None
    generation: int = 0
    expired: Callable[[], Answered] = lambda: graph_error(400, "Directory_ExpiredPageToken")
    failing: dict[str, Answered] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    root: str = ""

    def __call__(self, asked: Asked) -> Answered | None:
        """Answer a request for a page; leave all others to the service."""
        path, _, query = asked.url.partition("?")
        if path != f"{LIFECYCLE}/{self.path}":
            return None
        self.asked.append(asked.url)
        options = parse_qs(query)
        start: Any = 0
        if "$skiptoken" in options:
            generation, _, start = options.pop("$skiptoken")[0].partition(".")
            if int(generation) != self.generation:
                return self.expired()
            if start in self.failing:
                return self.failing[start]
        if self.by is not None and start:
            begin = next((n for n, r in enumerate(self.rows) if r[self.by] > start), len(self.rows))
        else:
            begin = int(start)
        page = self.rows[begin : begin + self.size]
        names = options.get("$select", [""])[0].split(",")
        body: dict[str, Any] = {
            "value": [{k: v for k, v in row.items() if names == [""] or k in names} for row in page]
        }
        if "$count" in options:
            body["@odata.count"] = len(self.rows)
        if begin + self.size < len(self.rows):
            end = begin + self.size if self.by is None else page[-1][self.by]
            kept = "&".join(f"{name}={values[0]}" for name, values in options.items())
            token = f"{kept}&$skiptoken={self.generation}.{end}".lstrip("&")
            body["@odata.nextLink"] = (
                f"{self.root}/{path}?{token}" if self.link is None else self.link(token)
            )
        return Answered(body)


async def served(start: Start, *collections: Paged, **kwargs: Any) -> Gateway:
    """A gateway in front of a service with these collections."""

    def instead(asked: Asked) -> Answered | None:
        answers = (collection(asked) for collection in collections)
        return next((answer for answer in answers if answer is not None), None)

    gateway = await start(unusual=Unusual(instead=instead), **kwargs)
    for collection in collections:
        collection.root = f"{str(gateway.upstream.base_url).rstrip('/')}/v1.0"
    return gateway


def rows_of(*ids: str, **more: Any) -> list[Row]:
    """Rows with these ids."""
    return [{"id": id_, **more} for id_ in ids]
