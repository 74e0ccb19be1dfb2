"""Names as people write them, in forms that can be compared. A likeness only ever widens a list of
candidates; a person decides. Source: IDN-13 to IDN-16."""

import re
from collections.abc import Iterable
from enum import IntEnum
from itertools import pairwise
from typing import Final

import msgspec
from rapidfuzz.distance import OSA

from rules.people.name_words import NAMELESS, PARTICLES
from rules.texts.folding import plain_letters

# Particles as they are written on to the name: the longest first, for `vanden` begins with `van`. Bare d and
# l are too short to tell.
_JOINED: Final = tuple(sorted((word for word in PARTICLES if len(word) > 1), key=len, reverse=True))
_SHORTEST_REST: Final = 3
ADDED: Final = re.compile(r"[(\[][^)\]\n]*[)\]]")
_REMOVED: Final = {ord(character): None for character in "'’‘ʼʻ`´ʾʿ.·"}
_HYPHENS: Final = re.compile(r"[-_/,;:&+]+")
_NOT_A_WORD: Final = re.compile(r"[^a-z0-9 ]+")

# Spellings that are one name to many who write it (IDN-16), in this order: Dutch, French, Arabic and Berber,
# Turkish, Slavic.
_SPELLINGS: Final = (
    ("eaux", "o"), ("eau", "o"), ("aux", "o"), ("ault", "o"), ("auld", "o"), ("au", "o"),
    ("sky", "ski"), ("skij", "ski"), ("ij", "y"), ("tsch", "X"), ("tsj", "X"), ("tch", "X"), ("sch", "X"), ("sj", "X"), ("ch", "X"),
    ("sh", "X"), ("cq", "k"), ("ck", "k"), ("qu", "k"), ("q", "k"), ("kh", "g"), ("gh", "g"), ("dj", "j"), ("ph", "f"), ("th", "t"),
    ("x", "ks"), ("c", "k"), ("z", "s"),
    ("ae", "a"), ("ou", "u"), ("oe", "u"), ("ue", "u"), ("y", "i"), ("j", "i"), ("w", "v"),
)  # fmt: skip
_ENDINGS: Final = (("skaia", "ski"), ("ska", "ski"), ("ova", "ov"), ("eva", "ev"))
_SILENT: Final = frozenset("stdeX")
_VOWELS: Final = frozenset("aeiou")
_FEWEST_CONSONANTS: Final = 3
# Keys that are side by side on a Belgian or a Dutch keyboard.
_SIDE_BY_SIDE: Final = tuple(
    {*pair} for row in ("azertyuiop", "qwertyuiop", "qsdfghjklm", "asdfghjkl", "wxcvbn", "zxcvbnm") for pair in pairwise(row)
)


class Likeness(IntEnum):
    """How much two names are alike. SAME is one name by IDN-13 to IDN-15; ALIKE only widens: another
    spelling, a slip, a part (IDN-16)."""

    NONE = 0
    ALIKE = 1
    SAME = 2


class Name(msgspec.Struct, frozen=True):
    """One name, ready to be compared. `key` is all of it in one word, `core` the same without particles,
    `words` the core's words. `cores` are what may remain without particles that are joined to the name;
    `spelling` is the core in the one spelling of IDN-16."""

    key: str
    core: str
    words: tuple[str, ...]
    cores: frozenset[str]
    spelling: str

    def __bool__(self) -> bool:
        return bool(self.key)

    @property
    def is_initials(self) -> bool:
        """Whether there are only letters that stand alone: `J. P.`."""
        return len(self.key) == len(self.words)


def comparison_key(text: str) -> str:
    """Return the comparison key of IDN-13: `D'Hondt`, `Dhondt` and `d’hondt` have the same. Other scripts are
    written in Latin letters. Applied again it stays as it is."""
    return " ".join(_folded(text).translate({ord("-"): None}).split())


def name_of(text: str) -> Name:
    """Read a last name, or a first name, or a name that is both."""
    words = _words(text)
    core = tuple(word for word in words if word not in PARTICLES) or words
    joined = "".join(core)
    cores = {joined} | ({unjoined(core[0]) + "".join(core[1:])} if core else set())
    return Name("".join(words), joined, core, frozenset(cores), _spelling(joined))


def last_names_alike(wanted: Name, other: Name) -> Likeness:
    """Return how much two last names are alike: particles in any form, a double name in either order or cut
    (IDN-14, IDN-15)."""
    if not wanted or not other:
        return Likeness.NONE
    if wanted.key == other.key or wanted.cores & other.cores or sorted(wanted.words) == sorted(other.words):
        return Likeness.SAME
    if _is_cut(wanted.words, other.words) or _is_slip(wanted, other):
        return Likeness.ALIKE
    return Likeness.NONE


