"""A case of two people who ask."""

from datetime import date
from typing import Any

from tests.drivers.night import Night

JAN: dict[str, Any] = {"firstname": "Jan", "lastname": "Wouterlood (fictief)", "emails": ["jan@example.org"], "birthdate": "1980-05-06",
                       "phones": ["+32470112233"], "nationalnumbers": []}  # fmt: skip
PIM: dict[str, Any] = {"firstname": "Pim", "lastname": "Onbekendes (fictief)", "emails": ["pim@example.org"], "birthdate": "1981-06-07",
                       "phones": ["+32470445566"], "nationalnumbers": []}  # fmt: skip


def a_case(org: Night, person: str) -> str:
    """A dossier in which somebody is suspected, with something of every kind in it, and others beside it."""
    dossier = org.dossier("grooming", closed=False, fiches=1, cf_name="D-2026-0666", cf_summary="Jan Wouterlood (fictief) stuurde beelden.")
    fiche = org.fiches_of(dossier)[0]
    org.patch("cf_fiches", fiche, cf_callernumber="+32470112233", cf_transmittedto="PZ Zuid (fictief)")
    org.party(person, "suspect", dossier=dossier)
    org.party(org.contact(firstname="Mina", lastname="Slachtoffer (fictief)"), "child", dossier=dossier)
    org.note("cf_dossier", dossier, notetext="Jan Wouterlood (fictief) is gezien.")
    org.note("contact", person, notetext="Zie D-2026-0666.")
    org.call("cf_fiche", fiche, [person])
    org.recording(date(2026, 11, 1), fiche=fiche, cf_callernumber="+32470112233")
    other = org.dossier("sexting", closed=False, cf_name="D-2026-0111")
    org.party(org.contact(firstname="Els", lastname="Andere (fictief)"), "reporter", dossier=other)
    return dossier
