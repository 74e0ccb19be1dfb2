"""An answer with four texts to review, and what became of them."""

from datetime import date
from typing import Any

from tests.crm_compliance.cli.requests.family import LOTTE, lotte
from tests.drivers.asking import Asking
from tests.drivers.night import Night
from tests.drivers.typist import Typist

TEXTS = (
    "Lotte vertelt over Femke Duinmeijer (fictief). Juf Quinten weet ervan, en Quinten belt terug.",
    "Zij belt terug. <script>alert(1)</script>",
    "Afspraak op school.",
    "Een lang gesprek. " + "Zij vertelt hoe het ging. " * 300,
)


def compiled(typist: Typist, org: Night) -> Asking:
    child = lotte(org)
    dossier = org.dossier("grooming", closed=False, fiches=0, cf_name="D-2026-0117")
    for number, text in enumerate(TEXTS, 1):
        org.fiche(
            "grooming",
            dossier=dossier,
            cf_summary=text,
            cf_name=f"F-2026-000{number}" + "W" * 80 * (number == 1),
            spoken=date(2026, 3, number),
        )
    org.party(child, "child", dossier=dossier)
    asking = Asking(typist).open(LOTTE | {"birthdate": "2012-03-04"}, kind="child").identify().confirm(child)
    asking.compile()
    return asking


def waiting(asking: Asking) -> list[dict[str, Any]]:
    return [item for item in asking.items() if item["status"] == "PENDING_REVIEW"]


def status_of(asking: Asking, item: str) -> tuple[str, str | None, str | None]:
    found = next(each for each in asking.items() if each["item"] == item)
    return found["status"], found["code"], found["text"]
