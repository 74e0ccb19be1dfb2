"""Numbers, accounts, links and addresses of the electronic kind in free text, no matter whose.

A find that looks like more than one thing is the first of these: link, e-mail, domain, user name, position,
number of a document or device, account, register number, IP address, number plate, date, telephone. Streets
are in `addresses.py`, names in `name_guesses.py`. Source: EXP-06; IDN-01 to IDN-12."""

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Final

import msgspec
import phonenumbers
from stdnum import iban, luhn
from stdnum.exceptions import ValidationError

from rules.model.home import BELGIUM, IN_BELGIUM, Home
from rules.people.emails import normal_email
from rules.people.phones import normal_phone
from rules.redaction.country_formats import LOST_ZEROS, PLATES
from rules.redaction.national_numbers_in_text import national_numbers
from rules.texts.folding import fold


class Found(msgspec.Struct, frozen=True):
    """Something at `begin` to `end` of a tidy text. `value` is its normal form, which shows whose it is."""

    begin: int
    end: int
    what: str
    value: str


_LINK = re.compile(r"(?:https?|ftp)://[^\s<>\"'\]]+|\bwww\.[^\s<>\"'\]]+", re.IGNORECASE)
_ENDS_OF_DOMAINS: Final = "be|com|nl|fr|de|lu|org|net|eu|uk|info|io|me|tv|app|gg|ly|co|ru|xyz|brussels|vlaanderen"
_DOMAIN = re.compile(rf"(?<![\w@.-])(?:[\w-]{{1,63}}\.){{1,8}}(?:{_ENDS_OF_DOMAINS})(?![\w@-]|\.\w)(?:/[^\s<>\"'\]]*)?", re.IGNORECASE)
_TOLD_AT: Final = "apenstaart(?:je)?|arobase?"
_AT = rf"(?:@|\s?[\[(]\s?(?:at|a|{_TOLD_AT})\s?[\])]\s?|\s(?:{_TOLD_AT})\s)"
_DOT = r"(?:\.|\s?[\[(]\s?(?:dot|punt|point|punkt)\s?[\])]\s?)"
_EMAIL = re.compile(rf"(?<![\w.+%-])[\w.+%'-]{{0,64}}[\w+%-]\s?{_AT}\s?(?:[\w-]{{1,63}}{_DOT}){{1,8}}[^\W\d_]{{2,24}}", re.IGNORECASE)
_TOLD_DOT: Final = r"\s(?:dot|punt|point|punkt)\s"
_SPOKEN_EMAIL = re.compile(
    rf"(?<![\w.+%-])(?P<name>[\w.+%-]{{1,64}}(?:{_TOLD_DOT}[\w.+%-]{{1,64}}){{0,3}})\s(?:at|{_TOLD_AT})\s"
    rf"(?P<domain>(?:[\w-]{{1,63}}{_TOLD_DOT}){{1,4}}[^\W\d_]{{2,24}})(?!\w)",
    re.IGNORECASE,
)
_HANDLE = re.compile(r"(?<![\w@.])@[A-Za-z0-9_](?:[A-Za-z0-9_.]{1,28}[A-Za-z0-9_])")
_NAMED_HANDLE = re.compile(
    r"\b(?:snap(?:chat)?|insta(?:gram)?|tik ?tok|discord|facebook|messenger|fb|skype|whats ?app|telegram|signal|twitch|roblox|steam|"
    r"user ?name|gebruikersnaam|nom d'utilisateur|benutzername|pseudo(?:niem)?|nick(?:name)?|profiel|profil|account)\b\W{0,3}"
    r"(?:(?:naam|name|nom|user|is|als|as|est|ist|account|compte)\W{1,3}){0,2}"
    r"(?P<handle>(?=[\w.]*[^\W\d])(?:(?=[\w.]*[\d_.]\w)\w[\w.]{2,29}\w|\w[\w.]{1,30}#\d{4}))(?!#?\w)",
    re.IGNORECASE,
)
# A place: `51.05431, 3.71742`, `51°03'15"N 3°43'02"E`, `N51.05431 E3.71742`, `lat 51.05431 lon 3.71742`.
_DEGREES: Final = r"\d{1,3}\s?°\s?(?:\d{1,2}(?:[.,]\d{1,4})?\s?['’′]\s?(?:\d{1,2}(?:[.,]\d{1,4})?\s?(?:[\"”″]|''|’’)\s?)?)?"
_DECIMAL: Final = r"[+-]?\d{1,3}[.,]\d{4,15}"
_POSITION = re.compile(
    r"(?<![\w.,+-])[+-]?\d{1,2}(?P<point>[.,])\d{4,15}\s?°?\s?(?:[NZS]B?)?(?:\s?[,;/|]\s?|\s)[+-]?\d{1,3}(?P=point)\d{4,15}(?:\s?°)?(?:\s?[EOLW]L?\b)?(?![\d.,]*\d)"
    rf"|(?<![\w.,]){_DEGREES}[NZS]B?\b[\s,;/]{{0,3}}{_DEGREES}[EOLW]L?\b"
    rf"|\b[NZS]B?\s?(?:{_DECIMAL}\s?°?|{_DEGREES})[\s,;/]{{0,3}}[EOLW]L?\s?(?:{_DECIMAL}(?:\s?°)?|{_DEGREES})(?<!\s)"
    rf"|(?i:\b(?:lat(?:itude)?|breedte(?:graad)?|breite(?:ngrad)?)\b\W{{1,4}}{_DECIMAL}\W{{1,4}}"
    rf"(?:lon(?:g|gitude)?|lng|lengte(?:graad)?|länge(?:ngrad)?)\b\W{{1,4}}{_DECIMAL})"
)
# A paper or a device: only what stands behind a word for one.
_DOCUMENT_WORD: Final = (
    r"(?:paspoort|reispas|identiteitskaart|id-?kaart|e-?id|rijbewijs|verblijfskaart|verblijfsvergunning|passeport|carte d'identité|"
    r"permis de conduire|titre de séjour|carte de séjour|passport|identity card|id card|driving licen[cs]e|driver's licen[cs]e|"
    r"residence permit|reisepass|personalausweis|führerschein|aufenthaltstitel|imei)"
)
_GROUP: Final = r"[A-Z0-9]{0,12}\d[A-Z0-9]{0,12}"
_SHORTEST_DOCUMENT: Final = 6  # a shorter one is a year, or a number of pieces
_MAC = re.compile(r"(?<![\w:-])[0-9A-F]{2}(?:(?::[0-9A-F]{2}){5}|(?:-[0-9A-F]{2}){5})(?![\w:-])", re.IGNORECASE)
_NAMED_DOCUMENT = re.compile(
    rf"\b{_DOCUMENT_WORD}(?:nummer|-?nr)?\W{{1,4}}(?:(?:nummer|numéro|number|nr|no|n°|is|est|ist|met|avec|with|mit)\W{{1,3}}){{0,2}}"
    rf"(?P<number>(?-i:[A-Z]{{1,3}}\s)?{_GROUP}(?:[ .-]{_GROUP}){{0,5}})(?![\w])",
    re.IGNORECASE,
)
_ACCOUNT = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:[ .-]?[A-Z0-9]{4}){2,7}(?:[ .-]?[A-Z0-9]{1,3})?(?![A-Za-z0-9])", re.IGNORECASE)
_SHORTEST_ACCOUNT: Final = 15  # Norway
_CARD = re.compile(r"(?<![\d+])\d{4}(?:[ .-]?\d{4}){3}(?!\d)")
_BELGIAN_ACCOUNT = re.compile(r"(?<!\d)\d{3}-\d{7}-\d{2}(?!\d)")
_IP_V4 = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.]*\d)")
_IP_V6 = re.compile(r"(?<![\w:])(?=[0-9a-fA-F]*:)[0-9a-fA-F:]{2,39}(?:\.\d{1,3}){0,3}(?![\w:])")
_PLATE_WORD = (
    r"(?:nummerplaat|kenteken|plaat|plaque(?: d'immatriculation)?|immatriculation|number ?plate|licen[cs]e plate|plate|kennzeichen)"
)
_NAMED_PLATE = re.compile(
    rf"\b{_PLATE_WORD}\W{{1,4}}(?:(?:is|was|est|ist|met)\W)?(?P<plate>(?=[A-Z0-9 -]*\d)[A-Z0-9]{{1,4}}(?:[ -]?[A-Z0-9]{{1,4}}){{1,2}})\b",
    re.I,
)
_CALL_NUMBER = re.compile(r"(?<![\w+])(?<!\d\.)(?:\+|00|\(0|0)[\s(]{0,2}\d(?:[\s./\-()]{0,3}\d){6,13}(?!\d)")
# Behind these a number of another country, without its code, is one too.
_TO_CALL = re.compile(
    r"\b(?:tel|tél|(?:mobiele |mobil)?(?:telefoon|telefon)|téléphone|gsm|mobiel|mobile|portable|handy|(?:tele)?phone|bel(?:t|de|len)?|"
    r"appele[rz]|call|sms|whats ?app)(?:[ -]?(?:nummer|number|nr))?\b\W{0,4}(?:(?:is|op|au|met|nr|no)\b\W{1,3}|n°\s?)?$",
    re.IGNORECASE,
)
_EXTENSION = re.compile(r"\s*(?:;|ext|x\d|#|toestel|poste).*", re.IGNORECASE | re.DOTALL)

