"""A night whose proof is checked, with words that no proof may hold."""

from datetime import date
from pathlib import Path

from tests.drivers.clock import NOW
from tests.drivers.night import Night, approve_where_needed
from tests.drivers.typist import Typist

LONG_AGO = date(2018, 3, 1)
CANARIES = ("Wouter Verzonnen", "+32470000000", "wouter@example.org", "85.07.30-997.34")


def a_night(typist: Typist, org: Night) -> tuple[str, str]:
    """A dossier of which everything personal goes; gives the run and the dossier."""
    child = org.contact(lastname=CANARIES[0], telephone1=CANARIES[1], emailaddress1=CANARIES[2], birthdate="2000-02-17")
    org.patch("contacts", child, cf_nationalnumber=CANARIES[3])
    dossier = org.dossier("social_card", spoken=LONG_AGO, cf_summary=" ".join(CANARIES))
    org.party(child, "child", dossier=dossier)
    org.dossier("grooming", spoken=LONG_AGO, closed=False)
    plan = typist.ask("plan")["plan"]
    approve_where_needed(org.store, plan, NOW, org.key)
    return str(typist.ask("apply", plan)["run"]), dossier


def offline(typist: Typist, folder: Path) -> None:
    """Settings as on an auditor's machine."""
    typist.set(CRM_URL="http://127.0.0.1:9/", DATA_DIR=str(folder / "elsewhere"))
