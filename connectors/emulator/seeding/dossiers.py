"""Dossiers and lone fiches with the people in them, row by row: none points at a later one."""

from collections.abc import Iterator
from datetime import date

from connectors.emulator.seeding.cases import CATEGORY_CODES, OUTCOME_CODES, Case, Categories
from connectors.emulator.seeding.draw import Draw, Row, TableRow, add_months, days_after, instant, table_row
from connectors.emulator.seeding.names import FICTITIOUS, FIRST_NAMES, SURNAMES
from connectors.emulator.seeding.numbers import iban, ip_address
from connectors.emulator.seeding.people import LANGUAGE_CODES, Birth, Organisation, Person, child, known_child_again, person, professional
from connectors.emulator.seeding.texts import Language, conversation, summary
from connectors.emulator.seeding.texts import language as any_language
from connectors.emulator.seeding.timelines import Timeline, dossier_timeline, lone_fiche_timeline
from connectors.emulator.seeding.traffic import (
    CHANNEL_CODES,
    RECORDED_DAYS,
    Setting,
    caller_number,
    e_mail,
    fiche_recording,
    note,
    phone_call,
)

ROLES = ("child", "parent", "guardian", "reporter", "witness", "suspect", "professional", "other")
_ROLE_LABELS = dict(zip(ROLES, ("Kind", "Ouder", "Voogd", "Melder", "Getuige", "Verdachte", "Hulpverlener", "Andere"), strict=True))
ROLE_CODES = {role: 100000000 + number for number, role in enumerate(ROLES)}
_REPORTER_KINDS = {"child": 100000000, "parent": 100000001, "professional": 100000002, "other": 100000003}
_BIRTHS: tuple[Birth, ...] = ("full", "register", "register_only", "bis")
_RECEIVERS = (*[("BE", None)] * 12, ("FR", None), ("NL", None), ("MA", "art. 49(1)(f) AVG / RGPD"), ("US", "art. 49(1)(d) AVG / RGPD"))


def dossier_rows(org: Organisation, case: Case) -> Iterator[TableRow]:
    """Yield one dossier and all that belongs to it."""
    draw = org.draw
    timeline = dossier_timeline(case, draw, org.as_of)
    opened_on = timeline.fiches_on[0]
    language = any_language(draw)
    surname = draw.pick(SURNAMES["other" if draw.chance(0.17) else language])
    dossier_id = draw.id()
    parties: list[tuple[str, Person | None]] = []
    for role, who, rows in _people(org, case, timeline, language, surname):
        yield from rows
        parties.append((role, who))
    people = [who for _, who in parties if who]
    setting = Setting(language, _names(draw, people, language), people[0].town if people else "Voorbeeldstad")
    active = case.state in ("open", "open_with_closing_date", "reopened")
    yield _dossier(org, case, timeline, setting, dossier_id, active=active)
    for role, who in parties:
        if role != "reporter":
            yield _party(org, role, who, opened_on, dossier_id=dossier_id, inactive=role == "child" and "inactive_party" in case.twists)
    if "suspect_child" in case.twists and people:
        yield _party(org, "suspect", people[0], opened_on, dossier_id=dossier_id)
    reporters = [(role, who) for role, who in parties if who and role in ("reporter", "parent", "professional", "child")]
    last = len(timeline.fiches_on) - 1
    for place, on in enumerate(timeline.fiches_on):
        by = reporters[-1] if reporters and (place == 0 or draw.chance(0.35)) else None
        yield from _fiche_rows(org, case, setting, on, place=place, is_last=place == last, dossier_id=dossier_id, by=by)
    yield from _dossier_traffic(org, ("cf_dossier", dossier_id), setting, people, opened_on, timeline.fiches_on[-1])


def lone_fiche_rows(org: Organisation, case: Case) -> Iterator[TableRow]:
    """Yield a fiche without dossier, its reporter, and now and then the child it is about."""
    draw = org.draw
    timeline = lone_fiche_timeline(case, draw, org.as_of)
    on = timeline.fiches_on[0]
    language = any_language(draw)
    by: tuple[str, Person] | None = None
    subject_of_fiche: Person | None = None
    if "with_child" in case.twists:
        surname = draw.pick(SURNAMES[language])
        birth = case.birth if case.birth else draw.pick(_BIRTHS)
        subject_of_fiche, row = child(org, born_on=timeline.born_on, birth=birth, told_on=on, language=language, surname=surname)
        yield row
    if "shared_reporter" in case.twists and org.reporters:
        by = ("reporter", draw.pick(org.reporters))
    elif draw.chance(0.4):
        who, row = person(org, added_on=on, language=language)
        yield row
        org.reporters.append(who)
        by = ("reporter", who)
    people = [who for who in (subject_of_fiche, by[1] if by else None) if who]
    setting = Setting(language, _names(draw, people, language), people[0].town if people else "Voorbeeldstad")
    yield from _fiche_rows(org, case, setting, on, place=0, is_last=True, dossier_id=None, by=by, about=subject_of_fiche)


