"""Names that nobody gave us, guessed from what is before them (a title, a relation, a word for being called)
or a common first name. They are only guessed: better too much than too little, and a person reads every text
(EXP-07). Source: EXP-06."""

import re
from collections.abc import Iterator
from typing import Final

from rules.people.name_words import GUESSED, JOINING, ORDINARY, as_written, is_no_name
from rules.redaction.first_names import FIRST_NAMES
from rules.redaction.patterns import Found
from rules.texts.folding import fold

# How people are addressed: behind these a particle is part of the name. With or without a capital; those with
# a dot also without it.
_ADDRESSES: Final = (
    r"mevrouw|mevr\.?|mw\.?|mijnheer|meneer|menheer|dhr\.?|de heer|heer|juffrouw|juffr\.?|mter\.?|dr\.?|prof\.?|ir\.?|madame|mme\.?|"
    r"mesdames|monsieur|messieurs|mr\.?|m\.|mm\.|mademoiselle|mlle\.?|me\.?|mrs\.?|ms\.?|miss|sir|herrn?|frau|fräulein"
)
# Trades and offices: behind these `van` may mean whose, and then it is not part of a name.
_TRADES: Final = (
    r"juf|meester|dokter|professor|hoofdinspecteur|inspecteur|commissaris|hoofdcommissaris|agente?|wijkagent|rechercheur|"
    r"onderzoeksrechter|jeugdrechter|rechter|procureur|substituut|advocate?|advocaat|notaris|griffier|pastoor|zuster|pater|"
    r"directeur|directrice|leerkracht|leraar|lerares|zorgleraar|zorgjuf|klastitularis|titularis|monitor|monitrice|leidster|leider|"
    r"opvoedster|opvoeder|begeleidster|begeleider|consulente?|psychologe|huisarts|tandarts|logopediste?|kinesist|"
    r"psycholoog|psychiater|therapeute?|trainer|trainster|coach|kapitein|gerechtsdeurwaarder|voogd|oppas|babysit(?:ter)?|"
    r"docteur|maître|maitre|inspectrice|commissaire|juge|substitut|avocate?|notaire|"
    r"greffier|abbé|éducatrice|éducateur|institutrice|instituteur|professeure?|prof|entraîneuse?|moniteur|tuteur|tutrice|"
    r"assistante sociale|assistant social|doctor|inspector|officer|detective|constable|judge|attorney|tutor|guardian|"
    r"doktor|kommissarin|kommissar|polizist(?:in)?|richterin|richter|anwältin|anwalt|lehrerin|lehrer|erzieherin|erzieher|"
    r"betreuerin|betreuer|trainerin|vormund|stiefvater|stiefmutter"
)
# Kinship and acquaintance: behind these `van` means whose, and is not part of a name.
_KIN: Final = (
    r"ex-(?:vriendin|vriend|vriendje|lief|man|vrouw|partner|copine|copain|petit ami|petite amie|mari|femme|compagne|compagnon|"
    r"boyfriend|girlfriend|husband|wife|freundin|freund|mann|frau)|"
    r"vriendin|vriend|vriendje|lief|ex|broer|broertje|zus|zusje|halfbroer|halfzus|stiefvader|stiefmoeder|pleegvader|pleegmoeder|"
    r"neef|nicht|tante|nonkel|oom|oma|opa|bomma|bompa|moeke|vake|grootmoeder|grootvader|mama|papa|moeder|vader|klasgenote|"
    r"klasgenoot|buurvrouw|buurman|collega|medewerkster|medewerker|vertrouwenspersoon|"
    r"soeur|sœur|amie|ami|copine|copain|petit ami|petite amie|frère|demi-frère|demi-sœur|demi-soeur|beau-père|belle-mère|"
    r"cousine|cousin|oncle|papy|mamie|grand-mère|grand-père|maman|mère|père|voisine|voisin|camarade|collègue|"
    r"teacher|friend|boyfriend|girlfriend|brother|sister|uncle|aunt|grandmother|grandfather|mother|father|mum|mom|dad|"
    r"neighbou?r|classmate|stepfather|stepmother|freundin|freund|bruder|schwester|onkel|großmutter|großvater|mutter|"
    r"vater|nachbarin|nachbar"
)
# Part in a file, and being called: `van` the same.
_RELATIONS: Final = (
    rf"{_KIN}|getuige|melder|melding door|familie|gezin|témoin|famille|witness|zeugin|zeuge|"
    r"genaamd|genoemd|heet|heten|noemt|naam is|zijn naam|haar naam|naam|bijgenaamd|"
    r"s'appelle|s'appelant|nommée?|dénommée?|prénommée?|surnommée?|nom|named|called|name is|name|nicknamed|heißt|heisst|namens|"
    r"genannt|name ist"
)
_TITLES: Final = rf"{_ADDRESSES}|{_TRADES}|{_RELATIONS}"
_CAPITAL: Final = r"[^\W\d_a-zà-öø-ÿ]"
_WORD: Final = rf"(?:(?:[dDlLOt]'|[dD]e|[vV]an|[mM]c|[mM]ac)?{_CAPITAL}[^\W\d_]+(?:['-][^\W\d_]+)*)"
_INITIAL: Final = rf"(?:{_CAPITAL}(?:\.-?{_CAPITAL})*(?:\.|(?!\w)))"
_PARTICLE: Final = rf"(?:{as_written(GUESSED)})"
_NAME: Final = (
    rf"(?:(?i:{_PARTICLE})[ -]){{0,4}}(?:{_WORD}|{_INITIAL})(?:(?:[ -]|\s)(?:(?i:{_PARTICLE})[ -]){{0,4}}(?:{_WORD}|{_INITIAL})){{0,3}}"
)
_GUESS: Final = re.compile(
    rf"(?<![\w-])(?=[^\W\d_])(?P<title>(?i:{_TITLES}))(?P<sep>\s?[:(\"«„“']\s?|\s+(?:(?:of|à|v\.)\s+)?|(?<=\.))(?P<name>{_NAME})"
)
_CALLED: Final = re.compile(
    rf"(?<![\w'-]){_WORD}(?:(?:[ -]|\s)(?:{_PARTICLE}[ -]){{0,4}}(?:(?i:{_PARTICLE})[ -]){{0,4}}(?:{_WORD}|{_INITIAL})){{0,3}}"
)
_SURNAME: Final = re.compile(rf" (?:(?i:{_PARTICLE})[ -]){{0,4}}(?P<word>{_WORD})")
_RELATION: Final = re.compile(rf"(?i:{_RELATIONS})")
_TRADE: Final = re.compile(rf"(?i:{_TRADES})")
_WHOSE: Final = re.compile(rf"^(?:(?:{_PARTICLE}[ -])+(?:d')?|d')(?=\w)")
_WHOSE_ONE: Final = re.compile(rf"^(?:(?:van|von|vom|de|du|des|der)[ -](?!{_PARTICLE}[ -])|d')(?=\w)")  # `van der Linden` is a name
_WHOSE_BEHIND: Final = re.compile(rf"(?:^|\s+)(?:(?:{_PARTICLE}|of|à|v\.)[ -]+)*(?:{_PARTICLE}|of|à|v\.|d')[ -]*$")
_TITLE: Final = re.compile(rf"(?i:{_TITLES})[.]?")
_WHO: Final = rf"(?i:{_ADDRESSES}|{_TRADES}|{_KIN})"
_WHO_BEFORE: Final = re.compile(rf"(?<![\w-])(?!(?i:me)\s){_WHO}(?:\s?:\s?|\s?(?P<open>\()\s?|\s+)$")
_A: Final = (
    r"(?i:de|het|een|haar|zijn|hun|mijn|la|le|l'|une?|sa|son|leur|ma|mon|the|an?|her|his|their|my|die|der|eine?|ihre?|seine?|meine?)"
)
_WHO_BEHIND: Final = re.compile(rf"\s?\((?:{_A}\s?)?{_WHO}\)|,\s(?:{_A}\s{_WHO}(?!\w|\s{_CAPITAL})|{_WHO}(?=\s(?:van|de|d'|of|von)\b))")
_REACH: Final = 40  # more than such a word is long

