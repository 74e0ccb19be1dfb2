"""What of other people is not shown in an answer, and what stands in its place. Source: EXP-06, EXP-07,
R-118, R-119; GDPR art. 15(4), recital 63."""

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate
from typing import Final

import msgspec

from rules.model.file_roles import CARE, FileRole
from rules.model.home import IN_BELGIUM, Home
from rules.people.emails import normal_email
from rules.people.phones import numbers_of_people
from rules.people.spellings import Part, spellings
from rules.redaction.addresses import past_the_number, same_house
from rules.redaction.known_names import KnownNames, Named
from rules.redaction.known_numbers import OWN_ADDRESS, KnownStrings, forms_of
from rules.redaction.labels import LABEL, Labels, label_for
from rules.redaction.leak_terms import NAME, OWN, LeakTerms, leak_term, name_leak_term
from rules.redaction.name_guesses import before_whose, past_the_surname, with_who_it_is, without_whose
from rules.redaction.not_shown import Redaction
from rules.redaction.patterns import Found, hidden
from rules.redaction.people import (
    SAID_OF_SOMEBODY,
    SHORTEST_ADDRESS,
    Protected,
    Shown,
    alike,
    days_in,
    own_values,
    surnames,
    without_remarks,
)
from rules.redaction.personal_data import data_of_anybody, is_own_name, names_of_anybody, without_own_name
from rules.redaction.spans import EDGES, Span, merged, outside
from rules.texts.disguises import as_read, encoded_parts, of_pairs, readings
from rules.texts.folding import Squeezed, Tidy, fold, letters_of, squeeze, stands_in, tidy

NAME_GUESS: Final = "name_guess"
_MOST_ROUNDS: Final = 8
_LONG: Final = 2_000  # letters of an encoded part from which no slips of the pen are sought in it
_PIECE: Final = 5_000  # letters of what an encoded part says that are read at once, twice each: the first name is enough
_LONGEST_NARROWED: Final = 20_000  # letters of a line; a longer one is redacted whole
_SHORTEST_NUMBER: Final = 8  # of a national number
_APART: Final = " ||||| "  # no name reaches across it
_STREET_AND_NUMBER = re.compile(r"(?!\s*[A-Z-]{0,3}\d{4,5}\s+\D*$)(?=.*\d)(?=(?:.*[^\W\d_]){4})", re.DOTALL)
_TOWN = re.compile(r"(?:(?:a|te|in)?(?:b|d|f|l|nl|lu)?\d{4,5}[a-z]+)?")
_SHORTEST_ENCODED: Final = 4
_OWN_WORD = re.compile(r"(?<=\s)(?:d')?(?P<name>[^\W\d_]\S*)")
_SAME_PERSON = re.compile(r"(?:\s|[^\W\d_]\.){1,4}")


class Redacted(msgspec.Struct, frozen=True):
    """A text as it may be proposed: with labels instead of what identifies others."""

    text: str
    redactions: tuple[Redaction, ...] = ()


