"""The server's own bounds: bytes of an address line and of headers, before anybody is asked.

uvicorn has no limit of its own for them where httptools reads the requests: headers are collected
until they end, and an address that httptools can't take apart is answered in plain text. This
module alone touches uvicorn's protocol class, which is not documented: the callbacks of httptools
(``on_url``, ``on_header``, …), ``send_400_response`` and the attributes ``cycle``, ``pipeline`` and
``transport``.
"""

import asyncio
from functools import partial
from typing import Any, cast

import httptools
import orjson
import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from gateway.errors import RequestRefused
from gateway.http.errors import bad_request

LONGEST_URI = 65_535
"""Bytes of an address that httptools, which reads the requests, can take apart."""

LINGER_SECONDS = 2.0
LINGER_BYTES = 1_000_000
_FIELD_OVERHEAD = len(": \r\n")
_LINE_OVERHEAD = 64


def bounded(max_uri: int, max_header: int) -> type[asyncio.Protocol]:
    """The protocol for ``uvicorn.Config(http=…)``, with limits in bytes.

    Args:
        max_uri: of the address line's target: path and query string.
        max_header: of all header fields together, and of what else surrounds a body.
    """
    # A partial object can be pickled, as worker processes need it; uvicorn only calls it.
    return cast(
        "type[asyncio.Protocol]",
        partial(BoundedProtocol, max_uri=max_uri, max_header=max_header),
    )


def server_config(app: Any, *, max_uri: int, max_header: int, **options: Any) -> uvicorn.Config:
    """The configuration of a server that has the limits, and does not tell what it is.

    Args:
        app: the ASGI application, or where to import it from.
        max_uri, max_header: as for `bounded`.
        options: of ``uvicorn.Config``.
    """
    return uvicorn.Config(app, http=bounded(max_uri, max_header), server_header=False, **options)


class BoundedProtocol(HttpToolsProtocol):
    """Reads requests until they break a limit; then says which, and closes the connection.

    What is counted while it arrives are the bytes since anything was complete (a head, a piece of
    a body, a message): they are what the parser has to keep. That bounds trailers and the lines
    between the chunks of a body too. Complete headers are counted exactly.
    """

    def __init__(self, *args: Any, max_uri: int, max_header: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._max_uri = max_uri
        self._max_header = max_header
        self.url = b""
        self._header_bytes = 0
        self._pending = 0
        self._progress = False
        self._in_body = False
        self._refusal: RequestRefused | None = None
        self._lingered: int | None = None

    # --- what arrives ------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Read on, unless a limit is broken; then what still comes is thrown away."""
        if self._lingered is not None:
            self._lingered += len(data)
            if self._lingered > LINGER_BYTES:
                self.transport.abort()
            return
        self._progress = False
        super().data_received(data)
        self._pending = 0 if self._progress else self._pending + len(data)
        most = len(self.url) + self._max_header + _LINE_OVERHEAD
        if self._lingered is None and self._pending > most:
            self._refusal = self._headers_too_large()
            self.send_400_response("")

    def eof_received(self) -> None:
        """The client has heard the refusal."""
        if self._lingered is not None:
            self.transport.close()

    def on_message_begin(self) -> None:
        """A request begins."""
        self._header_bytes = 0
        self._in_body = False
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """A piece of the address."""
        super().on_url(url)
        if len(self.url) > self._max_uri:
            self._refuse(_uri_too_long(self._max_uri))

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer, is complete."""
        self._header_bytes += len(name) + len(value) + _FIELD_OVERHEAD
        if self._header_bytes > self._max_header:
            self._refuse(self._headers_too_large())
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """All headers are complete."""
        self._progress = True
        try:
            httptools.parse_url(self.url)
        except httptools.HttpParserInvalidURLError:
            self._refuse(bad_request("the address of the request is not valid"))
        super().on_headers_complete()
        self._in_body = True

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._progress = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is complete."""
        self._progress = True
        super().on_message_complete()
        self._in_body = False

    # --- refusing ----------------------------------------------------------------------------

    def _headers_too_large(self) -> RequestRefused:
        return RequestRefused(
            431,
            "HEADERS_TOO_LARGE",
            f"the headers are larger than {self._max_header} bytes "
            "(setting GATEWAY_MAX_HEADER_BYTES)",
            limit=self._max_header,
            setting="GATEWAY_MAX_HEADER_BYTES",
        )

    def _refuse(self, refusal: RequestRefused) -> None:
        """Stop the parser, which takes any exception of a callback for an invalid request."""
        self._refusal = refusal
        raise refusal

    def send_400_response(self, msg: str) -> None:
        """Answer what can't be read on, and close the connection."""
        refusal = self._refusal or bad_request("the request is not valid HTTP")
        if not self._is_awaited():
            self.transport.close()
            return
        if self._in_body:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        body = orjson.dumps(refusal.body)
        headers = {
            b"content-type": b"application/json; charset=utf-8",
            b"content-length": str(len(body)).encode(),
            b"cache-control": b"no-store",
            b"x-content-type-options": b"nosniff",
            b"connection": b"close",
        }
        lines = [*self.server_state.default_headers, *headers.items()]
        fields = b"".join(b"%b: %b\r\n" % line for line in lines)
        self.transport.write(STATUS_LINE[refusal.status] + fields + b"\r\n" + body)
        self._linger()

    def _is_awaited(self) -> bool:
        """Whether the client would take an answer for one to the request that is being read."""
        if self._in_body:
            return not self.cycle.response_started and not self.pipeline
        return self.cycle is None or self.cycle.response_complete

    def _linger(self) -> None:
        """Close in a way that lets the client read the answer.

        A socket that is closed with unread bytes makes the client's system forget what it has
        received (RFC 9112, section 9.6).
        """
        self._lingered = 0
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.flow.resume_reading()
        self.loop.call_later(LINGER_SECONDS, self.transport.close)


def _uri_too_long(most: int) -> RequestRefused:
    return RequestRefused(
        414,
        "URI_TOO_LONG",
        f"the address is longer than {most} bytes (setting GATEWAY_MAX_URI_BYTES)",
        limit=most,
        setting="GATEWAY_MAX_URI_BYTES",
    )
