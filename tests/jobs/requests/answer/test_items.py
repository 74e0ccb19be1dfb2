"""The items of an answer, row by row: fields by rule, texts for a person, files apart (EXP-06 to EXP-09,
RGT-09)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, cast

import msgspec
import pytest

from jobs.files.file_texts import Checked
from jobs.model.answer import Addressee, Compilation, Context, Item, ItemStatus, MentionedIn, Recipient, Retention
from jobs.requests.answer.fields import Extent, Fields
from jobs.requests.answer.items import Items, numbered, with_decisions
from jobs.requests.answer.row_files import RowFiles
from jobs.requests.context.transmissions import PROCESSOR
from jobs.requests.redaction.redact import TextRedactor
from jobs.requests.search.scope import Row
from rules.dates.calendar import BELGIAN
from rules.model.personal_records import (
    PARTICIPATIONS,
    FullActivityParty,
    FullCall,
    FullContact,
    FullDossier,
    FullEmail,
    FullEnrolment,
    FullFiche,
    FullNote,
    FullParty,
    FullRecording,
)
from rules.redaction.redactor import Redacted

NUMBERS = frozenset({"+32470000001", "lotte@example.org"})


class PlainRedactor:
    """Redacts one name, so that these tests are about items and not about names."""

    def redact(self, text: str) -> Redacted:
        return Redacted(text.replace("Karel", "[derde 1]"))

    def tells(self, text: str) -> bool:
        return "Karel" in text

    def label(self, key: str) -> str:
        return f"[{key}]"


def maker(name: str = "Lotte", *, only_provided: bool = False) -> Items:
    redactor, extent = cast("TextRedactor", PlainRedactor()), Extent(only_provided=only_provided)
    fields = Fields(redactor, "nl", NUMBERS, country="BE", extent=extent, askers={}, choice=lambda kind, field, value: value)
    files = RowFiles(extent, lambda kind, row, field: None, lambda kind, row, field: None, lambda attachment: Checked())
    return Items(redactor, fields, files, calendar=BELGIAN, country="BE", names=(name,))


def compilation(items: tuple[Item, ...], **more: Any) -> Compilation:
    usual = {"right": "access", "contexts": ()}
    return Compilation(
        request="r", reference="r", answer="package", scope="own", language="nl", generated_at=datetime(2026, 11, 25, tzinfo=UTC),
        received_on=date(2026, 11, 25), addressee=Addressee("Lotte (fictief)"), items=items, **(usual | more),
    )  # fmt: skip


def values(item: Item) -> dict[str, object]:
    return {field.name: field.value for field in item.fields if not field.is_text}


def test_fields_that_nobody_may_see_are_in_no_item() -> None:
    dossier = FullDossier(id="d", etag='W/"1"', number="D-1", legal_hold=True, reviewed_on=date(2026, 1, 1), opened_on=date(2026, 1, 2))
    (item,) = maker().of(Row("dossier", "d", dossier, ("dossier", "d")), "context-1")
    assert values(item) == {"number": "D-1", "opened_on": "2026-01-02"}
    assert (item.status, item.needs_review) == (ItemStatus.APPROVED, False)


def test_the_number_of_somebody_else_is_a_label_and_how_they_called_is_not_told() -> None:
    """R-119."""
    fiche = FullFiche(
        id="f", caller_number="0499 99 99 99", caller_email="lotte@example.org", reporter_kind="parent", ip_address="192.0.2.1"
    )
    (item,) = maker().of(Row("fiche", "f", fiche, ("fiche", "f")), "context-1")
    assert values(item) == {"caller_number": "[telefoonnummer]", "caller_email": "lotte@example.org", "ip_address": "[IP-adres]"}
    (own,) = maker().of(Row("fiche", "f", fiche, ("fiche", "f"), is_own=True, is_caller=True), "context-1")
    assert (values(own)["reporter_kind"], values(own)["ip_address"]) == ("parent", "192.0.2.1")


@pytest.mark.parametrize("only_provided", [False, True])
def test_the_title_of_a_course_does_not_name_others(only_provided: bool) -> None:
    """EXP-06: what the person supplied too; a name that stood there stopped the release for good."""
    row = Row("enrolment", "e", FullEnrolment(id="e", course="Rouw, door Karel"), ("enrolment", "e"), is_own=True)
    (item,) = maker(only_provided=only_provided).of(row, "context-1")
    assert values(item) == {"course": "Rouw, door [derde 1]"}
    assert item.fields[0].provided


def test_somebody_else_in_the_persons_own_row_is_not_told() -> None:
    """EXP-06: `p/a` before an address; a town or a surname alone is the person's own."""
    contact = FullContact(id="c", first_name="Lotte", phone="0470 00 00 01 (Karel)", street="p/a Karel, Kerkstraat 12", city="Karel")
    (item,) = maker().of(Row("contact", "c", contact, is_own=True), "context-1")
    assert values(item) == {
        "first_name": "Lotte",
        "phone": "0470 00 00 01 ([derde 1])",
        "street": "p/a [derde 1], Kerkstraat 12",
        "city": "Karel",
    }


