"""GraphQL over HTTP: one endpoint for POST, GET and the explorer.

Follows the GraphQL over HTTP specification (https://graphql.github.io/graphql-over-http/): a
client that accepts ``application/graphql-response+json`` gets a 4xx for a request that is not
executed, a legacy client that accepts ``application/json`` gets 200 once its document was read.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
from graphql import ExecutionResult, GraphQLError, OperationDefinitionNode, OperationType
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from gateway.http.admission import Admission, unless_disconnected
from gateway.http.csrf import check_origin
from gateway.http.documents import Document, Documents
from gateway.http.errors import Refused, formatted, refusal, unexpected
from gateway.http.identity import bearer_token
from gateway.http.limits import Limits
from gateway.http.negotiation import JSON, response_type
from gateway.http.parameters import Parameters, parameters_of
from gateway.http.persisted import PersistedDocuments
from gateway.schema.build import GatewaySchema
from gateway.schema.context import Context

Answer = tuple[dict[str, Any], int]
"""The body of a response and its status."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What the endpoint accepts.

    Attributes:
        needs_token: whether a caller without a bearer token is turned away.
        introspection, suggestions: whether the schema can be read, and guessed from errors.
        limits: of a document.
        max_body: bytes of a body or a query string.
        max_batch: operations of a batch; with 0 there are no batches.
        max_operations: operations in flight.
        csrf_prevention: whether a GET that another site can have forged is refused.
        trusted_origins: origins whose pages may call from a browser.
    """

    needs_token: bool = False
    introspection: bool = True
    suggestions: bool = True
    limits: Limits = field(default_factory=Limits)
    max_body: int = 1_000_000
    max_batch: int = 0
    max_operations: int = 100
    csrf_prevention: bool = True
    trusted_origins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A request that can be executed."""

    document: Document
    operation: OperationDefinitionNode
    parameters: Parameters


_Asked = _Prepared | Refused | list[GraphQLError]
"""What is to be executed, or why it is not."""


