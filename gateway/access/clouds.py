"""The clouds of Microsoft Entra ID: which token host and which scope belong to a version root."""

from urllib.parse import urlsplit

GLOBAL_AUTHORITY = "https://login.microsoftonline.com"
# graph-lifecycle-api.md, section 7, Clouds and tokens.
_AUTHORITIES = {
    "graph.microsoft.us": "https://login.microsoftonline.us",
    "dod-graph.microsoft.us": "https://login.microsoftonline.us",
    "microsoftgraph.chinacloudapi.cn": "https://login.chinacloudapi.cn",
}


def authority_of(root: str) -> str:
    """The token host of the cloud that a version root is in, such as ``https://login.…``."""
    return _AUTHORITIES.get(urlsplit(root).hostname or "", GLOBAL_AUTHORITY)


def scope_of(root: str) -> str:
    """The scope of a token for a version root: everything that was consented to."""
    url = urlsplit(root)
    return f"{url.scheme}://{url.netloc}/.default"
