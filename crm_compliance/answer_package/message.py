"""The message that accompanies the link: what it is, until which hour it works, and how an encrypted archive
is opened (EXP-16). It says nothing of the answer, and is the same for everybody but in days, hour, number and
link: a neutral answer has the same one (SUS-04). The passphrase is not in it; that is sent another way."""

import textwrap
from datetime import datetime
from typing import Final

from crm_compliance.answer_package.characters import french
from crm_compliance.answer_package.content.answer import Sender
from crm_compliance.answer_package.content.letterhead import sender_of
from crm_compliance.answer_package.content.wording import Texts, texts_in
from jobs.model.answer import Compilation
from rules.organisation.organisation import Organisation

ENDING: Final = ".message.txt"
_WIDTH: Final = 78


def message_text(compilation: Compilation, organisation: Organisation, *, link: str, until: datetime, downloads: int) -> str:
    """Write it in the language of the answer, for a minor in a child's words; plain text, to be pasted into
    an e-mail or printed."""
    texts = texts_in(compilation.language, organisation)
    sender = sender_of(organisation, texts.language)
    received, reference = texts.day(compilation.received_on), compilation.reference
    for_child = compilation.addressee.is_minor
    lasts = texts.say("message", "until", until=texts.hour(until) if for_child else texts.moment(until), downloads=str(downloads))
    how = [f"- {texts.say('message', key)}" for key in ("windows", "mac", "phone")]
    greeting = _greeting(compilation, texts) if for_child else texts.say("letter", "salutation")
    parts = [
        texts.say("message", "subject", received=received, reference=reference),
        greeting,
        texts.say("message_child", "ready") if for_child else texts.say("message", "ready", received=received),
        link,
        lasts,
        texts.say("message_child" if for_child else "message", "passphrase"),
        "\n".join((texts.say("letter", "label", label=texts.say("message", "how")), *how)),
    ]
    if for_child:
        parts.append(" ".join(_for_a_child(compilation, sender, texts)))
    else:
        parts += [texts.say("message", "start"), texts.say("message", "help", reference=reference)]
    parts.append(texts.say("message_child" if for_child else "message", "wrong"))
    parts.append("\n".join(_signature(sender, texts)))
    seen = french if texts.language == "fr" else str
    return "\n\n".join(_wrapped(seen(part)) for part in parts) + "\n"


def _greeting(compilation: Compilation, texts: Texts) -> str:
    name = compilation.addressee.first_name
    return texts.say("child", "hello_name", name=name) if name else texts.say("child", "hello")


def _for_a_child(compilation: Compilation, sender: Sender, texts: Texts) -> list[str]:
    person = sender.ask_for or texts.say("child", "person")
    call = [texts.say("child", "call", phone=sender.phone)] if sender.phone else []
    asked = texts.say("child", "ask_for", person=person, reference=compilation.reference)
    return [texts.say("message_child", "together"), *call, asked]


def _signature(sender: Sender, texts: Texts) -> list[str]:
    name = f"{texts.say('letter', 'signature')}, {sender.name}"
    return [line for line in (name, sender.dpo_address, sender.email) if line]


def _wrapped(part: str) -> str:
    """Return lines that every mail program leaves unchanged; a link is never broken."""
    lines = part.split("\n")
    return "\n".join(
        textwrap.fill(line, _WIDTH, break_long_words=False, break_on_hyphens=False, subsequent_indent="  " if line.startswith("- ") else "")
        for line in lines
    )
