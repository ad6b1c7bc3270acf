"""Declarations of mutations: what each sends, and what it answers.

A mutation is one field made by `change`: an input type, a method and a path template. The input is
checked and becomes the path and the body (`gateway.schema.given`); what is selected of the payload
is planned like a query and read where the service's answer does not hold it already.
"""

import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import quote

import orjson
import strawberry
from graphql import GraphQLObjectType, GraphQLResolveInfo, get_named_type, is_composite_type
from strawberry.types import Info

from gateway.access.caller import Permission
from gateway.errors import BadUserInput, GatewayError, GraphError
from gateway.graph.entities import stand_in, unwrapped
from gateway.graph.errors import another, outcome_unknown
from gateway.graph.replies import Reply
from gateway.internals import definition_of, raw_info
from gateway.odata.address import MAX_ID_LENGTH, Address, key_of, key_segment
from gateway.odata.query import GraphRequest
from gateway.odata.query import change as request_of
from gateway.odata.routes import Routes
from gateway.plan.model import Navigation, Shape, Strategy
from gateway.plan.nodes import Place, payload_key
from gateway.plan.program import Program
from gateway.schema.context import Context
from gateway.schema.declare import edge_metadata
from gateway.schema.enums import ChangeOutcome
from gateway.schema.given import ODATA_TYPE, body_of, has_members, path_of
from gateway.schema.permissions import needed, told
from gateway.schema.selection import arguments_of, field_selection
from gateway.schema.service import ROOT

Given = Mapping[str, Any]
Path = str | Callable[[Given], str]
Places = Mapping[str, Place | Sequence[Place | GatewayError]]
Row = dict[str, Any]
Perform = Callable[["MutationField"], Coroutine[Any, Any, Row]]

# Answers to changes are shown with this type as their only member (questions.md, point 15).
_WRAPPED = "Workflow"
_LOGGED_IDS = 20
_UNKNOWN = "UNKNOWN"
_log = logging.getLogger("gateway.mutations")
_problems = logging.getLogger(__name__)


def outcome() -> Any:
    """A payload's field that tells what came of the change itself."""
    return strawberry.field(
        description="What came of the change, whatever else of the payload fails."
    )


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
    perform = sending(input_, method, path, **how)
    takes = (method, path) if isinstance(path, str) else None
    return mutation(input_, perform, description=description, takes=takes)


def sending(
    input_: type,
    method: str,
    path: Path,
    *,
    edge: str = "",
    at: Path | None = None,
    made_in: Path | None = None,
    appears: bool = False,
    answers: bool = False,
    body: str | None = None,
    untold: Sequence[str] = (),
) -> Perform:
    """The work of a mutation that sends one request.

    Args:
        input_: its input type.
        method, path: of the request; the path is a template of the input's ids (`path_of`).
        edge: the payload's edge to what was changed; without it, the payload names what is gone.
        at: where that is read; by default at ``path``.
        made_in: where that is read if the request creates it: its collection.
        appears: whether it, or something of it, was not there before.
        answers: whether the service answers it.
        body: the member of the input that is the body; by default all are.
        untold: members that the service's answer has wrong.
    """

    async def perform(field: "MutationField") -> Row:
        given = field.given
        content = body_of(input_, given)
        if body is not None:
            content = content[body]
        if method == "PATCH" and content.keys() <= {ODATA_TYPE}:
            raise BadUserInput("holds nothing to change", argument="input")
        where = field.path(path)
        request = request_of(method, where, content if has_members(input_) else None)
        answer = await field.send(request)
        if not edge:
            gone = field.routes.addressed(where.removesuffix("/$ref"))
            return {"id": gone.id, "nodeId": field.routes.node_id(gone.path)}
        row = unwrapped(answer, _WRAPPED) if answers or made_in is not None else None
        if isinstance(row, dict):
            row = {name: value for name, value in row.items() if name not in untold}
        if made_in is not None:
            return await field.payload({edge: _made(field.routes, field.path(made_in), row)})
        address = field.routes.addressed(field.path(at) if at is not None else where)
        return await field.payload({edge: Place(address, row, fresh=appears)})

    return perform


