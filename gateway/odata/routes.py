"""Routes: at which paths the entities of a service live, and what their keys must not be.

What one service has is declared (`Service`, and a `Route` for each place of an entity type); from
that follow the addresses of entities, their global ids, and the names that no key may be. The rules
of paths: graph-lifecycle-api.md, sections 1, 7 and 8.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from gateway.errors import BadUserInput, DeclarationError
from gateway.odata.address import MAX_ID_LENGTH, NIL, Address, key_segment

_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\x9f/\\%?#]")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Route:
    """A place where the entities of one type live.

    Attributes:
        path: names, and ``*`` for a key: relative to the entities of the type ``below``, else to
            the root of the service; from the version root if it begins with a slash.
        below: the name of the type of the entities that contain these.
        get: whether ``GET`` of the entity's own path is documented. If not, it is read out of its
            collection.
        select: whether that takes ``$select``, and the collection ``$filter``.
        number: whether the key is a number from 1.
    """

    path: str
    below: str | None = None
    get: bool = True
    select: bool = True
    number: bool = False


@dataclass(frozen=True, slots=True)
class Service:
    """The particulars of one service's paths.

    Attributes:
        root: the path of the container of its collections, from the version root.
        sections: names before a collection that no key follows.
        functions: functions of collections that may be called without parentheses.
        names: the names of other functions, actions and properties that stand in paths.
        outside: names in paths outside of ``root`` that no key stands beside.
        namespaces: prefixes of qualified names, each with its dot.
    """

    root: str
    sections: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()

    def node_id(self, path: str) -> str:
        """The opaque, URL-safe global id of the entity at ``path``."""
        short = path.removeprefix(self.root + "/")
        return base64.urlsafe_b64encode(short.encode()).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True)
class _Place:
    segments: tuple[str, ...]
    entity: str
    route: Route


class Routes:
    """The routes of a service.

    Args:
        service: its root and its names.
        routes: those of each entity type, by its name.
        names: the names of edges, which stand in paths too.

    Raises:
        DeclarationError: a route is below a type that has none, or below itself.
    """

    def __init__(
        self, service: Service, routes: Mapping[str, Sequence[Route]], names: Iterable[str] = ()
    ) -> None:
        self.service = service
        self._declared = routes
        self._places: dict[str, list[_Place]] = {}
        for entity in routes:
            self._expand(entity, ())
        self._all = [place for places in self._places.values() for place in places]
        segments = {s for place in self._all for s in place.segments if s != "*"}
        above = {*service.root.split("/"), *service.outside}
        self._names = frozenset(
            name.casefold()
            for name in {*segments, *service.names, *service.functions, *names} - above
        )
        self._roots = frozenset(name.casefold() for name in above)
        self._numbered = frozenset(place.segments[-2] for place in self._all if place.route.number)
        # The same as `_is_operator` of an encoded path, for the keys that the service gives: what
        # the gateway writes there itself as an operator (`$ref`, `f(…)`) is not encoded.
        qualified = "|".join(map(re.escape, service.namespaces)) or r"(?!)"
        functions = "".join(f"|{re.escape(name)}" for name in service.functions)
        self._misread = re.compile(
            rf"%28|%29|(?:^|/)(?:%24|%40|{qualified}|(?:%2A|%27[^/]*%27|\.+{functions})(?:/|$))",
            re.IGNORECASE,
        )

    def _expand(self, entity: str, through: tuple[str, ...]) -> list[_Place]:
        if entity in self._places:
            return self._places[entity]
        if entity in through:
            raise DeclarationError(entity, "lives below itself")
        places: list[_Place] = []
        root = tuple(self.service.root.split("/"))
        for route in self._declared[entity]:
            segments = tuple(route.path.strip("/").split("/"))
            if route.below is None:
                above = [() if route.path.startswith("/") else root]
            elif route.below in self._declared:
                above = [p.segments for p in self._expand(route.below, (*through, entity))]
            else:
                raise DeclarationError(entity, f"lives below {route.below}, which has no route")
            places += [_Place((*start, *segments), entity, route) for start in above]
        self._places[entity] = places
        return places

    # --- keys -------------------------------------------------------------------------------

    def checked_id(self, value: str, argument: str) -> str:
        """An id that a caller gave, unchanged, if it can be one.

        Ids are opaque strings (graph-lifecycle-api.md, section 1), so no format is assumed: the
        rule is only what keeps an id one path segment, and that segment a key.

        Raises:
            BadUserInput: names ``argument`` and the rule that the value breaks.
        """
        if not value:
            raise BadUserInput("an id is not empty", argument=argument)
        if len(value) > MAX_ID_LENGTH:
            raise BadUserInput(f"an id has at most {MAX_ID_LENGTH} characters", argument=argument)
        if _FORBIDDEN.search(value) or not value.isprintable() or value in (".", ".."):
            raise BadUserInput(
                "an id has no white space, control characters, '/', '\\', '%', '?' or '#', "
                "and is not '.' or '..'",
                argument=argument,
            )
        if self._is_operator(value):
            names = ", ".join(map(repr, ("$", "@", *self.service.namespaces[:-1])))
            raise BadUserInput(
                f"an id does not begin with {names} or {self.service.namespaces[-1]!r}, has no "
                "parentheses and no quotes around it, is not '*' or dots alone, and is no name in "
                f"Microsoft Graph's paths, such as {self.service.functions[0]!r}",
                argument=argument,
            )
        return value

    def _is_operator(self, key: str) -> bool:
        """Whether a service may read a key as something else.

        Segments are split before they are decoded, so encoding the key does not help (OData 4.01,
        Part 2, section 2).
        """
        folded = key.casefold()
        return (
            key[0] in "$@"
            or "(" in key
            or ")" in key
            or key == "*"
            or not key.strip(".")
            or (len(key) > 1 and key[0] == key[-1] == "'")
            or folded.startswith(self.service.namespaces)
            or folded in self._names
        )

    def misread(self, path: str) -> bool:
        """Whether an encoded path of the gateway has a key that may be read as something else.

        Callers can't give such an id (`checked_id`); the service can.
        """
        return self._misread.search(path) is not None

    def is_name(self, segment: str) -> bool:
        """Whether a segment of a path is the name of something, and not a key."""
        name = segment.partition("(")[0].casefold()
        known = name in self._names or name in self._roots
        return known or name.startswith(self.service.namespaces)

    # --- addresses --------------------------------------------------------------------------

    def of(self, entity: str) -> list[str]:
        """The patterns of the paths at which entities of a type live, from the version root."""
        return ["/".join(place.segments) for place in self._places.get(entity, ())]

    def locate(self, path: str) -> Address | None:
        """The address behind an encoded path that the gateway made, if entities live there."""
        segments = path.split("/")
        for place in self._all:
            if len(place.segments) == len(segments) and all(
                wanted in ("*", have) for have, wanted in zip(segments, place.segments, strict=True)
            ):
                route = place.route
                return Address(path, place.entity, unquote(segments[-1]), route.get, route.select)
        return None

    def addressed(self, path: str) -> Address:
        """The address behind an encoded path that the gateway made.

        Raises:
            LookupError: no entity is read at such a path.
        """
        address = self.locate(path)
        if address is None:
            raise LookupError(f"no entity is at {path}")
        return address

    def filled(self, template: str, arguments: Mapping[str, Any]) -> str:
        """The encoded path that a template makes of the keys that a caller gave.

        Args:
            template: a path relative to the service's root, with ``{argument}`` for each key.
            arguments: the keys by the names of the arguments.

        Raises:
            BadUserInput: a key can't be one; names its argument.
        """
        path = [self.service.root]
        for segment in template.split("/"):
            found = _PLACEHOLDER.fullmatch(segment)
            if found is None:
                path.append(segment)
                continue
            name = found[1]
            value = arguments[name]
            if path[-1] in self._numbered and isinstance(value, int) and value < 1:
                raise BadUserInput(f"{path[-1]} are numbered from 1", argument=name)
            path.append(key_segment(self.checked_id(str(value), name)))
        return "/".join(path)

    def at(self, templates: Sequence[str], arguments: Mapping[str, Any], entity: str) -> Address:
        """The address that the first template leads to of which all keys were given.

        Args:
            templates: see `filled`; the last has no key that may be left out.
            arguments: what a caller gave.
            entity: the type that is there, for a place without a key.

        Raises:
            BadUserInput: a key can't be one; names its argument.
        """
        template = next(
            (
                template
                for template in templates
                if all(arguments.get(name) is not None for name in _PLACEHOLDER.findall(template))
            ),
            templates[-1],
        )
        path = self.filled(template, arguments)
        address = self.locate(path)
        if address is None:
            return Address(path, entity, "", selectable=False)
        return address if template.endswith("}") else replace(address, id="")

    def is_numbered(self, collection: str) -> bool:
        """Whether the keys of a collection are numbers."""
        return collection in self._numbered

    def collections(self, path: str) -> list[str]:
        """The names of the collections that a path leads through, outermost first.

        >>> Routes(Service("r", sections=("gone",)), {}).collections("r/gone/as/1/bs/2")
        ['as', 'bs']
        """
        segments = path.removeprefix(self.service.root + "/").split("/")
        return (segments[1:] if segments[0] in self.service.sections else segments)[::2]

    def of_nobody(self, path: str) -> str:
        """The same path with other keys: no caller and no service gave them.

        >>> Routes(Service("r"), {"A": [Route("as/*")]}).of_nobody("r/as/1f/bs")
        'r/as/00000000-0000-0000-0000-000000000000/bs'
        """
        return "/".join(self._others(path))

    def _others(self, path: str) -> Iterator[str]:
        prefix = self.service.root + "/"
        start = len(prefix.split("/")) - 1 if path.startswith(prefix) else 0
        segments = path.split("/")
        if segments[start] in self.service.sections:
            start += 1
        for place, segment in enumerate(segments):
            is_key = place > start and (place - start) % 2 == 1
            above = segments[place - 1]
            yield (("1" if above in self._numbered else NIL) if is_key else segment)

    # --- global ids -------------------------------------------------------------------------

    def node_id(self, path: str) -> str:
        """The opaque, URL-safe global id of the entity at ``path``."""
        return self.service.node_id(path)

    def parse_node_id(self, value: str, argument: str = "nodeId") -> Address:
        """The address behind a global id.

        Raises:
            BadUserInput: the value is not a node id that this gateway makes.
        """
        refused = BadUserInput("this is not a nodeId of this gateway", argument=argument)
        if len(value) > 8 * MAX_ID_LENGTH:
            raise refused
        try:
            raw = value.encode("ascii")
            short = base64.b64decode(raw + b"=" * (-len(raw) % 4), altchars=b"-_", validate=True)
            segments = short.decode("ascii").split("/")
        except (binascii.Error, UnicodeError):
            raise refused from None
        start = 1 if segments[0] in self.service.sections else 0
        keys = [self.checked_id(unquote(key), argument) for key in segments[start + 1 :: 2]]
        segments[start + 1 :: 2] = [key_segment(key) for key in keys]
        path = "/".join(segments)
        address = self.locate(f"{self.service.root}/{path}") or self.locate(path)
        if not keys or address is None or self.node_id(address.path) != value:
            raise refused
        return address


def arguments_of(template: str) -> list[tuple[str, str]]:
    """The arguments of a template, each with the name of the collection that it is a key of.

    >>> arguments_of("as/{aId}/bs/{id}")
    [('aId', 'as'), ('id', 'bs')]
    """
    segments = template.split("/")
    return [
        (found[1], segments[place - 1])
        for place, segment in enumerate(segments)
        if (found := _PLACEHOLDER.fullmatch(segment))
    ]
