"""How a mutation says what it sends, and what it answers.

A mutation is one field made by `change`: an input type, a method and a path template. The input is
checked and becomes the path and the body (`gateway.schema.given`); what is selected of the payload
is planned like a query and read where the service's answer does not hold it already.
"""

import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

import strawberry
from graphql import GraphQLObjectType, GraphQLResolveInfo, get_named_type, is_composite_type
from strawberry.types import Info

from gateway.graph.caller import Permission
from gateway.graph.client import Reply
from gateway.graph.entities import unwrapped
from gateway.graph.errors import GraphError
from gateway.odata.address import addressed, key_of, key_segment, node_id
from gateway.odata.errors import BadUserInput, GatewayError
from gateway.odata.model import Navigation, Shape, Strategy
from gateway.odata.plan import Place, payload_key
from gateway.odata.query import GraphRequest
from gateway.odata.query import change as request_of
from gateway.schema.context import Context
from gateway.schema.entity import Row, edge_metadata
from gateway.schema.given import ODATA_TYPE, body_of, path_of
from gateway.schema.selection import arguments_of, field_selection

Given = Mapping[str, Any]
Path = str | Callable[[Given], str]
Places = Mapping[str, Place | Sequence[Place | GatewayError]]
Perform = Callable[["Operation"], Coroutine[Any, Any, Row]]

_log = logging.getLogger("gateway.mutations")


def changed(target: str, description: str) -> Any:
    """A payload's edge to what was changed; ``target`` names its type."""
    return strawberry.field(
        description=description,
        metadata=edge_metadata(
            lambda name: Navigation(
                name=name, target=target, shape=Shape.SINGLE, strategies=(Strategy.REQUEST,)
            )
        ),
    )


def change(input_: type, method: str, path: Path, *, description: str, **how: Any) -> Any:
    """A mutation that sends one request; for ``method``, ``path`` and ``how`` see `sending`."""
    return mutation(input_, sending(input_, method, path, **how), description=description)


def sending(
    input_: type,
    method: str,
    path: Path,
    *,
    edge: str = "",
    at: Path | None = None,
    made_in: Path | None = None,
    answers: bool = False,
    body: str | None = None,
    untold: Sequence[str] = (),
) -> Perform:
    """What a mutation does that sends one request.

    Args:
        input_: its input type.
        method, path: of the request; the path is a template of the input's ids (`path_of`).
        edge: the payload's edge to what was changed; without it, the payload names what is gone.
        at: where that is read; by default at ``path``.
        made_in: where that is read if the request creates it: its collection.
        answers: whether the service answers it.
        body: the member of the input that is the body; by default all are.
        untold: members that the service's answer has wrong.
    """

    async def perform(operation: "Operation") -> Row:
        given = operation.given
        content = body_of(input_, given)
        if body is not None:
            content = content[body]
        if method == "PATCH" and content.keys() <= {ODATA_TYPE}:
            raise BadUserInput("holds nothing to change", argument="input")
        where = _path(path, given)
        answer = await operation.send(request_of(method, where, content or None))
        if not edge:
            gone = addressed(where.removesuffix("/$ref"))
            return {"id": gone.id, "nodeId": node_id(gone.path)}
        row = unwrapped(answer) if answers or made_in is not None else None
        if isinstance(row, dict):
            row = {name: value for name, value in row.items() if name not in untold}
        if made_in is not None:
            id_ = key_of(row) if isinstance(row, dict) else None
            if id_ is None:
                raise GraphError("it was made, but the service answered it without its id")
            address = addressed(f"{_path(made_in, given)}/{key_segment(id_)}")
        else:
            address = addressed(_path(at, given) if at is not None else where)
        return await operation.payload({edge: Place(address, row)})

    return perform


def mutation(input_: type, perform: Perform, *, description: str) -> Any:
    """A mutation of ``input_`` that does what ``perform`` does."""

    async def resolver(root: Any, info: Info[Context, None], input: Any) -> Any:  # noqa: A002
        operation = Operation(info.context, info._raw_info)
        operation.check_permissions()
        return await perform(operation)

    resolver.__annotations__["input"] = input_
    return strawberry.mutation(resolver=resolver, description=description)


