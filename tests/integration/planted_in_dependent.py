"""A dossier with a row in every dependent table, and a word in every text of each."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.drivers.night import Night
from tests.integration.dependent import SETS, add, dependent_night, tie
from tests.integration.planter import Planter

LONG_AGO = date(2020, 1, 10)


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    with dependent_night(tmp_path) as made:
        yield made


def plant(night: Night, planter: Planter) -> dict[str, str]:
    """A dossier with a child, and rows of every dependent table below them, and a note on the deepest, with a
    word in every text; the ids by table."""
    child = night.contact(birthdate="2000-02-01")
    dossier = night.dossier("social_card", spoken=LONG_AGO, fiches=0)
    fiche = night.fiche("social_card", spoken=LONG_AGO, dossier=dossier)
    night.party(child, "child", dossier=dossier)
    visit = add(
        night,
        "cf_homevisit",
        ("cf_DossierId", "cf_dossiers", dossier),
        **planter.texts("cf_homevisit"),
        **{"cf_VisitedId@odata.bind": f"/contacts({child})"},
    )
    paragraph = add(night, "cf_paragraph", ("cf_HomevisitId", "cf_homevisits", visit), **planter.texts("cf_paragraph"))
    remark = add(night, "cf_remark", ("cf_ParagraphId", "cf_paragraphs", paragraph), **planter.texts("cf_remark"))
    on_remark = {"objectid_cf_remark@odata.bind": f"/cf_remarks({remark})"}
    night.create("annotations", "annotationid", **planter.texts("annotation", "mimetype"), **on_remark)
    assessment = add(night, "cf_assessment", ("cf_ContactId", "contacts", child), **planter.texts("cf_assessment"))
    task = add(night, "task", ("regardingobjectid_cf_fiche_task", "cf_fiches", fiche), **planter.texts("task"))
    theme = add(night, "cf_theme", **planter.texts("cf_theme"))
    tie(night, dossier, theme)
    measure = add(
        night,
        "cf_measure",
        ("cf_DossierId", "cf_dossiers", dossier),
        **planter.texts("cf_measure"),
        **{"cf_ForId@odata.bind": f"/contacts({child})", "cf_hours": 2.5},
    )
    bill = add(night, "cf_bill", ("cf_DossierId", "cf_dossiers", dossier), cf_name="A-1")
    planter.file("cf_paragraphs", paragraph, "cf_scan")
    rows = {
        "cf_homevisit": visit,
        "cf_paragraph": paragraph,
        "cf_remark": remark,
        "cf_assessment": assessment,
        "task": task,
        "cf_theme": theme,
        "cf_measure": measure,
    }
    return rows | {"cf_dossier": dossier, "contact": child, "cf_fiche": fiche, "cf_bill": bill}


def task_with(night: Night, dossier: str, *contacts: str, **columns: Any) -> str:
    """A task on a dossier in which people take part."""
    parties = [{"partyid_contact@odata.bind": f"/contacts({contact})", "participationtypemask": 5} for contact in contacts]
    parties.append({"addressused": "iemand@example.org", "participationtypemask": 5})  # who is not a contact
    return add(
        night, "task", ("regardingobjectid_cf_dossier_task", "cf_dossiers", dossier), **columns, task_activity_parties=parties,
    )  # fmt: skip


def rows_left(night: Night, rows: dict[str, str]) -> set[str]:
    return {table for table, (table_set, _) in SETS.items() if table in rows and night.get(table_set, rows[table]) is not None}
