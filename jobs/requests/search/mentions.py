"""Whether a text mentions certain people: their full name in any order and spelling, or a number or address
of theirs.

The search is made here, over texts that were read for it, and never by a condition sent to the CRM: such a
condition would stand in its logs (ACC-05). It widens rather than narrows, for people look at every hit, and
nothing enters an answer by a name alone (EXP-04). Source: IDN-07, IDN-10, IDN-12 to IDN-15."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import permutations

import ahocorasick

from jobs.requests.search.contact_details import emails_on, phones_on
from rules.model.home import IN_BELGIUM, Home
from rules.model.personal_records import FullContact
from rules.people.name_words import PARTICLES
from rules.people.phones import calling_code, normal_phone
from rules.redaction.national_numbers_in_text import is_national_number
from rules.texts.disguises import as_read
from rules.texts.folding import plain_letters

# The kinds of evidence, strongest first.
LINK, NATIONAL_NUMBER, EMAIL, PHONE, NAME, NAME_PART = "link", "national_number", "email", "phone", "name", "name_part"
EVIDENCE = (LINK, NATIONAL_NUMBER, EMAIL, PHONE, NAME, NAME_PART)
NAMES = frozenset({NAME, NAME_PART})

_JOINED = re.compile(r"(?:van(?:den|der|de)?|von|ter|ten|den|der|des|de|du|el|al|ben|ait|ould|dos|da|la|le)")
SHORTEST_CORE = 4  # letters of a name after a particle that is written together with it
NATIONAL_DIGITS = 11
SHORTEST_NATIONAL = 8  # digits of one of another country, of which the check is right
MOST_NAMES_IN_ANY_ORDER = 4  # of one surname; longer ones are taken as they stand and reversed

_IN_BRACKETS = re.compile(r"\([^)]*\)")
_APOSTROPHE = re.compile(r"(?<=[a-z])['`](?=[a-z])")
_POSSESSIVE = re.compile(r"(?<=[a-z])['`]s\b")
_NO_LETTERS = re.compile(r"[^a-z]+")
_DIGITS = re.compile(r"\d[\d\s./()\-]{6,}")
_NO_DIGIT = re.compile(r"\D+")
_INLINE_TAG = re.compile(r"</?(?:a|b|em|font|i|span|strong|u)(?:\s[^<>@]*)?>", re.IGNORECASE)
_TAG_WITH_ADDRESS = re.compile(r"<[^<>@]*@[^<>]*>")
_TAG = re.compile(r"<[!/]?[a-zA-Z][^<>@]*>")
_MAIL_INSIDE = frozenset("abcdefghijklmnopqrstuvwxyz0123456789._%+-")


class Sought:
    """Some people by what a text would call them. It is made for one search and discarded with it
    (IDN-19)."""

    def __init__(self, people: Iterable[FullContact], home: Home = IN_BELGIUM) -> None:
        names: defaultdict[str, set[str]] = defaultdict(set)
        parts: defaultdict[str, set[str]] = defaultdict(set)  # by one of several surnames
        literal: defaultdict[str, set[str]] = defaultdict(set)  # names such as Ben, which elsewhere are particles
        mails: defaultdict[str, set[str]] = defaultdict(set)
        self._numbers: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for person in people:
            first, last = person.first_name or "", person.last_name or ""
            spellings = _spellings(first, last)
            for spelling, is_whole in spellings.items():
                (names if is_whole else parts)[f" {spelling} "].add(person.id)
            if not spellings and (both := _both_as_written(first, last)):
                for spelling in both:
                    literal[f" {spelling} "].add(person.id)
            for mail in emails_on([person]):
                mails[_folded(mail).strip()].add(person.id)
            for phone in phones_on([person]):
                if significant := _significant(phone, home.country):
                    self._numbers[PHONE, significant].add(person.id)
            national = _NO_DIGIT.sub("", _folded(person.national_number or ""))
            is_one = len(national) >= SHORTEST_NATIONAL and is_national_number(person.national_number or "", home.scheme)
            if len(national) == NATIONAL_DIGITS or is_one:
                self._numbers[NATIONAL_NUMBER, national].add(person.id)
        self._names, self._parts, self._literal = _automaton(names), _automaton(parts), _automaton(literal)
        self._hints = _automaton({max(spelling.split(), key=len): set() for spelling in (*names, *parts, *literal)})
        self._mails = _automaton(mails)

    def __bool__(self) -> bool:
        return bool(self._names or self._parts or self._literal or self._mails or self._numbers)

    @staticmethod
    def strength(evidence: str) -> int:
        """Return how weak a kind of evidence is: the strongest is 0."""
        return EVIDENCE.index(evidence)

    def found_in(self, text: str) -> dict[str, str]:
        """Return who is mentioned in a text, by id, each with the strongest kind of evidence."""
        folded = _folded(text)
        found: dict[str, set[str]] = defaultdict(set)
        for evidence, people in (*self._by_number(folded), *self._by_mail(folded), *self._by_name(folded)):
            for person in people:
                found[person].add(evidence)
        return {person: min(kinds, key=self.strength) for person, kinds in found.items()}

    def _by_number(self, folded: str) -> Iterator[tuple[str, set[str]]]:
        if self._numbers:
            runs = [_NO_DIGIT.sub("", run) for run in _DIGITS.findall(folded)]
            for (evidence, number), people in self._numbers.items():
                if any(number in run for run in runs):
                    yield evidence, people

    def _by_mail(self, folded: str) -> Iterator[tuple[str, set[str]]]:
        if self._mails and "@" in folded:
            for end, (length, people) in self._mails.iter(folded):
                before, after = folded[end - length : end - length + 1], folded[end + 1 : end + 2]
                if (end < length or before not in _MAIL_INSIDE) and not after.isalnum():
                    yield EMAIL, people

    def _by_name(self, folded: str) -> Iterator[tuple[str, set[str]]]:
        if not self._hints or next(self._hints.iter(folded.replace("'", "").replace("`", "")), None) is None:
            return  # most texts: without the longest word of any spelling there is no need to take them apart
        for automaton, dropped, evidence in (
            (self._names, PARTICLES, NAME),
            (self._parts, PARTICLES, NAME_PART),
            (self._literal, frozenset(), NAME),
        ):
            if automaton:
                for _, (_, people) in automaton.iter(f" {' '.join(_words(folded, dropped))} "):
                    yield evidence, people


def _automaton(terms: dict[str, set[str]]) -> ahocorasick.Automaton | None:
    if not terms:
        return None
    automaton = ahocorasick.Automaton()
    for term, people in terms.items():
        automaton.add_word(term, (len(term), people))
    automaton.make_automaton()
    return automaton


def _folded(text: str) -> str:
    """Return a text without markup, accents and capitals."""
    addresses = _TAG_WITH_ADDRESS.findall(text) if "@" in text else ()  # where a link leads
    # An equals sign at the end of a line breaks a word in an e-mail, and is only a sign anywhere else: both
    # may be meant.
    text = " ".join((as_read(text), *((text,) if "=\n" in text or "=\r\n" in text else ()), *addresses))
    if "<" in text:
        text = _TAG.sub(" ", _INLINE_TAG.sub("", text))
    return plain_letters(text)


def _words(folded: str, dropped: frozenset[str] = PARTICLES) -> list[str]:
    """Return the words of a text, without particles and initials."""
    plain = _APOSTROPHE.sub("", _POSSESSIVE.sub("", folded))
    return [word for word in _NO_LETTERS.split(plain) if len(word) > 1 and word not in dropped]


def _both_as_written(first: str, last: str) -> set[str]:
    """Return a full name of which one half is nothing but particles, in both orders."""
    one, other = (" ".join(_words(_folded(_IN_BRACKETS.sub(" ", half)), frozenset())) for half in (first, last))
    return {f"{one} {other}", f"{other} {one}"} if one and other else set()


def _spellings(first: str, last: str) -> dict[str, bool]:
    """Return how a text without particles may write a full name, each with whether all of the surname is in
    it. Empty where one half is not known, or is nothing but particles."""
    found: dict[str, bool] = {}
    for one in _first_names(first):
        for other, is_all in _last_names(last).items():
            for spelling in (f"{one} {other}", f"{other} {one}"):
                found[spelling] = found.get(spelling, False) or is_all
    return found


def _first_names(first: str) -> set[str]:
    """Return all first names, the first of them alone, and all written as one."""
    words = _words(_folded(_IN_BRACKETS.sub(" ", first)))
    return {" ".join(words), words[0], "".join(words)} if words else set()


def _last_names(last: str) -> dict[str, bool]:
    """Return a surname as written, in any order, cut to one of its parts, and with its particles joined or
    removed (IDN-14, IDN-15)."""
    folded = _folded(_IN_BRACKETS.sub(" ", last))
    whole = [word for word in _NO_LETTERS.split(_APOSTROPHE.sub("", folded)) if word]
    words = [word for word in whole if len(word) > 1 and word not in PARTICLES]
    if not words:
        return {}
    orders = permutations(words) if len(words) <= MOST_NAMES_IN_ANY_ORDER else (words, reversed(words))
    found = dict.fromkeys(words, False)
    for start in range(len(whole)):  # "Van den Broeck" is also "Van Denbroeck", of which the first word goes
        is_all = not any(word in words for word in whole[:start])
        found["".join(whole[start:])] = found.get("".join(whole[start:]), False) or is_all
    found |= {" ".join(order): True for order in orders} | {"".join(words): True}
    for word, is_all in tuple(found.items()):
        if (joined := _JOINED.match(word)) and len(core := word[joined.end() :]) >= SHORTEST_CORE:
            found[core] = found.get(core, False) or is_all
    return {name: is_all for name, is_all in found.items() if len(name) > 1}


def _significant(phone: str, country: str) -> str:
    """Return the digits of a number as every way of writing it has them. Zeros, and the country where it is
    that of the organisation, are left out. Empty for a short number, which is nobody's, and for what is not a
    full number (IDN-10)."""
    found = normal_phone(phone, country)
    return "" if found is None or found.is_short else found.number.removeprefix(calling_code(country)).lstrip("+")
