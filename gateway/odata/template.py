"""Templates of requests: what is asked, without the ids and times it is asked for.

The same template stands for every request of a kind, so what a plan foretells can be compared with
what was sent, and shown to anyone: nothing that only the service knows is in it.
"""

import re
from urllib.parse import unquote

from gateway.odata.address import is_name
from gateway.odata.query import GraphRequest

_ARGUMENTS = re.compile(r"\(.+\)$")
_IN = re.compile(r"\bin \((?:'(?:[^']|'')*'(?:, ?)?)+\)")
_IDS = re.compile(r"(\bid eq )'(?:[^']|'')*'")
_TIMES = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d[\d:.]*(?:Z|[+-]\d\d:\d\d)")
_LINKS = ("$skiptoken=", "$skip=")


def template_of(request: GraphRequest) -> str:
    """The template of a request.

    >>> template_of(GraphRequest("identityGovernance/lifecycleWorkflows/workflows/1f/runs?$top=5"))
    'GET identityGovernance/lifecycleWorkflows/workflows/{id}/runs?$top=5'
    >>> template_of(GraphRequest("users?$select=id&$filter=id%20in%20('a','b')"))
    'GET users?$select=id&$filter=id in (…)'
    """
    path, _, query = request.url.partition("?")
    segments = [
        _ARGUMENTS.sub("(…)", part) if is_name(part) else "{id}" for part in path.split("/")
    ]
    options = [part for part in query.split("&") if part and not part.startswith(_LINKS)]
    told = "&".join(map(_shown, options))
    return f"{request.method} {'/'.join(segments)}" + (f"?{told}" if told else "")


def _shown(option: str) -> str:
    text = unquote(option)
    if not text.startswith("$filter="):
        return text
    return _TIMES.sub("…", _IDS.sub(r"\1'…'", _IN.sub("in (…)", text)))
