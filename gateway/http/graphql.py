"""GraphQL over HTTP: one endpoint for POST, GET and the explorer.

Follows the GraphQL over HTTP specification (https://graphql.github.io/graphql-over-http/): a
client that accepts ``application/graphql-response+json`` gets a 4xx for a request that is not
executed, a legacy client that accepts ``application/json`` gets 200 once its document was read.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
import strawberry
from starlette.requests import Request
from starlette.responses import Response
from strawberry.schema.exceptions import (
    CannotGetOperationTypeError,
    InvalidOperationTypeError,
)
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType

from gateway.graph.caller import Caller
from gateway.graph.client import Usage
from gateway.http.documents import MAX_DEPTH, shape_of
from gateway.http.errors import Refused, challenge_of, formatted, refusal
from gateway.http.identity import Authenticator
from gateway.http.operations import OperationRecord
from gateway.http.quota import Quota
from gateway.schema.context import Context

RESPONSE_JSON = "application/graphql-response+json"
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of a GraphQL request."""

    query: str
    variables: dict[str, Any] | None
    operation_name: str | None


class GraphQLEndpoint:
    """Serves one schema.

    Args:
        schema: the executable schema.
        context: makes the context of an operation from the caller and the count of its usage.
        authenticator: tells who the caller is.
        quota: says what a caller may use.
        page: answers a browser that opens the given path.
    """

    def __init__(
        self,
        schema: strawberry.Schema,
        *,
        context: Callable[[Caller, Usage], Context],
        authenticator: Authenticator,
        quota: Quota,
        page: Callable[[str], Response],
    ) -> None:
        self._schema = schema
        self._context = context
        self._authenticator = authenticator
        self._quota = quota
        self._page = page

    async def __call__(self, request: Request) -> Response:
        """Answer one request."""
        if request.method not in ("GET", "HEAD", "POST"):
            refused = refusal("send GET or POST", "METHOD_NOT_ALLOWED")
            return _json(refused, 405, JSON, {"Allow": "GET, HEAD, POST"})
        if request.method != "POST" and _is_browser(request):
            return self._page(request.url.path)
        record = OperationRecord()
        status = 0
        try:
            response = await self._answer(request, record)
            status = response.status_code
        finally:
            record.write(status)
        return response

    async def _answer(self, request: Request, record: OperationRecord) -> Response:
        media_type = JSON
        try:
            media_type = _media_type(request)
            caller = await self._authenticator.caller(request)
            record.caller = caller.name
            parameters = await _parameters(request)
            record.asked(parameters.query, parameters.operation_name)
            with self._quota.admitted(caller, record.usage):
                return await self._execute(request, parameters, caller, record, media_type)
        except Refused as refused:
            body = refusal(refused.message, refused.code)
            record.answered(body["errors"])
            return _json(body, refused.status, media_type, refused.headers)

    async def _execute(
        self,
        request: Request,
        parameters: Parameters,
        caller: Caller,
        record: OperationRecord,
        media_type: str,
    ) -> Response:
        shape = shape_of(parameters.query)
        if shape is not None and shape.depth > MAX_DEPTH:
            raise _invalid(f"the document nests fields deeper than {MAX_DEPTH} levels")
        if shape is not None and shape.operations != 1 and parameters.operation_name is None:
            raise _invalid("the document must have one operation, or operationName must name it")
        allowed = {OperationType.QUERY}
        if request.method == "POST":
            allowed.add(OperationType.MUTATION)
        try:
            result = await self._schema.execute(
                parameters.query,
                variable_values=parameters.variables,
                operation_name=parameters.operation_name,
                context_value=self._context(caller, record.usage),
                allowed_operation_types=allowed,
            )
        except CannotGetOperationTypeError:
            raise _invalid("operationName names no operation of the document") from None
        except InvalidOperationTypeError as error:
            raise Refused(
                405, "BAD_REQUEST", error.as_http_error_reason(request.method), Allow="POST"
            ) from None
        executed = not isinstance(result, PreExecutionError)
        body: dict[str, Any] = {}
        if result.errors:
            body["errors"] = [formatted(error, executed=executed) for error in result.errors]
        if executed and not _never_began(result):
            body["data"] = result.data
        record.answered(body.get("errors", ()))
        challenge = challenge_of(result.errors)
        if challenge is not None and not _has_fetched(result.data):
            return _json(
                {"errors": body["errors"]}, 401, media_type, {"WWW-Authenticate": challenge}
            )
        status = 200 if "data" in body or media_type == JSON else 400
        return _json(body, status, media_type)


def _never_began(result: Any) -> bool:
    """Whether execution stopped before the first field, as with a variable that does not fit."""
    return result.data is None and all(not error.path for error in result.errors or ())


def _has_fetched(data: dict[str, Any] | None) -> bool:
    """Whether a root field has a value of the upstream; a 401 would hide what was done or found."""
    return any(isinstance(value, dict | list) for value in (data or {}).values())


def _is_browser(request: Request) -> bool:
    wants_html = "text/html" in request.headers.get("accept", "")
    return wants_html and "query" not in request.query_params


def _media_type(request: Request) -> str:
    accept = request.headers.get("accept", "*/*")
    ranges = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
    if RESPONSE_JSON in ranges:
        return RESPONSE_JSON
    if not accept.strip() or {JSON, "application/*", "*/*"}.intersection(ranges):
        return JSON
    raise Refused(406, "NOT_ACCEPTABLE", f"accept {RESPONSE_JSON} or {JSON}")


async def no_such_path(request: Request, _error: Exception) -> Response:
    """404, in the form of all errors."""
    return _json(refusal(f"nothing is at {request.url.path}", "NOT_FOUND"), 404, JSON)


async def _parameters(request: Request) -> Parameters:
    if request.method != "POST":
        query = request.query_params
        return _checked(
            {
                "query": query.get("query"),
                "operationName": query.get("operationName"),
                "variables": _from_json(query.get("variables"), "variables"),
                "extensions": _from_json(query.get("extensions"), "extensions"),
            }
        )
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != JSON:
        raise Refused(415, "UNSUPPORTED_MEDIA_TYPE", f"send the request as {JSON}")
    body = _from_json(await request.body(), "the body")
    if not isinstance(body, dict):
        raise _invalid("the body must be a JSON object")
    return _checked(body)


def _checked(given: dict[str, Any]) -> Parameters:
    query, variables = given.get("query"), given.get("variables")
    operation_name = given.get("operationName")
    if not isinstance(query, str) or not query.strip():
        raise _invalid("query must be a GraphQL document")
    if variables is not None and not isinstance(variables, dict):
        raise _invalid("variables must be a JSON object")
    if operation_name is not None and not isinstance(operation_name, str):
        raise _invalid("operationName must be a string")
    if given.get("extensions") is not None and not isinstance(given["extensions"], dict):
        raise _invalid("extensions must be a JSON object")
    return Parameters(query, variables, operation_name or None)


def _from_json(text: str | bytes | None, what: str) -> Any:
    if text is None:
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise _invalid(f"{what} is not valid JSON") from None


def _invalid(message: str) -> Refused:
    return Refused(400, "BAD_REQUEST", message)


def _json(
    body: dict[str, Any], status: int, media_type: str, headers: dict[str, str] | None = None
) -> Response:
    return Response(orjson.dumps(body), status, headers, media_type=f"{media_type}; charset=utf-8")
