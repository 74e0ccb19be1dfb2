"""After a backup of the CRM was put back: what was erased is erased again, and nothing else (ERA-13;
R-091)."""

from __future__ import annotations

import csv
import json

from tests.independent.case import Case
from tests.independent.scenarios import scenario
from tests.independent.scenarios_erasing import furnished, of_unit, team
from tests.independent.wire import by_id


@scenario("R-091 ERA-13: a restore is noticed, replayed, verified and certified; what was never erased stays", restorable=True)
def replayed(case: Case) -> None:
    case.policy()
    made, kept = furnished(case), case.dossier("runaway", child=case.child("2015-05-05"))
    lone, recording = case.fiche("social_card"), case.recording("2025-01-10")
    case.load()
    case.organisation.back_up()
    before = case.everything()
    parts = of_unit(before, made["dossier"])
    run = case.apply()
    counted = case.everything()["cf_statistic"]
    case.same("state, counted", (run.get("state"), bool(counted)), ("done", True))
    case.organisation.restore()
    case.clock("2026-11-26T11:00:00Z")
    case.same("the restored dossier", case.there("cf_dossier", made["dossier"]), [True])
    calm = case.api.writes()
    planned = case.ask("replay", "--dry-run")
    case.same("writes of a dry run", case.api.writes(), calm)
    case.expect(planned, "replay --dry-run says nothing")
    case.same("dossier after the dry run", case.there("cf_dossier", made["dossier"]), [True])
    done = case.ask("replay")
    case.same("state", done.get("state"), "done")
    after = case.everything()
    for table, rows in parts.items():
        case.expect(not rows & by_id(after[table], table).keys(), f"{table}: rows are back after the replay")
    case.same(
        "dossier, fiche, recording",
        (case.row("cf_dossier", made["dossier"]), case.row("cf_fiche", lone), case.row("cf_recording", recording)),
        (None,) * 3,
    )
    case.same("people", case.there("contact", made["child"], made["suspect"], made["reporter"]), [False] * 3)
    case.same("kept dossier", case.there("cf_dossier", kept), [True])
    case.same("statistics are not counted again", after["cf_statistic"], [])
    case.nothing_left([made["dossier"], lone, recording, made["child"], made["suspect"], *set().union(*parts.values())])
    again = case.certificates(done["run"])
    case.same("reasons", {c["reason"] for c in again}, {"EXPIRED"})
    case.same("rules", {c["rule_id"] for c in again}, {"ERA-13"})
    case.same("verify", case.ask("verify", done["run"]).get("still_there"), [])
    case.same("ledger", case.ask("ledger", "verify").get("ok"), True)
    calm = case.api.writes()
    case.ask("replay")
    case.same("writes of a second replay", case.api.writes(), calm)
    case.unchanged(before, ("cf_dossier",), but=[made["dossier"]])


@scenario("R-091 ERA-13: the night notices a restore by itself, before anything else", restorable=True)
def noticed(case: Case) -> None:
    case.policy()
    fiche = case.fiche("social_card")
    case.load()
    case.organisation.back_up()
    case.apply()
    case.organisation.restore()
    case.clock("2026-11-26T11:00:00Z")
    plan = case.type("plan", "--json")
    case.expect("restor" in plan.err.lower() or "replay" in plan.err.lower(), f"`plan` does not warn: {plan.err[-300:]!r}")
    done = case.type("run", "recordings", "--json")
    case.expect(done.code in (0, 6), f"`run recordings` exits {done.code}: {done.err[-300:]}")
    case.same("the fiche that was back", case.there("cf_fiche", fiche), [False])
    case.expect("RESTORED" in str(case.ledger()), "the ledger has no alarm RESTORED")


@scenario(
    "ERA-13 HLD-04 HLD-07: holds win over a replay planned before them; the unit goes by the next one after its release", restorable=True
)
def held(case: Case) -> None:
    case.policy()
    person = case.contact()
    by_row, by_flag, by_person, free = (
        case.dossier("social_card"),
        case.dossier("social_card"),
        case.dossier("social_card"),
        case.fiche("social_card"),
    )
    case.party(person, "suspect", dossier=by_person)
    case.load()
    case.organisation.back_up()
    case.apply()
    case.organisation.restore()
    planned = case.ask("replay", "--dry-run")
    hold = case.hold("cf_dossier", by_row, kind="judicial")
    case.hold("--person", person, kind="complaint")
    case.change("cf_dossier", by_flag, cf_legalhold=True)
    done = case.type("apply", planned["plan"], "--json")
    case.expect(done.code in (0, 6), f"apply exits {done.code}: {done.err[-300:]}")
    case.same("held dossiers", case.there("cf_dossier", by_row, by_flag, by_person), [True, True, True])
    case.same("the suspect of a held dossier", case.there("contact", person), [True])
    case.same("the free fiche", case.there("cf_fiche", free), [False])
    case.release(hold)
    case.type("replay", "--json")
    case.same("after release", case.there("cf_dossier", by_row, by_flag, by_person), [False, True, True])


