"""What is on every letter: sender, day, labels, salutation, signature, and where to send questions."""

from datetime import datetime
from typing import Any, Final

from crm_compliance.answer_package.content.answer import Sender
from crm_compliance.answer_package.content.wording import Texts
from rules.dates.periods import civil_date
from rules.organisation.organisation import Organisation

NOBODY: Final = Sender("", "", "", "")


def sender_of(organisation: Organisation, language: str) -> Sender:
    """Return the sender, with the address as it is written in the language of the letter."""
    dpo, helpline = organisation.dpo, organisation.helpline
    address = organisation.controller.address_in(language)
    return Sender(
        organisation.controller.name,
        address,
        dpo.address_in(language) or address,
        dpo.email or organisation.controller.email,
        phone=helpline.phone if helpline is not None else "",
        ask_for=helpline.ask_for.in_language(language) if helpline is not None and helpline.ask_for is not None else "",
    )


def letterhead(texts: Texts, sender: Sender, at: datetime, *, minor: str = "") -> dict[str, Any]:
    """Return those fields of an `Answer` that are the same in all letters of one day and language; a `minor`
    is greeted by the first name."""
    on = civil_date(at, texts.zone)
    signature = texts.say("letter", "signature")
    return {
        "language": texts.language,
        "region": texts.organisation.country,
        "sender": sender,
        "on": on,
        "on_text": texts.day(on),
        "labels": {key: texts.say("letter", key) for key in ("on_date", "reference", "about")}
        | {"label": texts.say("letter", "label", label="{label}")},
        "salutation": texts.say("letter", "salutation_minor", name=minor) if minor else texts.say("letter", "salutation"),
        "closing": texts.say("letter", "closing_minor" if minor else "closing"),
        "signature": (signature, sender.name),
        "contact": texts.say(
            "letter",
            "contact",
            name=", ".join(each for each in (signature, sender.name, sender.dpo_address) if each),
            email=texts.say("letter", "by_email", email=sender.email) if sender.email else "",
        ),
        "page": texts.say("letter", "page", page="{page}", pages="{pages}"),
        "generated_at": at,
    }