def test_the_ground_of_a_transfer_does_not_name_others() -> None:
    fiche = FullFiche(id="f", transfer_basis="akkoord van Karel", transmitted_to="Police, Karel")
    (_, item) = maker().of(Row("fiche", "f", fiche, ("fiche", "f")), "context-1")
    assert values(item) == {"transfer_basis": "akkoord van [derde 1]", "transmitted_to": "Police, [derde 1]"}


def test_each_address_of_an_email_is_looked_at_by_itself() -> None:
    email = FullEmail(id="e", sender="karel@example.org", recipients="lotte@example.org; piet@example.org")
    (item,) = maker().of(Row("email", "e", email), "context-1")
    assert values(item) == {"sender": "[e-mailadres]", "recipients": "lotte@example.org; [e-mailadres]"}


@pytest.mark.parametrize(
    "body",
    ['<p>Zie hier.</p><img src="data:image/png;base64,iVBORw0KGgo=">', "<p>Zie hier.</p><svg><path d='M0 0'/></svg>"],
)
def test_a_picture_that_is_written_into_the_body_of_an_email_is_told_by_its_label(body: str) -> None:
    """EXP-01: whoever reviews the text, or gets it, sees that there was more than words."""
    email = FullEmail(id="e", sender="lotte@example.org", text=body)
    (item,) = maker().of(Row("email", "e", email, ("dossier", "d"), is_own=True, is_caller=True), "context-1")
    (text,) = [field for field in item.fields if field.is_text]
    assert text.value == "Zie hier.\n[beeld of bestand]"


def test_an_instant_stands_for_its_day() -> None:
    at = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    recording = FullRecording(id="r", started_on=date(2026, 3, 1), started_at=at, channel="chat")
    (item,) = maker().of(Row("recording", "r", recording), "context-1")
    assert values(item) == {"channel": "chat", "started_at": "2026-03-01T09:30:00Z"}
    assert item.at == "2026-03-01T09:30:00Z"


def test_texts_of_a_row_wait_together_and_are_proposed_redacted() -> None:
    call = FullCall(id="c", subject="Karel", text="belde <b>Karel</b>")
    (item,) = maker().of(Row("call", "c", call), "context-1")
    assert (item.status, item.proposal) == (ItemStatus.PENDING_REVIEW, "[derde 1]\n\nbelde [derde 1]")
    assert values(item) == {}
    assert item.shown_text == ""


def test_of_the_role_of_somebody_else_only_a_label_is_told() -> None:
    party = FullParty(id="p", contact="karel", role="suspect", name="Karel", notes="Gevaarlijk.", suspect_until=date(2026, 1, 1))
    (item,) = maker().of(Row("party", "p", party), "context-1")
    assert (values(item), item.needs_review) == ({"name": "[karel]"}, False)


