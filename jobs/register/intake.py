"""Takes a subject request in: reads the form, and registers the receipt before anything else is done. A
receipt is never lost for a mistake elsewhere: it is stored first, and what it keeps from disposal is worked
out afterwards (HLD-08). Source: DDL-02, DDL-14, DDL-15, RGT-03, contract 3.6."""

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from typing import Annotated, Any, Final, Literal

import msgspec
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, ValidationError

from jobs.model.request import GIVEN, Details, Given, GivenPerson, SubjectRequest
from jobs.ports.store import Store
from rules.dates.calendar import Calendar
from rules.errors import UsageError
from rules.hints import hint_to
from rules.model.requests import Channel, RequesterKind, Right

MAX_BYTES: Final = 256 * 1024
CLOCKS_DIFFER: Final = timedelta(minutes=10)  # so much may the clock of whoever took the request in be ahead of ours
RIGHTS_BEGAN: Final = date(2018, 5, 25)  # GDPR art. 99(2)
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)")
LANGUAGE = re.compile(r"([A-Za-z]{2,3})(-[A-Za-z0-9]{1,8})*")
# What pydantic says in words of Python.
_PLAINLY: Final = {
    "tuple_type": "should be a list",
    "model_type": "should be an object",
    "string_type": "should be a text",
    "too_long": "is too long",
}
# Who asks for somebody else, and must say for whom; an institution or a lawyer is registered as guardian
# (IDV-04).
REPRESENTATIVES = frozenset({RequesterKind.PARENT_FOR_CHILD, RequesterKind.GUARDIAN})
About = Literal[
    "", "direct_marketing", "recording", "processing", "accuracy", "unlawful", "claim", "objection", "newsletter", "image", "testimonial"
]


def _instant(value: object) -> object:
    if isinstance(value, str) and RFC_3339.fullmatch(value):
        try:
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
        except (ValueError, OverflowError):  # a 30th of February; the message would repeat it
            pass
    raise ValueError("should be an RFC 3339 instant with its time zone, for example 2026-11-25T09:30:00Z")


def _language(value: object) -> object:
    if value is None:
        return ""
    found = LANGUAGE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("should be a code of a language, for example nl, fr, de, en or es")
    return found[1].lower()


def _birthdate(value: object) -> object:
    if value is None or value == "":
        return ""
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        try:
            return date.fromisoformat(value).isoformat()
        except ValueError:
            pass
    raise ValueError("should be a day, written as 2009-04-03, or left out")


def _line(value: str) -> str:
    """Return one line as it was typed: no line ends and no other control characters."""
    if any(unicodedata.category(sign) in ("Cc", "Cs") for sign in value):
        raise ValueError("holds a line end or another control character")
    return value.strip()


def _filled(value: str) -> str:
    if not value:
        raise ValueError("is empty")
    return value


def _text(value: str) -> str:
    if any(unicodedata.category(sign) in ("Cc", "Cs") and sign not in "\n\t\r" for sign in value):
        raise ValueError("holds control characters")
    return value.strip()


def _nothing_is_empty(value: object) -> object:
    return "" if value is None else value


Line = Annotated[str, BeforeValidator(_nothing_is_empty), Field(max_length=200), AfterValidator(_line)]
Entry = Annotated[str, Field(max_length=320), AfterValidator(_line), AfterValidator(_filled)]
Entries = Annotated[tuple[Entry, ...], Field(max_length=20)]
Birthdate = Annotated[str, BeforeValidator(_birthdate)]


class Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class PersonForm(Form):
    """What is said of one person; what is not known is left out."""

    firstname: Line = ""
    lastname: Line = ""
    birthdate: Birthdate = ""
    nationalnumbers: Entries = ()
    phones: Entries = ()
    emails: Entries = ()

    def person(self) -> GivenPerson:
        return GivenPerson(**self.model_dump())

    @property
    def says_something(self) -> bool:
        """Whether anybody could be found by it: a day of birth alone is nobody's."""
        return bool(self.firstname or self.lastname or self.nationalnumbers or self.phones or self.emails)


class CorrectionsForm(Form):
    """Fields of the requester or the child with what they should say."""

    firstname: Line | None = None
    lastname: Line | None = None
    birthdate: Birthdate | None = None
    nationalnumbers: Line | None = None
    phones: Line | None = None
    emails: Line | None = None


class DetailsForm(Form):
    """What a right other than access asks for."""

    corrections: CorrectionsForm = CorrectionsForm()
    statement: Annotated[str, Field(max_length=10_000), AfterValidator(_text)] = ""
    about: About = ""
    audio: StrictBool = False

    def details(self) -> Details:
        corrections = {name: value for name, value in self.corrections.model_dump().items() if value is not None}
        return Details(corrections, self.statement, self.about, self.audio)


class IntakeForm(Form):
    """A request as it is typed in (contract 3.6)."""

    right: Right
    requester_kind: RequesterKind
    received_at: Annotated[datetime, BeforeValidator(_instant)]
    channel: Channel
    language: Annotated[str, BeforeValidator(_language)]
    given: PersonForm
    on_behalf_of: PersonForm | None = None
    details: DetailsForm = DetailsForm()


