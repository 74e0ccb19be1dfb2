"""What of an answer is told, and what of it leaves no trace (EXP-09, RGT-09, 7.1(c)). Everybody is
fictitious."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest

from jobs.model.answer import Addressee, Attachment, Compilation, Context, Field, Item, ItemStatus, Recipient, Retention, Withheld
from rules.rights.withholding import CLASSES

FICHE, OTHER = ("fiche", "f"), ("fiche", "g")


def an_item(kind: str = "fiche", source: tuple[str, str] = FICHE, **more: Any) -> Item:
    return Item("item-1", "context-1", kind, source, "", "", (), **more)


def named(name: str, source: tuple[str, str] = FICHE, **more: Any) -> Recipient:
    return Recipient(name, on="2026-01-02", source=source, **more)


def answer(*items: Item, recipients: tuple[Recipient, ...] = (), **more: Any) -> Compilation:
    context = Context("context-1", "fiche", "other", {}, (), "", (), recipients, Retention("", None), (), ())
    usual: dict[str, Any] = {
        "right": "access",
        "scope": "own",
        "generated_at": datetime(2026, 11, 25, tzinfo=UTC),
        "received_on": date(2026, 11, 25),
        "addressee": Addressee("Lotte (fictief)"),
        "contexts": (context,),
    }
    return Compilation(request="r", reference="r", answer="package", language="nl", items=items, **(usual | more))


def told(compilation: Compilation, *, working_copy: bool = False) -> list[str]:
    return [each.name for each in compilation.told_contexts(working_copy=working_copy)[0].recipients]


def test_a_name_that_the_reviewer_wrote_instead_is_the_one_that_is_told() -> None:
    """A category that has been rewritten is a name from then on."""
    recipient = an_item("recipient", needs_review=True, status=ItemStatus.APPROVED_REDACTED, text="A police zone")
    compilation = answer(an_item(), recipient, recipients=(named("PZ Zuid (fictief)", is_category=True),))
    (said,) = compilation.told_contexts()[0].recipients
    assert (said.name, said.is_category, said.source) == ("A police zone", False, ("", ""))
    without = answer(an_item(), msgspec.structs.replace(recipient, text=""), recipients=(named("PZ Zuid (fictief)", is_category=True),))
    assert without.told_contexts()[0].recipients[0].name == "PZ Zuid (fictief)"


def test_who_waits_for_a_person_is_in_a_working_copy_alone() -> None:
    compilation = answer(an_item(), an_item("recipient", status=ItemStatus.PENDING_REVIEW), recipients=(named("CAW (fictief)"),))
    assert (told(compilation), told(compilation, working_copy=True)) == ([], ["CAW (fictief)"])


def test_a_recipient_of_two_fiches_is_told_once_where_either_is_shown() -> None:
    items = (an_item(), an_item("recipient"), an_item(source=OTHER), an_item("recipient", OTHER))
    both = (named("CAW (fictief)"), named("CAW (fictief)", OTHER))
    assert told(answer(*items, recipients=both)) == ["CAW (fictief)"]
    assert told(answer(*items[:1], *items[2:], recipients=both)) == ["CAW (fictief)"]
    assert told(answer(*items[:1], recipients=both)) == []


@pytest.mark.parametrize(
    ("scope", "is_criminal", "names"),
    [("own", False, ["X"]), ("own", True, []), ("on_behalf", False, ["X"]), ("on_behalf_limited", False, [])],
)
def test_in_answers_to_other_rights_nobody_is_named_by_whom_a_child_could_be_found(scope: str, is_criminal: bool, names: list[str]) -> None:
    compilation = answer(an_item(), recipients=(named("X", is_criminal=is_criminal),), right="rectification", scope=scope)
    assert told(compilation) == names


def test_what_is_not_about_the_person_and_recipients_leave_no_trace_unless_a_child_is_protected() -> None:
    def withheld(**more: Any) -> Item:
        return an_item(status=ItemStatus.WITHHELD, **more)

    without = [withheld(code="NOT_THE_PERSON"), withheld(kind="recipient", code="RF-03"), an_item(status=ItemStatus.PENDING_REVIEW)]
    assert answer(*without).told_withheld == ()
    assert answer(withheld(kind="recipient", code="RGT-09")).told_withheld == (Withheld("item", "RGT-09"),)


def test_each_class_and_reason_is_told_once_those_from_before_first() -> None:
    text = an_item(needs_review=True, status=ItemStatus.WITHHELD, code="SUS-05")
    child = an_item(status=ItemStatus.WITHHELD, withholds=min(CLASSES), code="RF-03")
    before = Withheld("picture", "RF-03")
    assert answer(text, text, child, withheld=(before,)).told_withheld == (
        before,
        Withheld("text", "RF-03"),
        Withheld(min(CLASSES), "RGT-09"),
    )


@pytest.mark.parametrize(
    ("code", "told", "offers"),
    [(None, "VOICE", True), ("RF-03", "RF-03", False), ("RGT-09", "RGT-09", False), ("NOT_THE_PERSON", "", False)],
)
def test_a_transcript_that_is_withheld_cannot_be_listened_to_instead(code: str | None, told: str, offers: bool) -> None:
    """EXP-08: and one that is somebody else's leaves no trace of its sound."""
    sound = Attachment("recording", "r", "media", "audio/mpeg", "attachment-1.mp3")
    voice = an_item("recording", status=ItemStatus.WITHHELD, withholds="voice", code="VOICE", attachment=sound)
    text = an_item("recording", needs_review=True, status=ItemStatus.WITHHELD if code else ItemStatus.APPROVED, code=code or "")
    compilation = answer(text, voice)
    assert [each.code for each in compilation.told_withheld if each.what == "voice"] == ([told] if told else [])
    assert compilation.offers_listening is offers