class GraphQLEndpoint:
    """Serves one schema.

    Args:
        schema: the executable schema.
        context: makes the context of an operation from the caller's token.
        policy: what is accepted.
        persisted: the documents that requests can name.
        page: answers a browser that opens the given path; without it, there is no explorer.
    """

    def __init__(
        self,
        schema: GatewaySchema,
        *,
        context: Callable[[str | None], Context],
        policy: Policy | None = None,
        persisted: PersistedDocuments | None = None,
        page: Callable[[str], Response] | None = None,
    ) -> None:
        self._schema = schema
        self._context = context
        self._policy = policy = policy or Policy()
        self._persisted = persisted or PersistedDocuments()
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
            refused = refusal("send GET or POST", "METHOD_NOT_ALLOWED")
            return json_response(refused, 405, JSON, {"Allow": "GET, HEAD, POST"})
        if self._page is not None and request.method != "POST" and _is_browser(request):
            return self._page(request.url.path)
        media_type = JSON
        try:
            media_type = response_type(request.headers)
            return await self._answer(request, media_type)
        except Refused as refused:
            status = refused.legacy_status if media_type == JSON else refused.status
            return json_response(refused.body, status, media_type, refused.headers)
        except ClientDisconnect:
            return Response(status_code=499)

    async def _answer(self, request: Request, media_type: str) -> Response:
        policy = self._policy
        if policy.csrf_prevention and request.method != "POST":
            check_origin(request.headers, trusted=policy.trusted_origins)
        token = bearer_token(request)
        if policy.needs_token and token is None:
            raise Refused(
                401,
                "UNAUTHENTICATED",
                "send a Microsoft Graph token as 'Authorization: Bearer …'",
                headers={"WWW-Authenticate": "Bearer"},
            )
        given = await parameters_of(request, max_body=policy.max_body, max_batch=policy.max_batch)
        batch = given if isinstance(given, list) else [given]
        prepared: list[_Asked] = [self._prepared(item, request.method) for item in batch]
        if not isinstance(given, list) and isinstance(prepared[0], Refused):
            raise prepared[0]
        runnable = [item for item in prepared if isinstance(item, _Prepared)]
        with self._admission.of(len(runnable)):
            work = self._execute_all(prepared, token)
            # What a mutation changes is changed, whether or not somebody waits for the answer.
            if any(item.operation.operation is OperationType.MUTATION for item in runnable):
                answers = await work
            else:
                answers = await unless_disconnected(request, work)
        if isinstance(given, list):
            return json_response([body for body, _ in answers], 200, media_type)
        [(body, status)] = answers
        # A legacy client takes any other status for one of the network.
        return json_response(
            body, 200 if media_type == JSON and status < 500 else status, media_type
        )

    def _prepared(self, parameters: Parameters | Refused, method: str) -> _Asked:
        if isinstance(parameters, Refused):
            return parameters
        try:
            document = self._documents.get(self._persisted.text_of(parameters))
            if document.errors:
                return list(document.errors)
            operation = document.operation(parameters.operation_name)
        except GraphQLError as error:
            return [error]
        except Refused as refused:
            return refused
        if method != "POST" and operation.operation is not OperationType.QUERY:
            kind = operation.operation.value
            return Refused(
                405, "METHOD_NOT_ALLOWED", f"send a {kind} by POST", headers={"Allow": "POST"}
            )
        self._persisted.keep(parameters)
        return _Prepared(document, operation, parameters)

    async def _execute_all(self, asked: list[_Asked], token: str | None) -> list[Answer]:
        if len(asked) == 1:
            return [await self._execute(asked[0], token)]
        return await asyncio.gather(*(self._execute(item, token) for item in asked))

    async def _execute(self, item: _Asked, token: str | None) -> Answer:
        if isinstance(item, Refused):
            return item.body, item.status
        if isinstance(item, list):
            return {"errors": [formatted(error, executed=False) for error in item]}, 400
        try:
            result = await self._schema.execute(
                item.document.node,
                variables=item.parameters.variables,
                operation_name=item.parameters.operation_name,
                context=self._context(token),
                suggestions=self._policy.suggestions,
            )
        except Exception as error:
            return {"errors": [unexpected(error)]}, 500
        body: dict[str, Any] = {}
        if result.errors:
            body["errors"] = [formatted(error, executed=True) for error in result.errors]
        if _never_began(result):
            return body, 400
        body["data"] = result.data
        return body, 200


def _never_began(result: ExecutionResult) -> bool:
    """Whether execution stopped before the first field, as with a variable that does not fit."""
    return result.data is None and all(not error.path for error in result.errors or ())


def _is_browser(request: Request) -> bool:
    wants_html = "text/html" in request.headers.get("accept", "")
    return wants_html and not {"query", "extensions", "documentId"} & request.query_params.keys()


def json_response(
    body: Any, status: int, media_type: str = JSON, headers: dict[str, str] | None = None
) -> Response:
    """A response in JSON that no cache keeps and no browser takes for something else."""
    headers = {
        "Cache-Control": "no-store",
        "Vary": "Accept",
        "X-Content-Type-Options": "nosniff",
        **(headers or {}),
    }
    return Response(orjson.dumps(body), status, headers, media_type=f"{media_type}; charset=utf-8")


async def http_error(request: Request, error: Exception) -> Response:
    """The answer to a request that leads nowhere, in the form of all errors."""
    assert isinstance(error, HTTPException)  # noqa: S101 - what it is registered for
    status, headers = error.status_code, dict(error.headers or {})
    if status == 404:
        return json_response(refusal(f"nothing is at {request.url.path}", "NOT_FOUND"), 404)
    if status == 405:
        body = refusal(f"{request.method} is not for this path", "METHOD_NOT_ALLOWED")
        return json_response(body, 405, headers=headers)
    return json_response(refusal(error.detail, "BAD_REQUEST"), status, headers=headers)


async def fault(_request: Request, error: Exception) -> Response:
    """The answer where the gateway itself fails."""
    return json_response({"errors": [unexpected(error)]}, 500)