_MONTHS: Final = {
    fold(word): number
    for number, words in enumerate(
        (
            "januari jan janvier janv januar january jänner",
            "februari feb février févr février februar february",
            "maart mrt mars märz mar march maerz",
            "april apr avril avr",
            "mei mai may",
            "juni jun juin june",
            "juli jul juillet juil july",
            "augustus aug août august",
            "september sep sept septembre",
            "oktober okt octobre oct october",
            "november nov novembre",
            "december dec décembre déc dezember dez",
        ),
        start=1,
    )
    for word in words.split()
}
_NUMERIC_DATE = re.compile(r"(?<![\d./-])(\d{1,2})\s?([./-])\s?(\d{1,2})\s?\2\s?(\d{4}|\d{2})(?![\d]|[./-]\d)")
_ISO_DATE = re.compile(r"(?<![\d./-])(\d{4})([./-])(\d{1,2})\2(\d{1,2})(?!\d|[./-]\d)")
_WORDED_DATE = re.compile(
    r"(?<!\d)(\d{1,2}|\b(?:premier|eerste|ersten|first))(?:e|er|ste|de|st|nd|rd|th|\.)?\s(?:of\s)?([^\W\d_]{3,9})\.?,?\s(\d{4})(?!\d)",
    re.IGNORECASE,
)
_ENGLISH_DATE = re.compile(r"\b([^\W\d_]{3,9})\s(\d{1,2})(?:st|nd|rd|th)?,?\s(\d{4})(?!\d)")
_BORN = re.compile(
    r"(?:°|\*|\bgeb(?:oren|\.|oortedatum|oortedag)?|\bn[ée]e?\b|\bnaissance|\bborn|\bbirth(?:day|date)?|\bgeburtsdatum|\bDOB)"
    r"(?:\s(?:te|in|à|en|au|at|zu)\s[^\W\d_][\w'’-]*(?:\s(?-i:[A-Z])[\w'’-]*){0,2},?)?"  # where
    r"(?:\s?(?:op|le|en|on|am|is|est|ist|of|:)\s?)?"
    r"(?:\s?(?:(?:maan|dins|woens|donder|vrij|zater|zon)dag|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|"
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)day|(?:mon|diens|donners|frei|sams|sonn)tag|mittwoch))?\W{0,3}$",
    re.IGNORECASE,
)
_HIDDEN: Final = "\uffff"  # no character at all: no pattern reaches across it