@pytest.mark.parametrize("kind", ["contact", "dossier"])
def test_what_rgt_09_names_is_withheld_apart_from_the_rest(kind: str) -> None:
    """R-096: names and numbers stay, texts and whereabouts wait for the DPO."""
    rows = {
        "contact": FullContact(id="x", first_name="Lotte", street="Schuilstraat 7", description="Logeert bij Karel."),
        "dossier": FullDossier(id="x", number="D-1", summary="In opvanghuis Zonnedal."),
    }
    items = maker().of(Row(kind, "x", rows[kind], is_own=True, is_limited=True), "context-1")
    shown = [item for item in items if item.is_shown]
    assert [values(item) for item in shown] == [{"first_name": "Lotte"} if kind == "contact" else {"number": "D-1"}]
    hidden = [item for item in items if not item.is_shown]
    assert {item.status for item in hidden} == {ItemStatus.WITHHELD}
    assert {item.withholds for item in hidden} == ({"contact_details", "child_statements"} if kind == "contact" else {"child_statements"})
    assert all(item.needs_review and item.code == item.told_code == "RGT-09" for item in hidden)


def test_of_a_conversation_under_rgt_09_the_number_and_the_day_are_told_and_not_the_hour() -> None:
    """RGT-09 names statements, whereabouts and confidants: what it does not name stays."""
    at = datetime(2026, 1, 1, 23, 30, tzinfo=UTC)
    fiche = FullFiche(id="f", number="F-1", communicated_on=date(2026, 1, 2), communicated_at=at, summary="Zij is bang.")
    told, text = maker().of(Row("fiche", "f", fiche, is_limited=True), "context-1")
    assert (values(told), told.at, told.status) == ({"number": "F-1", "communicated_on": "2026-01-02"}, "2026-01-02", ItemStatus.APPROVED)
    assert (text.status, text.shown_fields, text.shown_text) == (ItemStatus.WITHHELD, (), "")


@pytest.mark.parametrize("summary", ["Zij is bang.", None])
def test_under_rgt_09_the_channel_of_a_withheld_conversation_is_withheld_with_it(summary: str | None) -> None:
    """RGT-09, R-096: a chat may tell that it was the child who wrote. Who reported themselves know it; a
    released text comes with it."""
    fiche = FullFiche(id="f", number="F-1", channel="chat", language="fr", reporter_kind="child", caller_number="0470", summary=summary)
    row = Row("fiche", "f", fiche, is_limited=True, is_caller=True)
    told, *hidden = maker().of(row, "context-1")
    assert values(told) == {"number": "F-1"}
    assert {item.status for item in hidden} == {ItemStatus.WITHHELD}
    (spoken,) = [item for item in hidden if item.withheld_class == "child_statements"]
    released = msgspec.structs.replace(spoken, status=ItemStatus.APPROVED)
    assert ("channel" in values(released), "caller_number" in values(released)) == (True, False)
    theirs, *_ = maker().of(Row("fiche", "f", fiche, is_limited=True, is_askers=True), "context-1")
    assert values(theirs)["channel"] == "chat"


def test_under_rgt_09_the_channel_of_a_recording_is_withheld() -> None:
    """A recording without a transcript has no text that would be withheld."""
    items = maker().of(Row("recording", "r", FullRecording(id="r", channel="chat", started_on=date(2026, 1, 2)), is_limited=True), "c")
    assert not [item for item in items if item.is_shown and "channel" in values(item)]


def test_under_rgt_09_a_confidant_who_was_informed_is_withheld_and_an_authority_waits() -> None:
    for name, status, code in (("Opvanghuis Zonnedal", "WITHHELD", "RGT-09"), ("Police", "PENDING_REVIEW", "DPO_REVIEW")):
        fiche = FullFiche(id="f", number="F-1", transmitted_to=name, transmitted_country="FR")
        items = maker().of(Row("fiche", "f", fiche, is_limited=True), "context-1")
        assert {field.name for item in items if item.is_shown for field in item.fields} == {"number"}
        (recipient,) = [item for item in items if item.kind == "recipient"]
        assert (recipient.status, recipient.code) == (status, code)
        assert {field.name for field in recipient.fields} == {"transmitted_to", "transmitted_country"}


