"""What happens while a run is at work, or between plan and run: holds, the kill switch, people at work
(HLD-07, RET-17)."""

import subprocess
import time

from tests.independent.case import Case
from tests.independent.scenarios import scenario

SLOW = [{"match": {"method": "POST", "path": "$batch"}, "do": "latency", "ms": 900}]
CRAWLING = [{**SLOW[0], "ms": 6_000}]  # the run is not over before a command beside it, however long that takes


def many(case: Case, count: int) -> list[str]:
    """Dossiers enough for several groups, and a run that goes slowly over them."""
    case.settings["CRM_CONCURRENCY"] = "1"
    case.policy()
    return [case.dossier("social_card") for _ in range(count)]


def batches_that_wrote(case: Case, at_work: subprocess.Popen[str]) -> int:
    """How many batches, at the least, deleted rows from now to the end of the command: what went between two
    looks may be of any batch that had begun by the second."""
    count, known = 0, -1
    last = case.api.control("GET", "stats")
    while at_work.poll() is None:
        now = case.api.control("GET", "stats")
        if now["operations"]["delete"] != last["operations"]["delete"] and last["batches"] > known:
            count, known = count + 1, now["batches"]
        last = now
        time.sleep(0.01)
    return count


@scenario("R-077 HLD-07: a hold that is placed while a run is at work keeps what has not gone yet")
def hold_in_a_run(case: Case) -> None:
    person = case.contact()
    rows = many(case, 60)
    for row in rows:
        case.party(person, "suspect", dossier=row)
    plan = case.plan()
    start = case.api.writes()["delete"]
    case.api.control("PUT", "faults", SLOW)
    at_work = case.begin("apply", plan["plan"])
    case.wait_for(lambda: case.api.writes()["delete"] > start or at_work.poll() is not None)
    case.api.control("PUT", "faults", CRAWLING)
    hold = case.hold("--person", person, kind="judicial")
    placed = len(case.api.rows("cf_dossiers?$select=cf_dossierid"))
    case.api.control("PUT", "faults", SLOW)
    wrote = batches_that_wrote(case, at_work)
    case.api.control("PUT", "faults", [])
    done = case.end(at_work)
    left = len(case.api.rows("cf_dossiers?$select=cf_dossierid"))
    if not case.expect(placed and left, f"{placed} dossiers were there when the hold was, {left} at the end"):
        return
    case.expect(wrote <= 1, f"{wrote} batches wrote after the hold had been placed: {placed - left} dossiers went")
    run = done.document()
    case.expect(run.get("skipped", {}).get("HOLD_JUDICIAL", 0) >= left, f"skipped: {run.get('skipped')}, {left} dossiers left")
    case.same("planned disposals and their outcomes", sum(run["skipped"].values()) + run["deleted"] + run["partial"], 61)
    case.same("the person", case.there("contact", person), [True])
    case.release(hold)
    case.apply()
    case.same("after release", (case.api.rows("cf_dossiers?$select=cf_dossierid"), case.there("contact", person)), ([], [False]))
    runs = [r["run"] for r in case.ask("history", "list")]
    case.same("certificates over all runs", sum(len(case.certificates(r)) for r in runs), 61)


@scenario("contract 3.3: `stop` ends a run between batches; after `resume` it goes on to the same end")
def stop_in_a_run(case: Case) -> None:
    rows = many(case, 60)
    plan = case.plan()
    start = case.api.writes()["delete"]
    case.api.control("PUT", "faults", SLOW)
    at_work = case.begin("apply", plan["plan"])
    case.wait_for(lambda: case.api.writes()["delete"] > start or at_work.poll() is not None)
    case.api.control("PUT", "faults", CRAWLING)
    case.ask("stop")
    case.api.control("PUT", "faults", SLOW)
    wrote = batches_that_wrote(case, at_work)
    done = case.end(at_work)
    case.api.control("PUT", "faults", [])
    case.expect(wrote <= 1, f"{wrote} batches wrote after `stop` had ended (honoured between batches)")
    left = sum(case.there("cf_dossier", *rows))
    if not case.expect(done.code == 5 and left, f"apply exits {done.code} with {left} dossiers left: {done.err[-300:]}"):
        return
    case.same("error", done.error().get("code"), "stopped")
    case.ask("resume")
    run = case.ask("apply", plan["plan"])
    case.same("dossiers afterwards", (sum(case.there("cf_dossier", *rows)), run.get("deleted")), (0, 60))
    case.same("certificates", len(case.certificates(run["run"])), 60)
    case.same("ledger", case.ask("ledger", "verify").get("ok"), True)


