"""What the search for a person's records calls the same name, redaction finds, and the last look too: a name
that one folds one way and the other another is a leak (IDN-13 to IDN-15, EXP-06). All are fictitious."""

import unicodedata
from collections.abc import Callable

import pytest

from jobs.requests.search.mentions import Sought
from rules.model.personal_records import FullContact
from rules.people.names import Likeness, first_names_alike, last_names_alike, name_of
from rules.redaction.known_names import KnownNames
from rules.redaction.leak_terms import LeakTerms, name_leak_term
from rules.texts.folding import fold, letters_of, plain_letters, squeeze, squeeze_quickly, tidy

FIRST = ("Els", "Noël", "Marie-Claire", "Fatıma", "Jürgen", "Åse", "Łukasz", "Saʿid", "Sa'id", "Sa’d", "N'Golo", "Al'a", "Jo-Ann")
LAST = (
    "Van den Broeck", "D'Hondt", "De Smet", "El Khattabi", "Janssens-Peeters", "Müller", "Groß", "Œvray", "Ait Ali", "Đorđević",
    "Łuczak", "Al ʿAbid", "O'Neill", "Ten Have", "von der Heide", "Strauß-Köhler", "Vandenbroeck", "de la Tour", "Ó Súilleabháin",
    "Yıldız", "Sa'id",
)  # fmt: skip


def _with(sign: str, other: str) -> Callable[[str], str]:
    return lambda name: name.replace(sign, other)


WRITTEN: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "upper": str.upper,
    "title": str.title,
    "decomposed": lambda name: unicodedata.normalize("NFD", name),
    "without accents": lambda name: "".join(sign for sign in unicodedata.normalize("NFD", name) if not unicodedata.combining(sign)),
    "zero width": "\u200b".join,
    "soft hyphens": "\u00ad".join,
    "full width": lambda name: "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in name),
    **{f"apostrophe {ord(sign):x}": _with("'", sign) for sign in "’‘ʼʻ`´ʾʿ· "},
    **{f"hyphen {ord(sign):x}": _with("-", sign) for sign in "‐‑–_/ "},
    "without apostrophe": lambda name: name.replace("'", ""),
    "without hyphen": lambda name: name.replace("-", ""),
    "joined": lambda name: name.replace(" ", ""),
    "hyphens": lambda name: name.replace(" ", "-"),
    "dots": lambda name: name.replace(" ", ". "),
    "ligatures apart": lambda name: name.replace("ß", "ss").replace("Œ", "Oe").replace("ł", "l").replace("Ł", "L"),
    "particles behind": lambda name: f"{name.split()[-1]}, {' '.join(name.split()[:-1])}".rstrip(", "),
    "without particles": lambda name: name.split()[-1],
    "half joined": lambda name: "".join(name.rsplit(" ", 1)),
    "turned": lambda name: "-".join(reversed(name.split("-"))),
}


def _spellings(name: str) -> set[str]:
    return {two(one(name)) for one in WRITTEN.values() for two in WRITTEN.values()}


def _finds(known: KnownNames, text: str) -> bool:
    plain = tidy(text).text
    return bool(known.find(plain, squeeze(plain)))


@pytest.mark.parametrize("last", LAST)
def test_a_surname_that_is_the_same_to_the_search_is_redacted_and_refused(last: str) -> None:
    known, leak_terms = KnownNames([("a", "", last)]), LeakTerms([name_leak_term("Katrijn", last)])
    same = [one for one in _spellings(last) if last_names_alike(name_of(last), name_of(one)) is Likeness.SAME]
    assert len(same) > 10
    assert [one for one in same if not _finds(known, f"Toen belde Katrijn {one} nog.")] == []
    assert [one for one in same if not leak_terms.found_in(f"Toen belde Katrijn {one} nog.")] == []


@pytest.mark.parametrize(("last", "written"), [("Vandenbroeck", "Broeck"), ("Delatour", "Latour"), ("Elkhattabi", "Khattabi")])
def test_a_particle_that_is_written_on_to_a_surname_may_be_missing_beside_the_first_name(last: str, written: str) -> None:
    assert last_names_alike(name_of(last), name_of(written)) is Likeness.SAME
    for text in (f"Toen belde Katrijn {written} nog.", f"Toen belde {written}, Katrijn nog."):
        assert _finds(KnownNames([("a", "Katrijn", last)]), text)
        assert LeakTerms([name_leak_term("Katrijn", last)]).found_in(text)


@pytest.mark.parametrize("first", FIRST)
def test_a_first_name_that_is_the_same_to_the_search_is_redacted(first: str) -> None:
    known, leak_terms = KnownNames([("a", first, "")]), LeakTerms([name_leak_term(first, "Quaghebeur")])
    same = [one for one in _spellings(first) if first_names_alike(name_of(first), name_of(one)) is Likeness.SAME]
    assert len(same) > 10
    assert [one for one in same if not _finds(known, f"Toen belde {one} nog.")] == []
    assert [one for one in same if not leak_terms.found_in(f"Toen belde {one} Quaghebeur nog.")] == []


@pytest.mark.parametrize("last", LAST)
def test_whoever_is_found_in_a_text_is_redacted_there(last: str) -> None:
    sought = Sought([FullContact(id="q", first_name="Katrijn", last_name=last)])
    known = KnownNames([("a", "Katrijn", last)])
    texts = [f"Toen belde Katrijn {one} nog." for one in _spellings(last)]
    assert [text for text in texts if sought.found_in(text) and not _finds(known, text)] == []


@pytest.mark.parametrize("name", [*FIRST, *LAST])
def test_every_way_to_fold_gives_the_same_letters(name: str) -> None:
    for one in _spellings(name):
        letters = fold(one)
        assert letters == squeeze(one).text == squeeze_quickly(one).lower() == letters_of(one)
        assert letters == "".join(filter(str.isalnum, plain_letters(one)))
        assert letters == name_of(one).key