@pytest.mark.parametrize(
    ("name", "country", "status"),
    [
        ("PZ Zuid (fictief)", None, "PENDING_REVIEW"),
        ("Parket Gent", "BE", "PENDING_REVIEW"),
        ("NCMEC", "US", "PENDING_REVIEW"),
        ("Voorbeeldhulp (fictief)", "NL", "PENDING_REVIEW"),
        (None, None, "PENDING_REVIEW"),
        ("CAW Voorbeeld (fictief)", None, "APPROVED"),
    ],
)
def test_whoever_acts_in_criminal_matters_waits_for_a_person(name: str | None, country: str | None, status: str) -> None:
    """7.1(c): whatever becomes of the fiche; of whom no name is known may be the police."""
    fiche = FullFiche(id="f", number="F-1", transmitted_to=name, transmitted_on=date(2026, 1, 2), transmitted_country=country)
    told, recipient = maker().of(Row("fiche", "f", fiche), "context-1")
    assert (values(told), told.status) == ({"number": "F-1"}, "APPROVED")
    assert (recipient.kind, recipient.status, recipient.needs_review) == ("recipient", status, True)


def test_a_recipient_who_is_kept_back_leaves_no_trace() -> None:
    """7.1(c): named in no section, notice or count; a withheld fiche does not tell of itself by its
    recipient."""
    fiche = FullFiche(id="f", number="F-1", transmitted_to="PZ Zuid (fictief)", transmitted_on=date(2026, 1, 2))
    told, recipient = maker().of(Row("fiche", "f", fiche), "context-1")
    named = Recipient("PZ Zuid (fictief)", on="2026-01-02", source=("fiche", "f"), is_criminal=True)
    context = Context("context-1", "fiche", "other", {}, (), "", (), (named, PROCESSOR), Retention("", None), (), ())

    def names(fiche_status: str, recipient_status: str, right: str = "access") -> tuple[list[str], int, int]:
        items = (
            msgspec.structs.replace(told, status=ItemStatus(fiche_status)),
            msgspec.structs.replace(recipient, status=ItemStatus(recipient_status), code="RF-03"),
        )
        answer = compilation(items, contexts=(context,), right=right)
        return [each.name for each in answer.told_contexts()[0].recipients], len(answer.shown), len(answer.told_withheld)

    assert names("APPROVED", "APPROVED") == (["PZ Zuid (fictief)", "processor"], 1, 0)
    assert names("APPROVED", "WITHHELD") == (["processor"], 1, 0)
    assert names("APPROVED", "PENDING_REVIEW") == (["processor"], 1, 0)
    assert names("WITHHELD", "APPROVED") == (["processor"], 0, 1)
    assert names("APPROVED", "APPROVED", "rectification")[0] == ["processor"]  # nobody has decided: it is not told


def test_a_mention_by_one_of_two_surnames_is_left_out_without_a_trace_unless_somebody_says_otherwise() -> None:
    """EXP-04, EXP-09: nothing says that something about the person was left out."""
    where = MentionedIn("dossier", "d", "D-7", (("x", "Ann Janssens (fictief)"),))
    call = FullCall(id="c", text="Ann Janssens belde")
    row = Row("call", "c", call, place="mention", fields=("text",), evidence="name_part", where=where)
    (item,) = maker().of(row, "context-1")
    assert (item.status, item.code, item.where) == (ItemStatus.WITHHELD, "NOT_THE_PERSON", where)
    assert compilation((item,)).told_withheld == ()
    assert compilation((msgspec.structs.replace(item, code="RF-03"),)).told_withheld != ()


