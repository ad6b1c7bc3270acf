"""Lifecycle Gateway: one GraphQL endpoint over Microsoft Graph lifecycle workflows results.

`create_app`, `Settings` and `Upstream` are what other programs may import (docs/embedding.md);
everything else may change without notice.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gateway.app import Upstream, create_app
    from gateway.settings import Settings

__all__ = ["Settings", "Upstream", "__version__", "create_app"]

__version__ = "0.1.0"

_PUBLIC = {"Settings": "gateway.settings", "Upstream": "gateway.app", "create_app": "gateway.app"}


def __getattr__(name: str) -> Any:
    """A public name, loaded when it is first asked for: what asks for the version needs no more.

    Raises:
        AttributeError: there is no such name.
    """
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)
