"""The languages in which people are written to: the three of the country, and English (EXP-11); and those in
which pages and alerts speak to the people who work with them."""

from typing import Final, Literal, TypeAlias, get_args

Language: TypeAlias = Literal["nl", "fr", "de", "en"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
USUAL: Final[Language] = "nl"  # where nobody has said another
UiLanguage: TypeAlias = Literal["nl", "fr", "en"]
UI_LANGUAGES: Final[tuple[UiLanguage, ...]] = get_args(UiLanguage)
# Nobody reads the name of their language in another.
OWN_NAMES: Final[dict[str, str]] = {"nl": "Nederlands", "fr": "Français", "de": "Deutsch", "en": "English"}
