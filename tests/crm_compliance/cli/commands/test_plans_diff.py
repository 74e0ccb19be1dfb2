"""plans diff: what two stored plans say differently (contract, section 7)."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import text

from jobs.plans.lines.columns import LineColumns
from jobs.plans.lines.pages import paged
from tests.drivers.night import Night
from tests.drivers.typist import LONG_AGO, Typist, people_and_cases
from tests.jobs.plans.lines.storing import a_disposal, a_line, keep


def guid(last: str) -> str:
    return f"00000000-0000-0000-0000-0000000000{last}"


@pytest.fixture
def two(org: Night) -> None:
    """plan-a and plan-b: one unit more, one less, one that is due now, one with a new version alone."""
    keep(org.store, "plan-a", [a_line(id=guid("a1")), a_line(id=guid("b2")), a_line(id=guid("c3"), etag='W/"1"')])
    keep(org.store, "plan-b", [a_disposal(id=guid("a1")), a_line(id=guid("c3"), etag='W/"2"'), a_line(id=guid("d4"))])


def test_two_nights_differ_by_what_happened_between_them(typist: Typist, org: Night) -> None:
    cases = people_and_cases(org)
    before = typist.ask("plan")["plan"]
    same = typist.ask("plans", "diff", before, before)
    assert (same["added"], same["removed"], same["changed"], same["lines"]) == (0, 0, 0, [])
    new = org.dossier("social_card", spoken=LONG_AGO)
    org.http.delete(f"{org.emulator.url}cf_recordings({cases['recording']})").raise_for_status()
    org.patch("cf_dossiers", cases["delete"], cf_legalhold=True)
    after = typist.ask("plan")["plan"]
    found = typist.ask("plans", "diff", before, after)
    assert (found["added"], found["removed"], found["changed"]) == (1, 1, 1)
    assert found["unchanged"] == same["unchanged"] - 2
    changes = {line["id"]: line for line in found["lines"]}
    assert changes.keys() == {new, cases["recording"], cases["delete"]}
    assert changes[new]["before"] is None
    assert changes[cases["recording"]]["after"] is None
    held = changes[cases["delete"]]
    assert (held["before"]["outcome"], held["after"]["outcome"], held["after"]["reason"]) == ("dispose", "retain", "HOLD_LEGAL")
    assert held["why"].startswith("keep instead of delete")


def test_lines_that_were_compared_are_not_read_again_to_be_shown(typist: Typist, org: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    people_and_cases(org)
    typist.ask("plan")
    read, known = list[bytes](), LineColumns.read

    def noted(content: bytes) -> LineColumns:
        read.append(content)
        return known(content)

    monkeypatch.setattr(LineColumns, "read", noted)
    said = " ".join(typist.type("plan").out.split())
    assert ("Nothing has changed since plan-" in said, len(read)) == (True, 2), "the plan before, and this one"


def test_a_new_plan_says_what_has_changed_since_the_last_of_its_kind(typist: Typist, org: Night) -> None:
    people_and_cases(org)
    first = typist.ask("plan", "--kind", "retention")
    assert first["since"] is None
    typist.ask("plan", "--kind", "retention", "--as-of", "2027-06-01")
    typist.ask("plan", "--kind", "recordings")
    org.dossier("social_card", spoken=LONG_AGO)
    second = typist.ask("plan", "--kind", "retention")["since"]
    assert (second["plan"], second["added"], second["removed"], second["changed"]) == (first["plan"], 1, 0, 0)
    said = " ".join(typist.type("plan", "--kind", "retention").out.split())
    assert "Nothing has changed since plan-" in said
    assert typist.ask("plan", "--as-of", "2027-06-01")["since"] is None, "another day is no change"
    with org.store.database.writing() as connection:
        connection.execute(text("DELETE FROM plan_pages"))
    assert typist.ask("plan", "--kind", "retention")["since"] is None, "its lines have expired"


def test_the_keys_are_those_of_the_contract(typist: Typist, two: None) -> None:
    found: dict[str, Any] = typist.ask("plans", "diff", "plan-a", "plan-b")
    assert found.keys() >= {"added", "removed", "changed", "unchanged", "lines"}
    assert [(line["table"], line["id"], line["change"]) for line in found["lines"]] == [
        ("cf_dossier", guid("a1"), "changed"),
        ("cf_dossier", guid("b2"), "removed"),
        ("cf_dossier", guid("d4"), "added"),
    ]
    assert all(line.keys() >= {"table", "id", "change", "before", "after"} for line in found["lines"])
    assert found["unchanged"] == 1


def test_the_files_have_every_change(typist: Typist, two: None, tmp_path: Path) -> None:
    for suffix in (".csv", ".xlsx", ".html"):
        file = tmp_path / f"changes{suffix}"
        assert typist.ask("plans", "diff", "plan-a", "plan-b", "--output", file, "--language", "nl")["files"] == [str(file)]
    assert len(list(csv.reader(io.StringIO((tmp_path / "changes.csv").read_text(encoding="utf-8"))))) == 4
    assert load_workbook(tmp_path / "changes.xlsx")["Eenheden"]["D2"].value == "gewijzigd"
    assert "verwijderen in plaats van bewaren" in (tmp_path / "changes.html").read_text(encoding="utf-8")


def test_a_person_reads_the_numbers(typist: Typist, two: None) -> None:
    assert "1 added, 1 removed, 1 changed, 1 unchanged." in typist.type("plans", "diff", "plan-a", "plan-b").out


def test_other_lines_than_those_of_the_digest_are_not_compared(typist: Typist, org: Night, two: None) -> None:
    with org.store.database.writing() as connection:
        connection.execute(text("UPDATE plan_pages SET content = :other"), {"other": paged([a_line(id="other")], (), {})[0][0]})
    assert typist.refused("plans", "diff", "plan-a", "plan-b", code=7)["code"] == "store_altered"


@pytest.mark.parametrize(
    "words",
    [("plan-a", "plan-x"), ("plan-a", "plan-b", "--output", "changes.pdf"), ("plan-a", "plan-b", "--language", "la")],
)
def test_what_cannot_be_meant_is_usage(typist: Typist, two: None, words: tuple[str, ...]) -> None:
    assert typist.refused("plans", "diff", *words, code=2)


def test_lines_that_have_expired_are_said_to_be_gone(typist: Typist, org: Night, two: None) -> None:
    with org.store.database.writing() as connection:
        connection.execute(text("DELETE FROM plan_pages WHERE plan = 'plan-a'"))
    assert typist.refused("plans", "diff", "plan-a", "plan-b", code=2)["code"] == "lines_removed"