def _made(routes: Routes, collection: str, row: Any) -> Place:
    """The address of something that was made in a collection, as far as the service told."""
    row = row if isinstance(row, dict) else {}
    id_ = key_of(row)
    try:
        if id_ is not None:
            routes.checked_id(id_, "id")
            return Place(routes.addressed(f"{collection}/{key_segment(id_)}"), row, fresh=True)
    except GatewayError:
        pass
    error = GraphError("it was made, but the service answered it without its id")
    return Place(Address("", "", ""), {k: v for k, v in row.items() if k != "id"}, error=error)


def mutation(
    input_: type, perform: Perform, *, description: str, takes: tuple[str, str] | None = None
) -> Any:
    """A mutation of ``input_`` that does what ``perform`` does.

    Args:
        input_: its input type.
        perform: what it does.
        description: for the schema.
        takes: method and path of the request whose permission the description names.
    """
    if takes is not None:
        description += told(needed(takes[0], f"{ROOT}/{takes[1]}"))

    async def resolver(root: Any, info: Info[Context, None], input: Any) -> Any:  # noqa: A002
        field = MutationField(info.context, raw_info(info))
        try:
            field.check_permissions()
            return {"outcome": ChangeOutcome.DONE, **await perform(field)}
        except GatewayError as error:
            field.refused(error)
            raise
        except BaseException:
            field.stopped()
            raise

    about = strawberry.argument(description=_description_of(input_))
    resolver.__annotations__["input"] = Annotated[input_, about]
    return strawberry.mutation(resolver=resolver, description=description)


def _description_of(input_: type) -> str | None:
    return definition_of(input_).description


