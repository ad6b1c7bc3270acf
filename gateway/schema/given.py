"""The way from the members of an input type to a request's path and body.

An input type is a plain annotated class whose fields are made by `member`, `required` and `key`.
Members have Microsoft Graph's names, so the JSON to send follows from the type; a field's rules are
checked before anything is sent. A class may say more:

- ``odata_type``: the ``@odata.type`` that its JSON carries.
- ``broken_by(given)``: a rule over several members; returns the member to name and the rule.
"""

import re
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

import strawberry

from gateway.errors import BadUserInput
from gateway.internals import StrawberryList, StrawberryOptional, camel_case, definition_of
from gateway.odata.address import key_segment
from gateway.odata.routes import Routes
from gateway.schema.enums import UNKNOWN
from gateway.schema.service import ROOT, SERVICE

ODATA_TYPE = "@odata.type"
LIFECYCLE = "#microsoft.graph.identityGovernance."
GRAPH = "#microsoft.graph."

Rule = Callable[[Any], str | None]
_RULES, _KEY, _NULLABLE, _TYPE, _FLAGS = "rules", "key", "nullable", "odata type", "flags"
# An id that does not go into a path may be the name of an edge.
_NO_ROUTES = Routes(SERVICE, {})
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def member(
    description: str,
    *rules: Rule,
    optional: bool = True,
    nullable: bool = False,
    odata_type: str | None = None,
    flags: bool = False,
) -> Any:
    """A member of the JSON that is sent.

    Args:
        description: for the schema; constraints included.
        rules: each tells which rule a value breaks, if it does.
        optional: whether it may be left out.
        nullable: whether null may be sent.
        odata_type: one-of inputs: the type that is chosen by a member without members.
        flags: whether several values are sent joined by commas.
    """
    metadata = {_RULES: rules, _NULLABLE: nullable, _TYPE: odata_type, _FLAGS: flags}
    if optional:
        return strawberry.field(
            description=description, metadata=metadata, default=strawberry.UNSET
        )
    return strawberry.field(description=description, metadata=metadata)


def required(description: str, *rules: Rule, **how: Any) -> Any:
    """A member that can't be left out; see `member`."""
    return member(description, *rules, optional=False, **how)


def key(description: str, **default: Any) -> Any:
    """A member that goes into the path of the request: an id, unless `path_of` says otherwise."""
    return strawberry.field(description=description, metadata={_KEY: True}, **default)


def path_of(routes: Routes, template: str, given: Mapping[str, Any]) -> str:
    """The encoded path that ``template`` makes of ids, relative to the version root.

    It leads below the deleted workflows where ``given`` has a true ``deleted``.

    Raises:
        BadUserInput: an id can't be one; names its member.
    """

    def segment(found: re.Match[str]) -> str:
        return key_segment(routes.checked_id(str(given[found[1]]), f"input.{found[1]}"))

    root = f"{ROOT}/deletedItems" if given.get("deleted") else ROOT
    return f"{root}/{_PLACEHOLDER.sub(segment, template)}"


def body_of(type_: type, given: Mapping[str, Any], path: str = "input") -> dict[str, Any]:
    """The JSON to send for what a caller gave, without the ids that go into the path.

    Args:
        type_: the input type.
        given: its coerced members by GraphQL name.
        path: how an error names the input.

    Raises:
        BadUserInput: members break their rules. ``violations`` lists all, ``argument`` names the
            first.
    """
    broken: list[tuple[str, str]] = []
    body = _object(type_, given, path, broken)
    if broken:
        refused = BadUserInput(broken[0][1], argument=broken[0][0])
        if len(broken) > 1:
            refused.message = "; ".join(f"{where}: {rule}" for where, rule in broken)
        refused.extensions["violations"] = [
            {"argument": where, "rule": rule} for where, rule in broken
        ]
        raise refused
    return body


Broken = list[tuple[str, str]]


def has_members(type_: type) -> bool:
    """Whether there is anything to send for an input type, beyond the path."""
    fields = definition_of(type_).fields
    return any(not field.metadata.get(_KEY) for field in fields)


def _object(type_: type, given: Mapping[str, Any], path: str, broken: Broken) -> dict[str, Any]:
    definition = definition_of(type_)
    odata_type = getattr(type_, "odata_type", None)
    body: dict[str, Any] = {} if odata_type is None else {ODATA_TYPE: odata_type}
    for field in definition.fields:
        name = camel_case(field.python_name)
        if name not in given:
            continue
        value, here = given[name], f"{path}.{name}"
        if field.metadata.get(_KEY):
            if isinstance(value, str) and (rule := an_id(value)) is not None:
                broken.append((here, rule))
            continue
        if value is None and not field.metadata[_NULLABLE]:
            broken.append((here, "can't be null; leave it out instead"))
            continue
        rules = field.metadata[_RULES] if value is not None else ()
        broken += [(here, rule) for check in rules if (rule := check(value)) is not None]
        made = _value(field.type, value, here, broken)
        if definition.is_one_of:
            return made if isinstance(made, dict) else {ODATA_TYPE: field.metadata[_TYPE]}
        body[name] = ",".join(made) if field.metadata[_FLAGS] and made is not None else made
    check_all = getattr(type_, "broken_by", None)
    if check_all is not None and (violation := check_all(given)) is not None:
        broken.append((f"{path}.{violation[0]}", violation[1]))
    return body


def _value(type_: Any, value: Any, path: str, broken: Broken) -> Any:
    if isinstance(type_, StrawberryOptional):
        return _value(type_.of_type, value, path, broken)
    if value is None:
        return None
    if isinstance(type_, StrawberryList):
        return [
            _value(type_.of_type, item, f"{path}[{number}]", broken)
            for number, item in enumerate(value)
        ]
    if isinstance(value, Mapping):
        return _object(type_, value, path, broken)
    if isinstance(value, Enum):
        if value.name == UNKNOWN:
            broken.append((path, f"{UNKNOWN} is not a value to send"))
        return value.value
    return value


# --- rules -----------------------------------------------------------------------------------


def not_blank(value: Any) -> str | None:
    """Text with something in it."""
    return None if value.strip() else "must not be blank"


def an_id(value: Any) -> str | None:
    """A text that can be the id of an object (see `Routes.checked_id`)."""
    try:
        _NO_ROUTES.checked_id(value, "")
    except BadUserInput as error:
        return error.message.removeprefix(": ")
    return None


def is_true(value: Any) -> str | None:
    """A choice that holds nothing else."""
    return None if value is True else "can only be true"


def between(low: int, high: int) -> Rule:
    """A number from ``low`` to ``high``."""
    return lambda value: None if low <= value <= high else f"must be from {low} to {high}"


def items(least: int, most: int | None = None) -> Rule:
    """A list with so many items, each once where they have ids."""

    def check(value: Any) -> str | None:
        if len(value) < least:
            return f"must have at least {least} item{'s' if least > 1 else ''}"
        if most is not None and len(value) > most:
            return f"must have at most {most} items"
        ids = [item["id"] for item in value if isinstance(item, Mapping) and "id" in item]
        return "must not have the same id twice" if len(ids) != len(set(ids)) else None

    return check
