"""The people of the redaction tests, all of them fictitious, and their redactor."""

from rules.redaction.people import Protected, Shown
from rules.redaction.redactor import Redactor

LOTTE = Shown(
    names=(("Lotte", "Peeters"),),
    phones=("02 475 44 99",),
    emails=("lotte.p@voorbeeld.be",),
    national_numbers=("08.02.29-998.89",),
    addresses=("Kerkstraat 12",),
    birth_dates=("2010-04-03",),
)

MOTHER = Protected(
    "mother",
    "parent",
    names=(("Els", "Peeters"),),
    phones=("0475 12 34 56", "+3224754499"),
    emails=("els.peeters@voorbeeld.be",),
    addresses=("Kerkstraat 12", "Molenweg 7, 9000 Gent"),
    birth_dates=("1980-05-07",),
)
REPORTER = Protected("reporter", "reporter", names=(("Katrien", "De Smet"),), phones=("09 222 33 44",), emails=("katrien@voorbeeld.be",))
SUSPECT = Protected("suspect", "suspect", names=(("Karim", "El Khattabi"),))
WITNESS = Protected("witness", "witness", names=(("Marc", "Van den Broeck"),))
NEIGHBOUR = Protected("neighbour", "witness", names=(("Noël", "D'Hondt"),), national_numbers=("85.07.30-997.34",))
CARER = Protected("carer", "professional", names=(("Ann", "Claes"),), organisation="CAW Voorbeeldstad")
OFFICER = Protected("officer", "staff", names=(("Sofie", "Wouters"),))
OTHERS = (MOTHER, REPORTER, SUSPECT, WITNESS, NEIGHBOUR, CARER, OFFICER)


def a_redactor(*others: Protected, shown: Shown = LOTTE, language: str = "nl") -> Redactor:
    return Redactor(others or OTHERS, shown, language)
