"""`docs/rules.md` leads from each rule to the file that decides it, and each of its files quotes the rule."""

import re
from pathlib import Path

import pytest

from crm_compliance.console.language.rules import families

ROOT = Path(__file__).parents[2]
SECTIONS = "Sections that docstrings quote by number"
PAGE, SECTIONED = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8").split(f"\n## {SECTIONS}\n")
ROW = re.compile(r"^\| (\S+) \| (.+?) \| (.+) \|$", re.MULTILINE)
FILE = re.compile(r"`([a-z_]+(?:/[a-z_0-9]+)+\.\w+)`")
HEADS = ("rule", "section", "---")
ROWS = [row for row in ROW.findall(PAGE) if row[0] not in HEADS]
OF_SECTIONS = [row for row in ROW.findall(SECTIONED) if row[0] not in HEADS]
KINDS = ("RET", "DAT", "HLD", "ERA", "RGT", "SUS", "RF", "IDV", "EXP", "DDL", "ACC", "IDN")


def quoted(path: Path) -> set[str]:
    """The rules that a file quotes, those within a range of them included: `IDN-01 to IDN-05`."""
    text = " ".join(path.read_text(encoding="utf-8").split())
    found = set(re.findall(r"\b(?:[A-Z]{2,3}-\d{2}|R-\d{3}|4\.2)\b", text))
    for kind, first, last in re.findall(r"\b([A-Z]{2,3})-(\d{2}) to \1-(\d{2})\b", text):
        found |= {f"{kind}-{number:02}" for number in range(int(first), int(last) + 1)}
    return found


def test_the_page_has_each_rule_of_the_console_in_its_words_and_order() -> None:
    assert [(rule, title) for rule, title, _ in ROWS] == [(rule.id, rule.title) for family in families("en") for rule in family.rules]


def test_the_page_has_the_subjects_of_the_console() -> None:
    assert re.findall(r"^## (.+)$", PAGE, re.MULTILINE) == [family.name for family in families("en")]


@pytest.mark.parametrize("kind", KINDS)
def test_no_number_is_left_out(kind: str) -> None:
    numbers = sorted(int(rule.removeprefix(f"{kind}-")) for rule, *_ in ROWS if rule.startswith(f"{kind}-"))
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert numbers[0] == (0 if kind == "RF" else 1)


@pytest.mark.parametrize(("rule", "where"), [(rule, where) for rule, _, where in ROWS], ids=[rule for rule, *_ in ROWS])
def test_each_file_of_a_rule_quotes_it(rule: str, where: str) -> None:
    files = FILE.findall(where)
    assert files
    assert [name for name in files if rule not in quoted(ROOT / name)] == []


@pytest.mark.parametrize(("section", "where"), [(section, where) for section, _, where in OF_SECTIONS], ids=[row[0] for row in OF_SECTIONS])
def test_each_file_of_a_section_quotes_it(section: str, where: str) -> None:
    files = FILE.findall(where)
    assert files
    number = re.compile(rf"\b{re.escape(section)}\b")
    assert [name for name in files if not number.search((ROOT / name).read_text(encoding="utf-8"))] == []
