"""Links to further pages: they are followed to the version root alone."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from gateway.errors import GraphError
from gateway.odata.address import same_path

_LONGEST_LINK = 98_304


class Links:
    """The nextLinks of one version root.

    Args:
        root: the version root.
        origins: that links may name instead of the root's own.
    """

    def __init__(self, root: str, origins: Iterable[str] = ()) -> None:
        self._root = root
        self._origins = {_origin(urlsplit(url)) for url in (root, *origins)}

    def relative(self, link: str, url: str = "") -> str:
        """A nextLink relative to the version root, whatever origin it names.

        A relative one is resolved against the URL of the request (RFC 3986). OData takes the
        context URL, which is below the version root, for its base (OData JSON Format 4.01, section
        4.3), so what does not lead to the same collection that way is resolved against the root.

        Args:
            link: as the service wrote it.
            url: what was requested, relative to the version root; ``""`` if that is not known.

        Raises:
            GraphError: the link leads elsewhere; it is never followed, because the token would go
                with it (questions.md, point 4). Or it is longer than 96 kB.
        """
        if len(link) > _LONGEST_LINK:
            raise GraphError("the service gave a nextLink that is longer than any service takes")
        outside = GraphError("the service gave a nextLink that leads outside the version root")
        try:
            there = urlsplit(link)
            if there.scheme:
                found = self._below_the_root(there)
            else:
                bases = (f"{self._root}/{url}", f"{self._root}/") if url else (f"{self._root}/",)
                ways = (self._below_the_root(urlsplit(urljoin(base, link))) for base in bases)
                wanted = url.partition("?")[0]
                found = next((way for way in ways if way and same_path(way, wanted or way)), None)
        except ValueError:
            raise outside from None
        if found is None:
            raise outside
        return found

    def _below_the_root(self, url: SplitResult) -> str | None:
        """A URL relative to the version root.

        Where the root is a proxy, links may name the version without what stands before it there.
        """
        root = urlsplit(self._root).path
        prefixes = (f"{root}/", f"/{root.rpartition('/')[2]}/")
        prefix = next((prefix for prefix in prefixes if url.path.startswith(prefix)), None)
        segments = unquote(url.path).replace("\\", "/").split("/")
        if _origin(url) not in self._origins or prefix is None or ".." in segments:
            return None
        path = url.path.removeprefix(prefix)
        return f"{path}?{url.query}" if url.query else path


def _origin(url: Any) -> tuple[str, str | None, int | None]:
    return url.scheme, url.hostname, url.port or {"https": 443, "http": 80}.get(url.scheme)
