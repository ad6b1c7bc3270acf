"""GraphQL over HTTP: one endpoint for POST, GET and the explorer.

Follows the GraphQL over HTTP specification (https://graphql.github.io/graphql-over-http/): a
client that accepts ``application/graphql-response+json`` gets a 4xx for a request that is not
executed, a legacy client that accepts ``application/json`` gets 200 once its document was read.
"""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import msgspec
from graphql import ExecutionResult, GraphQLError, OperationDefinitionNode, OperationType
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from gateway.access.caller import Caller
from gateway.access.identity import Authenticator
from gateway.access.quota import Quota
from gateway.errors import RequestRefused, without_frames
from gateway.graph.record import Record
from gateway.graph.session import Usage
from gateway.graph.stages import Stages
from gateway.http.admission import Admission, unless_disconnected
from gateway.http.csrf import check_origin
from gateway.http.documents import Document, Documents
from gateway.http.errors import challenge_of, formatted, unexpected, websockets_not_offered
from gateway.http.limits import Limits
from gateway.http.negotiation import JSON, response_type
from gateway.http.operations import OperationRecord
from gateway.http.parameters import Parameters, parameters_of
from gateway.http.persisted import PersistedDocuments
from gateway.schema.build import GatewaySchema
from gateway.schema.context import Context


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one operation: the body, the status and the headers of its response."""

    body: dict[str, Any]
    status: int = 200
    headers: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of what the endpoint accepts.

    Attributes:
        introspection, suggestions: whether the schema can be read, and guessed from errors.
        timing: whether answers tell how long their stages took.
        plan: whether answers tell their plan to who asks for it.
        limits: of a document.
        max_body: bytes of a body or a query string.
        max_batch: operations of a batch; with 0 there are no batches.
        max_operations: operations in flight.
        csrf_prevention: whether a GET that another site can have forged is refused.
        trusted_origins: origins whose pages may call from a browser.
    """

    introspection: bool
    suggestions: bool
    timing: bool
    plan: bool
    limits: Limits
    max_body: int
    max_batch: int
    max_operations: int
    csrf_prevention: bool
    trusted_origins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A request that can be executed."""

    document: Document
    operation: OperationDefinitionNode
    parameters: Parameters
    record: OperationRecord


PLAN_HEADER = "GraphQL-Plan"
_LONGEST_PATH = 200

_Asked = _Prepared | RequestRefused | list[GraphQLError]
"""What is to be executed, or why it is not."""


class GraphQLEndpoint:
    """Serves one schema.

    Args:
        schema: the executable schema.
        context: makes the context of an operation from the caller and the count of its usage.
        authenticator: tells who the caller is.
        quota: says what a caller may use.
        policy: what is accepted.
        persisted: the documents that requests can name.
        page: answers a browser that opens the given path; without it, there is no explorer.
    """

    def __init__(
        self,
        schema: GatewaySchema,
        *,
        context: Callable[[Caller, Usage], Context],
        authenticator: Authenticator,
        quota: Quota,
        policy: Policy,
        persisted: PersistedDocuments,
        page: Callable[[str], Response] | None = None,
    ) -> None:
        self._schema = schema
        self._context = context
        self._authenticator = authenticator
        self._quota = quota
        self._policy = policy
        self._persisted = persisted
        self._page = page
        self._admission = Admission(policy.max_operations)
        self._documents = Documents(
            lambda document: schema.validate(
                document, introspection=policy.introspection, suggestions=policy.suggestions
            ),
            policy.limits,
        )

    async def __call__(self, request: Request) -> Response:
        """Answer one request."""
        if request.method not in ("GET", "HEAD", "POST"):
            refused = RequestRefused(405, "METHOD_NOT_ALLOWED", "send GET or POST")
            return json_response(refused.body, 405, JSON, {"Allow": "GET, HEAD, POST"})
        if self._page is not None and request.method != "POST" and _is_browser(request):
            return self._page(request.url.path)
        records = [OperationRecord()]
        status = 0
        try:
            response = await self._response(request, records)
            status = response.status_code
        finally:
            for record in records:
                record.write(status)
        return response

    async def _response(self, request: Request, records: list[OperationRecord]) -> Response:
        media_type = JSON
        try:
            media_type = response_type(request.headers)
            return await self._answer(request, media_type, records)
        except RequestRefused as refused:
            for record in records:
                record.answered(refused.body["errors"])
            status = refused.legacy_status if media_type == JSON else refused.status
            return json_response(refused.body, status, media_type, refused.headers)
        except ClientDisconnect:
            return Response(status_code=499)

    async def _answer(
        self, request: Request, media_type: str, records: list[OperationRecord]
    ) -> Response:
        """The response to a request; ``records`` get one entry for each operation of a batch."""
        policy = self._policy
        if request.headers.get("upgrade", "").strip().lower() == "websocket":
            raise websockets_not_offered()  # A server without WebSockets hands it on as a GET.
        if policy.csrf_prevention and request.method != "POST":
            check_origin(request.headers, trusted=policy.trusted_origins)
        caller = await self._authenticator.caller(request)
        records[0].caller = caller.name
        given = await parameters_of(request, max_body=policy.max_body, max_batch=policy.max_batch)
        batch = given if isinstance(given, list) else [given]
        records += [OperationRecord(caller=caller.name) for _ in batch[1:]]
        prepared: list[_Asked] = [
            self._prepared(item, request.method, record)
            for item, record in zip(batch, records, strict=True)
        ]
        if not isinstance(given, list) and isinstance(prepared[0], RequestRefused):
            raise prepared[0]
        runnable = [item for item in prepared if isinstance(item, _Prepared)]
        if policy.plan:
            asked = request.headers.get(PLAN_HEADER, "").strip() == "1"
            for item in runnable:
                if asked or item.parameters.extensions.get("plan") is True:
                    item.record.usage.record = Record(self._schema.model.routes)
        usages = [item.record.usage for item in runnable]
        with self._admission.of(caller.account, usages), ExitStack() as places:
            for item in runnable:
                places.enter_context(self._quota.admitted(caller, item.record.usage))
            work = self._execute_all(prepared, caller)
            # What a mutation changes is changed, whether or not somebody waits for the answer.
            if any(item.operation.operation is OperationType.MUTATION for item in runnable):
                answers = await work
            else:
                answers = await unless_disconnected(request, work)
        for record, answer in zip(records, answers, strict=True):
            record.answered(answer.body.get("errors", ()))
        if isinstance(given, list):
            return json_response([answer.body for answer in answers], 200, media_type)
        [answer] = answers
        # A legacy client takes any other status for one of the network.
        legacy = media_type == JSON and answer.status < 500 and answer.headers is None
        status = 200 if legacy else answer.status
        stages = records[0].usage.stages if policy.timing else None
        return json_response(answer.body, status, media_type, answer.headers, stages)

    def _prepared(
        self, parameters: Parameters | RequestRefused, method: str, record: OperationRecord
    ) -> _Asked:
        if isinstance(parameters, RequestRefused):
            return parameters
        try:
            text = self._persisted.text_of(parameters)
            record.asked(text)
            with record.usage.stages.of("parse"):
                document = self._documents.get(text)
            if document.errors:
                return list(document.errors)
            operation = document.operation(parameters.operation_name)
            record.named(operation)
        except GraphQLError as error:
            without_frames(error)
            return [error]
        except RequestRefused as refused:
            without_frames(refused)
            return refused
        if method != "POST" and operation.operation is not OperationType.QUERY:
            kind = operation.operation.value
            return RequestRefused(
                405, "METHOD_NOT_ALLOWED", f"send a {kind} by POST", headers={"Allow": "POST"}
            )
        self._persisted.keep(parameters)
        return _Prepared(document, operation, parameters, record)

    async def _execute_all(self, asked: list[_Asked], caller: Caller) -> list[Answer]:
        if len(asked) == 1:
            return [await self._execute(asked[0], caller)]
        return await asyncio.gather(*(self._execute(item, caller) for item in asked))

    async def _execute(self, item: _Asked, caller: Caller) -> Answer:
        if isinstance(item, RequestRefused):
            return Answer(item.body, item.status)
        if isinstance(item, list):
            return Answer({"errors": [formatted(error, executed=False) for error in item]}, 400)
        context = self._context(caller, item.record.usage)
        try:
            with context.usage.stages.of("write"):
                result = await self._schema.execute(
                    item.document.node,
                    variables=item.parameters.variables,
                    operation_name=item.parameters.operation_name,
                    context=context,
                    suggestions=self._policy.suggestions,
                )
                answer = self._answered(result)
            return _with_plan(answer, context)
        except Exception as error:
            failed = Answer({"errors": [unexpected(error)]}, 500)
            without_frames(error)
            return failed
        finally:
            context.close()

    def _answered(self, result: ExecutionResult) -> Answer:
        body: dict[str, Any] = {}
        if result.errors:
            body["errors"] = [formatted(error, executed=True) for error in result.errors]
            for error in result.errors:
                without_frames(error)
            challenge = challenge_of(result.errors)
            if challenge is not None and not _has_fetched(result.data):
                return Answer(body, 401, {"WWW-Authenticate": challenge})
        if _never_began(result):
            return Answer(body, 400)
        body["data"] = result.data
        return Answer(body)


def _with_plan(answer: Answer, context: Context) -> Answer:
    """The answer with the plan as it ran, where somebody asked for it."""
    if context.usage.record is not None:
        allows = context.engine.capabilities.allows
        answer.body["extensions"] = {"plan": context.usage.record.told(allows)}
    return answer


def _never_began(result: ExecutionResult) -> bool:
    """Whether execution stopped before the first field, as with a variable that does not fit."""
    return result.data is None and all(not error.path for error in result.errors or ())


def _has_fetched(data: dict[str, Any] | None) -> bool:
    """Whether a root field has a value of the upstream; a 401 would hide what was done or found."""
    return any(isinstance(value, dict | list | msgspec.Struct) for value in (data or {}).values())


def _is_browser(request: Request) -> bool:
    wants_html = "text/html" in request.headers.get("accept", "")
    return wants_html and not {"query", "extensions", "documentId"} & request.query_params.keys()


def json_response(
    body: Any,
    status: int,
    media_type: str = JSON,
    headers: dict[str, str] | None = None,
    stages: Stages | None = None,
) -> Response:
    """A response in JSON that no cache keeps and no browser takes for something else.

    With ``stages``, it tells how long they took.
    """
    headers = {
        "Cache-Control": "no-store",
        "Vary": "Accept",
        "X-Content-Type-Options": "nosniff",
        **(headers or {}),
    }
    if stages is None:
        content = msgspec.json.encode(body)
    else:
        with stages.of("write"):
            content = msgspec.json.encode(body)
        headers["Server-Timing"] = stages.header()
    return Response(content, status, headers, media_type=f"{media_type}; charset=utf-8")


def _nothing_at(path: str) -> str:
    if len(path) > _LONGEST_PATH:
        return f"nothing is at {path[:_LONGEST_PATH]}…"
    bare = path.rstrip("/")
    hint = f"; the endpoint is {bare}" if bare != path and bare.endswith("/graphql") else ""
    return f"nothing is at {path}{hint}"


async def http_error(request: Request, error: Exception) -> Response:
    """The answer to a request that leads nowhere, in the form of all errors."""
    assert isinstance(error, HTTPException)  # noqa: S101 - what it is registered for
    status, headers = error.status_code, dict(error.headers or {})
    if status == 404:
        refused = RequestRefused(404, "NOT_FOUND", _nothing_at(request.url.path))
        return json_response(refused.body, 404)
    code, message = "BAD_REQUEST", error.detail
    if status == 405:
        code, message = "METHOD_NOT_ALLOWED", f"{request.method} is not for this path"
    return json_response(RequestRefused(status, code, message).body, status, headers=headers)


async def fault(_request: Request, error: Exception) -> Response:
    """The answer where the gateway itself fails."""
    return json_response({"errors": [unexpected(error)]}, 500)
