"""An upstream on tape: records what the sandbox answers, and plays it back at no cost."""

from collections.abc import Callable
from dataclasses import dataclass

import httpx

Key = tuple[str, str, bytes]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One HTTP request, and the bytes that answered it."""

    url: str
    sent: bytes
    received: bytes


class Tape(httpx.AsyncBaseTransport):
    """A transport that passes requests on while it records, and then answers by itself.

    Args:
        upstream: answers while recording.
    """

    def __init__(self, upstream: httpx.AsyncBaseTransport) -> None:
        self._upstream: httpx.AsyncBaseTransport | None = upstream
        self._answers: dict[Key, tuple[int, bytes]] = {}
        self.exchanges: list[Exchange] = []

    def forget(self) -> None:
        """Empty the list of exchanges; what was recorded can still be played."""
        self.exchanges.clear()

    def play(self) -> None:
        """Answer from the tape from now on."""
        self._upstream = None

    def rewrite(self, change: Callable[[bytes], bytes]) -> None:
        """Change the recorded answers."""
        self._answers = {key: (code, change(body)) for key, (code, body) in self._answers.items()}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        url, sent = str(request.url), request.content
        key = (request.method, url, sent)
        if self._upstream is not None:
            response = await self._upstream.handle_async_request(request)
            received = await response.aread()
            self._answers[key] = (response.status_code, received)
            self.exchanges.append(Exchange(url, sent, received))
        status, received = self._answers[key]
        return httpx.Response(
            status,
            headers=[(b"content-type", b"application/json")],
            stream=httpx.ByteStream(received),
        )
