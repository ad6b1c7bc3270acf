"""Every citation of a fact leads somewhere: to a section, a row or a point of docs/reference."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

REFERENCE = Path("docs/reference")
THIS = Path("tests/outside/test_citations.py")
FACTS = "graph-lifecycle-api.md"
QUESTIONS = "questions.md"
NUMBERS = r"\d+(?:\.\d+)?[a-z]?(?:(?:,| and| to|, and) \d+(?:\.\d+)?[a-z]?)*"
CITED = re.compile(
    rf"(?P<file>graph-lifecycle-api\.md|questions\.md|lifecycle\.csdl\.xml)"
    rf"(?:,? (?P<kind>sections?|rows?|points?) (?P<numbers>{NUMBERS}))?"
)
BARE = re.compile(rf"\b(?P<kind>[Ss]ections?|[Rr]ows?) (?P<numbers>{NUMBERS})")
"""A citation without its file: the facts, unless a standard stands before it."""
STANDARD = re.compile(r"(?:RFC \d+|OData|OpenID|W3C|GraphQL)[^;:]{0,40}$")


def files() -> Iterator[Path]:
    """All files that may cite."""
    for folder in ("gateway", "tests", "benchmarks"):
        yield from sorted(
            set(Path(folder).rglob("*.py")) - {Path("tests/outside/test_citations.py")}
        )
    yield from sorted(Path("docs").rglob("*.md"))
    yield from sorted(Path().glob("*.md"))


def numbers(text: str) -> list[str]:
    """The numbers of a list such as ``1, 7 and 8`` or ``65 to 80``; of a range, all in it."""
    found = re.findall(r"\d+(?:\.\d+)?[a-z]?", text)
    for first, last in re.findall(r"\b(\d+) to (\d+)\b", text):
        found += [str(number) for number in range(int(first) + 1, int(last))]
    return found


def unspaced(text: str) -> str:
    """Text without its line breaks and the margin of comments."""
    return re.sub(r"\s*\n\s*(?:#: |# )?", " ", text)


def citations(text: str) -> Iterator[tuple[str, str, str]]:
    """File, kind and number of each citation in a text; no number if the file alone is cited."""
    text = unspaced(text)
    for found in CITED.finditer(text):
        kind = (found["kind"] or "").rstrip("s")
        if not kind:
            yield found["file"], "", ""
        for number in numbers(found["numbers"] or ""):
            yield found["file"], kind, number
    named = [found.span() for found in CITED.finditer(text)]
    for found in BARE.finditer(text):
        if any(start <= found.start() < end for start, end in named):
            continue
        if not STANDARD.search(text[: found.start()]):
            for number in numbers(found["numbers"]):
                yield FACTS, found["kind"].lower().rstrip("s"), number


def broken(file: str, kind: str, number: str) -> bool:
    """Whether a citation leads nowhere."""
    if file == "lifecycle.csdl.xml":
        return file not in (REFERENCE / "README.md").read_text(encoding="utf-8")
    path = REFERENCE / file
    if not path.exists():
        return True
    if not kind:
        return False
    text = path.read_text(encoding="utf-8")
    if kind == "section":
        pattern = rf"^#+ {re.escape(number)}\.? "
    else:
        pattern = rf"^\| {re.escape(number)} \|"
        if (kind == "point") != (file == QUESTIONS):
            return True
    return re.search(pattern, text, re.MULTILINE) is None


def test_every_citation_leads_somewhere() -> None:
    found = [(path, *cited) for path in files() for cited in citations(path.read_text("utf-8"))]
    assert len(found) > 200
    assert [cited for cited in found if broken(*cited[1:])] == []


@pytest.mark.parametrize(
    "text",
    [
        "graph-lifecycle-api.md, section 99",
        "(graph-lifecycle-api.md,\n    row 999)",
        "questions.md, points 20 to 99",
        "questions.md, row 1",
        "graph-lifecycle-api.md sections 1, 7 and 77",
        "Row 999.",
        "(section 4, Notes; section 99)",
    ],
)
def test_one_that_leads_nowhere_is_found(text: str) -> None:
    assert any(broken(*cited) for cited in citations(text))


def test_sections_of_standards_are_not_looked_up() -> None:
    assert list(citations("RFC 9110, section 99, and OpenID Connect Core 1.0, sections 98")) == []


def test_every_number_of_a_range_is_looked_up() -> None:
    assert sorted(numbers("1, 65 to 68")) == ["1", "65", "66", "67", "68"]


def test_numbers_of_rows_and_questions_stand_once() -> None:
    for name in (FACTS, QUESTIONS):
        text = (REFERENCE / name).read_text(encoding="utf-8")
        seen = re.findall(r"^\| (\d+[a-z]?) \|", text, re.MULTILINE)
        assert len(seen) == len(set(seen)) > 50