_FIRST_WORD: Final = re.compile(rf"^(?:(?i:{_PARTICLE})[ -])+(?=\S)|[\s-].*", re.DOTALL)


def guess_names(text: str) -> Iterator[Found]:
    """Yield what is likely a name in a tidy text. The value is the name as it is written, without the title.
    The class is `titled` behind a title, `related` behind a relation or a word for being called, `given_name`
    where only a common first name speaks for it."""
    taken = bytearray(len(text))
    for match in _GUESS.finditer(text):
        begin, end = match.span("name")
        begin, end = _without_titles(text, begin, end)
        is_related = _RELATION.fullmatch(match["title"]) is not None
        if is_related:
            begin = end - len(_WHOSE.sub("", text[begin:end]))
        elif _TRADE.fullmatch(match["title"]) is not None:
            begin = end - len(_WHOSE_ONE.sub("", text[begin:end]))
        if is_no_name(_FIRST_WORD.sub("", text[begin:end]).strip(".'")):
            continue
        if begin < end and _TITLE.fullmatch(text, begin, end) is None:
            end = begin + len(_before_a_sentence(text[begin:end]))
            taken[begin:end] = b"\1" * (end - begin)
            yield Found(begin, end, "related" if is_related else "titled", text[begin:end])
    for begin, end in _called(text):
        if 1 not in taken[begin:end]:
            yield Found(begin, end, "given_name", text[begin:end])


