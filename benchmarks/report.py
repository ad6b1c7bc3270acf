"""Tables, targets, and how they are printed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Target:
    """A measured number beside the most it may be."""

    name: str
    measured: float
    limit: float

    @property
    def verdict(self) -> str:
        """`met` or `missed`."""
        return "met" if self.measured <= self.limit else "missed"


@dataclass(slots=True)
class Table:
    """Rows of text under columns; the first column is text, the others are numbers."""

    title: str
    columns: Sequence[str]
    rows: list[list[str]] = field(default_factory=list)

    def add(self, *cells: object) -> None:
        """Append a row; numbers are rounded to what can be told apart."""
        self.rows.append([_text(cell) for cell in cells])

    def column(self, name: str) -> dict[str, str]:
        """The cells of one column by the first cell of their row."""
        place = self.columns.index(name)
        return {row[0]: row[place] for row in self.rows}

    def plain(self) -> str:
        """For a terminal."""
        lines = [list(self.columns), *self.rows]
        widths = [max(len(line[place]) for line in lines) for place in range(len(self.columns))]
        text = [
            "  ".join(
                cell.ljust(width) if place == 0 else cell.rjust(width)
                for place, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in lines
        ]
        return "\n".join([self.title, *(f"  {line}" for line in text)])

    def markdown(self) -> str:
        """For a document."""
        head = _line(self.columns)
        rule = _line(["---", *["---:"] * (len(self.columns) - 1)])
        return "\n".join([f"**{self.title}**", "", head, rule, *map(_line, self.rows)])


@dataclass(slots=True)
class Part:
    """The outcome of one part of the benchmarks."""

    name: str
    tables: list[Table] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)

    def table(self, title: str, *columns: str) -> Table:
        """A new table of this part."""
        table = Table(title, columns)
        self.tables.append(table)
        return table

    def target(self, name: str, measured: float, limit: float) -> None:
        """State what was aimed at."""
        self.targets.append(Target(name, measured, limit))

    def plain(self) -> str:
        """For a terminal."""
        tables = [table.plain() for table in self.all_tables()]
        return "\n\n".join([f"== {self.name} ==", *tables])

    def markdown(self) -> str:
        """For a document."""
        return "\n\n".join(table.markdown() for table in self.all_tables())

    def all_tables(self) -> Iterable[Table]:
        """The tables, and one of the targets if there are any."""
        yield from self.tables
        if self.targets:
            table = Table("Targets", ("target", "at most", "measured", "verdict"))
            for target in self.targets:
                table.add(target.name, target.limit, target.measured, target.verdict)
            yield table


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _text(cell: object) -> str:
    if not isinstance(cell, float):
        return "" if cell is None else str(cell)
    size = abs(cell)
    return f"{cell:.0f}" if size >= 100 else f"{cell:.1f}" if size >= 10 else f"{cell:.2f}"
