"""Harmless sentences in Dutch and French, with places for invented names."""

from typing import Literal

from connectors.emulator.seeding.draw import Draw

Language = Literal["nl", "fr"]
_LANGUAGES: tuple[Language, ...] = ("nl", "fr")

_CONVERSATIONS: dict[Language, tuple[str, ...]] = {
    "nl": (
        "Verzonnen samenvatting van het gesprek met {a} over {b}.",
        "{a} belde over {b} en vroeg om later terug te bellen.",
        "{a} stelde een vraag; {b} werd in het gesprek genoemd.",
        "Rustig gesprek met {a}. Afgesproken dat {b} op de hoogte blijft.",
        "{a} gaf door dat {b} in {town} verblijft. Alles hier is verzonnen.",
        "Korte opvolging: {a} bevestigt de afspraak met {b} in {town}.",
        "{a} wenst informatie over de werking. Doorverwezen via {b}.",
        "Verzonnen notitie: {a} en {b} spreken elkaar volgende week in {town}.",
    ),
    "fr": (
        "Résumé inventé de l'entretien avec {a} au sujet de {b}.",
        "{a} a appelé à propos de {b} et demande d'être rappelé plus tard.",
        "{a} a posé une question ; {b} est cité dans l'entretien.",
        "Entretien calme avec {a}. Convenu que {b} reste informé.",
        "{a} signale que {b} séjourne à {town}. Tout ceci est inventé.",
        "Bref suivi : {a} confirme le rendez-vous avec {b} à {town}.",
        "{a} souhaite des informations sur le service. Orienté par {b}.",
        "Note inventée : {a} et {b} se parlent la semaine prochaine à {town}.",
    ),
}

_SUMMARIES: dict[Language, tuple[str, ...]] = {
    "nl": (
        "Verzonnen dossier rond {a}. Contactpersoon is {b}, woonplaats {town}.",
        "Dossier over {a}, geopend na een vraag van {b}. Alles is fictief.",
        "{a} uit {town}; opvolging samen met {b}. Verzonnen gegevens.",
    ),
    "fr": (
        "Dossier inventé autour de {a}. Personne de contact : {b}, domicile {town}.",
        "Dossier sur {a}, ouvert après une question de {b}. Tout est fictif.",
        "{a} de {town} ; suivi avec {b}. Données inventées.",
    ),
}

_SUBJECTS: dict[Language, tuple[str, ...]] = {
    "nl": ("Opvolging {a}", "Vraag van {a}", "Afspraak met {a}", "Nota over {a}"),
    "fr": ("Suivi {a}", "Question de {a}", "Rendez-vous avec {a}", "Note sur {a}"),
}

_CHATS: dict[Language, str] = {
    "nl": "{a}: Hallo, een vraag.\nOnthaal: Dag {a}, vertel maar.\n{a}: Het gaat over {b} uit {town}.\n(verzonnen gesprek)",
    "fr": "{a} : Bonjour, une question.\nAccueil : Bonjour {a}, je vous écoute.\n{a} : C'est à propos de {b} de {town}.\n(chat inventé)",
}


def language(draw: Draw) -> Language:
    """Return a language: Dutch a little more often than French."""
    return draw.weighted(_LANGUAGES, (58, 42))


def conversation(draw: Draw, spoken: Language, names: list[str], town: str) -> str:
    """Return one to three sentences, as an intake officer would write them down; the last of two names or
    more is the speaker."""
    sentences = [
        _filled(draw, draw.pick(_CONVERSATIONS[spoken]), names[-1], names[:-1], town) for _ in range(draw.weighted((1, 2, 3), (5, 3, 2)))
    ]
    return " ".join(sentences)


def summary(draw: Draw, spoken: Language, names: list[str], town: str) -> str:
    return _filled(draw, draw.pick(_SUMMARIES[spoken]), names[0], names[1:], town)


def subject(draw: Draw, spoken: Language, name: str) -> str:
    return draw.pick(_SUBJECTS[spoken]).format(a=name)


def chat(spoken: Language, names: list[str], town: str) -> str:
    return _CHATS[spoken].format(a=names[-1], b=names[0], town=town)


def _filled(draw: Draw, sentence: str, who: str, others: list[str], town: str) -> str:
    return sentence.format(a=who, b=draw.pick(others), town=town)
