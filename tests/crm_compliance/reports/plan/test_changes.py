"""What two plans say differently, in words, in a file and on a screen; and lines that somebody has
filtered, for a spreadsheet."""

import csv
import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import pytest
from openpyxl import load_workbook
from rich.console import Console

from crm_compliance.reports.plan.changes import (
    FORMATS,
    ON_A_PAGE,
    Difference,
    difference_document,
    print_difference,
    why_changed,
    write_difference,
)
from crm_compliance.reports.plan.headings import WORDS, heading
from crm_compliance.reports.plan.lines_file import CODED, write_lines
from jobs.model.plan import LINE_COLUMNS, Kind, PlanLine
from jobs.plans.lines.compare import Change, compare
from jobs.plans.lines.query import LineQuery
from jobs.plans.lines.view import LinesView
from rules.model.languages import LANGUAGES, Language
from tests.crm_compliance.reports.sample import NOW, link
from tests.jobs.plans.lines.storing import a_disposal, a_line, holding

DUE: dict[str, Any] = {"outcome": "dispose", "disposition": "delete", "reason": "EXPIRED", "reasons": ("EXPIRED",)}


BEFORE = [a_line(id="a1"), a_line(id="b2"), a_line(id="c3", flags=("REVIEW_DUE",))]


AFTER = [a_line(id="a1", retention_end="2026-02-28", **DUE), a_line(id="c3"), a_disposal(id="d4")]


def view(lines: Sequence[PlanLine]) -> LinesView:
    return LinesView.of(holding(lines), "plan")


def difference(before: Sequence[PlanLine] = BEFORE, after: Sequence[PlanLine] = AFTER, language: Language | None = None) -> Difference:
    return Difference(compare(view(before), view(after)), link, NOW, language)


def written(suffix: str, what: Difference) -> bytes:
    out = io.BytesIO()
    write_difference(suffix, what, out)
    return out.getvalue()


def table(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(), newline="")))


def sheet(content: bytes, name: str = "") -> list[list[Any]]:
    """The rows of a sheet; of the first where none is named."""
    book = load_workbook(io.BytesIO(content))
    return [list(row) for row in (book[name] if name else book.worksheets[0]).iter_rows(values_only=True)]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "delete instead of keep; retention end 2026-02-28 instead of 2030-02-28; reason EXPIRED instead of NOT_EXPIRED"),
        (
            "nl",
            "verwijderen in plaats van bewaren; einde van de bewaring 2026-02-28 in plaats van 2030-02-28; "
            "reden EXPIRED in plaats van NOT_EXPIRED",
        ),
        (
            "fr",
            "supprimer au lieu de conserver; fin de la conservation 2026-02-28 au lieu de 2030-02-28; motif EXPIRED au lieu de NOT_EXPIRED",
        ),
    ],
)
def test_a_change_is_told_in_words(language: Language, words: str) -> None:
    found = list(difference().found.changes())
    assert why_changed(found[0], language) == words


def test_what_is_not_there_is_none_and_several_reasons_are_told_once() -> None:
    one, other = a_line(flags=("REVIEW_DUE",)), a_line(reasons=("NOT_EXPIRED", "OPEN_DOSSIER"), retention_end=None)
    change = Change(one.table, one.id, "changed", one, other, ("retention_end", "reasons", "flags"))
    assert why_changed(change, "en") == (
        "retention end none instead of 2030-02-28; reasons NOT_EXPIRED OPEN_DOSSIER instead of NOT_EXPIRED; "
        "flags none instead of REVIEW_DUE"
    )


def test_the_document_has_numbers_and_both_lines() -> None:
    document: dict[str, Any] = difference_document(difference().found)
    assert [document[name] for name in ("added", "removed", "changed", "unchanged")] == [1, 1, 2, 0]
    assert [(line["id"], line["change"], line["before"] is None, line["after"] is None) for line in document["lines"]] == [
        ("a1", "changed", False, False),
        ("b2", "removed", False, True),
        ("c3", "changed", False, False),
        ("d4", "added", True, False),
    ]
    assert document["lines"][2]["before"]["flags"] == ("REVIEW_DUE",)
    assert document["lines"][3]["why"] == "new in this plan: delete, EXPIRED"


def test_the_csv_has_a_line_for_each_change() -> None:
    head, *rows = table(written(".csv", difference()))
    assert head[:6] == ["table", "id", "change", "why", "before_outcome", "after_outcome"]
    assert [row[:3] for row in rows] == [
        ["cf_dossier", "a1", "changed"],
        ["cf_dossier", "b2", "removed"],
        ["cf_dossier", "c3", "changed"],
        ["cf_dossier", "d4", "added"],
    ]
    named = dict(zip(head, rows[0], strict=True))
    assert (named["before_retention_end"], named["after_retention_end"]) == ("2030-02-28", "2026-02-28")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_workbook_has_days_and_links_and_the_headings_of_a_language(language: Language) -> None:
    head, *rows = sheet(written(".xlsx", difference(language=language)))
    words = WORDS[language]
    assert head[2:5] == [words["change"], words["why"], f"{words['outcome']}, {words['before']}"]
    assert rows[0][1] == f'=HYPERLINK("{link("cf_dossier", "a1")}","a1")'
    assert datetime(2026, 2, 28) in rows[0]  # noqa: DTZ001  # a civil day, as a spreadsheet has it
    assert rows[0][2] == words["changed"]