def detect(text: str, home: Home = IN_BELGIUM) -> list[Found]:
    """Return everything of this kind in a tidy text, in its order; a number that does not say so is one of
    `home`. Dates are of the class `birth_date` where
    a word says that somebody was born on them, else `date`."""
    found: list[Found] = []
    for look in _LOOKS:
        taken = bytearray(len(text))
        new: list[Found] = []
        for one in look(text, home):
            if 1 not in taken[one.begin : one.end]:  # else found by an earlier pattern of the same look
                new.append(one)
                taken[one.begin : one.end] = b"\1" * (one.end - one.begin)
        if new:
            new.sort(key=lambda one: one.begin)
            text = hidden(text, ((one.begin, one.end) for one in new))
            found += new
    return sorted(found, key=lambda one: one.begin)


def hidden(text: str, places: Iterable[tuple[int, int]]) -> str:
    """Hide places of a text, which are given in their order: no pattern reaches across one."""
    pieces: list[str] = []
    done = 0
    for begin, end in places:
        pieces += [text[done:begin], _HIDDEN * (end - begin)]
        done = end
    return "".join([*pieces, text[done:]])


def _links(text: str, home: Home) -> Iterator[Found]:
    return _links_by(_LINK, text)


def _domains(text: str, home: Home) -> Iterator[Found]:
    return _links_by(_DOMAIN, text)


