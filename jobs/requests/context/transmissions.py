"""To whom data were passed on, as the fiches say it, and whether anybody outside the EEA got them without a
ground. Source: GDPR art. 15(1)(c), 15(2); section 7.1; RGT-09; R-120, R-121."""

from collections.abc import Iterable

from jobs.model.answer import Recipient
from jobs.requests.redaction.redact import TextRedactor
from rules.model.personal_records import FullFiche
from rules.rights.recipients import acts_in_criminal_matters, is_outside

TRANSFER_BASIS_MISSING = "TRANSFER_BASIS_MISSING"
PROCESSOR = Recipient("processor", is_category=True)


def recipients_of(fiches: Iterable[FullFiche], redactor: TextRedactor, country: str) -> tuple[Recipient, ...]:
    """Return the recipients, oldest first. They are given by category where the log only shows that something
    was passed on, not to whom. Which of them are disclosed is decided item by item
    (`Compilation.told_contexts`). A processor of the organisation is disclosed as a category."""
    found: dict[Recipient, None] = {}
    for fiche in sorted(fiches, key=lambda fiche: (fiche.transmitted_on is None, fiche.transmitted_on or fiche.created_on, fiche.id)):
        name = (fiche.transmitted_to or "").strip()
        if not name and fiche.transmitted_on is None:
            continue
        outside = is_outside(fiche.transmitted_country)
        told = Recipient(
            name=redactor.redact(name).text if name else "police",
            on=fiche.transmitted_on.isoformat() if fiche.transmitted_on is not None else "",
            country=(fiche.transmitted_country or "").strip().upper() if outside else "",
            safeguard=redactor.redact((fiche.transfer_basis or "").strip()).text if outside else "",
            is_category=not name,
            source=("fiche", fiche.id),
            is_criminal=acts_in_criminal_matters(name, fiche.transmitted_country, country),
        )
        found[told] = None
    return (*found, PROCESSOR)


def lacks_basis(fiches: Iterable[FullFiche]) -> bool:
    """Return whether any of these was passed on outside the EEA without a ground for it (R-121)."""
    return any(is_outside(fiche.transmitted_country) and not (fiche.transfer_basis or "").strip() for fiche in fiches)
