"""Documents that a request names instead of sending them.

*Automatic persisted queries* are registered by the clients themselves
(https://www.apollographql.com/docs/apollo-server/performance/apq): a request with the hash of a
document and without its text is answered ``PersistedQueryNotFound``; the client sends both, and
from then on the hash is enough. *Trusted documents* come from a manifest that is written when the
clients are built; where only they are allowed, nothing else is executed.
"""

import hashlib
import sys
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any

import orjson
from cachetools import LRUCache

from gateway.errors import RequestRefused
from gateway.http.errors import bad_request
from gateway.http.parameters import Parameters

CAPACITY = 20_000_000
"""Bytes that the texts of all automatic persisted queries have together."""

# Some tools write it before the hash.
_ALGORITHM = "sha256:"


class PersistedDocuments:
    """The documents that this process knows by an id.

    Args:
        capacity: automatic persisted queries that are kept, 0 for none; one that has not been
            asked for the longest makes room. Their texts have 20 MB at most.
        trusted: documents by id.
        trusted_only: whether every other document is refused.
        kept: where automatic persisted queries are kept instead, text by hash. It is asked while
            all others wait, and bounds itself.
    """

    def __init__(
        self,
        *,
        capacity: int,
        trusted: Mapping[str, str] | None = None,
        trusted_only: bool = False,
        kept: MutableMapping[str, str] | None = None,
    ) -> None:
        self._texts = frozenset((trusted or {}).values())
        # A client that knows no ids names a document by its hash.
        named = {id_.removeprefix(_ALGORITHM): text for id_, text in (trusted or {}).items()}
        self._trusted = {**{_sha256(text): text for text in self._texts}, **named}
        self._trusted_only = trusted_only
        self._automatic = capacity > 0 and not trusted_only
        self._kept = _Kept(capacity) if kept is None else kept

    def text_of(self, parameters: Parameters) -> str:
        """The text of the document that a request sends or names.

        Raises:
            RequestRefused: it sends none, the document it names is not known, its hash is that of
                another text, or only trusted documents are allowed and it is none.
        """
        text, id_ = parameters.query, _named(parameters)
        if text is None and id_ is not None:
            return self._known(id_)
        if text is None or not text.strip():
            raise bad_request("query must be a GraphQL document")
        if self._trusted_only and text not in self._texts:
            raise _not_trusted()
        if _hash(parameters) is not None and self._automatic and _sha256(text) != id_:
            raise RequestRefused(
                400,
                "PERSISTED_QUERY_HASH_MISMATCH",
                "extensions.persistedQuery.sha256Hash is not the hash of the query",
            )
        return text

    def keep(self, parameters: Parameters) -> None:
        """Keep the document of a request that was found to be valid, if it asks for that."""
        id_ = _hash(parameters)
        if parameters.query is None or id_ is None or not self._automatic:
            return
        self._kept[id_] = parameters.query

    def _known(self, id_: str) -> str:
        text = self._trusted.get(id_)
        if text is not None:
            return text
        text = self._kept.get(id_)
        # Whoever else writes there must not make one document of another.
        if text is not None and _sha256(text) == id_:
            return text
        if self._trusted_only:
            raise _not_trusted()
        if self._automatic:
            raise _persisted_query_error("NotFound", "NOT_FOUND")
        raise _persisted_query_error("NotSupported", "NOT_SUPPORTED")


class _Kept(LRUCache[str, str]):
    """So many texts, of `CAPACITY` bytes together; one that is larger is not kept."""

    def __init__(self, texts: int) -> None:
        super().__init__(CAPACITY, getsizeof=sys.getsizeof)
        self._texts = texts

    def __setitem__(self, key: str, value: str) -> None:
        if sys.getsizeof(value) <= self.maxsize:
            super().__setitem__(key, value)
        while len(self) > self._texts:
            self.popitem()


def read_manifest(path: Path) -> dict[str, str]:
    """The documents of a manifest by their ids.

    It is a JSON object, either of ids to documents or, as Apollo's tools write it, with a list
    ``operations`` of objects with ``id`` and ``body``.

    Raises:
        ValueError: it can't be read, or has another form.
    """
    try:
        given = orjson.loads(path.read_bytes())
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None
    except orjson.JSONDecodeError:
        raise ValueError(f"{path} is not valid JSON") from None
    if isinstance(given, dict) and isinstance(given.get("operations"), list):
        items = [item if isinstance(item, dict) else {} for item in given["operations"]]
        documents: Any = {item.get("id"): item.get("body") for item in items}
    else:
        documents = given
    if not isinstance(documents, dict) or not all(
        isinstance(part, str) and part for item in documents.items() for part in item
    ):
        raise ValueError(f"{path} is no object of ids to GraphQL documents")
    return documents


def _named(parameters: Parameters) -> str | None:
    id_ = _hash(parameters)
    if id_ is None and parameters.document_id is not None:
        return parameters.document_id.removeprefix(_ALGORITHM)
    return id_


def _hash(parameters: Parameters) -> str | None:
    given = parameters.extensions.get("persistedQuery")
    if given is None:
        return None
    if not isinstance(given, dict) or not isinstance(given.get("sha256Hash"), str):
        raise bad_request("extensions.persistedQuery must have a string sha256Hash")
    if given.get("version") != 1:
        raise bad_request("extensions.persistedQuery must have version 1")
    return str(given["sha256Hash"])


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _persisted_query_error(name: str, code: str) -> RequestRefused:
    """Clients know these errors by their messages, and send the text next."""
    return RequestRefused(
        400, f"PERSISTED_QUERY_{code}", f"PersistedQuery{name}", legacy_status=200
    )


def _not_trusted() -> RequestRefused:
    return RequestRefused(
        403, "DOCUMENT_NOT_TRUSTED", "only the documents of the gateway's manifest are executed"
    )
