"""The letter as a person opens it."""

import re
from datetime import date
from pathlib import Path
from time import process_time
from typing import Any

import msgspec
import pytest
import typst
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_compliance.answer_package import typesetter
from crm_compliance.answer_package.characters import french, printable
from crm_compliance.answer_package.content.make_answer import answer_of
from crm_compliance.answer_package.letter import letter_data, letter_pdf
from jobs.model.answer import Addressee, Compilation, Field, Ground, ItemStatus, Retention
from rules.errors import ComplianceError
from rules.model.languages import LANGUAGES
from tests.crm_compliance.answer_package.pages import gap_after, opened, pages_of, pictures_of, text_of
from tests.crm_compliance.answer_package.samples import (
    DOSSIER,
    GIFT,
    GIFTS,
    ORGANISATION,
    PERSON,
    PHOTO,
    SENDER,
    compilation,
    fiche,
    neutral,
)
from tests.saying import texts_in


def letter(compiled: Compilation) -> bytes:
    return letter_pdf(answer_of(compiled, ORGANISATION))


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
        assert str(pdf.docinfo.Title) == answer_of(compilation(language=language), ORGANISATION).title
        assert str(pdf.docinfo.get("/Author", "")) == SENDER.name
        assert "Lotte" not in xmp


def test_every_font_is_inside() -> None:
    with opened(letter(compilation())) as pdf:
        fonts = [obj for obj in pdf.objects if isinstance(obj, type(pdf.Root)) and obj.get("/Type") == "/FontDescriptor"]
        assert fonts
        assert all(any(key in font for key in ("/FontFile", "/FontFile2", "/FontFile3")) for font in fonts)


def test_the_same_answer_makes_the_same_file() -> None:
    assert letter(compilation()) == letter(compilation())


def test_what_the_typesetter_keeps_is_in_no_process_that_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typst, "compile", None)
    assert text_of(letter(compilation(items=(fiche(1),))))


def test_a_letter_whose_process_ends_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ends = tmp_path / "ends.py"
    ends.write_text("import os; os.abort()", encoding="utf-8")
    monkeypatch.setattr(typesetter, "PROCESS", ends)
    with pytest.raises(ComplianceError, match="ended before it was made") as refused:
        letter(compilation())
    assert refused.value.code == "process_ended"
    assert "too little memory" in str(refused.value.hint)


