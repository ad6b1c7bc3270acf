"""Requests that a page of another site makes a browser send (cross-site request forgery).

A browser asks first (a CORS preflight) before it sends a JSON body or a header of the page's
choice across sites, so only what it sends unasked has to be refused. A POST is covered by its
content type: no form can send JSON. A GET is refused if it bears the marks of a browser that was
led here by another site. Clients that are no browser send none of these marks.
"""

from starlette.datastructures import Headers

from gateway.errors import RequestRefused

PREFLIGHT_HEADERS = ("graphql-require-preflight", "apollo-require-preflight")
"""Headers without a meaning of their own that make a browser ask first."""

# No browser adds these by itself, and none lets a page add them across sites unasked.
_FORCING_HEADERS = (
    *PREFLIGHT_HEADERS,
    "x-apollo-operation-name",
    "x-api-key",
    "x-requested-with",
)
# https://fetch.spec.whatwg.org/#cors-safelisted-request-header
_SIMPLE_TYPES = ("", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain")


def check_origin(headers: Headers, *, trusted: tuple[str, ...] = ()) -> None:
    """Let a request pass that no page of another site can have forged.

    Args:
        headers: of a GET request.
        trusted: origins whose pages may ask; ``*`` stands for all.

    Raises:
        RequestRefused: another site may be behind it.
    """
    if _asked_first(headers) or _is_ours(headers, trusted):
        return
    raise RequestRefused(
        403,
        "CSRF_REFUSED",
        "a page of another site can make a browser send this request; add the header "
        f"'{PREFLIGHT_HEADERS[0]}: 1', or send a POST with a JSON body",
    )


def _asked_first(headers: Headers) -> bool:
    content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    bearer = headers.get("authorization", "").lower().startswith("bearer ")
    forced = any(name in headers for name in _FORCING_HEADERS)
    return forced or bearer or content_type not in _SIMPLE_TYPES


def _is_ours(headers: Headers, trusted: tuple[str, ...]) -> bool:
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if origin is not None and (origin in trusted or "*" in trusted):
        return True
    if site is not None:  # https://www.w3.org/TR/fetch-metadata/; "none" is the user's own doing.
        return site in ("same-origin", "none")
    if origin is not None:
        return origin.partition("://")[2] == headers.get("host")
    # Without these headers it is a browser of old, or one that came over plain HTTP.
    return not headers.get("user-agent", "").startswith("Mozilla/")
