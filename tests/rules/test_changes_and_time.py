"""A change whose time runs out, or that never found a connection: it is sent once or not at all."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from gateway.graph.client import GraphClient
from gateway.settings import Settings
from tests.rules.endings import (
    CHANGES,
    SEVERAL,
    ending,
    made,
)
from tests.rules.endings import audit as audit
from tests.upstreams import raw_server

from .raw import in_front_of

# --- time --------------------------------------------------------------------------------------


async def hang(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


@pytest.mark.parametrize("change", [*CHANGES.values(), SEVERAL], ids=[*CHANGES, "several"])
async def test_after_a_read_time_out_the_outcome_is_unknown(change, audit) -> None:
    async with ending(Settings(read_timeout=0.2)) as (gateway, server):
        server.ending = hang
        error = await made(gateway, change)
    assert error == {"code": "UPSTREAM_TIMEOUT", "outcomeUnknown": True}
    assert len(server.lines) == 1
    assert set(audit()) == {"UNKNOWN"}


async def test_an_answer_after_the_deadline_is_too_late_to_know(audit) -> None:
    async with ending(Settings(deadline=3)) as (gateway, server):
        server.ending = hang
        error = await made(gateway, CHANGES["PATCH"])
    assert error == {"code": "UPSTREAM_TIMEOUT", "outcomeUnknown": True}
    assert len(server.lines) == 1
    assert audit() == ["UNKNOWN"]


def _needing(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Make changes need that much time."""
    monkeypatch.setattr(
        "gateway.app.GraphClient",
        lambda root, **how: GraphClient(root, **{**how, "change_time": seconds}),
    )


@pytest.mark.parametrize("change", [*CHANGES.values(), SEVERAL], ids=[*CHANGES, "several"])
async def test_a_change_with_too_little_time_for_its_answer_is_not_sent(
    change, audit, monkeypatch
) -> None:
    _needing(monkeypatch, 61)
    async with ending(Settings(deadline=60)) as (gateway, server):
        error = await made(gateway, change)
    assert error == {"code": "UPSTREAM_TIMEOUT"}
    assert server.lines == []
    assert set(audit()) == {"UPSTREAM_TIMEOUT"}


async def test_a_change_that_gets_its_turn_too_late_is_not_sent(audit, monkeypatch) -> None:
    _needing(monkeypatch, 1.9)
    settings = Settings(concurrency=1, deadline=2, max_attempts=1)
    async with ending(settings) as (gateway, server):
        server.ending = hang
        read = asyncio.create_task(gateway.errors("{ workflows { nodes { id } } }"))
        assert await asyncio.to_thread(server.asked.wait, 10)
        error = await made(gateway, CHANGES["PATCH"])
        await read
    assert error == {"code": "UPSTREAM_TIMEOUT"}
    assert [line.split()[0] for line in server.lines] == ["GET"]
    assert audit() == ["UPSTREAM_TIMEOUT"]


async def test_a_change_that_is_connected_too_late_is_not_sent(audit, monkeypatch) -> None:
    """The first look at the clock is before there is a connection, the second after."""
    times = iter([0.0])

    class Clock:
        @staticmethod
        def monotonic() -> float:
            return next(times, float("inf"))

    monkeypatch.setattr("gateway.graph.transport.time", Clock)
    async with ending(Settings()) as (gateway, server):
        error = await made(gateway, CHANGES["PATCH"])
    assert error == {"code": "UPSTREAM_TIMEOUT"}
    assert server.lines == []
    assert audit() == ["UPSTREAM_TIMEOUT"]


# --- before there is a connection --------------------------------------------------------------


@contextmanager
def nobody() -> Iterator[str]:
    """An address at which nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"


@contextmanager
def full() -> Iterator[str]:
    """An address at which no further connection is taken."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen(0)
        waiting = []
        for _ in range(8):
            waiting.append(socket.socket())
            waiting[-1].setblocking(False)
            waiting[-1].connect_ex(sock.getsockname())
        try:
            yield f"http://127.0.0.1:{sock.getsockname()[1]}"
        finally:
            for other in waiting:
                other.close()


@contextmanager
def without_tls() -> Iterator[str]:
    """An address that speaks no TLS."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    with raw_server(serve) as address:
        yield address.replace("http:", "https:")


@contextmanager
def unknown_name() -> Iterator[str]:
    """An address whose name nobody knows."""

    def refuse(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", refuse)
        yield "http://graph.example"


@pytest.mark.parametrize("where", [nobody, full, without_tls, unknown_name])
@pytest.mark.parametrize("change", [*CHANGES.values(), SEVERAL], ids=[*CHANGES, "several"])
async def test_what_was_never_sent_is_not_of_unknown_outcome(where, change, audit) -> None:
    settings = Settings(connect_timeout=0.2)
    with where() as address:
        async with in_front_of(address, settings) as gateway:
            error = await made(gateway, change)
    assert error == {"code": "UPSTREAM_UNAVAILABLE"}
    assert set(audit()) == {"UPSTREAM_UNAVAILABLE"}