def _people(
    org: Organisation, case: Case, timeline: Timeline, language: Language, surname: str
) -> Iterator[tuple[str, Person | None, list[TableRow]]]:
    """Yield role, person and the rows that make the person, the children first."""
    draw, twists = org.draw, case.twists
    opened_on = timeline.fiches_on[0]
    if "child_without_contact" in twists:
        yield "child", None, []
    elif "same_child" in twists and org.children:
        yield "child", draw.pick(org.children), []
    elif "same_number" in twists and (again := known_child_again(org, told_on=opened_on)):
        yield "child", again[0], [again[1]]
    elif "no_child" not in twists and not (case.all_categories == {"social_card"} and draw.chance(0.5)):
        for older in range(case.children):
            born_on = days_after(timeline.born_on, -older * draw.number(400, 1500))
            birth = case.birth if case.birth and older == 0 else draw.weighted(_BIRTHS, (70, 20, 6, 4))
            who, row = child(org, born_on=born_on, birth=birth, told_on=opened_on, language=language, surname=surname)
            org.children.append(who)
            yield "child", who, [row]
    columns: Row = {"cf_nocontact": True} if "no_contact_parent" in twists else {}
    if "newsletter_parent" in twists:
        columns |= {"cf_newsletter": True, "cf_newsletterconsenton": draw.day(add_months(org.as_of, -30), add_months(org.as_of, -1))}
    wanted = bool(columns) or "donor_parent" in twists
    for number in range(max(int(wanted), draw.weighted((0, 1, 2), (38, 45, 17)))):
        who, row = person(org, added_on=opened_on, language=language, surname=surname if number == 0 else None, **columns)
        rows = [row]
        if "donor_parent" in twists and number == 0:
            rows.append(donation(org, who, draw.day(add_months(org.as_of, -30), org.as_of)))
        org.parents.append(who)
        columns = {}
        yield "parent", who, rows
    for role in ("guardian", "witness", "suspect"):
        if role in twists:
            who, row = person(org, added_on=opened_on, language=language)
            yield role, who, [row]
    if "professional" in twists:
        rows = [] if org.professionals and draw.chance(0.75) else list(professional(org, added_on=opened_on))
        yield "professional", org.professionals[-1] if rows else draw.pick(org.professionals), rows
    if "shared_reporter" in twists and org.reporters:
        yield "reporter", draw.pick(org.reporters), []
    elif "volunteer_reporter" in twists or draw.chance(0.36):
        who, row = person(org, added_on=opened_on, language=language)
        rows = [row]
        if "volunteer_reporter" in twists:
            rows.append(engagement(org, who, draw.day(add_months(org.as_of, -48), add_months(org.as_of, -2)), None))
        org.reporters.append(who)
        yield "reporter", who, rows


def _dossier(org: Organisation, case: Case, timeline: Timeline, setting: Setting, dossier_id: str, *, active: bool) -> TableRow:
    draw = org.draw
    opened_on = timeline.fiches_on[0]
    outcome_on = timeline.closed_on if case.outcome and timeline.closed_on and timeline.closed_on <= org.as_of else None
    held = "legal_hold" in case.twists
    civil = "civil_party" in case.all_categories
    return table_row(
        "cf_dossier",
        dossier_id,
        draw.moment(opened_on),
        inactive=not active,
        cf_name=f"D{opened_on.year}-{org.running_number():06}",
        cf_openedon=draw.moment(opened_on),
        cf_closedon=draw.moment(timeline.closed_on) if timeline.closed_on else None,
        cf_reopenedon=draw.moment(timeline.reopened_on) if timeline.reopened_on else None,
        cf_categories=_codes(case.categories),
        cf_outcome=OUTCOME_CODES[case.outcome] if case.outcome else None,
        cf_outcomeon=outcome_on,
        cf_proceedingsendedon=timeline.proceedings_ended_on,
        cf_courtreference=f"FICTIEF/{opened_on.year}/{draw.number(1, 9999):04}" if civil else None,
        cf_publicalert=True if "public_alert" in case.twists else None,
        cf_summary=summary(draw, setting.language, setting.names, setting.town) if draw.chance(0.85) else None,
        cf_reviewedon=timeline.reviewed_on,
        cf_legalhold=True if held else None,
        cf_legalholdreason=f"Verzonnen procedure in verband met {setting.names[0]}" if held else None,
    )


