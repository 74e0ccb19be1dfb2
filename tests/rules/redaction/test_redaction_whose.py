"""Who is somebody of whom: what joins two people is not a name, and the person of the answer is never a
stranger in it. All are fictitious."""

import pytest

from rules.redaction.people import Protected, Shown
from rules.redaction.redactor import Redactor

FIEN = Shown(names=(("Fien", "Vandaele"),))
ELISE = Shown(names=(("Elise", "Dufour"),))
MOTHER = Protected("m", "mother", names=(("Katrien", "Quaghebeur"),))


@pytest.mark.parametrize("whose", ["van", "van de", "v."])
@pytest.mark.parametrize(
    "who",
    [
        "De leraar",
        "de juf",
        "Meester",
        "de coach",
        "De papa",
        "de mama",
        "de trainer",
        "mijn oma",
        "de huisarts",
        "de psycholoog",
        "de beste vriendin",
        "de voogd",
    ],
)
def test_in_dutch(who: str, whose: str) -> None:
    redacted = Redactor((MOTHER,), FIEN, "nl").redact(f"{who} {whose} Fien belde met Katrien Quaghebeur.")
    assert redacted.text == f"{who} {whose} Fien belde met [moeder]."


@pytest.mark.parametrize(
    "who",
    [
        "La mère d'", "le papa d'", "L'institutrice d'", "le coach d'", "la prof d'", "le directeur d’",
        "le médecin d'",
    ],
)  # fmt: skip
def test_in_french(who: str) -> None:
    assert Redactor((MOTHER,), ELISE, "fr").redact(f"{who}Elise a appelé.").text == f"{who}Elise a appelé."
    whose = who[:-2] + "de "
    assert Redactor((MOTHER,), FIEN, "fr").redact(f"{whose}Fien a appelé.").text == f"{whose}Fien a appelé."


@pytest.mark.parametrize(
    "who",
    ["Die Lehrerin von", "Der Trainer von", "Die Mutter von", "die Mutter der", "der Papa von", "die Betreuerin von", "Der Freund von"],
)
def test_in_german(who: str) -> None:
    assert Redactor((MOTHER,), FIEN, "de").redact(f"{who} Fien rief an.").text == f"{who} Fien rief an."


@pytest.mark.parametrize(
    "who",
    [
        "The teacher of", "the coach of", "The mother of", "her dad, the guardian of", "a friend of",
    ],
)  # fmt: skip
def test_in_english(who: str) -> None:
    assert Redactor((MOTHER,), FIEN, "en").redact(f"{who} Fien called.").text == f"{who} Fien called."


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("De leraar van Fien Vandaele belde.", "De leraar van Fien Vandaele belde."),
        ("Juf Els van Fien belde.", "Juf [derde 1] van Fien belde."),
        ("Juf Els van Fien Vandaele belde.", "Juf [derde 1] van Fien Vandaele belde."),
        ("Meester Jan van de Fien", "Meester [derde 1] van de Fien"),
        ("de leraar van Wout", "de leraar van [derde 1]"),
        ("de moeder van Wout", "de moeder van [derde 1]"),
        ("la mère d'Ondine", "la mère d'[derde 1]"),
        ("the mother of Wout", "the mother of [derde 1]"),
        ("mevrouw van Dijck", "mevrouw [derde 1]"),
        ("dr. van der Linden", "dr. [derde 1]"),
        ("meester van der Linden", "meester [derde 1]"),
        ("de heer d'Hondt", "de heer [derde 1]"),
        ("Frau von Stein", "Frau [derde 1]"),
        ("mevrouw Vandaele", "mevrouw Vandaele"),
    ],
)
def test_what_joins_two_people_is_no_name(text: str, told: str) -> None:
    assert Redactor((MOTHER,), FIEN, "nl").redact(text).text == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Juf Els van Fien belde.", "Juf [derde 1] van Fien belde."),
        ("Els van Fien belde.", "[derde 1] van Fien belde."),
        ("Els van Dijck belde.", "[derde 1] belde."),
        ("Els Fien Claes belde.", "[derde 1] belde."),
        ("Els Fien Vandaele belde.", "[derde 1] Fien Vandaele belde."),
        ("Els Fien Toen belde ze.", "[derde 1] Fien Toen belde ze."),
        ("Els Fien belde.", "[derde 1] Fien belde."),
        ("Els Fien Quaghebeur belde.", "[derde 1] belde."),
    ],
)
def test_the_name_of_the_person_is_no_surname_of_somebody_whose_first_name_is_known(text: str, told: str) -> None:
    els = Protected("els", "other", names=(("Els", "Wouters"),))
    assert Redactor((MOTHER, els), FIEN, "nl").redact(text).text == told
