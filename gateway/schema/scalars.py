"""Scalars that keep what the service wrote."""

from typing import Any, NewType

import strawberry
from graphql import GraphQLError

from gateway.internals import ScalarDefinition
from gateway.odata.timestamps import Time

DateTime = NewType("DateTime", str)
Int64 = NewType("Int64", int)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise GraphQLError("a DateTime is a string")
    return value


def _time(value: Any) -> Time:
    try:
        return Time.parse(_text(value))
    except ValueError as error:
        raise GraphQLError(str(error)) from None


DATE_TIME = strawberry.scalar(
    name="DateTime",
    description=(
        "A point in time as Microsoft Graph wrote it: ISO 8601, UTC, with up to seven fractional "
        "digits (`2022-08-24T23:28:05.3529197Z`). As input, any time of RFC 3339 with at most "
        "seven fractional digits; an offset such as `+02:00` is converted to UTC."
    ),
    specified_by_url="https://datatracker.ietf.org/doc/html/rfc3339",
    serialize=_text,
    parse_value=_time,
)


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise GraphQLError("an Int64 is a whole number")
    return value


INT64 = strawberry.scalar(
    name="Int64",
    description="A whole number of up to 64 bits (`Edm.Int64`), as a JSON number.",
    serialize=_whole,
    parse_value=_whole,
)
SCALARS: dict[object, ScalarDefinition] = {DateTime: DATE_TIME, Int64: INT64}