class MutationField:
    """One mutation field of an operation that is being executed.

    Attributes:
        context: of the operation.
        given: the coerced input, by GraphQL name.
    """

    def __init__(self, context: Context, info: GraphQLResolveInfo[Any]) -> None:
        self.context = context
        self.given: Given = arguments_of(info)["input"]
        self._info = info
        self._logged = False

    @property
    def routes(self) -> Routes:
        """Those of the service."""
        return self.context.plans.planner.model.routes

    def path(self, template: Path, given: Given | None = None) -> str:
        """The path that a template makes of the input, or of ``given``; see `path_of`."""
        given = self.given if given is None else given
        template = template if isinstance(template, str) else template(given)
        return path_of(self.routes, template, given)

    def selects(self, name: str) -> bool:
        """Whether the payload's field ``name`` is selected."""
        fields = field_selection(self._info).fields(self._payload_type)
        return any(selected.name == name for selected in fields)

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

    async def read(self, request: GraphRequest) -> Any:
        """The JSON that the service answers to a read that a change needs first.

        Raises:
            GatewayError: it could not be read; nothing is changed.
        """
        self._check_selection()
        [reply] = await self.context.engine.change(
            [request], self.context.caller, self.context.usage
        )
        if reply.error is not None:
            raise reply.error
        return reply.data

    async def send_all(self, requests: Sequence[GraphRequest]) -> list[Reply]:
        """The replies to requests that do not depend on each other; each is logged.

        That is so whatever happens: where the operation is cancelled while they are on their way,
        or something unforeseen happens, their outcome is unknown.

        Raises:
            BadUserInput: something that is selected of the payload has a bad argument.
            GatewayError: nothing was sent, or with ``outcomeUnknown`` among its extensions.
        """
        self._check_selection()
        context = self.context
        before = context.usage.http_requests
        try:
            replies = await context.engine.change(requests, context.caller, context.usage)
        except GatewayError:
            raise
        except BaseException as problem:
            if context.usage.http_requests == before:
                raise
            for request in requests:
                self._log_sent(request, Reply(), _UNKNOWN)
            if not isinstance(problem, Exception):
                raise
            _problems.exception("the answer to a change could not be read")
            raise outcome_unknown(GraphError("the service's answer could not be read")) from None
        for request, reply in zip(requests, replies, strict=True):
            self._log_sent(request, reply, _outcome(reply.error))
        # What failed together has one error; each mutation's place has its own.
        return [
            reply if reply.error is None else replace(reply, error=another(reply.error))
            for reply in replies
        ]

    def refused(self, error: GatewayError) -> None:
        """Log an attempt of which nothing was sent."""
        self._log_unsent(_outcome(error))

    def stopped(self) -> None:
        """Log an attempt that ended before anything was sent, because the caller went, say."""
        self._log_unsent("NOT_SENT")

    def _log_unsent(self, outcome: str) -> None:
        if not self._logged:
            keys = [v for k, v in self.given.items() if k.endswith("Id") and isinstance(v, str)]
            self._log("-", [*keys, *ids_in(self.given)], outcome)

    def _log_sent(self, request: GraphRequest, reply: Reply, outcome: str) -> None:
        self._log(
            f"{request.method} {request.url}",
            [
                *ids_in(orjson.loads(request.body or b"null")),
                *ids_of(unwrapped(reply.data, _WRAPPED)),
            ],
            outcome,
            reply.status,
            reply.request_id,
        )

    def _check_selection(self) -> None:
        """A change is not made if what is selected of it can't be answered."""
        payload, selection = self._payload_type, field_selection(self._info)
        model = self.context.plans.planner.model[payload]
        nowhere = {
            name: [Place(Address("", navigation.target, ""))]
            for name, navigation in model.navigations.items()
        }
        for node in self.context.plans.planner.payload(payload, selection, nowhere).root.walk():
            if isinstance(node.error, BadUserInput):
                raise node.error.copy()

    def _log(
        self,
        request: str,
        ids: Sequence[str],
        outcome: str,
        status: int = 0,
        request_id: str | None = None,
    ) -> None:
        """Who did what to which objects, and what came of it; nothing else of the body."""
        self._logged = True
        _log.info(
            "mutation=%s caller=%s request=%s ids=%s outcome=%s status=%s request-id=%s",
            self._info.field_name,
            self.context.caller.name,
            request,
            ",".join(quote(id_[:MAX_ID_LENGTH], safe="") for id_ in ids[:_LOGGED_IDS]) or "-",
            outcome,
            status if status > 0 else "-",
            quote(request_id[:MAX_ID_LENGTH], safe="") if request_id else "-",
        )

    @property
    def _payload_type(self) -> str:
        return get_named_type(self._info.return_type).name

    async def payload(self, places: Places) -> Row:
        """The selected payload, by edge; nothing that fails takes the change with it.

        Args:
            places: what each edge leads to: one object, or several and why some can't be had.
        """
        if not self._leads_on():
            return {}
        listed = {name: [to] if isinstance(to, Place) else to for name, to in places.items()}
        there = {
            name: [_known(to) for to in all_ if isinstance(to, Place)]
            for name, all_ in listed.items()
        }
        plan = self.context.plans.planner.payload(
            self._payload_type, field_selection(self._info), there
        )
        root = await self._read(
            plan, {payload_key(k, n): to for k, all_ in there.items() for n, to in enumerate(all_)}
        )
        row: Row = {}
        for name, to in places.items():
            keys = (payload_key(name, number) for number in range(len(listed[name])))
            found = [
                it if isinstance(it, GatewayError) else root.get(next(keys)) for it in listed[name]
            ]
            row[name] = found[0] if isinstance(to, Place) else found
        return row

    async def _read(self, plan: Program, places: Mapping[str, Place]) -> Row:
        nodes = plan.root.children
        root: Row = {}
        for key, place in places.items():
            if place.error is not None and key in nodes:
                root[key] = stand_in(nodes.pop(key), place.error, None)
        fresh = [place.address for key, place in places.items() if place.fresh and key in nodes]
        try:
            root |= dict(await self.context.run(plan, fresh))
        except GatewayError as error:
            # There is no token any more, say. The change stands, so only what is read fails.
            root |= {key: stand_in(node, error, places[key].address) for key, node in nodes.items()}
        return root


def _known(place: Place) -> Place:
    """A place with what is known of it: what the service answered, and the id in the address."""
    row = dict(place.row or {})
    if place.address.id and key_of(row) is None:
        row["id"] = place.address.id
    return replace(place, row=row)


def _outcome(error: GatewayError | None) -> str:
    """The word for it in the log."""
    found = error.extensions if error is not None else {}
    return _UNKNOWN if found.get("outcomeUnknown") else str(found.get("code", "OK"))


def ids_in(value: Any) -> list[str]:
    """The ids of the objects that a body names, at any depth."""
    if isinstance(value, dict):
        own = [value["id"]] if isinstance(value.get("id"), str) else []
        return own + [id_ for member in value.values() for id_ in ids_in(member)]
    if isinstance(value, list):
        return [id_ for item in value for id_ in ids_in(item)]
    return []


def ids_of(answer: Any) -> list[str]:
    """The id of what the service answers that it made or changed."""
    id_ = key_of(answer) if isinstance(answer, dict) else None
    return [id_] if id_ is not None else []