@pytest.mark.parametrize(
    ("name", "written"), [("Zoë", "Zoe"), ("Zoe", "Zoë"), ("Zoe\u0308", "ZOË"), ("Groß", "GROSS"), ("D'Hondt", "D’Hondt")]
)
def test_of_a_long_text_only_the_sentence_that_names_the_person_is_told_however_it_is_spelt(name: str, written: str) -> None:
    """IDN-13: a name that the search finds and this cut does not would tell the beginning of a text that is
    about others."""
    text = "De buren (fictief) vertelden van hun zoon. " * 20 + f"Daar zat {written} ook bij. " + "Nadien ging het over hun dochter. " * 20
    row = Row("call", "c", FullCall(id="c", text=text), place="mention", fields=("text",))
    (item,) = maker(name).of(row, "context-1")
    assert item.proposal == f"Daar zat {written} ook bij."


def test_the_report_of_who_asks_for_a_child_waits_for_a_person_and_is_not_kept_from_them() -> None:
    fiche = FullFiche(id="f", summary="Els belt.")
    (_, text) = maker().of(Row("fiche", "f", fiche, is_limited=True, is_askers=True), "context-1")
    assert (text.status, text.withholds, text.code) == (ItemStatus.PENDING_REVIEW, "", "")


def test_a_document_and_a_sound_are_items_of_their_own() -> None:
    note = FullNote(id="n", is_document=True, media_type="application/pdf", file_name="Karel.pdf")
    text, file = maker().of(Row("note", "n", note), "context-1")
    assert (text.proposal, file.status, file.withheld_class) == ("[derde 1].pdf", ItemStatus.PENDING_REVIEW, "attachment")
    _, voice = maker().of(Row("recording", "r", FullRecording(id="r", channel="phone")), "context-1")
    assert (voice.status, voice.code, voice.withheld_class) == (ItemStatus.WITHHELD, "VOICE", "voice")


def test_numbers_have_no_gap_and_a_package_numbers_what_it_shows_anew() -> None:
    """EXP-09, R-107."""
    rows = [Row("note", str(n), FullNote(id=str(n), is_document=True, media_type="text/plain")) for n in range(3)]
    items = numbered([item for row in rows for item in maker().of(row, "context-1")])
    assert [item.item for item in items] == [f"item-{n}" for n in range(1, 7)]
    assert [item.attachment.name for item in items if item.attachment is not None] == [f"attachment-{n}.txt" for n in (1, 2, 3)]
    at = datetime(2026, 1, 1, tzinfo=UTC)
    compilation = Compilation(
        request="r", reference="r", right="access", answer="package", scope="own", language="nl", generated_at=at, received_on=at.date(),
        addressee=Addressee("Lotte (fictief)"), items=items,
    )  # fmt: skip
    assert [item.item for item in compilation.shown] == ["1", "2", "3"]
    assert compilation.pending == 3


def test_a_decision_is_kept_for_the_same_item_only() -> None:
    def made(text: str) -> tuple[Item, ...]:
        return numbered(maker().of(Row("call", "c", FullCall(id="c", text=text)), "context-1"))

    before = tuple(msgspec.structs.replace(item, status=ItemStatus.WITHHELD, code="RF-03") for item in made("zo"))
    assert [(item.status, item.code) for item in with_decisions(made("zo"), before)] == [(ItemStatus.WITHHELD, "RF-03")]
    assert [(item.status, item.code) for item in with_decisions(made("anders"), before)] == [(ItemStatus.PENDING_REVIEW, "")]


@pytest.mark.parametrize("number", [*PARTICIPATIONS, 12, None])
def test_how_somebody_took_part_is_told_by_a_word(number: int | None) -> None:
    """EXP-12: no number of the platform's."""
    taking = FullActivityParty(id="t", address="lotte@example.org", participation=number)
    (item,) = maker().of(Row("activity_party", "t", taking, is_own=True), "context-1")
    said = {None: None, 12: "participant"}.get(number, PARTICIPATIONS.get(number or 0))
    assert values(item).get("participation") == said
