"""A value that lacks a part, and why: the value is answered and the error is told beside it."""

from dataclasses import dataclass
from typing import Any

from gateway.errors import GatewayError


@dataclass(frozen=True, slots=True, eq=False)
class Partial:
    """The part of an edge that could be had, stitched in the place of its value.

    The field is answered with ``value``, and ``error`` is listed once, at the field's own path.

    Attributes:
        value: the rows or the connection, as they would be stitched without an error.
        error: what is missing and why.
        told_by: a field of the value's type; where it is selected, it tells what ``error`` would,
            and the error is not listed.
    """

    value: Any
    error: GatewayError
    told_by: str | None = None
