"""The parameters of a GraphQL request, out of a body or a URL.

See https://graphql.github.io/graphql-over-http/draft/#sec-Request.
"""

import codecs
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

import orjson
from starlette.requests import Request

from gateway.errors import RequestRefused
from gateway.http.errors import bad_request
from gateway.http.negotiation import check_request_type

# The marks of UTF-32 begin with those of UTF-16.
_BOMS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


@dataclass(frozen=True, slots=True)
class Parameters:
    """One GraphQL request; ``query`` may be missing where ``extensions`` name a document."""

    query: str | None
    variables: dict[str, Any] | None
    operation_name: str | None
    extensions: dict[str, Any]
    document_id: str | None = None


async def parameters_of(
    request: Request, *, max_body: int, max_batch: int
) -> Parameters | list[Parameters | RequestRefused]:
    """The GraphQL request that an HTTP request carries, or the requests of a batch.

    Args:
        request: a GET, HEAD or POST.
        max_body: bytes of the body, or of the query string, that are read.
        max_batch: operations of a batch; with 0 there are no batches.

    Raises:
        RequestRefused: there is no GraphQL request in it.
    """
    if request.method != "POST":
        return _from_url(request, max_body)
    check_request_type(request.headers)
    given = _from_json(await _body(request, max_body), "the body")
    if not isinstance(given, list):
        return _checked(given)
    if max_batch == 0:
        raise bad_request("the body must be a JSON object: batches are off (GATEWAY_MAX_BATCH)")
    if not 1 <= len(given) <= max_batch:
        raise RequestRefused(
            400,
            "BATCH_TOO_LARGE" if given else "BAD_REQUEST",
            f"a batch has from 1 to {max_batch} operations (setting GATEWAY_MAX_BATCH)",
            limit=max_batch,
            setting="GATEWAY_MAX_BATCH",
        )
    return [_checked_or_refused(item) for item in given]


async def _body(request: Request, most: int) -> bytes:
    """The body; it is refused as soon as it is known to be too large, and not kept."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:19]) > most:
        raise _too_large(most)
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            raise _too_large(most)
        chunks.append(chunk)
    return b"".join(chunks)


def _too_large(most: int) -> RequestRefused:
    return RequestRefused(
        413,
        "BODY_TOO_LARGE",
        f"the body is larger than {most} bytes (setting GATEWAY_MAX_BODY_BYTES)",
        limit=most,
        setting="GATEWAY_MAX_BODY_BYTES",
    )


def _from_url(request: Request, most: int) -> Parameters:
    if len(request.scope["query_string"]) > most:
        raise RequestRefused(
            414,
            "URI_TOO_LONG",
            f"the query string is longer than {most} bytes (setting GATEWAY_MAX_BODY_BYTES)",
            limit=most,
            setting="GATEWAY_MAX_BODY_BYTES",
        )
    _check_encoding(request.scope["query_string"])
    query = request.query_params
    return _checked(
        {
            "query": query.get("query"),
            "operationName": query.get("operationName"),
            "variables": _from_json(query.get("variables"), "variables"),
            "extensions": _from_json(query.get("extensions"), "extensions"),
            "documentId": query.get("documentId"),
        }
    )


def _check_encoding(query_string: bytes) -> None:
    """Let a query string pass that is UTF-8, percent-encoded (RFC 3986, sections 2.1 and 2.5)."""
    if not query_string.isascii():
        raise bad_request("the query string has characters that are not percent-encoded")
    try:
        unquote_to_bytes(query_string).decode()
    except UnicodeDecodeError:
        raise bad_request("the query string is not UTF-8, percent-encoded") from None


def _checked_or_refused(given: Any) -> Parameters | RequestRefused:
    try:
        return _checked(given)
    except RequestRefused as refused:
        return refused


def _checked(given: Any) -> Parameters:
    if not isinstance(given, dict):
        raise bad_request("the body must be a JSON object")
    for name in ("query", "operationName", "documentId"):
        if not isinstance(given.get(name), str | None):
            raise bad_request(f"{name} must be a string")
    variables, extensions = (_unless_empty(given.get(n)) for n in ("variables", "extensions"))
    for name, value in (("variables", variables), ("extensions", extensions)):
        if not isinstance(value, dict | None):
            raise bad_request(f"{name} must be a JSON object")
    return Parameters(
        given.get("query"),
        variables,
        given.get("operationName") or None,
        extensions or {},
        given.get("documentId") or None,
    )


def _unless_empty(value: Any) -> Any:
    """Forms and tools send an empty text for what was left empty."""
    return None if value == "" else value


def _from_json(text: str | bytes | None, what: str) -> Any:
    if text is None or text == "":
        return None
    if isinstance(text, bytes):
        text = text.removeprefix(codecs.BOM_UTF8)  # As RFC 8259, section 8.1, lets a parser do.
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        if isinstance(text, bytes) and (problem := _not_utf8(text)):
            raise bad_request(f"{what} is not UTF-8: {problem}; send JSON in UTF-8") from None
        raise bad_request(f"{what} is not valid JSON") from None


def _not_utf8(text: bytes) -> str | None:
    """The error for a body whose bytes are not UTF-8; ``None`` if they are."""
    for bom, name in _BOMS:
        if text.startswith(bom):
            return f"its byte order mark is that of {name}"
    # JSON begins with two ASCII characters, so that a zero among their bytes tells the width.
    if 0 in text[:2]:
        return "it seems to be UTF-16 or UTF-32"
    try:
        text.decode()
    except UnicodeDecodeError as error:
        return f"it is broken at byte {error.start}; perhaps it is Latin-1"
    return None
