"""`python -m benchmarks.upstream`: a server that costs next to nothing, for the transports.

`/small` is a small answer and `/big` one of a megabyte; `/big.gzip` and `/big.zstd` are the same in
that encoding; `/asked` answers with the Accept-Encoding that it was asked with.
"""

import asyncio
import gzip
from contextlib import suppress
from importlib import import_module

import orjson

_ROW = {
    "id": "9014cad8-6699-4912-afd8-cfeb73667c7f",
    "processingStatus": "completed",
    "createdDateTime": "2026-06-29T05:58:58.4495753Z",
    "task": {"id": "22085229-5809-45e8-97fd-270d28d66910", "displayName": "Disable user account"},
}


def rows(count: int) -> bytes:
    """A collection of rows that are alike but not equal."""
    return orjson.dumps({"value": [{**_ROW, "taskId": f"{i * 7919:032x}"} for i in range(count)]})


def answers() -> dict[str, tuple[str, bytes]]:
    """Encoding and body of each path."""
    big = rows(3_600)
    found = {
        "/small": ("", rows(3)),
        "/big": ("", big),
        "/big.gzip": ("gzip", gzip.compress(big, 6)),
    }
    with suppress(ImportError):
        found["/big.zstd"] = ("zstd", import_module("zstandard").compress(big))
    return found


class Server(asyncio.Protocol):
    """HTTP/1.1 with GET and keep-alive, as far as the benchmarks need it."""

    def __init__(self, known: dict[str, bytes]) -> None:
        self._known = known
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each request that is complete."""
        assert self._transport is not None
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].decode()
            self._transport.write(self._known.get(path) or _asked(head))


def _asked(head: bytes) -> bytes:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"accept-encoding":
            return response("", orjson.dumps({"asked": value.strip().decode()}))
    return response("", b'{"asked": null}')


def response(encoding: str, body: bytes) -> bytes:
    """A response as bytes."""
    coding = f"content-encoding: {encoding}\r\n" if encoding else ""
    head = f"content-type: application/json\r\ncontent-length: {len(body)}\r\n{coding}"
    return f"HTTP/1.1 200 OK\r\n{head}\r\n".encode() + body


async def main() -> None:
    """Serve until the process is ended."""
    known = {path: response(*answer) for path, answer in answers().items()}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Server(known), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1.0", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
