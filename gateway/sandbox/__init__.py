"""An embedded stand-in for the Microsoft Graph lifecycle workflows service.

    protocol   HTTP and OData: routing, $batch, query options, faults on demand
        │
        ▼
    writes     the tenant, and the methods that change it
        │
        ▼
    data       rows: documented, generated from a seed, and edited

Imports lead down. Nothing of the rest of the gateway is imported: it is reached over HTTP.
"""

from starlette.applications import Starlette

from gateway.sandbox.settings import SandboxSettings

__all__ = ["SandboxSettings", "create_sandbox"]


def create_sandbox(settings: SandboxSettings | None = None) -> Starlette:
    """The sandbox as an ASGI application; it needs no lifespan and no other set-up.

    It is loaded here, because whoever wants its settings alone has no use for it.
    """
    from gateway.sandbox.protocol import app

    return app.create_sandbox(settings)
