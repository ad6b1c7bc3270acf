"""Tells that the process is alive."""

from starlette.requests import Request
from starlette.responses import JSONResponse


async def healthz(_request: Request) -> JSONResponse:
    """200 as long as the process answers; nothing is asked upstream."""
    return JSONResponse({"status": "ok"})
