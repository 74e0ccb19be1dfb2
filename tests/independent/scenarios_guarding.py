"""What stops a run or asks a person to look: kill switch, canaries, quarantine, alarms."""

from typing import Any

from tests.independent.case import Case
from tests.independent.scenarios import scenario


@scenario("contract 3.3: with the kill switch set nothing is applied, and planning goes on")
def stopped(case: Case) -> None:
    case.policy()
    dossier = case.dossier("social_card")
    plan = case.plan()
    case.ask("stop")
    calm = case.api.writes()
    case.refused("apply", plan["plan"], code=5)
    case.refused("run", "retention", code=5)
    case.plan(approve=False)
    case.ask("stop")
    case.same("writes", case.api.writes(), calm)
    case.ask("resume")
    case.ask("apply", plan["plan"])
    case.same("dossier", case.there("cf_dossier", dossier), [False])
    case.ask("resume")
    kinds = [entry["kind"] for entry in case.ledger()]
    case.expect(
        any("stop" in kind for kind in kinds) and any("resum" in kind for kind in kinds), f"the ledger has no kill switch: {set(kinds)}"
    )


def alarms(document: dict[str, Any]) -> str:
    return str({name: value for name, value in document.items() if "alarm" in name} or document)


@scenario("canaries: one that must be due is planned and never disposed of; one that must stay stops the plan when it is due")
def canaries(case: Case) -> None:
    due, stays, free = case.fiche("social_card"), case.dossier("social_card", "2026-11-01"), case.fiche("social_card")
    lines = [f"  - {{table: cf_fiche, id: {due}, due: true}}", f"  - {{table: cf_dossier, id: {stays}, due: false}}"]
    case.policy(more="canaries:\n" + "\n".join(lines))
    plan = case.plan(approve=False)
    case.same("both as they should be", plan["approvals"]["needed"], [])
    case.same("the due one is planned", case.fate(due)[0], "dispose")
    run = case.apply(plan)
    case.same("canary, free fiche", case.there("cf_fiche", due, free), [True, False])
    case.same("skipped", run.get("skipped"), {"CANARY": 1})
    case.clock("2027-06-25T11:00:00Z")
    odd = case.plan(approve=False)
    case.same("a canary that must stay is due", bool(odd["approvals"]["needed"]), True)
    case.expect("CANARY" in alarms(odd), f"no alarm CANARY: {alarms(odd)}")
    case.refused("apply", odd["plan"], code=5)
    case.same("canaries", (case.there("cf_fiche", due), case.there("cf_dossier", stays)), ([True], [True]))


@scenario("canaries: one that is not found, or not due when it must be, stops the plan")
def lost_canary(case: Case) -> None:
    case.fiche("social_card")
    for name, row in (("lost", "00000000-0000-0000-0000-00000000c0de"), ("kept", case.fiche("social_card", "2026-11-01"))):
        case.policy(more=f"canaries:\n  - {{table: cf_fiche, id: {row}, due: true}}")
        plan = case.plan(approve=False)
        case.expect(plan["approvals"]["needed"] and "CANARY" in alarms(plan), f"{name}: {plan['approvals']} {alarms(plan)[:200]}")
        case.refused("apply", plan["plan"], code=5)


