"""Whatever somebody has written, there is a letter, a page and data of it (EXP-12, EXP-19)."""

import csv
import io
import json
import re

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_compliance.answer_package.content.make_answer import answer_of
from crm_compliance.answer_package.content.view import shown_of
from crm_compliance.answer_package.letter import letter_pdf
from crm_compliance.answer_package.package import package_of
from crm_compliance.answer_package.table import data_csv
from jobs.model.answer import Addressee, Compilation, Field, Recipient
from tests.crm_compliance.answer_package.pages import beyond_the_margins, text_of, touching
from tests.crm_compliance.answer_package.samples import DOSSIER, GIFT, GIFTS, ORGANISATION, compilation, fiche

NASTY = "a_ \u00a0\t\r\n\u2028-\u00ad\u200b\u200d\u202e\u2067\u2069\x00\x1b\x85\ud800\udfff\ufffe"
NASTY += "\ufdd0\u0301\u0489\u20dd\ufe0f漢क्षع😀\U000e0001\U0010ffff"
NASTY += "\\#$*=<>&{}[]"
RUNS = (
    "a" * 40_000,
    "_" * 40_000,
    "漢" * 40_000,
    "a" + "\u0301" * 40_000,
    "1" * 40_000,
    "क्षि" * 12_000,
    "\u202e" * 40_000,
    "a\u00a0" * 20_000,
)


def with_text(text: str, right: str = "access") -> Compilation:
    """What is told, with a text in every place where one can stand."""
    contexts = (msgspec.structs.replace(DOSSIER, recipients=(Recipient(text, on="2026-03-02"),)), GIFTS)
    gift = msgspec.structs.replace(GIFT, fields=(Field("name", text, provided=True),))
    whom = Addressee(text)
    return compilation(items=(fiche(2, text), gift), contexts=contexts, addressee=whom, leak_terms=(), withheld=(), right=right)


def letter(text: str) -> bytes:
    """A letter with a text in every place and size: the greeting of a child, its page, columns and cells."""
    contexts = (msgspec.structs.replace(DOSSIER, recipients=(Recipient(text, on="2026-03-02"),)), GIFTS)
    gift = msgspec.structs.replace(GIFT, title=text, fields=(Field("name", text, provided=True),))
    whom = Addressee(text, is_minor=True, first_name=text)
    return letter_pdf(answer_of(compilation(items=(fiche(2, text), gift), contexts=contexts, addressee=whom, about=text), ORGANISATION))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.text(max_size=200), st.text(alphabet=NASTY, max_size=200)))
def test_any_text_gives_a_letter_a_page_and_data(text: str) -> None:
    files = package_of(with_text(text), ORGANISATION, {})
    assert files["letter.pdf"].startswith(b"%PDF-")
    files["index.html"].decode()
    assert json.loads(files["data.json"])["items"]
    taken_along = package_of(with_text(text, "portability"), ORGANISATION, {})
    assert list(csv.reader(io.StringIO(taken_along["data.csv/data.csv"].decode(), newline="")))


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00"])
def test_an_instant_that_no_clock_here_shows_stands_as_it_was_written(text: str) -> None:
    """As whoever fills in an end that never comes writes it in a field for text."""
    files = package_of(with_text(text), ORGANISATION, {})
    assert text in files["index.html"].decode()
    assert text in text_of(files["letter.pdf"]).replace("\u200b", "")


@pytest.mark.parametrize("run", RUNS, ids=["letters", "lines", "han", "marks", "digits", "clusters", "turns", "hard blanks"])
def test_a_run_without_a_break_is_broken_where_it_is_set(run: str) -> None:
    """A PDF string holds 32,767 characters, a line of the letter about a hundred."""
    told = with_text(run)
    files = package_of(told, ORGANISATION, {})
    if run[0] in "a_1" and len(set(run)) == 1:  # all of it stands on the paper, not beyond its edge
        assert re.sub(r"[^a_1]", "", text_of(files["letter.pdf"])).count(run[0]) >= len(run)
    items = json.loads(files["data.json"])["items"]
    assert items[0]["fields"]["summary"] == run
    assert run.encode() in data_csv(shown_of(told))


@pytest.mark.parametrize(
    "run",
    ["W" * 70, "@" * 80, "HELP" * 40, "漢" * 80, "1-1-" * 80, "-" * 300, "“" * 200, "W\u00a0" * 80, "ffi" * 100, "\u24a8" * 60],
    ids=["wide", "at", "capitals", "han", "hyphens and digits", "hyphens", "quotes", "hard blanks", "ligatures", "the widest of the font"],
)
def test_no_run_leaves_its_column_or_the_page(run: str) -> None:
    """It is broken by how wide it is, and not by how many characters it has."""
    for text in (run, f"Voor {run} en daarna."):
        pdf = letter(text)
        assert beyond_the_margins(pdf) == []
        assert touching(pdf) == []


def test_an_addressee_of_many_lines_stands_upon_nothing() -> None:
    """To whom something was passed on may be noted with a whole address."""
    whom = Addressee("Politiezone Voorbeeld (fictief)\n" * 12)
    assert touching(letter_pdf(answer_of(compilation(addressee=whom), ORGANISATION))) == []


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=3))
def test_no_run_of_any_characters_passes_a_margin(text: str) -> None:
    assert beyond_the_margins(letter(text * (240 // len(text)))) == []


@pytest.mark.parametrize("count", range(14, 24))
def test_no_run_of_the_widest_characters_passes_a_margin(count: int) -> None:
    """Of few enough nobody measures how wide they are together."""
    assert beyond_the_margins(letter("\u24a8" * count)) == []


def test_a_run_that_has_its_place_is_not_broken() -> None:
    """A long word of a language, an address: copied from the letter, they are what they were."""
    words = ("Aufbewahrungsfristenverzeichnis", "lotte.peeters.voorbeeld@example.org", "https://example.org/een/pad?naar=iets")
    said = text_of(letter(" ".join(words)))
    assert all(said.count(word) > 2 for word in words)
