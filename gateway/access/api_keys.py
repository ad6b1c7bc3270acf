"""API keys: proof for callers that are servers and have no Microsoft Entra ID.

A key is random, so its plain SHA-256 tells nothing about it; only that is in the settings.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from gateway.access.caller import Permission

_PREFIX = "lgw_"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as the settings know it: ``name:read+change:SHA-256``."""

    name: str
    permissions: frozenset[Permission]
    digest: bytes = field(repr=False)

    def __str__(self) -> str:
        permissions = "+".join(p.value for p in Permission if p in self.permissions)
        return f"{self.name}:{permissions}:{self.digest.hex()}"


def new_key(name: str, permissions: Collection[Permission]) -> tuple[str, ApiKey]:
    """A new key, and what the settings should know of it.

    Raises:
        ValueError: ``name`` or ``permissions`` can't be used.
    """
    if _NAME.fullmatch(name) is None:
        raise ValueError("a name has up to 64 letters, digits and . _ -")
    if not permissions:
        raise ValueError("a key needs at least one permission")
    key = _PREFIX + secrets.token_urlsafe(32)
    return key, ApiKey(name, frozenset(permissions), _digest(key))


def parse_keys(text: str) -> list[ApiKey]:
    """The keys of a setting: entries separated by commas or white space.

    Raises:
        ValueError: an entry breaks a rule; told by its number, never by its content.
    """
    found: dict[str, ApiKey] = {}
    for number, entry in enumerate(re.split(r"[\s,]+", text.strip(" \n\r\t,")), 1):
        parts = entry.split(":")
        if len(parts) != 3:
            raise ValueError(f"key {number} must have the form name:permissions:SHA-256")
        name, permissions, digest = parts
        if _NAME.fullmatch(name) is None:
            raise ValueError(f"key {number}: a name has up to 64 letters, digits and . _ -")
        if name in found:
            raise ValueError(f"key {number} has the name of another one")
        if not permissions or not set(permissions.split("+")) <= set(Permission):
            raise ValueError(f"key {number}: permissions are read, change or read+change")
        if _HASH.fullmatch(digest) is None:
            raise ValueError(f"key {number}: the hash must be 64 hexadecimal digits in lower case")
        allowed = frozenset(map(Permission, permissions.split("+")))
        found[name] = ApiKey(name, allowed, bytes.fromhex(digest))
    return list(found.values())


class ApiKeys:
    """Knows keys by their hashes."""

    def __init__(self, keys: Iterable[ApiKey]) -> None:
        self._keys = list(keys)

    def find(self, key: str) -> ApiKey | None:
        """The entry of ``key``, in a time that does not depend on which it is."""
        digest = _digest(key)
        found = None
        for known in self._keys:
            if hmac.compare_digest(digest, known.digest):
                found = known
        return found


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
