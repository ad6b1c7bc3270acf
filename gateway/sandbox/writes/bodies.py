"""Checks of request bodies: each returns the value to keep, or raises the 400 that names it.

Annotations (`@odata.…`) are let through and dropped, except where the type of a value is theirs
to say. Anything else that a body may not hold is refused.
"""

from collections.abc import Callable, Mapping
from typing import Any

from gateway.sandbox.data.model import Row
from gateway.sandbox.data.timestamps import instant, seconds_of
from gateway.sandbox.errors import GraphError, bad_request

Check = Callable[[Any, str], Any]
"""A check: takes a value and the name of its member, returns the value to keep."""

_INT32 = 2**31


def _wrong(name: str, expected: str) -> GraphError:
    return bad_request(f"The value of '{name}' is not valid: {expected} was expected.")


def string(value: Any, name: str) -> str:
    """Check a string."""
    if not isinstance(value, str):
        raise _wrong(name, "a string")
    return value


def text(value: Any, name: str) -> str:
    """Check a string that says something."""
    if not string(value, name).strip():
        raise _wrong(name, "a string that is not empty")
    return string(value, name)


def boolean(value: Any, name: str) -> bool:
    """Check a Boolean."""
    if not isinstance(value, bool):
        raise _wrong(name, "a Boolean")
    return value


def integer(low: int = -_INT32, high: int = _INT32 - 1) -> Check:
    """Return the check of an integer within bounds."""

    def check(value: Any, name: str) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise _wrong(name, f"an integer from {low} to {high}")
        return value

    return check


def timestamp(value: Any, name: str) -> str:
    """Check a DateTimeOffset."""
    try:
        instant(string(value, name))
    except ValueError as error:
        raise _wrong(name, "a DateTimeOffset") from error
    return string(value, name)


def duration(value: Any, name: str) -> str:
    """Check a Duration."""
    if seconds_of(string(value, name)) is None:
        raise _wrong(name, "a duration such as PT1H")
    return string(value, name)


def nullable(inner: Check) -> Check:
    """Return the check of a value that may be null."""
    return lambda value, name: None if value is None else inner(value, name)


def member_of(members: str, ignoring_case: bool = False) -> Check:
    """Return the check of an enumeration member; `members` are those a request may send."""
    known = {name.lower() if ignoring_case else name: name for name in members.split()}

    def check(value: Any, name: str) -> str:
        key = string(value, name).lower() if ignoring_case else string(value, name)
        if key not in known:
            raise _wrong(name, f"one of {', '.join(known.values())}")
        return known[key]

    return check


def flags(members: str) -> Check:
    """Return the check of members of an enumeration of flags, joined by commas."""
    one = member_of(members)
    return lambda value, name: ",".join(
        one(m.strip(), name) for m in string(value, name).split(",")
    )


def collection(inner: Check, least: int = 0, most: int | None = None) -> Check:
    """Return the check of a list of `least` to `most` values."""

    def check(value: Any, name: str) -> list[Any]:
        if not isinstance(value, list):
            raise _wrong(name, "a list")
        if len(value) < least:
            raise _wrong(name, f"a list of at least {least}")
        if most is not None and len(value) > most:
            raise _wrong(name, f"a list of at most {most}")
        return [inner(item, f"{name}[{index}]") for index, item in enumerate(value)]

    return check


def record(
    required: Mapping[str, Check] | None = None, optional: Mapping[str, Check] | None = None
) -> Check:
    """Return the check of an object with these members and no others."""
    needed = required or {}
    known = {**needed, **(optional or {})}

    def check(value: Any, name: str) -> Row:
        if not isinstance(value, dict):
            raise _wrong(name, "an object")
        inner = f"{name}." if name else ""
        for member in value:
            if member not in known and "@" not in member:
                raise bad_request(f"'{inner}{member}' is not a member that can be set here.")
        for member in needed:
            if member not in value:
                raise bad_request(f"The member '{inner}{member}' is required.")
        return {
            member: known[member](item, f"{inner}{member}")
            for member, item in value.items()
            if member in known
        }

    return check


def kinds(namespace: str, shapes: Mapping[str, Check]) -> Check:
    """Return the check of a value whose `@odata.type` says which of the `shapes` it has.

    The type is taken with or without `#` and kept with it: section 4.
    """
    known = {f"{namespace}.{name}": shape for name, shape in shapes.items()}

    def check(value: Any, name: str) -> Row:
        if not isinstance(value, dict):
            raise _wrong(name, "an object")
        kind = value.get("@odata.type")
        shape = known.get(kind.removeprefix("#")) if isinstance(kind, str) else None
        if shape is None:
            raise _wrong(f"{name}.@odata.type", f"one of {', '.join(known)}")
        return {"@odata.type": f"#{str(kind).removeprefix('#')}", **shape(value, name)}

    return check


def read(body: Any, shape: Check) -> Row:
    """Return the checked body of a request."""
    if not isinstance(body, dict):
        raise bad_request("The request body must be a JSON object.")
    checked: Row = shape(body, "")
    return checked
