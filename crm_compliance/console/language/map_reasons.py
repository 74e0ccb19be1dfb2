"""Why a table or column of the data map has its fate, in the language of a page. The map says it in English,
also in what was kept of it; each text here is what it says, with blanks for names of tables and columns."""

import re
from collections.abc import Callable, Mapping
from typing import Final

MAP_REASONS: Final[Mapping[str, str]] = {
    "platform": "kept by the CRM itself",
    "pairs_left_out": "pairs of %(parent)s that the mapping does not read",
    "pairs": "pairs, removed by the CRM with %(parent)s",
    "removed": "removed by the CRM with %(parent)s",
    "documents": "the documents stay in SharePoint when the row that tells where they lie goes: "
    "name their sites in the setting sharepoint_sites",
    "restrict": "%(column)s keeps the CRM from deleting %(parent)s",
    "far_side": "only the pair goes with %(parent)s",
    "parent_stays": "it goes with %(parent)s alone, which does not go",
    "not_emptied": "%(column)s still has its id when %(parent)s has gone",
    "emptied": "%(column)s is only emptied when %(parent)s goes",
    "calculated": "the CRM makes it from other columns",
    "unfilled": "no field of the mapping is filled from it",
    "unfilled_lookup": "no field of the mapping is filled from it; rows of %(parent)s to which it points stay, and are not searched",
    "said": "said in the mapping",
    "some_rows": "%(place)s where %(condition)s; others are out of scope",
}
_PATTERNS: Final = {
    code: re.compile(re.sub(r"%\\?\((\w+)\\?\)s", r"(?P<\1>.+)", re.escape(text).replace(r"\ ", " "))) for code, text in MAP_REASONS.items()
}
_SIGNS: Final = ((" is ", " = "), (" or ", " / "), (" and ", " & "))  # a condition of the mapping, in no language


def reason_in(word: Callable[[str, str], str], why: str) -> str:
    """Return a reason of the map with the words of `word` (a kind of code and a code); what the organisation
    has written in its mapping, and a place in that file, as they are."""
    return ", ".join(_part(word, part) for part in re.split(r", (?=tables\.)", why))


def _part(word: Callable[[str, str], str], why: str) -> str:
    for code, pattern in _PATTERNS.items():
        if found := pattern.fullmatch(why):
            blanks = found.groupdict()
            for old, new in _SIGNS if "condition" in blanks else ():
                blanks["condition"] = blanks["condition"].replace(old, new)
            return word("map_reason", code) % blanks if blanks else word("map_reason", code)
    return why