def _fiche_rows(
    org: Organisation,
    case: Case,
    setting: Setting,
    on: date,
    *,
    place: int,
    is_last: bool,
    dossier_id: str | None,
    by: tuple[str, Person] | None,
    about: Person | None = None,
) -> Iterator[TableRow]:
    draw, twists = org.draw, case.twists
    fiche_id = draw.id()
    forced = is_last and not twists.isdisjoint({"recorded", "recent_recording", "evidence", "old_recording"})
    channel = draw.weighted(tuple(CHANNEL_CODES), (46, 24, 14, 2, 1, 4, 9))
    if forced:
        channel = draw.pick(("phone", "chat"))
    who = by[1] if by else None
    kind = by[0] if by and by[0] in _REPORTER_KINDS else draw.pick(("parent", "child", "professional", "other"))
    transmitted = "abroad" in twists or draw.chance(0.06)
    country, basis = draw.pick(_RECEIVERS[12:] if "abroad" in twists else _RECEIVERS)
    communicated_at = _communicated_at(draw, case, on, is_last=is_last)
    yield table_row(
        "cf_fiche",
        fiche_id,
        draw.moment(on),
        cf_name=f"F{on.year}-{org.running_number():07}",
        cf_dossierid=dossier_id,
        cf_communicatedon=communicated_at,
        cf_channel=CHANNEL_CODES[channel],
        cf_categories=_fiche_codes(draw, case, place, is_last=is_last),
        cf_reporterkind=_REPORTER_KINDS[kind],
        cf_language=LANGUAGE_CODES[setting.language],
        cf_callernumber=(who.phone if who else None) or caller_number(draw) if channel == "phone" else None,
        cf_calleremail=(who.email if who else None) or f"afzender{draw.number(1, 99999)}@example.com" if channel == "email" else None,
        cf_ipaddress=ip_address(draw) if channel in ("chat", "form") and draw.chance(0.7) else None,
        cf_summary=conversation(draw, setting.language, setting.names, setting.town),
        cf_transmittedto=f"Verzonnen politiezone {setting.town}" if transmitted else None,
        cf_transmittedon=min(org.as_of, days_after(on, draw.number(0, 6))) if transmitted else None,
        cf_transmittedcountry=country if transmitted else None,
        cf_transferbasis=basis if transmitted else None,
    )
    if about:
        yield _party(org, "child", about, on, fiche_id=fiche_id)
    if by:
        yield _party(org, "reporter", who, on, fiche_id=fiche_id)
    yield from _fiche_traffic(org, case, fiche_id, setting, on, channel=channel, who=who, forced=forced)


def _communicated_at(draw: Draw, case: Case, on: date, *, is_last: bool) -> str | None:
    at = draw.moment(on)
    if is_last and "fiche_without_date" in case.twists:
        return None
    if is_last and "future_fiche" in case.twists:
        return instant(on.replace(year=on.year + 180, day=min(on.day, 28)), "09:00:00")
    return "1900-01-01T00:00:00Z" if is_last and "sentinel_date" in case.twists else at


def _fiche_traffic(
    org: Organisation, case: Case, fiche_id: str, setting: Setting, on: date, *, channel: str, who: Person | None, forced: bool
) -> Iterator[TableRow]:
    """Yield a fiche's notes, e-mails, calls and recordings; `forced`: there is a recording."""
    draw, twists, target = org.draw, case.twists, ("cf_fiche", fiche_id)
    recent = on >= days_after(org.as_of, -RECORDED_DAYS)
    if draw.chance(0.3):
        yield note(org, target, setting, on, file=draw.weighted((None, "text", "chat"), (5, 4, 1)))
    if channel == "phone" and recent and draw.chance(0.12):
        yield note(org, target, setting, on, file="audio")
    if draw.chance(0.7 if channel == "email" else 0.04):
        yield from e_mail(org, target, who, setting, on)
    if draw.chance(0.12):
        yield from phone_call(org, target, who, setting, on)
    if forced or (channel in ("phone", "chat") and recent and draw.chance(0.72)):
        held_on = add_months(days_after(org.as_of, -6), -6) if "old_recording" in twists and forced else on
        row = fiche_recording(
            org, setting, fiche_id=fiche_id, channel=channel, on=held_on, evidence="evidence" in twists or draw.chance(0.03)
        )
        yield row
        if draw.chance(0.05):
            yield note(org, ("cf_recording", str(row[1]["cf_recordingid"])), setting, held_on)


