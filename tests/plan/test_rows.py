"""Typed rows: mappings of what they have, decoded in C, kept away from the collector."""

import gc
from typing import Any

import msgspec
import pytest

from gateway.errors import ClaimsChallenge, NotFound
from gateway.odata.partial import Partial
from gateway.plan.layout import Layout
from gateway.plan.rows import STUB, TypedRow, attribute_of, row_type, values_of

MEMBERS = (
    ("id", Any, True),
    ("get", Any, True),
    ("subject", STUB, True),
    ("runs(first=5)", Any, False),
)


def decoded(text: str) -> Any:
    return msgspec.json.decode(text, type=row_type(MEMBERS))


def test_a_row_is_a_mapping_of_the_members_that_it_has() -> None:
    row = decoded('{"id":"r","get":null,"subject":{"id":"u","other":1},"unselected":{"a":[1]}}')
    assert {key: row[key] for key in row if key != "subject"} == {"id": "r", "get": None}
    assert row["subject"]["id"] == "u"
    assert "runs(first=5)" not in row
    assert row.get("runs(first=5)", 7) == row.get("never", 7) == 7
    with pytest.raises(KeyError):
        row["runs(first=5)"]
    row["runs(first=5)"] = [1]
    assert row.keys() == {"id", "get", "subject", "runs(first=5)"}
    assert (len(row), bool(row), bool(row_type(MEMBERS)())) == (4, True, False)
    assert row.pop("runs(first=5)") == [1]
    assert row.pop("runs(first=5)", 3) == 3
    assert row.setdefault("id", "other") == "r"
    assert row.setdefault("get", 1) is None
    row.update({"id": "s", "no member": 1})
    assert dict(row)["id"] == "s"


def test_no_json_of_the_service_reaches_what_is_stitched() -> None:
    attribute = attribute_of("runs(first=5)")
    row = decoded(f'{{"id":"r","runs(first=5)":[1],"{attribute}":[1],"@.{attribute}":[1]}}')
    assert "runs(first=5)" not in row


@pytest.mark.parametrize(
    "key", ["pop", "keys", "_x", "__class__", "a b", "größe", "@odata.id", "", "row_id"]
)
def test_every_key_has_an_attribute_of_its_own(key: str) -> None:
    row = row_type(((key, Any, False), ("id", Any, True)))()
    row[key] = 5
    assert row[key] == 5
    assert row.keys() == {key}
    assert isinstance(row, TypedRow)


def test_rows_are_no_business_of_the_collector_unless_they_may_lead_back() -> None:
    plain, linked = row_type(MEMBERS)(), row_type(MEMBERS, collected=True)()
    plain["subject"], linked["subject"] = [], []
    assert not gc.is_tracked(plain)
    assert gc.is_tracked(linked)


@pytest.mark.parametrize(
    "body",
    ['{"value":[{"subject":5}]}', '{"value":[5]}', '{"value":{}}', "[]", "{}", '{"value":[', ""],
)
def test_what_does_not_fit_is_not_decoded(body: str) -> None:
    assert Layout(row_type(MEMBERS)).decode(body.encode()) is None


def test_a_page_is_decoded_with_its_annotations() -> None:
    body = b'{"@odata.count":3,"value":[{"id":"a"},{"subject":null}],"@odata.nextLink":"next"}'
    page = Layout(row_type(MEMBERS)).decode(body)
    assert page is not None
    assert (page.count, page.next) == (3, "next")
    assert values_of(page.value, "id") == ["a", None]
    assert values_of([*page.value, {"id": "c"}], "id") == ["a", None, "c"]


@pytest.mark.parametrize("property_", ["message", "code", "status", "claims", "value", "id"])
def test_nothing_in_the_place_of_a_row_is_read_as_one(property_: str) -> None:
    for instead in (ClaimsChallenge("no", claims="c"), Partial({}, NotFound("no")), {}, [], "text"):
        assert not hasattr(instead, attribute_of(property_))
