"""The hold flag that the CRM itself keeps on a dossier: a legal hold on it and on everything below it, whose
reason text is never read. Source: HLD-14."""

from typing import Final

from rules.model.records import Unit

CRM: Final = "crm"  # the source of such a hold


def flagged_dossier(unit: Unit) -> str:
    """Return the id of the dossier of a unit, or of what it belongs to, on which the flag is set; empty where
    it is not."""
    owner = unit if unit.dossier is not None else unit.belongs_to
    return owner.id if owner is not None and owner.dossier is not None and owner.dossier.legal_hold else ""
