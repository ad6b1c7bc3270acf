"""Templates of requests: what is asked, without the ids and times it is asked for.

The same template stands for every request of a kind, so what a plan foretells can be compared with
what was sent, and shown to anyone: nothing that only the service knows is in it.
"""

import re
from urllib.parse import unquote

from gateway.odata.query import GraphRequest
from gateway.odata.routes import Routes

_ARGUMENTS = re.compile(r"\(.+\)$")
_IN = re.compile(r"\bin \((?:'(?:[^']|'')*'(?:, ?)?)+\)")
_IDS = re.compile(r"(\bid eq )'(?:[^']|'')*'")
_TIMES = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d[\d:.]*(?:Z|[+-]\d\d:\d\d)")
_LINKS = ("$skiptoken=", "$skip=")


def template_of(request: GraphRequest, routes: Routes) -> str:
    """The template of a request.

    Args:
        request: with a path that the gateway made.
        routes: tell the names in it from the keys.

    >>> routes = Routes(Service("r"), {"A": [Route("as/*")]})
    >>> template_of(GraphRequest("r/as/1f?$top=5"), routes)
    'GET r/as/{id}?$top=5'
    >>> template_of(GraphRequest("r/as?$select=id&$filter=id%20in%20('a','b')"), routes)
    'GET r/as?$select=id&$filter=id in (…)'
    """
    path, _, query = request.url.partition("?")
    segments = [
        _ARGUMENTS.sub("(…)", part) if routes.is_name(part) else "{id}" for part in path.split("/")
    ]
    options = [part for part in query.split("&") if part and not part.startswith(_LINKS)]
    told = "&".join(map(_shown, options))
    return f"{request.method} {'/'.join(segments)}" + (f"?{told}" if told else "")


def _shown(option: str) -> str:
    text = unquote(option)
    if not text.startswith("$filter="):
        return text
    return _TIMES.sub("…", _IDS.sub(r"\1'…'", _IN.sub("in (…)", text)))
