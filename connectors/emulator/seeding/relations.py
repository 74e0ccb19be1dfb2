"""People whom the organisation knows apart from any dossier: donors, volunteers, participants, partners, and
nobody's contacts."""

from collections.abc import Iterator
from datetime import date

from connectors.emulator.seeding.dossiers import donation, engagement
from connectors.emulator.seeding.draw import TableRow, days_after, table_row
from connectors.emulator.seeding.people import Organisation, account, person
from connectors.emulator.seeding.traffic import Setting, e_mail, note, phone_call

_COURSES = (
    "Verzonnen vorming online veiligheid",
    "Formation imaginaire sécurité en ligne",
    "Proefopleiding melden",
    "Atelier fictif écoute",
)


def relation_rows(org: Organisation) -> Iterator[TableRow]:
    """Yield what the time of one dossier adds: now and then a donor, a volunteer, a stray e-mail."""
    draw = org.draw
    if draw.chance(0.16):
        yield from _donor(org)
    if draw.chance(0.09):
        yield from _participant(org)
    if draw.chance(0.09):
        yield from _co_worker(org)
    if draw.chance(0.06):
        yield from _reader(org)
    if draw.chance(0.03):
        yield from _partner(org)
    if draw.chance(0.04):
        yield from _nobodys_contact(org)
    if draw.chance(0.05):
        yield from e_mail(org, None, None, _setting(org, "Jo Afzender (fictief)"), _recently(org, 400))


def _donor(org: Organisation) -> Iterator[TableRow]:
    """Yield a donor, at times a parent or reporter of a dossier; some donate often, some did long ago."""
    draw = org.draw
    known = [*org.parents, *org.reporters]
    if known and draw.chance(0.3):
        who = draw.pick(known)
    else:
        who, row = person(org, added_on=_recently(org, 2500))
        yield row
    yield from (donation(org, who, _recently(org, 3900)) for _ in range(draw.weighted((1, 2, 4), (7, 2, 1))))
    if draw.chance(0.2):
        yield from e_mail(org, ("contact", who.id), who, _setting(org, who.name), _recently(org, 500))


def _participant(org: Organisation) -> Iterator[TableRow]:
    draw = org.draw
    if org.professionals and draw.chance(0.3):
        who = draw.pick(org.professionals)
    else:
        who, row = person(org, added_on=_recently(org, 1200))
        yield row
    held_on = days_after(org.as_of, draw.number(-1200, 60))
    yield table_row(
        "cf_enrolment",
        draw.id(),
        draw.moment(min(org.as_of, days_after(held_on, -30))),
        cf_name=f"I{held_on.year}-{org.running_number():07}",
        cf_contactid=who.id,
        cf_course=draw.pick(_COURSES),
        cf_heldon=held_on,
    )


def _co_worker(org: Organisation) -> Iterator[TableRow]:
    """Yield a volunteer, trainee or employee; about half of the agreements have ended."""
    draw = org.draw
    who, row = person(org, added_on=_recently(org, 2400))
    yield row
    started_on = days_after(org.as_of, -draw.number(400, 2400))
    ended_on = days_after(started_on, draw.number(60, 390)) if draw.chance(0.5) else None
    yield engagement(org, who, started_on, ended_on)


def _reader(org: Organisation) -> Iterator[TableRow]:
    """Yield a person who consented to the newsletter, or withdrew consent again."""
    consented_on = _recently(org, 1500)
    _, row = person(
        org,
        added_on=consented_on,
        cf_newsletter=org.draw.chance(0.8),
        cf_newsletterconsenton=consented_on,
        emailaddress2=f"lezer{org.running_number()}@example.com",
    )
    yield row


def _partner(org: Organisation) -> Iterator[TableRow]:
    """Yield a partner organisation, the contact there, and at times a colleague filed under it."""
    added_on = _recently(org, 2000)
    account_id, row = account(org, added_on=added_on)
    yield row
    who, row = person(org, added_on=added_on, parentcustomerid=("account", account_id))
    yield row
    org.professionals.append(who)
    if org.draw.chance(0.3):
        _, row = person(org, added_on=added_on, parentcustomerid=("contact", who.id))
        yield row


def _nobodys_contact(org: Organisation) -> Iterator[TableRow]:
    """Yield a contact linked to no dossier and no relation; a note or a call about somebody is not a link."""
    draw = org.draw
    added_on = _recently(org, 2000)
    who, row = person(org, added_on=added_on)
    yield row
    if draw.chance(0.4):
        yield note(org, ("contact", who.id), _setting(org, who.name), added_on, file=draw.pick((None, "text")))
    if draw.chance(0.25):
        yield from phone_call(org, ("contact", who.id), who, _setting(org, who.name), added_on)


def _setting(org: Organisation, name: str) -> Setting:
    return Setting(org.draw.pick(("nl", "fr")), [name, "Jo Beller (fictief)"], "Voorbeeldstad")


def _recently(org: Organisation, days: int) -> date:
    return days_after(org.as_of, -org.draw.number(1, days))
