"""The languages in which people are written to: the three of the country, and English (EXP-11)."""

from typing import Final, Literal, TypeAlias, get_args

Language: TypeAlias = Literal["nl", "fr", "de", "en"]
LANGUAGES: Final[tuple[str, ...]] = get_args(Language)
USUAL: Final[Language] = "nl"  # where nobody has said another
