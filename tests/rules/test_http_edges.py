"""What arrives beside the plain case is taken, or told plainly what is wrong with it.

The kind: a request that is nearly right gets an answer that hides why it is refused, or is read as
something else without a word. It can occur in the encoding of a body (byte order marks, UTF-16,
Latin-1) and of a query string, in parameters that are left empty, in paths that are nearly the
endpoint's, and in handshakes for what is not offered. The server's own answers are in
test_header_limits.py.
"""

import base64
import codecs
import json
from typing import Any

import httpx
import pytest
import websockets
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from gateway.app import create_app
from gateway.settings import Settings
from tests.conftest import Gateway, Start
from tests.rules.test_header_limits import serving

JSON_TYPE = {"Content-Type": "application/json"}
TYPENAME = {"data": {"__typename": "Query"}}
NAMED = "query ($t: String) { workflows(search: $t) { totalCount } }"


async def post(gateway: Gateway, body: bytes, content_type: str = "application/json") -> Any:
    headers = {"Content-Type": content_type}
    return await gateway.client.post("/graphql", content=body, headers=headers)


def error_of(response: httpx.Response, status: int, code: str) -> str:
    """The message of the only error."""
    assert response.status_code == status
    [error] = response.json()["errors"]
    assert error["extensions"]["code"] == code
    return str(error["message"])


# --- encodings ----------------------------------------------------------------------------------


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8"])
async def test_a_byte_order_mark_is_skipped(start: Start, content_type: str) -> None:
    gateway = await start(Settings(max_batch=2))
    query = json.dumps({"query": "{ __typename }"}).encode()
    answer = await post(gateway, codecs.BOM_UTF8 + query, content_type)
    assert answer.json() == TYPENAME
    answer = await post(gateway, codecs.BOM_UTF8 + b"[" + query + b"]", content_type)
    assert answer.json() == [TYPENAME]


async def test_a_second_byte_order_mark_is_no_json(gateway: Gateway) -> None:
    answer = await post(gateway, codecs.BOM_UTF8 * 2 + b'{"query": "{ __typename }"}')
    assert error_of(answer, 400, "BAD_REQUEST") == "the body is not valid JSON"


OTHER_ENCODINGS = {
    "Latin-1": ("iso-8859-1", "not UTF-8"),
    "Windows": ("cp1252", "not UTF-8"),
    "UTF-16 with a mark": ("utf-16", "UTF-16"),
    "UTF-16 without": ("utf-16-le", "UTF-16"),
    "UTF-16 the other way": ("utf-16-be", "UTF-16"),
    "UTF-32 with a mark": ("utf-32", "UTF-32"),
    "UTF-32 without": ("utf-32-be", "UTF-32"),
}


@pytest.mark.parametrize("case", OTHER_ENCODINGS)
async def test_a_body_in_another_encoding_is_told_so(gateway: Gateway, case: str) -> None:
    encoding, told = OTHER_ENCODINGS[case]
    text = json.dumps({"query": NAMED, "variables": {"t": "Zoë"}}, ensure_ascii=False)
    message = error_of(await post(gateway, text.encode(encoding)), 400, "BAD_REQUEST")
    assert told in message
    assert "send JSON in UTF-8" in message
    assert (await post(gateway, text.encode())).status_code == 200


@pytest.mark.parametrize("charset", ["utf-16", "iso-8859-1", '"UTF-16"'])
async def test_another_charset_is_named(gateway: Gateway, charset: str) -> None:
    body = b'{"query": "{ __typename }"}'
    answer = await post(gateway, body, f"application/json; charset={charset}")
    message = error_of(answer, 415, "UNSUPPORTED_MEDIA_TYPE")
    assert charset.lower() in message
    assert "UTF-8" in message


@pytest.mark.parametrize("text", ["%ff", "%c0%af", "%ed%a0%80", "Zo%EB"])
async def test_a_query_string_that_is_not_utf8_is_told_so(gateway: Gateway, text: str) -> None:
    """Such bytes would otherwise become U+FFFD without a word."""
    asked = httpx.URL(f'/graphql?query={NAMED}&variables={{"t":"{text}"}}')
    assert "not UTF-8" in error_of(await gateway.client.get(asked), 400, "BAD_REQUEST")


@pytest.mark.parametrize("text", ["Zo%C3%AB", "100%", "%zz"])
async def test_a_query_string_in_utf8_is_read(gateway: Gateway, text: str) -> None:
    asked = httpx.URL(f'/graphql?query={NAMED}&variables={{"t":"{text}"}}')
    assert "errors" not in (await gateway.client.get(asked)).json()


# --- what is left empty -------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["variables", "extensions", "operationName", "documentId"])
async def test_a_parameter_that_is_empty_is_one_that_is_absent(gateway: Gateway, name: str) -> None:
    request = {"query": "{ __typename }", name: ""}
    assert (await gateway.post(request)).json() == TYPENAME
    assert (await gateway.client.get("/graphql", params=request)).json() == TYPENAME


@pytest.mark.parametrize("name", ["variables", "extensions"])
@pytest.mark.parametrize("value", ["x", " ", 0, False, [], ["a"]])
async def test_a_parameter_that_is_no_object_is_named(
    gateway: Gateway, name: str, value: Any
) -> None:
    answer = await gateway.post({"query": "{ __typename }", name: value})
    assert name in error_of(answer, 400, "BAD_REQUEST")


# --- paths and handshakes -----------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/graphql/", "/graphql//"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_slash_too_many_is_told_where_the_endpoint_is(
    gateway: Gateway, path: str, method: str
) -> None:
    answer = await gateway.client.request(method, path, params={"query": "{ __typename }"})
    assert error_of(answer, 404, "NOT_FOUND") == f"nothing is at {path}; the endpoint is /graphql"


@pytest.mark.parametrize("path", ["/" + "x" * 10_000, "/" + "x" * 10_000 + "/graphql/"])
async def test_a_long_path_is_cut_in_its_error(gateway: Gateway, path: str) -> None:
    message = error_of(await gateway.client.get(path), 404, "NOT_FOUND")
    assert len(message) < 300
    assert message.endswith("…")


@pytest.mark.parametrize("path", ["/graphql", "/graphql/", "/subscriptions"])
async def test_a_websocket_gets_an_answer_in_json(path: str) -> None:
    with serving() as (host, port), pytest.raises(InvalidStatus) as refused:
        await connect(
            f"ws://{host}:{port}{path}",
            subprotocols=[websockets.Subprotocol("graphql-transport-ws")],
        )
    response = refused.value.response
    assert response.status_code == 400
    assert response.headers["content-type"].startswith("application/json")
    assert "server" not in response.headers
    [error] = json.loads(response.body)["errors"]
    assert error["extensions"] == {"code": "WEBSOCKET_NOT_SUPPORTED"}
    assert "POST" in error["message"]


async def test_a_handshake_that_a_server_hands_on_as_a_get(gateway: Gateway) -> None:
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(b"0" * 16).decode(),
    }
    answer = await gateway.client.get("/graphql", headers=headers)
    assert "no WebSockets" in error_of(answer, 400, "WEBSOCKET_NOT_SUPPORTED")


async def test_a_handshake_where_the_server_can_not_answer_it_is_closed() -> None:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "websocket",
        "path": "/graphql",
        "root_path": "",
        "headers": [],
        "query_string": b"",
        "scheme": "ws",
        "subprotocols": [],
    }
    await create_app(Settings())(scope, receive, send)
    [message] = sent
    assert message["type"] == "websocket.close"
    assert "no WebSockets" in message["reason"]