@scenario("ERA-13 RET-24: a replay above the limits waits for two people", restorable=True)
def breaker(case: Case) -> None:
    case.policy()
    rows = [case.fiche("social_card") for _ in range(4)]
    case.load()
    case.organisation.back_up()
    case.apply()
    case.organisation.restore()
    case.policy(("max: 200", "max: 2"))
    planned = case.ask("replay", "--dry-run")
    calm = case.api.writes()
    case.refused("replay", code=5)
    case.refused("apply", planned.get("plan", "none"), code=5)
    case.refused("run", "retention", code=5)
    case.same("writes", case.api.writes(), calm)
    case.approve(planned)
    case.ask("apply", planned["plan"])
    case.same("fiches", case.there("cf_fiche", *rows), [False] * 4)


@scenario("ERA-13 ERA-06: a dossier anonymised in place is masked again after a restore", restorable=True)
def masked_again(case: Case) -> None:
    case.policy(more="anonymise: {how: in_place}")
    team(case)
    dossier = case.dossier("sexting", child=case.child())
    case.load()
    case.organisation.back_up()
    case.apply()
    case.organisation.restore()
    case.ask("replay")
    row = case.row("cf_dossier", dossier)
    case.expect(
        row is not None and row["cf_anonymisedon"] and row["cf_summary"] is None, f"not masked again: {row and row['cf_anonymisedon']}"
    )
    case.nothing_left(case.secrets.values())


@scenario("ERA-13: the register survives the loss of the database, or of its file", restorable=True)
def half_lost(case: Case) -> None:
    case.policy()
    fiche = case.fiche("social_card")
    case.load()
    case.organisation.back_up()
    case.apply()
    for what in ("erasures.jsonl", "state.db"):
        case.organisation.restore()
        lost = [path for path in case.data.glob(f"{what}*") if path.is_file()]
        case.expect(lost, f"no {what} in the data folder")
        for path in lost:
            path.unlink()
        done = case.type("replay", "--json")
        case.expect(done.code in (0, 6), f"without {what}: replay exits {done.code}: {done.err[-300:]}")
        case.same(f"without {what}: the fiche", case.there("cf_fiche", fiche), [False])


@scenario("ERA-13 contract 3.5: a file is held against the register before it is imported")
def import_check(case: Case) -> None:
    case.policy()
    gone, stays = case.fiche("social_card"), case.fiche("social_card", "2026-11-01")
    case.apply()
    nowhere = {"CRM_COMPLIANCE_CRM_URL": "http://127.0.0.1:9/"}

    def tried(name: str, text: str) -> int:
        (case.folder / name).write_text(text)
        done = case.type("erased", "check", name, "--json", env=nowhere)
        case.expect(gone not in done.out + done.err, f"{name}: the answer repeats the id")
        return done.code

    def table(*rows: str) -> str:
        with (case.folder / "made.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("table", "id", "name"), *(("cf_fiche", row, "x") for row in rows)])
        return (case.folder / "made.csv").read_text()

    case.same("csv with an erased row", tried("a.csv", table(stays, gone)), 5)
    case.same("csv without", tried("b.csv", table(stays)), 0)
    case.same(
        "json lines",
        tried("c.jsonl", json.dumps({"table": "cf_fiche", "id": stays}) + "\n" + json.dumps({"table": "cf_fiche", "id": gone.upper()})),
        5,
    )
    case.same("braces", tried("d.csv", f"table;id\ncf_fiche;{{{gone.upper()}}}\n"), 5)
    case.same("with a byte order mark", tried("e.csv", "\ufefftable,id\n" + f"cf_fiche,{gone}\n"), 5)
    case.same("broken json", tried("f.jsonl", '{"table": "cf_fiche", "id": \n'), 2)
    case.same("no columns", tried("g.csv", "a,b\n1,2\n"), 2)
    case.same("an id that is none", tried("h.jsonl", json.dumps({"table": "cf_fiche", "id": 5})), 2)
    case.refused("erased", "check", "nowhere.csv", code=2)
    done = case.type("erased", "check", "-", "--json", given=json.dumps({"table": "cf_fiche", "id": gone}) + "\n", env=nowhere)
    case.same("standard input", done.code, 5)
