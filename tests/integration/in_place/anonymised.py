"""Dossiers full of names, and mappings that say what of them stays when they are anonymised in place."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.mapping.mapping import REFERENCE
from jobs.model.run import Action
from tests.drivers.connecting import connect
from tests.drivers.night import Night
from tests.drivers.organisation import TOKEN

MakeNight = Callable[..., Night]
Change = Callable[[str], str]
LONG_AGO = date(2024, 1, 10)
ADULT = "2000-02-01"  # a runaway dossier ended on 2025-02-01
CANARY = "Kanarie-7731"
MAPPING = REFERENCE.read_text("utf-8")
FICHE_TEXTS = ("cf_name", "cf_callernumber", "cf_calleremail", "cf_ipaddress", "cf_summary", "cf_transmittedto", "cf_transferbasis")


def unchanged(text: str) -> str:
    return text


def in_place(more: str = "") -> Change:
    """The shipped schedule, anonymising in place."""
    return lambda text: text.replace("backups:\n", f"anonymise:\n  how: in_place\n{more}\nbackups:\n", 1)


def keeping(text: str, *columns: str) -> str:
    """A mapping that keeps these columns of the dossier."""
    for column in columns:
        for technique in ("null", "drop_text"):
            text = text.replace(f"        {column}: {technique}\n", "", 1)
    return text.replace("      state: 1\n", f"      state: 1\n      keeps: [{', '.join(columns)}]\n", 1)


@contextmanager
def mapped(night: Night, mapping: str, **options: Any) -> Iterator[None]:
    """The same night with another mapping."""
    before = night.connector
    night.connector = connect(
        url=night.emulator.url, tokens=StaticToken(TOKEN, night.emulator.url), mapping_text=mapping, mapping_source="m.yaml", **options
    )
    try:
        yield
    finally:
        night.connector.close()
        night.connector = before


def a_runaway(night: Night, *, full: bool = False, born: str = ADULT, **columns: Any) -> str:
    """A runaway dossier of a child that has grown up; `full`: with a canary in every text column there is."""
    if full:
        columns |= {name: f"{CANARY} {name}" for name in ("cf_name", "cf_courtreference", "cf_summary", "cf_legalholdreason")}
        columns |= {"cf_outcome": 100000002, "cf_outcomeon": "2024-02-01", "cf_publicalert": False, "cf_reviewedon": "2024-03-01"}
    dossier = night.dossier("runaway", spoken=LONG_AGO, **columns)
    child = night.contact(firstname=CANARY if full else "Noor", birthdate=born, gendercode=2, address1_postalcode="2000")
    night.party(child, "child", dossier=dossier)
    return dossier


def actions(night: Night, run: str) -> dict[str, Action]:
    return {action.id: action for action in night.store.journal.of_run(run)}


def masked_columns(row: dict[str, Any]) -> dict[str, Any]:
    """What an anonymised row still holds of the organisation's own columns."""
    return {name: value for name, value in row.items() if name.startswith(("cf_", "_cf_")) and value is not None}


def fiche_full_of_canaries(night: Night, dossier: str | None, **columns: Any) -> str:
    texts = dict.fromkeys(FICHE_TEXTS, CANARY)
    codes = {"cf_channel": 100000001, "cf_reporterkind": 100000001, "cf_language": 100000001, "cf_transmittedcountry": "MA"}
    return night.fiche("runaway", spoken=LONG_AGO, dossier=dossier, **texts, **codes, cf_transmittedon="2024-02-02", **columns)
