"""Routing: the endpoint that a request path belongs to."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from gateway.sandbox.data.periods import Period, parse_period
from gateway.sandbox.errors import GraphError, bad_request
from gateway.sandbox.writes.declarations import Endpoint

_PARAMETER = re.compile(r"\{(\w+)\}")
_NO_KEY = re.compile(r"^\$|\(")
_CALL = re.compile(r"(?:microsoft\.graph\.identityGovernance\.)?(\w+)\((.*)\)", re.I)
# What has a name and a value in the parentheses is a function.
_KEYED = re.compile(r"(?P<collection>\w+)\((?:'(?P<quoted>(?:[^']|'')*)'|(?P<plain>[^'=,()]+))\)")
_NAMESPACE = "microsoft.graph.identitygovernance."
_INTEGER_KEYS = frozenset({"version"})


@dataclass(frozen=True)
class Match:
    """An endpoint, and the keys and parameters that its path holds."""

    endpoint: Endpoint
    keys: dict[str, str]
    parameters: str = ""
    period: Period | None = None

    @property
    def path(self) -> str:
        """The path in its usual spelling, encoded, relative to the version root."""
        parts = (
            quote(self.keys[part[1:-1]], safe="") if _PARAMETER.fullmatch(part) else part
            for part in self.endpoint.path.split("/")
        )
        path = "/" + "/".join(parts)
        return f"{path[:-1]}{self.parameters})" if self.endpoint.function else path

    @property
    def context(self) -> str:
        """The path as context URLs write it: `workflows('…')/runs`, without a last key.

        graph-lifecycle-api.md section 7, Query options and URLs.
        """
        endpoint = self.endpoint
        if endpoint.context or not endpoint.lifecycle:
            return endpoint.context or "users"
        parts = endpoint.path.split("/")
        if _PARAMETER.fullmatch(parts[-1]):
            parts.pop()
        text = ""
        for part in parts:
            match = _PARAMETER.fullmatch(part)
            if match is None:
                text += f"/{part}"
            elif match[1] in _INTEGER_KEYS:
                text += f"({self.keys[match[1]]})"
            else:
                text += f"('{self.keys[match[1]]}')"
        return text[1:]


@dataclass
class _Node:
    literals: dict[str, "_Node"] = field(default_factory=dict)
    parameter: "_Node | None" = None
    name: str = ""
    methods: dict[str, Endpoint] = field(default_factory=dict)


class Router:
    """A tree of path segments, of which the letter case of the fixed ones does not matter.

    Doubled and trailing slashes are tolerated: graph-lifecycle-api.md section 7, Query options
    and URLs. A last segment `name()` of an endpoint stands for a function of a period. Functions
    and actions are found by their plain and by their qualified name. A key may stand in parentheses
    behind its collection, as in `workflows('…')` and `versions(3)`.
    """

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self.root = _Node()
        self.actions: dict[str, str] = {}
        for endpoint in endpoints:
            node = self.root
            for part in endpoint.path.split("/"):
                match = _PARAMETER.fullmatch(part)
                if match is None:
                    node = node.literals.setdefault(part.lower(), _Node())
                    continue
                if node.parameter is None:
                    node.parameter = _Node(name=match[1])
                node = node.parameter
            node.methods[endpoint.method] = endpoint
            if endpoint.action:
                name = endpoint.path.rpartition("/")[2].lower()
                self.actions[f"{_NAMESPACE}{name}"] = name

    def _segments(self, path: str) -> Iterator[str]:
        """Yield the decoded segments of a path, a key in parentheses as one of its own."""
        for segment in map(unquote, filter(None, path.split("/"))):
            found = _KEYED.fullmatch(segment)
            if found is None:
                yield segment
                continue
            yield found["collection"]
            quoted: str | None = found["quoted"]
            yield found["plain"] if quoted is None else quoted.replace("''", "'")

    def match(self, method: str, path: str) -> Match:
        """Return the endpoint for an encoded path; raise 400 or 405 where there is none."""
        node = self.root
        keys: dict[str, str] = {}
        segment = parameters = ""
        for segment in self._segments(path):
            name = segment.lower()
            following = node.literals.get(self.actions.get(name, name))
            if call := _CALL.fullmatch(segment):
                following = node.literals.get(f"{call[1].lower()}()")
                parameters = call[2]
            # `$count` and `summary(…)` are not keys, even where a key may stand.
            if following is None and node.parameter is not None and not _NO_KEY.search(segment):
                following = node.parameter
                keys[following.name] = segment
            if following is None:
                raise bad_request(f"Resource not found for the segment '{segment}'.")
            node = following
        if not node.methods:
            raise bad_request(f"Resource not found for the segment '{segment}'.")
        if method not in node.methods:
            raise GraphError(405)
        endpoint = node.methods[method]
        period = parse_period(parameters) if endpoint.function else None
        return Match(endpoint, keys, parameters, period)
