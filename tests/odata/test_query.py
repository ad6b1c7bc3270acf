from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.odata.query import Options, id_equals, id_in


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_a_literal_arrives_as_it_was_and_stays_inside_its_quotes(text: str) -> None:
    url = Options(filter=id_equals(text)).get("users").url
    path, _, query = url.partition("?")
    assert path == "users"
    assert url.isascii()
    assert not set(query) & set(" \"<>#&+'\\^`{|}\r\n")
    literal = unquote(query).removeprefix("$filter=id eq ")
    assert literal[0] == literal[-1] == "'"
    assert literal[1:-1].replace("''", "").count("'") == 0
    assert literal[1:-1].replace("''", "'") == text


def test_options_are_named_and_joined() -> None:
    options = Options(select=("id", "mail"), filter=id_in(["a", "b"]), count=True)
    assert unquote(options.query()) == "$select=id,mail&$filter=id in ('a','b')&$count=true"
    assert Options().get("users").url == "users"


@pytest.mark.parametrize("option", ["$select", "$count"])
def test_an_option_can_be_left_out(option: str) -> None:
    options = Options(select=("id",), count=True)
    assert options.optional == ("$count", "$select")
    assert option not in options.without(option).query()
