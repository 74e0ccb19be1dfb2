"""The letter that informs a recipient what was corrected, erased or restricted (GDPR art. 19, ERA-14).

It states the least that lets the recipient act: which data, when they were last passed on, what was done, and
what is requested. It names a child of whom a file was passed on; for anybody else it gives the numbers of
what was passed on. It says nothing about others, nor what the file holds, which kind of file it is, or why.
"""

from collections.abc import Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import Final

from crm_compliance.answer_package.content.answer import Answer, Block, Fact, Facts, Paragraph, Section
from crm_compliance.answer_package.content.letterhead import letterhead, sender_of
from crm_compliance.answer_package.content.wording import Texts, texts_in
from jobs.register.decision import Decision, Notice, What
from jobs.requests.decisions.correct import DATES
from rules.organisation.organisation import Organisation

# What is told of each deed, in the order of reading. To a recipient an identity that is removed is an erasure
# (art. 17).
TOLD_AS: Final[Mapping[What, str]] = MappingProxyType(
    {What.CORRECT: "corrected", What.ANNOTATE: "annotated"}
    | dict.fromkeys((What.ERASE, What.DISOWN, What.NO_CALLER), "erased")
    | {What.RESTRICT: "restricted"}
)


# The language in which an authority or service of a country is written to; of Belgium, which has three, and
# of others nobody knows it.
_LANGUAGES: Final[Mapping[str, str]] = MappingProxyType(
    {"NL": "nl"}
    | dict.fromkeys(("FR", "LU", "MC"), "fr")
    | dict.fromkeys(("DE", "AT", "LI"), "de")
    | dict.fromkeys(("GB", "IE", "US", "CA", "AU"), "en")
)


def language_of(notice: Notice, usual: str) -> str:
    """Return the language of a recipient, as far as its country shows it; else the organisation's own, never
    that of the requester."""
    return _LANGUAGES.get(notice.country.strip().upper(), usual)


def notice_letter(notice: Notice, decision: Decision, organisation: Organisation, *, reference: str, language: str, at: datetime) -> Answer:
    """Return the content of one letter; in the usual language where the organisation does not write in this
    one (EXP-11)."""
    texts = texts_in(language, organisation)
    deeds = tuple(dict.fromkeys(told for deed, told in TOLD_AS.items() if deed in notice.deeds))
    return Answer(
        **letterhead(texts, sender_of(organisation, texts.language), at),
        title=texts.say("notice", "title"),
        subject=texts.say("notice", f"subject_{deeds[0]}"),
        addressee="\n".join(
            (notice.recipient, *(() if notice.country in ("", organisation.country) else (texts.country(notice.country),)))
        ),
        reference=reference,
        cover=None,
        sections=(
            Section("", (Paragraph(texts.say("notice", "intro")),)),
            Section(texts.say("notice", "data_title"), _data(notice, decision, texts)),
            Section(texts.say("notice", "done_title"), tuple(block for deed in deeds for block in _done(deed, notice, decision, texts))),
            Section(texts.say("notice", "asked_title"), _asked(deeds, texts)),
        ),
        scope=texts.say("notice", "scope"),
        is_bare=False,
        transcribed=texts.say("notice", "transcribed"),
    )


def _data(notice: Notice, decision: Decision, texts: Texts) -> tuple[Block, ...]:
    facts = []
    if notice.is_named:
        facts.append(Fact(texts.say("notice", "name"), tuple(dict.fromkeys(one.name for one in decision.known))))
        if days := tuple(dict.fromkeys(_day(one.born_on, texts) for one in decision.known if one.born_on)):
            facts.append(Fact(texts.say("field", "birth_on"), days))
    if notice.numbers:
        facts.append(Fact(texts.say("notice", "number"), notice.numbers))
    last = _day(notice.on, texts) if notice.on else texts.say("notice", "day_unknown")
    told = Facts((*facts, Fact(texts.say("notice", "transmitted"), (last,))))
    return (told,) if notice.is_named else (told, Paragraph(texts.say("notice", "unnamed")))


def _done(deed: str, notice: Notice, decision: Decision, texts: Texts) -> tuple[Block, ...]:
    said = Paragraph(texts.say("notice", deed))
    if deed != "corrected":
        return (said,)
    values = {name: value if notice.is_named else "" for name, value in decision.corrected.items()}
    return said, Facts(tuple(Fact(texts.code("field", name), (_value(name, value, texts),)) for name, value in values.items()))


def _value(name: str, value: str, texts: Texts) -> str:
    if not value:
        return texts.say("notice", "on_request")
    return _day(value, texts) if name in DATES else value


def _day(value: str, texts: Texts) -> str:
    return texts.day(date.fromisoformat(value))


def _asked(deeds: tuple[str, ...], texts: Texts) -> tuple[Paragraph, ...]:
    asked = " ".join(texts.say("notice", f"ask_{deed}") for deed in deeds)
    return tuple(Paragraph(text) for text in (asked, texts.say("notice", "law"), texts.say("notice", "unable")))
