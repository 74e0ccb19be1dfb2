"""A request that has come in: typed into a form, or read from the JSON that `requests open` takes and looked
over before it is registered."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any, Final

from starlette.datastructures import UploadFile
from starlette.responses import Response

from crm_compliance.console.frame.visit import Visit
from crm_compliance.console.language.days import iso_day, iso_hour
from crm_compliance.console.work.act_under_way import Ended, Work
from crm_compliance.wiring.crm import Patience
from jobs.model.request import SubjectRequest
from jobs.register.intake import MAX_BYTES, REPRESENTATIVES, FormMistaken, IntakeForm, Mistake, Wrong, open_request, read_form
from jobs.requests.search.preserve import preserve
from rules.errors import ComplianceError, Refused
from rules.holds.of_requests import REASON_OF_RIGHT
from rules.model.languages import LANGUAGES, USUAL
from rules.model.requests import Channel, RequesterKind, Right

UPLOAD_BYTES: Final = MAX_BYTES + 16 * 1024  # the form around it
# Every field full in any script, up to twelve bytes for a character; what is too long is told at its field.
TYPED_BYTES: Final = 1024 * 1024
LINES: Final = ("firstname", "lastname", "birthdate")
LISTS: Final = ("nationalnumbers", "phones", "emails")
CORRECTED: Final = (*LINES, *LISTS, "birthplace", "street", "postcode", "city", "country")
PEOPLE: Final = {"given": "given", "on_behalf_of": "behalf"}  # the part of the form's document, by the prefix of its fields
HOUR: Final = "received_time"
ABOUT: Final[Mapping[str, tuple[str, ...]]] = {
    Right.OBJECTION: ("direct_marketing", "recording", "processing"),
    Right.RESTRICTION: ("accuracy", "unlawful", "claim", "objection"),
    Right.CONSENT_WITHDRAWAL: ("newsletter", "image", "testimonial"),
}


def show(visit: Visit) -> Response:
    """Show an empty form: received now, as a form of the web."""
    now = visit.services.calendar.clock(visit.now)
    values = {
        "received_on": now.date().isoformat(),
        "received_time": f"{now:%H:%M}",
        "channel": Channel.FORM.value,
        "language": visit.language,
    }
    return _page(visit, values)


def register(visit: Visit) -> Response:
    """Register the receipt. What it keeps from disposal is looked up then, and where that cannot be done now,
    every plan does it before anything else. A form that was sent before leads to its result."""
    services = visit.services
    try:
        form = read_form(json.dumps(_document(visit), ensure_ascii=False).encode(), visit.now, services.calendar)
    except FormMistaken as error:
        return _page(visit, _typed(visit), error.mistakes)
    try:
        request = open_request(services.store, form, calendar=services.calendar, new_id=visit.id_of_form)
    except Refused as error:
        if error.code != "exists":
            raise
        return visit.see(f"/requests/{error.where}", note="sent_before")
    note = "request_opened"
    if request.right in REASON_OF_RIGHT:
        work = services.background.begin(Work(request.id, "freeze", visit.person.who, visit.now), lambda: _preserved(visit, request))
        if work.is_over:
            services.background.forget(work)
            note = work.note
    return visit.see(f"/requests/{request.id}", note=note)


def import_(visit: Visit) -> Response:
    """Read a file as `requests open` does, and show what it says in the form: nothing is registered yet."""
    file = visit.form.get("file")
    text = visit.given("file").encode()
    if isinstance(file, UploadFile):
        with file.file as content:
            text = content.read()
    try:
        if not text:
            raise FormMistaken([Mistake("", Wrong.UNREADABLE, "the form is missing")])
        form = read_form(text, visit.now, visit.services.calendar)
    except FormMistaken as error:
        now = visit.services.calendar.clock(visit.now)
        received = {"received_on": now.date().isoformat(), "received_time": f"{now:%H:%M}"}
        return _page(visit, received, error.mistakes, is_of_file=True)
    return _page(visit, _read(visit, form), is_imported=True)


def _preserved(visit: Visit, request: SubjectRequest) -> Ended:
    try:
        with visit.services.desk(patience=Patience.OF_A_PERSON) as desk:
            preserve(desk.context, request)
    except ComplianceError:
        return Ended("request_opened_only")
    return Ended("request_opened")


def _page(
    visit: Visit,
    values: Mapping[str, str],
    mistakes: Sequence[Mistake] = (),
    *,
    is_imported: bool = False,
    is_of_file: bool = False,
) -> Response:
    """Show the form, with what is wrong at its field; of a file also as the command says it, with the places
    of the file."""
    found = [_placed(each, values) for each in mistakes]
    return visit.page(
        "requests/new.html.j2",
        status=400 if mistakes else 200,
        values=values,
        mistakes=[(_label(visit, each.place), _said(visit, each), str(each) if is_of_file else "") for each in found],
        errors={_field(each.place): _said(visit, each) for each in reversed(found)},
        is_imported=is_imported,
        rights=[right.value for right in Right],
        kinds=[kind.value for kind in RequesterKind],
        channels=[channel.value for channel in Channel],
        spoken=[*LANGUAGES, *([values["language"]] if values.get("language", USUAL) not in LANGUAGES else [])],
        representatives=" ".join(sorted(REPRESENTATIVES)),
        about=ABOUT,
        today=visit.services.calendar.day(visit.now),
        file_bytes=MAX_BYTES,
    )


def _document(visit: Visit) -> dict[str, Any]:
    """Return what was typed as the JSON that `requests open` takes."""
    given = visit.given
    document: dict[str, Any] = {
        "right": given("right"),
        "requester_kind": given("requester_kind"),
        "channel": given("channel"),
        "received_at": _instant(visit),
        "language": given("language"),
        "given": _person(visit, "given"),
        "on_behalf_of": _person(visit, "behalf") or None,
    }
    details: dict[str, Any] = {"audio": bool(given("audio"))}
    if about := next(filter(None, visit.all_given("about")), ""):
        details["about"] = about
    if statement := given("statement").replace("\r\n", "\n"):
        details["statement"] = statement
    if corrections := {name: found for name in CORRECTED if (found := _line(visit, "correct", name))}:
        details["corrections"] = corrections
    return {**document, "details": details}


def _person(visit: Visit, prefix: str) -> dict[str, Any]:
    """Return what was typed of one person, without what was left empty."""
    lines = {name: found for name in LINES if (found := _line(visit, prefix, name))}
    lists = {name: visit.given(f"{prefix}_{name}").split("\n") for name in LISTS}
    return {**lines, **{name: kept for name, found in lists.items() if (kept := [each.strip() for each in found if each.strip()])}}


def _line(visit: Visit, prefix: str, name: str) -> str:
    """Return what was typed in one field of a person, a birth date in ISO form."""
    text = visit.given(f"{prefix}_{name}")
    return iso_day(text) if name == "birthdate" else text


def _instant(visit: Visit) -> str:
    """Return the instant of the receipt in RFC 3339; what is none is told by who reads it."""
    text = f"{iso_day(visit.given('received_on'))}T{iso_hour(visit.given('received_time')) or '12:00'}"
    try:
        return datetime.fromisoformat(text).replace(tzinfo=visit.services.calendar.zone).isoformat()
    except ValueError:
        return text


def _typed(visit: Visit) -> dict[str, str]:
    return {name: value for name, value in visit.form.items() if isinstance(value, str) and name != "csrf"}


def _read(visit: Visit, form: IntakeForm) -> dict[str, str]:
    """Return what a file says as the fields of the form."""
    received = visit.services.calendar.clock(form.received_at)
    values = {
        "right": form.right.value,
        "requester_kind": form.requester_kind.value,
        "channel": form.channel.value,
        "language": form.language,
        "received_on": received.date().isoformat(),
        "received_time": f"{received:%H:%M}",
        "about": form.details.about,
        "statement": form.details.statement,
        "audio": "1" if form.details.audio else "",
    }
    for person, prefix in ((form.given, "given"), (form.on_behalf_of, "behalf")):
        if person is not None:
            values |= {f"{prefix}_{name}": getattr(person, name) for name in LINES}
            values |= {f"{prefix}_{name}": "\n".join(getattr(person, name)) for name in LISTS}
    return values | {f"correct_{name}": value for name, value in form.details.details().corrections.items()}


def _placed(mistake: Mistake, values: Mapping[str, str]) -> Mistake:
    """Return a mistake at the field that has it: the instant of the receipt is typed in two."""
    if mistake.place != "received_at":
        return mistake
    try:
        date.fromisoformat(iso_day(values.get("received_on", "")))
    except ValueError:
        return mistake
    try:
        time.fromisoformat(iso_hour(values.get("received_time", "")) or "12:00")
    except ValueError:
        return mistake._replace(place=HOUR)
    return mistake


def _said(visit: Visit, mistake: Mistake) -> str:
    """Return what is wrong, in the language of the page; of what is too long, by how much."""
    if mistake.place == HOUR:
        return visit.say("This is not a time of the day.")
    if not mistake.most:
        return visit.word("mistake", mistake.wrong)
    if mistake.wrong is Wrong.MANY:
        says = visit.say("At most %(most)s lines are taken here, and there are %(found)s.")
    elif mistake.place.rpartition(".")[2].isdecimal():  # one of several, a line for each
        says = visit.say("At most %(most)s characters are taken in a line, and one has %(found)s.")
    else:
        says = visit.say("At most %(most)s characters are taken here, and there are %(found)s.")
    number = visit.formats.number
    return says % {"most": number(mistake.most), "found": number(mistake.found)}


def _label(visit: Visit, place: str) -> str:
    """Return what the page calls a place; empty for one that it does not have."""
    say = visit.say
    labels = {
        "right": say("Which right"),
        "requester_kind": say("Who they say they are"),
        "received_at": say("Received on"),
        HOUR: say("Received on") + " · " + say("at"),
        "channel": say("How it came"),
        "language": say("Language of the request"),
        "given": say("Who asks"),
        "on_behalf_of": say("The child"),
        "firstname": say("First name"),
        "lastname": say("Last name"),
        "birthdate": say("Birth date"),
        "nationalnumbers": say("National number"),
        "phones": say("Telephone"),
        "emails": say("E-mail"),
        "birthplace": say("Place of birth"),
        "street": say("Street and number"),
        "postcode": say("Postcode"),
        "city": say("Town"),
        "country": say("Country"),
        "statement": say("What is to be added to something contested"),
        "about": say("What it is about"),
    }
    return " · ".join(labels[part] for part in place.split(".") if part in labels)


def _field(place: str) -> str:
    """Return the name of the field of a place."""
    parts = place.split(".")
    if parts[0] in PEOPLE:
        return f"{PEOPLE[parts[0]]}_{parts[1] if len(parts) > 1 else 'lastname'}"
    if parts[:2] == ["details", "corrections"] and len(parts) > 2:
        return f"correct_{parts[2]}"
    return "received_on" if place == "received_at" else parts[-1]
