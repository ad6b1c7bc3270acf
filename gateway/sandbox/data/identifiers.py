"""Numbers that look random but follow from a seed, and ids that lead back to a position."""

import random

_MASK48 = (1 << 48) - 1
_MASK64 = (1 << 64) - 1


def mix(*parts: int) -> int:
    """Return a well-spread 64-bit number that depends on nothing but `parts`."""
    state = 0
    for part in parts:
        state = (state ^ part) * 0x9E3779B97F4A7C15 + 0x632BE59BD9B4E019 & _MASK64
        state = (state ^ state >> 29) * 0xBF58476D1CE4E5B9 & _MASK64
        state ^= state >> 32
    return state


class GuidSeries:
    """A series of ids in GUID form, so that an id leads to its position without a table.

    The first 20 digits are those of the series, the last 12 hold the scrambled position.
    """

    def __init__(self, name: str) -> None:
        numbers = random.Random(name)  # noqa: S311 - made-up data
        head = f"{numbers.getrandbits(60):015x}"
        variant = f"{8 + numbers.getrandbits(2):x}{numbers.getrandbits(12):03x}"
        self.prefix = f"{head[:8]}-{head[8:12]}-4{head[12:15]}-{variant}-"
        self.factor = numbers.getrandbits(48) | 1
        self.inverse = pow(self.factor, -1, 1 << 48)
        self.offset = numbers.getrandbits(48)

    def id_at(self, position: int) -> str:
        """Return the id of `position`."""
        return f"{self.prefix}{position * self.factor + self.offset & _MASK48:012x}"

    def position_of(self, key: str, length: int) -> int | None:
        """Return the position of the id `key` in a series of `length` ids, if it has one."""
        if not key.startswith(self.prefix):
            return None
        try:
            scrambled = int(key[len(self.prefix) :], 16)
        except ValueError:
            return None
        position = (scrambled - self.offset) * self.inverse & _MASK48
        return position if position < length and self.id_at(position) == key else None
