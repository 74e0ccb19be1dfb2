"""National numbers in free text, of any country whose scheme can be told from other numbers.

A number with two check digits, or with a birth date and one, shows by itself what it is. One with a single
check digit is any number often enough, so that it counts beside its word alone; then a slip of the pen still
tells who it is. Checks that ask the machine's clock are not used: what is hidden is the same on any day.
Source: EXP-06; IDN-01 to IDN-05; python-stdnum for the checks of other countries."""

import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from stdnum import luhn, verhoeff

from rules.model.number_schemes import BELGIAN, NONE, module_of
from rules.texts.folding import fold

_ELEVEN = re.compile(r"(?<![\d+])\d(?:[\s./-]{0,3}\d){10}(?!\d)")
_LOOKS_REGISTERED = re.compile(r"\d{2}[.\s/-]\d{2}[.\s/-]\d{2}[\s./-]{1,3}\d{3}[.\s/-]\d{2}")
_ANY = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (r"(?<![\w+])\d(?:[ ./-]{0,2}\d){6,14}(?!\w)", r"(?<![\w+])(?=\w*\d)[A-Z0-9](?:[ ./-]?[A-Z0-9]){6,17}(?!\w)")
)
_ENOUGH = re.compile(r"(?:\d\D{0,5}){6}")  # of digits: no scheme has fewer
_S: Final = r"[ .\u00a0-]?"
_MONTH: Final = r"(?:0[1-9]|1[0-2])"
_DAY: Final = r"(?:0[1-9]|[12]\d|3[01])"


def _of_luxembourg(number: str) -> bool:
    """Return whether thirteen digits have both checks of a Luxembourg matricule."""
    return bool(luhn.is_valid(number[:12]) and verhoeff.is_valid(number[:11] + number[12]))


def _always(number: str) -> bool:
    return True


class _Scheme(NamedTuple):
    """How the numbers of a country are written. `check` is a module of python-stdnum, or our own."""

    name: str
    form: re.Pattern[str]
    check: str | Callable[[str], bool]

    def holds(self, number: str) -> bool:
        if callable(self.check):
            return self.check(number)
        module = module_of(self.check)
        return module is not None and bool(module.is_valid(number.upper()))


def _scheme(name: str, form: str, check: str | Callable[[str], bool] = "") -> _Scheme:
    return _Scheme(name, re.compile(rf"(?<![\w+]){form}(?!\w)", re.IGNORECASE), check or name)