def first_names_alike(wanted: Name, other: Name) -> Likeness:
    """Return how much two first names are alike: a second one may be missing, and an initial may stand for
    the first (IDN-15)."""
    if not wanted or not other:
        return Likeness.NONE
    if wanted.key == other.key or wanted.core == other.core or sorted(wanted.words) == sorted(other.words):
        return Likeness.SAME
    one, two = wanted.words[0], other.words[0]
    if one == two and len(one) > 1 and 1 in (len(wanted.words), len(other.words)):
        return Likeness.SAME
    if one[0] == two[0] and (wanted.is_initials or other.is_initials):
        return Likeness.ALIKE
    shared = any(len(word) > 1 and word in other.words for word in wanted.words)
    if (
        shared
        or _is_slip(wanted, other, of_first_name=True)
        or (len(wanted.words) + len(other.words) > 2 and _is_slip(name_of(one), name_of(two), of_first_name=True))
    ):
        return Likeness.ALIKE
    return Likeness.NONE


def whole_names_alike(first: Name, last: Name, whole: Name) -> Likeness:
    """Return how much a name in one piece, as of a participant, is like this person's, in any order."""
    if not last or not whole or not first:
        return Likeness.NONE
    if sorted(first.words + last.words) == sorted(whole.words) or whole.core in (first.core + last.core, last.core + first.core):
        return Likeness.SAME
    best = Likeness.NONE
    for cut in range(1, len(whole.words)):
        head, rest = _part(whole.words[:cut]), _part(whole.words[cut:])
        for one, two in ((head, rest), (rest, head)):
            best = max(best, min(first_names_alike(first, one), last_names_alike(last, two)))
    return best


def _part(words: tuple[str, ...]) -> Name:
    return name_of(" ".join(words))


def _folded(text: str) -> str:
    bare = text if text.isascii() else text.translate(_REMOVED)
    return _HYPHENS.sub("-", plain_letters(bare).translate(_REMOVED))


def _words(text: str) -> tuple[str, ...]:
    """Return the words of a name, without what stands in brackets, unless there is nothing else."""
    bare = ADDED.sub(" ", text)
    words = tuple(_NOT_A_WORD.sub(" ", _folded(bare if bare.strip() else text).replace("-", " ")).split())
    return () if NAMELESS.issuperset(words) else words


def unjoined(word: str) -> str:
    """Return a surname without the particle that is written on to it: `broeck` of `vandenbroeck`."""
    for particle in _JOINED:
        if word.startswith(particle) and len(word) - len(particle) >= _SHORTEST_REST:
            return word[len(particle) :]
    return word


def _is_cut(one: tuple[str, ...], two: tuple[str, ...]) -> bool:
    """Return whether one is a double name of which the other has a part."""
    few, many = sorted((set(one), set(two)), key=len)
    return few < many and any(len(word) >= _SHORTEST_REST for word in few)


def _is_slip(wanted: Name, other: Name, *, of_first_name: bool = False) -> bool:
    """Return whether the names differ by a spelling of IDN-16 or by a slip of the pen; never by a digit or by
    a letter that stands alone. With another consonant a first name is another first name (Fatima, Fatiha),
    unless the two keys lie side by side."""
    if _telling(wanted.words) != _telling(other.words):
        return False
    if wanted.spelling == other.spelling or _same_sound(wanted.spelling, other.spelling):
        return True
    pairs = {(one, two) for one in wanted.cores for two in other.cores} | {(wanted.key, other.key)}
    return any(
        OSA.distance(one, two, score_cutoff=allowed) <= allowed and not (of_first_name and _is_other_consonant(one, two))
        for one, two in pairs
        if (allowed := slips(min(len(one), len(two))))
    )


def _is_other_consonant(one: str, two: str) -> bool:
    if len(one) != len(two):
        return False
    changed = [{a, b} for a, b in zip(one, two, strict=True) if a != b]
    return len(changed) == 1 and not changed[0] & _VOWELS and not any(changed[0] <= keys for keys in _SIDE_BY_SIDE)


def slips(length: int) -> int:
    """Return how many slips of the pen a name of so many letters may have."""
    return 0 if length < 5 else 1 if length < 9 else 2


def _telling(words: Iterable[str]) -> list[str]:
    return sorted(word for word in words if len(word) == 1 or not word.isalpha())


def _same_sound(one: str, two: str) -> bool:
    """Return whether only vowels differ, and few of them: Mohamed and Muhammad, Youssef and Yusuf, but not
    Fatima and Fatiha."""
    bones = skeleton(one)
    return len(bones) >= _FEWEST_CONSONANTS and bones == skeleton(two) and OSA.distance(one, two, score_cutoff=2) <= 2


def skeleton(spelling: str) -> str:
    """Return the consonants of a spelling, with the vowel that it begins with."""
    return spelling[:1] + "".join(letter for letter in spelling[1:] if letter not in _VOWELS)


def _spelling(core: str) -> str:
    for written, read in _SPELLINGS:
        if written in core:
            core = core.replace(written, read)
    once = "".join(letter for index, letter in enumerate(core) if index == 0 or letter != core[index - 1])
    for ending, read in _ENDINGS:
        if once.endswith(ending):
            return once[: -len(ending)] + read
    while len(once) > 4 and once[-1] in _SILENT:
        once = once[:-1]
    return once