def before_whose(name: str) -> str:
    """Return a name without the words at its end that only say whose somebody is: of `Els van de ` nothing
    but `Els` remains."""
    return _WHOSE_BEHIND.sub("", name)


def without_whose(name: str) -> str:
    """Return a name without the same words at its beginning: of `van de Fien` nothing but `Fien` remains."""
    return _WHOSE.sub("", name)


def with_who_it_is(text: str, begin: int, end: int) -> tuple[int, int]:
    """Return a name with the words beside it that say who somebody is: `mama Sofie`, `mama (Sofie)`, `Sofie
    (mama)`, `Sofie, de mama van`."""
    while before := _WHO_BEFORE.search(text[max(0, begin - _REACH) : begin]):
        if before["open"] is not None:
            if text[end : end + 1] != ")":
                break
            end += 1
        begin -= len(before[0])
    behind = _WHO_BEHIND.match(text, end)
    return begin, end if behind is None else behind.end()


def past_the_surname(text: str, end: int) -> int:
    """Return the position after an unknown surname behind a first name that is known: `Katrien Verbeke`."""
    behind = _SURNAME.match(text, end)
    if behind is None:
        return end
    word = behind["word"].rstrip("'")
    return end if word.isupper() or is_no_name(word) or fold(word) in ORDINARY else behind.end()


def _called(text: str) -> Iterator[tuple[int, int]]:
    """Yield common first names, with the words of a name behind them."""
    place = 0
    while (match := _CALLED.search(text, place)) is not None:
        first = re.match(_WORD, match[0])
        word = first[0] if first is not None else match[0]
        if not {fold(word), fold(word.split("-")[0])} & FIRST_NAMES:
            place = match.start() + len(word)
            continue
        end = match.start() + len(_before_a_sentence(match[0]))
        yield match.start(), end
        place = end


def _without_titles(text: str, begin: int, end: int) -> tuple[int, int]:
    """Return the position of a name without titles: in `Frau Doktor Müller` it is the last word."""
    while begin < end:
        word = re.match(r"\S+\s+", text[begin:end])
        if word is None or _TITLE.fullmatch(word[0].strip()) is None:
            break
        begin += word.end()
    return begin, end


def _before_a_sentence(name: str) -> str:
    """Return a name, cut where an ordinary word with a capital follows."""
    words = re.split(r"(\s+)", name)
    for place in range(2, len(words), 2):
        word = words[place].strip(".'")
        is_joined = all(fold(before) in JOINING for before in words[:place:2])  # `von Stein`: what joins is not a name by itself
        if (is_no_name(word) or fold(word) in ORDINARY) and fold(word) not in JOINING and not is_joined:
            return "".join(words[: place - 1])
    return name