def _path(template: Path, given: Given) -> str:
    return path_of(template if isinstance(template, str) else template(given), given)


class Operation:
    """One mutation field of an operation that is being executed.

    Attributes:
        context: of the operation.
        given: the coerced input, by GraphQL name.
    """

    def __init__(self, context: Context, info: GraphQLResolveInfo[Any]) -> None:
        self.context = context
        self.given: Given = arguments_of(info)["input"]
        self._info = info

    def selects(self, name: str) -> bool:
        """Whether the payload's field ``name`` is selected."""
        payload = get_named_type(self._info.return_type).name
        return any(field.name == name for field in field_selection(self._info).fields(payload))

    def check_permissions(self) -> None:
        """Refuse the mutation before anything is sent.

        What a payload leads to are results, so selecting it takes the permission to read them.
        Found out after the change, the error would look as if nothing was changed.

        Raises:
            Forbidden: the caller lacks a permission that the mutation or its payload needs.
        """
        self.context.caller.require(Permission.CHANGE)
        if self._leads_on():
            self.context.caller.require(Permission.READ)

    def _leads_on(self) -> bool:
        """Whether the selected payload leads to anything but ids."""
        payload = get_named_type(self._info.return_type)
        assert isinstance(payload, GraphQLObjectType)  # noqa: S101 - so the schema is made
        selected = field_selection(self._info).fields(payload.name)
        return any(is_composite_type(get_named_type(payload.fields[f.name].type)) for f in selected)

    async def send(self, request: GraphRequest) -> Any:
        """The JSON that the service answers to a request that changes something.

        Raises:
            GatewayError: the service refuses it, or the outcome is unknown.
        """
        reply = (await self.send_all([request]))[0]
        if reply.error is not None:
            raise reply.error
        return reply.data

    async def send_all(self, requests: Sequence[GraphRequest]) -> list[Reply]:
        """The replies to requests that do not depend on each other; each is logged.

        Raises:
            GatewayError: nothing was sent.
        """
        context = self.context
        replies = await context.engine.change(requests, context.caller, context.usage)
        for request, reply in zip(requests, replies, strict=True):
            self._record(request, reply)
        return replies

    def _record(self, request: GraphRequest, reply: Reply) -> None:
        """Who did what to which object, and what came of it; nothing of the body."""
        found = reply.error.extensions if reply.error is not None else {}
        _log.info(
            "mutation=%s caller=%s request=%s outcome=%s status=%s request-id=%s",
            self._info.field_name,
            self.context.caller.name,
            f"{request.method} {request.url}",
            "UNKNOWN" if found.get("outcomeUnknown") else found.get("code", "OK"),
            reply.status if reply.status > 0 else "-",
            found.get("requestId", "-"),
        )

    async def payload(self, places: Places) -> Row:
        """What is selected of the payload, by edge.

        Args:
            places: what each edge leads to: one object, or several and why some can't be had.
        """
        if not self._leads_on():
            return {}
        listed = {name: [to] if isinstance(to, Place) else to for name, to in places.items()}
        plan = self.context.planner.payload(
            get_named_type(self._info.return_type).name,
            field_selection(self._info),
            {name: [to for to in all_ if isinstance(to, Place)] for name, all_ in listed.items()},
        )
        try:
            root = await self.context.engine.run(plan, self.context.caller, self.context.usage)
        except GatewayError as error:
            # There is no token any more, say. The change stands, so only its edges fail.
            root = {
                payload_key(name, number): error
                for name, to in listed.items()
                for number in range(len(to))
            }
        row: Row = {}
        for name, to in places.items():
            read = iter(
                [root.get(payload_key(name, number)) for number in range(len(listed[name]))]
            )
            found = [it if isinstance(it, GatewayError) else next(read) for it in listed[name]]
            row[name] = found[0] if isinstance(to, Place) else found
        return row