def test_a_reason_that_is_not_for_the_person_is_told_as_the_rights_of_others() -> None:
    """SUS-04, EXP-09: whatever a reviewer writes."""
    told = {code: an_item("call", needs_review=True, code=code).told_code for code in ("SUS-05", "RF-03", "RGT-09", "VOICE", "")}
    assert told == {"SUS-05": "RF-03", "RF-03": "RF-03", "RGT-09": "RGT-09", "VOICE": "VOICE", "": "RF-03"}


@pytest.mark.parametrize(
    ("media_type", "told"),
    [
        ("audio/mpeg", "voice"),
        ("Audio/MPEG", "voice"),
        ("image/png", "image"),
        ("IMAGE/PNG; q=1", "image"),
        ("application/pdf", "attachment"),
        ("video/mp4", "attachment"),
    ],
)
def test_a_file_that_is_withheld_is_told_by_what_it_is(media_type: str, told: str) -> None:
    item = an_item(attachment=Attachment("note", "n", "text", media_type, "attachment-1"))
    assert item.withheld_class == told
    assert msgspec.structs.replace(item, withholds="child_statements").withheld_class == "child_statements"


@pytest.mark.parametrize(
    ("status", "text", "shown"),
    [
        ("APPROVED", None, ("proposed", ["number"], True)),
        ("APPROVED", "written", ("proposed", ["number"], True)),
        ("APPROVED_REDACTED", "written", ("written", ["number"], False)),
        ("APPROVED_REDACTED", "", ("", ["number"], False)),
        ("APPROVED_REDACTED", None, ("proposed", ["number"], False)),
        ("PENDING_REVIEW", "written", ("", [], False)),
        ("WITHHELD", "written", ("", [], False)),
    ],
)
def test_what_is_shown_of_an_item_is_what_was_approved_of_it(status: str, text: str | None, shown: tuple[str, list[str], bool]) -> None:
    """Never the text of the CRM; the file as it is only where it was approved as it is (EXP-07)."""
    fields = (Field("number", "F-1"), Field("text", "as the CRM has it", is_text=True))
    file = Attachment("note", "n", "text", "application/pdf", "attachment-1")
    item = msgspec.structs.replace(an_item(), fields=fields, status=ItemStatus(status), proposal="proposed", text=text, attachment=file)
    assert (item.shown_text, [field.name for field in item.shown_fields], item.shown_attachment is file) == shown


def test_the_package_numbers_what_it_shows_without_recipients_and_without_a_gap() -> None:
    shown = (
        an_item(),
        an_item("recipient"),
        an_item(status=ItemStatus.WITHHELD),
        an_item(source=OTHER, status=ItemStatus.APPROVED_REDACTED),
    )
    assert [(item.item, item.source) for item in answer(*shown).shown] == [("1", FICHE), ("2", OTHER)]
