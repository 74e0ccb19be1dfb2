"""Takes a subject request in: reads the form, and registers the receipt before anything else is done. A
receipt is never lost for a mistake elsewhere: it is stored first, and what it keeps from disposal is worked
out afterwards (HLD-08). Source: DDL-02, DDL-14, DDL-15, RGT-03, contract 3.6."""

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, NamedTuple

import msgspec
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, ValidationError
from pydantic_core import PydanticCustomError

from jobs.model.request import GIVEN, Details, Given, GivenPerson, SubjectRequest
from jobs.ports.store.store import Store
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
    "missing": "is missing",
}
# Who asks for somebody else, and must say for whom; an institution or a lawyer is registered as guardian
# (IDV-04).
REPRESENTATIVES = frozenset({RequesterKind.PARENT_FOR_CHILD, RequesterKind.GUARDIAN})
About = Literal[
    "", "direct_marketing", "recording", "processing", "accuracy", "unlawful", "claim", "objection", "newsletter", "image", "testimonial"
]


class Wrong(StrEnum):
    """What is wrong with a field, for a page that says it in words of its own."""

    MISSING = "missing"
    DATE = "date"
    FUTURE = "future"
    EARLY = "early"
    LONG = "long"
    MANY = "many"
    NOBODY = "nobody"
    CHILD_MISSING = "child_missing"
    CHILD_UNASKED = "child_unasked"
    CHOICE = "choice"
    SIGNS = "signs"
    LANGUAGE = "language"
    UNKNOWN = "unknown"
    UNREADABLE = "unreadable"
    OTHER = "other"


class Mistake(NamedTuple):
    """One thing that is wrong: the field, empty where it is the form as a whole; what it is; and the message
    of the command. No value is in it. Of what is too long, how many characters or entries are taken and how
    many there are."""

    place: str
    wrong: Wrong
    told: str
    most: int = 0
    found: int = 0

    def __str__(self) -> str:
        return f"{self.place}: {self.told}" if self.place else self.told


class FormMistaken(UsageError):
    """A request cannot be read; `mistakes` names every field that is wrong."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__("; ".join(map(str, mistakes)), hint=hint_to("fill_in_form"), where="the form")
        self.mistakes = tuple(mistakes)


# The kind of a mistake that pydantic finds.
_WRONG: Final = {
    "missing": Wrong.MISSING,
    "empty": Wrong.MISSING,
    "string_too_long": Wrong.LONG,
    "too_long": Wrong.MANY,
    "enum": Wrong.CHOICE,
    "literal_error": Wrong.CHOICE,
    "extra_forbidden": Wrong.UNKNOWN,
    **{each.value: each for each in (Wrong.DATE, Wrong.LANGUAGE, Wrong.SIGNS)},
}


def _instant(value: object) -> object:
    if isinstance(value, str) and RFC_3339.fullmatch(value):
        try:
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
        except (ValueError, OverflowError):  # a 30th of February; the message would repeat it
            pass
    raise PydanticCustomError(Wrong.DATE.value, "should be an RFC 3339 instant with its time zone, for example 2026-11-25T09:30:00Z")


def _language(value: object) -> object:
    if value is None:
        return ""
    found = LANGUAGE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise PydanticCustomError(Wrong.LANGUAGE.value, "should be a code of a language, for example nl, fr, de, en or es")
    return found[1].lower()


def _birthdate(value: object) -> object:
    if value is None or value == "":
        return ""
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        try:
            return date.fromisoformat(value).isoformat()
        except ValueError:
            pass
    raise PydanticCustomError(Wrong.DATE.value, "should be a day, written as 2009-04-03, or left out")


def _line(value: str) -> str:
    """Return one line as it was typed: no line ends and no other control characters."""
    if any(unicodedata.category(sign) in ("Cc", "Cs") for sign in value):
        raise PydanticCustomError(Wrong.SIGNS.value, "holds a line end or another control character")
    return value.strip()


def _filled(value: str) -> str:
    if not value:
        raise PydanticCustomError("empty", "is empty")
    return value


def _text(value: str) -> str:
    if any(unicodedata.category(sign) in ("Cc", "Cs") and sign not in "\n\t\r" for sign in value):
        raise PydanticCustomError(Wrong.SIGNS.value, "holds control characters")
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
    birthplace: Line | None = None
    street: Line | None = None
    postcode: Line | None = None
    city: Line | None = None
    country: Line | None = None


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


class ReadableForm(BaseModel):
    """What can be read of a form that has mistakes: the fields that are held against the clock and against
    each other."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    received_at: Annotated[datetime | None, BeforeValidator(_instant)] = None
    requester_kind: RequesterKind | None = None
    given: PersonForm | None = None
    on_behalf_of: PersonForm | None = None


def read_form(text: bytes, now: datetime, calendar: Calendar) -> IntakeForm:
    """Read a request from JSON, in UTF-8. Raises FormMistaken: naming every field that is wrong, and no
    value: half of them are about somebody."""
    document = _object(text)
    try:
        form = IntakeForm.model_validate(document)
    except ValidationError as error:
        raise FormMistaken([*_mistakes(error), *_beside(document, error, now, calendar)]) from None
    mistakes = list(_contradictions(form, now, calendar))
    if mistakes:
        raise FormMistaken(mistakes)
    return form


