"""The letter as a person opens it."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_compliance.packages.answer import Paragraph
from crm_compliance.packages.content import answer_of
from crm_compliance.packages.letter import letter_pdf
from crm_compliance.packages.wording import LANGUAGES, texts_in
from jobs.disclosure import Addressee, Compilation, Field, ItemStatus
from tests.crm_compliance.packages.pages import opened, pictures_of, text_of
from tests.crm_compliance.packages.samples import DOSSIER, GIFT, GIFTS, PERSON, SENDER, compilation, fiche, neutral


def letter(compiled: Compilation) -> bytes:
    return letter_pdf(answer_of(compiled, SENDER))


def said(**changes: Any) -> str:
    return text_of(letter(compilation(**changes)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_a_tagged_archive_file_in_its_language(language: str) -> None:
    """EXP-12: PDF/A-2a, tagged, with title and language; nothing says who made it."""
    with opened(letter(compilation(language=language))) as pdf:
        xmp = pdf.Root.Metadata.read_bytes().decode()
        assert re.search(r"<pdfaid:part>2</pdfaid:part>\s*<pdfaid:conformance>A</pdfaid:conformance>", xmp)
        assert "pdfuaid:part" in xmp
        assert pdf.Root.MarkInfo.Marked
        assert str(pdf.Root.Lang).startswith(language)
        assert "/StructTreeRoot" in pdf.Root
        assert str(pdf.docinfo.Title) == answer_of(compilation(language=language), SENDER).title
        assert str(pdf.docinfo.get("/Author", "")) == SENDER.name
        assert "Lotte" not in xmp


def test_every_font_is_inside() -> None:
    with opened(letter(compilation())) as pdf:
        fonts = [obj for obj in pdf.objects if isinstance(obj, type(pdf.Root)) and obj.get("/Type") == "/FontDescriptor"]
        assert fonts
        assert all(any(key in font for key in ("/FontFile", "/FontFile2", "/FontFile3")) for font in fonts)


def test_the_same_answer_makes_the_same_file() -> None:
    assert letter(compilation()) == letter(compilation())


def test_the_particulars_of_article_15_are_in_it() -> None:
    """Table 7.1: confirmation, (a) to (h), transfers."""
    text = said()
    for words in (
        "Ja, wij verwerken persoonsgegevens over u",
        "operationele hulp bij onderzoeken naar vermiste of seksueel uitgebuite kinderen",
        "Vital interests, GDPR art. 6(1)(d)",
        "bijzondere categorieën van gegevens",
        "Politiezone Voorbeeld (fictief) (2 maart 2026)",
        "buiten de Europese Economische Ruimte (Verenigd Koninkrijk); waarborg: adequacy decision",
        "Tot en met 1 februari 2033",
        "melding door een derde",
        "Intrekken",
        "Drukpersstraat 35, 1000 Brussel, contact@apd-gba.be",
        "bevoegde rechtbank",
        "geen beslissingen die alleen door een computer genomen zijn",
        "reservekopieën",
        "gegevens over andere personen Delen zijn weggelaten omdat ze over andere personen gaan",
    ):
        assert words in text, words


def test_hours_are_those_of_brussels_with_their_offset() -> None:
    """EXP-12: 09:30 UTC on 3 March is half past ten."""
    assert "3 maart 2026, 10:30 (UTC+01:00)" in said()


def test_a_hold_is_told_without_its_reason() -> None:
    """Table 7.1 (d)."""
    held = msgspec.structs.replace(DOSSIER, retention=msgspec.structs.replace(DOSSIER.retention, is_held=True))
    text = said(contexts=(held,))
    assert "langer bewaard wegens een wettelijke verplichting of een rechtsvordering" in text
    assert "2033" not in text


def test_only_what_a_person_has_read_goes_out_of_a_text() -> None:
    """EXP-07: never the text of the CRM, and nothing of an item that waits or is withheld."""
    waiting = fiche(5, "EEN VOORSTEL", status=ItemStatus.PENDING_REVIEW)
    written = fiche(6, "EEN ANDER VOORSTEL", status=ItemStatus.APPROVED_REDACTED, text="Wat de lezer schreef.")
    withheld = fiche(7, "WEGGELATEN", status=ItemStatus.WITHHELD, code="RF-03")
    text = said(items=(waiting, written, withheld))
    assert "Wat de lezer schreef." in text
    assert not any(word in text for word in ("UNREDACTED", "EEN VOORSTEL", "EEN ANDER VOORSTEL", "WEGGELATEN"))


@pytest.mark.parametrize(
    "text",
    [
        "#panic()",
        "*vet* _schuin_ `code`",
        "$x^2$ <script>alert(1)</script>",
        '\\u{41} @ref #import "x"',
        "https://example.org/x",
        "= Kop\n- lijst",
    ],
)
def test_text_of_the_crm_is_shown_and_never_read_as_markup(text: str) -> None:
    """EXP-19: what was typed stands there as it was typed, and no link is active."""
    made = letter(compilation(items=(fiche(2, text),), withheld=()))
    assert "".join(text.split()) in "".join(text_of(made).split())
    with opened(made) as pdf:
        assert all("/Annots" not in page for page in pdf.pages)


@pytest.mark.parametrize(
    "text", ["Dag 😀👨‍👩‍👧", "中文", "اسم", "ⵣ", "a\x00b\x1b[0m", "\u202etxet", "\ud7ff\uffff", "q̃̃̃", "नमस्ते", "\U000e0041"]
)
def test_no_character_stops_a_letter(text: str) -> None:
    assert letter(compilation(items=(fiche(2, text),), addressee=Addressee(text)))


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=40))
def test_any_text_can_be_printed(text: str) -> None:
    assert letter(compilation(items=(fiche(2, text),), withheld=()))


def test_a_letter_says_when_it_had_to_transcribe() -> None:
    note = "staan er in Latijns schrift"
    assert note in said(items=(fiche(2, "naam: 中文"),))
    assert note not in said()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_child_that_asked_for_something_else_is_not_told_of_a_copy(language: str) -> None:
    """EXP-10: the page says what is in the package."""
    words = texts_in(language)
    lotte = Addressee("Lotte Peeters (fictief)", is_minor=True)
    decided = answer_of(compilation(language=language, right="erasure", addressee=lotte, items=(), withheld=()), SENDER).cover
    copied = answer_of(compilation(language=language, addressee=lotte), SENDER).cover
    assert decided is not None
    assert copied is not None
    assert Paragraph(words.say("child", "why_decided")) in decided.blocks
    assert Paragraph(words.say("child", "why")) not in decided.blocks
    assert Paragraph(words.say("child", "why")) in copied.blocks


def test_a_child_gets_a_page_of_its_own_first() -> None:
    """EXP-10: short sentences, 116000, together."""
    text = said(addressee=Addressee("Lotte Peeters (fictief)", is_minor=True))
    assert text.index("Voor jou") < text.index("Geachte")
    assert "116000" in text
    assert "samen met ons doorlezen" in text
    assert "116000" not in said()
    sentences = re.split(
        r"[.?!]", " ".join(texts_in("nl").say("child", line) for line in ("why", "inside", "hidden", "hard", "together", "call"))
    )
    assert max(len(sentence.split()) for sentence in sentences) <= 16


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("compiled", [compilation(), neutral(), compilation(items=(), contexts=(), refusal="RF-02", right="erasure")])
def test_every_answer_ends_with_the_same_sentence(compiled: Compilation, language: str) -> None:
    """SUS-12."""
    from rules.subject_requests import ARTICLES, Right

    scope = texts_in(language).say("letter", "scope", article=ARTICLES[Right(compiled.right)])
    text = re.sub(
        r"request-0123456789ab \w+ \d+ \w+ \d+ ?$", "", text_of(letter(msgspec.structs.replace(compiled, language=language))).strip()
    )
    assert text.strip().endswith(scope)


@pytest.mark.parametrize("right", ["access", "erasure", "consent_withdrawal"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_neutral_letter_is_the_neutral_text_and_nothing_else(language: str, right: str) -> None:
    """SUS-04, RF-00: word for word; whatever else a compilation holds is not in it."""
    from rules.subject_requests import ARTICLES, Right

    text = text_of(letter(neutral(language=language, right=right)))
    assert texts_in(language).say("neutral", "text", article=ARTICLES[Right(right)]) in text
    full = compilation(answer="neutral", language=language, right=right, addressee=Addressee("Lotte Peeters (fictief)", is_minor=True))
    assert letter(full) == letter(neutral(language=language, right=right))


@pytest.mark.parametrize("code", [f"RF-{number:02}" for number in range(1, 9)])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refusal_gives_its_reason_the_authority_and_the_court(language: str, code: str) -> None:
    """Section 6.4; GDPR art. 12(4)."""
    text = text_of(letter(compilation(language=language, right="erasure", refusal=code, items=(), contexts=(), withheld=())))
    for words in (texts_in(language).code("refusal", code), "35, 1000", "contact@apd-gba.be", texts_in(language).say("complaint", "court")):
        assert words in text


def test_an_outcome_tells_what_was_done_what_was_not_and_who_is_told() -> None:
    """GDPR art. 12(4), 19; DDL-12."""
    profile = msgspec.structs.replace(PERSON, title="profile", fields=(), at="2020-01-02")
    gift = msgspec.structs.replace(GIFT, title="erase", fields=(), status=ItemStatus.WITHHELD, code="RF-02")
    compiled = compilation(right="erasure", items=(profile, gift), contexts=(), withheld=(), granted=("item-1",))
    text = text_of(letter_pdf(answer_of(compiled, SENDER, told=("Politiezone Voorbeeld (fictief)",))))
    assert "zo snel als technisch mogelijk" in text
    assert "zover niets anders ze nodig heeft: Persoonsgegevens, 2 januari 2020" in text
    assert "Wissing van gegevens: Gift, 15 januari 2026 De gegevens zijn nog nodig" in text
    assert "artikel 19 AVG): Politiezone Voorbeeld (fictief)" in text


def test_a_correction_names_the_fields_and_not_their_values() -> None:
    item = msgspec.structs.replace(PERSON, title="correct", fields=(Field("birth_on", "2009-05-10"),))
    text = said(right="rectification", items=(item,), contexts=(), granted=("item-1",))
    assert "Verbetering van een gegeven: Persoonsgegevens (Geboortedatum)" in text
    assert "2009" not in text


def test_what_a_person_takes_along_is_what_they_gave() -> None:
    """EXP-15, RGT-14: no mission file, no special data, nothing that the house itself wrote."""
    text = said(right="portability", contexts=(DOSSIER, GIFTS))
    assert "Bedrag: 25,50" in text
    assert not any(word in text for word in ("Wegloper", "Geboekt op", "Lotte belt", "Politiezone"))
    special = msgspec.structs.replace(GIFTS, special=True)
    assert "Bedrag" not in said(right="portability", contexts=(special,))


def test_a_field_that_is_not_shown_is_its_label() -> None:
    """EXP-06."""
    assert "Nummer van de oproeper: [telefoonnummer]" in said()


def test_two_neutral_letters_look_alike() -> None:
    """R-106: text, pictures and metadata of two neutral letters are the same but for addressee, reference and date."""
    one = letter(neutral())
    other = letter(neutral(addressee=Addressee("Bram Maes (fictief)"), request="request-ffffffffffff", reference="request-ffffffffffff"))
    assert _masked(text_of(one)) == _masked(text_of(other))
    for (width, height, pixels), (wide, high, others) in zip(pictures_of(one), pictures_of(other), strict=True):
        assert (width, height) == (wide, high)
        differing = {index // width for index, (a, b) in enumerate(zip(pixels, others, strict=True)) if a != b}
        addressee, reference, footer = range(100, 150), range(200, 235), range(770, 820)
        assert differing <= {*addressee, *reference, *footer}
    with opened(one) as a, opened(other) as b:
        assert {key: str(value) for key, value in a.docinfo.items()} == {key: str(value) for key, value in b.docinfo.items()}
        assert _without_id(a.Root.Metadata.read_bytes()) == _without_id(b.Root.Metadata.read_bytes())


def _masked(text: str) -> str:
    return re.sub(r"request-\w+|(Lotte Peeters|Bram Maes) \(fictief\)", "…", text)


def _without_id(xmp: bytes) -> bytes:
    return re.sub(rb"<xmpMM:(Document|Instance)ID>[^<]*<", b"", xmp)


def test_five_hundred_conversations_make_a_letter_in_seconds() -> None:
    from time import perf_counter

    items = tuple(fiche(number, "Een gesprek van enkele zinnen. " * 20) for number in range(1, 501))
    begun = perf_counter()
    assert letter(compilation(items=items))
    assert perf_counter() - begun < 30


def test_a_field_of_free_text_that_nobody_reads_is_not_shown() -> None:
    """EXP-07: an item without a review has no text in it."""
    item = msgspec.structs.replace(PERSON, fields=(*PERSON.fields, Field("description", "ONGELEZEN", is_text=True)))
    assert "ONGELEZEN" not in said(items=(item,))
