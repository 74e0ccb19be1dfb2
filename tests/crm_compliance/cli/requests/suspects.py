"""People of whom one is suspected in a file, and who ask. All are fictitious."""

from typing import Any

from tests.drivers.asking import Asking
from tests.drivers.night import Night
from tests.drivers.typist import Typist

JAN: dict[str, Any] = {"firstname": "Jan", "lastname": "Wouterlood (fictief)", "emails": ["jan@example.org"]}
PIET: dict[str, Any] = {"firstname": "Piet", "lastname": "Onbekend (fictief)", "emails": ["piet@example.org"]}


def jan(org: Night, **more: Any) -> str:
    return org.contact(firstname="Jan", lastname="Wouterlood (fictief)", emailaddress1="jan@example.org", **more)


def suspect(org: Night, contact: str, dossier: str, until: str | None = None) -> str:
    role = org.party(contact, "suspect", dossier=dossier)
    org.patch("cf_parties", role, cf_suspectuntil=until)
    return role


def asked_by(typist: Typist, given: dict[str, Any], *contacts: str, **more: Any) -> Asking:
    asking = Asking(typist).open(given, **more).identify().confirm(*contacts)
    asking.compile()
    return asking