@scenario("RET-20 RET-17: a contact that got a new file, a gift or a hold after the plan stays")
def contacts(case: Case) -> None:
    case.policy()
    people = [case.contact() for _ in range(5)]
    linked, giver, held, reader, _ = people
    rows = [case.dossier("social_card") for _ in people]
    for person, row in zip(people, rows, strict=True):
        case.party(person, "parent", dossier=row)
    plan = case.plan()
    case.same("planned", {case.fate(person)[0] for person in people}, {"dispose"})
    young = case.dossier("social_card", "2026-11-20")
    case.party(linked, "parent", dossier=young)
    case.add(
        "cf_donation", cf_name="gift (fictief)", cf_amount=5, cf_ContactId__bind=f"/contacts({giver})", cf_bookedon="2026-11-20T10:00:00Z"
    )
    case.change("contact", reader, cf_newsletter=True)
    case.hold("contact", held)
    run = case.apply(plan)
    case.same("linked, giver, held, reader, free", case.there("contact", *people), [True, True, True, True, False])
    case.same("dossiers", case.there("cf_dossier", *rows), [False, False, True, False, False])
    case.same("the new dossier", case.there("cf_dossier", young), [True])
    case.expect(run.get("state") == "done", f"{run.get('state')}: {run.get('skipped')}")


@scenario("R-044 RET-17: what people did after the plan counts, whatever the plan says")
def edited(case: Case) -> None:
    case.policy()
    born = case.child()
    rows = {what: case.dossier("social_card") for what in ("category", "opened", "fiche", "moved", "flag")}
    rows["child"], rows["reopened"] = case.dossier("runaway", child=born), case.dossier("runaway", child=case.child())
    lone = case.fiche("social_card")
    into = case.dossier("unexplained_disappearance")
    recording = case.recording("2025-01-10")
    plan = case.plan()
    case.change("cf_dossier", rows["category"], cf_categories="100000000,100000050")
    case.change("cf_dossier", rows["opened"], cf_reopenedon="2026-11-20T10:00:00Z")
    case.fiche("social_card", "2026-11-20", dossier=rows["fiche"])
    case.change("cf_dossier", rows["flag"], cf_legalhold=True)
    case.change("contact", born, birthdate="2015-03-03")
    case.change("cf_dossier", rows["reopened"], statecode=0, statuscode=1)
    case.api.send([("PATCH", f"cf_fiches({lone})", {"cf_DossierId@odata.bind": f"/cf_dossiers({into})"})])
    case.change("cf_recording", recording, cf_endedon="2026-11-20T10:00:00Z")
    before = case.everything()
    run = case.apply(plan)
    case.same("deleted", (run.get("deleted"), run.get("anonymised")), (1, 0))
    case.same("what stays", case.there("cf_dossier", *[rows[w] for w in rows if w != "moved"]), [True] * 6)
    case.same("what goes", case.there("cf_dossier", rows["moved"]), [False])
    case.same("fiche, recording", (case.there("cf_fiche", lone), case.there("cf_recording", recording)), ([True], [True]))
    case.unchanged(before, ("cf_dossier", "contact", "cf_recording", "cf_party"), but=[rows["moved"]])


@scenario("R-060 RET-18: missed nights are caught up once, and the same day again writes nothing")
def nights(case: Case) -> None:
    case.policy()
    row = case.fiche("social_card", "2026-05-20")
    case.clock("2026-11-20T22:30:00Z")
    case.same("on its last day", case.ask("run", "retention").get("deleted"), 0)
    case.clock("2026-11-24T10:00:00Z")
    case.same("after it", case.ask("run", "retention").get("deleted"), 1)
    calm = case.api.writes()
    again = case.type("run", "retention", "--json")
    case.expect(again.code == 0, f"the same day again exits {again.code}: {again.err[-200:]}")
    case.same("writes", case.api.writes(), calm)
    case.same("fiche", case.there("cf_fiche", row), [False])