@scenario("quarantine: a unit is marked first, keeps its last day, and goes on the next; who is undone waits again")
def quarantine(case: Case) -> None:
    case.policy(more="quarantine: {days: 14}")
    goes, undone = case.fiche("social_card"), case.fiche("social_card")
    first = case.apply()
    case.same("the first run", (first.get("deleted"), first.get("skipped")), (0, {"QUARANTINED": 2}))
    case.same("fiches", case.there("cf_fiche", goes, undone), [True, True])
    listed = case.ask("quarantine", "list")
    case.same("listed", {entry["id"] for entry in listed}, {goes, undone})
    case.refused("quarantine", "undo", "cf_fiche", undone, "--as", "carl", "--role", "approver", code=5)
    case.refused("quarantine", "undo", "cf_fiche", "00000000-0000-0000-0000-00000000c0de", "--as", "ben", "--role", "dpo", code=2)
    case.clock("2026-12-05T11:00:00Z")
    case.ask("quarantine", "undo", "cf_fiche", undone, "--as", "ben", "--role", "dpo")
    case.clock("2026-12-09T11:00:00Z")
    case.same("the last day", case.apply().get("deleted"), 0)
    case.clock("2026-12-10T11:00:00Z")
    run = case.apply()
    case.same("the day after", (run.get("deleted"), run.get("skipped")), (1, {"QUARANTINE_UNDONE": 1}))
    case.same("fiches", case.there("cf_fiche", goes, undone), [False, True])
    case.clock("2026-12-19T11:00:00Z")
    case.apply()
    case.clock("2026-12-20T11:00:00Z")
    case.same("marked afresh, not gone", (case.apply().get("deleted"), case.there("cf_fiche", undone)), (0, [True]))
    case.clock("2027-01-05T11:00:00Z")
    case.apply()
    case.same("after its days", case.there("cf_fiche", undone), [False])


@scenario("alarm VIEW_SHRANK: when much is out of sight the plan waits, and its run ends with failures")
def view_shrank(case: Case) -> None:
    case.policy(more="watch: {view_shrinks_rows: 20}")
    rows = [case.fiche("social_card", "2026-11-01") for _ in range(60)]
    due = case.fiche("social_card")
    case.plan(approve=False)
    case.api.send([("DELETE", f"cf_fiches({row})", {}) for row in rows[:20]])
    case.same("twenty rows are borne", case.plan(approve=False)["approvals"]["needed"], [])
    case.api.send([("DELETE", f"cf_fiches({row})", {}) for row in rows[20:45]])
    plan = case.plan(approve=False)
    case.expect("VIEW_SHRANK" in alarms(plan) and plan["approvals"]["needed"], f"{plan['approvals']} {alarms(plan)[:300]}")
    case.refused("apply", plan["plan"], code=5)
    case.approve(plan)
    case.apply(plan, code=6)
    case.same("the fiche that was due", case.there("cf_fiche", due), [False])


@scenario("alarm NOTHING_DUE: when nothing is due although something usually is, the run ends with failures")
def nothing_due(case: Case) -> None:
    case.policy(more="watch: {usual_runs: 2}")
    case.fiche("social_card", "2026-11-01")
    for day in ("23", "24", "25"):
        case.clock(f"2026-11-{day}T11:00:00Z")
        for _ in range(12):
            case.fiche("social_card")
        case.apply()
    case.clock("2026-11-26T11:00:00Z")
    plan = case.plan()
    case.expect("NOTHING_DUE" in alarms(plan), f"no alarm: {alarms(plan)[:300]}")
    case.apply(plan, code=6)


@scenario("RET-18 alarm BACKLOG: what should have gone long ago and did not is an alarm, what is held is none")
def backlog(case: Case) -> None:
    case.policy()
    stuck, held = case.fiche("social_card"), case.fiche("social_card")
    case.hold("cf_fiche", held)
    case.load()
    case.api.control("PUT", "faults", [{"match": {"method": "DELETE", "path": f"cf_fiches({stuck})"}, "do": "status", "status": 403}])
    for day in ("2026-11-25", "2026-11-26", "2026-11-27", "2026-12-04"):
        case.clock(f"{day}T11:00:00Z")
        plan = case.plan()
        run = case.apply(plan, code=6)
        told = alarms(plan) + alarms(run)
        if day == "2026-11-27":
            case.expect("TECHNICAL" in told, f"three refusals in a row and no alarm TECHNICAL (HLD-13): {told[:300]}")
        if day == "2026-12-04":
            case.expect("BACKLOG" in told, f"nine days past and no alarm BACKLOG: {told[:300]}")
    case.api.control("PUT", "faults", [])
    case.clock("2026-12-05T11:00:00Z")
    case.apply()
    case.same("stuck, held", case.there("cf_fiche", stuck, held), [False, True])