class Redactor:
    """Redacts the texts of one package, so that the same person has the same label throughout (R-118).

    What is the shown person's own stays, also where another shares it: a family's number, a surname. A first
    name beside a shared surname is redacted. A title before a surname that is shared with a grown-up
    (`mevrouw Peeters`) means the other, and is redacted."""

    def __init__(self, others: Sequence[Protected], shown: Shown, language: str, home: Home = IN_BELGIUM) -> None:
        others = [
            msgspec.structs.replace(person, names=tuple(name for name in without_remarks(person.names) if not is_own_name(*name, home)))
            for person in others
        ]
        # `Peeters (zoon van Els Claes)`: who is told of behind the person's own name is not the person.
        own_names = [(SAID_OF_SOMEBODY.sub("", first), SAID_OF_SOMEBODY.sub("", last)) for first, last in shown.names]
        shown = msgspec.structs.replace(shown, names=without_remarks(own_names))
        self._people = {person.key: person for person in others}
        self._shown, self._language, self._home = shown, language, home
        self._alike = alike(others)
        self._own_values = own_values(shown, home)
        self._own_firsts = frozenset(one.letters for first, last in shown.names for one in spellings(first, last) if one.part is Part.FIRST)
        self._own_letters = frozenset(spelling.letters for first, last in shown.names for spelling in spellings(first, last))
        self._names = KnownNames([(person.key, first, last) for person in others for first, last in person.names], self._own_letters)
        self._own_names = KnownNames([("", first, last) for first, last in shown.names])
        self._own_addresses = tuple(squeeze(address) for address in shown.addresses)
        own_forms = frozenset(form for address in shown.addresses for form in forms_of("address", address))
        self._known = KnownStrings(((what, value) for person in others for what, value in self._known_of(person)), own_forms)
        self._own_strings = KnownStrings(
            (OWN_ADDRESS if what == "address" else what, value) for what, values in self._own_values.items() for value in values
        )
        self._birth_dates = frozenset(day for person in others for written in person.birth_dates for day in days_in(written))
        organisations = {key: self._safe_organisation(person) for key, person in self._people.items()}
        self._labels = Labels([(key, self._people[key].role, organisations[key]) for key in dict.fromkeys(self._alike.values())], language)
        kept = "|".join(re.escape(f"[{name}]") for name in sorted(set(organisations.values())) if name)
        self._label_pattern = re.compile(f"{LABEL.pattern}|{kept}") if kept else LABEL
        self._surnames = surnames(others)

    def label(self, key: str) -> str:
        """Return the label of a person, numbered in the order of first use: `[moeder]`, `[derde 1]`."""
        return self._labels.label(self._alike.get(key, key))

    def redact(self, text: str) -> Redacted:
        """Return a text with everything replaced that identifies others. This is the names of the protected,
        in any spelling, order and case, their numbers and addresses, and any number, address or e-mail that
        looks like one and is not the person's own.

        A name that is only guessed from a title before it has the class `name_guess`. The result is not
        changed by a second time, and is what a person would read (`as_read`): nothing in it is written in
        disguise."""
        redactions: list[Redaction] = []
        text = as_read(text)
        for _ in range(_MOST_ROUNDS):
            again, made = self._once(text)
            if again == text:
                again, made = self._refused(text)
            redactions += made
            if again == text:
                return Redacted(text, tuple(redactions))
            text = as_read(again)
        if self._last_look.found_in(text):
            withheld = Redaction(NAME, label_for(NAME, self._language))
            return Redacted(withheld.label, (*redactions, withheld))
        return Redacted(text, tuple(redactions))

    def leak_terms(self) -> tuple[str, ...]:
        """Return the leak-check terms: what must not occur in any file of the package, in the form that
        `leak_terms.LeakTerms` reads."""
        names = [
            name_leak_term(first, last) for person in self._people.values() for first, last in person.names if f"{first}{last}".strip()
        ]
        known = [leak_term(what, value) for person in self._people.values() for what, value in self._leak_terms_of(person)]
        own = [name_leak_term(first, last, own=True) for first, last in self._shown.names]
        own += [leak_term(OWN, value) for what in ("email", "address") for value in self._own_values[what]]
        return tuple(dict.fromkeys((*names, *known, *own)))

    @cached_property
    def _last_look(self) -> LeakTerms:
        return LeakTerms(self.leak_terms())

    def _refused(self, text: str) -> tuple[str, list[Redaction]]:
        """Redact what the last look still finds: what crosses a label, or is read in a way that tells no
        place in the text. As little as it takes is cut from a line, or of all lines where none shows it by
        itself."""
        if not self._last_look.found_in(text):
            return text, []
        redactions: list[Redaction] = []
        lines = [self._accepted(line, redactions) for line in text.split("\n")]
        return ("\n".join(lines) if redactions else self._accepted(text, redactions)), redactions

    def _accepted(self, line: str, redactions: list[Redaction]) -> str:
        for left in reversed(range(_MOST_ROUNDS)):
            found = self._last_look.found_in(line)
            if not found:
                break
            begin, end = self._smallest(line) if left and len(line) <= _LONGEST_NARROWED else (0, len(line))
            redactions.append(Redaction(found[0], label_for(found[0], self._language)))
            line = line[:begin] + redactions[-1].label + line[end:]
        return line

    def _smallest(self, line: str) -> tuple[int, int]:
        """Return a small part of a line that is refused by itself."""
        before, end = 0, len(line)
        while before + 1 < end:
            middle = (before + end) // 2
            before, end = (before, middle) if self._last_look.found_in(line[:middle]) else (middle, end)
        begin, after = 0, end
        while begin + 1 < after:
            middle = (begin + after) // 2
            begin, after = (middle, after) if self._last_look.found_in(line[middle:end]) else (begin, middle)
        return begin, end

    def _once(self, text: str) -> tuple[str, list[Redaction]]:
        """Redact a text one time over."""
        plain = tidy(text)
        barred = [match.span() for match in self._label_pattern.finditer(plain.text)]
        seen = hidden(plain.text, barred)
        squeezed = squeeze(seen)
        spans, own = self._found(seen, squeezed)
        spans += self._named(seen, squeezed, barred, own)
        spans += self._encoded(text, plain, seen)
        pieces: list[str] = []
        redactions: list[Redaction] = []
        done = 0
        labelled = self._labelled(merged(part for span in spans if (part := outside(span, own, seen)) is not None), seen)
        for span, label in self._without_who_reported(labelled, own, seen):
            begin, end = plain.at[span.begin], plain.at[span.end - 1] + 1
            pieces += [text[done:begin], label]
            redactions.append(Redaction(span.what, label))
            done = end
        return "".join([*pieces, text[done:]]), redactions

    def _found(self, seen: str, squeezed: Squeezed) -> tuple[list[Span], list[tuple[int, int]]]:
        """Find numbers and addresses: those of others, and the places of the person's own."""
        own = [(found.begin, found.end) for found in self._own_strings.find(squeezed)]
        spans: list[Span] = []
        for found in data_of_anybody(seen, self._home):
            if self._is_own(found, own, seen):
                own.append((found.begin, found.end))
            elif found.what != "date":
                spans.append(Span(found.begin, found.end, found.what, rank=1))
                if found.what == "address":  # what looks like the person's own in it is not
                    own = [(begin, end) for begin, end in own if not (found.begin <= begin and end <= found.end)]
            elif found.value in self._birth_dates:
                spans.append(Span(found.begin, found.end, "birth_date", rank=1))
        for found in self._known.find(squeezed):
            end = past_the_number(seen, found.end) if found.what == "address" else found.end
            spans.append(Span(found.begin, end, found.what, rank=1))
        of_others = bytearray(len(seen))  # what looks like the person's own in the e-mail address of another is not
        for span in spans:
            if span.what == "email":
                of_others[span.begin : span.end] = b"\1" * (span.end - span.begin)
        names = ((named.begin, named.end) for named in self._own_names.find(seen, squeezed) if named.part is Part.FULL)
        own += [(begin, end) for begin, end in names if 1 not in of_others[begin:end]]
        return spans, own

    def _named(self, seen: str, squeezed: Squeezed, barred: Sequence[tuple[int, int]], own: Sequence[tuple[int, int]]) -> Iterator[Span]:
        """Find the names of others, known and guessed."""
        guessable = without_own_name(seen, self._home)
        for named in self._names.find(seen, squeezed, barred):
            end = past_the_surname(guessable, named.end) if named.part is Part.FIRST and seen[named.begin].isupper() else named.end
            behind = seen[named.end : end]
            if (
                any(named.end < own_end and own_begin < end for own_begin, own_end in own)
                or fold(behind) in self._own_letters
                or fold(without_whose(behind.lstrip())) in self._own_firsts  # `Els van Fien`: whose she is
            ):
                end = self._past_own_first(guessable, named.end, end, own)
            yield Span(named.begin, end, "name", _rank(named), frozenset(self._alike[key] for key in named.keys))
        for guess in names_of_anybody(seen, self._home):
            guess = self._of_others(guess, seen, own)
            letters = fold(guess.value)
            if not letters or any(begin < guess.end and guess.begin < end for begin, end in own):
                continue
            if guess.what == "given_name" and fold(guess.value.split()[0]) in self._own_letters:
                continue
            head, line_break, _ = guess.value.partition("\n")
            if line_break and fold(head) in self._own_letters:  # the next speaker in a transcript
                continue
            if letters not in self._own_letters and fold(without_whose(guess.value)) not in self._own_letters:
                yield Span(guess.begin, guess.end, NAME_GUESS, 3, frozenset({"guess:" + fold(re.split(r"[\s-]", guess.value)[-1])}))
            elif guess.what == "titled" and letters in self._surnames:
                yield Span(guess.begin, guess.end, "name", 3, frozenset(self._alike[key] for key in self._surnames[letters]))

    def _past_own_first(self, guessable: str, named: int, end: int, own: Sequence[tuple[int, int]]) -> int:
        """Return where a name ends behind which a word of the person's own name stands. It is a second given
        name where a surname that is not the person's follows: `Els Fien Claes`."""
        if fold(guessable[named:end]) not in self._own_firsts:
            return named
        past = past_the_surname(guessable, end)
        is_own = fold(guessable[end:past]) in self._own_letters or any(begin < past and named < stop for begin, stop in own)
        return named if past == end or is_own else past

    def _of_others(self, guess: Found, seen: str, own: Sequence[tuple[int, int]]) -> Found:
        """Return a guess without the person's own name behind it, and without what joins the two: of `Els van
        Fien` only `Els`."""
        end = min((begin for begin, stop in own if guess.begin < begin < guess.end <= stop), default=guess.end)
        name = seen[guess.begin : end]
        if end < guess.end:
            name = before_whose(name).rstrip(EDGES)
        for word in _OWN_WORD.finditer(name):
            joined = before_whose(name[: word.start("name")])
            if fold(word["name"]) in self._own_firsts and joined != name[: word.start("name")]:
                name = joined
                break
        return Found(guess.begin, guess.begin + len(name), guess.what, name)

    def _encoded(self, text: str, plain: Tidy, seen: str) -> Iterator[Span]:
        """Find what stands for the name, number or address of another without being readable, such as base64:
        all of it is redacted."""
        places: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        for begin, end, said in _parts(text, plain, seen):
            places[said].append((begin, end))
        found: dict[str, Span] = {}
        words: list[str] = []
        for said, ((begin, end), *_) in places.items():
            if end - begin == len(said):  # digits for letters, which hide nothing else
                words.append(said)
                continue
            pieces = (view[at : at + 2 * _PIECE] for view in readings(said) for at in range(0, len(view), _PIECE))
            likely = (piece for piece in pieces if len(piece) < _LONG or self._may_be_in(piece))
            if others := next(filter(None, (self._others_in([piece]) for piece in likely)), None):
                found[said] = next(iter(others.values()))
        # Where nobody used a capital, a missing one says nothing: what has none is read apart.
        found |= self._others_in([word for word in words if word.islower()])
        found |= self._others_in([word for word in words if not word.islower()])
        for said, span in found.items():
            yield from (msgspec.structs.replace(span, begin=begin, end=end) for begin, end in places[said])

    def _may_be_in(self, view: str) -> bool:
        letters = letters_of(view)
        return self._names.may_be_in(letters) or self._known.may_be_in(letters)

    def _others_in(self, views: Sequence[str]) -> dict[str, Span]:
        """Find others in many short texts at once, each by its text."""
        begins = list(accumulate((len(view) + len(_APART) for view in views), initial=0))
        read = tidy(_APART.join(views))
        squeezed = squeeze(read.text)
        found: dict[str, Span] = {}
        for named in self._names.find(read.text, squeezed):
            if named.end - named.begin >= _SHORTEST_ENCODED:
                view = views[bisect_right(begins, read.at[named.begin]) - 1]
                found.setdefault(view, Span(named.begin, named.end, "name", 1, frozenset(self._alike[key] for key in named.keys)))
        for known in self._known.find(squeezed):
            view = views[bisect_right(begins, read.at[known.begin]) - 1]
            found.setdefault(view, Span(known.begin, known.end, known.what, rank=1))
        return found

    def _labelled(self, spans: Sequence[Span], seen: str) -> list[tuple[Span, str]]:
        """Return each span with its label. A first and a last name of one person, found apart, are one."""
        labelled: list[tuple[Span, str]] = []
        for span in spans:
            label = self._label_of(span)
            if labelled and span.keys:
                before, before_label = labelled[-1]
                if before_label == label and before.keys and _SAME_PERSON.fullmatch(seen, before.end, span.begin):
                    labelled[-1] = (Span(before.begin, span.end, before.what, before.rank, before.keys), label)
                    continue
            labelled.append((span, label))
        return labelled

    def _without_who_reported(
        self, labelled: Sequence[tuple[Span, str]], own: Sequence[tuple[int, int]], seen: str
    ) -> Iterator[tuple[Span, str]]:
        """Yield the same; a reporter's label stands also for a word like `mama` beside the name (R-119)."""
        taken = bytearray(len(seen))
        for begin, end in (*own, *((span.begin, span.end) for span, _ in labelled)):
            taken[begin:end] = b"\1" * (end - begin)
        for span, label in labelled:
            if label == label_for(FileRole.REPORTER, self._language):
                begin, end = with_who_it_is(seen, span.begin, span.end)
                if 1 not in taken[begin : span.begin] and 1 not in taken[span.end : end]:
                    span = Span(begin, end, span.what, span.rank, span.keys)
                    taken[begin:end] = b"\1" * (end - begin)
            yield span, label

    def _label_of(self, span: Span) -> str:
        if not span.keys:
            return label_for(span.what, self._language)
        keys = sorted(span.keys, key=self._care_of)
        if len(keys) > 1 and len({self._same_names(key) for key in keys}) > 1:
            return label_for("name", self._language)
        return self._labels.label(keys[0])

    def _care_of(self, key: str) -> tuple[int, str]:
        role = self._people[key].role if key in self._people else FileRole.OTHER
        return (CARE.index(role) if role in CARE else len(CARE), key)

    def _same_names(self, key: str) -> frozenset[str]:
        person = self._people.get(key)
        return frozenset({key}) if person is None else frozenset(fold(f"{first} {last}") for first, last in person.names)

    def _known_of(self, person: Protected) -> Iterator[tuple[str, str]]:
        """Yield the numbers and addresses of another, in normal form, that are not the shown person's too."""
        values = {
            "phone": numbers_of_people(person.phones, self._home.country),
            "email": [normal_email(email) for email in person.emails],
            "national_number": [letters for number in person.national_numbers if _is_told(letters := fold(number))],
        }
        for what, known in values.items():
            yield from ((what, value) for value in known if value and value not in self._own_values[what])
        for address in person.addresses:
            line = fold(address.split(",")[0])
            if len(line) >= SHORTEST_ADDRESS and not any(stands_in(line, own) for own in self._own_addresses):
                yield "address", address

    def _leak_terms_of(self, person: Protected) -> Iterator[tuple[str, str]]:
        """Yield what of that proves by itself who is meant: of an address street and number, no town."""
        for what, value in self._known_of(person):
            if what != "address":
                yield what, value
            elif _STREET_AND_NUMBER.match(line := value.split(",")[0]):
                yield what, line.strip()

    def _is_own(self, found: Found, own: Sequence[tuple[int, int]], seen: str) -> bool:
        if found.value in self._own_values.get(found.what, ()):
            return True
        if found.what == "phone":  # of another country, without its code
            return any(found.value == re.sub(r"\D", "", written) for written in self._shown.phones)
        if found.what == "birth_date":
            return any(found.value in days_in(written) for written in self._shown.birth_dates)
        if found.what == "address":
            if any(same_house(seen[found.begin : found.end], address) for address in self._shown.addresses):
                return True
            # An own street and number with a town behind it is still the own one, with another box it is a
            # neighbour's.
            return any(stands_in(found.value, address) for address in self._own_addresses) or any(
                begin == found.begin and end <= found.end and _TOWN.fullmatch(fold(seen[end : found.end])) for begin, end in own
            )
        return False

    def _safe_organisation(self, person: Protected) -> str:
        """Return the name of a service, unless it is named after a person of the file: then an empty
        string."""
        name = person.organisation.strip()
        return "" if not name or self._names.find(name, squeeze(name)) or any(letter in name for letter in "[]") else name


def _parts(text: str, plain: Tidy, seen: str) -> Iterator[tuple[int, int, str]]:
    """Yield the encoded parts of a text at their places in it as it is seen: what is made plain there may be
    two letters."""
    yield from encoded_parts(seen)
    if text != plain.text:
        for begin, end, said in of_pairs(text):
            yield bisect_left(plain.at, begin), bisect_left(plain.at, end), said


def _rank(named: Named) -> int:
    return {Part.FULL: 0, Part.INITIALS: 2}.get(named.part, 2)


def _is_told(letters: str) -> bool:
    """Return whether a national number, of any country, is long enough to be looked for in a text."""
    return len(letters) > _SHORTEST_NUMBER and sum(map(str.isdigit, letters)) >= _SHORTEST_NUMBER - 2
