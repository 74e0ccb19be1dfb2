"""Answers as they are compiled, about people who do not exist."""

from datetime import UTC, date, datetime
from typing import Any

import msgspec

from crm_compliance.answer_package.content.letterhead import sender_of
from jobs.model.answer import (
    Addressee,
    Attachment,
    Compilation,
    Context,
    Field,
    Item,
    ItemStatus,
    Recipient,
    Retention,
    Withheld,
)
from rules.model.languages import LANGUAGES
from rules.organisation.organisation import Organisation
from rules.redaction.not_shown import Redaction
from tests.saying import SHIPPED

ORGANISATION = Organisation.model_validate(
    SHIPPED.model_dump(by_alias=True)
    | {
        "controller": {"name": "Stichting Voorbeeld (fictief)", "address": "Voorbeeldlaan 1, 1000 Brussel"},
        "dpo": {"name": "DPO", "address": "Voorbeeldlaan 1, 1000 Brussel", "email": "dpo@example.org"},
        "helpline": {"phone": "116000", "ask_for": dict.fromkeys(LANGUAGES, "een consulent")},
        "digest": "samples",
    }
)
SENDER = sender_of(ORGANISATION, "nl")
AT = datetime(2026, 5, 4, 12, 3, tzinfo=UTC)
ROW = "0b5c8a52-1111-4222-8333-444455556666"

DOSSIER = Context(
    key="context-1",
    kind="dossier",
    role="child",
    category_labels={"nl": "Wegloper", "fr": "Fugue", "de": "Ausreißer", "en": "Runaway"},
    purposes=("investigation", "prevention"),
    basis="Vital interests, GDPR art. 6(1)(d)",
    data_categories=("identification", "facts", "communication"),
    recipients=(
        Recipient("Politiezone Voorbeeld (fictief)", on="2026-03-02"),
        Recipient("Missing Example (fictief)", on="2026-03-04", country="GB", safeguard="adequacy decision"),
        Recipient("processor", is_category=True),
    ),
    retention=Retention("missing_runaway", date(2033, 2, 1)),
    sources=("self", "third_party"),
    rights=("access", "rectification", "erasure", "restriction"),
    special=True,
)
GIFTS = Context(
    key="context-2",
    kind="donation",
    role="donor",
    category_labels={},
    purposes=("fundraising",),
    basis="contract",
    data_categories=("identification", "payment"),
    recipients=(),
    retention=Retention("donor", None, criterion="tax"),
    sources=("self",),
    rights=("access", "portability", "objection"),
    portable=True,
)


def fiche(number: int, proposal: str = "", **changes: Any) -> Item:
    """A conversation that a person has read."""
    item = Item(
        item=f"item-{number}",
        context="context-1",
        kind="fiche",
        source=("fiche", f"{ROW[:-4]}{number:04}"),
        title="",
        at=f"2026-03-{number % 28 + 1:02}T09:30:00+00:00",
        fields=(
            Field("channel", "telephone"),
            Field("caller_number", None, (Redaction("phone", "[telefoonnummer]"),)),
            Field("summary", "WHAT THE CRM HAS, UNREDACTED", is_text=True),
        ),
        needs_review=True,
        status=ItemStatus.APPROVED,
        proposal=proposal or "Lotte belt samen met [ouder 1]. Zij wil weten wat er nu gebeurt.\nZij wordt donderdag teruggebeld.",
        redactions=(Redaction("name", "[ouder 1]"), Redaction("name", "[derde 9]")),
    )
    return msgspec.structs.replace(item, **changes)


GIFT = Item(
    item="item-90",
    context="context-2",
    kind="donation",
    source=("donation", ROW),
    title="",
    at="2026-01-15",
    fields=(Field("amount", 25.5, provided=True), Field("name", "=HYPERLINK(1)", provided=True), Field("booked_on", "2026-01-15")),
)
PERSON = Item(
    item="item-1",
    context="context-1",
    kind="contact",
    source=("contact", ROW),
    title="",
    at="",
    fields=(
        Field("first_name", "Lotte"),
        Field("last_name", "Peeters (fictief)"),
        Field("birth_on", "2011-02-01"),
        Field("newsletter", False),
    ),
)
PHOTO = Item(
    item="item-80",
    context="context-1",
    kind="note",
    source=("note", ROW),
    title="",
    at="2026-03-20",
    fields=(),
    needs_review=True,
    status=ItemStatus.APPROVED,
    attachment=Attachment("note", ROW, "body", "image/png", "attachment-1.png"),
)


def compilation(**changes: Any) -> Compilation:
    """An answer to an access request with a bit of everything."""
    usual = Compilation(
        request="request-0123456789ab",
        reference="request-0123456789ab",
        right="access",
        answer="package",
        scope="own",
        language="nl",
        generated_at=AT,
        received_on=date(2026, 4, 20),
        addressee=Addressee("Lotte Peeters (fictief)"),
        contexts=(DOSSIER, GIFTS),
        items=(PERSON, fiche(2), fiche(3, status=ItemStatus.WITHHELD, code="RF-03"), fiche(4), PHOTO, GIFT),
        withheld=(Withheld("item"),),
        not_searched=("backups",),
        leak_terms=("Els Geheim",),
    )
    return msgspec.structs.replace(usual, **changes)


def neutral(**changes: Any) -> Compilation:
    """An answer to somebody about whom nothing may be told."""
    return msgspec.structs.replace(
        compilation(answer="neutral", contexts=(), items=(), withheld=(), leak_terms=(), not_searched=()), **changes
    )
