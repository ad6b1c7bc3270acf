"""The text that commands print when they begin to listen: where, and how to use it."""

import ipaddress

from gateway.access.identity import API_KEY_HEADER
from gateway.app import DEFAULT_QUERY
from gateway.settings import Settings


def origin(host: str, port: int) -> str:
    """The URL that leads from this machine to what listens on ``host``, without a path."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return f"http://{host or '127.0.0.1'}:{port}"  # No host stands for every interface.
    if address.is_unspecified:
        address = ipaddress.ip_address("::1" if address.version == 6 else "127.0.0.1")
    return f"http://[{address}]:{port}" if address.version == 6 else f"http://{address}:{port}"


def banner(settings: Settings, host: str, port: int) -> str:
    """The text that `serve` prints: where the gateway is, and how to ask it.

    Args:
        settings: of the gateway.
        host: that it listens on, as it was given.
        port: that it listens on.
    """
    address = f"{origin(host, port)}/graphql"
    proven = settings.audience is not None or settings.api_keys is not None
    if settings.upstream_url is not None or proven:
        where = (
            f"in front of {settings.upstream_url}" if settings.upstream_url else "on the sandbox"
        )
        return f"Lifecycle Gateway {where}\n  POST {address}{_proof(settings)}"
    return (
        "Lifecycle Gateway on the sandbox: no tenant, no token, invented data.\n"
        f"  Open {address} in a browser, or paste this:\n\n"
        f"  curl -s {address} -H 'content-type: application/json' \\\n"
        '    -d \'{"query": "{ workflows { nodes { displayName category } } }"}\'\n\n'
        "  A query to begin with:\n\n"
        + "".join(f"    {line}\n" for line in DEFAULT_QUERY.splitlines())
        + "\n  It takes any token. A JWT, signed or not, whose claims scp or roles hold\n"
        "  permissions of Microsoft Graph shows what these allow; any other, or none, shows all.\n"
        "\n  For your own tenant: GATEWAY_UPSTREAM_URL=https://graph.microsoft.com/v1.0"
    )


def _proof(settings: Settings) -> str:
    """The proof by which a caller is known, as the end of a sentence."""
    ways = []
    if settings.credentials == "passthrough":
        ways.append("'Authorization: Bearer <your Microsoft Graph token>'")
    if settings.audience is not None:
        ways.append(f"'Authorization: Bearer <token for {settings.audience}>'")
    if settings.api_keys is not None:
        ways.append(f"'{API_KEY_HEADER}: <key>'")
    return f" with {' or '.join(ways)}" if ways else ", from this machine alone"
