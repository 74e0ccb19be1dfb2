"""What stands in the place of somebody or something that is not shown: `[ouder]`, `[derde 1]`,
`[telefoonnummer]`. Source: EXP-06, EXP-11, R-118."""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from rules.model.languages import LANGUAGES

# Role or class -> the words, in the order of LANGUAGES.
_WORDS: Final[Mapping[str, tuple[str, str, str, str]]] = MappingProxyType(
    {
        "child": ("kind", "enfant", "Kind", "child"),
        "mother": ("moeder", "mère", "Mutter", "mother"),
        "father": ("vader", "père", "Vater", "father"),
        "parent": ("ouder", "parent", "Elternteil", "parent"),
        "guardian": ("voogd", "tuteur", "Vormund", "guardian"),
        "reporter": ("melder", "auteur du signalement", "meldende Person", "reporting person"),
        "witness": ("getuige", "témoin", "Zeuge", "witness"),
        "suspect": ("persoon", "personne", "Person", "person"),
        "professional": ("hulpverlener", "intervenant", "Fachkraft", "professional"),
        "staff": ("medewerker", "membre du personnel", "Personalmitglied", "staff member"),
        "other": ("derde", "tiers", "Drittperson", "third party"),
        "name": ("naam", "nom", "Name", "name"),
        "phone": ("telefoonnummer", "numéro de téléphone", "Telefonnummer", "phone number"),
        "email": ("e-mailadres", "adresse e-mail", "E-Mail-Adresse", "e-mail address"),
        "address": ("adres", "adresse", "Adresse", "address"),
        "national_number": ("nationaal nummer", "numéro national", "nationale Kennziffer", "national number"),
        "birth_date": ("geboortedatum", "date de naissance", "Geburtsdatum", "date of birth"),
        "account": ("rekeningnummer", "numéro de compte", "Kontonummer", "account number"),
        "ip_address": ("IP-adres", "adresse IP", "IP-Adresse", "IP address"),
        "link": ("link", "lien", "Link", "link"),
        "handle": ("gebruikersnaam", "nom d'utilisateur", "Benutzername", "user name"),
        "position": ("plaats op de kaart", "position sur la carte", "Ort auf der Karte", "position on the map"),
        "document": (
            "nummer van een document of toestel",
            "numéro de document ou d'appareil",
            "Dokument- oder Gerätenummer",
            "number of a document or device",
        ),
        "plate": ("nummerplaat", "plaque d'immatriculation", "Kennzeichen", "number plate"),
        "picture": ("beeld of bestand", "image ou fichier", "Bild oder Datei", "picture or file"),
    }
)
_ALWAYS_NUMBERED = frozenset({"child", "witness", "other"})
_NUMBERED_IF_SEVERAL = frozenset({"mother", "father", "parent", "guardian", "professional"})
_LETTERS = "XYZ"

_KNOWN = "|".join(sorted({re.escape(word) for words in _WORDS.values() for word in words}, key=lambda word: (-len(word), word)))
LABEL: Final = re.compile(rf"\[(?:{_KNOWN})(?: (?:\d{{1,3}}|[{_LETTERS}]\d{{0,3}}))?\]")


def word_for(what: str, language: str) -> str:
    """Return the word for a role or a class, in Dutch where we do not have the language (EXP-11)."""
    return _WORDS[what][LANGUAGES.index(language) if language in LANGUAGES else 0]


def label_for(what: str, language: str) -> str:
    """Return the label for a class of data: `[telefoonnummer]`."""
    return f"[{word_for(what, language)}]"


class Labels:
    """The labels of one package: a person has the same throughout, numbered in the order of their first use.

    A reporter, a member of staff and an unknown role distinguish nobody: a reporter is always `[melder]`, so
    that nothing can be counted or linked (R-119). A role that occurs once in a package has no number, except
    where more may turn up while texts are read."""

    def __init__(self, roles: Sequence[tuple[str, str, str]], language: str) -> None:
        """Prepare the labels. `roles` are key, role and organisation of everybody who is known; an
        organisation is shown for a professional."""
        self._language = language
        self._roles = {key: role if role in _WORDS else "other" for key, role, _ in roles}
        self._organisations = {key: organisation for key, role, organisation in roles if role == "professional" and organisation}
        self._nameless = [role for key, role in self._roles.items() if key not in self._organisations]
        self._given: dict[str, str] = {}
        self._counts: dict[str, int] = {}

    def label(self, key: str) -> str:
        """Return the label of a person. A key that nobody has is a further third party."""
        if key not in self._given:
            self._given[key] = self._new(key)
        return self._given[key]

    def _new(self, key: str) -> str:
        organisation = self._organisations.get(key)
        if organisation:
            return f"[{organisation}]"
        role = self._roles.get(key, "other")
        word = word_for(role, self._language)
        if role == "suspect":
            return f"[{word} {self._letter()}]"
        if role in _ALWAYS_NUMBERED or (role in _NUMBERED_IF_SEVERAL and self._nameless.count(role) > 1):
            return f"[{word} {self._next(role)}]"
        return f"[{word}]"

    def _next(self, role: str) -> int:
        self._counts[role] = self._counts.get(role, 0) + 1
        return self._counts[role]

    def _letter(self) -> str:
        number = self._next("suspect") - 1
        turn = number // len(_LETTERS)
        return _LETTERS[number % len(_LETTERS)] + (str(turn + 1) if turn else "")