def test_the_particulars_of_article_15_are_in_it() -> None:
    """Table 7.1: confirmation, (a) to (h), transfers."""
    text = said()
    for words in (
        "Ja, wij verwerken persoonsgegevens over u",
        "operationele ondersteuning bij onderzoeken naar vermiste of seksueel uitgebuite kinderen",
        "Vital interests, GDPR art. 6(1)(d)",
        "bijzondere categorieën van persoonsgegevens",
        "Politiezone Voorbeeld (fictief) (2 maart 2026)",
        "Missing Example (fictief) (4 maart 2026), buiten de Europese Economische Ruimte (Verenigd Koninkrijk)",
        "; waarborg: adequacy decision",
        "Tot en met 1 februari 2033",
        "melding door een derde",
        "Intrekking",
        "Drukpersstraat 35, 1000 Brussel, contact@apd-gba.be",
        "bevoegde rechtbank",
        "geen besluiten genomen die uitsluitend op een geautomatiseerde verwerking berusten",
        "reservekopieën",
        "Gegevens over andere personen Delen zijn weggelaten omdat ze over andere personen gaan",
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


@pytest.mark.parametrize(
    ("word", "printed"),
    [("ماشوم", "ماشوم"), ("ځای", "dzy"), ("گھر", "گھر"), ("سے", "se"), ("ڕێبوار", "rebwr"), ("মোহাম্মদ", "mohammd"), ("👍🏽", ":thumbsup:")],
)
def test_a_word_is_in_one_script_as_a_whole(word: str, printed: str) -> None:
    """A letter in Latin inside a word from right to left stands in another place of it."""
    assert printable(f"Hij zei: {word}.") == f"Hij zei: {printed}."


def test_a_letter_says_when_it_had_to_transcribe() -> None:
    note = "in Latijns schrift weergegeven"
    assert note in said(items=(fiche(2, "naam: 中文"),))
    assert note not in said()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("compiled", [compilation(), neutral(), compilation(items=(), contexts=(), refusal="RF-02", right="erasure")])
def test_every_answer_ends_with_the_same_sentence(compiled: Compilation, language: str) -> None:
    """SUS-12."""
    from rules.model.requests import ARTICLES, Right

    key = "scope" if compiled.right == "access" else "scope_other"
    scope = texts_in(language).say("letter", key, article=ARTICLES[Right(compiled.right)])
    text = re.sub(
        r"request-0123456789ab \w+ \d+ \w+ \d+ ?$", "", text_of(letter(msgspec.structs.replace(compiled, language=language))).strip()
    )
    assert text.strip().endswith(scope)


@pytest.mark.parametrize("right", ["access", "erasure", "consent_withdrawal"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_neutral_letter_is_the_neutral_text_and_nothing_else(language: str, right: str) -> None:
    """SUS-04, RF-00: word for word; whatever else a compilation holds is not in it."""
    from rules.model.requests import ARTICLES, Right

    text = text_of(letter(neutral(language=language, right=right)))
    authority = ORGANISATION.authority.complain_to.in_language(language)
    assert texts_in(language).say("neutral", "text", article=ARTICLES[Right(right)], authority=authority) in text
    full = compilation(answer="neutral", language=language, right=right, about="Els Geheim")
    assert letter(full) == letter(neutral(language=language, right=right))


@pytest.mark.parametrize("code", [f"RF-{number:02}" for number in range(1, 9)])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refusal_gives_its_reason_the_authority_and_the_court(language: str, code: str) -> None:
    """Section 6.4; GDPR art. 12(4)."""
    text = text_of(letter(compilation(language=language, right="erasure", refusal=code, items=(), contexts=(), withheld=())))
    for words in (texts_in(language).code("refusal", code), "35, 1000", "contact@apd-gba.be", texts_in(language).say("complaint", "court")):
        assert words in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_r099_what_the_right_does_not_reach_is_not_said_of_the_data_that_are_handed_over(language: str) -> None:
    """R-099, RGT-10: a donor who is a witness too gets the gifts, and RF-04 as a remark on the rest."""
    texts = texts_in(language)
    text = text_of(letter(compilation(language=language, right="portability", remarks=("RF-04",))))
    assert texts.code("remark", "RF-04") in text
    assert texts.code("refusal", "RF-04") not in text


@pytest.mark.parametrize(("refusal", "is_told"), [("", True), ("RF-02", True), ("RF-01", False), ("RF-08", False)])
def test_rf07_beside_a_decision_stands_only_that_somebody_may_not_act_for_the_child(refusal: str, is_told: bool) -> None:
    """RF-07, GDPR art. 12(4); of consent that is not involved nothing is said beside what was withdrawn, and
    where it is not known who asks, or the request itself is refused, nothing at all."""
    texts = texts_in("nl")
    text = said(right="erasure", items=(), contexts=(), withheld=(), refusal=refusal, remarks=("RF-06", "RF-07"))
    assert (texts.code("refusal", "RF-07") in text, texts.code("refusal", "RF-06") in text) == (is_told, False)


def test_an_outcome_tells_what_was_done_what_was_not_and_who_is_told() -> None:
    """GDPR art. 12(4), 19; DDL-12."""
    profile = msgspec.structs.replace(PERSON, title="profile", fields=(), at="2020-01-02")
    gift = msgspec.structs.replace(GIFT, title="erase", fields=(), status=ItemStatus.WITHHELD, code="RF-02")
    compiled = compilation(right="erasure", items=(profile, gift), contexts=(), withheld=(), granted=("item-1",))
    text = text_of(letter_pdf(answer_of(compiled, ORGANISATION, told=("Politiezone Voorbeeld (fictief)",))))
    assert "zoals een ander verzoek dat eerst beantwoord moet worden of een technische reden" in text
    assert "voor zover niets anders ze nodig heeft" in text
    assert "Persoonsgegevens, 2 januari" not in text
    assert "Wissing: Gift, 15 januari 2026 De gegevens zijn nog nodig" in text
    assert "artikel 19 AVG): Politiezone Voorbeeld (fictief)" in text


def test_a_correction_tells_the_person_the_field_and_what_it_says_now() -> None:
    """GDPR art. 12(3), 16; of what was refused it is told why, and no value."""
    item = msgspec.structs.replace(PERSON, title="correct", fields=(Field("birth_on", "2009-05-10"),))
    text = said(right="rectification", items=(item,), contexts=(), granted=("item-1",))
    assert "Verbeterd: Geboortedatum 10 mei 2009" in text
    refused = msgspec.structs.replace(item, status=ItemStatus.WITHHELD, code="NOT_GRANTED")
    text = said(right="rectification", items=(refused,), contexts=(), withheld=())
    assert "Verbetering: Geboortedatum Wij konden niet vaststellen dat de gegevens onjuist of onvolledig zijn" in text
    assert "10 mei 2009" not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_refused_is_never_said_to_be_about_others_where_it_is_not(language: str) -> None:
    """GDPR art. 12(4): the reason is that of the right."""
    for right in ("rectification", "restriction"):
        item = msgspec.structs.replace(PERSON, title="restrict", fields=(), status=ItemStatus.WITHHELD, code="NOT_GRANTED")
        text = text_of(letter(compilation(language=language, right=right, items=(item,), contexts=(), withheld=())))
        assert texts_in(language).say("declined", right) in text
        assert texts_in(language).say("refusal", "RF-03") not in text


def test_a_gift_that_stays_is_kept_for_tax_law_and_not_for_a_relation() -> None:
    """R-104: on which basis, and for how long."""
    ground = Ground(("accounting",), "", {"nl": "Wettelijke verplichting (artikel 6, lid 1, c), AVG)"})
    gifts = msgspec.structs.replace(
        GIFTS,
        purposes=("fundraising", "accounting"),
        grounds=(Ground(("fundraising",), "contract"), ground),
        retention=Retention("", None, "tax"),
    )
    profile = msgspec.structs.replace(PERSON, title="profile", fields=())
    text = said(right="erasure", items=(profile,), contexts=(gifts,), granted=("item-1",), kept=("context-2",), withheld=())
    assert "Gift Zolang wij stukken over giften volgens de fiscale en boekhoudkundige wetgeving moeten bewaren" in text
    assert "Wettelijke verplichting" in text
    assert "overeenkomst met u" not in text


def test_the_first_page_says_who_how_many_from_when_to_when_and_what_was_left_out() -> None:
    document = letter(compilation(about="Lotte Peeters (fictief)"))
    text = text_of(document)
    first = text[: text.index("Pagina 1 van")]
    for words in ("Samengevat", "Over wie Lotte Peeters (fictief)", "5 stukken: Persoonsgegevens (1), Fiche", "van 15 januari 2026 tot"):
        assert words in first, words
    assert "Gegevens over andere personen – Delen zijn weggelaten" in first


def test_a_record_that_is_decided_on_in_parts_is_counted_once() -> None:
    """RGT-09, EXP-08: of a conversation number and day, its text released apart, and a file that depends on
    it are one record."""
    text = fiche(2, item="item-3", fields=(Field("summary", "WHAT THE CRM HAS", is_text=True),))
    file = msgspec.structs.replace(PHOTO, source=text.source, kind="fiche")
    compiled = compilation(scope="on_behalf_limited", items=(fiche(2, needs_review=False, proposal=""), text, file, fiche(7)), withheld=())
    text_of_letter = text_of(letter(compiled))
    assert "2 stukken: Fiche van een gesprek of melding (2)" in text_of_letter
    assert "een bijlage of een tekst die er apart bij staat, heeft er zelf een" in text_of_letter  # the copy has four numbers


def test_that_nothing_was_left_out_is_never_said() -> None:
    """SUS-05: of somebody who may not be told of a file it would not be true."""
    assert texts_in("nl").say("summary", "left_out") not in said(items=(PERSON,), withheld=())


@pytest.mark.parametrize("number", ["item-1", "item-10", "item-39", "item-1000"])
def test_no_number_of_a_draft_touches_the_column_beside_it(number: str) -> None:
    """A working copy has the numbers of the review, which are longer than those of a letter."""
    draft = letter_pdf(answer_of(compilation(items=(fiche(1), fiche(2, item=number))), ORGANISATION, working_copy=True))
    assert gap_after(draft, number) > 6


def test_the_copy_has_an_index_with_pages_and_the_words_are_explained() -> None:
    text = said(items=tuple(fiche(number) for number in range(1, 61)), withheld=())
    assert re.search(r"Overzicht van de kopie .{0,40}Pagina 1 tot en met 60 1\. Dossier \d+", text)
    assert text.index("Overzicht van de kopie") < text.rindex("De kopie van de gegevens") < text.index("Woorden in deze brief")


@pytest.mark.parametrize("count", [0, 1, 3, 7, 20])
def test_no_page_has_a_signature_or_a_last_sentence_alone(count: int) -> None:
    """Whatever is on the last page, it is more than that."""
    for compiled in (
        compilation(items=tuple(fiche(number + 1) for number in range(count))),
        compilation(items=(), contexts=(), withheld=()),
    ):
        pages = pages_of(letter(compiled))
        assert all(len(page.split()) > 40 for page in pages), [len(page.split()) for page in pages]


@pytest.mark.parametrize("language", LANGUAGES)
def test_amounts_countries_and_kinds_of_files_are_said_in_words(language: str) -> None:
    texts = texts_in(language)
    assert "€" in texts.field("amount", 25.5)
    assert texts.field("country", "BE") == texts.field("nationality", "BE") == texts.country("BE") != "BE"
    assert texts.field("media_type", "application/pdf") == texts.say("media", "pdf")
    assert texts.field("media_type", "application/vnd.openxmlformats-officedocument.wordprocessingml.document") == texts.say(
        "media", "document"
    )
    assert texts.field("media_type", "application/octet-stream") == texts.say("media", "other")
    assert texts.field("amount", True) == texts.say("value", "yes")


def test_the_first_of_a_month_in_french() -> None:

    assert texts_in("fr").day(date(2026, 7, 1)) == "1er juillet 2026"
    assert texts_in("fr").day(date(2026, 7, 11)) == "11 juillet 2026"


def test_high_punctuation_in_french_stays_with_its_word() -> None:
    assert "\u00a0: accès" in letter_data(answer_of(compilation(language="fr"), ORGANISATION))["subject"]
    assert french("Quoi ? « a » ; l'article 17, § 3") == "Quoi\u202f? «\u00a0a\u00a0»\u202f; l'article\u00a017, §\u00a03"


def test_pieces_put_together_in_french_have_its_blanks() -> None:
    deleted = msgspec.structs.replace(GIFT, kind="deleted", title="fiche")
    text = said(language="fr", items=(deleted,), not_searched=("lake",))
    assert "effacées : Fiche" in text
    assert "à bref délai) ; lac de données (« data lake »)" in text


def test_what_a_person_takes_along_is_what_they_gave() -> None:
    """EXP-15, RGT-14: no mission file, no special data, nothing that the house itself wrote."""
    text = said(right="portability", contexts=(DOSSIER, GIFTS))
    assert "Bedrag: € 25,50" in text
    assert not any(word in text for word in ("Wegloper", "Geboekt op", "Lotte belt", "Politiezone"))
    special = msgspec.structs.replace(GIFTS, special=True)
    assert "Bedrag" not in said(right="portability", contexts=(special,))


def test_a_field_that_is_not_shown_is_its_label() -> None:
    """EXP-06."""
    assert "Nummer van de oproeper: [telefoonnummer]" in said()


def test_two_neutral_letters_look_alike() -> None:
    """R-106: text, pictures and metadata of two neutral letters are the same but for addressee, reference and
    date."""
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
    items = tuple(fiche(number, "Een gesprek van enkele zinnen. " * 20) for number in range(1, 501))
    begun = process_time()
    assert letter(compilation(items=items))
    assert process_time() - begun < 30


def test_a_field_of_free_text_that_nobody_reads_is_not_shown() -> None:
    """EXP-07: an item without a review has no text in it."""
    item = msgspec.structs.replace(PERSON, fields=(*PERSON.fields, Field("description", "ONGELEZEN", is_text=True)))
    assert "ONGELEZEN" not in said(items=(item,))
