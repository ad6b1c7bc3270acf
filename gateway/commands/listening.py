"""The socket of a command that serves."""

import socket

import uvicorn

from gateway.commands.telling import failure


def listen(config: uvicorn.Config) -> socket.socket:
    """A socket that clients can connect to.

    Raises:
        typer.Exit: the address can't be listened on; the reason was told.
    """
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    listener = socket.socket(family=family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((config.host, config.port))
        listener.listen(config.backlog)
    except OSError as error:
        listener.close()
        raise failure(
            f"Can't listen on {config.host}:{config.port}: {error.strerror}. Try another --port."
        ) from None
    listener.set_inheritable(True)
    return listener