def read_form(text: bytes, now: datetime, calendar: Calendar) -> IntakeForm:
    """Read a request from JSON, in UTF-8. Raises UsageError: naming every field that is wrong, and no value:
    half of them are about somebody."""
    try:
        form = IntakeForm.model_validate(_object(text))
    except ValidationError as error:
        raise _wrong(_mistakes(error)) from None
    mistakes = list(_contradictions(form, now, calendar))
    if mistakes:
        raise _wrong(mistakes)
    return form


def open_request(store: Store, form: IntakeForm, *, calendar: Calendar, new_id: Callable[[str], str]) -> SubjectRequest:
    """Register a receipt, with what was said sealed beside it. A message that asks for several rights is
    registered for each (DDL-15)."""
    request = SubjectRequest(
        id=new_id("request"),
        right=form.right,
        requester_kind=form.requester_kind,
        channel=form.channel,
        received_at=form.received_at,
        received_on=calendar.day(form.received_at),
        language=form.language,
        on_behalf=form.on_behalf_of is not None,
        crm=store.crms.current,
    )
    behalf = form.on_behalf_of.person() if form.on_behalf_of is not None else None
    given = Given(form.given.person(), behalf, form.details.details())
    data = {"request": request.id, "step": "open", "right": request.right.value, "received_on": request.received_on.isoformat()}
    store.requests.add(request, {GIVEN: msgspec.json.encode(given)}, ("request", data))
    return request


def _object(text: bytes) -> Mapping[str, Any]:
    if len(text) > MAX_BYTES:
        raise _wrong([f"the form is larger than {MAX_BYTES // 1024} KiB"])
    try:
        found = json.loads(text.decode("utf-8-sig"), object_pairs_hook=_once_each, parse_constant=_no_number)
    except UnicodeDecodeError:
        raise _wrong(["the form is not UTF-8"]) from None
    except json.JSONDecodeError as error:  # its text may quote the form
        raise _wrong([f"this is not valid JSON (line {error.lineno}, column {error.colno})"]) from None
    except ValueError:  # digits by the thousand, which Python reads as no number
        raise _wrong(["the form holds a number that is too long"]) from None
    except RecursionError:
        raise _wrong(["the form is nested too deeply"]) from None
    if not isinstance(found, dict):
        raise _wrong(["the form is not a JSON object"])
    return found


def _once_each(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    listed = list(pairs)
    found = dict(listed)
    if len(found) != len(listed):
        raise _wrong(["the form has a key twice"])
    return found


def _no_number(_: str) -> object:
    raise _wrong(["the form holds a number that JSON does not have"])


def _contradictions(form: IntakeForm, now: datetime, calendar: Calendar) -> Iterable[str]:
    """Yield what is wrong although each field by itself is right."""
    if calendar.day(form.received_at) < RIGHTS_BEGAN:
        yield "received_at: lies before 25 May 2018, when these rights began"
    if calendar.day(form.received_at) > calendar.day(now + CLOCKS_DIFFER):  # the day is what counts (DDL-02), and clocks differ
        yield "received_at: lies in the future"
    today = calendar.day(now).isoformat()
    for name, person in (("given", form.given), ("on_behalf_of", form.on_behalf_of)):
        if person is None:
            continue
        if not person.says_something:
            yield f"{name}: needs a name, a national number, a telephone number or an e-mail address"
        if person.birthdate > today:
            yield f"{name}.birthdate: lies in the future"
    represents = form.requester_kind in REPRESENTATIVES
    if represents and form.on_behalf_of is None:
        yield f"on_behalf_of: is needed, since a {form.requester_kind.value} asks for somebody else"
    if not represents and form.on_behalf_of is not None:
        yield f"on_behalf_of: only {' and '.join(sorted(REPRESENTATIVES))} ask for somebody else"


def _mistakes(error: ValidationError) -> list[str]:
    """Return every mistake with the place of its field. An unknown key is not repeated: it may be anything
    that somebody typed."""
    found = []
    for problem in error.errors(include_input=False, include_url=False, include_context=False):
        place = [str(part) for part in problem["loc"]]
        kind = problem["type"]
        if kind == "extra_forbidden":
            known = _keys_below(place[:-1])
            meant = get_close_matches(place[-1], known, n=1)
            told = f"; is {meant[0]} meant?" if meant else f"; known are {', '.join(known)}"
            found.append(f"{'.'.join(place[:-1]) or 'the form'}: has a key that is not known{told}")
        elif kind == "missing":
            found.append(f"{'.'.join(place)}: is missing")
        else:
            told = _PLAINLY.get(kind) or _lower(problem["msg"].removeprefix("Value error, "))
            found.append(f"{'.'.join(place)}: {told}")
    return found


def _keys_below(place: list[str]) -> list[str]:
    forms: dict[str, type[Form]] = {"": IntakeForm, "details": DetailsForm, "corrections": CorrectionsForm}
    return list(forms.get(place[-1] if place else "", PersonForm).model_fields)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _wrong(mistakes: list[str]) -> UsageError:
    return UsageError("; ".join(mistakes), hint=hint_to("fill_in_form"), where="the form")
