"""What the organisation says, in the languages in which it writes, and which of the product's own sentences
it may word itself.

The sentences of the law are not among them: what has to be said to a person is the same for every
organisation.
"""

from typing import Final, Literal, TypeAlias

from rules.files.model import Model, Text
from rules.model.languages import LANGUAGES


class Words(Model):
    """A text in the languages in which the organisation writes: each of `languages`, no other is asked
    for."""

    nl: Text | None = None
    """In Dutch."""
    fr: Text | None = None
    """In French."""
    de: Text | None = None
    """In German."""
    en: Text | None = None
    """In English."""

    def in_language(self, language: str) -> str:
        """Return the text in a language; empty where it has none there."""
        return str(getattr(self, language, None) or "")

    @property
    def by_language(self) -> dict[str, str]:
        """The text by language, those alone in which there is one."""
        return {language: text for language in LANGUAGES if (text := self.in_language(language))}


OwnTable: TypeAlias = Literal[
    "child", "message", "message_child", "letter", "words", "kind", "kind_on_behalf", "searched", "role", "role_on_behalf", "source",
    "source_on_behalf", "recipient_category", "data_category", "data_category_on_behalf", "withheld", "place", "field", "value",
    "criterion", "criterion_on_behalf", "refusal_more", "refusal_more_on_behalf",
]  # fmt: skip
OPEN_TABLES: Final = frozenset({"value"})  # codes of the organisation's own CRM, which no text of ours knows
# Of these tables the rest is the law's, or holds the letter together.
ONLY: Final[dict[str, frozenset[str]]] = {
    "letter": frozenset({"salutation", "salutation_minor", "closing", "closing_minor", "signature"}),
    "words": frozenset({"title", "dossier", "dossier_means", "fiche", "fiche_means", "processor_means"}),
}