def _links_by(pattern: re.Pattern[str], text: str) -> Iterator[Found]:
    for match in pattern.finditer(text):
        link = match[0].rstrip(".,;:!?)")
        yield Found(match.start(), match.start() + len(link), "link", link.lower())


def _emails(text: str, home: Home) -> Iterator[Found]:
    for match in _EMAIL.finditer(text):
        written = re.sub(_DOT, ".", re.sub(_AT, "@", match[0], flags=re.IGNORECASE), flags=re.IGNORECASE)
        yield Found(match.start(), match.end(), "email", normal_email(re.sub(r"\s", "", written)) or "")


def _spoken_emails(text: str, home: Home) -> Iterator[Found]:
    for match in _SPOKEN_EMAIL.finditer(text):
        name, domain = (re.sub(_TOLD_DOT, ".", match[part], flags=re.IGNORECASE) for part in ("name", "domain"))
        yield Found(match.start(), match.end(), "email", normal_email(f"{name}@{domain}") or "")


def _handles(text: str, home: Home) -> Iterator[Found]:
    yield from (Found(match.start(), match.end(), "handle", match[0].lower()) for match in _HANDLE.finditer(text))
    for match in _NAMED_HANDLE.finditer(text):
        yield Found(match.start("handle"), match.end("handle"), "handle", match["handle"].lower())


def _positions(text: str, home: Home) -> Iterator[Found]:
    yield from (Found(match.start(), match.end(), "position", fold(match[0])) for match in _POSITION.finditer(text))


def _documents(text: str, home: Home) -> Iterator[Found]:
    for match in _NAMED_DOCUMENT.finditer(text):
        if len(letters := fold(match["number"])) >= _SHORTEST_DOCUMENT:
            yield Found(match.start("number"), match.end("number"), "document", letters)
    yield from (Found(match.start(), match.end(), "document", fold(match[0])) for match in _MAC.finditer(text))


def _accounts(text: str, home: Home) -> Iterator[Found]:
    for match in _ACCOUNT.finditer(text):
        # What follows an account may look like a part of it: the longest beginning that is one.
        for end in range(len(match[0]), _SHORTEST_ACCOUNT - 1, -1):
            if _is_account(match[0][:end]) and not match[0][end : end + 1].isdigit():
                yield Found(match.start(), match.start() + len(match[0][:end].rstrip(" .-")), "account", fold(match[0][:end]))
                break
    for match in _CARD.finditer(text):
        if luhn.is_valid(re.sub(r"\D", "", match[0])):
            yield Found(match.start(), match.end(), "account", fold(match[0]))
    for match in _BELGIAN_ACCOUNT.finditer(text):
        yield Found(match.start(), match.end(), "account", fold(match[0]))


