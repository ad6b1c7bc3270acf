import pytest

from gateway.errors import BadUserInput
from gateway.odata.cursor import CursorCodec, Position

CODEC = CursorCodec(b"secret")
POSITION = Position("workflows?$skiptoken=a%26b", 3, 103, ("id", "displayName"))


def test_a_cursor_is_url_safe_and_gives_its_position_back() -> None:
    cursor = CODEC.encode("workflows {}", POSITION)
    assert cursor.replace("-", "").replace("_", "").isalnum()
    assert CODEC.decode("workflows {}", cursor) == POSITION


def test_every_changed_character_is_noticed() -> None:
    cursor = CODEC.encode("edge", POSITION)
    for place in range(len(cursor) - 1):
        other = "A" if cursor[place] != "A" else "B"
        with pytest.raises(BadUserInput):
            CODEC.decode("edge", cursor[:place] + other + cursor[place + 1 :])


@pytest.mark.parametrize("edge", ["edge2", "", "edge {'filter': 'x'}"])
def test_a_cursor_belongs_to_its_edge_and_arguments(edge: str) -> None:
    with pytest.raises(BadUserInput, match="after"):
        CODEC.decode(edge, CODEC.encode("edge", POSITION))
