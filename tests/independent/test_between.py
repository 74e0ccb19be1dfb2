"""What people do between plan and run counts, whatever the plan says (RET-17): what a run takes is due by our
own evaluation of the rows as they are when it begins, and nobody goes of whom something speaks that stays."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.independent.case import AT, Case
from tests.independent.evaluation import Evaluator, Rows, World
from tests.independent.inside import Inside
from tests.independent.organisation import Organisation
from tests.independent.people import People
from tests.independent.traps import draw
from tests.independent.wire import IDS, SETS, Refused

NOW = datetime.fromisoformat(AT.replace("Z", "+00:00"))
Change = tuple[str, str, dict[str, Any]]


def changes(rows: Rows, due: set[str], chance: Random) -> Iterator[Change]:
    """One change after the other: of units that are due where that is what would keep them."""
    ids = {table: [row[IDS[table]] for row in of] for table, of in rows.items()}
    at_stake = {table: [row for row in of if row in due] or of for table, of in ids.items()}
    lately = (NOW - timedelta(days=chance.randint(0, 40))).strftime("%Y-%m-%dT%H:%M:%SZ")

    def of(table: str, among: dict[str, list[str]] = ids) -> str:
        return f"{SETS[table]}({chance.choice(among[table])})"

    while True:
        to_dossier, to_fiche, to_contact = (f"/{of(table)}" for table in ("cf_dossier", "cf_fiche", "contact"))
        categories = chance.choice(["100000033", "100000050", "100000000", "100000030", "100000002,100000021", None])
        new_fiche = {"cf_name": "nieuw", "cf_communicatedon": lately, "cf_categories": "100000000", "cf_channel": 100000000}
        possible: list[Change] = [
            ("PATCH", of("cf_dossier", at_stake), {"cf_legalhold": True}),
            ("PATCH", of("cf_dossier", at_stake), {"statecode": 0, "statuscode": 1}),
            ("PATCH", of("cf_dossier", at_stake), {"cf_reopenedon": lately}),
            ("PATCH", of("cf_dossier", at_stake), {"cf_categories": categories}),
            ("PATCH", of("cf_fiche", at_stake), {"cf_communicatedon": lately}),
            ("PATCH", of("cf_fiche"), {"cf_DossierId@odata.bind": to_dossier}),
            ("PATCH", of("cf_recording", at_stake), {"cf_endedon": lately}),
            ("PATCH", of("cf_recording"), {"cf_evidence": True, "cf_FicheId@odata.bind": to_fiche}),
            ("PATCH", of("contact"), {"birthdate": chance.choice(["2020-01-01", "1980-01-01", None])}),
            ("PATCH", of("contact"), {"cf_newsletter": True}),
            ("PATCH", of("contact"), {"parentcustomerid_contact@odata.bind": to_contact}),
            ("POST", "cf_fiches", {**new_fiche, "cf_DossierId@odata.bind": to_dossier}),
            (
                "POST",
                "cf_parties",
                {
                    "cf_name": "rol",
                    "cf_role": 100000000 + chance.randrange(8),
                    "cf_ContactId@odata.bind": to_contact,
                    "cf_DossierId@odata.bind": to_dossier,
                },
            ),
        ]
        yield chance.choice(possible)


@pytest.fixture
def inside() -> Iterator[Inside]:
    made = Inside()
    yield made
    made.close()


@pytest.mark.parametrize("seed", [1, 4])
def test_a_run_takes_what_is_due_by_now_and_was_planned(inside: Inside, tmp_path: Path, seed: int) -> None:
    case, chance = Case(f"between {seed}", tmp_path / "case", inside, inside), Random(seed)
    organisation: Organisation = draw(seed, NOW, 15, case.objects, frozenset())
    organisation.load(case.api)
    case.policy()
    plan = case.plan()
    planned = {row for row, line in case.lines().items() if line["outcome"] == "dispose"}
    done = 0
    for change in changes(case.everything(), planned, chance):
        try:
            case.api.send([change])
        except Refused:  # a contact that would be its own parent
            continue
        done += 1
        if done == 8:
            break
    before = case.everything()
    due = Evaluator(before, NOW).all()
    fates = People(World(before), due.units, due.day).fates()
    case.ask("apply", plan["plan"])
    after = {table: {row[IDS[table]] for row in rows} for table, rows in case.everything().items()}
    for (table, row), verdict in due.units.items():
        if row not in after[table]:
            case.expect(verdict.disposed, f"{table} {row} is gone, and is to be kept: {verdict.reasons}")
            # An audio note goes with its fiche, wherever that went meanwhile (RET-03).
            case.expect(row in planned or table == "annotation", f"{table} {row} is gone, and was not planned to go")
    for contact, fate in fates.items():
        if contact not in after["contact"]:
            case.expect("removed" in fate.ways, f"contact {contact} is gone, and is to be {sorted(fate.ways)}: {fate.why}")
    assert not case.problems, "\n".join(case.problems)