def _is_account(text: str) -> bool:
    try:
        iban.validate(re.sub(r"[ .-]", "", text), check_country=False)
    except ValidationError:
        return False
    return True


def _ip_addresses(text: str, home: Home) -> Iterator[Found]:
    for pattern in (_IP_V4, _IP_V6):
        for match in pattern.finditer(text):
            written = match[0].rstrip(":") if match[0].endswith(":") and not match[0].endswith("::") else match[0]
            try:
                value = str(ipaddress.ip_address(written))
            except ValueError:
                continue
            if len(written) > 2:
                yield Found(match.start(), match.start() + len(written), "ip_address", value)


def _plates(text: str, home: Home) -> Iterator[Found]:
    for country in dict.fromkeys((home.country, BELGIUM)):  # a Belgian one looks like nothing else
        if country in PLATES:
            yield from (Found(match.start(), match.end(), "plate", fold(match[0])) for match in PLATES[country].finditer(text))
    for match in _NAMED_PLATE.finditer(text):
        yield Found(match.start("plate"), match.end("plate"), "plate", fold(match["plate"]))


def _dates(text: str, home: Home) -> Iterator[Found]:
    for match in _NUMERIC_DATE.finditer(text):
        yield from _dated(text, match, int(match[4]), int(match[3]), int(match[1]))
    for match in _ISO_DATE.finditer(text):
        yield from _dated(text, match, int(match[1]), int(match[3]), int(match[4]))
    for match in _WORDED_DATE.finditer(text):
        yield from _dated(text, match, int(match[3]), _MONTHS.get(fold(match[2]), 0), int(match[1]) if match[1].isdigit() else 1)
    for match in _ENGLISH_DATE.finditer(text):
        yield from _dated(text, match, int(match[3]), _MONTHS.get(fold(match[1]), 0), int(match[2]))


def _dated(text: str, match: re.Match[str], year: int, month: int, day: int) -> Iterator[Found]:
    """Yield a date in ISO form. Of two digits of a year only those are certain: `--10-05-08` for 2010 and
    1910 alike."""
    try:
        written = date(year if year > 99 else 2000 + year, month, day).isoformat()
    except ValueError:
        return
    what = "birth_date" if _BORN.search(text, max(0, match.start() - 70), match.start()) else "date"
    yield Found(match.start(), match.end(), what, written if year > 99 else "--" + written[2:])


def _national_numbers(text: str, home: Home) -> Iterator[Found]:
    yield from (Found(begin, end, "national_number", value) for begin, end, value in national_numbers(text, home.scheme))


def _phones(text: str, home: Home) -> Iterator[Found]:
    for known in phonenumbers.PhoneNumberMatcher(text, home.country):
        number = phonenumbers.format_number(known.number, phonenumbers.PhoneNumberFormat.E164)
        written = _EXTENSION.sub("", known.raw_string) if known.number.extension else known.raw_string
        begin = known.start + (1 if written.startswith("(") and written.count("(") > written.count(")") else 0)
        yield Found(begin, known.start + len(written), "phone", number)
    for pattern in filter(None, (_CALL_NUMBER, LOST_ZEROS.get(home.country))):
        for match in pattern.finditer(text):
            read = normal_phone(match[0], home.country)
            is_one = read is not None and not read.is_short
            if is_one or _TO_CALL.search(text, max(0, match.start() - 40), match.start()):
                begin = match.start() + (1 if match[0].startswith("(") and match[0].count("(") > match[0].count(")") else 0)
                yield Found(begin, match.end(), "phone", read.number if read is not None else re.sub(r"\D", "", match[0]))


_LOOKS: Final[tuple[Callable[[str, Home], Iterator[Found]], ...]] = (
    _links,
    _emails,
    _spoken_emails,
    _domains,
    _handles,
    _positions,
    _documents,
    _accounts,
    _national_numbers,
    _ip_addresses,
    _plates,
    _dates,
    _phones,
)