# What shows by itself what it is.
_SHOWN: Final = (
    _scheme("fr.nir", rf"[1-478]{_S}\d{{2}}{_S}(?:{_MONTH}|[2-9]\d){_S}(?:\d{{2}}|2[AB]){_S}\d{{3}}{_S}\d{{3}}[ .\u00a0/-]{{0,3}}\d{{2}}"),
    _scheme("de.idnr", r"\d{2} \d{3} \d{3} \d{3}"),
    _scheme("lu", rf"(?:18|19|20)\d{{2}}{_S}{_MONTH}{_S}{_DAY}{_S}\d{{3}}{_S}\d{{2}}", _of_luxembourg),
    _scheme("gb.nino", rf"(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]{_S}\d{{2}}{_S}\d{{2}}{_S}\d{{2}}{_S}[A-D]", _always),
    _scheme("es.dni", r"\d{8}[ -]?[A-Z]"),
    _scheme("es.nie", r"[XYZ][ -]?\d{7}[ -]?[A-Z]"),
    _scheme(
        "it.codicefiscale", rf"[A-Z]{{3}}{_S}[A-Z]{{3}}{_S}[0-9L-NP-V]{{2}}[A-EHLMPRST][0-9L-NP-V]{{2}}{_S}[A-Z][0-9L-NP-V]{{3}}{_S}[A-Z]"
    ),
    _scheme("pl.pesel", rf"\d{{2}}(?:[02][1-9]|[13][0-2]){_DAY}{_S}\d{{5}}"),
    _scheme("ro.cnp", rf"[1-9]\d{{2}}{_MONTH}{_DAY}{_S}\d{{6}}"),
    _scheme("pt.cc", r"\d{8}[ -]?\d[ -]?[A-Z0-9]{2}\d"),
    _scheme("ch.ssn", rf"756{_S}\d{{4}}{_S}\d{{4}}{_S}\d{{2}}"),
    _scheme("cz.rc", r"\d{2}(?:[05][1-9]|[16][0-2]|[27][1-9]|[38][0-2])(?:0[1-9]|[12]\d|3[01])/\d{4}"),
    _scheme("fi.hetu", rf"{_DAY}{_MONTH}\d{{2}}[-+A-FU-Y]\d{{3}}[0-9A-Z]"),
    _scheme(
        "se.personnummer",
        rf"(?:19|20)?\d{{2}}{_MONTH}{_DAY}[-+]\d{{4}}",
        lambda number: bool(luhn.is_valid(re.sub(r"\D", "", number)[-10:])),
    ),
)
# What only its word tells from any other number: the word, and how the number behind it is written.
_FILLED: Final = r"(?:(?:is|was|est|ist|war|nummer|number|num[ée]ro|nr|no|n°|van|de|of|von)\b\W{0,3}){0,3}"
_NAMED: Final = tuple(
    re.compile(rf"(?<!\w)(?:{word})(?!\w)\W{{0,4}}{_FILLED}(?P<number>{form})(?!\w)", re.IGNORECASE)
    for word, form in (
        (r"bsn(?:-?nummer)?|burgerservice(?:-?nummer)?|sofi(?:-?nummer)?", rf"\d(?:{_S}\d){{7,8}}"),
        (r"steuer-?(?:id|idnr|identifikationsnummer|nummer|nr)|identifikationsnummer|idnr|id-nr", r"\d(?:[ ./-]?\d){9,12}"),
        (r"nir|num[ée]ro de s[ée]curit[ée] sociale|s[ée]curit[ée] sociale|n° ?ss", r"[1-478](?:[ .-]?[\dAB]){12,14}"),
        (r"matricule", r"\d(?:[ .-]?\d){10,12}"),
        (r"nif|contribuinte", r"[A-Z]?\d(?:[ .-]?\d){6,8}[ -]?[A-Z]?"),
        (r"nino|national insurance(?: number)?|nhs(?: number)?", r"(?:[A-Z]{2}[ -]?)?\d(?:[ -]?\d){5,9}(?:[ -]?[A-D])?"),
        (r"pps(?:n| number)?", r"\d{7}[ -]?[A-Z]{1,2}"),
        (r"pesel", r"\d(?:[ -]?\d){10}"),
        (r"cnp", r"\d(?:[ -]?\d){12}"),
        (r"oib", r"\d(?:[ -]?\d){10}"),
        (r"egn|егн", r"\d(?:[ -]?\d){9}"),
        (r"svnr|sv-?nummer|(?:sozial)?versicherungsnummer", r"\d(?:[ ./-]?\d){9}"),
        (r"cpr(?:-?nummer)?|personnummer|f[øo]dselsnummer|henkil[öo]tunnus", r"\d(?:[ +-]?\d){9,11}"),
    )
)  # fmt: skip


def national_numbers(text: str, home: str) -> Iterator[tuple[int, int, str]]:
    """Yield the begin, end and normal form of each, those of the `home` scheme without a word beside them."""
    if _ENOUGH.search(text) is None:
        return
    for match in _ELEVEN.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        # Written in its groups, a number with a slip of the pen still tells who it is.
        if _checks(digits) or _LOOKS_REGISTERED.fullmatch(match[0]):
            yield match.start(), match.end(), digits
    if home not in (BELGIAN, NONE) and (module := module_of(home)) is not None:
        for match in (found for form in _ANY for found in form.finditer(text)):
            if module.is_valid(match[0].upper()):
                yield match.start(), match.end(), fold(match[0])
    for scheme in _SHOWN:
        for match in scheme.form.finditer(text):
            if scheme.holds(re.sub(r"[^\w+-]", "", match[0])):
                yield match.start(), match.end(), fold(match[0])
    for named in _NAMED:
        for match in named.finditer(text):
            yield match.start("number"), match.end("number"), fold(match["number"])


def is_national_number(text: str, home: str = BELGIAN) -> bool:
    """Return whether a whole value is one, of any country known here or of `home`."""
    return any((begin, end) == (0, len(text)) for begin, end, _ in national_numbers(text, home))


def _checks(digits: str) -> bool:
    """Return whether eleven digits have the check of a register or BIS number, of any century (IDN-02)."""
    body, check = int(digits[:9]), 97 - int(digits[9:])
    return int(digits[2:4]) <= 52 and check in (body % 97, (2_000_000_000 + body) % 97)
