"""What comes with a fiche or a dossier: notes, telephone calls, e-mails and recordings."""

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from connectors.emulator.seeding.draw import Draw, TableRow, add_months, days_after, instant, table_row
from connectors.emulator.seeding.names import FICTITIOUS
from connectors.emulator.seeding.numbers import WITHHELD, mobile
from connectors.emulator.seeding.people import Organisation, Person
from connectors.emulator.seeding.texts import Language, chat, conversation, subject

CHANNEL_CODES = {name: 100000000 + number for number, name in enumerate(("phone", "chat", "email", "letter", "fax", "visit", "form"))}
RECORDED_DAYS = 222  # recordings and audio files older than this were removed by an earlier clean-up
_MADE, _SENT, _RECEIVED = 2, 3, 4  # statuses of a completed call or e-mail
INTAKE_ADDRESS = "onthaal@example.org"
HELPLINE = "1234"  # an internal extension: a number of no person, in no country
INTAKE_NAME = f"Onthaal {FICTITIOUS}"
_AUDIO = (("gesprek.wav", "audio/wav"), ("voicemail.mp3", "audio/mpeg"), ("bericht.ogg", "audio/ogg"))
_SILENCE = b64encode(
    b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x40\x1f\x00\x00\x01\x00\x08\x00data\x00\x00\x00\x00"
).decode()


@dataclass(frozen=True, slots=True)
class Setting:
    """What a text may mention: the language, the invented names and the town of one dossier or lone fiche."""

    language: Language
    names: list[str]
    town: str


def note(org: Organisation, about: tuple[str, str], setting: Setting, on: date, *, file: str | None = None) -> TableRow:
    """Return a note on a record; `file` is None, "text", "chat" or "audio"."""
    draw = org.draw
    text = conversation(draw, setting.language, setting.names, setting.town)
    filename = mimetype = body = None
    if file == "audio":
        filename, mimetype = draw.pick(_AUDIO)
        body = _SILENCE
    elif file is not None:
        filename = f"{file}-{setting.names[0].split()[0].lower()}-{draw.number(1, 999)}.txt"
        mimetype = "text/plain"
        body = b64encode((chat(setting.language, setting.names, setting.town) if file == "chat" else text).encode()).decode()
    return table_row(
        "annotation",
        draw.id(),
        draw.moment(on),
        subject=subject(draw, setting.language, setting.names[0]),
        notetext=text if file != "audio" else None,
        objectid=about,
        objecttypecode=about[0],
        isdocument=file is not None,
        filename=filename,
        mimetype=mimetype,
        documentbody=body,
    )


def phone_call(org: Organisation, about: tuple[str, str] | None, who: Person | None, setting: Setting, on: date) -> Iterator[TableRow]:
    draw = org.draw
    outgoing = draw.chance(0.5)
    number = who.phone if who and who.phone else mobile(draw)
    call_id, at = draw.id(), draw.moment(on)
    yield table_row(
        "phonecall",
        call_id,
        at,
        inactive=True,
        statuscode=_MADE if outgoing else _RECEIVED,
        subject=subject(draw, setting.language, setting.names[0]),
        description=conversation(draw, setting.language, setting.names, setting.town),
        phonenumber=number,
        directioncode=outgoing,
        actualend=at,
        regardingobjectid=about,
    )
    yield from _participants(draw, ("phonecall", call_id), at, who, number, HELPLINE, outgoing=outgoing)


def e_mail(org: Organisation, about: tuple[str, str] | None, who: Person | None, setting: Setting, on: date) -> Iterator[TableRow]:
    """Yield one e-mail to or from the intake; without `about` it is attached to nothing."""
    draw = org.draw
    outgoing = draw.chance(0.45)
    address = who.email if who and who.email else f"afzender{draw.number(1, 99999)}@example.com"
    mail_id, at = draw.id(), draw.moment(on)
    text = conversation(draw, setting.language, setting.names, setting.town)
    greeting = "Met vriendelijke groeten" if setting.language == "nl" else "Bien à vous"
    yield table_row(
        "email",
        mail_id,
        at,
        inactive=True,
        statuscode=_SENT if outgoing else _RECEIVED,
        subject=subject(draw, setting.language, setting.names[0]),
        description=f"<p>{text}</p><p>{greeting},<br>{who.name if who else setting.names[-1]}</p>",
        sender=INTAKE_ADDRESS if outgoing else address,
        torecipients=f"{address if outgoing else INTAKE_ADDRESS};",
        senton=at,
        regardingobjectid=about,
    )
    yield from _participants(draw, ("email", mail_id), at, who, address, INTAKE_ADDRESS, outgoing=outgoing)
    if draw.chance(0.15):
        copied = draw.pick(org.professionals) if org.professionals else None
        yield _participant(draw, ("email", mail_id), at, copied, copied.email if copied else None, 3)
    if about and about[0] == "contact" and who:
        yield _participant(draw, ("email", mail_id), at, who, None, 8)