def test_the_page_links_each_unit_and_ends_where_a_browser_would() -> None:
    page = written(".html", difference()).decode()
    assert page.count('<a class="id"') == 4
    assert "delete instead of keep" in page
    many = written(".html", difference([], [a_line(id=f"{number:06}") for number in range(ON_A_PAGE + 3)], language="fr")).decode()
    assert many.count('<a class="id"') == ON_A_PAGE
    assert "+ 3:" in many
    assert 'lang="fr"' in many


def test_the_screen_has_the_numbers_and_the_first_changes() -> None:
    console = Console(file=io.StringIO(), width=80, force_terminal=False)
    print_difference(difference(after=[*AFTER, *(a_line(id=f"e{number:03}") for number in range(30))]), console)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "31 added, 1 removed, 2 changed, 0 unchanged." in shown
    assert "and 14 more" in shown


def test_two_plans_of_different_kinds_are_said_to_be(capsys: pytest.CaptureFixture[str]) -> None:
    found = difference()
    print_difference(found, Console(width=200))
    assert "kind" not in capsys.readouterr().out
    after = found.found.after
    after.plan = msgspec.structs.replace(after.plan, kind=Kind.RECORDINGS)
    print_difference(found, Console(width=200))
    assert f"of kind {found.found.before.plan.kind}, the second of recordings" in capsys.readouterr().out
    assert difference_document(found.found)["kinds"] == [found.found.before.plan.kind.value, "recordings"]


@pytest.mark.parametrize("suffix", FORMATS)
def test_nothing_changed_is_a_file_too(suffix: str) -> None:
    assert written(suffix, difference(BEFORE, BEFORE))


# Filtered lines


def lines_file(suffix: str, query: LineQuery, language: Language | None = None) -> bytes:
    out = io.BytesIO()
    write_lines(suffix, view(AFTER), query, out, link=link, now=NOW, language=language, words=None)
    return out.getvalue()


def test_the_csv_has_what_matches_with_the_address_of_each_row() -> None:
    head, *rows = table(lines_file(".csv", LineQuery(outcome="dispose", sort="id", descending=True, limit=1)))
    assert head == [*LINE_COLUMNS, "link"]
    assert [row[1] for row in rows] == ["d4", "a1"], "the limit is that of a page, not of a file"
    assert rows[0][4] == "2026-02-28"
    assert rows[0][-1] == link("cf_dossier", "d4")


def test_every_row_of_the_workbook_opens_its_record_and_ends_on_a_day() -> None:
    head, *rows = sheet(lines_file(".xlsx", LineQuery(table="cf_dossier"), "nl"))
    assert head[:5] == ["tabel", "id", "uitkomst", "bestemming", "einde van de bewaring"]
    assert [row[1] for row in rows] == [f'=HYPERLINK("{link("cf_dossier", id)}","{id}")' for id in ("a1", "c3", "d4")]
    assert all(isinstance(row[4], datetime) for row in rows)


def in_words(line: PlanLine, column: str) -> str:
    return f"<{column} of {line.id}>"


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_beside_each_column_of_codes_stands_what_it_says(suffix: str) -> None:
    """For an auditor both: the word, and the code that it is a word of."""
    out = io.BytesIO()
    write_lines(suffix, view(AFTER), LineQuery(), out, link=link, now=NOW, language="fr", words=in_words)
    head, first, *_ = table(out.getvalue()) if suffix == ".csv" else sheet(out.getvalue())
    for name in CODED:
        place = head.index(heading(name, "fr"))
        assert (head[place + 1], first[place + 1]) == (f"{heading(name, 'fr')}, en mots", f"<{name} of a1>")
    assert len(head) == len(first) == len(LINE_COLUMNS) + len(CODED) + (suffix == ".csv")
    what = Difference(compare(view(BEFORE), view(AFTER)), link, NOW, "fr", in_words)
    head, *rows = table(written(".csv", what)) if suffix == ".csv" else sheet(written(".xlsx", what))
    gone = next(row for row in rows if "b2" in str(row))
    place = head.index("motif, avant, en mots")
    assert (gone[place], gone[place + 2] or "") == ("<reason of b2>", "")


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_no_match_is_a_file_with_headings(suffix: str) -> None:
    content = lines_file(suffix, LineQuery(reason="HOLD_LEGAL"))
    assert len(table(content) if suffix == ".csv" else sheet(content)) == 1


def test_every_word_is_there_in_every_language() -> None:
    assert all(WORDS[language].keys() == WORDS["en"].keys() and all(WORDS[language].values()) for language in LANGUAGES)
    assert set(LINE_COLUMNS) <= WORDS["en"].keys()
