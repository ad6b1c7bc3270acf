"""Declarations of a resource: its properties, its edges, and the places where it lives upstream.

A type of the schema is a plain annotated class whose fields are made by `prop`, `edge` and
`connection`. Their metadata is the resource model, and their values are read from the stitched
rows, so no resolver is written by hand. `resource` adds what is not in the fields: the routes, the
root fields that lead to it, and edges to it from other resources. `gateway.schema.build` reads it
all, and checks it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, dataclass_transform

import strawberry

from gateway.answer.readings import Reading
from gateway.internals import Argument, argument, camel_case
from gateway.internals import field as make_field
from gateway.odata.routes import Route, arguments_of
from gateway.plan.model import (
    DEFAULT_FIRST,
    Across,
    Lookup,
    Navigation,
    Property,
    Shape,
    Strategy,
)
from gateway.schema.relay import Connection
from gateway.schema.rows import key_of, marked, read, read_edge, reads_edge

T = TypeVar("T", bound=type)

DRAFT = "Beta draft; the v1.0 service refuses it. "
"""Begins the description of what only the beta draft of the documents has."""

MODEL = "odata"
KEY = "key"
_RESOURCE = "__resource__"


# --- properties ------------------------------------------------------------------------------


def prop(
    description: str,
    *,
    key: bool = False,
    in_list: bool = True,
    beta: bool = False,
    also: tuple[str, ...] = (),
    resolver: Any = None,
) -> Any:
    """A structural property.

    Args:
        description: for the schema; units and nullability included.
        key: whether it is the key of the entity.
        in_list: false where list responses leave the property out.
        beta: whether only the beta version has it.
        also: other names under which the service may write it, for ``resolver``.
        resolver: reads the value where the raw one is not the answer.
    """
    return make_field(
        description=description,
        resolver=resolver,
        metadata={MODEL: lambda name: Property(name, in_list, beta, also), KEY: key},
    )


def text_of(python_name: str) -> Any:
    """The text that the service wrote for the enum property ``python_name`` of the same type.

    Where the enum says UNKNOWN_FUTURE_VALUE, this alone tells what the service has said
    (questions.md, point 12). It is read from the same property, and so costs nothing upstream.
    """
    key = key_of(python_name)

    def read_text(root: Any) -> Any:
        return read(root, key)

    return make_field(
        description=f"`{key}` as the service wrote it, known to the gateway or not.",
        resolver=marked(read_text, Reading(key)),
        metadata={MODEL: lambda _: Property(key)},
    )


# --- edges -----------------------------------------------------------------------------------


@reads_edge
def _read_edge(root: Any, info: strawberry.Info) -> Any:
    return read_edge(root, info)


def edge_metadata(make: Callable[[str], Navigation]) -> dict[str, Any]:
    """Field metadata of an edge; ``make`` gets the field's GraphQL name."""
    return {MODEL: make}


def edge(
    target: str,
    *strategies: Strategy,
    description: str,
    shape: Shape = Shape.SINGLE,
    filter: Any = None,  # noqa: A002
    order: Any = None,
    **how: Any,
) -> Any:
    """An edge to one entity or a bounded list.

    Args:
        target: the name of the type at the other end.
        strategies: the ways to have it, best first.
        description: for the schema.
        shape: one entity, or a bounded list.
        filter, order: input types by which the gateway itself narrows the list.
        how: see `Navigation`.
    """
    return make_field(
        description=description,
        resolver=None if filter is None and order is None else _read_edge,
        arguments=_narrowing(filter, order, by=" by the gateway itself"),
        metadata=edge_metadata(
            lambda name: Navigation(
                name=name, target=target, shape=shape, strategies=strategies, **how
            )
        ),
    )


def connection(
    target: str,
    *,
    description: str,
    filter: Any = None,  # noqa: A002
    order: Any = None,
    search: bool = False,
    **how: Any,
) -> Any:
    """An edge to an unbounded collection, one request per parent.

    Args:
        target: the name of the type of its rows.
        description: for the schema.
        filter, order: input types by which the service narrows it, if it does.
        search: whether it takes ``$search``.
        how: see `Navigation`.
    """
    return make_field(
        description=description,
        resolver=_read_edge,
        arguments=[*PAGE, *_narrowing(filter, order), *([_SEARCH] if search else [])],
        metadata=edge_metadata(
            lambda name: Navigation(
                name=name,
                target=target,
                shape=Shape.CONNECTION,
                strategies=(Strategy.REQUEST,),
                **how,
            )
        ),
    )


PAGE = (
    argument(
        "first",
        int | None,
        "How many at most; from 1 to the gateway's maximum (1000).",
        default=DEFAULT_FIRST,
    ),
    argument(
        "after", str | None, "A cursor of this edge: what follows it is returned.", default=None
    ),
)
_SEARCH = argument("search", str | None, "Words of the name or the description.", default=None)


def optional(name: str, type_: Any, description: str) -> Argument:
    """An argument that may be left out, or null."""
    return argument(name, type_ | None, description, default=None)


def _narrowing(filter_: Any, order: Any, by: str = "") -> list[Argument]:
    made = []
    if filter_ is not None:
        made.append(optional("filter", filter_, f"Which rows; filtered{by or ' upstream'}."))
    if order is not None:
        about = f"How the rows are sorted{by}, first key first."
        made.append(optional("order_by", list[order], about))
    return made


