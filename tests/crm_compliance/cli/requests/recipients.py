"""A file that was passed on, and to whom."""

from typing import Any

from tests.drivers.night import Night

POLICE, ABROAD = "Politiezone Verzonnen", "Missing Verzonnen"


def file_of(org: Night, child: str, category: str = "sexting") -> str:
    """A dossier of a child that was passed on to two recipients, with a mother and words that are nobody
    else's business."""
    dossier = org.dossier(category, closed=False, fiches=0, cf_name="D-2026-0117")
    said: dict[str, Any] = {"dossier": dossier, "cf_summary": "Zonnebloem vertelde het aan Annelies."}
    org.fiche(category, cf_transmittedto=POLICE, cf_transmittedon="2026-02-05", cf_transmittedcountry="BE", **said)
    org.fiche(category, cf_transmittedto=ABROAD, cf_transmittedcountry="NL", **said)
    org.party(child, "child", dossier=dossier)
    org.party(org.contact(firstname="Annelies", lastname="Verstraeten (fictief)"), "parent", dossier=dossier)
    return dossier
