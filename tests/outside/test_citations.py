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


def files() -> Iterator[Path]:
    """All files that may cite."""
    for folder in ("gateway", "tests", "benchmarks"):
        yield from sorted(
            set(Path(folder).rglob("*.py")) - {Path("tests/outside/test_citations.py")}
        )
    yield from sorted(Path("docs").glob("*.md"))
    yield from (Path("README.md"), Path("ARCHITECTURE.md"))


def numbers(text: str) -> list[str]:
    """The numbers of a list such as ``1, 7 and 8`` or ``65 to 80``; of a range, its ends."""
    return re.findall(r"\d+(?:\.\d+)?[a-z]?", text)


def unspaced(text: str) -> str:
    """Text without its line breaks and the margin of comments."""
    return re.sub(r"\s*\n\s*(?:#: |# )?", " ", text)


def citations(text: str) -> Iterator[tuple[str, str, str]]:
    """File, kind and number of each citation in a text; no number if the file alone is cited."""
    for found in CITED.finditer(unspaced(text)):
        kind = (found["kind"] or "").rstrip("s")
        if not kind:
            yield found["file"], "", ""
        for number in numbers(found["numbers"] or ""):
            yield found["file"], kind, number


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
    assert len(found) > 80
    assert [cited for cited in found if broken(*cited[1:])] == []


@pytest.mark.parametrize(
    "text",
    [
        "graph-lifecycle-api.md, section 99",
        "(graph-lifecycle-api.md,\n    row 999)",
        "questions.md, points 20 to 99",
        "questions.md, row 1",
        "graph-lifecycle-api.md sections 1, 7 and 77",
    ],
)
def test_one_that_leads_nowhere_is_found(text: str) -> None:
    assert any(broken(*cited) for cited in citations(text))


def test_numbers_of_rows_and_questions_stand_once() -> None:
    for name in (FACTS, QUESTIONS):
        text = (REFERENCE / name).read_text(encoding="utf-8")
        seen = re.findall(r"^\| (\d+[a-z]?) \|", text, re.MULTILINE)
        assert len(seen) == len(set(seen)) > 50