def _dossier_traffic(
    org: Organisation, dossier: tuple[str, str], setting: Setting, people: list[Person], opened_on: date, last: date
) -> Iterator[TableRow]:
    """Yield a dossier's notes, calls and e-mails; an audio file here is its content, no recording."""
    draw = org.draw
    who = draw.pick(people) if people else None
    if draw.chance(0.22):
        yield note(org, dossier, setting, draw.day(opened_on, last), file=draw.weighted((None, "text", "audio"), (5, 4, 1)))
    if draw.chance(0.12):
        yield from phone_call(org, dossier, who, setting, draw.day(opened_on, last))
    if draw.chance(0.14):
        yield from e_mail(org, dossier, who, setting, draw.day(opened_on, last))


def _party(
    org: Organisation,
    role: str,
    who: Person | None,
    on: date,
    *,
    dossier_id: str | None = None,
    fiche_id: str | None = None,
    inactive: bool = False,
) -> TableRow:
    draw = org.draw
    proven = role == "guardian" or (role == "parent" and draw.chance(0.25))
    name = who.name if who else f"Onbekend {FICTITIOUS}"
    return table_row(
        "cf_party",
        draw.id(),
        draw.moment(on),
        inactive=inactive,
        cf_name=f"{name} – {_ROLE_LABELS[role]}",
        cf_contactid=who.id if who else None,
        cf_dossierid=dossier_id,
        cf_ficheid=fiche_id,
        cf_role=ROLE_CODES[role],
        cf_authorityevidence=f"Verzonnen uittreksel op naam van {name}" if proven else None,
        cf_authorityvaliduntil=days_after(org.as_of, draw.number(-300, 900)) if proven else None,
        cf_suspectuntil=days_after(org.as_of, draw.number(-200, 200)) if role == "suspect" and draw.chance(0.4) else None,
        cf_notes=f"Verzonnen notitie over {name}" if draw.chance(0.06) else None,
    )


def donation(org: Organisation, who: Person, booked_on: date) -> TableRow:
    draw = org.draw
    return table_row(
        "cf_donation",
        draw.id(),
        draw.moment(booked_on),
        cf_name=f"G{booked_on.year}-{org.running_number():07}",
        cf_contactid=who.id,
        cf_amount=draw.pick((10.0, 20.0, 25.0, 40.0, 50.0, 75.5, 100.0, 250.0)),
        cf_bookedon=draw.moment(booked_on),
        cf_iban=iban(draw),
    )


def engagement(org: Organisation, who: Person, started_on: date, ended_on: date | None) -> TableRow:
    draw = org.draw
    return table_row(
        "cf_engagement",
        draw.id(),
        draw.moment(started_on),
        inactive=ended_on is not None,
        cf_name=f"O{started_on.year}-{org.running_number():07}",
        cf_contactid=who.id,
        cf_kind=draw.weighted((100000000, 100000001, 100000002), (6, 3, 1)),
        cf_startedon=started_on,
        cf_endedon=ended_on,
    )


def _codes(categories: Categories) -> str | None:
    return ",".join(str(CATEGORY_CODES[category]) for category in categories) or None


def _fiche_codes(draw: Draw, case: Case, place: int, *, is_last: bool) -> str | None:
    if is_last and "fiche_without_category" in case.twists:
        return None
    if case.on_fiches:
        return _codes(case.on_fiches[place])
    if len(case.categories) > 1 and not is_last and draw.chance(0.5):
        return _codes((draw.pick(case.categories),))
    return _codes(case.categories)


def _names(draw: Draw, people: list[Person], language: Language) -> list[str]:
    """Return two names or more for the texts to mention; anybody who is in no contact is invented here."""
    invented = (_invented_name(draw, language) for _ in range(2 - len(people)))
    return [*(who.name for who in people), *invented]


def _invented_name(draw: Draw, language: Language) -> str:
    return f"{draw.pick(FIRST_NAMES[language]['f'])} {draw.pick(SURNAMES[language])} {FICTITIOUS}"