def _participants(
    draw: Draw, activity: tuple[str, str], at: str, who: Person | None, address: str, ours: str, *, outgoing: bool
) -> Iterator[TableRow]:
    yield table_row(
        "activityparty",
        draw.id(),
        at,
        activityid=activity,
        addressused=ours,
        partyidname=INTAKE_NAME,
        participationtypemask=1 if outgoing else 2,
    )
    yield _participant(draw, activity, at, who, address, 2 if outgoing else 1)


def _participant(draw: Draw, activity: tuple[str, str], at: str, who: Person | None, address: str | None, mask: int) -> TableRow:
    return table_row(
        "activityparty",
        draw.id(),
        at,
        activityid=activity,
        partyid=("contact", who.id) if who else None,
        addressused=address,
        partyidname=who.name if who else None,
        participationtypemask=mask,
    )


def recording(
    org: Organisation,
    setting: Setting,
    *,
    fiche_id: str | None,
    channel: str,
    started_at: str | None,
    ended_at: str | None,
    created_at: str,
    taken_over: bool | None = None,
    evidence: bool = False,
    stored_outside: bool = False,
) -> TableRow:
    draw = org.draw
    recording_id = draw.id()
    suffix = "wav" if channel == "phone" else "txt"
    return table_row(
        "cf_recording",
        recording_id,
        created_at,
        cf_name=f"R{created_at[:4]}-{org.running_number():07}",
        cf_ficheid=fiche_id,
        cf_channel=CHANNEL_CODES[channel],
        cf_startedon=started_at,
        cf_endedon=ended_at,
        cf_takenover=taken_over,
        cf_evidence=True if evidence else None,
        cf_storageuri=f"https://opslag.example.org/{created_at[:4]}/{created_at[5:7]}/{recording_id}.{suffix}" if stored_outside else None,
        cf_transcript=chat(setting.language, setting.names, setting.town) if channel == "chat" else None,
        cf_callernumber=caller_number(draw) if channel == "phone" else None,
    )


def caller_number(draw: Draw) -> str | None:
    """Return the number as the switchboard shows it: sometimes withheld, sometimes nothing at all."""
    shown = draw.weighted(("number", "withheld", "nothing"), (75, 17, 8))
    return mobile(draw) if shown == "number" else draw.pick(WITHHELD) if shown == "withheld" else None


def fiche_recording(org: Organisation, setting: Setting, *, fiche_id: str, channel: str, on: date, evidence: bool) -> TableRow:
    """Return the recording of the conversation that the fiche was made for."""
    draw = org.draw
    hour, minute = draw.number(6, 19), draw.number(0, 30)
    started_at = instant(on, f"{hour:02}:{minute:02}:00")
    ended_at = instant(on, f"{hour:02}:{minute + draw.number(2, 29):02}:30")
    return recording(
        org,
        setting,
        fiche_id=fiche_id,
        channel=channel,
        started_at=started_at,
        ended_at=None if draw.chance(0.04) else ended_at,
        created_at=ended_at,
        taken_over=draw.weighted((True, False, None), (68, 24, 8)),
        evidence=evidence,
        stored_outside=draw.chance(0.35),
    )


def scripted_recordings(org: Organisation, setting: Setting, number: int) -> TableRow:
    """Return the `number`th of the recordings without a fiche: each side of six months, odd hours, missing
    and wrong times."""
    case = _LOOSE_RECORDINGS[number % len(_LOOSE_RECORDINGS)]
    day = add_months(days_after(org.as_of, case.end_in), -6)
    started = instant(day, "10:05:00")
    ended: str | None = instant(day, "10:31:00")
    if case.at_night:  # from before to after midnight in Brussels, in summer and in winter
        evening = days_after(day, -1)
        started, ended = instant(evening, "21:40:00"), instant(evening, "23:20:00")
    if case.ends_in_future:
        ended = instant(days_after(org.as_of, 400), "10:31:00")
    return recording(
        org,
        setting,
        fiche_id=None,
        channel=case.channel,
        started_at=started if case.has_start else None,
        ended_at=ended if case.has_end else None,
        created_at=started,
        taken_over=case.taken_over,
        evidence=case.evidence,
        stored_outside=case.stored_outside,
    )


@dataclass(frozen=True, slots=True)
class _LooseRecording:
    end_in: int
    channel: str = "phone"
    has_start: bool = True
    has_end: bool = True
    at_night: bool = False
    ends_in_future: bool = False
    taken_over: bool | None = True
    evidence: bool = False
    stored_outside: bool = False


_LOOSE_RECORDINGS = (
    _LooseRecording(-1),
    _LooseRecording(0, stored_outside=True),
    _LooseRecording(1, channel="chat"),
    _LooseRecording(-1, at_night=True, taken_over=False),
    _LooseRecording(0, at_night=True),
    _LooseRecording(-3, channel="chat", has_end=False, taken_over=False),
    _LooseRecording(20, has_end=False, taken_over=None),
    _LooseRecording(-40, has_start=False, has_end=False),
    _LooseRecording(-10, evidence=True),
    _LooseRecording(15, taken_over=False),
    _LooseRecording(90, ends_in_future=True),
    _LooseRecording(-20, stored_outside=True, taken_over=False),
    _LooseRecording(30, channel="chat", taken_over=False),
    _LooseRecording(120, stored_outside=True, taken_over=None),
    _LooseRecording(160, channel="chat"),
)