def open_request(store: Store, form: IntakeForm, *, calendar: Calendar, new_id: Callable[[str], str]) -> SubjectRequest:
    """Register a receipt, with what was said sealed beside it. A message that asks for several rights is
    registered for each (DDL-15). Raises Refused: with code `exists`, if `new_id` names a request that there
    is."""
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
        raise _unreadable(f"the form is larger than {MAX_BYTES // 1024} KiB")
    try:
        found = json.loads(text.decode("utf-8-sig"), object_pairs_hook=_once_each, parse_constant=_no_number)
    except UnicodeDecodeError:
        raise _unreadable("the form is not UTF-8") from None
    except json.JSONDecodeError as error:  # its text may quote the form
        raise _unreadable(f"this is not valid JSON (line {error.lineno}, column {error.colno})") from None
    except ValueError:  # digits by the thousand, which Python reads as no number
        raise _unreadable("the form holds a number that is too long") from None
    except RecursionError:
        raise _unreadable("the form is nested too deeply") from None
    if not isinstance(found, dict):
        raise _unreadable("the form is not a JSON object")
    return found


def _once_each(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    listed = list(pairs)
    found = dict(listed)
    if len(found) != len(listed):
        raise _unreadable("the form has a key twice")
    return found


def _no_number(_: str) -> object:
    raise _unreadable("the form holds a number that JSON does not have")


def _contradictions(form: IntakeForm | ReadableForm, now: datetime, calendar: Calendar) -> Iterable[Mistake]:
    """Yield what is wrong although each field by itself is right."""
    if form.received_at is not None:
        if calendar.day(form.received_at) < RIGHTS_BEGAN:
            yield Mistake("received_at", Wrong.EARLY, "lies before 25 May 2018, when these rights began")
        if calendar.day(form.received_at) > calendar.day(now + CLOCKS_DIFFER):  # the day is what counts (DDL-02), and clocks differ
            yield Mistake("received_at", Wrong.FUTURE, "lies in the future")
    today = calendar.day(now).isoformat()
    for name, person in (("given", form.given), ("on_behalf_of", form.on_behalf_of)):
        if person is None:
            continue
        if not person.says_something:
            yield Mistake(name, Wrong.NOBODY, "needs a name, a national number, a telephone number or an e-mail address")
        if person.birthdate > today:
            yield Mistake(f"{name}.birthdate", Wrong.FUTURE, "lies in the future")
    if form.requester_kind is None:
        return
    represents = form.requester_kind in REPRESENTATIVES
    if represents and form.on_behalf_of is None:
        yield Mistake("on_behalf_of", Wrong.CHILD_MISSING, f"is needed, since a {form.requester_kind.value} asks for somebody else")
    if not represents and form.on_behalf_of is not None:
        yield Mistake("on_behalf_of", Wrong.CHILD_UNASKED, f"only {' and '.join(sorted(REPRESENTATIVES))} ask for somebody else")


def _beside(document: Mapping[str, Any], error: ValidationError, now: datetime, calendar: Calendar) -> Iterable[Mistake]:
    """Yield the contradictions of a form of which some fields cannot be read, among the others: a person
    corrects all at once. Contradictions that may follow from a field that cannot be read are left out: that a
    person is nobody, where the name is what is wrong; that a child is missing, where what was said of it
    cannot be read."""
    broken = {each["loc"][:2] for each in error.errors(include_input=False, include_url=False, include_context=False)}
    readable = dict(document)
    for head, *inner in broken:
        found = readable.get(str(head))
        if not inner:
            readable.pop(str(head), None)
        elif isinstance(found, Mapping):
            readable[str(head)] = {name: value for name, value in found.items() if name != inner[0]}
    unsure = {str(head) for head, *inner in broken if inner != ["birthdate"]}
    for mistake in _contradictions(ReadableForm.model_validate(readable), now, calendar):
        if not (mistake.place in unsure and mistake.wrong in (Wrong.NOBODY, Wrong.CHILD_MISSING)):
            yield mistake


def _mistakes(error: ValidationError) -> list[Mistake]:
    """Return every mistake with the place of its field. An unknown key is not repeated: it may be anything
    that somebody typed."""
    found = []
    for problem in error.errors(include_url=False):
        place = [str(part) for part in problem["loc"]]
        kind = problem["type"]
        if kind == "extra_forbidden":
            known = _keys_below(place[:-1])
            meant = get_close_matches(place[-1], known, n=1)
            told = f"; is {meant[0]} meant?" if meant else f"; known are {', '.join(known)}"
            found.append(Mistake(".".join(place[:-1]) or "the form", Wrong.UNKNOWN, f"has a key that is not known{told}"))
        else:
            told = _PLAINLY.get(kind) or _lower(problem["msg"])
            if kind == "too_long" and isinstance(problem["input"], str):  # a text that is read before it is measured
                kind = "string_too_long"
            most = int(problem.get("ctx", {}).get("max_length", 0))
            has = len(problem["input"]) if most else 0  # alone: of what was typed nothing is repeated
            found.append(Mistake(".".join(place), _WRONG.get(kind, Wrong.OTHER), told, most, has))
    return found


def _keys_below(place: list[str]) -> list[str]:
    forms: dict[str, type[Form]] = {"": IntakeForm, "details": DetailsForm, "corrections": CorrectionsForm}
    return list(forms.get(place[-1] if place else "", PersonForm).model_fields)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _unreadable(told: str) -> FormMistaken:
    return FormMistaken([Mistake("", Wrong.UNREADABLE, told)])
