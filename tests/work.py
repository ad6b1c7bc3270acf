"""How much an event loop does at a stretch, in calls of functions: the same on a busy machine."""

import asyncio
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp

_ROUND = asyncio.base_events.BaseEventLoop._run_once.__code__


class Work:
    """Counts the calls of Python and C functions of one thread.

    Attributes:
        longest: calls of the longest round of the event loop since `forget`: for so long nobody
            else was served.
    """

    def __init__(self) -> None:
        self.longest = 0
        self._calls = 0

    def forget(self) -> None:
        """Begin anew."""
        self.longest = 0

    def profile(self, frame: FrameType, event: str, _arg: Any) -> None:
        """For ``sys.setprofile``."""
        if event == "c_call":
            self._calls += 1
        elif event == "call":
            self._calls += 1
            if frame.f_code is _ROUND:
                self.longest = max(self.longest, self._calls)
                self._calls = 0


@contextmanager
def counted(app: ASGIApp) -> Iterator[tuple[str, Work]]:
    """Serve an application as ``tests.conftest.listening`` does; its work is counted."""
    work = Work()
    # asyncio's own loop: each of its rounds is a call that can be seen.
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", loop="asyncio")
    server = uvicorn.Server(config)
    listener = config.bind_socket()

    def run() -> None:
        sys.setprofile(work.profile)
        server.run(sockets=[listener])

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", work
    finally:
        server.should_exit = True
        thread.join(60)
        listener.close()
