"""The units of a plan in a list: filtered, page by page, and as a file. Everybody is fictitious."""

import csv
import io
import re
from collections.abc import Callable

import openpyxl
import pytest
from sqlalchemy import text

from crm_compliance.console.language.codes import words_of
from rules.model.roles import Role
from tests.crm_compliance.console.browser import Browser, text_of
from tests.drivers.night import Night

Signed = Callable[..., Browser]


def test_a_plan_whose_lines_were_altered_is_told_as_such(plan: str, org: Night, signed_in: Signed) -> None:
    with org.store.database.writing() as connection:
        connection.execute(text("UPDATE plan_pages SET content = x'00'"))
    answer = signed_in(Role.AUDITOR).get(f"/plans/{plan}/lines")
    assert answer.status_code >= 400
    assert "restore the database from a backup" in text_of(answer.text)


def test_lines_are_filtered_by_what_has_no_category_by_id_and_in_order(plan: str, units: dict[str, str], signed_in: Signed) -> None:
    browser = signed_in(Role.CRM_ADMIN)
    contacts = browser.page(f"/plans/{plan}/lines?category=-")
    assert "no category (" in text_of(contacts)
    assert units["delete"] not in contacts
    assert "1 unit " in text_of(browser.page(f"/plans/{plan}/lines?id=%7B{units['open'].upper()}%7D"))
    for direction, word in (("", "ascending"), ("&descending=1", "descending")):
        page = browser.page(f"/plans/{plan}/lines?sort=id{direction}&outcome=dispose")
        ids = re.findall(r'class="soft id">([0-9a-f-]{36})', page)
        assert ids == sorted(ids, reverse=bool(direction))
        assert len(ids) > 3
        page = browser.page(f"/plans/{plan}/lines?sort=reason{direction}")
        assert f'aria-sort="{word}"' in page
    for bad in ("sort=nothing", "offset=-1", "offset=x", "offset=99999999999999999999"):
        assert browser.get(f"/plans/{plan}/lines?{bad}").status_code == 400, bad
    part = browser.get(f"/plans/{plan}/lines?outcome=retain", **{"HX-Request": "true"}).text
    assert part.lstrip().startswith('<div id="lines"')
    back = browser.get(f"/plans/{plan}/lines?outcome=retain", **{"HX-Request": "true", "HX-History-Restore-Request": "true"}).text
    assert "<main" in back, "who goes back has the whole page again"
    selects = re.findall(r"<select[^>]*>", part)
    assert len(selects) == 6
    assert not any("required" in each for each in selects), "a filter may be left open"
    assert "0 unité " in text_of(signed_in(Role.CRM_ADMIN, "fr").page(f"/plans/{plan}/lines?id=0-0")), "one and none are counted alike"
    assert "No unit is like this" in text_of(browser.page(f"/plans/{plan}/lines?reason=%3Cscript%3E"))
    assert "<script>" not in browser.page(f"/plans/{plan}/lines?reason=%3Cscript%3E&id=%3Cscript%3E")


def test_pages_of_lines_follow_each_other_with_the_filter(plan: str, signed_in: Signed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crm_compliance.console.pages.plans.lines.A_PAGE", 2)
    browser, where, seen = signed_in(Role.DPO), f"/plans/{plan}/lines?outcome=dispose", []
    while where:
        page = browser.page(where)
        seen += re.findall(r'class="soft id">([0-9a-f-]{36})', page)
        after = re.search(r'rel="next" href="([^"]+)"', page)
        where = after[1].replace("&amp;", "&") if after else ""
        assert "outcome=dispose" in page
    assert len(seen) == len(set(seen)) > 4


def test_the_filtered_units_are_a_file_in_the_language_of_the_page(plan: str, units: dict[str, str], signed_in: Signed) -> None:
    browser = signed_in(Role.CRM_ADMIN, "fr")
    answer = browser.get(f"/plans/{plan}/lines.csv?disposition=delete&sort=id")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{plan}-units.csv"'
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)
    assert units["delete"] in {row["id"] for row in rows}
    assert {row["sort final"] for row in rows} == {"delete"}
    book = openpyxl.load_workbook(io.BytesIO(browser.get(f"/plans/{plan}/lines.xlsx?id={units['no_term']}").content))
    assert book.sheetnames == ["Unités"]
    (head, line) = list(book.worksheets[0].iter_rows(values_only=True))
    assert "fin de la conservation" in head
    said = dict(zip(head, line, strict=True))
    assert str(said["id"]).startswith("=HYPERLINK(")
    assert units["no_term"] in str(said["id"])
    assert (said["motif"], said["motif, en mots"]) == ("NO_TERM", words_of("fr")("reason", "NO_TERM")), "the code, and what it says"
