"""The caller's credentials."""

import re

from starlette.requests import Request

_BEARER = re.compile(r"Bearer +([A-Za-z0-9\-._~+/]+=*)", re.IGNORECASE)


def bearer_token(request: Request) -> str | None:
    """The bearer token of a request (RFC 6750, section 2.1), if it carries a well-formed one."""
    match = _BEARER.fullmatch(request.headers.get("authorization", "").strip())
    return match.group(1) if match else None
