"""The columns of a plan line in the languages of the organisation's people, and the words of a difference
between two plans. Codes stay what they are in every language."""

from collections.abc import Mapping
from typing import Final

from rules.model.languages import LANGUAGES, Language

_LINES: Final = (  # column; nl, fr, de, en: the order of `rules.model.languages`
    ("table", "tabel", "table", "Tabelle", "table"),
    ("id", "id", "id", "ID", "id"),
    ("outcome", "uitkomst", "résultat", "Ergebnis", "outcome"),
    ("disposition", "bestemming", "sort final", "Verbleib", "disposition"),
    ("retention_end", "einde van de bewaring", "fin de la conservation", "Ende der Aufbewahrung", "retention end"),
    ("reason", "reden", "motif", "Grund", "reason"),
    ("reasons", "redenen", "motifs", "Gründe", "reasons"),
    ("flags", "aandachtspunten", "points d’attention", "Hinweise", "flags"),
    ("categories", "categorieën", "catégories", "Kategorien", "categories"),
    ("rule", "regel", "règle", "Regel", "rule"),
    ("policy_version", "versie van het bewaarschema", "version du calendrier", "Version des Aufbewahrungsplans", "version of the schedule"),
    ("etag", "versie van de rij", "version de la ligne", "Version der Zeile", "version of the row"),
    ("anchor", "vertrekpunt", "point de départ", "Ausgangspunkt", "counted from"),
    ("anchor_on", "dag van het vertrekpunt", "jour du point de départ", "Tag des Ausgangspunkts", "counted from the day"),
    ("link", "link", "lien", "Link", "link"),
    ("change", "wijziging", "changement", "Änderung", "change"),
    ("why", "wat er veranderde", "ce qui a changé", "was sich änderte", "what changed"),
    ("fate", "lot", "sort", "Schicksal", "fate"),
    ("in words", "in woorden", "en mots", "in Worten", "in words"),
    ("before", "voordien", "avant", "vorher", "before"),
    ("after", "nadien", "après", "nachher", "after"),
    ("added", "toegevoegd", "ajouté", "hinzugekommen", "added"),
    ("removed", "verdwenen", "disparu", "weggefallen", "removed"),
    ("changed", "gewijzigd", "modifié", "geändert", "changed"),
    ("unchanged", "ongewijzigd", "inchangé", "unverändert", "unchanged"),
    ("delete", "verwijderen", "supprimer", "löschen", "delete"),
    ("anonymise", "anonimiseren", "anonymiser", "anonymisieren", "anonymise"),
    ("retain", "bewaren", "conserver", "aufbewahren", "keep"),
    ("none", "geen", "aucun", "kein Wert", "none"),
    ("instead of", "in plaats van", "au lieu de", "statt", "instead of"),
    ("units", "eenheden", "unités", "Einheiten", "units"),
    ("new here", "nieuw in dit plan", "nouveau dans ce plan", "neu in diesem Plan", "new in this plan"),
    ("not here", "niet meer in dit plan", "plus dans ce plan", "nicht mehr in diesem Plan", "in this plan no more"),
)
WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    language: {line[0]: line[1 + place] for line in _LINES} for place, language in enumerate(LANGUAGES)
}


def heading(column: str, language: Language | None) -> str:
    """Return a column as a person reads it; without a language its name in the plan file."""
    return column if language is None else WORDS[language][column]


def sheet_name(language: Language | None) -> str:
    """Return the name of a sheet of units."""
    return heading("units", language).capitalize()
