"""Content negotiation: the media type of an answer, and those that a request may have.

See https://graphql.github.io/graphql-over-http/draft/#sec-Media-Types and RFC 9110, section 12.5.1.
"""

from functools import lru_cache

from starlette.datastructures import Headers

from gateway.errors import RequestRefused

RESPONSE_JSON = "application/graphql-response+json"
JSON = "application/json"
_LONGEST_KEPT = 500


def response_type(headers: Headers) -> str:
    """The media type to answer with; for anything it is the one that all clients know.

    Raises:
        RequestRefused: the client accepts neither.
    """
    accept = ", ".join(headers.getlist("accept"))
    return _known_best(accept) if len(accept) <= _LONGEST_KEPT else _best(accept)


@lru_cache(maxsize=256)
def _known_best(accept: str) -> str:
    return _best(accept)


def _best(accept: str) -> str:
    if not accept.strip():
        return JSON
    qualities: dict[str, float] = {}
    for part in accept.split(","):
        range_, *parameters = (piece.strip().lower() for piece in part.split(";"))
        qualities[range_] = _quality(parameters)
    anything = qualities.get("application/*", qualities.get("*/*", 0.0))
    legacy = qualities.get(JSON, anything)
    # Wildcards are what clients send that know nothing of the newer type.
    modern = qualities.get(RESPONSE_JSON, 0.0)
    if not legacy and not modern:
        raise RequestRefused(406, "NOT_ACCEPTABLE", f"accept {RESPONSE_JSON} or {JSON}")
    return RESPONSE_JSON if modern >= legacy else JSON


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def check_request_type(headers: Headers) -> None:
    """Let a body pass that is JSON in UTF-8, not compressed.

    Raises:
        RequestRefused: it is something else; the response says what is read.
    """
    content_type, *parameters = headers.get("content-type", "").lower().split(";")
    if content_type.strip() != JSON:
        raise _unsupported(f"send the request as {JSON}", Accept=JSON)
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip(" \"'") not in ("utf-8", "utf8"):
            raise _unsupported(
                f"the charset is {value.strip()[:40]}; send the request in UTF-8",
                Accept=f"{JSON}; charset=utf-8",
            )
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise _unsupported(
            "send the request without compression", **{"Accept-Encoding": "identity"}
        )


def _unsupported(message: str, **headers: str) -> RequestRefused:
    return RequestRefused(415, "UNSUPPORTED_MEDIA_TYPE", message, headers=headers)
