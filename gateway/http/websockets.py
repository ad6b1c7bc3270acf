"""WebSocket handshakes, which get a clear answer: there are no subscriptions to open one for."""

from starlette.websockets import WebSocket

from gateway.http.errors import websockets_not_offered
from gateway.http.graphql import json_response

_DENIAL = "websocket.http.response"


async def refuse_handshake(websocket: WebSocket) -> None:
    """Answer a handshake with an error in JSON, or close it where the server can't send one.

    See https://asgi.readthedocs.io/en/latest/extensions.html#websocket-denial-response.
    """
    refused = websockets_not_offered()
    if _DENIAL in websocket.scope.get("extensions", {}):
        response = json_response(refused.body, refused.status)
        await websocket.send_denial_response(response)
    else:
        await websocket.close(reason=refused.message)
