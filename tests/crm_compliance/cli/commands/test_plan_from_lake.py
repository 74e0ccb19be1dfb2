"""A plan that reads a lake instead of the CRM: the same lines, refused where the lake is old or lacks
something, and never enough to delete by."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from connectors.dynamics.mapping.loader import parse_mapping
from connectors.emulator.serving.server import SeedSpec, running
from crm_compliance.configuration.settings import load_settings
from crm_compliance.wiring.mapping import mapping_text
from tests.connectors.dynamics.lake.test_lake import with_history
from tests.drivers.clock import NOW
from tests.drivers.night import Night
from tests.drivers.organisation import TOKEN
from tests.drivers.typist import Typist, people_and_cases
from tests.lakes import WRITERS, Lain, tables_of

FORMS = Path(__file__).parents[3] / "data" / "forms"
SUNK = datetime(2026, 11, 25, 2, 30, tzinfo=UTC)


def names() -> set[str]:
    """The tables of the mapping of the settings."""
    return {table.name for table in parse_mapping(*mapping_text(load_settings())).tables}


def laid(url: str, root: Path, form: str, changed: Callable[[Lain], Lain] = with_history, sunk: datetime = SUNK) -> Path:
    """A lake of all that the mapping of the settings names, as the CRM has it now."""
    WRITERS[form](root, map(changed, tables_of(url, names(), sunk, token=TOKEN).values()))
    return root


@pytest.mark.parametrize(("organisation", "form"), [("deep", "delta"), ("deep", "csv"), ("scattered", "parquet")])
def test_a_plan_from_a_lake_is_that_from_the_crm(typist: Typist, organisation: str, form: str) -> None:
    folder = FORMS / organisation
    with running(environment=folder / "environment.yaml", seed=SeedSpec(30, 3, NOW.date()), token=TOKEN) as crm:
        typist.set(CRM_URL=crm.url, MAPPING=str(folder / "mapping.yaml"))
        live = typist.ask("plan")
        typist.set(CRM_LAKE=str(laid(crm.url, typist.folder / "lake", form)))
        found = typist.ask("plan")
    changes = typist.ask("plans", "diff", live["plan"], found["plan"])
    assert (changes["added"], changes["removed"], changes["changed"]) == (0, 0, 0)
    assert changes["unchanged"] > 30
    said = ("units", "dispose", "retain", "flags", "victims", "due_soon", "waiting", "trims")
    assert [found[name] for name in said] == [live[name] for name in said]
    assert (live["lake_instant"], found["lake_instant"]) == (None, "2026-11-25T02:35:00Z")
    assert any(text.startswith("PLAN_FROM_LAKE: read from the lake of 2026-11-25T02:35:00Z") for text in found["warnings"])


def test_what_changed_after_the_lake_was_laid_down_is_not_deleted(typist: Typist, org: Night) -> None:
    cases = people_and_cases(org)
    root = laid(org.emulator.url, typist.folder / "lake", "parquet")
    org.patch("cf_dossiers", cases["delete"], cf_legalhold=True)
    org.patch("cf_dossiers", cases["anonymise"], cf_summary="fictief")
    typist.set(CRM_LAKE=str(root))
    plan = typist.ask("plan")
    assert plan["dispose"]["delete"] >= 2
    done = typist.ask("apply", plan["plan"])
    assert done["skipped"].items() >= {"HOLD_LEGAL": 1, "CHANGED": 1}.items()
    for row in (cases["delete"], cases["anonymise"]):
        assert org.http.get(f"{org.emulator.url}cf_dossiers({row})").ok


@pytest.mark.parametrize(
    ("changed", "where", "told"),
    [
        ({"sunk": SUNK - timedelta(days=2)}, "crm_lake", "more than 24 hours ago"),
        ({"sunk": SUNK + timedelta(days=2)}, "crm_lake", "still to come"),
        ({"changed": lambda lain: lain.without("cf_legalhold")}, "cf_dossier.cf_legalhold", "no column"),
        ({"changed": lambda lain: lain.unversioned()}, "contact", "no version"),
        ({"changed": lambda lain: lain.saying(cf_dossierid="7")}, "cf_dossier.cf_dossierid", "that this column cannot hold"),
        ({"changed": lambda lain: lain.saying(SinkModifiedOn=None) if lain.name == "contact" else lain}, "contact", "was taken up"),
        ({"changed": lambda lain: lain.but(() if lain.name == "contact" else lain.rows)}, "contact", "the CRM counts"),
        ({"changed": lambda lain: lain.but(() if lain.name == "cf_recording" else lain.rows)}, "cf_recording", "the CRM counts"),
    ],
    ids=[
        "old",
        "of tomorrow",
        "without a column",
        "without versions",
        "with an id that is none",
        "of no time",
        "no people",
        "no recordings",
    ],
)
def test_a_lake_that_is_old_or_lacks_something_gives_no_plan(
    typist: Typist, org: Night, changed: dict[str, Any], where: str, told: str
) -> None:
    people_and_cases(org)
    typist.set(CRM_LAKE=str(laid(org.emulator.url, typist.folder / "lake", "parquet", **({"changed": lambda lain: lain} | changed))))
    error = typist.refused("plan", code=4)
    assert (error["code"], error["where"]) == ("crm_read_incomplete", where)
    assert told in error["message"]
    assert typist.ask("plans", "list") == []


def test_a_table_that_the_link_takes_up_no_more_gives_no_plan(typist: Typist, org: Night) -> None:
    """Whatever it takes up of others; one in which nobody has changed anything since is as good as new."""

    def stopped(lain: Lain) -> Lain:
        return lain.saying(SinkModifiedOn=(SUNK - timedelta(days=9)).isoformat()) if lain.name == "cf_dossier" else lain

    people_and_cases(org)
    typist.set(CRM_LAKE=str(laid(org.emulator.url, typist.folder / "lake", "parquet", stopped)))
    clock = f"{org.emulator.root}/_emulator/clock"
    for days, code in ((10, 0), (2, 4), (0, 0)):
        requests.put(clock, json={"now": (SUNK - timedelta(days=days)).isoformat()}, timeout=10).raise_for_status()
        for dossier in org.rows("cf_dossiers?$select=cf_dossierid"):
            org.patch("cf_dossiers", dossier["cf_dossierid"], cf_courtreference=str(days))
        if not code:
            typist.ask("plan")
            continue
        uncounted = {"match": {"path": "*modifiedon*"}, "do": "status", "status": 501}
        for faults, told in (([uncounted], ("may lack", "does not count them")), ([], ("lacks", "has 4 such rows"))):
            requests.put(f"{org.emulator.root}/_emulator/faults", json=faults, timeout=10).raise_for_status()
            error = typist.refused("plan", code=code)
            assert (error["code"], error["where"]) == ("crm_read_incomplete", "cf_dossier")
            assert error["message"] == f"The lake {told[0]} changes of cf_dossier that are older than it may be: the CRM {told[1]}."


@pytest.mark.parametrize("form", WRITERS)
def test_a_table_that_the_lake_lacks_is_never_an_empty_one(typist: Typist, org: Night, form: str) -> None:
    people_and_cases(org)
    root = typist.folder / "lake"
    WRITERS[form](root, [lain for name, lain in tables_of(org.emulator.url, names(), SUNK, token=TOKEN).items() if name != "cf_party"])
    typist.set(CRM_LAKE=str(root))
    error = typist.refused("plan", code=4)
    assert (error["code"], error["where"]) == ("crm_read_incomplete", "cf_party")


def test_the_doctor_reads_the_lake_as_a_plan_would(typist: Typist, org: Night) -> None:
    people_and_cases(org)
    tables = tables_of(org.emulator.url, names(), SUNK, token=TOKEN)
    root = typist.folder / "lake"
    WRITERS["csv"](root / "whole", tables.values())
    WRITERS["csv"](root / "part", [lain for name, lain in tables.items() if name != "cf_fiche"])
    typist.set(CRM_LAKE=str(root / "whole"))
    found = next(check for check in typist.ask("doctor")["checks"] if check["name"] == "lake")
    assert re.fullmatch(r"\d{2} rows, taken up until 2026-11-25T02:30:00Z", found["message"])
    typist.set(CRM_LAKE=str(root / "part"))
    document = typist.ask("doctor", code=4)
    (found,) = [check for check in document["checks"] if not check["ok"]]
    assert (found["name"], "cf_fiche" in found["message"]) == ("lake", True)


def test_a_lake_that_is_not_mounted_gives_no_plan(typist: Typist, org: Night) -> None:
    typist.set(CRM_LAKE=str(typist.folder / "nothing"))
    assert typist.refused("plan", code=4)["where"] == "crm_lake"