# --- resources -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """A root field that leads to a resource.

    Attributes:
        description: for the schema.
        shape: one entity, or a connection.
        at: where it is; see `Routes.at`. Its placeholders are arguments of the field.
        arguments: the further arguments.
        draft: whether only the beta draft of the documents has it.
        how: see `Navigation`.
    """

    description: str
    shape: Shape
    at: tuple[str, ...]
    arguments: tuple[Argument, ...] = ()
    draft: bool = False
    how: Mapping[str, Any] = field(default_factory=dict)

    def keys(self) -> dict[str, tuple[str, str, bool]]:
        """The placeholders: each with its collection, the path to it, and whether it is needed."""
        found: dict[str, tuple[str, str, bool]] = {}
        for template in self.at:
            for name, collection in arguments_of(template):
                needed = all(f"{{{name}}}" in other for other in self.at)
                found.setdefault(name, (collection, template.partition(f"{{{name}}}")[0], needed))
        # Those that may be left out come last, as in a signature.
        return dict(sorted(found.items(), key=lambda item: not item[1][2]))


def one(*at: str, description: str, arguments: Sequence[Argument] = (), **how: Any) -> Root:
    """A root field that leads to one entity; for ``how`` see `Root` and `Navigation`."""
    draft = how.pop("draft", False)
    return Root(
        description=description,
        shape=Shape.SINGLE,
        at=at,
        arguments=tuple(arguments),
        draft=draft,
        how=how,
    )


def many(
    at: str,
    *,
    description: str,
    filter: Any = None,  # noqa: A002
    order: Any = None,
    search: bool = False,
    arguments: Sequence[Argument] = (),
    across: Across | None = None,
    **how: Any,
) -> Root:
    """A root field that leads to a collection, or to the rows of all containers of one.

    Args:
        at: the path of the collection, from the root of the service.
        description, filter, order, search: as for `connection`.
        arguments: the further arguments.
        across: where the rows are below the entities of the collection.
        how: see `Navigation`.
    """
    narrowing = [*_narrowing(filter, order), *([_SEARCH] if search else [])]
    required = [given for given in arguments if given.default is strawberry.UNSET]
    others = [given for given in arguments if given not in required]
    return Root(
        description=description,
        shape=Shape.CONNECTION,
        at=(at,),
        arguments=(*required, *PAGE, *narrowing, *others),
        how={**how, "across": across},
    )


@dataclass(frozen=True, slots=True)
class Resource:
    """All that is declared of a resource beside its fields; see `resource`."""

    type: Any
    routes: tuple[Route, ...]
    roots: Mapping[str, Root]
    edges: Mapping[str, Mapping[str, Any]]
    lookup: Lookup | None
    permissions: tuple[str, ...]
    beta: bool
    connection: Any


@dataclass_transform(kw_only_default=True, field_specifiers=(prop, edge, connection, text_of))
def resource(
    description: str,
    *,
    routes: Sequence[Route] = (),
    roots: Mapping[str, Root] | None = None,
    edges: Mapping[str, Mapping[str, Any]] | None = None,
    lookup: Lookup | None = None,
    permissions: Sequence[str] = (),
    beta: bool = False,
    connection: Any = Connection,
) -> Callable[[T], T]:
    """Declares a type of the service.

    Args:
        description: for the schema.
        routes: where its entities live. From them follow their ``nodeId``s and cursors.
        roots: root fields that lead to it, by their names in snake_case.
        edges: edges that lead to it from other types, by the type's name and the edge's, in
            snake_case. Most edges stand in the class that they begin at.
        lookup: how many are looked up at once of which only the ids are known.
        permissions: what reading it takes, the least first; the description names that.
        beta: whether only the beta version has it.
        connection: the type of the connections to it.
    """

    def declare(cls: T) -> T:
        reading = f" Reading takes `{permissions[0]}` at least." if permissions else ""
        made = strawberry.type(cls, description=description + reading)
        declared = Resource(
            made,
            tuple(routes),
            roots or {},
            edges or {},
            lookup,
            tuple(permissions),
            beta,
            connection,
        )
        setattr(made, _RESOURCE, declared)
        return made

    return declare


def declared(type_: Any) -> Resource | None:
    """The declaration of a type that is a resource itself (and not only a subclass of one)."""
    return getattr(type_, "__dict__", {}).get(_RESOURCE)


def title(type_name: str) -> str:
    """The name of a type in words.

    >>> title("TaskReport")
    'task report'
    """
    return "".join(f" {c.lower()}" if c.isupper() else c for c in type_name).strip()


def root_arguments(
    root: Root, title_of: Callable[[str], str], numbered: Callable[[str], bool]
) -> list[Argument]:
    """The arguments of a root field: the keys of its path, and the further ones.

    Args:
        root: its declaration.
        title_of: the title of what is at a path that ends in a key.
        numbered: whether the keys of a collection are numbers.
    """
    made = []
    for name, (collection, path, needed) in root.keys().items():
        what = title_of(f"{path}*")
        type_: Any = strawberry.ID
        about = f"Identifier of the {what}."
        if numbered(collection):
            type_, about = int, f"The number of the {what}, from 1."
        python_name = "".join(f"_{c.lower()}" if c.isupper() else c for c in name)
        assert camel_case(python_name) == name  # noqa: S101 - the plan reads it by this name
        made.append(
            argument(python_name, type_, about) if needed else optional(python_name, type_, about)
        )
    return [*made, *root.arguments]
